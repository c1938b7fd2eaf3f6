package metricssim

import (
	"iter"
	"slices"
	"time"
)

// EachConversion yields the conversions that can be read now, newest first.
func (n *Network) EachConversion() iter.Seq[Row] { return n.Each(Conversions) }

// EachClick yields the clicks that can be read now, newest first.
func (n *Network) EachClick() iter.Seq[Row] { return n.Each(Clicks) }

// EachImpression yields the impressions that can be read now, newest first.
func (n *Network) EachImpression() iter.Seq[Row] { return n.Each(Impressions) }

// EachPostback yields the postbacks that can be read now, newest first.
func (n *Network) EachPostback() iter.Seq[Row] { return n.Each(Postbacks) }

// Each yields the rows of an export type that can be read now, newest first. They
// are those of the moment when the loop begins.
func (n *Network) Each(kind string) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		n.mu.Lock()
		now := n.opt.Now()
		rows := n.between(kind, n.opt.From, now, &filter{}, now)
		n.mu.Unlock()
		for _, s := range rows {
			n.mu.Lock()
			r := n.row(dayKey{kind, s.at / 86400}, s)
			n.mu.Unlock()
			if !yield(r) {
				return
			}
		}
	}
}

// Between gives the rows of an export type with their time in [from, to), newest first.
func (n *Network) Between(kind string, from, to time.Time) []Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Row
	n.eachBetween(kind, from, to.Add(-time.Second), &filter{}, n.opt.Now(), func(r *Row) bool { out = append(out, *r); return true })
	return out
}

// Users of the organisation, in order.
func (n *Network) Users() []User { return slices.Clone(n.world.users) }

// Publishers of the organisation, by incremental id.
func (n *Network) Publishers() []Publisher { return slices.Clone(n.world.publishers) }

// Advertisers of the organisation, by incremental id.
func (n *Network) Advertisers() []Advertiser { return slices.Clone(n.world.advertisers) }

// Offers of all integrations, by incremental id.
func (n *Network) Offers() []Offer { return slices.Clone(n.world.offers) }

// Events of an offer, by its id.
func (n *Network) Events(offer string) []OfferEvent { return slices.Clone(n.world.events[offer]) }

// LandingPages of an offer, by its id.
func (n *Network) LandingPages(offer string) []LandingPage {
	return slices.Clone(n.world.pages[offer])
}
