package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"syncd/state"
)

// The oracle test found it: a daemon whose clock had been three hours ahead was killed,
// and the next one waited three hours for the pace of four milliseconds.
func TestAClockThatWasSetBackLetsNobodyWaitForTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	const pace, pause = 5 * time.Minute, time.Hour
	for _, test := range []struct {
		name  string
		ahead time.Duration
	}{{"not at all", 0}, {"hours", 3 * time.Hour}, {"a year", 365 * 24 * time.Hour}} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			wrong := time.Now().Add(test.ahead)
			if err := s.SaveRun(t.Context(), state.Run{ID: test.name, Account: "a", Stream: "s", StartedAt: wrong}); err != nil {
				t.Fatal(err)
			}
			made, err := s.CreatePulls(t.Context(), []state.NewPull{{Account: test.name, Stream: "s", Kind: state.Snapshot, RunID: "r"}})
			if err != nil {
				t.Fatal(err)
			}
			id := made[0].ID
			if err := s.Depart(t.Context(), state.Departure{Account: test.name, PullID: id, NextCall: wrong.Add(pace)}); err != nil {
				t.Fatal(err)
			}
			if err := s.Fail(t.Context(), state.Failure{Account: test.name, PullID: id, At: wrong, NextCall: wrong.Add(pace), NotBefore: wrong.Add(pause)}); err != nil {
				t.Fatal(err)
			}
			// The next call is under way when the process is killed.
			if err := s.Depart(t.Context(), state.Departure{Account: test.name, PullID: id, NextCall: wrong.Add(2 * pace)}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			before := time.Now().Truncate(time.Millisecond)
			if s, err = Open(path); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			// What had happened counts as happening at the opening; waits are neither cut nor stretched.
			within := func(what string, at time.Time, wait time.Duration) {
				t.Helper()
				from := wrong.Add(wait).Add(-time.Second)
				if test.ahead > 0 {
					from = before.Add(wait)
				}
				if at.Before(from.Truncate(time.Millisecond)) || at.After(time.Now().Add(wait)) {
					t.Errorf("%s is awaited until %s, in %s; want %s", what, at, time.Until(at), wait)
				}
			}
			lane, err := s.Lane(t.Context(), test.name)
			if err != nil {
				t.Fatal(err)
			}
			within("the lane", lane.NextCall, 2*pace)
			pulls, err := s.OpenPulls(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pulls {
				if p.Account == test.name {
					within("the pull", p.NotBefore, pause)
				}
			}
		})
	}
}
