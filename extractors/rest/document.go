package rest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-faster/jx"

	"syncd/schema/normalize"
)

// document is an answer that is whole JSON, or whole XML as JSON. A page is mostly its records, and the
// few values around them often stand behind: one pass over an object finds the
// members, so that looking a value up does not pass over the records again.
type document struct {
	body    []byte
	object  bool
	members []member
	// xml counts the records of an answer in XML, whose source it is; body is the rest of
	// it, as JSON. Both are nil for JSON.
	xml    *normalize.XML
	source []byte
}

type member struct{ key, raw []byte }

var errTrailing = errors.New("there is more behind the JSON value")

// parse reads a body. The error says that it is not whole JSON.
func parse(body []byte) (document, error) {
	d := document{body: body, object: form(body) == formObject}
	if !d.object {
		return d, normalize.Valid(body)
	}
	dec := jx.DecodeBytes(body)
	err := dec.ObjBytes(func(dec *jx.Decoder, key []byte) error {
		// The key is the decoder's memory, valid until it goes on.
		raw, err := dec.Raw()
		d.members = append(d.members, member{key: bytes.Clone(key), raw: bytes.TrimSpace(raw)})
		return err
	})
	if err != nil {
		return document{}, err
	}
	if err := dec.Skip(); err != io.EOF {
		return document{}, errTrailing
	}
	return d, nil
}

// parseXML reads a body in XML, of which a Spec says where the records are. The error
// is that of normalize.FromXML.
func parseXML(body []byte, spec normalize.Spec) (document, error) {
	x, err := normalize.FromXML(body, spec)
	if err != nil {
		return document{}, err
	}
	d, err := parse(x.Envelope)
	// A root without elements is an object without members.
	d.xml, d.source, d.object = x, body, true
	return d, err
}

// find gives the member in which a path begins, and the rest of the path.
func (d *document) find(path string) (raw []byte, rest string, ok bool) {
	first, rest, _ := strings.Cut(path, ".")
	for _, m := range d.members {
		if string(m.key) == first {
			return m.raw, rest, true
		}
	}
	return nil, "", false
}

// lookup gives the raw value at a dotted path.
func (d *document) lookup(path string) ([]byte, bool) {
	if !d.object || path == "" || strings.Contains(path, `\`) {
		raw, ok, err := normalize.Lookup(d.body, path)
		return raw, ok && err == nil
	}
	raw, rest, ok := d.find(path)
	if !ok || rest == "" {
		return raw, ok
	}
	raw, ok, err := normalize.Lookup(raw, rest)
	return bytes.TrimSpace(raw), ok && err == nil
}

// count gives the number of the records and the digest of their bytes.
func (d *document) count(spec normalize.Spec) (int, uint64, error) {
	if d.xml != nil {
		return d.xml.Count()
	}
	for _, path := range spec.Records {
		if !d.object || path == "" || strings.ContainsAny(path, `.\`) {
			break
		}
		if raw, _, ok := d.find(path); ok {
			if raw[0] == '[' || raw[0] == '{' {
				return normalize.Count(raw, nil, spec.Shape)
			}
			break
		}
	}
	if (len(spec.Records) == 0 || slices.Contains(spec.Records, "")) && string(bytes.TrimSpace(d.body)) == "null" {
		// Inside of an answer null is an empty list; alone it is no answer.
		return 0, 0, normalize.ErrNoRecords
	}
	return normalize.Count(d.body, spec.Records, spec.Shape)
}
