package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"syncd/tests/affisesim"
)

const (
	account  = "bench"
	adminKey = "affisesim-admin-key"
)

// command makes a command that ends when ctx does, gently at first.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 20 * time.Second
	return c
}

// build compiles a command of the repository, with files of it replaced or added.
func (b *bench) build(ctx context.Context, pkg string, overlay map[string]string) (string, error) {
	out := filepath.Join(b.dir, filepath.Base(pkg))
	args := []string{"build", "-trimpath", "-o", out}
	if len(overlay) > 0 {
		replaced := map[string]string{}
		for file, text := range overlay {
			target, err := filepath.Abs(file)
			if err != nil {
				return "", err
			}
			source := filepath.Join(b.dir, strings.ReplaceAll(file, "/", "_"))
			if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
				return "", err
			}
			replaced[target] = source
		}
		text, err := json.Marshal(map[string]any{"Replace": replaced})
		if err != nil {
			return "", err
		}
		file := filepath.Join(b.dir, "overlay.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return "", err
		}
		args = append(args, "-overlay", file)
	}
	c := command(ctx, "go", append(args, pkg)...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// simulator is a simulated Affise in a process of its own.
type simulator struct {
	cmd *exec.Cmd
	url string
}

func (b *bench) startSimulator(ctx context.Context, args ...string) (*simulator, error) {
	binary, err := b.build(ctx, "./tests/affisesim/cmd/affisesim", nil)
	if err != nil {
		return nil, err
	}
	s := &simulator{cmd: command(ctx, binary, append([]string{"-listen", "127.0.0.1:0"}, args...)...)}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n') // printed once it serves
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the simulator's address: %w", err), s.cmd.Wait())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *simulator) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // gone already, then
	_ = s.cmd.Wait()
}

func (s *simulator) request(ctx context.Context, method, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("API-Key", adminKey)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulator answered %s to %s", resp.Status, path)
	}
	if raw, ok := into.(*[]byte); ok {
		*raw, err = io.ReadAll(resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (s *simulator) calls(ctx context.Context) (calls []affisesim.Call, err error) {
	err = s.request(ctx, http.MethodGet, "/_sim/log", &calls)
	return calls, err
}

func (s *simulator) forgetCalls(ctx context.Context) error {
	return s.request(ctx, http.MethodDelete, "/_sim/log", &struct{}{})
}

// totals counts what the simulator holds.
func (s *simulator) totals(ctx context.Context) (conversions, clicks int, err error) {
	var days []affisesim.Total
	if err := s.request(ctx, http.MethodGet, "/_sim/totals?zone=UTC", &days); err != nil {
		return 0, 0, err
	}
	for _, d := range days {
		conversions += d.Conversions
		clicks += d.Clicks
	}
	return conversions, clicks, nil
}

var configTemplate = template.Must(template.New("config").Parse(`warehouse: {dsn: embedded}
state: {dsn: "sqlite:{{.Data}}/state.db"}
data_dir: {{.Data}}
http: {listen: "{{.Listen}}"}
log: {level: info, format: json}
accounts:
  - name: ` + account + `
    network: affise
    base_url: {{.URL}}
    credentials: {api_key: ` + adminKey + `}
    role: admin
    timezone: UTC
    pace: {min_delay: 0s, allow_faster: true}
    variables: {clicks_max_age: 0s} # the simulated tenant serves all of them
    start: {{.Start}}
`))

// installation is a syncd with a configuration and a data directory of its own.
type installation struct {
	binary, config, data string
}

func (b *bench) install(binary, name, url string, start time.Time) (*installation, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	i := &installation{binary: binary, config: filepath.Join(dir, "config.yaml"), data: filepath.Join(dir, "data")}
	err = configTemplate.Execute(&text, map[string]string{
		"Data": i.data, "Listen": listen, "URL": url, "Start": start.Format(time.DateOnly),
	})
	if err != nil {
		return nil, err
	}
	return i, os.WriteFile(i.config, text.Bytes(), 0o600)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// command makes a command of syncd, which finds its library from here.
func (i *installation) command(ctx context.Context, args ...string) *exec.Cmd {
	return command(ctx, i.binary, append(args, "--config", i.config)...)
}

// count asks the warehouse for the rows of a view.
func (i *installation) count(ctx context.Context, view string) (n int, err error) {
	out, err := i.command(ctx, "query", "--format", "JSONEachRow", "SELECT toUInt32(count()) AS n FROM affiliate."+view).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return 0, fmt.Errorf("counting %s: %w", view, err)
	}
	var row struct{ N int }
	if err := json.Unmarshal(bytes.TrimSpace(out), &row); err != nil {
		return 0, fmt.Errorf("reading the count of %s from %q: %w", view, out, err)
	}
	return row.N, nil
}
