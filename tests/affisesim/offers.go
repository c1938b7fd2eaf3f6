package affisesim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// clock writes a time as text in the request's zone; null for the zero time.
func (r *request) clock(t time.Time) {
	if t.IsZero() {
		r.j.null()
		return
	}
	r.j.comma()
	r.j.b = append(appendClock(append(r.j.b, '"'), r.loc, t.Unix()), '"')
}

// changedSince tests the parameter updated_at, a day.
func (r *request) changedSince() (func(time.Time) bool, error) {
	v := r.p.get("updated_at")
	if v == "" {
		return func(time.Time) bool { return true }, nil
	}
	day, err := parseDay(v)
	if err != nil {
		return nil, errBadRequest
	}
	return func(t time.Time) bool { return civilAt(r.loc, t.Unix()).day >= day }, nil
}

// pickOffers selects and sorts offers; states are those taken by default.
func (r *request) pickOffers(states []string) ([]*Offer, error) {
	since, err := r.changedSince()
	if err != nil {
		return nil, err
	}
	if asked := r.p.all("status"); asked != nil && r.affiliate == 0 {
		states = asked
	}
	ids, ints, advertisers, privacy, cats := r.p.all("ids"), r.numbers("int_id"), r.p.all("advertiser"), r.numbers("privacy"), r.p.all("categories")
	q := strings.ToLower(r.p.get("q"))
	var out []*Offer
	for i := range r.n.world.offers {
		o := &r.n.world.offers[i]
		switch {
		case o.Gone, !slices.Contains(states, o.Status), !since(o.UpdatedAt),
			ids != nil && !slices.Contains(ids, o.OfferID),
			ints != nil && !ints[o.ID],
			r.affiliate == 0 && advertisers != nil && !slices.Contains(advertisers, o.AdvertiserID),
			r.affiliate == 0 && privacy != nil && !privacy[slices.Index(privacies, o.Privacy)],
			r.affiliate != 0 && o.Privacy == "private",
			cats != nil && !slices.Contains(cats, o.Category) && !slices.Contains(cats, r.n.world.categories[o.category].oid.String()),
			q != "" && !strings.Contains(strings.ToLower(o.Title), q):
			continue
		}
		out = append(out, o)
	}
	down := r.p.get("sort[id]") == "desc" || r.p.get("sort[title]") == "desc"
	byTitle := r.p.get("sort[title]") != ""
	slices.SortFunc(out, func(a, b *Offer) int {
		c := a.ID - b.ID
		if byTitle {
			c = strings.Compare(a.Title, b.Title)
		}
		if down {
			c = -c
		}
		return c
	})
	return out, nil
}

// offers is GET /3.0/offers.
func (r *request) offers() error {
	picked, err := r.pickOffers([]string{"active"})
	if err != nil {
		return err
	}
	return r.list("offers", len(picked), func(i int) { r.offerRow(picked[i], false) })
}

func (r *request) offersCount() error {
	picked, err := r.pickOffers([]string{"active"})
	if err != nil {
		return err
	}
	return r.one("count", func() { r.j.int(len(picked)) })
}

// offer is GET /3.0/offer/{id}.
func (r *request) offer() error {
	id, err := strconv.Atoi(r.id)
	if err != nil || id < firstOffer || id >= firstOffer+len(r.n.world.offers) || r.n.world.offers[id-firstOffer].Gone {
		return errNotFound
	}
	o := &r.n.world.offers[id-firstOffer]
	if r.affiliate != 0 && (o.Privacy == "private" || o.Status != "active") {
		return errNotFound
	}
	return r.one("offer", func() { r.offerRow(o, true) })
}

// partnerOffers is GET /3.0/partner/offers, and live-offers.
func (r *request) partnerOffers(live bool) error {
	picked, err := r.pickOffers([]string{"active"})
	if err != nil {
		return err
	}
	if live {
		picked = slices.DeleteFunc(picked, func(o *Offer) bool { return !connected(o, r.affiliate) })
	}
	return r.list("offers", len(picked), func(i int) { r.affiliateOffer(picked[i], true, false) })
}

// connected says whether an affiliate runs an offer.
func connected(o *Offer, affiliate int) bool {
	return o.Privacy == "public" || (o.ID+affiliate)%2 == 0
}

func (r *request) offerRow(o *Offer, single bool) {
	if r.affiliate != 0 {
		r.affiliateOffer(o, true, single)
		return
	}
	r.adminOffer(o, single)
}

const (
	targetingTail = `,"deny":[]},"region":{"allow":[],"deny":[]},"city":{"allow":[],"deny":[]},"os":{"allow":[],"deny":[]},` +
		`"isp":{"allow":[],"deny":[]},"ip":{"allow":[],"deny":[]},"browser":{"allow":[],"deny":[]},"brand":{"allow":[],"deny":[]},` +
		`"device_type":[],"connection":[],"affiliate_id":[],"sub":{"allow":[],"deny":[],"deny_groups":[]}}]`
	adminOfferOnly = `"redirect_type":"http302","caps_timezone":"Europe/Moscow","strictly_devices":[],"sub_restrictions":[{"sub1":"","sub2":""}],` +
		`"disabled_choice_postback_status":false,"caps_status":null,"search_empty_sub":0,"click_session":"1y","minimal_click_session":"0s","io_document":null`
)

// targeting of every third offer is one country.
func (r *request) targeting(o *Offer) {
	r.j.raw(`"targeting":[{"country":{"allow":`)
	if o.ID%3 == 0 {
		r.j.strs(countries[o.ID%10].code)
	} else {
		r.j.raw("[]")
	}
	r.j.b = append(r.j.b, targetingTail...)
}

// shared members of the admin's and the affiliate's offer.
func (r *request) offerCategories(o *Offer) {
	j, w := &r.j, &r.n.world
	j.key("sources").arr(func() {
		for i, s := range w.sources {
			if i == 0 || (o.ID+i)%3 == 0 {
				j.obj(func() { j.key("id").oid(s.oid); j.key("title").str(s.name); j.key("allowed").int(1) })
			}
		}
	})
	j.key("categories").strs(o.Category)
	c := w.categories[o.category]
	j.key("full_categories").arr(func() {
		j.obj(func() { j.key("id").oid(c.oid); j.key("title").str(c.name) })
	})
	j.key("landings").arr(func() {
		for l := 1; l <= o.landings; l++ {
			j.obj(func() {
				j.key("id").int(l)
				j.key("title").str("Landing " + itoa(l))
				j.key("url").str(o.url(r.n) + "l" + itoa(l) + "/")
				j.key("url_preview").str(o.url(r.n) + "l" + itoa(l) + "/?preview")
				j.key("type").str("landing")
			})
		}
	})
}

func (r *request) offerCaps(o *Offer, admin bool) {
	j := &r.j
	j.key("caps").arr(func() {
		for i, c := range offerCaps(o) {
			j.obj(func() {
				j.key("period").str(c.period)
				j.key("type").str(c.kind)
				j.key("value").int(c.value)
				if i == 0 {
					j.raw(`"goal_type":"exact"`)
					j.key("goals").obj(func() { j.key(o.Goals[0].Value).str(o.Goals[0].Title) })
				} else {
					j.raw(`"goal_type":"each"`)
					j.key("goals")
					r.emptyMap()
				}
				switch {
				case !admin:
				case i == 0:
					j.key("affiliate_type").str("exact")
					j.key("affiliates").arr(func() { j.int(firstPartner); j.int(firstPartner + 1) })
				default:
					j.raw(`"affiliate_type":"each","affiliates":[]`)
				}
			})
		}
	})
}

func (r *request) adminPayment(o *Offer, g *Goal, revenue money, partners []int) {
	j := &r.j
	j.obj(func() {
		if partners == nil {
			j.key("countries").strs(strings.ToLower(countries[o.ID%10].code))
		} else {
			j.raw(`"countries":[]`)
		}
		if o.ID%8 == 1 {
			p := countries[0].cities[0]
			j.key("cities").arr(func() {
				j.obj(func() {
					j.key("country_code").str("US")
					j.key("id").int(p.id)
					j.key("name").str(p.name)
					j.key("region_code").str(p.area)
				})
			})
		} else {
			j.raw(`"cities":[]`)
		}
		j.raw(`"devices":[],"os":[]`)
		j.key("goal").str(g.Value)
		j.key("total").money(g.total)
		j.key("revenue").money(revenue)
		j.key("currency").str(strings.ToLower(o.Currency))
		j.key("title").str(g.Title)
		j.key("type").str(g.Type)
		j.raw(`"country_exclude":false,"with_regions":false,"url":null`)
		if partners != nil {
			j.key("partners").arr(func() {
				for _, p := range partners {
					j.int(p)
				}
			})
		}
	})
}

// adminOffer writes an offer with all that an admin sees.
func (r *request) adminOffer(o *Offer, single bool) {
	j := &r.j
	j.obj(func() {
		j.key("id").int(o.ID)
		j.key("offer_id").oid(o.oid)
		j.key("advertiser").str(o.AdvertiserID)
		j.key("external_offer_id").str(o.externalID)
		j.raw(`"bundle_id":"","hide_payments":false`)
		j.key("title").str(o.Title)
		j.raw(`"macro_url":""`)
		j.key("url").str(o.url(r.n) + "?c={clickid}&a={pid}")
		j.raw(`"cross_postback_url":""`)
		j.key("url_preview").str(o.url(r.n))
		j.key("preview_url").str(o.url(r.n))
		j.raw(`"domain_url":"","trafficback_url":"","use_https":true,"use_http":true`)
		j.key("description_lang").obj(func() { j.key("en").str("<p>" + o.Title + "</p>"); j.key("ru").str("") })
		j.key("logo").str("https://offers.example.test/logo/" + itoa(o.ID) + ".png")
		j.raw(`"logo_source":""`)
		j.key("status").str(o.Status)
		if o.ID%5 == 0 {
			j.key("tags").strs("top", "q4")
		} else {
			j.raw(`"tags":[]`)
		}
		j.key("privacy").str(o.Privacy)
		j.raw(`"is_top":0`)
		j.key("payments").arr(func() {
			for i := range o.Goals {
				r.adminPayment(o, &o.Goals[i], o.Goals[i].revenue, nil)
			}
		})
		j.key("partner_payments").arr(func() {
			if o.ID%7 == 0 {
				r.adminPayment(o, &o.Goals[0], o.Goals[0].revenue.percent(10500), []int{firstPartner, firstPartner + 1})
			}
		})
		r.offerCategories(o)
		j.raw(`"strictly_country":0,"strictly_os":[],"strictly_brands":[],"strictly_connection_type":null,"restriction_isp":null`)
		r.targeting(o)
		j.raw(`"is_redirect_overcap":false,"notice_percent_overcap":0,"hold_period":0`)
		r.offerRates(o)
		j.key("notes").str("")
		j.raw(`"allowed_ip":"","disallowed_ip":""`)
		if o.ID%3 == 0 {
			j.key("hash_password").str("")
		} else {
			j.key("hash_password").str(secret("offer", itoa(o.ID), "hash_password"))
		}
		if o.ID%2 == 0 {
			j.raw(`"allow_deeplink":0`)
		} else {
			j.raw(`"allow_deeplink":true`)
		}
		j.raw(`"hide_referer":0`)
		j.key("start_at")
		r.clock(o.CreatedAt)
		if o.ID%2 == 0 {
			j.raw(`"stop_at":""`)
		} else {
			j.raw(`"stop_at":null`)
		}
		j.raw(`"auto_offer_connect":0,"required_approval":false,"is_cpi":false,"creatives":[],"creatives_zip":null`)
		j.key("created_at")
		r.clock(o.CreatedAt)
		j.raw(`"sub_accounts":{"1":{"value":"","except":false},"2":{"value":"","except":false}},"kpi":{"en":"","ru":""},"strictly_isp":[]`)
		r.offerCaps(o, true)
		j.raw(`"commission_tiers":[]`)
		j.key("updated_at")
		r.clock(o.UpdatedAt)
		j.raw(`"allow_impressions":false,"smartlink_categories":[],"uniq_ip_only":false,"reject_not_uniq_ip":false`)
		if single {
			j.raw(adminOfferOnly)
		}
	})
}

func (r *request) offerRates(o *Offer) {
	r.j.key("cr").money(cents(o.ID % 700))
	r.j.key("epc").money(cents(o.ID % 90))
}

// affiliateOffer writes an offer as an affiliate sees it; single adds what
// /3.0/offer/{id} has more.
func (r *request) affiliateOffer(o *Offer, description, single bool) {
	j := &r.j
	j.obj(func() {
		j.key("id").int(o.ID)
		j.key("offer_id").oid(o.oid)
		j.key("title").str(o.Title)
		j.key("preview_url").str(o.url(r.n))
		if description {
			j.key("description").str("<p>" + o.Title + "</p>")
		}
		j.key("description_lang").obj(func() { j.key("en").str("") })
		r.offerRates(o)
		j.key("logo").str("https://offers.example.test/logo/" + itoa(o.ID) + ".png")
		j.key("stop_at").str("")
		r.offerCategories(o)
		j.key("payments").arr(func() {
			for i := range o.Goals {
				g := &o.Goals[i]
				j.obj(func() {
					j.key("countries").strs(countries[o.ID%10].code)
					j.raw(`"cities":[],"country_exclude":false`)
					j.key("title").str(g.Title)
					j.key("goal").str(g.Value)
					j.key("revenue").money(g.revenue)
					j.key("currency").str(o.Currency)
					j.key("type").str(g.Type)
					j.raw(`"devices":[],"os":[]`)
				})
			}
		})
		j.raw(`"required_approval":true,"is_cpi":false,"creatives":[],"creatives_zip":null`)
		link := "https://go.example.test/click?pid=" + itoa(r.affiliate) + "&offer_id=" + itoa(o.ID)
		on := connected(o, r.affiliate)
		j.key("links").arr(func() {
			if on {
				j.obj(func() {
					j.raw(`"id":null,"title":null,"hash":null`)
					j.key("url").str(link)
					j.raw(`"postbacks":[],"created":null`)
				})
			}
		})
		j.raw(`"macro_url":null`)
		j.key("link")
		if on {
			j.str(link)
		} else {
			j.null()
		}
		j.raw(`"use_https":false,"use_http":true,"hold_period":0`)
		r.offerCaps(o, false)
		r.targeting(o)
		j.raw(`"caps_timezone":"Europe/Moscow","click_session":"1y","minimal_click_session":"0s"`)
		j.key("goals").obj(func() {
			for _, g := range o.Goals {
				j.key(g.Value).str(g.Title)
			}
		})
		if single {
			j.key("countries").strs(countries[o.ID%10].code)
			j.raw(`"postbacks":[],"pixels":[],"ticket_created":false`)
		}
	})
}

// categories is GET /3.0/offer/categories.
func (r *request) categories() error {
	list := r.n.world.categories
	return r.list("categories", len(list), func(i int) {
		r.j.obj(func() { r.j.key("id").oid(list[i].oid); r.j.key("title").str(list[i].name) })
	})
}

// sources is GET /3.0/admin/offer/sources.
func (r *request) sources() error {
	list, j := r.n.world.sources, &r.j
	return r.all("sources", len(list), func(i int) {
		j.obj(func() {
			j.key("id").oid(list[i].oid)
			j.key("title").str(list[i].name)
			j.key("title_lang").obj(func() {
				j.key("ru").str("")
				j.key("en").str(strings.ToLower(list[i].name))
				j.key("es").str("")
			})
			j.key("allowed").int(0)
		})
	})
}
