package tests

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tally is what seeds of the oracle test add up to. All of it was seen, by the simulated
// networks, by the processes that ended and by the comparison, and not only planned.
type tally struct {
	mu sync.Mutex
	// seeds that passed, those that failed, and runs of the binary.
	passed int
	failed []uint64
	runs   int
	calls  int
	// fewest is the smallest number of kills that a seed had.
	fewest int
	kills  map[string]int
	faults map[string]int
	rows   map[string]int
	checks map[string]int
	// differences are rows that were missing, that should not be there, or that differ.
	differences int
}

func newTally() *tally {
	return &tally{fewest: -1, kills: map[string]int{}, faults: map[string]int{}, rows: map[string]int{}, checks: map[string]int{}}
}

func (y *tally) kill(kind string)             { y.note(y.kills, kind, 1) }
func (y *tally) fault(kind string, n int)     { y.note(y.faults, kind, n) }
func (y *tally) checked(what string, bad int) { y.note(y.checks, what, bad) }

func (y *tally) note(m map[string]int, key string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	m[key] += n
}

// add adds what a seed had.
func (y *tally) add(seed uint64, s *tally, failed bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if failed {
		y.failed = append(y.failed, seed)
	} else {
		y.passed++
	}
	y.runs += s.runs
	y.calls += s.calls
	y.differences += s.differences
	if kills := s.killed(); y.fewest < 0 || kills < y.fewest {
		y.fewest = kills
	}
	for _, m := range []struct{ into, from map[string]int }{{y.kills, s.kills}, {y.faults, s.faults}, {y.rows, s.rows}, {y.checks, s.checks}} {
		for k, n := range m.from {
			m.into[k] += n
		}
	}
}

func (y *tally) killed() int { return total(y.kills) }

func total(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// tallies has the tally of each test that keeps one, for those who compare tables.
var tallies sync.Map

// compared notes a comparison of a table for the test's tally, if it keeps one.
func compared(t *testing.T, name string, rows, differences int) {
	v, ok := tallies.Load(t)
	if !ok {
		return
	}
	y := v.(*tally)
	y.note(y.rows, name, rows)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.differences += differences
}

// write writes the figures as a page of the documentation.
func (y *tally) write(file string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	section := func(title, what, count string, m map[string]int) {
		line("\n## %s\n\n| %s | %s |\n| --- | ---: |", title, what, count)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			line("| %s | %d |", k, m[k])
		}
		line("| **all** | **%d** |", total(m))
	}
	line("# The proof\n\nWritten by `make prove` itself; nothing here is typed by hand.%s\n", commit())
	line("| what | figure |\n| --- | ---: |")
	line("| seeds run | %d |", y.passed+len(y.failed))
	line("| seeds with any failure | %d |", len(y.failed))
	line("| runs of the binary | %d |", y.runs)
	line("| kills survived | %d |", y.killed())
	line("| fewest kills in one seed | %d |", max(y.fewest, 0))
	line("| faults injected | %d |", total(y.faults))
	line("| calls that the networks saw | %d |", y.calls)
	line("| rows compared | %d |", total(y.rows))
	line("| differences | **%d** |", y.differences)
	if len(y.failed) > 0 {
		slices.Sort(y.failed)
		line("\nFailed: %v. `make prove SEED=N` replays one.", y.failed)
	}
	section("Kills, by kind", "kind", "kills", y.kills)
	section("Faults, by kind, as they were seen", "fault", "times", y.faults)
	section("Rows compared, by table", "table", "rows", y.rows)
	line("\n## What must not happen\n\n| what | times |\n| --- | ---: |")
	for _, k := range slices.Sorted(maps.Keys(y.checks)) {
		line("| %s | %d |", k, y.checks[k])
	}
	line("\n%s", strings.TrimSpace(notCovered))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// commit says of which tree the figures are.
func commit() string {
	out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return " It was `" + strings.TrimSpace(string(out)) + "` that ran."
}

// notCovered ends the page.
const notCovered = `
## What this does not show

- Every network is simulated, from its public documents. ` + "`syncd check`" + ` compares with yours.
- The machine itself never goes down: a process that is killed leaves its writes to the kernel.
  What is synced to disk before an answer counts is held by tests of the state store.
- One ClickHouse without replicas. A warehouse that is restored from a backup is another one.
- Clocks jump by up to three hours. What is due is decided by the clock, so that a machine whose
  clock was ahead by more waits for the true time to come; unit tests hold the schedule to that.
- No worlds of millions of rows: those are ` + "`make bench`" + ` and the tests of publication with readers.
- The CPA networks are KMA, WhoCPA and TerraLeads, one of each way of asking; HasOffers and the
  others have recordings and the suite over all manifests.
`
