package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// Expecter is implemented by scalar types that can say what they look like: "a
// size such as 2GiB". It completes "expected …" in messages.
type Expecter interface{ Expected() string }

// Hidden is implemented by types whose values never appear in messages.
type Hidden interface{ HiddenInMessages() }

var (
	durationType = reflect.TypeFor[time.Duration]()
	expecter     = reflect.TypeFor[Expecter]()
	hidden       = reflect.TypeFor[Hidden]()
)

// isScalar reports whether a scalar decodes into t.
func isScalar(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == durationType || reflect.PointerTo(t).Implements(textUnmarshaler) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// scalar decodes n into target, for whose type isScalar holds.
func (w *walker) scalar(n *yaml.Node, target reflect.Value, path string) {
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		target = target.Elem()
	}
	text, tag := n.Value, n.ShortTag()
	if w.expand != nil {
		expanded, err := w.expand(text)
		if err != nil {
			w.report(n, path, "%v", err)
			return
		}
		if expanded != text {
			w.positions.shown[path] = expansion{written: text, value: &expanded}
			// What comes from outside is whatever the target makes of it.
			text, tag = expanded, ""
		}
	}
	mistaken := func() {
		w.report(n, path, "found %s; expected %s", w.found(n, path, target.Type()), w.expected(target.Type()))
	}
	if u, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			if tag == "" || target.Type().Implements(hidden) {
				mistaken()
				return
			}
			w.report(n, path, "%v", err)
		}
		return
	}
	if !setScalar(target, text, tag) {
		mistaken()
	}
}

// setScalar reports whether text is a value of target's type; tag is the YAML
// type that the text has in the file, "" for a text that was expanded.
func setScalar(target reflect.Value, text, tag string) bool {
	if target.Type() == durationType {
		d, err := ParseDuration(text)
		target.SetInt(int64(d))
		return err == nil
	}
	switch target.Kind() {
	case reflect.String:
		// A number or a date is an id or a day here; a true was meant to be a bool.
		if tag == "!!bool" {
			return false
		}
		target.SetString(text)
		return true
	case reflect.Bool:
		if tag != "!!bool" && tag != "" || text != "true" && text != "false" {
			return false
		}
		target.SetBool(text == "true")
		return true
	case reflect.Float64:
		if tag == "!!str" {
			return false
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v-v != 0 { // infinities and NaN
			return false
		}
		target.SetFloat(v)
		return true
	}
	// Base 10 only: 010 would be eight to some readers. A quoted number is a text.
	if tag == "!!str" {
		return false
	}
	if target.CanUint() {
		v, err := strconv.ParseUint(text, 10, target.Type().Bits())
		target.SetUint(v)
		return err == nil
	}
	v, err := strconv.ParseInt(text, 10, target.Type().Bits())
	target.SetInt(v)
	return err == nil
}

// found describes a scalar, by its text in the file if it was expanded.
func (w *walker) found(n *yaml.Node, path string, t reflect.Type) string {
	if e, ok := w.positions.shown[path]; ok {
		return "another value in " + e.written
	}
	return found(n, t)
}

// found describes what stands in the file where a t was expected.
func found(n *yaml.Node, t reflect.Type) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	// A key that stands where a mapping of keys should is one all the same.
	if t.Implements(hidden) || t.Kind() == reflect.Map && t.Elem().Implements(hidden) {
		return "another value"
	}
	switch n.ShortTag() {
	case "!!bool":
		if t.Kind() == reflect.String {
			return n.Value + " without quotes"
		}
		return n.Value
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!timestamp":
		return "the date " + n.Value
	}
	const longest = 40
	if text := []rune(n.Value); len(text) > longest {
		return fmt.Sprintf("the text %q...", string(text[:longest]))
	}
	return fmt.Sprintf("the text %q", n.Value)
}

// expected says in words what decodes into t.
func (w *walker) expected(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == durationType {
		return "a duration such as 30s, 15m or 7d"
	}
	if t.Implements(expecter) {
		return reflect.Zero(t).Interface().(Expecter).Expected()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		if reflect.PointerTo(t).Implements(textUnmarshaler) && len(w.structFields(t)) == 0 {
			return "a text"
		}
		return "a mapping (key: value)"
	case reflect.Slice:
		if isScalar(t.Elem()) {
			return "a list, or one item: " + w.expected(t.Elem())
		}
		return "a list"
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	}
	return "nothing that this program can read (" + t.String() + ")"
}
