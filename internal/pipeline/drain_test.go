package pipeline

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
)

func TestDrainEndsWhateverTheNetworkDoes(t *testing.T) {
	always := func(err error) func(int, string) error { return func(int, string) error { return err } }
	tests := []struct {
		name   string
		answer func(int, string) error
		calls  int
	}{
		{"it refuses the streams", always(apiError(extractors.StopStream, 404, 0)), 2},
		{"it refuses the key", always(apiError(extractors.StopAccount, 403, 0)), 2},
		{"it is down for ever", always(errors.New("connection refused")), 16},
		{"it is busy for ever", always(apiError(extractors.Wait, 429, time.Second)), 16},
		{"it asks for more patience than a run has", always(apiError(extractors.Wait, 429, time.Hour)), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers"), snapshot("users")}, took: time.Second, answer: tt.answer}
				b := setup(t, network, Account{}, path, func(o *Options) { o.OneShot = true })
				b.plan("offers", "users")
				ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
				defer cancel()
				if err := b.engine.Drain(ctx, 0); err != nil {
					t.Errorf("the drain did not end: %v", err)
				}
				if len(b.engine.Failures()) == 0 {
					t.Error("nothing was reported")
				}
				b.end()
				if got := len(network.seen()); got != tt.calls {
					t.Errorf("got %d calls, want %d: %v", got, tt.calls, network.seen())
				}
			})
		})
	}
}

func TestACheckThatFailsOtherwiseIsNoStorm(t *testing.T) {
	for _, status := range []int{404, 429, 500} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				outcome := map[int]extractors.Outcome{404: extractors.StopStream, 429: extractors.Wait, 500: extractors.RetryNow}[status]
				network := &fakeNetwork{
					streams: []*extractors.Stream{snapshot("offers")}, took: time.Second,
					answer: func(_ int, what string) error {
						if what == "check" {
							return apiError(outcome, status, 0)
						}
						return apiError(extractors.StopAccount, 403, 0)
					},
				}
				b := setup(t, network, Account{}, path)
				b.plan("offers")
				time.Sleep(time.Hour)
				b.end()
				if got := len(network.seen()); got > 40 {
					t.Errorf("got %d calls in an hour", got)
				}
			})
		})
	}
}

func TestARefusedKeyIsCheckedOnceByAllWorkers(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{took: time.Second, answer: func(int, string) error { return apiError(extractors.StopAccount, 403, 0) }}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			network.streams = append(network.streams, snapshot(name))
		}
		b := setup(t, network, Account{Parallel: 4}, path)
		for _, s := range network.streams {
			b.plan(s.Name)
		}
		time.Sleep(time.Hour)
		failures := b.engine.Failures()
		b.end()
		checks := 0
		for _, what := range network.seen() {
			if what == "check" {
				checks++
			}
		}
		if checks != 1 || len(failures) != 1 {
			t.Errorf("got %d checks and failures %v, want one of each", checks, failures)
		}
	})
}

func TestRetryAfterOfAServerErrorIsHonoured(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("offers")},
			answer: func(n int, _ string) error {
				if n == 1 {
					return apiError(extractors.RetryNow, 503, 30*time.Minute)
				}
				return nil
			},
		}
		b := setup(t, network, Account{}, path)
		b.plan("offers")
		time.Sleep(time.Hour)
		b.end()
		if len(network.calls) != 2 || network.calls[1].At < 30*time.Minute {
			t.Errorf("got calls %v, want the second one after 30 minutes", network.calls)
		}
	})
}

func TestPagesThatWerePaidForOutliveAnOutage(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		down := false
		network := &fakeNetwork{
			streams: []*extractors.Stream{snapshot("offers")}, took: time.Second, pages: map[string]int{"offers": 30},
			answer: func(int, string) error {
				if down {
					return errors.New("connection refused")
				}
				return nil
			},
		}
		b := setup(t, network, Account{}, path)
		b.plan("offers")
		time.Sleep(20*time.Second + time.Millisecond)
		network.mu.Lock()
		down = true
		network.mu.Unlock()
		time.Sleep(2 * time.Hour)
		if len(b.engine.Failures()) == 0 {
			t.Error("two hours of outage were not reported")
		}
		network.mu.Lock()
		down, network.calls = false, nil
		network.mu.Unlock()
		b.plan("offers")
		time.Sleep(time.Minute)
		b.end()
		seen := network.seen()
		if len(seen) != 10 || seen[0] != "offers page 21" {
			t.Errorf("after the outage it asked %v, want pages 21 to 30", seen)
		}
	})
}

func TestACallCutByAShutdownCostsThePaceAndNoMore(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers")}, took: time.Minute}
		account := Account{MinDelay: 5 * time.Second}
		b := setup(t, network, account, path)
		b.plan("offers")
		time.Sleep(time.Second)
		b.end() // after the grace, 10 s
		b = setup(t, network, account, path)
		time.Sleep(2 * time.Minute)
		b.end()
		if len(network.calls) != 2 || network.calls[1].At-network.calls[0].At > 20*time.Second {
			t.Errorf("got calls %v, want the second one right after the pace", network.calls)
		}
	})
}

func TestAListOfIdsThatWillNotComeIsNotWaitedFor(t *testing.T) {
	child := func() *extractors.Stream {
		s := snapshot("postbacks")
		s.ForEach = &extractors.ForEachRule{Stream: "publishers", Columns: []string{"publisher_id"}, Batch: 1}
		return s
	}
	tests := []struct {
		name    string
		streams []*extractors.Stream
		plan    []string
		answer  func(int, string) error
	}{
		{"its stream is not enabled", []*extractors.Stream{child()}, []string{"postbacks"}, nil},
		{"its stream was never published and is not selected", []*extractors.Stream{snapshot("publishers"), child()}, []string{"postbacks"}, nil},
		{
			"its stream is refused", []*extractors.Stream{snapshot("publishers"), child()}, []string{"publishers", "postbacks"},
			func(int, string) error { return apiError(extractors.StopStream, 404, 0) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := stateFile(t)
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{streams: tt.streams, answer: tt.answer, took: time.Second}
				b := setup(t, network, Account{}, path, func(o *Options) {
					o.OneShot = true
					o.Selected = func(_, stream string) bool { return slices.Contains(tt.plan, stream) }
				})
				b.plan(tt.plan...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := b.engine.Drain(ctx, 0); err != nil {
					t.Errorf("the drain did not end: %v", err)
				}
				b.end()
				if failures := b.engine.Failures(); len(failures) == 0 {
					t.Error("nobody says so")
				}
			})
		})
	}
}

// Schedules fire side by side: which of two streams is planned first is chance.
func TestAStreamWhoseIdsAreGoneOverIsPlannedWithTheFirstThatNeedsIt(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		child := snapshot("postbacks")
		child.ForEach = &extractors.ForEachRule{Stream: "publishers", Columns: []string{"publisher_id"}, Batch: 1}
		network := &fakeNetwork{streams: []*extractors.Stream{child, snapshot("publishers")}, took: time.Second}
		b := setup(t, network, Account{}, path)
		b.plan("postbacks")
		time.Sleep(time.Minute)
		if d := cmp.Diff([]string{"publishers"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if got := b.engine.Waiting("a", "postbacks"); got != "waiting for stream publishers" {
			t.Errorf("the stream that needs the ids says it is %q", got)
		}
		b.plan("publishers", "postbacks")
		b.end()
		if n := len(network.seen()); n != 1 {
			t.Errorf("%d calls, want 1: it was asked for already", n)
		}
	})
}

func TestOnlyWhatIsSelectedIsWorkedOn(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{streams: []*extractors.Stream{snapshot("offers"), snapshot("users")}, took: time.Hour}
		b := setup(t, network, Account{}, path)
		b.plan("offers", "users")
		b.end()
		network.took = time.Second
		network.calls = nil
		b = setup(t, network, Account{}, path, func(o *Options) {
			o.Selected = func(_, stream string) bool { return stream == "users" }
		})
		time.Sleep(time.Minute)
		b.end()
		if d := cmp.Diff([]string{"users"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

func TestWindowsOfAnotherClockOrOutOfTheNetworksReachAreForgotten(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		clicks := windowed("clicks")
		clicks.Window.MaxAge = 7 * 24 * time.Hour
		network := &fakeNetwork{streams: []*extractors.Stream{clicks, windowed("conversions")}, took: time.Hour}
		b := setup(t, network, Account{}, path)
		b.plan("clicks", "conversions")
		b.end()
		time.Sleep(8 * 24 * time.Hour)
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		moved := windowed("conversions")
		moved.Window.Location = berlin
		network.streams = []*extractors.Stream{clicks, moved}
		network.took, network.calls = time.Second, nil
		b = setup(t, network, Account{}, path)
		time.Sleep(time.Minute)
		open, err := b.store.OpenPulls(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		b.end()
		if len(open) > 0 || len(network.seen()) > 0 {
			t.Errorf("%d pulls are open and %v was called, want nothing left", len(open), network.seen())
		}
	})
}

func TestAFullInboxStopsTheCallsUntilTheWarehouseTakesSome(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{took: time.Second}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			network.streams = append(network.streams, snapshot(name))
		}
		b := setup(t, network, Account{}, path, func(o *Options) { o.InboxMax = 30 })
		for _, s := range network.streams {
			b.plan(s.Name)
		}
		time.Sleep(time.Hour)
		size, err := b.store.Inbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		waits := b.engine.Waiting("a", "h")
		b.end()
		if n := len(network.seen()); n == 0 || n == len(network.streams) {
			t.Errorf("got %d calls for an inbox of 30 bytes that holds %d", n, size.Bytes)
		}
		if waits == "" {
			t.Error("nobody says what the calls wait for")
		}
	})
}
