package loaders

import (
	"fmt"
	"strings"
	"time"

	"syncd/schema"
)

// ddl writes the statements that make the two databases. It is text only: no
// server is needed to read what it makes.
type ddl struct {
	database, store, cluster string
	// instance is part of the staging tables' names.
	instance     string
	rawRetention time.Duration
}

// table is a table of the store, as DDL sees it: a row table or a ledger.
type table struct {
	name, doc string
	columns   []column
	// version and deleted are the engine's arguments; deleted may be empty.
	version, deleted string
	partition        string // expression, empty for none
	key              []string
	ttl              string // expression, empty for none
	view             bool   // the BI database has a view of it
	settings         []string
}

// column is a column of a table, as DDL sees it.
type column struct {
	name, kind, codec, doc string
	// pruned columns get an index of their smallest and greatest value by granule, so
	// that looking for the rows of a window reads only the parts of a month near it.
	pruned bool
}

// foldAfter is the age in seconds of the youngest part of a month at which the
// month is merged to one part, which makes reading it with FINAL as cheap as
// without. Months that are still restated several times a day are left alone.
const foldAfter = 6 * 60 * 60

// tables gives all tables of the store in the order in which they are made.
func (d *ddl) tables() []*table {
	var all []*table
	for _, t := range schema.Tables() {
		all = append(all, rowTable(t))
	}
	return append(all, d.ledgers()...)
}

// rowTable gives the store's table for a table of rows.
func rowTable(t *schema.Table) *table {
	made := &table{
		name: t.Name, doc: t.Doc, version: schema.ColumnVersion, deleted: schema.ColumnDeleted, key: t.Key, view: true,
		settings: []string{fmt.Sprintf("min_age_to_force_merge_seconds = %d", foldAfter), "min_age_to_force_merge_on_partition_only = 1"},
	}
	if t.Partition != "" {
		made.partition = "toYYYYMM(" + t.Partition + ")"
	}
	for _, c := range t.Columns {
		made.columns = append(made.columns, column{
			name: c.Name, kind: columnType(c.Type), codec: columnCodec(c.Type), doc: c.Doc,
			pruned: c.Type == schema.Time && t.Partition != "" && !strings.HasPrefix(c.Name, "_"),
		})
	}
	return made
}

// columnType gives the ClickHouse type of a column, as the server spells it.
func columnType(t schema.Type) string {
	switch t {
	case schema.String:
		return "String"
	case schema.Word:
		return "LowCardinality(String)"
	case schema.Decimal:
		return "Decimal(38, 10)"
	case schema.Time:
		return "DateTime64(3, 'UTC')"
	case schema.Date:
		return "Date"
	case schema.Count, schema.Version:
		return "UInt64"
	case schema.Hour, schema.Flag:
		return "UInt8"
	case schema.Dimensions:
		return "Map(LowCardinality(String), String)"
	case schema.WindowTime:
		return "DateTime('UTC')"
	}
	panic(fmt.Sprintf("column type %d has no ClickHouse type", t)) // a new type is added here in the same commit
}

// columnCodec gives the codec of a column. Times and versions lie near those of
// their neighbours in key order, so their differences are small.
func columnCodec(t schema.Type) string {
	switch t {
	case schema.Time, schema.Version:
		return "Delta(8), ZSTD(1)"
	case schema.WindowTime:
		return "Delta(4), ZSTD(1)"
	}
	return "ZSTD(1)"
}

// databases gives the statements that make the two databases.
func (d *ddl) databases() []string {
	return []string{
		"CREATE DATABASE IF NOT EXISTS " + quote(d.store) + d.onCluster(),
		"CREATE DATABASE IF NOT EXISTS " + quote(d.database) + d.onCluster(),
	}
}

// create gives the statement that makes a table of the store.
func (d *ddl) create(t *table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s.%s%s\n(\n", quote(d.store), quote(t.name), d.onCluster())
	var lines []string
	for _, c := range t.columns {
		lines = append(lines, "    "+c.definition())
	}
	for _, c := range t.columns {
		if c.pruned {
			lines = append(lines, fmt.Sprintf("    INDEX %s %s TYPE minmax GRANULARITY 1", quote("by_"+c.name), quote(c.name)))
		}
	}
	fmt.Fprintf(&b, "%s\n)\nENGINE = %s\n", strings.Join(lines, ",\n"), d.engine(t))
	if t.partition != "" {
		fmt.Fprintf(&b, "PARTITION BY %s\n", t.partition)
	}
	fmt.Fprintf(&b, "ORDER BY (%s)\n", quoteAll(t.key))
	if t.ttl != "" {
		fmt.Fprintf(&b, "TTL %s\n", t.ttl)
	}
	fmt.Fprintf(&b, "SETTINGS %s\nCOMMENT %s", strings.Join(d.settings(t), ", "), literal(t.doc))
	return b.String()
}

func (c *column) definition() string {
	return fmt.Sprintf("%s %s COMMENT %s CODEC(%s)", quote(c.name), c.kind, literal(c.doc), c.codec)
}

// engine gives the engine with its arguments, replicated on a cluster.
func (d *ddl) engine(t *table) string {
	arguments := t.version
	if t.deleted != "" {
		arguments += ", " + t.deleted
	}
	if d.cluster != "" {
		return "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', " + arguments + ")"
	}
	return "ReplacingMergeTree(" + arguments + ")"
}

// settings gives the table's own settings. Deduplication of INSERTs is off, on the
// table too: equal rows that are loaded again are meant, and versions sort them out.
func (d *ddl) settings(t *table) []string {
	off := "non_replicated_deduplication_window = 0"
	if d.cluster != "" {
		off = "replicated_deduplication_window = 0"
	}
	return append([]string{off}, t.settings...)
}

func (d *ddl) onCluster() string {
	if d.cluster == "" {
		return ""
	}
	return " ON CLUSTER " + quote(d.cluster)
}

// addColumn gives the statement that adds a column after another (first if empty).
func (d *ddl) addColumn(t *table, c *column, after string) string {
	place := "FIRST"
	if after != "" {
		place = "AFTER " + quote(after)
	}
	return fmt.Sprintf("ALTER TABLE %s.%s%s ADD COLUMN IF NOT EXISTS %s %s", quote(d.store), quote(t.name), d.onCluster(), c.definition(), place)
}

// addIndex gives the statement that adds the index of a pruned column.
func (d *ddl) addIndex(t *table, c *column) string {
	return fmt.Sprintf("ALTER TABLE %s.%s%s ADD INDEX IF NOT EXISTS %s %s TYPE minmax GRANULARITY 1", quote(d.store), quote(t.name), d.onCluster(), quote("by_"+c.name), quote(c.name))
}

// setTTL gives the statement that sets or removes a table's TTL.
func (d *ddl) setTTL(t *table) string {
	change := "REMOVE TTL"
	if t.ttl != "" {
		change = "MODIFY TTL " + t.ttl
	}
	return fmt.Sprintf("ALTER TABLE %s.%s%s %s", quote(d.store), quote(t.name), d.onCluster(), change)
}
