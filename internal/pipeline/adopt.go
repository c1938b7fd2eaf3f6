package pipeline

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/internal/plan"
	"syncd/schema"
	"syncd/state"
)

// adopt takes an account's open pulls from the store into the queue. Those of
// streams that are not configured or not selected rest until they are. Windows that
// are none any more, because the stream's step or the account's time zone was
// changed, are forgotten: read on another clock they would be other days.
func (e *Engine) adopt(ctx context.Context, a *Account, pulls []state.Pull, now time.Time) error {
	var known []state.Pull
	var odd []int64
	resting := 0
	for _, p := range pulls {
		s := a.stream(p.Stream)
		switch {
		case s == nil || !e.selected(p.Account, p.Stream):
			resting++
		case !stillOf(p, s):
			odd = append(odd, p.ID)
		default:
			known = append(known, p)
		}
	}
	if len(odd) > 0 {
		e.log.Warn("windows forgotten, the stream's windows or the account's time zone changed", zap.String("account", a.Name), zap.Int("windows", len(odd)))
		if err := e.store.DropPulls(ctx, odd); err != nil {
			return fmt.Errorf("forgetting windows of account %s: %w", a.Name, err)
		}
	}
	if resting > 0 {
		e.log.Info("pulls of streams that are not configured or not selected rest", zap.String("account", a.Name), zap.Int("pulls", resting))
	}
	e.runs.resume(known)
	for _, p := range known {
		e.observe.Planned(p)
	}
	e.queue.add(known, now)
	return nil
}

// stillOf reports whether a pull can be of a stream as that is now: a window is one
// step of its calendar, that of an export is whole steps of it, and exports are made.
func stillOf(p state.Pull, s *extractors.Stream) bool {
	if p.Route == state.Export && s.Export == nil {
		return false
	}
	if p.Kind != state.Windowed {
		return true
	}
	if s.Window == nil {
		return false
	}
	if p.Route == state.Direct {
		return plan.Of(s).Has(schema.Window{From: p.From, To: p.To})
	}
	// Report days are what is published, so a range on another clock would own days of
	// which it brought a part.
	first, last := true, time.Time{}
	for w := range plan.Windows(s.Window.Step, s.Window.Location, p.From, p.To) {
		if first && !w.From.Equal(p.From) {
			return false
		}
		first, last = false, w.To
	}
	return last.Equal(p.To)
}
