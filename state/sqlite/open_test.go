package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/state"
	"syncd/state/statetest"
)

// sh runs statements on the file as a person with the sqlite3 shell would.
func sh(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMakesDirectoryAndFilesPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data?x=1 #%41")
	path := filepath.Join(dir, "state.db")
	s, err := Open("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if _, err := s.Secret(t.Context(), "engine"); err != nil { // something to write
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(dir): 0o700 | fs.ModeDir, dir: 0o700 | fs.ModeDir,
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + ".lock": 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%s has mode %s, want %s", name, info.Mode(), want)
		}
	}
}

func TestOpenTakesTheGroupsRightsFromAnExistingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("got mode %s, want 0600", info.Mode())
	}
}

func TestOpenRefusesWhat(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, path string) string // gives the path to open
		want    error                                  // nil: any
		says    string
	}{
		{"no path", func(*testing.T, string) string { return "sqlite:" }, nil, "sqlite:./data/state.db"},
		{"a file that is not a database", func(t *testing.T, path string) string {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, state.ErrIO, "file is not a database"},
		{"a database of something else", func(t *testing.T, path string) string {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			sh(t, path, "CREATE TABLE songs (title TEXT)")
			return path
		}, nil, "not the state of syncd"},
		{"a file that a newer program wrote", func(t *testing.T, path string) string {
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			sh(t, path, "PRAGMA user_version = 4711")
			return path
		}, state.ErrNewer, "version 4711, this program knows up to"},
		{"a directory that is a file", func(t *testing.T, path string) string {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(path, "state.db")
		}, nil, "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := c.prepare(t, filepath.Join(t.TempDir(), "state.db"))
			before, _ := os.ReadFile(path)
			for range 2 { // the second time because the first must have given the lock back
				s, err := Open(path)
				if err == nil {
					closeStore(t, s)
					t.Fatal("it was opened")
				}
				if c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("got error %v, want %v", err, c.want)
				}
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%q does not say %q", err, c.says)
				}
			}
			if after, _ := os.ReadFile(path); !cmp.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestLockedSaysWhoHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	if !errors.Is(err, state.ErrLocked) {
		t.Fatalf("got error %v, want %v", err, state.ErrLocked)
	}
	for _, want := range []string{path, fmt.Sprintf("pid %d on %s, since 2", os.Getpid(), host)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// An embedded engine is started while the store is open and may outlive this
// process for a moment: it must not hold the store.
func TestLockIsNotInheritedByChildren(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(stdin.Close(), child.Wait()); err != nil {
			t.Error(err)
		}
	}()
	closeStore(t, s)
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
}

func TestLockFileOfADeadHolderIsNoObstacle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	stale, err := json.Marshal(holder{PID: 1, Host: strings.Repeat("gone.example.com", 10)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".lock", stale, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if _, err := Open(path); err == nil || strings.Contains(err.Error(), "gone.example.com") {
		t.Errorf("got error %v, want one that names this process", err)
	}
}

func TestReadOnly(t *testing.T) {
	populate := func(t *testing.T, s *Store) {
		t.Helper()
		if _, err := s.CreatePulls(t.Context(), []state.NewPull{{Account: "acme", Stream: "offers", Kind: state.Snapshot}}); err != nil {
			t.Fatal(err)
		}
	}
	looksOn := func(t *testing.T, path string) {
		t.Helper()
		r, err := OpenReadOnly("sqlite:" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, r)
		pulls, err := r.OpenPulls(t.Context(), "")
		if err != nil || len(pulls) != 1 {
			t.Errorf("got %d pulls (%v), want 1", len(pulls), err)
		}
		statetest.ReadOnly(t, r)
	}
	t.Run("beside the holder it sees what is committed, and the holder goes on", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, s)
		populate(t, s)
		looksOn(t, path)
		if _, err := s.Secret(t.Context(), "other"); err != nil {
			t.Error(err)
		}
		if _, err := Open(path); !errors.Is(err, state.ErrLocked) {
			t.Errorf("got error %v, want %v", err, state.ErrLocked)
		}
	})
	t.Run("it opens what was closed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		populate(t, s)
		closeStore(t, s)
		looksOn(t, path)
	})
	t.Run("it opens what a killed process left", func(t *testing.T) {
		dir := t.TempDir()
		s, err := Open(filepath.Join(dir, "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		populate(t, s)
		// A copy of file and WAL at this moment is what kill -9 leaves.
		left := filepath.Join(t.TempDir(), "state.db")
		for _, suffix := range []string{"", "-wal"} {
			src, err := exec.Command("cat", filepath.Join(dir, "state.db"+suffix)).Output() // not read by this process: see secure
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(left+suffix, src, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		closeStore(t, s)
		looksOn(t, left)
		s, err = Open(left)
		if err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
	})
	t.Run("it creates nothing", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data", "state.db")
		if _, err := OpenReadOnly(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got error %v, want %v", err, fs.ErrNotExist)
		}
		if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the directory is there (%v)", err)
		}
	})
	t.Run("it refuses a schema that it does not know", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
		sh(t, path, "PRAGMA user_version = 4711")
		if _, err := OpenReadOnly(path); !errors.Is(err, state.ErrNewer) {
			t.Errorf("got error %v, want %v", err, state.ErrNewer)
		}
		sh(t, path, "PRAGMA user_version = 0")
		if _, err := OpenReadOnly(path); err == nil || !strings.Contains(err.Error(), "schema is version 0") {
			t.Errorf("got error %v, want one about the schema", err)
		}
	})
}
