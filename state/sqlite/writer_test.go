package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/state"
)

// dueOf says whether setDue's effect is committed, as readers see it.
func (s *Store) dueOf(ctx context.Context, stream string) bool {
	at, err := s.Due(ctx, "acme", stream)
	return err == nil && !at.IsZero()
}

// setDue is an operation whose effect is easily seen.
func setDue(t *tx, stream string) error {
	return t.exec("INSERT INTO streams (account, stream, due) VALUES ('acme', ?, 1)", stream)
}

// inOneBatch has the writer run the operations in one transaction and gives their
// errors. It holds the writer with an operation of its own until all have arrived.
func inOneBatch(t *testing.T, s *Store, runs ...func(*tx) error) []error {
	t.Helper()
	errs := make([]error, len(runs))
	release := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.writer.do(t.Context(), func(*tx) error { <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait() // the writer waits
	for i, run := range runs {
		wg.Go(func() { errs[i] = s.writer.do(t.Context(), run) })
		synctest.Wait() // it has queued, behind those before it
	}
	close(release)
	wg.Wait()
	return errs
}

// bubble runs a test in a synctest bubble, with a store of its own.
func bubble(t *testing.T, test func(t *testing.T, s *Store)) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, s)
		test(t, s)
	})
}

func TestGroupCommit(t *testing.T) {
	refused := errors.New("refused")
	t.Run("what arrives together is committed together, and answered afterwards", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			seen := make([]bool, 3)
			var runs []func(*tx) error
			for i := range seen {
				runs = append(runs, func(tx *tx) error {
					seen[i] = s.dueOf(t.Context(), "stream 0")
					return setDue(tx, fmt.Sprintf("stream %d", i))
				})
			}
			for i, err := range inOneBatch(t, s, runs...) {
				if err != nil || seen[i] {
					t.Errorf("operation %d: error %v, the first was committed before it: %v", i, err, seen[i])
				}
				if !s.dueOf(t.Context(), fmt.Sprintf("stream %d", i)) {
					t.Errorf("operation %d is not there", i)
				}
			}
		})
	})
	for _, c := range []struct {
		name string
		bad  func(*tx) error
		want string
	}{
		{"an operation that fails is undone, its neighbours are not", func(tx *tx) error {
			return errors.Join(setDue(tx, "bad"), refused)
		}, "refused"},
		{"a statement that fails is undone, its neighbours are not", func(tx *tx) error {
			return errors.Join(setDue(tx, "bad"), setDue(tx, "bad"))
		}, "UNIQUE"},
		{"when SQLite ends the transaction, the neighbours are done again", func(tx *tx) error {
			return errors.Join(setDue(tx, "bad"), tx.exec("ROLLBACK"), refused)
		}, "refused"},
		{"when the commit fails, the neighbours are done again", func(tx *tx) error {
			return errors.Join(setDue(tx, "bad"), tx.exec("PRAGMA defer_foreign_keys = 1"),
				tx.exec("INSERT INTO pull_items (pull_id, packed, items) VALUES (4711, 0, x'')"))
		}, "FOREIGN KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *Store) {
				good := func(stream string) func(*tx) error {
					return func(tx *tx) error { return setDue(tx, stream) }
				}
				errs := inOneBatch(t, s, good("before"), c.bad, good("after"))
				if errs[0] != nil || errs[2] != nil {
					t.Errorf("the neighbours failed: %v, %v", errs[0], errs[2])
				}
				if errs[1] == nil || !strings.Contains(errs[1].Error(), c.want) {
					t.Errorf("got error %v, want one about %s", errs[1], c.want)
				}
				for stream, want := range map[string]bool{"before": true, "bad": false, "after": true} {
					if got := s.dueOf(t.Context(), stream); got != want {
						t.Errorf("operation %q is there: %v, want %v", stream, got, want)
					}
				}
				// Alone it fails as well, and leaves the writer well.
				if err := s.writer.do(t.Context(), c.bad); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("alone: got error %v, want one about %s", err, c.want)
				}
				if err := s.writer.do(t.Context(), good("later")); err != nil {
					t.Error(err)
				}
			})
		})
	}
	t.Run("a caller whose context ends while it queues leaves nothing behind", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			release := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := s.writer.do(t.Context(), func(*tx) error { <-release; return nil }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			ctx, cancel := context.WithCancelCause(t.Context())
			wg.Go(func() {
				err := s.writer.do(ctx, func(tx *tx) error { return setDue(tx, "cancelled") })
				if !errors.Is(err, refused) {
					t.Errorf("got error %v, want %v", err, refused)
				}
			})
			synctest.Wait()
			cancel(refused)
			synctest.Wait()
			close(release)
			wg.Wait()
			if s.dueOf(t.Context(), "cancelled") {
				t.Error("it was written")
			}
		})
	})
	t.Run("a caller whose context ends while it is served is told what became of it", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			ctx, cancel := context.WithCancel(t.Context())
			err := s.writer.do(ctx, func(tx *tx) error {
				cancel()
				return setDue(tx, "landed")
			})
			if err != nil || !s.dueOf(t.Context(), "landed") {
				t.Errorf("got error %v; written: %v", err, s.dueOf(t.Context(), "landed"))
			}
		})
	})
}

// limitPages makes the disk full at so many pages more than the file has; 0 gives space again.
func (s *Store) limitPages(t *testing.T, more int) {
	t.Helper()
	err := s.writer.do(t.Context(), func(tx *tx) error {
		var pages int
		if err := tx.row("PRAGMA page_count", nil, &pages); err != nil {
			return err
		}
		limit := pages + more
		if more == 0 {
			limit = 1 << 30
		}
		return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", limit), nil, &limit)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func receipt(id int64, size int) state.Receipt {
	return state.Receipt{PullID: id, Body: make([]byte, size), Records: 500, RawBytes: 10 * size, Next: "next"}
}

func createWindows(t testing.TB, s *Store, n int) []state.Pull {
	t.Helper()
	var windows []state.NewPull
	for i := range n {
		from := time.Unix(int64(i)*3600, 0)
		windows = append(windows, state.NewPull{Account: "acme", Stream: "conversions", Kind: state.Windowed, From: from, To: from.Add(time.Hour)})
	}
	pulls, err := s.CreatePulls(t.Context(), windows)
	if err != nil {
		t.Fatal(err)
	}
	return pulls
}

func TestFull(t *testing.T) {
	t.Run("the failed write is told so and leaves nothing, and succeeds once there is space", func(t *testing.T) {
		s := openTemp(t)
		p := createWindows(t, s, 1)[0]
		s.limitPages(t, 20)
		for range 3 {
			if _, err := s.Receive(t.Context(), receipt(p.ID, 1<<20)); !errors.Is(err, state.ErrFull) {
				t.Fatalf("got error %v, want %v", err, state.ErrFull)
			}
		}
		size, err := s.Inbox(t.Context())
		if err != nil || size != (state.InboxSize{}) {
			t.Errorf("the inbox holds %+v (%v), want nothing", size, err)
		}
		open, err := s.OpenPulls(t.Context(), "")
		if err != nil || open[0].Pages != 0 || open[0].Cursor != "" {
			t.Errorf("the pull is %+v (%v), want it as it was", open[0], err)
		}
		s.limitPages(t, 0)
		if _, err := s.Receive(t.Context(), receipt(p.ID, 1<<20)); err != nil {
			t.Error(err)
		}
	})
	t.Run("a write that does not fit takes none with it that does", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			pulls := createWindows(t, s, 5)
			s.limitPages(t, 40)
			var runs []func(*tx) error
			for i, p := range pulls {
				size := 10_000
				if i == 2 {
					size = 1 << 20
				}
				runs = append(runs, func(tx *tx) error {
					return tx.exec(`INSERT INTO inbox (seq, pull_id, records, raw_bytes, hash, received_at, request, body)
						VALUES (?, ?, 0, 0, 0, 0, '', ?)`, p.ID, p.ID, make([]byte, size))
				})
			}
			for i, err := range inOneBatch(t, s, runs...) {
				pages, readErr := s.Pages(t.Context(), pulls[i].ID, 0, 1)
				if readErr != nil {
					t.Error(readErr)
				}
				if (i == 2) != errors.Is(err, state.ErrFull) || (i == 2) != (len(pages) == 0) {
					t.Errorf("write %d: error %v and %d pages", i, err, len(pages))
				}
			}
		})
	})
	t.Run("publishing makes space", func(t *testing.T) {
		s := openTemp(t)
		pulls := createWindows(t, s, 2)
		last := receipt(pulls[0].ID, 1<<20)
		last.Done = true
		if _, err := s.Receive(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		s.limitPages(t, 20)
		if _, err := s.Receive(t.Context(), receipt(pulls[1].ID, 1<<20)); !errors.Is(err, state.ErrFull) {
			t.Fatalf("got error %v, want %v", err, state.ErrFull)
		}
		if err := s.Publish(t.Context(), []state.Published{{PullID: pulls[0].ID}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context(), receipt(pulls[1].ID, 1<<20)); err != nil {
			t.Error(err)
		}
	})
}

func size(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestWALIsCutWhenIdle(t *testing.T) {
	bubble(t, func(t *testing.T, s *Store) {
		p := createWindows(t, s, 1)[0]
		if _, err := s.Receive(t.Context(), receipt(p.ID, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if got := size(t, s.writer.wal); got < 1<<20 {
			t.Fatalf("the WAL has %d bytes after a write of %d", got, 1<<20)
		}
		time.Sleep(idleAfter) // of the bubble's clock
		synctest.Wait()
		if got := size(t, s.writer.wal); got != 0 {
			t.Errorf("the WAL has %d bytes when idle, want none", got)
		}
		if _, err := s.Receive(t.Context(), receipt(p.ID, 1<<20)); err != nil {
			t.Error(err)
		}
	})
}

// Readers that always overlap leave SQLite no moment at which it starts the WAL over.
func TestWALIsBoundedWhileReadersRead(t *testing.T) {
	s := openTemp(t)
	const limit = 4 << 20 // below the size at which a commit copies the WAL back
	err := s.writer.do(t.Context(), func(*tx) error {
		s.writer.walMax, s.writer.walNext = limit, limit
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := createWindows(t, s, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Pages(ctx, p.ID, 0, 3); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	var largest int64
	for range 6 * limit / (1 << 20) {
		if _, err := s.Receive(t.Context(), receipt(p.ID, 1<<20)); err != nil {
			t.Error(err)
			break
		}
		largest = max(largest, size(t, s.writer.wal))
	}
	cancel()
	readers.Wait()
	if most := int64(3 * limit); largest > most {
		t.Errorf("the WAL grew to %d bytes, want at most %d", largest, most)
	}
}

func TestPublishedPagesAreUsedAgain(t *testing.T) {
	s := openTemp(t)
	var first int64
	for round := range 10 {
		p := createWindows(t, s, 1)[0]
		for n := range 50 {
			r := receipt(p.ID, 80<<10)
			r.Done = n == 49
			if _, err := s.Receive(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Publish(t.Context(), []state.Published{{PullID: p.ID}}); err != nil {
			t.Fatal(err)
		}
		var pages int64
		if err := s.writer.do(t.Context(), func(tx *tx) error { return tx.row("PRAGMA page_count", nil, &pages) }); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			first = pages
		}
		if pages > first+8 {
			t.Fatalf("after round %d the file has %d pages, %d after the first", round+1, pages, first)
		}
	}
}

func TestSettings(t *testing.T) {
	s := openTemp(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "page_size": "8192", "busy_timeout": "5000", "wal_autocheckpoint": "2048",
	} {
		var got string
		err := s.writer.do(t.Context(), func(tx *tx) error { return tx.row("PRAGMA "+pragma, nil, &got) })
		if err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
}

func TestRunsArePruned(t *testing.T) {
	s := openTemp(t)
	start := time.Unix(1_700_000_000, 0)
	const extra = 2 * pruneEvery
	err := s.writer.do(t.Context(), func(tx *tx) error { // directly: one commit instead of thousands
		for i := range state.RunsKept + extra {
			at := ms(start.Add(time.Duration(i) * time.Second))
			err := tx.exec("INSERT INTO runs (id, account, stream, started_at, finished_at, calls, row_count, error) VALUES (?, '', '', ?, ?, 0, 0, '')",
				fmt.Sprint("r", i), at, at)
			if err != nil {
				return err
			}
		}
		return tx.exec("UPDATE runs SET finished_at = ? WHERE id = 'r0'", ms(time.Time{}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pruneEvery {
		at := start.Add(24 * time.Hour)
		if err := s.SaveRun(t.Context(), state.Run{ID: fmt.Sprint("new", i), StartedAt: at, FinishedAt: at}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.Runs(t.Context(), 2*state.RunsKept)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(runs); n < state.RunsKept || n > state.RunsKept+pruneEvery {
		t.Errorf("%d runs are kept, want %d or a few more", n, state.RunsKept)
	}
	if last := runs[len(runs)-1]; last.ID != "r0" {
		t.Errorf("the oldest run kept is %q, want the one that goes on", last.ID)
	}
}
