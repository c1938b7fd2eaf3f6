package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/internal/spool"
	"syncd/state"
)

// exporting is a stream whose pull is an export: it is created, asked for until it is
// written, and a link to its file is asked for.
func exporting(polls int, file *extractors.File) func(extractors.Work) (extractors.Call, extractors.Page) {
	return func(w extractors.Work) (extractors.Call, extractors.Page) {
		switch phase, n, _ := strings.Cut(string(w.Cursor), ":"); phase {
		case "", "find":
			return extractors.Call{Describe: "find"}, extractors.Page{Control: true, Next: "create"}
		case "create":
			return extractors.Call{Describe: "create", Creates: true, Budget: "exports", Unheard: "find"},
				extractors.Page{Control: true, Next: "poll:1", Pause: 10 * time.Second, Note: "export 7 is being written"}
		case "poll":
			at := 0
			_, _ = fmt.Sscan(n, &at)
			page := extractors.Page{Control: true, Next: state.Cursor(fmt.Sprint("poll:", at+1)), Pause: 10 * time.Second, Note: "export 7 is being written"}
			if at >= polls {
				page = extractors.Page{Control: true, Next: "sign"}
			}
			return extractors.Call{Describe: "poll"}, page
		default:
			return extractors.Call{Describe: "sign"}, extractors.Page{Records: 3, Done: true, File: file}
		}
	}
}

func exports(calls int, per time.Duration) map[string]state.Budget {
	return map[string]state.Budget{"exports": {Name: "exports", Calls: calls, Per: per}}
}

// inSpool gives an engine a spool and says where it is.
func inSpool(t *testing.T) (*spool.Spool, func(*Options)) {
	t.Helper()
	s, err := spool.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s, func(o *Options) { o.Spool = s }
}

// times gives when the network saw a call, in order.
func (f *fakeNetwork) times(what string) []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var at []time.Duration
	for _, c := range f.calls {
		if c.What == what {
			at = append(at, c.At)
		}
	}
	return at
}

func (b *bed) open() []state.Pull {
	b.t.Helper()
	pulls, err := b.store.OpenPulls(b.t.Context(), "")
	if err != nil {
		b.t.Fatal(err)
	}
	return pulls
}

func TestAUsedUpBudgetHoldsUpOnlyThePullThatNeedsIt(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("exports"), snapshot("offers")}, took: time.Second, pages: map[string]int{"offers": 10},
			machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){"exports": exporting(1, nil)},
		}
		account := Account{MinDelay: time.Minute, Budgets: exports(1, 2*time.Hour)}
		b := setup(t, network, account, path)
		// Someone else used the budget up, an hour ago.
		if _, err := b.store.Quotas(t.Context(), "a", []state.Budget{account.Budgets["exports"]}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		b.plan("exports", "offers")
		time.Sleep(10*time.Minute + 30*time.Second)
		if got := len(network.seen()); got != 11 {
			t.Errorf("got %d calls at a pace of 61 s, want 11 as without the refusal: %v", got, network.seen())
		}
		time.Sleep(20 * time.Minute)
		if got, want := b.engine.Waiting("a", "exports"), "waiting for the exports budget until 01:00"; got != want {
			t.Errorf("the stream waits for %q, want %q", got, want)
		}
		offers := 0
		for _, what := range network.seen() {
			if strings.HasPrefix(what, "offers") {
				offers++
			}
		}
		if offers != 10 {
			t.Errorf("the other stream made %d of its 10 calls: %v", offers, network.seen())
		}
		b.end()
		b = setup(t, network, account, path) // the budget is known to the store alone
		time.Sleep(2 * time.Hour)
		b.end()
		if at := network.times("create"); len(at) != 1 || at[0] < time.Hour || at[0] > time.Hour+time.Minute {
			t.Errorf("exports were created at %v, want one after an hour", at)
		}
	})
}

func TestABudgetThatTheAccountDoesNotHaveStopsTheStream(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams:  []*extractors.Stream{snapshot("exports")},
			machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){"exports": exporting(1, nil)},
		}
		b := setup(t, network, Account{}, path)
		b.plan("exports")
		time.Sleep(time.Hour)
		failures := strings.Join(b.engine.Failures(), "\n")
		b.end()
		if d := cmp.Diff([]string{"find"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if !strings.Contains(failures, `the budget "exports", which account a does not have`) {
			t.Errorf("got failures %q", failures)
		}
	})
}

func TestACreationWithoutAnAnswerIsLookedForAndNotMadeAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		delay time.Duration
		end   string
	}{
		{"at the account's pace, lost", time.Second, "lost"},
		{"without a pace, lost", 0, "lost"},
		{"without a pace, refused", 0, "refused"},
		{"without a pace, cut by a shutdown", 0, "cut"},
		{"the pull refused, the key accepted", 0, "key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{
					streams: []*extractors.Stream{snapshot("exports")}, took: 10 * time.Millisecond,
					machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){"exports": exporting(1, nil)},
				}
				network.answer = func(n int, what string) error {
					switch {
					case what == "check":
						return apiError(extractors.RetryNow, 500, 0)
					case what != "create" || n > 3:
					case tt.end == "lost":
						return errors.New("connection reset")
					case tt.end == "refused":
						return apiError(extractors.RetryNow, 500, 0)
					case tt.end == "key":
						return apiError(extractors.StopAccount, 403, 0)
					}
					return nil
				}
				account := Account{MinDelay: tt.delay, Budgets: exports(10, time.Hour)}
				if tt.end == "cut" {
					network.took = 20 * time.Second // longer than the grace
				}
				b := setup(t, network, account, path)
				b.plan("exports")
				if tt.end == "cut" {
					time.Sleep(25 * time.Second)
					b.end()
					network.took = 10 * time.Millisecond
					b = setup(t, network, account, path)
				}
				time.Sleep(9 * time.Second)
				b.end()
				seen := slices.DeleteFunc(network.seen(), func(what string) bool { return what == "check" })
				if len(seen) > 4 {
					seen = seen[:4]
				}
				if d := cmp.Diff([]string{"find", "create", "find", "create"}, seen); d != "" {
					t.Errorf("calls (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestAnAnswerWithoutRecordsLeavesNothingButWhereToGoOn(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("exports"), snapshot("offers")}, took: time.Second, pages: map[string]int{"offers": 100},
			machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){"exports": exporting(6, nil)},
		}
		account := Account{Budgets: exports(10, time.Hour)}
		b := setup(t, network, account, path)
		b.plan("exports", "offers")
		time.Sleep(7*time.Second + 500*time.Millisecond)
		if got := b.engine.Waiting("a", "exports"); got != "export 7 is being written" {
			t.Errorf("the stream waits for %q", got)
		}
		pull := b.open()[0]
		if pull.Cursor != "poll:1" || pull.Pages != 0 || pull.Bytes != 0 || pull.Records != 0 {
			t.Errorf("the pull stands at %+v", pull)
		}
		b.end() // in the middle of a pause, which the next daemon keeps
		b = setup(t, network, account, path)
		time.Sleep(50 * time.Second)
		b.end()
		polls := network.times("poll")
		if len(polls) < 4 {
			t.Fatalf("got %d polls in a minute of pauses of 10 s: %v", len(polls), network.calls)
		}
		last := network.times("create")[0]
		for _, at := range polls {
			if gap := at - last - time.Second; gap < 10*time.Second {
				t.Errorf("polled %s after the answer before", gap)
			}
			last = at
		}
		if others := len(network.seen()) - len(polls) - 2; others < 45 {
			t.Errorf("the other stream made %d calls of a second in a minute", others)
		}
	})
}

func TestAWaitOfOnePullDoesNotHoldTheAccount(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("exports"), snapshot("offers")}, took: time.Second, pages: map[string]int{"offers": 10},
			machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){"exports": exporting(1, nil)},
		}
		first := true
		network.answer = func(_ int, what string) error {
			if what == "create" && first {
				first = false
				return &extractors.APIError{Network: "Fake", Account: "a", Status: 429, Outcome: extractors.Wait, RetryAfter: 6 * time.Hour, PullOnly: true, Cursor: "create"}
			}
			return nil
		}
		b := setup(t, network, Account{MinDelay: time.Second, Budgets: exports(10, time.Hour)}, path)
		b.plan("exports", "offers")
		time.Sleep(time.Minute)
		if got := len(network.seen()); got != 12 {
			t.Errorf("got %d calls in the first minute, want 12: %v", got, network.seen())
		}
		time.Sleep(6 * time.Hour)
		b.end()
		if at := network.times("create"); len(at) != 2 || at[1] < 6*time.Hour {
			t.Errorf("exports were created at %v, want the second after 6 hours", at)
		}
		if n := len(network.times("find")); n != 1 {
			t.Errorf("the export was looked for %d times, and the refusal said that there is none", n)
		}
	})
}
