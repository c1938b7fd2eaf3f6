package plan

import (
	"time"

	"syncd/schema"
	"syncd/state"
)

// Age is what restatement says of one window at a time.
type Age struct {
	Window schema.Window
	// Rule is the place of the window's tier in Stream.Restate; -1 if it is older than
	// all of them reach, and so is pulled once.
	Rule int
	// Tier is how urgent a pull of it is that replaces another.
	Tier state.Tier
	// Every is how often it is pulled; zero if Rule is -1.
	Every time.Duration
	// Pulled is when it was pulled last; zero if never.
	Pulled time.Time
	// Due says that it has to be pulled now.
	Due bool
}

// Ages gives all windows of s that are pulled at all at now, oldest first, with what
// restatement says of them.
func (s *Stream) Ages(now time.Time, checkpoints []state.Checkpoint) []Age {
	pulled := newPublished(checkpoints)
	var ages []Age
	for w := range Windows(s.Step, s.Location, s.earliest(now), now.Add(-s.Settle)) {
		at, before := pulled.pulled(w)
		if s.MaxAge > 0 && w.From.Before(now.Add(-s.MaxAge)) {
			continue
		}
		a := Age{Window: w, Rule: s.rule(now, w), Pulled: at}
		a.Tier, a.Every = s.tier(now, w)
		_, a.Due = s.due(now, w, at, before)
		ages = append(ages, a)
	}
	return ages
}

// rule gives the place of the tier that covers a window by its age; -1 if none does.
func (s *Stream) rule(now time.Time, w schema.Window) int {
	for i, t := range s.Restate {
		if w.To.After(now.Add(-t.Last)) {
			return i
		}
	}
	return -1
}
