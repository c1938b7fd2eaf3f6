package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap"
)

// Engine is a running ClickHouse. It is safe for concurrent use.
type Engine struct {
	options  Options
	files    layout
	ports    ports
	password string
	library  string
	log      *zap.Logger
	lock     *os.File
	output   *hostLog

	restarts atomic.Int64
	pid      atomic.Int64 // 0 while there is no answering child

	stopping context.CancelFunc // asks the supervisor to end
	hurry    context.CancelFunc // cuts the time short that the child has to close its tables
	stopped  chan struct{}      // closed when the supervisor has ended
	stopErr  error              // read after stopped
}

// Access says how a BI tool reads the warehouse while the daemon runs.
type Access struct {
	Native       string // host:port of the native protocol
	HTTP         string // host:port of the HTTP protocol
	Database     string
	User         string
	PasswordFile string // the file that holds the password, readable by the daemon's user
}

// Start runs the engine and returns when it answers a query over the native
// protocol. ctx bounds the start only; the engine then runs until Stop, or
// until this process ends. The error wraps ErrNoLibrary if the library is not
// installed, and is a *HeldError if another process runs an engine over
// DataDir.
func Start(ctx context.Context, o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("starting the embedded ClickHouse: %w", err)
	}
	e, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded ClickHouse: %w", err)
	}
	return e, nil
}

func start(ctx context.Context, o Options) (*Engine, error) {
	library, err := Library()
	if err != nil {
		return nil, err
	}
	files, err := newLayout(o.DataDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{files.dir, files.store(), files.logs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the data directory: %w", err)
		}
	}
	lock, err := takeDirectory(files)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options:  o,
		files:    files,
		password: cmp.Or(o.Password, newPassword()),
		library:  library,
		log:      o.Log.Named("clickhouse"),
		lock:     lock,
		stopped:  make(chan struct{}),
	}
	c, err := e.first(ctx)
	if err != nil {
		return nil, errors.Join(err, e.release())
	}
	var stopping, hurry context.Context
	stopping, e.stopping = context.WithCancel(context.Background())
	hurry, e.hurry = context.WithCancel(context.Background())
	go e.supervise(c, stopping, hurry)
	return e, nil
}

// first prepares the files and runs the first child.
func (e *Engine) first(ctx context.Context) (*child, error) {
	biPassword, err := keptPassword(e.files.biPassword())
	if err != nil {
		return nil, err
	}
	if err := newSettings(e.options, e.files, e.password, biPassword).write(); err != nil {
		return nil, err
	}
	if e.output, err = openHostLog(e.files.hostLog()); err != nil {
		return nil, err
	}
	// Between the choice of a port and its use another process may take it.
	const tries = 3
	for try := 1; ; try++ {
		var kept bool
		if e.ports, kept, err = choosePorts(e.files.ports()); err != nil {
			return nil, err
		}
		if !kept {
			e.log.Warn("the ports of the last start are taken, BI tools have to use the new ones",
				zap.String("native", e.ports.native()), zap.String("http", e.ports.http()))
		}
		c, err := e.run(ctx)
		if err == nil || try == tries || ctx.Err() != nil || e.ports.free() {
			return c, err
		}
	}
}

// run runs one child until it answers. A child that does not is gone when run
// returns its error, which quotes the child's last words.
func (e *Engine) run(ctx context.Context) (*child, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.options.StartTimeout, fmt.Errorf("no answer within %s", e.options.StartTimeout))
	defer cancel()
	began := time.Now()
	e.output.Forget()
	if err := e.files.dropTorn(e.log); err != nil {
		return nil, err
	}
	c, err := spawn(hostArgs{library: e.library, files: e.files, ports: e.ports}, e.output)
	if err != nil {
		return nil, err
	}
	if err := c.waitReady(ctx, e.clientOptions()); err != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.stop(now) // it had its time; how it ends now is of no interest
		if tail := e.output.Tail(); tail != "" {
			err = fmt.Errorf("%w; its last words:\n%s", err, tail)
		}
		return nil, fmt.Errorf("%w\n(its logs are in %s)", err, e.files.logs())
	}
	e.pid.Store(int64(c.cmd.Process.Pid))
	e.log.Info("the embedded ClickHouse answers",
		zap.Int("pid", c.cmd.Process.Pid), zap.String("native", e.ports.native()), zap.String("http", e.ports.http()),
		zap.Duration("after", time.Since(began)))
	return c, nil
}

func (e *Engine) clientOptions() *clickhouse.Options {
	return &clickhouse.Options{
		Addr:         []string{e.ports.native()},
		Auth:         clickhouse.Auth{Username: loaderUser, Password: e.password},
		DialTimeout:  time.Second,
		ReadTimeout:  10 * time.Second,
		MaxOpenConns: 1,
	}
}

// DSN returns the loader's address for clickhouse-go. It holds the password:
// hand it to the driver, never to a log.
func (e *Engine) DSN() string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(loaderUser, e.password), Host: e.ports.native()}
	return u.String()
}

// Password returns the loader's password.
func (e *Engine) Password() string { return e.password }

// NativeAddr returns host:port of the native protocol.
func (e *Engine) NativeAddr() string { return e.ports.native() }

// HTTPAddr returns host:port of the HTTP protocol.
func (e *Engine) HTTPAddr() string { return e.ports.http() }

// BI says how a BI tool reads the warehouse.
func (e *Engine) BI() Access {
	return Access{
		Native:       e.ports.native(),
		HTTP:         e.ports.http(),
		Database:     e.options.Database,
		User:         biUser,
		PasswordFile: e.files.biPassword(),
	}
}

// String names the engine without its password.
func (e *Engine) String() string { return "embedded ClickHouse at " + e.ports.native() }

// GoString is String, so that %#v does not print the password.
func (e *Engine) GoString() string { return e.String() }

// Restarts says how often the engine was started again because it had ended
// unasked.
func (e *Engine) Restarts() int { return int(e.restarts.Load()) }

// PID returns the process id of the child, 0 while there is none that answers.
func (e *Engine) PID() int { return int(e.pid.Load()) }

// Stop ends the engine and returns when its process is gone. The engine has
// Options.StopTimeout to close its tables, or less if ctx ends earlier; then it
// is terminated, which Stop reports, though nothing that was inserted is lost.
// A second call waits for the first and returns what it returned.
func (e *Engine) Stop(ctx context.Context) error {
	defer context.AfterFunc(ctx, e.hurry)()
	e.stopping()
	<-e.stopped
	return e.stopErr
}

// release gives back what start took.
func (e *Engine) release() error {
	var errs []error
	if e.output != nil {
		errs = append(errs, e.output.Close())
	}
	return errors.Join(append(errs, e.lock.Close())...)
}
