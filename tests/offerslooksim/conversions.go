package offerslooksim

import (
	"fmt"
	"time"
)

// Conversion is the truth of a conversion as it stands at an instant.
type Conversion struct {
	ID                                 int
	At, ClickAt                        time.Time
	OfferID, AdvertiserID, AffiliateID int
	EventID                            int
	EventName                          string
	// Status is approved, pending or rejected, in lower case whatever the switch says.
	Status, Remark    string
	Revenue, Payout   string
	Currency          string
	ClickID           string
	ClickIP, ServerIP string
	Country           string
	UserAgent         string
	Subs              [5]string
	Test              bool
}

// Conversions is the truth at an instant: all conversions from From on that stand, oldest first.
func (n *Network) Conversions(at time.Time) []Conversion {
	return n.between(n.opt.From, at, at)
}

// between gives the conversions in [from, to) as they stand at an instant.
func (n *Network) between(from, to, at time.Time) []Conversion {
	var found []Conversion
	if n.opt.ConversionsPerDay < 0 {
		return nil
	}
	first := int(from.Sub(n.opt.From)/(24*time.Hour)) - 1
	for day := max(first, 0); ; day++ {
		start := n.opt.From.AddDate(0, 0, day)
		if !start.Before(to) || !start.Before(at) {
			return found
		}
		for i := range n.opt.ConversionsPerDay {
			c, ok := n.conversion(day, i, at)
			if ok && !c.At.Before(from) && c.At.Before(to) {
				found = append(found, c)
			}
		}
	}
}

// conversion gives the i-th conversion of a day, if it is there at an instant. One in
// fifteen arrives hours after its time, one in forty is taken away within a week.
func (n *Network) conversion(day, i int, at time.Time) (Conversion, bool) {
	h := n.world.root.of(30, uint64(day), uint64(i))
	span := 24 * time.Hour / time.Duration(n.opt.ConversionsPerDay)
	c := Conversion{ID: 900_000 + day*n.opt.ConversionsPerDay + i, At: n.opt.From.AddDate(0, 0, day).Add(time.Duration(i) * span).Add(time.Duration(h.of(1).below(int(span/time.Second))) * time.Second)}
	frozen := n.switches().Frozen
	arrives := c.At
	if h.of(2).below(15) == 0 && !frozen {
		arrives = c.At.Add(time.Duration(1+h.of(3).below(30)) * time.Hour)
	}
	if arrives.After(at) {
		return c, false
	}
	if h.of(4).below(40) == 0 && !frozen && at.Sub(c.At) > time.Duration(1+h.of(5).below(7*24))*time.Hour {
		return c, false
	}
	o := pick(h.of(6), n.world.offers)
	e := pick(h.of(7), o.Events)
	c.ClickAt = c.At.Add(-time.Duration(1+h.of(8).below(5000)) * time.Second)
	c.OfferID, c.AdvertiserID, c.AffiliateID = o.ID, o.AdvertiserID, pick(h.of(9), n.world.affiliates).ID
	c.EventID, c.EventName, c.Revenue, c.Payout, c.Currency = e.ID, e.Name, e.Revenue, e.Payout, o.Currency
	if h.of(10).below(50) == 0 {
		c.Revenue, c.Payout = "-"+c.Revenue, ""
	}
	c.ClickID = fmt.Sprintf("%016x%016x%016x%012x", uint64(h), uint64(h.of(11)), uint64(h.of(12)), uint64(h.of(13))>>16)
	c.ClickIP, c.ServerIP = fmt.Sprintf("203.0.113.%d", h.of(14).below(256)), "198.51.100.7"
	c.Country = pick(h.of(15), places)
	c.UserAgent = "Mozilla/5.0 (Linux; Android 10) \"quoted\", AppleWebKit/537.36"
	c.Subs[0], c.Subs[1] = fmt.Sprintf("cr-%d", h.of(16).below(20)), pick(h.of(17), []string{"", "Zoë", "a,b"})
	if h.of(18).below(60) == 0 {
		c.Test, c.Subs[0] = true, "test"
	}
	c.decide(h.of(20), e.Approve, at, frozen)
	return c, true
}

// decide gives the status at an instant: pending until somebody decides, and one in
// ten approved conversions is rejected within the month after.
func (c *Conversion) decide(h hash, approve bool, at time.Time, frozen bool) {
	c.Status = "approved"
	if approve {
		c.Status, c.Remark = "pending", "need_approval"
	}
	if frozen {
		return
	}
	decided := c.At.Add(time.Duration(1+h.of(1).below(96)) * time.Hour)
	if approve && !at.Before(decided) {
		c.Status, c.Remark = "approved", ""
		if h.of(2).below(3) == 0 {
			c.Status, c.Remark = "rejected", "duplicate_click"
		}
	}
	reversed := c.At.Add(time.Duration(100+h.of(3).below(500)) * time.Hour)
	if c.Status == "approved" && h.of(4).below(10) == 0 && !at.Before(reversed) {
		c.Status, c.Remark = "rejected", "offer_expired"
	}
}
