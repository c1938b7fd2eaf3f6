package loaders

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Formats are the names that [Warehouse.Query] knows, the default first.
var Formats = []string{"table", "tsv", "csv", "json", "vertical"}

// formatAliases are the names that ClickHouse's own clients give to formats.
var formatAliases = map[string]string{
	"": "table", "pretty": "table", "prettycompact": "table", "prettycompactmonoblock": "table",
	"tabseparated": "tsv", "tabseparatedwithnames": "tsv", "tsvwithnames": "tsv", "csvwithnames": "csv",
	"jsoneachrow": "json", "jsonl": "json", "ndjson": "json",
}

// rowWriter writes rows in a format.
type rowWriter interface {
	// begin is called once, before any row.
	begin(names, kinds []string) error
	row(values []any) error
	end() error
}

// newRowWriter gives the writer of a format.
func newRowWriter(format string, out *bufio.Writer) (rowWriter, error) {
	name := strings.ToLower(format)
	if alias, ok := formatAliases[name]; ok {
		name = alias
	}
	switch name {
	case "table":
		return &tableWriter{out: out}, nil
	case "tsv":
		return &tsvWriter{out: out}, nil
	case "csv":
		return &csvWriter{out: out}, nil
	case "json":
		return &jsonWriter{out: out}, nil
	case "vertical":
		return &verticalWriter{out: out}, nil
	}
	return nil, fmt.Errorf("there is no format %q; known are %s", format, strings.Join(Formats, ", "))
}

// Query runs a statement and writes what it answers to out, in one of Formats (or
// ClickHouse's name of it). Answers are written as they arrive, tables in blocks of
// some thousand rows. A FORMAT clause in the statement has no effect over the native
// protocol.
func (w *Warehouse) Query(ctx context.Context, sql, format string, out io.Writer) error {
	buffered := bufio.NewWriterSize(out, 64<<10)
	writer, err := newRowWriter(format, buffered)
	if err != nil {
		return err
	}
	rows, err := w.conn.Query(ctx, strings.TrimRight(sql, "; \t\r\n"))
	if err == io.EOF { // bare: the server ended the answer before any block, as for DDL
		return nil
	}
	if err != nil {
		return wrap("asking the warehouse", err)
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	kinds := make([]string, len(types))
	cells := make([]cell, len(types))
	for i, t := range types {
		kinds[i] = t.DatabaseTypeName()
		cells[i] = newCell(t)
	}
	if err := writer.begin(slices.Clone(rows.Columns()), kinds); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	targets, values := make([]any, len(cells)), make([]any, len(cells))
	for i := range cells {
		targets[i] = cells[i].target()
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return wrap("reading the answer", err)
		}
		for i := range cells {
			values[i] = cells[i].value()
		}
		if err := writer.row(values); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return wrap("reading the answer", err)
	}
	if err := writer.end(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
