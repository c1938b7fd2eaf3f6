package loaders

import (
	"time"

	"syncd/schema"
)

// Unit is one pull: what it brought is published as a whole.
type Unit struct {
	PullID                   int64
	Network, Account, Stream string
	// Tier is the pull's urgency in words, or remap, for the ledger of restatements.
	Tier  string
	RunID string
	// Version is the pull's own. Its rows have greater ones, its tombstones exactly this one.
	Version uint64
	// Complete says that the unit brought all rows of its scopes, so that visible rows
	// that it did not bring have vanished. False for lists of changes.
	Complete bool
	// Outputs are the scopes in the tables that the unit writes, one a table.
	Outputs []Scope
	// NoTombstones says that some records of the unit could not be normalized. One of
	// them may be any visible row that the unit did not bring, so no row is taken for
	// vanished.
	NoTombstones bool
	// HeldBefore says that an earlier pull of the same window was held back, some
	// minutes ago at least, and HeldRows is what its UnitResult.Rows was. The guard
	// believes a unit that says about the same.
	HeldBefore bool
	HeldRows   int64
	// Shrink is the share of the visible rows that may vanish; a complete unit without
	// more of them is held back. Above 0; 1 lets all of them go, 0 means ShrinkDefault.
	Shrink float64
	// Doubt says in words why the caller doubts what the unit brought (a total that the
	// network states disagrees with it); empty if it does not. The guard holds it back.
	Doubt string
	// Again says that the unit was loaded before, and what it changes now comes of how it is
	// read: that says nothing of how late the network's rows are.
	Again bool
	// Accepted says that somebody asked to believe the unit, whatever it brought.
	Accepted bool
}

// Scope says which rows of a table a unit owns: those of the unit's account with
// By in the window and the constants of Equal.
type Scope struct {
	Table *schema.Table
	// By is the Time or Date column that the window is by; empty when the unit owns
	// all rows of its account (and Equal). The scope of a unit that is not Complete
	// ignores By: a change can be of any time.
	By string
	// From and To bound the window, half open. They also go into the ledger, whatever
	// By is; both zero for a unit without a time axis.
	From, To time.Time
	// FromDay and ToDay bound the window when By is a Date: midnights UTC that stand for
	// report days, half open.
	FromDay, ToDay time.Time
	// Except are parts of the window of which younger units answer, whose rows are none of
	// this one's: the unit was loaded before, and has a greater version now than it had.
	Except []Part
	// Equal are constants by column (report of stats, stream of entities).
	Equal map[string]string
	// Loose says that the unit's rows may lie outside of its window, which only says what
	// of the visible rows has vanished, and that those with _deleted are tombstones for
	// keys under which a row stood that has moved: they are published whether such a row
	// is visible or not, because a unit that brings it may be published later. Nothing
	// but the account and Equal says whose such rows are, so a unit with a loose scope is
	// the only one of its account in that table of a publication. Of the visible rows in
	// its window only those have vanished that a window brought once (_window is not the
	// epoch): the others stand on the day of their receipt.
	Loose bool
}

// Result says what a publication did, unit by unit in the order they were given.
type Result struct {
	Units []UnitResult
}

// UnitResult says what became of one unit. The counts are over all its outputs.
type UnitResult struct {
	PullID int64
	// Rows is the number of different keys that the unit brought.
	Rows int64
	// Added, Changed and Removed compare with what was visible before.
	Added, Changed, Removed int64
	// Hash is a digest of the content of the rows that does not depend on their order.
	// It is never 0 where a unit of the publication was held back, and 0 where all were
	// published: then reading all rows again would only cost.
	Hash uint64
	// Held says why the unit was held back; empty if it was not. If any unit of a
	// publication is held, nothing of it is published.
	Held string
}

// Part is a part of a window, half open; FromDay and ToDay are as in Scope.
type Part struct{ From, To, FromDay, ToDay time.Time }

// RawPage is one answer of a network, as it was received (secrets removed).
type RawPage struct {
	Network, Account, Stream string
	PullID                   int64
	// Seq tells the pages of the state store apart.
	Seq        int64
	Request    string
	ReceivedAt time.Time
	// WindowFrom and WindowTo are the pull's window; zero when it has none.
	WindowFrom, WindowTo time.Time
	// Kind, PullVersion, PulledAt and PullPages are the pull's: what it asked for, its own
	// version, when it was made and how many pages it has.
	Kind        string
	PullVersion uint64
	PulledAt    time.Time
	PullPages   int
	// File is the downloaded file that has the records; empty when Body has them.
	File    string
	RunID   string
	Version uint64
	Records int
	// RawBytes is the size of the body before compression.
	RawBytes int
	// Body is the answer compressed with zstd. It is copied.
	Body []byte
}

// QuarantineRow is one record that could not be normalized.
type QuarantineRow struct {
	Network, Account, Stream string
	// Table is the table that the record was meant for.
	Table  string
	PullID int64
	// Seq is the page, Index the record's place on it.
	Seq    int64
	Index  int
	Reason string
	// Record is the record as the network sent it.
	Record  string
	RunID   string
	Version uint64
	// At is when the page was received.
	At time.Time
}
