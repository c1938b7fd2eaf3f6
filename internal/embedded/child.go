package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// readyPoll is the pause between two looks whether the engine answers: short,
// since it answers after some 0.3 s.
const readyPoll = 20 * time.Millisecond

// terminateGrace is what the child has after SIGTERM, before SIGKILL.
const terminateGrace = 2 * time.Second

// child is one run of the engine's host.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer     // closing it asks the child to end
	done  chan struct{} // closed when the process is gone and its output read
	err   error         // how it ended; read after done
}

// spawn starts the host.
func spawn(a hostArgs, output io.Writer) (*child, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding our own executable: %w", err)
	}
	name := path
	if runtime.GOOS == "linux" {
		// Still this version after the file was replaced by another.
		path = "/proc/self/exe"
	}
	cmd := exec.Command(path)
	cmd.Args = append([]string{name}, a.words()...)
	cmd.Dir = a.files.dir
	cmd.Env = hostEnv(a.files)
	cmd.Stdout, cmd.Stderr = output, output
	// Its own group: a signal from the terminal is for the daemon alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("making the engine's input: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the engine's process: %w", err)
	}
	c := &child{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = cmd.Wait()
	}()
	return c, nil
}

// hostEnv is the child's environment: a short list, because the daemon's holds
// the networks' keys, which a crash dump or /proc must not show twice. HOME is
// our directory, so that the user's own ClickHouse settings do not apply.
func hostEnv(files layout) []string {
	env := []string{"TZ=UTC", "TERM=dumb", "HOME=" + files.dir}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// waitReady returns nil as soon as the engine answers a query.
func (c *child) waitReady(ctx context.Context, o *clickhouse.Options) error {
	conn, err := clickhouse.Open(o)
	if err != nil {
		return fmt.Errorf("preparing the connection: %w", err)
	}
	defer conn.Close()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		var one uint8
		last := conn.QueryRow(ctx, "SELECT 1").Scan(&one)
		if last == nil && one == 1 {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("the engine ended before it answered: %w", c.ended())
		case <-ctx.Done():
			return fmt.Errorf("the engine does not answer: %w", errors.Join(context.Cause(ctx), last))
		case <-tick.C:
		}
	}
}

// ended says how the process ended; call it after done.
func (c *child) ended() error {
	if c.err != nil {
		return c.err
	}
	return errors.New("exit status 0")
}

// stop ends the child: it asks, then terminates, then kills. It returns when
// the process is gone, and says whether force was needed. ctx bounds the asking.
func (c *child) stop(ctx context.Context) error {
	// An error means that it is closed, which is what we want.
	_ = c.stdin.Close()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	grace := time.NewTimer(terminateGrace)
	defer grace.Stop()
	select {
	case <-c.done:
		return fmt.Errorf("the engine had to be terminated: %w", context.Cause(ctx))
	case <-grace.C:
	}
	_ = c.cmd.Process.Kill()
	<-c.done
	return fmt.Errorf("the engine had to be killed: %w", context.Cause(ctx))
}
