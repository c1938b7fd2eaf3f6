package rest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"syncd/extractors"
	"syncd/extractors/export"
	"syncd/extractors/manifest"
	"syncd/internal/strictyaml"
	"syncd/state"
)

var _ export.Engine = (*exporter)(nil)

// exporter brings one stream by exports: the machine that decides, and the engine that
// asks and reads for it.
type exporter struct {
	source  *Source
	stream  string
	machine export.Machine
	plans   map[export.Step]*plan
}

// exporter gives what brings the pull, if it is to be brought by an export; nil if it
// is not. The error says that the stream cannot be had in the way that was planned.
func (s *Source) exporter(st *extractors.Stream, w extractors.Work) (*exporter, error) {
	e := s.exporters[st.Name]
	switch {
	case w.Route == state.Export && e == nil:
		return nil, s.unusable(st.Name, "", "an export is asked for, and there are none of this stream", nil)
	case w.Route == state.Export:
		if p := e.plans[export.Create]; p.manifest.ForEach != nil && len(w.Items) == 0 {
			return nil, s.unusable(st.Name, "", "the list that the calls go over is empty", nil)
		}
		return e, nil
	case e != nil && st.Export.Only:
		return nil, s.unusable(st.Name, "", "the stream can be had by exports and not otherwise", nil)
	}
	return nil, nil
}

// next gives the next call of a pull.
func (e *exporter) next(w extractors.Work) (extractors.Call, error) {
	c, err := e.machine.Next(w)
	if err != nil {
		return extractors.Call{}, e.source.unusable(e.stream, "", "", err)
	}
	return c, nil
}

// Call builds a call.
func (e *exporter) Call(a export.Ask) extractors.Call {
	p, w, c := e.stand(a)
	call := e.source.call(p, w, c)
	if a.Item != "" && !strings.Contains(call.Describe, "#") {
		// The records of a file do not say what item they are of.
		call.Describe += "#" + string(manifest.Item) + "=" + queryEscape(a.Item)
	}
	return call
}

// stand gives the plan of a call, filled with what is known of the export, and the
// work and the cursor by which it is built.
func (e *exporter) stand(a export.Ask) (*plan, extractors.Work, cursor) {
	p := *e.plans[a.Step]
	p.export = maps.Clone(p.export)
	p.export[manifest.ExportID], p.export[manifest.ExportArtifact] = a.Export, a.Artifact
	w := extractors.Work{Kind: state.Windowed, Window: a.Range}
	if a.Item != "" {
		w.Items = []string{a.Item}
	}
	c := p.begin()
	c.At += a.Page
	return &p, w, c
}

// Expand fills a template.
func (e *exporter) Expand(a export.Ask, t manifest.Template) string {
	a.Step = export.Create
	p, w, c := e.stand(a)
	f := filler{source: e.source, plan: p, work: w, items: p.batch(w, c)}
	return t.Expand(f.value)
}

// Read gives the JSON of an answer that is a success.
func (e *exporter) Read(a export.Ask, answer extractors.Answer) ([]byte, error) {
	r := e.reading(a, answer)
	if err := r.refused(); err != nil {
		return nil, err
	}
	return r.answer.Body, nil
}

// Fail makes an error about an answer.
func (e *exporter) Fail(a export.Ask, answer extractors.Answer, outcome extractors.Outcome, message string) *extractors.APIError {
	return e.reading(a, answer).fail(outcome, message, nil)
}

// Clean makes words of the network's fit for people.
func (e *exporter) Clean(words string) string { return clip(e.source.scrubber.scrub(words)) }

func (e *exporter) reading(a export.Ask, answer extractors.Answer) *reading {
	p, w, c := e.stand(a)
	return &reading{source: e.source, stream: e.stream, plan: p, work: w, cursor: c, answer: answer}
}

// direct is the manifest by which a stream is read without an export. One that cannot
// be has the request of its creation in place of one: it is never sent from there.
func direct(m *manifest.Stream) *manifest.Stream {
	if m.Export == nil || !m.Export.Only {
		return m
	}
	clone := *m
	clone.Request = m.Export.Create
	return &clone
}

// export builds what brings a stream by exports, if the network has any of it.
func (b *builder) export(m *manifest.Stream, st *extractors.Stream, p *plan) {
	x, network := m.Export, b.network.Exports
	if x == nil || network == nil || st.Window == nil {
		return
	}
	e := &exporter{source: b.source, stream: st.Name, plans: map[export.Step]*plan{}}
	values := map[manifest.Placeholder]string{
		manifest.ExportType:      b.word(st.Name, x.Type, st.Variables),
		manifest.ExportDelimiter: b.word(st.Name, x.Delimiter, st.Variables),
		manifest.ExportFields:    strings.Join(m.ExportFields(), network.Separator),
	}
	for step, of := range map[export.Step]struct {
		request manifest.Request
		paging  manifest.Paging
	}{
		export.Find:   {network.List.Request, network.List.Paging},
		export.Create: {request: x.Create},
		export.Poll:   {request: network.Get.Request},
		export.Sign:   {request: network.Sign.Request},
	} {
		of.paging.Kind = cmp.Or(of.paging.Kind, manifest.PagingNone)
		call := &manifest.Stream{Name: m.Name, Request: of.request, Paging: of.paging, Optional: m.Optional}
		if asksItems(of.request, st.Variables) {
			call.ForEach = m.ForEach
		}
		made := b.compile(st.Name, call, st.Variables)
		call.ForEach = m.ForEach // the description of every call says of what item it is
		made.export, made.zone, made.slices = values, st.Window.Location, p.slices
		made.size = b.size(st.Name, of.paging, st.Variables)
		e.plans[step] = made
	}
	e.machine = export.Machine{
		Engine: e, Exports: network, Same: b.same(network, st.Variables), Method: b.method(st.Name, x, st.Variables),
		Reuse: network.Reuse, Settle: st.Window.Settle, Plain: strings.HasPrefix(b.source.base, "http://"),
	}
	if text := st.Variables[network.ReuseVariable]; network.ReuseVariable != "" && text != "" {
		var err error
		if e.machine.Reuse, err = strictyaml.ParseDuration(text); err != nil || e.machine.Reuse < 0 {
			b.wrongVariable(st.Name, network.ReuseVariable, "%q is not an age such as 6h, or 0s for never", text)
		}
	}
	b.source.exporters[st.Name] = e

	file := *direct(m)
	file.Request = x.Create
	specs := m.ExportOutputs()
	file.Output, file.Also = specs[0], specs[1:]
	st.Export = &extractors.ExportRule{
		Only: x.Only, Budget: network.Budget, MaxRows: b.rows(st.Name, x, st.Variables),
		Outputs: outputs(&file, st.Name, b.zone(st.Name, &file, st.Variables)),
	}
}

// word gives what a template of variables stands for, which must be something.
func (b *builder) word(stream, text string, variables map[string]string) string {
	return b.template(text).Expand(func(p manifest.Placeholder) string {
		name, _ := p.Variable()
		if variables[name] == "" {
			b.wrongVariable(stream, name, "it is missing: %s", strings.TrimSuffix(b.network.Variables[name].Help, "."))
		}
		return variables[name]
	})
}

// same compiles Exports.Same, in the order of the paths.
func (b *builder) same(x *manifest.Exports, variables map[string]string) []export.Same {
	var same []export.Same
	for _, text := range slices.Sorted(maps.Keys(x.Same)) {
		if path, ok := b.parameterName(text, variables); ok {
			same = append(same, export.Same{Path: path, Value: b.template(x.Same[text])})
		}
	}
	return same
}

// method gives the method of a creation.
func (b *builder) method(stream string, x *manifest.Export, variables map[string]string) string {
	method := strings.ToUpper(cmp.Or(variables[x.MethodVariable], x.Method, http.MethodPost))
	if method != http.MethodPost && method != http.MethodGet {
		b.wrongVariable(stream, x.MethodVariable, "%q is not a method for an export: POST and GET are", method)
	}
	return method
}

// rows gives the number of rows that a file can have; 0 means without limit.
func (b *builder) rows(stream string, x *manifest.Export, variables map[string]string) int64 {
	text := variables[x.MaxRowsVariable]
	if x.MaxRowsVariable == "" || text == "" {
		return x.MaxRows
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		b.wrongVariable(stream, x.MaxRowsVariable, "%q is not a number of rows, or 0 for no limit", text)
	}
	return n
}

// asksItems reports whether a request is about the item of a for-each stream.
func asksItems(r manifest.Request, variables map[string]string) bool {
	texts := []string{r.Path, variables[r.PathVariable]}
	for _, values := range r.Query {
		texts = append(texts, values...)
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		t, _ := manifest.ParseTemplate(text) // a mistake in it is said where it is used
		return t.Uses(func(p manifest.Placeholder) bool {
			_, column := p.Column()
			return column || p == manifest.Item
		})
	})
}
