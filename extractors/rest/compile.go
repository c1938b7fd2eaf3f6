package rest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

// plan is a stream's manifest compiled for one account.
type plan struct {
	stream   *extractors.Stream // nil for the check
	manifest *manifest.Stream
	// own says that the account gave the whole address: base is then its host, and of the
	// network's auth is added what goes into a header. Nothing of it is to the login.
	own, login bool
	// keyed says that the account's own address has a credential in it.
	keyed   bool
	base    string
	path    manifest.Template
	query   []parameter
	form    []parameter   // nil if there is none
	body    manifest.Body // nil if there is none
	changes []parameter   // the query of a call for changes
	// pageParam and sizeParam are Paging.Param and Paging.SizeParam.
	pageParam, sizeParam string
	dayLayout            string
	timeLayout           string
	slices               []string
	variables            map[string]string
	// export are the values of the placeholders that are about an export; see exporter.
	export map[manifest.Placeholder]string
	// size is the number of records a page is asked for; 0 leaves it to the network.
	size int
	// zone is whose days and hours the window's are.
	zone *time.Location
	// settle is the stream's WindowRule.Settle.
	settle time.Duration
}

// parameter is a parameter of the query under the name with which it is sent.
type parameter struct {
	name   string
	values []manifest.Template
	// empty values are sent too.
	empty bool
}

// compile reads the templates of a stream; its name is empty for the check.
func (b *builder) compile(stream string, m *manifest.Stream, variables map[string]string) *plan {
	p := &plan{manifest: m, variables: variables, zone: b.source.location}
	r := m.Request
	p.dayLayout = b.layout(stream, cmp.Or(r.DayLayout, time.DateOnly), variables, manifest.CheckDayLayout)
	p.timeLayout = b.layout(stream, cmp.Or(r.TimeLayout, time.DateTime), variables, manifest.CheckTimeLayout)
	if r.URLVariable != "" {
		b.addressed(p, variables[r.URLVariable])
		return p
	}
	p.path = b.path(stream, r, m.ForEach, variables)
	if name, ok := b.parameterName(m.Paging.Param, variables); ok {
		p.pageParam = name
	} else if variable := variableOf(m.Paging.Param); variable != "" {
		b.wrongVariable(stream, variable, "it is empty, and without it no second page can be asked for")
	}
	p.sizeParam, _ = b.parameterName(m.Paging.SizeParam, variables)
	p.query = b.parameters(stream, r.Query, p, variables)
	if len(r.Form) > 0 {
		p.form = b.parameters(stream, r.Form, p, variables)
	}
	if r.Body != "" {
		p.body = b.body(r.Body, variables)
	}
	if m.Changes != nil {
		merged := maps.Clone(r.Query)
		if merged == nil {
			merged = map[string][]string{}
		}
		maps.Copy(merged, m.Changes.Query)
		p.changes = b.parameters(stream, merged, p, variables)
	}
	return p
}

// layout gives the layout that a template stands for.
func (b *builder) layout(stream, text string, variables map[string]string, wrong func(string) error) string {
	return b.template(text).Expand(func(ph manifest.Placeholder) string {
		name, _ := ph.Variable()
		if err := wrong(variables[name]); err != nil {
			b.wrongVariable(stream, name, "%v", err)
		}
		return variables[name]
	})
}

// path gives the template of a request's path: the account's own, if it has one.
func (b *builder) path(stream string, r manifest.Request, forEach *manifest.ForEach, variables map[string]string) manifest.Template {
	own := variables[r.PathVariable]
	if r.PathVariable == "" || own == "" {
		if r.Path == "" && r.PathVariable != "" {
			b.wrongVariable(stream, r.PathVariable, "it is empty, and there is no other path: %s", strings.TrimSuffix(b.network.Variables[r.PathVariable].Help, "."))
		}
		return b.template(r.Path)
	}
	t, err := manifest.ParseOwnPath(own)
	if err != nil {
		b.wrongVariable(stream, r.PathVariable, "%v", err)
		return nil
	}
	for _, part := range t {
		if name, ok := part.Placeholder.Variable(); ok {
			if _, known := b.network.Variables[name]; !known {
				b.wrongVariable(stream, r.PathVariable, "path %q: %s has no variable %s%s", own, b.network.Title, name, suggest(name, b.network.Variables))
			}
		}
	}
	b.ownItems(stream, r, own, t, forEach)
	return t
}

// ownItems checks that an account's own path asks for what a list of items needs, and
// for nothing that the list has not: every call would bring the same, or nothing.
func (b *builder) ownItems(stream string, r manifest.Request, own string, t manifest.Template, f *manifest.ForEach) {
	var want []manifest.Placeholder
	switch {
	case f == nil:
	case len(f.Columns) > 0:
		for i := range f.Columns {
			want = append(want, manifest.ItemColumn(i))
		}
	case f.Batch <= 1:
		want = append(want, manifest.Item)
	}
	for _, part := range t {
		_, column := part.Placeholder.Column()
		if (column || part.Placeholder == manifest.Item) && !slices.Contains(want, part.Placeholder) {
			b.wrongVariable(stream, r.PathVariable, "path %q: the stream has no {%s}", own, part.Placeholder)
		}
	}
	for _, p := range want {
		is := func(used manifest.Placeholder) bool { return used == p }
		inQuery := false
		for _, values := range r.Query {
			inQuery = inQuery || slices.ContainsFunc(values, func(v string) bool { return b.template(v).Uses(is) })
		}
		if !inQuery && !t.Uses(is) {
			b.wrongVariable(stream, r.PathVariable, "path %q: {%s} is missing, and so every call would ask for the same", own, p)
		}
	}
}

// parameters compiles a query, in the order of the names in the manifest. A parameter
// without a name is left out; two of one name are a mistake of the account's.
func (b *builder) parameters(stream string, query map[string][]string, p *plan, variables map[string]string) []parameter {
	taken := map[string]string{} // by name, the variable that made it
	if p.manifest.Paging.Kind != manifest.PagingNone {
		for _, sent := range []struct{ name, text string }{{p.pageParam, p.manifest.Paging.Param}, {p.sizeParam, p.manifest.Paging.SizeParam}} {
			taken[sent.name] = variableOf(sent.text)
		}
	}
	for _, a := range b.network.Auth.Parts() {
		if a.Kind == manifest.AuthQuery {
			taken[a.Name] = ""
		}
	}
	if signer := b.network.Auth.Signer; signer != nil {
		taken[signer.Param] = ""
	}
	var compiled []parameter
	for _, text := range slices.Sorted(maps.Keys(query)) {
		name, ok := b.parameterName(text, variables)
		if !ok {
			continue
		}
		if other, twice := taken[name]; twice {
			if variable := cmp.Or(variableOf(text), other); variable != "" {
				b.wrongVariable(stream, variable, "the parameter %s is sent already", name)
			}
		}
		taken[name] = variableOf(text)
		q := parameter{name: name, empty: slices.Contains(p.manifest.Request.Empty, text)}
		for _, v := range query[text] {
			q.values = append(q.values, b.template(v))
		}
		compiled = append(compiled, q)
	}
	return compiled
}

// body compiles the body of a request.
func (b *builder) body(text string, variables map[string]string) manifest.Body {
	body, err := manifest.ParseBody(text)
	if err != nil {
		b.wrong("network", "the manifest of %s cannot be used: %v", b.network.Name, err)
	}
	for _, part := range body {
		name, ok := part.Placeholder.Variable()
		if ok && !part.Quoted && variables[name] == "" {
			b.wrongVariable("", name, "it is missing: %s", strings.TrimSuffix(b.network.Variables[name].Help, "."))
		}
	}
	return body
}

// parameterName gives the name with which a parameter is sent; false for none, because
// a variable in it is empty.
func (b *builder) parameterName(text string, variables map[string]string) (string, bool) {
	missing := false
	name := b.template(text).Expand(func(ph manifest.Placeholder) string {
		variable, _ := ph.Variable()
		missing = missing || variables[variable] == ""
		return variables[variable]
	})
	if missing || name == "" {
		return "", false
	}
	return name, true
}

// variableOf gives the first variable in the name of a parameter; empty for none.
func variableOf(text string) string {
	t, _ := manifest.ParseTemplate(text) // a mistake in it is said where it is used
	for _, part := range t {
		if name, ok := part.Placeholder.Variable(); ok {
			return name
		}
	}
	return ""
}

func (b *builder) template(text string) manifest.Template {
	t, err := manifest.ParseTemplate(text)
	if err != nil {
		b.wrong("network", "the manifest of %s cannot be used: %v", b.network.Name, err)
	}
	return t
}
