package sqlite

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/state"
)

// BenchmarkReceive stores answers of 80 KB (850 KB before compression) from several
// callers, each with a pull of its own, and each announced by a departure. The
// physical limit of one durable write is BenchmarkFsync.
func BenchmarkReceive(b *testing.B) {
	for _, callers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openTemp(b)
			benchmarkReceive(b, s, callers, nil)
		})
	}
}

// BenchmarkReceivePublish is a backfill: the callers receive, and one loader reads
// the pages of each finished pull and publishes it.
func BenchmarkReceivePublish(b *testing.B) {
	for _, callers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openTemp(b)
			finished := make(chan int64, 1000)
			var loader sync.WaitGroup
			loader.Go(func() {
				for id := range finished {
					for after := int64(0); ; {
						pages, err := s.Pages(b.Context(), id, after, 8)
						if err != nil {
							b.Error(err)
						}
						if len(pages) == 0 {
							break
						}
						after = pages[len(pages)-1].Seq
					}
					if err := s.Publish(b.Context(), []state.Published{{PullID: id, PublishedAt: time.Now()}}); err != nil {
						b.Error(err)
					}
				}
			})
			benchmarkReceive(b, s, callers, finished)
			close(finished)
			loader.Wait()
		})
	}
}

// BenchmarkFsync appends a body to a file and waits until it is on the medium.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 80<<10)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := f.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

const pagesAPull = 25

func benchmarkReceive(b *testing.B, s *Store, callers int, finished chan<- int64) {
	body := make([]byte, 80<<10)
	_, _ = rand.Read(body)
	var windows atomic.Int64
	var left atomic.Int64
	left.Store(int64(b.N))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			var id int64
			for page := 0; left.Add(-1) >= 0; page++ {
				if page%pagesAPull == 0 {
					from := time.Unix(3600*windows.Add(1), 0)
					pulls, err := s.CreatePulls(b.Context(), []state.NewPull{{
						Account: "affise", Stream: "conversions", Kind: state.Windowed, From: from, To: from.Add(time.Hour),
					}})
					if err != nil {
						b.Error(err)
						return
					}
					id = pulls[0].ID
				}
				done := page%pagesAPull == pagesAPull-1
				now := time.Now()
				if err := s.Depart(b.Context(), state.Departure{Account: "affise", PullID: id, At: now, NextCall: now}); err != nil {
					b.Error(err)
					return
				}
				_, err := s.Receive(b.Context(), state.Receipt{
					PullID: id, Body: body, Request: "GET /3.0/stats/conversions?page=1", Records: 500, RawBytes: 850 << 10,
					Next: state.Cursor(fmt.Sprint(page)), Done: done, NextCall: now, ReceivedAt: now,
				})
				if err != nil {
					b.Error(err)
					return
				}
				if done && finished != nil {
					finished <- id
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
}

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	s, err := Open(filepath.Join(tb.TempDir(), "state.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
