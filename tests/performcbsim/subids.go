package performcbsim

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// SubID is the truth of one row of the report by sub id.
type SubID struct {
	SubID       string // "" for traffic without one
	Clicks      int
	Conversions int
	// Rate is the conversion rate in percent and EPC revenue by click, as they are sent.
	Rate, Revenue, EPC string
	Symbol             string // of the currency

	milli int64
}

// clicksPerConversion is a conversion rate of one in nine: the click of each
// conversion is one more.
const clicksPerConversion = 8

// filter narrows a report; zero fields do not.
type filter struct{ offer, campaign int }

func (f filter) has(offer, campaign int) bool {
	return (f.offer == 0 || f.offer == offer) && (f.campaign == 0 || f.campaign == campaign)
}

// SubIDsOn are the rows of the report day on which an instant falls, by sub id.
func (n *Network) SubIDsOn(userID int, at time.Time) []SubID {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	number := n.dayOf(at)
	return n.subIDs(Account{UserID: userID}, number, number, filter{}, now)
}

// subIDs sums the clicks and conversions of a range of days, both included. All
// conversions count, and all revenue. Called with n.mu held.
func (n *Network) subIDs(a Account, from, to int, f filter, now time.Time) []SubID {
	rows := map[[2]string]*SubID{}
	row := func(sub, symbol string) *SubID {
		k := [2]string{sub, symbol}
		if rows[k] == nil {
			rows[k] = &SubID{SubID: sub, Symbol: symbol}
		}
		return rows[k]
	}
	for number := max(from, n.dayOf(n.opt.From)); number <= min(to, n.dayOf(now)); number++ {
		d := n.dayAt(number)
		for i := range n.perDay(a, d) * clicksPerConversion {
			v := n.visitOf(n.root().named("click").of(uint64(a.UserID), uint64(number), uint64(i)), d)
			if !v.at.After(now) && !v.at.Before(n.opt.From) && f.has(v.offer.ID, v.offer.CampaignID) {
				row(v.subs[0], v.offer.symbol).Clicks++
			}
		}
		for _, c := range n.conversions(a, d, now) {
			if f.has(c.OfferID, c.CampaignID) {
				r := row(c.SubIDs[0], c.Symbol)
				r.Clicks++
				r.Conversions++
				r.milli += c.milli
			}
		}
	}
	var out []SubID
	for _, k := range slices.SortedFunc(maps.Keys(rows), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		r := rows[k]
		r.reckon()
		out = append(out, *r)
	}
	return out
}

// reckon fills what follows from the counts. Rates are floats printed in PHP's
// fourteen digits, as the platform's are.
func (r *SubID) reckon() {
	php := func(v float64) string { return strconv.FormatFloat(v, 'g', 14, 64) }
	r.Revenue, r.Rate, r.EPC = decimal(r.milli), "0", "0"
	if r.Clicks > 0 {
		r.Rate = php(100 * float64(r.Conversions) / float64(r.Clicks))
		r.EPC = php(float64(r.milli) / 1000 / float64(r.Clicks))
	}
}
