package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

const (
	// cursorVersion is raised when a cursor's fields change their meaning: a pull
	// that a former program left half done is then refused instead of misread.
	cursorVersion = 1
	// sizeMax is the largest size of a page that may be asked for.
	sizeMax = 1_000_000
	// atMax is the largest page number or offset; it keeps sums far from overflow.
	atMax = 1 << 40
)

// cursor is where a pull stands: which call is next, and what is known of the
// calls before it that decides whether the paging ends.
type cursor struct {
	Version int `json:"v"`
	// Kind is the kind of paging that At belongs to.
	Kind manifest.PagingKind `json:"k"`
	// Item is the place in the work's items of the first one of the call.
	Item int `json:"i,omitempty"`
	// At is the page number or the offset of the call; for paging by cursor always 0.
	At int `json:"a"`
	// Size is the size of a page that the pull began with: were it to change half way,
	// page numbers would mean other records.
	Size int `json:"s,omitempty"`
	// Full is the size that Size grows back to after a page that the network failed to give; 0
	// if it is that. Hole is the number of records before At that failed one by one. Proof is
	// where those end that are asked for once more, after one behind them came; 0 for
	// none. Lost is the number of those before At that were passed over and not told of.
	Full  int `json:"f,omitempty"`
	Hole  int `json:"o,omitempty"`
	Proof int `json:"b,omitempty"`
	Lost  int `json:"y,omitempty"`
	// Pages and Passed are the pages and records read of the list so far.
	Pages  int   `json:"p,omitempty"`
	Passed int64 `json:"n,omitempty"`
	// Last and Hash are the number of records and the digest of the page before.
	Last int    `json:"l,omitempty"`
	Hash digest `json:"h,omitempty"`
	// Doubt says that a stop rule held on the page before, and that its total said
	// otherwise: the call only makes sure.
	Doubt bool `json:"d,omitempty"`
	// Gone counts the items that the network no longer knew.
	Gone int `json:"g,omitempty"`
	// Edge is the digest of the last record of the page before, in a list whose pages
	// are distinct; 0 in all others.
	Edge digest `json:"e,omitempty"`
	// Token is the network's own cursor of the call, for paging by cursor; empty for the
	// first page. Round is what is known of those before it.
	Token string `json:"t,omitempty"`
	Round round  `json:"r,omitzero"`
}

// digest is a hash that is written in hexadecimal text, because JSON readers may
// round large numbers.
type digest uint64

// MarshalText writes the digest.
func (d digest) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(d), 16), nil }

// UnmarshalText reads the digest.
func (d *digest) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return errors.New("a digest is not hexadecimal")
	}
	*d = digest(n)
	return nil
}

// begin is the cursor of a pull's first call.
func (p *plan) begin() cursor {
	return cursor{Version: cursorVersion, Kind: p.manifest.Paging.Kind, At: p.manifest.Paging.First, Size: p.size}
}

// nextItem is the cursor of the first call for the items after c's.
func (p *plan) nextItem(c cursor) cursor {
	next := p.begin()
	next.Item = c.Item + max(p.manifest.ForEach.Batch, 1)
	next.Size = max(c.Size, c.Full)
	next.Gone = c.Gone
	return next
}

// resume reads the cursor of the work. One that cannot be read is an error: to
// begin again in silence would ask what was answered already.
func (p *plan) resume(w extractors.Work) (cursor, error) {
	if w.Cursor == "" {
		return p.begin(), nil
	}
	c, err := parseCursor(w.Cursor)
	if err != nil {
		return cursor{}, fmt.Errorf("reading the cursor: %w", err)
	}
	paging := p.manifest.Paging
	switch {
	case c.Kind != paging.Kind:
		return cursor{}, fmt.Errorf("reading the cursor: it pages by %s and the stream by %s", c.Kind, paging.Kind)
	case c.At < paging.First:
		return cursor{}, fmt.Errorf("reading the cursor: it lies before the first page")
	case (paging.Kind == manifest.PagingCursor && c.Pages > 0) != (c.Token != ""):
		return cursor{}, fmt.Errorf("reading the cursor: the network's own cursor is missing, or there is one where there is none")
	case p.manifest.ForEach == nil && c.Item != 0, p.manifest.ForEach != nil && c.Item >= len(w.Items):
		return cursor{}, fmt.Errorf("reading the cursor: it lies outside of the list of %d items", len(w.Items))
	}
	return c, nil
}

// parseCursor reads a cursor strictly: it was written by this package or it is wrong.
func parseCursor(text state.Cursor) (cursor, error) {
	var c cursor
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return cursor{}, errors.New("it is not one of this program's")
	}
	if _, err := d.Token(); err != io.EOF {
		return cursor{}, errors.New("there is more after its end")
	}
	switch {
	case c.Version != cursorVersion:
		return cursor{}, fmt.Errorf("it has version %d, and this program reads version %d", c.Version, cursorVersion)
	case c.Kind == "":
		return cursor{}, errors.New("it does not say what it pages by")
	case c.Item < 0, c.At < 0, c.At > atMax, c.Size < 0, c.Size > sizeMax, c.Pages < 0, c.Passed < 0,
		c.Passed > atMax, c.Last < 0, int64(c.Last) > c.Passed, c.Gone < 0, c.Gone > c.Item,
		c.Full < 0, c.Full > sizeMax, c.Hole < 0, c.Hole > holeMax, c.Hole > c.At, c.Proof < 0, c.Proof > atMax, c.Lost < 0, c.Lost > c.At,
		len(c.Token) > tokenMax, !c.Round.valid():
		return cursor{}, errors.New("a number in it is out of range")
	}
	return c, nil
}

// text writes the cursor.
func (c cursor) text() state.Cursor {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of numbers and words
	}
	return state.Cursor(b)
}
