package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/state"
)

// checkWork is the work of a call outside a pull.
var checkWork = extractors.Work{}

// Plan creates the pulls that a due stream needs at now. What is open already is
// not created again, so that planning while a run still goes on changes nothing
// but urgency.
func (e *Engine) Plan(ctx context.Context, account, stream string, now time.Time) error {
	l := e.lanes[account]
	if l == nil {
		return fmt.Errorf("planning account %s: it is not configured", account)
	}
	s := l.account.stream(stream)
	if s == nil {
		return fmt.Errorf("planning account %s: it has no stream %s", account, stream)
	}
	known, err := Know(ctx, e.store, account, s)
	if err != nil {
		return fmt.Errorf("planning account %s, stream %s: %w", account, stream, err)
	}
	return e.carryOut(ctx, account, stream, known, l.account.Pulls(s, known, now))
}

// Backfill creates the pulls of every window of a stream that meets [from, to) and
// was not published since a time. A stream without windows is pulled whole.
func (e *Engine) Backfill(ctx context.Context, account, stream string, from, to, since, now time.Time) error {
	l := e.lanes[account]
	if l == nil || l.account.stream(stream) == nil {
		return fmt.Errorf("backfilling account %s, stream %s: it is not configured", account, stream)
	}
	s := l.account.stream(stream)
	known, err := Know(ctx, e.store, account, s)
	if err != nil {
		return fmt.Errorf("backfilling account %s, stream %s: %w", account, stream, err)
	}
	return e.carryOut(ctx, account, stream, known, l.account.BackfillPulls(s, known, from, to, since, now))
}

// Accept asks for what a guard holds back of a stream again, at once, and believes it. It
// gives the number of pulls that do so; 0 if nothing is held back.
func (e *Engine) Accept(ctx context.Context, account, stream string, now time.Time) (int, error) {
	l := e.lanes[account]
	if l == nil || l.account.stream(stream) == nil {
		return 0, fmt.Errorf("accepting what is held back of account %s, stream %s: it is not configured", account, stream)
	}
	s := l.account.stream(stream)
	known, err := Know(ctx, e.store, account, s)
	if err != nil {
		return 0, fmt.Errorf("accepting what is held back of account %s, stream %s: %w", account, stream, err)
	}
	pulls := l.account.AcceptPulls(s, known, now)
	return len(pulls), e.carryOut(ctx, account, stream, known, pulls)
}

// carryOut creates the pulls that were planned, after it forgot the failed ones that
// those replace: a day whose pages could not be had comes with the file of its month,
// and would be reported as failed for ever.
func (e *Engine) carryOut(ctx context.Context, account, stream string, known Known, planned []Planned) error {
	pulls := make([]state.NewPull, len(planned))
	for i, p := range planned {
		pulls[i] = p.NewPull
	}
	var replaced []int64
	for _, f := range known.Failed {
		within := func(p state.NewPull) bool {
			return p.Kind == state.Windowed && !p.From.After(f.From) && !p.To.Before(f.To) && !(p.From.Equal(f.From) && p.To.Equal(f.To))
		}
		if f.Kind == state.Windowed && slices.ContainsFunc(pulls, within) {
			replaced = append(replaced, f.ID)
		}
	}
	if len(replaced) > 0 {
		if err := e.store.DropPulls(ctx, replaced); err != nil {
			return fmt.Errorf("forgetting failed windows of account %s, stream %s: %w", account, stream, err)
		}
	}
	return e.create(ctx, account, stream, pulls)
}

func (e *Engine) create(ctx context.Context, account, stream string, pulls []state.NewPull) error {
	if len(pulls) == 0 {
		return nil
	}
	if err := e.createParent(ctx, account, stream); err != nil {
		return err
	}
	run := e.newRunID()
	wanted := make(map[windowKey]state.NewPull, len(pulls))
	for i := range pulls {
		pulls[i].RunID = run
		wanted[keyOf(state.Pull{Kind: pulls[i].Kind, From: pulls[i].From, To: pulls[i].To})] = pulls[i]
	}
	created, err := e.store.CreatePulls(ctx, pulls)
	if err != nil {
		return fmt.Errorf("storing the plan of account %s, stream %s: %w", account, stream, err)
	}
	e.queue.raise(account, stream, wanted)
	if len(created) == 0 {
		return nil
	}
	if err := e.runs.start(ctx, run, account, stream, len(created)); err != nil {
		return fmt.Errorf("storing the run of account %s, stream %s: %w", account, stream, err)
	}
	for _, p := range created {
		e.observe.Planned(p)
	}
	e.after("planned")
	e.queue.add(created, time.Now())
	e.log.Debug("run planned", zap.String("account", account), zap.String("stream", stream), zap.Int("pulls", len(created)))
	return nil
}

// createParent plans the stream whose ids a stream goes over, if it was never asked for:
// when both are due for the first time, either may be planned first, and the one that goes
// over the other's ids would be given up for want of any.
func (e *Engine) createParent(ctx context.Context, account, stream string) error {
	a := e.lanes[account].account
	child := a.stream(stream)
	if child == nil || child.ForEach == nil || child.ForEach.Stream == "" {
		return nil
	}
	parent := child.ForEach.Stream
	if a.stream(parent) == nil || !e.selected(account, parent) {
		return nil // the child says so
	}
	if open, _ := e.queue.open(account, parent); open {
		return nil
	}
	published, err := e.store.Checkpoints(ctx, account, parent)
	if err != nil {
		return fmt.Errorf("reading what is published of account %s, stream %s: %w", account, parent, err)
	}
	failed, err := e.store.FailedPulls(ctx)
	if err != nil {
		return fmt.Errorf("reading what failed of account %s: %w", account, err)
	}
	// What was refused waits until it is due itself.
	asked := func(p state.Pull) bool { return p.Account == account && p.Stream == parent }
	if len(published) > 0 || slices.ContainsFunc(failed, asked) {
		return nil
	}
	return e.Plan(ctx, account, parent, time.Now())
}

// parentItems asks the warehouse for the live ids that a for-each stream goes over.
func (e *Engine) parentItems(ctx context.Context, a *Account, s *extractors.Stream) ([]string, error) {
	parent := a.stream(s.ForEach.Stream)
	if parent == nil {
		return nil, fmt.Errorf("stream %s goes over stream %s, which is not enabled", s.Name, s.ForEach.Stream)
	}
	out := parent.Outputs[0]
	return e.warehouse.Column(ctx, out.Table.Name, a.Name, out.Scope, s.ForEach.Columns)
}
