package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"syncd/internal/config"
)

// In every zone of the IANA database each day of 2025 to 2027 begins when the clock first
// shows it, and where the one before it ends: a start given as a day leaves nothing out.
func TestDaysOfEveryZoneMeet(t *testing.T) {
	names, err := os.ReadFile("zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	zones := 0
	for name := range strings.FieldsSeq(string(names)) {
		loc := location(t, name)
		zones++
		// A zone whose clocks never change is the same all year round.
		days := 3 * 365
		if _, end := time.Date(2025, 1, 1, 0, 0, 0, 0, loc).ZoneBounds(); end.IsZero() || end.Year() > 2027 {
			days = 2
		}
		for i := range days {
			at := time.Date(2025, time.January, 1+i, 0, 0, 0, 0, time.UTC)
			d := config.Day{Year: at.Year(), Month: at.Month(), Day: at.Day()}
			begin := d.Begin(loc)
			if shown := begin.In(loc).Format(time.DateOnly); shown != d.String() {
				t.Fatalf("%s in %s begins at %s, when the clock shows %s", d, name, begin, shown)
			}
			for _, before := range []time.Duration{time.Nanosecond, time.Second, 30 * time.Minute, time.Hour, 2 * time.Hour} {
				if shown := begin.Add(-before).In(loc).Format(time.DateOnly); shown >= d.String() {
					t.Fatalf("%s in %s begins at %s, and %s before the clock shows %s", d, name, begin, before, shown)
				}
			}
		}
	}
	if zones < 400 {
		t.Fatalf("%d zones, want all of the world's", zones)
	}
}
