package plan

import "time"

// instant gives the first instant at which a clock in loc shows the wall time w
// (whose own location is ignored) or, where w falls in a gap of daylight saving,
// the first instant after the gap. A wall time that occurs twice gives the
// earlier occurrence. time.Date promises neither.
func instant(w time.Time, loc *time.Location) time.Time {
	u := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, time.UTC)
	// No zone is more than a day from UTC, so these two lie before and after the
	// wall time whatever the zone does in between.
	before, after := offsetAt(u.Add(-24*time.Hour), loc), offsetAt(u.Add(24*time.Hour), loc)
	early, late := u.Add(-before), u.Add(-after)
	if late.Before(early) {
		early, late = late, early
	}
	for _, t := range []time.Time{early, late} {
		if t.Add(offsetAt(t, loc)).Equal(u) {
			return t
		}
	}
	// A gap: the clock jumps over w somewhere between the two readings.
	lo, hi := early.Unix(), late.Unix()
	for lo < hi {
		mid := lo + (hi-lo)/2
		t := time.Unix(mid, 0)
		if t.Add(offsetAt(t, loc)).UTC().Before(u) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return time.Unix(lo, 0).UTC()
}

func offsetAt(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}
