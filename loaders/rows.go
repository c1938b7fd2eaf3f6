package loaders

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Rows asks a question that somebody else wrote and gives each row to row, its values as
// ClickHouse prints them, but NULL as "" and times in RFC 3339. The slices are valid
// until row returns; its error ends the answer. The question can change nothing, brings
// no settings of its own, and fails when it has more than most rows or ctx ends.
func (w *Warehouse) Rows(ctx context.Context, sql string, most int, row func(columns, values []string) error) error {
	const doing = "asking the warehouse"
	settings := clickhouse.Settings{"readonly": 1, "max_result_rows": most, "result_overflow_mode": "throw"}
	if deadline, ok := ctx.Deadline(); ok {
		// The server's own end of it; a second more, so that ours comes first.
		settings["max_execution_time"] = int(max(time.Until(deadline), 0).Seconds()) + 1
	}
	rows, err := w.conn.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), strings.TrimRight(sql, "; \t\r\n"))
	if err != nil {
		return wrap(doing, inTime(ctx, err))
	}
	defer rows.Close()
	columns := slices.Clone(rows.Columns())
	types := rows.ColumnTypes()
	cells, targets, values := make([]cell, len(types)), make([]any, len(types)), make([]string, len(types))
	for i, t := range types {
		cells[i] = newCell(t)
		targets[i] = cells[i].target()
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return wrap(doing, err)
		}
		for i := range cells {
			switch v := cells[i].value().(type) {
			case nil:
				values[i] = ""
			case moment:
				values[i] = v.Format(time.RFC3339Nano)
			default:
				values[i] = text(v)
			}
		}
		if err := row(columns, values); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return wrap(doing, inTime(ctx, rows.Err()))
}

// inTime tells who asks that an error came of ctx's deadline where the driver tells only of
// a timeout: it gives the connection the same deadline, which may pass a moment earlier.
func inTime(ctx context.Context, err error) error {
	deadline, ok := ctx.Deadline()
	if !ok || time.Now().Before(deadline) || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
}
