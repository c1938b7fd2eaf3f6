package loaders

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/schema"
)

// Column gives the distinct visible values of columns of an account's rows in a
// table, sorted, those that are empty left out; the values of several columns with a
// tab between. Equal narrows the rows by constants. It is what streams that ask once
// for each id of another stream go by.
func (w *Warehouse) Column(ctx context.Context, tableName, account string, equal map[string]string, columns []string) ([]string, error) {
	t, ok := schema.Lookup(tableName)
	if !ok {
		return nil, fmt.Errorf("reading the ids of %s: there is no such table", tableName)
	}
	for _, c := range append(slices.Sorted(maps.Keys(equal)), columns...) {
		if t.Index(c) < 0 {
			return nil, fmt.Errorf("reading the ids of %s: it has no column %s", tableName, c)
		}
	}
	var values []string
	err := w.query(ctx, "reading the ids of "+tableName, w.ddl.distinct(t, account, equal, columns), func(r driver.Rows) error {
		var v string
		err := r.Scan(&v)
		values = append(values, v)
		return err
	})
	return values, err
}

// distinct gives the query of Column.
func (d *ddl) distinct(t *schema.Table, account string, equal map[string]string, columns []string) string {
	var where strings.Builder
	where.WriteString(quote(schema.ColumnAccount) + " = " + literal(account))
	for _, c := range slices.Sorted(maps.Keys(equal)) {
		where.WriteString(" AND toString(" + quote(c) + ") = " + literal(equal[c]))
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "toString(" + quote(c) + ")"
		where.WriteString(" AND " + parts[i] + " != ''")
	}
	return fmt.Sprintf("SELECT DISTINCT concat(%[1]s) AS v FROM %[2]s FINAL WHERE %[3]s AND %[4]s = 0 ORDER BY v"+byPartition,
		strings.Join(parts, `, '\t', `), d.target(t.Name), where.String(), quote(schema.ColumnDeleted))
}
