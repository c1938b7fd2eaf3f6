package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
)

const (
	// dialTimeout bounds the making of a connection, TLS included.
	dialTimeout = 10 * time.Second
	// packetTimeout is how long a bulk connection waits for a packet before it looks
	// whether it was told to stop; a longer silence is no failure.
	packetTimeout = 30 * time.Second
)

// errDSN stands for every fault of a DSN. The URL package's own words may quote
// the password, so they go nowhere.
var errDSN = errors.New("the warehouse's DSN is not a clickhouse://user:password@host:port/ address (special characters in the password are written as %XX)")

// parseDSN reads a clickhouse:// DSN. Its error never quotes the DSN.
func parseDSN(dsn string, compress bool) (*clickhouse.Options, error) {
	if !strings.HasPrefix(dsn, "clickhouse://") && !strings.HasPrefix(dsn, "tcp://") && !strings.HasPrefix(dsn, "native://") {
		return nil, errDSN
	}
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil || len(o.Addr) == 0 || o.Protocol != clickhouse.Native {
		return nil, errDSN
	}
	o.DialTimeout = cmp.Or(o.DialTimeout, dialTimeout)
	// Comparing a large window takes longer than the driver's default patience.
	o.ReadTimeout = max(o.ReadTimeout, 10*time.Minute)
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{Name: "syncd"})
	if o.Compression == nil && (compress || !loopback(o.Addr)) {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	return o, nil
}

// loopback reports whether all addresses are of this machine: there compression
// only costs.
func loopback(addrs []string) bool {
	for _, a := range addrs {
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			host = a
		}
		if host == "localhost" {
			continue
		}
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.IsLoopback() {
			return false
		}
	}
	return true
}

// dialBulk makes a connection for bulk INSERTs, to the first address that answers.
func (w *Warehouse) dialBulk(ctx context.Context) (*ch.Client, error) {
	o := ch.Options{
		User:        w.driver.Auth.Username,
		Password:    w.driver.Auth.Password,
		DialTimeout: w.driver.DialTimeout,
		ReadTimeout: packetTimeout,
		TLS:         w.driver.TLS,
		ClientName:  "syncd",
		Settings:    insertSettings(),
	}
	if w.driver.Compression != nil {
		switch w.driver.Compression.Method {
		case clickhouse.CompressionNone:
		case clickhouse.CompressionZSTD:
			o.Compression = ch.CompressionZSTD
		default:
			o.Compression = ch.CompressionLZ4
		}
	}
	var errs []error
	for _, addr := range w.driver.Addr {
		o.Address = addr
		client, err := ch.Dial(ctx, o)
		if err == nil {
			return client, nil
		}
		errs = append(errs, fmt.Errorf("connecting to %s: %w", addr, err))
	}
	return nil, errors.Join(errs...)
}

// insertSettings are sent with every bulk INSERT, because servers' defaults differ
// by version. None is marked important: a server that does not know one ignores it.
func insertSettings() []ch.Setting {
	return []ch.Setting{
		// Collapsing each block while it is inserted costs 2.6 times the whole load;
		// merges and FINAL do that work anyway.
		{Key: "optimize_on_insert", Value: "0"},
		// On by default since 26.3. An answered INSERT must be a stored INSERT.
		{Key: "async_insert", Value: "0"},
		// On by default since 26.2. A reload of equal rows into an emptied staging table
		// must not vanish as a duplicate.
		{Key: "insert_deduplicate", Value: "0"},
		{Key: "deduplicate_insert", Value: "disable"},
		{Key: "deduplicate_blocks_in_dependent_materialized_views", Value: "0"},
		// Parts of up to 131,072 rows: two INSERTs of clicks need 1.2 GiB of the server,
		// 1.9 GiB with twice as many rows, and 2 GiB are not enough for the default of a
		// million. It costs no speed where parts are few files, as in staging: memory that
		// is not touched has not to be had from the kernel either.
		{Key: "min_insert_block_size_rows", Value: "131072"},
		// A list of changes can touch any number of months.
		{Key: "max_partitions_per_insert_block", Value: "0"},
		{Key: "insert_null_as_default", Value: "0"},
	}
}
