package loaders

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/schema"
)

// The queries of a publication. Each is over one area, however many units it has,
// and reads the area's scopes from an external table. In them r is a row and s the
// scope it lies in.

// contentOf gives the columns that are content: what the network said, and not how
// and when it came here.
func contentOf(t *schema.Table) string {
	var names []string
	for _, c := range t.Columns {
		if !strings.HasPrefix(c.Name, "_") {
			names = append(names, c.Name)
		}
	}
	return quoteAll(names)
}

// keyOf gives a digest of a row's key in 128 bits. Two fast functions take a third
// of the time of sipHash128, and all of a publication's time that is not the
// server's own goes into digests.
func keyOf(t *schema.Table) string {
	return fmt.Sprintf("(cityHash64(%[1]s), xxh3(%[1]s))", quoteAll(t.Key))
}

// rowsOf gives a query for what the others need of each row of a table: digests of
// its key and content, and the columns named.
func rowsOf(t *schema.Table, key, from, where string, columns ...string) string {
	return fmt.Sprintf("SELECT %s AS _key, cityHash64(%s) AS _content, %s FROM %s%s",
		key, contentOf(t), quoteAll(columns), from, where)
}

// counted gives the query that counts what each unit staged: rows and different keys.
// Half a digest is enough for those. Contents are not read: that would take a quarter
// of the time of a whole bulk load.
func (d *ddl) counted(slot int, a *area) string {
	own, keys := a.brought(), "uniqExact(r._key)"
	columns := own.needed()
	if a.loose {
		columns, keys = append(columns, schema.ColumnDeleted), "uniqExactIf(r._key, r._deleted = 0)"
	}
	return fmt.Sprintf("SELECT s.unit AS unit, count() AS n, %s AS keys\nFROM (SELECT cityHash64(%s) AS _key, %s FROM %s) AS r\n%s\nWHERE %s\nGROUP BY unit",
		keys, quoteAll(a.table.Key), quoteAll(columns), d.staging(slot, a.table), own.join(), own.inside())
}

// digest gives the query that sums up the digests of the contents that each unit
// staged, in which order does not show. It has to be read with final when keys came
// twice.
func (d *ddl) digest(slot int, a *area, final bool) string {
	own, from := a.brought(), d.staging(slot, a.table)
	if final {
		from += " FINAL" // which leaves tombstones out
	}
	return fmt.Sprintf("SELECT s.unit AS unit, sum(r._content) AS content\nFROM (SELECT cityHash64(%s) AS _content, %s FROM %s) AS r\n%s\nWHERE %s\nGROUP BY unit",
		contentOf(a.table), quoteAll(own.needed()), from, own.join(), own.inside())
}

// visibleIn gives the condition for the rows of the target that an area can touch.
func (d *ddl) visibleIn(slot int, a *area) string {
	if a.complete && !a.loose {
		return a.near()
	}
	staged := fmt.Sprintf("%s AND (%s) IN (SELECT %s FROM %s)", a.brought().near(), quoteAll(a.table.Key), quoteAll(a.table.Key), d.staging(slot, a.table))
	if a.complete {
		return "(" + a.near() + " OR " + staged + ")"
	}
	return staged
}

// touches gives the query that has a row when the target may hold rows of the
// area. It need not be exact, so it does without FINAL.
func (d *ddl) touches(slot int, a *area) string {
	return fmt.Sprintf("SELECT 1 FROM %s WHERE %s LIMIT 1", d.target(a.table.Name), d.visibleIn(slot, a))
}

// byPartition keeps FINAL from merging across partitions: a key never changes its
// partition, whose column is part of the key.
const byPartition = "\nSETTINGS do_not_merge_across_partitions_select_final = 1"

// The classes of a key in a comparison.
const (
	classAdded     = "added"     // staged, and not visible before
	classChanged   = "changed"   // visible with another content
	classRemoved   = "removed"   // visible, and the unit did not bring it
	classBuried    = "buried"    // visible, and the unit brought a tombstone for it
	classSame      = "same"      // visible with the same content, or with a younger one
	classKept      = "kept"      // visible and not staged, but of a younger call or outside what the unit answers for
	classPublished = "published" // visible as it is staged: by this publication, before a crash
)

// compare gives the query that compares what is staged with what is visible. It
// answers with a line for each class, pair of units and pair of currencies, and of
// tables with arrivals for each offer and age. Staging has to be read with final when
// keys came twice.
func (d *ddl) compare(slot int, a *area, final bool, now time.Time) string {
	t := a.table
	staging := d.staging(slot, t)
	if final {
		staging += " FINAL"
	}
	columns := append(a.needed(), schema.ColumnVersion)
	value := func(name, none string) string {
		if t.Index(name) < 0 {
			return none
		}
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
		return "r." + quote(name)
	}
	currency, payout, revenue := value("currency", "''"), value("payout", "toDecimal128(0, 10)"), value("revenue", "toDecimal128(0, 10)")
	offer, age := "''", "toUInt32(0)"
	if hasArrivals(t) {
		offer, age = value("offer_id", ""), ages(now)
		value("click_at", "")
		value("created_at", "")
	}
	own, removable := a.brought(), "0"
	switch {
	case a.complete && a.loose && a.by != "":
		if !slices.Contains(columns, schema.ColumnWindow) {
			columns = append(columns, schema.ColumnWindow)
		}
		removable = fmt.Sprintf("%[3]s AND r.%[1]s >= s.low AND r.%[1]s < s.high AND %[2]s", quote(a.by), dated, a.older())
	case a.complete:
		removable = a.older()
	}
	side := func(fresh, removable, from, where string) string {
		return fmt.Sprintf("        SELECT %s AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, %s AS removable, toString(%s) AS currency, %s AS payout, %s AS revenue, %s AS offer, %s AS ages\n        FROM (%s) AS r\n        %s\n        WHERE %s",
			fresh, removable, currency, payout, revenue, offer, age, rowsOf(t, keyOf(t), from, where, columns...), own.join(), own.inside())
	}
	hasAfter, vanished, live := "max(fresh)", fmt.Sprintf("if(max(removable), '%s', '%s')", classRemoved, classKept), ""
	tombstones, known := "", ""
	if a.loose {
		hasAfter, live = "max(fresh = 1)", " WHERE "+quote(schema.ColumnDeleted)+" = 0"
		vanished = fmt.Sprintf("multiIf(maxIf(version, fresh = 2) > version_before, '%s', max(removable), '%s', '%s')", classBuried, classRemoved, classKept)
		tombstones = "\n        UNION ALL\n" + side("2", "0", d.staging(slot, t), " WHERE "+quote(schema.ColumnDeleted)+" = 1")
		known = "\n    HAVING has_before OR has_after"
	}
	return fmt.Sprintf(`SELECT
    class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved, count() AS n,
    sum(payout_before) AS payout_was, sum(payout_after) AS payout_is, sum(revenue_before) AS revenue_was, sum(revenue_after) AS revenue_is
FROM
(
    SELECT
        %s AS has_after, min(fresh) = 0 AS has_before,
        maxIf(version, fresh = 0) AS version_before, maxIf(version, fresh = 1) AS version_after,
        multiIf(NOT has_before, '%s', NOT has_after, %s, version_before = version_after, '%s',
            version_before > version_after OR anyIf(content, fresh = 0) = anyIf(content, fresh = 1), '%s', '%s') AS class,
        maxIf(unit, fresh = 0) AS unit_before, maxIf(unit, fresh = 1) AS unit_after,
        anyIf(currency, fresh = 0) AS currency_before, anyIf(currency, fresh = 1) AS currency_after,
        anyIf(payout, fresh = 0) AS payout_before, anyIf(payout, fresh = 1) AS payout_after,
        anyIf(revenue, fresh = 0) AS revenue_before, anyIf(revenue, fresh = 1) AS revenue_after,
        class IN ('%s', '%s', '%s', '%s') AS moved,
        if(moved, any(offer), '') AS offer_moved, if(moved, max(ages), 0) AS ages_moved
    FROM
    (
%s
        UNION ALL
%s%s
    )
    GROUP BY _key%s
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved`+byPartition,
		hasAfter, classAdded, vanished, classPublished, classSame, classChanged,
		classAdded, classChanged, classRemoved, classBuried,
		side("1", "0", staging, live),
		side("0", removable, d.target(t.Name)+" FINAL", " WHERE "+d.visibleIn(slot, a)+" AND "+quote(schema.ColumnDeleted)+" = 0"),
		tombstones, known)
}

// dated is the condition for rows of leads that a window can bury: some window brought
// them once, so that the network said when they were made. The day of a row that is known
// by postbacks alone is that of its receipt, which no window answers for.
const dated = "toUnixTimestamp(r._window) > 0"

// tombstones gives the statement that stages a tombstone for every visible row in
// a complete area that its unit did not bring. A tombstone has the unit's own
// version: a row of a younger call outlives it.
func (d *ddl) tombstones(slot int, a *area) string {
	t := a.table
	names := make([]string, len(t.Columns))
	values := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
		switch c.Name {
		case schema.ColumnDeleted:
			values[i] = "1"
		case schema.ColumnVersion:
			values[i] = "s.version"
		case schema.ColumnWindow:
			values[i] = "s.window"
		case schema.ColumnRunID:
			values[i] = "s.run"
		case schema.ColumnSyncedAt:
			values[i] = "now64(3, 'UTC')"
		default:
			values[i] = "r." + quote(c.Name)
		}
	}
	older := a.older()
	if a.loose && a.by != "" {
		older += " AND " + dated
	}
	return fmt.Sprintf("INSERT INTO %s (%s)\nSELECT %s\nFROM (SELECT %s AS _key, %s FROM %s FINAL WHERE %s AND %s = 0) AS r\n%s\nWHERE %s AND %s AND r._key NOT IN (SELECT %s FROM %s)"+byPartition,
		d.staging(slot, t), quoteAll(names), strings.Join(values, ", "),
		keyOf(t), quoteAll(names), d.target(t.Name), a.near(), quote(schema.ColumnDeleted),
		a.join(), a.inside(), older, keyOf(t), d.staging(slot, t))
}
