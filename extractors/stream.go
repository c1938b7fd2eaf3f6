package extractors

import (
	"time"

	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// Stream is one kind of object as one account reads it: the manifest's stream with
// the account's role, variables and configuration already applied.
type Stream struct {
	// Name is the stream's name in the configuration, "conversions" or "stats/by_offer".
	Name string
	Doc  string
	// Evidence says what the stream's description rests on: "documented" or "inferred".
	Evidence string
	// Window is nil for a stream without a time axis: it is pulled whole.
	Window *WindowRule
	// Changes says that the network can be asked for what changed since a time, in
	// addition to windows or snapshots.
	Changes bool
	// ChangesOverlap is how far behind the last publication changes are asked again.
	ChangesOverlap time.Duration
	// ForEach is nil unless calls are made per item of a list.
	ForEach *ForEachRule
	// Schedule is a cron line; it is due in the account's time zone.
	Schedule string
	// Restate says how often which age of data is pulled again, youngest tier first;
	// empty for streams without windows.
	Restate []TierRule
	// Start is the first report day pulled; zero means as early as the stream's
	// window allows.
	Start time.Time
	// Outputs are the tables that the stream's answers fill; the first is the main one.
	Outputs []Output
	// PageSize is the number of records that one call brings at most; 0 if unknown.
	PageSize int
	// Export is nil unless the network also writes files of the stream's records.
	Export *ExportRule
	// Totals are sums that the network states beside its records.
	Totals []Total
	// Variables are the account's variables as this stream sees them, for normalize.Context.
	Variables map[string]string
}

// Kind is the kind of pull that the stream's schedule asks for: Windowed, Snapshot, or
// Changes where it asks for open leads, of which no answer has all.
func (s *Stream) Kind() state.Kind {
	switch {
	case s.Window != nil:
		return state.Windowed
	case s.ForEach != nil && s.ForEach.OpenLeads != "":
		return state.Changes
	}
	return state.Snapshot
}

// ExportRule says that the records of a stream can be had as a file that the network
// writes on demand.
type ExportRule struct {
	// Only says that there is no other way.
	Only bool
	// Budget is the name of the account's budget that each export counts against; empty for none.
	Budget string
	// MaxRows is the number of rows that one export brings at most; 0 means without limit.
	MaxRows int64
	// Outputs are Stream.Outputs for the records of a file.
	Outputs []Output
}

// OutputsBy gives the tables that the answers of a route fill.
func (s *Stream) OutputsBy(r state.Route) []Output {
	if r == state.Export && s.Export != nil {
		return s.Export.Outputs
	}
	return s.Outputs
}

// Total is a sum over records that stands in the answers beside them.
type Total struct {
	// Path is where it stands; where it does not, nothing is stated.
	Path string
	// Column is the Decimal or Count column of the main output that it is the sum of.
	Column string
	// Tolerance is how far a page's rows may be from it, for what was rounded.
	Tolerance schema.Int128
	// Pull says that the sum is over all pages, and the last page counts; otherwise it is
	// over the page that it stands on.
	Pull bool
}

// Step is the length of a window.
type Step string

// The steps. Each is a span of the calendar of WindowRule.Location, so that a day
// may last 23 or 25 hours; weeks begin on Monday.
const (
	Hour  Step = "hour"
	Day   Step = "day"
	Week  Step = "week"
	Month Step = "month"
)

// WindowRule says how a stream's time axis is cut into pulls.
type WindowRule struct {
	// By is the column of the main output that the window bounds; the main output's
	// rows outside of the window are bad.
	By   string
	Step Step
	// Location is the zone in whose calendar steps begin.
	Location *time.Location
	// MaxAge is how far back the network answers at all; zero means without limit.
	MaxAge time.Duration
	// Settle is how old a record has to be before a pull asks for it: the network is
	// asked for nothing younger than the pull's beginning less this. Zero asks for all.
	Settle time.Duration
}

// ForEachRule says over which list the calls of a stream go.
type ForEachRule struct {
	// Stream and Columns name another stream's live rows; both empty when Values is the
	// list. An item of several columns has their values in order, with ItemSeparator between.
	Stream  string
	Columns []string
	// Values is a fixed list.
	Values []string
	// OpenLeads says which id of the account's open leads is the list; empty if they are not.
	OpenLeads state.LeadID
	// Poll says how often each of them is asked for.
	Poll state.PollRule
	// Batch is the number of items that one call asks for, at least 1.
	Batch int
}

// ItemSeparator parts the values of an item that is made of several columns.
const ItemSeparator = "\t"

// TierRule says that data younger than Last is pulled again every Every.
type TierRule struct {
	Last, Every time.Duration
}

// Output is one table that a stream's answers fill.
type Output struct {
	Table *schema.Table
	Spec  normalize.Spec
	// Scope are the constant columns that tell this stream's rows in the table from
	// those of other streams of the account (report, stream), beside the window.
	Scope map[string]string
	// Leads says that the records are facts about leads, which are merged when they are
	// received: the rows are then state.Page.Leads. Table is conversions.
	Leads bool
}
