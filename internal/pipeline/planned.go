package pipeline

import (
	"context"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/internal/plan"
	"syncd/schema"
	"syncd/state"
)

// firstChanges is how far back the first list of changes of a stream reaches; what
// is older comes with the windows.
const firstChanges = 24 * time.Hour

// heldAgain is how long a window that a guard held back rests before it is asked
// again: whether the network means what it said is seen by asking twice, and not in
// the same minute.
const heldAgain = 15 * time.Minute

// heldFileAgain is heldAgain for what came as a file: a network that never says the
// same twice would have every export of a day spent on it within hours. At six hours
// it is four of ten.
const heldFileAgain = 6 * time.Hour

// Known is what the store knows of a stream of an account: what planning rests on.
// The zero Known is that of a stream that was never pulled.
type Known struct {
	Published []state.Checkpoint
	// Parent is what is published of the stream whose rows a for-each stream goes over.
	Parent []state.Checkpoint
	// Open and Failed are the stream's own pulls.
	Open, Failed []state.Pull
	// Held are the stream's own windows that a guard held back.
	Held []state.HeldWindow
}

// Know reads what the store knows of a stream. Failed pulls and the parent's
// checkpoints are read only where a choice between routes needs them.
func Know(ctx context.Context, store state.Store, account string, s *extractors.Stream) (Known, error) {
	var k Known
	// What is open is read first and what is published last: a pull that ends meanwhile is
	// then found in both, and the other way round in neither, and would be made once more.
	if s.Export != nil { // else the store itself sees to it that no window is open twice
		others := func(p state.Pull) bool { return p.Account != account || p.Stream != s.Name }
		open, err := store.OpenPulls(ctx, account)
		if err != nil {
			return k, err
		}
		k.Open = slices.DeleteFunc(open, others)
		failed, err := store.FailedPulls(ctx)
		if err != nil {
			return k, err
		}
		k.Failed = slices.DeleteFunc(failed, others)
		if s.ForEach != nil && s.ForEach.Stream != "" {
			if k.Parent, err = store.Checkpoints(ctx, account, s.ForEach.Stream); err != nil {
				return k, err
			}
		}
	}
	held, err := store.HeldWindows(ctx, account)
	if err != nil {
		return k, err
	}
	k.Held = slices.DeleteFunc(held, func(h state.HeldWindow) bool { return h.Stream != s.Name })
	k.Published, err = store.Checkpoints(ctx, account, s.Name)
	return k, err
}

// Planned is a pull that a stream needs, and for windows how it was chosen.
type Planned struct {
	state.NewPull
	// Choice is zero but for Rows (-1) and Steps (1) where the pull is no window.
	Choice plan.Choice
}

// Costs is what the account may ask, for comparing routes.
func (a *Account) Costs() plan.Account {
	return plan.Account{MinDelay: a.MinDelay, Parallel: a.Parallel, Quotas: a.Quotas, Budgets: a.Budgets}
}

// Pulls gives the pulls that stream s needs at now, most urgent first. Windows that
// are held back are asked again whatever their tier says, so that a second answer can
// release them.
func (a *Account) Pulls(s *extractors.Stream, k Known, now time.Time) []Planned {
	var pulls []Planned
	if s.Window == nil {
		pulls = append(pulls, a.whole(s, state.Warm))
	} else {
		pulls = a.windows(s, k, plan.Of(s).DueWindows(now, k.Published), now, now)
	}
	if s.Changes {
		pulls = append(pulls, Planned{NewPull: state.NewPull{
			Account: a.Name, Stream: s.Name, Kind: state.Changes, Tier: state.Hot, From: changedSince(k.Published, now), To: now,
		}, Choice: plan.Choice{Steps: 1, Rows: -1}})
	}
	return pulls
}

// BackfillPulls gives the pulls of a backfill of one stream, newest first. What was
// pulled or published at or after since is left out.
func (a *Account) BackfillPulls(s *extractors.Stream, k Known, from, to, since, now time.Time) []Planned {
	if s.Window == nil {
		for _, c := range k.Published {
			if c.Kind == s.Kind() && (!c.PublishedAt.Before(since) || !c.PulledAt.Before(since)) {
				return nil
			}
		}
		return []Planned{a.whole(s, state.Backfill)}
	}
	// What is held back is in the range or none of its business: nothing is asked again beside it.
	return reload(a.windows(s, k, plan.Of(s).Range(from, to, now, since, k.Published), now, time.Time{}))
}

// reload has pulls loaded whatever they bring: who asks for a range may know that the
// warehouse lost it.
func reload(pulls []Planned) []Planned {
	for i := range pulls {
		pulls[i].Reload = true
	}
	return pulls
}

// whole is a pull of a stream without windows.
func (a *Account) whole(s *extractors.Stream, tier state.Tier) Planned {
	return Planned{
		NewPull: state.NewPull{Account: a.Name, Stream: s.Name, Kind: s.Kind(), Tier: tier},
		Choice:  plan.Choice{Steps: 1, Rows: -1},
	}
}

// windows gives the pulls of windows that are due, and of what was held back long
// enough before again.
func (a *Account) windows(s *extractors.Stream, k Known, due []plan.Due, now, again time.Time) []Planned {
	axis := plan.Of(s)
	due = slices.DeleteFunc(slices.Clone(due), func(d plan.Due) bool { return d.Tier != state.Hot && resting(axis, k.Held, d.Window, again) })
	volume := plan.VolumeOf(s, k.Published, k.Parent)
	choices := axis.Routes(due, k.Open, standing(axis, k, again), volume, a.Costs(), now)
	pulls := make([]Planned, len(choices))
	for i, c := range choices {
		pulls[i] = Planned{NewPull: state.NewPull{
			Account: a.Name, Stream: s.Name, Kind: state.Windowed, Route: c.Route, Tier: c.Tier, From: c.Window.From, To: c.Window.To,
		}, Choice: c}
	}
	return pulls
}

// standing gives the windows of a stream that have to be asked for in the shape in
// which they were asked before: what a guard held back, and exports that were given
// up. Shapes that the stream has no more, because its step, the account's zone or the
// manifest changed, are forgotten.
func standing(axis *plan.Stream, k Known, again time.Time) []plan.Standing {
	var all []plan.Standing
	add := func(w schema.Window, export, ask bool) {
		steps := axis.Steps(w)
		export = export || steps > 1
		if steps == 0 || export && axis.Export == nil {
			return
		}
		if !slices.ContainsFunc(all, func(x plan.Standing) bool { return x.Window.From.Before(w.To) && w.From.Before(x.Window.To) }) {
			all = append(all, plan.Standing{Window: w, Export: export, Ask: ask})
		}
	}
	for _, h := range k.Held {
		rest := heldAgain
		if wasFile(axis, h) {
			rest = heldFileAgain
		}
		add(schema.Window{From: h.From, To: h.To}, false, again.Sub(h.At) >= rest)
	}
	for _, f := range k.Failed {
		if f.Kind == state.Windowed && f.Route == state.Export {
			add(schema.Window{From: f.From, To: f.To}, true, false)
		}
	}
	return all
}

// wasFile reports whether what a guard held back came as a file.
func wasFile(axis *plan.Stream, h state.HeldWindow) bool {
	return axis.Steps(schema.Window{From: h.From, To: h.To}) > 1 || axis.Export != nil && axis.Export.Only
}

// resting reports whether a window lies in a file that was held back and is not to be
// asked for again yet: its days are due all the time, for they are not published.
func resting(axis *plan.Stream, held []state.HeldWindow, w schema.Window, now time.Time) bool {
	if now.IsZero() { // a backfill, which somebody asked for
		return false
	}
	return slices.ContainsFunc(held, func(h state.HeldWindow) bool {
		return wasFile(axis, h) && now.Sub(h.At) < heldFileAgain && h.From.Before(w.To) && w.From.Before(h.To)
	})
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
