package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
	"syncd/state"
)

// accepts reports work that the stream cannot do.
func (p *plan) accepts(w extractors.Work) error {
	switch w.Kind {
	case state.Windowed:
		if p.manifest.Window == nil || w.Window.IsZero() {
			return fmt.Errorf("a window is asked for, and the stream or the work has none")
		}
	case state.Changes:
		if p.asksOpenLeads() {
			break
		}
		if !p.stream.Changes || w.Since.IsZero() {
			return fmt.Errorf("changes are asked for, and the stream or the work has none")
		}
	case state.Snapshot:
		if p.manifest.Window != nil {
			return fmt.Errorf("a snapshot is asked for of a stream that has windows")
		}
		if p.asksOpenLeads() {
			return fmt.Errorf("a snapshot is asked for of a stream of open leads, which no answer has all of")
		}
	default:
		return fmt.Errorf("work of kind %q is asked for, which there is not", w.Kind)
	}
	if p.manifest.ForEach != nil && len(w.Items) == 0 {
		return fmt.Errorf("the list that the calls go over is empty")
	}
	return nil
}

// asksOpenLeads reports whether the stream goes over the account's open leads.
func (p *plan) asksOpenLeads() bool {
	return p.manifest.ForEach != nil && p.manifest.ForEach.OpenLeads != ""
}

// mask stands for a credential wherever people read.
const mask = "***"

// call builds the call at a cursor. The description is made of the same parts, so
// that the two cannot disagree.
func (s *Source) call(p *plan, w extractors.Work, c cursor) extractors.Call {
	f := filler{source: s, plan: p, work: w, items: p.batch(w, c)}
	templates := p.query
	if w.Kind == state.Changes && p.manifest.Changes != nil {
		templates = p.changes
	}
	query, form := f.fillParameters(templates), f.fillParameters(p.form)
	paged := &query
	if p.form != nil {
		paged = &form
	}
	if kind := p.manifest.Paging.Kind; kind != manifest.PagingNone {
		switch {
		case kind != manifest.PagingCursor:
			paged.add(p.pageParam, strconv.Itoa(c.At))
		case c.Token != "":
			paged.add(p.pageParam, c.Token)
		}
		if p.sizeParam != "" && c.Size > 0 {
			paged.add(p.sizeParam, strconv.Itoa(c.Size))
		}
	}
	call := extractors.Call{Method: http.MethodGet, Header: s.header(p), Items: f.items}
	s.authorize(p, call.Header, &query)
	if p.form == nil {
		f.content(&call, form)
	}
	s.sign(p, call.Body, &query, &form)
	if p.form != nil {
		f.content(&call, form)
	}
	path, shownPath := f.path()
	sent, _ := query.encode()
	_, shown := slices.Concat(query, form).encode()
	call.URL = cmp.Or(p.base, s.base) + path + sent
	call.Describe = shownPath + shown + f.fragment()
	return call
}

// header gives what is sent with every call of a plan, without credentials.
func (s *Source) header(p *plan) http.Header {
	header := http.Header{"Accept": {"application/json"}}
	if p.manifest.Output.Format == normalize.FormatXML {
		header.Set("Accept", "application/xml, text/xml")
	}
	for name, value := range s.network.Headers {
		header.Set(name, value)
	}
	return header
}

// batch gives the items of the call at a cursor.
func (p *plan) batch(w extractors.Work, c cursor) []string {
	f := p.manifest.ForEach
	if f == nil || c.Item >= len(w.Items) {
		return nil
	}
	return w.Items[c.Item:min(c.Item+max(f.Batch, 1), len(w.Items))]
}

// filler fills templates with the values of one call.
type filler struct {
	source *Source
	plan   *plan
	work   extractors.Work
	items  []string
}

// add adds the values of a template; what is empty is left out, mostly.
func (f *filler) add(query *params, q parameter, t manifest.Template) {
	name := q.name
	if list, ok := t.List(); ok {
		values := f.items
		if list == manifest.SliceWords {
			values = f.plan.slices
		}
		for _, v := range values {
			query.add(name, v)
		}
		return
	}
	value := t.Expand(f.value)
	switch {
	case value == "" && !q.empty:
	case secretIn(t), f.plan.own && plainText(t):
		query.addHidden(name, value)
	default:
		query.add(name, value)
	}
}

func secretIn(t manifest.Template) bool {
	return slices.ContainsFunc(t, func(p manifest.Part) bool {
		_, ok := p.Placeholder.Credential()
		return ok
	})
}

// path gives the path as it is sent and as people may see it.
func (f *filler) path() (sent, shown string) {
	element := func(p manifest.Placeholder) string {
		if p != manifest.ItemsJoined {
			return pathEscape(f.value(p))
		}
		// The commas are part of the path's own language.
		escaped := make([]string, len(f.items))
		for i, item := range f.items {
			escaped[i] = pathEscape(item)
		}
		return strings.Join(escaped, ",")
	}
	sent = f.plan.path.Expand(element)
	public := f.plan.path
	if f.plan.own {
		public = slices.Clone(public)
		for i := range public {
			public[i].Text = hideKeys(public[i].Text)
		}
	}
	shown = public.Expand(func(p manifest.Placeholder) string {
		if _, secret := p.Credential(); secret {
			return mask
		}
		return element(p)
	})
	return sent, shown
}

// fragment gives the items that a call is about where its path does not give them
// back under a name: behind a # in the description, which is never sent; see
// extractors.Asked.
func (f *filler) fragment() string {
	if len(f.items) == 0 {
		return ""
	}
	var b strings.Builder
	name := func(p manifest.Placeholder, value string) {
		b.WriteByte("#&"[min(b.Len(), 1)])
		b.WriteString(string(p) + "=" + queryEscape(value))
	}
	m := f.plan.manifest
	if f.plan.own || f.plan.usesInBody(manifest.Items) || f.plan.usesInBody(manifest.ItemsJoined) {
		if m.ForEach.Batch > 1 {
			name(manifest.Items, strings.Join(f.items, ","))
		}
	}
	if len(f.items) != 1 {
		return b.String()
	}
	for i := range m.ForEach.Columns {
		name(manifest.ItemColumn(i), f.value(manifest.ItemColumn(i)))
	}
	inPath := f.plan.path.Uses(func(p manifest.Placeholder) bool { return p == manifest.Item })
	if inPath && (m.Request.PathVariable != "" || asksForItem(m)) || f.plan.own && m.ForEach.Batch <= 1 || f.plan.usesInBody(manifest.Item) {
		name(manifest.Item, f.value(manifest.Item))
	}
	return b.String()
}

// asksForItem reports whether a column of the stream's rows is the item of their call.
func asksForItem(m *manifest.Stream) bool {
	return slices.ContainsFunc(m.Outputs(), func(spec normalize.Spec) bool {
		for _, field := range spec.Columns {
			if field.Variable == extractors.RequestPrefix+string(manifest.Item) {
				return true
			}
		}
		return false
	})
}

// value gives what a placeholder stands for; empty if the work has no such thing.
func (f *filler) value(p manifest.Placeholder) string {
	if name, ok := p.Credential(); ok {
		return f.source.secrets[name]
	}
	if name, ok := p.Variable(); ok {
		return f.plan.variables[name]
	}
	if i, ok := p.Column(); ok {
		return f.column(i)
	}
	if p.OfExport() {
		return f.plan.export[p]
	}
	window, since := f.work.Window, f.work.Since
	switch p {
	case manifest.AccountTimezone:
		return f.source.location.String()
	case manifest.Item:
		if len(f.items) > 0 {
			return f.items[0]
		}
	case manifest.ItemsJoined:
		return strings.Join(f.items, ",")
	case manifest.WindowZone:
		if !window.IsZero() {
			return f.plan.zone.String()
		}
	case manifest.WindowFromDay, manifest.WindowToDay, manifest.WindowHour, manifest.WindowFromUnix, manifest.WindowToUnix,
		manifest.WindowFromTime, manifest.WindowToTime:
		if window.IsZero() {
			return ""
		}
		return f.instant(p, window.From.In(f.plan.zone), f.last().In(f.plan.zone))
	case manifest.SinceDay, manifest.SinceHour, manifest.SinceUnix:
		if since.IsZero() {
			return ""
		}
		return f.instant(p, since.In(f.source.location), time.Time{})
	}
	return ""
}

// column gives one of the values of which an item is made.
func (f *filler) column(i int) string {
	if len(f.items) == 0 {
		return ""
	}
	values := strings.Split(f.items[0], extractors.ItemSeparator)
	if i >= len(values) {
		return ""
	}
	return values[i]
}

// last gives the last instant that a call asks for: the window is half open and what
// is asked for is inclusive. What has not settled is not asked for; of a window that
// is all too young, only the first instant is, because networks refuse an end before
// the beginning.
func (f *filler) last() time.Time {
	window := f.work.Window
	to := window.To
	if settled := f.work.Begun.Add(-f.plan.settle); f.plan.settle > 0 && !f.work.Begun.IsZero() && settled.Before(to) {
		to = settled
	}
	if to = to.Add(-time.Nanosecond); to.Before(window.From) {
		return window.From
	}
	return to
}

// instant writes a time the way a placeholder wants it.
func (f *filler) instant(p manifest.Placeholder, from, to time.Time) string {
	switch p {
	case manifest.WindowFromDay, manifest.SinceDay:
		return from.Format(f.plan.dayLayout)
	case manifest.WindowToDay:
		return to.Format(f.plan.dayLayout)
	case manifest.WindowHour, manifest.SinceHour:
		return strconv.Itoa(from.Hour())
	case manifest.WindowFromUnix, manifest.SinceUnix:
		return strconv.FormatInt(from.Unix(), 10)
	case manifest.WindowToUnix:
		return strconv.FormatInt(to.Unix(), 10)
	case manifest.WindowFromTime:
		return from.Format(f.plan.timeLayout)
	case manifest.WindowToTime:
		return to.Format(f.plan.timeLayout)
	}
	return ""
}
