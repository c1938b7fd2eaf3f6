package normalize

import (
	"bytes"
	"slices"
	"strings"

	"syncd/schema"
)

// override is a compiled Override.
type override struct {
	when  []byte // nil for any value, none included
	slots []int
	// equals are the texts for which it holds; none says that no value is one of them.
	equals [][]byte
	none   bool
	value  []byte
}

// overrides compiles the overrides of a field.
func (c *compiler) overrides(what string, spec Field, column schema.Column, f *field) {
	if len(spec.Override) == 0 {
		return
	}
	if !f.isText() || f.keys {
		c.fail("%s: override is for columns of text that are not made of keys", what)
		return
	}
	if c.n.spec.Format == FormatCSV {
		c.fail("%s: override is for answers, not for files", what)
	}
	for _, o := range spec.Override {
		made := override{value: []byte(o.Value)}
		if len(o.From) == 0 || len(o.Equals) == 0 || o.Value == "" {
			c.fail("%s: override: it needs from, equals and value", what)
		}
		if column.Words != nil && !slices.Contains(column.Words, o.Value) {
			c.fail("%s: override: %q is not one of %s", what, o.Value, strings.Join(column.Words, ", "))
		}
		if o.When != "" {
			made.when = []byte(o.When)
			if f.words != nil && f.other != nil && !c.canBe(spec, o.When) {
				c.fail("%s: override: when: the column is never %q", what, o.When)
			}
		}
		for _, p := range o.From {
			made.slots = append(made.slots, c.from(what+": override", p))
		}
		for _, e := range o.Equals {
			if e == "" {
				made.none = true
				continue
			}
			made.equals = append(made.equals, []byte(e))
		}
		f.overrides = append(f.overrides, made)
	}
}

// canBe reports whether a field with map_else can have a value.
func (c *compiler) canBe(spec Field, value string) bool {
	if spec.MapElse == value || spec.Default == value {
		return true
	}
	for _, word := range spec.Map {
		if word == value {
			return true
		}
	}
	return false
}

// overridden gives the value of a field as the first override that holds says; ok says
// that one does. raw is nil where the field has no value.
func (n *Normalizer) overridden(f *field, raw []byte) (value []byte, ok bool) {
	for i := range f.overrides {
		o := &f.overrides[i]
		if (o.when == nil || bytes.Equal(o.when, raw)) && n.holds(o) {
			return o.value, true
		}
	}
	return raw, false
}

// holds reports whether the second value is one of those that an override asks for.
func (n *Normalizer) holds(o *override) bool {
	for _, slot := range o.slots {
		v, ok := n.present(slot)
		if !ok || v.kind == null || v.kind == text && len(v.raw) == 0 || (v.kind == array || v.kind == object) && v.isEmpty() {
			continue
		}
		raw := v.raw
		if v.kind == escaped {
			raw = unescape(nil, v.raw)
		}
		raw = bytes.TrimSpace(raw)
		return slices.ContainsFunc(o.equals, func(e []byte) bool { return bytes.Equal(e, raw) })
	}
	return o.none
}

// overrideNothing sets the column of a field whose value is its default, a constant or
// none, if an override holds.
func (n *Normalizer) overrideNothing(f *field, b *schema.Block) bool {
	var raw []byte
	if f.hasConstant {
		raw = f.constant.text
	}
	value, ok := n.overridden(f, raw)
	switch {
	case !ok:
		return false
	case f.dimension != nil:
		b.AddDimension(f.column, f.dimension, value)
	default:
		b.SetBytes(f.column, value)
	}
	return true
}
