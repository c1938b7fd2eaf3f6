package metricssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Export is one export as it was asked for, and what became of it.
type Export struct {
	ID, Type, Integration string
	Start, End, Zone      string // as they were sent
	Delimiter             string
	Fields, Extra         []string
	Created               time.Time
	Fault                 FaultKind // decided at its creation
	// Name, Size, Rows and Truncated are known when it is COMPLETED.
	Name      string
	Size      int64
	Rows      int
	Truncated bool
	// Signed and Fetched count the links to the file that were made, and the whole
	// files that were sent.
	Signed, Fetched int

	from, to time.Time
	zone     *time.Location
	filter   *filter
	path     string // of the file; "" while there is none
	gzip     bool   // the file is one
}

// exportTypeOf is the type that a call creates an export of; "" if it does not.
func exportTypeOf(r *http.Request) string {
	rest, ok := strings.CutPrefix(r.URL.Path, apiPrefix+"/download-center/integrations/")
	if !ok {
		return ""
	}
	_, last, _ := strings.Cut(rest, "/")
	kind := strings.ReplaceAll(last, "-", "_")
	if !slices.Contains(Types, kind) {
		return ""
	}
	return kind
}

// create makes an export: every call that is not refused makes one more.
func (n *Network) create(r *http.Request, kind string) reply {
	if n.opt.PostOnly && r.Method != http.MethodPost || n.opt.GetOnly && r.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	e, refused := n.newExport(r, kind)
	if e == nil {
		return refused
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.opt.Now().UTC()
	today := 0
	for _, old := range n.exports {
		if old.Created.Truncate(day).Equal(now.Truncate(day)) {
			today++
		}
		if old.same(e) && !old.failed() && now.Sub(old.Created) < time.Hour {
			n.log.violation(fmt.Sprintf("export bought twice within an hour: %s %s %s to %s", e.Type, e.Integration, e.Start, e.End))
		}
	}
	if today >= n.opt.ExportsPerDay {
		return refuse(n.opt.QuotaStatus, "daily export limit reached")
	}
	fault, _ := n.faults.strike(r.URL.Path, kind, true)
	e.Created, e.Fault = now, fault.Kind
	e.ID = fmt.Sprintf("%012x", of(n.opt.Seed, 'x', uint64(len(n.exports)))>>16)
	n.exports = append(n.exports, e)
	return reply{status: 200, body: marshal(n.describe(e))}
}

// newExport reads and checks what is asked for.
func (n *Network) newExport(r *http.Request, kind string) (*Export, reply) {
	q := r.URL.Query()
	e := &Export{Type: kind, Integration: r.PathValue("integration"), Start: q.Get("start_time"), End: q.Get("end_time"), Zone: q.Get("timezone"), Delimiter: q.Get("delimiter")}
	e.Start, e.End = cmp.Or(e.Start, q.Get("start_date")), cmp.Or(e.End, q.Get("end_date"))
	if !slices.Contains(n.opt.Integrations, e.Integration) {
		return nil, refuse(404, "integration not found")
	}
	var err error
	if e.from, e.to, e.zone, err = timeRange(q); err != nil {
		return nil, refuse(400, "%v", err)
	}
	if e.filter, err = rowFilter(r, e.Integration); err != nil {
		return nil, refuse(400, "%v", err)
	}
	for name := range strings.SplitSeq(q.Get("fields"), ",") {
		name = strings.TrimSpace(name)
		_, known := findField(kind, name)
		switch {
		case known:
			e.Fields = append(e.Fields, name)
		case name != "" && !n.opt.IgnoreUnknownFields:
			return nil, refuse(400, "fields: %s is unknown", name)
		}
	}
	if len(e.Fields) == 0 {
		return nil, refuse(400, "fields is required")
	}
	if kind != Postbacks {
		extra, sent := q["extra_parameters"]
		if !sent || n.opt.RefuseEmptyExtra && extra[0] == "" {
			return nil, refuse(400, "extra_parameters is required")
		}
		e.Extra = strings.FieldsFunc(extra[0], func(c rune) bool { return c == ',' })
	}
	if len(e.Delimiter) > 1 {
		return nil, refuse(400, "delimiter is one character")
	}
	return e, reply{}
}

// same says whether two exports ask for the same.
func (e *Export) same(o *Export) bool {
	return e.Type == o.Type && e.Integration == o.Integration && e.Start == o.Start && e.End == o.End && e.Zone == o.Zone &&
		e.Delimiter == o.Delimiter && slices.Equal(e.Fields, o.Fields) && slices.Equal(e.Extra, o.Extra)
}

// failed says that nothing can come of it, so that another one is fair.
func (e *Export) failed() bool {
	return slices.Contains([]FaultKind{ExportError, ExportCanceled, ExportStuck}, e.Fault)
}

// status follows from the clock. n.mu must be held.
func (n *Network) status(e *Export) string {
	age := n.opt.Now().Sub(e.Created)
	switch {
	case age < n.opt.PendingFor:
		return "PENDING"
	case age < n.opt.PendingFor+n.opt.WorkFor || e.Fault == ExportStuck:
		return "IN_PROGRESS"
	case e.Fault == ExportError:
		return "ERROR"
	case e.Fault == ExportCanceled:
		return "CANCELED"
	}
	return n.opt.SuccessWord
}

// describe is an export as the API shows it; its file is written when it is first
// shown as done. n.mu must be held.
func (n *Network) describe(e *Export) any {
	status := n.status(e)
	message, finished := "", status == n.opt.SuccessWord
	if status == "ERROR" {
		message = "query timed out"
	}
	if finished && e.Name == "" {
		if err := n.write(e); err != nil {
			status, message, finished = "ERROR", err.Error(), false
		}
	}
	artifact := any(map[string]any{"download_link": "", "meta": map[string]any{"id": "", "organization": "", "type": ""}, "name": "", "size": 0})
	if message != "" {
		artifact = nil
	}
	results := map[string]any{"duration_seconds": 0, "range_truncated": false, "total": 0}
	if finished {
		results = map[string]any{"duration_seconds": int(n.opt.WorkFor / time.Second), "range_truncated": e.Truncated, "total": e.Rows + oneIf(e.Fault == WrongTotal)}
		if e.path != "" {
			artifact = map[string]any{"download_link": "gs://exports-demo/" + organisation + "/" + e.Name, "name": e.Name, "size": e.Size + 7*int64(oneIf(e.Fault == WrongSize)),
				"meta": map[string]any{"id": e.ID, "organization": organisation, "type": e.Type}}
		}
	}
	updated := min(n.opt.Now().Sub(e.Created), n.opt.PendingFor+n.opt.WorkFor)
	return map[string]any{
		"id": e.ID, "type": e.Type, "status": status, "error": message, "artifact": artifact, "results_meta": results,
		"created_at": e.Created.Format(time.RFC3339), "updated_at": e.Created.Add(updated).Format(time.RFC3339),
		"email_config":        map[string]any{"recipient": "", "referer": ""},
		"export_list_options": map[string]any{"extra_parameters": texts(e.Extra), "fields": []string{}, "filters": map[string]any{}},
		"format":              map[string]any{"delimiter": cmp.Or(e.Delimiter, ",")},
		"guest_token":         "secret-guest-" + e.ID, "integration": e.Integration, "last_updated_by": "", "notify_by_email": false,
		"organization": organisation, "platform": "24metrics", "requested_by": "u1",
		"reports_query_option": map[string]any{"start_date": e.Start, "end_date": e.End, "relative_date": "", "include_fields": e.Fields,
			"extra_parameters_as_new_fields": texts(e.Extra), "filters": e.filters(), "sort_by": []any{map[string]any{"name": sortedBy(e.Type), "is_descending": true}}},
	}
}

func (e *Export) filters() any {
	out := map[string]any{}
	add := func(name string, values []string) {
		if len(values) > 0 {
			out[name] = map[string]any{"equal_values": values, "not_equal_values": []string{}, "like_values": []string{}, "greater_than_values": []int{}, "less_than_values": []int{}}
		}
	}
	add("integration_id", []string{e.Integration})
	add("status", e.filter.status)
	add("offer_id", e.filter.offer)
	add("publisher", e.filter.publisher)
	add("advertiser", e.filter.advertiser)
	return out
}

func sortedBy(kind string) string {
	switch kind {
	case Conversions:
		return "conversion_time"
	case Postbacks:
		return "time"
	}
	return "request_time"
}

func texts(list []string) []string { return append([]string{}, list...) }

func oneIf(v bool) int {
	if v {
		return 1
	}
	return 0
}

// exportMember is the value that a filter of the list of exports is about:
// reports_query_option.filters.offer_id.equalvalues is spelled without the
// underscore, and holds several.
func exportMember(body json.RawMessage, path string) string {
	if inner, ok := strings.CutSuffix(path, ".equalvalues"); ok {
		var list []string
		_ = json.Unmarshal([]byte(member(body, inner+".equal_values")), &list) // none: no such filter
		return strings.Join(list, ",")
	}
	return member(body, path)
}

func (n *Network) listExports(r *http.Request) reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	var items []any
	for _, e := range n.exports {
		items = append(items, n.describe(e))
	}
	return n.page(r, items)
}

func (n *Network) getExport(r *http.Request) reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.exports, func(e *Export) bool { return e.ID == r.PathValue("export") })
	if i < 0 {
		return refuse(404, "export not found")
	}
	return reply{status: 200, body: marshal(map[string]any{"data": n.describe(n.exports[i])})}
}

// Exports are all that were created, in order, also those whose answer was lost.
func (n *Network) Exports() []Export {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]Export, len(n.exports))
	for i, e := range n.exports {
		out[i] = *e
	}
	return out
}
