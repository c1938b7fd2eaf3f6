package tests

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/metricssim"
)

// spooled gives the bytes of the files in the account's spool whose names end in suffix.
func (k *tracked) spooled(suffix string) (bytes int64) {
	k.t.Helper()
	files, _ := os.ReadDir(filepath.Join(k.data("spool"), "track")) // none: nothing came yet
	for _, f := range files {
		if info, err := f.Info(); err == nil && strings.HasSuffix(f.Name(), suffix) {
			bytes += info.Size()
		}
	}
	return bytes
}

// sheet is what is in a file.
type sheet struct {
	header []string
	rows   [][]string
}

// at gives the place of a column.
func (s *sheet) at(column string) int { return slices.Index(s.header, column) }

// drop takes a column out.
func (s *sheet) drop(column string) {
	i := s.at(column)
	s.header = slices.Delete(s.header, i, i+1)
	for r := range s.rows {
		s.rows[r] = slices.Delete(s.rows[r], i, i+1)
	}
}

// text writes the file, and gives the line on which each row begins.
func (s *sheet) text(delimiter, end string) (text string, lines []int) {
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(delimiter)
			}
			if strings.ContainsAny(c, delimiter+"\"\r\n") {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			b.WriteString(c)
		}
		b.WriteString(end)
	}
	line(s.header)
	for _, r := range s.rows {
		lines = append(lines, 1+strings.Count(b.String(), "\n"))
		line(r)
	}
	return b.String(), lines
}

// clickSheet has a network with the same options write the file of a part of its clicks.
func clickSheet(t *testing.T, o metricssim.Options, s span) *sheet {
	t.Helper()
	o.Key, o.OneHost, o.Files, o.Switches = metricsKeyText, true, nil, metricssim.Switches{}
	n := metricssim.New(o)
	server := httptest.NewServer(n)
	defer func() {
		server.Close()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	var signed struct{ URL string }
	name := exportClicks(t, server.URL, s, metricssim.FieldNames(metricssim.Clicks))
	if err := json.Unmarshal(ask(t, http.MethodGet, server.URL+"/api/v2/download-center/signed-url?artifact_name="+name), &signed); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(ask(t, http.MethodGet, signed.URL))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return &sheet{header: records[0], rows: records[1:]}
}

// exportClicks creates an export, as a user of the platform does, and gives the name of
// its file.
func exportClicks(t *testing.T, api string, s span, fields []string) string {
	t.Helper()
	q := url.Values{
		"start_time": {s.from.Format(time.DateTime)}, "end_time": {s.to.Add(-time.Second).Format(time.DateTime)}, "timezone": {"UTC"},
		"fields": {strings.Join(fields, ",")}, "extra_parameters": {""}, "delimiter": {","},
	}
	var made struct{ Artifact struct{ Name string } }
	if err := json.Unmarshal(ask(t, http.MethodPost, api+"/api/v2/download-center/integrations/"+integrations[0]+"/click-logs?"+q.Encode()), &made); err != nil {
		t.Fatal(err)
	}
	return made.Artifact.Name
}

// ask asks a simulated 24metrics or its storage.
func ask(t *testing.T, method, address string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(address, "/storage/") {
		req.Header.Set("API-KEY", metricsKeyText)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, address, resp.StatusCode, body, err)
	}
	return body
}

// Files that are not as they should be: what is good of them loads, what is bad goes to
// the quarantine with its line and its reason, and what is not the file is not shown.
func TestMetricsLoadsWhatIsGoodOfABadFile(t *testing.T) {
	t.Parallel()
	type bad struct {
		row    int
		reason string
	}
	count := func(conn driver.Conn, k *tracked, where string) uint64 {
		return one[uint64](k.t, conn, "SELECT count() FROM "+k.database+".clicks WHERE "+where)
	}
	tests := []struct {
		name string
		edit func(s *sheet)
		// delimiter and end are "," and a line feed; write replaces all that was written.
		delimiter, end string
		write          func(text string) string
		more           int // rows announced beside those that are there
		bad            []bad
		refused        string
		// check is called in place of the comparison with the truth.
		check func(conn driver.Conn, k *tracked, s *sheet)
	}{
		{name: "nothing"},
		{name: "columns come in another order", edit: func(s *sheet) {
			slices.Reverse(s.header)
			for _, r := range s.rows {
				slices.Reverse(r)
			}
		}},
		{name: "there are columns that nobody asked for", edit: func(s *sheet) {
			s.header = append(s.header, "brand_new")
			for i := range s.rows {
				s.rows[i] = append(s.rows[i], "a \"new\"\nvalue")
			}
		}, check: func(conn driver.Conn, k *tracked, s *sheet) {
			if n := count(conn, k, "JSONExtractString(extra, 'brand_new') = 'a \"new\"\\nvalue'"); int(n) != len(s.rows) {
				t.Errorf("%d rows of %d keep what the new column says", n, len(s.rows))
			}
		}},
		{name: "a column is missing", edit: func(s *sheet) { s.drop("city") }, check: func(conn driver.Conn, k *tracked, s *sheet) {
			if n := count(conn, k, "city = '' AND user_agent != '' OR user_agent = ''"); int(n) != len(s.rows) {
				t.Errorf("%d rows of %d are there without their city", n, len(s.rows))
			}
		}},
		{name: "the column without which there is no day is missing", edit: func(s *sheet) { s.drop("request_time") }, refused: "request_time"},
		{name: "the columns without which there is no key are missing", edit: func(s *sheet) { s.drop("real_tx_id"); s.drop("tx_id") }, refused: "click_id"},
		{name: "it is a file of something else", edit: func(s *sheet) { s.header = []string{"date", "revenue"}; s.rows = [][]string{{"2026-01-01", "1"}} }, refused: "cannot be read as clicks"},
		{name: "it is a file of other days", edit: func(s *sheet) {
			for _, r := range s.rows {
				r[s.at("request_time")] = "2026-01-01 00:00:00"
			}
		}, refused: "cannot be normalized"},
		{name: "the end is missing", edit: func(s *sheet) { s.rows = s.rows[:len(s.rows)-3] }, more: 3, refused: "records, the network announced"},
		{name: "it ends in the middle of a value", write: func(text string) string { return text + `17,"and` }, more: 1, refused: "ends inside of a quoted value"},
		{name: "it has a byte order mark, semicolons and the line ends of Windows", delimiter: ";", end: "\r\n", write: func(text string) string { return "\ufeff" + text }},
		{name: "it is parted by tabs", delimiter: "\t"},
		{name: "its last line has no end", write: func(text string) string { return strings.TrimSuffix(text, "\n") }},
		{name: "it is packed", write: func(text string) string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(text)) // a buffer takes everything
			_ = z.Close()
			return b.String()
		}},
		{name: "amounts have more digits than money", edit: func(s *sheet) {
			for i, amount := range []string{"1.1399999994", "185000000", "-0.0000000001", "1e-7", "980"} {
				s.rows[i][s.at("payout")] = amount
			}
		}, check: func(conn driver.Conn, k *tracked, s *sheet) {
			for i, want := range []string{"1.1399999994", "185000000", "-0.0000000001", "0.0000001", "980"} {
				if got := one[string](t, conn, "SELECT toString(payout) FROM "+k.database+".clicks WHERE click_id = $1", s.rows[i][s.at("real_tx_id")]); got != want {
					t.Errorf("payout %s became %s", s.rows[i][s.at("payout")], got)
				}
			}
		}},
		{name: "some rows are bad", edit: func(s *sheet) {
			s.rows[3] = s.rows[3][:7]
			s.rows[20] = append(s.rows[20], "one too many")
			s.rows[50][s.at("request_time")] = "yesterday"
			s.rows[70][s.at("revenue")] = "1.2.3"
			s.rows[90][s.at("request_time")] = "2026-01-01 00:00:00"
			s.rows[110][s.at("real_tx_id")], s.rows[110][s.at("tx_id")] = "", ""
		}, bad: []bad{{3, "7"}, {20, ""}, {50, "yesterday"}, {70, "1.2.3"}, {90, "outside of the window"}, {110, "click_id"}}},
		{name: "most rows are bad", edit: func(s *sheet) {
			for _, r := range s.rows[:len(s.rows)/2] {
				r[s.at("request_time")] = "soon"
			}
		}, refused: "cannot be normalized"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := metricssim.Options{Seed: 31, ClicksPerDay: 90, Files: map[string]metricssim.File{}}
			k, s, args := oneFile(t, o, 2, "")
			sheet := clickSheet(t, k.network.Options(), s)
			uuids := make([]string, len(sheet.rows))
			for i, r := range sheet.rows {
				uuids[i] = r[sheet.at("uuid")]
			}
			if test.edit != nil {
				test.edit(sheet)
			}
			text, lines := sheet.text(first(test.delimiter, ","), first(test.end, "\n"))
			if test.write != nil {
				text = test.write(text)
			}
			k.write("file.csv", text)
			o.Files[metricssim.Clicks] = metricssim.File{Path: filepath.Join(k.dir, "file.csv"), Rows: len(sheet.rows) + test.more}
			r := k.run(args...)
			conn := k.connect()
			if test.refused != "" {
				r.ended(t, 1)
				says(t, r.stderr, test.refused)
				if n := count(conn, k, "1"); n > 0 {
					t.Errorf("%d rows are visible", n)
				}
				return
			}
			r.ended(t, 0)
			without := map[string]bool{}
			for _, bad := range test.bad {
				without[uuids[bad.row]] = true
				where := fmt.Sprintf("startsWith(reason, 'line %d: ')", lines[bad.row])
				if n := one[uint64](t, conn, "SELECT count() FROM "+k.database+".quarantine WHERE table_name = 'clicks' AND "+where+" AND position(reason, $1) > 0 AND length(record) > 20", bad.reason); n != 1 {
					t.Errorf("%d records are in quarantine for line %d and %q: %s", n, lines[bad.row], bad.reason,
						one[string](t, conn, "SELECT arrayStringConcat(groupArray(reason), '; ') FROM "+k.database+".quarantine"))
				}
			}
			if n := one[uint64](t, conn, "SELECT count() FROM "+k.database+".quarantine"); int(n) != len(test.bad) {
				t.Errorf("%d records are in quarantine, want %d", n, len(test.bad))
			}
			if test.check != nil {
				test.check(conn, k, sheet)
				return
			}
			k.metricsRowsEqualBut(conn, k.network, "clicks", k.zone, s, without)
		})
	}
}
