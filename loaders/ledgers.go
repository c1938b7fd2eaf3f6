package loaders

import (
	"fmt"
	"time"

	"syncd/schema"
)

// The ledgers: what was received, refused, restated and run. They have the engine
// of row tables, so that writing one again after a crash changes nothing.
const (
	ledgerRawPages     = "raw_pages"
	ledgerQuarantine   = "quarantine"
	ledgerRestatements = "restatements"
	ledgerRuns         = "runs"
	ledgerStreams      = "streams"
)

// kinds of ledger columns, by what they hold
const (
	kindText    = "String"
	kindWord    = "LowCardinality(String)"
	kindAmount  = "Decimal(38, 10)"
	kindInstant = "DateTime64(3, 'UTC')"
	kindCount   = "UInt64"
)

func ledgerColumn(name, kind, doc string) column {
	codec := "ZSTD(1)"
	if kind == kindInstant {
		codec = "Delta(8), ZSTD(1)"
	}
	return column{name: name, kind: kind, codec: codec, doc: doc}
}

// owner are the columns that every ledger begins with.
func owner(columns ...column) []column {
	return append([]column{
		ledgerColumn("network", kindWord, "The network, as in the catalogue."),
		ledgerColumn("account", kindWord, "The account of the configuration."),
		ledgerColumn("stream", kindWord, "The stream of the account."),
	}, columns...)
}

func (d *ddl) ledgers() []*table {
	return []*table{d.rawPages(), quarantine(), restatements(), arrivals(), runs(), streams()}
}

func (d *ddl) rawPages() *table {
	body := ledgerColumn("body", kindText, "The answer as it was received, secrets removed, compressed with zstd.")
	body.codec = "NONE" // it is compressed already
	t := &table{
		name: ledgerRawPages, doc: "One row is one answer of a network.", version: schema.ColumnVersion,
		columns: owner(
			ledgerColumn("received_at", kindInstant, "When the answer was received, UTC."),
			ledgerColumn("page_seq", kindCount, "Number of the page; increasing over all accounts."),
			ledgerColumn("pull_id", kindCount, "The pull that the page belongs to."),
			ledgerColumn("request", kindText, "The call, without secrets."),
			ledgerColumn("window_from", kindInstant, "Start of the pull's window; the epoch when it has none."),
			ledgerColumn("window_to", kindInstant, "End of the pull's window; the epoch when it has none."),
			ledgerColumn("pull_kind", kindWord, "What the pull asked for: window, snapshot or changes."),
			ledgerColumn("pull_version", kindCount, "The pull's version; its pages have greater ones."),
			ledgerColumn("pulled_at", kindInstant, "When the pull was made, before its first call, UTC."),
			ledgerColumn("pull_pages", kindCount, "How many pages the pull has."),
			ledgerColumn("file", kindText, "The downloaded file that has the records, in the spool; empty when the body has them."),
			ledgerColumn("records", kindCount, "Records on the page."),
			ledgerColumn("raw_bytes", kindCount, "Size of the body before compression."),
			body,
			ledgerColumn(schema.ColumnVersion, kindCount, "The version of the rows that came of the page."),
			ledgerColumn(schema.ColumnRunID, kindWord, "The run that made the call."),
		),
		partition: "toYYYYMM(received_at)", key: []string{"account", "stream", "received_at", "page_seq"},
	}
	if d.rawRetention > 0 {
		t.ttl = fmt.Sprintf("toDateTime(received_at) + toIntervalSecond(%d)", int64(d.rawRetention/time.Second))
	}
	return t
}

func quarantine() *table {
	return &table{
		name: ledgerQuarantine, doc: "One row is a record that could not be normalized.", version: schema.ColumnVersion, view: true,
		columns: owner(
			ledgerColumn("received_at", kindInstant, "When the page with the record was received, UTC."),
			ledgerColumn("page_seq", kindCount, "The page, as in raw_pages."),
			ledgerColumn("record_index", kindCount, "Place of the record on the page, from 0."),
			ledgerColumn("table_name", kindWord, "The table that the record was meant for."),
			ledgerColumn("pull_id", kindCount, "The pull that the page belongs to."),
			ledgerColumn("reason", kindText, "Why the record could not be normalized."),
			ledgerColumn("record", kindText, "The record as the network sent it."),
			ledgerColumn(schema.ColumnVersion, kindCount, "The version that the row would have had."),
			ledgerColumn(schema.ColumnRunID, kindWord, "The run that read the record."),
		),
		partition: "toYYYYMM(received_at)", key: []string{"account", "stream", "received_at", "page_seq", "table_name", "record_index"},
	}
}

func restatements() *table {
	return &table{
		name: ledgerRestatements, version: "at", view: true,
		doc: "One row says how a later pull of a window differed from what was visible, for one table and currency. The amounts are sums over the rows that were added, changed or removed.",
		columns: owner(
			ledgerColumn("window_from", kindInstant, "Start of the window; the epoch for a stream without windows."),
			ledgerColumn("window_to", kindInstant, "End of the window; the epoch for a stream without windows."),
			ledgerColumn("pull_version", kindCount, "The version of the pull that brought the difference."),
			ledgerColumn("table_name", kindWord, "The table whose rows differ."),
			ledgerColumn("currency", kindWord, "Currency of the amounts."),
			ledgerColumn("added", kindCount, "Rows that were not visible before."),
			ledgerColumn("changed", kindCount, "Rows whose content differs."),
			ledgerColumn("removed", kindCount, "Rows that the network no longer has."),
			ledgerColumn("payout_before", kindAmount, "Payout of these rows before."),
			ledgerColumn("payout_after", kindAmount, "Payout of these rows now."),
			ledgerColumn("revenue_before", kindAmount, "Revenue of these rows before."),
			ledgerColumn("revenue_after", kindAmount, "Revenue of these rows now."),
			ledgerColumn("tier", kindWord, "Urgency of the pull: hot, warm, cold or backfill; remap where its answers were only read anew."),
			ledgerColumn("at", kindInstant, "When the difference was found, UTC."),
		),
		key: []string{"account", "stream", "window_from", "window_to", "pull_version", "table_name", "currency"},
	}
}

func runs() *table {
	return &table{
		name: ledgerRuns, doc: "One row is a stream brought up to date once.", version: schema.ColumnVersion, view: true,
		columns: owner(
			ledgerColumn("started_at", kindInstant, "When the run began, UTC."),
			ledgerColumn("finished_at", kindInstant, "When it ended, UTC; the epoch while it goes on."),
			ledgerColumn("run_id", kindText, "The run's name."),
			ledgerColumn("calls", kindCount, "Calls made."),
			ledgerColumn("rows", kindCount, "Rows brought."),
			ledgerColumn("error", kindText, "What went wrong; empty for success."),
			ledgerColumn(schema.ColumnVersion, kindCount, "When the row was written, milliseconds since the epoch."),
		),
		partition: "toYYYYMM(started_at)", key: []string{"account", "stream", "started_at", "run_id"},
	}
}

func streams() *table {
	return &table{
		name: ledgerStreams, doc: "One row is a stream and where it stands.", version: schema.ColumnVersion, view: true,
		columns: owner(
			ledgerColumn("state", kindWord, "Where the stream stands, in a word or two."),
			ledgerColumn("last_success", kindInstant, "When rows of it were last published, UTC; the epoch if never."),
			ledgerColumn("complete_to", kindInstant, "Everything before this instant has been pulled; the epoch when not known."),
			ledgerColumn("next_run", kindInstant, "When it is due next, UTC; the epoch if not planned."),
			ledgerColumn("rows", kindCount, "Rows of its last publication."),
			ledgerColumn("last_error", kindText, "Its last failure in words; empty after a success."),
			ledgerColumn("updated_at", kindInstant, "When this row was written, UTC."),
			ledgerColumn(schema.ColumnVersion, kindCount, "When the row was written, milliseconds since the epoch."),
		),
		key: []string{"account", "stream"},
	}
}
