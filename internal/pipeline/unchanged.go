package pipeline

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/state"
)

// Most windows that are asked again bring what they brought before. To stage, compare
// and publish that is work for nothing, so a window is checkpointed without it if
//
//   - its pages are those of the checkpoint of exactly this window, and rows are made
//     of them in the same way (digestOf),
//   - all records could be read then: a mended mapping may read more,
//   - nothing else that was published of the stream may have changed the window's rows
//     since (state.Store.Untouched),
//   - nobody asked to load it: a backfill that was asked for by hand repairs a
//     warehouse that lost rows,
//   - the answers that stand as raw pages are younger than half of their retention:
//     otherwise a window that never changes would lose them, and with them the way
//     to map it again.
//
// Rows of leads are never passed over: what a page tells of them depends on others.

// unchanged ends the pulls among entries whose rows are visible already, and gives the
// others.
func (s *slot) unchanged(ctx context.Context, entries []*entry) ([]*entry, error) {
	began := time.Now()
	var same []*load
	var rest []*entry
	for _, e := range entries {
		l, err := s.engine.same(ctx, e, began)
		if err != nil {
			return nil, err
		}
		if l == nil {
			rest = append(rest, e)
		} else {
			same = append(same, l)
		}
	}
	if len(same) == 0 {
		return entries, nil
	}
	if err := s.conclude(ctx, same, began); err != nil {
		return nil, err
	}
	s.log.Info("unchanged", zap.Int("pulls", len(same)), zap.Duration("took", time.Since(began).Round(time.Millisecond)))
	// Their pages were not read, so only the store knows how large they were.
	if err := s.engine.measure(context.WithoutCancel(ctx)); err != nil {
		return nil, &stateError{err}
	}
	return rest, nil
}

// same gives a load for a pull that brought what is visible already; nil if it has to
// be loaded.
func (e *Engine) same(ctx context.Context, x *entry, now time.Time) (*load, error) {
	p := x.pull
	account := e.lanes[p.Account].account
	stream := account.stream(p.Stream)
	if p.Reload || stream == nil {
		return nil, nil
	}
	digest := digestOf(account, stream, p)
	if digest == 0 {
		return nil, nil
	}
	c, ok, err := e.store.Untouched(ctx, p.ID)
	if err != nil {
		return nil, &stateError{fmt.Errorf("reading what is known of account %s, stream %s, %s: %w", p.Account, p.Stream, describeWindow(p), err)}
	}
	if !ok || c.Digest != digest || c.Quarantined > 0 || now.Sub(c.RawAt) > e.rawRetention/2 {
		return nil, nil
	}
	return &load{entry: x, pull: p, account: account, stream: stream, rows: c.Rows, rawAt: c.RawAt, digest: digest, same: true}, nil
}

// digestOf tells a pull's rows from those of others: pulls with the same digest, which is
// not 0, have the same rows. It is 0 where that is not known.
func digestOf(a *Account, s *extractors.Stream, p state.Pull) uint64 {
	if p.Digest == 0 || p.Kind != state.Windowed || p.Route != state.Direct || s.Window == nil {
		return 0
	}
	if t, leads := a.owns(p.Stream); leads || t.leads || leadsIn(s.Outputs) >= 0 {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%x\n%s\n%s\n%s\n%s %s %s %s\n%q\n", p.Digest, a.Network, a.Reading, a.Location,
		s.Window.By, s.Window.Step, s.Window.Location, s.Window.Settle, s.Variables)
	for _, out := range s.Outputs {
		// A Spec holds values alone, and fmt writes maps in the order of their keys.
		fmt.Fprintf(h, "%s %q %+v\n", out.Table.Name, out.Scope, out.Spec)
	}
	return max(h.Sum64(), 1)
}
