package schema

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Every zone of the IANA database, and every change of its clocks in these years: those
// that can still be restated, this one, and the next, whose changes are decided already.
var (
	changesFrom = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	changesTo   = time.Date(2028, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// clock is a zone and the instants at which its clocks change in those years.
type clock struct {
	loc     *time.Location
	changes []time.Time
}

// clocks are the zones that differ in those years, one of each kind: some 600 names make
// some 100 kinds.
func clocks(t *testing.T) []clock {
	t.Helper()
	names, err := os.ReadFile("../internal/config/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var kinds []clock
	for name := range strings.FieldsSeq(string(names)) {
		loc := location(t, name)
		var changes []time.Time
		_, offset := changesFrom.In(loc).Zone()
		var kind strings.Builder
		kind.WriteString(fmt.Sprint(offset))
		for at := changesFrom; ; {
			_, end := at.In(loc).ZoneBounds()
			if end.IsZero() || !end.Before(changesTo) {
				break
			}
			_, offset := end.In(loc).Zone()
			kind.WriteString(fmt.Sprint(" ", end.Unix(), offset))
			changes = append(changes, end.UTC())
			at = end
		}
		if !seen[kind.String()] {
			seen[kind.String()] = true
			kinds = append(kinds, clock{loc, changes})
		}
	}
	if len(kinds) < 60 {
		t.Fatalf("%d kinds of clocks are in %d bytes of names, want all of the world's", len(kinds), len(names))
	}
	return kinds
}

// Report days are what the zone's calendar says: an instant lies on the day that a clock
// shows, days follow each other, and a local time that is written down comes back to the
// day that it names. A local time that is skipped lies on that day or, if the rest of the
// day is skipped too, on the next.
func TestReportDaysOfEveryZoneAtEveryChange(t *testing.T) {
	for _, c := range clocks(t) {
		loc := c.loc
		z := NewZone(loc)
		for _, change := range c.changes {
			// A day and a bit to each side, by steps that hit no full hour twice, and every second
			// around the change itself.
			var instants []int64
			for unix := change.Unix() - 26*3600; unix < change.Unix()+26*3600; unix += 7*60 + 1 {
				instants = append(instants, unix)
			}
			for d := int64(-2); d <= 2; d++ {
				for _, around := range []int64{0, -3600, 3600, -1800, 1800} {
					instants = append(instants, change.Unix()+around+d)
				}
			}
			for _, unix := range instants {
				shown := time.Unix(unix, 0).In(loc)
				want := daysFromCivil(shown.Year(), int(shown.Month()), shown.Day())
				if got := z.Day(unix * 1000); got != want {
					t.Fatalf("%s: %v lies on day %d, want %d", loc, shown, got, want)
				}
				if got := z.Day(unix*1000 + 999); got != want {
					t.Fatalf("%s: the end of the second %v lies on day %d, want %d", loc, shown, got, want)
				}
				_, offset := shown.Zone()
				local := unix + int64(offset)
				if got := z.Instant(local, objectIDOf(unix)); got != unix {
					t.Fatalf("%s: the local time of %v with its id is %v", loc, shown, time.Unix(got, 0).In(loc))
				}
				plain := z.Instant(local, nil)
				if z.Day(plain*1000) != want || plain > unix {
					t.Fatalf("%s: the local time of %v without an id is %v", loc, shown, time.Unix(plain, 0).In(loc))
				}
			}
			// What the clocks skipped.
			_, before := change.Add(-1).In(loc).Zone()
			_, after := change.In(loc).Zone()
			for local := change.Unix() + int64(before); local < change.Unix()+int64(after); local += 61 {
				got := z.Instant(local, nil)
				if got < change.Unix() || got-change.Unix() != local-change.Unix()-int64(before) {
					t.Fatalf("%s: the skipped local time %v is %v", loc, time.Unix(local, 0).UTC(), time.Unix(got, 0).In(loc))
				}
				if day := int(floorDiv(local, daySeconds)); z.Day(got*1000) != day && z.Day(got*1000) != day+1 {
					t.Fatalf("%s: the skipped local time %v lies on day %d", loc, time.Unix(local, 0).UTC(), z.Day(got*1000))
				}
			}
		}
	}
}
