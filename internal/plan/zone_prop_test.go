package plan

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the test runs

	"syncd/extractors"
	"syncd/schema"
	"syncd/schema/normalize"
)

// clock is a zone and the instants at which its clocks change from 2025 to 2027: those
// years can still be restated, or their changes are decided already.
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
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c := clock{loc: loc}
		var kind strings.Builder
		kind.WriteString(fmt.Sprint(offsetAt(from, loc)))
		for at := from; ; {
			_, end := at.In(loc).ZoneBounds()
			if end.IsZero() || !end.Before(to) {
				break
			}
			kind.WriteString(fmt.Sprint(" ", end.Unix(), offsetAt(end, loc)))
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

// label is what a clock on the wall shows, as if it were UTC.
func label(at time.Time, loc *time.Location) time.Time { return at.UTC().Add(offsetAt(at, loc)) }

var steps = []extractors.Step{extractors.Hour, extractors.Day, extractors.Week, extractors.Month}

// Around every change, each instant lies in exactly one window of each step, which is the
// same one wherever the list of windows begins, and the window is the step that the clock
// shows when it shows that time first.
func TestEveryInstantLiesInOneWindowOfEachStep(t *testing.T) {
	for _, c := range clocks(t) {
		zone := schema.NewZone(c.loc)
		for _, change := range c.changes {
			for _, step := range steps {
				windows := slices.Collect(Windows(step, c.loc, change.Add(-26*time.Hour), change.Add(26*time.Hour)))
				s := &Stream{Step: step, Location: c.loc}
				for _, w := range windows {
					if !s.Has(w) {
						t.Fatalf("%s: %v is a window by %s and not known as one", c.loc, w, step)
					}
				}
				i := 0
				for at := change.Add(-25 * time.Hour); at.Before(change.Add(25 * time.Hour)); at = at.Add(7*time.Minute + 30*time.Second) {
					for !windows[i].Contains(at) {
						if i++; i == len(windows) {
							t.Fatalf("%s: no window by %s contains %v", c.loc, step, at.In(c.loc))
						}
					}
					n := 0
					for w := range Windows(step, c.loc, at, at.Add(1)) {
						if n++; n > 1 || w != windows[i] {
							t.Fatalf("%s: asked at %v the window by %s is %v, in the list it is %v", c.loc, at.In(c.loc), step, w, windows[i])
						}
					}
					if n != 1 {
						t.Fatalf("%s: %d windows by %s contain %v", c.loc, n, step, at.In(c.loc))
					}
					shown := label(at, c.loc)
					first := time.Unix(zone.Instant(shown.Unix(), nil), 0)
					for w := range Windows(step, c.loc, first, first.Add(1)) {
						if begin := floor(step, label(w.From, c.loc)); begin != floor(step, shown) {
							t.Fatalf("%s: %v first lies in the %s that begins %v", c.loc, shown, step, begin)
						}
					}
				}
			}
		}
	}
}

// A report day is the same to the planner, who cuts windows of it, and to the rows, whose
// times are put on days: every instant of a window of a day is on that day, the days of
// three years follow each other, and each begins when the planner says.
func TestReportDaysAreTheWindowsOfDays(t *testing.T) {
	for _, c := range clocks(t) {
		zone := schema.NewZone(c.loc)
		from, to := DayStart(2025, time.January, 1, c.loc), DayStart(2028, time.January, 1, c.loc)
		date := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
		n := 0
		for w := range Windows(extractors.Day, c.loc, from, to) {
			want := int(date.Unix() / (24 * 60 * 60))
			if !DayStart(date.Year(), date.Month(), date.Day(), c.loc).Equal(w.From) {
				t.Fatalf("%s: the window of %s is %v", c.loc, date.Format(time.DateOnly), w)
			}
			for _, at := range []time.Time{w.From, w.From.Add(time.Hour), w.From.Add(12 * time.Hour), w.To.Add(-time.Hour), w.To.Add(-time.Millisecond)} {
				if got := zone.Day(at.UnixMilli()); got != want {
					t.Fatalf("%s: %v lies on day %d and in the window of day %d", c.loc, at.In(c.loc), got, want)
				}
			}
			date = date.AddDate(0, 0, 1)
			n++
		}
		if n != 3*365 {
			t.Fatalf("%s: three years have %d days", c.loc, n)
		}
		for _, change := range c.changes {
			for at := change.Add(-3 * time.Hour); at.Before(change.Add(3 * time.Hour)); at = at.Add(41 * time.Second) {
				day := zone.Day(at.UnixMilli())
				for w := range Windows(extractors.Day, c.loc, at, at.Add(1)) {
					if first := zone.Day(w.From.UnixMilli()); first != day {
						t.Fatalf("%s: %v lies on day %d and in the window of day %d", c.loc, at.In(c.loc), day, first)
					}
				}
			}
		}
	}
}

// A network has a record every few minutes around a change of the clocks and tells their
// local times. Asked for the windows one after the other, by the hour or by the day that
// the clock shows, it brings each record to exactly one row and none to quarantine: with
// the records' ids, which say when they were made, and without them.
func TestRecordsOfRepeatedAndSkippedHoursBecomeOneRowEach(t *testing.T) {
	for _, fold := range []string{"", "id"} {
		spec := normalize.Spec{Table: "clicks", Columns: map[string]normalize.Field{
			"click_id": {From: normalize.Paths{"id"}}, "created_at": {From: normalize.Paths{"at"}, Fold: fold},
			"report_date": {FromColumn: "created_at"},
		}}
		n, err := normalize.Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		id := n.Table().Index("click_id")
		block := schema.NewBlock(n.Table())
		for _, c := range clocks(t) {
			for _, change := range c.changes {
				for _, step := range []extractors.Step{extractors.Hour, extractors.Day} {
					rows := map[string]int{}
					var records []time.Time
					for at := change.Add(-4 * time.Hour); at.Before(change.Add(4 * time.Hour)); at = at.Add(7*time.Minute + 30*time.Second) {
						records = append(records, at)
					}
					for w := range Windows(step, c.loc, records[0], records[len(records)-1].Add(1)) {
						var page bytes.Buffer
						page.WriteByte('[')
						for _, at := range records {
							shown := label(at, c.loc)
							if floor(step, shown) != floor(step, label(w.From, c.loc)) {
								continue // the network does not give it for this hour or day
							}
							if page.Len() > 1 {
								page.WriteByte(',')
							}
							fmt.Fprintf(&page, `{"id":"%08x0000000000000000","at":%q}`, at.Unix(), shown.Format(time.DateTime))
						}
						page.WriteByte(']')
						block.Reset()
						context := &normalize.Context{Stream: "clicks", Location: c.loc, Window: w, By: "created_at"}
						_, _, err := n.Page(page.Bytes(), context, block, nil, func(r normalize.BadRow) error {
							return fmt.Errorf("%s: %s", r.Record, r.Reason)
						})
						if err != nil {
							t.Fatalf("%s, by %s: %v", c.loc, step, err)
						}
						for _, cell := range block.Cells() {
							rows[cell(id)]++
						}
					}
					for _, at := range records {
						if got := rows[fmt.Sprintf("%08x0000000000000000", at.Unix())]; got != 1 {
							t.Errorf("%s, by %s: the record of %v is in %d windows", c.loc, step, at.In(c.loc), got)
						}
					}
				}
			}
		}
	}
}
