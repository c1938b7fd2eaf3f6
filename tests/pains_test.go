package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// painCount is the number of complaints that the page answers.
const painCount = 54

func TestEveryPainHasItsTest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/pains.md")
	if err != nil {
		t.Fatal(err)
	}
	there := testNames(t)
	number := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !regexp.MustCompile(`^ \d+ $`).MatchString(cells[1]) {
			continue
		}
		number++
		names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(cells[4], -1)
		if len(names) == 0 {
			t.Errorf("pain %d names no test", number)
		}
		for _, n := range names {
			if !slices.Contains(there, n[1]) {
				t.Errorf("pain %d names %s, which does not exist", number, n[1])
			}
		}
	}
	if number != painCount {
		t.Errorf("the page answers %d complaints, want %d", number, painCount)
	}
}

// testNames gives the names of all tests of the project.
func testNames(t *testing.T) []string {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	var names []string
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
