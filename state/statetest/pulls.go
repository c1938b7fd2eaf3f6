package statetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/state"
)

func testPulls(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"a created pull is as it was asked for, and stays so", func(f *fixture) {
			n := window(0)
			got := f.created(n)
			want := state.Pull{
				ID: got.ID, Account: n.Account, Stream: n.Stream, Kind: n.Kind, Tier: n.Tier, From: n.From, To: n.To,
				Version: got.Version, RunID: n.RunID, Phase: state.Pulling, CreatedAt: got.CreatedAt,
			}
			f.equal("pull", got, want)
			if got.ID <= 0 || got.Version == 0 {
				f.Fatalf("got id %d and version %d, want positive ones", got.ID, got.Version)
			}
			if at := got.CreatedAt; at.IsZero() || at.Location() != time.UTC || at != at.Truncate(time.Millisecond) {
				f.Fatalf("created at %v, want a time in UTC with whole milliseconds", at)
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{want})
			f.reopen()
			f.equal("open pulls after reopening", f.openPulls(), []state.Pull{want})
		}},
		{"times are cut to milliseconds and turned to UTC, the zero time stays zero, and so does 1970", func(f *fixture) {
			n := window(0)
			n.From = time.Unix(0, 0)
			n.To = time.Date(2026, 3, 29, 3, 0, 0, 999_999_999, time.FixedZone("CEST", 7200))
			p := f.created(n)
			f.equal("from", p.From, time.Unix(0, 0).UTC())
			f.equal("to", p.To, time.Date(2026, 3, 29, 1, 0, 0, 999e6, time.UTC))
			s := f.created(snapshot())
			if !s.From.IsZero() || !s.To.IsZero() {
				f.Fatalf("a snapshot has the window %s to %s", s.From, s.To)
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{p, s})
		}},
		{"pulls are created and listed in the order given", func(f *fixture) {
			pulls := f.create(window(3), window(1), snapshot(), window(2))
			f.equal("number created", len(pulls), 4)
			f.equal("open pulls", f.openPulls(), pulls)
			for i := 1; i < len(pulls); i++ {
				if pulls[i].ID <= pulls[i-1].ID || pulls[i].Version <= pulls[i-1].Version {
					f.Errorf("pull %d of version %d came after pull %d of version %d", pulls[i].ID, pulls[i].Version, pulls[i-1].ID, pulls[i-1].Version)
				}
			}
		}},
		{"a window with an open pull is not created again", func(f *fixture) {
			pulling := f.created(window(0))
			pulled := f.pulled(window(1), 1)
			f.equal("created", f.create(window(0), window(1)), []state.Pull(nil))
			f.equal("open pulls", f.openPulls(), []state.Pull{pulling, pulled})
		}},
		{"a window asked twice at once is created once", func(f *fixture) {
			f.equal("number created", len(f.create(window(0), window(0))), 1)
		}},
		{"a more urgent request makes the open pull more urgent", func(f *fixture) {
			p := f.created(window(0))
			n := window(0)
			n.Tier = state.Hot
			f.create(n)
			p.Tier = state.Hot
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"a less urgent request changes nothing", func(f *fixture) {
			p := f.created(window(0))
			n := window(0)
			n.Tier = state.Backfill
			f.create(n)
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"another account, stream, kind or window is another pull", func(f *fixture) {
			account, stream, longer := window(0), window(0), window(0)
			account.Account = "other"
			stream.Stream = "clicks"
			longer.To = longer.To.Add(time.Hour)
			shot := snapshot()
			shot.Stream = "conversions"
			f.equal("number created", len(f.create(window(0), account, stream, longer, changes(t0), shot)), 6)
		}},
		{"one pull of changes is open for a stream, whatever its times", func(f *fixture) {
			p := f.created(changes(t0))
			f.equal("created", f.create(changes(t0.Add(time.Hour))), []state.Pull(nil))
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"one snapshot is open for a stream", func(f *fixture) {
			f.created(snapshot())
			again := snapshot()
			again.From, again.To = t0, t0
			f.equal("created", f.create(again), []state.Pull(nil))
		}},
		{"a failed pull is replaced by a new one", func(f *fixture) {
			for _, c := range []struct{ first, again state.NewPull }{
				{window(0), window(0)},
				{changes(t0), changes(t0.Add(time.Hour))},
				{snapshot(), snapshot()},
			} {
				p := f.created(c.first)
				f.no(f.s.SetItems(f.ctx, p.ID, []string{"17"}, false))
				f.no(f.s.Fail(f.ctx, state.Failure{Account: p.Account, PullID: p.ID, Error: "gone", GiveUp: true}))
				f.equal("number of failed pulls", len(f.failedPulls()), 1)
				again := f.created(c.again)
				if again.ID == p.ID || again.Version <= p.Version || again.LastError != "" || again.Attempts != 0 || again.Items != nil {
					f.Errorf("got %+v in place of %+v", again, p)
				}
				f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
				f.no(f.s.DropPulls(f.ctx, []int64{again.ID}))
			}
		}},
		{"a kind that does not exist is refused, and none of the list created", func(f *fixture) {
			n := window(1)
			n.Kind = "fortnight"
			if _, err := f.s.CreatePulls(f.ctx, []state.NewPull{window(0), n}); err == nil {
				f.Error("it was created")
			}
			f.equal("open pulls", f.openPulls(), []state.Pull(nil))
		}},
		{"no pulls are created from no request", func(f *fixture) {
			f.equal("created", f.create(), []state.Pull(nil))
		}},
		{"the open pulls of one account are given without the others", func(f *fixture) {
			other := window(0)
			other.Account = "other"
			pulls := f.create(window(0), other)
			f.equal("of acme", must[[]state.Pull](f)(f.s.OpenPulls(f.ctx, "acme")), pulls[:1])
			f.equal("of other", must[[]state.Pull](f)(f.s.OpenPulls(f.ctx, "other")), pulls[1:])
			f.equal("of nobody", must[[]state.Pull](f)(f.s.OpenPulls(f.ctx, "nobody")), []state.Pull(nil))
		}},
		{"a dropped pull is gone with its pages, and its neighbour is not", func(f *fixture) {
			p, neighbour := f.pulled(window(0), 3), f.pulled(window(1), 2)
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID, 4711}))
			f.equal("open pulls", f.openPulls(), []state.Pull{neighbour})
			f.equal("pages", f.pages(p.ID), []state.Page(nil))
			f.equal("pages of the neighbour", len(f.pages(neighbour.ID)), 2)
			f.equal("pages in the inbox", f.inbox().Pages, int64(2))
			f.created(window(0))
		}},
		{"a failed pull can be dropped", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.no(f.s.Reject(f.ctx, p.ID, "bad rows"))
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
			f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
		}},
	})
}

func testItems(t *testing.T, d Driver) {
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf("5f%022x", i*7919)
	}
	for _, c := range []struct {
		name  string
		items []string
	}{
		{"one", []string{"17"}},
		{"several", []string{"17", "x y", "ü", "\"quoted\"", "trailing "}},
		{"empty ones", []string{"", "a", ""}},
		{"a single empty one", []string{""}},
		{"20,000", many},
		{"one that is long", []string{strings.Repeat("x", 100_000)}},
	} {
		t.Run("a list comes back as it was frozen: "+c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, d)
			p := f.created(window(0))
			f.no(f.s.SetItems(f.ctx, p.ID, c.items, false))
			p.Items = c.items
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.reopen()
			got := f.receive(receipt(p, 1, false))
			f.equal("items of the pull that received", got.Items, c.items)
		})
	}
	each(t, d, []testCase{
		{"an empty list with done leaves nothing to ask", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.SetItems(f.ctx, p.ID, nil, true))
			p.Phase = state.Pulled
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.publish(p)
		}},
		{"a second list replaces the first", func(f *fixture) {
			p := f.created(window(0))
			f.no(f.s.SetItems(f.ctx, p.ID, slices.Clone(many), false))
			f.no(f.s.SetItems(f.ctx, p.ID, []string{"1"}, false))
			f.equal("items", f.openPulls()[0].Items, []string{"1"})
		}},
		{"an item with a line break is refused", func(f *fixture) {
			p := f.created(window(0))
			if err := f.s.SetItems(f.ctx, p.ID, []string{"a\nb"}, false); err == nil {
				f.Error("it was stored")
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"only a pull that is pulling takes a list", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.is(f.s.SetItems(f.ctx, p.ID, []string{"1"}, false), state.ErrNoPull)
			f.is(f.s.SetItems(f.ctx, 4711, []string{"1"}, false), state.ErrNoPull)
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
	})
}
