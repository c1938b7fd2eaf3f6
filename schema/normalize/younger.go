package normalize

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"syncd/schema"
)

// Span is a part of time of which a younger answer has all rows.
type Span struct {
	// From and To bound it, half open, in milliseconds since 1970.
	From, To int64
	// Version is that of the youngest answer that has them.
	Version uint64
}

// Spans are spans that do not overlap, oldest first. See NewSpans.
type Spans []Span

// NewSpans makes spans of some that may overlap: of each instant the greatest version counts.
func NewSpans(list []Span) Spans {
	var cuts []int64
	list = slices.DeleteFunc(slices.Clone(list), func(s Span) bool { return s.From >= s.To })
	for _, s := range list {
		cuts = append(cuts, s.From, s.To)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	slices.SortFunc(list, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var made Spans
	var open []Span // those that reach the cut in hand
	next := 0
	for i := range max(len(cuts)-1, 0) {
		from, to := cuts[i], cuts[i+1]
		open = slices.DeleteFunc(open, func(s Span) bool { return s.To <= from })
		for ; next < len(list) && list[next].From <= from; next++ {
			open = append(open, list[next])
		}
		if len(open) == 0 {
			continue
		}
		version := slices.MaxFunc(open, func(a, b Span) int { return cmp.Compare(a.Version, b.Version) }).Version
		if n := len(made); n > 0 && made[n-1].To == from && made[n-1].Version == version {
			made[n-1].To = to
			continue
		}
		made = append(made, Span{from, to, version})
	}
	return made
}

// At gives the version of the youngest answer that has all rows of an instant; 0 if none has.
func (s Spans) At(milli int64) uint64 {
	i := sort.Search(len(s), func(i int) bool { return s[i].To > milli })
	if i == len(s) || s[i].From > milli {
		return 0
	}
	return s[i].Version
}

// Within gives the spans that reach into a part of time.
func (s Spans) Within(from, to int64) Spans {
	i := sort.Search(len(s), func(i int) bool { return s[i].To > from })
	j := sort.Search(len(s), func(i int) bool { return s[i].From >= to })
	return s[i:max(i, j)]
}

// Younger says which rows of an answer that is read once more are not its own any more:
// those that a younger one would have, if they still were.
type Younger struct {
	// By is the Time or Date column that the spans bound; empty for none.
	By    string
	Spans Spans
}

// beginYounger finds the column that Younger is by.
func (n *Normalizer) beginYounger(c *Context) {
	n.page.younger = -1
	if c.Younger.By != "" && len(c.Younger.Spans) > 0 {
		n.page.younger = n.table.Index(c.Younger.By)
	}
}

// isYoungers reports whether the row in hand is a younger answer's.
func (n *Normalizer) isYoungers() bool {
	p := &n.page
	if p.younger < 0 || !p.block.IsSet(p.younger) {
		return false
	}
	at := p.millis[p.younger]
	if n.table.Columns[p.younger].Type == schema.Date {
		day := time.Unix(at*24*60*60, 0).UTC()
		// Windows are whole days of the account's zone. Noon is in its day in every zone.
		at = time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, p.zone.Location()).UnixMilli()
	}
	return p.context.Younger.Spans.At(at) > p.context.Version
}
