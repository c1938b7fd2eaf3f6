package loaders

import "strings"

// lateness gives the view from which somebody can choose the tiers of restatement:
// within how many hours conversions came, changed and went.
func (d *ddl) lateness() string {
	columns := []column{
		{name: "network", kind: kindWord, doc: "The network, as in the catalogue."},
		{name: "account", kind: kindWord, doc: "The account of the configuration."},
		{name: "offer_id", kind: kindText, doc: "The offer's id."},
		{name: "offer_name", kind: kindText, doc: "The offer's name."},
		{name: "event", kind: kindWord, doc: "What a later pull of a window did with conversions: added, changed or removed."},
		{name: "since", kind: kindText, doc: "What the hours count from: creation of the conversion, or its click where that is known."},
		{name: "rows", kind: kindCount, doc: "How often that happened to a conversion."},
		{name: "p50_hours", kind: "UInt16", doc: "Half of it within so many hours, rounded up: by the hour for three days, then by the day."},
		{name: "p90_hours", kind: "UInt16", doc: "Nine in ten within so many hours."},
		{name: "p99_hours", kind: "UInt16", doc: "99 in a hundred within so many hours."},
		{name: "max_hours", kind: "UInt16", doc: "All of it within so many hours."},
		{name: "ages", kind: "Map(UInt16, UInt64)", doc: "Rows by hours, to be added up over offers."},
		{name: "last_at", kind: kindInstant, doc: "When it happened last, UTC."},
	}
	body := strings.NewReplacer("{store}", quote(d.store)).Replace(lateness)
	return d.createView("lateness", "One row says how long after their creation or their click an offer's conversions were still added, changed or removed by later pulls of their windows.", columns, body)
}

const lateness = `SELECT
    a.network AS network, a.account AS account, a.offer_id AS offer_id, o.name AS offer_name, a.what AS event, a.origin AS since,
    sum(a.n) AS rows,
    quantileExactWeighted(0.5)(a.hours, a.n) AS p50_hours, quantileExactWeighted(0.9)(a.hours, a.n) AS p90_hours,
    quantileExactWeighted(0.99)(a.hours, a.n) AS p99_hours, max(a.hours) AS max_hours,
    sumMap(map(a.hours, a.n)) AS ages, max(a.last) AS last_at
FROM
(
    SELECT network, account, offer_id, line.1 AS what, line.2 AS origin, line.3 AS hours, sum(line.4) AS n, max(at) AS last
    FROM {store}.arrivals FINAL
    ARRAY JOIN arrayConcat(
        arrayMap((e, h, r) -> (e, 'creation', h, r), event, after_creation, rows),
        arrayMap((e, h, r) -> (e, 'click', h, r), event, after_click, rows)) AS line
    WHERE hours > 0
    GROUP BY network, account, offer_id, what, origin, hours
) AS a
LEFT ANY JOIN
(
    SELECT account, offer_id, name FROM {store}.offers FINAL WHERE _deleted = 0
) AS o ON o.account = a.account AND o.offer_id = a.offer_id
GROUP BY network, account, offer_id, offer_name, event, since
SETTINGS ` + whoeverAsks
