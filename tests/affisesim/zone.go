package affisesim

import (
	"fmt"
	"time"
)

// civil is a wall clock reading: days since 1970-01-01 and the hour.
type civil struct {
	day  int32
	hour int8
}

// offsetAt is the zone's distance from UTC, in seconds, at an instant.
func offsetAt(loc *time.Location, unix int64) int64 {
	if loc == time.UTC {
		return 0
	}
	_, off := time.Unix(unix, 0).In(loc).Zone()
	return int64(off)
}

func civilAt(loc *time.Location, unix int64) civil {
	local := unix + offsetAt(loc, unix)
	return civil{day: int32(floorDiv(local, 86400)), hour: int8(floorMod(local, 86400) / 3600)}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// date splits a day number.
func (c civil) date() (year, month, day int) {
	t := time.Unix(int64(c.day)*86400, 0).UTC()
	return t.Year(), int(t.Month()), t.Day()
}

// appendClock writes "2006-01-02 15:04:05" in the zone.
func appendClock(b []byte, loc *time.Location, unix int64) []byte {
	local := unix + offsetAt(loc, unix)
	b = appendDay(b, int32(floorDiv(local, 86400)))
	s := floorMod(local, 86400)
	return append(b, ' ',
		byte('0'+s/36000), byte('0'+s/3600%10), ':',
		byte('0'+s/600%6), byte('0'+s/60%10), ':',
		byte('0'+s%60/10), byte('0'+s%10))
}

// appendDay writes "2006-01-02" (the algorithm is Hinnant's civil_from_days).
func appendDay(b []byte, day int32) []byte {
	z := int(day) + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	if m > 12 {
		m -= 12
	}
	y := yoe + era*400
	if m <= 2 {
		y++
	}
	return append(b, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// parseDay reads the two date forms that the platform takes.
func parseDay(s string) (int32, error) {
	for _, layout := range []string{"2006-01-02", "02-01-2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return int32(floorDiv(t.Unix(), 86400)), nil
		}
	}
	return 0, fmt.Errorf("reading the date %q", s)
}

// span is a set of instants: those whose wall clock in a zone lies between
// two days (both included) and, unless hour is negative, in one hour. [lo,hi)
// bounds it; when exact it is all of [lo,hi), otherwise a clock change is
// near and every instant is to be asked.
type span struct {
	loc      *time.Location
	from, to int32
	hour     int8
	lo, hi   int64
	exact    bool
}

func newSpan(loc *time.Location, from, to int32, hour int) span {
	s := span{loc: loc, from: from, to: to, hour: int8(hour), exact: true}
	edge := func(local int64) (early, late int64) {
		a, b := offsetAt(loc, local-30*3600), offsetAt(loc, local+30*3600)
		if a != b || offsetAt(loc, local-offsetAt(loc, local)) != a {
			s.exact = false
		}
		return local - max(a, b), local - min(a, b)
	}
	first, end := int64(from)*86400, (int64(to)+1)*86400
	if hour >= 0 && from == to {
		first += int64(hour) * 3600
		end = first + 3600
	} else if hour >= 0 {
		s.exact = false
	}
	exact := s.exact
	s.lo, _ = edge(first)
	_, s.hi = edge(end)
	s.exact = s.exact && exact
	if !s.exact {
		// Two changes within three days are possible (Ramadan in Morocco is
		// not, a withdrawn reform was), so the bounds are generous.
		s.lo -= 2 * 86400
		s.hi += 2 * 86400
	}
	return s
}

// has says whether an instant is in the span.
func (s *span) has(unix int64) bool {
	if unix < s.lo || unix >= s.hi {
		return false
	}
	if s.exact {
		return true
	}
	c := civilAt(s.loc, unix)
	return c.day >= s.from && c.day <= s.to && (s.hour < 0 || c.hour == s.hour)
}
