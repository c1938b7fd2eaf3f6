package performcbsim

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Conversion is the truth of one conversion at an instant.
type Conversion struct {
	ID string // 22 letters, a 16-byte id
	// At is when it happened. Where clocks go back the wall clock shows an hour twice,
	// and no caller can tell the second from the first: see Repeats.
	At time.Time
	// Date is what is sent: "01-02-2006 15:04:05" on the wall clock of Options.Zone.
	Date string
	// Repeats says that Date is the second occurrence of its wall clock time.
	Repeats     bool
	OfferID     int
	OfferName   string
	CampaignID  int
	IP          string // IPv4, IPv6 or ""
	Revenue     string // the partner's earnings; negative for an adjustment
	SubIDs      [5]string
	Disposition string
	Symbol      string // of the currency

	milli int64
}

// The dispositions. Only the first is documented.
const (
	Valid      = "Valid Conversion"
	Returned   = "Returned Conversion"
	Fraud      = "Rejected - Fraud"
	Adjustment = "Adjustment"
)

const dateLayout = "01-02-2006 15:04:05"

// visit is what a click and the conversion that came of it share.
type visit struct {
	offer *Offer
	at    time.Time
	subs  [5]string
	ip    string
}

// day is a report day and the instants between which it lies.
type day struct {
	number     int // days since 1970-01-01, on the wall clock
	start, end time.Time
}

// dayAt gives the report day of a wall clock date; 23, 24 or 25 hours.
func (n *Network) dayAt(number int) day {
	y, m, d := time.Unix(int64(number)*86400, 0).UTC().Date()
	return day{number, time.Date(y, m, d, 0, 0, 0, 0, n.opt.Zone), time.Date(y, m, d+1, 0, 0, 0, 0, n.opt.Zone)}
}

// dayOf gives the number of the report day of an instant.
func (n *Network) dayOf(t time.Time) int {
	y, m, d := t.In(n.opt.Zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// visitOf derives a visit from its hash.
func (n *Network) visitOf(h hash, d day) visit {
	o := &n.offers[h.named("offer").skewed(len(n.offers))]
	v := visit{offer: o, at: d.start.Add(time.Duration(h.named("at").below(int(d.end.Sub(d.start)/time.Second))) * time.Second)}
	// A sub id is of one currency, so that sums over sub ids are of one too. Some
	// dollar traffic has none.
	sub := h.named("sub1").skewed(12)
	switch {
	case o.symbol == "¥":
		v.subs[0] = fmt.Sprintf("tokyo-%d", sub%3)
	case o.symbol == "€":
		v.subs[0] = fmt.Sprintf("berlin-%d", sub%3)
	case o.symbol == "£":
		v.subs[0] = fmt.Sprintf("london-%d", sub%3)
	case sub > 0:
		v.subs[0] = fmt.Sprintf("newsletter-%d", sub)
	}
	if h.named("has sub2").share(70) {
		v.subs[1] = fmt.Sprintf("click-%06d", h.named("sub2").below(1_000_000))
	}
	if h.named("has sub3").share(10) {
		v.subs[2] = "a&b <c> é🚀"
	}
	if h.named("has sub5").share(10) {
		v.subs[4] = " spaced "
	}
	switch ip := h.named("ip"); {
	case ip.share(5):
	case ip.share(20):
		v.ip = fmt.Sprintf("2001:db8::%x", ip.named("6").below(65536))
	default:
		v.ip = fmt.Sprintf("203.0.113.%d", ip.named("4").below(256))
	}
	return v
}

// firstLate is the number from which conversions of a day are those that Restate added.
const firstLate = 1 << 20

// made gives one conversion as it stands at now; false if it is not there. Once
// restated, what Restate said holds.
func (n *Network) made(a Account, d day, i int, now time.Time) (Conversion, bool) {
	h := n.root().named("conversion").of(uint64(a.UserID), uint64(d.number), uint64(i))
	v := n.visitOf(h, d)
	n.onChange(&v, d, i)
	if v.at.After(now) || v.at.Before(n.opt.From) {
		return Conversion{}, false
	}
	c := Conversion{
		ID: conversionID(h), At: v.at.UTC(), OfferID: v.offer.ID, OfferName: v.offer.Name, CampaignID: v.offer.CampaignID,
		IP: v.ip, SubIDs: v.subs, Disposition: Valid, Symbol: v.offer.symbol, milli: v.offer.milli,
	}
	if h.named("adjustment").below(100) == 0 {
		c.Disposition, c.milli = Adjustment, -c.milli
	}
	if n.opt.Restless && i < firstLate && !c.age(h, now) {
		return Conversion{}, false
	}
	if r := n.restated[a.UserID]; r != nil && !r.apply(&c) {
		return Conversion{}, false
	}
	local := c.At.In(n.opt.Zone)
	c.Date, c.Revenue = local.Format(dateLayout), decimal(c.milli)
	c.Repeats = local.Add(-time.Hour).Format(dateLayout) == c.Date
	return c, true
}

// onChange puts the first conversions of a day on which clocks change where it is
// hard: twice at the same time on the wall clock, and around the hour that is skipped.
func (n *Network) onChange(v *visit, d day, i int) {
	length := d.end.Sub(d.start)
	if length == 24*time.Hour || i > 2 {
		return
	}
	for at := d.start; at.Before(d.end); at = at.Add(30 * time.Minute) {
		_, before := at.Add(-time.Second).Zone()
		if _, after := at.Zone(); before != after && at.After(d.start) {
			v.at = at.Add([]time.Duration{-30 * time.Minute, 30 * time.Minute, -time.Second}[i])
			return
		}
	}
}

// age lets time pass for a conversion of a restless network; false if it is not there
// yet, or not any more.
func (c *Conversion) age(h hash, now time.Time) bool {
	past := func(what string, percent int, within time.Duration) bool {
		x := h.named(what)
		return x.share(percent) && !now.Before(c.At.Add(time.Hour+time.Duration(x.named("when").below(int(within/time.Minute)))*time.Minute))
	}
	const days = 24 * time.Hour
	if h.named("late").share(3) && !past("late", 3, 5*days) {
		return false
	}
	if past("vanishes", 2, 25*days) {
		return false
	}
	if past("pays otherwise", 4, 20*days) {
		c.milli += c.milli / 10
	}
	if past("returned", 6, 30*days) {
		c.Disposition, c.milli = Returned, 0
	} else if past("fraud", 3, 10*days) {
		c.Disposition, c.milli = Fraud, 0
	}
	return true
}

func conversionID(h hash) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(h.named("id")))
	binary.BigEndian.PutUint64(b[8:], uint64(h.named("id, second half")))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// perDay is how many conversions, or as many times more clicks, a day has.
func (n *Network) perDay(a Account, d day) int {
	mean := n.opt.ConversionsPerDay
	if mean == 0 || len(n.offers) == 0 {
		return 0
	}
	return mean - mean/4 + n.root().named("day").of(uint64(a.UserID), uint64(d.number)).below(mean/2+1)
}

// conversions are those of one report day, oldest first. Called with n.mu held.
func (n *Network) conversions(a Account, d day, now time.Time) []Conversion {
	var out []Conversion
	add := func(i int) {
		if c, ok := n.made(a, d, i, now); ok {
			out = append(out, c)
		}
	}
	for i := range n.perDay(a, d) {
		add(i)
	}
	if r := n.restated[a.UserID]; r != nil {
		for i := range r.late[d.number] {
			add(firstLate + i)
		}
	}
	slices.SortFunc(out, func(a, b Conversion) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Conversions yields the conversions of a partner that stand at Now, oldest first.
func (n *Network) Conversions(userID int) iter.Seq[Conversion] {
	return func(yield func(Conversion) bool) {
		now := n.opt.Now()
		for number := n.dayOf(n.opt.From); number <= n.dayOf(now); number++ {
			for _, c := range n.ConversionsOn(userID, n.dayAt(number).start) {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// ConversionsOn are the conversions of the report day on which an instant falls.
func (n *Network) ConversionsOn(userID int, at time.Time) []Conversion {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conversions(Account{UserID: userID}, n.dayAt(n.dayOf(at)), now)
}
