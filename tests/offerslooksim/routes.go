package offerslooksim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answer gives the data of a call. Paths are as the documentation has them, those that
// it does not have are unknown.
func (r *request) answer() (any, *refusal) {
	parts := strings.Split(strings.Trim(r.path, "/"), "/")
	if r.affiliate {
		return r.affiliateAnswer(parts[2:])
	}
	return r.networkAnswer(parts[1:])
}

var errUnknown = &refusal{404, 1404, "Not Found"}

func (r *request) networkAnswer(parts []string) (any, *refusal) {
	w := &r.n.world
	switch strings.Join(parts, "/") {
	case "offers":
		return r.list(each(w.offers, func(o *Offer) object { return o.network() }), 1000)
	case "batches/offers":
		return r.list(each(w.offers, func(o *Offer) object { return r.batch(o) }), 100)
	case "affiliates":
		return r.list(each(w.affiliates, func(p *Person) object { return p.record(false) }), 1000)
	case "batches/affiliates":
		return r.list(each(w.affiliates, func(p *Person) object {
			return object{{"affiliate", p.record(false)}, {"affiliate_tag", []object{{{"id", 3}, {"name", "vip"}}}}}
		}), 100)
	case "batches/advertisers":
		return r.list(each(w.advertisers, func(p *Person) object {
			return object{{"advertiser", p.record(true)}, {"advertiser_whitelist", object{{"is_open", 0}, {"ip_address", []object{}}, {"ip_range", []object{}}}}}
		}), 100)
	case "conversion_reports":
		return r.conversions()
	case "affiliate_postbacks":
		return r.list(r.perOffer(func(o *Offer) object { return r.postback(o) }), 1000)
	case "affiliate_payouts":
		return r.list(r.perOffer(func(o *Offer) object {
			return object{{"id", 5000 + o.ID}, {"offer_id", o.ID}, {"affiliate_id", 12}, {"event_id", 1}, {"current_payout", o.Payout}, {"percent_payout", "0"}, {"create_time", unix(o.Created)}}
		}), 1000)
	case "offer_applications":
		return r.list(r.perOffer(func(o *Offer) object {
			return object{{"id", 7000 + o.ID}, {"offer_id", o.ID}, {"affiliate_id", 12}, {"apply_time", unix(o.Created)}, {"accept_time", unix(o.Updated)}, {"status", "approved"}}
		}), 1000)
	case "affiliate_tags":
		return r.list([]object{{{"id", 3}, {"name", "vip"}}, {{"id", 2}, {"name", "test"}}}, 1000)
	case "pending_affiliates":
		return r.list([]object{{{"id", 901}, {"company", "New Co"}, {"status", "pending"}, {"create_time", unix(r.n.opt.From)}}}, 1000)
	case "dict_countries":
		r.records = 2
		return object{{"dict_country", []object{{{"code", "US"}, {"country", "United States"}}, {{"code", "DE"}, {"country", "Germany"}}}}}, nil
	}
	if len(parts) == 3 && parts[0] == "affiliate_payouts" && parts[2] == "affiliate_tiers" {
		return r.tiersOfPayout(parts[1])
	}
	if len(parts) < 2 || parts[0] != "offers" {
		return nil, errUnknown
	}
	o := r.offer(parts[1])
	if o == nil {
		return nil, errUnknown
	}
	switch strings.Join(parts[2:], "/") {
	case "", "all":
		return object{{"offer", o.network()}}, nil
	case "offer_events":
		return r.list(each(o.Events, func(e *Event) object { return e.network(o) }), 1000)
	case "caps":
		r.records = 1
		return object{{"offer_cap", object{
			{"id", 50 + o.ID}, {"offer_id", o.ID}, {"cap_type", nil}, {"cap_click", nil}, {"adv_cap_type", 2}, {"adv_cap_conversion", 200},
			{"aff_cap_type", 2}, {"aff_cap_conversion", 150}, {"aff_cap_payout", "0.000"}, {"cap_timezone", "Asia/Hong_Kong"}}}}, nil
	case "affiliate_caps":
		r.records = 1
		return object{{"affiliate_cap", []object{{{"id", 9000 + o.ID}, {"affiliate_id", 12}, {"campaign_id", o.ID}, {"cap_type", 2}, {"cap_click", 0},
			{"cap_conversion", 20}, {"cap_budget", "1.23"}, {"category", 2}, {"create_time", unix(o.Created)}}}}}, nil
	}
	return nil, errUnknown
}

func (r *request) affiliateAnswer(parts []string) (any, *refusal) {
	offers := slices.DeleteFunc(slices.Clone(r.n.world.offers), func(o Offer) bool {
		return o.Approval == 3 || r.query.Get("type") == "personal" && o.Approval == 1
	})
	switch strings.Join(parts, "/") {
	case "offers":
		return r.list(each(offers, func(o *Offer) object { return o.affiliate() }), 200)
	case "batches/offers":
		return r.list(each(offers, func(o *Offer) object { return r.affiliateBatch(o) }), 100)
	case "sub_affiliate_approval":
		return r.list([]object{{{"id", 1}, {"offer_id", 101}, {"type", 2}, {"list_type", 1}, {"value", "bad-sub"}}}, 100)
	}
	if len(parts) != 3 || parts[0] != "offers" {
		return nil, errUnknown
	}
	o := r.offer(parts[1])
	if o == nil || o.Approval == 3 {
		return nil, errUnknown
	}
	r.records = 1
	switch parts[2] {
	case "tracking_links":
		return object{{"tracking_link", object{{"url", "https://samplenet.example.test/click?offer_id=" + itoa(o.ID) + "&aff_id=12"}, {"impression_pixel", ""}, {"offer_url", []object{}}}}}, nil
	case "postbacks":
		return object{{"postback", []object{r.postback(o)}}}, nil
	case "events":
		return object{{"offer_event", each(o.Events, func(e *Event) object { return e.affiliate() })}}, nil
	case "caps":
		return object{{"offer_cap", nil}}, nil
	}
	return nil, errUnknown
}

// conversions cuts the report by the local times of the named zone.
func (r *request) conversions() (any, *refusal) {
	zone := r.n.opt.Zone
	if name := r.query.Get("timezone"); name != "" {
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			return nil, &refusal{400, 1004, "timezone"}
		}
	}
	var bounds [2]time.Time
	for i, name := range []string{"start_time", "end_time"} {
		at, err := time.ParseInLocation(time.DateTime, r.query.Get(name), zone)
		if err != nil {
			return nil, &refusal{400, 1004, name + " is not yyyy-MM-dd HH:mm:ss"}
		}
		bounds[i] = at
	}
	found := r.n.between(bounds[0], bounds[1].Add(time.Second), r.now)
	return r.list(each(found, func(c *Conversion) object { return c.record(r.switches.Capitals) }), 1000)
}

func (r *request) batch(o *Offer) object {
	row := object{{"offer", o.network()}}
	if contains(r.query, "offer_event") {
		row = append(row, member{"offer_event", each(o.Events, func(e *Event) object { return e.network(o) })})
	}
	return row
}

func (r *request) affiliateBatch(o *Offer) object {
	offer := o.affiliate()
	if !contains(r.query, "description") {
		offer = slices.DeleteFunc(offer, func(m member) bool { return m.name == "description" })
	}
	public := slices.DeleteFunc(slices.Clone(o.Events), func(e Event) bool { return e.Private })
	return object{
		{"offer", offer}, {"offer_event", each(public, func(e *Event) object { return e.affiliate() })}, {"offer_cap", nil},
		{"offer_geo", object{{"type", 1}, {"target", []object{{{"id", 1}, {"country", "United States"}, {"country_code", o.Country}, {"city", nil}}}}}},
		{"offer_platform", object{{"target", []object{}}}}, {"offer_creative", []object{}},
	}
}

func (r *request) postback(o *Offer) object {
	return object{{"id", 3000 + o.ID}, {"offer_id", o.ID}, {"affiliate_id", 12}, {"event_id", 1}, {"code", "https://aff.example.test/pb?c={aff_sub1}"},
		{"status", "approved"}, {"type", 2}, {"create_time", unix(o.Created)}, {"update_time", unix(o.Updated)}}
}

func (r *request) tiersOfPayout(id string) (any, *refusal) {
	n, _ := strconv.Atoi(id)
	o := r.offer(fmt.Sprint(n - 5000))
	if o == nil {
		return nil, errUnknown
	}
	return r.list([]object{{{"tier_id", 12}, {"offer_id", o.ID}, {"event_id", 1}, {"affiliate_id", 12}, {"tier_payout", o.Payout}, {"tier_percent_payout", "0"}}}, 1000)
}

func (r *request) offer(id string) *Offer {
	for i := range r.n.world.offers {
		if o := &r.n.world.offers[i]; itoa(o.ID) == id {
			return o
		}
	}
	return nil
}

func (r *request) perOffer(record func(*Offer) object) []object {
	return each(r.n.world.offers, record)
}

// each makes records of a list.
func each[T any](list []T, record func(*T) object) []object {
	rows := make([]object, len(list))
	for i := range list {
		rows[i] = record(&list[i])
	}
	return rows
}
