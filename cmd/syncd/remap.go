package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"syncd/internal/pipeline"
	"syncd/internal/remap"
	"syncd/internal/spool"
	"syncd/state"
)

type remapOptions struct {
	config     string
	only       []string
	since      string
	quarantine bool
}

func newRemapCommand() *cobra.Command {
	var o remapOptions
	c := &cobra.Command{
		Use:   "remap",
		Short: "Make rows anew of the answers that are kept, by the mapping as it is now; makes no call",
		Long: `remap loads the kept answers (raw_pages, and export files that are still in the spool)
once more, after a new version of syncd or a changed variable maps them otherwise: the
rows are then those that a new pull would bring, without a call. Of every window its
youngest answer counts; what changed since is made anew before it, so that no reader
sees an older state. Leads are put together once more of all that was told of them.
With --quarantine only answers with records in the quarantine are read, and records
that can be read by now leave it.
The daemon must not run meanwhile. A remap that was interrupted is begun again.`,
		Example: `  syncd remap
  syncd remap --only affise-main/conversions --since 2026-03-01
  syncd remap --quarantine`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRemap(cmd, o) },
	}
	configFlag(c, &o.config)
	onlyFlag(c, &o.only)
	c.Flags().StringVar(&o.since, "since", "", "a day (UTC) or an RFC 3339 time: only answers that were received since")
	c.Flags().BoolVar(&o.quarantine, "quarantine", false, "only answers with records in the quarantine")
	return c
}

func runRemap(cmd *cobra.Command, o remapOptions) error {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	a, err := loadApp(o.config, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer a.close()
	only := selection(o.only)
	if err := a.check(only); err != nil {
		return err
	}
	store, err := a.openState()
	if errors.Is(err, state.ErrLocked) {
		return fmt.Errorf("%w; stop it first: rows cannot be made anew while others come", err)
	}
	if err != nil {
		return err
	}
	return a.remap(cmd.Context(), store, remapRun{only: only, since: since, quarantine: o.quarantine, out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr()})
}

// parseSince reads a day or a time that has been.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if at.After(now) {
			return at, &usageError{fmt.Errorf("--since %s is yet to come: no answer was received since", text)}
		}
		return at, nil
	}
	return time.Time{}, &usageError{fmt.Errorf("--since: %q is neither a day such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z", text)}
}

// remapRun is what one remap was asked for.
type remapRun struct {
	only       selection
	since      time.Time
	quarantine bool
	out, errs  io.Writer
}

func (a *app) remap(ctx context.Context, store state.Store, r remapRun) error {
	warehouse, _, err := a.openWarehouse(ctx, store)
	if err != nil {
		return err
	}
	files, err := spool.Open(filepath.Join(a.config.DataDir, "spool"))
	if err != nil {
		return err
	}
	var accounts []*pipeline.Account
	for _, one := range a.accounts {
		if r.only.has(one.run.Name, "") {
			accounts = append(accounts, one.run)
		}
	}
	show := newRemapProgress(r.errs, a.log)
	engine, err := pipeline.New(ctx, pipeline.Options{
		Store: store, Warehouse: warehouse, Accounts: accounts, Log: a.log, Observers: []pipeline.Observer{show}, After: crashAfter,
		OneShot: true, Replaying: true, Spool: files, SpoolRetention: a.config.Retention.Spool, RawRetention: a.config.Retention.RawPages,
	})
	if err != nil {
		return err
	}
	var made *remap.Remap
	running, stop := context.WithCancel(ctx)
	defer stop()
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return engine.Run(running) })
	g.Go(func() error {
		defer stop()
		// What waits in the inbox is younger than all that is kept, and has to stay so.
		if err := engine.Drain(running, warehousePatience); err != nil {
			return err
		}
		made, err = remap.Prepare(running, remap.Options{
			Store: store, Warehouse: warehouse, Engine: engine, Accounts: accounts, Spool: files, Log: a.log.Named("remap"),
			RunID: "remap-" + time.Now().UTC().Format("20060102T150405.000Z"), Selected: r.only.has, Since: r.since, Quarantined: r.quarantine,
		})
		if err != nil {
			return err
		}
		planned := made.Streams()
		printRemapPlan(r.out, planned)
		end := show.start(running, planned)
		defer end()
		return made.Run(running)
	})
	err = g.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if printRemapped(r.out, r.errs, made.Streams()) {
		return nil
	}
	return errSaid
}

// windowsIn counts windows in words.
func windowsIn(n int) string {
	if n == 1 {
		return "1 window"
	}
	return fmt.Sprintf("%d windows", n)
}

// leftIn sums up what cannot be made anew of a stream, a line a reason.
func leftIn(s remap.Stream) []string {
	type sum struct {
		n        int
		from, to time.Time
	}
	var order []string
	sums := map[string]*sum{}
	for _, l := range s.Left {
		x := sums[l.Reason]
		if x == nil {
			x = &sum{from: l.From, to: l.To}
			sums[l.Reason] = x
			order = append(order, l.Reason)
		}
		x.n++
		if l.From.Before(x.from) {
			x.from = l.From
		}
		if l.To.After(x.to) {
			x.to = l.To
		}
	}
	var lines []string
	for _, reason := range order {
		x := sums[reason]
		again := fmt.Sprintf("syncd run --once --only %s/%s pulls it again", s.Account, s.Stream)
		what := "it"
		if !x.from.IsZero() {
			what = fmt.Sprintf("%s from %s to %s", windowsIn(x.n), x.from.UTC().Format(time.DateOnly), x.to.UTC().Format(time.DateOnly))
			again = fmt.Sprintf("syncd run --backfill %s..%s --only %s/%s pulls them again", x.from.UTC().Format(time.DateOnly), x.to.UTC().Format(time.DateOnly), s.Account, s.Stream)
		}
		lines = append(lines, fmt.Sprintf("account %s, stream %s: %s cannot be made anew: %s; %s", s.Account, s.Stream, what, reason, again))
	}
	return lines
}

// refusalsShown is how many windows that were refused are told one by one.
const refusalsShown = 5

// printRemapped tells what became of a remap and whether all of it is loaded.
func printRemapped(out, errs io.Writer, streams []remap.Stream) bool {
	well := true
	for _, s := range streams {
		if s.Pages == 0 && s.Rows == 0 && len(s.Refused) == 0 {
			continue
		}
		line := fmt.Sprintf("account %s, stream %s: %d rows made anew", s.Account, s.Stream, s.Rows)
		var changed []string
		for _, r := range s.Restated {
			changed = append(changed, fmt.Sprintf("%s: %d added, %d changed, %d removed", r.Table, r.Added, r.Changed, r.Removed))
		}
		if len(changed) == 0 {
			changed = []string{"nothing visible changed"}
		}
		line += "; " + strings.Join(changed, "; ")
		if s.Quarantined > 0 {
			line += fmt.Sprintf("; %d records are in the quarantine", s.Quarantined)
		}
		fmt.Fprintln(out, line)
		for i, why := range s.Refused {
			well = false
			if i == refusalsShown {
				fmt.Fprintf(errs, "syncd: account %s, stream %s: and %d more\n", s.Account, s.Stream, len(s.Refused)-i)
				break
			}
			fmt.Fprintf(errs, "syncd: account %s, stream %s: not made anew: %s\n", s.Account, s.Stream, why)
		}
	}
	return well
}

// sayOutdated tells of streams with rows that were made by an older mapping.
func (s *syncing) sayOutdated(ctx context.Context) error {
	lines, err := s.lines(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading by which mappings rows were made: %w", err)
	}
	for _, l := range lines {
		if l.Outdated > 0 && s.only.has(l.Account, l.Stream) {
			s.app.log.Warn("normalized with an older mapping", zap.String("account", l.Account), zap.String("stream", l.Stream), zap.Int64("windows", l.Outdated),
				zap.String("anew", fmt.Sprintf("syncd remap --only %s/%s", l.Account, l.Stream)))
		}
	}
	return nil
}
