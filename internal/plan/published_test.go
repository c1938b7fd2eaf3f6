package plan

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// june is the instant at which a day of June 2026 begins.
func june(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }

func pulledAt(from, to int, at time.Time) state.Checkpoint {
	return state.Checkpoint{Kind: state.Windowed, From: june(from), To: june(to), PulledAt: at, PublishedAt: at}
}

func TestAWindowIsPulledWithEveryWindowThatContainsIt(t *testing.T) {
	now := june(10).Add(12 * time.Hour)
	s := Stream{
		Step: extractors.Day, Location: time.UTC, Start: june(1),
		Restate: []extractors.TierRule{{Last: 20 * 24 * time.Hour, Every: 24 * time.Hour}},
	}
	fresh, old := now.Add(-time.Hour), now.Add(-48*time.Hour)
	tests := []struct {
		name      string
		published []state.Checkpoint
		want      []int
	}{
		{"one file stands for all its days", []state.Checkpoint{pulledAt(1, 11, fresh)}, nil},
		{"a file stands for no day that it ends within", []state.Checkpoint{{Kind: state.Windowed, From: june(1), To: june(10).Add(time.Hour), PulledAt: fresh, PublishedAt: fresh}}, []int{10}},
		{"of two files that overlap the newer counts", []state.Checkpoint{pulledAt(1, 7, old), pulledAt(4, 11, fresh)}, []int{3, 2, 1}},
		{"the newer counts whichever begins first", []state.Checkpoint{pulledAt(1, 7, fresh), pulledAt(4, 11, old)}, []int{10, 9, 8, 7}},
		{"a day pulled after its file counts", []state.Checkpoint{pulledAt(1, 11, old), pulledAt(5, 6, fresh)}, []int{10, 9, 8, 7, 6, 4, 3, 2, 1}},
		{"a day pulled before its file does not", []state.Checkpoint{pulledAt(1, 11, fresh), pulledAt(5, 6, old)}, nil},
		{"they count in any order", []state.Checkpoint{pulledAt(8, 11, fresh), pulledAt(1, 8, fresh)}, nil},
		{"a snapshot is no window", []state.Checkpoint{{Kind: state.Snapshot, From: june(1), To: june(30), PulledAt: fresh}}, []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var due, again []int
			for _, d := range s.DueWindows(now, tt.published) {
				due = append(due, d.Window.From.Day())
			}
			if d := cmp.Diff(tt.want, due); d != "" {
				t.Errorf("due (-want +got):\n%s", d)
			}
			for _, d := range s.Range(june(1), june(11), now, now.Add(-2*time.Hour), tt.published) {
				again = append(again, d.Window.From.Day())
			}
			if d := cmp.Diff(tt.want, again); d != "" {
				t.Errorf("of a range (-want +got):\n%s", d)
			}
		})
	}
}

func TestTheSweepAgreesWithLookingAtEveryCheckpoint(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		var all []state.Checkpoint
		for range rnd.IntN(40) {
			from := 1 + rnd.IntN(25)
			all = append(all, pulledAt(from, from+1+rnd.IntN(6), june(30).Add(time.Duration(rnd.IntN(1000))*time.Minute)))
		}
		p := newPublished(all)
		for w := range Windows(extractors.Day, time.UTC, june(1), june(31)) {
			var want time.Time
			for _, c := range all {
				if contains(schema.Window{From: c.From, To: c.To}, w) && c.PulledAt.After(want) {
					want = c.PulledAt
				}
			}
			at, before := p.pulled(w)
			if before == want.IsZero() || !at.Equal(want) {
				t.Fatalf("%v: got %v, %v; want %v of %v", w, at, before, want, all)
			}
		}
	}
}

func TestWhatIsTooYoungToBeSettledIsNotAskedFor(t *testing.T) {
	s := Stream{
		Step: extractors.Hour, Location: time.UTC, Start: june(10), Settle: 10 * time.Minute,
		Restate: []extractors.TierRule{{Last: 48 * time.Hour, Every: time.Hour}},
	}
	hours := func(now time.Time) (hours []int) {
		for _, d := range s.DueWindows(now, nil) {
			hours = append(hours, d.Window.From.Hour())
		}
		return hours
	}
	if d := cmp.Diff([]int{1, 0}, hours(june(10).Add(2*time.Hour+10*time.Minute))); d != "" {
		t.Errorf("when an hour's first record would be as old as it has to be, and none is (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]int{2, 1, 0}, hours(june(10).Add(2*time.Hour+11*time.Minute))); d != "" {
		t.Errorf("a minute later (-want +got):\n%s", d)
	}
	s.Restate = nil
	last := []state.Checkpoint{{Kind: state.Windowed, From: june(10), To: june(10).Add(time.Hour), PulledAt: june(10).Add(65 * time.Minute)}}
	s.Start = june(10)
	now := june(10).Add(90 * time.Minute)
	due := s.DueWindows(now, last)
	if len(due) != 2 || !due[0].Window.From.Equal(june(10)) {
		t.Errorf("an hour whose last records had not settled when it was pulled is not pulled again: %v", due)
	}
}

func TestStepsCountsWholeWindows(t *testing.T) {
	s := Stream{Step: extractors.Day, Location: time.UTC}
	tests := []struct {
		name string
		w    schema.Window
		want int
	}{
		{"a day is one", schema.Window{From: june(3), To: june(4)}, 1},
		{"a week of days is seven", schema.Window{From: june(3), To: june(10)}, 7},
		{"what begins within a day is none", schema.Window{From: june(3).Add(time.Hour), To: june(10)}, 0},
		{"what ends within a day is none", schema.Window{From: june(3), To: june(10).Add(time.Hour)}, 0},
		{"a part of a day is none", schema.Window{From: june(3).Add(time.Hour), To: june(3).Add(2 * time.Hour)}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.Steps(tt.w); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
			if got := s.Has(tt.w); got != (tt.want == 1) {
				t.Errorf("Has: got %v", got)
			}
		})
	}
}

func BenchmarkDueWindowsOfElevenYearsOfHours(b *testing.B) {
	var all []state.Checkpoint
	start := june(1).AddDate(-11, 0, 0)
	for w := range Windows(extractors.Hour, time.UTC, start, june(1)) {
		all = append(all, state.Checkpoint{Kind: state.Windowed, From: w.From, To: w.To, PulledAt: june(1)})
	}
	s := Stream{Step: extractors.Hour, Location: time.UTC, Start: start, Restate: []extractors.TierRule{{Last: 48 * time.Hour, Every: time.Hour}}}
	for b.Loop() {
		s.DueWindows(june(1), all)
	}
}
