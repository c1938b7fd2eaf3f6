package loaders

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"
)

// DestructiveError lists what [Warehouse.Migrate] would have had to destroy. Nothing
// was changed.
type DestructiveError struct {
	// Differences are sentences, each naming its table.
	Differences []string
}

// Error lists every difference on a line of its own.
func (e *DestructiveError) Error() string {
	return fmt.Sprintf("the warehouse's tables differ in ways that cannot be changed without rewriting data:\n  %s", strings.Join(e.Differences, "\n  "))
}

// existing is a table as the server has it.
type existing struct {
	engine, sorting, partition, create string
	columns                            map[string]string // type by name
	indexes                            map[string]bool
}

// Migrate makes the databases, tables and views that are missing, adds missing
// columns and indexes, sets the retention of raw pages, and makes the views anew. A
// difference that it could not undo (another type, key, partition or engine) is
// refused with a *DestructiveError that lists them all, before anything is changed.
// Columns that the server has beyond ours are left alone: a newer version made them.
func (w *Warehouse) Migrate(ctx context.Context) error {
	tables := w.ddl.tables()
	have, err := w.existing(ctx)
	if err != nil {
		return err
	}
	var statements, refused []string
	for _, t := range tables {
		found := have[t.name]
		if found == nil {
			statements = append(statements, w.ddl.create(t))
			continue
		}
		refused = append(refused, w.ddl.refusals(t, found)...)
		statements = append(statements, w.ddl.additions(t, found)...)
	}
	if len(refused) > 0 {
		return &DestructiveError{Differences: refused}
	}
	if err := w.exec(ctx, "making the databases", w.ddl.databases()...); err != nil {
		return err
	}
	if err := w.exec(ctx, "making the tables", statements...); err != nil {
		return err
	}
	if err := w.exec(ctx, "making the views", w.ddl.views()...); err != nil {
		return err
	}
	if len(statements) > 0 {
		w.log.Info("warehouse migrated", zap.Int("statements", len(statements)))
	}
	w.mu.Lock()
	clear(w.staged)
	w.mu.Unlock()
	return nil
}

// existing reads what the store holds; nothing when it does not exist yet.
func (w *Warehouse) existing(ctx context.Context) (map[string]*existing, error) {
	have := map[string]*existing{}
	err := w.query(ctx, "reading what tables there are",
		"SELECT name, engine, sorting_key, partition_key, create_table_query FROM system.tables WHERE database = "+literal(w.ddl.store),
		func(rows driver.Rows) error {
			var name string
			e := &existing{columns: map[string]string{}, indexes: map[string]bool{}}
			if err := rows.Scan(&name, &e.engine, &e.sorting, &e.partition, &e.create); err != nil {
				return err
			}
			have[name] = e
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = w.query(ctx, "reading what columns there are",
		"SELECT table, name, type FROM system.columns WHERE database = "+literal(w.ddl.store)+" ORDER BY table, position",
		func(rows driver.Rows) error {
			var table, name, kind string
			if err := rows.Scan(&table, &name, &kind); err != nil {
				return err
			}
			if e := have[table]; e != nil {
				e.columns[name] = kind
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = w.query(ctx, "reading what indexes there are",
		"SELECT table, name FROM system.data_skipping_indices WHERE database = "+literal(w.ddl.store),
		func(rows driver.Rows) error {
			var table, name string
			if err := rows.Scan(&table, &name); err != nil {
				return err
			}
			if e := have[table]; e != nil {
				e.indexes[name] = true
			}
			return nil
		})
	return have, err
}

// refusals gives the differences between a table and what the server has that
// cannot be undone by adding something.
func (d *ddl) refusals(t *table, have *existing) []string {
	var differences []string
	differ := func(format string, args ...any) {
		differences = append(differences, d.store+"."+t.name+": "+fmt.Sprintf(format, args...))
	}
	// SharedReplacingMergeTree and ReplicatedReplacingMergeTree do the same.
	if !strings.HasSuffix(have.engine, "ReplacingMergeTree") {
		differ("the engine is %s, not ReplacingMergeTree", have.engine)
	}
	if want := strings.Join(t.key, ", "); have.sorting != want {
		differ("the sorting key is (%s), not (%s)", have.sorting, want)
	}
	if have.partition != t.partition {
		differ("it is partitioned by %s, not by %s", orNothing(have.partition), orNothing(t.partition))
	}
	for _, c := range t.columns {
		if kind, ok := have.columns[c.name]; ok && kind != c.kind {
			differ("column %s is %s, not %s", c.name, kind, c.kind)
		}
	}
	for _, k := range t.key {
		if _, ok := have.columns[k]; !ok {
			differ("column %s of the key is missing", k)
		}
	}
	return differences
}

// additions gives the statements that make of what the server has what t is, as
// far as that is adding.
func (d *ddl) additions(t *table, have *existing) []string {
	var statements []string
	after := ""
	for i := range t.columns {
		c := &t.columns[i]
		if _, ok := have.columns[c.name]; !ok {
			statements = append(statements, d.addColumn(t, c, after))
		}
		if c.pruned && !have.indexes["by_"+c.name] {
			statements = append(statements, d.addIndex(t, c))
		}
		after = c.name
	}
	if t.name == ledgerRawPages && ttlOf(have.create) != t.ttl {
		statements = append(statements, d.setTTL(t))
	}
	return statements
}

// ttlOf cuts the TTL out of a CREATE statement as the server formats it.
func ttlOf(create string) string {
	_, ttl, ok := strings.Cut(create, " TTL ")
	if !ok {
		return ""
	}
	ttl, _, _ = strings.Cut(ttl, " SETTINGS ")
	return ttl
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
