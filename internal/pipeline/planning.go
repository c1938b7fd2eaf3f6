package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/internal/plan"
	"syncd/state"
)

// checkWork is the work of a call outside a pull.
var checkWork = extractors.Work{}

// firstChanges is how far back the first list of changes of a stream reaches; what
// is older comes with the windows.
const firstChanges = 24 * time.Hour

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
	published, err := e.store.Checkpoints(ctx, account, stream)
	if err != nil {
		return fmt.Errorf("planning account %s, stream %s: %w", account, stream, err)
	}
	held, err := e.store.HeldWindows(ctx, account)
	if err != nil {
		return fmt.Errorf("planning account %s, stream %s: %w", account, stream, err)
	}
	return e.create(ctx, account, stream, Pulls(account, s, published, held, now))
}

// heldAgain is how long a window that a guard held back rests before it is asked
// again: whether the network means what it said is seen by asking twice, and not in
// the same minute.
const heldAgain = 15 * time.Minute

// Pulls gives the pulls that stream s needs at now, most urgent first. Windows that
// are held back are asked again whatever their tier says, so that a second answer can
// release them.
func Pulls(account string, s *extractors.Stream, published []state.Checkpoint, held []state.HeldWindow, now time.Time) []state.NewPull {
	var pulls []state.NewPull
	if s.Window == nil {
		pulls = append(pulls, state.NewPull{Account: account, Stream: s.Name, Kind: state.Snapshot, Tier: state.Warm})
	} else {
		for _, d := range plan.Of(s).DueWindows(now, published) {
			pulls = append(pulls, state.NewPull{
				Account: account, Stream: s.Name, Kind: state.Windowed, Tier: d.Tier, From: d.Window.From, To: d.Window.To,
			})
		}
	}
	for _, h := range held {
		same := func(p state.NewPull) bool { return p.From.Equal(h.From) && p.To.Equal(h.To) }
		if h.Stream == s.Name && s.Window != nil && now.Sub(h.At) >= heldAgain && !slices.ContainsFunc(pulls, same) {
			pulls = append(pulls, state.NewPull{Account: account, Stream: s.Name, Kind: state.Windowed, Tier: state.Warm, From: h.From, To: h.To})
		}
	}
	if s.Changes {
		pulls = append(pulls, state.NewPull{
			Account: account, Stream: s.Name, Kind: state.Changes, Tier: state.Hot, From: changedSince(published, now), To: now,
		})
	}
	return pulls
}

// changedSince is where the last published list of changes ended.
func changedSince(published []state.Checkpoint, now time.Time) time.Time {
	since := now.Add(-firstChanges)
	found := false
	for _, c := range published {
		if c.Kind == state.Changes && (!found || c.To.After(since)) {
			since, found = c.To, true
		}
	}
	return since
}

// Backfill creates the pulls of every window of a stream that meets [from, to) and
// was not published since a time. A stream without windows is pulled whole.
func (e *Engine) Backfill(ctx context.Context, account, stream string, from, to, since, now time.Time) error {
	l := e.lanes[account]
	if l == nil || l.account.stream(stream) == nil {
		return fmt.Errorf("backfilling account %s, stream %s: it is not configured", account, stream)
	}
	published, err := e.store.Checkpoints(ctx, account, stream)
	if err != nil {
		return fmt.Errorf("backfilling account %s, stream %s: %w", account, stream, err)
	}
	return e.create(ctx, account, stream, BackfillPulls(account, l.account.stream(stream), published, from, to, since, now))
}

// BackfillPulls gives the pulls of a backfill of one stream, newest first.
func BackfillPulls(account string, s *extractors.Stream, published []state.Checkpoint, from, to, since, now time.Time) []state.NewPull {
	if s.Window == nil {
		for _, c := range published {
			if c.Kind == state.Snapshot && !c.PulledAt.Before(since) {
				return nil
			}
		}
		return []state.NewPull{{Account: account, Stream: s.Name, Kind: state.Snapshot, Tier: state.Backfill}}
	}
	var pulls []state.NewPull
	for _, d := range plan.Of(s).Range(from, to, now, since, published) {
		pulls = append(pulls, state.NewPull{
			Account: account, Stream: s.Name, Kind: state.Windowed, Tier: d.Tier, From: d.Window.From, To: d.Window.To,
		})
	}
	return pulls
}

func (e *Engine) create(ctx context.Context, account, stream string, pulls []state.NewPull) error {
	if len(pulls) == 0 {
		return nil
	}
	run := e.newRunID()
	tiers := make(map[windowKey]state.Tier, len(pulls))
	for i := range pulls {
		pulls[i].RunID = run
		tiers[keyOf(state.Pull{Kind: pulls[i].Kind, From: pulls[i].From, To: pulls[i].To})] = pulls[i].Tier
	}
	created, err := e.store.CreatePulls(ctx, pulls)
	if err != nil {
		return fmt.Errorf("storing the plan of account %s, stream %s: %w", account, stream, err)
	}
	e.queue.raise(account, stream, tiers)
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

// parentItems asks the warehouse for the live ids that a for-each stream goes over.
func (e *Engine) parentItems(ctx context.Context, a *Account, s *extractors.Stream) ([]string, error) {
	parent := a.stream(s.ForEach.Stream)
	if parent == nil {
		return nil, fmt.Errorf("stream %s goes over stream %s, which is not enabled", s.Name, s.ForEach.Stream)
	}
	out := parent.Outputs[0]
	return e.warehouse.Column(ctx, out.Table.Name, a.Name, out.Scope, s.ForEach.Columns)
}
