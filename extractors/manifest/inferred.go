package manifest

import (
	"maps"
	"slices"
)

// InferredOf gives the variables that a stream's calls and rows rest on and whose
// defaults are inferred, by name: what an answer that does not fit may contradict, and
// what an account can set otherwise.
func (n *Network) InferredOf(s *Stream) []string {
	used := map[string]bool{
		s.Request.PathVariable: true, s.Paging.SizeVariable: true, s.Paging.KindVariable: true, n.ZoneVariable: true,
	}
	texts := []string{s.Request.Path, s.Request.DayLayout, s.Request.TimeLayout, s.Paging.Param, s.Paging.SizeParam}
	for name, values := range s.Request.Query {
		texts = append(append(texts, name), values...)
	}
	if w := s.Window; w != nil {
		used[w.MaxAgeVariable], used[w.SettleVariable] = true, true
	}
	if f := s.ForEach; f != nil {
		used[f.Variable] = true
	}
	if path, ok := n.Variables[s.Request.PathVariable]; ok {
		texts = append(texts, path.Default)
	}
	for _, text := range texts {
		t, err := ParseTemplate(text)
		if err != nil {
			continue // a manifest that was loaded has none
		}
		for _, p := range t {
			if name, ok := p.Placeholder.Variable(); ok {
				used[name] = true
			}
		}
	}
	for _, spec := range s.Outputs() {
		for _, field := range spec.Columns {
			used[field.Variable] = true
		}
	}
	maps.DeleteFunc(used, func(name string, _ bool) bool { return n.Variables[name].Evidence != Inferred })
	return slices.Sorted(maps.Keys(used))
}
