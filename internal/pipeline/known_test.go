package pipeline

import (
	"context"
	"slices"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/state"
	"syncd/state/sqlite"
)

// An export that was created before the window was held back or published is no second
// answer, and no newer one: the pull has to say so where an export is looked for.
func TestAnExportIsAskedForWithWhatIsKnownOfItsDays(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	at := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	end := map[string]func(t *testing.T, store state.Store, pull int64){
		"held back": func(t *testing.T, store state.Store, pull int64) {
			if err := store.Hold(t.Context(), []state.Held{{PullID: pull, At: at, Reason: "few rows", Rows: 1}}); err != nil {
				t.Fatal(err)
			}
		},
		"published": func(t *testing.T, store state.Store, pull int64) {
			if err := store.Publish(t.Context(), []state.Published{{PullID: pull, PublishedAt: at, Rows: 1}}); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, ends := range end {
		t.Run(name, func(t *testing.T) {
			s := windowed("clicks")
			s.Export = &extractors.ExportRule{}
			b := setup(t, &fakeNetwork{streams: []*extractors.Stream{s}}, Account{}, stateFile(t))
			defer b.end()
			create := func(route state.Route, from, to int) state.Pull {
				t.Helper()
				pulls, err := b.store.CreatePulls(t.Context(), []state.NewPull{{Account: "a", Stream: "clicks", Kind: state.Windowed, Route: route, From: day(from), To: day(to)}})
				if err != nil || len(pulls) != 1 {
					t.Fatalf("created %v, %v", pulls, err)
				}
				return pulls[0]
			}
			first := create(state.Direct, 3, 4)
			if _, err := b.store.Receive(t.Context(), state.Receipt{PullID: first.ID, Done: true, Body: []byte("x"), ReceivedAt: at}); err != nil {
				t.Fatal(err)
			}
			ends(t, b.store, first.ID)
			for _, tt := range []struct {
				route    state.Route
				from, to int
				want     time.Time
			}{
				{state.Export, 1, 6, at},
				{state.Export, 4, 6, time.Time{}}, // the days after it
				{state.Direct, 3, 4, time.Time{}}, // pages are always new
			} {
				work, err := b.engine.lanes["a"].work(t.Context(), create(tt.route, tt.from, tt.to), s)
				if err != nil || !work.Known.Equal(tt.want) {
					t.Errorf("%q pull of days %d to %d: known at %v (%v), want %v", tt.route, tt.from, tt.to, work.Known, err, tt.want)
				}
			}
		})
	}
}

// endingStore publishes a pull as soon as anything was read.
type endingStore struct {
	state.Store
	pull int64
}

func (s *endingStore) end(ctx context.Context) {
	if s.pull == 0 {
		return
	}
	pull := s.pull
	s.pull = 0
	if err := s.Publish(ctx, []state.Published{{PullID: pull, PublishedAt: time.Now(), Rows: 1}}); err != nil {
		panic(err)
	}
}

func (s *endingStore) OpenPulls(ctx context.Context, account string) ([]state.Pull, error) {
	defer s.end(ctx)
	return s.Store.OpenPulls(ctx, account)
}

func (s *endingStore) Checkpoints(ctx context.Context, account, stream string) ([]state.Checkpoint, error) {
	defer s.end(ctx)
	return s.Store.Checkpoints(ctx, account, stream)
}

func (s *endingStore) HeldWindows(ctx context.Context, account string) ([]state.HeldWindow, error) {
	defer s.end(ctx)
	return s.Store.HeldWindows(ctx, account)
}

func TestAFileThatIsPublishedWhileAPlanIsMadeIsNotAskedForAgain(t *testing.T) {
	store, err := sqlite.Open(stateFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	a, s := tenFilesADay("clicks")
	today := now.UTC().Truncate(24 * time.Hour)
	from, to := today.AddDate(0, 0, -8), today.AddDate(0, 0, -2)
	pulls, err := store.CreatePulls(t.Context(), []state.NewPull{{Account: "a", Stream: "clicks", Kind: state.Windowed, Route: state.Export, From: from, To: to}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Receive(t.Context(), state.Receipt{PullID: pulls[0].ID, Done: true, File: "a/x", ReceivedAt: now}); err != nil {
		t.Fatal(err)
	}
	known, err := Know(t.Context(), &endingStore{store, pulls[0].ID}, "a", s)
	if err != nil {
		t.Fatal(err)
	}
	s.Start = from
	planned := a.Pulls(s, known, now)
	if i := slices.IndexFunc(planned, func(p Planned) bool { return p.From.Before(to) }); i >= 0 {
		t.Errorf("planned %v to %v by %q, while it was being published", planned[i].From, planned[i].To, planned[i].Route)
	}
}
