package extractors_test

import (
	"errors"
	"maps"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/tests/performcbsim"
)

// perform is an account at a simulated Perform[cb].
type perform struct {
	network *manifest.Network
	source  *rest.Source
	sim     *performcbsim.Network
	zone    *time.Location
}

const partner = 90017

func newPerform(t *testing.T, variables map[string]string, change func(*performcbsim.Options)) *perform {
	t.Helper()
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := networks[slices.IndexFunc(networks, func(n *manifest.Network) bool { return n.Name == "performcb" })]
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"user_id": strconv.Itoa(partner)}
	maps.Copy(set, variables)
	on := true
	src, err := rest.New(n, rest.Account{
		Name: "main", Location: zone, Credentials: map[string]rest.Secret{"api_key": secret("secret-key")}, Variables: set,
		Streams: map[string]rest.Settings{"campaigns": {Enabled: &on}},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC)
	o := performcbsim.Options{
		Now: func() time.Time { return now }, MinInterval: -1, From: now.AddDate(-1, 0, 0),
		Accounts: []performcbsim.Account{{UserID: partner, APIKey: "secret-key"}},
	}
	if change != nil {
		change(&o)
	}
	return &perform{n, src, performcbsim.New(o), zone}
}

func (p *perform) stream(t *testing.T, name string) *extractors.Stream {
	t.Helper()
	i := slices.IndexFunc(p.source.Streams(), func(s *extractors.Stream) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no stream %s", name)
	}
	return p.source.Streams()[i]
}

// day is a pull of the report day on which an instant falls.
func (p *perform) day(s *extractors.Stream, at time.Time) extractors.Work {
	w := extractors.Work{Kind: s.Kind()}
	if s.Window != nil {
		local := at.In(s.Window.Location)
		from := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, s.Window.Location)
		w.Window = schema.Window{From: from.UTC(), To: from.AddDate(0, 0, 1).UTC()}
	}
	return w
}

// call makes one as the daemon would.
func (p *perform) call(c extractors.Call) extractors.Answer {
	u, _ := url.Parse(c.URL)
	rec := httptest.NewRecorder()
	p.sim.ServeHTTP(rec, httptest.NewRequest(c.Method, u.RequestURI(), nil))
	return extractors.Answer{Status: rec.Code, Header: rec.Header(), Body: p.source.Redact(rec.Body.Bytes())}
}

// pull reads a stream to its end and gives the rows of its tables, and the number of calls.
func (p *perform) pull(t *testing.T, s *extractors.Stream, w extractors.Work) (rows map[string][]map[string]string, calls int) {
	t.Helper()
	rows = map[string][]map[string]string{}
	for {
		call, err := p.source.Next(s, w)
		if err != nil {
			t.Fatal(err)
		}
		calls++
		a := p.call(call)
		page, err := p.source.Read(s, w, a)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(a.Body)+call.Describe, "secret-key") {
			t.Fatalf("%s: the key is in what is stored", call.Describe)
		}
		for i, out := range s.Outputs {
			c := normalize.Context{Network: p.network.Name, Account: "main", Stream: s.Name, Location: location(t, p.network), Variables: s.Variables}
			if i == 0 && s.Window != nil {
				c.Window, c.By = w.Window, s.Window.By
			}
			rows[out.Table.Name] = append(rows[out.Table.Name], table(t, out, a.Body, &c)...)
		}
		if page.Done {
			return rows, calls
		}
		w.Cursor = page.Next
	}
}

// table normalizes an answer for one table: rows as text by column, defaults left out.
func table(t *testing.T, out extractors.Output, body []byte, c *normalize.Context) []map[string]string {
	t.Helper()
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		t.Fatal(err)
	}
	full := func(*schema.Block) (*schema.Block, error) { return nil, errors.New("more rows than a block") }
	bad := func(r normalize.BadRow) error { t.Errorf("bad record %d: %s", r.Index, r.Reason); return nil }
	block, _, err := n.Page(body, c, schema.NewBlock(out.Table), full, bad)
	if err != nil {
		t.Fatal(err)
	}
	return textRows(t, out, block)
}

// textRows gives the rows of a block as text by column, defaults left out.
func textRows(t *testing.T, out extractors.Output, block *schema.Block) []map[string]string {
	t.Helper()
	columns := decode(t, block)
	rows := make([]map[string]string, block.Rows())
	for i := range rows {
		rows[i] = map[string]string{}
		for k, column := range out.Table.Columns {
			if text := columns[k](i); text != "" && !constant(column.Name) {
				rows[i][column.Name] = text
			}
		}
	}
	return rows
}

// set gives a row of what is not empty, and of "0" as amounts are.
func set(pairs ...string) map[string]string {
	row := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" && pairs[i+1] != "0" {
			row[pairs[i]] = pairs[i+1]
		}
	}
	return row
}

var codes = map[string]string{"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}

// Days on which clocks change last 23 and 25 hours, and the second of two equal wall
// clock times is read as the first: nothing in the answer tells them apart.
func TestPerformConversionsAreTheTruth(t *testing.T) {
	for name, tag := range map[string]performcbsim.CampaignTag{
		"campaign_id": performcbsim.TagCampaignID, "campaign": performcbsim.TagCampaign, "tags that do not match": performcbsim.TagMismatched,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerform(t, nil, func(o *performcbsim.Options) { o.CampaignTag, o.Restless = tag, true })
			s := p.stream(t, "conversions")
			for _, day := range []time.Time{
				time.Date(2026, time.March, 8, 12, 0, 0, 0, time.UTC), time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC),
				time.Date(2026, time.June, 10, 12, 0, 0, 0, time.UTC), time.Date(2026, time.December, 1, 6, 0, 0, 0, time.UTC),
				time.Date(2020, time.June, 10, 12, 0, 0, 0, time.UTC), // before there was anything
			} {
				rows, calls := p.pull(t, s, p.day(s, day))
				var want []map[string]string
				for _, c := range p.sim.ConversionsOn(partner, day) {
					at := c.At
					if c.Repeats {
						at = at.Add(-time.Hour)
					}
					status := "unknown"
					if c.Disposition == performcbsim.Valid {
						status = "approved"
					}
					want = append(want, set("conversion_id", c.ID, "offer_id", strconv.Itoa(c.OfferID), "offer_name", c.OfferName, "status", status,
						"status_raw", c.Disposition, "payout", c.Revenue, "currency", codes[c.Symbol], "created_at", at.Format("2006-01-02 15:04:05.000Z"),
						"report_date", c.At.In(s.Window.Location).Format(time.DateOnly), "ip", c.IP,
						"sub1", c.SubIDs[0], "sub2", c.SubIDs[1], "sub3", c.SubIDs[2], "sub4", c.SubIDs[3], "sub5", c.SubIDs[4]))
				}
				got := rows["conversions"]
				for i, row := range got {
					if !strings.Contains(row["extra"], `"campaign`) {
						t.Errorf("row %d lost its campaign: %s", i, row["extra"])
					}
					delete(row, "extra")
				}
				if diff := cmp.Diff(want, got); diff != "" || calls != 1 {
					t.Errorf("%s in %d calls (-want +got):\n%s", day, calls, diff)
				}
			}
		})
	}
}

func TestPerformStatsAreTheTruth(t *testing.T) {
	p := newPerform(t, nil, nil)
	s := p.stream(t, "stats/by_subid")
	for _, day := range []time.Time{
		time.Date(2026, time.March, 8, 12, 0, 0, 0, time.UTC), time.Date(2026, time.December, 1, 6, 0, 0, 0, time.UTC), time.Date(2020, time.June, 10, 12, 0, 0, 0, time.UTC),
	} {
		rows, _ := p.pull(t, s, p.day(s, day))
		var want []map[string]string
		for _, r := range p.sim.SubIDsOn(partner, day) {
			want = append(want, set("report", "stats/by_subid", "report_date", day.In(s.Window.Location).Format(time.DateOnly), "dimension_key", "sub1="+r.SubID,
				"dimensions", "sub1="+strconv.Quote(r.SubID), "sub1", r.SubID, "currency", codes[r.Symbol], "clicks", strconv.Itoa(r.Clicks),
				"conversions", strconv.Itoa(r.Conversions), "payout", r.Revenue))
		}
		got := rows["stats"]
		for _, row := range got {
			delete(row, "extra") // rates, which follow from the rest
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", day, diff)
		}
	}
}

// The list ends whether pages are wrapped or not, and whether the server knows pages or not.
func TestPerformOffersAreTheTruth(t *testing.T) {
	for name, tt := range map[string]struct {
		version string
		sw      performcbsim.Switches
		offers  int
		calls   int
	}{
		"a wrapper says which page is the last":          {"2", performcbsim.Switches{}, 2000, 2},
		"without a wrapper a page that is not full does": {"2", performcbsim.Switches{OffersShape: performcbsim.ShapeMap}, 1013, 2},
		"or an empty one":                        {"2", performcbsim.Switches{OffersShape: performcbsim.ShapeMap}, 1000, 2},
		"a server that ignores the page ends":    {"2", performcbsim.Switches{OffersShape: performcbsim.ShapeMap, IgnorePage: true}, 1000, 2},
		"ids may be text and empty maps objects": {"3", performcbsim.Switches{TextIDs: true, EmptyObjects: true}, 40, 1},
		"version 4 has events":                   {"4", performcbsim.Switches{}, 40, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerform(t, map[string]string{"offers_version": tt.version, "traffic_type": "App Installs"}, func(o *performcbsim.Options) {
				o.Offers, o.Switches = tt.offers, tt.sw
			})
			rows, calls := p.pull(t, p.stream(t, "offers"), extractors.Work{Kind: p.stream(t, "offers").Kind()})
			byID, landings, events := map[string]map[string]string{}, 0, 0
			for _, row := range rows["offers"] {
				byID[row["offer_id"]] = row
			}
			pages := map[string]bool{} // a page that came twice is the same rows
			for _, row := range rows["landing_pages"] {
				pages[row["landing_page_id"]] = true
			}
			for _, o := range p.sim.Offers() {
				got := byID[strconv.Itoa(o.ID)]
				var countries []string
				for _, code := range o.Countries {
					countries = append(countries, strings.Replace(code, "UK", "GB", 1))
				}
				want := set("offer_id", strconv.Itoa(o.ID), "name", o.Name, "status", o.Status, "status_raw", o.Status, "description", o.Description,
					"tracking_url", o.ClickURL(partner), "currency", o.Currency, "payout", o.Payout, "payout_type", "fixed", "countries", strings.Join(countries, ","))
				delete(got, "extra")
				delete(got, "targeting")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("offer %d (-want +got):\n%s", o.ID, diff)
				}
				if o.Landing != "" {
					landings++
				}
				if tt.version == "4" {
					events += len(o.Events)
				}
			}
			if len(byID) != tt.offers || calls != tt.calls || len(pages) != landings || len(rows["offer_events"]) != events {
				t.Errorf("got %d offers, %d landing pages (want %d), %d events (want %d) in %d calls (want %d)",
					len(byID), len(pages), landings, len(rows["offer_events"]), events, calls, tt.calls)
			}
		})
	}
	p := newPerform(t, map[string]string{"traffic_type": "Display"}, nil)
	rows, _ := p.pull(t, p.stream(t, "campaigns"), extractors.Work{Kind: p.stream(t, "campaigns").Kind()})
	if got := rows["entities"]; len(got) != 40 || got[0]["id"] != "7000" || got[0]["name"] == "" || got[0]["offer_id"] != strconv.Itoa(p.sim.Offers()[0].ID) {
		t.Errorf("campaigns are %v", got)
	}
}

// What a failed call means follows from the words inside, as the status is 200.
func TestPerformRefusals(t *testing.T) {
	day := time.Date(2026, time.June, 10, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		change func(*performcbsim.Options)
		fault  performcbsim.FaultKind
		want   extractors.Outcome
	}{
		"a key that is refused stops the account": {func(o *performcbsim.Options) { o.Accounts = []performcbsim.Account{{UserID: 1, APIKey: "x"}} }, "", extractors.StopAccount},
		"errors may be an object without a status": {func(o *performcbsim.Options) {
			o.Accounts, o.ErrorObject = []performcbsim.Account{{UserID: 1, APIKey: "x"}}, true
		}, "", extractors.StopAccount},
		"a call too early waits":           {func(o *performcbsim.Options) { o.MinInterval = time.Hour }, "", extractors.Wait},
		"so it does by status":             {func(o *performcbsim.Options) { o.MinInterval, o.OnEarly = time.Hour, performcbsim.RefuseByStatus }, "", extractors.Wait},
		"a login page is tried again":      {nil, performcbsim.HTMLPage, extractors.RetryNow},
		"a torn answer is tried again":     {nil, performcbsim.Torn, extractors.RetryNow},
		"an error of the server, likewise": {nil, performcbsim.ServerError, extractors.RetryNow},
	} {
		for _, stream := range []string{"offers", "conversions", "stats/by_subid"} {
			t.Run(name+": "+stream, func(t *testing.T) {
				p := newPerform(t, nil, tt.change)
				p.call(p.source.Check()) // before which no call is too early
				if tt.fault != "" {
					p.sim.Inject(performcbsim.Fault{Kind: tt.fault})
				}
				s := p.stream(t, stream)
				w := p.day(s, day)
				call, err := p.source.Next(s, w)
				if err != nil {
					t.Fatal(err)
				}
				_, err = p.source.Read(s, w, p.call(call))
				e, ok := errors.AsType[*extractors.APIError](err)
				if !ok || e.Outcome != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			})
		}
	}
}

// The reports' other ways to say that all is well and that there is nothing.
func TestPerformReportsWithoutRows(t *testing.T) {
	long := time.Date(2020, time.June, 10, 12, 0, 0, 0, time.UTC)
	for name, sw := range map[string]performcbsim.Switches{
		"an empty list": {}, "no list": {NoList: true}, "success is true": {Success: "true"}, "success is 1": {Success: "1"},
	} {
		for _, stream := range []string{"conversions", "stats/by_subid"} {
			t.Run(name+": "+stream, func(t *testing.T) {
				p := newPerform(t, nil, func(o *performcbsim.Options) { o.Switches = sw })
				s := p.stream(t, stream)
				if rows, calls := p.pull(t, s, p.day(s, long)); len(rows[s.Outputs[0].Table.Name]) != 0 || calls != 1 {
					t.Errorf("got %v in %d calls", rows, calls)
				}
			})
		}
	}
}

// Check costs five minutes like every other call, and proves the key.
func TestPerformCheck(t *testing.T) {
	p := newPerform(t, nil, nil)
	if _, err := p.source.Read(nil, extractors.Work{}, p.call(p.source.Check())); err != nil {
		t.Error(err)
	}
	if log := p.sim.Log(); len(log) != 1 || log[0].Get != "findMyApprovedOffers" || log[0].Rows != 1 {
		t.Errorf("the network saw %+v", log)
	}
}
