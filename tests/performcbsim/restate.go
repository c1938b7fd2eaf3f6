package performcbsim

import (
	"slices"
	"time"
)

// Change says how a partner's history is to be restated.
type Change struct {
	Dispositions int // conversions that are returned and pay nothing
	Revenues     int // conversions that pay something else
	Late         int // conversions that appear in the past
	Removed      int // conversions that vanish
	// Within is how far back they lie; 0: the whole history.
	Within time.Duration
}

// Report is what Restate did: ids of conversions.
type Report struct{ Dispositions, Revenues, Late, Removed []string }

// restatement is what Restate changed for one partner; guarded by Network.mu.
type restatement struct {
	removed     map[string]bool
	disposition map[string]string
	milli       map[string]int64
	late        map[int]int // how many, by report day
}

// apply makes of a conversion what was said of it; false if it is gone.
func (r *restatement) apply(c *Conversion) bool {
	if r.removed[c.ID] {
		return false
	}
	if d, ok := r.disposition[c.ID]; ok {
		c.Disposition = d
	}
	if m, ok := r.milli[c.ID]; ok {
		c.milli = m
	}
	return true
}

// Restate changes the history of a partner at once. The same seed and change on the
// same history do the same. It does fewer changes than asked for when there are
// fewer conversions.
func (n *Network) Restate(userID int, seed uint64, c Change) Report {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.restated[userID]
	if r == nil {
		r = &restatement{removed: map[string]bool{}, disposition: map[string]string{}, milli: map[string]int64{}, late: map[int]int{}}
		n.restated[userID] = r
	}
	from := n.opt.From
	if c.Within > 0 && now.Add(-c.Within).After(from) {
		from = now.Add(-c.Within)
	}
	account, first, last := Account{UserID: userID}, n.dayOf(from), n.dayOf(now)
	var all []Conversion
	for number := first; number <= last; number++ {
		all = append(all, n.conversions(account, n.dayAt(number), now)...)
	}
	all = slices.DeleteFunc(all, func(c Conversion) bool { return c.At.Before(from) })
	h := n.root().named("restate").of(seed)
	for i := range all { // shuffled, so that each kind of change takes its part
		j := i + h.of(uint64(i)).below(len(all)-i)
		all[i], all[j] = all[j], all[i]
	}
	take := func(k int, change func(Conversion)) (ids []string) {
		k = min(k, len(all))
		for _, c := range all[:k] {
			change(c)
			ids = append(ids, c.ID)
		}
		all = all[k:]
		return ids
	}
	report := Report{
		Dispositions: take(c.Dispositions, func(c Conversion) {
			to := Returned
			if c.Disposition == Returned {
				to = Fraud
			}
			r.disposition[c.ID], r.milli[c.ID] = to, 0
		}),
		Revenues: take(c.Revenues, func(c Conversion) { r.milli[c.ID] = c.milli + 125 }),
		Removed:  take(c.Removed, func(c Conversion) { r.removed[c.ID] = true }),
	}
	// A late one of today may lie ahead of now or before the history: then it is not there yet.
	for i := range uint64(c.Late) {
		for try := range uint64(100) {
			d := n.dayAt(first + h.named("late").of(i, try).below(last-first+1))
			r.late[d.number]++
			if made, ok := n.made(account, d, firstLate+r.late[d.number]-1, now); ok {
				report.Late = append(report.Late, made.ID)
				break
			}
		}
	}
	return report
}
