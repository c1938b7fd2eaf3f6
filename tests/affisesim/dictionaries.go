package affisesim

import (
	"slices"
	"strconv"
	"strings"
)

// Answers that never change.
const (
	paymentSystems = `"payment_systems":[{"id":2,"lang_label":"Wire transfer","fields":[{"id":1,"lang_label":"IBAN","required":true}],"currency":null},` +
		`{"id":3,"lang_label":"Wallet","fields":[{"id":2,"lang_label":"Account","required":false}],"currency":"EUR"}]`
	customFields = `"fields":[{"id":1,"name":"Messenger","required":false,"field_type":"text","field_values":null},` +
		`{"id":2,"name":"Vertical","required":true,"field_type":"text","field_values":null}]`
	domains     = `"domains":[{"id":1,"url":"go.example.test","use_https":true},{"id":2,"url":"trk.example.test","use_https":false}]`
	goals       = `"goals":[{"id":1,"title":"Sale"},{"id":2,"title":"Registration"}]`
	oses        = `"oses":{"0":"Android","1":"iOS","3":"Mac OS X","7":"Windows"}`
	deviceTypes = `"types":["desktop","mobile","tablet"]`
	connections = `"types":["wi-fi","cellular","other"]`
)

// fixed answers with members that never change.
func (r *request) fixed(members string) error {
	r.j.obj(func() {
		r.j.key("status").int(1)
		r.j.raw(members)
	})
	r.rows = 1
	return nil
}

// currencyList: the platform's int id, code, and units a dollar in 10^-4.
var currencyList = []struct {
	id    int
	code  string
	quote money
}{{2, "USD", 10_000}, {3, "EUR", 9_213}, {1, "RUB", 910_512}, {5, "GBP", 7_904}}

func currencyID(code string) int {
	for _, c := range currencyList {
		if c.code == code {
			return c.id
		}
	}
	return 0
}

// toUSD converts at the platform's rate; a code without one counts as dollars.
func toUSD(m money, code string) money {
	for _, c := range currencyList {
		if c.code == code {
			return m * 10_000 / c.quote
		}
	}
	return m
}

// currency is GET /3.0/admin/currency: an object, or a list with extended=1.
func (r *request) currency() error {
	j := &r.j
	return r.one("quotes", func() {
		if r.p.get("extended") != "1" {
			j.obj(func() {
				for _, c := range currencyList {
					j.key(c.code).money(c.quote * (unit / 10_000))
				}
			})
			return
		}
		j.arr(func() {
			for _, c := range currencyList {
				active := c.code != "GBP"
				if !active && r.p.get("get_only_active") == "1" {
					continue
				}
				j.obj(func() {
					j.key("_id").int(c.id)
					j.key("code").str(c.code)
					j.key("active").bool(active)
					j.key("default").bool(c.code == "USD")
					j.key("rate").money(c.quote * (unit / 10_000))
					j.raw(`"min_payment":20,"is_crypto":null`)
				})
			}
		})
	})
}

// cities is GET /3.0/cities (and 3.1).
func (r *request) cities() error {
	code := r.p.get("country")
	if code == "" {
		return errBadRequest
	}
	var list []city
	for _, c := range countries {
		if c.code == code {
			list = c.cities
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(c city) bool { return c.id == 0 })
	j := &r.j
	return r.list("cities", len(list), func(i int) {
		j.obj(func() {
			j.key("country_code").str(code)
			j.key("id").int(list[i].id)
			j.key("name").str(list[i].name)
			j.key("region_code").str(list[i].area)
		})
	})
}

// isps is GET /3.0/isp.
func (r *request) isps() error {
	var list []int
	for i, name := range isps[:5] {
		if strings.Contains(strings.ToLower(name), strings.ToLower(r.p.get("q"))) {
			list = append(list, i)
		}
	}
	j := &r.j
	return r.list("isp", len(list), func(i int) {
		j.obj(func() {
			j.key("id").oid(r.n.oid(kindISP, 1487078986, uint32(list[i])))
			j.key("name").str(isps[list[i]])
			j.key("country").str(countries[list[i]].code)
		})
	})
}

func (r *request) isps31() error {
	j, code := &r.j, r.p.get("country")
	if code == "" {
		return errBadRequest
	}
	return r.all("isps", 3, func(i int) {
		j.obj(func() { j.key("country").str(code); j.key("name").str(isps[i]) })
	})
}

func (r *request) countries31() error {
	return r.all("countries", 11, func(i int) {
		r.j.obj(func() { r.j.key("code").str(countries[i].code); r.j.key("name").str(countries[i].name) })
	})
}

func (r *request) regions31() error {
	code := r.p.get("country")
	var list []city
	for _, c := range countries {
		if c.code == code && code != "" {
			list = c.cities
		}
	}
	j := &r.j
	return r.all("regions", len(list), func(i int) {
		j.obj(func() {
			j.key("id").int(list[i].region)
			j.key("name").str(list[i].area)
			j.key("country_code").str(code)
		})
	})
}

func (r *request) texts(key string, of func(d *device) string) error {
	var list []string
	for i := range devices {
		list = append(list, of(&devices[i]))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return r.all(key, len(list), func(i int) { r.j.str(list[i]) })
}

func (r *request) browsers31() error {
	return r.texts("browsers", func(d *device) string { return d.browser })
}

func (r *request) vendors31() error {
	return r.texts("vendors", func(d *device) string { return d.brand })
}

// smartlinks is GET /3.0/admin/smartlink/categories, and the affiliate's.
func (r *request) smartlinks() error {
	names, born := []string{"Shopping mix", "Games mix"}, r.n.opt.From.Unix()
	j := &r.j
	return r.all("data", len(names), func(i int) {
		j.obj(func() {
			j.key("_id").oid(r.n.oid(kindSmartlink, born, uint32(i)))
			j.key("name").str(names[i])
			j.raw(`"domain":"go.example.test","domain_id":null,"description":null`)
			for _, k := range []string{"created_at", "updated_at"} {
				j.key(k)
				r.clock(utc(uint32(born)))
			}
		})
	})
}

// News is a message to the affiliates.
type News struct {
	ID, Title string
	oid       objectID
	at        int64
}

const newsCount = 23

func (n *Network) makeNews() []News {
	var out []News
	for i := range newsCount {
		at := n.opt.From.Unix() + int64(i)*3600
		id := n.oid(kindNews, at, uint32(i))
		out = append(out, News{ID: id.String(), Title: "News " + itoa(i+1), oid: id, at: at})
	}
	return out
}

func (r *request) newsRecord(v *News) {
	j := &r.j
	j.obj(func() {
		j.key("_id").obj(func() { j.key("$id").oid(v.oid) })
		j.key("title").str(v.Title)
		j.key("small_desc").str("Short text")
		j.key("desc").str("<p>Long text</p>")
		j.key("status").int(1)
		j.key("created_at")
		mongoDate(j, v.at, v.at*1_000_003)
	})
}

// mongoDate writes {"sec":...,"usec":...}; usec may be of any size.
func mongoDate(j *js, sec, noise int64) {
	j.obj(func() {
		j.key("sec").int(int(sec))
		j.key("usec").int(int(noise % 6_000_000_000))
	})
}

// news is GET /3.0/news: skip and limit, no pagination.
func (r *request) news() error {
	list := r.n.world.news
	if r.fault.is(NoRows) {
		list = nil
	}
	limit := min(r.limit, 100)
	if r.p.get("limit") == "" {
		limit = 10
	}
	from := min(max(r.p.number("skip", 0), 0), len(list))
	page := list[from:min(from+limit, len(list))]
	j := &r.j
	r.rows = len(page)
	j.obj(func() {
		j.key("status").int(1)
		j.key("items")
		switch {
		case r.n.opt.NewsAsList:
			j.arr(func() {
				for i := range page {
					r.newsRecord(&page[i])
				}
			})
		case len(page) == 0:
			r.emptyMap()
		default:
			j.obj(func() {
				for i := range page {
					j.key(page[i].ID)
					r.newsRecord(&page[i])
				}
			})
		}
		j.key("all_items").int(len(list))
	})
	return nil
}

// newsItem is GET /3.0/news/{id}.
func (r *request) newsItem() error {
	i := slices.IndexFunc(r.n.world.news, func(v News) bool { return v.ID == r.id })
	if i < 0 {
		return errNotFound
	}
	return r.one("news", func() { r.newsRecord(&r.n.world.news[i]) })
}

// Pixel is a code that an affiliate has shown after a conversion.
type Pixel struct{ ID, PartnerID, OfferID int }

func (n *Network) makePixels() []Pixel {
	var out []Pixel
	for i := range n.world.partners {
		for k := range i % 3 {
			out = append(out, Pixel{ID: len(out) + 1, PartnerID: firstPartner + i, OfferID: firstOffer + (i+k)%len(n.world.offers)})
		}
	}
	// The first affiliate, the one with a key by default, has one too.
	return append(out, Pixel{ID: len(out) + 1, PartnerID: firstPartner, OfferID: firstOffer})
}

// pixels is GET /3.0/partner/pixels, and for an admin /3.0/partner/pixels/{id}.
func (r *request) pixels() error {
	partner := r.affiliate
	if partner == 0 {
		var err error
		if partner, err = strconv.Atoi(r.id); err != nil {
			return errNotFound
		}
	}
	var list []Pixel
	for _, p := range r.n.world.pixels {
		if p.PartnerID == partner {
			list = append(list, p)
		}
	}
	j := &r.j
	return r.one("pixel", func() {
		if len(list) == 0 {
			r.emptyMap()
			return
		}
		r.rows = len(list)
		j.obj(func() {
			for i, p := range list {
				j.key(itoa(i + 1)).obj(func() {
					j.key("id").int(p.ID)
					j.raw(`"name":"main"`)
					j.key("code").str(`<img src="https://px.example.test/` + itoa(p.ID) + `.gif">`)
					j.raw(`"code_type":"image"`)
					j.key("offer_id").str(itoa(p.OfferID))
					j.key("pid").str(itoa(p.PartnerID))
					j.raw(`"is_active":"0","moderation_status":"0"`)
					for _, k := range []string{"created_at", "updated_at"} {
						j.key(k)
						r.clock(utc(uint32(r.n.opt.From.Unix())))
					}
				})
			}
		})
	})
}
