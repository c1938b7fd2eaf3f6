package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"syncd/internal/config"
	"syncd/internal/embedded"
	"syncd/internal/strictyaml"
	"syncd/loaders"
	"syncd/state"
	"syncd/state/sqlite"
)

// app is what most commands need: the configuration and what it describes. Parts
// that cost something are opened by the commands that need them, in the order
// state, engine, warehouse, and closed in the other.
type app struct {
	config   *config.Config
	accounts []*account
	log      *zap.Logger
	// patience is how long a warehouse that does not answer is waited for.
	patience time.Duration

	closers []func()
}

// loadApp reads the configuration and checks all of it against the catalogue.
func loadApp(file string, logs io.Writer) (*app, error) {
	known, err := loadCatalogue()
	if err != nil {
		return nil, err
	}
	var accounts []*account
	cfg, err := config.Load(file, func(cfg *config.Config) (problems strictyaml.Problems) {
		accounts, problems = assemble(cfg, known)
		return problems
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &usageError{fmt.Errorf("%w: start from config.example.yaml, name another file with --config, or try syncd demo", err)}
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return appOf(cfg, accounts, logs)
}

// newApp is the app of a configuration that is no file.
func newApp(cfg *config.Config, logs io.Writer) (*app, error) {
	known, err := loadCatalogue()
	if err != nil {
		return nil, err
	}
	accounts, problems := assemble(cfg, known)
	if len(problems) > 0 {
		return nil, &usageError{problems}
	}
	return appOf(cfg, accounts, logs)
}

// assemble makes the accounts of a configuration, and reports all that this program
// cannot do of it.
func assemble(cfg *config.Config, known catalogue) ([]*account, strictyaml.Problems) {
	accounts, problems := buildAccounts(cfg, known)
	if dsn := cfg.State.DSN.Reveal(); !strings.HasPrefix(dsn, "sqlite:") {
		problems = append(problems, cfg.Problem("state.dsn", "this version keeps its state in SQLite alone: write sqlite:./data/state.db"))
	}
	return accounts, problems
}

func appOf(cfg *config.Config, accounts []*account, logs io.Writer) (*app, error) {
	log, err := newLogger(cfg.Log, logs)
	if err != nil {
		return nil, &usageError{err}
	}
	return &app{config: cfg, accounts: accounts, log: log, patience: startPatience}, nil
}

// select leaves only the accounts and checks the names of a selection.
func (a *app) check(only selection) error { return only.check(streamNames(a.accounts)) }

// close undoes what was opened, the last first.
func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	a.closers = nil
	_ = a.log.Sync() // stderr cannot always be synced
}

func (a *app) onClose(f func()) { a.closers = append(a.closers, f) }

// openState opens the state store, alone among all processes.
func (a *app) openState() (state.Store, error) {
	store, err := sqlite.Open(a.config.State.DSN.Reveal())
	if err != nil {
		return nil, err
	}
	a.onClose(func() {
		if err := store.Close(); err != nil {
			a.log.Error("state not closed", zap.Error(err))
		}
	})
	return store, nil
}

// openWarehouse connects to the configured ClickHouse, which it starts first if it
// is the embedded one, and brings its tables up to date.
func (a *app) openWarehouse(ctx context.Context, store state.Store) (*loaders.Warehouse, *embedded.Engine, error) {
	dsn := a.config.Warehouse.DSN.Reveal()
	var engine *embedded.Engine
	if dsn == config.Embedded {
		var err error
		if engine, err = a.startEngine(ctx, store); err != nil {
			return nil, nil, err
		}
		dsn = engine.DSN()
	}
	instance, err := a.instance(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	w, err := loaders.Open(ctx, loaders.Options{
		DSN: dsn, Instance: instance, Database: a.config.Warehouse.Database, Cluster: a.config.Warehouse.Cluster,
		RawRetention: a.config.Retention.RawPages, Log: a.log, After: crashAfter,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to the warehouse: %w", err)
	}
	a.onClose(func() { _ = w.Close() })
	server, err := a.probe(ctx, w)
	if err != nil {
		return nil, nil, fmt.Errorf("asking the warehouse what it is: %w", err)
	}
	a.log.Info("warehouse found", zap.String("version", server.Version), zap.Strings("notes", server.Notes))
	if len(server.Problems) > 0 {
		return nil, nil, fmt.Errorf("the warehouse cannot be used: %s", strings.Join(server.Problems, "; "))
	}
	if err := w.Migrate(ctx); err != nil {
		return nil, nil, fmt.Errorf("bringing the warehouse's tables up to date: %w", err)
	}
	return w, engine, nil
}

const (
	// startPatience is that of a start: servers that are started together with syncd take
	// some seconds.
	startPatience = time.Minute
	// checkPatience is that of a check, which a person waits for.
	checkPatience = 5 * time.Second
)

// probe asks the warehouse what it is, until it answers.
func (a *app) probe(ctx context.Context, w *loaders.Warehouse) (loaders.Server, error) {
	delays := backoff.NewExponentialBackOff(backoff.WithInitialInterval(time.Second), backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(a.patience))
	return backoff.RetryNotifyWithData(func() (loaders.Server, error) {
		server, err := w.Probe(ctx)
		if e, ok := errors.AsType[*loaders.Error](err); ok && e.Code == 0 && e.Retryable() {
			return server, err
		}
		if err != nil {
			err = backoff.Permanent(err)
		}
		return server, err
	}, backoff.WithContext(delays, ctx), func(err error, again time.Duration) {
		a.log.Warn("warehouse does not answer", zap.Duration("again_in", again.Round(time.Millisecond)), zap.Error(err))
	})
}

// instance tells this state's daemon from another that loads into the same database.
func (a *app) instance(ctx context.Context, store state.Store) (string, error) {
	secret, err := store.Secret(ctx, "instance")
	if err != nil {
		return "", fmt.Errorf("reading the daemon's name: %w", err)
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4]), nil
}

// engineSecret names the embedded engine's password in the state.
const engineSecret = "clickhouse"

func (a *app) startEngine(ctx context.Context, store state.Store) (*embedded.Engine, error) {
	password, err := store.Secret(ctx, engineSecret)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded engine's password: %w", err)
	}
	engine, err := embedded.Start(ctx, embedded.Options{
		DataDir: filepath.Clean(a.config.DataDir), Password: password, Database: a.config.Warehouse.Database,
		MemoryLimit: int64(a.config.Warehouse.MemoryLimit), Log: a.log.Named("clickhouse"),
	})
	if err != nil {
		return nil, err
	}
	a.onClose(func() {
		if err := engine.Stop(context.WithoutCancel(ctx)); err != nil {
			a.log.Error("embedded ClickHouse not stopped cleanly", zap.Error(err))
		}
	})
	return engine, nil
}

// newLogger makes the logger that the configuration asks for.
func newLogger(c config.Log, out io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	var encoder zapcore.Encoder
	if c.Format == "console" || c.Format != "json" && isTerminal(out) {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	} else {
		encoder = zapcore.NewJSONEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level)), nil
}
