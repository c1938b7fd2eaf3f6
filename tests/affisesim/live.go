package affisesim

import (
	"slices"
	"time"
)

// liveState is how far the live traffic has come.
type liveState struct {
	until        int64 // all rows before this second are there
	clicks       int64 // rows made since Options.To
	convs        int64
	openDecision []uint32 // live conversions that are still pending
}

// Advance makes the live traffic of the time up to now and returns how many
// clicks and conversions arrived. Requests do it by themselves; without
// Options.Live it does nothing.
func (n *Network) Advance(now time.Time) (clicks, conversions int) { return n.advance(now) }

func (n *Network) advance(now time.Time) (clicks, conversions int) {
	l := n.opt.Live
	if l.ClicksPerHour <= 0 && l.ConversionsPerHour <= 0 {
		return 0, 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	from, to := n.live.until, now.Unix()
	if to <= from {
		return 0, 0
	}
	n.live.until = to
	start := n.opt.To.Unix()
	r := &n.rows
	newClicks := len(r.clicks)
	for due := (to - start) * int64(l.ClicksPerHour) / 3600; n.live.clicks < due; n.live.clicks++ {
		at := start + n.live.clicks*3600/int64(l.ClicksPerHour)
		i := n.addClick(min(max(at, from), to-1))
		r.clickOrder = n.insert(r.clickOrder, i, n.clickTime)
		clicks++
	}
	for due := (to - start) * int64(l.ConversionsPerHour) / 3600; n.live.convs < due; n.live.convs++ {
		at := min(max(start+n.live.convs*3600/int64(l.ConversionsPerHour), from), to-1)
		click, clickAt := -1, at-40
		if fresh := len(r.clicks) - newClicks; fresh > 0 {
			k := newClicks + int(mix(uint64(at))%uint64(fresh))
			if r.clicks[k].conversion < 0 {
				click, clickAt = k, int64(r.clicks[k].at)
			}
		}
		i := n.addConversion(click, clickAt, to-1)
		c := &r.convs[i]
		c.created = uint32(max(at, clickAt))
		c.idEpoch, c.updated = c.created, c.created
		c.status, c.first = pending, pending
		r.convOrder = n.insert(r.convOrder, i, n.convTime)
		n.live.openDecision = append(n.live.openDecision, i)
		conversions++
	}
	decided := n.decide(to)
	if clicks+conversions > 0 || decided {
		r.version++
	}
	return clicks, conversions
}

// decide settles the pending live conversions whose time has come.
func (n *Network) decide(now int64) bool {
	mean := int64(n.opt.Live.Decide / time.Second)
	if mean <= 0 {
		return false
	}
	before := len(n.live.openDecision)
	n.live.openDecision = slices.DeleteFunc(n.live.openDecision, func(i uint32) bool {
		h := n.convHash(i) ^ 0x6465
		c := &n.rows.convs[i]
		due := int64(c.created) + int64(mix(h)%uint64(2*mean)) + 1
		if now < due || c.removed || c.status != pending {
			return c.removed || c.status != pending
		}
		c.updated, c.status = uint32(due), confirmed
		if mix(h+1)%5 == 0 {
			c.status = declined
		}
		return true
	})
	return len(n.live.openDecision) < before
}

// insert puts a row into a copy of an order, or at its end without copying:
// readers of the old order do not look past theirs.
func (n *Network) insert(order []uint32, i uint32, at func(uint32) uint32) []uint32 {
	k := len(order)
	for k > 0 && at(order[k-1]) > at(i) {
		k--
	}
	if k == len(order) {
		return append(order, i)
	}
	return slices.Concat(order[:k], []uint32{i}, order[k:])
}

// drift adds a conversion to the window whose page was just read.
func (n *Network) drift(r *request) {
	if r.rows < r.limit {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := r.window("date_from", "date_to", false)
	if err != nil {
		return
	}
	last := at.hi - 1
	for !at.has(last) && last > at.lo {
		last--
	}
	last = min(last, n.opt.Now().Unix())
	if !at.has(last) {
		return
	}
	i := n.addConversion(-1, last-30, last)
	c := &n.rows.convs[i]
	c.created, c.idEpoch, c.updated = uint32(last), uint32(last), max(uint32(last), c.updated)
	n.rows.convOrder = n.insert(n.rows.convOrder, i, n.convTime)
	n.rows.version++
	n.touch(kindConversion, i)
}
