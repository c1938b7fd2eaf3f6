package spool

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func setup(t *testing.T) *Spool {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "data", "spool"))
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// part writes the beginning of a file.
func part(t *testing.T, s *Spool, name, content string) {
	t.Helper()
	path, err := s.Part(name)
	must(t, err)
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

func TestAFileHasItsNameOnlyWhenItIsWhole(t *testing.T) {
	s := setup(t)
	part(t, s, "main/clicks-17", "a,b\n1,2\n")
	if _, whole, err := s.Whole("main/clicks-17"); whole || err != nil {
		t.Fatalf("a part is taken for the whole file (%v)", err)
	}
	must(t, s.Finish("main/clicks-17"))
	size, whole, err := s.Whole("main/clicks-17")
	must(t, err)
	if !whole || size != 8 {
		t.Errorf("got %d bytes (whole: %v), want 8", size, whole)
	}
	if path, _ := s.Part("main/clicks-17"); exists(path) {
		t.Error("the part is still there")
	}
	if err := s.Finish("main/clicks-17"); err == nil {
		t.Error("a file without a part was finished")
	}
	must(t, s.Remove("main/clicks-17"))
	must(t, s.Remove("main/clicks-17"))
	if _, whole, _ := s.Whole("main/clicks-17"); whole {
		t.Error("a removed file is still there")
	}
	must(t, s.Touch("main/clicks-17", time.Now()))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestTheSpoolIsItsOwnersAlone(t *testing.T) {
	s := setup(t)
	part(t, s, "main/x", "")
	for _, dir := range []string{s.dir, filepath.Dir(s.Path("main/x"))} {
		info, err := os.Stat(dir)
		must(t, err)
		if mode := info.Mode().Perm(); mode != 0o700 {
			t.Errorf("%s has mode %o, want 700", dir, mode)
		}
	}
}

func TestNames(t *testing.T) {
	if name, err := Name("main", "clicks-665bd8_2"); name != "main/clicks-665bd8_2" || err != nil {
		t.Errorf("got %q and %v", name, err)
	}
	for _, bad := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a.part", "ü", "a b", "a\x00", strings.Repeat("x", 201)} {
		if name, err := Name("main", bad); err == nil {
			t.Errorf("%q became %q", bad, name)
		}
		if name, err := Name(bad, "x"); err == nil {
			t.Errorf("account %q became %q", bad, name)
		}
	}
}

func TestSweepLeavesWhatIsNeededAndWhatIsYoung(t *testing.T) {
	s := setup(t)
	now := time.Now()
	day := 24 * time.Hour
	for _, f := range []struct {
		name  string
		part  bool
		since time.Duration
	}{
		{"a/needed", false, 90 * day},
		{"a/old", false, 3*day + time.Second},
		{"a/young", false, 3*day - time.Second},
		{"b/brief", false, 2 * time.Hour},
		{"a/stale", true, 7*day + time.Second},
		{"a/downloading", true, 7*day - time.Second},
		{"a/slow", true, 30 * day},
	} {
		part(t, s, f.name, "x")
		path, err := s.Part(f.name)
		must(t, err)
		if !f.part {
			must(t, s.Finish(f.name))
			path = s.Path(f.name)
		}
		must(t, os.Chtimes(path, now, now.Add(-f.since)))
	}
	must(t, os.WriteFile(filepath.Join(s.dir, "note.txt"), nil, 0o600))
	removed, err := s.Sweep(now, func(name string) time.Duration {
		switch {
		case name == "a/needed" || name == "a/slow":
			return Forever
		case strings.HasPrefix(name, "b/"):
			return time.Hour
		}
		return 3 * day
	})
	must(t, err)
	var left []string
	for _, account := range []string{"a", "b", "."} {
		files, err := os.ReadDir(filepath.Join(s.dir, account))
		must(t, err)
		for _, f := range files {
			if !f.IsDir() {
				left = append(left, f.Name())
			}
		}
	}
	slices.Sort(left)
	if want := []string{"downloading.part", "downloading.unsettled", "needed", "note.txt", "slow.part", "slow.unsettled", "young"}; removed != 3 || !slices.Equal(left, want) {
		t.Errorf("removed %d and left %v, want 3 and %v", removed, left, want)
	}
}

func TestAUsedFileIsYoungAgain(t *testing.T) {
	s := setup(t)
	part(t, s, "a/x", "x")
	must(t, s.Finish("a/x"))
	now := time.Now()
	must(t, os.Chtimes(s.Path("a/x"), now, now.Add(-time.Hour)))
	must(t, s.Touch("a/x", now))
	if removed, err := s.Sweep(now, func(string) time.Duration { return time.Minute }); removed != 0 || err != nil {
		t.Errorf("removed %d (%v)", removed, err)
	}
}

func TestAPartKeepsTheMarkByWhichItGoesOn(t *testing.T) {
	s := setup(t)
	now := time.Now()
	for name, age := range map[string]time.Duration{"a/slow": time.Minute, "a/stale": 8 * 24 * time.Hour, "a/removed": 0} {
		part(t, s, name, "x")
		path, err := s.Part(name)
		must(t, err)
		must(t, os.Chtimes(path, now, now.Add(-age)))
		must(t, os.WriteFile(path+".etag", []byte("\"1\"\n2\n"), 0o600))
		// A mark is as old as the beginning of the download.
		must(t, os.Chtimes(path+".etag", now, now.Add(-age-2*time.Hour)))
	}
	must(t, s.Remove("a/removed"))
	removed, err := s.Sweep(now, func(string) time.Duration { return time.Hour })
	must(t, err)
	var left []string
	files, err := os.ReadDir(filepath.Join(s.dir, "a"))
	must(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), unsettledSuffix) {
			left = append(left, f.Name())
		}
	}
	if want := []string{"slow.part", "slow.part.etag"}; removed != 1 || !slices.Equal(left, want) {
		t.Errorf("removed %d and left %v, want 1 and %v", removed, left, want)
	}
}
