// Package status says in words where every stream of every account stands. It
// reads the state store and nothing else, so that the page, the JSON and the
// command line, beside a running daemon or without one, tell the same.
package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/state"
)

// State is the one word for where a stream stands.
type State string

// The states, from the best to those that need a person.
const (
	UpToDate State = "up to date" // everything due is published
	Working  State = "working"    // calls are being made or rows loaded
	Waiting  State = "waiting"    // something is due and a pace, a backoff or the warehouse says when
	Never    State = "never run"  // nothing was pulled yet
	Held     State = "held back"  // a guard keeps an answer from being published
	Failed   State = "failed"     // given up until the stream is due again
	Stopped  State = "stopped"    // the account makes no calls until someone mends it
)

// Stream is what is configured of a stream.
type Stream struct {
	Account, Network, Name string
	// Next gives the next due time after a time; nil if the stream has no schedule.
	Next func(time.Time) time.Time
	// Location is the account's zone, in which times are told.
	Location *time.Location
	// Receives says that the stream is the postbacks that arrive.
	Receives bool
	// Mapping is how rows are made of the stream's answers by now, as in state.Published.
	Mapping string
}

// Line is one stream's status.
type Line struct {
	Account string `json:"account"`
	Network string `json:"network"`
	Stream  string `json:"stream"`
	State   State  `json:"state"`
	// Words say the same for people, with times in the account's zone.
	Words string `json:"words"`
	// LastSuccess is when rows of the stream were last published; zero if never.
	LastSuccess time.Time `json:"last_success,omitzero"`
	// PulledAt is the age of what is published last: the network was asked after it.
	PulledAt time.Time `json:"pulled_at,omitzero"`
	// CompleteTo is the instant before which everything has been pulled; zero if nothing was.
	CompleteTo time.Time `json:"complete_to,omitzero"`
	NextRun    time.Time `json:"next_run,omitzero"`
	// NextCall is the earliest time of the account's next call; zero means now.
	NextCall time.Time `json:"next_call,omitzero"`
	// Pulling and Loading count the windows that wait for calls and for the warehouse.
	Pulling int `json:"pulling"`
	Loading int `json:"loading"`
	// Rows is the size of the last publication.
	Rows int64 `json:"rows"`
	// Quarantined counts the records of the last publication that could not be normalized.
	Quarantined int64  `json:"quarantined"`
	LastError   string `json:"last_error,omitempty"`
	// Backlog counts the postbacks that arrived and are not on their way into the warehouse yet.
	Backlog int64 `json:"backlog,omitempty"`
	// Outdated counts the windows, or lists of changes, whose rows were made by an older mapping.
	Outdated int64 `json:"outdated,omitempty"`
}

// WaitFor adds what only the running daemon knows: that the stream's calls wait, and
// for what. Empty words change nothing.
func (l *Line) WaitFor(words string) {
	if words == "" || l.State != Working || l.Pulling == 0 {
		return
	}
	l.State, l.Words = Waiting, fmt.Sprintf("%s, %s to pull%s", words, windows(l.Pulling), behind(l.Loading))
}

// facts are what the store knows, by account and stream.
type facts struct {
	open    map[target][]state.Pull
	failed  map[target]state.Pull
	last    map[target]state.Checkpoint
	lanes   map[string]state.Lane
	held    map[target]state.HeldWindow
	heldLen map[target]int
	// backlog is what arrived at accounts and waits.
	backlog map[string]state.Backlog
	// mappings are those by which what is published was made.
	mappings map[target][]state.MappingCount
}

type target struct{ account, stream string }

// Read gives a line for every stream, in the given order.
func Read(ctx context.Context, store state.Store, streams []Stream, now time.Time) ([]Line, error) {
	f, err := gather(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("reading the state for its status: %w", err)
	}
	lines := make([]Line, len(streams))
	for i, s := range streams {
		lines[i] = f.line(s, now)
	}
	return lines, nil
}

func gather(ctx context.Context, store state.Store) (*facts, error) {
	f := &facts{
		open: map[target][]state.Pull{}, failed: map[target]state.Pull{}, last: map[target]state.Checkpoint{},
		lanes: map[string]state.Lane{}, held: map[target]state.HeldWindow{}, heldLen: map[target]int{}, backlog: map[string]state.Backlog{},
		mappings: map[target][]state.MappingCount{},
	}
	open, err := store.OpenPulls(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, p := range open {
		t := target{p.Account, p.Stream}
		f.open[t] = append(f.open[t], p)
	}
	failed, err := store.FailedPulls(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range failed {
		t := target{p.Account, p.Stream}
		if p.ID > f.failed[t].ID {
			f.failed[t] = p
		}
	}
	last, err := store.LastCheckpoints(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range last {
		f.last[target{c.Account, c.Stream}] = c
	}
	lanes, err := store.Lanes(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lanes {
		f.lanes[l.Account] = l
	}
	backlogs, err := store.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range backlogs {
		f.backlog[b.Account] = b
	}
	mappings, err := store.Mappings(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range mappings {
		t := target{m.Account, m.Stream}
		f.mappings[t] = append(f.mappings[t], m)
	}
	held, err := store.HeldWindows(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		t := target{h.Account, h.Stream}
		f.heldLen[t]++
		if h.At.After(f.held[t].At) {
			f.held[t] = h
		}
	}
	return f, nil
}

func (f *facts) line(s Stream, now time.Time) Line {
	t := target{s.Account, s.Name}
	l := Line{Account: s.Account, Network: s.Network, Stream: s.Name}
	last, lane := f.last[t], f.lanes[s.Account]
	l.LastSuccess, l.PulledAt, l.Rows, l.Quarantined = last.PublishedAt, last.PulledAt, last.Rows, last.Quarantined
	if lane.NextCall.After(now) {
		l.NextCall = lane.NextCall
	}
	if s.Next != nil {
		l.NextRun = s.Next(now)
	}
	l.CompleteTo = f.completeTo(t)
	if s.Receives {
		l.Backlog = f.backlog[s.Account].Waiting
	}
	var soonest state.Pull
	for _, p := range f.open[t] {
		if p.Phase == state.Pulled {
			l.Loading++
			continue
		}
		l.Pulling++
		if l.LastError == "" {
			l.LastError = p.LastError
		}
		if soonest.ID == 0 || cmp.Or(p.NotBefore.Compare(soonest.NotBefore), cmp.Compare(p.ID, soonest.ID)) < 0 {
			soonest = p
		}
	}
	failed, gaveUp := f.failed[t]
	if gaveUp && l.LastError == "" {
		l.LastError = failed.LastError
	}
	l.State, l.Words = f.say(s, l, lane, soonest, gaveUp, now)
	if l.Outdated = Outdated(f.mappings[t], s.Mapping); l.Outdated > 0 {
		l.Words += fmt.Sprintf("; %s normalized with an older mapping, syncd remap --only %s/%s makes them anew", windows(int(l.Outdated)), s.Account, s.Name)
	}
	return l
}

// Outdated counts what was made by another mapping than the one that is by now. What is
// not known is not said to be older.
func Outdated(counts []state.MappingCount, now string) (n int64) {
	for _, c := range counts {
		if now != "" && c.Mapping != "" && c.Mapping != now {
			n += c.Checkpoints
		}
	}
	return n
}

// completeTo is the beginning of the earliest window that is open or was given up,
// and without any the age of what is published last.
func (f *facts) completeTo(t target) time.Time {
	to := f.last[t].PulledAt
	missing := f.open[t]
	if p, ok := f.failed[t]; ok {
		missing = append(slices.Clip(missing), p)
	}
	for _, p := range missing {
		if p.Kind == state.Windowed && p.From.Before(to) {
			to = p.From
		}
	}
	return to
}

// say chooses the state and its words. The order is that of what a person has to know first.
func (f *facts) say(s Stream, l Line, lane state.Lane, soonest state.Pull, gaveUp bool, now time.Time) (State, string) {
	t := target{s.Account, s.Name}
	clock := func(at time.Time) string { return clockIn(at, now, s.Location) }
	switch {
	case s.Receives: // nobody is called for them
		return f.sayReceived(s, l, clock)
	case lane.Stopped != "":
		return Stopped, lane.Stopped
	case f.heldLen[t] > 0:
		return Held, fmt.Sprintf("%s held back: %s", windows(f.heldLen[t]), f.held[t].Reason)
	case l.Pulling > 0 && soonest.Attempts > 0 && soonest.NotBefore.After(now):
		return Waiting, fmt.Sprintf("waiting until %s after a failed call: %s", clock(soonest.NotBefore), l.LastError)
	case l.Pulling > 0 && l.NextCall.After(now):
		return Waiting, fmt.Sprintf("waiting for the network's pace until %s, %s to pull", clock(l.NextCall), windows(l.Pulling))
	case l.Pulling > 0:
		return Working, fmt.Sprintf("pulling, %s to go%s", windows(l.Pulling), behind(l.Loading))
	case l.Loading > 0:
		return Working, fmt.Sprintf("loading %s into the warehouse", windows(l.Loading))
	case gaveUp:
		return Failed, "gave up until the next run: " + l.LastError
	case l.LastSuccess.IsZero():
		return Never, "not pulled yet" + nextRun(l, clock)
	}
	return UpToDate, fmt.Sprintf("up to date as of %s%s", clock(l.PulledAt), nextRun(l, clock))
}

// sayReceived says where the postbacks of an account stand.
func (f *facts) sayReceived(s Stream, l Line, clock func(time.Time) string) (State, string) {
	since := clock(f.backlog[s.Account].Oldest)
	waiting := fmt.Sprintf("%d postbacks wait, the oldest since %s", l.Backlog, since)
	if l.Backlog == 1 {
		waiting = "1 postback waits since " + since
	}
	switch {
	case l.Loading > 0 && l.Backlog > 0:
		return Working, "loading postbacks into the warehouse, " + waiting
	case l.Loading > 0:
		return Working, "loading postbacks into the warehouse"
	case l.Backlog > 0:
		return Waiting, waiting
	case l.LastSuccess.IsZero():
		return Never, "no postback arrived yet"
	}
	return UpToDate, "all that arrived is loaded, the last at " + clock(l.LastSuccess)
}

func nextRun(l Line, clock func(time.Time) string) string {
	if l.NextRun.IsZero() {
		return ""
	}
	return ", next run " + clock(l.NextRun)
}

func behind(loading int) string {
	if loading == 0 {
		return ""
	}
	return fmt.Sprintf(", %s on the way into the warehouse", windows(loading))
}

func windows(n int) string {
	if n == 1 {
		return "1 window"
	}
	return fmt.Sprintf("%d windows", n)
}

// clockIn tells a time as people say it: the hour alone for today.
func clockIn(at, now time.Time, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	at, now = at.In(loc), now.In(loc)
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		if d := at.Sub(now); d > -time.Minute && d < time.Minute {
			return at.Format("15:04:05")
		}
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// Worst gives the most urgent state among lines, UpToDate for none.
func Worst(lines []Line) State {
	order := []State{UpToDate, Working, Waiting, Never, Held, Failed, Stopped}
	worst := 0
	for _, l := range lines {
		worst = max(worst, slices.Index(order, l.State))
	}
	return order[worst]
}
