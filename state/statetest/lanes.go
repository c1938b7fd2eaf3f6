package statetest

import (
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
			f.no(f.s.Ended(f.ctx, "acme", 0, t0, t0.Add(4*time.Second)))
			f.nextCall(t0.Add(4 * time.Second))
		}},
		{"the end of a call that was cut replaces what its departure feared, and changes nothing in the pull", func(f *fixture) {
			p, other := f.created(window(0)), f.created(window(1))
			p = f.receive(receipt(p, 1, false))
			f.depart(p.ID, 125*time.Second)
			f.depart(other.ID, 60*time.Second)
			f.depart(0, 50*time.Second)
			f.no(f.s.Ended(f.ctx, "acme", p.ID, t0, t0.Add(4*time.Second)))
			f.nextCall(t0.Add(60 * time.Second))
			f.no(f.s.Ended(f.ctx, "acme", other.ID, t0, t0.Add(3*time.Second)))
			f.nextCall(t0.Add(50 * time.Second))
			f.no(f.s.Ended(f.ctx, "acme", 0, t0, t0.Add(2*time.Second)))
			f.nextCall(t0.Add(4 * time.Second))
			f.equal("open pulls", f.openPulls(), []state.Pull{p, other})
		}},
		{"the end of a call is counted when its pull is gone", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
			f.no(f.s.Ended(f.ctx, "acme", p.ID, t0, t0.Add(130*time.Second)))
			f.nextCall(t0.Add(130 * time.Second))
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
			f.no(f.s.Ended(f.ctx, "acme", 0, t0, t0.Add(2*time.Second)))
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
			f.no(f.s.Ended(f.ctx, "other", 0, t0, t0.Add(time.Second)))
			f.no(f.s.Ended(f.ctx, "Zeta", 0, t0, t0.Add(2*time.Second)))
			f.equal("lanes", must[[]state.Lane](f)(f.s.Lanes(f.ctx)), []state.Lane{
				{Account: "Zeta", NextCall: t0.Add(2 * time.Second)},
				{Account: "acme", NextCall: t0.Add(125 * time.Second)},
				{Account: "other", NextCall: t0.Add(time.Second)},
			})
		}},
		{"a lane stays stopped until it is let go on, and keeps its pace", func(f *fixture) {
			f.no(f.s.Ended(f.ctx, "acme", 0, t0, t0))
			f.no(f.s.StopLane(f.ctx, "acme", "the key was refused"))
			f.reopen()
			f.equal("stopped lane", f.lane(), state.Lane{Account: "acme", NextCall: t0, Stopped: "the key was refused"})
			f.no(f.s.StopLane(f.ctx, "acme", ""))
			f.equal("lane", f.lane(), state.Lane{Account: "acme", NextCall: t0})
		}},
		{"a lane can be stopped before its first call", func(f *fixture) {
			f.no(f.s.StopLane(f.ctx, "acme", "refused"))
			f.equal("lane", f.lane(), state.Lane{Account: "acme", Stopped: "refused"})
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
