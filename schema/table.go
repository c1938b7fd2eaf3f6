package schema

import "slices"

// Type is the kind of values a column holds. It decides the ClickHouse type and
// how text from a network is parsed.
type Type uint8

// The column types. Every one has a default value (empty, zero, false, the epoch)
// that stands for "the network did not say", so that nothing is Nullable.
const (
	// String is free text or an id: ClickHouse String.
	String Type = iota + 1
	// Word is a short vocabulary: LowCardinality(String).
	Word
	// Decimal is an amount: Decimal(38, 10), parsed from text, never through a float.
	Decimal
	// Time is an instant: DateTime64(3, 'UTC').
	Time
	// Date is a report day in the account's zone: Date.
	Date
	// Count is a non-negative whole number: UInt64.
	Count
	// Hour is an hour of a report day, 0 to 23: UInt8.
	Hour
	// Flag is a truth value: UInt8, 0 or 1.
	Flag
	// Dimensions is a set of named values: Map(LowCardinality(String), String).
	Dimensions
	// Version is a number that syncd issues: UInt64.
	Version
	// WindowTime is a window's start: DateTime('UTC').
	WindowTime
)

// Column is one column of a table.
type Column struct {
	Name string
	Type Type
	// Doc is one sentence for BI users; it becomes the column's COMMENT.
	Doc string
	// Words is the closed vocabulary of a Word column that users filter by; nil
	// where the networks' own words are kept.
	Words []string
}

// Table is one table of the warehouse: ReplacingMergeTree(_version, _deleted) in
// the store database and a view of the same name in the BI database.
type Table struct {
	Name string
	Doc  string
	// Columns are all columns in storage order, the common ones (network, account,
	// _version, _deleted, _window, _synced_at, _run_id, extra) included.
	Columns []Column
	// Key is the sorting key, "account" first. Two rows with equal keys are one row.
	Key []string
	// Partition is the Date or Time column whose month partitions the table; empty
	// for tables of entities, which are not partitioned.
	Partition string
	// Money names the Decimal columns that a restatement reports as money moved.
	Money []string
}

// Index gives the position of a column in t.Columns, -1 if t has no such column.
func (t *Table) Index(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// ClickHouse gives the type's name in ClickHouse, as system.columns prints it.
func (t Type) ClickHouse() string {
	switch t {
	case String:
		return "String"
	case Word:
		return "LowCardinality(String)"
	case Decimal:
		return "Decimal(38, 10)"
	case Time:
		return "DateTime64(3, 'UTC')"
	case Date:
		return "Date"
	case Count, Version:
		return "UInt64"
	case Hour, Flag:
		return "UInt8"
	case Dimensions:
		return "Map(LowCardinality(String), String)"
	case WindowTime:
		return "DateTime('UTC')"
	}
	return ""
}
