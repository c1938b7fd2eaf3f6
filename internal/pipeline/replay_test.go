package pipeline

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema/normalize"
	"syncd/state"
)

// toldStore is a store that keeps what it was told.
type toldStore struct {
	state.Store
	published []int64
	replayed  []state.Replayed
	held      []int64
	rejected  []int64
}

func (s *toldStore) Pages(context.Context, int64, int64, int) ([]state.Page, error) {
	return []state.Page{{Seq: 1}}, nil
}

func (s *toldStore) Publish(_ context.Context, done []state.Published) error {
	for _, d := range done {
		s.published = append(s.published, d.PullID)
	}
	return nil
}

func (s *toldStore) Replayed(_ context.Context, done []state.Replayed) error {
	s.replayed = append(s.replayed, done...)
	return nil
}

func (s *toldStore) Hold(_ context.Context, held []state.Held) error {
	for _, h := range held {
		s.held = append(s.held, h.PullID)
	}
	return nil
}

func (s *toldStore) Reject(_ context.Context, id int64, _ string) error {
	s.rejected = append(s.rejected, id)
	return nil
}

func TestReplaysAreKnownBesideTheStoresOwnPulls(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	own := &toldStore{}
	s := newReplayStore(own)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	newReplay := func() *Replay {
		r := &Replay{
			Pull:  state.Pull{Account: "main", Stream: "conversions", Kind: state.Windowed, From: from, To: from.AddDate(0, 0, 1), Version: 100, CreatedAt: from},
			Was:   10,
			Pages: func(context.Context, int64, int) ([]state.Page, error) { return []state.Page{{Seq: 7}}, nil },
		}
		s.add(r)
		return r
	}
	partly := newReplay()
	partly.Younger.Spans = normalize.NewSpans([]normalize.Span{{From: from.UnixMilli(), To: from.Add(time.Hour).UnixMilli(), Version: 101}, {From: from.Add(time.Hour).UnixMilli(), To: from.Add(2 * time.Hour).UnixMilli(), Version: 99}})
	good, held, bad, waits := newReplay(), newReplay(), newReplay(), newReplay()
	if ids := []int64{good.Pull.ID, held.Pull.ID, bad.Pull.ID, waits.Pull.ID}; !slices.IsSorted(ids) || ids[3] >= 0 {
		t.Errorf("their ids are %v", ids)
	}
	for id, want := range map[int64]int64{good.Pull.ID: 7, 5: 1} {
		if pages, err := s.Pages(ctx, id, 0, 8); err != nil || pages[0].Seq != want {
			t.Errorf("pull %d has page %d (%v)", id, pages[0].Seq, err)
		}
	}
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	no(s.Publish(ctx, []state.Published{{PullID: 5, Rows: 1}, {PullID: good.Pull.ID, Rows: 3, Quarantined: 2, Mapping: "new", PublishedAt: from.Add(time.Hour)}}))
	no(s.Publish(ctx, []state.Published{{PullID: partly.Pull.ID, Rows: 3, Quarantined: 2, Mapping: "new", PublishedAt: from.Add(time.Hour)}}))
	no(s.Hold(ctx, []state.Held{{PullID: held.Pull.ID, Reason: "few rows"}, {PullID: 6}}))
	no(s.Reject(ctx, bad.Pull.ID, "bad rows"))
	no(s.Reject(ctx, 8, "bad rows"))
	if !slices.Equal(own.published, []int64{5}) || !slices.Equal(own.held, []int64{6}) || !slices.Equal(own.rejected, []int64{8}) {
		t.Errorf("of its own pulls the store knows %v as published, %v as held, %v as rejected", own.published, own.held, own.rejected)
	}
	want := []state.Replayed{{
		Account: "main", Stream: "conversions", Kind: state.Windowed, From: from, To: from.AddDate(0, 0, 1), Version: 10, PulledAt: from,
		PublishedAt: from.Add(time.Hour), Rows: 3, Quarantined: 2, Mapping: "new",
	}}
	part := want[0]
	part.Rows = -1
	want = append(want, part)
	if diff := cmp.Diff(want, own.replayed); diff != "" {
		t.Errorf("made anew (-want +got):\n%s", diff)
	}
	outcomes := []ReplayOutcome{good.Outcome(), held.Outcome(), bad.Outcome(), waits.Outcome()}
	if diff := cmp.Diff([]ReplayOutcome{{Published: true, Rows: 3, Quarantined: 2}, {Refused: "held back: few rows"}, {Refused: "bad rows"}, {}}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}
