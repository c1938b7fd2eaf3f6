// Command syncd pulls affiliate data from every network it knows into ClickHouse,
// on a schedule, and keeps the warehouse equal to what the networks say.
//
// This package is flags, signals, wiring and exit codes: the only place that knows
// every other package.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"syncd/internal/embedded"
	"syncd/internal/strictyaml"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1 // something failed; stderr says what
	exitUsage       = 2 // usage or configuration
	exitInterrupted = 3 // stopped by a signal before it was done
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	embedded.HostIfAsked() // the child process that hosts the embedded ClickHouse never returns from here
	limitMemory()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// memoryTarget is what the heap is held to while it can be. The buffers of a
// backfill, which are used again and again, come to 55 MiB; left alone, the
// collector lets the heap grow to twice of what lives before it looks. SQLite's
// caches and the program itself come on top, some 45 MiB.
const memoryTarget = 88 << 20

// limitMemory has garbage collected before the heap grows beyond memoryTarget,
// unless the environment says otherwise. It is a soft limit: larger answers get
// their memory, at the price of more collections.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryTarget)
	}
}

// run is main without the process: it gives the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible()
	defer stop()
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if err != nil && !errors.Is(err, errSaid) && code != exitInterrupted {
		tell(stderr, err)
	}
	if code == exitInterrupted {
		fmt.Fprintln(stderr, "syncd: interrupted; what was received is kept, and the next run goes on from there")
	}
	return code
}

// tell says on stderr what went wrong; mistakes of a file one a line.
func tell(stderr io.Writer, err error) {
	problems, ok := errors.AsType[strictyaml.Problems](err)
	if !ok {
		fmt.Fprintln(stderr, "syncd:", err)
		return
	}
	mistakes := "1 mistake"
	if len(problems) != 1 {
		mistakes = fmt.Sprintf("%d mistakes", len(problems))
	}
	fmt.Fprintf(stderr, "syncd: %s in the configuration\n", mistakes)
	for _, p := range problems {
		fmt.Fprintln(stderr, p.String())
	}
}

// interruptible gives a context that ends at the first SIGINT or SIGTERM. The
// second one ends the process at once: whoever asks twice means it.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			cancel(fmt.Errorf("%w by %s", errInterrupted, s))
		case <-done:
			return
		}
		select {
		case <-signals:
			os.Exit(exitInterrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

var (
	// errInterrupted is the cause of a context that a signal ended.
	errInterrupted = errors.New("interrupted")
	// errSaid is a failure that was already told on stderr.
	errSaid = errors.New("failed")
)

// usageError is a mistake of who typed the command or wrote the configuration.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, new(*usageError)):
		return exitUsage
	case errors.Is(context.Cause(ctx), errInterrupted):
		return exitInterrupted
	}
	return exitFailed
}
