package sqlite

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"time"

	"syncd/state"
)

// waitingBlocks stores blocks of as many postbacks as one can have.
func waitingBlocks(t *testing.T, s *Store, blocks, size int) {
	t.Helper()
	record := bytes.Repeat([]byte("a"), size)
	for range blocks {
		batch := make([]*arrival, acceptMax)
		for i := range batch {
			batch[i] = &arrival{Postback: state.Postback{Account: "kma", ReceivedAt: time.Unix(1_700_000_000, 0), Record: record}}
		}
		if err := s.writer.do(t.Context(), func(tx *tx) error { return storeArrivals(tx, batch) }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoMorePostbacksAreReadThanAreGiven(t *testing.T) {
	s := openTemp(t)
	waitingBlocks(t, s, 100, 2<<10) // 50 MB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all, err := s.Postbacks(t.Context(), "kma", 300)
	runtime.ReadMemStats(&after)
	if err != nil || len(all) != 300 {
		t.Fatalf("got %d postbacks (%v), want 300", len(all), err)
	}
	if read := after.TotalAlloc - before.TotalAlloc; read > 16<<20 {
		t.Errorf("%d MiB were read for 300 postbacks of 2 KiB", read>>20)
	}
}

func TestLargePostbacksAreGivenBySize(t *testing.T) {
	s := openTemp(t)
	const size = 64 << 10
	waitingBlocks(t, s, 3, size)
	var seqs []int64
	for {
		all, err := s.Postbacks(t.Context(), "kma", 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			break
		}
		if len(all)*size > postbackBytes {
			t.Fatalf("%d postbacks of %d bytes were given at once", len(all), size)
		}
		for _, p := range all {
			seqs = append(seqs, p.Seq)
		}
		through := all[len(all)-1].Seq
		if err := s.write(t.Context(), "taking", func(tx *tx) error { return takePostbacks(tx, "kma", through) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(seqs) != 3*acceptMax || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != 3*acceptMax {
		t.Errorf("%d postbacks were given, want each of %d once", len(seqs), 3*acceptMax)
	}
}

func TestOnePostbackIsGivenHoweverLargeItIs(t *testing.T) {
	s := openTemp(t)
	if _, err := s.AcceptPostback(t.Context(), state.Postback{Account: "kma", Record: make([]byte, postbackBytes+1)}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Postbacks(t.Context(), "kma", 5000); err != nil || len(all) != 1 {
		t.Errorf("got %d postbacks (%v), want one", len(all), err)
	}
}
