package schedule_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the test runs

	"github.com/google/go-cmp/cmp"

	"syncd/internal/schedule"
)

// clock is a zone and the instants at which its clocks change from 2025 to 2027.
type clock struct {
	loc     *time.Location
	changes []time.Time
}

// clocks are the zones of the IANA database that differ in those years, one of each kind.
func clocks(t *testing.T) []clock {
	t.Helper()
	names, err := os.ReadFile("../config/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, time.January, 1, 0, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	var kinds []clock
	for name := range strings.FieldsSeq(string(names)) {
		c := clock{loc: zone(t, name)}
		_, offset := from.In(c.loc).Zone()
		var kind strings.Builder
		kind.WriteString(fmt.Sprint(offset))
		for at := from; ; {
			_, end := at.In(c.loc).ZoneBounds()
			if end.IsZero() || !end.Before(to) {
				break
			}
			_, offset := end.In(c.loc).Zone()
			kind.WriteString(fmt.Sprint(" ", end.Unix(), offset))
			c.changes = append(c.changes, end.UTC())
			at = end
		}
		if !seen[kind.String()] {
			seen[kind.String()] = true
			kinds = append(kinds, c)
		}
	}
	if len(kinds) < 60 {
		t.Fatalf("%d kinds of clocks, want all of the world's", len(kinds))
	}
	return kinds
}

// Around every change, what is due is what a look at every minute finds due.
func TestDueTimesAtEveryChangeOfEveryZone(t *testing.T) {
	for _, c := range clocks(t) {
		for _, l := range lines {
			s := parse(t, l.spec, c.loc, "")
			for _, change := range c.changes {
				from, to := change.Add(-4*time.Hour), change.Add(4*time.Hour)
				var got []time.Time
				for at := s.Next(from); !at.After(to); at = s.Next(at) {
					got = append(got, at.UTC())
				}
				if diff := cmp.Diff(l.minutes(from, to, c.loc), got); diff != "" {
					t.Fatalf("%s around %s (-want +got):\n%s", l.spec, change.In(c.loc), diff)
				}
			}
		}
	}
}

// A time of the day is due once on each of the days of three years, whatever the clocks do
// on it: at that time where the clock shows it, the first time if it shows it twice, and
// at the end of the gap if it leaps over it.
func TestATimeOfTheDayIsDueOnceADay(t *testing.T) {
	from, to := time.Date(2024, time.December, 31, 23, 59, 0, 0, time.UTC), time.Date(2028, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range clocks(t) {
		for _, hour := range []int{0, 1, 2, 3, 23} {
			s := parse(t, fmt.Sprintf("30 %d * * *", hour), c.loc, "")
			// On the clock's own calendar: midnight of the zone is not that of UTC.
			wanted := time.Date(2025, time.January, 1, hour, 30, 0, 0, time.UTC)
			start := from.Add(-26 * time.Hour)
			for wall(start, c.loc).Before(wanted.Add(-time.Hour)) {
				start = start.Add(time.Hour)
			}
			for due := s.Next(start); wanted.Before(to); due = s.Next(due) {
				shown := wall(due, c.loc)
				switch before := wall(due.Add(-time.Minute), c.loc); {
				case shown.Equal(wanted):
					_, was := due.Add(-3 * time.Hour).In(c.loc).Zone()
					_, is := due.In(c.loc).Zone()
					for back := time.Minute; was != is && back <= 3*time.Hour; back += time.Minute {
						if wall(due.Add(-back), c.loc).Equal(wanted) {
							t.Fatalf("%s: %v is due the second time the clock shows it, %v", c.loc, wanted, due)
						}
					}
				case before.Before(wanted) && shown.After(wanted): // leapt over
				default:
					t.Fatalf("%s: 30 %d * * * is due at %v, want %v", c.loc, hour, due, wanted)
				}
				wanted = wanted.AddDate(0, 0, 1)
			}
		}
	}
}

// wall is what a clock in the zone shows, as if it were UTC.
func wall(at time.Time, loc *time.Location) time.Time {
	_, offset := at.In(loc).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// "@every" knows no clocks: its due times are as far apart as it says, everywhere.
func TestEveryTakesNoNoticeOfClocks(t *testing.T) {
	for _, c := range clocks(t) {
		var s schedule.Schedule = parse(t, "@every 45m", c.loc, "")
		for _, change := range c.changes {
			at := s.Next(change.Add(-3 * time.Hour))
			for range 8 {
				next := s.Next(at)
				if next.Sub(at) != 45*time.Minute {
					t.Fatalf("%s: due at %v and next at %v", c.loc, at, next)
				}
				at = next
			}
		}
	}
}
