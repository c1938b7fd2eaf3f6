package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

// parked creates a pull, receives an answer for each of the given ages, the last
// of them last, and parks it.
func (f *fixture) parked(n state.NewPull, ages ...time.Duration) state.Pull {
	f.Helper()
	p := f.created(n)
	for i, age := range ages {
		r := receipt(p, i+1, false)
		r.ReceivedAt = time.Now().Add(-age)
		p = f.receive(r)
	}
	f.park(p)
	p.Phase, p.Attempts, p.NotBefore, p.LastError = state.Failed, 1, t0.Add(time.Minute), "no route to host"
	return p
}

func (f *fixture) park(p state.Pull) {
	f.Helper()
	f.no(f.s.Fail(f.ctx, state.Failure{
		Account: p.Account, PullID: p.ID, At: t0, NextCall: t0.Add(time.Second), NotBefore: t0.Add(time.Minute), Error: "no route to host",
		GiveUp: true, Park: true,
	}))
}

// revived is how a parked pull looks that goes on for a request.
func revived(p state.Pull, n state.NewPull) state.Pull {
	p.Phase, p.Tier, p.RunID, p.Attempts, p.NotBefore, p.LastError = state.Pulling, n.Tier, n.RunID, 0, time.Time{}, ""
	return p
}

func testParked(t *testing.T, d Driver) {
	const fresh, old = state.ParkedFor - time.Minute, state.ParkedFor
	again := func(n state.NewPull) state.NewPull {
		n.Tier, n.RunID = state.Backfill, "run-9"
		return n
	}
	each(t, d, []testCase{
		{"a parked pull is failed, and keeps its pages, cursor and counts", func(f *fixture) {
			p := f.parked(window(0), time.Hour, 0)
			pages, inbox := f.pages(p.ID), f.inbox()
			f.equal("number of pages", len(pages), 2)
			f.equal("pages in the inbox", inbox.Pages, int64(2))
			f.reopen()
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p})
			f.equal("open pulls", f.openPulls(), []state.Pull(nil))
			f.equal("pages", f.pages(p.ID), pages)
			f.equal("inbox", f.inbox(), inbox)
		}},
		{"a parked pull makes no calls", func(f *fixture) {
			p := f.parked(window(0), 0)
			f.is(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, NextCall: t0}), state.ErrNoPull)
			_, err := f.s.Receive(f.ctx, receipt(p, 2, true))
			f.is(err, state.ErrNoPull)
			f.is(f.s.Publish(f.ctx, []state.Published{{PullID: p.ID}}), state.ErrNoPull)
		}},
		{"a parked pull whose stream is due again goes on where it was", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.SetItems(f.ctx, p.ID, []string{"17", "18"}, false))
			r := receipt(p, 1, false)
			r.ReceivedAt = time.Now().Add(-fresh)
			p = f.receive(r)
			f.park(p)
			n := again(window(0))
			p = revived(p, n)
			f.equal("created", f.create(window(1), n, window(2))[1], p)
			f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
			f.reopen()
			f.equal("open pull", f.openPulls()[0], p)
			got := f.receive(receipt(p, 2, true))
			f.equal("pages of the pull", got.Pages, 2)
			pages := f.pages(p.ID)
			f.equal("number of pages", len(pages), 2)
			f.equal("first page", pages[0].Request, r.Request)
			f.publish(got)
			f.equal("inbox", f.inbox(), state.InboxSize{})
		}},
		{"a parked pull is revived once, and is then open like any other", func(f *fixture) {
			f.parked(window(0), 0)
			f.equal("number created", len(f.create(window(0), window(0))), 1)
			f.equal("created again", f.create(window(0)), []state.Pull(nil))
		}},
		{"the age of a parked pull is that of its last page, and of no other time", func(f *fixture) {
			p := f.parked(window(0), 10*old, fresh)
			f.equal("created", f.create(window(0)), []state.Pull{revived(p, window(0))})
		}},
		{"a parked pull that is too old is replaced, and its pages are gone", func(f *fixture) {
			p := f.parked(window(0), 0, old)
			got := f.created(again(window(0)))
			if got.ID == p.ID || got.Version <= p.Version || got.Cursor != "" || got.Pages != 0 || got.Records != 0 || got.Bytes != 0 {
				f.Errorf("got %+v in place of %+v", got, p)
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{got})
			f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
			f.equal("pages", f.pages(p.ID), []state.Page(nil))
			f.equal("inbox", f.inbox(), state.InboxSize{})
		}},
		{"a parked pull that is too old loses its pages when others are created, and stays failed", func(f *fixture) {
			p, kept := f.parked(window(0), old), f.parked(window(1), fresh)
			open := f.created(window(2))
			r := receipt(open, 1, false)
			r.ReceivedAt = time.Now().Add(-10 * old)
			open = f.receive(r)
			f.create(snapshot())
			p.Cursor, p.Pages, p.Records, p.Bytes, p.Digest = "", 0, 0, 0, 0
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p, kept})
			f.equal("open pull", f.openPulls()[0], open)
			f.equal("pages in the inbox", f.inbox().Pages, int64(2))
		}},
		{"a parked pull without pages is replaced", func(f *fixture) {
			p := f.parked(window(0))
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p})
			if got := f.created(window(0)); got.ID == p.ID || got.Version <= p.Version {
				f.Errorf("got %+v in place of %+v", got, p)
			}
		}},
		{"parked changes and snapshots go on with their own times", func(f *fixture) {
			for _, c := range []struct{ first, again state.NewPull }{
				{changes(t0), again(changes(t0.Add(time.Hour)))},
				{snapshot(), again(snapshot())},
			} {
				p := f.parked(c.first, fresh)
				f.equal("created", f.create(c.again), []state.Pull{revived(p, c.again)})
			}
		}},
		{"parked changes that are too old are replaced by a list with the new times", func(f *fixture) {
			p := f.parked(changes(t0), old)
			got := f.created(changes(t0.Add(time.Hour)))
			if got.ID == p.ID || !got.From.Equal(t0.Add(time.Hour)) || got.Pages != 0 {
				f.Errorf("got %+v in place of %+v", got, p)
			}
		}},
		{"another window, kind, stream or account revives nothing", func(f *fixture) {
			p := f.parked(window(0), 0)
			longer, stream, account, shot := window(0), window(0), window(0), snapshot()
			longer.To = longer.To.Add(time.Hour)
			stream.Stream, account.Account, shot.Stream = "clicks", "other", "conversions"
			for _, got := range f.create(longer, stream, account, shot, changes(t0)) {
				if got.ID == p.ID || got.Pages != 0 {
					f.Errorf("got %+v", got)
				}
			}
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p})
		}},
		{"a revived pull can be parked again, and given up", func(f *fixture) {
			p := f.parked(window(0), 0)
			f.park(f.created(window(0)))
			f.equal("failed pulls", f.failedPulls(), []state.Pull{p})
			f.create(window(0))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, Error: "404", GiveUp: true}))
			f.equal("inbox", f.inbox(), state.InboxSize{})
			if got := f.created(window(0)); got.ID == p.ID {
				f.Errorf("got %+v in place of %+v", got, p)
			}
		}},
		{"parking without giving up is a failure like any other", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, Error: "503", Park: true}))
			f.equal("phase", f.openPulls()[0].Phase, state.Pulling)
		}},
		{"parking replaces what the call's departure feared", func(f *fixture) {
			p := f.created(window(0))
			f.depart(p.ID, 125*time.Second)
			f.park(p)
			f.nextCall(t0.Add(time.Second))
		}},
		{"a parked pull can be dropped", func(f *fixture) {
			p := f.parked(window(0), 0)
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
			f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
			f.equal("inbox", f.inbox(), state.InboxSize{})
		}},
	})
}
