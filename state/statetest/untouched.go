package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

// testDigests is about what a pull brought, and what was asked of it.
func testDigests(t *testing.T, d Driver) {
	// digest gives the digest of a pull that received the given answers.
	digest := func(f *fixture, n state.NewPull, items []string, change ...func(r *state.Receipt)) uint64 {
		f.Helper()
		p := f.created(n)
		if items != nil {
			f.no(f.s.SetItems(f.ctx, p.ID, items, false))
		}
		for i, c := range change {
			r := receipt(p, i+1, i == len(change)-1)
			r.Request = "GET /conversions"
			if c != nil {
				c(&r)
			}
			p = f.receive(r)
		}
		f.equal("pull as it is stored", f.openPulls()[0], p)
		f.publish(p)
		return p.Digest
	}
	asks := func(what string) func(r *state.Receipt) { return func(r *state.Receipt) { r.Request = what } }
	each(t, d, []testCase{
		{"two pulls that bring the same pages have one digest, whatever they asked", func(f *fixture) {
			first := digest(f, window(0), nil, nil, asks("GET /a"))
			f.reopen()
			f.equal("digest", digest(f, window(0), nil, nil, asks("GET /b")), first)
			if first == 0 {
				f.Fatal("the digest is not known")
			}
		}},
		{"another page, order, number of records or number of pages is another digest", func(f *fixture) {
			hash := func(h uint64) func(r *state.Receipt) { return func(r *state.Receipt) { r.Hash, r.Records = h, 5 } }
			seen := map[uint64]bool{}
			for _, pages := range [][]func(r *state.Receipt){
				{hash(1)}, {hash(2)}, {hash(1), hash(2)}, {hash(2), hash(1)}, {hash(1), hash(2), hash(2)},
				{hash(1), func(r *state.Receipt) { r.Hash, r.Records = 2, 6 }},
			} {
				got := digest(f, window(0), nil, pages...)
				if got == 0 || seen[got] {
					f.Fatalf("digest %x is not known or came before", got)
				}
				seen[got] = true
			}
		}},
		{"where calls go over items, what they asked for counts", func(f *fixture) {
			a := digest(f, window(0), []string{"1", "2"}, asks("GET /item/1"), asks("GET /item/2"))
			same := digest(f, window(0), []string{"1", "2"}, asks("GET /item/1"), asks("GET /item/2"))
			b := digest(f, window(0), []string{"1", "3"}, asks("GET /item/1"), asks("GET /item/3"))
			if a != same || a == b {
				f.Fatalf("got digests %x, %x and %x, want the third alone to differ", a, same, b)
			}
		}},
		{"calls for control leave the digest alone", func(f *fixture) {
			plain := digest(f, window(0), nil, nil)
			p := f.created(window(0))
			c := receipt(p, 7, false)
			c.Control = true
			f.receive(c)
			f.equal("digest", f.receive(receipt(p, 1, true)).Digest, plain)
		}},
		{"a file and a page without a hash leave no digest, whatever follows", func(f *fixture) {
			f.equal("digest", digest(f, window(0), nil, nil, func(r *state.Receipt) { r.Hash = 0 }, nil), uint64(0))
			f.equal("digest", digest(f, window(1), nil, func(r *state.Receipt) { r.File, r.Body = "acme/x", nil }, nil), uint64(0))
		}},
		{"pages that are dropped leave neither digest nor total", func(f *fixture) {
			p := f.created(window(0))
			r := receipt(p, 1, false)
			r.Total = 99
			p = f.receive(r)
			if p.Digest == 0 || p.Total != 99 {
				f.Fatalf("got %+v", p)
			}
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, GiveUp: true, Error: "x"}))
			failed := f.failedPulls()[0]
			f.equal("digest", failed.Digest, uint64(0))
			f.equal("total", failed.Total, int64(0))
		}},
		{"the total that was stated last is kept", func(f *fixture) {
			p := f.created(window(0))
			for i, total := range []int64{10, 12, 0} {
				r := receipt(p, i+1, i == 2)
				r.Total = total
				f.receive(r)
			}
			f.reopen()
			f.equal("total", f.openPulls()[0].Total, int64(12))
		}},
		{"an open pull takes what is asked of it later, and keeps it", func(f *fixture) {
			p := f.created(window(0))
			again := window(0)
			again.Reload, again.Tier = true, state.Backfill
			f.create(again)
			again.Reload, again.Accept = false, true
			f.create(again)
			f.create(window(0))
			f.reopen()
			p.Reload, p.Accept = true, true
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			r := receipt(p, 1, false)
			r.ReceivedAt = time.Now()
			f.receive(r)
			f.no(f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, GiveUp: true, Park: true, Error: "x"}))
			revived := f.created(window(0))
			if !revived.Reload || !revived.Accept {
				f.Fatalf("got %+v", revived)
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{revived})
		}},
	})
}

// testUntouched is about what a checkpoint says of what is visible.
func testUntouched(t *testing.T, d Driver) {
	day := window(0)
	day.To = day.From.Add(24 * time.Hour)
	export := day
	export.Route = state.Export
	publish := func(f *fixture, rows int64, pulls ...state.Pull) {
		f.Helper()
		for _, p := range pulls {
			f.no(f.s.Publish(f.ctx, []state.Published{{PullID: p.ID, PublishedAt: t0, Rows: rows, Digest: 7, RawAt: t0.Add(-time.Hour)}}))
		}
	}
	// untouched pulls a window and says whether its checkpoint holds.
	untouched := func(f *fixture, n state.NewPull) bool {
		f.Helper()
		c, ok, err := f.s.Untouched(f.ctx, f.pulled(n, 1).ID)
		f.no(err)
		if !ok {
			f.equal("checkpoint", c, state.Checkpoint{})
			return false
		}
		f.equal("digest", c.Digest, uint64(7))
		f.equal("time of the raw pages", c.RawAt, t0.Add(-time.Hour))
		f.equal("window", c.From, n.From)
		return true
	}
	for _, c := range []struct {
		name   string
		before func(f *fixture)
		want   bool
	}{
		{"a window that was published holds", func(f *fixture) {
			publish(f, 5, f.pulled(window(0), 1))
			f.reopen()
		}, true},
		{"a window that was never published does not", func(*fixture) {}, false},
		{"its neighbours do not touch it", func(f *fixture) {
			publish(f, 5, f.pulled(window(-1), 1), f.pulled(window(0), 1))
			publish(f, 5, f.pulled(window(-1), 1), f.pulled(window(1), 1))
		}, true},
		{"changes that brought rows touch it", func(f *fixture) {
			publish(f, 5, f.pulled(window(0), 1), f.pulled(changes(t0), 1))
		}, false},
		{"changes that brought rows touch it, also when others that brought none came behind", func(f *fixture) {
			publish(f, 5, f.pulled(window(0), 1), f.pulled(changes(t0), 1))
			publish(f, 0, f.pulled(changes(t0), 1))
		}, false},
		{"changes that brought none leave it", func(f *fixture) {
			publish(f, 5, f.pulled(window(0), 1))
			publish(f, 0, f.pulled(changes(t0), 1))
		}, true},
		{"changes of another stream leave it", func(f *fixture) {
			other := changes(t0)
			other.Stream = "clicks"
			publish(f, 5, f.pulled(window(0), 1), f.pulled(other, 1))
		}, true},
		{"a window that was pulled after the changes were published holds again", func(f *fixture) {
			publish(f, 5, f.pulled(changes(t0), 1))
			publish(f, 5, f.pulled(window(0), 1))
		}, true},
		{"a window that was under way while changes were published does not: some of them may be younger", func(f *fixture) {
			w := f.created(window(0))
			publish(f, 5, f.pulled(changes(t0), 1))
			publish(f, 5, f.receive(receipt(w, 1, true)))
		}, false},
		{"a file over it touches it", func(f *fixture) {
			w := f.pulled(window(0), 1)
			e := f.pulled(export, 1)
			publish(f, 5, e, w)
		}, false},
		{"a window that was pulled after a file over it holds", func(f *fixture) {
			publish(f, 5, f.pulled(export, 1))
			publish(f, 5, f.pulled(window(0), 1))
		}, true},
		{"a wider window that is younger touches it", func(f *fixture) {
			w, wide := f.pulled(window(0), 1), f.pulled(day, 1)
			publish(f, 5, wide, w)
		}, false},
		{"a wider window that is older leaves it", func(f *fixture) {
			publish(f, 5, f.pulled(day, 1), f.pulled(window(0), 1))
		}, true},
		{"a wider window that is older and published later touches it", func(f *fixture) {
			wide := f.created(day)
			w := f.pulled(window(0), 1)
			publish(f, 5, w, f.receive(receipt(wide, 1, true)))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, d)
			c.before(f)
			if got := untouched(f, window(0)); got != c.want {
				t.Errorf("got untouched %v, want %v", got, c.want)
			}
		})
	}
	each(t, d, []testCase{
		{"a narrower window that is younger touches a wide one", func(f *fixture) {
			publish(f, 5, f.pulled(day, 1), f.pulled(window(3), 1))
			if untouched(f, day) {
				f.Error("the day holds")
			}
		}},
		{"a window that overlaps from before touches one", func(f *fixture) {
			shifted := window(0)
			shifted.From, shifted.To = shifted.From.Add(-30*time.Minute), shifted.To.Add(-30*time.Minute)
			publish(f, 5, f.pulled(window(0), 1), f.pulled(shifted, 1))
			if untouched(f, window(0)) {
				f.Error("the window holds")
			}
		}},
		{"only a pull whose answers are all there is asked about", func(f *fixture) {
			publish(f, 5, f.pulled(window(0), 1))
			p := f.created(window(0))
			for _, id := range []int64{p.ID, p.ID + 100} {
				if _, ok, err := f.s.Untouched(f.ctx, id); ok || err != nil {
					f.Errorf("pull %d: got %v, %v", id, ok, err)
				}
			}
		}},
	})
}
