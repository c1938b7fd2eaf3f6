package normalize

import (
	"time"

	"syncd/schema"
)

// Context is what is the same for all records of one page.
type Context struct {
	// Network, Account, RunID and Stream name where the rows come from.
	Network, Account, RunID, Stream string
	// Location is the account's zone; nil is UTC.
	Location *time.Location
	// Window of the pull. A row whose By column lies outside of it is bad. The zero
	// Window checks nothing.
	Window schema.Window
	// By is the Time or Date column that the window is by; empty checks nothing.
	By string
	// Version is the number of the answer, SyncedAt when it was received.
	Version  uint64
	SyncedAt time.Time
	// Variables are the account's.
	Variables map[string]string
	// Mask gives what is done to the values of a file's column before anything else,
	// nil for nothing; see extractors.Source. A nil Mask does nothing to any. Only files
	// are masked here: answers were redacted before they were stored.
	Mask func(column string) func(dst, value []byte) []byte
	// Younger leaves out rows that are younger answers', for answers that are read once
	// more. They count neither as rows nor as bad.
	Younger Younger
}

// BadRow is a record that made no row.
type BadRow struct {
	// Index is the record's position in the answer, counted from 0.
	Index int
	// Line is the line of the answer or file in which the record begins, counted from 1;
	// 0 where lines mean nothing (JSON).
	Line int64
	// Reason names the field and shows its value, cut at 80 bytes.
	Reason string
	// Record is the record's JSON; with Each the element's; of a file an object of its
	// values, masked, by the names of their columns. It is valid during the call only.
	Record []byte
}

// Counts says what became of a page's records.
type Counts struct{ Rows, Bad int }
