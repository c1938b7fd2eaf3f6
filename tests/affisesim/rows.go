package affisesim

import (
	"math"
	"slices"
	"time"
)

// Conversion statuses by the number that the filter takes.
const (
	confirmed uint8 = iota + 1
	pending
	declined
	notFound
	hold
	pendingCap
)

var statusNames = [...]string{"", "confirmed", "pending", "declined", "not_found", "hold", "pending_cap"}

// clickRow is what is stored of a click; the rest follows from its number.
// Its number is its index, which its id carries.
type clickRow struct {
	at             uint32 // UTC epoch second
	conversion     int32  // -1 without
	offer, partner uint16 // indexes
	removed        bool
}

// convRow is what is stored of a conversion.
type convRow struct {
	created, updated uint32 // UTC epoch seconds
	clickAt          uint32
	idEpoch          uint32 // of its id: created, unless imported
	click            int32  // -1: its click is not in the log
	offer, partner   uint16
	status, first    uint8 // as it is, and as it was at first
	removed          bool
	revenue, payouts money
}

// rows are the clicks and conversions, and which of them stand, in order of
// time. An order is never changed in place, so a reader may keep one.
type rows struct {
	clicks     []clickRow
	convs      []convRow
	clickOrder []uint32
	convOrder  []uint32
	// version grows with every change: cached selections belong to one.
	version uint64
}

func (n *Network) clickHash(i uint32) uint64 { return mix(n.opt.Seed*0x9e37 + uint64(i)<<8 + 1) }
func (n *Network) convHash(i uint32) uint64  { return mix(n.opt.Seed*0x9e37 + uint64(i)<<8 + 2) }

// convAttrs are those of the conversion's click.
func (n *Network) convAttrs(i uint32) attrs {
	if c := n.rows.convs[i].click; c >= 0 {
		return attrsOf(n.clickHash(uint32(c)))
	}
	return attrsOf(n.convHash(i))
}

func (n *Network) clickID(i uint32) objectID {
	return n.oid(kindClick, int64(n.rows.clicks[i].at), i)
}

func (n *Network) convID(i uint32) objectID {
	return n.oid(kindConversion, int64(n.rows.convs[i].idEpoch), i)
}

// convClickID is the id of the conversion's click, in the log or not.
func (n *Network) convClickID(i uint32) objectID {
	c := &n.rows.convs[i]
	if c.click >= 0 {
		return n.clickID(uint32(c.click))
	}
	return n.oid(kindLostClick, int64(c.clickAt), i)
}

// makeRows generates the history: clicks spread over the period with quiet
// nights, conversions minutes to days after a click.
func (n *Network) makeRows() {
	o, r := &n.opt, &n.rows
	from, span := o.From.Unix(), o.To.Unix()-o.From.Unix()
	if span <= 0 {
		return
	}
	r.clicks = make([]clickRow, 0, o.Clicks)
	r.convs = make([]convRow, 0, o.Conversions)
	for i := range o.Clicks {
		n.addClick(from + spread(n.clickHash(uint32(i))^0x74, i, o.Clicks, span))
	}
	for i := range o.Conversions {
		click := -1
		if o.Clicks >= o.Conversions {
			click = int(int64(i) * int64(o.Clicks) / int64(o.Conversions))
		} else if i < o.Clicks {
			click = i
		}
		at := from + spread(n.convHash(uint32(i))^0x74, i, o.Conversions, span)
		if click >= 0 {
			at = int64(r.clicks[click].at)
		}
		n.addConversion(click, at, o.To.Unix()-1)
	}
	n.reorder()
}

// spread places row i of count in a period: in its turn, jittered, and with
// fewer rows at the start of each day than in the middle.
func spread(h uint64, i, count int, span int64) int64 {
	x := (float64(i) + float64(h>>11)/(1<<53)) / float64(count) * float64(span)
	day, f := math.Modf(x / 86400)
	f -= 0.09 * math.Sin(2*math.Pi*f)
	return min(max(int64((day+f)*86400), 0), span-1)
}

// addClick appends a click.
func (n *Network) addClick(at int64) uint32 {
	i := uint32(len(n.rows.clicks))
	d := draw(n.clickHash(i) ^ 0x6f66)
	n.rows.clicks = append(n.rows.clicks, clickRow{at: uint32(at), conversion: -1,
		offer: uint16(d.skewed(n.opt.Offers)), partner: uint16(d.skewed(n.opt.Partners))})
	return i
}

// addConversion appends a conversion of a click (-1: of none in the log) of
// the given time, created no later than last.
func (n *Network) addConversion(click int, clickAt, last int64) uint32 {
	i := uint32(len(n.rows.convs))
	d := draw(n.convHash(i) ^ 0x636f)
	c := convRow{click: int32(click), clickAt: uint32(clickAt),
		offer: uint16(d.skewed(n.opt.Offers)), partner: uint16(d.skewed(n.opt.Partners))}
	if click >= 0 {
		k := &n.rows.clicks[click]
		c.offer, c.partner = k.offer, k.partner
		k.conversion = int32(i)
	}
	delay := int64(5 + d.below(1800))
	if d.below(6) == 0 {
		delay = int64(d.below(3 * 86400))
	}
	c.created = uint32(max(min(clickAt+delay, last), clickAt))
	c.idEpoch = c.created
	c.first = pending
	switch x := d.below(100); {
	case x < 62:
		c.status = confirmed
	case x < 80:
		c.status = pending
	case x < 92:
		c.status = declined
	case x < 95:
		c.status = notFound
	default:
		c.status = hold
	}
	if n.opt.PendingCap && d.below(100) == 0 {
		c.status = pendingCap
	}
	c.updated = c.created
	if c.status == confirmed && d.below(2) == 0 {
		c.first = confirmed // at once
	} else if c.status != pending {
		c.updated = uint32(min(int64(c.created)+int64(d.below(5*86400)), max(last, int64(c.created))))
	}
	n.rows.convs = append(n.rows.convs, c)
	n.price(i, &d)
	return i
}

// price sets the amounts of a conversion from its offer's goal.
func (n *Network) price(i uint32, d *draw) {
	c := &n.rows.convs[i]
	g := n.world.offers[c.offer].goal(n.convAttrs(i))
	switch {
	case d.below(50) == 0: // an unpaid action
		c.revenue, c.payouts = 0, 0
	case g.Type == "fixed":
		c.revenue, c.payouts = g.total, g.revenue
	default:
		c.revenue = cents(100 + d.below(40_000))
		if d.below(8) == 0 {
			c.revenue = money(d.next() % uint64(300*unit)) // all eight decimals
		}
		c.payouts = c.revenue.percent(int(g.revenue / (unit / 100)))
	}
}

// reorder rebuilds the orders after a change and starts a new version.
func (n *Network) reorder() {
	r := &n.rows
	r.version++
	clicks := make([]uint32, 0, len(r.clicks))
	for i := range r.clicks {
		if !r.clicks[i].removed {
			clicks = append(clicks, uint32(i))
		}
	}
	convs := make([]uint32, 0, len(r.convs))
	for i := range r.convs {
		if !r.convs[i].removed {
			convs = append(convs, uint32(i))
		}
	}
	sortByTime(clicks, func(i uint32) uint32 { return r.clicks[i].at })
	sortByTime(convs, func(i uint32) uint32 { return r.convs[i].created })
	r.clickOrder, r.convOrder = clicks, convs
}

// sortByTime sorts row numbers by time, then number.
func sortByTime(order []uint32, at func(uint32) uint32) {
	keys := make([]uint64, len(order))
	for k, i := range order {
		keys[k] = uint64(at(i))<<32 | uint64(i)
	}
	slices.Sort(keys)
	for k, key := range keys {
		order[k] = uint32(key)
	}
}

// between cuts an order to the rows of [lo, hi).
func between(order []uint32, at func(uint32) uint32, lo, hi int64) []uint32 {
	find := func(t int64) int {
		k, _ := slices.BinarySearchFunc(order, t, func(i uint32, t int64) int {
			if int64(at(i)) < t {
				return -1
			}
			return 1
		})
		return k
	}
	a := find(lo)
	return order[a:max(a, find(hi))]
}

func (n *Network) clickTime(i uint32) uint32 { return n.rows.clicks[i].at }
func (n *Network) convTime(i uint32) uint32  { return n.rows.convs[i].created }

func utc(epoch uint32) time.Time { return time.Unix(int64(epoch), 0).UTC() }
