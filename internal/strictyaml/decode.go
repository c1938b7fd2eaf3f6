package strictyaml

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// The limits of a file. What people write stays far below all of them.
const (
	maxBytes = 1 << 20
	maxDepth = 64
	// maxNodes bounds the values visited, aliases followed: without it a file of
	// 300 bytes could stand for billions of values.
	maxNodes = 200_000
)

// Options change how a file is decoded; the zero value is what Decode uses.
type Options struct {
	// Expand, if set, is given the text of every scalar value (never of a key) and
	// returns what to decode instead. Its error becomes the problem's message. What
	// it returned never appears in a message: the text in the file does. With it,
	// ${...} needs no quotes where YAML would want them.
	Expand func(text string) (string, error)
}

// Decode decodes src into the struct that into points to. The file name is for
// messages only. All mistakes are reported together, ordered by place; what is
// not mistaken is decoded all the same. The positions are never nil, and know
// nothing where the file is not YAML.
//
// Values that into holds before stay where the file does not give any.
func Decode(file string, src []byte, into any) (*Positions, Problems) {
	return Options{}.Decode(file, src, into)
}

// Decode is like the function Decode, with options.
func (o Options) Decode(file string, src []byte, into any) (*Positions, Problems) {
	w := &walker{
		positions: &Positions{file: file, at: map[string]place{}, shown: map[string]expansion{}},
		expand:    o.Expand,
		within:    map[*yaml.Node]bool{},
		fields:    map[reflect.Type][]field{},
	}
	if o.Expand != nil {
		src = shield(src)
	}
	root, problem := parse(file, src)
	if problem != nil {
		return w.positions, Problems{*problem}
	}
	if o.Expand != nil {
		unshieldAll(root)
	}
	if tooDeep := deeper(root, maxDepth); tooDeep != nil {
		w.report(tooDeep, "", "nested more than %d levels deep", maxDepth)
		return w.positions, w.problems
	}
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		w.report(root, "", "cannot decode into %T; a pointer is needed", into)
		return w.positions, w.problems
	}
	w.value(root, root, target.Elem(), "")
	w.problems.Sort()
	return w.positions, w.problems
}

// deeper finds a node below n by more than levels. Aliases are not followed: the
// walk bounds those.
func deeper(n *yaml.Node, levels int) *yaml.Node {
	if levels < 0 {
		return n
	}
	for _, child := range n.Content {
		if found := deeper(child, levels-1); found != nil {
			return found
		}
	}
	return nil
}
