package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	idleHistory = 5 // days that the daemon brings up to date first
	// quietFor is how long no call has been made when the daemon counts as idle, and
	// restFor how long it then may give memory back: the runtime takes its time.
	quietFor = 5 * time.Second
	restFor  = 20 * time.Second
	// idleGivesUp bounds all of it.
	idleGivesUp = 5 * time.Minute
)

// benchIdle measures the memory of a daemon with one account and all of its
// streams, after everything is up to date.
func benchIdle(ctx context.Context, b *bench) error {
	ctx, cancel := context.WithTimeout(ctx, idleGivesUp)
	defer cancel()
	from := time.Now().UTC().AddDate(0, 0, -idleHistory)
	sim, err := b.startSimulator(ctx, "-from", from.Format(time.DateOnly), "-conversions", "2000", "-clicks", "10000")
	if err != nil {
		return err
	}
	defer sim.stop()
	binary, err := filepath.Abs("bin/syncd")
	if err != nil {
		return err
	}
	i, err := b.install(binary, "idle", sim.url, from)
	if err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(b.dir, "idle.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	c := i.command(ctx, "run")
	c.Stdout, c.Stderr = logs, logs
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting %s (run make build first): %w", binary, err)
	}
	pid := c.Process.Pid
	calls, err := sim.untilQuiet(ctx)
	if err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		return fmt.Errorf("waiting for the daemon: %w; the end of its log:\n%s", err, tail(logs.Name()))
	}
	busy, _ := readUsage(pid)
	began := time.Now()
	wait(ctx, restFor)
	idle, err := readUsage(pid)
	if err != nil {
		return fmt.Errorf("the daemon is gone; the end of its log:\n%s", tail(logs.Name()))
	}
	core := 100 * (idle.cpu - busy.cpu).Seconds() / time.Since(began).Seconds()
	_ = c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil && ctx.Err() != nil {
		return err
	}
	r := &b.report
	r.add("idle", fmt.Sprintf("1 account, after %d calls", calls), "MiB", []float64{float64(idle.now) / mib}, nil, atMost(48))
	r.add("idle", "peak while it came up to date", "MiB", []float64{float64(idle.peak) / mib}, nil, nil)
	r.add("idle", "CPU", "% of a core", []float64{core}, nil, nil)
	return nil
}

// untilQuiet waits until no call has come for a while, after the first.
func (s *simulator) untilQuiet(ctx context.Context) (calls int, err error) {
	for {
		log, err := s.calls(ctx)
		if err != nil {
			return 0, err
		}
		if n := len(log); n > 0 && time.Since(log[n-1].At) > quietFor {
			return n, nil
		}
		if !wait(ctx, time.Second) {
			return 0, context.Cause(ctx)
		}
	}
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
