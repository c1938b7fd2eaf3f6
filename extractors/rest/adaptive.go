package rest

import (
	"errors"
	"fmt"

	"syncd/extractors"
)

const (
	// firstCut is the largest size that a page is cut to at once. From it six halvings lead
	// to one record, which with the record itself leaves one of the eight failures in a row
	// after which a pull rests.
	firstCut = 32
	// holeMax is the number of records in a row that are passed over. A network that fails
	// with more of them is down, and none of them is to blame.
	holeMax = 10
)

// adaptive reports whether an answer is that of a network which failed to give a page, and
// might give a smaller one.
func (r *reading) adaptive() bool {
	return r.plan.manifest.Paging.Adaptive && r.cursor.Size > 0 && r.answer.Status >= 500
}

// shrink says where the pull goes on after a page that the network failed to give: with half
// its size; at one record behind it; and where too many records in a row failed, with the
// first of them again, because then nothing says that it is them.
//
// A record is passed over when it fails once more after one behind it came, so that an
// outage, of whatever length, loses none.
func (r *reading) shrink(err error) error {
	api, ok := errors.AsType[*extractors.APIError](err)
	if !ok || api.Outcome != extractors.RetryNow {
		return err // it asks for patience, or has a better reason
	}
	c := r.cursor
	switch {
	case c.Size > 1:
		c.Full = max(c.Full, c.Size)
		c.Size = min(c.Size/2, firstCut)
		api.Advice = fmt.Sprintf("it is asked again for %d records from %d on", c.Size, c.At)
	case c.Proof > 0:
		api.Advice = fmt.Sprintf("record %d of the list is passed over: it fails again, and one behind it came", c.At)
		c.At++
		c.Lost++
		c.Passed++
		c.prove()
	case c.Hole < holeMax:
		api.Advice = fmt.Sprintf("it is seen whether a record behind number %d of the list comes", c.At)
		c.At++
		c.Hole++
	default:
		c.At -= c.Hole
		c.Hole = 0
		api.Advice = fmt.Sprintf("%d records in a row fail, and so it is asked again from %d on", holeMax+1, c.At)
	}
	api.Cursor = c.text()
	return api
}

// behind goes back to the records that failed, now that one behind them came: if they fail
// again, it is them. It reports false where there are none.
func (c cursor) behind() (extractors.Page, bool) {
	if c.Hole == 0 {
		return extractors.Page{}, false
	}
	c.Proof, c.Hole, c.At = c.At, 0, c.At-c.Hole
	return extractors.Page{Control: true, Next: c.text(), Note: fmt.Sprintf("record %d of the list, which failed, is asked for once more", c.At)}, true
}

// prove ends the proof behind its last record.
func (c *cursor) prove() {
	if c.At >= c.Proof {
		c.Proof = 0
	}
}

// tell says in words which records were passed over before the page; empty for none.
func (c *cursor) tell() string {
	lost := c.Lost
	c.Lost = 0
	switch lost {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("record %d of the list was passed over: the network fails to give it", c.At-1)
	}
	return fmt.Sprintf("records %d to %d of the list were passed over: the network fails to give them", c.At-lost, c.At-1)
}

// grow doubles the size of the next page until it is what it was.
func (c *cursor) grow() {
	c.prove()
	if c.Full == 0 || c.Proof > 0 {
		return
	}
	if c.Size = min(2*c.Size, c.Full); c.Size == c.Full {
		c.Full = 0
	}
}
