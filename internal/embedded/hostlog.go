package embedded

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
)

const (
	hostLogMax = 4 << 20 // bytes; then the file becomes host.log.1
	tailLines  = 12
	lineMax    = 2000 // bytes of a line that are quoted
)

// stackFrame is a line of the engine's stack traces, which say nothing to a
// reader and would push out the line that does. The file keeps them.
var stackFrame = regexp.MustCompile(`^\d+\. .* @ 0x[0-9a-f]+`)

// hostLog takes what the child writes to its outputs: into a file of bounded
// size, and the last lines into memory, to be quoted when the child ends.
// Safe for concurrent use.
type hostLog struct {
	path string

	mu   sync.Mutex // guards all below
	file *os.File
	size int64
	part []byte   // a line that has not ended yet
	tail []string // at most tailLines
}

func openHostLog(path string) (*hostLog, error) {
	l := &hostLog{path: path}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *hostLog) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the engine's output file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("opening the engine's output file: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write implements io.Writer. It never fails: a disk that is full must not
// block the child's output, nor end the child.
func (l *hostLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remember(p)
	if l.file != nil && l.size+int64(len(p)) > hostLogMax {
		l.rotate()
	}
	if l.file != nil {
		n, _ := l.file.Write(p)
		l.size += int64(n)
	}
	return len(p), nil
}

// rotate must be called with mu held.
func (l *hostLog) rotate() {
	l.file.Close()
	l.file = nil
	if os.Rename(l.path, l.path+".1") == nil {
		// Without a file the tail still works.
		_ = l.open()
	}
}

// remember must be called with mu held.
func (l *hostLog) remember(p []byte) {
	l.part = append(l.part, p...)
	for {
		line, rest, found := bytes.Cut(l.part, []byte{'\n'})
		if !found {
			break
		}
		l.part = rest
		if line = bytes.TrimSpace(line); len(line) == 0 || stackFrame.Match(line) {
			continue
		}
		l.tail = append(l.tail, string(line[:min(len(line), lineMax)]))
		l.tail = l.tail[max(0, len(l.tail)-tailLines):]
	}
	if len(l.part) > lineMax {
		l.part = l.part[:lineMax]
	}
}

// Tail returns the last lines since the last Forget, joined by newlines.
func (l *hostLog) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.tail
	if last := bytes.TrimSpace(l.part); len(last) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(last))
	}
	return strings.Join(lines, "\n")
}

// Forget empties the tail, so that the next child is not blamed for the last.
func (l *hostLog) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail, l.part = nil, nil
}

// Close closes the file.
func (l *hostLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
