package metricssim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func always[T any](items []T) func(*http.Request) ([]any, bool) {
	return func(*http.Request) ([]any, bool) { return boxed(items), true }
}

func boxed[T any](items []T) []any {
	out := make([]any, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

func (n *Network) offersOf(r *http.Request) ([]any, bool) {
	integration := r.PathValue("integration")
	var out []any
	for i := range n.world.offers {
		if n.world.offers[i].Integration == integration {
			out = append(out, &n.world.offers[i])
		}
	}
	return out, slices.Contains(n.opt.Integrations, integration)
}

func ofOffer[T any](n *Network, r *http.Request, by map[string][]T) ([]any, bool) {
	known := slices.ContainsFunc(n.world.offers, func(o Offer) bool {
		return o.Integration == r.PathValue("integration") && o.ID == r.PathValue("offer")
	})
	return boxed(by[r.PathValue("offer")]), known
}

// list answers with a page of entities, as all lists but the reports are paged.
func (n *Network) list(all func(*http.Request) ([]any, bool)) handler {
	return func(r *http.Request) reply {
		n.mu.Lock()
		defer n.mu.Unlock()
		items, ok := all(r)
		if !ok {
			return refuse(http.StatusNotFound, "not found")
		}
		return n.page(r, items)
	}
}

func (n *Network) single(all func(*http.Request) ([]any, bool)) handler {
	return func(r *http.Request) reply {
		n.mu.Lock()
		defer n.mu.Unlock()
		items, _ := all(r)
		for _, item := range items {
			if body := marshal(item); member(body, "id") == r.PathValue("entity") {
				return reply{status: 200, body: marshal(map[string]json.RawMessage{"data": body}), rows: 1}
			}
		}
		return refuse(http.StatusNotFound, "not found")
	}
}

func marshal(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic("metricssim: writing JSON of our own types: " + err.Error())
	}
	return body
}

// member is the text of a dotted member, whose keys contain no dots; "" if there is none.
func member(body json.RawMessage, path string) string {
	for key := range strings.SplitSeq(path, ".") {
		var m map[string]json.RawMessage
		if json.Unmarshal(body, &m) != nil {
			return ""
		}
		body = m[key]
	}
	var s string
	if json.Unmarshal(body, &s) == nil {
		return s
	}
	return string(body)
}

// page filters, sorts and cuts a list.
func (n *Network) page(r *http.Request, items []any) reply {
	q := r.URL.Query()
	size, err := n.pageSize(q, false)
	if err != nil {
		return refuse(400, "%v", err)
	}
	number := 1
	if v := q.Get("page[number]"); v != "" {
		if number, err = strconv.Atoi(v); err != nil || number < 1 {
			return refuse(400, "page[number] is no page")
		}
	}
	filters, err := conditions(q)
	if err != nil {
		return refuse(400, "%v", err)
	}
	var bodies []json.RawMessage
	for _, item := range items {
		body := marshal(item)
		if !slices.ContainsFunc(filters, func(c condition) bool { return !c.holds(exportMember(body, c.name)) }) {
			bodies = append(bodies, body)
		}
	}
	if by := q.Get("sort"); by != "" {
		slices.SortStableFunc(bodies, func(a, b json.RawMessage) int { return bySort(by, a, b) })
	}
	total, pages := len(bodies), (len(bodies)+size-1)/size
	lo := min((number-1)*size, total)
	hi := min(lo+size, total)
	return reply{status: 200, rows: hi - lo, body: marshal(map[string]any{
		"data": append([]json.RawMessage{}, bodies[lo:hi]...),
		"meta": map[string]any{"total_count": total, "total_page": pages, "links": map[string]any{
			"next": n.link(number+1, size, number < pages), "prev": n.link(number-1, size, number > 1)}},
	})}
}

func (n *Network) link(number, size int, there bool) any {
	switch {
	case !there && !n.opt.ZeroLinks:
		return nil
	case !there:
		number, size = 0, 0
	}
	return map[string]any{"page[after]": "", "page[before]": "", "page[number]": number, "page[size]": size}
}

// bySort compares by "-type,name".
func bySort(by string, a, b json.RawMessage) int {
	for name := range strings.SplitSeq(by, ",") {
		name, down := strings.CutPrefix(name, "-")
		c := compareText(member(a, name), member(b, name))
		if down {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
