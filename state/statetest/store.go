package statetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"syncd/state"
)

// writes are all methods that write, called so that they would succeed or find
// nothing to do.
var writes = map[string]func(ctx context.Context, s state.Store) error{
	"CreatePulls": func(ctx context.Context, s state.Store) error {
		_, err := s.CreatePulls(ctx, []state.NewPull{window(99)})
		return err
	},
	"SetItems":  func(ctx context.Context, s state.Store) error { return s.SetItems(ctx, 1, []string{"1"}, false) },
	"DropPulls": func(ctx context.Context, s state.Store) error { return s.DropPulls(ctx, []int64{99}) },
	"StopLane":  func(ctx context.Context, s state.Store) error { return s.StopLane(ctx, "acme", "refused") },
	"Depart":    func(ctx context.Context, s state.Store) error { return s.Depart(ctx, state.Departure{Account: "acme"}) },
	"Receive": func(ctx context.Context, s state.Store) error {
		_, err := s.Receive(ctx, state.Receipt{PullID: 1})
		return err
	},
	"Fail":  func(ctx context.Context, s state.Store) error { return s.Fail(ctx, state.Failure{Account: "acme"}) },
	"Ended": func(ctx context.Context, s state.Store) error { return s.Ended(ctx, "acme", 0, t0, t0) },
	"Quotas": func(ctx context.Context, s state.Store) error {
		_, err := s.Quotas(ctx, "acme", []state.Budget{{Name: "calls", Calls: 1, Per: time.Minute}}, t0)
		return err
	},
	"Publish": func(ctx context.Context, s state.Store) error {
		return s.Publish(ctx, []state.Published{{PullID: 99}})
	},
	"Hold":   func(ctx context.Context, s state.Store) error { return s.Hold(ctx, nil) },
	"Reject": func(ctx context.Context, s state.Store) error { return s.Reject(ctx, 1, "bad rows") },
	"AcceptPostback": func(ctx context.Context, s state.Store) error {
		_, err := s.AcceptPostback(ctx, postback(1))
		return err
	},
	"Bring": func(ctx context.Context, s state.Store) error {
		_, err := s.Bring(ctx, brings(1))
		return err
	},
	"AddLeads": func(ctx context.Context, s state.Store) error {
		_, err := s.AddLeads(ctx, "acme", []state.LeadFact{told(state.LeadNetworkID, "7")}, leadRule, t0)
		return err
	},
	"Receive of leads": func(ctx context.Context, s state.Store) error {
		_, err := s.Receive(ctx, tells(state.Pull{ID: 1}, 1, true, told(state.LeadNetworkID, "7")))
		return err
	},
	"SetDue":  func(ctx context.Context, s state.Store) error { return s.SetDue(ctx, "acme", "offers", t0) },
	"SaveRun": func(ctx context.Context, s state.Store) error { return s.SaveRun(ctx, state.Run{ID: "r"}) },
	"StartBackfill": func(ctx context.Context, s state.Store) error {
		_, err := s.StartBackfill(ctx, t0, t0, "", t0)
		return err
	},
	"FinishBackfill": func(ctx context.Context, s state.Store) error { return s.FinishBackfill(ctx, 1, t0) },
	"Secret":         func(ctx context.Context, s state.Store) error { _, err := s.Secret(ctx, "engine"); return err },
}

// reads are all methods that only read.
var reads = map[string]func(ctx context.Context, s state.Store) error{
	"OpenPulls":       func(ctx context.Context, s state.Store) error { _, err := s.OpenPulls(ctx, ""); return err },
	"FailedPulls":     func(ctx context.Context, s state.Store) error { _, err := s.FailedPulls(ctx); return err },
	"Lane":            func(ctx context.Context, s state.Store) error { _, err := s.Lane(ctx, "acme"); return err },
	"Lanes":           func(ctx context.Context, s state.Store) error { _, err := s.Lanes(ctx); return err },
	"Inbox":           func(ctx context.Context, s state.Store) error { _, err := s.Inbox(ctx); return err },
	"Pages":           func(ctx context.Context, s state.Store) error { _, err := s.Pages(ctx, 1, 0, 1); return err },
	"HeldWindows":     func(ctx context.Context, s state.Store) error { _, err := s.HeldWindows(ctx, ""); return err },
	"Checkpoints":     func(ctx context.Context, s state.Store) error { _, err := s.Checkpoints(ctx, "a", "b"); return err },
	"LastCheckpoints": func(ctx context.Context, s state.Store) error { _, err := s.LastCheckpoints(ctx); return err },
	"Due":             func(ctx context.Context, s state.Store) error { _, err := s.Due(ctx, "a", "b"); return err },
	"Postbacks": func(ctx context.Context, s state.Store) error {
		_, err := s.Postbacks(ctx, "acme", 1)
		return err
	},
	"Backlogs": func(ctx context.Context, s state.Store) error { _, err := s.Backlogs(ctx); return err },
	"OpenLeads": func(ctx context.Context, s state.Store) error {
		_, err := s.OpenLeads(ctx, "acme", state.ByOwnID, t0, "", 1)
		return err
	},
	"Lead": func(ctx context.Context, s state.Store) error {
		_, err := s.Lead(ctx, "acme", state.ByOwnID, "c1")
		if errors.Is(err, state.ErrNoLead) {
			return nil
		}
		return err
	},
	"LeadCounts": func(ctx context.Context, s state.Store) error { _, err := s.LeadCounts(ctx, t0); return err },
	"Runs":       func(ctx context.Context, s state.Store) error { _, err := s.Runs(ctx, 1); return err },
}

// ReadOnly checks a store that was opened for reading: every method that writes is
// refused, every other answers.
func ReadOnly(t *testing.T, s state.Store) {
	t.Helper()
	for name, write := range writes {
		if err := write(t.Context(), s); !errors.Is(err, state.ErrReadOnly) {
			t.Errorf("%s: got error %v, want %v", name, err, state.ErrReadOnly)
		}
	}
	for name, read := range reads {
		if err := read(t.Context(), s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testStore(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"a store that is held is refused, and says by whom", func(f *fixture) {
			s, err := d.Open(f.place)
			if err == nil {
				f.no(s.Close())
			}
			f.is(err, state.ErrLocked)
			if err.Error() == state.ErrLocked.Error() {
				f.Fatalf("%q does not say who", err)
			}
			f.created(window(0)) // the holder is not disturbed
		}},
		{"a store that was closed can be opened again", func(f *fixture) {
			f.reopen()
			f.reopen()
		}},
		{"a second close does nothing", func(f *fixture) {
			f.no(f.s.Close())
			f.no(f.s.Close())
		}},
		{"every method of a closed store says so", func(f *fixture) {
			f.no(f.s.Close())
			for name, call := range writes {
				if err := call(f.ctx, f.s); !errors.Is(err, state.ErrClosed) {
					f.Errorf("%s: got error %v, want %v", name, err, state.ErrClosed)
				}
			}
			for name, call := range reads {
				if err := call(f.ctx, f.s); !errors.Is(err, state.ErrClosed) {
					f.Errorf("%s: got error %v, want %v", name, err, state.ErrClosed)
				}
			}
		}},
		{"a context that ended beforehand does nothing and gives its cause", func(f *fixture) {
			cause := errors.New("the day is over")
			ctx, cancel := context.WithCancelCause(f.ctx)
			cancel(cause)
			f.created(window(0))
			before := f.openPulls()
			for name, call := range writes {
				if err := call(ctx, f.s); !errors.Is(err, cause) {
					f.Errorf("%s: got error %v, want %v", name, err, cause)
				}
			}
			for name, call := range reads {
				if err := call(ctx, f.s); !errors.Is(err, cause) {
					f.Errorf("%s: got error %v, want %v", name, err, cause)
				}
			}
			f.equal("open pulls", f.openPulls(), before)
			f.equal("lane", f.lane(), state.Lane{Account: "acme"})
		}},
		{"versions increase over all that takes one, and over reopening", func(f *fixture) {
			var last uint64
			next := func(version uint64) {
				f.Helper()
				if version <= last {
					f.Fatalf("version %d came after %d", version, last)
				}
				last = version
			}
			for round := range 3 {
				p := f.created(window(round))
				next(p.Version)
				f.receive(receipt(p, 1, false))
				f.receive(receipt(p, 2, true))
				for _, page := range f.pages(p.ID) {
					next(page.Version)
				}
				f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
				next(f.created(snapshot()).Version)
				f.no(f.s.DropPulls(f.ctx, []int64{f.openPulls()[0].ID}))
				f.reopen()
			}
		}},
		{"ids and sequence numbers are not used again after the last was dropped", func(f *fixture) {
			p := f.pulled(window(0), 1)
			seq := f.pages(p.ID)[0].Seq
			f.no(f.s.DropPulls(f.ctx, []int64{p.ID}))
			f.reopen()
			again := f.pulled(window(0), 1)
			if again.ID <= p.ID {
				f.Errorf("pull %d came after pull %d", again.ID, p.ID)
			}
			if got := f.pages(again.ID)[0].Seq; got <= seq {
				f.Errorf("page %d came after page %d", got, seq)
			}
		}},
		{"a store that lost everything issues greater versions than before", func(f *fixture) {
			before := f.created(window(0)).Version
			f.no(f.s.Close())
			f.place = d.Place(f)
			f.open()
			if after := f.created(window(0)).Version; after <= before {
				f.Fatalf("version %d came after %d", after, before)
			}
		}},
	})
}
