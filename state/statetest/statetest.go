// Package statetest is the suite that every driver of package state must pass. A
// driver's tests call Run, and its TestMain calls Main.
//
// The suite knows a store only through its contract. What is particular to a
// driver (its files, its locks, a full disk) is tested by the driver.
package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/state"
)

// Driver is what the suite has to know of a driver.
type Driver struct {
	// Place names a fresh place for a store (a file, a schema). What is left there
	// goes when the test ends.
	Place func(t testing.TB) string
	// Open opens the store at a place, creating it when there is none.
	Open func(place string) (state.Store, error)
}

// Run runs the suite.
func Run(t *testing.T, d Driver) {
	t.Run("store", func(t *testing.T) { testStore(t, d) })
	t.Run("pulls", func(t *testing.T) { testPulls(t, d) })
	t.Run("items", func(t *testing.T) { testItems(t, d) })
	t.Run("lanes", func(t *testing.T) { testLanes(t, d) })
	t.Run("failures", func(t *testing.T) { testFailures(t, d) })
	t.Run("parked", func(t *testing.T) { testParked(t, d) })
	t.Run("quotas", func(t *testing.T) { testQuotas(t, d) })
	t.Run("inbox", func(t *testing.T) { testInbox(t, d) })
	t.Run("publish", func(t *testing.T) { testPublish(t, d) })
	t.Run("digests", func(t *testing.T) { testDigests(t, d) })
	t.Run("untouched", func(t *testing.T) { testUntouched(t, d) })
	t.Run("exports", func(t *testing.T) { testExports(t, d) })
	t.Run("wide windows", func(t *testing.T) { testWide(t, d) })
	t.Run("hold", func(t *testing.T) { testHold(t, d) })
	t.Run("ledgers", func(t *testing.T) { testLedgers(t, d) })
	t.Run("leads", func(t *testing.T) { testLeads(t, d) })
	t.Run("open leads", func(t *testing.T) { testOpenLeads(t, d) })
	t.Run("postbacks", func(t *testing.T) { testPostbacks(t, d) })
	t.Run("replays", func(t *testing.T) { testReplays(t, d) })
	t.Run("retelling", func(t *testing.T) { testRetelling(t, d) })
	t.Run("concurrency", func(t *testing.T) { testConcurrency(t, d) })
	t.Run("crash", func(t *testing.T) { testCrash(t, d) })
	t.Run("crash of the receiver", func(t *testing.T) { testPostbackCrash(t, d) })
}

// t0 is an instant with milliseconds, in a night when Berlin's clocks change.
var t0 = time.Date(2026, 3, 29, 0, 59, 59, 123e6, time.UTC)

// fixture is a fresh store and the shorthands of the tests. Its methods end the
// test when the store returns an error; tests of errors call the store itself.
type fixture struct {
	*testing.T
	d     Driver
	place string
	s     state.Store
	ctx   context.Context
}

// each runs the cases side by side, each with a store of its own.
func each(t *testing.T, d Driver, cases []testCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(setup(t, d))
		})
	}
}

// testCase has the name of the sentence that holds when it passes.
type testCase struct {
	name string
	run  func(f *fixture)
}

func setup(t *testing.T, d Driver) *fixture {
	t.Helper()
	f := &fixture{T: t, d: d, place: d.Place(t), ctx: t.Context()}
	f.open()
	t.Cleanup(func() { f.no(f.s.Close()) })
	return f
}

func (f *fixture) open() {
	f.Helper()
	s, err := f.d.Open(f.place)
	f.no(err)
	f.s = s
}

// reopen closes the store and opens it again: what follows is only what was durable.
func (f *fixture) reopen() {
	f.Helper()
	f.no(f.s.Close())
	f.open()
}

// no ends the test on an error.
func (f *fixture) no(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// is ends the test unless the error is the wanted one.
func (f *fixture) is(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("got error %v, want %v", err, want)
	}
}

// equal compares whole values; what says which.
func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// must gives the value of a call that may not fail.
func must[T any](f *fixture) func(v T, err error) T {
	return func(v T, err error) T {
		f.Helper()
		f.no(err)
		return v
	}
}

// window is the nth hour of conversions of account "acme".
func window(n int) state.NewPull {
	from := t0.Truncate(time.Hour).Add(time.Duration(n) * time.Hour)
	return state.NewPull{Account: "acme", Stream: "conversions", Kind: state.Windowed, Tier: state.Warm, From: from, To: from.Add(time.Hour), RunID: "run-1"}
}

// changes and snapshot are pulls of the other kinds, of the same account.
func changes(since time.Time) state.NewPull {
	return state.NewPull{Account: "acme", Stream: "conversions", Kind: state.Changes, Tier: state.Hot, From: since, To: since.Add(time.Hour), RunID: "run-2"}
}

func snapshot() state.NewPull {
	return state.NewPull{Account: "acme", Stream: "offers", Kind: state.Snapshot, Tier: state.Warm, RunID: "run-3"}
}

func (f *fixture) create(pulls ...state.NewPull) []state.Pull {
	f.Helper()
	return must[[]state.Pull](f)(f.s.CreatePulls(f.ctx, pulls))
}

// created is create for one pull that has to be created.
func (f *fixture) created(n state.NewPull) state.Pull {
	f.Helper()
	pulls := f.create(n)
	if len(pulls) != 1 {
		f.Fatalf("created %d pulls of %+v, want 1", len(pulls), n)
	}
	return pulls[0]
}

// receipt is the nth answer of a pull, different from every other.
func receipt(p state.Pull, n int, done bool) state.Receipt {
	body := fmt.Appendf(nil, "answer %d of pull %d ", n, p.ID)
	return state.Receipt{
		PullID: p.ID, Body: bytes.Repeat(body, 20), Request: fmt.Sprintf("GET /conversions?page=%d", n),
		Records: 100 + n, RawBytes: 10_000 + n, Hash: 1<<63 + uint64(n),
		Next: state.Cursor(fmt.Sprintf("page=%d", n+1)), Done: done,
		NextCall: t0.Add(time.Duration(n) * time.Second), ReceivedAt: t0.Add(time.Duration(n) * time.Minute),
	}
}

func (f *fixture) receive(r state.Receipt) state.Pull {
	f.Helper()
	return must[state.Pull](f)(f.s.Receive(f.ctx, r))
}

// pulled creates a pull and receives all of its answers.
func (f *fixture) pulled(n state.NewPull, pages int) state.Pull {
	f.Helper()
	p := f.created(n)
	for page := 1; page <= pages; page++ {
		p = f.receive(receipt(p, page, page == pages))
	}
	return p
}

func (f *fixture) publish(pulls ...state.Pull) {
	f.Helper()
	var done []state.Published
	for i, p := range pulls {
		done = append(done, state.Published{PullID: p.ID, PublishedAt: t0.Add(time.Duration(i) * time.Second), Rows: p.Records, Quarantined: 1})
	}
	f.no(f.s.Publish(f.ctx, done))
}

func (f *fixture) openPulls() []state.Pull {
	f.Helper()
	return must[[]state.Pull](f)(f.s.OpenPulls(f.ctx, ""))
}

func (f *fixture) failedPulls() []state.Pull {
	f.Helper()
	return must[[]state.Pull](f)(f.s.FailedPulls(f.ctx))
}

func (f *fixture) pages(id int64) []state.Page {
	f.Helper()
	return must[[]state.Page](f)(f.s.Pages(f.ctx, id, 0, 1000))
}

func (f *fixture) inbox() state.InboxSize {
	f.Helper()
	return must[state.InboxSize](f)(f.s.Inbox(f.ctx))
}

func (f *fixture) lane() state.Lane {
	f.Helper()
	return must[state.Lane](f)(f.s.Lane(f.ctx, "acme"))
}

func (f *fixture) nextCall(want time.Time) {
	f.Helper()
	if got := f.lane().NextCall; !got.Equal(want) {
		f.Fatalf("got next call at %s, want %s", got, want)
	}
}

func (f *fixture) checkpoints(stream string) []state.Checkpoint {
	f.Helper()
	return must[[]state.Checkpoint](f)(f.s.Checkpoints(f.ctx, "acme", stream))
}
