package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"text/template"
	"time"
)

const (
	// stormRate is the postbacks a second that two cores have to accept, and stormFor how
	// many seconds of them are sent: longer than any buffer on the way would hide.
	stormRate = 5_000
	stormFor  = 20
	// stormConnections are as many as a busy network keeps.
	stormConnections = 32
	// stormWithin is the goal for all but one answer of a hundred, in milliseconds.
	stormWithin = 50
	// stormGivesUp bounds a round.
	stormGivesUp = 5 * time.Minute
	stormToken   = "bench-postback-token"
)

// stormConfig is an account that only receives: its network is not called.
var stormConfig = template.Must(template.New("storm").Parse(`warehouse: {dsn: embedded}
state: {dsn: "sqlite:{{.Data}}/state.db"}
data_dir: {{.Data}}
http: {listen: "{{.Listen}}"}
log: {level: info, format: json}
accounts:
  - name: ` + account + `
    network: kma
    base_url: http://127.0.0.1:9
    credentials: {api_key: bench-kma-key}
    postback: {token: ` + stormToken + `, currency: USD}
    streams: {statuses: {enabled: false}, offers: {enabled: false}, categories: {enabled: false}}
`))

// storm is what a round of the storm measured: by the sender, and of the daemon.
type storm struct {
	Sent, OK, Broken int
	Seconds          float64
	Codes            map[string]int
	Latency, Late    struct{ P50, P99, Max float64 }

	// loaded is how long after the last answer all was in the warehouse, in seconds.
	loaded           float64
	peak, enginePeak float64 // MiB
	cpu              time.Duration
}

// benchPostbacks measures the receiver: a process of its own sends, the daemon with its
// embedded ClickHouse accepts and loads, and all of them share the machine.
func benchPostbacks(ctx context.Context, b *bench) error {
	binary, err := filepath.Abs("bin/syncd")
	if err != nil {
		return err
	}
	sender, err := b.build(ctx, "./tests/cpasim/cmd/postbackstorm", nil)
	if err != nil {
		return err
	}
	var rounds []storm
	for i := range b.rounds {
		s, err := b.receive(ctx, binary, sender, fmt.Sprintf("postbacks-%d", i))
		if err != nil {
			return err
		}
		b.note("  %d accepted in %.1f s, p99 %.1f ms, loaded after %.1f s", s.OK, s.Seconds, s.Latency.P99, s.loaded)
		rounds = append(rounds, s)
	}
	r := &b.report
	r.add("postbacks", "accepted", "1/s", pick(rounds, func(s storm) float64 { return perSecond(s.OK, s.Seconds) }), nil, atLeast(0.99*stormRate))
	r.add("postbacks", "answered, half within", "ms", pick(rounds, func(s storm) float64 { return s.Latency.P50 }), nil, nil)
	r.add("postbacks", "answered, 99 of 100 within", "ms", pick(rounds, func(s storm) float64 { return s.Latency.P99 }), nil, atMost(stormWithin))
	r.add("postbacks", "answered, all within", "ms", pick(rounds, func(s storm) float64 { return s.Latency.Max }), nil, nil)
	r.add("postbacks", "99 of 100, the sender's own delay included", "ms", pick(rounds, func(s storm) float64 { return s.Late.P99 }), nil, nil)
	r.add("postbacks", "from the last answer to the warehouse", "s", pick(rounds, func(s storm) float64 { return s.loaded }), nil, nil)
	r.add("postbacks", "syncd's peak memory", "MiB", pick(rounds, func(s storm) float64 { return s.peak }), nil, atMost(150))
	r.add("postbacks", "engine's peak memory", "MiB", pick(rounds, func(s storm) float64 { return s.enginePeak }), nil, nil)
	r.add("postbacks", "syncd's CPU", "us/postback", pick(rounds, func(s storm) float64 { return float64(s.cpu.Microseconds()) / float64(s.OK) }), nil, nil)
	return nil
}

// receive is one round with a daemon of its own.
func (b *bench) receive(ctx context.Context, binary, sender, name string) (s storm, err error) {
	ctx, cancel := context.WithTimeout(ctx, stormGivesUp)
	defer cancel()
	i, listen, err := b.installReceiver(binary, name)
	if err != nil {
		return s, err
	}
	logs, err := os.Create(filepath.Join(b.dir, name+".log"))
	if err != nil {
		return s, err
	}
	defer logs.Close()
	daemon := i.command(ctx, "run")
	daemon.Stdout, daemon.Stderr = logs, logs
	if err := daemon.Start(); err != nil {
		return s, fmt.Errorf("starting %s (run make build first): %w", binary, err)
	}
	pid := daemon.Process.Pid
	defer func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		if stopped := daemon.Wait(); stopped != nil && err == nil {
			err = fmt.Errorf("stopping the daemon: %w; the end of its log:\n%s", stopped, tail(logs.Name()))
		}
	}()
	if err := untilReady(ctx, "http://"+listen+"/readyz"); err != nil {
		return s, fmt.Errorf("waiting for the daemon: %w; the end of its log:\n%s", err, tail(logs.Name()))
	}
	watched := append(childrenOf(pid), pid)
	w := startWatch(func() []int { return watched })
	defer w.stop()
	count := b.scaled(stormRate * stormFor)
	url := "http://" + listen + "/postback/" + account + "?token=" + stormToken + "&oid=bench-{n}&eid={n}&status={word}&pay=12.50&cc=USD&offer=301&sub1=cr-7"
	out, err := command(ctx, sender, "-url", url, "-words", "P,A,A,D,F", "-n", fmt.Sprint(count), "-rate", fmt.Sprint(stormRate), "-connections", fmt.Sprint(stormConnections)).Output()
	if err != nil {
		return s, fmt.Errorf("sending postbacks: %w", err)
	}
	ended := time.Now()
	if err := json.Unmarshal(bytes.TrimSpace(out), &s); err != nil {
		return s, fmt.Errorf("reading what the storm measured from %q: %w", out, err)
	}
	if s.OK != count {
		return s, fmt.Errorf("of %d postbacks %d were accepted, answers by status: %v, broken connections: %d; the end of the log:\n%s", count, s.OK, s.Codes, s.Broken, tail(logs.Name()))
	}
	if err := i.untilLoaded(ctx, count); err != nil {
		return s, fmt.Errorf("%w; the end of the log:\n%s", err, tail(logs.Name()))
	}
	s.loaded = time.Since(ended).Seconds()
	for id, u := range w.stop() {
		if id == pid {
			s.peak, s.cpu = float64(u.peak)/mib, u.cpu
		} else {
			s.enginePeak = max(s.enginePeak, float64(u.peak)/mib)
		}
	}
	return s, nil
}

func (b *bench) installReceiver(binary, name string) (i *installation, listen string, err error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	if listen, err = freeAddress(); err != nil {
		return nil, "", err
	}
	var text bytes.Buffer
	i = &installation{binary: binary, config: filepath.Join(dir, "config.yaml"), data: filepath.Join(dir, "data")}
	if err := stormConfig.Execute(&text, map[string]string{"Data": i.data, "Listen": listen}); err != nil {
		return nil, "", err
	}
	return i, listen, os.WriteFile(i.config, text.Bytes(), 0o600)
}

// untilReady waits until the daemon says that it is.
func untilReady(ctx context.Context, url string) error {
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if !wait(ctx, 50*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// untilLoaded waits until every postback and its lead are visible, each once.
func (i *installation) untilLoaded(ctx context.Context, count int) error {
	for _, view := range []string{"postbacks", "conversions"} {
		for {
			n, err := i.count(ctx, view)
			switch {
			case err != nil:
				return err
			case n > count:
				return fmt.Errorf("%d rows are in %s after %d postbacks", n, view, count)
			case n == count:
			case !wait(ctx, 100*time.Millisecond):
				return fmt.Errorf("%d rows are in %s after %d postbacks: %w", n, view, count, context.Cause(ctx))
			default:
				continue
			}
			break
		}
	}
	return nil
}
