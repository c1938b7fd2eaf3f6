package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAFileThatIsNotSettledOutlivesTheProcessAndNotTheMachine takes a file, opens the
// directory once more and looks whether the file is there.
func TestAFileThatIsNotSettledOutlivesTheProcessAndNotTheMachine(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after string // names of the machine's life
		settled, kept bool
	}{
		{name: "the process ended", before: "a", after: "a", kept: true},
		{name: "the machine went down", before: "a", after: "b"},
		{name: "the machine went down later", before: "a", after: "b", settled: true, kept: true},
		{name: "the machine went down, and is another that does not tell", before: "a", after: ""},
		{name: "a machine that does not tell went down", before: "", after: "", kept: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "[data]", "sp*ol")
			s, err := open(dir, c.before)
			must(t, err)
			part(t, s, "main/settled", "x")
			must(t, s.Finish("main/settled"))
			part(t, s, "main/clicks-17", "a,b\n1,2\n")
			part(t, s, "main/clicks-18", "a,b\n")
			must(t, s.Take("main/clicks-17"))
			if c.settled {
				must(t, s.Settle("main/clicks-17"))
			}
			if _, whole, err := s.Whole("main/clicks-17"); !whole || err != nil {
				t.Fatalf("a file that was taken is not there (%v)", err)
			}

			s, err = open(dir, c.after)
			must(t, err)
			if _, whole, err := s.Whole("main/clicks-17"); whole != c.kept || err != nil {
				t.Errorf("whole: %v (%v), want %v", whole, err, c.kept)
			}
			if _, whole, _ := s.Whole("main/settled"); !whole {
				t.Error("a settled file is gone")
			}
			if content, err := os.ReadFile(s.Path("main/clicks-18") + partSuffix); string(content) != "a,b\n" {
				t.Errorf("the part of another file: got %q (%v)", content, err)
			}
			if notes, _ := filepath.Glob(strings.NewReplacer("[", `\[`, "*", `\*`).Replace(dir) + "/main/*" + unsettledSuffix); len(notes) > 0 {
				t.Errorf("notes are left: %q", notes)
			}
		})
	}
}

func TestSettlingAFileThatIsGoneIsNoError(t *testing.T) {
	s := inLifeA(t)
	part(t, s, "main/x", "1")
	must(t, s.Take("main/x"))
	must(t, s.Remove("main/x"))
	must(t, s.Settle("main/x"))
	if entries, _ := os.ReadDir(filepath.Join(s.dir, "main")); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestNotesAreSweptWithTheirFiles(t *testing.T) {
	s := inLifeA(t)
	for _, name := range []string{"main/needed", "main/old"} {
		part(t, s, name, "1")
		must(t, s.Take(name))
	}
	_, err := s.Sweep(time.Now().Add(time.Hour), func(name string) time.Duration {
		if name == "main/needed" {
			return Forever
		}
		return time.Minute
	})
	must(t, err)
	entries, _ := os.ReadDir(filepath.Join(s.dir, "main"))
	if len(entries) != 2 || entries[0].Name() != "needed" || entries[1].Name() != "needed"+unsettledSuffix {
		t.Errorf("left: %v", entries)
	}
}

func inLifeA(t *testing.T) *Spool {
	t.Helper()
	s, err := open(filepath.Join(t.TempDir(), "spool"), "a")
	must(t, err)
	return s
}
