package plan

import (
	"cmp"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// Stream is the time axis of a stream of an account: what the planner needs to
// know of it.
type Stream struct {
	Step     extractors.Step
	Location *time.Location
	// MaxAge is how far back the network answers; zero means for ever.
	MaxAge time.Duration
	// Restate is ordered by Last, the shortest first.
	Restate []extractors.TierRule
	// Start is the first instant ever pulled; zero means as far back as the longest
	// tier reaches.
	Start time.Time
}

// Of gives the time axis of a windowed stream; s.Window must not be nil.
func Of(s *extractors.Stream) *Stream {
	return &Stream{
		Step: s.Window.Step, Location: s.Window.Location, MaxAge: s.Window.MaxAge,
		Restate: s.Restate, Start: s.Start,
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
// pull is too old, or when it was last pulled before it had ended and no tier
// covers it any more (the daemon was down for long).
func (s *Stream) DueWindows(now time.Time, published []state.Checkpoint) []Due {
	pulled := lastPulls(published)
	var due []Due
	for w := range Windows(s.Step, s.Location, s.earliest(now), now) {
		if s.MaxAge > 0 && w.From.Before(now.Add(-s.MaxAge)) {
			continue
		}
		at, before := pulled[key(w)]
		tier, every := s.tier(now, w)
		switch {
		case !before:
			if tier > state.Hot {
				tier = state.Backfill
			}
		case every > 0:
			if now.Before(at.Add(every - slack(every))) {
				continue
			}
		case !at.Before(w.To):
			continue
		}
		due = append(due, Due{Window: w, Tier: tier, Pulled: at})
	}
	slices.SortStableFunc(due, func(a, b Due) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), b.Window.From.Compare(a.Window.From))
	})
	return due
}

// Range gives every window of s that meets [from, to) and that the network would
// still answer at now, newest first, as backfill. Windows published from a pull
// that began at or after since are left out: they were done already.
func (s *Stream) Range(from, to, now, since time.Time, published []state.Checkpoint) []Due {
	pulled := lastPulls(published)
	var due []Due
	for w := range Windows(s.Step, s.Location, from, minTime(to, now)) {
		if s.MaxAge > 0 && w.From.Before(now.Add(-s.MaxAge)) {
			continue
		}
		at, before := pulled[key(w)]
		if before && !at.Before(since) {
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
	for i, t := range s.Restate {
		if w.To.After(now.Add(-t.Last)) {
			return min(state.Tier(i), state.Cold), t.Every
		}
	}
	return state.Cold, 0
}

// slack keeps a window that was planned a moment after the tick of its schedule
// from waiting for the tick after the next.
func slack(every time.Duration) time.Duration { return min(every/10, time.Minute) }

type span struct{ from, to int64 }

func key(w schema.Window) span { return span{w.From.UnixMilli(), w.To.UnixMilli()} }

func lastPulls(published []state.Checkpoint) map[span]time.Time {
	pulled := make(map[span]time.Time, len(published))
	for _, c := range published {
		if c.Kind == state.Windowed {
			pulled[span{c.From.UnixMilli(), c.To.UnixMilli()}] = c.PulledAt
		}
	}
	return pulled
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
