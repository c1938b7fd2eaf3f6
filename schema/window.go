package schema

import "time"

// Window is a half-open time range [From, To) of a stream, as instants in UTC.
// The zero Window stands for "everything": a stream that has no time axis.
type Window struct {
	From, To time.Time
}

// IsZero reports whether w covers everything.
func (w Window) IsZero() bool { return w.From.IsZero() && w.To.IsZero() }

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool {
	return w.IsZero() || !t.Before(w.From) && t.Before(w.To)
}
