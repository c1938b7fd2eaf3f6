package schema

import (
	"math"
	"time"
)

// Zone turns local times into instants and instants into days. It remembers the
// period between two changes of the zone's offset in which it last looked, so that
// the times of a page cost an addition each. A Zone is not safe for concurrent use.
type Zone struct {
	location *time.Location

	// Local times from plainFrom to before plainTo occur exactly once, at offset.
	plainFrom, plainTo, plainOffset int64
	// Instants from utcFrom to before utcTo have utcOffset.
	utcFrom, utcTo, utcOffset int64
}

// NewZone makes a Zone of a location; nil is UTC.
func NewZone(location *time.Location) *Zone {
	if location == nil {
		location = time.UTC
	}
	return &Zone{location: location}
}

// Location is the location z was made of.
func (z *Zone) Location() *time.Location { return z.location }

// Day gives the day, counted from 1970-01-01, on which an instant (in Unix
// milliseconds) falls in z.
func (z *Zone) Day(unixMilli int64) int {
	unix := floorDiv(unixMilli, 1000)
	if unix < z.utcFrom || unix >= z.utcTo {
		p := z.period(unix)
		z.utcFrom, z.utcTo, z.utcOffset = p.from, p.to, p.offset
	}
	return int(floorDiv(unix+z.utcOffset, daySeconds))
}

// Instant gives the Unix second of a local time of z, given as Civil.Unix.
//
// A local time that is skipped, when clocks go forward, is read with the offset
// from before the change: 02:30 becomes what the clock shows an hour later, 03:30.
// A local time that occurs twice, when clocks go back, is the occurrence at which
// objectID was made, give or take foldTolerance; the earlier if there is no such id.
func (z *Zone) Instant(local int64, objectID []byte) int64 {
	if local >= z.plainFrom && local < z.plainTo {
		return local - z.plainOffset
	}
	return z.resolve(local, objectID)
}

// foldTolerance is how far an ObjectId's second may lie off, in seconds. No zone
// repeats less than half an hour, so no id is near to two occurrences.
const foldTolerance = 15*60 - 1

// period is the time between two changes of a zone's offset, as Unix seconds.
type period struct{ from, to, offset int64 }

// period gives the one that an instant lies in.
func (z *Zone) period(unix int64) period {
	t := time.Unix(unix, 0).In(z.location)
	_, offset := t.Zone()
	p := period{math.MinInt64, math.MaxInt64, int64(offset)}
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		p.from = start.Unix()
	}
	if !end.IsZero() {
		p.to = end.Unix()
	}
	// Beyond the table of a zone's changes package time reckons with years of 365
	// days: on the last day of a leap year it gives bounds that leave unix out.
	if p.from > unix || p.to <= unix {
		p.from, p.to = unix, unix+60*60
	}
	return p
}

// offsetReach is further from UTC, in seconds, than any clock ever was.
const offsetReach = 26 * 60 * 60

// resolve looks at all periods in which a local time can fall.
func (z *Zone) resolve(local int64, objectID []byte) int64 {
	hint, hasHint := ParseObjectID(objectID)
	var found, before period
	n := 0
	instant := int64(0)
	for p := z.period(local - offsetReach); ; p = z.period(p.to) {
		if n == 0 && addBounded(p.to, p.offset) <= local {
			before = p
		}
		if at := local - p.offset; at >= p.from && at < p.to {
			n++
			if n == 1 {
				found, instant = p, at
			}
			if hasHint && abs(at-hint) <= foldTolerance {
				instant = at
			}
		}
		if p.to > local+offsetReach {
			break
		}
	}
	switch n {
	case 0:
		return local - before.offset
	case 1:
		z.remember(found)
	}
	return instant
}

// remember notes the local times that fall into p and into no other period. At each
// end those are missing that the change of offset skips or repeats.
func (z *Zone) remember(p period) {
	z.plainFrom, z.plainTo, z.plainOffset = math.MinInt64, math.MaxInt64, p.offset
	if p.from != math.MinInt64 {
		z.plainFrom = p.from + max(p.offset, z.period(p.from-1).offset)
	}
	if p.to != math.MaxInt64 {
		z.plainTo = p.to + min(p.offset, z.period(p.to).offset)
	}
}

func addBounded(a, b int64) int64 {
	if a == math.MaxInt64 {
		return a
	}
	return a + b
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
