package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"go.uber.org/zap"

	"syncd/internal/remap"
	"syncd/state"
)

// printRemapPlan tells what a remap is about to read, and what it cannot.
func printRemapPlan(out io.Writer, streams []remap.Stream) {
	any := false
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range streams {
		if s.Pages == 0 {
			continue
		}
		if !any {
			any = true
			fmt.Fprintln(w, "ACCOUNT\tSTREAM\tWINDOWS\tLISTS OF CHANGES\tPAGES\tRECORDS\tOLDEST ANSWER")
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", s.Account, s.Stream, s.Windows, s.Lists, s.Pages, s.Records, s.Oldest.UTC().Format("2006-01-02 15:04 UTC"))
	}
	_ = w.Flush() // a reader that went away is no reason to stop
	for _, s := range streams {
		for _, line := range leftIn(s) {
			fmt.Fprintln(out, line)
		}
	}
	if !any {
		fmt.Fprintln(out, "there is nothing to make anew: no such answers are kept")
	}
}

// remapProgress watches a remap and tells how far it is, as progress does of a backfill.
type remapProgress struct {
	out io.Writer
	log *zap.Logger

	mu          sync.Mutex
	pages, done int
	rows        int64
	failed      int
	down        bool
	began       time.Time
}

func newRemapProgress(out io.Writer, log *zap.Logger) *remapProgress {
	return &remapProgress{out: out, log: log, began: time.Now()}
}

// The methods of pipeline.Observer. No call is made, so none is told of.

func (*remapProgress) Called(string, string, string, time.Duration, int) {}
func (*remapProgress) Received(state.Pull, int)                          {}
func (*remapProgress) Planned(state.Pull)                                {}

func (p *remapProgress) Published(x state.Pull, rows, _ int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += x.Pages
	p.rows += rows
}

func (p *remapProgress) Failed(x state.Pull, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += x.Pages
	p.failed++
}

func (p *remapProgress) Warehouse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = err != nil
}

// start tells the progress until the returned function is called.
func (p *remapProgress) start(ctx context.Context, planned []remap.Stream) (stop func()) {
	p.mu.Lock()
	p.pages, p.done, p.rows, p.failed, p.began = 0, 0, 0, 0, time.Now()
	for _, s := range planned {
		p.pages += s.Pages
	}
	pages := p.pages
	p.mu.Unlock()
	if pages == 0 {
		return func() {}
	}
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

func (p *remapProgress) draw(ctx context.Context) {
	bar := progressbar.NewOptions(p.pages, progressbar.OptionSetWriter(p.out), progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(barEvery/2),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}))
	tick := time.NewTicker(barEvery)
	defer tick.Stop()
	for {
		words, done := p.now()
		bar.Describe(words)
		_ = bar.Set(done) // a terminal that went away is no reason to stop
		select {
		case <-ctx.Done():
			_ = bar.Exit()
			fmt.Fprintln(p.out)
			return
		case <-tick.C:
		}
	}
}

func (p *remapProgress) tell(ctx context.Context) {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			words, _ := p.now()
			p.log.Info("remap ended", zap.String("progress", words))
			return
		case <-tick.C:
			words, _ := p.now()
			p.log.Info("remap goes on", zap.String("progress", words))
		}
	}
}

// now says how far the remap is. The rows of leads are pages beside those that are read.
func (p *remapProgress) now() (words string, done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done = min(p.done, p.pages)
	elapsed := time.Since(p.began)
	words = fmt.Sprintf("%d of %d pages loaded, %d rows", done, p.pages, p.rows)
	if done > 0 && done < p.pages {
		left := time.Duration(float64(elapsed) / float64(done) * float64(p.pages-done))
		words += ", " + left.Round(time.Second).String() + " left"
	}
	if p.failed > 0 {
		words += fmt.Sprintf(", %d refused", p.failed)
	}
	if p.down {
		words += ", waiting for the warehouse"
	}
	return words, done
}
