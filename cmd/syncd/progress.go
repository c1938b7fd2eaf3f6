package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"go.uber.org/zap"

	"syncd/state"
)

// progress watches a backfill and tells how far it is: as a bar on a terminal, as
// log lines elsewhere.
type progress struct {
	out io.Writer
	log *zap.Logger

	mu       sync.Mutex
	planned  map[string]int // windows by account
	pulled   map[string]int // those whose last page came, or that were given up
	done     map[string]int // those that are in the warehouse, or were given up
	calls    map[string]int
	failed   int
	rows     int64
	down     bool
	accounts []*account
	began    time.Time
}

func newProgress(out io.Writer, log *zap.Logger) *progress {
	return &progress{out: out, log: log, planned: map[string]int{}, pulled: map[string]int{}, done: map[string]int{}, calls: map[string]int{}, began: time.Now()}
}

// The methods of pipeline.Observer.

func (p *progress) Called(account, _, _ string, _ time.Duration, _ int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[account]++
}

func (p *progress) Received(x state.Pull, _ int) {
	if x.Phase != state.Pulled {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulled[x.Account]++
}

func (p *progress) Planned(x state.Pull) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.planned[x.Account]++
}

func (p *progress) Published(x state.Pull, rows, _ int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[x.Account]++
	p.rows += rows
}

func (p *progress) Failed(x state.Pull, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[x.Account]++
	if x.Phase != state.Pulled {
		p.pulled[x.Account]++
	}
	p.failed++
}

func (p *progress) Warehouse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = err != nil
}

const (
	// barEvery is how often the bar is drawn: often enough to look alive.
	barEvery = 200 * time.Millisecond
	// lineEvery is how often a line is logged where there is no terminal.
	lineEvery = 10 * time.Second
)

// start tells the progress until the returned function is called.
func (p *progress) start(ctx context.Context, accounts []*account) (stop func()) {
	p.mu.Lock()
	p.accounts, p.began = accounts, time.Now()
	p.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		if isTerminal(p.out) {
			p.draw(ctx)
		} else {
			p.tell(ctx)
		}
	}()
	return func() {
		cancel()
		<-finished
	}
}

func (p *progress) draw(ctx context.Context) {
	bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.out), progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(barEvery/2),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}))
	tick := time.NewTicker(barEvery)
	defer tick.Stop()
	for {
		n := p.now()
		bar.ChangeMax(max(n.planned, 1))
		bar.Describe(n.String())
		_ = bar.Set(n.pulled) // a terminal that went away is no reason to stop
		select {
		case <-ctx.Done():
			_ = bar.Exit()
			fmt.Fprintln(p.out)
			return
		case <-tick.C:
		}
	}
}

func (p *progress) tell(ctx context.Context) {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.log.Info("backfill ended", p.now().fields()...)
			return
		case <-tick.C:
			p.log.Info("backfill goes on", p.now().fields()...)
		}
	}
}

// standing is the progress at one moment.
type standing struct {
	planned, pulled, done, failed, calls int
	rows                                 int64
	perSecond                            float64
	left                                 time.Duration // 0 while nothing can be said
	down                                 bool
}

// now computes the standing. The time left is that of the slowest account: what its
// windows still need at the rate at which windows were pulled so far, which has the
// waits for its pace in it; or that of loading, when that is slower.
func (p *progress) now() standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.began)
	s := standing{failed: p.failed, rows: p.rows, down: p.down}
	for account, planned := range p.planned {
		pulled, done := min(p.pulled[account], planned), p.done[account]
		s.planned += planned
		s.pulled += pulled
		s.done += done
		s.calls += p.calls[account]
		if pulled > 0 {
			s.left = max(s.left, time.Duration(float64(elapsed)/float64(pulled)*float64(planned-pulled)))
		} else if planned > 0 {
			s.left = max(s.left, time.Duration(planned)*p.paceOf(account))
		}
		if done > 0 {
			s.left = max(s.left, time.Duration(float64(elapsed)/float64(done)*float64(pulled-done)))
		}
	}
	if seconds := elapsed.Seconds(); seconds > 0 {
		s.perSecond = float64(s.rows) / seconds
	}
	return s
}

func (p *progress) paceOf(account string) time.Duration {
	for _, a := range p.accounts {
		if a.run.Name == account {
			return a.run.MinDelay
		}
	}
	return 0
}

func (s standing) String() string {
	text := fmt.Sprintf("%d of %d windows pulled, %d loaded, %d rows, %d calls, %.0f rows/s", s.pulled, s.planned, s.done, s.rows, s.calls, s.perSecond)
	if s.left > 0 && s.done < s.planned {
		text += ", " + s.left.Round(time.Second).String() + " left"
	}
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	if s.down {
		text += ", waiting for the warehouse"
	}
	return text
}

func (s standing) fields() []zap.Field {
	return []zap.Field{
		zap.Int("windows_done", s.done), zap.Int("windows", s.planned), zap.Int("windows_pulled", s.pulled), zap.Int64("rows", s.rows), zap.Int("calls", s.calls),
		zap.Int("rows_per_second", int(s.perSecond)), zap.Duration("left", s.left.Round(time.Second)), zap.Int("failed", s.failed),
	}
}

// isTerminal reports whether w is a terminal that can be drawn on.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
