package schedule_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"syncd/internal/schedule"
)

// The clock of a bubble begins here.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// calls records due times in a bubble.
type calls struct{ due []string }

func (c *calls) fire(_ context.Context, due time.Time) {
	c.due = append(c.due, due.UTC().Format("02 15:04:05"))
}

// runFor runs a loop in the bubble for a while and returns what Run returned.
func runFor(t *testing.T, d time.Duration, loop *schedule.Loop, entries ...schedule.Entry) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return loop.Run(ctx, entries)
}

func TestLoop(t *testing.T) {
	tests := []struct {
		name string
		spec string
		last time.Time
		run  time.Duration
		want []string
	}{
		{"an entry that never was due is called at once", "@hourly", time.Time{}, 90 * time.Minute,
			[]string{"01 00:00:00", "01 01:00:00"}},
		{"what was due while nobody looked is called once, with the latest due time", "*/15 * * * *", begin.Add(-10*time.Hour - time.Minute), 20 * time.Minute,
			[]string{"01 00:00:00", "01 00:15:00"}},
		{"the latest due time is found after a long absence", "0 9 * * 3", begin.AddDate(-3, 0, 0), time.Minute, []string{"29 09:00:00"}},
		{"a due time that is the last known one is not called again", "@hourly", begin, time.Hour - time.Second, nil},
		{"what was not missed is called when it is due", "30 * * * *", begin.Add(-10 * time.Minute), time.Hour, []string{"01 00:30:00"}},
		{"a schedule longer than any timer's wait", "@monthly", begin, 32 * 24 * time.Hour, []string{"01 00:00:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c calls
				entry := schedule.Entry{Key: "a", Schedule: parse(t, tt.spec, time.UTC, ""), Last: tt.last, Fire: c.fire}
				if err := runFor(t, tt.run, &schedule.Loop{}, entry); err != nil {
					t.Fatalf("running: %v", err)
				}
				if diff := cmp.Diff(tt.want, c.due); diff != "" {
					t.Errorf("called (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestLoopKeepsEntriesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fast, slow, never calls
		err := runFor(t, 2*time.Hour+time.Second, &schedule.Loop{},
			schedule.Entry{Key: "fast", Schedule: parse(t, "*/30 * * * *", time.UTC, ""), Last: begin, Fire: fast.fire},
			schedule.Entry{Key: "slow", Schedule: parse(t, "@hourly", time.UTC, ""), Last: begin, Fire: slow.fire},
			schedule.Entry{Key: "never", Schedule: neverAgain{}, Last: begin, Fire: never.fire},
		)
		if err != nil || len(fast.due) != 4 || len(slow.due) != 2 || len(never.due) != 0 {
			t.Errorf("got %v, %v, %v, error %v", fast.due, slow.due, never.due, err)
		}
	})
}

type neverAgain struct{}

func (neverAgain) Next(time.Time) time.Time { return time.Time{} }

func TestLoopSkipsDueTimesOfACallThatIsStillGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		var c calls
		var skipped []string
		loop := &schedule.Loop{Log: zap.New(core), Skipped: func(key string, due time.Time) {
			skipped = append(skipped, key+" "+due.UTC().Format("15:04"))
		}}
		entry := schedule.Entry{Key: "a", Schedule: parse(t, "*/10 * * * *", time.UTC, ""), Last: begin, Fire: func(ctx context.Context, due time.Time) {
			c.fire(ctx, due)
			if len(c.due) == 1 {
				<-time.After(25 * time.Minute) // until 00:35
			}
		}}
		if err := runFor(t, time.Hour-time.Second, loop, entry); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"01 00:10:00", "01 00:40:00", "01 00:50:00"}, c.due); diff != "" {
			t.Errorf("called (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a 00:20", "a 00:30"}, skipped); diff != "" {
			t.Errorf("skipped (-want +got):\n%s", diff)
		}
		if got := logs.FilterLevelExact(zap.DebugLevel).Len(); got != 2 {
			t.Errorf("%d lines logged, want 2", got)
		}
	})
}

func TestLoopStopsWithinItsGrace(t *testing.T) {
	tests := []struct {
		name string
		// hold is how long a call goes on after it was told to stop.
		hold time.Duration
		want time.Duration
		ok   bool
	}{
		{"a call that ends in time is waited for", 10 * time.Second, 10 * time.Second, true},
		{"a call that does not end is named and left behind", 10 * time.Minute, 20 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				entry := schedule.Entry{Key: "slow", Schedule: parse(t, "@hourly", time.UTC, ""), Fire: func(ctx context.Context, _ time.Time) {
					defer close(ended)
					<-ctx.Done()
					<-time.After(tt.hold)
				}}
				err := runFor(t, time.Minute, &schedule.Loop{Grace: 20 * time.Second}, entry)
				if took := time.Since(begin.Add(time.Minute)); took != tt.want {
					t.Errorf("stopping took %v of the bubble's time, want %v", took, tt.want)
				}
				if tt.ok != (err == nil) || !tt.ok && (!errors.Is(err, schedule.ErrStillRunning) || !strings.Contains(err.Error(), "slow")) {
					t.Errorf("got %v", err)
				}
				<-ended
			})
		})
	}
}

func TestLoopCallsNothingOnceItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var c calls
		entry := schedule.Entry{Key: "a", Schedule: parse(t, "@hourly", time.UTC, ""), Fire: c.fire}
		if err := (&schedule.Loop{}).Run(ctx, []schedule.Entry{entry}); err != nil || len(c.due) > 0 {
			t.Errorf("called at %v, error %v", c.due, err)
		}
	})
}

func TestLoopCallsEachDueTimeOnceOverAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		due := map[time.Time]bool{}
		entry := schedule.Entry{
			Key: "a", Schedule: parse(t, "*/30 1-3 * * *", zone(t, "Europe/Berlin"), "key"), Last: begin,
			Fire: func(_ context.Context, at time.Time) {
				if due[at.UTC()] {
					t.Errorf("called twice for %s", at)
				}
				due[at.UTC()] = true
			},
		}
		if err := runFor(t, 366*24*time.Hour, &schedule.Loop{}, entry); err != nil {
			t.Fatal(err)
		}
		// Six a day; but in March 2:00, 2:30 and 3:00 are one instant.
		if want := 366*6 - 2; len(due) != want {
			t.Errorf("called %d times, want %d", len(due), want)
		}
	})
}

func TestLoopNoticesThatTheClockWasSet(t *testing.T) {
	tests := []struct {
		name string
		jump time.Duration
		// want are the times of the wall clock at which the entry was due.
		want []string
	}{
		{"forward, what was leapt over is called once", 10 * time.Hour, []string{"01 10:00:00", "01 11:00:00"}},
		{"back, nothing is called again", -10 * time.Hour, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// After half an hour the clock is set.
				clock := func() time.Time {
					now := time.Now().Round(0)
					if now.Sub(begin) > 30*time.Minute {
						now = now.Add(tt.jump)
					}
					return now
				}
				loop := &schedule.Loop{}
				loop.SetClock(clock)
				var c calls
				late := time.Duration(0)
				entry := schedule.Entry{Key: "a", Schedule: parse(t, "@hourly", time.UTC, ""), Last: begin, Fire: func(ctx context.Context, due time.Time) {
					c.fire(ctx, due)
					late = max(late, clock().Sub(due))
				}}
				if err := runFor(t, 61*time.Minute, loop, entry); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, c.due); diff != "" {
					t.Errorf("called (-want +got):\n%s", diff)
				}
				// The leap went from 0:30 to 10:30.
				if late > 31*time.Minute+time.Second {
					t.Errorf("called %v late", late)
				}
			})
		})
	}
}
