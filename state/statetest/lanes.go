package statetest

import (
	"math/rand/v2"
	"testing"
	"time"

	"syncd/state"
)

// depart lets a call of a pull leave whose answer is feared for after the given time.
func (f *fixture) depart(id int64, feared time.Duration) {
	f.Helper()
	f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: id, At: t0, NextCall: t0.Add(feared)}))
}

// answer ends a call of a pull.
func (f *fixture) answer(p state.Pull, next time.Duration) {
	f.Helper()
	r := receipt(p, 1, false)
	r.NextCall = t0.Add(next)
	f.receive(r)
}

func testLanes(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"a lane never seen is zero but for its name", func(f *fixture) {
			f.equal("lane", f.lane(), state.Lane{Account: "acme"})
			f.equal("lanes", must[[]state.Lane](f)(f.s.Lanes(f.ctx)), []state.Lane(nil))
		}},
		{"a departure moves the next call as far as is feared", func(f *fixture) {
			f.depart(f.created(window(0)).ID, 125*time.Second)
			f.nextCall(t0.Add(125 * time.Second))
		}},
		{"an answer replaces what its departure feared, by an earlier time", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.answer(p, 2*time.Second)
			f.nextCall(t0.Add(2 * time.Second))
		}},
		{"a failure replaces what its departure feared", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, NextCall: t0.Add(3 * time.Second)}))
			f.nextCall(t0.Add(3 * time.Second))
		}},
		{"the end of a call outside a pull replaces what its departure feared", func(f *fixture) {
			f.depart(0, 125*time.Second)
			f.nextCall(t0.Add(125 * time.Second))
			f.no(f.s.Ended(f.ctx, "acme", t0.Add(4*time.Second)))
			f.nextCall(t0.Add(4 * time.Second))
		}},
		{"a failure outside a pull replaces what its departure feared", func(f *fixture) {
			f.depart(0, 125*time.Second)
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", NextCall: t0.Add(4 * time.Second)}))
			f.nextCall(t0.Add(4 * time.Second))
		}},
		{"an end without a departure counts as well", func(f *fixture) {
			f.answer(f.created(window(0)), 2*time.Second)
			f.nextCall(t0.Add(2 * time.Second))
		}},
		{"the end of one call says nothing about another in flight", func(f *fixture) {
			a, b := f.created(window(0)), f.created(window(1))
			f.depart(a.ID, 125*time.Second)
			f.depart(b.ID, 130*time.Second)
			f.nextCall(t0.Add(130 * time.Second))
			f.answer(b, 3*time.Second)
			f.nextCall(t0.Add(125 * time.Second))
			f.answer(a, 2*time.Second)
			f.nextCall(t0.Add(3 * time.Second))
		}},
		{"a network's wish to wait is not undone by the end of another call", func(f *fixture) {
			a, b := f.created(window(0)), f.created(window(1))
			f.depart(a.ID, 125*time.Second)
			f.depart(b.ID, 126*time.Second)
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: a.ID, NextCall: t0.Add(time.Hour)}))
			f.answer(b, 2*time.Second)
			f.nextCall(t0.Add(time.Hour))
		}},
		{"a call whose end was never recorded keeps counting after the pull's next departure", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.depart(p.ID, 60*time.Second)
			f.nextCall(t0.Add(125 * time.Second))
		}},
		{"what was in flight when the process died counts as made", func(f *fixture) {
			a, b := f.created(window(0)), f.created(window(1))
			f.depart(a.ID, 125*time.Second)
			f.depart(0, 120*time.Second)
			f.reopen()
			f.nextCall(t0.Add(125 * time.Second))
			f.no(f.s.Ended(f.ctx, "acme", t0.Add(2*time.Second)))
			f.answer(a, 3*time.Second)
			f.nextCall(t0.Add(125 * time.Second))
			f.depart(b.ID, 250*time.Second)
			f.answer(b, 130*time.Second)
			f.nextCall(t0.Add(130 * time.Second))
			f.answer(a, 2*time.Second)
			f.nextCall(t0.Add(130 * time.Second))
		}},
		{"the calls of a dropped pull keep counting", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
			f.nextCall(t0.Add(125 * time.Second))
		}},
		{"accounts do not wait for each other", func(f *fixture) {
			f.depart(0, 125*time.Second)
			f.no(f.s.Ended(f.ctx, "other", t0.Add(time.Second)))
			f.no(f.s.Ended(f.ctx, "Zeta", t0.Add(2*time.Second)))
			f.equal("lanes", must[[]state.Lane](f)(f.s.Lanes(f.ctx)), []state.Lane{
				{Account: "Zeta", NextCall: t0.Add(2 * time.Second)},
				{Account: "acme", NextCall: t0.Add(125 * time.Second)},
				{Account: "other", NextCall: t0.Add(time.Second)},
			})
		}},
		{"a lane stays stopped until it is let go on, and keeps its pace", func(f *fixture) {
			f.no(f.s.Ended(f.ctx, "acme", t0))
			f.no(f.s.StopLane(f.ctx, "acme", "the key was refused", "abc123"))
			f.reopen()
			f.equal("stopped lane", f.lane(), state.Lane{Account: "acme", NextCall: t0, Stopped: "the key was refused", StoppedFor: "abc123"})
			f.no(f.s.StopLane(f.ctx, "acme", "", "abc123"))
			f.equal("lane", f.lane(), state.Lane{Account: "acme", NextCall: t0})
		}},
		{"a lane can be stopped before its first call", func(f *fixture) {
			f.no(f.s.StopLane(f.ctx, "acme", "refused", "abc123"))
			f.equal("lane", f.lane(), state.Lane{Account: "acme", Stopped: "refused", StoppedFor: "abc123"})
		}},
		{"a call can only leave for a pull that is pulling", func(f *fixture) {
			p := f.pulled(window(0), 1)
			before := f.lane()
			f.is(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, NextCall: t0.Add(time.Hour)}), state.ErrNoPull)
			f.is(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: 4711, NextCall: t0.Add(time.Hour)}), state.ErrNoPull)
			f.equal("lane", f.lane(), before)
		}},
	})
}

func testFailures(t *testing.T, d Driver) {
	failure := func(p state.Pull) state.Failure {
		return state.Failure{
			Account: p.Account, PullID: p.ID, At: t0, NextCall: t0.Add(time.Second), NotBefore: t0.Add(time.Minute), Error: "503 from the network",
		}
	}
	each(t, d, []testCase{
		{"failures are counted until an answer comes", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.Fail(f.ctx, failure(p)))
			f.no(f.s.Fail(f.ctx, failure(p)))
			p.Attempts, p.NotBefore, p.LastError = 2, t0.Add(time.Minute), "503 from the network"
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.reopen()
			got := f.receive(receipt(p, 1, false))
			if got.Attempts != 0 || !got.NotBefore.IsZero() || got.LastError != "" {
				f.Fatalf("the answer left %d attempts, not before %s, error %q", got.Attempts, got.NotBefore, got.LastError)
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{got})
		}},
		{"a failure leaves cursor and pages as they are", func(f *fixture) {
			p := f.created(window(0))
			p = f.receive(receipt(p, 1, false))
			f.no(f.s.Fail(f.ctx, failure(p)))
			p.Attempts, p.NotBefore, p.LastError = 1, t0.Add(time.Minute), "503 from the network"
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.equal("number of pages", len(f.pages(p.ID)), 1)
		}},
		{"giving up drops the pages and keeps the reason", func(f *fixture) {
			p := f.created(window(0))
			f.receive(receipt(p, 1, false))
			last := failure(p)
			last.GiveUp = true
			f.no(f.s.Fail(f.ctx, last))
			p.Phase, p.Attempts, p.NotBefore, p.LastError = state.Failed, 1, t0.Add(time.Minute), "503 from the network"
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p})
			f.equal("open pulls", f.openPulls(), []state.Pull(nil))
			f.equal("pages", f.pages(p.ID), []state.Page(nil))
			f.equal("inbox", f.inbox(), state.InboxSize{})
			f.nextCall(t0.Add(time.Second))
		}},
		{"failed pulls are listed oldest first", func(f *fixture) {
			var ids []int64
			for _, p := range f.create(window(2), window(1), window(0)) {
				last := failure(p)
				last.GiveUp = true
				f.no(f.s.Fail(f.ctx, last))
				ids = append(ids, p.ID)
			}
			var got []int64
			for _, p := range f.failedPulls() {
				got = append(got, p.ID)
			}
			f.equal("ids", got, ids)
		}},
		{"a failure of a pull that is not pulling changes nothing", func(f *fixture) {
			p := f.pulled(window(0), 1)
			before := f.lane()
			late := failure(p)
			late.NextCall = t0.Add(time.Hour)
			f.is(f.s.Fail(f.ctx, late), state.ErrNoPull)
			late.PullID = 4711
			f.is(f.s.Fail(f.ctx, late), state.ErrNoPull)
			f.equal("lane", f.lane(), before)
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
	})
}

func testQuotas(t *testing.T, d Driver) {
	type call struct {
		at   time.Duration
		ok   bool
		free time.Duration // when not ok
	}
	ask := func(f *fixture, account, name string, limit int, c call) {
		f.Helper()
		ok, free, err := f.s.Quota(f.ctx, account, name, limit, time.Minute, t0.Add(c.at))
		f.no(err)
		want := time.Time{}
		if !c.ok {
			want = t0.Add(c.free)
		}
		if ok != c.ok || !free.Equal(want) {
			f.Fatalf("at %s: got %v and free at %s, want %v and %s", c.at, ok, free, c.ok, want)
		}
	}
	const s, m = time.Second, time.Minute
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
				ask(f, "acme", "calls", 3, c)
			}
		})
	}
	each(t, d, []testCase{
		{"a budget survives reopening", func(f *fixture) {
			ask(f, "acme", "calls", 1, call{0, true, 0})
			f.reopen()
			ask(f, "acme", "calls", 1, call{s, false, m})
		}},
		{"budgets of other names and accounts are others", func(f *fixture) {
			ask(f, "acme", "calls", 1, call{0, true, 0})
			ask(f, "acme", "exports", 1, call{0, true, 0})
			ask(f, "other", "calls", 1, call{0, true, 0})
			ask(f, "acme", "calls", 1, call{0, false, m})
		}},
		{"a limit that was lowered counts the calls already made", func(f *fixture) {
			for i := range 5 {
				ask(f, "acme", "calls", 5, call{time.Duration(i) * s, true, 0})
			}
			ask(f, "acme", "calls", 2, call{10 * s, false, m + 3*s})
			ask(f, "acme", "calls", 2, call{m + 3*s, true, 0})
		}},
		{"a budget of nothing is an error", func(f *fixture) {
			if _, _, err := f.s.Quota(f.ctx, "acme", "calls", 0, time.Minute, t0); err == nil {
				f.Error("a limit of 0 was taken")
			}
			if _, _, err := f.s.Quota(f.ctx, "acme", "calls", 1, 0, t0); err == nil {
				f.Error("a window of 0 was taken")
			}
		}},
		{"no window of the length holds more calls than the limit, and who waits as told is served", func(f *fixture) {
			const limit = 7
			random := rand.New(rand.NewPCG(1, 2))
			var made []time.Time
			for now := t0; len(made) < 60; now = now.Add(time.Duration(random.IntN(12_000)) * time.Millisecond) {
				ok, free, err := f.s.Quota(f.ctx, "acme", "calls", limit, time.Minute, now)
				f.no(err)
				if !ok {
					if !free.After(now) {
						f.Fatalf("refused at %s, but free at %s", now, free)
					}
					now = free
					ok, _, err = f.s.Quota(f.ctx, "acme", "calls", limit, time.Minute, now)
					f.no(err)
					if !ok {
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
