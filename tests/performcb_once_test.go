package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/performcbsim"
)

// performed starts a simulated Perform[cb] whose clock stands still and that lets calls
// follow one another, and an installation with an account there; more are the account's
// further lines.
func performed(t *testing.T, o performcbsim.Options, start time.Time, more string) (*bed, *performcbsim.Network) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	o.Now, o.MinInterval = func() time.Time { return now }, -1
	o.Accounts = []performcbsim.Account{{UserID: performUser, APIKey: performKey}}
	n := performcbsim.New(o)
	t.Cleanup(func() { n.Close() })
	b := newFolder(t).onServer()
	var err error
	if b.url, _, err = n.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.env = []string{"PERFORM_KEY=" + performKey}
	b.performConfig(start, more)
	return b, n
}

// performConfig writes the configuration of an account at b.url.
func (b *bed) performConfig(start time.Time, more string) {
	b.t.Helper()
	b.config(fmt.Sprintf(`  - name: partner
    network: performcb
    base_url: {url}
    credentials: {api_key: "${PERFORM_KEY}"}
    timezone: %s
    start: %s
    pace: {min_delay: 0s, allow_faster: true}
%s
`, performZone, start.In(zone(b.t, performZone)).Format(time.DateOnly), more))
}

// performVariables are an account's variables and its streams.
func performVariables(version string, pageSize int) string {
	return fmt.Sprintf(`    variables: {user_id: "%d", offers_version: "%s", traffic_type: App Installs, page_size: "%d"}
    streams: {campaigns: {enabled: true}}
`, performUser, version, pageSize)
}

// daysAgo is the beginning of a report day.
func daysAgo(t *testing.T, days int) time.Time {
	t.Helper()
	y, m, d := time.Now().In(zone(t, performZone)).Date()
	return time.Date(y, m, d-days, 0, 0, 0, 0, zone(t, performZone))
}

// readsOnly fails the test if anything but the four reads was called, or one of them badly.
func readsOnly(t *testing.T, n *performcbsim.Network) {
	t.Helper()
	noViolation(t, n, 0)
	calls := n.Log()
	for _, c := range calls {
		if c.Method != http.MethodGet || c.Write || !slices.Contains([]string{"findMyApprovedOffers", "findMyApprovedCampaigns", "conversions", "subaffiliate"}, c.Get) {
			t.Errorf("call %d is %s %s?get=%s", c.Number, c.Method, c.Path, c.Get)
		}
	}
	if len(calls) == 0 {
		t.Error("nothing was called")
	}
}

func TestPerformOnceMakesTheViewsEqualTheTruthWhateverItsAnswersLookLike(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, version string
		switches      performcbsim.Switches
	}{
		{"version 2, a map by id", "2", performcbsim.Switches{OffersShape: performcbsim.ShapeMap}},
		{"version 2, pages of a map, the campaign by another name", "2", performcbsim.Switches{OffersShape: performcbsim.ShapeWrapped, CampaignTag: performcbsim.TagCampaign}},
		{"version 3, ids as text, tags that do not match", "3", performcbsim.Switches{TextIDs: true, CampaignTag: performcbsim.TagMismatched}},
		{"version 4, empty objects, no list without rows", "4", performcbsim.Switches{EmptyObjects: true, NoList: true, Success: "True"}},
		{"version 4, a map by id, the key masked", "4", performcbsim.Switches{OffersShape: performcbsim.ShapeMap, MaskedEcho: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := daysAgo(t, 12)
			b, n := performed(t, performcbsim.Options{From: from.AddDate(0, 0, 4), Offers: 45, Switches: tt.switches}, from, performVariables(tt.version, 20))
			b.run("run", "--once").ended(t, 0)
			conn, _ := b.warehouse()
			b.performEquals(conn, n, "partner", from, n.Options().Now())
			b.performEventsEqual(conn, n, tt.version)
			readsOnly(t, n)
			pages := 0
			for _, c := range n.Log() {
				if want := "/api/v" + tt.version + "/cb_api"; c.Get == "findMyApprovedOffers" && c.Path == want {
					pages++
				}
			}
			if pages != 3 {
				t.Errorf("%d pages of offers were asked for, want 3 of 20 for 45", pages)
			}
		})
	}
}

// performEventsEqual compares the events of offers, which version 4 names, with their
// payouts, and what the odd offers pay, to the last digit.
func (b *bed) performEventsEqual(conn driver.Conn, n *performcbsim.Network, version string) {
	b.t.Helper()
	events := newTable("offer_id event_id name payout currency")
	for _, o := range n.Offers() {
		if version != "4" {
			break
		}
		for _, e := range o.Events {
			events.add(b.t, 2, strconv.Itoa(o.ID), strconv.Itoa(e.ID), e.Name, decimal(e.Payout), o.Currency)
		}
	}
	events.same(b.t, "events of offers", events.read(b.t, conn, b.database+".offer_events WHERE account = 'partner'", 2, nil))

	odd := newTable("payout currency countries")
	odd.add(b.t, 1, "1.1399999994", n.Offers()[2].Currency, strings.ReplaceAll(strings.Join(n.Offers()[2].Countries, ","), "UK", "GB"))
	odd.add(b.t, 1, "120", "JPY", "JP")
	got := odd.read(b.t, conn, b.database+".offers WHERE account = 'partner' AND (currency = 'JPY' OR payout = toDecimal128('1.1399999994', 10))", 1, nil)
	odd.same(b.t, "odd payouts", got)
}

// The hour that clocks skip and the one that they show twice.
func TestPerformDaysOnWhichClocksChangeEqualTheTruth(t *testing.T) {
	t.Parallel()
	loc := zone(t, performZone)
	var changes []time.Time // noon of the days
	for day := daysAgo(t, 370); day.Before(daysAgo(t, 1)); day = day.AddDate(0, 0, 1) {
		if next := day.AddDate(0, 0, 1); next.Sub(day) != 24*time.Hour {
			changes = append(changes, day.Add(12*time.Hour))
		}
	}
	if len(changes) < 2 {
		t.Fatalf("clocks changed on %v", changes)
	}
	b, n := performed(t, performcbsim.Options{From: daysAgo(t, 375), ConversionsPerDay: 40}, daysAgo(t, 375), performVariables("2", 1000))
	conn, _ := b.warehouse()
	repeated := 0
	for _, day := range changes {
		y, m, d := day.In(loc).Date()
		from, to := time.Date(y, m, d-1, 0, 0, 0, 0, loc), time.Date(y, m, d+2, 0, 0, 0, 0, loc)
		b.run("run", "--backfill", from.Format(time.DateOnly)+".."+to.AddDate(0, 0, -1).Format(time.DateOnly)).ended(t, 0)
		b.performDaysEqual(conn, n, from, to)
		for _, c := range n.ConversionsOn(performUser, day) {
			if c.Repeats {
				repeated++
			}
		}
	}
	b.performOffersEqual(conn, n, "partner")
	b.noQuarantine(conn)
	readsOnly(t, n)
	if repeated == 0 {
		t.Error("no conversion fell into the hour that happens twice: the test shows nothing")
	}
}

// performDaysEqual compares the rows of [from, to) alone, and what they sum up to.
func (b *bed) performDaysEqual(conn driver.Conn, n *performcbsim.Network, from, to time.Time) {
	b.t.Helper()
	loc := zone(b.t, performZone)
	want := newTable("day conversions payout")
	for _, day := range performDays(loc, from, to) {
		all, sum := n.ConversionsOn(performUser, day), new(big.Rat)
		for _, c := range all {
			amount, _ := new(big.Rat).SetString(c.Revenue)
			sum.Add(sum, amount)
		}
		want.add(b.t, 1, day.Format(time.DateOnly), strconv.Itoa(len(all)), decimal(sum.FloatString(10)))
	}
	got := want.read(b.t, conn, fmt.Sprintf("(SELECT report_date AS day, count() AS conversions, sum(c.payout) AS payout FROM %s.conversions AS c WHERE report_date >= '%s' AND report_date < '%s' GROUP BY day)",
		b.database, from.Format(time.DateOnly), to.Format(time.DateOnly)), 1, nil)
	want.same(b.t, "sums of days", got)
	b.performConversionsEqual(conn, n, "partner", from, to)
	b.performStatsEqual(conn, n, "partner", from, to)
}

func TestPerformAfterItsHistoryWasRestatedEqualsTheTruthAgain(t *testing.T) {
	t.Parallel()
	from := daysAgo(t, 9)
	b, n := performed(t, performcbsim.Options{From: from}, from, fmt.Sprintf(`    variables: {user_id: "%d"}
    streams:
      conversions: {restate: [{last: 30d, every: 1h}]}
      stats/by_subid: {restate: [{last: 30d, every: 1h}]}
`, performUser))
	args := []string{"run", "--once", "--only", "partner/conversions", "--only", "partner/stats/by_subid"}
	b.run(args...).ended(t, 0)
	conn, _ := b.warehouse()
	for round := range uint64(2) {
		before := one[int64](t, conn, serverNow)
		report := n.Restate(performUser, round, performcbsim.Change{Dispositions: 25, Revenues: 15, Late: 12, Removed: 10, Within: 6 * 24 * time.Hour})
		b.hourPasses()
		b.run(args...).ended(t, 0)
		b.performConversionsEqual(conn, n, "partner", from, n.Options().Now())
		b.performStatsEqual(conn, n, "partner", from, n.Options().Now())
		want := fmt.Sprint([]int{len(report.Late), len(report.Dispositions) + len(report.Revenues), len(report.Removed)})
		got := one[[]uint64](t, conn, "SELECT [sum(added), sum(changed), sum(removed)] FROM "+b.database+".restatements WHERE table_name = 'conversions' AND toUnixTimestamp64Milli(at) >= $1", before)
		if fmt.Sprint(got) != want {
			t.Errorf("the ledger has %v added, changed and removed; the network did %s", got, want)
		}
	}
	b.noQuarantine(conn)
	readsOnly(t, n)
}

// spoiled stands before the network and edits what it answers about conversions.
func (b *bed) spoiled(n *performcbsim.Network, edit func(day string, body []byte) []byte) {
	b.t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		n.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if q := r.URL.Query(); q.Get("get") == "conversions" {
			body = edit(q.Get("from_date"), body)
		}
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body) // a client that went does not want it
	}))
	b.t.Cleanup(s.Close)
	b.url = s.URL
}

func TestPerformRecordsThatCannotBeReadGoToQuarantineAndTheirNeighboursLoad(t *testing.T) {
	t.Parallel()
	from := daysAgo(t, 4)
	b, n := performed(t, performcbsim.Options{From: from}, from, performVariables("2", 1000))
	day := from.AddDate(0, 0, 2)
	// The second record of the day and those behind it, each in a line of its own.
	faults := []struct{ old, new, reason string }{
		{"<revenue>", "<revenue>1,2.3.4x", "payout"},
		{"<date>", "<date>13-45-", "created_at"},
		{"</offer_name>", "", "XML: line 4: <offer_name> is not closed"},
		{"<offer_name>", "<offer_name>AT&T ", "XML: line 5: an & begins no entity"},
		{"<disposition>", "<disposition><![CDATA[", "XML: line 6: <![CDATA[ is not closed"},
		{"<offer_id>", "<offer_id", "XML: line 7: "},
	}
	var mended atomic.Bool
	b.spoiled(n, func(asked string, body []byte) []byte {
		body = bytes.ReplaceAll(body, []byte("<conversion>"), []byte("\n<conversion>"))
		if asked != day.Format("01-02-2006") || mended.Load() {
			return body
		}
		lines := bytes.Split(body, []byte("\n"))
		for i, f := range faults {
			lines[i+1] = bytes.Replace(lines[i+1], []byte(f.old), []byte(f.new), 1)
		}
		return bytes.Join(lines, []byte("\n"))
	})
	b.performConfig(from, performVariables("2", 1000))
	args := []string{"run", "--backfill", from.Format(time.DateOnly) + ".." + time.Now().In(zone(t, performZone)).Format(time.DateOnly), "--only", "partner/conversions"}
	r := b.run(args...).ended(t, 0)
	says(t, r.stderr, "records quarantined", fmt.Sprintf(`"records":%d`, len(faults)))
	conn, _ := b.warehouse()

	lost := map[string]bool{}
	for _, c := range n.ConversionsOn(performUser, day)[:len(faults)] {
		lost[c.ID] = true
	}
	want, got := newTable("conversion_id payout"), 0
	for c := range n.Conversions(performUser) {
		if !lost[c.ID] {
			want.add(t, 1, c.ID, decimal(c.Revenue))
		}
	}
	want.same(t, "the neighbours", want.read(t, conn, b.database+".conversions WHERE account = 'partner'", 1, nil))

	rows, err := conn.Query(t.Context(), "SELECT record_index, reason, record FROM "+b.database+".quarantine WHERE stream = 'conversions' ORDER BY record_index")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for ; rows.Next(); got++ {
		var index uint64
		var reason, record string
		if err := rows.Scan(&index, &reason, &record); err != nil {
			t.Fatal(err)
		}
		if got >= len(faults) {
			continue
		}
		line := fmt.Sprintf("line %d", got+2) // the first is that of the envelope
		if int(index) != got || !strings.Contains(reason, faults[got].reason) || !strings.Contains(reason, line) {
			t.Errorf("record %d is in quarantine because %q, want %q and %q of record %d", index, reason, faults[got].reason, line, got)
		}
		if !json.Valid([]byte(record)) || len(record) < 100 {
			t.Errorf("record %d is kept as %q", index, record)
		}
	}
	if err := rows.Err(); err != nil || got != len(faults) {
		t.Errorf("%d records are in quarantine (%v), want %d", got, err, len(faults))
	}

	// The network is mended: what could not be read comes.
	mended.Store(true)
	b.run(args...).ended(t, 0)
	b.performConversionsEqual(conn, n, "partner", from, n.Options().Now())
	readsOnly(t, n)
}

// The network repeats the key in every answer in JSON.
func TestPerformKeyAppearsNowhere(t *testing.T) {
	t.Parallel()
	from := daysAgo(t, 20)
	b, n := performed(t, performcbsim.Options{From: from, Offers: 200}, from, performVariables("4", 10))
	b.replace("log: {format: json}\n", "log: {level: debug}\n")
	// Failed calls are told of too, and must tell nothing.
	n.Inject(
		performcbsim.Fault{Kind: performcbsim.ServerError, After: 3}, performcbsim.Fault{Kind: performcbsim.Reset, After: 6},
		performcbsim.Fault{Kind: performcbsim.HTMLPage, After: 9}, performcbsim.Fault{Kind: performcbsim.CutBody, After: 12}, performcbsim.Fault{Kind: performcbsim.Torn, After: 15},
	)
	check := func(where string, text []byte) {
		t.Helper()
		if i := bytes.Index(text, []byte(performKey)); i >= 0 {
			t.Errorf("%s has the key: ...%q", where, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	// Killed while pages of offers come, the state still holds some of them.
	p := b.start("run", "--once", "--only", "partner/offers", "--only", "partner/campaigns")
	eventually(t, "some pages of offers", func() bool { return len(n.Log()) >= 12 })
	p.signal(syscall.SIGKILL)
	r := p.wait()
	check("the log", []byte(r.stdout+r.stderr))
	pages := 0
	b.files(func(name string, content []byte) {
		check(name, content)
		if strings.Contains(name, "state.db") {
			pages += cleanPages(t, name, content)
		}
	})
	if pages == 0 {
		t.Error("no page was found in the state: the test shows nothing")
	}
	for _, args := range [][]string{{"run", "--once"}, {"status"}, {"plan"}, {"check"}, {"check", "--offline"}} {
		r := b.run(args...)
		check(strings.Join(args, " "), []byte(r.stdout+r.stderr))
		if args[0] == "run" {
			r.ended(t, 0)
		}
	}
	b.files(func(name string, content []byte) { check(name, content) })
	conn, _ := b.warehouse()
	b.cleanTables(conn)
	// The pages were kept, with what stood around the key.
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+"_store.raw_pages WHERE stream IN ('offers', 'campaigns')"); n < 40 {
		t.Errorf("%d pages of offers and campaigns were kept", n)
	}
	b.performEquals(conn, n, "partner", from, n.Options().Now())
	readsOnly(t, n)
}
