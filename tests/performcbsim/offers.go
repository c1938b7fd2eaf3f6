package performcbsim

import (
	"fmt"
	"time"
)

// Offer is the truth of one offer, texts as they are sent.
//
// The first ones are those that tests rely on: a payout in three countries with the
// key UK; no country and no landing page; a payout with the noise of a float; zero
// dates; a description of markup, entities and four-byte letters; a fortieth of a
// dollar; yen; euro; pounds; a paused one; one without a currency.
type Offer struct {
	ID          int
	Name        string
	Description string
	Status      string // active or paused
	Payout      string // as default_payout is sent
	Currency    string // "" is the network's own, USD
	PayoutType  string
	Pricing     string // cpi, cpl, cps
	Countries   []string
	Expires     string // "" is null
	CampaignID  int
	Landing     string // the preview of its only landing page, "" without one
	Cap         int    // conversions a month, 0 without
	Traffic     []string
	Events      []Event

	milli    int64  // what a conversion pays, in thousandths
	symbol   string // of Currency
	from, to time.Time
}

// Event is a step of an offer that pays, as version 4 and campaigns tell.
type Event struct {
	ID           int
	Name, Payout string
}

// ClickURL is the link for a partner's traffic.
func (o Offer) ClickURL(userID int) string {
	return fmt.Sprintf("https://trk.example.net/c/%d/%d?subid1=", userID, o.ID)
}

var symbols = map[string]string{"": "$", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}

type country struct{ id, name string }

// The ids are the platform's own: the United States are 248.
var countries = map[string]country{
	"US": {"248", "United States"}, "UK": {"247", "United Kingdom"}, "CA": {"41", "Canada"}, "DE": {"86", "Germany"},
	"JP": {"117", "Japan"}, "AU": {"15", "Australia"}, "FR": {"79", "France"}, "BR": {"32", "Brazil"},
}

var (
	countryCodes = []string{"US", "CA", "DE", "AU", "FR", "BR", "UK"}
	brands       = []string{"Harbor Coffee", "Fern Insurance", "Kite Bank", "Tundra Run", "Olive Meals", "Comet VPN", "Willow Sleep"}
	systems      = []string{"iOS", "Android", "Web"}
	traffic      = []string{"Display", "Search", "Contextual", "Social", "Survey", "App Installs", "SMS", "Reward", "Pay Per Call"}
)

const description = "The app is a convenient way to pay &amp; skip the line.<p><b style=\"font-size: 13px;\">Restrictions</b><br/>" +
	"No incent, no \"brand bidding\". CTIT &lt;10s is fraud ☕ 🚀 𝒳.</p><!--EndFragment-->"

func (n *Network) makeOffers() []Offer {
	offers := make([]Offer, n.opt.Offers)
	id := 60_000
	for i := range offers {
		h := n.root().named("offer").of(uint64(i))
		id += 1 + h.named("id").below(9)
		brand, system := brands[h.named("brand").below(len(brands))], systems[h.named("system").below(len(systems))]
		o := Offer{
			ID: id, Status: "active", PayoutType: "cpa_flat", Currency: "USD", CampaignID: 7000 + i,
			Pricing:     []string{"cpi", "cpl", "cps"}[h.named("pricing").below(3)],
			milli:       int64(10 * (20 + h.named("payout").below(2500))),
			Countries:   countryCodes[:1+h.named("countries").skewed(len(countryCodes)-1)],
			Description: brand + " for everyone.<br/>US only &amp; no rebrokering.",
			Landing:     "https://apps.example.com/" + fmt.Sprint(id),
			Traffic:     traffic[:1+h.named("traffic").below(len(traffic))],
		}
		if h.named("cap").share(20) {
			o.Cap = 100 * (1 + h.named("cap size").below(20))
		}
		o.Payout = decimal(o.milli)
		o.special(i)
		o.symbol = symbols[o.Currency]
		o.Name = fmt.Sprintf("(Private) %s - %s - %s", brand, system, o.Pricing)
		o.Events = []Event{{ID: 10*id + 1, Name: "Install", Payout: o.Payout}, {ID: 10*id + 2, Name: "Purchase", Payout: decimal(2 * o.milli)}}
		if n.opt.Restless && i >= special {
			// One in twenty is approved later, one in twenty is not any more.
			if h.named("comes").share(5) {
				o.from = n.opt.From.AddDate(0, 0, h.named("from").below(60))
			}
			if h.named("goes").share(5) {
				o.to = n.opt.From.AddDate(0, 0, 20+h.named("to").below(60))
			}
		}
		offers[i] = o
	}
	return offers
}

// special is the number of offers with a meaning of their own.
const special = 11

func (o *Offer) special(i int) {
	switch i {
	case 0:
		o.Countries = []string{"US", "UK", "CA"}
	case 1:
		o.Countries, o.Landing = nil, ""
	case 2:
		o.milli, o.Payout = 1140, "1.1399999994"
	case 3:
		o.Expires = "0000-00-00 00:00:00"
	case 4:
		o.Description = description
	case 5:
		o.milli, o.Payout = 25, "0.025"
	case 6:
		o.Currency, o.milli, o.Payout, o.Countries = "JPY", 120_000, "120", []string{"JP"}
	case 7:
		o.Currency, o.Countries = "EUR", []string{"DE", "FR"}
	case 8:
		o.Currency, o.Countries = "GBP", []string{"UK"}
	case 9:
		o.Status = "paused"
	case 10:
		o.Currency = ""
	}
}

// Offers are those that a partner is approved for at Now, by id.
func (n *Network) Offers() []Offer {
	now := n.opt.Now()
	var out []Offer
	for _, o := range n.offers {
		if !now.Before(o.from) && (o.to.IsZero() || now.Before(o.to)) {
			out = append(out, o)
		}
	}
	return out
}

// decimal writes thousandths without zeros at the end: 2.45, 0.025, 11.
func decimal(milli int64) string {
	sign := ""
	if milli < 0 {
		sign, milli = "-", -milli
	}
	whole, rest := milli/1000, milli%1000
	switch {
	case rest == 0:
		return fmt.Sprintf("%s%d", sign, whole)
	case rest%100 == 0:
		return fmt.Sprintf("%s%d.%d", sign, whole, rest/100)
	case rest%10 == 0:
		return fmt.Sprintf("%s%d.%02d", sign, whole, rest/10)
	}
	return fmt.Sprintf("%s%d.%03d", sign, whole, rest)
}
