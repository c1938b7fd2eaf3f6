package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"
)

// Options say where the warehouse is.
type Options struct {
	// DSN is clickhouse://user:password@host:port/?secure=true&... as clickhouse-go
	// reads it, or https:// or http:// for the HTTP protocol. It is never printed.
	DSN string
	// Database is the BI database; the store is Database + "_store". Empty means the
	// DSN's database, and "affiliate" when that is empty too.
	Database string
	// Cluster is the name of a cluster that all DDL runs on, with replicated engines;
	// empty for a single server.
	Cluster string
	// Instance keeps the staging tables of daemons apart that load into the same
	// databases: it is part of their names. ASCII letters and digits; empty only in tests.
	Instance string
	// RawRetention is how long raw pages are kept; 0 keeps them for ever.
	RawRetention time.Duration
	// Log may be nil.
	Log *zap.Logger
	// Asking is for Query alone: names without a database mean the BI database, which
	// must exist already, and nothing can be changed.
	Asking bool
	// After is told the name of each finished step of a publication; nil outside
	// tests, which end the process there.
	After func(step string)
	// Compress forces LZ4 on loopback connections too, where it only costs. All
	// others are compressed anyway.
	Compress bool
}

// Warehouse is a ClickHouse server and the two databases in it that belong to syncd.
// Its methods are safe for concurrent use.
type Warehouse struct {
	conn   driver.Conn
	driver *clickhouse.Options
	log    *zap.Logger
	ddl    *ddl
	// given are the settings of the DSN alone.
	given   clickhouse.Settings
	dialect dialect
	// alive is how often an INSERT over HTTP says something.
	alive time.Duration

	mu sync.Mutex
	// staged names the staging tables known to have the structure of their targets.
	// Guarded by mu.
	staged map[string]bool

	// after is called with the name of each finished step of a publication; an error
	// ends the publication there, as a crash would. Nil outside tests.
	after func(step string) error
}

// Open reads the DSN and prepares connections. It does not talk to the server: the
// first call that does reports a server that cannot be reached.
func Open(_ context.Context, o Options) (*Warehouse, error) {
	if !validInstance(o.Instance) {
		return nil, fmt.Errorf("the instance %q is not at most %d letters and digits", o.Instance, maxInstance)
	}
	opts, err := parseDSN(o.DSN, o.Compress)
	if err != nil {
		return nil, err
	}
	database := cmp.Or(o.Database, opts.Auth.Database, "affiliate")
	opts.Auth.Database = "" // it may not exist yet; every name in our statements is qualified
	opts.MaxOpenConns = max(opts.MaxOpenConns, 10)
	if opts.Settings == nil {
		opts.Settings = clickhouse.Settings{}
	}
	w := &Warehouse{
		driver: opts, given: maps.Clone(opts.Settings), alive: httpAlive,
		ddl:    &ddl{database: database, store: database + "_store", cluster: o.Cluster, instance: o.Instance, rawRetention: o.RawRetention},
		staged: map[string]bool{},
	}
	if o.Asking {
		opts.Auth.Database = database
		opts.Settings["readonly"] = 2 // 2: a question may bring settings of its own
	} else {
		opts.DialStrategy = w.dial
		if opts.Protocol == clickhouse.HTTP {
			// No answer begins before its end is known (see asking); none of ours is large.
			opts.Settings["wait_end_of_query"] = 1
		}
	}
	if w.conn, err = clickhouse.Open(opts); err != nil {
		return nil, errDSN
	}
	log := o.Log
	if log == nil {
		log = zap.NewNop()
	}
	w.log = log.Named("warehouse")
	if o.After != nil {
		w.after = func(step string) error {
			o.After(step)
			return nil
		}
	}
	return w, nil
}

// maxInstance leaves room for the rest of a staging table's name in a file name.
const maxInstance = 64

func validInstance(name string) bool {
	strange := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return len(name) <= maxInstance && !strings.ContainsFunc(name, strange)
}

// Close ends all connections but those of open batches.
func (w *Warehouse) Close() error {
	if err := w.conn.Close(); err != nil {
		return fmt.Errorf("closing the connections to ClickHouse: %w", err)
	}
	return nil
}

// Ping asks the server for a sign of life.
func (w *Warehouse) Ping(ctx context.Context) error {
	return wrap("reaching ClickHouse", w.conn.Ping(ctx))
}

// Database is the BI database: views only.
func (w *Warehouse) Database() string { return w.ddl.database }

// Store is the database with the tables behind the views.
func (w *Warehouse) Store() string { return w.ddl.store }

// exec runs statements one after the other.
func (w *Warehouse) exec(ctx context.Context, doing string, statements ...string) error {
	for _, s := range statements {
		if err := w.conn.Exec(ctx, s); err != nil {
			return wrap(doing, err)
		}
	}
	return nil
}

// query runs a SELECT and calls scan for each row.
func (w *Warehouse) query(ctx context.Context, doing, statement string, scan func(rows driver.Rows) error) error {
	rows, err := w.conn.Query(ctx, statement)
	if err != nil {
		return wrap(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return wrap(doing, err)
		}
	}
	return wrap(doing, rows.Err())
}
