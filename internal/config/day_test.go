package config_test

import (
	"testing"
	"time"

	"syncd/internal/config"
)

func TestDayBegins(t *testing.T) {
	tests := []struct{ name, day, zone, want string }{
		{"at midnight", "2026-01-01", "Europe/Berlin", "2025-12-31T23:00:00Z"},
		{"in UTC", "2026-01-01", "UTC", "2026-01-01T00:00:00Z"},
		{"after midnight, where the clock leaps over it", "2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"after midnight, east of Greenwich", "2021-03-22", "Asia/Tehran", "2021-03-21T20:30:00Z"},
		{"at the first midnight of two", "2025-11-02", "America/Havana", "2025-11-02T04:00:00Z"},
		{"where the next day does, if the zone never had it", "2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d config.Day
			if err := d.UnmarshalText([]byte(tt.day)); err != nil {
				t.Fatal(err)
			}
			if got := d.Begin(location(t, tt.zone)).UTC().Format(time.RFC3339); got != tt.want {
				t.Errorf("%s in %s begins at %s, want %s", tt.day, tt.zone, got, tt.want)
			}
		})
	}
}

// TestDaysMeet holds that the first instant of a day shows the day, and the
// nanosecond before it another one, over the days of many zones' changes.
func TestDaysMeet(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "America/Havana", "America/Santiago", "Asia/Beirut", "Asia/Tehran", "Africa/Cairo", "Asia/Amman", "Australia/Lord_Howe", "Asia/Gaza"} {
		loc := location(t, name)
		for at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2027; at = at.AddDate(0, 0, 1) {
			d := config.Day{Year: at.Year(), Month: at.Month(), Day: at.Day()}
			begin := d.Begin(loc)
			shown, before := begin.In(loc).Format(time.DateOnly), begin.Add(-1).In(loc).Format(time.DateOnly)
			// Where midnight comes twice, the second half of its hour is the day before again.
			if shown != d.String() || before >= d.String() {
				t.Errorf("%s in %s begins at %s; before it the clock shows %s", d, name, begin, before)
			}
		}
	}
}
