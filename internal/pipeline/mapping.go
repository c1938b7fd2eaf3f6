package pipeline

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"syncd/extractors"
)

// vocabulary is what a Receiver has beside its Receiver's methods if how it reads a call
// depends on more than the mapping of its stream.
type vocabulary interface {
	// Vocabulary is the same text for the same reading.
	Vocabulary() string
}

// Mapping tells how rows are made of the answers of a stream: it is another text when the
// network's mapping, the account's zone, or a variable that rows depend on is another. It
// says nothing of the code that carries the mapping out.
func (a *Account) Mapping(s *extractors.Stream) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n", a.Location)
	outputs := s.Outputs
	if s.Export != nil {
		outputs = append(slices.Clip(outputs), s.Export.Outputs...)
	}
	var used strings.Builder
	for _, out := range outputs {
		fmt.Fprintf(&used, "%s %q leads=%t ", out.Table.Name, out.Scope, out.Leads)
		outline(&used, reflect.ValueOf(out.Spec))
		used.WriteByte('\n')
	}
	text := used.String()
	_, _ = io.WriteString(h, text) // a hash takes everything
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		if strings.Contains(text, fmt.Sprintf("%q", name)) || strings.Contains(text, "{variable."+name+"}") {
			fmt.Fprintf(h, "%s=%q\n", name, s.Variables[name])
		}
	}
	if s.Window != nil {
		fmt.Fprintf(h, "by %s\n", s.Window.By)
	}
	if a.Receiver != nil && a.Receiver.Stream().Name == s.Name {
		if v, ok := a.Receiver.(vocabulary); ok {
			fmt.Fprintf(h, "%s\n", v.Vocabulary())
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// mappingOf is Account.Mapping of a load.
func (e *Engine) mappingOf(l *load) string {
	key := mappingKey{account: l.pull.Account, stream: l.pull.Stream}
	if known, ok := e.mappings.Load(key); ok {
		return known.(string)
	}
	made := l.account.Mapping(l.stream)
	e.mappings.Store(key, made)
	return made
}

// outline writes a value without what is zero in it, so that a field that a newer version
// adds changes nothing where it is not used. The value holds values alone, no pointers.
func outline(w io.Writer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				fmt.Fprintf(w, "%s{", v.Type().Field(i).Name)
				outline(w, v.Field(i))
				fmt.Fprint(w, "}")
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			fmt.Fprintf(w, "%q{", k.String())
			outline(w, v.MapIndex(k))
			fmt.Fprint(w, "}")
		}
	case reflect.Slice:
		for i := range v.Len() {
			fmt.Fprint(w, "[")
			outline(w, v.Index(i))
			fmt.Fprint(w, "]")
		}
	default:
		fmt.Fprintf(w, "%q", fmt.Sprint(v.Interface()))
	}
}
