package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/schedule"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("loading zone %s: %v", name, err)
	}
	return loc
}

func parse(t testing.TB, spec string, loc *time.Location, key string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(spec, loc, key)
	if err != nil {
		t.Fatalf("parsing %q: %v", spec, err)
	}
	return s
}

func TestDueTimes(t *testing.T) {
	tests := []struct {
		name, spec, zone string
		from             string
		want             []string
	}{
		{"every quarter of an hour", "*/15 * * * *", "UTC", "2026-01-01T00:00:00Z",
			[]string{"2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"}},
		{"the given time itself is never due again", "0 * * * *", "UTC", "2026-01-01T01:00:00Z", []string{"2026-01-01T02:00:00Z"}},
		{"a day begins in the zone", "@daily", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-01-02T00:00:00+01:00", "2026-01-03T00:00:00+01:00"}},
		{"an hour begins when the zone's clock says so", "@hourly", "Asia/Kathmandu", "2026-01-01T00:00:00Z",
			[]string{"2026-01-01T06:00:00+05:45", "2026-01-01T07:00:00+05:45"}},
		{"every counts from 1970", "@every 7h", "Europe/Berlin", "1970-01-02T00:00:00Z", []string{"1970-01-02T05:00:00+01:00", "1970-01-02T12:00:00+01:00"}},
		{"a time in the gap is due at its end", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"many times in the gap are due once", "*/10 2,3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:10:00+02:00"}},
		{"a midnight in the gap is due at its end", "@daily", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"a day that never was is due at its end", "0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"}},
		{"a time in the fold is due once, the first time", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"asked between its two occurrences, it is past", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"the end of the fold is due", "0 2,3 * * *", "Europe/Berlin", "2026-10-24T23:30:00Z",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"}},
		{"every hour means both hours of the fold", "0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"a fold of half an hour", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		{"a leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"names of months and days", "0 0 * feb mon", "UTC", "2026-01-01T00:00:00Z", []string{"2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, tt.spec, zone(t, tt.zone), "")
			at, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			at = at.In(zone(t, tt.zone))
			var got []string
			for range tt.want {
				at = s.Next(at)
				got = append(got, at.Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s in %s after %s (-want +got):\n%s", tt.spec, tt.zone, tt.from, diff)
			}
		})
	}
}

// line is a cron line with a way to match wall times that owes nothing to the
// cron library.
type line struct {
	spec      string
	everyHour bool
	match     func(wall time.Time) bool
}

var lines = []line{
	{"*/15 * * * *", true, func(w time.Time) bool { return w.Minute()%15 == 0 }},
	{"7 * * * *", true, func(w time.Time) bool { return w.Minute() == 7 }},
	{"0 * * * mon-fri", true, func(w time.Time) bool {
		return w.Minute() == 0 && w.Weekday() >= time.Monday && w.Weekday() <= time.Friday
	}},
	{"0 0 * * *", false, func(w time.Time) bool { return w.Minute() == 0 && w.Hour() == 0 }},
	{"30 2 * * *", false, func(w time.Time) bool { return w.Minute() == 30 && w.Hour() == 2 }},
	{"*/20 0-3,23 * * *", false, func(w time.Time) bool { return w.Minute()%20 == 0 && (w.Hour() <= 3 || w.Hour() == 23) }},
	{"59 1 * * sun", false, func(w time.Time) bool { return w.Minute() == 59 && w.Hour() == 1 && w.Weekday() == time.Sunday }},
}

// minutes lists the due times of a line by looking at every minute: a matching
// wall time is due where it is first shown, in every-hour lines wherever it is
// shown, and a matching one that is leapt over where the leap ends.
func (l line) minutes(from, to time.Time, loc *time.Location) []time.Time {
	var due []time.Time
	shown := map[time.Time]bool{}
	wallOf := func(t time.Time) time.Time {
		l := t.In(loc)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	// What was shown before from counts as shown.
	for t := from.Add(-6 * time.Hour); !t.After(from); t = t.Add(time.Minute) {
		shown[wallOf(t)] = true
	}
	for t := from.Add(time.Minute); !t.After(to); t = t.Add(time.Minute) {
		wall, before := wallOf(t), wallOf(t.Add(-time.Minute))
		is := l.match(wall) && (l.everyHour || !shown[wall])
		for w := before.Add(time.Minute); w.Before(wall); w = w.Add(time.Minute) {
			is = is || l.match(w)
		}
		shown[wall] = true
		if is {
			due = append(due, t)
		}
	}
	return due
}

func TestDueTimesOverZonesEqualThoseFoundMinuteByMinute(t *testing.T) {
	zones := []string{
		"UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Moscow", "America/New_York", "America/Sao_Paulo",
		"America/Havana", "America/Santiago", "America/St_Johns", "America/Nuuk", "America/Caracas", "Africa/Casablanca", "Africa/Cairo",
		"Africa/Juba", "Asia/Tehran", "Asia/Gaza", "Asia/Beirut", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Amman", "Australia/Lord_Howe",
		"Pacific/Chatham", "Pacific/Apia", "Pacific/Norfolk", "Antarctica/Troll", "Antarctica/Casey",
	}
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			// No change, and the day that Apia left out.
			changes := []time.Time{time.Date(2026, 2, 27, 12, 0, 0, 0, time.UTC), time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC)}
			for at := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2027; {
				_, end := at.In(loc).ZoneBounds()
				if end.IsZero() || end.Year() > 2030 {
					break
				}
				changes = append(changes, end.UTC())
				at = end
			}
			for _, l := range lines {
				s := parse(t, l.spec, loc, "")
				for _, change := range changes {
					from, to := change.Add(-14*time.Hour), change.Add(14*time.Hour)
					var got []time.Time
					for at := s.Next(from); !at.After(to); at = s.Next(at) {
						got = append(got, at.UTC())
					}
					if diff := cmp.Diff(l.minutes(from, to, loc), got); diff != "" {
						t.Fatalf("%s around %s (-want +got):\n%s", l.spec, change.In(loc), diff)
					}
				}
			}
		})
	}
}

func TestNextDoesNotDependOnWhereItIsAskedFrom(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"} {
		for _, l := range lines {
			s := parse(t, l.spec, zone(t, name), "a key")
			for _, day := range []time.Time{time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 10, 0, 0, 0, time.UTC),
				time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), time.Date(2011, 12, 30, 6, 0, 0, 0, time.UTC)} {
				for at := day; at.Before(day.Add(8 * time.Hour)); at = at.Add(7*time.Minute + 13*time.Second) {
					due := s.Next(at)
					if !due.After(at) {
						t.Fatalf("%s in %s: due at %s after %s", l.spec, name, due, at)
					}
					if again := s.Next(due.Add(-time.Nanosecond)); !again.Equal(due) {
						t.Fatalf("%s in %s: asked at %s due at %s, asked just before that due at %s", l.spec, name, at, due, again)
					}
				}
			}
		}
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	tests := []struct{ name, spec, want string }{
		{"an empty line", "", "an empty cron line"},
		{"too few fields", "* * *", `a cron line has five fields (minute, hour, day of month, month, day of week), "* * *" has 3`},
		{"seconds are not a field", "0 * * * * *", " has 6"},
		{"a minute out of range", "61 * * * *", `"61 * * * *": minute "61" is wrong (0-59)`},
		{"an hour out of range", "0 24 * * *", `hour "24" is wrong (0-23)`},
		{"a word", "0 0 * foo *", `month "foo" is wrong (1-12 or jan-dec)`},
		{"sunday is not 7", "0 0 * * 7", `day of week "7" is wrong (0-6 or sun-sat, sunday is 0)`},
		{"a range backwards", "0 5-3 * * *", `hour "5-3" is wrong`},
		{"a step of zero", "*/0 * * * *", `minute "*/0" is wrong`},
		{"commas only", ", * * * *", `minute "," is wrong`},
		{"a day that never is", "0 0 30 2 *", `"0 0 30 2 *" is never due`},
		{"a zone of its own", "TZ=UTC 0 0 * * *", "a schedule is in the zone of its account"},
		{"a zone without a line", "TZ=UTC", "a schedule is in the zone of its account"},
		{"an unknown descriptor", "@hurly", `"@hurly" is not a cron line of five fields or one of @yearly`},
		{"every without a duration", "@every", "needs a duration of 1s or more"},
		{"every nothing", "@every 0s", "needs a duration of 1s or more"},
		{"every negative", "@every -5m", "needs a duration of 1s or more"},
		{"every moment", "@every 10ms", "needs a duration of 1s or more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := schedule.Check(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check(%q) = %v, want it to say: %s", tt.spec, err, tt.want)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)
	tests := []struct {
		name, spec string
		limit      time.Duration
	}{
		{"an hour is put off by 30 seconds at most", "@hourly", 30 * time.Second},
		{"a minute is put off by a tenth", "* * * * *", 6 * time.Second},
		{"the shortest interval of a line counts", "0,1 * * * *", 6 * time.Second},
		{"a week is put off by 30 seconds at most", "@weekly", 30 * time.Second},
		{"every five seconds by a tenth", "@every 5s", 500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain := parse(t, tt.spec, time.UTC, "")
			delays := map[time.Duration]bool{}
			for i := range 200 {
				key := fmt.Sprintf("affise/account-%d/conversions", i)
				due := parse(t, tt.spec, time.UTC, key).Next(from)
				if again := parse(t, tt.spec, time.UTC, key).Next(from); !again.Equal(due) {
					t.Fatalf("key %s is due at %s and at %s", key, due, again)
				}
				// The one due time of the plain line that may have been put off to this.
				delay := due.Sub(plain.Next(due.Add(-tt.limit)))
				if delay < 0 || delay >= tt.limit {
					t.Fatalf("key %s is put off by %v, want less than %v", key, delay, tt.limit)
				}
				delays[delay] = true
			}
			if len(delays) < 100 {
				t.Errorf("200 keys share %d delays", len(delays))
			}
		})
	}
}

// FuzzParse holds that no cron line makes Parse or Next panic, and that time moves on.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"*/15 * * * *", "@hourly", "@every 15m", "TZ=", "CRON_TZ=x 1 2 3 4 5", "1-5/2,7 * ? * mon", "@every 100000h", "0 0 31 2 *", ",,, * * * *"} {
		f.Add(seed, int64(1800000000))
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, spec string, unix int64) {
		s, err := schedule.Parse(spec, berlin, "key")
		if err != nil {
			return
		}
		at := time.Unix(unix%4_000_000_000, 0)
		for range 5 {
			next := s.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q: due at %s after %s", spec, next, at)
			}
			at = next
		}
	})
}
