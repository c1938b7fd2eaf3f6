package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/config"
	"syncd/state"
	"syncd/tests/affisesim"
)

func newDemoCommand() *cobra.Command {
	var dir, listen string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Simulated networks, an embedded ClickHouse and the daemon; until Ctrl-C",
		Long: `demo shows syncd at work without any credentials: a simulated Affise with a month of
history and live traffic, an embedded ClickHouse, and the daemon that pulls the one
into the other. It writes to a folder that is removed when it ends, unless --dir
names one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout(), dir, listen)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder to keep the data in; empty: a temporary one")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address of the status page; a taken port is replaced by a free one")
	return c
}

func demo(ctx context.Context, out io.Writer, dir, listen string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "syncd-demo-")
		if err != nil {
			return fmt.Errorf("making the demo's folder: %w", err)
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	network := affisesim.New(demoNetwork())
	defer network.Close()
	base, stopNetwork, err := network.Start("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the simulated network: %w", err)
	}
	defer stopNetwork()
	cfg, err := demoConfig(dir, base, listen, network.Options())
	if err != nil {
		return err
	}
	logs, err := os.OpenFile(filepath.Join(dir, "syncd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("making the demo's log: %w", err)
	}
	defer logs.Close()
	fmt.Fprintf(out, "Affise, simulated, answers at %s\n", base)
	return runDemo(ctx, out, cfg, logs)
}

// demoNetwork is a month of a small affiliate program, with traffic that goes on.
func demoNetwork() affisesim.Options {
	return affisesim.Options{
		Offers: 24, Partners: 12, Advertisers: 6, Conversions: 6_000, Clicks: 60_000,
		Platform: time.UTC,
		Live:     affisesim.Live{ClicksPerHour: 7_200, ConversionsPerHour: 720, Decide: 2 * time.Minute},
	}
}

// demoConfig is a configuration as a user would write it. Only the schedules are
// faster, so that there is something to see.
func demoConfig(dir, base, listen string, network affisesim.Options) (*config.Config, error) {
	text := fmt.Sprintf(`
warehouse: {dsn: embedded}
state: {dsn: "sqlite:%[1]s/state.db"}
data_dir: %[1]q
http: {listen: %[2]q}
accounts:
  - name: affise-demo
    network: affise
    base_url: %[3]s
    credentials: {api_key: "${DEMO_KEY}"}
    role: admin
    timezone: UTC
    pace: {min_delay: 5ms, allow_faster: true}
    start: %[4]s
    streams:
      conversions: {schedule: "@every 15s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
      clicks: {schedule: "@every 15s", restate: [{last: 1h, every: 1m}, {last: 7d, every: 1h}]}
      stats/by_offer: {schedule: "@every 30s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
`, dir, freeOr(listen), base, network.From.AddDate(0, 0, 1).Format(time.DateOnly))
	environment := func(name string) (string, bool) { return network.AdminKey, name == "DEMO_KEY" }
	cfg, err := config.Parse("demo.yaml", []byte(text), environment, dir)
	if err != nil {
		return nil, fmt.Errorf("making the demo's configuration: %w", err)
	}
	return cfg, nil
}

// runDemo runs the daemon and tells what happens, until ctx ends.
func runDemo(ctx context.Context, out io.Writer, cfg *config.Config, logs io.Writer) error {
	a, err := newApp(cfg, logs)
	if err != nil {
		return err
	}
	defer a.close()
	fmt.Fprintln(out, "starting ClickHouse ...")
	watch := &demoWatch{out: out, began: time.Now()}
	s, err := a.startSync(ctx, nil, false, watch)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ClickHouse is up after %s; pulling what the network has\n\n", time.Since(watch.began).Round(100*time.Millisecond))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	var unshown error
	watching.Go(func() { watch.tell(ctx) })
	watching.Go(func() {
		if err := s.showDemo(ctx, out, watch); err != nil && ctx.Err() == nil {
			unshown = err
			stop()
		}
	})
	err = s.daemon(ctx)
	stop()
	watching.Wait()
	fmt.Fprintln(out, "\nstopping ClickHouse ...")
	return errors.Join(err, unshown)
}

// demoHistory is what has to be there before the table is worth showing.
var demoHistory = []string{"offers", "conversions", "clicks"}

// showDemo waits for the history and prints yesterday's performance.
func (s *syncing) showDemo(ctx context.Context, out io.Writer, watch *demoWatch) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		ready, err := s.demoReady(ctx)
		if err != nil {
			return err
		}
		if ready {
			break
		}
	}
	watch.mu.Lock()
	defer watch.mu.Unlock()
	watch.flush()
	fmt.Fprintf(out, "\nyesterday's performance by offer, asked from ClickHouse:\n\n")
	if err := s.warehouse.Query(ctx, fmt.Sprintf(demoQuery, s.warehouse.Database()), "table", out); err != nil {
		return fmt.Errorf("asking for yesterday's performance: %w", err)
	}
	fmt.Fprintf(out, "\nthe daemon goes on: new clicks and conversions arrive and old ones change\n")
	fmt.Fprintf(out, "  status page: http://%s/\n", s.app.config.HTTP.Listen)
	for _, line := range s.connect() {
		fmt.Fprintf(out, "  %s\n", line)
	}
	fmt.Fprintf(out, "Ctrl-C ends it all\n\n")
	return nil
}

const demoQuery = `
SELECT offer_id, any(p.offer_name) AS offer, sum(p.clicks) AS clicks, sum(p.conversions) AS conversions,
       sum(p.approved) AS approved, CAST(round(sum(p.payout), 2) AS Decimal(18, 2)) AS payout,
       CAST(round(sum(p.revenue), 2) AS Decimal(18, 2)) AS revenue, currency
FROM %s.daily_performance AS p
WHERE day = toDate(now('UTC')) - 1
GROUP BY offer_id, currency
ORDER BY revenue DESC, offer_id
LIMIT 10`

// demoReady reports whether what the table shows is published: the offers, and
// yesterday's conversions and clicks.
func (s *syncing) demoReady(ctx context.Context) (bool, error) {
	open, err := s.store.OpenPulls(ctx, "")
	if err != nil {
		return false, err
	}
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	for _, p := range open {
		if slices.Contains(demoHistory, p.Stream) && (p.Kind == state.Snapshot || p.To.After(yesterday)) {
			return false, nil
		}
	}
	last, err := s.store.LastCheckpoints(ctx)
	if err != nil {
		return false, err
	}
	published := map[string]bool{}
	for _, c := range last {
		published[c.Stream] = true
	}
	for _, stream := range demoHistory {
		if !published[stream] {
			return false, nil
		}
	}
	return true, nil
}

// demoWatch tells what is published as it happens, one line a stream and moment:
// a backfill publishes hundreds of windows at once.
type demoWatch struct {
	out   io.Writer
	began time.Time

	mu      sync.Mutex
	first   bool
	pending []*demoLine
}

// demoLine sums what was published of one stream since the last telling.
type demoLine struct {
	stream            string
	windows           int
	from, to          time.Time
	changes           bool
	rows, quarantined int64
}

// demoEvery is how often the watch tells what has gathered.
const demoEvery = 300 * time.Millisecond

func (*demoWatch) Called(string, string, string, time.Duration, int) {}
func (*demoWatch) Received(state.Pull, int)                          {}
func (*demoWatch) Planned(state.Pull)                                {}
func (*demoWatch) Warehouse(error)                                   {}

func (w *demoWatch) Published(p state.Pull, rows, quarantined int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.first && rows > 0 {
		w.first = true
		fmt.Fprintf(w.out, "  the first rows are in ClickHouse, %s after the start\n", time.Since(w.began).Round(100*time.Millisecond))
	}
	i := slices.IndexFunc(w.pending, func(l *demoLine) bool { return l.stream == p.Stream && l.changes == (p.Kind == state.Changes) })
	if i < 0 {
		w.pending = append(w.pending, &demoLine{stream: p.Stream, changes: p.Kind == state.Changes, from: p.From, to: p.To})
		i = len(w.pending) - 1
	}
	l := w.pending[i]
	l.windows++
	l.rows += rows
	l.quarantined += quarantined
	if p.From.Before(l.from) {
		l.from = p.From
	}
	if p.To.After(l.to) {
		l.to = p.To
	}
}

func (w *demoWatch) Failed(p state.Pull, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.out, "  %s  %-26s failed: %s\n", time.Now().Format("15:04:05"), p.Stream, reason)
}

// tell prints what has gathered, until ctx ends.
func (w *demoWatch) tell(ctx context.Context) {
	tick := time.NewTicker(demoEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	}
}

// flush must be called with mu held.
func (w *demoWatch) flush() {
	for _, l := range w.pending {
		fmt.Fprintln(w.out, l.String())
	}
	w.pending = nil
}

func (l *demoLine) String() string {
	const minute = "2006-01-02 15:04"
	what := "all"
	switch {
	case l.changes:
		what = "changed since " + l.from.UTC().Format(minute)
	case !l.from.IsZero():
		what = l.from.UTC().Format(minute) + " to " + l.to.UTC().Format(minute)
	}
	windows := ""
	if l.windows > 1 {
		windows = fmt.Sprintf(" in %d windows", l.windows)
	}
	if l.quarantined > 0 {
		windows += fmt.Sprintf(", %d in quarantine", l.quarantined)
	}
	return fmt.Sprintf("  %s  %-26s %-38s %7d rows%s", time.Now().Format("15:04:05"), l.stream, what, l.rows, windows)
}

// freeOr gives the address if it can be listened at, else the same host with any
// free port: a demo should not fail for a port.
func freeOr(listen string) string {
	socket, err := net.Listen("tcp", listen)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(listen)
		if splitErr != nil {
			return listen
		}
		if socket, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return listen
		}
	}
	defer socket.Close()
	return socket.Addr().String()
}
