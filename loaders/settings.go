package loaders

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Servers' defaults differ by version, and users' profiles change them. What a statement
// of ours means must depend on neither, so that every setting that could change it is
// sent along.

// storing are the settings of every INSERT, ours over bulk connections and those of the
// ledgers and tombstones.
var storing = []ch.Setting{
	// Collapsing each block while it is inserted costs 2.6 times the whole load;
	// merges and FINAL do that work anyway.
	{Key: "optimize_on_insert", Value: "0"},
	// On by default since 26.3. An answered INSERT must be a stored INSERT.
	{Key: "async_insert", Value: "0"},
	// On by default since 26.2. A reload of equal rows into an emptied staging table
	// must not vanish as a duplicate.
	{Key: "insert_deduplicate", Value: "0"},
	{Key: "deduplicate_insert", Value: "disable"},
	{Key: "deduplicate_insert_select", Value: "disable"},
	{Key: "insert_select_deduplicate", Value: "0"}, // its former name, and not an alias
	{Key: "deduplicate_blocks_in_dependent_materialized_views", Value: "0"},
	// A list of changes can touch any number of months.
	{Key: "max_partitions_per_insert_block", Value: "0"},
	{Key: "insert_null_as_default", Value: "0"},
	// Only over HTTP are the types in a block of Native subject to a setting.
	{Key: "input_format_native_decode_types_in_binary_format", Value: "0"},
}

// bulk are the settings of bulk INSERTs beyond those of storing.
var bulk = []ch.Setting{
	// Parts of up to 131,072 rows: two INSERTs of clicks need 1.2 GiB of the server,
	// 1.9 GiB with twice as many rows, and 2 GiB are not enough for the default of a
	// million. It costs no speed where parts are few files, as in staging: memory that
	// is not touched has not to be had from the kernel either.
	{Key: "min_insert_block_size_rows", Value: "131072"},
}

// insertSettings are sent with every bulk INSERT. None is marked important: a server that
// does not know one ignores it.
func insertSettings() []ch.Setting {
	return append(append([]ch.Setting(nil), storing...), bulk...)
}

// asking are the settings of all other statements, beyond those of storing.
var asking = []ch.Setting{
	// What would make other rows of the same question.
	{Key: "final", Value: "0"}, // rows of staging are counted before they collapse
	{Key: "limit", Value: "0"},
	{Key: "offset", Value: "0"},
	{Key: "join_use_nulls", Value: "0"},
	{Key: "group_by_use_nulls", Value: "0"},
	{Key: "aggregate_functions_null_for_empty", Value: "0"},
	{Key: "empty_result_for_aggregation_by_empty_set", Value: "0"},
	{Key: "transform_null_in", Value: "0"},
	{Key: "prefer_column_name_to_alias", Value: "0"},
	{Key: "allow_experimental_analyzer", Value: "1"},
	{Key: "session_timezone", Value: "UTC"},
	{Key: "extremes", Value: "0"},
	{Key: "output_format_native_encode_types_in_binary_format", Value: "0"},
	// An answer of before the last INSERT, or of a replica that lags.
	{Key: "use_query_cache", Value: "0"},
	{Key: "allow_experimental_parallel_reading_from_replicas", Value: "0"},
	// A limit of the profile may end a comparison, but must not cut it short in silence:
	// rows that it did not read would be buried.
	{Key: "read_overflow_mode", Value: "throw"},
	{Key: "read_overflow_mode_leaf", Value: "throw"},
	{Key: "group_by_overflow_mode", Value: "throw"},
	{Key: "sort_overflow_mode", Value: "throw"},
	{Key: "result_overflow_mode", Value: "throw"},
	{Key: "timeout_overflow_mode", Value: "throw"},
	{Key: "timeout_overflow_mode_leaf", Value: "throw"},
	{Key: "set_overflow_mode", Value: "throw"},
	{Key: "join_overflow_mode", Value: "throw"},
	{Key: "transfer_overflow_mode", Value: "throw"},
	{Key: "distinct_overflow_mode", Value: "throw"},
	// ASOF JOIN knows but these algorithms.
	{Key: "join_algorithm", Value: "direct,parallel_hash,hash"},
	// What would make other tables, or go on before they are made.
	{Key: "data_type_default_nullable", Value: "0"},
	{Key: "alter_sync", Value: "1"},
	{Key: "distributed_ddl_output_mode", Value: "throw"},
	// Over HTTP an answer that has begun can say that it failed only in words among its
	// rows, which nobody reads where none are expected.
	{Key: "send_progress_in_http_headers", Value: "0"},
	{Key: "cancel_http_readonly_queries_on_client_close", Value: "1"},
}

// knownFor is how long the server is believed to be of the version that it was.
const knownFor = time.Minute

// dialect is what the server knows of our settings. It refuses what it does not know, but
// for those of bulk INSERTs over the native protocol.
type dialect struct {
	mu    sync.Mutex
	known map[string]bool
	until time.Time
}

// understood gives those of our settings that the server knows.
func (w *Warehouse) understood(ctx context.Context, lists ...[]ch.Setting) ([]ch.Setting, error) {
	d := &w.dialect
	d.mu.Lock()
	defer d.mu.Unlock()
	if !time.Now().Before(d.until) {
		known, err := w.knownSettings(ctx)
		if err != nil {
			return nil, err
		}
		d.known, d.until = known, time.Now().Add(knownFor)
	}
	var settings []ch.Setting
	for _, list := range lists {
		for _, s := range list {
			if d.known[s.Key] {
				settings = append(settings, s)
			}
		}
	}
	return settings, nil
}

// plain opens connections that send no settings but those of the DSN and what makes their
// own question answerable.
func (w *Warehouse) plain() (driver.Conn, error) {
	o := *w.driver
	o.DialStrategy, o.Settings = nil, clickhouse.Settings{}
	maps.Copy(o.Settings, w.given)
	maps.Copy(o.Settings, clickhouse.Settings{"limit": 0, "use_query_cache": 0, "empty_result_for_aggregation_by_empty_set": 0})
	conn, err := clickhouse.Open(&o)
	if err != nil {
		return nil, errDSN
	}
	return conn, nil
}

// knownSettings asks the server which settings it knows.
func (w *Warehouse) knownSettings(ctx context.Context) (map[string]bool, error) {
	conn, err := w.plain()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var names []string
	for _, list := range [][]ch.Setting{storing, bulk, asking} {
		for _, s := range list {
			names = append(names, s.Key)
		}
	}
	rows, err := conn.Query(ctx, fmt.Sprintf("SELECT name FROM system.settings WHERE name IN (%s)", literals(names)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := make(map[string]bool, len(names))
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		known[name] = true
	}
	return known, rows.Err()
}

// dial makes a connection that sends our settings with every statement.
func (w *Warehouse) dial(ctx context.Context, id int, o *clickhouse.Options, dial clickhouse.Dial) (clickhouse.DialResult, error) {
	ours, err := w.understood(ctx, storing, asking)
	if err != nil {
		return clickhouse.DialResult{}, err
	}
	with := *o
	with.Settings = make(clickhouse.Settings, len(o.Settings)+len(ours))
	maps.Copy(with.Settings, o.Settings)
	for _, s := range ours {
		with.Settings[s.Key] = s.Value
	}
	return clickhouse.DefaultDialStrategy(ctx, id, &with, dial)
}
