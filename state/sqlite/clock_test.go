package sqlite

import (
	"errors"
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

// The oracle test found it: of a clock that went ahead twice, the second time only a call
// knew, which departed or ended then, and the account waited for the difference.
func TestWhatACallSaysOfAClockCounts(t *testing.T) {
	const pace = 5 * time.Minute
	first, second := time.Now().Add(time.Hour), time.Now().Add(3*time.Hour)
	for name, call := range map[string]func(s *Store) error{
		"that is under way": func(s *Store) error {
			return s.Depart(t.Context(), state.Departure{Account: "a", At: second, NextCall: second.Add(pace)})
		},
		"that ended": func(s *Store) error {
			return errors.Join(s.Depart(t.Context(), state.Departure{Account: "a", At: first, NextCall: first.Add(pace)}),
				s.Ended(t.Context(), "a", 0, second, second.Add(pace)))
		},
		"that failed": func(s *Store) error {
			return s.Fail(t.Context(), state.Failure{Account: "a", At: second, NextCall: second.Add(pace)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			s := opened(t, path)
			if err := errors.Join(s.SaveRun(t.Context(), state.Run{ID: "r", Account: "a", Stream: "s", StartedAt: first}), call(s), s.Close()); err != nil {
				t.Fatal(err)
			}
			s = opened(t, path)
			defer s.Close()
			if wait := laneWaits(t, s); wait > pace || wait < pace-time.Minute {
				t.Errorf("the lane waits for %s, want %s", wait, pace)
			}
		})
	}
}

// The oracle test found it: a pull that was created while the clock was ahead asked a
// network for records until then, and those that came after the clock was set back were
// taken for records that nobody had asked for.
func TestAPullIsWhatItWasWhenTheClockIsSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := opened(t, path)
	made, err := s.CreatePulls(t.Context(), []state.NewPull{{Account: "a", Stream: "s", Kind: state.Snapshot, RunID: "r"}})
	if err != nil {
		t.Fatal(err)
	}
	ahead := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()
	err = s.write(t.Context(), "setting the clock", func(t *tx) error { return t.exec("UPDATE pulls SET created_at = ?", ms(ahead)) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once more, with the pull still there
		s = opened(t, path)
		pulls, err := s.OpenPulls(t.Context(), "a")
		if err != nil || len(pulls) != 1 || !pulls[0].CreatedAt.Equal(ahead) {
			t.Errorf("the pull is %+v, %v; want it created at %s", pulls, err, ahead)
		}
		next := time.Now().Add(5 * time.Minute)
		if err := s.Ended(t.Context(), "a", 0, time.Now(), next); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = opened(t, path)
	defer s.Close()
	if wait := laneWaits(t, s); wait < 4*time.Minute {
		t.Errorf("a pull from the future shortens the lane's wait to %s", wait)
	}
	_, err = s.Receive(t.Context(), state.Receipt{PullID: made[0].ID, Done: true, ReceivedAt: time.Now()})
	if err := errors.Join(err, s.Publish(t.Context(), []state.Published{{PullID: made[0].ID, PublishedAt: time.Now()}})); err != nil {
		t.Fatal(err)
	}
	published, err := s.Checkpoints(t.Context(), "a", "s")
	if err != nil || len(published) != 1 || published[0].PulledAt.After(time.Now()) {
		t.Errorf("the checkpoint is %+v, %v", published, err)
	}
}

// opened opens the state as a daemon that starts.
func opened(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// laneWaits is for how long account a may not be asked anything.
func laneWaits(t *testing.T, s *Store) time.Duration {
	t.Helper()
	lane, err := s.Lane(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(lane.NextCall)
}
