package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

const (
	// cursorVersion is raised when a cursor's fields change their meaning.
	cursorVersion = 1
	// rangesMax is far above what halving can leave to be done: each half of a pull of a
	// century down to a second adds one.
	rangesMax = 64
	// spentMax is the number of exports of one range that are passed over; attempts end
	// long before.
	spentMax = 32
	// nameMax is the longest name of an export or file that is taken for one.
	nameMax = 1024
)

// cursor is where a pull stands.
type cursor struct {
	Version int  `json:"v"`
	Phase   Step `json:"p"`
	// Item is the place in the work's items of the one in hand.
	Item int `json:"i,omitempty"`
	// Ranges are what is left to be done of the item, the one in hand first. They are
	// in order and touch.
	Ranges []span `json:"r"`

	// Page and Hash are the number of pages of the list that were read and the digest
	// of the last of them.
	Page int    `json:"n,omitempty"`
	Hash string `json:"h,omitempty"`

	// What happened to the range in hand: Made counts the creations whose answer did not
	// come or was of no use, Failed the exports that failed, Lost those that were
	// canceled, got stuck or vanished. Spent are the exports that are not taken over.
	Made   int      `json:"m,omitempty"`
	Failed int      `json:"f,omitempty"`
	Lost   int      `json:"l,omitempty"`
	Spent  []string `json:"s,omitempty"`
	// Seen are the exports of the range that were in the list before the first creation:
	// one that is there afterwards and not among them is what was created, whatever the
	// network's clock says of it.
	Seen []string `json:"o,omitempty"`

	// Export is the export in hand. Polls counts how often it was asked for, Waited the
	// seconds of pauses between, and Since is when that began by the network's clock, in
	// seconds since 1970; 0 if the network does not say.
	Export string `json:"e,omitempty"`
	Polls  int    `json:"k,omitempty"`
	Waited int64  `json:"w,omitempty"`
	Since  int64  `json:"t,omitempty"`

	// Artifact, Size and Total are the name of the file, its bytes and its rows.
	Artifact string `json:"a,omitempty"`
	Size     int64  `json:"b,omitempty"`
	Total    int64  `json:"c,omitempty"`
}

// span is a range in seconds since 1970, half open.
type span [2]int64

func (s span) window() schema.Window {
	return schema.Window{From: time.Unix(s[0], 0).UTC(), To: time.Unix(s[1], 0).UTC()}
}

func (s span) seconds() int64 { return s[1] - s[0] }

// halves parts a range at a whole second.
func (s span) halves() (a, b span) {
	middle := s[0] + s.seconds()/2
	return span{s[0], middle}, span{middle, s[1]}
}

// whole is the range of the work: its window, without what has not settled when the
// pull began. It is a second at least.
func (m *Machine) whole(w extractors.Work) span {
	to := w.Window.To
	if settled := w.Begun.Add(-m.Settle); m.Settle > 0 && !w.Begun.IsZero() && settled.Before(to) {
		to = settled
	}
	from := w.Window.From.Unix()
	return span{from, max(to.Unix(), from+1)}
}

// begin is the cursor of the first call for an item.
func (m *Machine) begin(w extractors.Work, item int) cursor {
	return cursor{Version: cursorVersion, Phase: Find, Item: item, Ranges: []span{m.whole(w)}}
}

// after is the cursor behind the range in hand; false at the end of the pull.
func (m *Machine) after(c cursor, w extractors.Work) (cursor, bool) {
	if len(c.Ranges) > 1 {
		return cursor{Version: cursorVersion, Phase: Find, Item: c.Item, Ranges: c.Ranges[1:]}, true
	}
	if c.Item+1 < len(w.Items) {
		return m.begin(w, c.Item+1), true
	}
	return cursor{}, false
}

// again looks for an export of the same range, with the memory of what was tried.
func (c cursor) again() cursor {
	return cursor{
		Version: cursorVersion, Phase: Find, Item: c.Item, Ranges: c.Ranges,
		Made: c.Made, Failed: c.Failed, Lost: c.Lost, Spent: c.Spent, Seen: c.Seen,
	}
}

// unheard is where a creation leaves the pull until its answer is there.
func (c cursor) unheard() cursor {
	next := c.again()
	next.Made++
	return next
}

// spend marks an export as one that is not taken over.
func (c *cursor) spend(id string) {
	if len(c.Spent) < spentMax {
		// A copy: the cursor that this one was made of keeps its own.
		c.Spent = append(c.Spent[:len(c.Spent):len(c.Spent)], id)
	}
}

// see marks an export as one that was there before the first creation.
func (c *cursor) see(id string) {
	if len(c.Seen) < spentMax {
		c.Seen = append(c.Seen[:len(c.Seen):len(c.Seen)], id)
	}
}

// ask is what the next call is made of.
func (c cursor) ask(w extractors.Work) Ask {
	a := Ask{Step: c.Phase, Range: c.Ranges[0].window(), Export: c.Export, Artifact: c.Artifact, Page: c.Page}
	if c.Item < len(w.Items) {
		a.Item = w.Items[c.Item]
	}
	return a
}

// resume reads the cursor of the work. One that cannot be read is an error: to begin
// again in silence could buy an export twice.
func (m *Machine) resume(w extractors.Work) (cursor, error) {
	if err := accepts(w); err != nil {
		return cursor{}, err
	}
	if w.Cursor == "" {
		return m.begin(w, 0), nil
	}
	c, err := parseCursor(w.Cursor)
	if err != nil {
		return cursor{}, fmt.Errorf("reading the cursor of an export: %w", err)
	}
	whole := m.whole(w)
	switch {
	case c.Item >= max(len(w.Items), 1):
		return cursor{}, fmt.Errorf("reading the cursor of an export: it lies outside of the list of %d items", len(w.Items))
	case c.Ranges[0][0] < whole[0], c.Ranges[len(c.Ranges)-1][1] != whole[1]:
		return cursor{}, errors.New("reading the cursor of an export: its ranges are not those of the window")
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
	return c, c.check()
}

// check finds what this package would not have written.
func (c cursor) check() error {
	switch {
	case c.Version != cursorVersion:
		return fmt.Errorf("it has version %d, and this program reads version %d", c.Version, cursorVersion)
	case c.Phase != Find && c.Phase != Create && c.Phase != Poll && c.Phase != Sign:
		return errors.New("it does not say what is next")
	case len(c.Ranges) == 0 || len(c.Ranges) > rangesMax:
		return errors.New("it has no ranges, or too many")
	case (c.Export != "") != (c.Phase == Poll || c.Phase == Sign):
		return errors.New("an export and what is next do not agree")
	case len(c.Spent) > spentMax, len(c.Seen) > spentMax, len(c.Export) > nameMax, len(c.Artifact) > nameMax:
		return errors.New("a name in it is too long, or there are too many")
	case c.Item < 0, c.Page < 0, c.Made < 0, c.Failed < 0, c.Lost < 0, c.Polls < 0, c.Waited < 0, c.Since < 0, c.Size < 0, c.Total < 0:
		return errors.New("a number in it is out of range")
	}
	for i, s := range c.Ranges {
		if s[0] >= s[1] || i > 0 && c.Ranges[i-1][1] != s[0] {
			return errors.New("its ranges are not in order")
		}
	}
	return nil
}

// text writes the cursor.
func (c cursor) text() state.Cursor {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of numbers and words
	}
	return state.Cursor(b)
}
