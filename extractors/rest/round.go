package rest

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// tokenMax is the length of the longest cursor of a network that is sent back, in
// bytes: servers refuse addresses from 8 KiB on, and everything else has to fit too.
const tokenMax = 4096

// round finds out that a network's cursors go round in a circle, of whatever length,
// without remembering them all: Brent's way. One cursor is kept as a mark, and every
// one that follows is compared with it; when as many have passed as the last time and
// once more, the mark moves. A circle of n cursors is noticed after at most 3n pages.
type round struct {
	// Mark is the digest of the cursor that is kept.
	Mark digest `json:"m,omitempty"`
	// Span is how many cursors are compared with it, and Gone how many were.
	Span int `json:"w,omitempty"`
	Gone int `json:"x,omitempty"`
}

// pass counts a cursor in. It reports whether the cursor is the mark.
func (r *round) pass(token string) bool {
	d := digest(xxhash.Sum64String(token))
	if r.Span > 0 && d == r.Mark {
		return true
	}
	if r.Gone++; r.Gone >= r.Span {
		*r = round{Mark: d, Span: max(2*r.Span, 1)}
	}
	return false
}

// valid reports whether a round could have been written by pass.
func (r round) valid() bool {
	return r.Span >= 0 && r.Span <= 1<<40 && r.Gone >= 0 && r.Gone <= r.Span
}

// saysMore reports whether the network itself says that there is a next page.
func (p *plan) saysMore(e envelope) bool {
	if p.manifest.Paging.Next != "" {
		return e.hasNext
	}
	return e.token != ""
}

// followCursor goes on with the cursor that the page gave; c counts the page in.
func (p *plan) followCursor(c cursor, e envelope) (cursor, bool, error) {
	number := c.Pages
	fail := func(format string, args ...any) (cursor, bool, error) {
		return cursor{}, false, &EndlessError{number, fmt.Sprintf(format, args...)}
	}
	switch {
	case e.token == "":
		return fail("page %d says that there is more and gives no cursor", number)
	case len(e.token) > tokenMax:
		return fail("page %d gives a cursor of %d bytes, and %d are the most that can be sent", number, len(e.token), tokenMax)
	case e.token == c.Token:
		return fail("page %d gives the cursor of its own call again", number)
	case c.Round.pass(e.token):
		return fail("page %d gives a cursor that an earlier page gave: they go round in a circle", number)
	}
	c.Token = e.token
	return c, true, nil
}
