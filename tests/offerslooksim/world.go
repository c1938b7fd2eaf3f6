package offerslooksim

import (
	"fmt"
	"time"
)

// world is what does not depend on the clock.
type world struct {
	root        hash
	offers      []Offer
	affiliates  []Person
	advertisers []Person
}

// Offer is the truth of an offer.
type Offer struct {
	ID               int
	Name             string
	AdvertiserID     int
	Status           string
	Approval         int // 1 on request, 2 public, 3 private
	Currency         string
	Revenue, Payout  string
	PercentPayout    string
	Category         string
	Country          string
	Start, End       time.Time // End is zero for an offer without one
	Created, Updated time.Time
	Description      string
	Events           []Event
}

// Event is the truth of an event of an offer.
type Event struct {
	ID              int
	Name            string
	Revenue, Payout string // Payout is empty for a private event
	Private         bool
	Approve         bool // conversions begin as pending
	Tiers           []Tier
}

// Tier is what a tier of affiliates gets for an event.
type Tier struct {
	ID     int
	Payout string
}

// Person is the truth of an affiliate or an advertiser.
type Person struct {
	ID                                   int
	First, Last, Email, Company, Country string
	Status                               string
	ManagerID                            int
	Created                              time.Time
}

var (
	currencies = []string{"USD", "USD", "EUR", "IDR", "JPY", "CNY"}
	places     = []string{"United States", "Germany", "Japan", "Indonesia", "Asia/Pacific Region"}
	brands     = []string{"Sample Store", "Harbor Coffee", "Fern Insurance", "Lumen Games", "Dattel Bank", "Kavo \U0001F680 Travel"}
)

func newWorld(o Options) world {
	w := world{root: hash(o.Seed).of(1)}
	for i := range o.People {
		w.affiliates = append(w.affiliates, person(w.root.of(10, uint64(i)), 12+i, "aff", o.From))
		w.advertisers = append(w.advertisers, person(w.root.of(11, uint64(i)), 7+i, "ads", o.From))
	}
	for i := range o.Offers {
		w.offers = append(w.offers, w.offer(o, i))
	}
	return w
}

func person(h hash, id int, kind string, from time.Time) Person {
	p := Person{
		ID: id, First: pick(h.of(1), []string{"Dana", "Ada", "Zoë", "José"}), Last: "Sample", Company: fmt.Sprintf("%s %d Ltd", kind, id),
		Email: fmt.Sprintf("%s%d@example.test", kind, id), Country: pick(h.of(2), places), Status: pick(h.of(3), []string{"active", "active", "active", "blocked", "deleted"}),
		ManagerID: 2 + h.below(3), Created: from.Add(-time.Duration(h.below(1000)) * time.Hour),
	}
	return p
}

func (w *world) offer(o Options, i int) Offer {
	h := w.root.of(20, uint64(i))
	currency := pick(h.of(1), currencies)
	v := Offer{
		ID: 101 + i, Name: fmt.Sprintf("%s [%d]", pick(h.of(2), brands), i), AdvertiserID: pick(h.of(3), w.advertisers).ID,
		Status: pick(h.of(4), []string{"active", "active", "active", "paused", "pending"}), Approval: 1 + h.of(5).below(3), Currency: currency,
		Revenue: amount(h.of(6), currency), Payout: amount(h.of(7), currency), PercentPayout: pick(h.of(8), []string{"0", "10", "0.000"}),
		Category: pick(h.of(9), []string{"Shopping,Fashion", "Games", ""}), Country: pick(h.of(10), []string{"US", "DE", "JP", "ID"}),
		Start: o.From.Add(-48 * time.Hour), Created: o.From.Add(-time.Duration(h.below(5000)) * time.Hour), Description: "<p>Sample &amp; co</p>",
	}
	v.Updated = v.Created.Add(24 * time.Hour)
	if h.of(11).below(2) == 0 {
		v.End = o.From.AddDate(1, 0, 0)
	}
	v.Events = append(v.Events, Event{ID: 1, Name: "Default", Revenue: v.Revenue, Payout: v.Payout})
	for k := range h.of(12).below(3) {
		e := Event{ID: 10 + k, Name: pick(h.of(13, uint64(k)), []string{"Deposit", "Install", "Sale"}), Revenue: amount(h.of(14, uint64(k)), currency),
			Payout: amount(h.of(15, uint64(k)), currency), Approve: h.of(16, uint64(k)).below(2) == 0}
		if h.of(17, uint64(k)).below(5) == 0 {
			e.Private, e.Payout = true, ""
		} else if h.of(18, uint64(k)).below(2) == 0 {
			e.Tiers = []Tier{{ID: 12, Payout: amount(h.of(19, uint64(k)), currency)}}
		}
		v.Events = append(v.Events, e)
	}
	return v
}

// amount is a sum in a currency as the platform writes it: a text, now and then with
// zeros behind, with no cents where the currency has none.
func amount(h hash, currency string) string {
	switch currency {
	case "JPY":
		return fmt.Sprint(100 + h.below(9000))
	case "IDR":
		return fmt.Sprint(1000 * (1 + h.below(185_000)))
	}
	switch h.of(1).below(4) {
	case 0:
		return fmt.Sprintf("%d.%03d", h.below(40), h.of(2).below(1000))
	case 1:
		return fmt.Sprintf("%d.%010d", h.below(4), 1399999994+h.of(2).below(1000))
	}
	return fmt.Sprintf("%d.%d", h.below(90), h.of(2).below(10))
}

// Offers is the truth of the offers, by id.
func (n *Network) Offers() []Offer { return n.world.offers }

// Affiliates is the truth of the affiliates, by id.
func (n *Network) Affiliates() []Person { return n.world.affiliates }

// Advertisers is the truth of the advertisers, by id.
func (n *Network) Advertisers() []Person { return n.world.advertisers }
