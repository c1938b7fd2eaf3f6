package schema

import "errors"

// Errors of the time parsers.
var (
	// ErrTimeSyntax is for text that is not a time in the layout that was asked for.
	ErrTimeSyntax = errors.New("not a time in the expected layout")
	// ErrTimeRange is for a time or day that the warehouse cannot hold: times reach
	// from 1900 to 2299, days from 1970-01-01 to 2149-06-06.
	ErrTimeRange = errors.New("time is out of range")
)

// Bounds of DateTime64(3) in Unix milliseconds and of Date in days.
const (
	minUnixMilli = -2208988800000 // 1900-01-01 00:00:00
	maxUnixMilli = 10413791999999 // 2299-12-31 23:59:59.999
	maxDay       = 65535          // 2149-06-06
	daySeconds   = 24 * 60 * 60
)

// CheckTime refuses what a Time column cannot hold.
func CheckTime(unixMilli int64) error {
	if unixMilli < minUnixMilli || unixMilli > maxUnixMilli {
		return ErrTimeRange
	}
	return nil
}

// Civil is a clock and calendar reading without a zone, as if it were UTC.
type Civil struct {
	Unix  int64 // seconds since 1970-01-01 00:00:00 on the same clock
	Milli int   // 0 to 999; what is finer is cut off
}

// ParseCivil reads "2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05" and
// "2006-01-02T15:04:05.999" and gives what follows. Month, day and hour may have one
// digit. A second of 60 is the next minute's first.
func ParseCivil(text []byte) (c Civil, rest []byte, err error) {
	days, rest, err := parseDay(text)
	if err != nil {
		return Civil{}, text, err
	}
	c.Unix = int64(days) * daySeconds
	if len(rest) < 2 || rest[0] != ' ' && rest[0] != 'T' && rest[0] != 't' || rest[1]-'0' > 9 {
		return c, rest, nil
	}
	hour, rest, ok := number(rest[1:], 2)
	if !ok || hour > 24 || len(rest) == 0 || rest[0] != ':' {
		return Civil{}, text, ErrTimeSyntax
	}
	minute, rest, ok := number(rest[1:], 2)
	if !ok || minute > 59 {
		return Civil{}, text, ErrTimeSyntax
	}
	second := 0
	if len(rest) > 0 && rest[0] == ':' {
		if second, rest, ok = number(rest[1:], 2); !ok || second > 60 {
			return Civil{}, text, ErrTimeSyntax
		}
		if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') && rest[1]-'0' <= 9 {
			c.Milli, rest = parseMilli(rest[1:])
		}
	}
	if hour == 24 && minute+second+c.Milli > 0 {
		return Civil{}, text, ErrTimeSyntax
	}
	c.Unix += int64(hour*3600 + minute*60 + second)
	return c, rest, nil
}

// ParseDay reads "2006-01-02" as days since 1970-01-01 and gives what follows.
func ParseDay(text []byte) (day uint16, rest []byte, err error) {
	days, rest, err := parseDay(text)
	if err != nil {
		return 0, text, err
	}
	if days < 0 || days > maxDay {
		return 0, text, ErrTimeRange
	}
	return uint16(days), rest, nil
}

func parseDay(text []byte) (int, []byte, error) {
	year, rest, ok := number(text, 4)
	if !ok || len(text)-len(rest) != 4 || len(rest) == 0 || rest[0] != '-' {
		return 0, text, ErrTimeSyntax
	}
	month, rest, ok := number(rest[1:], 2)
	if !ok || month < 1 || month > 12 || len(rest) == 0 || rest[0] != '-' {
		return 0, text, ErrTimeSyntax
	}
	day, rest, ok := number(rest[1:], 2)
	if !ok || day < 1 || day > daysIn(year, month) {
		return 0, text, ErrTimeSyntax
	}
	return daysFromCivil(year, month, day), rest, nil
}

// number reads up to most digits.
func number(text []byte, most int) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(text) && i < most && text[i]-'0' <= 9 {
		n = n*10 + int(text[i]-'0')
		i++
	}
	return n, text[i:], i > 0
}

// parseMilli reads the digits after a decimal point of which the first stands.
func parseMilli(text []byte) (milli int, rest []byte) {
	i, unit := 0, 100
	for i < len(text) && text[i]-'0' <= 9 {
		milli += int(text[i]-'0') * unit
		unit /= 10
		i++
	}
	return milli, text[i:]
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysFromCivil counts the days from 1970-01-01 in the Gregorian calendar, for years from
// 0 on. Years begin in March here, so that the leap day comes last, and 400 later, for the
// January of the year 0 belongs to the one before it: 400 years have 146097 days.
func daysFromCivil(year, month, day int) int {
	year += 400
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468 - 146097
}

// ParseRFC3339 reads "2006-01-02T15:04:05Z", "2006-01-02 15:04:05.25+02:00", "+0200"
// and "+02" as Unix milliseconds. A time without an offset is an error.
func ParseRFC3339(text []byte) (unixMilli int64, err error) {
	c, rest, err := ParseCivil(text)
	if err != nil {
		return 0, err
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return 0, ErrTimeSyntax
	}
	return (c.Unix-int64(offset))*1000 + int64(c.Milli), nil
}

// parseOffset reads a whole offset from UTC, in seconds.
func parseOffset(text []byte) (int, bool) {
	if len(text) == 1 && text[0]|0x20 == 'z' {
		return 0, true
	}
	if len(text) < 3 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, rest, ok := number(text[1:], 2)
	if !ok || len(text)-len(rest) != 3 || hours > 23 {
		return 0, false
	}
	minutes := 0
	if len(rest) > 0 {
		if rest[0] == ':' {
			rest = rest[1:]
		}
		if len(rest) != 2 {
			return 0, false
		}
		if minutes, rest, ok = number(rest, 2); !ok || len(rest) > 0 || minutes > 59 {
			return 0, false
		}
	}
	offset := hours*3600 + minutes*60
	if text[0] == '-' {
		return -offset, true
	}
	return offset, true
}

// ParseUnix reads seconds since the epoch, with or without decimals, as Unix
// milliseconds; what is finer is cut off.
func ParseUnix(text []byte) (unixMilli int64, err error) {
	return parseEpoch(text, 1e7)
}

// ParseUnixMilli reads milliseconds since the epoch.
func ParseUnixMilli(text []byte) (int64, error) {
	return parseEpoch(text, 1e10)
}

// parseEpoch reads a number of which a millisecond is unit times 10^-10.
func parseEpoch(text []byte, unit uint64) (unixMilli int64, err error) {
	v, err := ParseDecimal(text)
	if err != nil {
		return 0, ErrTimeSyntax
	}
	q, _ := v.magnitude().divMod(unit)
	if q.hi != 0 || q.lo > maxUnixMilli {
		return 0, ErrTimeRange
	}
	if v.High < 0 {
		return -int64(q.lo), nil
	}
	return int64(q.lo), nil
}

// ParseObjectID gives the second, since the epoch, at which a MongoDB ObjectId of 24
// hexadecimal digits was made.
func ParseObjectID(text []byte) (unix int64, ok bool) {
	if len(text) != 24 {
		return 0, false
	}
	for i, c := range text {
		var digit byte
		switch {
		case c-'0' <= 9:
			digit = c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			digit = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		if i < 8 {
			unix = unix<<4 | int64(digit)
		}
	}
	return unix, true
}
