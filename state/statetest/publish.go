package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

// checkpointOf is the checkpoint that fixture.publish makes of its ith pull.
func checkpointOf(p state.Pull, i int) state.Checkpoint {
	return state.Checkpoint{
		Account: p.Account, Stream: p.Stream, Kind: p.Kind, From: p.From, To: p.To, Version: p.Version,
		PulledAt: p.CreatedAt, PublishedAt: t0.Add(time.Duration(i) * time.Second), Rows: p.Records, Quarantined: 1,
	}
}

func testPublish(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"published pulls become checkpoints and leave the inbox", func(f *fixture) {
			a, b, open := f.pulled(window(1), 2), f.pulled(window(0), 3), f.pulled(window(2), 1)
			f.publish(a, b)
			f.reopen()
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(b, 1), checkpointOf(a, 0)})
			f.equal("open pulls", f.openPulls(), []state.Pull{open})
			f.equal("pages", f.pages(a.ID), []state.Page(nil))
			f.equal("pages in the inbox", f.inbox().Pages, int64(1))
		}},
		{"publishing again changes nothing", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.publish(p)
			f.no(f.s.Publish(f.ctx, []state.Published{{PullID: p.ID, PublishedAt: t0.Add(time.Hour), Rows: 7}}))
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(p, 0)})
		}},
		{"what was published already does not keep the rest from it", func(f *fixture) {
			a := f.pulled(window(0), 1)
			f.publish(a)
			b := f.pulled(window(1), 1)
			f.publish(a, b)
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(a, 0), checkpointOf(b, 1)})
		}},
		{"a pull that is not pulled cannot be published, and then none is", func(f *fixture) {
			ready, pulling := f.pulled(window(0), 1), f.created(window(1))
			f.is(f.s.Publish(f.ctx, []state.Published{{PullID: ready.ID}, {PullID: pulling.ID}}), state.ErrNoPull)
			f.equal("open pulls", f.openPulls(), []state.Pull{ready, pulling})
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint(nil))
			f.no(f.s.Reject(f.ctx, ready.ID, "bad rows"))
			f.is(f.s.Publish(f.ctx, []state.Published{{PullID: ready.ID}}), state.ErrNoPull)
		}},
		{"a window published again has one checkpoint, the new one", func(f *fixture) {
			f.publish(f.pulled(window(0), 1))
			again := f.pulled(window(0), 2)
			f.publish(again)
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(again, 0)})
		}},
		{"of changes and of snapshots the latest checkpoint is kept, beside those of windows", func(f *fixture) {
			first := window(0)
			f.publish(f.pulled(changes(t0), 1))
			w := f.pulled(first, 1)
			f.publish(w)
			c := f.pulled(changes(t0.Add(3*time.Hour)), 1)
			f.publish(c)
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(w, 0), checkpointOf(c, 0)})
			f.publish(f.pulled(snapshot(), 1))
			s := f.pulled(snapshot(), 2)
			f.publish(s)
			f.equal("checkpoints of the snapshot", f.checkpoints("offers"), []state.Checkpoint{checkpointOf(s, 0)})
		}},
		{"checkpoints of other streams and accounts are apart", func(f *fixture) {
			other := window(0)
			other.Account = "other"
			f.publish(f.pulled(other, 1))
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint(nil))
		}},
		{"the last checkpoint of a stream is the one published last, whatever its window", func(f *fixture) {
			late, early, offers := f.pulled(window(5), 1), f.pulled(window(0), 1), f.pulled(snapshot(), 1)
			f.publish(late, early, offers)
			f.equal("last checkpoints", must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx)),
				[]state.Checkpoint{checkpointOf(early, 1), checkpointOf(offers, 2)})
			again := f.pulled(window(5), 1)
			f.no(f.s.Publish(f.ctx, []state.Published{{PullID: again.ID, PublishedAt: t0.Add(time.Hour)}}))
			f.reopen()
			last := must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx))
			f.equal("window of the last checkpoint", last[0].From, again.From)
		}},
		{"a window can be pulled again once it is published", func(f *fixture) {
			f.publish(f.pulled(window(0), 1))
			f.created(window(0))
		}},
	})
}

func testHold(t *testing.T, d Driver) {
	hold := func(p state.Pull, at time.Duration) state.Held {
		return state.Held{PullID: p.ID, At: t0.Add(at), Reason: "400 of 900 rows vanished", Rows: 400, Hash: 1<<63 + 5}
	}
	memory := func(p state.Pull, at time.Duration) state.HeldWindow {
		return state.HeldWindow{
			Account: p.Account, Stream: p.Stream, From: p.From, To: p.To, At: t0.Add(at), Reason: "400 of 900 rows vanished", Rows: 400, Hash: 1<<63 + 5,
		}
	}
	held := func(f *fixture, account string) []state.HeldWindow {
		f.Helper()
		return must[[]state.HeldWindow](f)(f.s.HeldWindows(f.ctx, account))
	}
	// failed is how a pull looks that was given up for a reason.
	failed := func(p state.Pull, reason string) state.Pull {
		p.Phase, p.Cursor, p.Pages, p.Records, p.Bytes, p.Digest, p.LastError = state.Failed, "", 0, 0, 0, 0, reason
		return p
	}
	each(t, d, []testCase{
		{"a held pull is failed, its pages are gone, its memory stays", func(f *fixture) {
			p, other := f.pulled(window(0), 3), f.pulled(window(1), 1)
			f.no(f.s.Hold(f.ctx, []state.Held{hold(p, 0)}))
			f.reopen()
			f.equal("failed pulls", f.failedPulls(), []state.Pull{failed(p, "400 of 900 rows vanished")})
			f.equal("open pulls", f.openPulls(), []state.Pull{other})
			f.equal("pages", f.pages(p.ID), []state.Page(nil))
			f.equal("pages in the inbox", f.inbox().Pages, int64(1))
			f.equal("held", held(f, ""), []state.HeldWindow{memory(p, 0)})
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint(nil))
		}},
		{"the memory outlives the next pull of the window, and ends when that is published", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.no(f.s.Hold(f.ctx, []state.Held{hold(p, 0)}))
			again := f.pulled(window(0), 1)
			f.equal("held", held(f, "acme"), []state.HeldWindow{memory(p, 0)})
			f.publish(again)
			f.equal("held", held(f, "acme"), []state.HeldWindow(nil))
		}},
		{"publishing a window leaves the memory of its neighbours", func(f *fixture) {
			a, b := f.pulled(window(0), 1), f.pulled(window(1), 1)
			f.no(f.s.Hold(f.ctx, []state.Held{hold(a, 0)}))
			f.publish(b)
			f.equal("held", held(f, ""), []state.HeldWindow{memory(a, 0)})
		}},
		{"a window held again is remembered as it was last", func(f *fixture) {
			f.no(f.s.Hold(f.ctx, []state.Held{hold(f.pulled(window(0), 1), 0)}))
			again := f.pulled(window(0), 1)
			f.no(f.s.Hold(f.ctx, []state.Held{hold(again, time.Hour)}))
			f.equal("held", held(f, ""), []state.HeldWindow{memory(again, time.Hour)})
		}},
		{"what is held is listed by account, oldest first", func(f *fixture) {
			n := window(0)
			n.Account = "other"
			a, b, other := f.pulled(window(0), 1), f.pulled(window(1), 1), f.pulled(n, 1)
			f.no(f.s.Hold(f.ctx, []state.Held{hold(a, 2*time.Second), hold(b, time.Second), hold(other, 0)}))
			f.equal("of all", held(f, ""), []state.HeldWindow{memory(other, 0), memory(b, time.Second), memory(a, 2*time.Second)})
			f.equal("of acme", held(f, "acme"), []state.HeldWindow{memory(b, time.Second), memory(a, 2*time.Second)})
		}},
		{"a pull that is not pulled cannot be held, and then none is", func(f *fixture) {
			ready, pulling := f.pulled(window(0), 1), f.created(window(1))
			f.is(f.s.Hold(f.ctx, []state.Held{hold(ready, 0), hold(pulling, 0)}), state.ErrNoPull)
			f.is(f.s.Hold(f.ctx, []state.Held{hold(ready, 0), {PullID: 4711}}), state.ErrNoPull)
			f.equal("open pulls", f.openPulls(), []state.Pull{ready, pulling})
			f.equal("held", held(f, ""), []state.HeldWindow(nil))
		}},
		{"a rejected pull is failed with its reason, and its pages are gone", func(f *fixture) {
			p := f.pulled(window(0), 2)
			f.no(f.s.Reject(f.ctx, p.ID, "half of the rows are bad"))
			f.equal("failed pulls", f.failedPulls(), []state.Pull{failed(p, "half of the rows are bad")})
			f.equal("inbox", f.inbox(), state.InboxSize{})
			f.equal("held", held(f, ""), []state.HeldWindow(nil))
			f.created(window(0))
		}},
		{"a pull that is not pulled cannot be rejected", func(f *fixture) {
			p := f.created(window(0))
			f.is(f.s.Reject(f.ctx, p.ID, "bad"), state.ErrNoPull)
			f.is(f.s.Reject(f.ctx, 4711, "bad"), state.ErrNoPull)
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
	})
}
