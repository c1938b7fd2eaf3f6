package affisesim

import (
	"fmt"
	"strings"
	"time"
)

// Markers that stand in the answers where the platform sends secrets and
// payment details: a test searches for them wherever syncd writes.
const (
	SecretMarker  = "affisesim-secret-"  // api_key, hash_password
	PaymentMarker = "affisesim-payment-" // payment_systems[].fields
)

// Offer is an offer of the network.
type Offer struct {
	ID           int
	OfferID      string // 24 hex digits
	Title        string
	AdvertiserID string
	Status       string // active, stopped, suspended
	Privacy      string // public, protected, private
	Currency     string // upper case
	Category     string
	Goals        []Goal
	CreatedAt    time.Time
	UpdatedAt    time.Time
	// Gone: deleted. It is in no list, and its conversions carry offer:null.
	Gone bool

	oid        objectID
	advertiser int
	currency   int
	category   int
	landings   int
	externalID string
}

// Goal is an event of an offer that pays.
type Goal struct {
	Value   string // "1"
	Title   string
	Type    string // fixed, percent
	Total   string // what the advertiser pays: an amount, or percents
	Revenue string // what the affiliate gets

	total, revenue money
}

// Partner is an affiliate.
type Partner struct {
	ID                   int
	Email, Login, Status string
	Country              string
	ManagerID            string // "" without
	CreatedAt, UpdatedAt time.Time
	Balance              map[string]Balance // by currency

	manager int // -1 without
}

// Balance is money of an affiliate; decimals as text.
type Balance struct{ Balance, Hold, Available string }

// Advertiser pays for conversions.
type Advertiser struct {
	ID, Title, Email, URL, Country string
	ManagerID                      string
	CreatedAt, UpdatedAt           time.Time

	oid     objectID
	manager int // -1 without
}

// User is a manager of the network.
type User struct {
	ID, FirstName, LastName, Email string
	Roles                          []string
	CreatedAt, UpdatedAt           time.Time

	oid objectID
}

// named is an entry of a dictionary whose ids are ObjectIds.
type named struct {
	oid  objectID
	name string
}

// world is everything but the rows.
type world struct {
	offers      []Offer
	partners    []Partner
	advertisers []Advertiser
	users       []User
	categories  []named
	sources     []named
	invoices    []Invoice
	tickets     []Ticket
	news        []News
	pixels      []Pixel
}

var (
	offerKinds   = []string{"Store CPS", "App CPI", "Loan CPL", "Game CPA", "Travel CPS"}
	offerStates  = []string{"active", "active", "active", "stopped", "suspended"}
	privacies    = []string{"public", "protected", "private"}
	firstNames   = []string{"Dana", "Igor", "Mei", "José", "Amara", "Łukasz"}
	categoryList = []string{"Shopping", "Finance", "Games", "Travel", "Dating & Social"}
	sourceList   = []string{"Web sites", "Teasers", "E-mail", "Push"}
)

func (n *Network) makeWorld() {
	o, w := &n.opt, &n.world
	born := o.From.Add(-400 * 24 * time.Hour).Truncate(time.Second)
	moment := func(d *draw) time.Time {
		return born.Add(time.Duration(d.below(390*86400)) * time.Second)
	}
	for i, name := range categoryList {
		w.categories = append(w.categories, named{n.oid(kindCategory, born.Unix()+int64(i), uint32(i)), name})
	}
	for i, name := range sourceList {
		w.sources = append(w.sources, named{n.oid(kindSource, born.Unix()+int64(i), uint32(i)), name})
	}
	d := draw(mix(o.Seed ^ 0x776f726c64))
	for i := range o.Users {
		at := moment(&d)
		role := [][]string{{"ROLE_MANAGER_AFFILIATE"}, {"ROLE_MANAGER_SALES"}, {"ROLE_ADMIN", "ROLE_SECTION_STATS"}}[i%3]
		id := n.oid(kindUser, at.Unix(), uint32(i))
		w.users = append(w.users, User{ID: id.String(), FirstName: firstNames[i%len(firstNames)], LastName: fmt.Sprintf("Sample%d", i+1),
			Email: fmt.Sprintf("user%d@example.test", i+1), Roles: role, CreatedAt: at, UpdatedAt: at.Add(time.Hour), oid: id})
	}
	manager := func(d *draw) int {
		if d.below(5) == 0 {
			return -1
		}
		return d.below(o.Users)
	}
	for i := range o.Advertisers {
		at := moment(&d)
		a := Advertiser{Title: fmt.Sprintf("Sample Store %d Ltd", i+1), Email: fmt.Sprintf("ads%d@example.test", i+1),
			URL: fmt.Sprintf("https://store%d.example.test", i+1), Country: countries[d.below(10)].code,
			CreatedAt: at, UpdatedAt: at.Add(48 * time.Hour), oid: n.oid(kindAdvertiser, at.Unix(), uint32(i)), manager: manager(&d)}
		a.ID = a.oid.String()
		a.ManagerID = n.userID(a.manager)
		w.advertisers = append(w.advertisers, a)
	}
	states := []string{"active", "active", "active", "active", "on moderation", "banned", "not active"}
	for i := range o.Partners {
		id, at := firstPartner+i, moment(&d)
		p := Partner{ID: id, Email: fmt.Sprintf("aff%d@example.test", id), Status: states[i%len(states)],
			Country: countries[d.below(10)].code, CreatedAt: at, UpdatedAt: at.Add(72 * time.Hour), manager: manager(&d), Balance: map[string]Balance{}}
		if i%3 != 0 {
			p.Login = fmt.Sprintf("aff%d", id)
		}
		if i == 1 {
			p.manager = -1 // whatever the seed: one affiliate has no manager
		}
		p.ManagerID = n.userID(p.manager)
		for _, c := range o.Currencies {
			sum, hold := money(d.below(100_000))*unit/1000, money(d.below(5000))*unit/100
			p.Balance[c] = Balance{Balance: sum.String(), Hold: hold.String(), Available: max(sum-hold, 0).String()}
		}
		w.partners = append(w.partners, p)
	}
	for i := range o.Offers {
		at := moment(&d)
		f := Offer{ID: firstOffer + i, Status: offerStates[i%len(offerStates)], Privacy: privacies[i%len(privacies)],
			CreatedAt: at, UpdatedAt: at.Add(24 * time.Hour), oid: n.oid(kindOffer, at.Unix(), uint32(i)),
			advertiser: d.below(o.Advertisers), currency: i % len(o.Currencies), category: i % len(categoryList), landings: d.below(3)}
		f.OfferID = f.oid.String()
		f.Title = fmt.Sprintf("Sample %s %d [%s]", offerKinds[i%len(offerKinds)], f.ID, countries[d.below(10)].code)
		f.AdvertiserID = w.advertisers[f.advertiser].ID
		f.Currency, f.Category = o.Currencies[f.currency], categoryList[f.category]
		f.Gone = i == o.Offers-1 && o.Offers >= 5
		if i%9 == 4 {
			f.externalID = fmt.Sprintf("ext-%d", f.ID)
		}
		f.Goals = append(f.Goals, makeGoal(&d, "1", "Sale"))
		if i%3 == 0 {
			f.Goals = append(f.Goals, makeGoal(&d, "2", "Registration"))
		}
		w.offers = append(w.offers, f)
	}
	w.invoices, w.tickets, w.news, w.pixels = n.makeInvoices(), n.makeTickets(), n.makeNews(), n.makePixels()
}

func (n *Network) userID(i int) string {
	if i < 0 {
		return ""
	}
	return n.world.users[i].ID
}

func makeGoal(d *draw, value, title string) Goal {
	g := Goal{Value: value, Title: title, Type: "fixed"}
	if d.below(3) == 0 {
		g.Type = "percent"
		g.total = 100 * unit
		g.revenue = money(60+d.below(30)) * unit
	} else {
		g.total = cents(40 + d.below(4000))
		if d.below(3) == 0 {
			g.total = money(1+d.below(40)) * unit
		}
		g.revenue = g.total.percent(7500)
	}
	g.Total, g.Revenue = g.total.String(), g.revenue.String()
	return g
}

// goal returns the goal that a row with these attributes is for.
func (o *Offer) goal(a attrs) *Goal { return &o.Goals[a.goal%len(o.Goals)] }

// fragments are the parts of rows that are the same for many rows, made once:
// [0] plain, [1] escaped as PHP does.
type fragments struct {
	offer       [][2]string // {"id":71,...}, with url
	offerShort  [][2]string // without url, for affiliates
	partner     [][2]string
	advertiser  [][2]string
	convDevice  [][2]string // "ua":...,"device_type":...
	clickDevice [][2]string
	place       [][][2]string // by country, city: "country":...
	clickPlace  [][][2]string
	isp         [][2]string
}

func both(fill func(j *js)) (out [2]string) {
	for i, php := range []bool{false, true} {
		j := js{php: php}
		fill(&j)
		out[i] = string(j.b)
	}
	return out
}

func (n *Network) makeFragments() {
	var f fragments
	for i := range n.world.offers {
		o := &n.world.offers[i]
		head := func(j *js) {
			j.key("id").int(o.ID)
			j.key("title").str(o.Title)
			j.key("offer_id").oid(o.oid)
		}
		external := func(j *js) {
			if o.externalID != "" {
				j.key("external_id").str(o.externalID)
			} else {
				j.key("external_id").bool(false)
			}
		}
		f.offer = append(f.offer, both(func(j *js) {
			j.obj(func() { head(j); j.key("url").str(o.url(n) + "?c={clickid}&a={pid}"); external(j) })
		}))
		f.offerShort = append(f.offerShort, both(func(j *js) { j.obj(func() { head(j); external(j) }) }))
	}
	for i := range n.world.partners {
		f.partner = append(f.partner, both(func(j *js) { n.partnerBrief(j, i) }))
	}
	for i := range n.world.advertisers {
		a := &n.world.advertisers[i]
		f.advertiser = append(f.advertiser, both(func(j *js) {
			j.obj(func() { j.key("id").str(a.ID); j.key("title").str(a.Title) })
		}))
	}
	for i := range devices {
		d := &devices[i]
		f.convDevice = append(f.convDevice, both(func(j *js) {
			j.key("ua").str(d.ua)
			j.key("browser").str(d.browser + " " + d.browserVersion)
			j.key("os").str(d.os + " " + d.osVersion)
			j.key("device").str(d.kind)
			j.key("device_type").str(d.kind)
		}))
		f.clickDevice = append(f.clickDevice, both(func(j *js) {
			j.key("device").str(d.brand)
			j.key("device_type").str(d.kind)
			j.key("device_fullname").str("")
			j.key("device_model").str(d.model)
			j.key("os").str(d.os)
			j.key("os_version").str(d.osVersion)
			j.key("os_fullname").str(d.os + " " + d.osVersion)
			j.key("browser").str(d.browser)
			j.key("browser_version").str(d.browserVersion)
			j.key("browser_fullname").str(d.browser + " " + d.browserVersion)
		}))
	}
	for i := range countries {
		c := &countries[i]
		var conv, click [][2]string
		for _, place := range c.cities {
			conv = append(conv, both(func(j *js) {
				j.key("country").str(c.code)
				j.key("country_name").str(c.name)
				j.key("district").null()
				j.key("city").str(place.name)
				j.key("city_id").int(place.id)
			}))
			click = append(click, both(func(j *js) {
				j.key("country").str(c.code)
				j.key("country_name").str(c.name)
				j.key("city").str(place.name)
				j.key("city_id").int(place.id)
				j.key("region_id").int(place.region)
				j.key("region_name").str(place.area)
			}))
		}
		f.place, f.clickPlace = append(f.place, conv), append(f.clickPlace, click)
	}
	for _, name := range isps {
		f.isp = append(f.isp, both(func(j *js) { j.str(name) }))
	}
	n.frag = f
}

func (o *Offer) url(n *Network) string {
	return n.world.advertisers[o.advertiser].URL + "/o" + itoa(o.ID) + "/"
}

// partnerBrief is the affiliate inside conversions and clicks.
func (n *Network) partnerBrief(j *js, i int) {
	p := &n.world.partners[i]
	j.obj(func() {
		j.key("id").int(p.ID)
		j.key("title").str(p.Email)
		j.key("email").str(p.Email)
		j.key("login").str(p.Login)
		j.key("name").str("")
		if p.manager < 0 {
			j.key("manager").null()
		} else {
			u := &n.world.users[p.manager]
			j.key("manager").obj(func() {
				j.key("id").str(u.ID)
				j.key("title").str(u.FirstName + " " + u.LastName)
				j.key("first_name").str("")
				j.key("last_name").str("")
			})
		}
		j.key("manager_id").str(p.ManagerID)
	})
}

func secret(parts ...string) string { return SecretMarker + strings.Join(parts, "-") }
