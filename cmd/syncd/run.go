package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"syncd/internal/embedded"
	"syncd/internal/metrics"
	"syncd/internal/pipeline"
	"syncd/internal/schedule"
	"syncd/internal/spool"
	"syncd/internal/status"
	"syncd/internal/web"
	"syncd/loaders"
	"syncd/state"
)

type runOptions struct {
	config   string
	only     []string
	once     bool
	backfill string
	accept   bool
}

func newRunCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run",
		Short: "Pull what is due, again and again; once; or a range of days",
		Long: `run is the daemon: it pulls every stream when its schedule says so.
With --once it brings everything up to date and exits; with --backfill FROM..TO it
pulls that range of report days, shows its progress and exits. A backfill that was
interrupted goes on where it stopped when the same one is asked again.
With --accept what a guard holds back is asked for again at once, and published
whatever it says; see syncd status for what that is.`,
		Example: `  syncd run
  syncd run --once --only affise-main
  syncd run --backfill 2026-01-01..2026-03-31 --only affise-main/conversions
  syncd run --once --accept --only affise-main/conversions`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSync(cmd, o) },
	}
	configFlag(c, &o.config)
	onlyFlag(c, &o.only)
	c.Flags().BoolVar(&o.once, "once", false, "bring everything up to date and exit")
	c.Flags().StringVar(&o.backfill, "backfill", "", "FROM..TO, report days, both included: pull that range and exit")
	c.Flags().BoolVar(&o.accept, "accept", false, "ask again for what is held back, and believe the network")
	return c
}

func runSync(cmd *cobra.Command, o runOptions) error {
	ctx := cmd.Context()
	if o.once && o.backfill != "" {
		return &usageError{errors.New("--once and --backfill exclude each other: one pulls what is due, the other a range")}
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
	var days dayRange
	if o.backfill != "" {
		if days, err = parseDays(o.backfill); err != nil {
			return err
		}
	}
	show := newProgress(cmd.ErrOrStderr(), a.log)
	s, err := a.startSync(ctx, only, o.once || o.backfill != "", show)
	if err != nil {
		return err
	}
	if o.accept {
		if err := s.accept(ctx, cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	switch {
	case o.backfill != "":
		return s.backfill(ctx, days, show)
	case o.once:
		return s.once(ctx)
	}
	return s.daemon(ctx)
}

// syncing is a running pipeline with everything around it.
type syncing struct {
	app       *app
	only      selection
	store     state.Store
	warehouse *loaders.Warehouse
	engine    *embedded.Engine // nil with an own server
	pipeline  *pipeline.Engine
	metrics   *metrics.Metrics
}

// startSync opens state and warehouse and makes the pipeline, for ever or until its
// work is done. Nothing is called yet.
func (a *app) startSync(ctx context.Context, only selection, oneShot bool, observers ...pipeline.Observer) (*syncing, error) {
	store, err := a.openState()
	if err != nil {
		return nil, err
	}
	s := &syncing{app: a, only: only, store: store}
	if s.warehouse, s.engine, err = a.openWarehouse(ctx, store); err != nil {
		return nil, err
	}
	files, err := spool.Open(filepath.Join(a.config.DataDir, "spool"))
	if err != nil {
		return nil, err
	}
	s.metrics = metrics.New(version, metrics.Sources{Streams: s.lines, Inbox: store.Inbox, Leads: store.LeadCounts, Backlogs: store.Backlogs})
	var accounts []*pipeline.Account
	for _, one := range a.accounts {
		if only.has(one.run.Name, "") {
			one.run.OpenIDs, one.run.OpenIDsEvery = openIDs(one.config, s.warehouse), one.config.OpenIDs.Every
			accounts = append(accounts, one.run)
		}
	}
	s.pipeline, err = pipeline.New(ctx, pipeline.Options{
		Store: store, Warehouse: s.warehouse, Accounts: accounts, Log: a.log,
		Observers: append(observers, s.metrics), InboxMax: int64(a.config.Inbox.MaxSize), After: crashAfter,
		Selected: only.has, OneShot: oneShot, Spool: files, SpoolRetention: a.config.Retention.Spool,
		RawRetention: a.config.Retention.RawPages,
	})
	return s, err
}

// selected calls f for every stream that is configured and selected, until f fails.
func (s *syncing) selected(f func(a *account, stream string) error) error {
	for _, a := range s.app.accounts {
		for _, stream := range a.source.Streams() {
			if !s.only.has(a.run.Name, stream.Name) {
				continue
			}
			if err := f(a, stream.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines is the status of every stream.
func (s *syncing) lines(ctx context.Context) ([]status.Line, error) {
	lines, err := status.Read(ctx, s.store, s.app.statusStreams(), time.Now())
	for i := range lines {
		lines[i].WaitFor(s.pipeline.Waiting(lines[i].Account, lines[i].Stream))
	}
	return lines, err
}

// daemon runs until ctx ends, which is success.
func (s *syncing) daemon(ctx context.Context) error {
	server, err := s.serve()
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Close(stop); err != nil {
			s.app.log.Warn("http server not closed cleanly", zap.Error(err))
		}
	}()
	s.app.log.Info("syncd started", zap.String("version", version), zap.String("page", "http://"+server.Addr()+"/"))
	// What a signal cuts off says so in its own error: as cancelled, or as interrupted.
	if err := s.keepUp(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errInterrupted) {
		return err
	}
	s.app.log.Info("syncd stopped")
	return nil
}

// keepUp works by the schedules of all selected streams until ctx ends.
func (s *syncing) keepUp(ctx context.Context) error {
	entries, err := s.entries(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.pipeline.Run(ctx) })
	g.Go(func() error { return s.ledger(ctx) })
	g.Go(func() error { return s.sayOutdated(ctx) })
	loop := schedule.Loop{Log: s.app.log.Named("schedule")}
	g.Go(func() error { return loop.Run(ctx, entries) })
	return g.Wait()
}

// entries gives the schedule of every selected stream.
func (s *syncing) entries(ctx context.Context) ([]schedule.Entry, error) {
	var entries []schedule.Entry
	err := s.selected(func(a *account, stream string) error {
		when, err := a.schedule(stream)
		if err != nil {
			return err
		}
		last, err := s.store.Due(ctx, a.run.Name, stream)
		if err != nil {
			return fmt.Errorf("reading when account %s, stream %s was due: %w", a.run.Name, stream, err)
		}
		entries = append(entries, schedule.Entry{
			Key: a.run.Name + "/" + stream, Schedule: when, Last: last,
			Fire: func(ctx context.Context, due time.Time) { s.fire(ctx, a.run.Name, stream, due) },
		})
		return nil
	})
	return entries, err
}

// fire plans a stream that is due.
func (s *syncing) fire(ctx context.Context, account, stream string, due time.Time) {
	err := s.pipeline.Plan(ctx, account, stream, time.Now())
	if err == nil {
		err = s.store.SetDue(ctx, account, stream, due)
	}
	if err != nil && ctx.Err() == nil {
		s.app.log.Error("stream not planned", zap.String("account", account), zap.String("stream", stream), zap.Error(err))
	}
}

// once brings every selected stream up to date.
func (s *syncing) once(ctx context.Context) error {
	return s.work(ctx, func() error {
		return s.selected(func(a *account, stream string) error {
			return s.pipeline.Plan(ctx, a.run.Name, stream, time.Now())
		})
	})
}

// backfill pulls a range of report days of every selected stream.
func (s *syncing) backfill(ctx context.Context, days dayRange, show *progress) error {
	request, err := s.store.StartBackfill(ctx, days.from, days.to, s.only.String(), time.Now())
	if err != nil {
		return fmt.Errorf("recording the backfill: %w", err)
	}
	if age := time.Since(request.StartedAt); age > time.Minute {
		s.app.log.Info("backfill resumed", zap.String("range", days.String()), zap.Time("started", request.StartedAt))
	}
	stop := show.start(ctx, s.app.accounts)
	err = s.work(ctx, func() error {
		return s.selected(func(a *account, stream string) error {
			from, to := days.in(a.run.Location)
			return s.pipeline.Backfill(ctx, a.run.Name, stream, from, to, request.StartedAt, time.Now())
		})
	})
	stop()
	if err != nil {
		return err
	}
	return s.store.FinishBackfill(ctx, request.ID, time.Now())
}

// warehousePatience is how long a one-shot run waits for a warehouse that takes
// nothing. The daemon waits for ever.
const warehousePatience = 10 * time.Minute

// work runs the pipeline until all that plan created is done, and tells what was not.
func (s *syncing) work(ctx context.Context, plan func() error) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return s.pipeline.Run(running) })
	g.Go(func() error {
		defer stop()
		if err := plan(); err != nil {
			return err
		}
		return s.pipeline.Drain(running, warehousePatience)
	})
	err := g.Wait()
	s.saveLedgers(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failures := s.pipeline.Failures()
	for _, f := range failures {
		fmt.Fprintln(os.Stderr, "syncd:", f)
	}
	if len(failures) > 0 {
		return errSaid
	}
	return nil
}

// serve starts the HTTP server.
func (s *syncing) serve() (*web.Server, error) {
	return web.Start(web.Options{
		Listen: s.app.config.HTTP.Listen, Token: s.app.config.HTTP.Token.Reveal(), Version: version,
		Streams: s.lines, Ready: s.ready, Connect: s.connect(), Metrics: s.metrics.Handler(), Postbacks: s.postbacks(), Log: s.app.log.Named("http"),
	})
}

// ready says what keeps the daemon from its work.
func (s *syncing) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := s.store.Inbox(ctx); err != nil {
		return fmt.Errorf("the state cannot be read: %w", err)
	}
	if err := s.warehouse.Ping(ctx); err != nil {
		return fmt.Errorf("the warehouse does not answer: %w", err)
	}
	return nil
}

// connect are the addresses for BI tools, without passwords.
func (s *syncing) connect() []string {
	if s.engine == nil {
		return nil
	}
	bi := s.engine.BI()
	return []string{
		fmt.Sprintf("ClickHouse native: %s, database %s, user %s, password in %s", bi.Native, bi.Database, bi.User, bi.PasswordFile),
		fmt.Sprintf("ClickHouse HTTP: http://%s/?user=%s&database=%s, the same password", bi.HTTP, bi.User, bi.Database),
	}
}
