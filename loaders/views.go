package loaders

import (
	"fmt"
	"strings"

	"syncd/schema"
)

// view gives the statement that makes the BI view of a table: what is visible, each
// row once. It runs with the rights of the user who made it, so that a BI role
// needs no rights on the store.
//
// A key never changes its partition (the partition's column is part of the key), so
// FINAL need not merge across partitions, and a month folded to one part is read
// as it is.
func (d *ddl) view(t *table) string {
	var shown []column
	for _, c := range t.columns {
		if !strings.HasPrefix(c.name, "_") || c.name == schema.ColumnSyncedAt {
			shown = append(shown, c)
		}
	}
	names := make([]string, len(shown))
	for i, c := range shown {
		names[i] = quote(c.name)
	}
	where := ""
	if t.deleted != "" {
		where = "\nWHERE " + quote(t.deleted) + " = 0"
	}
	body := fmt.Sprintf("SELECT\n    %s\nFROM %s.%s FINAL%s\nSETTINGS do_not_merge_across_partitions_select_final = 1",
		strings.Join(names, ",\n    "), quote(d.store), quote(t.name), where)
	return d.createView(t.name, t.doc, shown, body)
}

func (d *ddl) createView(name, doc string, columns []column, body string) string {
	lines := make([]string, len(columns))
	for i, c := range columns {
		lines[i] = fmt.Sprintf("    %s %s COMMENT %s", quote(c.name), c.kind, literal(c.doc))
	}
	return fmt.Sprintf("CREATE OR REPLACE VIEW %s.%s%s\n(\n%s\n)\nDEFINER = CURRENT_USER SQL SECURITY DEFINER\nAS\n%s\nCOMMENT %s",
		quote(d.database), quote(name), d.onCluster(), strings.Join(lines, ",\n"), body, literal(doc))
}

// views gives all views of the BI database, those that others read first.
func (d *ddl) views() []string {
	var statements []string
	for _, t := range d.tables() {
		if t.view {
			statements = append(statements, d.view(t))
		}
	}
	return append(statements, d.dailyPerformance(), d.freshness(), d.lateness())
}

// whoeverAsks are the settings by which a view that joins and counts means the same to
// all readers: a view runs under the settings of the one who asks, but for its own.
const whoeverAsks = "join_use_nulls = 0, aggregate_functions_null_for_empty = 0, prefer_column_name_to_alias = 0"

// dailyPerformance gives the view that answers the usual question: how did each
// offer do on each day. A cell is an account, day, offer, publisher and country; it
// has a row for each currency of its conversions.
//
// Clicks have no currency. They stand on the row of the cell's main currency (the
// one of most of its conversions; without any, the offer's), so that sums over
// currencies count no click twice.
func (d *ddl) dailyPerformance() string {
	statuses := []string{schema.StatusApproved, schema.StatusPending, schema.StatusHold, schema.StatusRejected, schema.StatusTrash, schema.StatusUnknown}
	columns := []column{
		{name: "account", kind: kindWord, doc: "The account of the configuration."},
		{name: "day", kind: "Date", doc: "The report day, in the account's zone."},
		{name: "offer_id", kind: kindText, doc: "The offer's id."},
		{name: "offer_name", kind: kindText, doc: "The offer's name."},
		{name: "publisher_id", kind: kindText, doc: "The affiliate's id."},
		{name: "publisher_name", kind: kindText, doc: "The affiliate's name."},
		{name: "country", kind: kindWord, doc: "Country of the visitors, ISO 3166 alpha-2."},
		{name: "currency", kind: kindText, doc: "Currency of the amounts, ISO 4217."},
		{name: "clicks", kind: kindCount, doc: "Clicks; on the row of the main currency when there are several."},
		{name: "conversions", kind: kindCount, doc: "Conversions in any status."},
	}
	for _, s := range statuses {
		columns = append(columns, column{name: s, kind: kindCount, doc: "Conversions with the status " + s + "."})
	}
	columns = append(columns,
		column{name: "payout", kind: kindAmount, doc: "What the affiliates get for approved conversions."},
		column{name: "revenue", kind: kindAmount, doc: "What the network gets for approved conversions."},
		column{name: "open_payout", kind: kindAmount, doc: "What the affiliates would get for pending conversions and those on hold."},
		column{name: "open_revenue", kind: kindAmount, doc: "What the network would get for pending conversions and those on hold."},
		column{name: "conversion_rate", kind: "Decimal(38, 10)", doc: "Conversions in any status for each click; 0 without clicks."},
		column{name: "epc", kind: kindAmount, doc: "Earnings per click: payout for each click; 0 without clicks."},
	)
	var counts, zeros, shown []string
	for i, status := range statuses {
		shown = append(shown, fmt.Sprintf("m.%d AS %s", i+3, quote(status)))
		zeros = append(zeros, "toUInt64(0)")
		if status != schema.StatusUnknown {
			counts = append(counts, "countIf(status = "+literal(status)+")")
		}
	}
	known := "status IN (" + literals(statuses[:len(statuses)-1]) + ")"
	counts = append(counts, "countIf(NOT "+known+")")
	body := strings.NewReplacer(
		"{store}", quote(d.store),
		"{shown}", strings.Join(shown, ", "),
		"{counts}", strings.Join(counts, ", "),
		"{zeros}", strings.Join(zeros, ", "),
		"{approved}", "status = "+literal(schema.StatusApproved),
		"{open}", "status IN ("+literals([]string{schema.StatusPending, schema.StatusHold})+")",
	).Replace(dailyPerformance)
	return d.createView("daily_performance", "One row is how an offer did with a publisher in a country on a day, in one currency. Test traffic does not count.", columns, body)
}

// dailyPerformance is the SELECT of the view. m is one currency of a cell: currency,
// conversions, the six counts by status, payout, revenue, open payout, open revenue.
const dailyPerformance = `SELECT
    cells.account AS account, day, cells.offer_id AS offer_id, if(o.name = '', cells.offer_name, o.name) AS offer_name,
    publisher_id, publisher_name, country,
    if(m.2 = 0, toString(o.currency), m.1) AS currency,
    if(place = 1, cell_clicks, 0) AS clicks,
    m.2 AS conversions, {shown},
    m.9 AS payout, m.10 AS revenue, m.11 AS open_payout, m.12 AS open_revenue,
    if(clicks = 0, toDecimal128(0, 10), divideDecimal(toDecimal128(conversions, 0), toDecimal128(greatest(clicks, 1), 0), 10)) AS conversion_rate,
    if(clicks = 0, toDecimal128(0, 10), divideDecimal(payout, toDecimal128(greatest(clicks, 1), 0), 10)) AS epc
FROM
(
    SELECT
        account, day, offer_id, publisher_id, country,
        max(offer) AS offer_name, max(publisher) AS publisher_name, sum(n) AS cell_clicks,
        arrayReverseSort(x -> (x.2, x.1), groupArray(money)) AS found,
        if(found[1].2 > 0, arrayFilter(x -> x.2 > 0, found), arraySlice(found, 1, 1)) AS currencies
    FROM
    (
        SELECT
            account, report_date AS day, offer_id, publisher_id, country,
            max(toString(offer_name)) AS offer, max(toString(publisher_name)) AS publisher, toUInt64(0) AS n,
            tuple(toString(currency), count(), {counts},
                sumIf(payout, {approved}), sumIf(revenue, {approved}), sumIf(payout, {open}), sumIf(revenue, {open})) AS money
        FROM {store}.conversions FINAL
        WHERE _deleted = 0 AND is_test = 0
        GROUP BY account, day, offer_id, publisher_id, country, currency
        UNION ALL
        SELECT
            account, report_date AS day, offer_id, publisher_id, country,
            max(toString(offer_name)) AS offer, max(toString(publisher_name)) AS publisher, count() AS n,
            tuple('', toUInt64(0), {zeros},
                toDecimal128(0, 10), toDecimal128(0, 10), toDecimal128(0, 10), toDecimal128(0, 10)) AS money
        FROM {store}.clicks FINAL
        WHERE _deleted = 0 AND is_test = 0
        GROUP BY account, day, offer_id, publisher_id, country
    )
    GROUP BY account, day, offer_id, publisher_id, country
) AS cells
ARRAY JOIN currencies AS m, arrayEnumerate(currencies) AS place
LEFT ANY JOIN
(
    SELECT account, offer_id, name, currency FROM {store}.offers FINAL WHERE _deleted = 0
) AS o ON o.account = cells.account AND o.offer_id = cells.offer_id
SETTINGS do_not_merge_across_partitions_select_final = 1, ` + whoeverAsks

// freshness gives the view that says of every stream how far behind it is.
func (d *ddl) freshness() string {
	columns := []column{
		{name: "network", kind: kindWord, doc: "The network, as in the catalogue."},
		{name: "account", kind: kindWord, doc: "The account of the configuration."},
		{name: "stream", kind: kindWord, doc: "The stream of the account."},
		{name: "state", kind: kindWord, doc: "Where the stream stands, in a word or two."},
		{name: "last_success", kind: "Nullable(DateTime64(3, 'UTC'))", doc: "When rows of it were last published, UTC."},
		{name: "lag_seconds", kind: "Nullable(Int64)", doc: "Seconds since then."},
		{name: "complete_to", kind: "Nullable(DateTime64(3, 'UTC'))", doc: "Everything before this instant has been pulled."},
		{name: "next_run", kind: "Nullable(DateTime64(3, 'UTC'))", doc: "When it is due next, UTC."},
		{name: "rows", kind: kindCount, doc: "Rows of its last publication."},
		{name: "last_error", kind: kindText, doc: "Its last failure in words; empty after a success."},
		{name: "updated_at", kind: kindInstant, doc: "When the daemon last said so, UTC."},
	}
	epoch := "toDateTime64(0, 3, 'UTC')"
	body := fmt.Sprintf(`SELECT
    network, account, stream, state,
    nullIf(s.last_success, %[1]s) AS last_success,
    dateDiff('second', nullIf(s.last_success, %[1]s), now64(3, 'UTC')) AS lag_seconds,
    nullIf(s.complete_to, %[1]s) AS complete_to,
    nullIf(s.next_run, %[1]s) AS next_run,
    rows, last_error, updated_at
FROM %[2]s.%[3]s AS s FINAL`, epoch, quote(d.store), quote(ledgerStreams))
	return d.createView("freshness", "One row is a stream and how far behind it is.", columns, body)
}
