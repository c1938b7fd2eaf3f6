package normalize

import (
	"maps"
	"slices"
	"strings"
)

// variablePath gives the variable that a path stands for, if it is nothing but one.
func variablePath(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, "{variable.")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "}")
	return name, ok && name != ""
}

// Variables gives the names of the variables that stand for paths, each once, by name.
func (s Spec) Variables() []string {
	used := map[string]bool{}
	note := func(paths Paths) {
		for _, p := range paths {
			if name, ok := variablePath(p); ok {
				used[name] = true
			}
		}
	}
	note(s.Records)
	for _, fields := range []map[string]Field{s.Columns, s.Dimensions} {
		for _, f := range fields {
			note(f.From)
			for _, o := range f.Override {
				note(o.From)
			}
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// Resolve puts what variables stand for in their place: one path, or several with commas
// between. A path whose variable is empty is left out, a field that has no other source
// with it, and an override that has no other path.
func (s Spec) Resolve(value func(name string) string) Spec {
	if len(s.Variables()) == 0 {
		return s
	}
	s.Records = s.Records.resolve(value)
	s.Columns = resolveFields(s.Columns, value)
	s.Dimensions = resolveFields(s.Dimensions, value)
	return s
}

func resolveFields(fields map[string]Field, value func(name string) string) map[string]Field {
	resolved := make(map[string]Field, len(fields))
	for name, f := range fields {
		given := len(f.From) > 0
		f.From = f.From.resolve(value)
		f.Override = slices.Clone(f.Override)
		for i := range f.Override {
			f.Override[i].From = f.Override[i].From.resolve(value)
		}
		f.Override = slices.DeleteFunc(f.Override, func(o Override) bool { return len(o.From) == 0 })
		if given && len(f.From) == 0 && f.Default == "" {
			continue
		}
		resolved[name] = f
	}
	return resolved
}

func (p Paths) resolve(value func(name string) string) Paths {
	var resolved Paths
	for _, path := range p {
		name, ok := variablePath(path)
		if !ok && !slices.Contains(resolved, path) {
			resolved = append(resolved, path)
		}
		if !ok {
			continue
		}
		for one := range strings.SplitSeq(value(name), ",") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(resolved, one) {
				resolved = append(resolved, one)
			}
		}
	}
	return resolved
}
