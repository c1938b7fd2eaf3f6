package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
	"syncd/state/sqlite"
)

// leadSpec reads the answers of the tests: {"rows": [{"id": 7, "click": "own-7", ...}]}.
func leadSpec() normalize.Spec {
	return normalize.Spec{Table: "conversions", Records: normalize.Paths{"rows"}, Columns: map[string]normalize.Field{
		"conversion_id": {From: normalize.Paths{"id"}}, "click_id": {From: normalize.Paths{"click"}},
		"status": wordsOfTest, "payout": {From: normalize.Paths{"payout"}}, "revenue": {From: normalize.Paths{"revenue"}},
		"created_at": {From: normalize.Paths{"created"}}, "report_date": {FromColumn: "created_at"},
	}}
}

var wordsOfTest = normalize.Field{
	From: normalize.Paths{"status"}, Map: map[string]string{"approved": "approved", "pending": "pending", "hold": "hold"}, MapElse: "unknown",
}

// pollEvery asks for leads of less than a month every hour.
var pollEvery = state.PollRule{Tiers: []state.PollTier{{Last: 30 * 24 * time.Hour, Every: time.Hour}}, Settled: 24 * time.Hour}

// leadStreams are a windowed stream of leads, "leads", and one that asks for open ones,
// "statuses", two a call.
func leadStreams() []*extractors.Stream {
	table, _ := schema.Lookup("conversions")
	leads := windowed("leads")
	leads.Outputs = []extractors.Output{{Table: table, Spec: leadSpec(), Leads: true}}
	statuses := &extractors.Stream{
		Name: "statuses", Outputs: leads.Outputs,
		ForEach: &extractors.ForEachRule{OpenLeads: state.ByOwnID, Batch: 2, Poll: pollEvery},
	}
	return []*extractors.Stream{leads, statuses}
}

// fakeReceiver reads postbacks whose record is the JSON of a fact's fields.
type fakeReceiver struct {
	stream *extractors.Stream
	// unread says that a record cannot be read.
	unread func(record string) bool
}

func newFakeReceiver() *fakeReceiver {
	postbacks, _ := schema.Lookup("postbacks")
	conversions, _ := schema.Lookup("conversions")
	return &fakeReceiver{stream: &extractors.Stream{Name: "postbacks", Changes: true, Outputs: []extractors.Output{
		{Table: postbacks, Spec: normalize.Spec{Table: "postbacks", Columns: map[string]normalize.Field{
			"id": {From: normalize.Paths{"id"}}, "received_at": {From: normalize.Paths{"at"}, Layout: normalize.LayoutUnixMilli},
			"click_id": {From: normalize.Paths{"click_id"}}, "status": wordsOfTest,
		}}},
		{Table: conversions, Leads: true},
	}}}
}

func (r *fakeReceiver) Stream() *extractors.Stream { return r.stream }

func (r *fakeReceiver) Read(list []state.Postback) (body []byte, told state.Told, err error) {
	var records []map[string]string
	for _, p := range list {
		if r.unread != nil && r.unread(string(p.Record)) {
			return nil, told, fmt.Errorf("record %s means nothing", p.Record)
		}
		fields := state.LeadFields{}
		if err := json.Unmarshal(p.Record, &fields); err != nil {
			return nil, told, err
		}
		told.Facts = append(told.Facts, state.LeadFact{Fields: fields, Late: true, Fallback: state.LeadFields{
			"created_at": strconv.FormatInt(p.ReceivedAt.UnixMilli(), 10), "report_date": strconv.FormatInt(p.ReceivedAt.Unix()/86400, 10),
		}})
		records = append(records, map[string]string{"id": strconv.FormatInt(p.Seq, 10), "at": strconv.FormatInt(p.ReceivedAt.UnixMilli(), 10), "click_id": fields["click_id"], "status": fields["status"]})
	}
	body, err = json.Marshal(records)
	return body, told, err
}

// leadBed is a store and a warehouse whose pulls are pulled by hand, to be loaded in any order.
type leadBed struct {
	*loading
	engine *Engine
}

func newLeadBed(t *testing.T) *leadBed {
	t.Helper()
	b := &leadBed{loading: newLoading(t)}
	b.account.Source.(*fakeNetwork).streams = leadStreams()
	b.account.Receiver = newFakeReceiver()
	b.renew()
	return b
}

// renew makes the engine anew, which takes the open pulls over.
func (b *leadBed) renew() {
	b.t.Helper()
	e, err := New(b.t.Context(), Options{Store: b.store, Warehouse: b.warehouse, Accounts: []*Account{b.account}, Log: zaptest.NewLogger(b.t)})
	b.ok(err)
	b.engine = e
}

// postback brings postbacks that arrive at a time.
func (b *leadBed) postback(at time.Time, records ...string) state.Pull {
	b.t.Helper()
	for _, r := range records {
		_, err := b.store.AcceptPostback(b.t.Context(), state.Postback{Account: "a", ReceivedAt: at, Record: []byte(r)})
		b.ok(err)
	}
	b.ok(b.engine.drains["a"].bring(b.t.Context(), postbacksAtOnce))
	open, err := b.store.OpenPulls(b.t.Context(), "a")
	b.ok(err)
	return open[len(open)-1]
}

// begin creates a pull of a stream.
func (b *leadBed) begin(stream string, kind state.Kind, from, to time.Time) state.Pull {
	b.t.Helper()
	pulls, err := b.store.CreatePulls(b.t.Context(), []state.NewPull{{Account: "a", Stream: stream, Kind: kind, From: from, To: to, RunID: "run"}})
	b.ok(err)
	if len(pulls) != 1 {
		b.t.Fatalf("created %d pulls, want 1", len(pulls))
	}
	return pulls[0]
}

// answer receives the only answer of a pull as a lane does.
func (b *leadBed) answer(p state.Pull, at time.Time, body string, items ...string) {
	b.t.Helper()
	l := b.engine.lanes["a"]
	told, err := l.told(p, b.account.stream(p.Stream), extractors.Call{Describe: "/leads", Items: items}, []byte(body), at)
	b.ok(err)
	packed, release := b.engine.packer.pack([]byte(body))
	defer release()
	_, err = b.store.Receive(b.t.Context(), state.Receipt{PullID: p.ID, Body: packed, Request: "/leads", Done: true, ReceivedAt: at, RawBytes: len(body), Told: told})
	b.ok(err)
}

// loadOnly loads some of what is pulled, each pull by itself.
func (b *leadBed) loadOnly(pulls ...state.Pull) {
	b.t.Helper()
	b.renew()
	s := newSlot(b.engine, 0)
	for _, p := range pulls {
		e := b.engine.queue.pulls[p.ID]
		if e == nil {
			b.t.Fatalf("pull %d is not open", p.ID)
		}
		b.ok(s.load(b.t.Context(), []*entry{e}))
	}
}

const visibleLeads = "SELECT report_date, conversion_id, click_id, status, toString(payout) FROM {db}.conversions ORDER BY ALL"

func noon(day int) time.Time { return firstDay.AddDate(0, 0, day).Add(12 * time.Hour) }

func TestAPostbackAndAnAnswerAboutOneLeadAreOneRowWhateverIsLoadedFirst(t *testing.T) {
	for _, tt := range []struct {
		name  string
		order func(postback, answer state.Pull) []state.Pull
	}{
		{"in the order of receipt", func(p, a state.Pull) []state.Pull { return []state.Pull{p, a} }},
		{"the answer first", func(p, a state.Pull) []state.Pull { return []state.Pull{a, p} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newLeadBed(t)
			postback := b.postback(noon(1), `{"click_id":"own-1","status":"pending","payout":"3","sub1":"s"}`)
			poll := b.begin("statuses", state.Changes, time.Time{}, time.Time{})
			b.answer(poll, noon(3), `{"rows": [{"id": 77, "click": "own-1", "status": "approved", "payout": "2.5"}]}`, "own-1")
			b.loadOnly(tt.order(postback, poll)...)
			b.equal("leads", b.ask(visibleLeads), "2026-03-02\t77\town-1\tapproved\t2.5")
			b.equal("what only the postback said", b.ask("SELECT sub1 FROM {db}.conversions"), "s")
			b.equal("postbacks", b.ask("SELECT click_id, status FROM {db}.postbacks"), "own-1\tpending")
			b.equal("rows of any kind", b.ask("SELECT conversion_id, _deleted FROM {store}.conversions FINAL ORDER BY ALL"), "77\t0")
		})
	}
}

func TestALatePostbackDoesNotUndoTheNetworksDecision(t *testing.T) {
	b := newLeadBed(t)
	poll := b.begin("statuses", state.Changes, time.Time{}, time.Time{})
	b.answer(poll, noon(1), `{"rows": [{"id": 77, "status": "approved", "payout": "2.5", "created": "2026-03-01 10:00:00"}]}`, "own-1")
	late := b.postback(noon(2), `{"conversion_id":"77","click_id":"own-1","status":"pending","payout":"9"}`)
	b.loadOnly(late, poll)
	b.equal("leads", b.ask(visibleLeads), "2026-03-01\t77\town-1\tapproved\t2.5")
}

func TestAWindowOfLeadsBuriesWhatAWindowBroughtAndHasNoMore(t *testing.T) {
	b := newLeadBed(t)
	from, to := daysFrom(1)
	before := b.postback(noon(0), `{"click_id":"its day is that of its receipt","status":"pending"}`, `{"click_id":"own-1","status":"pending"}`)
	b.loadOnly(before)
	window := b.begin("leads", state.Windowed, from, to)
	after := b.postback(noon(0), `{"click_id":"while it was pulled","status":"hold"}`)
	// The lead 9 is of the next day by the clock of the postback that told of it first.
	const all = `{"id": 1, "click": "own-1", "status": "approved", "payout": "1", "created": "2026-03-01 08:00:00"},
		{"id": 9, "status": "hold", "created": "2026-03-02 00:00:01"}, {"id": 2, "status": "hold", "created": "2026-03-01 09:00:00"}`
	b.answer(window, noon(1), `{"rows": [`+all+`, {"id": 3, "status": "hold", "created": "2026-03-01 09:30:00"}]}`)
	b.loadOnly(window, after)
	const (
		kept = "2026-03-01\t1\town-1\tapproved\t1\n2026-03-01\t2\t\thold\t0\n"
		gone = "2026-03-01\t3\t\thold\t0\n"
		told = "2026-03-01\tits day is that of its receipt\tits day is that of its receipt\tpending\t0\n2026-03-01\twhile it was pulled\twhile it was pulled\thold\t0\n2026-03-02\t9\t\thold\t0"
	)
	b.equal("leads", b.ask(visibleLeads), kept+gone+told)
	// A postback about a lead that the window brought does not take it out of the window.
	b.loadOnly(b.postback(noon(2), `{"conversion_id":"3","status":"approved"}`))
	again := b.begin("leads", state.Windowed, from, to)
	b.answer(again, noon(3), `{"rows": [`+all+`]}`)
	b.loadOnly(again)
	b.equal("leads after an answer that lacks one", b.ask(visibleLeads), kept+told)
}

func TestRecordsAboutNoLeadGoToTheQuarantineAndTheRestCounts(t *testing.T) {
	b := newLeadBed(t)
	from, to := daysFrom(1)
	window := b.begin("leads", state.Windowed, from, to)
	b.answer(window, noon(1), `{"rows": [{"id": 1, "status": "hold", "created": "2026-03-01 08:00:00"},`+strings.Repeat(`{"status": "hold", "created": "2026-03-01 08:00:00"},`, 10)+`{"id": 2, "payout": "a lot"}]}`)
	b.loadOnly(window)
	b.equal("leads", b.ask(visibleLeads), "2026-03-01\t1\t\thold\t0")
	if got := b.ask("SELECT reason, count() FROM {db}.quarantine GROUP BY reason ORDER BY reason"); !strings.Contains(got, "conversion_id has no value (from id)\t10") || !strings.Contains(got, "payout: ") {
		t.Errorf("got quarantine %q", got)
	}
	if got := strings.Join(b.engine.Failures(), "\n"); !strings.Contains(got, "11 of 12 records cannot be normalized") {
		t.Errorf("got failures %q", got)
	}
	checkpoints, err := b.store.Checkpoints(t.Context(), "a", "leads")
	b.ok(err)
	if len(checkpoints) != 1 || checkpoints[0].Rows != 1 || checkpoints[0].Quarantined != 11 {
		t.Errorf("got checkpoints %+v", checkpoints)
	}
}

func TestAFieldThatTheTableCannotHoldIsQuarantined(t *testing.T) {
	b := newLeadBed(t)
	p := b.postback(noon(0), `{"click_id":"one","payout":"1,50"}`, `{"click_id":"two","payout":"1.50","colour":"red"}`, `{"click_id":"three","payout":"1.50"}`)
	b.loadOnly(p)
	b.equal("leads", b.ask(visibleLeads), "2026-03-01\tthree\tthree\t\t1.5")
	b.equal("quarantine", b.ask("SELECT reason FROM {db}.quarantine ORDER BY reason"),
		"a lead has a field colour, of which table conversions has no column\ncolumn conversions.payout cannot be \"1,50\": not a decimal number")
}

func TestFactsOfAnAnswer(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC) // the second of March in Berlin
	fallback := state.LeadFields{"created_at": strconv.FormatInt(received.UnixMilli(), 10), "report_date": "20514"}
	for _, tt := range []struct {
		name, record string
		change       func(*normalize.Spec)
		want         []state.LeadFact
	}{
		{
			"amounts that the mapping names are told where they are nothing", `{"id": 7, "payout": 0, "created": "2026-03-01 00:30:00"}`, nil,
			[]state.LeadFact{{Fields: state.LeadFields{"conversion_id": "7", "payout": "0", "revenue": "0", "created_at": "1772321400000", "report_date": "20513"}, Fallback: state.LeadFields{}}},
		},
		{
			"what has no time has that of its receipt as long as nobody tells another", `{"click": "c", "status": "hold"}`, nil,
			[]state.LeadFact{{Fields: state.LeadFields{"click_id": "c", "status": "hold", "payout": "0", "revenue": "0"}, Fallback: fallback}},
		},
		{
			"a day is reckoned from the time where the mapping names none", `{"id": 7, "created": "2026-03-01 00:30:00"}`,
			func(s *normalize.Spec) {
				delete(s.Columns, "report_date")
				delete(s.Columns, "revenue")
				delete(s.Columns, "payout")
			},
			[]state.LeadFact{{Fields: state.LeadFields{"conversion_id": "7", "created_at": "1772321400000", "report_date": "20513"}, Fallback: state.LeadFields{}}},
		},
		{
			"what nobody asked for goes along", `{"id": 7, "goal": "x"}`,
			func(s *normalize.Spec) { delete(s.Columns, "revenue"); delete(s.Columns, "payout") },
			[]state.LeadFact{{Fields: state.LeadFields{"conversion_id": "7", "extra": `{"goal":"x"}`}, Fallback: fallback}},
		},
		{"a record without an id tells nothing", `{"status": "hold"}`, nil, nil},
		{"a record that cannot be read tells nothing", `{"id": 7, "created": "soon"}`, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := leadSpec()
			if tt.change != nil {
				tt.change(&spec)
			}
			teller, err := newTeller(spec)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // its memory is used again
				got, err := teller.facts([]byte(`{"rows": [`+tt.record+`]}`), &normalize.Context{Network: "fake", Account: "a", Location: berlin, SyncedAt: received})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("(-want +got)\n%s", d)
				}
			}
		})
	}
}

func TestMoreLeadsThanABlockHoldsAreToldAndLoaded(t *testing.T) {
	b := newLeadBed(t)
	const n = schema.BlockRows + 100
	var first, second strings.Builder
	for i := range n {
		fmt.Fprintf(&first, `,{"click": "own-%d", "status": "pending", "payout": 1, "created": "2026-03-01 08:00:00"}`, i)
		fmt.Fprintf(&second, `,{"id": %d, "click": "own-%d", "status": "approved", "payout": 2, "created": "2026-03-01 08:00:00"}`, i, i)
	}
	from, to := daysFrom(1)
	one := b.begin("leads", state.Windowed, from, to)
	b.answer(one, noon(1), `{"rows": [`+first.String()[1:]+`]}`)
	b.loadOnly(one)
	two := b.begin("statuses", state.Changes, time.Time{}, time.Time{})
	b.answer(two, noon(2), `{"rows": [`+second.String()[1:]+`]}`)
	b.loadOnly(two)
	b.equal("leads", b.ask("SELECT count(), uniqExact(click_id), sum(payout), any(status) FROM {db}.conversions"), fmt.Sprintf("%d\t%d\t%d.0000000000\tapproved", n, n, 2*n))
}

func TestACrashAtAnyStepOfAPostbackLosesAndDoublesNothing(t *testing.T) {
	for _, step := range []string{"accepted", "brought", "staged", "published", "checkpointed"} {
		t.Run("after "+step, func(t *testing.T) {
			l := newLoading(t)
			l.account.Source.(*fakeNetwork).streams = leadStreams()
			l.account.Receiver = newFakeReceiver()
			path := stateFile(t)
			accept := func(store state.Store, from, to int) {
				t.Helper()
				for i := from; i < to; i++ {
					_, err := store.AcceptPostback(t.Context(), state.Postback{Account: "a", ReceivedAt: noon(i % 3), Record: fmt.Appendf(nil, `{"click_id":"own-%d","status":"approved","payout":"1"}`, i)})
					l.ok(err)
				}
			}
			store, err := sqlite.Open(path)
			l.ok(err)
			accept(store, 0, 20)
			var crashed sync.Once
			reached, release := make(chan struct{}), make(chan struct{})
			engine := func(store state.Store, warehouse *loaders.Warehouse, after func(string)) *Engine {
				e, err := New(t.Context(), Options{Store: store, Warehouse: warehouse, Accounts: []*Account{l.account}, Log: zaptest.NewLogger(t), Linger: time.Millisecond, OneShot: true, After: after})
				l.ok(err)
				return e
			}
			gone := make(chan error, 1)
			dying, stop := context.WithCancel(t.Context())
			defer stop()
			if step != "accepted" {
				// A process that died has no connections; this one keeps its INSERTs open, in
				// staging tables of its own.
				other, err := loaders.Open(t.Context(), loaders.Options{DSN: clickhouse.DSN(), Database: l.warehouse.Database(), Instance: "dying"})
				l.ok(err)
				t.Cleanup(func() { l.ok(other.Close()) })
				e := engine(store, other, func(s string) {
					if s == step {
						crashed.Do(func() { close(reached); <-release })
					}
				})
				go func() { gone <- e.Run(dying) }()
				<-reached
			} else {
				gone <- nil
			}
			accept(store, 20, 25)
			l.ok(store.Close()) // whatever the dying engine does from here on is not stored
			store, err = sqlite.Open(path)
			l.ok(err)
			defer func() { l.ok(store.Close()) }()
			e := engine(store, l.warehouse, nil)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			l.ok(e.Drain(t.Context(), time.Minute))
			cancel()
			l.ok(<-done)
			stop()
			close(release)
			if err := <-gone; err != nil && !errors.Is(err, state.ErrClosed) && !errors.Is(err, context.Canceled) {
				t.Errorf("the engine that died: %v", err)
			}
			l.equal("leads", l.ask("SELECT count(), uniqExact(click_id), sum(payout) FROM {db}.conversions"), "25\t25\t25.0000000000")
			l.equal("postbacks", l.ask("SELECT count(), uniqExact(click_id) FROM {db}.postbacks"), "25\t25")
			if left, err := store.Backlogs(t.Context()); err != nil || len(left) != 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}
