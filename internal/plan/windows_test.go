package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/schema"
)

// zones gives every IANA zone that the machine or the toolchain knows.
func zones(t *testing.T) []*time.Location {
	t.Helper()
	var names []string
	for _, root := range []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo"} {
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names = append(names, strings.TrimPrefix(path, root+"/"))
			}
			return nil
		})
	}
	// The ones with the oddest rules are always there, from the embedded database.
	names = append(names, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut",
		"America/Havana", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "UTC", "Pacific/Kiritimati")
	var found []*time.Location
	for _, n := range names {
		if strings.HasPrefix(n, "posix/") || strings.HasPrefix(n, "right/") {
			continue
		}
		if loc, err := time.LoadLocation(n); err == nil {
			found = append(found, loc)
		}
	}
	return found
}

func TestWindowsTouchAndCoverInEveryZone(t *testing.T) {
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	to := time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, loc := range zones(t) {
		for _, step := range []extractors.Step{extractors.Hour, extractors.Day, extractors.Week, extractors.Month} {
			var last schema.Window
			for w := range Windows(step, loc, from, to) {
				switch {
				case !w.From.Before(w.To):
					t.Fatalf("%s %s: empty window %v", loc, step, w)
				case last.IsZero() && w.From.After(from):
					t.Fatalf("%s %s: the first window %v leaves out %v", loc, step, w, from)
				case !last.IsZero() && !w.From.Equal(last.To):
					t.Fatalf("%s %s: %v does not follow %v", loc, step, w, last)
				}
				a, b := w.From.In(loc), w.To.Add(-time.Nanosecond).In(loc)
				same := a.Year() == b.Year() && a.Month() == b.Month()
				if step == extractors.Hour || step == extractors.Day {
					same = same && a.Day() == b.Day()
				}
				if step == extractors.Hour {
					same = same && a.Hour() == b.Hour()
				}
				if step != extractors.Week && !same {
					t.Fatalf("%s: the %s %v to %v spans two on the local clock: %v, %v", loc, step, w.From, w.To, a, b)
				}
				last = w
			}
			if last.To.Before(to) {
				t.Fatalf("%s %s: the last window %v leaves out %v", loc, step, last, to)
			}
		}
	}
}

func TestWindowsOnDaysOfDaylightSaving(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct {
		name     string
		from, to string
		windows  int
		long     string // the start of the window of two hours
	}{
		{"the skipped hour has no window", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23, ""},
		{"the repeated hour has one window of two hours", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 24, "2026-10-25T02:00:00+02:00"},
		{"an ordinary day has 24", "2026-05-05T00:00:00+02:00", "2026-05-06T00:00:00+02:00", 24, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, long := 0, ""
			for w := range Windows(extractors.Hour, berlin, at(tt.from), at(tt.to)) {
				n++
				if w.To.Sub(w.From) == 2*time.Hour {
					long = w.From.In(berlin).Format(time.RFC3339)
				}
			}
			if n != tt.windows || long != tt.long {
				t.Errorf("got %d windows, two hours at %q; want %d, %q", n, long, tt.windows, tt.long)
			}
		})
	}
}
