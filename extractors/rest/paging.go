package rest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

// maxPagesDefault is the number of pages of one list after which the paging is
// called endless. At 500 records a page it is five million records in one window,
// a hundred times the busiest hour that tenants report.
const maxPagesDefault = 10_000

// EndlessError is a paging that would not end: a page that repeats, a network that
// points backwards, or more pages than the cap. It stops the stream, because to
// end there without an error would lose what is behind.
type EndlessError struct {
	// Page counts the pages of the list, from 1; it is the page that gave it away.
	Page int
	// Reason is for people.
	Reason string
}

// Error gives page and reason.
func (e *EndlessError) Error() string { return fmt.Sprintf("endless paging: %s", e.Reason) }

// envelope is what an answer says about the list that it is a page of.
type envelope struct {
	records int
	hash    uint64
	// next, total and served are as the network states them. hasNext says that there
	// is a next page at all; next is 0 when it is not a number. total and served are
	// 0 when they are absent or no number.
	hasNext             bool
	next, total, served int64
	// pages is the number of pages, and noPages that it is stated to be zero.
	pages   int64
	noPages bool
	// token is the cursor of the next page; empty if there is none. badToken says that
	// one is there that cannot be sent: it is an object or a list.
	token    string
	badToken bool
	// last and overlaps are of lists whose pages are distinct; see distinct.go.
	last     digest
	overlaps bool
}

// readEnvelope reads what the manifest says stands around the records.
func readEnvelope(d *document, p manifest.Paging) envelope {
	var e envelope
	if p.Next != "" {
		if raw, ok := d.lookup(p.Next); ok && !nothing(raw) {
			e.hasNext = true
			e.next, _ = number(raw)
		}
	}
	for _, v := range []struct {
		path string
		into *int64
	}{{p.Total, &e.total}, {p.Served, &e.served}} {
		if v.path == "" {
			continue
		}
		if raw, ok := d.lookup(v.path); ok {
			*v.into, _ = number(raw)
		}
	}
	if p.Pages != "" {
		if raw, ok := d.lookup(p.Pages); ok {
			e.pages, ok = number(raw)
			e.noPages = ok && e.pages == 0
		}
	}
	if p.Cursor != "" {
		if raw, ok := d.lookup(p.Cursor); ok && !nothing(raw) {
			e.token = text(raw)
			e.badToken = raw[0] == '{' || raw[0] == '['
		}
	}
	return e
}

// nothing reports whether a raw value says that there is no next page. In XML, and at
// networks that quote all values, false is a text.
func nothing(raw []byte) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "false", `"false"`, `""`, "0", `"0"`, "[]", "{}":
		return true
	}
	return false
}

// number reads a whole positive number, which some networks send as text.
func number(raw []byte) (int64, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) >= 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

// advance decides what follows the page at c. The error is an *EndlessError.
func (p *plan) advance(w extractors.Work, c cursor, e envelope) (extractors.Page, error) {
	if back, ok := c.behind(); ok {
		return back, nil
	}
	page := extractors.Page{Records: e.records, Hash: e.hash, Note: c.tell()}
	if p.manifest.ForEach == nil && !p.manifest.Paging.Adaptive { // which may pass over records that it is not given
		page.Total = max(e.total, 0)
	}
	next, more, err := p.follow(c, e)
	if err != nil {
		return extractors.Page{}, err
	}
	if !more {
		return p.afterList(page, w, c), nil
	}
	next.grow()
	page.Next = next.text()
	return page, nil
}

// afterList goes on with the next items, or ends the pull.
func (p *plan) afterList(page extractors.Page, w extractors.Work, c cursor) extractors.Page {
	if p.manifest.ForEach != nil {
		if next := p.nextItem(c); next.Item < len(w.Items) {
			page.Next = next.text()
			return page
		}
	}
	page.Done = true
	return page
}

// follow gives the next page of the list, or false at its end.
//
// The first stop rule that holds ends the list, with one reservation: when a rule
// ends it and the total that the network states says that records are left, one
// more page is asked for. Which of the two is true cannot be known from here, one
// call settles it, and an early end would lose records without a trace. If that
// page is empty or repeats the one before, the rule was right.
func (p *plan) follow(c cursor, e envelope) (cursor, bool, error) {
	paging := p.manifest.Paging
	if paging.Kind == manifest.PagingNone {
		return cursor{}, false, nil
	}
	number := c.Pages + 1
	repeats := c.Pages > 0 && e.records == c.Last && digest(e.hash) == c.Hash
	if c.Doubt && (repeats || e.records == 0) {
		return cursor{}, false, nil
	}
	if repeats && e.records > 0 && slices.Contains(paging.Stop, manifest.StopRepeated) {
		return cursor{}, false, nil
	}
	if repeats && e.records > 0 {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("page %d brought the same records as the page before", number)}
	}

	if e.overlaps {
		return cursor{}, false, &OverlapError{number}
	}

	next := c
	next.Pages = number
	next.Passed += int64(e.records)
	next.Last, next.Hash, next.Doubt = e.records, digest(e.hash), false
	next.Edge = e.last
	if e.badToken {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("the cursor that page %d gives is no text and no number", number)}
	}
	if paging.Kind == manifest.PagingCursor && e.records == 0 && p.saysMore(e) {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("page %d is empty, and the network says that there is more", number)}
	}
	if p.stops(next, e) {
		left := slices.Contains(paging.Stop, manifest.StopTotal) && e.total > next.Passed
		if !left || e.records == 0 {
			return cursor{}, false, nil
		}
		next.Doubt = true
	}
	if repeats {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("page %d is empty like the page before, and no stop rule holds", number)}
	}
	if limit := p.maxPages(); number >= limit {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("there are more than %d pages", limit)}
	}
	if paging.Kind == manifest.PagingCursor {
		return p.followCursor(next, e)
	}
	next.At++
	if paging.Kind == manifest.PagingOffset {
		next.At = c.At + e.records
	}
	if e.next != 0 && e.next <= int64(c.At) {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("after %d the network points to %d", c.At, e.next)}
	}
	if next.At <= c.At {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf("after an empty page the offset stays at %d", c.At)}
	}
	return next, true, nil
}

// stops reports whether a stop rule holds; c counts the page in.
func (p *plan) stops(c cursor, e envelope) bool {
	for _, rule := range p.manifest.Paging.Stop {
		switch rule {
		case manifest.StopNoNext:
			if !e.hasNext {
				return true
			}
		case manifest.StopEmpty:
			if e.records == 0 {
				return true
			}
		case manifest.StopNoCursor:
			if e.token == "" {
				return true
			}
		case manifest.StopLastPage:
			if e.pages > 0 && int64(c.Pages) >= e.pages || e.noPages && e.records == 0 {
				return true
			}
		case manifest.StopShort:
			size := e.served // what the network really used, not what was asked for
			if size <= 0 {
				size = int64(c.Size)
			}
			if int64(e.records) < size {
				return true
			}
		case manifest.StopTotal:
			if e.total > 0 && c.Passed >= e.total {
				return true
			}
		}
	}
	return false
}

func (p *plan) maxPages() int {
	if n := p.manifest.Paging.MaxPages; n > 0 {
		return n
	}
	return maxPagesDefault
}
