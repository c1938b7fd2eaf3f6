package normalize

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"syncd/schema"
)

// clickColumns are the columns of a file of clicks: 25 that clickSpec knows, one that
// it drops and ten that are left to extra.
var clickColumns = strings.Fields(`click_id conversion_id offer_id offer_name affiliate_id affiliate_name advertiser_id advertiser_name
	status payout revenue currency created_at country region city ip isp device_type os browser user_agent referer sub1 sub2
	country_name session_id fingerprint score campaign creative keyword placement bid hour tag`)

func clickSpec() Spec {
	spec := Spec{Table: "clicks", Format: FormatCSV, Drop: Paths{"country_name"}, Columns: map[string]Field{
		"publisher_id": {From: Paths{"affiliate_id"}}, "publisher_name": {From: Paths{"affiliate_name"}},
		"currency":    {From: Paths{"currency"}, Upper: true},
		"created_at":  {From: Paths{"created_at"}, Zero: Paths{"1970-01-01 00:00:00", "0001-01-01T00:00:00Z"}},
		"report_date": {FromColumn: "created_at"},
	}}
	for name := range strings.FieldsSeq("click_id conversion_id offer_id offer_name advertiser_id advertiser_name status payout revenue country region city ip isp device_type os browser user_agent referer sub1 sub2") {
		spec.Columns[name] = Field{From: Paths{name}}
	}
	return spec
}

// clickFile is a file of n clicks of 571 bytes or so.
func clickFile(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	_ = w.Write(clickColumns)
	for range n {
		offer, affiliate := random.IntN(300), random.IntN(2000)
		at = at.Add(time.Duration(random.IntN(30_000)) * time.Microsecond)
		city := random.IntN(900)
		record := []string{
			fmt.Sprintf("%08x%016x", at.Unix(), random.Uint64()), pick("", "", "", "c"+fmt.Sprint(random.Uint64())),
			fmt.Sprint(1000 + offer), fmt.Sprintf("Sample Offer %d CPS [US]", offer), fmt.Sprint(70000 + affiliate), fmt.Sprintf("Affiliate %d", affiliate),
			fmt.Sprint(40 + offer%40), fmt.Sprintf("Store %d Ltd", offer%40), pick("ok", "ok", "ok", "rejected"),
			fmt.Sprintf("%d.%04d", random.IntN(3), random.IntN(10000)), fmt.Sprintf("%d.%02d", random.IntN(5), random.IntN(100)), "usd",
			at.Format(time.DateTime), pick("US", "DE", "GB", "FR", "IN", "BR"), fmt.Sprintf("Region %d", city%90), fmt.Sprintf("City %d", city),
			fmt.Sprintf("203.0.%d.%d", random.IntN(256), random.IntN(256)), pick("T-Mobile", "Vodafone", "-", "Comcast"), pick("mobile", "desktop", "tablet"),
			pick("Android 14", "iOS 18", "Windows 11"), fmt.Sprintf("Chrome %d", 80+random.IntN(50)),
			fmt.Sprintf("Mozilla/5.0 (Linux; Android %d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Mobile Safari/537.36", 8+random.IntN(7), 80+random.IntN(50), random.IntN(5000)),
			pick("", "https://news.example.test/articles/2026/03/05/"+fmt.Sprint(random.IntN(100000))+"?utm_source=feed&utm_medium=banner&utm_campaign=spring"), fmt.Sprintf("feed-%d", random.IntN(50)), pick("", fmt.Sprintf("%016x", random.Uint64())),
			"United States", fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64()), fmt.Sprintf("%016x%016x%08x", random.Uint64(), random.Uint64(), random.Uint32()), fmt.Sprint(random.IntN(100)), fmt.Sprintf("spring sale %d", random.IntN(20)),
			pick("", "banner 300x250"), pick("", "shoes"), fmt.Sprintf("slot-%d", random.IntN(9)), fmt.Sprintf("0.%04d", random.IntN(10000)), fmt.Sprint(at.Hour()), pick("", "a", "b") + strings.Repeat("x", 20),
		}
		_ = w.Write(record)
	}
	w.Flush()
	return file.Bytes()
}

func clickContext() *Context {
	day := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	return &Context{
		Network: "24metrics", Account: "main", RunID: "run-1", Stream: "clicks", Location: time.UTC,
		Window: schema.Window{From: day, To: day.AddDate(0, 0, 1)}, By: "created_at", Version: 7, SyncedAt: day,
	}
}

func BenchmarkChunk(b *testing.B) {
	for _, plain := range []bool{false, true} {
		b.Run(fmt.Sprintf("plain=%t", plain), func(b *testing.B) { benchChunk(b, plain) })
	}
}

func benchChunk(b *testing.B, plain bool) {
	f, err := OpenCSV(bytes.NewReader(clickFile(2500)), "")
	if err != nil {
		b.Fatal(err)
	}
	var chunk Chunk
	if err := f.Next(&chunk); err != nil || chunk.Records() < 1700 {
		b.Fatal(chunk.Records(), err)
	}
	spec := clickSpec()
	spec.Plain = plain
	n := mustCompile(b, spec)
	if err := n.Bind(f.Header()); err != nil {
		b.Fatal(err)
	}
	c, block := clickContext(), schema.NewBlock(n.Table())
	bad := func(r BadRow) error { return fmt.Errorf("record %d: %s", r.Index, r.Reason) }
	b.SetBytes(int64(len(chunk.Data)))
	b.ReportAllocs()
	rows, cpu := 0, cpuTime(b)
	for b.Loop() {
		var counts Counts
		if block, counts, err = n.Chunk(&chunk, c, block, reuse, bad); err != nil || counts.Bad > 0 {
			b.Fatal(counts, err)
		}
		rows += counts.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(rows), "cpu-ns/row")
	b.ReportMetric(float64(len(chunk.Data))/float64(chunk.Records()), "bytes/row")
}

// BenchmarkNext is the part of the work that one goroutine does for all.
func BenchmarkNext(b *testing.B) {
	file := clickFile(20_000)
	var chunk Chunk
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	rows, cpu := 0, cpuTime(b)
	for b.Loop() {
		f, err := OpenCSV(bytes.NewReader(file), ",")
		if err != nil {
			b.Fatal(err)
		}
		for {
			if err := f.Next(&chunk); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			rows += chunk.Records()
		}
	}
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(rows), "cpu-ns/row")
}
