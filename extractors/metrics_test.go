package extractors_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
	"syncd/tests/metricssim"
)

// tracker is an account at a simulated 24metrics, on a clock that pauses move on.
type tracker struct {
	t      *testing.T
	source *rest.Source
	sim    *metricssim.Network
	// clock is in nanoseconds since 1970: the network reads it while calls go on that their
	// client gave up.
	clock  atomic.Int64
	client *http.Client
	calls  int
}

func (m *tracker) now() time.Time { return time.Unix(0, m.clock.Load()).UTC() }

func (m *tracker) pass(d time.Duration) { m.clock.Add(int64(d)) }

func newTracker(t *testing.T, variables map[string]string, o metricssim.Options) *tracker {
	t.Helper()
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	m := &tracker{t: t, client: &http.Client{}}
	m.clock.Store(time.Date(2026, time.June, 10, 12, 0, 0, 0, time.UTC).UnixNano())
	o.Now, o.Key, o.OneHost = m.now, "secret-key", true
	o.PendingFor, o.WorkFor = 15*time.Second, 30*time.Second
	m.sim = metricssim.New(o)
	server := httptest.NewServer(m.sim)
	t.Cleanup(func() {
		server.Close()
		if err := m.sim.Close(); err != nil {
			t.Error(err)
		}
		if v := m.sim.Violations(); len(v) > 0 {
			t.Errorf("what a client must not do: %q", v)
		}
	})
	n := networks[slices.IndexFunc(networks, func(n *manifest.Network) bool { return n.Name == "24metrics" })]
	set := map[string]string{"integrations": strings.Join(m.sim.Options().Integrations, ",")}
	maps.Copy(set, variables)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	m.source, err = rest.New(n, rest.Account{
		Name: "main", BaseURL: server.URL, Location: zone, Variables: set, Credentials: map[string]rest.Secret{"api_key": secret("secret-key")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *tracker) stream(name string) *extractors.Stream {
	m.t.Helper()
	i := slices.IndexFunc(m.source.Streams(), func(s *extractors.Stream) bool { return s.Name == name })
	if i < 0 {
		m.t.Fatalf("there is no stream %s", name)
	}
	return m.source.Streams()[i]
}

// work is a pull of some days of UTC, counted back from yesterday.
func (m *tracker) work(s *extractors.Stream, route state.Route, days int) extractors.Work {
	w := extractors.Work{Kind: s.Kind(), Route: route, Begun: m.now()}
	if s.Window != nil {
		today := m.now().Truncate(24 * time.Hour)
		w.Window = schema.Window{From: today.AddDate(0, 0, -days), To: today}
	}
	if s.ForEach != nil {
		w.Items = s.ForEach.Values
	}
	return w
}

// send makes a call; one whose answer was lost has no status.
func (m *tracker) send(method, url string, header http.Header) extractors.Answer {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, url, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header = header
	m.calls++
	resp, err := m.client.Do(req)
	if err != nil {
		return extractors.Answer{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return extractors.Answer{}
	}
	return extractors.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
}

// pull reads a stream to its end, as the daemon does: what fails is tried again, a
// creation that is not heard of goes back to where it says. The rows are by table.
func (m *tracker) pull(s *extractors.Stream, w extractors.Work) map[string][]map[string]string {
	m.t.Helper()
	rows := map[string][]map[string]string{}
	for range 300 {
		call, err := m.source.Next(s, w)
		if err != nil {
			m.t.Fatal(err)
		}
		a := m.send(call.Method, call.URL, call.Header)
		if a.Status == 0 {
			if call.Unheard != "" {
				w.Cursor = call.Unheard
			}
			m.pass(time.Minute)
			continue
		}
		page, err := m.source.Read(s, w, a)
		if api, ok := errors.AsType[*extractors.APIError](err); ok && api.Retryable() {
			m.pass(max(api.RetryAfter, time.Minute))
			continue
		} else if err != nil {
			m.t.Fatal(err)
		}
		m.pass(page.Pause)
		switch {
		case page.Control:
		case page.File != nil:
			file := m.send(http.MethodGet, page.File.URL, http.Header{})
			if file.Status != 200 || page.File.Size > 0 && int64(len(file.Body)) != page.File.Size {
				continue // the link is asked for again
			}
			m.read(s, w, s.Export.Outputs, call.Describe, file.Body, rows)
		default:
			m.read(s, w, s.Outputs, call.Describe, m.source.Redact(a.Body), rows)
		}
		if page.Done {
			return rows
		}
		w.Cursor = page.Next
	}
	m.t.Fatalf("stream %s does not end", s.Name)
	return nil
}

// read adds the rows of an answer or a file.
func (m *tracker) read(s *extractors.Stream, w extractors.Work, outputs []extractors.Output, describe string, body []byte, rows map[string][]map[string]string) {
	m.t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		m.t.Fatal(err)
	}
	values := extractors.Asked(describe)
	maps.Copy(values, s.Variables)
	for i, out := range outputs {
		c := normalize.Context{Network: "24metrics", Account: "main", Stream: s.Name, Location: zone, Variables: values}
		if i == 0 && s.Window != nil {
			c.Window, c.By = w.Window, s.Window.By
		}
		if out.Spec.Format == normalize.FormatCSV {
			rows[out.Table.Name] = append(rows[out.Table.Name], fileRows(m.t, out, body, &c)...)
		} else {
			rows[out.Table.Name] = append(rows[out.Table.Name], table(m.t, out, body, &c)...)
		}
	}
}

// fileRows is table for a file.
func fileRows(t *testing.T, out extractors.Output, body []byte, c *normalize.Context) []map[string]string {
	t.Helper()
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		t.Fatal(err)
	}
	f, err := normalize.OpenCSV(bytes.NewReader(body), "")
	if errors.Is(err, normalize.ErrEmptyFile) {
		return nil
	}
	if err == nil {
		err = n.Bind(f.Header())
	}
	if err != nil {
		t.Fatal(err)
	}
	full := func(*schema.Block) (*schema.Block, error) { return nil, errors.New("more rows than a block") }
	bad := func(r normalize.BadRow) error { t.Errorf("bad record %d: %s", r.Index, r.Reason); return nil }
	block := schema.NewBlock(out.Table)
	var chunk normalize.Chunk
	for err = f.Next(&chunk); err == nil; err = f.Next(&chunk) {
		if block, _, err = n.Chunk(&chunk, c, block, full, bad); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return textRows(t, out, block)
}

// byKey gives rows by the value of a column.
func byKey(t *testing.T, rows []map[string]string, key string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, row := range rows {
		if before, twice := out[row[key]]; twice {
			if diff := cmp.Diff(before, row); diff != "" {
				t.Errorf("two rows of %s %s differ:\n%s", key, row[key], diff)
			}
		}
		out[row[key]] = row
	}
	return out
}

const stamp = "2006-01-02 15:04:05.000Z"

// wanted is what a row of the truth is in the warehouse, as far as its figures go.
func wanted(r *metricssim.Row) map[string]string {
	status := map[string]string{"Approved": "approved", "Rejected": "rejected"}[r.Status]
	zone, _ := time.LoadLocation("America/New_York") // loaded before
	row := set("offer_id", r.Offer.ID, "publisher_id", strconv.Itoa(r.Publisher.IncrementalID), "advertiser_id", strconv.Itoa(r.Advertiser.IncrementalID),
		"payout", r.Payout.String(), "revenue", r.Revenue.String(), "created_at", r.Time.Format(stamp), "report_date", r.Time.In(zone).Format(time.DateOnly),
		"ip", r.IP, "user_agent", r.UserAgent, "city", r.City, "country", r.Country, "sub1", r.SubID, "status", status)
	if r.Kind == metricssim.Impressions {
		delete(row, "status")
	}
	if r.Kind == metricssim.Conversions {
		maps.Copy(row, set("click_at", r.ClickTime.Format(stamp), "click_id", r.ClickTxID, "sale_amount", r.PurchaseValue.String(), "status_raw", r.Status, "offer_name", r.Offer.NameWithID))
	}
	return row
}

func key(r *metricssim.Row) string {
	if r.Kind != metricssim.Conversions {
		return r.RealTxID
	}
	parts := []string{r.RealTxID, r.Text("event_db_id"), r.Text("event_name"), r.Hash, r.UUID}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

// TestMetricsRoutesBringTheTruth page by page and as a file, and both the same.
func TestMetricsRoutesBringTheTruth(t *testing.T) {
	for name, switches := range map[string]metricssim.Switches{
		"as documented": {}, "equal transactions at a page's border": {BorderPairs: true}, "other types": {FloatNumbers: true, Nulls: true, LowerStatus: false},
		"other times": {YearOne: true, RFC3339: true}, "other files": {BOM: true, CRLF: true, Arrays: "json", SuccessWord: "DONE", MaskIP: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTracker(t, nil, metricssim.Options{Integrations: []string{"dhk0demo01", "dhk0demo02"}, Switches: switches, ConversionsPerDay: 250})
			m.sim.Restate(10, 3*24*time.Hour)
			for _, of := range []struct{ stream, kind, key string }{
				{"conversions", metricssim.Conversions, "conversion_id"}, {"clicks", metricssim.Clicks, "click_id"}, {"impressions", metricssim.Impressions, "impression_id"},
			} {
				s := m.stream(of.stream)
				pages := m.work(s, state.Direct, 2)
				direct := byKey(t, m.pull(s, pages)[of.stream], of.key)
				files := byKey(t, m.pull(s, m.work(s, state.Export, 2))[of.stream], of.key)
				if diff := cmp.Diff(direct, files); diff != "" {
					t.Errorf("%s: pages and files differ (-pages +files):\n%.2000s", of.stream, diff)
				}
				truth := m.sim.Between(of.kind, pages.Window.From, pages.Window.To)
				if len(direct) != len(truth) {
					t.Errorf("%s: %d rows, want %d", of.stream, len(direct), len(truth))
				}
				for _, r := range truth {
					row := direct[key(&r)]
					want := wanted(&r)
					for column, value := range want {
						if row[column] != value {
							t.Fatalf("%s %s: %s is %q, want %q", of.stream, key(&r), column, row[column], value)
						}
					}
				}
			}
		})
	}
}

// TestMetricsExportsSurvive whatever goes wrong, with the fewest exports.
func TestMetricsExportsSurvive(t *testing.T) {
	for _, test := range []struct {
		name    string
		options metricssim.Options
		faults  []metricssim.Fault
		days    int
		exports int // that may be created
	}{
		{"nothing goes wrong", metricssim.Options{}, nil, 1, 1},
		{"a week is one file", metricssim.Options{}, nil, 7, 1},
		{"a creation that is not heard of is found again", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.CreateLost, Type: metricssim.Clicks}}, 1, 1},
		{"a file that is cut off is asked for in halves", metricssim.Options{ExportRows: 600}, nil, 2, 3},
		{"an export that failed is made once more", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.ExportError}}, 1, 2},
		{"one that was canceled as well", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.ExportCanceled}}, 1, 2},
		{"one that gets stuck as well", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.ExportStuck}}, 1, 2},
		{"an expired link is signed again", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.ExpiredLink, Path: "/storage/"}}, 1, 1},
		{"a download that breaks off is made again", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.CutBody, Path: "/storage/"}}, 1, 1},
		{"a server that is out of order is asked again", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.BadGateway, Times: 3}}, 1, 1},
		{"patience is asked for", metricssim.Options{}, []metricssim.Fault{{Kind: metricssim.TooManyRequests, Times: 2, RetryAfter: "90"}}, 1, 1},
		{"a day without rows", metricssim.Options{ClicksPerDay: -1}, nil, 1, 1},
		{"a day without rows and without a file", metricssim.Options{ClicksPerDay: -1, Switches: metricssim.Switches{NoData: "none"}}, nil, 1, 1},
		{"a creation by GET", metricssim.Options{Switches: metricssim.Switches{GetOnly: true}}, nil, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			variables := map[string]string{}
			if test.options.GetOnly {
				variables["export_method"] = "GET"
			}
			m := newTracker(t, variables, test.options)
			m.sim.Inject(test.faults...)
			s := m.stream("clicks")
			w := m.work(s, state.Export, test.days)
			rows := byKey(t, m.pull(s, w)["clicks"], "click_id")
			if want := m.sim.Between(metricssim.Clicks, w.Window.From, w.Window.To); len(rows) != len(want) {
				t.Errorf("%d rows, want %d", len(rows), len(want))
			}
			if made := m.sim.Exports(); len(made) != test.exports {
				t.Errorf("%d exports were created, want %d: %+v", len(made), test.exports, made)
			}
			if left := m.sim.PendingFaults(); len(left) > 0 {
				t.Errorf("faults that did not strike: %+v", left)
			}
		})
	}
}

// TestMetricsListsAreTheTruth, and what belongs to an offer is asked for by its ids.
func TestMetricsListsAreTheTruth(t *testing.T) {
	m := newTracker(t, nil, metricssim.Options{Integrations: []string{"dhk0demo01", "dhk0demo02"}, Offers: 230, Publishers: 101, Advertisers: 3, Users: 2})
	for name, want := range map[string]int{"offers": 230, "publishers": 101, "advertisers": 3, "users": 2} {
		s := m.stream(name)
		if rows := m.pull(s, m.work(s, state.Direct, 0))[name]; len(rows) != want {
			t.Errorf("%d %s, want %d", len(rows), name, want)
		}
	}
	s := m.stream("offers")
	offers := byKey(t, m.pull(s, m.work(s, state.Direct, 0))["offers"], "offer_id")
	var events, pages int
	w := m.work(m.stream("offer_events"), state.Direct, 0)
	w.Items = nil
	for _, o := range m.sim.Offers()[:20] {
		row := offers[o.ID]
		if row["network_offer_id"] != strconv.Itoa(o.IncrementalID) || row["integration_id"] != o.Integration || row["payout"] != o.DefaultPayout.Payout.String() {
			t.Errorf("offer %+v, want %+v", row, o)
		}
		w.Items = append(w.Items, row["integration_id"]+extractors.ItemSeparator+row["offer_id"])
		events += len(m.sim.Events(o.ID))
		pages += len(m.sim.LandingPages(o.ID))
	}
	if rows := m.pull(m.stream("offer_events"), w)["offer_events"]; len(rows) != events || rows[0]["offer_id"] != m.sim.Offers()[1].ID {
		t.Errorf("%d events, want %d: %+v", len(rows), events, rows[0])
	}
	if rows := m.pull(m.stream("landing_pages"), w)["landing_pages"]; len(rows) != pages {
		t.Errorf("%d landing pages, want %d", len(rows), pages)
	}
}

func TestMetricsPostbacksAreTheTruth(t *testing.T) {
	m := newTracker(t, nil, metricssim.Options{})
	s := m.stream("postback_logs")
	w := m.work(s, state.Export, 2)
	rows := byKey(t, m.pull(s, w)["postback_logs"], "id")
	truth := m.sim.Between(metricssim.Postbacks, w.Window.From, w.Window.To)
	if len(rows) != len(truth) {
		t.Errorf("%d postbacks, want %d", len(rows), len(truth))
	}
}
