package affisesim

import (
	"fmt"
	"slices"
	"time"
)

// Change says how history is to be restated.
type Change struct {
	Statuses int // conversions that get another status
	Amounts  int // conversions that get other amounts, status unchanged
	Late     int // conversions that appear in the past
	Removed  int // conversions that vanish
	// LateClicks and RemovedClicks do the same to clicks.
	LateClicks, RemovedClicks int
	// Offers get another title, and are updated At.
	Offers int
	// Within is how far back the rows lie, from At; 0: the whole history.
	Within time.Duration
	// At is when it happens, which changed and late conversions carry as the
	// time of their update; zero: Options.Now.
	At time.Time
}

// Report is what Restate did.
type Report struct {
	At            time.Time
	Statuses      []StatusChange
	Amounts       []string // ids
	Late          []string
	Removed       []string
	LateClicks    []string
	RemovedClicks []string
	Offers        []int
}

// StatusChange is one conversion's.
type StatusChange struct {
	ID       string
	From, To string
	Created  time.Time
}

// Restate changes history. The same seed and change on the same rows do the
// same. Changed and late conversions are found by update_from_date; removed
// rows are nowhere any more. It does fewer changes than asked for when there
// are fewer rows.
func (n *Network) Restate(seed uint64, c Change) Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := c.At
	if at.IsZero() {
		at = n.opt.Now()
	}
	from := n.opt.From.Unix()
	if c.Within > 0 {
		from = max(from, at.Add(-c.Within).Unix())
	}
	rep := Report{At: at.UTC().Truncate(time.Second)}
	d := draw(mix(seed ^ 0x7265737461))
	end := max(min(at.Unix(), max(n.opt.To.Unix(), n.live.until)), from+1)
	convs := n.sample(&d, between(n.rows.convOrder, n.convTime, from, end), c.Statuses+c.Amounts+c.Removed)
	take := func(k int) []uint32 {
		k = min(k, len(convs))
		out := convs[:k]
		convs = convs[k:]
		return out
	}
	for _, i := range take(c.Statuses) {
		rep.Statuses = append(rep.Statuses, n.restatus(&d, i, at))
	}
	for _, i := range take(c.Amounts) {
		v := &n.rows.convs[i]
		v.revenue += cents(1 + d.below(500))
		v.payouts = min(v.revenue, v.payouts+cents(d.below(300)))
		v.updated = uint32(at.Unix())
		n.touch(kindConversion, i)
		rep.Amounts = append(rep.Amounts, n.convID(i).String())
	}
	for _, i := range take(c.Removed) {
		n.rows.convs[i].removed = true
		n.touch(kindConversion, i)
		if k := n.rows.convs[i].click; k >= 0 {
			n.touch(kindClick, uint32(k)) // it says has_conversions
		}
		rep.Removed = append(rep.Removed, n.convID(i).String())
	}
	for range c.Late {
		created := from + int64(d.next()%uint64(end-from))
		i := n.addConversion(-1, created-60, created)
		v := &n.rows.convs[i]
		v.created, v.idEpoch, v.updated = uint32(created), uint32(created), uint32(at.Unix())
		if n.opt.ImportedIDs {
			v.idEpoch = uint32(at.Unix())
		}
		n.touch(kindConversion, i)
		rep.Late = append(rep.Late, n.convID(i).String())
	}
	for _, i := range n.sample(&d, between(n.rows.clickOrder, n.clickTime, from, end), c.RemovedClicks) {
		n.rows.clicks[i].removed = true
		n.touch(kindClick, i)
		rep.RemovedClicks = append(rep.RemovedClicks, n.clickID(i).String())
	}
	for range c.LateClicks {
		i := n.addClick(from + int64(d.next()%uint64(end-from)))
		n.touch(kindClick, i)
		rep.LateClicks = append(rep.LateClicks, n.clickID(i).String())
	}
	for range min(c.Offers, len(n.world.offers)) {
		o := &n.world.offers[d.below(len(n.world.offers))]
		o.Title = fmt.Sprintf("%s v%d", o.Title, at.Unix()%1000)
		o.UpdatedAt = rep.At
		rep.Offers = append(rep.Offers, o.ID)
	}
	if len(rep.Offers) > 0 {
		n.makeFragments()
		n.premade.dropAll() // their titles stand in every row
	}
	n.reorder()
	return rep
}

// restatus moves a conversion to another status.
func (n *Network) restatus(d *draw, i uint32, at time.Time) StatusChange {
	v := &n.rows.convs[i]
	to := [...]uint8{confirmed, pending, declined, hold}[d.below(4)]
	if to == v.status {
		to = map[bool]uint8{true: declined, false: confirmed}[v.status == confirmed]
	}
	ch := StatusChange{ID: n.convID(i).String(), From: statusNames[v.status], To: statusNames[to], Created: utc(v.created)}
	v.status, v.updated = to, uint32(at.Unix())
	n.touch(kindConversion, i)
	return ch
}

// sample draws k different rows.
func (n *Network) sample(d *draw, rows []uint32, k int) []uint32 {
	rows = slices.Clone(rows)
	k = min(k, len(rows))
	for i := range k {
		j := i + d.below(len(rows)-i)
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows[:k]
}

// RemoveConversions removes the named conversions, as an operator would.
func (n *Network) RemoveConversions(ids ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range ids {
		kind, i, ok := parseOID(id)
		if !ok || kind != kindConversion || int(i) >= len(n.rows.convs) {
			return fmt.Errorf("removing conversion %s: there is none", id)
		}
		n.rows.convs[i].removed = true
		n.touch(kindConversion, i)
	}
	n.reorder()
	return nil
}
