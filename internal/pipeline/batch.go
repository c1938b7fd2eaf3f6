package pipeline

import (
	"slices"
	"time"

	"syncd/state"
)

const (
	// batchRecords is the size up to which pulls are combined into one batch. Below
	// 262,144 rows an INSERT the server's speed falls; ten times that is no faster and
	// only more to do again after a crash.
	batchRecords = 524_288
	// batchPulls bounds the scopes in the statements of one publication.
	batchPulls = 500
	// backfillLinger is how much longer a batch of nothing but backfill lingers. Nobody
	// waits for its rows, and every publication has its price: with 500 ms the batches
	// of a fast backfill had 55,000 rows, and the server spent as long on publishing
	// and merging them as on storing them.
	backfillLinger = 20
)

// nextBatch gives the pulls that a slot should load next, marked as in hand. When
// there are none, or when it is better to wait for more, it says how long (zero:
// until the queue changes).
func (e *Engine) nextBatch(now time.Time) ([]*entry, time.Duration) {
	more, later := e.moreComing(now, e.linger), e.moreComing(now, backfillLinger*e.linger)
	var wait time.Duration
	chosen, again := e.queue.takePulled(now, func(waiting, busy []*entry) []*entry {
		batch := choose(waiting, busy, e.owns)
		if len(batch) == 0 {
			return nil
		}
		var records int64
		oldest, linger, more := now, e.linger, more
		if !slices.ContainsFunc(batch, func(b *entry) bool { return b.pull.Tier != state.Backfill }) {
			linger, more = backfillLinger*e.linger, later
		}
		for _, b := range batch {
			records += recordsOf(b.pull)
			if b.pulledAt.Before(oldest) {
				oldest = b.pulledAt
			}
		}
		if !more {
			return batch
		}
		if left := linger - now.Sub(oldest); left > 0 && records < batchRecords/2 && len(batch) < batchPulls {
			wait = left
			return nil
		}
		return batch
	})
	if wait == 0 || again > 0 && again < wait {
		wait = again
	}
	return chosen, wait
}

// owns says whose rows a pull brings.
func (e *Engine) owns(p state.Pull) (target, bool) {
	return e.lanes[p.Account].account.owns(p.Stream)
}

// moreComing reports whether some lane has a call to make within a time, so that a
// small batch should linger for what it brings.
func (e *Engine) moreComing(now time.Time, within time.Duration) bool {
	for name, l := range e.lanes {
		if e.queue.pulling(name) > 0 && l.isStopped() == "" {
			l.mu.Lock()
			soon := l.next.Sub(now) < within
			l.mu.Unlock()
			if soon {
				return true
			}
		}
	}
	return false
}

// target names the rows that a stream of an account owns in the warehouse. Leads are
// those that several streams share (see Account.owns).
type target struct {
	account, stream string
	leads           bool
}

// recordsOf gives how many records a pull has, about: networks do not always say how
// many are in a file. A record of a report takes some 250 bytes.
func recordsOf(p state.Pull) int64 {
	if p.Route == state.Export {
		return max(p.Records, p.Bytes/256)
	}
	return p.Records
}

// choose picks pulls that may be staged together and beside what other slots have
// in hand. The steps of a calendar never overlap, so that any number of windows goes
// together; an export over several of them goes neither with one of them nor at the
// same time, because it could not be said whose a row is. A snapshot or a list
// of changes may touch the same rows as a window, and which of them is missing a row
// can only be said once the other is visible: it goes alone. So does whatever is about
// leads, whose rows may lie outside of its window; owns says what is (Account.owns).
func choose(waiting, busy []*entry, owns func(state.Pull) (t target, leads bool)) []*entry {
	windows, alone := map[target]*spans{}, map[target]bool{}
	claim := func(e *entry) bool {
		t, leads := owns(e.pull)
		if alone[t] {
			return false
		}
		if e.pull.Kind != state.Windowed || leads {
			alone[t] = windows[t] == nil
			return alone[t]
		}
		if windows[t] == nil {
			windows[t] = &spans{}
		}
		return windows[t].add(e.pull.From, e.pull.To)
	}
	for _, e := range busy {
		claim(e)
	}
	var batch []*entry
	var records int64
	for _, e := range waiting {
		if e.alone {
			if len(batch) == 0 && claim(e) {
				return []*entry{e}
			}
			continue
		}
		if len(batch) == batchPulls || records > 0 && records+recordsOf(e.pull) > batchRecords {
			break
		}
		if claim(e) {
			batch = append(batch, e)
			records += recordsOf(e.pull)
		}
	}
	return batch
}

// spans are windows that do not overlap, oldest first.
type spans struct{ from, to []time.Time }

// add takes a window in, unless it overlaps one that is there.
func (s *spans) add(from, to time.Time) bool {
	i, same := slices.BinarySearchFunc(s.from, from, time.Time.Compare)
	if same || i > 0 && s.to[i-1].After(from) || i < len(s.from) && s.from[i].Before(to) {
		return false
	}
	s.from, s.to = slices.Insert(s.from, i, from), slices.Insert(s.to, i, to)
	return true
}
