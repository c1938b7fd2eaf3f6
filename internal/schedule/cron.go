package schedule

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when something is due.
type Schedule interface {
	// Next gives the first due time after the given one, never that time itself; zero
	// if there is none.
	Next(after time.Time) time.Time
}

// Due times are put off by a share of the interval, so that accounts that are
// due on the hour do not all begin in the same second.
const (
	spreadShare = 10
	spreadMax   = 30 * time.Second
)

// everyMin is the shortest "@every": below it, a schedule is a busy loop.
const everyMin = time.Second

const descriptors = "@yearly, @monthly, @weekly, @daily, @hourly, @every 15m"

// cronFields are the fields of a cron line, in order.
var cronFields = [5]struct{ name, values string }{
	{"minute", "0-59"},
	{"hour", "0-23"},
	{"day of month", "1-31"},
	{"month", "1-12 or jan-dec"},
	{"day of week", "0-6 or sun-sat, sunday is 0"},
}

// Check reports what is wrong with a cron line.
func Check(spec string) error {
	_, err := Parse(spec, time.UTC, "")
	return err
}

// Parse reads a cron line of five fields (minute, hour, day of month, month, day
// of week) or a descriptor (@hourly, @every 15m), meant in the zone loc.
//
// A due time that the clock leaps over in spring is due at the first instant
// after the gap. One that the clock shows twice in autumn is due once, the first
// time; but a line for every hour means every hour that passes, so it is due in
// both. "@every" counts from the beginning of 1970 in UTC, so that a restart
// does not move it.
//
// A spreadKey moves all due times by the same delay, which follows from the key
// alone: at most a tenth of the shortest interval, at most 30 seconds. With an
// empty key there is none.
func Parse(spec string, loc *time.Location, spreadKey string) (Schedule, error) {
	s, err := parse(strings.TrimSpace(spec), loc)
	if err != nil {
		return nil, err
	}
	if spreadKey == "" {
		return s, nil
	}
	delay := spreadDelay(spreadKey, shortest(s))
	if delay == 0 {
		return s, nil
	}
	return delayed{s, delay}, nil
}

func parse(spec string, loc *time.Location) (Schedule, error) {
	if spec == "" {
		return nil, errors.New("an empty cron line")
	}
	if text, ok := strings.CutPrefix(spec, "@every"); ok {
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || d < everyMin {
			return nil, fmt.Errorf("%q needs a duration of %v or more, as in @every 15m", spec, everyMin)
		}
		return every(d.Truncate(time.Millisecond)), nil
	}
	if !strings.HasPrefix(spec, "@") {
		if err := checkFields(spec); err != nil {
			return nil, err
		}
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("%q is not a cron line of five fields or one of %s", spec, descriptors)
	}
	line, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q is not a kind of schedule that is known here", spec)
	}
	// The line is asked in UTC about the time that a clock on the wall of the zone shows.
	line.Location = time.UTC
	s := &wallClock{line: line, loc: loc, everyHour: line.Hour&allHours == allHours}
	if s.Next(reference).IsZero() {
		return nil, fmt.Errorf("%q is never due", spec)
	}
	return s, nil
}

// checkFields finds the field that is wrong, which the cron library's errors do not name.
func checkFields(spec string) error {
	fields := strings.Fields(spec)
	if strings.Contains(fields[0], "=") {
		return fmt.Errorf("%q names a time zone; a schedule is in the zone of its account", spec)
	}
	if len(fields) != len(cronFields) {
		return fmt.Errorf("a cron line has five fields (minute, hour, day of month, month, day of week), %q has %d", spec, len(fields))
	}
	for i, f := range fields {
		alone := [5]string{"*", "*", "*", "*", "*"}
		alone[i] = f
		// A field of nothing but commas passes the library and never matches.
		if _, err := cron.ParseStandard(strings.Join(alone[:], " ")); err != nil || strings.Trim(f, ",") == "" {
			return fmt.Errorf("%q: %s %q is wrong (%s)", spec, cronFields[i].name, f, cronFields[i].values)
		}
	}
	return nil
}

const allHours = 1<<24 - 1

// wallClock is a cron line in a zone.
type wallClock struct {
	line      *cron.SpecSchedule
	loc       *time.Location
	everyHour bool
}

// Next walks through the spans of time in which the zone keeps one offset. Within
// a span the wall clock runs evenly; what happens to due times is decided where
// spans meet.
func (s *wallClock) Next(after time.Time) time.Time {
	// from is the wall time after which a due time counts, as if it were UTC.
	from := wall(after, offset(after, s.loc))
	at := after
	for {
		here := offset(at, s.loc)
		start, end := at.In(s.loc).ZoneBounds()
		if !start.IsZero() && !s.everyHour {
			// The wall clock was set back at start: what it showed already was due then.
			if shown := wall(start, offset(start.Add(-1), s.loc)).Add(-1); shown.After(from) {
				from = shown
			}
		}
		due := s.line.Next(from)
		if due.IsZero() {
			return time.Time{}
		}
		instant := due.Add(-here)
		if end.IsZero() || instant.Before(end) {
			return instant.In(s.loc)
		}
		there := offset(end, s.loc)
		if there > here && due.Before(wall(end, there)) {
			// The wall clock leaps over the due time.
			return end.In(s.loc)
		}
		// On with the next span, whose first instant may be due itself.
		at, from = end, wall(end, there).Add(-1)
	}
}

// wall is what a clock with the offset shows at t, written as UTC.
func wall(t time.Time, offset time.Duration) time.Time { return t.UTC().Add(offset) }

// offset is how far the zone's clocks are ahead of UTC at t.
func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// every is due whenever the time since the beginning of 1970 is a multiple of it.
type every time.Duration

func (e every) Next(after time.Time) time.Time {
	step := time.Duration(e).Milliseconds()
	n := after.UnixMilli() / step
	if after.UnixMilli() < 0 && after.UnixMilli()%step != 0 {
		n--
	}
	return time.UnixMilli((n + 1) * step).In(after.Location())
}

// delayed puts off every due time by the same delay.
type delayed struct {
	Schedule
	delay time.Duration
}

func (d delayed) Next(after time.Time) time.Time {
	due := d.Schedule.Next(after.Add(-d.delay))
	if due.IsZero() {
		return due
	}
	return due.Add(d.delay)
}

// reference is where the shortest interval is measured from, so that it is the
// same in every process.
var reference = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// shortest gives the least time between due times, over the first hundred.
func shortest(s Schedule) time.Duration {
	const sample = 100
	least := 24 * time.Hour
	last := s.Next(reference)
	for range sample {
		next := s.Next(last)
		if next.IsZero() {
			break
		}
		least = min(least, next.Sub(last))
		last = next
	}
	return least
}

// spreadDelay is a number of milliseconds below the limit, by the hash of the key.
func spreadDelay(key string, interval time.Duration) time.Duration {
	limit := min(interval/spreadShare, spreadMax).Milliseconds()
	if limit <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(key))
	return time.Duration(h.Sum64()%uint64(limit)) * time.Millisecond
}
