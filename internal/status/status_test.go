package status

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd/state"
	"syncd/state/sqlite"
)

func store(t *testing.T) state.Store {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryStateIsSaidInWords(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	window := state.NewPull{Account: "a", Stream: "conversions", Kind: state.Windowed, From: now.Add(-36 * time.Hour), To: now.Add(-12 * time.Hour), RunID: "r"}
	open := func(t *testing.T, s state.Store) state.Pull {
		t.Helper()
		pulls, err := s.CreatePulls(t.Context(), []state.NewPull{window})
		must(t, err)
		return pulls[0]
	}
	answered := func(t *testing.T, s state.Store, p state.Pull) {
		t.Helper()
		_, err := s.Receive(t.Context(), state.Receipt{PullID: p.ID, Body: []byte("x"), Done: true, ReceivedAt: now})
		must(t, err)
	}
	tests := []struct {
		name    string
		arrange func(t *testing.T, s state.Store)
		state   State
		words   []string
	}{
		{"a stream that never ran says when it will", func(*testing.T, state.Store) {}, Never, []string{"not pulled yet", "next run 15:00"}},
		{"windows that wait for calls are counted", func(t *testing.T, s state.Store) { open(t, s) }, Working, []string{"1 window to go"}},
		{
			"the pace is told in the account's zone",
			func(t *testing.T, s state.Store) {
				p := open(t, s)
				must(t, s.Fail(t.Context(), state.Failure{Account: "a", PullID: p.ID, At: now, NextCall: now.Add(5 * time.Minute), Error: "busy"}))
			},
			Waiting, []string{"pace until 14:05"},
		},
		{
			"a failed call says why and until when",
			func(t *testing.T, s state.Store) {
				p := open(t, s)
				must(t, s.Fail(t.Context(), state.Failure{Account: "a", PullID: p.ID, At: now, NotBefore: now.Add(30 * time.Minute), Error: "502 from the gateway"}))
			},
			Waiting, []string{"until 14:30", "502 from the gateway"},
		},
		{"an answered window is on its way into the warehouse", func(t *testing.T, s state.Store) { answered(t, s, open(t, s)) }, Working, []string{"loading 1 window"}},
		{
			"what was given up says why",
			func(t *testing.T, s state.Store) {
				p := open(t, s)
				must(t, s.Fail(t.Context(), state.Failure{Account: "a", PullID: p.ID, At: now, Error: "404 no such path", GiveUp: true}))
			},
			Failed, []string{"until the next run", "404 no such path"},
		},
		{
			"what a guard held back says why",
			func(t *testing.T, s state.Store) {
				p := open(t, s)
				answered(t, s, p)
				must(t, s.Hold(t.Context(), []state.Held{{PullID: p.ID, At: now, Reason: "3 rows where there were 400"}}))
			},
			Held, []string{"1 window held back", "3 rows where there were 400"},
		},
		{
			"a stopped account comes before everything else",
			func(t *testing.T, s state.Store) {
				open(t, s)
				must(t, s.StopLane(t.Context(), "a", "Affise refused the key of account a (403 Auth Denied)"))
			},
			Stopped, []string{"refused the key"},
		},
		{
			"a published stream says how fresh it is",
			func(t *testing.T, s state.Store) {
				p := open(t, s)
				answered(t, s, p)
				must(t, s.Publish(t.Context(), []state.Published{{PullID: p.ID, PublishedAt: now, Rows: 5}}))
			},
			UpToDate, []string{"up to date as of", "next run 15:00"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := store(t)
			tt.arrange(t, s)
			lines, err := Read(t.Context(), s, []Stream{{
				Account: "a", Network: "Affise", Name: "conversions", Location: berlin,
				Next: func(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) },
			}}, now)
			must(t, err)
			got := lines[0]
			if got.State != tt.state {
				t.Errorf("got state %q (%s), want %q", got.State, got.Words, tt.state)
			}
			for _, want := range tt.words {
				if !strings.Contains(got.Words, want) {
					t.Errorf("got words %q, want %q in them", got.Words, want)
				}
			}
		})
	}
}

func TestPostbacksAreToldAsWhatArrived(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	arrive := func(t *testing.T, s state.Store, n int) {
		t.Helper()
		for i := range n {
			_, err := s.AcceptPostback(t.Context(), state.Postback{Account: "a", ReceivedAt: now.Add(time.Duration(i-30) * time.Minute), Record: []byte("{}")})
			must(t, err)
		}
	}
	bring := func(t *testing.T, s state.Store, through int64) state.Pull {
		t.Helper()
		p, err := s.Bring(t.Context(), state.Bring{Account: "a", Stream: "postbacks", RunID: "r", Through: through, Body: []byte("x"), At: now})
		must(t, err)
		return p
	}
	for _, tt := range []struct {
		name    string
		arrange func(t *testing.T, s state.Store)
		state   State
		words   string
		backlog int64
	}{
		{"none ever", func(*testing.T, state.Store) {}, Never, "no postback arrived yet", 0},
		{"one waits", func(t *testing.T, s state.Store) { arrive(t, s, 1) }, Waiting, "1 postback waits since 11:30", 1},
		{"several wait", func(t *testing.T, s state.Store) { arrive(t, s, 3) }, Waiting, "3 postbacks wait, the oldest since 11:30", 3},
		{"some are on their way, others behind them", func(t *testing.T, s state.Store) {
			arrive(t, s, 2)
			first, err := s.Postbacks(t.Context(), "a", 1)
			must(t, err)
			bring(t, s, first[0].Seq)
		}, Working, "loading postbacks into the warehouse, 1 postback waits since 11:31", 1},
		{"all are loaded, and the account makes no calls", func(t *testing.T, s state.Store) {
			arrive(t, s, 1)
			list, err := s.Postbacks(t.Context(), "a", 1)
			must(t, err)
			p := bring(t, s, list[0].Seq)
			must(t, s.Publish(t.Context(), []state.Published{{PullID: p.ID, PublishedAt: now.Add(-time.Minute), Rows: 1}}))
			must(t, s.StopLane(t.Context(), "a", "the key is refused"))
		}, UpToDate, "all that arrived is loaded, the last at 11:59", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := store(t)
			tt.arrange(t, s)
			lines, err := Read(t.Context(), s, []Stream{{Account: "a", Name: "postbacks", Receives: true, Location: time.UTC}}, now)
			must(t, err)
			if got := lines[0]; got.State != tt.state || got.Words != tt.words || got.Backlog != tt.backlog {
				t.Errorf("got %q, %q, %d waiting", got.State, got.Words, got.Backlog)
			}
		})
	}
}

func TestCompleteToIsTheBeginningOfWhatIsMissing(t *testing.T) {
	s := store(t)
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	pulls, err := s.CreatePulls(t.Context(), []state.NewPull{
		{Account: "a", Stream: "clicks", Kind: state.Windowed, From: day(8), To: day(9)},
		{Account: "a", Stream: "clicks", Kind: state.Windowed, From: day(5), To: day(6)},
	})
	must(t, err)
	_, err = s.Receive(t.Context(), state.Receipt{PullID: pulls[0].ID, Body: []byte("x"), Done: true, ReceivedAt: now})
	must(t, err)
	must(t, s.Publish(t.Context(), []state.Published{{PullID: pulls[0].ID, PublishedAt: now, Rows: 1}}))
	lines, err := Read(t.Context(), s, []Stream{{Account: "a", Name: "clicks"}}, now)
	must(t, err)
	if got := lines[0].CompleteTo; !got.Equal(day(5)) {
		t.Errorf("got %v, want the beginning of the window that is open, %v", got, day(5))
	}
}

func TestWaitingWordsOfTheDaemonReplaceThoseOfWork(t *testing.T) {
	l := Line{State: Working, Words: "pulling, 2 windows to go", Pulling: 2}
	l.WaitFor("waiting for the warehouse: the inbox is full (4096 MiB)")
	if l.State != Waiting || !strings.Contains(l.Words, "the inbox is full") || !strings.Contains(l.Words, "2 windows") {
		t.Errorf("got %q, %q", l.State, l.Words)
	}
	stopped := Line{State: Stopped, Words: "refused", Pulling: 1}
	stopped.WaitFor("anything")
	if stopped.State != Stopped {
		t.Errorf("a stopped account is said to be %q", stopped.State)
	}
}
