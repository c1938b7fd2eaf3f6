package affisesim

// caps is GET /3.0/stats/caps, and 3.1.
func (r *request) caps(newer bool) error {
	ids := r.p.all("offer_id")
	if len(ids) == 0 || len(ids) > 100 || !newer && len(r.p.all("fields")) == 0 {
		return errBadRequest
	}
	var picked []*Offer
	for _, s := range ids {
		for i := range r.n.world.offers {
			o := &r.n.world.offers[i]
			if (s == itoa(o.ID) || s == o.OfferID) && !o.Gone && len(offerCaps(o)) > 0 {
				picked = append(picked, o)
			}
		}
	}
	j := &r.j
	return r.all("stats", len(picked), func(i int) {
		o := picked[i]
		j.obj(func() {
			j.key("offer_id").int(o.ID)
			j.key("stats").arr(func() {
				for k, c := range offerCaps(o) {
					current := r.capUsed(o, c)
					j.obj(func() {
						if newer {
							j.key("id").str("cap-" + itoa(o.ID) + "-" + itoa(k+1))
							j.key("timeframe").str(c.period)
						} else {
							j.key("affiliate_id").int(0)
							j.key("period").str(c.period)
						}
						j.key("type").str(c.kind)
						j.key("value").int(c.value)
						if !newer {
							j.key("current").money(current)
							return
						}
						j.key("current_value").money(current)
						j.key("is_remaining").bool(current < money(c.value)*unit)
						j.raw(`"reset_to_value":0,"affiliate_type":"exact","affiliates":[10],"goals":[],"goal_type":"all","goal_stats":{},"countries":[],"country_type":"all"`)
					})
				}
			})
			if !newer {
				j.raw(`"stats_merged":[{"min":0,"avg":0,"max":0}],"descr":["daily_conversions"]`)
			}
		})
	})
}

// capUsed is what counts against a cap today or this month.
func (r *request) capUsed(o *Offer, c offerCap) money {
	n := r.n
	today := civilAt(n.opt.Platform, r.now.Unix())
	from := today.day
	if c.period == "month" {
		_, _, d := today.date()
		from -= int32(d - 1)
	}
	at := newSpan(n.opt.Platform, from, today.day, -1)
	var used money
	for _, i := range between(n.rows.convOrder, n.convTime, at.lo, at.hi) {
		v := &n.rows.convs[i]
		if int(v.offer)+firstOffer != o.ID || !at.has(int64(v.created)) {
			continue
		}
		if c.kind == "budget" {
			used += v.payouts
		} else {
			used += unit
		}
	}
	return used
}

type offerCap struct {
	period, kind string
	value        int
}

// offerCaps: every other offer has a daily cap, some a monthly budget too.
func offerCaps(o *Offer) []offerCap {
	switch o.ID % 4 {
	case 0:
		return []offerCap{{"day", "conversions", 100}}
	case 2:
		return []offerCap{{"day", "conversions", 50 + o.ID}, {"month", "budget", 5000}}
	}
	return nil
}
