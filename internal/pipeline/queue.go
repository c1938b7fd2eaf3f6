package pipeline

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"syncd/state"
)

// queue holds the open pulls of all accounts in memory, as the state store has
// them, and wakes who waits for a change. It is the only thing that lanes and
// loader share.
type queue struct {
	mu sync.Mutex
	// pulls are the open pulls by id; what a lane or a slot has in hand is marked.
	pulls map[int64]*entry
	// order lists each account's pulling pulls, most urgent first.
	order map[string][]*entry
	// changed is closed and replaced whenever anything changes.
	changed chan struct{}
	// inbox is the compressed size of the pages that wait.
	inbox int64
	// offers are downloads under way that no slot reads yet, oldest first.
	offers []*ahead
}

// entry is one open pull. All of it is guarded by the queue's mutex, but that who
// has a pulled pull in hand may read the pull: nothing changes it any more.
type entry struct {
	pull state.Pull
	// replay is nil but for a pull whose pages were loaded before.
	replay *Replay
	// inHand says that a lane's worker or a loader's slot is at work on it.
	inHand bool
	// ahead says that a slot stages the pull's file while a lane's worker still downloads
	// it; the slot then has it in hand when the file is received.
	ahead bool
	// pulledAt is when the last page came, for the loader's lingering.
	pulledAt time.Time
	// waits says in words what the pull waits for beside its account's lane; empty for nothing.
	waits string
	// alone says that the pull was in a batch that the warehouse refused; refusals and
	// loadAfter count the times it was refused alone, and when it is tried again.
	alone     bool
	refusals  int
	loadAfter time.Time
}

func newQueue() *queue {
	return &queue{pulls: map[int64]*entry{}, order: map[string][]*entry{}, changed: make(chan struct{})}
}

// wait gives a channel that is closed at the next change.
func (q *queue) wait() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

// signal must be called with mu held.
func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// touch wakes who waits, after a change outside the queue.
func (q *queue) touch() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.signal()
}

// add takes pulls over from the store.
func (q *queue) add(pulls []state.Pull, now time.Time) {
	if len(pulls) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	touched := map[string]bool{}
	for _, p := range pulls {
		e := &entry{pull: p}
		if p.Phase == state.Pulled {
			e.pulledAt = now
		}
		q.pulls[p.ID] = e
		touched[p.Account] = true
	}
	for account := range touched {
		q.sort(account)
	}
	q.signal()
}

// sort must be called with mu held.
func (q *queue) sort(account string) {
	list := q.order[account][:0]
	for _, e := range q.pulls {
		if e.pull.Account == account && e.pull.Phase == state.Pulling {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.pull.Tier, b.pull.Tier), cmp.Compare(a.pull.ID, b.pull.ID))
	})
	q.order[account] = list
}

// raise gives open pulls the more urgent tiers that a planner asked for, and what else
// was asked of them.
func (q *queue) raise(account, stream string, wanted map[windowKey]state.NewPull) {
	q.mu.Lock()
	defer q.mu.Unlock()
	changed := false
	for _, e := range q.order[account] {
		if e.pull.Stream != stream {
			continue
		}
		if n, ok := wanted[keyOf(e.pull)]; ok && n.Tier < e.pull.Tier {
			e.pull.Tier = n.Tier
			changed = true
		}
	}
	asks := func(n state.NewPull) bool { return n.Reload || n.Accept }
	if slices.ContainsFunc(slices.Collect(maps.Values(wanted)), asks) { // seldom, and there may be 100,000 pulls
		for _, e := range q.pulls {
			if e.pull.Account != account || e.pull.Stream != stream || e.inHand && e.pull.Phase == state.Pulled {
				continue // what a slot has in hand it has read already
			}
			n := wanted[keyOf(e.pull)]
			e.pull.Reload, e.pull.Accept = e.pull.Reload || n.Reload, e.pull.Accept || n.Accept
		}
	}
	if changed {
		q.sort(account)
		q.signal()
	}
}

type windowKey struct {
	kind     state.Kind
	from, to int64
}

func keyOf(p state.Pull) windowKey {
	if p.Kind != state.Windowed {
		return windowKey{kind: p.Kind} // at most one of these is open for a stream
	}
	return windowKey{p.Kind, p.From.UnixMilli(), p.To.UnixMilli()}
}

// take gives a lane its most urgent pull that may be called for now, marked as in
// hand, or says how long until there may be one; zero wait means until a change.
func (q *queue) take(account string, now time.Time) (e *entry, p state.Pull, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.order[account] {
		if e.inHand {
			continue
		}
		if d := e.pull.NotBefore.Sub(now); d > 0 {
			if wait == 0 || d < wait {
				wait = d
			}
			continue
		}
		e.inHand, e.waits = true, ""
		return e, e.pull, 0
	}
	return nil, state.Pull{}, wait
}

// put gives a pull back as it now stands. A pull that is neither pulling nor
// pulled leaves the queue.
func (q *queue) put(e *entry, p state.Pull, now time.Time) { q.putWaiting(e, p, now, "") }

// putWaiting is put for a pull that waits for something beside its account's lane.
func (q *queue) putWaiting(e *entry, p state.Pull, now time.Time, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	tier := min(e.pull.Tier, p.Tier) // raised meanwhile
	p.Reload, p.Accept = p.Reload || e.pull.Reload, p.Accept || e.pull.Accept
	was := e.pull.Phase
	e.pull, e.inHand, e.waits = p, e.ahead && p.Phase == state.Pulled, why
	e.pull.Tier = tier
	switch p.Phase {
	case state.Pulled:
		if was != state.Pulled {
			e.pulledAt = now
		}
	case state.Pulling:
	default:
		delete(q.pulls, p.ID)
	}
	if was == state.Pulling && p.Phase != state.Pulling {
		q.unlist(e)
	}
	q.signal()
}

// unlist takes a pull out of its account's order; with mu held.
func (q *queue) unlist(e *entry) {
	q.order[e.pull.Account] = slices.DeleteFunc(q.order[e.pull.Account], func(x *entry) bool { return x == e })
}

// giveBack gives a pull back as it was taken: its call was not made, or was cut.
func (q *queue) giveBack(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.inHand, e.waits = false, ""
	q.signal()
}

// moved records where a pull in hand stands from now on.
func (q *queue) moved(e *entry, to state.Cursor) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.pull.Cursor = to
}

// say says what a pull in hand waits for while no call of it is made.
func (q *queue) say(e *entry, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.waits = why
}

// postpone gives a pull back unchanged, not to be taken again before a time, and
// says what it waits for.
func (q *queue) postpone(e *entry, until time.Time, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.inHand = false
	e.pull.NotBefore = until
	e.waits = why
	q.signal()
}

// dropStream takes the pulling pulls of a stream out of the queue and returns them.
func (q *queue) dropStream(account, stream string) []state.Pull {
	q.mu.Lock()
	defer q.mu.Unlock()
	var dropped []state.Pull
	keep := q.order[account][:0]
	for _, e := range q.order[account] {
		if e.pull.Stream == stream && !e.inHand {
			dropped = append(dropped, e.pull)
			delete(q.pulls, e.pull.ID)
			continue
		}
		keep = append(keep, e)
	}
	q.order[account] = keep
	q.signal()
	return dropped
}

// takePulled gives a slot the pulled pulls that choose picks, marked as in hand.
// choose sees all that wait, oldest first, and what other slots have in hand. again
// is how long until a pull that the warehouse refused may be tried again; 0 if none.
func (q *queue) takePulled(now time.Time, choose func(waiting, busy []*entry) []*entry) (chosen []*entry, again time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting, busy []*entry
	for _, e := range q.pulls {
		switch {
		case e.ahead:
			busy = append(busy, e)
		case e.pull.Phase != state.Pulled:
		case e.inHand:
			busy = append(busy, e)
		case e.loadAfter.After(now):
			if d := e.loadAfter.Sub(now); again == 0 || d < again {
				again = d
			}
		default:
			waiting = append(waiting, e)
		}
	}
	slices.SortFunc(waiting, func(a, b *entry) int { return cmp.Compare(a.pull.ID, b.pull.ID) })
	chosen = choose(waiting, busy)
	for _, e := range chosen {
		e.inHand = true
	}
	return chosen, again
}

// release gives pulled pulls back to be loaded again.
func (q *queue) release(entries []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		e.inHand = false
	}
	q.signal()
}

// refuse gives pulls back that the warehouse refused. With a zero time they go alone
// from now on; otherwise the pull was alone, and the pause before its next try is returned.
func (q *queue) refuse(entries []*entry, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var pause time.Duration
	for _, e := range entries {
		e.inHand, e.alone = false, true
		if !now.IsZero() {
			pause = min(refusedFirst<<min(e.refusals, 16), refusedMost)
			e.refusals++
			e.loadAfter = now.Add(pause)
		}
	}
	q.signal()
	return pause
}

const (
	// refusedFirst doubles to refusedMost: how long a pull rests that the warehouse
	// refused alone. Each try costs the staging of the pull.
	refusedFirst = 10 * time.Second
	refusedMost  = time.Hour
)

// remove forgets pulls that are published, held, rejected or given up.
func (q *queue) remove(entries []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		delete(q.pulls, e.pull.ID)
		if e.pull.Phase == state.Pulling {
			q.unlist(e)
		}
	}
	q.signal()
}

// grown records that the inbox holds more, or with a negative number less.
func (q *queue) grown(bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inbox += bytes
}

// pulling gives how many pulls of an account are still to be called for.
func (q *queue) pulling(account string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.order[account])
}

// loading gives how many pulls wait for the warehouse or are being loaded, how many
// of them the warehouse refused, and the compressed size of the inbox.
func (q *queue) loading() (pulled, refused int, inbox int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.pulls {
		if e.pull.Phase != state.Pulled {
			continue
		}
		pulled++
		if e.refusals > 0 {
			refused++
		}
	}
	return pulled, refused, q.inbox
}

// open reports whether a stream has an open pull, and whether one of them never failed.
func (q *queue) open(account, stream string) (any, well bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.pulls {
		if e.pull.Account == account && e.pull.Stream == stream {
			any = true
			well = well || e.pull.Attempts == 0 && e.refusals == 0
		}
	}
	return any, well
}

// waitsOf says what the pulls of a stream wait for beside the account's lane; empty
// if one of them waits for nothing.
func (q *queue) waitsOf(account, stream string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits := ""
	for _, e := range q.order[account] {
		if e.pull.Stream != stream {
			continue
		}
		if e.waits == "" {
			return ""
		}
		waits = e.waits
	}
	return waits
}
