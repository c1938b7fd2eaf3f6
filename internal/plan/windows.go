package plan

import (
	"iter"
	"time"

	"syncd/extractors"
	"syncd/schema"
)

// floor gives the wall time at which the step that contains w begins.
func floor(s extractors.Step, w time.Time) time.Time {
	day := time.Date(w.Year(), w.Month(), w.Day(), 0, 0, 0, 0, time.UTC)
	switch s {
	case extractors.Hour:
		return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), 0, 0, 0, time.UTC)
	case extractors.Week:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case extractors.Month:
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// next gives the wall time at which the step after the one that begins at w begins.
func next(s extractors.Step, w time.Time) time.Time {
	switch s {
	case extractors.Hour:
		return w.Add(time.Hour)
	case extractors.Week:
		return w.AddDate(0, 0, 7)
	case extractors.Month:
		return w.AddDate(0, 1, 0)
	}
	return w.AddDate(0, 0, 1)
}

// Windows gives the windows of a step that meet [from, to), oldest first, on the
// clock of loc. They are whole: the first may begin before from, the last may end
// after to. They touch and do not overlap; a local hour that daylight saving skips
// has no window, one that it repeats has a window of two hours.
func Windows(step extractors.Step, loc *time.Location, from, to time.Time) iter.Seq[schema.Window] {
	return func(yield func(schema.Window) bool) {
		local := from.In(loc)
		wall := floor(step, time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), 0, 0, 0, time.UTC))
		begin := instant(wall, loc)
		for begin.Before(to) {
			wall = next(step, wall)
			end := instant(wall, loc)
			if end.After(begin) && end.After(from) {
				if !yield(schema.Window{From: begin.UTC(), To: end.UTC()}) {
					return
				}
			}
			if end.After(begin) {
				begin = end
			}
		}
	}
}

// DayStart gives the instant at which the report day year-month-day begins in loc.
func DayStart(year int, month time.Month, day int, loc *time.Location) time.Time {
	return instant(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), loc)
}

// Steps gives the number of the stream's windows that w is made of, as its step and
// its clock are now; 0 if w begins or ends within one.
func (s *Stream) Steps(w schema.Window) int {
	n := 0
	for x := range Windows(s.Step, s.Location, w.From, w.To) {
		if n == 0 && !x.From.Equal(w.From) || x.To.After(w.To) {
			return 0
		}
		n++
	}
	return n
}

// Has reports whether w is one of the stream's windows, as its step and its clock are now.
func (s *Stream) Has(w schema.Window) bool { return s.Steps(w) == 1 }
