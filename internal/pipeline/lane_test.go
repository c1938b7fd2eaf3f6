package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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

// fakeNetwork is a source and its network in one: every stream has pages of one
// call each, and answers come from a script.
type fakeNetwork struct {
	streams []*extractors.Stream
	// took is how long a call takes.
	took time.Duration
	// answer gives the error of the n-th call, counted from 1; nil for success.
	answer func(n int, describe string) error
	// pages is the number of pages of a pull; 0 means 1.
	pages map[string]int
	// machines give the calls of streams by where a pull stands, and what their answers say.
	machines map[string]func(w extractors.Work) (extractors.Call, extractors.Page)
	// checkless says that no call proves the key.
	checkless bool
	// fetch brings a file; nil if the network has none.
	fetch func(ctx context.Context, f extractors.File, path string) (int64, error)

	mu    sync.Mutex
	calls []call
	began time.Time
}

// call is one call as the network saw it, by seconds since the beginning.
type call struct {
	What      string
	At, Ended time.Duration
}

func (f *fakeNetwork) Streams() []*extractors.Stream { return f.streams }

func (f *fakeNetwork) Check() extractors.Call {
	if f.checkless {
		return extractors.Call{}
	}
	return extractors.Call{Method: http.MethodGet, URL: "https://fake.example/check", Describe: "check"}
}

func (f *fakeNetwork) Next(s *extractors.Stream, w extractors.Work) (extractors.Call, error) {
	if machine := f.machines[s.Name]; machine != nil {
		call, _ := machine(w)
		call.Method = http.MethodGet
		return call, nil
	}
	what := s.Name
	if w.Kind == state.Windowed {
		what += " " + w.Window.From.Format("01-02")
	}
	if w.Cursor != "" {
		what += " page " + string(w.Cursor)
	}
	return extractors.Call{Method: http.MethodGet, Describe: what}, nil
}

func (f *fakeNetwork) Read(s *extractors.Stream, w extractors.Work, a extractors.Answer) (extractors.Page, error) {
	if s == nil {
		return extractors.Page{Done: true}, nil
	}
	if machine := f.machines[s.Name]; machine != nil {
		_, page := machine(w)
		return page, nil
	}
	page := 1
	if w.Cursor != "" {
		_, _ = fmt.Sscan(string(w.Cursor), &page)
	}
	return extractors.Page{Records: 1, Next: state.Cursor(fmt.Sprint(page + 1)), Done: page >= max(f.pages[s.Name], 1)}, nil
}

func (f *fakeNetwork) Mask(string) func(dst, value []byte) []byte { return nil }

func (f *fakeNetwork) Redact(body []byte) []byte { return body }

func (f *fakeNetwork) Do(ctx context.Context, c extractors.Call) (extractors.Answer, error) {
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, call{What: c.Describe, At: time.Since(f.began)})
	f.mu.Unlock()
	select {
	case <-time.After(f.took):
	case <-ctx.Done():
		return extractors.Answer{}, context.Cause(ctx)
	}
	f.mu.Lock()
	f.calls[n].Ended = time.Since(f.began)
	f.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer != nil {
		if err := f.answer(n+1, c.Describe); err != nil {
			return extractors.Answer{}, err
		}
	}
	return extractors.Answer{Status: 200, Body: []byte("{}")}, nil
}

// seen gives what was called, in order.
func (f *fakeNetwork) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var what []string
	for _, c := range f.calls {
		what = append(what, c.What)
	}
	return what
}

// noWarehouse is down.
type noWarehouse struct{}

type downError struct{}

func (downError) Error() string   { return "the warehouse is down" }
func (downError) Retryable() bool { return true }

func (noWarehouse) Begin(context.Context, int) (*loaders.Batch, error) { return nil, downError{} }

func (noWarehouse) Column(context.Context, string, string, map[string]string, []string) ([]string, error) {
	return []string{"1", "2"}, nil
}

func windowed(name string) *extractors.Stream {
	return &extractors.Stream{
		Name: name, Window: &extractors.WindowRule{By: "created_at", Step: extractors.Day, Location: time.UTC},
		Restate: []extractors.TierRule{{Last: 24 * time.Hour, Every: time.Hour}},
		Outputs: outputs("conversions"),
	}
}

func snapshot(name string) *extractors.Stream {
	return &extractors.Stream{Name: name, Outputs: outputs("offers")}
}

func outputs(table string) []extractors.Output {
	t, _ := schema.Lookup(table)
	return []extractors.Output{{Table: t, Spec: normalize.Spec{Table: table}}}
}

// bed is an engine over a fake network and a real state store.
type bed struct {
	t       *testing.T
	network *fakeNetwork
	account *Account
	store   state.Store
	engine  *Engine
	stop    func() error
}

// setup must be called in a bubble.
func setup(t *testing.T, network *fakeNetwork, account Account, path string, change ...func(*Options)) *bed {
	t.Helper()
	if network.began.IsZero() {
		network.began = time.Now()
	}
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	account.Name, account.Network, account.Source, account.Caller = "a", "fake", network, network
	account.Location = time.UTC
	account.Timeout = 2 * time.Minute
	o := Options{Store: store, Warehouse: noWarehouse{}, Accounts: []*Account{&account}, Log: zaptest.NewLogger(t)}
	for _, f := range change {
		f(&o)
	}
	e, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, network: network, account: &account, store: store, engine: e}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	b.stop = sync.OnceValue(func() error {
		cancel()
		err := <-done
		return errors.Join(err, store.Close())
	})
	return b
}

func (b *bed) plan(streams ...string) {
	b.t.Helper()
	for _, s := range streams {
		if err := b.engine.Plan(b.t.Context(), "a", s, time.Now()); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bed) end() {
	b.t.Helper()
	if err := b.stop(); err != nil {
		b.t.Errorf("the engine ended with %v", err)
	}
}

func stateFile(t *testing.T) string { return filepath.Join(t.TempDir(), "state.db") }

func TestPaceCountsFromTheEndOfEveryCallFailedOnesIncluded(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("offers"), snapshot("users"), windowed("conversions")}, took: 20 * time.Second,
			answer: func(n int, _ string) error {
				if n%3 == 0 {
					return errors.New("connection reset")
				}
				return nil
			},
			pages: map[string]int{"offers": 4},
		}
		account := Account{MinDelay: 5 * time.Minute}
		b := setup(t, network, account, path)
		b.plan("offers", "users", "conversions")
		time.Sleep(27 * time.Minute) // in the bubble: no time passes for anyone else
		b.end()
		// A restart in the middle of a pause must not shorten it.
		b = setup(t, network, account, path)
		time.Sleep(time.Hour)
		b.end()
		network.mu.Lock()
		defer network.mu.Unlock()
		if len(network.calls) < 8 {
			t.Fatalf("only %d calls in 87 minutes: %v", len(network.calls), network.calls)
		}
		for i := 1; i < len(network.calls); i++ {
			gap := network.calls[i].At - network.calls[i-1].Ended
			if gap < account.MinDelay {
				t.Errorf("call %d (%s) left %s after the end of the one before; the pace is %s", i+1, network.calls[i].What, gap, account.MinDelay)
			}
		}
	})
}

func TestHotWindowsOvertakeABackfill(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{streams: []*extractors.Stream{windowed("conversions"), snapshot("offers")}, took: time.Second}
		b := setup(t, network, Account{MinDelay: time.Minute}, path)
		now := time.Now()
		if err := b.engine.Backfill(t.Context(), "a", "conversions", now.AddDate(0, 0, -30), now.AddDate(0, 0, -20), now, now); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Minute + 10*time.Second)
		b.plan("conversions", "offers")
		time.Sleep(4 * time.Minute)
		b.end()
		got := network.seen()
		// Four calls of the backfill, newest first; then the hot windows, newest first,
		// then the snapshot, and only then the backfill again.
		want := []string{
			"conversions 12-11", "conversions 12-10", "conversions 12-09", "conversions 12-08",
			"conversions 01-01", "conversions 12-31", "offers", "conversions 12-07",
		}
		if d := cmp.Diff(want, got[:min(len(got), len(want))]); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

func apiError(outcome extractors.Outcome, status int, retryAfter time.Duration) error {
	return &extractors.APIError{Network: "Fake", Account: "a", Status: status, Message: "no", Outcome: outcome, RetryAfter: retryAfter}
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name   string
		answer func(n int, describe string) error
		calls  []string
		failed string // part of what the engine says
		// checkless is the network's.
		checkless bool
	}{
		{
			"a server's error is tried again, and the others go on meanwhile",
			func(n int, _ string) error {
				if n == 1 {
					return apiError(extractors.RetryNow, 502, 0)
				}
				return nil
			},
			[]string{"offers", "users", "offers"}, "", false,
		},
		{
			"a stream that is refused for good stops alone",
			func(_ int, what string) error {
				if what == "offers" {
					return apiError(extractors.StopStream, 404, 0)
				}
				return nil
			},
			[]string{"offers", "users"}, "does not know this call", false,
		},
		{
			"a refused key costs two calls and stops the account",
			func(int, string) error { return apiError(extractors.StopAccount, 403, 0) },
			[]string{"offers", "check"}, "Fake refused the key of account a (403 no)", false,
		},
		{
			"a refused right stops the stream, not the account",
			func(_ int, what string) error {
				if what == "offers" {
					return apiError(extractors.StopAccount, 403, 0)
				}
				return nil
			},
			[]string{"offers", "check", "users"}, "although it accepts the key", false,
		},
		{
			"where no call proves the key, a refusal stops the stream and costs one call",
			func(_ int, what string) error {
				if what == "offers" {
					return apiError(extractors.StopAccount, 403, 0)
				}
				return nil
			},
			[]string{"offers", "users"}, "whether it is the key or the right", true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers"), snapshot("users")}, took: time.Second, answer: tt.answer, checkless: tt.checkless}
				b := setup(t, network, Account{}, path)
				b.plan("offers", "users")
				time.Sleep(30 * time.Minute)
				failures := strings.Join(b.engine.Failures(), "\n")
				b.end()
				if d := cmp.Diff(tt.calls, network.seen()); d != "" {
					t.Errorf("calls (-want +got):\n%s", d)
				}
				if !strings.Contains(failures, tt.failed) || (tt.failed == "") != (failures == "") {
					t.Errorf("got failures %q, want %q in it", failures, tt.failed)
				}
			})
		})
	}
}

func TestRetryAfterHoldsTheWholeAccountAndOutlivesARestart(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("offers"), snapshot("users")},
			answer: func(n int, _ string) error {
				if n == 1 {
					return apiError(extractors.Wait, 429, 40*time.Minute)
				}
				return nil
			},
		}
		b := setup(t, network, Account{}, path)
		b.plan("offers", "users")
		time.Sleep(10 * time.Minute)
		b.end()
		b = setup(t, network, Account{}, path)
		time.Sleep(time.Hour)
		b.end()
		network.mu.Lock()
		defer network.mu.Unlock()
		if len(network.calls) != 3 || network.calls[1].At < 40*time.Minute {
			t.Errorf("got calls %v, want the second one 40 minutes after the first", network.calls)
		}
	})
}

func TestGivesUpAfterManyFailuresUntilTheStreamIsDueAgain(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("offers")},
			answer:  func(int, string) error { return errors.New("connection refused") },
		}
		b := setup(t, network, Account{}, path)
		b.plan("offers")
		time.Sleep(24 * time.Hour)
		if got := len(network.seen()); got != b.engine.attempts {
			t.Errorf("got %d calls in a day of failures, want %d", got, b.engine.attempts)
		}
		b.plan("offers")
		time.Sleep(time.Second)
		if got := len(network.seen()); got != b.engine.attempts+1 {
			t.Errorf("got %d calls after the stream was due again, want %d", got, b.engine.attempts+1)
		}
		b.end()
	})
}

func TestAShutdownLetsTheCallInHandBecomeDurable(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers")}, took: 5 * time.Second}
		b := setup(t, network, Account{}, path)
		b.plan("offers")
		time.Sleep(time.Second)
		b.end()
		b = setup(t, network, Account{}, path)
		time.Sleep(time.Minute)
		b.end()
		if d := cmp.Diff([]string{"offers"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

func TestAShutdownDoesNotWaitForASlowNetworkForEver(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers")}, took: time.Hour}
		b := setup(t, network, Account{}, path)
		b.plan("offers")
		time.Sleep(time.Second)
		began := time.Now()
		b.end()
		if took := time.Since(began); took != b.engine.grace {
			t.Errorf("the shutdown took %s, want the grace of %s", took, b.engine.grace)
		}
		if got := b.engine.Failures(); len(got) > 0 {
			t.Errorf("a shutdown is not a failure, got %v", got)
		}
	})
}

func TestParallelCallsOnlyWhereTheNetworkAllowsThem(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d at once", parallel), func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{took: time.Minute}
				for i := range 6 {
					network.streams = append(network.streams, snapshot(fmt.Sprint("s", i)))
				}
				b := setup(t, network, Account{Parallel: parallel}, path)
				for _, s := range network.streams {
					b.plan(s.Name)
				}
				time.Sleep(90 * time.Second)
				b.end()
				if got, want := len(network.seen()), 2*parallel; got != want {
					t.Errorf("got %d calls in one and a half minutes of one-minute calls, want %d", got, want)
				}
			})
		})
	}
}

func (f *fakeNetwork) Fetch(ctx context.Context, file extractors.File, path string) (int64, error) {
	if f.fetch == nil {
		return 0, errors.New("this network has no files")
	}
	return f.fetch(ctx, file, path)
}
