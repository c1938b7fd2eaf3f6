package affisesim

import (
	"slices"
	"strings"
)

// auth says which keys a path takes.
type auth int

const (
	forAdmin auth = 1 << iota
	forPartner
	forBoth = forAdmin | forPartner
)

// route is one path.
type route struct {
	auth  auth
	limit int // default page size
	// unbounded: MaxLimit does not hold.
	unbounded bool
	params    []string // that the documents name; "x*" is a prefix
	serve     func(*request) error
}

type routes struct {
	exact   map[string]route
	prefix  map[string]route // "/3.0/offer/" : one id follows
	slicers map[string]slicer
}

func (rs *routes) find(path string) (route, string, bool) {
	if rt, ok := rs.exact[path]; ok {
		return rt, "", true
	}
	i := strings.LastIndexByte(path, '/') + 1
	rt, ok := rs.prefix[path[:i]]
	return rt, path[i:], ok && path[i:] != ""
}

// alien lists the parameters that the documents do not name for the path.
func (rt *route) alien(p params) []string {
	var out []string
	for _, name := range p.names() {
		known := slices.ContainsFunc(rt.params, func(k string) bool {
			if prefix, ok := strings.CutSuffix(k, "*"); ok {
				return strings.HasPrefix(name, prefix)
			}
			return k == name
		})
		if !known && !strings.EqualFold(name, "api-key") {
			out = append(out, name)
		}
	}
	return out
}

func words(s string) []string { return strings.Fields(s) }

const (
	pageParams  = " page limit"
	statsParams = "filter[date_from] filter[date_to] filter[currency] filter[advertiser] filter[offer] filter[manager] filter[partner]" +
		" filter[country] filter[os] filter[goal] filter[device] filter[sub* filter[smart_id] filter[nonzero] filter[advertiser_manager_id]" +
		" filter[affiliate_manager_id] filter[advertiser_tag] filter[affiliate_tag] filter[offer_tag] filter[payment_status] filter[not_*" +
		" locale timezone orderType page limit"
)

func makeRoutes() routes {
	rs := routes{exact: map[string]route{}, prefix: map[string]route{}, slicers: slicers()}
	get := func(path string, who auth, params string, serve func(*request) error) {
		rt := route{auth: who, limit: 100, params: words(params), serve: serve}
		switch path {
		case "/3.0/admin/partners":
			rt.limit = 50
		case "/3.0/news":
			rt.limit = 10
		case "/3.0/offer/categories":
			rt.unbounded = true
		}
		if prefix, ok := strings.CutSuffix(path, "{id}"); ok {
			rs.prefix[prefix] = rt
		} else {
			rs.exact[path] = rt
		}
	}
	get("/3.0/stats/custom", forBoth, statsParams+" slice conversionTypes fields order", (*request).statsCustom)
	for _, rep := range reports {
		get("/3.0/stats/"+rep.name, rep.auth, statsParams, func(r *request) error { return r.getBy(rep.name, rep.slices) })
	}
	get("/3.0/stats/conversions", forBoth, "date_from date_to update_from_date update_from_hour update_to_date update_to_hour status offer advertiser"+
		" country partner browser os device goal action_id clickid payouts* revenue* currency hour custom_field_* subid* goal_id smart_id promocode"+
		" imp_id payment_status decline_reason fraud_risk_level fraud_type comment raw_export timezone"+pageParams, (*request).statsConversions)
	get("/3.0/stats/conversionsbyid", forAdmin, "id timezone", (*request).conversionByID)
	get("/3.0/stats/clicks", forAdmin, "date_from date_to hour offer partner country advertiser advertisers timezone"+pageParams, (*request).statsClicks)
	get("/3.0/stats/click/{id}", forAdmin, "timezone", (*request).statsClick)
	get("/3.0/stats/find-subs", forPartner, "sub1 sub2 sub3 sub4 sub5"+pageParams, (*request).findSubs)
	get("/3.0/stats/serverpostbacks", forAdmin, "date_from date_to offer partner supplier action_id click_id goal status search timezone"+pageParams, (*request).serverPostbacks)
	get("/3.0/stats/affiliatepostbacks", forAdmin, "date_from date_to offer partner goal status http_code timezone"+pageParams, (*request).affiliatePostbacks)
	for _, v := range []string{"/3.0", "/3.1"} {
		get(v+"/stats/caps", forBoth, "offer_id fields affiliate_id", func(r *request) error { return r.caps(v == "/3.1") })
		get(v+"/stats/retentionrate", forBoth, "date_from date_to offer offer_id goal base_event events affiliate_id timezone", (*request).retention)
		get(v+"/cities", forAdmin, "country locale q"+pageParams, (*request).cities)
	}
	get("/3.0/stats/getreferralpayments", forAdmin, "date_from date_to pid ref is_paid status currency"+pageParams, (*request).referralPayments)
	get("/3.0/stats/time-to-action", forAdmin, "date_from date_to offer_id timezone"+pageParams, (*request).timeToAction)

	offerParams := "q ids int_id countries categories sort[* page limit"
	get("/3.0/partner/offers", forPartner, offerParams+" caps_country caps_type", func(r *request) error { return r.partnerOffers(false) })
	get("/3.0/partner/live-offers", forPartner, offerParams+" updated_at is_top os smartlink_categories status", func(r *request) error { return r.partnerOffers(true) })
	get("/3.0/news", forPartner, "limit skip fixed", (*request).news)
	get("/3.0/news/{id}", forPartner, "", (*request).newsItem)
	get("/3.0/partner/pixels", forPartner, "pid moderation_status", (*request).pixels)
	get("/3.0/partner/pixels/{id}", forAdmin, "pid moderation_status", (*request).pixels)
	get("/3.0/balance", forPartner, "", (*request).balance)
	get("/3.1/partner/me", forPartner, "", (*request).partnerMe)
	get("/3.0/offers", forBoth, offerParams+" os status advertiser privacy updated_at is_top bundle_id", (*request).offers)
	get("/3.0/offers/count", forBoth, offerParams+" os status advertiser privacy updated_at is_top bundle_id", (*request).offersCount)
	get("/3.0/offer/{id}", forBoth, "", (*request).offer)
	get("/3.0/offer/categories", forBoth, "ids order orderType"+pageParams, (*request).categories)
	get("/3.0/admin/offer/sources", forAdmin, "", (*request).sources)
	get("/3.0/admin/advertisers", forAdmin, "order orderType updated_at"+pageParams, (*request).advertisers)
	get("/3.0/admin/advertiser/{id}", forAdmin, "", (*request).advertiser)
	get("/3.0/admin/advertiser-invoices", forAdmin, "status start_date end_date supplier_id sort sort_type"+pageParams, (*request).invoices)
	get("/3.0/admin/advertiser-invoice/{id}", forAdmin, "", (*request).invoice)
	get("/3.0/admin/partners", forAdmin, "with_balance id updated_at status_partner status search manager field order orderType"+pageParams, (*request).partners)
	get("/3.0/admin/partner/{id}", forAdmin, "with_balance", (*request).partner)
	get("/3.0/admin/postbacks", forAdmin, "partner_id"+pageParams, (*request).partnerPostbacks)
	get("/3.0/admin/users", forAdmin, "updated_at q"+pageParams, (*request).users)
	get("/3.0/admin/user/{id}", forAdmin, "", (*request).user)
	get("/3.0/admin/tickets", forAdmin, "status"+pageParams, (*request).tickets)
	get("/3.0/admin/ticket/{id}", forAdmin, "", (*request).ticket)
	for _, path := range []string{"/3.0/admin/currency", "/2.1/currencies"} {
		get(path, forAdmin, "get_only_active extended", (*request).currency)
	}
	get("/3.0/admin/payment_systems", forAdmin, "", func(r *request) error { return r.fixed(paymentSystems) })
	get("/3.0/admin/custom_fields", forAdmin, "", func(r *request) error { return r.fixed(customFields) })
	get("/3.0/admin/domains", forAdmin, "", func(r *request) error { return r.fixed(domains) })
	get("/3.0/goals", forAdmin, "", func(r *request) error { return r.fixed(goals) })
	get("/3.0/admin/smartlink/categories", forAdmin, "id name", (*request).smartlinks)
	get("/3.0/partner/smartlink/categories", forPartner, "", (*request).smartlinks)
	get("/3.0/isp", forBoth, "q"+pageParams, (*request).isps)
	get("/3.1/isp", forBoth, "country q", (*request).isps31)
	get("/3.1/countries", forBoth, "", (*request).countries31)
	get("/3.1/regions", forBoth, "country", (*request).regions31)
	get("/3.1/oses", forBoth, "", func(r *request) error { return r.fixed(oses) })
	get("/3.1/browsers", forBoth, "q", (*request).browsers31)
	get("/3.1/devices", forBoth, "", func(r *request) error { return r.fixed(deviceTypes) })
	get("/3.1/vendors", forBoth, "q", (*request).vendors31)
	get("/3.1/connection-types", forBoth, "", func(r *request) error { return r.fixed(connections) })
	return rs
}
