package performcbsim

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// leap is one JSON call being answered.
type leap struct {
	n       *Network
	sw      Switches
	account Account
	version int
	query   url.Values
	j       js
}

// answer writes the envelope around what response fills: the request, echoed, and
// the response.
func (l *leap) answer(response func()) []byte {
	l.j.obj(func() {
		l.j.key("request").obj(l.echo)
		l.j.key("response").obj(response)
	})
	return l.j.b
}

// echo repeats the request, the key included.
func (l *leap) echo() {
	j := &l.j
	j.key("Target").str("Affiliate_Offer")
	j.key("Format").str("json")
	j.key("Service").str("LEAP")
	j.key("Version").str(strconv.Itoa(l.version))
	for _, name := range slices.Sorted(maps.Keys(l.query)) {
		values := l.query[name]
		switch list, ok := strings.CutSuffix(name, "[]"); {
		case name == "api_key" && l.sw.MaskedEcho:
			j.key(name).str("########")
		case ok:
			j.key(list).strs(values)
		default:
			j.key(name).str(values[len(values)-1])
		}
	}
}

// refuse is an answer that is no success.
func (l *leap) refuse(words string) []byte {
	j := &l.j
	return l.answer(func() {
		if l.sw.ErrorObject {
			j.key("errors").obj(func() { j.key("publicMessage").str(words) })
			j.key("link").str("https://support.performcb.com/")
			return
		}
		j.key("status").int(-1)
		j.key("httpStatus").int(200)
		j.key("data").str("")
		j.key("errors").arr(func() { j.obj(func() { j.key("publicMessage").str(words) }) })
		j.key("errorMessage").str(words)
	})
}

// list answers with a page of offers or, for version 7, of campaigns.
func (l *leap) list() (body []byte, rows int) {
	contains := l.query["contain[]"]
	if l.version >= 3 && slices.Contains(contains, "TrackingLink") && !slices.Contains(traffic, l.query.Get("trackinglink_traffic_type")) {
		return l.refuse("trackinglink_traffic_type is required when contain[]=TrackingLink"), 0
	}
	offers := slices.DeleteFunc(l.n.Offers(), func(o Offer) bool { return !l.wants(o) })
	count, size := len(offers), 0
	number := 1
	for name, into := range map[string]*int{"paginate_by": &size, "page": &number} {
		text := l.query.Get(name)
		if text == "" {
			continue
		}
		v, err := strconv.Atoi(text)
		if err != nil || v < 1 {
			return l.refuse(fmt.Sprintf("%s must be a positive integer", name)), 0
		}
		*into = v
	}
	if size == 0 && l.version == 7 {
		size = 1000
	}
	if size > 0 {
		if l.sw.IgnorePage {
			number = 1
		}
		start := min((number-1)*size, count)
		offers = offers[start:min(start+size, count)]
	}
	j := &l.j
	return l.answer(func() {
		j.key("status").int(1)
		j.key("httpStatus").int(200)
		j.key("data")
		if l.sw.OffersShape == ShapeWrapped || l.sw.OffersShape == ShapeAuto && size > 0 {
			j.obj(func() {
				j.key("page")
				if text := l.query.Get("page"); text != "" {
					j.str(text) // as it came; a number where none came
				} else {
					j.int(1)
				}
				j.key("current").int(0)
				j.key("count").int(count)
				j.key("pageCount").int((count + max(size, 1) - 1) / max(size, 1))
				j.key("data")
				l.records(offers, contains)
			})
		} else {
			l.records(offers, contains)
		}
		j.key("errors").raw("[]")
		j.key("errorMessage").raw("null")
	}), len(offers)
}

// wants applies the filters of a request.
func (l *leap) wants(o Offer) bool {
	if s := l.query.Get("status"); s != "" && !strings.EqualFold(s, o.Status) {
		return false
	}
	kinds := l.query.Get("offer_type")
	if l.version == 7 {
		kinds = l.query.Get("campaign_type")
	}
	return kinds == "" || l.version < 3 || slices.Contains(strings.Split(kinds, ","), o.Pricing)
}

// empty writes an empty map.
func (l *leap) empty() {
	if l.sw.EmptyObjects {
		l.j.raw("{}")
		return
	}
	l.j.raw("[]")
}

func (l *leap) id(id int) {
	if l.sw.TextIDs {
		l.j.str(strconv.Itoa(id))
		return
	}
	l.j.int(id)
}

func (l *leap) records(offers []Offer, contains []string) {
	if len(offers) == 0 {
		l.empty()
		return
	}
	j := &l.j
	j.obj(func() {
		for _, o := range offers {
			id, entity := o.ID, "Offer"
			if l.version == 7 {
				id, entity = o.CampaignID, "Campaign"
			}
			j.key(strconv.Itoa(id)).obj(func() {
				j.key(entity).obj(func() {
					if l.version == 7 {
						l.campaign(o)
					} else {
						l.offer(o)
					}
				})
				for _, c := range contains {
					l.contained(c, o)
				}
			})
		}
	})
}

// offer writes the fields of the call's versions 2 to 4.
func (l *leap) offer(o Offer) {
	j := &l.j
	j.key("id")
	l.id(o.ID)
	j.key("name").str(o.Name)
	j.key("description").str(o.Description)
	j.key("require_approval").str("0")
	j.key("require_terms_and_conditions").int(0)
	j.key("terms_and_conditions").raw("null")
	j.key("currency").strOrNull(o.Currency)
	j.key("default_payout").str(o.Payout)
	j.key("status").str(o.Status)
	j.key("expiration_date").strOrNull(o.Expires)
	j.key("payout_type").str(o.PayoutType)
	j.key("percent_payout").raw("null")
	j.key("featured").strOrNull(o.Expires)
	j.key("conversion_cap").str("0")
	j.key("weekly_conversion_cap").str("0")
	j.key("monthly_conversion_cap").str(strconv.Itoa(o.Cap))
	for _, name := range []string{"payout_cap", "weekly_payout_cap", "monthly_payout_cap", "allow_website_links", "allow_direct_links",
		"show_custom_variables", "show_mail_list", "dne_list_id", "email_instructions"} {
		j.key(name).str("0")
	}
	j.key("email_instructions_from").str("")
	j.key("email_instructions_subject").str("")
	j.key("has_goals_enabled").str("0")
	j.key("default_goal_name").raw("null")
	j.key("use_target_rules").str("0")
	j.key("is_expired").str("0")
	j.key("dne_download_url").raw("null")
	j.key("dne_unsubscribe_url").raw("null")
	j.key("dne_third_party_list").raw("false")
	j.key("approval_status").str("approved")
	j.key("impression_tracking_required").str([]string{"No", "Yes"}[o.ID%2])
	if l.version >= 3 {
		j.key("traffic_types_allowed").strs(o.Traffic)
		j.key("blocked_source_ids").raw("[]")
	}
	if l.version >= 4 {
		j.key("pricing_model").str(o.Pricing)
		j.key("events")
		l.events(o)
	}
}

func (l *leap) campaign(o Offer) {
	j := &l.j
	j.key("id")
	l.id(o.CampaignID)
	j.key("name").str(o.Name)
	j.key("description").str(o.Description)
	j.key("preview_url").str(o.Landing)
	j.key("status").str(o.Status)
	j.key("campaign_operating_system").str("")
	j.key("pricing_model").str(o.Pricing)
	j.key("events")
	l.events(o)
	j.key("traffic_types_allowed").strs(o.Traffic)
	j.key("blocked_source_ids").raw("[]")
}

func (l *leap) events(o Offer) {
	j := &l.j
	j.arr(func() {
		for _, e := range o.Events {
			j.obj(func() {
				j.key("id")
				l.id(e.ID)
				j.key("name").str(e.Name)
				j.key("payout").str(e.Payout)
			})
		}
	})
}

// contained writes what a contain[] asks for; an unknown one is ignored.
func (l *leap) contained(what string, o Offer) {
	j := &l.j
	switch what {
	case "TrackingLink":
		j.key(what).obj(func() {
			j.key("affiliate_id")
			l.id(l.account.UserID)
			j.key("offer_id")
			l.id(o.ID)
			j.key("click_url").str(o.ClickURL(l.account.UserID))
			j.key("impression_pixel").str(fmt.Sprintf(`<img src="https://trk.example.net/i/%d/%d" width="1" height="1"/>`, l.account.UserID, o.ID))
		})
	case "OfferUrl", "CampaignUrl":
		j.key(what)
		if o.Landing == "" {
			l.empty()
			return
		}
		id := strconv.Itoa(800_000 + o.ID)
		j.obj(func() {
			j.key(id).obj(func() {
				j.key("id").str(id)
				j.key("offer_id").str(strconv.Itoa(o.ID))
				j.key("name").str("Default landing")
				j.key("preview_url").str(o.Landing)
				j.key("status").str("active")
				j.key("created").str("2026-03-02 09:14:55")
				j.key("modified").str("2026-03-09 17:02:10")
			})
		})
	case "Country":
		j.key(what)
		if len(o.Countries) == 0 {
			l.empty()
			return
		}
		j.obj(func() {
			for _, code := range o.Countries {
				j.key(code).obj(func() {
					j.key("id").str(countries[code].id)
					j.key("code").str(code)
					j.key("name").str(countries[code].name)
					j.key("regions").raw("[]")
				})
			}
		})
	}
}
