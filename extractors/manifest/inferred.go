package manifest

import (
	"maps"
	"slices"

	"syncd/schema/normalize"
)

// InferredOf gives the variables that a stream's calls and rows rest on and whose
// defaults are inferred, by name: what an answer that does not fit may contradict, and
// what an account can set otherwise. Its exports are left to InferredOfExport.
func (n *Network) InferredOf(s *Stream) []string {
	u := usage{network: n, used: map[string]bool{}}
	u.request(s.Request)
	u.variables(s.Paging.SizeVariable, s.Paging.KindVariable, n.ZoneVariable)
	u.texts(s.Paging.Param, s.Paging.SizeParam)
	if w := s.Window; w != nil {
		u.variables(w.MaxAgeVariable)
	}
	u.around(s, s.Outputs())
	return u.inferred()
}

// InferredOfExport is InferredOf for the stream's exports; nil if it has none.
func (n *Network) InferredOfExport(s *Stream) []string {
	x := s.Export
	if x == nil || n.Exports == nil {
		return nil
	}
	u := usage{network: n, used: map[string]bool{}}
	for _, r := range []Request{x.Create, n.Exports.List.Request, n.Exports.Get.Request, n.Exports.Sign.Request} {
		u.request(r)
	}
	u.variables(x.MethodVariable, x.MaxRowsVariable, n.Exports.ReuseVariable)
	u.texts(x.Type, x.Delimiter)
	u.around(s, s.ExportOutputs())
	return u.inferred()
}

// usage collects the variables that something uses.
type usage struct {
	network *Network
	used    map[string]bool
}

func (u *usage) variables(names ...string) {
	for _, name := range names {
		u.used[name] = true
	}
}

// texts takes the variables of templates.
func (u *usage) texts(texts ...string) {
	for _, text := range texts {
		t, err := ParseTemplate(text)
		if err != nil {
			continue // a manifest that was loaded has none
		}
		for _, p := range t {
			if name, ok := p.Placeholder.Variable(); ok {
				u.used[name] = true
			}
		}
	}
}

func (u *usage) request(r Request) {
	u.variables(r.PathVariable, r.URLVariable)
	u.texts(r.Path, u.network.Variables[r.PathVariable].Default, r.DayLayout, r.TimeLayout)
	for _, sent := range []map[string][]string{r.Query, r.Form} {
		for name, values := range sent {
			u.texts(append([]string{name}, values...)...)
		}
	}
	if body, err := ParseBody(r.Body); err == nil {
		for _, p := range body {
			if name, ok := p.Placeholder.Variable(); ok {
				u.variables(name)
			}
		}
	}
}

// around takes what holds for a stream by whatever route.
func (u *usage) around(s *Stream, outputs []normalize.Spec) {
	if s.Window != nil {
		u.variables(s.Window.SettleVariable)
	}
	if s.ForEach != nil {
		u.variables(s.ForEach.Variable)
	}
	for _, spec := range outputs {
		u.variables(spec.Variables()...)
		for _, field := range spec.Columns {
			u.variables(field.Variable)
		}
	}
}

func (u *usage) inferred() []string {
	maps.DeleteFunc(u.used, func(name string, _ bool) bool { return u.network.Variables[name].Evidence != Inferred })
	return slices.Sorted(maps.Keys(u.used))
}
