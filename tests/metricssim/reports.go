package metricssim

import (
	"net/http"
	"slices"
	"time"
)

// report answers with a page of a table: rows of a range, newest first, from or up
// to a cursor.
func (n *Network) report(r *http.Request, kind string) reply {
	q := r.URL.Query()
	integration := q.Get("integration_id")
	if integration == "" {
		return refuse(400, "integration_id is required")
	}
	if !slices.Contains(n.opt.Integrations, integration) {
		return refuse(404, "integration not found")
	}
	from, to, _, err := timeRange(q)
	if err != nil {
		return refuse(400, "%v", err)
	}
	size, err := n.pageSize(q, true)
	if err != nil {
		return refuse(400, "%v", err)
	}
	f, err := rowFilter(r, integration)
	if err != nil {
		return refuse(400, "%v", err)
	}
	after, before := q.Get("page[after]"), q.Get("page[before]")
	if after != "" && before != "" {
		return refuse(400, "page[after] and page[before] exclude each other")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	rows := n.between(kind, from, to, f, n.opt.Now())
	lo, hi := 0, min(size, len(rows))
	if cursor := after + before; cursor != "" {
		first, last := place(rows, cursor)
		switch {
		case first < 0 && !n.opt.UnknownCursorFirst:
			return refuse(400, "unknown cursor")
		case first < 0:
		case after != "" && n.opt.CursorSkipsEqual:
			lo, hi = last+1, min(last+1+size, len(rows))
		case after != "":
			lo, hi = first+1, min(first+1+size, len(rows))
		default:
			lo, hi = max(first-size, 0), first
		}
	}
	return reply{status: 200, rows: hi - lo, body: n.table(kind, rows, lo, hi)}
}

// place finds the first and the last row of a real_tx_id; -1 if there is none.
func place(rows []stub, tx string) (first, last int) {
	first = slices.IndexFunc(rows, func(s stub) bool { return s.tx() == tx })
	last = first
	for last >= 0 && last+1 < len(rows) && rows[last+1].tx() == tx {
		last++
	}
	return first, last
}

// table writes the rows [lo, hi) in their envelope. n.mu must be held.
func (n *Network) table(kind string, rows []stub, lo, hi int) []byte {
	b := append([]byte(`{"data":{"count":`), itoa(len(rows))...)
	b = append(b, `,"data":[`...)
	start, end := "", ""
	for i, s := range rows[lo:hi] {
		if i > 0 {
			b = append(b, ',')
		} else {
			start = s.tx()
		}
		end = s.tx()
		r := n.row(dayKey{kind, s.at / 86400}, s)
		b = r.appendJSON(b)
	}
	b = append(b, `],"pageInfo":`...)
	b = append(b, marshal(map[string]any{"startCursor": start, "endCursor": end, "hasPreviousPage": lo > 0, "hasNextPage": hi < len(rows)})...)
	return append(b, "}}"...)
}

// eachBetween calls f with each row of a range, newest first, until it returns false.
// n.mu must be held.
func (n *Network) eachBetween(kind string, from, to time.Time, f *filter, now time.Time, do func(*Row) bool) {
	for _, s := range n.between(kind, from, to, f, now) {
		r := n.row(dayKey{kind, s.at / 86400}, s)
		if !do(&r) {
			return
		}
	}
}
