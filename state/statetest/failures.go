package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

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
		{"a failure that says nothing about the pull is not counted", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.Fail(f.ctx, failure(p)))
			other := failure(p)
			other.Blameless, other.Error = true, "nobody answers there"
			f.no(f.s.Fail(f.ctx, other))
			p.Attempts, p.NotBefore, p.LastError = 1, other.NotBefore, other.Error
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
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
