package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"syncd/state"
)

// demoWatch tells what is published as it happens, one line a stream and moment:
// a backfill publishes hundreds of windows at once.
type demoWatch struct {
	out   io.Writer
	began time.Time

	mu      sync.Mutex
	first   bool
	pending []*demoLine
}

// demoLine sums what was published of one stream since the last telling. What came as
// files has a line of its own.
type demoLine struct {
	account, stream   string
	windows           int
	files             bool
	from, to          time.Time
	changes           bool
	rows, quarantined int64
}

// demoEvery is how often the watch tells what has gathered.
const demoEvery = 300 * time.Millisecond

// demoPostbacks is the stream that the receiver fills.
const demoPostbacks = "postbacks"

// demoWidth is what the longest name of an account and a stream takes.
const demoWidth = len("offerslook-demo/affiliate_payout_tiers")

func (*demoWatch) Called(string, string, string, time.Duration, int) {}
func (*demoWatch) Received(state.Pull, int)                          {}
func (*demoWatch) Planned(state.Pull)                                {}
func (*demoWatch) Warehouse(error)                                   {}

func (w *demoWatch) Published(p state.Pull, rows, quarantined int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.first && rows > 0 {
		w.first = true
		fmt.Fprintf(w.out, "  the first rows are in ClickHouse, %s after the start\n", time.Since(w.began).Round(100*time.Millisecond))
	}
	i := slices.IndexFunc(w.pending, func(l *demoLine) bool {
		return l.account == p.Account && l.stream == p.Stream && l.changes == (p.Kind == state.Changes) && l.files == (p.Route == state.Export)
	})
	if i < 0 {
		w.pending = append(w.pending, &demoLine{
			account: p.Account, stream: p.Stream, changes: p.Kind == state.Changes, files: p.Route == state.Export, from: p.From, to: p.To,
		})
		i = len(w.pending) - 1
	}
	l := w.pending[i]
	l.windows++
	l.rows += rows
	l.quarantined += quarantined
	if p.From.Before(l.from) {
		l.from = p.From
	}
	if p.To.After(l.to) {
		l.to = p.To
	}
}

func (w *demoWatch) Failed(p state.Pull, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.out, "  %s  %-*s failed: %s\n", time.Now().Format("15:04:05"), demoWidth, p.Account+"/"+p.Stream, reason)
}

// tell prints what has gathered, until ctx ends.
func (w *demoWatch) tell(ctx context.Context) {
	tick := time.NewTicker(demoEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	}
}

// flush must be called with mu held.
func (w *demoWatch) flush() {
	for _, l := range w.pending {
		fmt.Fprintln(w.out, l.String())
	}
	w.pending = nil
}

func (l *demoLine) String() string {
	const minute = "2006-01-02 15:04"
	what := "all"
	switch {
	case l.changes && l.stream == demoPostbacks:
		what = "postbacks and their leads"
	case l.changes && l.from.IsZero():
		what = "leads that are open"
	case l.changes:
		what = "changed since " + l.from.UTC().Format(minute)
	case !l.from.IsZero():
		what = l.from.UTC().Format(minute) + " to " + l.to.UTC().Format(minute)
	}
	windows := ""
	switch {
	case l.files && l.windows > 1:
		windows = fmt.Sprintf(" by %d exports", l.windows)
	case l.files:
		windows = " by an export"
	case l.windows > 1:
		windows = fmt.Sprintf(" in %d windows", l.windows)
	}
	if l.quarantined > 0 {
		windows += fmt.Sprintf(", %d in quarantine", l.quarantined)
	}
	return fmt.Sprintf("  %s  %-*s %-38s %7d rows%s", time.Now().Format("15:04:05"), demoWidth, l.account+"/"+l.stream, what, l.rows, windows)
}
