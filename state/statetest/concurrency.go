package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/state"
)

func testConcurrency(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"lanes, loaders and readers do not disturb each other", everybodyAtOnce},
		{"the failure of one write takes no other with it", func(f *fixture) {
			const n = 40
			pulls := make([]state.NewPull, n)
			for i := range pulls {
				pulls[i] = window(i)
			}
			created := f.create(pulls...)
			var g errgroup.Group
			for _, p := range created {
				g.Go(func() error {
					_, err := f.s.Receive(f.ctx, receipt(p, 1, true))
					return err
				})
				g.Go(func() error {
					_, err := f.s.Receive(f.ctx, receipt(state.Pull{ID: p.ID + 1000}, 1, true))
					if !errors.Is(err, state.ErrNoPull) {
						return fmt.Errorf("got error %v, want %v", err, state.ErrNoPull)
					}
					return nil
				})
			}
			f.no(g.Wait())
			f.reopen()
			f.equal("pages in the inbox", f.inbox().Pages, int64(n))
			for _, p := range f.openPulls() {
				f.equal("phase", p.Phase, state.Pulled)
			}
		}},
		{"a window asked by many at once is created once", func(f *fixture) {
			var mu sync.Mutex
			var created []state.Pull // guarded by mu
			var g errgroup.Group
			for range 20 {
				g.Go(func() error {
					pulls, err := f.s.CreatePulls(f.ctx, []state.NewPull{window(0), snapshot()})
					mu.Lock()
					defer mu.Unlock()
					created = append(created, pulls...)
					return err
				})
			}
			f.no(g.Wait())
			f.equal("number created", len(created), 2)
		}},
		{"a budget asked by many at once is not overdrawn", func(f *fixture) {
			var mu sync.Mutex
			allowed := 0 // guarded by mu
			var g errgroup.Group
			for range 30 {
				g.Go(func() error {
					free, err := f.s.Quotas(f.ctx, "acme", []state.Budget{{Name: "calls", Calls: 10, Per: time.Minute}}, t0)
					mu.Lock()
					defer mu.Unlock()
					if free.IsZero() {
						allowed++
					}
					return err
				})
			}
			f.no(g.Wait())
			f.equal("calls allowed", allowed, 10)
		}},
		{"a secret asked by many at once is one", func(f *fixture) {
			secrets := make([]string, 20)
			var g errgroup.Group
			for i := range secrets {
				g.Go(func() (err error) {
					secrets[i], err = f.s.Secret(f.ctx, "engine")
					return err
				})
			}
			f.no(g.Wait())
			f.equal("different secrets", len(slices.Compact(secrets)), 1)
		}},
		{"a close in the middle of writes loses none that was acknowledged", func(f *fixture) {
			p := f.created(window(0))
			acknowledged := 0
			var g errgroup.Group
			started := make(chan struct{})
			g.Go(func() error {
				for n := 1; ; n++ {
					if _, err := f.s.Receive(f.ctx, receipt(p, n, false)); err != nil {
						if errors.Is(err, state.ErrClosed) {
							return nil
						}
						return err
					}
					if acknowledged++; acknowledged == 20 {
						close(started)
					}
				}
			})
			<-started
			f.no(f.s.Close())
			f.no(g.Wait())
			f.open()
			f.equal("pages", f.openPulls()[0].Pages, acknowledged)
		}},
	})
}

// everybodyAtOnce has several lanes pull, two of them of the same account, a loader
// publish, and readers look on. At the end nothing is left and nothing came twice.
func everybodyAtOnce(f *fixture) {
	const lanes, windows, pages = 4, 8, 5
	var mu sync.Mutex
	versions := map[uint64]bool{} // guarded by mu
	issue := func(version uint64) error {
		mu.Lock()
		defer mu.Unlock()
		if versions[version] {
			return fmt.Errorf("version %d came twice", version)
		}
		versions[version] = true
		return nil
	}

	finished := make(chan int64)
	var work, load, look errgroup.Group
	for lane := range lanes {
		work.Go(func() error {
			for w := range windows {
				n := window(lane*windows + w)
				n.Account = fmt.Sprintf("account %d", lane/2)
				pulls, err := f.s.CreatePulls(f.ctx, []state.NewPull{n})
				if err != nil {
					return err
				}
				p := pulls[0]
				if err := issue(p.Version); err != nil {
					return err
				}
				for page := 1; page <= pages; page++ {
					if err := f.s.Depart(f.ctx, state.Departure{Account: p.Account, PullID: p.ID, At: t0, NextCall: t0}); err != nil {
						return err
					}
					if page == 2 {
						if err := f.s.Fail(f.ctx, state.Failure{Account: p.Account, PullID: p.ID, NextCall: t0}); err != nil {
							return err
						}
					}
					got, err := f.s.Receive(f.ctx, receipt(p, page, page == pages))
					if err != nil {
						return err
					}
					if got.Pages != page {
						return fmt.Errorf("pull %d has %d pages after page %d", p.ID, got.Pages, page)
					}
				}
				finished <- p.ID
			}
			return nil
		})
	}
	load.Go(func() error {
		for id := range finished {
			got, err := f.s.Pages(f.ctx, id, 0, 100)
			if err != nil {
				return err
			}
			if len(got) != pages {
				return fmt.Errorf("pull %d has %d pages, want %d", id, len(got), pages)
			}
			for i, page := range got {
				if want := receipt(state.Pull{ID: id}, i+1, false).Body; !bytes.Equal(page.Body, want) {
					return fmt.Errorf("page %d of pull %d came back as another", i+1, id)
				}
				if err := issue(page.Version); err != nil {
					return err
				}
			}
			if err := f.s.Publish(f.ctx, []state.Published{{PullID: id, PublishedAt: t0}}); err != nil {
				return err
			}
		}
		return nil
	})
	done := make(chan struct{})
	for range 2 {
		look.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				default:
				}
				if _, err := f.s.Inbox(f.ctx); err != nil {
					return err
				}
				open, err := f.s.OpenPulls(f.ctx, "")
				if err != nil {
					return err
				}
				for _, p := range open {
					if (p.Phase == state.Pulled) != (p.Pages == pages) || p.Records != sumRecords(p.Pages) {
						return fmt.Errorf("half a change is visible: %+v", p)
					}
				}
			}
		})
	}
	worked := work.Wait()
	close(finished)
	loaded := load.Wait()
	close(done)
	f.no(errors.Join(worked, loaded, look.Wait()))

	f.equal("open pulls", f.openPulls(), []state.Pull(nil))
	f.equal("inbox", f.inbox(), state.InboxSize{})
	count := 0
	for lane := range lanes / 2 {
		count += len(must[[]state.Checkpoint](f)(f.s.Checkpoints(f.ctx, fmt.Sprintf("account %d", lane), "conversions")))
	}
	f.equal("number of checkpoints", count, lanes*windows)
}

// sumRecords is how many records the first answers of receipt have.
func sumRecords(pages int) (sum int64) {
	for n := 1; n <= pages; n++ {
		sum += int64(receipt(state.Pull{}, n, false).Records)
	}
	return sum
}
