package normalize

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the test runs

	"syncd/schema"
)

// affiseConversions fills all columns of conversions that Affise has values for
// (Affise docs, /3.0/stats/conversions).
func affiseConversions() Spec {
	from := func(paths ...string) Field { return Field{From: paths} }
	spec := Spec{
		Table:   "conversions",
		Records: Paths{"conversions"},
		Columns: map[string]Field{
			"conversion_id":   from("id", "conversion_id"),
			"click_id":        from("clickid", "click_id"),
			"external_id":     from("action_id", "cbid"),
			"event_id":        from("goal_value"),
			"event_name":      from("goal"),
			"offer_id":        from("offer_id", "offer.id"),
			"offer_name":      from("offer.title"),
			"publisher_id":    from("partner_id", "partner.id"),
			"publisher_name":  from("partner.title", "partner.login", "partner.email"),
			"advertiser_id":   from("supplier_id", "advertiser.id"),
			"advertiser_name": from("advertiser.title"),
			"status": {From: Paths{"status"}, MapElse: "unknown", Map: map[string]string{
				"confirmed": "approved", "pending": "pending", "declined": "rejected", "not_found": "rejected", "hold": "hold", "pending_cap": "pending",
				"1": "approved", "2": "pending", "3": "rejected", "4": "rejected", "5": "hold"}},
			"status_raw":     from("status"),
			"status_reason":  from("decline_reason", "comment"),
			"payout":         from("payouts"),
			"revenue":        from("revenue"),
			"profit":         from("earnings"),
			"sale_amount":    from("sum"),
			"currency":       {From: Paths{"currency"}, Upper: true},
			"payout_type":    from("payment_type"),
			"payment_status": from("payment_status"),
			"created_at":     {From: Paths{"created_at"}, Fold: "id"},
			"click_at":       {From: Paths{"click_time"}, Fold: "clickid"},
			"updated_at":     from("updated_at"),
			"hold_until":     from("hold_date_expire"),
			"report_date":    {FromColumn: "created_at"},
			"country":        from("country"),
			"region":         from("district"),
			"city":           from("city"),
			"ip":             from("ip"),
			"isp":            from("isp_code"),
			"device_type":    from("device_type", "device"),
			"os":             from("os"),
			"browser":        from("browser"),
			"user_agent":     from("ua"),
			"referer":        from("referrer"),
		},
		Drop: Paths{"partner.api_key", "country_name", "is_paid", "offer.offer_id"},
	}
	for i := 1; i <= 8; i++ {
		spec.Columns[fmt.Sprintf("sub%d", i)] = from(fmt.Sprintf("sub%d", i))
	}
	return spec
}

// affiseRecord is a record as the docs show it, with values that vary like live ones.
func affiseRecord(random *rand.Rand, at time.Time) string {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	offer, partner := random.IntN(300), random.IntN(2000)
	id := fmt.Sprintf("%08x%016x", at.Unix(), random.Uint64())
	clickAt := at.Add(-time.Duration(random.IntN(3600)) * time.Second)
	click := fmt.Sprintf("%08x%016x", clickAt.Unix(), random.Uint64())
	local := func(t time.Time) string { return t.In(time.FixedZone("", 3*3600)).Format(time.DateTime) }
	payout := random.IntN(5000)
	margin := random.IntN(800)
	email := fmt.Sprintf("aff%d@example.test", partner)
	supplier := fmt.Sprintf("64786518d346519b154f%04x", offer%40)
	manager := fmt.Sprintf("6321d505afd0ba5d88c4%04x", partner%9)
	ua := fmt.Sprintf("Mozilla/5.0 (Linux; Android %d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Mobile Safari/537.36", 8+random.IntN(7), 80+random.IntN(50), random.IntN(5000))
	device := pick("mobile", "desktop", "tablet")
	return fmt.Sprintf(`{"id":"%s","action_id":"%s","status":"%s","conversion_id":"%s","cbid":"%s","currency":"USD",`+
		`"offer":{"id":%d,"title":"Sample Offer %d CPS [US]","offer_id":"655b03f0134ed08c008b%04x","url":"https:\/\/store.example.test\/?c={clickid}&a={pid}","external_id":false},`+
		`"offer_id":%d,"goal":"","hold_date_expire":null,"ip":"203.0.113.%d","country":"%s","country_name":"United States","district":null,`+
		`"city":"%s","city_id":%d,"isp_code":"%s","ua":"%s","browser":"Chrome Mobile %d","os":"Android %d.0","device":"%s","device_type":"%s",`+
		`"sub1":"","sub2":"","sub3":"%s","sub4":"","sub5":"feed-%d","sub6":"","sub7":"","sub8":"",`+
		`"custom_field_1":"","custom_field_2":"","custom_field_3":"","custom_field_4":"","custom_field_5":"","custom_field_6":"","custom_field_7":"",`+
		`"comment":"","created_at":"%s","click_time":"%s","referrer":"","landing_id":0,"prelanding_id":0,"ref_id":"","clickid":"%s",`+
		`"partner":{"id":%d,"title":"%s","email":"%s","login":"","name":"","manager":{"id":"%s","title":"Dana Sample","first_name":"","last_name":""},"manager_id":"%s"},`+
		`"supplier_id":"%s","partner_id":%d,"goal_value":"1","sum":%d.%02d,"revenue":%d.%02d,"payouts":%d.%02d,"earnings":%d.%02d,`+
		`"advertiser":{"id":"%s","title":"Sample Store %d Ltd"},"payment_type":"percent","payment_status":"opened","is_paid":"1"}`,
		id, click, pick("confirmed", "confirmed", "pending", "declined", "hold"), id, click,
		offer, offer, offer,
		offer, random.IntN(256), pick("US", "DE", "GB", "FR", "IN", "BR"),
		pick("Fresno", "Berlin", "London", "Paris", "Mumbai", "Recife", "Undefined"), random.IntN(900), pick("T-Mobile", "Vodafone", "-", "Comcast"),
		ua, 80+random.IntN(50), 8+random.IntN(7), device, device,
		click, random.IntN(50),
		local(at), local(clickAt), click,
		partner, email, email, manager, manager,
		supplier, partner, (payout+margin)/100, (payout+margin)%100, (payout+margin)/100, (payout+margin)%100, payout/100, payout%100, margin/100, margin%100,
		supplier, offer%40)
}

// affisePage is a page of n conversions, newest first.
func affisePage(n int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, seed))
	at := time.Date(2026, 3, 5, 20, 0, 0, 0, time.UTC)
	var b strings.Builder
	b.WriteString(`{"status":1,"conversions":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(affiseRecord(random, at))
		at = at.Add(-time.Duration(random.IntN(30)) * time.Second)
	}
	b.WriteString(`],"pagination":{"total_count":2622,"per_page":500,"page":1,"next_page":2},"statusCode":200}`)
	return []byte(b.String())
}

func affiseContext(t testing.TB) *Context {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 5, 0, 0, 0, 0, moscow)
	return &Context{
		Network: "affise", Account: "affise-main", RunID: "run-1", Stream: "conversions",
		Location: moscow, Window: schema.Window{From: day, To: day.AddDate(0, 0, 1)}, By: "created_at",
		Version: 7, SyncedAt: time.Date(2026, 3, 6, 1, 2, 3, 0, time.UTC),
	}
}

func mustCompile(t testing.TB, spec Spec) *Normalizer {
	t.Helper()
	n, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reuse empties a full block.
func reuse(b *schema.Block) (*schema.Block, error) {
	b.Reset()
	return b, nil
}

func BenchmarkAffiseConversions(b *testing.B) {
	const records = 500
	pages := [][]byte{affisePage(records, 1), affisePage(records, 2), affisePage(records, 3), affisePage(records, 4)}
	n := mustCompile(b, affiseConversions())
	block := schema.NewBlock(n.Table())
	c := affiseContext(b)
	bad := func(r BadRow) error { return fmt.Errorf("record %d: %s", r.Index, r.Reason) }
	b.SetBytes(int64(len(pages[0])))
	b.ReportAllocs()
	done, cpu := 0, cpuTime(b)
	for b.Loop() {
		var err error
		var counts Counts
		if block, counts, err = n.Page(pages[done%len(pages)], c, block, reuse, bad); err != nil || counts.Rows != records {
			b.Fatal(counts, err)
		}
		done++
	}
	b.ReportMetric(float64(done*records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(done*records)/(cpuTime(b)-cpu).Seconds(), "records/cpu-s")
	b.ReportMetric(float64(len(pages[0]))/records, "bytes/record")
}

// cpuTime is what the process has used of all cores: on a machine that others use
// too the clock says little.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkScans(b *testing.B) {
	body := affisePage(500, 1)
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("Valid", func() error { return Valid(body) })
	run("Count", func() error { _, _, err := Count(body, Paths{"conversions"}, ShapeArray); return err })
	run("Lookup", func() error { _, _, err := Lookup(body, "pagination.next_page"); return err })
}
