package loaders

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/ext"
	chcolumn "github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"syncd/schema"
)

// maxRanges bounds the ranges in a statement; beyond it the ranges of an account
// become one.
const maxRanges = 64

// area is the scopes of a publication in one table that are alike: all complete or
// none, with the same column to be by and the same constants. All of an area's units are asked
// about in one query, however many they are; the scopes travel as an external table.
type area struct {
	table *schema.Table
	// complete areas own all rows of their scopes, others only the keys they stage.
	complete bool
	// by is the column that the windows are by; empty when the scopes have no window.
	by string
	// equal are the columns with constants, sorted.
	equal []string
	// loose areas own what their units stage wherever it lies (see Scope.Loose).
	loose  bool
	scopes []areaScope
}

// areaScope is one unit's scope in an area.
type areaScope struct {
	unit    int // index in the publication
	version uint64
	account string
	run     string
	window  time.Time // what the unit's rows carry in _window
	// from and to bound by, half open; for a Date column they are midnights UTC.
	from, to time.Time
	// fromDay and toDay bound the partition's report day, half open and generously;
	// zero where by is that day or the table has none.
	fromDay, toDay time.Time
	// except are parts of the window that are not the unit's, as from and to are.
	except []span
	equal  []string // values of area.equal
}

// span is a part of time, half open.
type span struct{ from, to time.Time }

// areas sorts the scopes of units into areas, in a stable order. Scopes that overlap
// are an error: it could not be said which unit a row belongs to.
func areas(units []Unit) ([]*area, error) {
	found := map[string]*area{}
	for i := range units {
		u := &units[i]
		seen := map[*schema.Table]bool{}
		for j := range u.Outputs {
			o := &u.Outputs[j]
			if seen[o.Table] {
				return nil, fmt.Errorf("pull %d has two scopes in %s", u.PullID, o.Table.Name)
			}
			seen[o.Table] = true
			s := areaScope{unit: i, version: u.Version, account: u.Account, run: u.RunID, window: o.From}
			by := ""
			if u.Complete && o.By != "" {
				by = o.By
				c := o.Table.Index(by)
				if c < 0 {
					return nil, fmt.Errorf("pull %d: %s has no column %s", u.PullID, o.Table.Name, by)
				}
				s.from, s.to = o.From, o.To
				if o.Table.Columns[c].Type == schema.Date {
					s.from, s.to = o.FromDay, o.ToDay
				} else if p := o.Table.Index(o.Table.Partition); p >= 0 && o.Table.Columns[p].Type == schema.Date && !o.FromDay.IsZero() {
					// A day more at both ends, for rows that were pulled when the account had
					// another time zone.
					s.fromDay, s.toDay = o.FromDay.AddDate(0, 0, -1), o.ToDay.AddDate(0, 0, 1)
				}
				for _, e := range o.Except {
					if o.Table.Columns[c].Type == schema.Date {
						s.except = append(s.except, span{e.FromDay, e.ToDay})
					} else {
						s.except = append(s.except, span{e.From, e.To})
					}
				}
				if !s.from.Before(s.to) {
					return nil, fmt.Errorf("pull %d: the window of %s is empty", u.PullID, o.Table.Name)
				}
			}
			equal := slices.Sorted(maps.Keys(o.Equal))
			for _, c := range equal {
				if o.Table.Index(c) < 0 {
					return nil, fmt.Errorf("pull %d: %s has no column %s", u.PullID, o.Table.Name, c)
				}
				s.equal = append(s.equal, o.Equal[c])
			}
			key := strings.Join(append([]string{o.Table.Name, fmt.Sprint(u.Complete, o.Loose), by}, equal...), "\x00")
			if found[key] == nil {
				found[key] = &area{table: o.Table, complete: u.Complete, by: by, equal: equal, loose: o.Loose}
			}
			found[key].scopes = append(found[key].scopes, s)
		}
	}
	var all []*area
	for _, key := range slices.Sorted(maps.Keys(found)) {
		a := found[key]
		slices.SortFunc(a.scopes, func(x, y areaScope) int {
			return cmp.Or(cmp.Compare(x.account, y.account), slices.Compare(x.equal, y.equal), x.from.Compare(y.from))
		})
		all = append(all, a)
	}
	return all, overlap(all, units)
}

// overlap reports the first two scopes that share rows.
func overlap(all []*area, units []Unit) error {
	clash := func(a *area, x, y *areaScope) error {
		return fmt.Errorf("pulls %d and %d both own rows of %s of account %s", units[x.unit].PullID, units[y.unit].PullID, a.table.Name, x.account)
	}
	for i, a := range all {
		for n := 1; n < len(a.scopes); n++ {
			x, y := &a.scopes[n-1], &a.scopes[n]
			if x.account == y.account && slices.Equal(x.equal, y.equal) && (a.by == "" || a.loose || y.from.Before(x.to)) {
				return clash(a, x, y)
			}
		}
		for _, b := range all[:i] {
			if b.table != a.table {
				continue
			}
			for x := range a.scopes {
				for y := range b.scopes {
					if a.shares(&a.scopes[x], b, &b.scopes[y]) {
						return clash(a, &a.scopes[x], &b.scopes[y])
					}
				}
			}
		}
	}
	return nil
}

// shares reports whether scopes of two areas of one table can share rows: nothing
// they both fix differs.
func (a *area) shares(x *areaScope, b *area, y *areaScope) bool {
	if x.account != y.account {
		return false
	}
	for i, column := range a.equal {
		if j := slices.Index(b.equal, column); j >= 0 && x.equal[i] != y.equal[j] {
			return false
		}
	}
	return a.loose || b.loose || a.by == "" || a.by != b.by || x.from.Before(y.to) && y.from.Before(x.to)
}

// scopesTable is the name of the external table with an area's scopes.
const scopesTable = "unit_scopes"

// external makes the external table of those of the area's scopes that are wanted.
func (a *area) external(wanted func(areaScope) bool) (*ext.Table, error) {
	kind := "DateTime64(3, 'UTC')"
	if a.byDate() {
		kind = "Date"
	}
	columns := []func(*ext.Table) error{
		ext.Column("unit", "UInt32"), ext.Column("version", "UInt64"),
		ext.Column("account", "String"), ext.Column("run", "String"), ext.Column("window", "DateTime('UTC')"),
		ext.Column("low", chcolumn.Type(kind)), ext.Column("high", chcolumn.Type(kind)),
	}
	for i := range a.equal {
		columns = append(columns, ext.Column(fmt.Sprintf("equal_%d", i), "String"))
	}
	t, err := ext.NewTable(scopesTable, columns...)
	if err != nil {
		return nil, fmt.Errorf("describing the scopes: %w", err)
	}
	for _, s := range a.scopes {
		if !wanted(s) {
			continue
		}
		row := []any{uint32(s.unit), s.version, s.account, s.run, orEpoch(s.window), orEpoch(s.from), orEpoch(s.to)}
		for _, v := range s.equal {
			row = append(row, v)
		}
		if err := t.Append(row...); err != nil {
			return nil, fmt.Errorf("describing the scopes: %w", err)
		}
	}
	return t, nil
}

func (a *area) byDate() bool {
	return a.by != "" && a.table.Columns[a.table.Index(a.by)].Type == schema.Date
}

// join gives the JOIN that finds the scope s of each row of a query r, and drops
// rows of none. A row's window is the last one that begins at or before it, if that
// has not ended: windows do not overlap.
func (a *area) join() string {
	var on []string
	on = append(on, "toString(r.account) = s.account")
	for i, c := range a.equal {
		on = append(on, fmt.Sprintf("toString(r.%s) = s.equal_%d", quote(c), i))
	}
	if a.by == "" {
		return "INNER JOIN " + scopesTable + " AS s ON " + strings.Join(on, " AND ")
	}
	return "ASOF INNER JOIN " + scopesTable + " AS s ON " + strings.Join(on, " AND ") + " AND r." + quote(a.by) + " >= s.low"
}

// inside gives the condition, after join, that the row is inside its window.
func (a *area) inside() string {
	if a.by == "" {
		return "1"
	}
	return "r." + quote(a.by) + " < s.high"
}

// older gives the condition, after join, that a visible row is of an older call than its
// unit's, and no younger unit answers for it.
func (a *area) older() string {
	var condition strings.Builder
	condition.WriteString("r._version < s.version")
	value := instant
	if a.byDate() {
		value = day
	}
	for _, s := range a.scopes {
		for _, e := range s.except {
			condition.WriteString(fmt.Sprintf(" AND NOT (s.unit = %[1]d AND r.%[2]s >= %[3]s AND r.%[2]s < %[4]s)", s.unit, quote(a.by), value(e.from), value(e.to)))
		}
	}
	return condition.String()
}

// brought gives the area of what the units stage: the area itself, but for a loose one
// its accounts without their windows.
func (a *area) brought() *area {
	if !a.loose {
		return a
	}
	whole := *a
	whole.by, whole.scopes = "", slices.Clone(a.scopes)
	for i := range whole.scopes {
		whole.scopes[i].fromDay, whole.scopes[i].toDay = time.Time{}, time.Time{}
	}
	return &whole
}

// needed are the columns that join and inside read.
func (a *area) needed() []string {
	names := []string{schema.ColumnAccount}
	names = append(names, a.equal...)
	if a.by != "" && !slices.Contains(names, a.by) {
		names = append(names, a.by)
	}
	return names
}

// near gives a condition that holds for all rows of the area's scopes and for few
// others, in literals, so that the server reads little of the table. Windows that
// touch become one range.
func (a *area) near() string {
	type stretch struct {
		account  string
		equal    []string
		from, to time.Time
		// fromDay and toDay are zero where the window's own bounds are days.
		fromDay, toDay time.Time
	}
	collect := func(join func(last *stretch, s *areaScope) bool) []stretch {
		var spans []stretch
		for i := range a.scopes {
			s := &a.scopes[i]
			if n := len(spans); n > 0 && spans[n-1].account == s.account && slices.Equal(spans[n-1].equal, s.equal) && join(&spans[n-1], s) {
				spans[n-1].to, spans[n-1].toDay = s.to, s.toDay
				continue
			}
			spans = append(spans, stretch{s.account, s.equal, s.from, s.to, s.fromDay, s.toDay})
		}
		return spans
	}
	spans := collect(func(last *stretch, s *areaScope) bool { return !s.from.After(last.to) })
	if len(spans) > maxRanges {
		spans = collect(func(*stretch, *areaScope) bool { return true })
	}
	conditions := make([]string, len(spans))
	for i, s := range spans {
		parts := []string{quote(schema.ColumnAccount) + " = " + literal(s.account)}
		for j, c := range a.equal {
			parts = append(parts, quote(c)+" = "+literal(s.equal[j]))
		}
		if a.by != "" {
			value := instant
			if a.byDate() {
				value = day
			}
			parts = append(parts, fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", quote(a.by), value(s.from), value(s.to)))
		}
		if !s.fromDay.IsZero() {
			// The report day stands in the sorting key and in the partition, the window's
			// own column only in an index of granules, which FINAL does not use.
			parts = append(parts, fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", quote(a.table.Partition), day(s.fromDay), day(s.toDay)))
		}
		conditions[i] = "(" + strings.Join(parts, " AND ") + ")"
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}
