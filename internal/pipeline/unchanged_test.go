package pipeline

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/schema/normalize"
	"syncd/state"
)

// dayPull is a pull of the first day.
func (l *loading) dayPull() state.NewPull {
	from, to := daysFrom(1)
	return state.NewPull{Account: "a", Stream: "conversions", Kind: state.Windowed, From: from, To: to, RunID: "run"}
}

// pulled makes a pull that received the given pages, as a lane does.
func (l *loading) pulled(n state.NewPull, pages ...string) state.Pull {
	l.t.Helper()
	pulls, err := l.store.CreatePulls(l.t.Context(), []state.NewPull{n})
	l.ok(err)
	if len(pulls) != 1 {
		l.t.Fatalf("created %d pulls, want 1", len(pulls))
	}
	return l.pages(pulls[0], 0, pages...)
}

// pages receives all pages of a pull, the last with what the network states as a total.
func (l *loading) pages(p state.Pull, total int64, pages ...string) state.Pull {
	l.t.Helper()
	packer, err := newPacker()
	l.ok(err)
	for i, body := range pages {
		packed, release := packer.pack([]byte(body))
		h := fnv.New64a()
		h.Write([]byte(body))
		r := state.Receipt{
			PullID: p.ID, Request: "/list?page=" + strconv.Itoa(i+1), Body: packed, RawBytes: len(body), Records: strings.Count(body, `"id"`),
			Hash: h.Sum64(), Done: i == len(pages)-1, ReceivedAt: time.Now(),
		}
		if r.Done {
			r.Total = total
		}
		p, err = l.store.Receive(l.t.Context(), r)
		l.ok(err)
		release()
	}
	return p
}

// loadWell is load for what nothing is wrong with.
func (l *loading) loadWell() {
	l.t.Helper()
	if failures := l.load(); failures != "" {
		l.t.Fatal(failures)
	}
}

// page is an answer with a row of the first day for each payout.
func page(first int, payouts ...string) string {
	rows := make([]string, len(payouts))
	for i, payout := range payouts {
		rows[i] = fmt.Sprintf(`{"id": "c%d", "created": "2026-03-01 10:00:00", "status": "approved", "payout": "%s", "offer": 7}`, first+i, payout)
	}
	return `{"rows": [` + strings.Join(rows, ", ") + `]}`
}

// inserts is how many INSERTs the engine has had.
func (l *loading) inserts() string {
	l.t.Helper()
	return l.ask("SELECT value FROM system.events WHERE event = 'InsertQuery'")
}

func (l *loading) checkpoint() state.Checkpoint {
	l.t.Helper()
	all, err := l.store.Checkpoints(l.t.Context(), "a", "conversions")
	l.ok(err)
	for _, c := range all {
		if from, to := daysFrom(1); c.Kind == state.Windowed && c.From.Equal(from) && c.To.Equal(to) {
			return c
		}
	}
	return state.Checkpoint{} // a file over it took its place
}

func TestAWindowThatDidNotChangeIsNotWritten(t *testing.T) {
	a, b := page(1, "1", "2"), page(3, "3")
	for _, tt := range []struct {
		name string
		// before is what happens between the two pulls, change what is other about the
		// second one, and pages are its pages, if they are not those of the first.
		before func(l *loading)
		change func(n *state.NewPull)
		pages  []string
		first  []string
		wrote  bool
	}{
		{name: "the same pages"},
		{name: "no rows, twice", first: []string{`{"rows": []}`}, pages: []string{`{"rows": []}`}},
		{name: "another amount", pages: []string{a, page(3, "4")}, wrote: true},
		{name: "a row less", pages: []string{page(1, "1"), b}, wrote: true},
		{name: "the same pages in another order", pages: []string{b, a}, wrote: true},
		{name: "a page more", pages: []string{a, b, `{"rows": []}`}, wrote: true},
		{name: "a record that could not be read then", first: []string{a, `{"rows": [{"id": "c9", "created": "yesterday"}]}`}, pages: []string{a, `{"rows": [{"id": "c9", "created": "yesterday"}]}`}, wrote: true},
		{name: "somebody asked to load it", change: func(n *state.NewPull) { n.Reload = true }, wrote: true},
		{name: "another mapping", before: func(l *loading) {
			l.stream.Outputs[0].Spec.Columns["offer_name"] = normalize.Field{Const: "an offer"}
		}, wrote: true},
		{name: "another variable", before: func(l *loading) { l.stream.Variables = map[string]string{"x": "1"} }, wrote: true},
		{name: "another program, or other personal data kept", before: func(l *loading) { l.account.Reading = "v2 ip=drop" }, wrote: true},
		{name: "another zone", before: func(l *loading) { l.account.Location = time.FixedZone("X", 3600) }, wrote: true},
		{name: "raw pages that are older than half of their time", before: func(l *loading) {
			l.change = func(o *Options) { o.RawRetention = time.Microsecond }
		}, wrote: true},
		{name: "changes that brought rows", before: func(l *loading) {
			l.pulled(state.NewPull{Account: "a", Stream: "conversions", Kind: state.Changes, From: firstDay, To: firstDay.AddDate(0, 0, 1), RunID: "run"}, page(1, "9"))
			l.loadWell()
		}, wrote: true},
		{name: "changes that brought none", before: func(l *loading) {
			l.pulled(state.NewPull{Account: "a", Stream: "conversions", Kind: state.Changes, From: firstDay, To: firstDay.AddDate(0, 0, 1), RunID: "run"}, `{"rows": []}`)
			l.loadWell()
		}},
		{name: "a file over it", before: func(l *loading) {
			from, to := daysFrom(2)
			l.file(l.create(state.Export, from, to), "x-1", header+"c1,2026-03-01 10:00:00,approved,8,7\n", 1)
			l.loadWell()
		}, wrote: true},
		{name: "its neighbour was loaded", before: func(l *loading) {
			n := l.dayPull()
			n.From, n.To = n.To, n.To.AddDate(0, 0, 1)
			l.pulled(n, `{"rows": []}`)
			l.loadWell()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoading(t)
			if tt.first == nil {
				tt.first = []string{a, b}
			}
			l.pulled(l.dayPull(), tt.first...)
			l.loadWell()
			rows := l.ask(visible)
			if tt.before != nil {
				tt.before(l)
			}
			was, inserts := l.checkpoint(), l.inserts()
			n := l.dayPull()
			if tt.change != nil {
				tt.change(&n)
			}
			if tt.pages == nil {
				tt.pages = []string{a, b}
			}
			p := l.pulled(n, tt.pages...)
			l.loadWell()
			if wrote := l.inserts() != inserts; wrote != tt.wrote {
				t.Errorf("wrote something: %v, want %v", wrote, tt.wrote)
			}
			if is := l.checkpoint(); is.Version != p.Version || is.PublishedAt.Before(was.PublishedAt) || !is.PulledAt.Equal(p.CreatedAt) {
				t.Errorf("the checkpoint did not move on: got %+v after %+v", is, was)
			} else if !tt.wrote && (is.Rows != was.Rows || !is.RawAt.Equal(was.RawAt) || is.Digest != was.Digest) {
				t.Errorf("the checkpoint of what did not change is another: got %+v after %+v", is, was)
			}
			if size, err := l.store.Inbox(t.Context()); err != nil || size.Pages != 0 {
				t.Errorf("got %d pages in the inbox (%v)", size.Pages, err)
			}
			if !tt.wrote {
				l.equal("visible", l.ask(visible), rows)
			}
		})
	}
}

// The pages are those of the last window, but what is visible is not.
func TestAChangeThatIsTakenBackIsLoaded(t *testing.T) {
	l := newLoading(t)
	a := page(1, "1", "2")
	l.pulled(l.dayPull(), a)
	l.loadWell()
	before := l.ask(visible)
	l.pulled(state.NewPull{Account: "a", Stream: "conversions", Kind: state.Changes, From: firstDay, To: firstDay.AddDate(0, 0, 1), RunID: "run"}, page(2, "9"))
	l.loadWell()
	if l.ask(visible) == before {
		t.Fatal("the change is not visible")
	}
	l.pulled(l.dayPull(), a)
	l.loadWell()
	l.equal("visible once the network took it back", l.ask(visible), before)
	inserts := l.inserts()
	l.pulled(l.dayPull(), a)
	l.loadWell()
	l.equal("INSERTs of the next pull, which says the same", l.inserts(), inserts)
}

// Between the two the network answered with nothing, which was held back.
func TestAWindowThatWasHeldAndIsWhatItWasIsNotWritten(t *testing.T) {
	l := newLoading(t)
	full := page(1, strings.Split(strings.Repeat("1,", 25)+"1", ",")...)
	l.pulled(l.dayPull(), full)
	l.loadWell()
	before := l.ask(visible)
	l.pulled(l.dayPull(), `{"rows": []}`)
	if failures := l.load(); !strings.Contains(failures, "held back: 26 rows of conversions were visible, now there are 0") {
		t.Fatalf("got %q", failures)
	}
	inserts := l.inserts()
	l.pulled(l.dayPull(), full)
	l.loadWell()
	l.equal("INSERTs", l.inserts(), inserts)
	l.equal("visible", l.ask(visible), before)
	if held, err := l.store.HeldWindows(t.Context(), "a"); err != nil || len(held) != 0 {
		t.Errorf("got held windows %+v (%v)", held, err)
	}
}

func TestRowsOfLeadsAreNeverPassedOver(t *testing.T) {
	l := newLoading(t)
	p := state.Pull{Account: "a", Stream: "conversions", Kind: state.Windowed, Digest: 7}
	if digestOf(l.account, l.stream, p) == 0 {
		t.Fatal("a plain stream has no digest")
	}
	other := *l.stream
	other.Name = "leads"
	other.Outputs = []extractors.Output{{Table: l.stream.Outputs[0].Table, Leads: true}}
	l.account.Source.(*fakeNetwork).streams = []*extractors.Stream{l.stream, &other}
	if got := digestOf(l.account, l.stream, p); got != 0 {
		t.Errorf("beside a stream of leads: got digest %x", got)
	}
	p.Stream = "leads"
	if got := digestOf(l.account, &other, p); got != 0 {
		t.Errorf("of leads: got digest %x", got)
	}
}
