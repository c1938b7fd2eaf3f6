package offerslooksim

import (
	"strings"
	"time"
)

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// orNull is a text, or null where there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// network is an offer as the network's API prints it.
func (o *Offer) network() object {
	return object{
		{"id", o.ID}, {"name", o.Name}, {"advertiser_id", o.AdvertiserID}, {"start_date", unix(o.Start)}, {"end_date", unix(o.End)},
		{"status", o.Status}, {"offer_approval", o.Approval}, {"pricing_type", "CPA"}, {"revenue_type", "RPA+RPS"}, {"revenue", o.Revenue},
		{"percent_revenue", "10"}, {"payout_type", "CPA+CPS"}, {"payout", o.Payout}, {"percent_payout", o.PercentPayout},
		{"preview_url", "https://store.example.test/"}, {"destination_url", "https://store.example.test/?c={click_id}"}, {"description", o.Description},
		{"currency", o.Currency}, {"thumbnail", ""}, {"category", o.Category}, {"app_id", ""}, {"conversion_protocol", 2}, {"carrier_mode", 1},
		{"create_time", unix(o.Created)}, {"update_time", unix(o.Updated)},
	}
}

// affiliate is an offer as the affiliates' API prints it; a link is there once the
// affiliate may run the offer.
func (o *Offer) affiliate() object {
	var link any
	switch o.Approval {
	case 1:
		link = "Need to apply"
	case 2:
		link = "https://samplenet.example.test/click?offer_id=" + itoa(o.ID) + "&aff_id=12"
	}
	return object{
		{"id", o.ID}, {"name", o.Name}, {"end_date", unix(o.End)}, {"status", o.Status}, {"pricing_type", "CPA"}, {"payout", o.Payout},
		{"percent_payout", o.PercentPayout}, {"preview_url", "https://store.example.test/"}, {"thumbnail", ""}, {"category", o.Category},
		{"offer_approval", o.Approval}, {"approval_msg", ""}, {"tracking_link", link}, {"currency", o.Currency}, {"conversion_protocol", 2},
		{"app_id", ""}, {"description", o.Description}, {"carrier", ""}, {"impression_pixel", ""},
	}
}

func (e *Event) network(o *Offer) object {
	tiers := []object{}
	for _, t := range e.Tiers {
		tiers = append(tiers, object{{"tier_id", t.ID}, {"offer_id", o.ID}, {"event_id", e.ID}, {"tier_payout", t.Payout}, {"tier_percent_payout", "0"}})
	}
	return object{
		{"id", e.ID}, {"name", e.Name}, {"revenue_type", "RPA"}, {"revenue", e.Revenue}, {"percent_revenue", "0"}, {"payout_type", "CPA"},
		{"payout", orNull(e.Payout)}, {"percent_payout", "0"}, {"status", "active"}, {"conversion_protocol", 2}, {"is_private", flag(e.Private)},
		{"approve_conversion", flag(e.Approve)}, {"is_allowed_multiple", 0}, {"is_end_point", 0}, {"offer_payout_tier", tiers},
		{"create_time", unix(o.Created)}, {"update_time", unix(o.Updated)},
	}
}

func (e *Event) affiliate() object {
	return object{{"event_id", e.ID}, {"event_name", e.Name}, {"event_payout_type", "CPA"}, {"event_payout", orNull(e.Payout)},
		{"event_percent_payout", "0"}, {"conversion_protocol", 2}}
}

func (p *Person) record(advertiser bool) object {
	v := object{
		{"id", p.ID}, {"first_name", p.First}, {"last_name", p.Last}, {"email", p.Email}, {"company", p.Company}, {"country", p.Country},
		{"status", p.Status}, {"instant_message_account", ""}, {"instant_message_type", 0}, {"manager_id", p.ManagerID}, {"phone", ""},
		{"website", "https://store.example.test"}, {"create_time", unix(p.Created)},
	}
	if advertiser {
		v = append(v, member{"security_mode", 1}, member{"security_code", "s3cret-" + itoa(p.ID)})
	}
	return v
}

func (c *Conversion) record(capitals bool) object {
	status := c.Status
	if capitals {
		status = strings.ToUpper(status[:1]) + status[1:]
	}
	return object{
		{"id", c.ID}, {"conversion_time", unix(c.At)}, {"click_time", unix(c.ClickAt)}, {"advertiser_id", c.AdvertiserID}, {"affiliate_id", c.AffiliateID},
		{"advertiser_manager_id", 2}, {"affiliate_manager_id", 3}, {"offer_id", c.OfferID}, {"country", c.Country}, {"source_id", "feed-7"},
		{"click_id", c.ClickID}, {"click_ip", c.ClickIP}, {"conversion_ip", c.ServerIP}, {"user_agent", c.UserAgent}, {"status", status},
		{"status_remark", c.Remark}, {"aff_sub1", c.Subs[0]}, {"aff_sub2", c.Subs[1]}, {"aff_sub3", ""}, {"aff_sub4", ""}, {"aff_sub5", ""},
		{"event_id", c.EventID}, {"event_name", c.EventName}, {"revenue", c.Revenue}, {"payout", orNull(c.Payout)}, {"currency", c.Currency},
	}
}
