package metricssim

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var wanted = []string{"fields", "request_time,uuid,status,payout,rejections,user_agent", "extra_parameters", "creative,note"}

// TestExportsBringTheRowsOfTheReports in the columns and the order that were asked for.
func TestExportsBringTheRowsOfTheReports(t *testing.T) {
	for _, kind := range Types {
		t.Run(kind, func(t *testing.T) {
			c := setup(t, Options{Offers: 5})
			names := FieldNames(kind)
			all := records(t, c.file(kind, "fields", strings.Join(names, ","), "extra_parameters", "creative,note"))
			header := names
			if kind != Postbacks {
				header = append(slices.Clone(names), "creative", "note")
			}
			if !slices.Equal(all[0], header) {
				t.Errorf("header %v, want %v", all[0], header)
			}
			rows := c.Between(kind, c.now.Truncate(day).Add(-day), c.now.Truncate(day))
			if len(all)-1 != len(rows) || len(rows) == 0 {
				t.Fatalf("%d rows, want %d", len(all)-1, len(rows))
			}
			for i, r := range rows {
				for k, name := range names {
					f, _ := findField(kind, name)
					want := r.Text(name)
					switch f.kind {
					case moment:
						if want = r.Moment(name).Format(time.DateTime); r.Moment(name).IsZero() {
							want = "1970-01-01 00:00:00"
						}
					case list:
						continue
					}
					if got := all[i+1][k]; got != strings.ReplaceAll(want, "\r\n", "\n") { // encoding/csv makes one of the two
						t.Fatalf("row %d, %s: %q, want %q", i, name, got, want)
					}
				}
			}
		})
	}
}

func TestHowFilesAreWritten(t *testing.T) {
	for _, test := range []struct {
		name     string
		switches Switches
		more     []string
		want     func(body string) bool
	}{
		{"a mark, and lines that end as on Windows", Switches{BOM: true, CRLF: true}, nil, func(b string) bool {
			return strings.HasPrefix(b, "\ufeffrequest_time,uuid,status,payout,rejections,user_agent,creative,note\r\n")
		}},
		{"a semicolon where none is asked for", Switches{Semicolon: true}, nil, func(b string) bool { return strings.HasPrefix(b, "request_time;uuid;") }},
		{"the delimiter that is asked for", Switches{Semicolon: true}, []string{"delimiter", "\t"}, func(b string) bool { return strings.HasPrefix(b, "request_time\tuuid\t") }},
		{"arrays as ClickHouse prints them", Switches{}, nil, func(b string) bool { return strings.Contains(b, `,"['DUPLICATE_IP','VPN']",`) }},
		{"arrays with commas", Switches{Arrays: "comma"}, nil, func(b string) bool { return strings.Contains(b, `,"DUPLICATE_IP,VPN",`) }},
		{"arrays as JSON", Switches{Arrays: "json"}, nil, func(b string) bool { return strings.Contains(b, `,"[""DUPLICATE_IP"",""VPN""]",`) }},
		{"times in the zone", Switches{}, []string{"timezone", "Asia/Tokyo"}, func(b string) bool { return strings.Contains(b, "\n2026-06-01 23:") }},
		{"times with their offset", Switches{RFC3339: true}, []string{"timezone", "Asia/Tokyo"}, func(b string) bool { return strings.Contains(b, "+09:00,") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := setup(t, Options{Switches: test.switches})
			if body := c.file(Clicks, append(slices.Clone(wanted), test.more...)...); !test.want(body) {
				t.Errorf("file %.400q", body)
			}
		})
	}
}

func TestLifeOfAnExport(t *testing.T) {
	c := setup(t, Options{PendingFor: 5 * time.Second, WorkFor: 47 * time.Second, Switches: Switches{SuccessWord: "DONE"}})
	_, e := c.order(Clicks, wanted...)
	status := func() string { return get[export](c, center+"exports/"+e.ID).Data.Status }
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "PENDING"}, {5 * time.Second, "IN_PROGRESS"}, {46 * time.Second, "IN_PROGRESS"}, {time.Second, "DONE"}} {
		c.now = c.now.Add(step.after)
		if got := status(); got != step.want {
			t.Errorf("status %s, want %s", got, step.want)
		}
	}
	done := get[export](c, center+"exports/"+e.ID).Data
	if done.Artifact.Size == 0 || done.Results.Total != 500 || done.Results.Truncated {
		t.Errorf("finished export %+v", done)
	}
	link := c.link(e.ID)
	if status, _, h := c.raw("GET", link, "Range", "bytes=10-19"); status != http.StatusPartialContent || h.Get("Content-Length") != "10" {
		t.Errorf("a part: status %d, %v", status, h)
	}
	if len(c.Violations()) > 0 {
		t.Errorf("violations %q", c.Violations())
	}
	c.raw("GET", link, "API-KEY", "sim-key")
	if v := c.Violations(); len(v) != 1 || !strings.Contains(v[0], "shown to the storage") {
		t.Errorf("violations %q, want the key that was shown", v)
	}
	if status, _, _ := c.raw("GET", strings.Replace(link, "Signature=", "Signature=0", 1)); status != 403 {
		t.Errorf("a wrong signature: status %d, want 403", status)
	}
	c.now = c.now.Add(16 * time.Minute)
	if status, body, _ := c.raw("GET", link); status != 400 || !strings.Contains(body, "<Code>ExpiredToken</Code>") {
		t.Errorf("an old link: status %d, %s", status, body)
	}
	c.now = c.now.Add(91 * day)
	if status, _, _ := c.raw("GET", center+"signed-url"+query("artifact_name", done.Artifact.Name)); status != 404 {
		t.Errorf("a file of 91 days: status %d, want 404", status)
	}
}

func TestLimitsOfExports(t *testing.T) {
	c := setup(t, Options{ExportRows: 100, ExportsPerDay: 2, Switches: Switches{QuotaStatus: 402}})
	_, e := c.order(Clicks, wanted...)
	if d := get[export](c, center+"exports/"+e.ID).Data; d.Results.Total != 100 || !d.Results.Truncated {
		t.Errorf("results %+v, want the newest 100 rows", d.Results)
	}
	all := records(t, func() string { _, b, _ := c.raw("GET", c.link(e.ID)); return b }())
	if newest := c.Between(Clicks, c.now.Truncate(day).Add(-day), c.now.Truncate(day))[99].UUID; len(all) != 101 || all[100][1] != newest {
		t.Errorf("%d records, want the header and the newest 100", len(all))
	}
	c.order(Conversions, wanted...)
	if status, _ := c.order(Impressions, wanted...); status != 402 {
		t.Errorf("the third export of a day: status %d, want 402", status)
	}
	c.now = c.now.Truncate(day).Add(day)
	if status, _ := c.order(Impressions, wanted...); status != 200 {
		t.Errorf("the first export of the next day: status %d, want 200", status)
	}
}

func TestExportsAreListed(t *testing.T) {
	c := setup(t, Options{Integrations: []string{"dhk0demo01", "dhk0demo02"}})
	c.order(Clicks, wanted...)
	c.now = c.now.Add(time.Minute)
	_, last := c.order(Conversions, wanted...)
	type page struct{ Data []created }
	for q, want := range map[string]int{
		"": 2, query("filter[type]", Clicks): 1, query("filter[status]", "ERROR"): 0,
		query("filter[reports_query_option.start_date]", "2026-06-01 00:00:00"):                          2,
		query("filter[reports_query_option.filters.integration_id.equalvalues]", `["dhk0demo02"]`):       0,
		query("filter[results_meta.total][gte]", "1"):                                                    2,
		query("filter[results_meta.total][lte]", "1", "filter[results_meta.duration_seconds][lte]", "9"): 0,
	} {
		if p := get[page](c, center+"exports"+q); len(p.Data) != want {
			t.Errorf("%s: %d exports, want %d", q, len(p.Data), want)
		}
	}
	if p := get[page](c, center+"exports?sort=-created_at"); p.Data[0].ID != last.ID {
		t.Errorf("the newest is not first: %+v", p)
	}
	c.order(Conversions, wanted...)
	if v := c.Violations(); len(v) != 1 || !strings.Contains(v[0], "bought twice") {
		t.Errorf("violations %q, want the second purchase", v)
	}
}

func TestNoData(t *testing.T) {
	for word, want := range map[string]string{"header": "uuid\n", "empty": "", "none": ""} {
		c := setup(t, Options{ClicksPerDay: -1, Switches: Switches{NoData: word}})
		_, e := c.order(Clicks, "fields", "uuid", "extra_parameters", "")
		d := get[export](c, center+"exports/"+e.ID).Data
		if word == "none" {
			if d.Artifact.Name != "" || d.Status != "COMPLETED" {
				t.Errorf("none: %+v", d)
			}
			continue
		}
		if _, body, _ := c.raw("GET", c.link(e.ID)); body != want {
			t.Errorf("%s: file %q, want %q", word, body, want)
		}
	}
}

func TestFaults(t *testing.T) {
	file := func(c *client, id string) (int, string) {
		status, body, _ := c.raw("GET", c.link(id))
		return status, body
	}
	state := func(want string) func(c *client, id string) bool {
		return func(c *client, id string) bool { return get[export](c, center+"exports/"+id).Data.Status == want }
	}
	for _, test := range []struct {
		fault Fault
		holds func(c *client, id string) bool
	}{
		{Fault{Kind: ExportError}, state("ERROR")},
		{Fault{Kind: ExportCanceled}, state("CANCELED")},
		{Fault{Kind: ExportStuck}, state("IN_PROGRESS")},
		{Fault{Kind: EmptyFile}, func(c *client, id string) bool { _, body := file(c, id); return body == "" }},
		{Fault{Kind: HeaderOnly}, func(c *client, id string) bool { _, body := file(c, id); return strings.Count(body, "\n") == 1 }},
		{Fault{Kind: TornFile}, func(c *client, id string) bool {
			_, body := file(c, id)
			return len(body) < get[export](c, center+"exports/"+id).Data.Artifact.Size && !strings.HasSuffix(body, "\n")
		}},
		{Fault{Kind: WrongSize}, func(c *client, id string) bool {
			_, body := file(c, id)
			return len(body)+7 == get[export](c, center+"exports/"+id).Data.Artifact.Size
		}},
		{Fault{Kind: WrongTotal}, func(c *client, id string) bool { return get[export](c, center+"exports/"+id).Data.Results.Total == 501 }},
		{Fault{Kind: CutBody, Path: storagePrefix}, func(c *client, id string) bool { status, _ := file(c, id); return status == 0 }},
		{Fault{Kind: HTMLPage, Path: storagePrefix}, func(c *client, id string) bool { status, b := file(c, id); return status == 200 && b[0] == '<' }},
		{Fault{Kind: ExpiredLink, Path: storagePrefix}, func(c *client, id string) bool { status, _ := file(c, id); return status == 400 }},
		{Fault{Kind: Forbidden, Path: storagePrefix}, func(c *client, id string) bool {
			status, b := file(c, id)
			return status == 403 && strings.Contains(b, "SignatureDoesNotMatch")
		}},
		{Fault{Kind: Slow, Path: storagePrefix}, func(c *client, id string) bool { status, _ := file(c, id); return status == 200 }},
		{Fault{Kind: TooManyRequests, Path: center + "exports", RetryAfter: "7"}, func(c *client, id string) bool {
			status, _, h := c.raw("GET", center+"exports/"+id)
			return status == 429 && h.Get("Retry-After") == "7"
		}},
		{Fault{Kind: BadGateway, Path: center + "exports"}, func(c *client, id string) bool {
			status, _, _ := c.raw("GET", center+"exports/"+id)
			return status == 502
		}},
	} {
		t.Run(string(test.fault.Kind)+test.fault.Path, func(t *testing.T) {
			c := setup(t, Options{})
			c.Inject(test.fault)
			_, e := c.order(Clicks, wanted...)
			if !test.holds(c, e.ID) {
				t.Error("the fault does not show")
			}
			if left := c.PendingFaults(); len(left) > 0 {
				t.Errorf("faults that did not strike: %+v", left)
			}
		})
	}
}

// TestALostReplyBuysAllTheSame: the export is there, only nobody was told.
func TestALostReplyBuysAllTheSame(t *testing.T) {
	c := setup(t, Options{})
	c.Inject(Fault{Kind: CreateLost, Type: Clicks})
	if status, _ := c.order(Conversions, wanted...); status != 200 {
		t.Fatalf("an export of another type: status %d, want 200", status)
	}
	if status, _ := c.order(Clicks, wanted...); status != 0 {
		t.Errorf("status %d, want none", status)
	}
	if e := c.Exports(); len(e) != 2 || e[1].Type != Clicks {
		t.Errorf("exports %+v, want the lost one among them", e)
	}
	c.Inject(Fault{Kind: Reset, Type: Impressions})
	c.order(Impressions, wanted...)
	if e := c.Exports(); len(e) != 2 {
		t.Errorf("a call that was reset made an export: %+v", e)
	}
}

// TestReadyMadeFiles stand in for what an export would bring, also gzipped.
func TestReadyMadeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.csv")
	if err := os.WriteFile(path, []byte("uuid\n1\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := setup(t, Options{Files: map[string]File{Clicks: {Path: path, Rows: 2}}, Switches: Switches{Gzip: true}})
	_, e := c.order(Clicks, wanted...)
	if d := get[export](c, center+"exports/"+e.ID).Data; d.Results.Total != 2 || d.Artifact.Size != 9 {
		t.Errorf("export %+v", d)
	}
	if _, body, _ := c.raw("GET", c.link(e.ID)); body != "uuid\n1\n2\n" {
		t.Errorf("file %q", body)
	}
	if _, _, h := c.raw("GET", c.link(e.ID), "Accept-Encoding", "gzip"); h.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers %v, want gzip", h)
	}
}

// TestFilesAreOnAnotherHost when a network is started, not served.
func TestFilesAreOnAnotherHost(t *testing.T) {
	c := setup(t, Options{})
	base, stop, err := c.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c.url = base
	_, e := c.order(Clicks, wanted...)
	if link := c.link(e.ID); strings.HasPrefix(link, base) {
		t.Errorf("link %s is on the API's host", link)
	} else if status, _, _ := c.raw("GET", link); status != 200 {
		t.Errorf("fetching %s: status %d", link, status)
	}
	stop() // a file is fetched when its request is over, a moment after its last byte came
	if e := c.Exports()[0]; e.Signed != 1 || e.Fetched != 1 {
		t.Errorf("export %+v, want it signed and fetched once", e)
	}
}

func TestWritesAreNoted(t *testing.T) {
	c := setup(t, Options{})
	c.raw("POST", "/api/v2/publishers")
	c.raw("DELETE", center+"exports/1")
	if v := c.Violations(); len(v) != 2 {
		t.Errorf("violations %q, want both writes", v)
	}
}
