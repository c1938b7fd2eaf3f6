package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// JSONSchema gives the JSON Schema (draft 2020-12) of the configuration, for
// editors. It is made from the structs and describe, so it cannot differ from them.
// The checks that need more than one value are not in it.
func JSONSchema() []byte {
	g := generator{described: describe()}
	root := g.node(reflect.TypeFor[Config](), "")
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "syncd"
	root.Definitions = map[string]*node{
		"reference": {
			Description: "A value from an environment variable or a file.",
			Type:        []string{"string"},
			Pattern:     `\$\{(file:.+|[A-Za-z_][A-Za-z0-9_]*)\}`,
		},
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		// Strings, numbers and slices of them always encode.
		panic(err)
	}
	return out.Bytes()
}

// node is a JSON Schema. Type always stands as a list, which is shorter to handle.
type node struct {
	Schema      string           `json:"$schema,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Ref         string           `json:"$ref,omitempty"`
	AnyOf       []*node          `json:"anyOf,omitempty"`
	Type        []string         `json:"type,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	Minimum     *int             `json:"minimum,omitempty"`
	Maximum     *int             `json:"maximum,omitempty"`
	MinItems    int              `json:"minItems,omitempty"`
	Items       *node            `json:"items,omitempty"`
	Properties  properties       `json:"properties,omitempty"`
	Additional  any              `json:"additionalProperties,omitempty"`
	Required    []string         `json:"required,omitempty"`
	Default     any              `json:"default,omitempty"`
	Definitions map[string]*node `json:"$defs,omitempty"`
}

// properties keep the order of the struct's fields.
type properties []property

type property struct {
	name string
	node *node
}

// MarshalJSON writes an object.
func (p properties) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, each := range p {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := encoder.Encode(each.name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := encoder.Encode(each.node); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// The patterns of scalars with a syntax of their own.
const (
	durationPattern = `(\d+d)?(\d+(\.\d+)?(h|m|s|ms|us|ns))*`
	sizePattern     = `\d+ ?([KMGTkmgt][Ii]?)?[Bb]?`
	dayPattern      = `\d{4}-\d{2}-\d{2}`
)

type generator struct{ described map[string]description }

func (g generator) node(t reflect.Type, path string) *node {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	d := g.described[path]
	n := &node{Description: d.text}
	switch {
	case t == reflect.TypeFor[Secret](), t == reflect.TypeFor[DSN]():
		n.Type = []string{"string", "number"}
		if t == reflect.TypeFor[DSN]() {
			n.Type = n.Type[:1]
		}
		return g.scalar(n, d)
	case t == reflect.TypeFor[time.Duration]():
		// Zero is the one number that is a duration.
		n.Type, d.pattern = []string{"string", "integer"}, durationPattern
		d.minimum, d.maximum = new(0), new(0)
		return g.scalar(n, d)
	case t == reflect.TypeFor[Size]():
		n.Type, d.pattern = []string{"string", "integer"}, sizePattern
		return g.scalar(n, d)
	case t == reflect.TypeFor[Day]():
		n.Type, d.pattern = []string{"string"}, dayPattern
		return g.scalar(n, d)
	}
	switch t.Kind() {
	case reflect.Struct:
		g.structure(n, t, path)
	case reflect.Map:
		n.Type = []string{"object", "null"}
		n.Additional = g.node(t.Elem(), path+".*")
	case reflect.Slice:
		return g.list(n, t, path)
	case reflect.Bool:
		n.Type = []string{"boolean"}
		return g.scalar(n, d)
	case reflect.Float64:
		n.Type = []string{"number"}
		return g.scalar(n, d)
	case reflect.Int:
		n.Type = []string{"integer"}
		return g.scalar(n, d)
	default:
		n.Type = []string{"string"}
		if strings.HasSuffix(path, ".*") { // a number is natural for an id
			n.Type = append(n.Type, "number")
		}
		return g.scalar(n, d)
	}
	return n
}

func (g generator) structure(n *node, t reflect.Type, path string) {
	n.Type = []string{"object", "null"}
	n.Additional = false
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		n.Properties = append(n.Properties, property{name, g.node(f.Type, at)})
		if g.described[at].required {
			n.Required = append(n.Required, name)
		}
	}
	if len(n.Required) > 0 {
		n.Type = n.Type[:1]
	}
}

func (g generator) list(n *node, t reflect.Type, path string) *node {
	items := g.node(t.Elem(), path+"[]")
	n.Type, n.Items = []string{"array", "null"}, items
	if g.described[path].required {
		n.Type, n.MinItems = n.Type[:1], 1
	}
	if t.Elem().Kind() != reflect.String {
		return n
	}
	// One scalar stands for a list of one.
	list := &node{Type: n.Type, Items: items}
	return &node{Description: n.Description, AnyOf: []*node{list, items}}
}

// scalar completes a scalar; one that is more than any text may also be a reference.
func (g generator) scalar(n *node, d description) *node {
	if d.value != "" {
		n.Default = d.value
		if n.Type[0] == "boolean" {
			n.Default = d.value == "true"
		}
		if n.Type[0] == "integer" || n.Type[0] == "number" {
			n.Default = json.Number(d.value)
		}
	}
	if len(d.words) == 0 && d.pattern == "" && n.Type[0] == "string" {
		return n
	}
	own := &node{Type: n.Type, Enum: d.words, Minimum: d.minimum, Maximum: d.maximum}
	if d.pattern != "" {
		own.Pattern = "^(" + d.pattern + ")$"
	}
	return &node{Description: n.Description, Default: n.Default, AnyOf: []*node{own, {Ref: "#/$defs/reference"}}}
}
