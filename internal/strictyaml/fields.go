package strictyaml

import (
	"reflect"
	"strings"
)

// field is a key that a struct knows.
type field struct {
	name string
	// index leads to the field, through inlined structs.
	index []int
	kind  reflect.Type
}

// structFields lists the keys of a struct in the order of its fields; inlined
// structs give theirs. A field without a tag has its name in lower case.
func (w *walker) structFields(t reflect.Type) []field {
	if known, ok := w.fields[t]; ok {
		return known
	}
	var all []field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if inner := f.Type; strings.Contains(","+options+",", ",inline,") {
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for _, in := range w.structFields(inner) {
				in.index = append([]int{f.Index[0]}, in.index...)
				all = append(all, in)
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		all = append(all, field{name: name, index: f.Index, kind: f.Type})
	}
	w.fields[t] = all
	return all
}

// reach gives the field at index and allocates the inlined pointers on the way.
func reach(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}
