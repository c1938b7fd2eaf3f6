package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
	"time"

	"github.com/klauspost/compress/gzip"

	"syncd/tests/metricssim"
)

const (
	exportRows = 5_000_000
	// gzipRows are fewer: inflating is one core's work however long it lasts.
	gzipRows = exportRows / 5
)

// benchExport measures a file of clicks from the network to the reader: download,
// spool, column map, staging and publication by the built binary, with its embedded
// ClickHouse on the same cores. Beside it stand what ClickHouse makes of the same file
// alone, and the same rows as ready-made blocks, which is the limit: nothing is parsed
// there, and nothing downloaded, counted and published.
func benchExport(ctx context.Context, b *bench) error {
	binary, err := b.buildSyncd(ctx)
	if err != nil {
		return err
	}
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)
	rows, packedRows := b.scaled(exportRows), b.scaled(gzipRows)
	file, packed := filepath.Join(b.dir, "clicks.csv"), filepath.Join(b.dir, "packed.csv.gz")
	if err := exportFile(file, rows, day); err != nil {
		return err
	}
	if err := exportFile(packed[:len(packed)-len(".gz")], packedRows, day); err != nil {
		return err
	}
	if err := gzipFile(packed[:len(packed)-len(".gz")], packed); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	b.note("a file of %d clicks, %d bytes each", rows, info.Size()/int64(rows))
	refs, err := newReferences(file, day, rows)
	if err != nil {
		return err
	}
	defer refs.stop()
	var e exportFigures
	measures := []func(round int) error{
		func(round int) error {
			x, err := b.runExport(ctx, binary, fmt.Sprintf("export-%d", round), file, rows, day)
			e.plain = append(e.plain, x)
			return err
		},
		func(round int) error {
			return refs.measure(ctx, b, filepath.Join(b.dir, fmt.Sprintf("references-%d", round)), &e)
		},
		func(round int) error {
			seconds, err := inflate(packed)
			if err != nil {
				return err
			}
			e.inflated = append(e.inflated, perSecond(packedRows, seconds))
			x, err := b.runExport(ctx, binary, fmt.Sprintf("packed-%d", round), packed, packedRows, day)
			e.packed = append(e.packed, x)
			return err
		},
	}
	for round := range b.rounds {
		for i := range measures {
			if round%2 == 1 { // who comes first finds the machine as it was left before
				i = len(measures) - 1 - i
			}
			if err := measures[i](round); err != nil {
				return err
			}
		}
	}
	e.report(&b.report, rows)
	return nil
}

// exportFigures are the rounds of everything.
type exportFigures struct {
	plain, packed               []exported
	ready, casts, casts2, typed alone
	inflated                    []float64 // rows/s
}

func (e *exportFigures) report(r *report, rows int) {
	speed := func(list []exported) []float64 {
		return pick(list, func(x exported) float64 { return perSecond(x.rows, x.published) })
	}
	// Ratios of the medians: rounds are too few for medians of ratios.
	ratio := func(what string, of, to []float64, g *goal) {
		r.add("export", what, "x", []float64{median(of) / median(to)}, nil, g)
	}
	plain, cpu := speed(e.plain), pick(e.plain, func(x exported) float64 { return x.perRow(x.cpu + x.engineCPU) })
	for _, way := range []struct {
		name  string
		alone *alone
		goal  *goal
	}{
		{"ready-made blocks, two connections", &e.ready, atLeast(0.4)},
		{"ClickHouse alone, url(), strings and casts", &e.casts, atLeast(1.5)},
		{"the same, max_insert_threads = 2", &e.casts2, nil},
		{"ClickHouse alone, url(), typed columns", &e.typed, atLeast(1.5)},
	} {
		r.add("export", way.name, "rows/s", way.alone.speed, nil, nil)
		r.add("export", "- its CPU", "us/row", way.alone.cpu, nil, nil)
		ratio("- syncd's speed by its", plain, way.alone.speed, way.goal)
		ratio("- syncd's and the engine's CPU by its", cpu, way.alone.cpu, nil)
	}
	r.add("export", fmt.Sprintf("syncd, first byte to published, %d rows", rows), "rows/s", plain, nil, nil)
	seconds := func(what string, f func(exported) float64) {
		r.add("export", what, "s", pick(e.plain, f), nil, nil)
	}
	seconds("- download and spool", func(x exported) float64 { return x.downloaded })
	seconds("- load and publish", func(x exported) float64 { return x.published - x.downloaded })
	seconds("- whole run, engine's start and stop included", func(x exported) float64 { return x.seconds })
	r.add("export", "- syncd's peak memory", "MiB", pick(e.plain, func(x exported) float64 { return x.peak }), nil, atMost(256))
	r.add("export", "- engine's peak memory", "MiB", pick(e.plain, func(x exported) float64 { return x.enginePeak }), nil, nil)
	r.add("export", "- syncd's CPU", "us/row", pick(e.plain, func(x exported) float64 { return x.perRow(x.cpu) }), nil, nil)
	r.add("export", "- engine's CPU", "us/row", pick(e.plain, func(x exported) float64 { return x.perRow(x.engineCPU) }), nil, nil)
	r.add("export", "gzip: inflation alone", "rows/s", e.inflated, nil, nil)
	r.add("export", fmt.Sprintf("gzip: syncd, first byte to published, %d rows", e.packed[0].rows), "rows/s", speed(e.packed), nil, nil)
	ratio("- by inflation alone", speed(e.packed), e.inflated, nil)
	r.add("export", "- syncd's peak memory", "MiB", pick(e.packed, func(x exported) float64 { return x.peak }), nil, atMost(256))
}

// perRow gives microseconds a row.
func (x exported) perRow(cpu time.Duration) float64 {
	return float64(cpu.Microseconds()) / float64(x.rows)
}

// exported is what one export took.
type exported struct {
	rows int
	// downloaded and published are when syncd said so, seconds after the storage was
	// asked for the file; seconds is the life of the process.
	downloaded, published, seconds float64
	peak, enginePeak               float64 // MiB
	cpu, engineCPU                 time.Duration
}

var exportConfig = template.Must(template.New("config").Parse(`warehouse: {dsn: embedded}
state: {dsn: "sqlite:{{.Data}}/state.db"}
data_dir: {{.Data}}
http: {listen: "{{.Listen}}"}
log: {level: info, format: json}
accounts:
  - name: ` + account + `
    network: 24metrics
    base_url: {{.URL}}
    credentials: {api_key: sim-key}
    timezone: UTC
    variables: {integrations: dhk0demo01, export_rows: "5000000"}
    start: {{.Start}}
`))

// runExport backfills a day of clicks into a fresh data directory. Nothing is known of
// the day's rows, so that the planner has it come as a file.
func (b *bench) runExport(ctx context.Context, binary, name, file string, rows int, day time.Time) (x exported, err error) {
	network := metricssim.New(metricssim.Options{From: day, Files: map[string]metricssim.File{metricssim.Clicks: {Path: file, Rows: rows}}})
	url, stop, err := network.Start("127.0.0.1:0")
	if err != nil {
		return x, err
	}
	defer stop()
	i, err := b.installFrom(exportConfig, binary, name, url, day)
	if err != nil {
		return x, err
	}
	defer func() {
		if !b.keep {
			_ = os.RemoveAll(filepath.Dir(i.config)) // the next round needs the space
		}
	}()
	one := day.Format(time.DateOnly)
	c := i.command(ctx, "run", "--backfill", one+".."+one, "--only", account+"/clicks")
	logs, err := os.Create(filepath.Join(b.dir, name+".log"))
	if err != nil {
		return x, err
	}
	defer logs.Close()
	said := newLogTimes("file downloaded", "published")
	c.Stdout, c.Stderr = logs, io.MultiWriter(logs, said)
	if err := b.profiled(c, name); err != nil {
		return x, err
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return x, err
	}
	pid, engine := c.Process.Pid, 0
	w := startWatch(func() []int {
		if engine == 0 {
			if children := childrenOf(pid); len(children) > 0 {
				engine = children[0]
			}
		}
		return []int{pid, engine}
	})
	err = c.Wait()
	x.seconds = time.Since(began).Seconds()
	used := w.stop()
	if err != nil {
		return x, fmt.Errorf("syncd run --backfill: %w; the end of its log:\n%s", err, tail(logs.Name()))
	}
	x.cpu, x.peak = used[pid].cpu, float64(used[pid].peak)/mib
	x.engineCPU, x.enginePeak = used[engine].cpu, float64(used[engine].peak)/mib
	var asked time.Time
	for _, call := range network.Log() {
		if call.Storage && asked.IsZero() {
			asked = call.At
		}
	}
	if asked.IsZero() || said.at["published"].IsZero() {
		return x, fmt.Errorf("syncd published no file; the end of its log:\n%s", tail(logs.Name()))
	}
	if wrong := network.Violations(); len(wrong) > 0 {
		return x, fmt.Errorf("syncd did what the network forbids: %q", wrong)
	}
	x.downloaded, x.published = said.at["file downloaded"].Sub(asked).Seconds(), said.at["published"].Sub(asked).Seconds()
	if x.rows, err = i.count(ctx, "clicks"); err != nil {
		return x, err
	}
	if x.rows != rows {
		return x, fmt.Errorf("the view clicks has %d rows, the file %d", x.rows, rows)
	}
	b.note("%s: %d rows in %.1f s, of which %.1f s are the download, %.0f rows/s, syncd %.0f MiB and %.1f us/row, engine %.0f MiB and %.1f us/row",
		name, x.rows, x.published, x.downloaded, perSecond(x.rows, x.published), x.peak, x.perRow(x.cpu), x.enginePeak, x.perRow(x.engineCPU))
	return x, nil
}

// installFrom is install with another configuration.
func (b *bench) installFrom(config *template.Template, binary, name, url string, start time.Time) (*installation, error) {
	i, err := b.install(binary, name, url, start)
	if err != nil {
		return nil, err
	}
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := config.Execute(&text, map[string]string{"Data": i.data, "Listen": listen, "URL": url, "Start": start.Format(time.DateOnly)}); err != nil {
		return nil, err
	}
	return i, os.WriteFile(i.config, text.Bytes(), 0o600)
}

// logTimes notes when lines of a log come: the log itself is exact to a second.
type logTimes struct {
	at   map[string]time.Time
	rest []byte
}

func newLogTimes(messages ...string) *logTimes {
	l := &logTimes{at: map[string]time.Time{}}
	for _, m := range messages {
		l.at[m] = time.Time{}
	}
	return l
}

// Write is given pieces of the log by one goroutine, which has ended when the command
// has been waited for.
func (l *logTimes) Write(p []byte) (int, error) {
	now := time.Now()
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		var said struct{ Msg string }
		if json.Unmarshal(line, &said) == nil {
			if first, asked := l.at[said.Msg]; asked && first.IsZero() {
				l.at[said.Msg] = now
			}
		}
		l.rest = rest
	}
}

// inflate unpacks a file as fast as the library does, and gives the seconds.
func inflate(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	began := time.Now()
	r, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return 0, fmt.Errorf("unpacking: %w", err)
	}
	return time.Since(began).Seconds(), nil
}

// profiled has a command of syncd write profiles, if they are wanted.
func (b *bench) profiled(c *exec.Cmd, name string) error {
	if b.profile == "" {
		return nil
	}
	dir, err := filepath.Abs(filepath.Join(b.profile, name))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	c.Env = append(os.Environ(), "SYNCD_BENCH_PROFILE="+dir)
	return nil
}
