package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

// export is a pull of several windows, from the nth hour on, by an export.
func export(n, hours int) state.NewPull {
	p := window(n)
	p.Route = state.Export
	p.To = p.From.Add(time.Duration(hours) * time.Hour)
	return p
}

// control is an answer without records, after which the pull stands at next.
func control(p state.Pull, next state.Cursor) state.Receipt {
	return state.Receipt{
		PullID: p.ID, Control: true, Next: next, Request: "/exports/7", Records: 5, RawBytes: 100, Body: []byte("{}"), Hash: 7,
		NextCall: t0.Add(time.Second), ReceivedAt: t0,
	}
}

// file is the answer that named a file of the spool.
func file(p state.Pull, name string, done bool) state.Receipt {
	return state.Receipt{PullID: p.ID, File: name, Request: "/download?id=7", Records: 1000, RawBytes: 1 << 30, Next: "find", Done: done, ReceivedAt: t0}
}

func (f *fixture) files() []string {
	f.Helper()
	return must[[]string](f)(f.s.Files(f.ctx))
}

func testExports(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"a pull keeps its route", func(f *fixture) {
			p := f.created(export(0, 48))
			f.equal("route", p.Route, state.Export)
			f.reopen()
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.equal("route of the pull that received", f.receive(control(p, "x")).Route, state.Export)
		}},
		{"the rows of a file are as old as the call that created it", func(f *fixture) {
			slow := f.created(export(0, 48))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: slow.Account, PullID: slow.ID, At: t0, NextCall: t0, Unheard: "find"}))
			quick := f.created(window(60))
			f.receive(receipt(quick, 1, true))
			f.reopen()
			f.receive(file(slow, "a/b.csv", true))
			late, early := must[[]state.Page](f)(f.s.Pages(f.ctx, slow.ID, 0, 1)), must[[]state.Page](f)(f.s.Pages(f.ctx, quick.ID, 0, 1))
			if late[0].Version >= early[0].Version || late[0].Version <= slow.Version || late[0].Seq <= early[0].Seq {
				f.Errorf("the file's rows have version %d of pull %d, those of the answer received before it %d", late[0].Version, slow.Version, early[0].Version)
			}
		}},
		{"the rows of a file that was there already are as old as the pull", func(f *fixture) {
			slow, quick := f.created(export(0, 48)), f.created(window(60))
			f.receive(receipt(quick, 1, true))
			f.receive(file(slow, "a/b.csv", true))
			late, early := must[[]state.Page](f)(f.s.Pages(f.ctx, slow.ID, 0, 1)), must[[]state.Page](f)(f.s.Pages(f.ctx, quick.ID, 0, 1))
			if late[0].Version >= early[0].Version || late[0].Version <= slow.Version {
				f.Errorf("the file's rows have version %d of pull %d, those of the answer received before it %d", late[0].Version, slow.Version, early[0].Version)
			}
		}},
		{"a window that is open by one route is not created by another", func(f *fixture) {
			p := f.created(window(0))
			f.equal("created", f.create(export(0, 1)), []state.Pull(nil))
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"a failed pull is replaced by one of the route that is asked for", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: p.Account, PullID: p.ID, GiveUp: true}))
			f.equal("route", f.created(export(0, 1)).Route, state.Export)
		}},
		{"a parked pull goes on by its own route, of which its cursor is", func(f *fixture) {
			p := f.created(window(0))
			r := receipt(p, 1, false)
			r.ReceivedAt = time.Now()
			f.receive(r)
			f.no(f.s.Fail(f.ctx, state.Failure{Account: p.Account, PullID: p.ID, GiveUp: true, Park: true}))
			again := f.created(export(0, 1))
			if again.ID != p.ID || again.Route != state.Direct || again.Cursor != r.Next {
				f.Errorf("got %+v in place of %+v", again, p)
			}
		}},
		{"a call that is not heard of leaves the pull where its departure says", func(f *fixture) {
			p, other := f.created(export(0, 48)), f.created(export(50, 48))
			f.receive(control(p, "create"))
			f.receive(control(other, "create"))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, At: t0, NextCall: t0.Add(time.Minute), Unheard: "find"}))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: other.ID, At: t0, NextCall: t0.Add(time.Minute)}))
			f.reopen()
			open := f.openPulls()
			f.equal("cursor", open[0].Cursor, state.Cursor("find"))
			f.equal("cursor of a call that may be made again", open[1].Cursor, state.Cursor("create"))
		}},
		{"a call that fails leaves the pull where its departure says, one that is answered moves it on", func(f *fixture) {
			p := f.created(export(0, 48))
			f.receive(control(p, "create"))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, At: t0, Unheard: "find"}))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, At: t0, Error: "reset"}))
			f.equal("cursor after the failure", f.openPulls()[0].Cursor, state.Cursor("find"))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, At: t0, Unheard: "find"}))
			f.equal("cursor after the answer", f.receive(control(p, "poll:7")).Cursor, state.Cursor("poll:7"))
		}},
		{"a call that is refused moves the pull to where its failure says", func(f *fixture) {
			p := f.created(export(0, 48))
			f.receive(control(p, "create"))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, At: t0, Unheard: "find, made once"}))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, At: t0, Error: "no more today", Cursor: "find"}))
			f.equal("cursor", f.openPulls()[0].Cursor, state.Cursor("find"))
			f.reopen()
			f.equal("cursor after reopening", f.openPulls()[0].Cursor, state.Cursor("find"))
		}},
		{"a departure without a next call fears nothing", func(f *fixture) {
			p := f.created(export(0, 48))
			f.no(f.s.Depart(f.ctx, state.Departure{Account: "acme", PullID: p.ID, At: t0, Unheard: "find"}))
			f.equal("lane", f.lane(), state.Lane{Account: "acme"})
			f.reopen()
			f.equal("lane after reopening", f.lane(), state.Lane{Account: "acme"})
		}},
		{"an answer without records moves the pull and the pace, and stores no page", func(f *fixture) {
			p := f.created(export(0, 48))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, NotBefore: t0.Add(time.Hour), Error: "reset"}))
			got := f.receive(control(p, "poll:7"))
			p.Cursor = "poll:7"
			f.equal("pull", got, p)
			f.reopen()
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.equal("pages", f.pages(p.ID), []state.Page(nil))
			f.equal("inbox", f.inbox(), state.InboxSize{})
			f.nextCall(t0.Add(time.Second))
		}},
		{"a last answer without records ends the pull", func(f *fixture) {
			p := f.created(export(0, 48))
			r := control(p, "")
			r.Done = true
			got := f.receive(r)
			f.equal("phase", got.Phase, state.Pulled)
			f.publish(got)
			f.equal("rows of the checkpoint", f.checkpoints("conversions")[0].Rows, int64(0))
		}},
		{"a pull rests as long as its answer says, and no longer than the next", func(f *fixture) {
			p := f.created(export(0, 48))
			r := control(p, "poll:7")
			r.NotBefore = t0.Add(10 * time.Second)
			p.Cursor, p.NotBefore = r.Next, r.NotBefore
			f.equal("pull", f.receive(r), p)
			f.reopen()
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			p.NotBefore = time.Time{}
			f.equal("pull after the next answer", f.receive(control(p, "poll:7")), p)
			f.equal("open pulls after the next answer", f.openPulls(), []state.Pull{p})
		}},
		{"a page says in which file its records are", func(f *fixture) {
			p := f.created(export(0, 48))
			r := file(p, "acme/clicks-7", false)
			got := f.receive(r)
			p.Cursor, p.Pages, p.Records, p.Bytes = r.Next, 1, 1000, 1<<30
			f.equal("pull", got, p)
			f.reopen()
			page := f.pages(p.ID)[0]
			want := pageOf(r, page)
			want.File, want.Body = "acme/clicks-7", page.Body
			f.equal("page", page, want)
			if len(page.Body) > 0 {
				f.Errorf("its body is %q", page.Body)
			}
			f.equal("inbox", f.inbox(), state.InboxSize{Pages: 1})
			f.receive(receipt(p, 1, false))
			f.equal("file of a page with a body", f.pages(p.ID)[1].File, "")
		}},
		{"the files of the inbox are listed, each once, for as long as a page refers to them", func(f *fixture) {
			a, b, c, e := f.created(export(0, 24)), f.created(export(24, 24)), f.created(export(48, 24)), f.created(export(72, 24))
			f.equal("files of an empty inbox", f.files(), []string(nil))
			f.receive(receipt(a, 1, false))
			f.receive(file(a, "acme/b", false))
			a = f.receive(file(a, "acme/b", true))
			f.receive(file(b, "acme/a", false))
			f.receive(file(c, "acme/c", true))
			f.receive(file(e, "acme/b", false))
			f.reopen()
			f.equal("files", f.files(), []string{"acme/a", "acme/b", "acme/c"})
			f.publish(a)
			f.equal("files when one of two pulls is published", f.files(), []string{"acme/a", "acme/b", "acme/c"})
			f.no(f.s.DropPulls(f.ctx, []int64{e.ID}))
			f.no(f.s.Reject(f.ctx, c.ID, "torn"))
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: b.ID, GiveUp: true, Park: true}))
			f.equal("files when all but a parked pull are gone", f.files(), []string{"acme/a"})
		}},
	})
}

func testWide(t *testing.T, d Driver) {
	windows := func(f *fixture) (spans [][2]int) {
		f.Helper()
		for _, c := range f.checkpoints("conversions") {
			base := window(0).From
			spans = append(spans, [2]int{int(c.From.Sub(base) / time.Hour), int(c.To.Sub(base) / time.Hour)})
		}
		return spans
	}
	each(t, d, []testCase{
		{"a published window stands for those within it, and for no other", func(f *fixture) {
			for _, n := range []int{0, 1, 2, 3, 4} {
				f.publish(f.pulled(window(n), 1))
			}
			other := window(2)
			other.Account = "other"
			f.publish(f.pulled(other, 1))
			stream := window(2)
			stream.Stream = "clicks"
			f.publish(f.pulled(stream, 1))
			f.publish(f.pulled(changes(window(2).From), 1))
			f.publish(f.pulled(export(1, 3), 1))
			f.reopen()
			f.equal("windows of the checkpoints", windows(f), [][2]int{{0, 1}, {1, 4}, {2, 3}, {4, 5}})
			for _, c := range f.checkpoints("conversions") {
				if c.From.Equal(window(2).From) && c.Kind != state.Changes {
					f.Errorf("a window within is still there: %+v", c)
				}
			}
			f.equal("checkpoints of another account", len(must[[]state.Checkpoint](f)(f.s.Checkpoints(f.ctx, "other", "conversions"))), 1)
			f.equal("checkpoints of another stream", len(f.checkpoints("clicks")), 1)
		}},
		{"windows that only overlap stay both", func(f *fixture) {
			f.publish(f.pulled(export(0, 4), 1))
			f.publish(f.pulled(export(2, 4), 1))
			f.publish(f.pulled(window(3), 1))
			f.equal("windows of the checkpoints", windows(f), [][2]int{{0, 4}, {2, 6}, {3, 4}})
		}},
		{"a window within that was pulled later is not forgotten", func(f *fixture) {
			wide := f.pulled(export(0, 4), 1)
			// Its pull begins in a later millisecond: the store keeps no finer time.
			for time.Now().Truncate(time.Millisecond).Compare(wide.CreatedAt) <= 0 {
			}
			f.publish(f.pulled(window(2), 1))
			f.publish(wide)
			f.equal("windows of the checkpoints", windows(f), [][2]int{{0, 4}, {2, 3}})
		}},
		{"the last checkpoint is the wide one when it took the place of the last", func(f *fixture) {
			f.publish(f.pulled(window(2), 1))
			wide := f.pulled(export(0, 4), 1)
			f.publish(wide)
			f.equal("last checkpoints", must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx)), []state.Checkpoint{checkpointOf(wide, 0)})
		}},
		{"what was held back within a published window is believed with it", func(f *fixture) {
			for _, n := range []int{0, 2, 4} {
				f.no(f.s.Hold(f.ctx, []state.Held{{PullID: f.pulled(window(n), 1).ID, At: t0, Reason: "vanished"}}))
			}
			left := func() (from []time.Time) {
				for _, h := range must[[]state.HeldWindow](f)(f.s.HeldWindows(f.ctx, "")) {
					from = append(from, h.From)
				}
				return from
			}
			list := changes(window(0).From)
			list.To = window(9).To
			f.publish(f.pulled(list, 1))
			f.equal("windows held back after a list of changes", left(), []time.Time{window(0).From, window(2).From, window(4).From})
			f.publish(f.pulled(export(1, 3), 1))
			f.equal("windows held back", left(), []time.Time{window(0).From, window(4).From})
		}},
	})
}
