package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	backfillDays        = 90
	backfillConversions = 1_000_000
	backfillClicks      = 2_000_000

	mib = 1 << 20
)

// benchBackfill measures a backfill by the built binary with its embedded
// ClickHouse, the simulator on the same cores. Beside it stands how fast the same
// rows load without network, state and normalization.
func benchBackfill(ctx context.Context, b *bench) error {
	to := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1) // the first day that is not pulled
	from := to.AddDate(0, 0, -backfillDays)
	binary, err := b.buildSyncd(ctx)
	if err != nil {
		return err
	}
	sim, err := b.startSimulator(ctx, "-from", from.Format(time.DateOnly), "-to", to.Format(time.DateOnly),
		"-conversions", strconv.Itoa(b.scaled(backfillConversions)), "-clicks", strconv.Itoa(b.scaled(backfillClicks)),
		"-clicks-max-age", "-1h", "-premake", "UTC", "-premake-limit", strconv.Itoa(pageSize))
	if err != nil {
		return err
	}
	defer sim.stop()
	sample, err := fetchSample(ctx, sim, from, b.scaled(sampleRows))
	if err != nil {
		return err
	}
	var backfills []backfill
	var limits []limit
	for round := range b.rounds {
		l, err := measureLimit(ctx, filepath.Join(b.dir, fmt.Sprintf("limit-%d", round)), sample)
		if err != nil {
			return fmt.Errorf("the limit: %w", err)
		}
		b.note("round %d: limit %.0f rows/s ready-made, %.0f normalized", round+1, l.ready, l.normalized)
		limits = append(limits, l)
		f, err := b.runBackfill(ctx, binary, sim, fmt.Sprintf("backfill-%d", round), from, to)
		if err != nil {
			return err
		}
		b.note("round %d: %d rows in %.1f s, %.0f rows/s, syncd %.0f MiB", round+1, f.rows, f.seconds, perSecond(f.rows, f.seconds), f.peak)
		backfills = append(backfills, f)
	}
	ready := pick(limits, func(l limit) float64 { return l.ready })
	speed := pick(backfills, func(f backfill) float64 { return perSecond(f.rows, f.seconds) })
	per := func(cpu func(backfill) time.Duration) []float64 {
		return pick(backfills, func(f backfill) float64 { return float64(cpu(f).Microseconds()) / float64(f.rows) })
	}
	normalized := pick(limits, func(l limit) float64 { return l.normalized })
	r := &b.report
	r.add("backfill", "ready-made blocks, two slots, published", "rows/s", ready, nil, nil)
	r.add("backfill", "pages in memory, normalized and published", "rows/s", normalized, &reference{"ready-made", median(ready)}, nil)
	r.add("backfill", fmt.Sprintf("end to end, %d rows", backfills[0].rows), "rows/s", speed, &reference{"pages in memory", median(normalized)}, atLeast(50_000))
	r.add("backfill", "from the first call to the end", "s", pick(backfills, func(f backfill) float64 { return f.seconds }), nil, nil)
	r.add("backfill", "calls", "calls", pick(backfills, func(f backfill) float64 { return float64(f.calls) }), nil, nil)
	r.add("backfill", "syncd's peak memory", "MiB", pick(backfills, func(f backfill) float64 { return f.peak }), nil, atMost(150))
	r.add("backfill", "engine's peak memory", "MiB", pick(backfills, func(f backfill) float64 { return f.enginePeak }), nil, nil)
	r.add("backfill", "syncd's CPU", "us/row", per(func(f backfill) time.Duration { return f.cpu }), nil, nil)
	r.add("backfill", "engine's CPU", "us/row", per(func(f backfill) time.Duration { return f.engineCPU }), nil, nil)
	r.add("backfill", "simulator's CPU", "us/row", per(func(f backfill) time.Duration { return f.simulatorCPU }), nil, nil)
	return nil
}

func pick[T any](list []T, f func(T) float64) []float64 {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = f(v)
	}
	return values
}

// buildSyncd compiles the binary that is measured: the product and, with -profile,
// a profiler.
func (b *bench) buildSyncd(ctx context.Context) (string, error) {
	overlay := map[string]string{}
	if b.profile != "" {
		profiler, err := os.ReadFile("tests/bench/testdata/profiler.go.txt")
		if err != nil {
			return "", err
		}
		overlay["cmd/syncd/bench_profiler.go"] = string(profiler)
	}
	return b.build(ctx, "./cmd/syncd", overlay)
}

// backfill is what one backfill took.
type backfill struct {
	rows, calls                  int
	seconds                      float64
	peak, enginePeak             float64 // MiB
	cpu, engineCPU, simulatorCPU time.Duration
}

// runBackfill runs one backfill into a fresh data directory and checks what came of it.
func (b *bench) runBackfill(ctx context.Context, binary string, sim *simulator, name string, from, to time.Time) (backfill, error) {
	var f backfill
	if err := sim.forgetCalls(ctx); err != nil {
		return f, err
	}
	i, err := b.install(binary, name, sim.url, from)
	if err != nil {
		return f, err
	}
	defer func() {
		if !b.keep {
			_ = os.RemoveAll(filepath.Dir(i.config)) // the next round needs the space
		}
	}()
	logs, err := os.Create(filepath.Join(b.dir, name+".log"))
	if err != nil {
		return f, err
	}
	defer logs.Close()
	days := from.Format(time.DateOnly) + ".." + to.AddDate(0, 0, -1).Format(time.DateOnly)
	c := i.command(ctx, "run", "--backfill", days, "--only", account+"/conversions", "--only", account+"/clicks")
	c.Stdout, c.Stderr = logs, logs
	if b.profile != "" {
		dir, err := filepath.Abs(b.profile)
		if err != nil {
			return f, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return f, err
		}
		c.Env = append(os.Environ(), "SYNCD_BENCH_PROFILE="+dir)
	}
	before, err := readUsage(sim.cmd.Process.Pid)
	if err != nil {
		return f, err
	}
	if err := c.Start(); err != nil {
		return f, err
	}
	pid := c.Process.Pid
	engine := 0
	w := startWatch(func() []int {
		if engine == 0 {
			if children := childrenOf(pid); len(children) > 0 {
				engine = children[0]
			}
		}
		return []int{pid, engine}
	})
	err = c.Wait()
	ended := time.Now()
	used := w.stop()
	if err != nil {
		return f, fmt.Errorf("syncd run --backfill: %w; the end of its log:\n%s", err, tail(logs.Name()))
	}
	after, err := readUsage(sim.cmd.Process.Pid)
	if err != nil {
		return f, err
	}
	f.cpu, f.peak = used[pid].cpu, float64(used[pid].peak)/mib
	f.engineCPU, f.enginePeak = used[engine].cpu, float64(used[engine].peak)/mib
	f.simulatorCPU = after.cpu - before.cpu
	calls, err := sim.calls(ctx)
	if err != nil {
		return f, err
	}
	if f.calls = len(calls); f.calls == 0 {
		return f, fmt.Errorf("syncd made no call; the end of its log:\n%s", tail(logs.Name()))
	}
	f.seconds = ended.Sub(calls[0].At).Seconds()
	f.rows, err = i.verify(ctx, sim)
	return f, err
}

// verify compares the counts of the views with the truth.
func (i *installation) verify(ctx context.Context, sim *simulator) (rows int, err error) {
	conversions, clicks, err := sim.totals(ctx)
	if err != nil {
		return 0, err
	}
	for view, want := range map[string]int{"conversions": conversions, "clicks": clicks} {
		got, err := i.count(ctx, view)
		if err != nil {
			return 0, err
		}
		if got != want {
			return 0, fmt.Errorf("the view %s has %d rows, the simulator %d", view, got, want)
		}
	}
	return conversions + clicks, nil
}

// tail gives the last of a log.
func tail(file string) string {
	text, _ := os.ReadFile(file)
	return string(text[max(len(text)-2000, 0):])
}
