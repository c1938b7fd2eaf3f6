package schema

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the test runs
)

func civilOf(t *testing.T, text string) int64 {
	t.Helper()
	c, rest, err := ParseCivil([]byte(text))
	if err != nil || len(rest) > 0 {
		t.Fatalf("ParseCivil(%q): %v, rest %q", text, err, rest)
	}
	return c.Unix
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func objectIDOf(unix int64) []byte {
	return fmt.Appendf(nil, "%08x134ed093008b4578", unix)
}

func TestInstant(t *testing.T) {
	for _, test := range []struct{ name, zone, local, hint, want string }{
		{"a winter time has the winter offset", "Europe/Berlin", "2026-01-15 12:00:00", "", "2026-01-15T11:00:00Z"},
		{"a summer time has the summer offset", "Europe/Berlin", "2026-07-15 12:00:00", "", "2026-07-15T10:00:00Z"},
		{"a skipped time is shifted forward east of Greenwich", "Europe/Berlin", "2026-03-29 02:30:00", "", "2026-03-29T01:30:00Z"},
		{"a skipped time is shifted forward west of Greenwich", "America/New_York", "2026-03-08 02:30:00", "", "2026-03-08T07:30:00Z"},
		{"the first skipped second is shifted", "Europe/Berlin", "2026-03-29 02:00:00", "", "2026-03-29T01:00:00Z"},
		{"the first second after the skipped hour is plain", "Europe/Berlin", "2026-03-29 03:00:00", "", "2026-03-29T01:00:00Z"},
		{"a repeated time is the earlier one", "Europe/Berlin", "2026-10-25 02:30:00", "", "2026-10-25T00:30:00Z"},
		{"a repeated time is the earlier one if the hint says so", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"a repeated time is the later one if the hint says so", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
		{"a hint may be some minutes off", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T01:40:00Z", "2026-10-25T01:30:00Z"},
		{"a hint far away counts for nothing", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T05:00:00Z", "2026-10-25T00:30:00Z"},
		{"a hint does not move a plain time", "Europe/Berlin", "2026-10-25 12:00:00", "2026-10-25T12:00:00Z", "2026-10-25T11:00:00Z"},
		{"a fold of half an hour has two occurrences", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T15:15:00Z", "2026-04-04T15:15:00Z"},
		{"a day that was skipped is read with the offset before", "Pacific/Apia", "2011-12-30 12:00:00", "", "2011-12-30T22:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			z := NewZone(location(t, test.zone))
			var hint []byte
			if test.hint != "" {
				h, err := time.Parse(time.RFC3339, test.hint)
				if err != nil {
					t.Fatal(err)
				}
				hint = objectIDOf(h.Unix())
			}
			local := civilOf(t, test.local)
			for range 2 { // the second answer may come of what was remembered
				got := time.Unix(z.Instant(local, hint), 0).UTC().Format(time.RFC3339)
				if got != test.want {
					t.Errorf("%s in %s with hint %q: got %s, want %s", test.local, test.zone, test.hint, got, test.want)
				}
				z.Instant(local+100*daySeconds, nil)
				z.Instant(local+3*3600, nil)
			}
		})
	}
}

// zoneNames are zones of all kinds: plain, half and quarter hours, both hemispheres,
// changes at midnight, changes of half an hour, zones that moved over the date line.
var zoneNames = []string{
	"UTC", "Europe/Berlin", "Europe/London", "Europe/Moscow", "America/New_York", "America/St_Johns",
	"America/Sao_Paulo", "America/Havana", "America/Caracas", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran",
	"Asia/Pyongyang", "Asia/Gaza", "Asia/Shanghai", "Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia", "Australia/Lord_Howe",
	"Australia/Adelaide", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Chatham", "Antarctica/Troll",
	"America/Argentina/San_Luis", "Etc/GMT+12", "Pacific/Kwajalein", "Asia/Manila", "America/Scoresbysund",
}

func TestInstantTurnsEveryLocalTimeBack(t *testing.T) {
	from := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	to := time.Date(2041, 2, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, name := range zoneNames {
		t.Run(name, func(t *testing.T) {
			l := location(t, name)
			z := NewZone(l)
			check := func(unix int64) {
				_, offset := time.Unix(unix, 0).In(l).Zone()
				local := unix + int64(offset)
				if got := z.Instant(local, objectIDOf(unix)); got != unix {
					t.Fatalf("local time of %v: got %v", time.Unix(unix, 0).In(l), time.Unix(got, 0).In(l))
				}
				got := z.Instant(local, nil)
				_, back := time.Unix(got, 0).In(l).Zone()
				if got > unix || got+int64(back) != local {
					t.Fatalf("local time of %v without hint: got %v", time.Unix(unix, 0).In(l), time.Unix(got, 0).In(l))
				}
				if day, want := z.Day(unix*1000), int(floorDiv(local, daySeconds)); day != want {
					t.Fatalf("day of %v: got %d, want %d", time.Unix(unix, 0).In(l), day, want)
				}
			}
			for unix := from; unix < to; unix += 9*3600 + 37 {
				check(unix)
			}
			// Every change of offset, by minutes for a day around it.
			for at := time.Unix(from, 0).In(l); ; {
				_, end := at.ZoneBounds()
				if end.IsZero() || end.Unix() > to {
					break
				}
				if !end.After(at) {
					end = at.Add(time.Hour)
				}
				for unix := end.Unix() - daySeconds/4; unix < end.Unix()+daySeconds/4; unix += 397 {
					check(unix)
				}
				check(end.Unix() - 1)
				check(end.Unix())
				at = end
			}
		})
	}
}

func TestParseCivil(t *testing.T) {
	for _, test := range []struct{ name, text, want, rest string }{
		{"seconds", "2024-03-05 14:15:21", "2024-03-05T14:15:21Z", ""},
		{"a T between", "2024-03-05T14:15:21", "2024-03-05T14:15:21Z", ""},
		{"decimals are cut at milliseconds", "2024-03-05 14:15:21.98765", "2024-03-05T14:15:21.987Z", ""},
		{"minutes", "2024-03-05 14:15", "2024-03-05T14:15:00Z", ""},
		{"a day alone is midnight", "2024-02-29", "2024-02-29T00:00:00Z", ""},
		{"zeros may be missing", "2024-3-5 4:05:06", "2024-03-05T04:05:06Z", ""},
		{"24:00 is the next day", "2024-12-31 24:00:00", "2025-01-01T00:00:00Z", ""},
		{"a leap second is the next one", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z", ""},
		{"before the epoch", "1950-06-07 08:09:10", "1950-06-07T08:09:10Z", ""},
		{"the year 0 begins where it does", "0000-01-31", "0000-01-31T00:00:00Z", ""},
		{"what follows is given back", "2024-03-05 14:15:21 Z", "2024-03-05T14:15:21Z", " Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, rest, err := ParseCivil([]byte(test.text))
			got := time.Unix(c.Unix, int64(c.Milli)*1e6).UTC().Format(time.RFC3339Nano)
			if err != nil || got != test.want || string(rest) != test.rest {
				t.Errorf("%q: got %s, %q, %v, want %s, %q", test.text, got, rest, err, test.want, test.rest)
			}
		})
	}
	for _, text := range []string{"", "2024", "2024-13-01", "2024-00-10", "2023-02-29", "2024-04-31", "05-03-2024", "24-03-05", "2024-03-05 25:00:00", "2024-03-05 14:60:00", "2024-03-05 14:15:61", "2024-03-05 14", "2024-03-05 24:00:01", "0000-00-00 00:00:00"} {
		if c, _, err := ParseCivil([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, c)
		}
	}
}

func FuzzParseCivil(f *testing.F) {
	f.Add(int64(1709648121))
	f.Add(int64(-62135596800))
	f.Fuzz(func(t *testing.T, unix int64) {
		at := time.Unix(unix, 0).UTC()
		if at.Year() < 0 || at.Year() > 9999 {
			return
		}
		text := at.Format(time.DateTime)
		if c, rest, err := ParseCivil([]byte(text)); err != nil || c.Unix != unix || len(rest) > 0 {
			t.Errorf("%s: got %v, %q, %v, want %d", text, c, rest, err, unix)
		}
	})
}

func TestParseInstants(t *testing.T) {
	objectID := func(text []byte) (int64, error) {
		unix, ok := ParseObjectID(text)
		if !ok {
			return 0, ErrTimeSyntax
		}
		return unix * 1000, nil
	}
	for _, test := range []struct {
		name  string
		parse func([]byte) (int64, error)
		text  string
		want  string // empty: an error
	}{
		{"RFC 3339 in UTC", ParseRFC3339, "2019-09-30T11:33:46Z", "2019-09-30T11:33:46Z"},
		{"RFC 3339 with an offset and decimals", ParseRFC3339, "2019-09-30T11:33:46.25-03:30", "2019-09-30T15:03:46.25Z"},
		{"an offset without a colon", ParseRFC3339, "2019-09-30 11:33:46+0200", "2019-09-30T09:33:46Z"},
		{"an offset of hours", ParseRFC3339, "2019-09-30T11:33:46+02", "2019-09-30T09:33:46Z"},
		{"RFC 3339 without an offset is refused", ParseRFC3339, "2019-09-30T11:33:46", ""},
		{"an offset of a day is refused", ParseRFC3339, "2019-09-30T11:33:46+24:00", ""},
		{"Unix seconds", ParseUnix, "1709637321", "2024-03-05T11:15:21Z"},
		{"Unix seconds with decimals", ParseUnix, "1709637321.0359", "2024-03-05T11:15:21.035Z"},
		{"Unix seconds in scientific notation", ParseUnix, "1.709637321e9", "2024-03-05T11:15:21Z"},
		{"negative Unix seconds", ParseUnix, "-1.5", "1969-12-31T23:59:58.5Z"},
		{"Unix seconds that are milliseconds are refused", ParseUnix, "1709637321000", ""},
		{"a word is refused", ParseUnix, "now", ""},
		{"Unix milliseconds", ParseUnixMilli, "1709637321035", "2024-03-05T11:15:21.035Z"},
		{"Unix milliseconds far away are refused", ParseUnixMilli, "99999999999999999999", ""},
		{"an ObjectId", objectID, "65e6fec9134ed093008b4578", "2024-03-05T11:15:21Z"},
		{"an ObjectId in upper case", objectID, "65E6FEC9134ED093008B4578", "2024-03-05T11:15:21Z"},
		{"a short ObjectId is refused", objectID, "65e6fec9", ""},
		{"an ObjectId of other letters is refused", objectID, "65e6fec9134ed093008b457g", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			ms, err := test.parse([]byte(test.text))
			if test.want == "" {
				if err == nil {
					t.Errorf("%q: got %d, want an error", test.text, ms)
				}
				return
			}
			if got := time.UnixMilli(ms).UTC().Format(time.RFC3339Nano); err != nil || got != test.want {
				t.Errorf("%q: got %s, %v, want %s", test.text, got, err, test.want)
			}
		})
	}
}
