package plan

import (
	"testing"
	"time"

	"syncd/extractors"
	"syncd/state"
)

func TestAPollOfOpenLeadsIsOneCallAtLeast(t *testing.T) {
	s := &extractors.Stream{Name: "statuses", PageSize: 100, ForEach: &extractors.ForEachRule{OpenLeads: state.ByOwnID, Batch: 50}}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	next := func(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) }
	v := VolumeOf(s, []state.Checkpoint{{Kind: state.Changes, Rows: 250}}, nil)
	if got, want := Day(s, v, Account{}, next, now), (Load{Runs: 24, Pulls: 24, Calls: 72, Least: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := Day(s, VolumeOf(s, nil, nil), Account{}, next, now), (Load{Runs: 24, Pulls: 24, Calls: 24, Least: true}); got != want {
		t.Errorf("of a stream that was never pulled: got %+v, want %+v", got, want)
	}
}
