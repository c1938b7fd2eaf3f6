package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newHostLog(t *testing.T) *hostLog {
	t.Helper()
	l, err := openHostLog(filepath.Join(t.TempDir(), "host.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestTheLastWordsAreTheLastLinesThatSaySomething(t *testing.T) {
	l := newHostLog(t)
	for i := range 100 {
		fmt.Fprintf(l, "line %d\n", i)
	}
	// In pieces, as a pipe gives them, with a trace, and without a last newline.
	for _, piece := range []string{"Code: 210. DB::Exc", "eption: Address already in use\n\n", "0. ? @ 0x0000000012e0c4e1\n", "15. DB::Server::main() @ 0x000000000f21170c\n", "the end"} {
		fmt.Fprint(l, piece)
	}
	lines := strings.Split(l.Tail(), "\n")
	if got := strings.Join(lines[len(lines)-3:], "|"); got != "line 99|Code: 210. DB::Exception: Address already in use|the end" {
		t.Errorf("got %s", got)
	}
	if len(lines) > tailLines+1 {
		t.Errorf("%d lines are quoted, want %d or fewer", len(lines), tailLines+1)
	}
	l.Forget()
	if got := l.Tail(); got != "" {
		t.Errorf("after Forget: %q", got)
	}
}

func TestTheOutputFileIsBounded(t *testing.T) {
	l := newHostLog(t)
	block := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range 3 * hostLogMax / len(block) {
		if _, err := l.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{l.path, l.path + ".1"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > hostLogMax || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes and mode %v, want %d or fewer and 0600", filepath.Base(path), info.Size(), info.Mode(), hostLogMax)
		}
	}
	if got := len(l.Tail()); got > tailLines*(lineMax+1) {
		t.Errorf("the tail has %d bytes", got)
	}
}
