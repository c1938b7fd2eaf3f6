package pipeline

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"syncd/extractors"
	"syncd/state"
	"syncd/state/sqlite"
)

// planSource is a source that is asked for nothing but its streams.
type planSource struct {
	extractors.Source
	list []*extractors.Stream
}

func (s planSource) Streams() []*extractors.Stream { return s.list }

// tenFilesADay is windowed with files: ten a day.
func tenFilesADay(name string) (*Account, *extractors.Stream) {
	s := windowed(name)
	s.PageSize = 100
	s.Export = &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000, Outputs: s.Outputs}
	s.Restate = []extractors.TierRule{{Last: 24 * time.Hour, Every: time.Hour}, {Last: 10 * 24 * time.Hour, Every: 24 * time.Hour}}
	return &Account{
		Name: "a", Source: planSource{list: []*extractors.Stream{s}}, MinDelay: time.Second, Parallel: 1, Location: time.UTC,
		Budgets: map[string]state.Budget{"exports": {Name: "exports", Calls: 10, Per: 24 * time.Hour}},
	}, s
}

func TestAHeldWindowIsAskedAgainWhateverItsTier(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	s := windowed("conversions")
	old := state.HeldWindow{Account: "a", Stream: "conversions", From: now.AddDate(0, 0, -40).Truncate(24 * time.Hour), At: now.Add(-time.Hour)}
	old.To = old.From.Add(24 * time.Hour)
	fresh := old
	fresh.From, fresh.To, fresh.At = old.From.AddDate(0, 0, 1), old.To.AddDate(0, 0, 1), now.Add(-time.Minute)
	a := &Account{Name: "a", Source: planSource{}}
	var again []time.Time
	for _, p := range a.Pulls(s, Known{Held: []state.HeldWindow{old, fresh}}, now) {
		if p.From.Before(now.AddDate(0, 0, -30)) {
			again = append(again, p.From)
		}
	}
	if d := cmp.Diff([]time.Time{old.From}, again); d != "" {
		t.Errorf("old windows asked again (-want +got):\n%s", d)
	}
}

func TestWhatWasAskedForAsAFileIsAskedForAgainInTheSameShape(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	type pull struct {
		From, To int
		Route    state.Route
	}
	tests := []struct {
		name  string
		known Known
		want  []pull
	}{
		{
			"nothing stands: one file for all that is not hot",
			Known{},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {1, 9, state.Export}},
		},
		{
			"a file that a guard held back an hour ago rests, though its days are due",
			Known{Held: []state.HeldWindow{{Stream: "clicks", From: day(3), To: day(6), At: now.Add(-time.Hour)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {6, 9, state.Export}, {1, 3, state.Export}},
		},
		{
			"a file that a guard held back in the night is asked for again in its shape",
			Known{Held: []state.HeldWindow{{Stream: "clicks", From: day(3), To: day(6), At: now.Add(-7 * time.Hour)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {3, 6, state.Export}, {6, 9, state.Export}, {1, 3, state.Export}},
		},
		{
			"a file that was given up keeps its range",
			Known{Failed: []state.Pull{{ID: 7, Kind: state.Windowed, Route: state.Export, From: day(2), To: day(8)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {8, 9, state.Export}, {2, 8, state.Export}, {1, 2, state.Export}},
		},
		{
			"pages that were given up come with the file",
			Known{Failed: []state.Pull{{ID: 7, Kind: state.Windowed, From: day(2), To: day(3)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {1, 9, state.Export}},
		},
		{
			"an open file covers its days",
			Known{Open: []state.Pull{{ID: 7, Kind: state.Windowed, Route: state.Export, Tier: state.Backfill, From: day(1), To: day(9)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}},
		},
		{
			"a shape that the calendar has no more is forgotten",
			Known{Failed: []state.Pull{{ID: 7, Kind: state.Windowed, Route: state.Export, From: day(2).Add(time.Hour), To: day(8)}}},
			[]pull{{10, 11, state.Direct}, {9, 10, state.Direct}, {1, 9, state.Export}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, s := tenFilesADay("clicks")
			s.Export.MaxRows = 0 // no limit: a group may be a month
			s.Start = day(1)
			var got []pull
			for _, p := range a.Pulls(s, tt.known, now) {
				to := p.To.Day()
				got = append(got, pull{p.From.Day(), to, p.Route})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("pulls (-want +got):\n%s", d)
			}
		})
	}
}

func TestAFileForgetsTheFailedWindowsThatItBrings(t *testing.T) {
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	a, s := tenFilesADay("clicks")
	s.Start = now.AddDate(0, 0, -6)
	ctx := t.Context()
	store, err := sqlite.Open("sqlite:" + filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	e, err := New(ctx, Options{Store: store, Warehouse: noWarehouse{}, Accounts: []*Account{a}, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	day := now.Truncate(24*time.Hour).AddDate(0, 0, -4)
	created, err := store.CreatePulls(ctx, []state.NewPull{{Account: "a", Stream: "clicks", Kind: state.Windowed, Tier: state.Warm, From: day, To: day.AddDate(0, 0, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Fail(ctx, state.Failure{Account: "a", PullID: created[0].ID, At: now, Error: "no luck", GiveUp: true}); err != nil {
		t.Fatal(err)
	}
	if err := e.Plan(ctx, "a", "clicks", now); err != nil {
		t.Fatal(err)
	}
	failed, err := store.FailedPulls(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(failed) > 0 {
		t.Errorf("still failed: %v", failed)
	}
	open, err := store.OpenPulls(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, p := range open {
		if p.Route == state.Export {
			files++
		}
	}
	if files != 1 || len(open) != 3 {
		t.Errorf("got %d files among %d open pulls, want 1 among 3: %v", files, len(open), open)
	}
	if err := e.Plan(ctx, "a", "clicks", now); err != nil {
		t.Fatal(err)
	}
	if again, _ := store.OpenPulls(ctx, "a"); len(again) != len(open) {
		t.Errorf("planning twice made %d pulls of %d", len(again), len(open))
	}
}
