package affisesim

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// Conversion is the truth of one conversion: what an admin key is told, times
// in UTC, amounts as decimal text.
type Conversion struct {
	ID, ActionID, ClickID string
	Status                string // confirmed, pending, declined, not_found, hold, pending_cap
	StatusNumber          int    // 1..6
	Currency              string
	OfferID               int
	OfferTitle            string // "" of a deleted offer
	AdvertiserID          string
	AdvertiserTitle       string
	PartnerID             int
	PartnerEmail          string
	GoalValue             string
	Revenue               string // the advertiser pays the network
	Payouts               string // the network pays the affiliate
	Earnings              string // the difference
	Sum                   string // the order's amount; "0" of a fixed goal
	PaymentType           string
	PaymentStatus         string
	Comment               string
	CreatedAt, ClickAt    time.Time
	UpdatedAt             time.Time // sent with the Modern switch only
	Context
	LandingID   int
	CustomField string // custom_field_1
}

// Context is where a click came from.
type Context struct {
	IP, Country, CountryName, City                                     string
	CityID                                                             int
	ISP, UserAgent, DeviceType, OS, OSVersion, Browser, BrowserVersion string
	DeviceBrand, DeviceModel, Referrer                                 string
	Subs                                                               [8]string
}

// Click is the truth of one click.
type Click struct {
	ID           string
	CreatedAt    time.Time
	OfferID      int
	OfferTitle   string // "" of a deleted offer
	AdvertiserID string // not sent with clicks
	PartnerID    int
	PartnerEmail string
	ConversionID string // "" without
	ManagerID    string // the advertiser's
	Unique       bool
	LandingID    int
	RegionID     int
	Region       string
	Connection   string
	Context
}

func (n *Network) context(a attrs) Context {
	c, d := &countries[a.country], &devices[a.device]
	p := &c.cities[a.city]
	return Context{IP: string(a.appendIP(nil)), Country: c.code, CountryName: c.name, City: p.name, CityID: p.id, ISP: isps[a.isp],
		UserAgent: d.ua, DeviceType: d.kind, OS: d.os, OSVersion: d.osVersion, Browser: d.browser, BrowserVersion: d.browserVersion,
		DeviceBrand: d.brand, DeviceModel: d.model, Referrer: referrer(a), Subs: a.subs()}
}

func (n *Network) conversion(i uint32) Conversion {
	c := &n.rows.convs[i]
	h, a := n.convHash(i), n.convAttrs(i)
	o, p := &n.world.offers[c.offer], &n.world.partners[c.partner]
	g := o.goal(a)
	v := Conversion{ID: n.convID(i).String(), ActionID: n.actionID(i), ClickID: n.convClickID(i).String(),
		Status: statusNames[c.status], StatusNumber: int(c.status), Currency: o.Currency, OfferID: o.ID,
		AdvertiserID: o.AdvertiserID, AdvertiserTitle: n.world.advertisers[o.advertiser].Title,
		PartnerID: p.ID, PartnerEmail: p.Email, GoalValue: g.Value,
		Revenue: c.revenue.String(), Payouts: c.payouts.String(), Earnings: (c.revenue - c.payouts).String(), Sum: "0",
		PaymentType: g.Type, PaymentStatus: paymentStatus(h), Comment: n.comment(i, c),
		CreatedAt: utc(c.created), ClickAt: utc(c.clickAt), UpdatedAt: utc(c.updated),
		Context: n.context(a), LandingID: landing(o, a), CustomField: customField(h, 0)}
	if g.Type == "percent" {
		v.Sum = v.Revenue
	}
	if !o.Gone {
		v.OfferTitle = o.Title
	}
	return v
}

func (n *Network) click(i uint32) Click {
	c := &n.rows.clicks[i]
	h := n.clickHash(i)
	a := attrsOf(h)
	o, p, place := &n.world.offers[c.offer], &n.world.partners[c.partner], &countries[a.country].cities[a.city]
	v := Click{ID: n.clickID(i).String(), CreatedAt: utc(c.at), OfferID: o.ID, AdvertiserID: o.AdvertiserID, PartnerID: p.ID, PartnerEmail: p.Email,
		ManagerID: n.world.advertisers[o.advertiser].ManagerID, Unique: uniq(h), LandingID: landing(o, a),
		RegionID: place.region, Region: place.area, Connection: connectionTypes[a.conn], Context: n.context(a)}
	if k := c.conversion; k >= 0 && !n.rows.convs[k].removed {
		v.ConversionID = n.convID(uint32(k)).String()
	}
	if !o.Gone {
		v.OfferTitle = o.Title
	}
	return v
}

// EachConversion yields the conversions that stand, oldest first. The network
// takes no change and answers no request that needs one until the loop ends.
func (n *Network) EachConversion() iter.Seq[Conversion] {
	return func(yield func(Conversion) bool) {
		n.mu.RLock()
		defer n.mu.RUnlock()
		for _, i := range n.rows.convOrder {
			if !yield(n.conversion(i)) {
				return
			}
		}
	}
}

// EachClick yields the clicks that stand, oldest first, like EachConversion.
// Clicks that are too old to be served are among them.
func (n *Network) EachClick() iter.Seq[Click] {
	return func(yield func(Click) bool) {
		n.mu.RLock()
		defer n.mu.RUnlock()
		for _, i := range n.rows.clickOrder {
			if !yield(n.click(i)) {
				return
			}
		}
	}
}

// Conversions are all of EachConversion: about 1 KB of memory each.
func (n *Network) Conversions() []Conversion { return slices.Collect(n.EachConversion()) }

// Clicks are all of EachClick.
func (n *Network) Clicks() []Click { return slices.Collect(n.EachClick()) }

// Offers are those that lists show with every status, by id; the deleted one
// is not among them.
func (n *Network) Offers() []Offer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(n.world.offers), func(o Offer) bool { return o.Gone })
}

// Partners are the affiliates, by id.
func (n *Network) Partners() []Partner { return copied(n, n.world.partners) }

// Advertisers are all of them.
func (n *Network) Advertisers() []Advertiser { return copied(n, n.world.advertisers) }

// Users are the managers.
func (n *Network) Users() []User { return copied(n, n.world.users) }

// Invoices are the bills, by number.
func (n *Network) Invoices() []Invoice { return copied(n, n.world.invoices) }

// Tickets are the affiliates' questions.
func (n *Network) Tickets() []Ticket { return copied(n, n.world.tickets) }

// News are the messages to affiliates.
func (n *Network) News() []News { return copied(n, n.world.news) }

// Pixels are the affiliates' pixels.
func (n *Network) Pixels() []Pixel { return copied(n, n.world.pixels) }

// Categories and Sources are titles of offers' dictionaries by id.
func (n *Network) Categories() map[string]string { return titles(n.world.categories) }

// Sources of traffic, titles by id.
func (n *Network) Sources() map[string]string { return titles(n.world.sources) }

func titles(list []named) map[string]string {
	m := map[string]string{}
	for _, v := range list {
		m[v.oid.String()] = v.name
	}
	return m
}

func copied[T any](n *Network, list []T) []T {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Clone(list)
}

// ServerPostbacks is the log of the advertisers' calls, oldest first.
func (n *Network) ServerPostbacks() []Postback {
	return n.posts(kindRefusedPostback, kindServerPostback)
}

// AffiliatePostbacks is the log of the calls to affiliates, oldest first.
func (n *Network) AffiliatePostbacks() []Postback { return n.posts(kindAffiliatePostback) }

func (n *Network) posts(kinds ...uint32) []Postback {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var out []Postback
	for _, p := range n.postRows(span{loc: time.UTC, lo: 0, hi: 1 << 40, exact: true}, kinds...) {
		c := &n.rows.convs[p.conv]
		v := Postback{ID: n.postID(p).String(), At: utc(c.created), PartnerID: int(c.partner) + firstPartner, OfferID: int(c.offer) + firstOffer,
			ClickID: n.convClickID(p.conv).String(), Status: statusNames[c.first], Revenue: c.revenue.String(), Payouts: c.payouts.String()}
		if p.kind == kindRefusedPostback {
			v.Refused, v.Status = true, ""
		}
		out = append(out, v)
	}
	return out
}

// Total is the sums of a day.
type Total struct {
	Day                 string // 2006-01-02
	Clicks, Conversions int
	Revenue, Payouts    string // of all statuses, currencies not converted
	ByStatus            map[string]int
	revenue, payouts    money
}

// Totals are the sums by day of a zone, in order of days.
func (n *Network) Totals(loc *time.Location) []Total {
	n.mu.RLock()
	defer n.mu.RUnlock()
	days := map[int32]*Total{}
	day := func(at uint32) *Total {
		k := civilAt(loc, int64(at)).day
		if days[k] == nil {
			days[k] = &Total{Day: string(appendDay(nil, k)), ByStatus: map[string]int{}}
		}
		return days[k]
	}
	for _, i := range n.rows.clickOrder {
		day(n.rows.clicks[i].at).Clicks++
	}
	for _, i := range n.rows.convOrder {
		c := &n.rows.convs[i]
		t := day(c.created)
		t.Conversions++
		t.revenue += c.revenue
		t.payouts += c.payouts
		t.ByStatus[statusNames[c.status]]++
	}
	var out []Total
	for _, k := range slices.Sorted(maps.Keys(days)) {
		t := days[k]
		t.Revenue, t.Payouts = t.revenue.String(), t.payouts.String()
		out = append(out, *t)
	}
	return out
}
