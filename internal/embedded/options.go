package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"go.uber.org/zap"
)

const (
	memoryLimitDefault = 2 << 30
	// memoryLimitMin is what the engine needs to answer at all: its code and
	// caches count towards the limit.
	memoryLimitMin      = 512 << 20
	databaseDefault     = "affiliate"
	startTimeoutDefault = 2 * time.Minute
	stopTimeoutDefault  = 15 * time.Second
)

// Options say how the engine is run. DataDir is required.
type Options struct {
	// DataDir is the daemon's data directory; the engine keeps all it has in
	// DataDir/clickhouse, which is created with mode 0700.
	DataDir string

	// Password is the loader's password. Empty means a random one for each
	// start, which is right unless something else must know it.
	Password string

	// Database is the database that BI tools may read; default "affiliate".
	// The tables behind its views are in Database + "_store", which they may not.
	Database string

	// MemoryLimit is the engine's memory cap in bytes; default 2 GiB. A query
	// that would pass it fails with MEMORY_LIMIT_EXCEEDED; the engine goes on.
	MemoryLimit int64

	// StartTimeout bounds the time to the first answer, loading of all tables
	// included; default 2 minutes.
	StartTimeout time.Duration

	// StopTimeout bounds the time that the engine has to close its tables
	// before it is terminated; default 15 seconds. Data is safe either way.
	StopTimeout time.Duration

	// Log gets what happens to the engine; nil means nothing is logged.
	Log *zap.Logger
}

func (o Options) withDefaults() Options {
	o.Database = cmp.Or(o.Database, databaseDefault)
	o.MemoryLimit = cmp.Or(o.MemoryLimit, memoryLimitDefault)
	o.StartTimeout = cmp.Or(o.StartTimeout, startTimeoutDefault)
	o.StopTimeout = cmp.Or(o.StopTimeout, stopTimeoutDefault)
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// databaseName admits names that need no quoting in a GRANT.
var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (o Options) validate() error {
	var errs []error
	if o.DataDir == "" {
		errs = append(errs, errors.New("the data directory is not given"))
	}
	if !databaseName.MatchString(o.Database) {
		errs = append(errs, fmt.Errorf("database name %q: letters, digits and underscores only", o.Database))
	}
	if o.MemoryLimit < memoryLimitMin {
		errs = append(errs, fmt.Errorf("memory limit of %d bytes: the embedded ClickHouse needs %d or more", o.MemoryLimit, memoryLimitMin))
	}
	if o.StartTimeout < 0 || o.StopTimeout < 0 {
		errs = append(errs, errors.New("a timeout is negative"))
	}
	return errors.Join(errs...)
}

// layout names the files of one engine. The paths are absolute, since the
// child need not have the daemon's working directory.
type layout struct{ dir string }

func newLayout(dataDir string) (layout, error) {
	dir, err := filepath.Abs(filepath.Join(dataDir, "clickhouse"))
	if err != nil {
		return layout{}, fmt.Errorf("finding the data directory: %w", err)
	}
	return layout{dir: dir}, nil
}

func (l layout) config() string     { return filepath.Join(l.dir, "config.xml") }
func (l layout) users() string      { return filepath.Join(l.dir, "users.xml") }
func (l layout) biPassword() string { return filepath.Join(l.dir, "bi.password") }
func (l layout) ports() string      { return filepath.Join(l.dir, "ports.json") }
func (l layout) daemonLock() string { return filepath.Join(l.dir, "daemon.lock") }
func (l layout) engineLock() string { return filepath.Join(l.dir, "engine.lock") }
func (l layout) store() string      { return filepath.Join(l.dir, "store") }
func (l layout) logs() string       { return filepath.Join(l.dir, "log") }
func (l layout) engineLog() string  { return filepath.Join(l.dir, "log", "engine.log") }
func (l layout) hostLog() string    { return filepath.Join(l.dir, "log", "host.log") }
