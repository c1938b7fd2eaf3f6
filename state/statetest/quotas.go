package statetest

import (
	"math/rand/v2"
	"testing"
	"time"

	"syncd/state"
)

func testQuotas(t *testing.T, d Driver) {
	type call struct {
		at   time.Duration
		ok   bool
		free time.Duration // when not ok
	}
	askAll := func(f *fixture, c call, budgets ...state.Budget) {
		f.Helper()
		want := time.Time{}
		if !c.ok {
			want = t0.Add(c.free)
		}
		if free := must[time.Time](f)(f.s.Quotas(f.ctx, "acme", budgets, t0.Add(c.at))); free != want {
			f.Fatalf("at %s: free at %s, want %s", c.at, free, want)
		}
	}
	ask := func(f *fixture, name string, limit int, c call) {
		f.Helper()
		askAll(f, c, state.Budget{Name: name, Calls: limit, Per: time.Minute})
	}
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, c := range []struct {
		name  string
		calls []call // at most 3 a minute
	}{
		{"calls within the limit are allowed", []call{{0, true, 0}, {0, true, 0}, {0, true, 0}}},
		{"the call too many is told when the oldest leaves the window", []call{{0, true, 0}, {s, true, 0}, {2 * s, true, 0}, {3 * s, false, m}}},
		{"a refused call is not counted", []call{{0, true, 0}, {0, true, 0}, {0, true, 0}, {s, false, m}, {2 * s, false, m}, {m, true, 0}, {m, true, 0}, {m, true, 0}, {m, false, 2 * m}}},
		{"a millisecond early is too early", []call{{0, true, 0}, {s, true, 0}, {2 * s, true, 0}, {m - time.Millisecond, false, m}, {m, true, 0}, {m, false, m + s}}},
		{"the window slides with the clock", []call{{0, true, 0}, {50 * s, true, 0}, {55 * s, true, 0}, {m, true, 0}, {m + s, false, 110 * s}, {110 * s, true, 0}}},
		{"a clock set back frees nothing", []call{{m, true, 0}, {m, true, 0}, {m, true, 0}, {0, false, 2 * m}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, d)
			for _, c := range c.calls {
				ask(f, "calls", 3, c)
			}
		})
	}
	each(t, d, []testCase{
		{"a budget survives reopening", func(f *fixture) {
			ask(f, "calls", 1, call{0, true, 0})
			f.reopen()
			ask(f, "calls", 1, call{s, false, m})
		}},
		{"budgets of other names and accounts are others", func(f *fixture) {
			ask(f, "calls", 1, call{0, true, 0})
			ask(f, "exports", 1, call{0, true, 0})
			free := must[time.Time](f)(f.s.Quotas(f.ctx, "other", []state.Budget{{Name: "calls", Calls: 1, Per: time.Minute}}, t0))
			f.equal("free for another account", free, time.Time{})
			ask(f, "calls", 1, call{0, false, m})
		}},
		{"a limit that was lowered counts the calls already made", func(f *fixture) {
			for i := range 5 {
				ask(f, "calls", 5, call{time.Duration(i) * s, true, 0})
			}
			ask(f, "calls", 2, call{10 * s, false, m + 3*s})
			ask(f, "calls", 2, call{m + 3*s, true, 0})
		}},
		{"a call that one budget refuses is counted against none", func(f *fixture) {
			minute, hour := state.Budget{Name: "minute", Calls: 1, Per: m}, state.Budget{Name: "hour", Calls: 2, Per: h}
			askAll(f, call{0, true, 0}, minute, hour)
			askAll(f, call{s, false, m}, minute, hour)
			askAll(f, call{s, false, m}, hour, minute)
			askAll(f, call{m, true, 0}, hour, minute)
			askAll(f, call{2 * m, false, h}, minute, hour)
			askAll(f, call{2 * m, true, 0}, minute)
		}},
		{"a call waits for the budget that is free last, in whatever order they are given", func(f *fixture) {
			minute, hour := state.Budget{Name: "minute", Calls: 1, Per: m}, state.Budget{Name: "hour", Calls: 1, Per: h}
			askAll(f, call{0, true, 0}, minute, hour)
			askAll(f, call{s, false, h}, minute, hour)
			askAll(f, call{s, false, h}, hour, minute)
			askAll(f, call{h, true, 0}, hour, minute)
		}},
		{"no budgets allow everything", func(f *fixture) {
			askAll(f, call{0, true, 0})
		}},
		{"a budget that cannot be counted is an error, and none beside it is counted", func(f *fixture) {
			good := state.Budget{Name: "calls", Calls: 1, Per: m}
			for name, bad := range map[string]state.Budget{
				"no calls":       {Name: "bad", Per: m},
				"no time":        {Name: "bad", Calls: 1},
				"the name again": {Name: "calls", Calls: 9, Per: h},
			} {
				if _, err := f.s.Quotas(f.ctx, "acme", []state.Budget{good, bad}, t0); err == nil {
					f.Errorf("it was taken: %s", name)
				}
			}
			askAll(f, call{0, true, 0}, good)
		}},
		{"no window of the length holds more calls than the limit, and who waits as told is served", func(f *fixture) {
			const limit = 7
			budget := []state.Budget{{Name: "calls", Calls: limit, Per: time.Minute}}
			random := rand.New(rand.NewPCG(1, 2))
			var made []time.Time
			for now := t0; len(made) < 60; now = now.Add(time.Duration(random.IntN(12_000)) * time.Millisecond) {
				if free := must[time.Time](f)(f.s.Quotas(f.ctx, "acme", budget, now)); !free.IsZero() {
					if !free.After(now) {
						f.Fatalf("refused at %s, but free at %s", now, free)
					}
					now = free
					if free = must[time.Time](f)(f.s.Quotas(f.ctx, "acme", budget, now)); !free.IsZero() {
						f.Fatalf("refused at %s, the time it was told to come", now)
					}
				}
				made = append(made, now)
				if n := len(made); n > limit && now.Sub(made[n-1-limit]) < time.Minute {
					f.Fatalf("%d calls within %s", limit+1, now.Sub(made[n-1-limit]))
				}
			}
		}},
	})
}
