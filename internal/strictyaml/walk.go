package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// walker carries one Decode.
type walker struct {
	positions *Positions
	problems  Problems
	expand    func(string) (string, error)
	// within holds the anchored nodes on the way from the root to the node in hand.
	within map[*yaml.Node]bool
	visits int
	fields map[reflect.Type][]field
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// report adds a problem at the place of n.
func (w *walker) report(n *yaml.Node, path, format string, args ...any) {
	w.problems = append(w.problems, Problem{
		File: w.positions.file, Line: n.Line, Column: n.Column,
		Path: path, Message: fmt.Sprintf(format, args...),
	})
}

// value decodes n into target, which is settable. key is the node that stands for
// the value in the file when the value itself is empty: its key.
func (w *walker) value(key, n *yaml.Node, target reflect.Value, path string) {
	at := n
	if null(n) {
		at = key
	}
	w.positions.at[path] = place{at.Line, at.Column}
	if w.visits++; w.visits > maxNodes {
		if w.visits == maxNodes+1 {
			w.report(n, path, "more than %d values, aliases followed", maxNodes)
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if w.within[n] {
		w.report(at, path, "an alias to what it is part of")
		return
	}
	if n.Anchor != "" {
		w.within[n] = true
		defer delete(w.within, n)
	}
	if !w.tagged(n, path) || null(n) {
		return
	}
	if target.Kind() == reflect.Pointer {
		if target.IsNil() {
			target.Set(reflect.New(target.Type().Elem()))
		}
		target = target.Elem()
	}
	switch {
	case n.Kind == yaml.ScalarNode && isScalar(target.Type()):
		w.scalar(n, target, path)
	case n.Kind == yaml.MappingNode && target.Kind() == reflect.Struct && len(w.structFields(target.Type())) > 0:
		w.structure(n, target, path)
	case n.Kind == yaml.MappingNode && target.Kind() == reflect.Map:
		w.mapping(n, target, path)
	case n.Kind == yaml.SequenceNode && target.Kind() == reflect.Slice:
		w.list(n, target, path)
	case n.Kind == yaml.ScalarNode && target.Kind() == reflect.Slice && isScalar(target.Type().Elem()):
		item := reflect.New(target.Type().Elem()).Elem()
		w.scalar(n, item, path)
		target.Set(reflect.Append(reflect.MakeSlice(target.Type(), 0, 1), item))
	default:
		w.report(n, path, "found %s; expected %s", found(n, target.Type()), w.expected(target.Type()))
	}
}

// tagged reports whether the node's tag is one that this package knows.
func (w *walker) tagged(n *yaml.Node, path string) bool {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!seq", "!!map", "!!merge":
		return true
	}
	w.report(n, path, "the tag %s is not known here", n.Tag)
	return false
}

func (w *walker) list(n *yaml.Node, target reflect.Value, path string) {
	items := reflect.MakeSlice(target.Type(), len(n.Content), len(n.Content))
	for i, child := range n.Content {
		if null(child) {
			w.report(child, Item(path, i), "an item without a value")
			continue
		}
		w.value(child, child, items.Index(i), Item(path, i))
	}
	target.Set(items)
}

func (w *walker) mapping(n *yaml.Node, target reflect.Value, path string) {
	t := target.Type()
	if target.IsNil() {
		target.Set(reflect.MakeMap(t))
	}
	for _, e := range w.entries(n, path) {
		key := reflect.New(t.Key()).Elem()
		if !w.setKey(e.key, key, path) {
			continue
		}
		value := reflect.New(t.Elem()).Elem()
		w.value(e.key, e.value, value, Key(path, e.key.Value))
		target.SetMapIndex(key, value)
	}
}

// setKey decodes a mapping's key, whose text counts as it is written: 1 and true are words there.
func (w *walker) setKey(n *yaml.Node, key reflect.Value, path string) bool {
	if u, ok := key.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			w.report(n, Key(path, n.Value), "key: %v", err)
			return false
		}
		return true
	}
	if key.Kind() != reflect.String {
		w.report(n, path, "cannot decode a mapping with keys of type %s", key.Type())
		return false
	}
	key.SetString(n.Value)
	return true
}

func (w *walker) structure(n *yaml.Node, target reflect.Value, path string) {
	fields := w.structFields(target.Type())
	for _, e := range w.entries(n, path) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.key.Value })
		if i < 0 {
			w.report(e.key, Key(path, e.key.Value), "unknown key; %s", w.hint(e.key.Value, fields))
			continue
		}
		w.value(e.key, e.value, reach(target, fields[i].index), Key(path, e.key.Value))
	}
}

// hint says which key was probably meant: one of the mapping's, or one that
// belongs a level deeper.
func (w *walker) hint(key string, fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	if s := Suggest(key, names); s != "" {
		return "did you mean " + s + "?"
	}
	for _, f := range fields {
		t := f.kind
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		if slices.ContainsFunc(w.structFields(t), func(inner field) bool { return inner.name == key }) {
			return "it belongs under " + f.name
		}
	}
	return "known here: " + strings.Join(names, ", ")
}

// entry is a key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries lists a mapping's own keys, then those that it takes from others by <<
// and does not have itself.
func (w *walker) entries(n *yaml.Node, path string) []entry {
	var own []entry
	var bases []*yaml.Node
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode || null(key):
			w.report(key, path, "a key has to be a word")
			continue
		case key.ShortTag() == "!!merge":
			bases = append(bases, w.bases(value, path)...)
			continue
		case first[key.Value] != nil:
			w.report(key, Key(path, key.Value), "duplicate key; it is first given on line %d", first[key.Value].Line)
			continue
		}
		first[key.Value] = key
		own = append(own, entry{key, value})
	}
	for _, base := range bases {
		// A base may take from others itself; one that takes from itself is found here.
		if w.within[base] {
			w.report(n, path, "a merge (<<) of a mapping into itself")
			continue
		}
		if w.visits += len(base.Content); w.visits > maxNodes {
			w.report(n, path, "more than %d values, aliases followed", maxNodes)
			return own
		}
		w.within[base] = true
		for _, e := range w.entries(base, path) {
			if first[e.key.Value] == nil {
				first[e.key.Value] = e.key
				own = append(own, e)
			}
		}
		delete(w.within, base)
	}
	return own
}

// bases gives the mappings that a merge key names: one, or a list of them.
func (w *walker) bases(n *yaml.Node, path string) []*yaml.Node {
	target := n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
	}
	switch target.Kind {
	case yaml.MappingNode:
		return []*yaml.Node{target}
	case yaml.SequenceNode:
		var all []*yaml.Node
		for _, child := range target.Content {
			if child.Kind == yaml.AliasNode {
				child = child.Alias
			}
			if child.Kind != yaml.MappingNode {
				w.report(child, path, "a merge (<<) takes mappings only")
				continue
			}
			all = append(all, child)
		}
		return all
	}
	w.report(n, path, "a merge (<<) takes a mapping or a list of mappings")
	return nil
}

// null reports whether n is an empty value: nothing, ~ or null.
func null(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
