package plan

import (
	"cmp"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// Stream is the time axis of a stream of an account, and what one call and one
// export of it bring: what the planner needs to know of it.
type Stream struct {
	Step     extractors.Step
	Location *time.Location
	// MaxAge is how far back the network answers; zero means for ever.
	MaxAge time.Duration
	// Settle is how old a record has to be before it is asked for.
	Settle time.Duration
	// Restate is ordered by Last, the shortest first.
	Restate []extractors.TierRule
	// Start is the first instant ever pulled; zero means as far back as the longest
	// tier reaches.
	Start time.Time
	// PageSize is the number of records that one call brings at most; 0 if unknown.
	PageSize int
	// Export is nil unless the network also writes files of the stream's records.
	Export *extractors.ExportRule
}

// Of gives the time axis of a windowed stream; s.Window must not be nil.
func Of(s *extractors.Stream) *Stream {
	return &Stream{
		Step: s.Window.Step, Location: s.Window.Location, MaxAge: s.Window.MaxAge, Settle: s.Window.Settle,
		Restate: s.Restate, Start: s.Start, PageSize: s.PageSize, Export: s.Export,
	}
}

// Due is a window that has to be pulled.
type Due struct {
	Window schema.Window
	Tier   state.Tier
	// Pulled is when the window was pulled before; zero if never.
	Pulled time.Time
}

// DueWindows gives the windows of s that have to be pulled at now, given what is
// published of it, in the order in which they should go: by tier, then the
// newest first, because that is what people look at.
//
// A window is due when it was never pulled, when its tier says that its last
// pull is too old, or when it was last pulled before all of it could be asked for
// and no tier covers it any more (the daemon was down for long). It counts as pulled
// with every published window that contains it.
func (s *Stream) DueWindows(now time.Time, checkpoints []state.Checkpoint) []Due {
	pulled := newPublished(checkpoints)
	var due []Due
	for w := range Windows(s.Step, s.Location, s.earliest(now), now.Add(-s.Settle)) {
		at, before := pulled.pulled(w)
		if tier, is := s.due(now, w, at, before); is {
			due = append(due, Due{Window: w, Tier: tier, Pulled: at})
		}
	}
	slices.SortStableFunc(due, func(a, b Due) int { return order(a.Tier, b.Tier, a.Window, b.Window) })
	return due
}

// order compares by urgency, then the newest first.
func order(a, b state.Tier, v, w schema.Window) int {
	return cmp.Or(cmp.Compare(a, b), w.From.Compare(v.From))
}

// due says whether a window has to be pulled at now, and how urgently.
func (s *Stream) due(now time.Time, w schema.Window, pulled time.Time, before bool) (state.Tier, bool) {
	if s.MaxAge > 0 && w.From.Before(now.Add(-s.MaxAge)) {
		return 0, false
	}
	tier, every := s.tier(now, w)
	switch {
	case !before:
		if tier > state.Hot {
			tier = state.Backfill
		}
		return tier, true
	case every > 0:
		return tier, !now.Before(pulled.Add(every - slack(every)))
	}
	return tier, pulled.Before(w.To.Add(s.Settle))
}

// Range gives every window of s that meets [from, to) and that the network would
// still answer at now, newest first, as backfill. Windows pulled or published
// at or after since are left out: they were done already. A pull may have been open before: the request
// since then took it over, and it is not made twice because the process was killed.
func (s *Stream) Range(from, to, now, since time.Time, checkpoints []state.Checkpoint) []Due {
	pulled, done := newPublished(checkpoints), newPublished(byPublication(checkpoints))
	var due []Due
	for w := range Windows(s.Step, s.Location, from, minTime(to, now.Add(-s.Settle))) {
		if s.MaxAge > 0 && w.From.Before(now.Add(-s.MaxAge)) {
			continue
		}
		at, _ := pulled.pulled(w)
		if visible, ever := done.pulled(w); ever && !visible.Before(since) {
			continue
		}
		due = append(due, Due{Window: w, Tier: state.Backfill, Pulled: at})
	}
	slices.Reverse(due)
	return due
}

// earliest is the first instant that is pulled at all: the stream's start, or as
// far back as its longest tier reaches; never earlier than the network answers.
func (s *Stream) earliest(now time.Time) time.Time {
	start := s.Start
	if start.IsZero() {
		start = now
		for _, t := range s.Restate {
			if reach := now.Add(-t.Last); reach.Before(start) {
				start = reach
			}
		}
	}
	if s.MaxAge > 0 {
		if limit := now.Add(-s.MaxAge); limit.After(start) {
			return limit
		}
	}
	return start
}

// tier gives the urgency of a window by its age, and how often it is pulled
// again; zero if no tier covers it.
func (s *Stream) tier(now time.Time, w schema.Window) (state.Tier, time.Duration) {
	if i := s.rule(now, w); i >= 0 {
		return min(state.Tier(i), state.Cold), s.Restate[i].Every
	}
	return state.Cold, 0
}

// slack keeps a window that was planned a moment after the tick of its schedule
// from waiting for the tick after the next.
func slack(every time.Duration) time.Duration { return min(every/10, time.Minute) }

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
