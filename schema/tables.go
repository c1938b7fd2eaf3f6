package schema

// The common columns. Every row table begins with network and account and ends
// with extra and those whose names begin with an underscore.
const (
	ColumnNetwork  = "network"
	ColumnAccount  = "account"
	ColumnExtra    = "extra"
	ColumnWindow   = "_window"
	ColumnVersion  = "_version"
	ColumnDeleted  = "_deleted"
	ColumnSyncedAt = "_synced_at"
	ColumnRunID    = "_run_id"
)

// The columns in which the canonical text of a row's dimensions and the
// dimensions themselves stand; see Block.AddDimension.
const (
	ColumnDimensions   = "dimensions"
	ColumnDimensionKey = "dimension_key"
)

// Tables gives all row tables, in the order in which they are created. The
// ledgers (raw_pages, quarantine, restatements, runs, streams) are not among them:
// no network's record becomes a row there. The tables are shared; do not change them.
func Tables() []*Table {
	return append([]*Table(nil), tables...)
}

// Lookup finds a row table by its name.
func Lookup(name string) (*Table, bool) {
	for _, t := range tables {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

var tables = []*Table{
	offers, offerEvents, landingPages,
	publishers, advertisers, users,
	clicks, impressions, conversions,
	stats,
	postbackLogs, postbacks,
	entities,
}

// row puts a table's own columns between the common ones.
func row(groups ...[]Column) []Column {
	columns := []Column{
		{Name: ColumnNetwork, Type: Word, Doc: "The network the row came from, as in the catalogue."},
		{Name: ColumnAccount, Type: Word, Doc: "The account of the configuration that the row was read with."},
	}
	for _, g := range groups {
		columns = append(columns, g...)
	}
	return append(columns,
		Column{Name: ColumnExtra, Type: String, Doc: "What the network sent beyond the named columns, as one JSON object; empty when there was nothing."},
		Column{Name: ColumnWindow, Type: WindowTime, Doc: "Start of the window that the row was pulled in; the epoch for rows without a window."},
		Column{Name: ColumnVersion, Type: Version, Doc: "Number of the answer that the row came in; of rows with equal keys the greatest counts."},
		Column{Name: ColumnDeleted, Type: Flag, Doc: "1 when the network no longer has the row."},
		Column{Name: ColumnSyncedAt, Type: Time, Doc: "When the answer with the row was received."},
		Column{Name: ColumnRunID, Type: Word, Doc: "The run that loaded the row."},
	)
}
