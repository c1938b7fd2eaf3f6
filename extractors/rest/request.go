package rest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// plan is a stream's manifest compiled for one account.
type plan struct {
	stream    *extractors.Stream // nil for the check
	manifest  *manifest.Stream
	path      manifest.Template
	query     map[string][]manifest.Template
	changes   map[string][]manifest.Template // merged over query
	dayLayout string
	slices    []string
	variables map[string]string
	// size is the number of records a page is asked for; 0 leaves it to the network.
	size int
	// zone is whose days and hours the window's are.
	zone *time.Location
}

// compile reads the templates of a stream.
func (b *builder) compile(m *manifest.Stream, variables map[string]string) *plan {
	p := &plan{manifest: m, variables: variables, zone: b.source.location, dayLayout: time.DateOnly}
	if m.Request.DayLayout != "" {
		p.dayLayout = b.template(m.Request.DayLayout).Expand(func(ph manifest.Placeholder) string {
			name, _ := ph.Variable()
			if v := variables[name]; !isDayLayout(v) {
				b.wrong("variables."+name, "%q is not a day's layout; write the second of January 2006 as the network does, like %s", v, time.DateOnly)
			}
			return variables[name]
		})
	}
	p.path = b.template(m.Request.Path)
	p.query = b.templates(m.Request.Query)
	if m.Changes != nil {
		p.changes = maps.Clone(p.query)
		maps.Copy(p.changes, b.templates(m.Changes.Query))
	}
	return p
}

func (b *builder) templates(query map[string][]string) map[string][]manifest.Template {
	compiled := make(map[string][]manifest.Template, len(query))
	for name, values := range query {
		for _, v := range values {
			compiled[name] = append(compiled[name], b.template(v))
		}
	}
	return compiled
}

func (b *builder) template(text string) manifest.Template {
	t, err := manifest.ParseTemplate(text)
	if err != nil {
		b.wrong("network", "the manifest of %s cannot be used: %v", b.network.Name, err)
	}
	return t
}

// isDayLayout reports whether days that are written in a layout can be told apart.
func isDayLayout(layout string) bool {
	day := time.Date(2031, time.November, 23, 0, 0, 0, 0, time.UTC)
	back, err := time.Parse(layout, day.Format(layout))
	return err == nil && back.Equal(day)
}

// accepts reports work that the stream cannot do.
func (p *plan) accepts(w extractors.Work) error {
	switch w.Kind {
	case state.Windowed:
		if p.manifest.Window == nil || w.Window.IsZero() {
			return fmt.Errorf("a window is asked for, and the stream or the work has none")
		}
	case state.Changes:
		if !p.stream.Changes || w.Since.IsZero() {
			return fmt.Errorf("changes are asked for, and the stream or the work has none")
		}
	case state.Snapshot:
		if p.manifest.Window != nil {
			return fmt.Errorf("a snapshot is asked for of a stream that has windows")
		}
	default:
		return fmt.Errorf("work of kind %q is asked for, which there is not", w.Kind)
	}
	if p.manifest.ForEach != nil && len(w.Items) == 0 {
		return fmt.Errorf("the list that the calls go over is empty")
	}
	return nil
}

// mask stands for a credential wherever people read.
const mask = "***"

// call builds the call at a cursor. The description is made of the same parts, so
// that the two cannot disagree.
func (s *Source) call(p *plan, w extractors.Work, c cursor) extractors.Call {
	f := filler{source: s, plan: p, work: w, items: p.batch(w, c)}
	var query params
	templates := p.query
	if w.Kind == state.Changes {
		templates = p.changes
	}
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		for _, t := range templates[name] {
			f.add(&query, name, t)
		}
	}
	if paging := p.manifest.Paging; paging.Kind != manifest.PagingNone {
		query.add(paging.Param, strconv.Itoa(c.At))
		if paging.SizeParam != "" && c.Size > 0 {
			query.add(paging.SizeParam, strconv.Itoa(c.Size))
		}
	}
	header := http.Header{"Accept": {"application/json"}}
	s.authorize(header, &query)

	path, shownPath := f.path()
	sent, shown := query.encode()
	return extractors.Call{
		Method: http.MethodGet, URL: s.base + path + sent, Header: header, Describe: shownPath + shown,
	}
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

// add adds the values of a template; what is empty is left out.
func (f *filler) add(query *params, name string, t manifest.Template) {
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
	case value == "":
	case secretIn(t):
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
	sent = f.plan.path.Expand(func(p manifest.Placeholder) string { return pathEscape(f.value(p)) })
	shown = f.plan.path.Expand(func(p manifest.Placeholder) string {
		if _, secret := p.Credential(); secret {
			return mask
		}
		return pathEscape(f.value(p))
	})
	return sent, shown
}

// value gives what a placeholder stands for; empty if the work has no such thing.
func (f *filler) value(p manifest.Placeholder) string {
	if name, ok := p.Credential(); ok {
		return f.source.secrets[name]
	}
	if name, ok := p.Variable(); ok {
		return f.plan.variables[name]
	}
	window, since := f.work.Window, f.work.Since
	switch p {
	case manifest.AccountTimezone:
		return f.source.location.String()
	case manifest.Item:
		if len(f.items) > 0 {
			return f.items[0]
		}
	case manifest.WindowFromDay, manifest.WindowToDay, manifest.WindowHour, manifest.WindowFromUnix, manifest.WindowToUnix:
		if window.IsZero() {
			return ""
		}
		// The window is half open and what is asked for is inclusive.
		return f.instant(p, window.From.In(f.plan.zone), window.To.Add(-time.Nanosecond).In(f.plan.zone))
	case manifest.SinceDay, manifest.SinceHour, manifest.SinceUnix:
		if since.IsZero() {
			return ""
		}
		return f.instant(p, since.In(f.source.location), time.Time{})
	}
	return ""
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
	}
	return ""
}

// params are the query parameters of a call, in the order in which they were
// added. A name may come several times: that is how lists are sent
// ("slice[]=day&slice[]=offer").
type params []param

type param struct {
	name, value string
	// hidden values are credentials.
	hidden bool
}

func (q *params) add(name, value string)       { *q = append(*q, param{name: name, value: value}) }
func (q *params) addHidden(name, value string) { *q = append(*q, param{name, value, true}) }

// encode gives the query as it is sent, brackets escaped, and as people may see
// it: brackets plain, credentials masked. Both begin with "?" unless empty.
func (q params) encode() (sent, shown string) {
	var a, b strings.Builder
	for i, p := range q {
		separator := byte('&')
		if i == 0 {
			separator = '?'
		}
		name, value := url.QueryEscape(p.name), url.QueryEscape(p.value)
		a.WriteByte(separator)
		a.WriteString(name + "=" + value)
		if p.hidden {
			value = mask
		}
		b.WriteByte(separator)
		b.WriteString(plainBrackets(name) + "=" + plainBrackets(value))
	}
	return a.String(), b.String()
}

// plainBrackets undoes the escaping of brackets, which a query may hold as they are.
func plainBrackets(escaped string) string {
	if !strings.Contains(escaped, "%5") {
		return escaped
	}
	return strings.ReplaceAll(strings.ReplaceAll(escaped, "%5B", "["), "%5D", "]")
}
