package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"syncd/extractors"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

func TestRecordsAreComparedWithTheTotalThatTheNetworkStates(t *testing.T) {
	day := windowed("conversions")
	settling := windowed("settling")
	settling.Window.Settle = time.Hour
	from, to := daysFrom(1)
	ended := to.Add(time.Minute)
	for _, tt := range []struct {
		name           string
		records, total int64
		created        time.Time
		change         func(l *load)
		doubted        bool
	}{
		{name: "as many as stated", records: 100, total: 100, created: ended},
		{name: "no total", records: 100, created: ended},
		{name: "one fewer, of a day that has ended", records: 999, total: 1000, created: ended, doubted: true},
		{name: "one more, of a day that has ended", records: 1001, total: 1000, created: ended, doubted: true},
		{name: "none at all, of a day that has ended", total: 3, created: ended, doubted: true},
		{name: "one in a hundred fewer, of a day that goes on", records: 990, total: 1000, created: from.Add(time.Hour)},
		{name: "more than one in a hundred fewer, of a day that goes on", records: 989, total: 1000, created: from.Add(time.Hour), doubted: true},
		{name: "twice as many, of a day that goes on", records: 2000, total: 1000, created: from.Add(time.Hour)},
		{name: "fewer, of a day of which the end has not settled", records: 999, total: 1000, created: ended, change: func(l *load) { l.stream = settling }},
		{name: "too few, of a day of which the end has not settled", records: 900, total: 1000, created: ended, change: func(l *load) { l.stream = settling }, doubted: true},
		{name: "a snapshot with few fewer", records: 990, total: 1000, created: ended, change: func(l *load) { l.pull.Kind = state.Snapshot }},
		{name: "a snapshot with many fewer", records: 900, total: 1000, created: ended, change: func(l *load) { l.pull.Kind = state.Snapshot }, doubted: true},
		{name: "changes, which say nothing of all", records: 1, total: 1000, created: ended, change: func(l *load) { l.pull.Kind = state.Changes }},
		{name: "a file, which is counted when it is read", records: 1, total: 1000, created: ended, change: func(l *load) { l.pull.Route = state.Export }},
		{name: "an account that ignores totals", records: 1, total: 1000, created: ended, change: func(l *load) { l.account.IgnoreTotals = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &load{entry: &entry{}, account: &Account{}, stream: day, pull: state.Pull{
				Kind: state.Windowed, From: from, To: to, CreatedAt: tt.created, Records: tt.records, Total: tt.total,
			}}
			if tt.change != nil {
				tt.change(l)
			}
			got := doubtOf(l)
			if (got != "") != tt.doubted {
				t.Errorf("got doubt %q, want some: %v", got, tt.doubted)
			}
			if want := fmt.Sprintf("states %d records, and its pages have %d", tt.total, tt.records); tt.doubted && !strings.Contains(got, want) {
				t.Errorf("got doubt %q, want %q in it", got, want)
			}
		})
	}
}

func amount(t *testing.T, text string) schema.Int128 {
	t.Helper()
	v, err := schema.ParseDecimal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// summed is a page whose rows have the payouts, and that states a sum.
func summed(first int, sum string, payouts ...string) string {
	return strings.Replace(page(first, payouts...), "{", `{"sums": {"payout": `+sum+`}, `, 1)
}

func TestRowsAreComparedWithTheSumsThatTheNetworkStates(t *testing.T) {
	total := extractors.Total{Path: "sums.payout", Column: "payout", Tolerance: amount(t, "0.01")}
	ofPull := total
	ofPull.Pull = true
	for _, tt := range []struct {
		name  string
		total extractors.Total
		pages []string
		// doubt is a part of what is said; empty if the rows are published.
		doubt string
	}{
		{"sums of pages that agree", total, []string{summed(1, "3.5", "1", "2.5"), summed(3, `"1e1"`, "10")}, ""},
		{"a sum that is rounded", total, []string{summed(1, "3.33", "1.1111", "1.1111", "1.1111")}, ""},
		{"a sum that is further off", total, []string{summed(1, "3.5", "1", "2.5"), summed(3, "10.0101", "10")}, "states 10.0101 at sums.payout, and the payout of its rows add up to 10;"},
		{"a sum over no rows", total, []string{summed(1, "5")}, "states 5 at sums.payout, and the payout of its rows add up to 0"},
		{"no sum", total, []string{page(1, "1", "2")}, ""},
		{"a sum that is no number", total, []string{summed(1, `"n/a"`, "1")}, ""},
		{"sums that go on over the pages, taken for those of pages", total, []string{summed(1, "1", "1"), summed(2, "3", "2")}, "states 3"},
		{"a sum of the pull on its last page", ofPull, []string{summed(1, "0", "1"), summed(2, "3.02", "2")}, ""},
		{"a sum of the pull that is off", ofPull, []string{summed(1, "3.03", "1"), summed(2, "3.03", "2")}, "states 3.03 at sums.payout, and the payout of its rows add up to 3;"},
		{"a sum of the pull on its first page alone", ofPull, []string{summed(1, "4", "1"), page(2, "3")}, ""},
		{"a record that cannot be read, which the sum has", total, []string{strings.Replace(summed(1, "3", "1", "2"), "2026-03-01", "yesterday", 1)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoading(t)
			l.stream.Totals = []extractors.Total{tt.total}
			l.pulled(l.dayPull(), tt.pages...)
			got := l.load()
			if (got != "") != (tt.doubt != "") || !strings.Contains(got, tt.doubt) {
				t.Errorf("got failures %q, want %q in it", got, tt.doubt)
			}
			if rows := l.ask(visible); tt.doubt != "" && rows != "" {
				t.Errorf("rows that are held back are visible:\n%s", rows)
			}
		})
	}
}

func TestSumsOfXMLAreRead(t *testing.T) {
	l := newLoading(t)
	l.stream.Totals = []extractors.Total{{Path: "summary.sum", Column: "payout", Tolerance: amount(t, "0.01")}}
	spec := &l.stream.Outputs[0].Spec
	spec.Format, spec.Records = normalize.FormatXML, normalize.Paths{"rows.row"}
	body := "<answer><summary><sum>7.5</sum></summary><rows>" +
		"<row><id>1</id><created>2026-03-01 10:00:00</created><payout>2.5</payout></row>" +
		"<row><id>2</id><created>2026-03-01 10:00:00</created><payout>%s</payout></row></rows></answer>"
	l.pulled(l.dayPull(), fmt.Sprintf(body, "4"))
	if got := l.load(); !strings.Contains(got, "states 7.5 at summary.sum, and the payout of its rows add up to 6.5") {
		t.Errorf("got failures %q", got)
	}
	l.pulled(l.dayPull(), fmt.Sprintf(body, "5"))
	l.loadWell()
}

// A page that is sent to the warehouse in several blocks is summed up all the same, and
// beside what an earlier page left in the block.
func TestSumsOfLongPagesAreWhole(t *testing.T) {
	l := newLoading(t)
	l.stream.Totals = []extractors.Total{{Path: "sums.payout", Column: "payout", Tolerance: amount(t, "0.01")}}
	const rows = 150_000 // a block has fewer
	ones := strings.Split(strings.Repeat("1,", rows-1)+"1", ",")
	l.pulled(l.dayPull(), summed(1, "5", "5"), summed(2, fmt.Sprint(rows), ones...), summed(rows+2, "6", "6"))
	l.loadWell()
	l.equal("payout", l.ask("SELECT toString(sum(payout)) FROM {db}.conversions"), fmt.Sprint(rows+11))
}

func TestWhatIsDoubtedIsPublishedWhenASecondPullAgreesOrSomebodyAccepts(t *testing.T) {
	a := page(1, "1", "2")
	for _, tt := range []struct {
		name   string
		second func(l *loading) state.Pull
		held   bool
	}{
		{"a second pull that says the same after a quarter of an hour", func(l *loading) state.Pull {
			p := l.doubted(l.dayPull(), 3, a)
			l.ok(l.store.Hold(l.t.Context(), []state.Held{{PullID: p.ID, At: time.Now().Add(-heldAgain), Reason: "x", Rows: 2}}))
			return l.doubted(l.dayPull(), 3, a)
		}, false},
		{"a second pull that says the same at once", func(l *loading) state.Pull {
			return l.doubted(l.dayPull(), 3, a)
		}, true},
		{"a second pull that says something else", func(l *loading) state.Pull {
			p := l.doubted(l.dayPull(), 3, a)
			l.ok(l.store.Hold(l.t.Context(), []state.Held{{PullID: p.ID, At: time.Now().Add(-heldAgain), Reason: "x", Rows: 2}}))
			return l.doubted(l.dayPull(), 30, page(1, "1", "2", "3", "4"))
		}, true},
		{"a second pull whose total is right", func(l *loading) state.Pull {
			return l.doubted(l.dayPull(), 2, a)
		}, false},
		{"somebody accepts", func(l *loading) state.Pull {
			n := l.dayPull()
			n.Accept = true
			return l.doubted(n, 3, a)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoading(t)
			l.doubted(l.dayPull(), 3, a)
			if got := l.load(); !strings.Contains(got, "held back: the network states 3 records, and its pages have 2; a later pull that says about the same will be believed, and so will syncd run --accept") {
				t.Fatalf("got failures %q", got)
			}
			l.equal("visible while it is held back", l.ask(visible), "")
			tt.second(l)
			got := l.load()
			if (got != "") != tt.held || (l.ask(visible) == "") != tt.held {
				t.Errorf("got failures %q and rows\n%s\nwant it held back: %v", got, l.ask(visible), tt.held)
			}
			held, err := l.store.HeldWindows(t.Context(), "a")
			if l.ok(err); (len(held) > 0) != tt.held {
				t.Errorf("got held windows %+v", held)
			}
		})
	}
}

// doubted is pulled with a total on the last page.
func (l *loading) doubted(n state.NewPull, total int64, pages ...string) state.Pull {
	l.t.Helper()
	pulls, err := l.store.CreatePulls(l.t.Context(), []state.NewPull{n})
	l.ok(err)
	return l.pages(pulls[0], total, pages...)
}

func TestAcceptingAsksForWhatIsHeldBackAndNothingElse(t *testing.T) {
	l := newLoading(t)
	l.stream.Export = nil
	e, err := New(t.Context(), Options{Store: l.store, Warehouse: l.warehouse, Accounts: []*Account{l.account}, Log: zaptest.NewLogger(t)})
	l.ok(err)
	accept := func(want int) {
		t.Helper()
		if n, err := e.Accept(t.Context(), "a", "conversions", time.Now()); err != nil || n != want {
			t.Fatalf("accepted %d (%v), want %d", n, err, want)
		}
	}
	accept(0)
	p := l.doubted(l.dayPull(), 3, page(1, "1"))
	l.ok(l.store.Hold(t.Context(), []state.Held{{PullID: p.ID, At: time.Now(), Reason: "x", Rows: 1}}))
	n := l.dayPull()
	n.From, n.To = n.To, n.To.AddDate(0, 0, 1)
	l.pulled(n, page(1)) // the day after it, which nobody doubts
	for range 2 {        // an open one is given what is asked of it
		accept(1)
		open, err := l.store.OpenPulls(t.Context(), "a")
		l.ok(err)
		if len(open) != 2 || open[0].Accept || !open[1].Accept || open[1].Tier != state.Hot || !open[1].From.Equal(firstDay) {
			t.Fatalf("got open pulls %+v", open)
		}
	}
	if _, err := e.Accept(t.Context(), "a", "clicks", time.Now()); err == nil {
		t.Error("a stream that is not configured was accepted")
	}
}
