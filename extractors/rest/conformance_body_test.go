package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
)

// body is an answer of the network as its manifest describes it.
func body(n *manifest.Network, m *manifest.Stream, p extractorstest.PageOf) []byte {
	root := map[string]any{}
	if test := cmp.Or(m.Success, n.Success); test != nil {
		set(root, test.Path, test.Equals[0])
	}
	if m.Output.Shape == normalize.ShapeObject {
		if p.Records == 0 {
			return nil
		}
		record := map[string]any{"id": p.Page}
		if p.Echo {
			record["note"] = quoting
		}
		if len(m.Output.Records) == 0 {
			return encode(record)
		}
		set(root, m.Output.Records[0], record)
		return encode(root)
	}

	paging, last := m.Paging, p.Page == p.Of
	lastRecords := p.Records
	switch stop := paging.Stop; {
	case paging.Kind == manifest.PagingNone, slices.Contains(stop, manifest.StopNoNext), slices.Contains(stop, manifest.StopTotal),
		slices.Contains(stop, manifest.StopNoCursor), slices.Contains(stop, manifest.StopLastPage):
	case slices.Contains(stop, manifest.StopShort):
		lastRecords = max(p.Records-1, 0)
	default:
		lastRecords = 0
	}
	records := p.Records
	if last {
		records = lastRecords
	}
	first := 1000 * p.Page
	if p.Same {
		first = 1000
	}
	list, byKey := []any{}, map[string]any{}
	for id := first; id < first+records; id++ {
		record := map[string]any{"id": id, "email": "ann@example.com", "ip": "10.0.0.1"}
		if p.Echo {
			record["note"], record["deep"] = quoting, map[string]any{"list": []any{extractorstest.Marker, quoting}}
		}
		list, byKey[fmt.Sprint(id)] = append(list, record), record
	}
	var held any = list
	if m.Output.Shape == normalize.ShapeMap {
		held = byKey
	}
	if len(m.Output.Records) == 0 {
		return encode(held) // the answer is the records
	}
	set(root, m.Output.Records[0], held)
	around(root, paging, p, lastRecords)
	return encode(root)
}

// quoting is a text in a record that quotes a key.
const quoting = "https://x.example/?api_key=" + extractorstest.Marker + "&a=1"

// around writes the values around the records.
func around(root map[string]any, paging manifest.Paging, p extractorstest.PageOf, lastRecords int) {
	last := p.Page == p.Of
	put := func(path string, count bool, v any) {
		if path != "" {
			set(root, path, formed(p.As, count, v))
		}
	}
	switch {
	case paging.Kind == manifest.PagingCursor:
		put(paging.Next, false, !last)
	case !last:
		put(paging.Next, false, paging.First+p.Page)
	}
	if !last {
		put(paging.Cursor, false, cmp.Or(p.Cursor, fmt.Sprintf("after %d", p.Page)))
	}
	put(paging.Pages, true, p.Of)
	put(paging.Total, true, (p.Of-1)*p.Records+lastRecords)
	put(paging.Served, true, max(p.Records, 1))
}

// formed writes a value around the records in another type.
func formed(as extractorstest.Form, count bool, v any) any {
	switch as {
	case extractorstest.AsTexts:
		return fmt.Sprint(v)
	case extractorstest.AsObjects:
		return map[string]any{"a": 1}
	case extractorstest.AsLists:
		return []any{1, 2} // in XML a list of one is what is in it
	case extractorstest.AsNegative:
		return -1
	case extractorstest.AsHuge:
		return json.RawMessage("99999999999999999999")
	case extractorstest.AsZero:
		if count {
			return 0
		}
	}
	return v
}

// inFormat writes an answer in the stream's format.
func inFormat(m *manifest.Stream, body []byte) []byte {
	if m.Output.Format == normalize.FormatXML {
		return inMarkup(body)
	}
	return body
}

// set puts a value at a dotted path.
func set(root map[string]any, path string, value any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := root[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			root[key] = inner
		}
		root = inner
	}
	root[keys[len(keys)-1]] = value
}

// inMarkup writes an answer in JSON as XML.
func inMarkup(body []byte) []byte {
	var root any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&root) != nil {
		return nil
	}
	return appendElement([]byte(xml.Header), "answer", root)
}

func appendElement(dst []byte, name string, v any) []byte {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			dst = appendElement(dst, name, e)
		}
		return dst
	}
	dst = fmt.Appendf(dst, "<%s>", name)
	if object, ok := v.(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			dst = appendElement(dst, key, object[key])
		}
	} else {
		var text strings.Builder
		_ = xml.EscapeText(&text, fmt.Append(nil, v)) // a builder takes everything
		dst = append(dst, text.String()...)
	}
	return fmt.Appendf(dst, "</%s>", name)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// decode reads what encode wrote of an object.
func decode(body []byte) map[string]any {
	root := map[string]any{}
	if len(body) > 0 && body[0] == '{' {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&root); err != nil {
			panic(err)
		}
	}
	return root
}
