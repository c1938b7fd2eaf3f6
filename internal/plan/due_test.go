package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/state"
)

func TestDueWindows(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	published := func(d int, pulled time.Time) state.Checkpoint {
		return state.Checkpoint{Kind: state.Windowed, From: day(d), To: day(d + 1), PulledAt: pulled}
	}
	tiers := []extractors.TierRule{{Last: 48 * time.Hour, Every: 15 * time.Minute}, {Last: 5 * 24 * time.Hour, Every: 24 * time.Hour}}
	type due struct {
		Day  int
		Tier state.Tier
	}
	tests := []struct {
		name      string
		start     time.Time
		maxAge    time.Duration
		published []state.Checkpoint
		want      []due
	}{
		{
			"a new account pulls the hot days first, then its history, newest first",
			day(6), 0, nil,
			[]due{{10, state.Hot}, {9, state.Hot}, {8, state.Hot}, {7, state.Backfill}, {6, state.Backfill}},
		},
		{
			"a window is pulled again when its tier says so",
			day(7), 0,
			[]state.Checkpoint{
				published(7, now.Add(-25*time.Hour)), // warm, a day old: due
				published(8, now.Add(-23*time.Hour)), // ended 36 h ago: hot, due
				published(9, now.Add(-5*time.Minute)),
				published(10, now.Add(-15*time.Minute)),
			},
			[]due{{10, state.Hot}, {8, state.Hot}, {7, state.Warm}},
		},
		{
			"a pull planned a moment after its tick is due at the next tick",
			day(10), 0,
			[]state.Checkpoint{published(10, now.Add(-15*time.Minute+3*time.Second))},
			[]due{{10, state.Hot}},
		},
		{
			"a window last pulled before it ended is pulled once more when no tier covers it",
			day(1), 0,
			[]state.Checkpoint{
				published(1, day(2).Add(-time.Hour)), published(2, day(3).Add(time.Hour)), published(3, day(9)), published(4, day(9)),
				published(5, now), published(6, now), published(7, now), published(8, now), published(9, now), published(10, now),
			},
			[]due{{1, state.Cold}},
		},
		{
			"without a start the longest tier says how far back",
			time.Time{}, 0, nil,
			[]due{{10, state.Hot}, {9, state.Hot}, {8, state.Hot}, {7, state.Backfill}, {6, state.Backfill}, {5, state.Backfill}},
		},
		{
			"what the network no longer answers is not asked",
			day(1), 60 * time.Hour, nil,
			[]due{{10, state.Hot}, {9, state.Hot}, {8, state.Hot}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Stream{Step: extractors.Day, Location: time.UTC, MaxAge: tt.maxAge, Restate: tiers, Start: tt.start}
			var got []due
			for _, d := range s.DueWindows(now, tt.published) {
				got = append(got, due{d.Window.From.Day(), d.Tier})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("windows due (-want +got):\n%s", d)
			}
		})
	}
}

func TestRangeLeavesOutWhatWasDoneSince(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	s := Stream{Step: extractors.Day, Location: time.UTC}
	done := []state.Checkpoint{
		{Kind: state.Windowed, From: day(3), To: day(4), PulledAt: day(9), PublishedAt: day(9)},
		{Kind: state.Windowed, From: day(4), To: day(5), PulledAt: day(5), PublishedAt: day(5)},
		{Kind: state.Windowed, From: day(5), To: day(6), PulledAt: day(7), PublishedAt: day(9)}, // open when the backfill began, which took it over
		{Kind: state.Windowed, From: day(6), To: day(7), PulledAt: day(9), PublishedAt: day(7)}, // the clock was set back meanwhile
	}
	var got []int
	for _, d := range s.Range(day(2), day(30), now, day(8), done) {
		got = append(got, d.Window.From.Day())
	}
	if d := cmp.Diff([]int{10, 9, 8, 7, 4, 2}, got); d != "" {
		t.Errorf("days (-want +got):\n%s", d)
	}
}
