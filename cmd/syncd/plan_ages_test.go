package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/extractors"
	"syncd/state"
)

// The clocks of Berlin go back on 2026-10-25, so that day has a window of two hours.
func TestTheDaysOfHourlyWindowsLieInTheirTiers(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(d, h int) time.Time { return time.Date(2026, 10, d, h, 0, 0, 0, berlin).UTC() }
	s := &extractors.Stream{
		Name: "clicks", Window: &extractors.WindowRule{By: "clicked_at", Step: extractors.Hour, Location: berlin},
		Restate: []extractors.TierRule{{Last: 3 * time.Hour, Every: 15 * time.Minute}, {Last: 24 * time.Hour, Every: 6 * time.Hour}},
		Start:   at(24, 22),
	}
	now := at(26, 4)
	pulled := func(from time.Time, ago time.Duration) state.Checkpoint {
		return state.Checkpoint{Kind: state.Windowed, From: from, To: from.Add(time.Hour), PulledAt: now.Add(-ago)}
	}
	published := []state.Checkpoint{
		pulled(at(24, 22), 30*time.Hour),                                   // when it had ended: once is enough
		pulled(at(26, 1), 5*time.Minute), pulled(at(26, 2), 5*time.Minute), // hot, and fresh
	}
	got := dayAges(s, published, now)
	want := []dayAge{
		{Day: "2026-10-24", Windows: 2, Due: 1},
		{Day: "2026-10-25", Windows: 4, Due: 4}, // the hour that is there twice is one window
		{Day: "2026-10-25", Tier: "warm", Every: seconds(6 * time.Hour), Windows: 20, Due: 20},
		{Day: "2026-10-26", Tier: "warm", Every: seconds(6 * time.Hour), Windows: 1, Due: 1},
		{Day: "2026-10-26", Tier: "hot", Every: seconds(15 * time.Minute), Windows: 3, Due: 1},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(dayAge{})); d != "" {
		t.Errorf("days (-want +got):\n%s", d)
	}
	a := accountPrice{Location: time.UTC, Work: []price{{Stream: "clicks", Days: got}}}
	var out strings.Builder
	a.printAges(&out)
	if d := cmp.Diff(`
RESTATEMENT, report days of UTC
  STREAM  TIER   REPORT DAYS                        ASKED AGAIN  DUE NOW
  clicks  hot    2026-10-26 (Europe/Berlin)         every 15m    hours of 2026-10-26
          warm   2026-10-25..10-26 (Europe/Berlin)  every 6h     2026-10-25..10-26
          older  2026-10-24..10-25 (Europe/Berlin)  never        hours of 2026-10-24..10-25
`, out.String()); d != "" {
		t.Errorf("in words (-want +got):\n%s", d)
	}
}

func TestManyDaysThatAreDueAreCounted(t *testing.T) {
	day := func(d, due int) dayAge {
		from := time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC)
		return dayAge{Windows: 1, Due: due, from: from, to: from.AddDate(0, 0, 1)}
	}
	for _, tt := range []struct {
		want string
		days []dayAge
	}{
		{"none", []dayAge{day(1, 0), day(2, 0)}},
		{"2026-06-02", []dayAge{day(1, 0), day(2, 1), day(3, 0)}},
		{"2026-06-04, 2026-06-01..06-02", []dayAge{day(1, 1), day(2, 1), day(3, 0), day(4, 1)}},
		{"2026-06-11..06-12, 2026-06-09, 2026-06-07, 2026-06-05, and 3 more days",
			[]dayAge{day(1, 1), day(2, 0), day(2, 1), day(3, 1), day(4, 0), day(5, 1), day(6, 0), day(7, 1), day(8, 0), day(9, 1), day(10, 0), day(11, 1), day(12, 1)}},
	} {
		if got := dueDays(tt.days, time.UTC); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
