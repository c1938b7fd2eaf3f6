package tests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests. It decides nothing but how long a
// broken build takes to say so.
const patience = 2 * time.Minute

// result is a process that ended.
type result struct {
	code           int
	signal         syscall.Signal // what killed it, 0 if it ended by itself
	stdout, stderr string
}

// ended fails the test unless the process ended with code.
func (r result) ended(t *testing.T, code int) result {
	t.Helper()
	if r.signal != 0 || r.code != code {
		t.Fatalf("exit %d (signal %v), want exit %d\nstdout:\n%s\nstderr:\n%s", r.code, r.signal, code, tail(r.stdout), tail(r.stderr))
	}
	return r
}

// says fails the test unless text has every part.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("it does not say %q:\n%s", p, tail(text))
		}
	}
}

func tail(text string) string {
	const most = 6000
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}

// process is the binary at work. Its output is read line by line as it comes.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it ended and all its output was read

	mu      sync.Mutex
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	changed chan struct{} // closed and replaced at every line
}

// run runs the binary with --config to its end.
func (b *bed) run(args ...string) result {
	b.t.Helper()
	return b.start(args...).wait()
}

// start starts the binary. It is killed with the test, and its engine ends with it.
func (b *bed) start(args ...string) *process {
	b.t.Helper()
	return b.startWith(nil, args...)
}

// startWith starts the binary with more in its environment.
func (b *bed) startWith(env []string, args ...string) *process {
	b.t.Helper()
	p := &process{t: b.t, done: make(chan struct{}), changed: make(chan struct{})}
	p.cmd = exec.Command(b.binary, args...)
	p.cmd.Dir = b.dir
	p.cmd.Env = append(environment(), "SYNCD_CONFIG=config.yaml", "WAREHOUSE="+b.dsn)
	p.cmd.Env = append(append(p.cmd.Env, b.env...), env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.read(stdout, &p.stdout) })
	reading.Go(func() { p.read(stderr, &p.stderr) })
	go func() {
		reading.Wait()
		_ = p.cmd.Wait() // the state says how it ended
		close(p.done)
	}()
	b.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// environment is the tests' own without what would change the binary's behaviour.
func environment() []string {
	var keep []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "SYNCD_") {
			keep = append(keep, e)
		}
	}
	library, err := filepath.Abs("../node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
	if err == nil {
		keep = append(keep, "SYNCD_LIBCHDB="+library)
	}
	return keep
}

func (p *process) read(from io.Reader, into *bytes.Buffer) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		p.mu.Lock()
		into.Write(line)
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// output gives what was written so far, and a channel that is closed at the next line.
func (p *process) output() (stdout, stderr string, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String(), p.stderr.String(), p.changed
}

// wait waits until the process has ended.
func (p *process) wait() result {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
		_, stderr, _ := p.output()
		p.t.Fatalf("%s has not ended after %s:\n%s", strings.Join(p.cmd.Args, " "), patience, tail(stderr))
	}
	r := result{code: p.cmd.ProcessState.ExitCode()}
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		r.signal = s.Signal()
	}
	r.stdout, r.stderr, _ = p.output()
	return r
}

// await waits until the process has written text, on stdout or stderr.
func (p *process) await(text string) {
	p.t.Helper()
	p.until(func(stdout, stderr string) bool {
		return strings.Contains(stdout, text) || strings.Contains(stderr, text)
	}, text)
}

func (p *process) until(holds func(stdout, stderr string) bool, what string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		stdout, stderr, changed := p.output()
		if holds(stdout, stderr) {
			return
		}
		select {
		case <-changed:
		case <-p.done:
			if stdout, stderr, _ = p.output(); holds(stdout, stderr) {
				return
			}
			p.t.Fatalf("it ended and never said %q:\nstdout:\n%s\nstderr:\n%s", what, tail(stdout), tail(stderr))
		case <-deadline:
			p.t.Fatalf("it did not say %q within %s:\nstdout:\n%s\nstderr:\n%s", what, patience, tail(stdout), tail(stderr))
		}
	}
}

// signal sends a signal to the process.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// page gives the address of the daemon's page, once it serves.
func (p *process) page() string {
	p.t.Helper()
	p.await(`"page":"`)
	_, stderr, _ := p.output()
	_, rest, _ := strings.Cut(stderr, `"page":"`)
	url, _, _ := strings.Cut(rest, `"`)
	return strings.TrimSuffix(url, "/")
}

// children gives the processes that the process started and that still run.
func children(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var found []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(text)) {
			if id, err := strconv.Atoi(word); err == nil {
				found = append(found, id)
			}
		}
	}
	return found
}

// gone waits until no process has the id any more.
func gone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d to be gone", pid), func() bool {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	})
}

// eventually waits until something holds that no line tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}
