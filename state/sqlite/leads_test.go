package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/state"
)

// bringOf brings postbacks that told of so many leads.
func bringOf(leads int) state.Bring {
	return state.Bring{Account: "kma", Stream: "postbacks", Body: []byte("[]"), At: time.Unix(1_700_000_000, 0), Told: state.Told{Facts: leadFacts(0, leads)}}
}

func knownLeadsOf(t *testing.T, s *Store) (known int64) {
	t.Helper()
	counts, err := s.LeadCounts(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		known += c.Known
	}
	return known
}

// refuseLeads makes the table take no more than so many leads.
func refuseLeads(t *testing.T, s *Store, most int) (stop func()) {
	t.Helper()
	do := func(statement string) {
		if err := s.writer.do(context.WithoutCancel(t.Context()), func(tx *tx) error { return tx.exec(statement) }); err != nil {
			t.Fatal(err)
		}
	}
	do(fmt.Sprintf("CREATE TRIGGER refuse BEFORE INSERT ON leads WHEN (SELECT count(*) FROM leads) >= %d BEGIN SELECT RAISE(ABORT, 'refused'); END", most))
	return func() { do("DROP TRIGGER refuse") }
}

func TestLeadsThatCouldNotBeWrittenBehindTheirPage(t *testing.T) {
	const leads = 3*chunkMax + 7
	t.Run("are written before the next merge", func(t *testing.T) {
		s := openTemp(t)
		stop := refuseLeads(t, s, chunkMax+5)
		p, err := s.Bring(t.Context(), bringOf(leads))
		if err != nil || p.Phase != state.Pulled {
			t.Fatalf("the page was stored, but: %+v (%v)", p, err)
		}
		if known := knownLeadsOf(t, s); known != chunkMax {
			t.Errorf("%d leads are known, want the first chunk", known)
		}
		if _, err := s.AddLeads(t.Context(), "kma", leadFacts(0, 1), state.PollRule{}, time.Now()); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("got error %v, want the one that keeps leads from being written", err)
		}
		stop()
		added, err := s.AddLeads(t.Context(), "kma", leadFacts(0, leads+1), state.PollRule{}, time.Now())
		if err != nil || added != 1 {
			t.Errorf("%d leads were added (%v), want 1", added, err)
		}
		if known := knownLeadsOf(t, s); known != leads+1 {
			t.Errorf("%d leads are known, want %d", known, leads+1)
		}
	})
	t.Run("are written when the store is opened again", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		stop := refuseLeads(t, s, chunkMax+5)
		p, err := s.Bring(t.Context(), bringOf(leads))
		if err != nil {
			t.Fatal(err)
		}
		stop()
		closeStore(t, s)
		if s, err = Open(path); err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, s)
		if known := knownLeadsOf(t, s); known != leads {
			t.Errorf("%d leads are known, want %d", known, leads)
		}
		pages, err := s.Pages(t.Context(), p.ID, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		last := leadFacts(leads-1, 1)[0].Fields
		l, err := s.Lead(t.Context(), "kma", state.ByOwnID, last[state.LeadOwnID])
		if err != nil || l.Version != pages[0].Version || l.Fields["country"] != "DE" {
			t.Errorf("got %+v (%v), want it as page %d left it", l, err, pages[0].Version)
		}
	})
}

// acceptTogether has the writer store postbacks in one operation, and gives their errors.
func acceptTogether(t *testing.T, s *Store, postbacks ...state.Postback) []error {
	t.Helper()
	errs := make([]error, len(postbacks))
	release := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.writer.do(t.Context(), func(*tx) error { <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait() // the writer waits
	for i, p := range postbacks {
		wg.Go(func() { _, errs[i] = s.AcceptPostback(t.Context(), p) })
	}
	synctest.Wait() // they are collected
	close(release)
	wg.Wait()
	return errs
}

func TestPostbacksThatArriveTogether(t *testing.T) {
	postbacks := func(sizes ...int) (list []state.Postback) {
		for i, size := range sizes {
			list = append(list, state.Postback{Account: fmt.Sprint("account ", i%2), ReceivedAt: time.Unix(int64(i), 0), Record: make([]byte, size)})
		}
		return list
	}
	blocks := func(t *testing.T, s *Store) (n int) {
		t.Helper()
		if err := s.writer.do(t.Context(), func(tx *tx) error { return tx.row("SELECT count(*) FROM postbacks", nil, &n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("are one block of each account", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			for i, err := range acceptTogether(t, s, postbacks(10, 20, 30, 40, 50)...) {
				if err != nil {
					t.Errorf("postback %d: %v", i, err)
				}
			}
			if n := blocks(t, s); n != 2 {
				t.Errorf("there are %d blocks, want 2", n)
			}
			list, err := s.Postbacks(t.Context(), "account 0", 10)
			if err != nil || len(list) != 3 {
				t.Errorf("got %d postbacks (%v), want 3", len(list), err)
			}
		})
	})
	t.Run("are more than one operation stores, and are all stored", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			const n = 2*acceptMax + 1
			for i, err := range acceptTogether(t, s, postbacks(make([]int, n)...)...) {
				if err != nil {
					t.Errorf("postback %d: %v", i, err)
				}
			}
			backlogs, err := s.Backlogs(t.Context())
			if err != nil || len(backlogs) != 2 || backlogs[0].Waiting+backlogs[1].Waiting != n {
				t.Errorf("got %v (%v), want %d", backlogs, err, n)
			}
		})
	})
	t.Run("do not suffer for one that does not fit", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			s.limitPages(t, 10)
			for i, err := range acceptTogether(t, s, postbacks(10, 10, 1<<20, 10, 10)...) {
				if (i == 2) != errors.Is(err, state.ErrFull) || i != 2 && err != nil {
					t.Errorf("postback %d: %v", i, err)
				}
			}
			s.limitPages(t, 0)
			if _, err := s.AcceptPostback(t.Context(), postbacks(1 << 20)[0]); err != nil {
				t.Error(err)
			}
			list, err := s.Postbacks(t.Context(), "account 0", 10)
			if err != nil || len(list) != 3 {
				t.Errorf("got %d postbacks (%v), want 3", len(list), err)
			}
		})
	})
	t.Run("are without those whose callers left before", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *Store) {
			gone := errors.New("gone")
			release := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := s.writer.do(t.Context(), func(*tx) error { <-release; return nil }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			ctx, cancel := context.WithCancelCause(t.Context())
			for i, p := range postbacks(10, 10) {
				wg.Go(func() {
					callers := []context.Context{ctx, t.Context()}
					if _, err := s.AcceptPostback(callers[i], p); (i == 0) != errors.Is(err, gone) || i == 1 && err != nil {
						t.Errorf("caller %d: %v", i, err)
					}
				})
			}
			synctest.Wait()
			cancel(gone)
			synctest.Wait()
			close(release)
			wg.Wait()
			backlogs, err := s.Backlogs(t.Context())
			if err != nil || len(backlogs) != 1 || backlogs[0].Account != "account 1" {
				t.Errorf("got %v (%v), want that of the caller who stayed", backlogs, err)
			}
		})
	})
	t.Run("are stored, or told that the store is closed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		accepted := make([]int, 8)
		for i := range accepted {
			wg.Go(func() {
				for {
					_, err := s.AcceptPostback(t.Context(), state.Postback{Account: "kma"})
					if errors.Is(err, state.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if accepted[i]++; accepted[i] == 5 && i == 0 {
						wg.Go(func() { closeStore(t, s) })
					}
				}
			})
		}
		wg.Wait()
		if s, err = Open(path); err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, s)
		var want int64
		for _, n := range accepted {
			want += int64(n)
		}
		backlogs, err := s.Backlogs(t.Context())
		if err != nil || backlogs[0].Waiting != want {
			t.Errorf("got %v (%v), want the %d that were accepted", backlogs, err, want)
		}
	})
}

func TestADamagedBlockIsSaidToBeOne(t *testing.T) {
	good := appendPostback(nil, time.Unix(1, 0), []byte("record"))
	for n := range len(good) {
		if n == 0 {
			continue
		}
		if _, err := postbacksOf("kma", 1, good[:n]); !errors.Is(err, state.ErrIO) {
			t.Errorf("the first %d bytes of a block: got error %v, want %v", n, err, state.ErrIO)
		}
	}
	if _, err := postbacksOf("kma", 1, []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}); !errors.Is(err, state.ErrIO) {
		t.Errorf("got error %v, want %v", err, state.ErrIO)
	}
	list, err := postbacksOf("kma", 7, append(good, good...))
	if err != nil || len(list) != 2 || list[0].Seq != 6 || list[1].Seq != 7 {
		t.Errorf("got %v (%v), want two", list, err)
	}
}
