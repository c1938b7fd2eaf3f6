package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/state"
)

func testPostbacks(t *testing.T, d Driver) {
	net, own := state.LeadNetworkID, state.LeadOwnID
	// listed gives postbacks as they are to come back.
	listed := func(first int64, postbacks ...state.Postback) []state.Postback {
		for i := range postbacks {
			postbacks[i].Seq = first + int64(i)
		}
		return postbacks
	}
	each(t, d, []testCase{
		{"postbacks wait in the order in which they were accepted", func(f *fixture) {
			last := f.accept(postback(1), postback(2), postback(3))
			other := postback(4)
			other.Account = "other"
			if seq := f.accept(other); seq <= last {
				f.Errorf("seq %d came after %d", seq, last)
			}
			f.reopen()
			f.equal("waiting", f.waiting("acme"), listed(last-2, postback(1), postback(2), postback(3)))
			f.equal("the first", must[[]state.Postback](f)(f.s.Postbacks(f.ctx, "acme", 1)), listed(last-2, postback(1)))
			f.equal("none", must[[]state.Postback](f)(f.s.Postbacks(f.ctx, "acme", 0)), []state.Postback(nil))
			f.equal("of nobody", f.waiting("nobody"), []state.Postback(nil))
			f.equal("backlogs", must[[]state.Backlog](f)(f.s.Backlogs(f.ctx)), []state.Backlog{
				{Account: "acme", Waiting: 3, Oldest: postback(1).ReceivedAt}, {Account: "other", Waiting: 1, Oldest: other.ReceivedAt},
			})
		}},
		{"records come back byte for byte", func(f *fixture) {
			all := make([]byte, 256)
			for i := range all {
				all[i] = byte(i)
			}
			for _, record := range [][]byte{{}, {0}, all, bytes.Repeat(all, 256), {'x'}} {
				p := postback(1)
				p.Record = record
				f.accept(p)
				waiting := f.waiting("acme")
				if got := waiting[len(waiting)-1].Record; !bytes.Equal(got, record) {
					f.Errorf("a record of %d bytes came back as %d others", len(record), len(got))
				}
			}
		}},
		{"bringing makes a pull of a page, merges what was told and forgets what was brought", func(f *fixture) {
			through := f.accept(postback(1), postback(2))
			rest := f.accept(postback(3))
			b := brings(through, told(own, "c1", "status", "approved"), told(own, "c2", "status", "hold"))
			p := f.bring(b)
			f.equal("pull", p, state.Pull{
				ID: p.ID, Account: "acme", Stream: "postbacks", Kind: state.Changes, Tier: state.Hot, From: t0, To: t0, Version: p.Version, RunID: "run-4",
				Phase: state.Pulled, Pages: 1, Records: 3, Bytes: 30, CreatedAt: t0,
			})
			f.reopen()
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			pages := f.pages(p.ID)
			f.equal("pages", pages, []state.Page{{
				Seq: pages[0].Seq, PullID: p.ID, Version: pages[0].Version, Body: b.Body, Request: "postbacks", Records: 3, RawBytes: 30, ReceivedAt: t0,
				Leads: []state.LeadRow{
					{Fields: state.LeadFields{net: "c1", own: "c1", "status": "approved"}}, {Fields: state.LeadFields{net: "c2", own: "c2", "status": "hold"}},
				},
			}})
			if p.Version >= pages[0].Version || p.Version <= uint64(rest) {
				f.Errorf("a page of version %d in a pull of version %d, after postback %d", pages[0].Version, p.Version, rest)
			}
			f.equal("waiting", f.waiting("acme"), listed(rest, postback(3)))
			f.equal("lead", f.lead(state.ByOwnID, "c2").Version, pages[0].Version)
			if size := f.inbox(); size.Pages != 1 || size.Bytes <= int64(len(b.Body)) {
				f.Errorf("the inbox has %+v, want a page of more than its body", size)
			}
		}},
		{"while a pull is open, nothing more is brought", func(f *fixture) {
			p := f.bring(brings(f.accept(postback(1))))
			seq := f.accept(postback(2))
			_, err := f.s.Bring(f.ctx, brings(seq, told(own, "c2")))
			f.is(err, state.ErrPullOpen)
			f.equal("waiting", f.waiting("acme"), listed(seq, postback(2)))
			_, err = f.s.Lead(f.ctx, "acme", state.ByOwnID, "c2")
			f.is(err, state.ErrNoLead)
			f.publish(p)
			next := f.bring(brings(seq, told(own, "c2")))
			if next.ID == p.ID {
				f.Errorf("pull %d was published, and came again", p.ID)
			}
			f.equal("waiting", f.waiting("acme"), []state.Postback(nil))
		}},
		{"a stream of another account does not keep it from being brought", func(f *fixture) {
			f.bring(brings(f.accept(postback(1))))
			other := brings(1)
			other.Account = "other"
			f.bring(other)
		}},
		{"postbacks that were accepted together can be brought apart", func(f *fixture) {
			const n = 100
			var g errgroup.Group
			for i := range n {
				g.Go(func() error {
					_, err := f.s.AcceptPostback(f.ctx, postback(i))
					return err
				})
			}
			f.no(g.Wait())
			all := f.waiting("acme")
			f.equal("accepted", len(all), n)
			for len(all) > 0 {
				take := min(7, len(all))
				f.equal("a portion", must[[]state.Postback](f)(f.s.Postbacks(f.ctx, "acme", take)), all[:take])
				f.publish(f.bring(brings(all[take-1].Seq)))
				all = all[take:]
				f.reopen()
				f.equal("waiting", f.waiting("acme"), slices.Concat([]state.Postback(nil), all))
				var backlogs []state.Backlog
				if len(all) > 0 {
					backlogs = []state.Backlog{{Account: "acme", Waiting: int64(len(all)), Oldest: all[0].ReceivedAt}}
				}
				f.equal("backlogs", must[[]state.Backlog](f)(f.s.Backlogs(f.ctx)), backlogs)
			}
		}},
		{"the first that was accepted is the oldest, whatever the clock said", func(f *fixture) {
			f.accept(postback(2))
			f.accept(postback(1))
			f.equal("backlogs", must[[]state.Backlog](f)(f.s.Backlogs(f.ctx)), []state.Backlog{{Account: "acme", Waiting: 2, Oldest: postback(2).ReceivedAt}})
		}},
		{"the pages of a pull that was brought go only by being published", func(f *fixture) {
			p := f.bring(brings(f.accept(postback(1)), told(own, "c1")))
			for n, drop := range []func() error{
				func() error { return f.s.Reject(f.ctx, p.ID, "bad rows") },
				func() error { return f.s.Hold(f.ctx, []state.Held{{PullID: p.ID, At: t0, Reason: "it shrank"}}) },
				func() error { return f.s.DropPulls(f.ctx, []int64{p.ID}) },
			} {
				f.no(drop())
				failed := f.failedPulls()
				if len(failed) != 1 || failed[0].ID != p.ID || failed[0].LastError == "" {
					f.Fatalf("failed pulls are %+v", failed)
				}
				f.create(window(n)) // which drops what was parked too long ago
				f.reopen()
				again := f.bring(brings(f.accept(postback(n+2)), told(own, fmt.Sprint("c", n+2))))
				f.equal("pull", again.ID, p.ID)
				f.equal("phase", again.Phase, state.Pulled)
				f.equal("pages", len(f.pages(p.ID)), n+2)
				f.equal("leads", len(f.leadRows(p.ID)), n+2)
			}
		}},
		{"a caller that leaves before its postback is taken leaves nothing", func(f *fixture) {
			cause := errors.New("the connection is gone")
			ctx, cancel := context.WithCancelCause(f.ctx)
			cancel(cause)
			_, err := f.s.AcceptPostback(ctx, postback(1))
			f.is(err, cause)
			f.equal("waiting", f.waiting("acme"), []state.Postback(nil))
		}},
		{"what is accepted while others bring is brought once", acceptAndBring},
	})
}

// acceptAndBring has many callers send, some of which leave early, while one brings.
func acceptAndBring(f *fixture) {
	const callers, each = 16, 40
	var mu sync.Mutex
	accepted := map[int64]string{} // record by seq; guarded by mu
	var send errgroup.Group
	for c := range callers {
		send.Go(func() error {
			for i := range each {
				ctx, cancel := context.WithCancel(f.ctx)
				if i%10 == 0 {
					go cancel()
				}
				p := postback(c*each + i)
				seq, err := f.s.AcceptPostback(ctx, p)
				cancel()
				if errors.Is(err, context.Canceled) {
					continue
				}
				if err != nil {
					return err
				}
				mu.Lock()
				accepted[seq] = string(p.Record)
				mu.Unlock()
			}
			return nil
		})
	}
	sent := make(chan struct{})
	brought := map[int64]string{}
	var bring errgroup.Group
	bring.Go(func() error {
		for last := false; ; {
			list, err := f.s.Postbacks(f.ctx, "acme", 30)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				if last {
					return nil
				}
				select {
				case <-sent:
					last = true
				default:
				}
				continue
			}
			for _, p := range list {
				if _, ok := brought[p.Seq]; ok {
					return fmt.Errorf("postback %d came twice", p.Seq)
				}
				brought[p.Seq] = string(p.Record)
			}
			b := brings(list[len(list)-1].Seq)
			b.At = t0.Add(time.Duration(len(brought)) * time.Second)
			p, err := f.s.Bring(f.ctx, b)
			if err != nil {
				return err
			}
			if err := f.s.Publish(f.ctx, []state.Published{{PullID: p.ID, PublishedAt: b.At}}); err != nil {
				return err
			}
		}
	})
	f.no(send.Wait())
	close(sent)
	f.no(bring.Wait())
	f.equal("brought", brought, accepted)
}
