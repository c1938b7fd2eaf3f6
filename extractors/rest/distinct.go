package rest

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/go-faster/jx"

	"syncd/schema/normalize"
)

// OverlapError is a page that has the last record of the page before, in a list whose
// pages are distinct (Paging.Distinct): the network counts pages in another way than
// it is asked, and what lies between two pages may never be asked for.
type OverlapError struct {
	// Page counts the pages of the list, from 1; it is the one with the record.
	Page int
}

// Error gives the pages.
func (e *OverlapError) Error() string {
	return fmt.Sprintf("page %d has the last record of page %d again", e.Page, e.Page-1)
}

// readDistinct fills in what a list of distinct pages needs to know of its records.
// The document has been counted: what is not found here has no records.
func (e *envelope) readDistinct(d *document, spec normalize.Spec, c cursor) {
	if e.records == 0 {
		return
	}
	see := func(record []byte) {
		e.last = digest(xxhash.Sum64(record))
		e.overlaps = e.overlaps || c.Last > 0 && c.Edge != 0 && e.last == c.Edge
	}
	raw := d.records(spec)
	dec := jx.DecodeBytes(raw)
	one := func(d *jx.Decoder) error {
		record, err := d.Raw()
		see(record)
		return err
	}
	switch {
	case spec.Shape == normalize.ShapeObject:
		see(raw)
	case dec.Next() == jx.Array:
		_ = dec.Arr(one) // the document is whole JSON
	default:
		_ = dec.ObjBytes(func(d *jx.Decoder, _ []byte) error { return one(d) })
	}
}

// records gives the value that holds the records, by the same rules as Count.
func (d *document) records(spec normalize.Spec) []byte {
	if d.xml != nil {
		records, _ := normalize.XMLRecords(d.source, spec) // it has been read once
		return records
	}
	for _, path := range spec.Records {
		if !d.object {
			break
		}
		if raw, ok := d.lookup(path); ok {
			return raw
		}
	}
	return d.body
}

// advice is what to do about a paging that failed.
func (p *plan) advice(err error) string {
	if _, ok := errors.AsType[*OverlapError](err); ok {
		return p.manifest.Paging.DistinctAdvice
	}
	return ""
}
