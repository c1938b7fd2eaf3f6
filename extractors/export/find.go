package export

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

const (
	// clockSkew is how far the network's clock may be from ours.
	clockSkew = time.Minute
	// listPagesDefault is the number of pages after which a list is called endless. At
	// 100 exports a page and 10 a day it is two years of them.
	listPagesDefault = 100
	// failedMax is the number of exports of a range that may fail before it is parted;
	// lostMax the number that may be canceled, get stuck or vanish before the stream stops.
	failedMax = 2
	lostMax   = 2
)

// madePause is the pause before a creation, by the number of creations before it that
// were not heard of; beyond them the stream stops. Each may have cost one of the few
// exports of a day, and a call that succeeds in between forgets the usual backoff.
var madePause = []time.Duration{0, time.Minute, 10 * time.Minute, time.Hour}

// found reads a page of the list and looks for an export that can be taken over.
func (r *reading) found() (extractors.Page, error) {
	m := r.machine
	raw, ok := find(r.body, m.Exports.List.Records)
	if !ok {
		return extractors.Page{}, r.stop("", "the answer has no list of exports")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return extractors.Page{}, r.stop("", "what the answer has in place of the list of exports is no list")
	}
	var (
		best     object
		next     = r.cursor
		oldest   time.Time
		byAge    = true // all are dated, and the newest come first
		worsened bool
	)
	if next.Made == 0 && next.Page == 0 {
		next.Seen = nil
	}
	for _, raw := range list {
		o := m.object(raw)
		byAge = byAge && !o.created.IsZero() && (oldest.IsZero() || !o.created.After(oldest))
		oldest = o.created
		if o.id == "" || len(o.id) > nameMax || slices.Contains(next.Spent, o.id) || !m.same(r.ask, o) {
			continue
		}
		if next.Made == 0 {
			next.see(o.id)
		}
		switch {
		case o.status == failed && r.own(o):
			// Made by this pull, which did not live to see it fail.
			next.spend(o.id)
			next.Failed++
			worsened = true
		case o.status == canceled && r.own(o):
			next.spend(o.id)
			next.Lost++
		case r.usable(o) && (best.id == "" || o.created.After(best.created)):
			best = o
		}
	}
	if best.id != "" {
		// What failed beside it is of no interest any more.
		next = r.cursor.again()
		next.Phase, next.Export, next.Since = Poll, best.id, seconds(r.now())
		return r.control(next, 0, "export "+m.Engine.Clean(best.id)+" was there already"), nil
	}
	more, err := r.more(raw, len(list), byAge && r.tooOld(oldest))
	if err != nil {
		return extractors.Page{}, err
	}
	if more {
		next.Page++
		next.Hash = digest(raw)
		return r.control(next, 0, ""), nil
	}
	return r.none(next, worsened)
}

// own reports whether an export was created since the pull was: by this pull, or, to
// the same effect, by somebody else. Once a creation was not heard of, what is new in the
// list is its export; before that there are only the two clocks.
func (r *reading) own(o object) bool {
	if c := r.cursor; c.Made > 0 && len(c.Seen) < spentMax && !slices.Contains(c.Seen, o.id) {
		return true
	}
	return !o.created.IsZero() && !o.created.Before(r.work.Begun.Add(-clockSkew))
}

// usable reports whether an export brings what this pull would ask for now: it is this
// pull's own, or a young one that was made when its range was over. One that is not
// written yet must not be older than it may take. One that is older than what is known
// of the window is the same answer once more, which must not be taken for a second one
// (a guard believes two), or an older answer, whose rows would win over newer ones.
func (r *reading) usable(o object) bool {
	if o.status != open && o.status != done {
		return false
	}
	if r.own(o) {
		return true
	}
	if known := r.work.Known; !known.IsZero() && !o.created.After(known.Add(clockSkew)) {
		return false
	}
	oldest := r.clock().Add(-r.machine.Reuse)
	if o.status == open {
		oldest = r.clock().Add(-min(r.machine.Reuse, r.machine.Exports.Poll.Deadline))
	}
	return r.machine.Reuse > 0 && !o.created.IsZero() && !o.created.Before(oldest) && !o.created.Before(r.ask.Range.To)
}

// clock is the network's time, or else when the pull began: as far as is known, it is no earlier.
func (r *reading) clock() time.Time {
	if now := r.now(); !now.IsZero() {
		return now
	}
	return r.work.Begun
}

// tooOld reports whether exports of this age are of no use.
func (r *reading) tooOld(created time.Time) bool {
	return !created.IsZero() && created.Before(r.work.Begun.Add(-clockSkew)) && created.Before(r.clock().Add(-r.machine.Reuse))
}

// more reports whether the list has a further page that matters.
func (r *reading) more(raw []byte, count int, tooOld bool) (bool, error) {
	p := r.machine.Exports.List.Paging
	// A network that ignores the number of the page gives the same one again.
	if p.Kind != manifest.PagingPage || count == 0 || count < p.Size || tooOld || r.cursor.Page > 0 && digest(raw) == r.cursor.Hash {
		return false, nil
	}
	limit := listPagesDefault
	if p.MaxPages > 0 {
		limit = p.MaxPages
	}
	if r.cursor.Page+1 >= limit {
		return false, r.stop("check exports.list in the manifest", "the list of exports has more than %d pages", limit)
	}
	return true, nil
}

// none decides what follows when there is no export to take over.
func (r *reading) none(c cursor, worsened bool) (extractors.Page, error) {
	switch {
	case c.Failed >= failedMax:
		return r.split(c, "its export failed twice", "")
	case c.Lost >= lostMax:
		return extractors.Page{}, r.stop("look for its exports at the network", "its export was canceled, got stuck or vanished %d times", c.Lost)
	case c.Made >= len(madePause):
		return extractors.Page{}, r.stop("look at the network whether exports are created",
			"an export was asked for %d times, and neither the answer nor the list of exports has it", c.Made)
	}
	next := c.again()
	next.Phase = Create
	pause, note := madePause[c.Made], ""
	if worsened {
		pause = max(pause, r.machine.Exports.CoolDown)
	}
	if pause > 0 {
		note = "waiting before an export is created once more"
	}
	return r.control(next, pause, note), nil
}

// digest tells pages of a list apart.
func digest(raw []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(bytes.TrimSpace(raw)) // a hash takes everything
	return strconv.FormatUint(h.Sum64(), 16)
}

// seconds is a time for a cursor.
func seconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return max(at.Unix(), 0)
}
