package affisesim

import (
	"slices"
	"strconv"
	"strings"
)

// statsConversions is GET /3.0/stats/conversions.
func (r *request) statsConversions() error {
	picked, err := r.pickConversions()
	if err != nil {
		return err
	}
	raw := r.p.get("raw_export") == "1"
	return r.coded("conversions", len(picked), func(i int) {
		row := picked[len(picked)-1-i] // newest first
		r.appendConversion(row, r.rowFault(kindConversion, row, i), raw)
	})
}

// rowFault is what is wrong with a row: by itself, or by the fault of the call.
func (r *request) rowFault(kind, row uint32, i int) FaultKind {
	if k := r.n.broken[rowKey{kind, row}]; k != "" {
		return k
	}
	return r.fault.row(i % r.limit)
}

// window reads date_from, date_to and hour.
func (r *request) window(from, to string, required bool) (span, error) {
	today := civilAt(r.loc, r.now.Unix()).day
	first, last := today-7, today
	var err error
	if v := r.p.get(from); v != "" {
		if first, err = parseDay(v); err != nil {
			return span{}, errBadRequest
		}
	} else if required {
		return span{}, errBadRequest
	}
	if v := r.p.get(to); v != "" {
		if last, err = parseDay(v); err != nil {
			return span{}, errBadRequest
		}
	} else if required {
		return span{}, errBadRequest
	}
	hour := -1
	if v := r.p.get("hour"); v != "" {
		if hour, err = strconv.Atoi(v); err != nil || hour < 0 || hour > 23 {
			return span{}, errBadRequest
		}
		if first != last {
			if !r.n.opt.IgnoreHourOnRange {
				return span{}, errBadRequest
			}
			hour = -1
		}
	}
	return newSpan(r.loc, first, last, hour), nil
}

// pickConversions selects the rows that the parameters ask for, oldest first.
func (r *request) pickConversions() ([]uint32, error) {
	return r.n.picks.get(r, func() ([]uint32, error) {
		created, err := r.window("date_from", "date_to", false)
		if err != nil {
			return nil, err
		}
		updated, byUpdate, err := r.updatedSince()
		if err != nil {
			return nil, err
		}
		match, err := r.conversionFilter()
		if err != nil {
			return nil, err
		}
		n := r.n
		rows := n.rows.convOrder
		useCreated := !byUpdate || !n.opt.UpdateIgnoresDateFrom
		if useCreated {
			rows = between(rows, n.convTime, created.lo, created.hi)
		}
		if match == nil && !byUpdate && created.exact {
			return rows, nil
		}
		var out []uint32
		for _, i := range rows {
			c := &n.rows.convs[i]
			if useCreated && !created.has(int64(c.created)) || byUpdate && !updated(int64(c.updated)) || match != nil && !match(i) {
				continue
			}
			out = append(out, i)
		}
		return out, nil
	})
}

// updatedSince reads update_from_date and its companions. Hours count only
// when both dates are given, save that of a lone update_from_date.
func (r *request) updatedSince() (has func(int64) bool, asked bool, err error) {
	from, to := r.p.get("update_from_date"), r.p.get("update_to_date")
	if from == "" && to == "" {
		return nil, false, nil
	}
	if r.affiliate != 0 {
		return nil, false, nil // an affiliate's parameter is ignored
	}
	first, last := civil{day: -1 << 30}, civil{day: 1 << 30, hour: 23}
	if from != "" {
		if first.day, err = parseDay(from); err != nil {
			return nil, false, errBadRequest
		}
		first.hour = int8(r.p.number("update_from_hour", 0))
	}
	if to != "" {
		if last.day, err = parseDay(to); err != nil {
			return nil, false, errBadRequest
		}
		last.hour = int8(r.p.number("update_to_hour", 23))
	}
	loc := r.loc
	return func(at int64) bool {
		c := civilAt(loc, at)
		after := c.day > first.day || c.day == first.day && c.hour >= first.hour
		before := c.day < last.day || c.day == last.day && c.hour <= last.hour
		return after && before
	}, true, nil
}

// conversionFilter makes one test of all the filters; nil if there are none.
func (r *request) conversionFilter() (func(uint32) bool, error) {
	n := r.n
	var tests []func(i uint32, c *convRow) bool
	add := func(t func(i uint32, c *convRow) bool) { tests = append(tests, t) }

	if r.affiliate != 0 {
		p := uint16(r.affiliate - firstPartner)
		add(func(_ uint32, c *convRow) bool { return c.partner == p })
	} else if want := r.numbers("partner"); want != nil {
		add(func(_ uint32, c *convRow) bool { return want[int(c.partner)+firstPartner] })
	}
	if want := r.numbers("offer"); want != nil {
		add(func(_ uint32, c *convRow) bool { return want[int(c.offer)+firstOffer] })
	}
	if want := r.numbers("status"); want != nil {
		add(func(_ uint32, c *convRow) bool { return want[int(c.status)] })
	}
	if want := r.p.all("advertiser"); want != nil {
		add(func(_ uint32, c *convRow) bool { return slices.Contains(want, n.world.offers[c.offer].AdvertiserID) })
	}
	if want := r.p.all("country"); want != nil {
		add(func(i uint32, _ *convRow) bool { return slices.Contains(want, countries[n.convAttrs(i).country].code) })
	}
	text := func(param string, value func(i uint32, c *convRow) string) {
		if want := r.p.all(param); want != nil {
			add(func(i uint32, c *convRow) bool { return slices.Contains(want, value(i, c)) })
		}
	}
	dev := func(f func(d *device) string) func(uint32, *convRow) string {
		return func(i uint32, _ *convRow) string { return f(&devices[n.convAttrs(i).device]) }
	}
	text("browser", dev(func(d *device) string { return d.browser }))
	text("os", dev(func(d *device) string { return d.os }))
	text("device", dev(func(d *device) string { return d.kind }))
	goal := func(i uint32, c *convRow) string { return n.world.offers[c.offer].goal(n.convAttrs(i)).Value }
	text("goal", goal)
	text("goal_id", goal)
	text("action_id", func(i uint32, _ *convRow) string { return n.actionID(i) })
	text("clickid", func(i uint32, _ *convRow) string { return n.convClickID(i).String() })
	text("payment_status", func(i uint32, _ *convRow) string { return paymentStatus(n.convHash(i)) })
	text("currency", func(_ uint32, c *convRow) string { return itoa(currencyID(n.world.offers[c.offer].Currency)) })
	for k := range 5 {
		text("subid"+itoa(k+1), func(i uint32, _ *convRow) string { return n.convAttrs(i).subs()[k] })
	}
	for k := range 7 {
		text("custom_field_"+itoa(k+1), func(i uint32, _ *convRow) string { return customField(n.convHash(i), k) })
	}
	for _, amount := range []struct {
		name string
		of   func(*convRow) money
	}{{"payouts", func(c *convRow) money { return c.payouts }}, {"revenue", func(c *convRow) money { return c.revenue }}} {
		for suffix, ok := range map[string]func(have, want money) bool{
			"":      func(have, want money) bool { return have == want },
			"_from": func(have, want money) bool { return have >= want },
			"_to":   func(have, want money) bool { return have <= want },
		} {
			v := r.p.get(amount.name + suffix)
			if v == "" || amount.name == "revenue" && r.affiliate != 0 {
				continue
			}
			want, err := parseMoney(v)
			if err != nil {
				return nil, errBadRequest
			}
			add(func(_ uint32, c *convRow) bool { return ok(amount.of(c), want) })
		}
	}
	if len(tests) == 0 {
		return nil, nil
	}
	return func(i uint32) bool {
		c := &n.rows.convs[i]
		for _, t := range tests {
			if !t(i, c) {
				return false
			}
		}
		return true
	}, nil
}

// numbers reads a list of whole numbers; nil if it is absent.
func (r *request) numbers(name string) map[int]bool {
	list := r.p.all(name)
	if list == nil {
		return nil
	}
	out := map[int]bool{}
	for _, v := range list {
		if i, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			out[i] = true
		}
	}
	return out
}

// actionID is the click's id, unless the advertiser sent an id of its own.
func (n *Network) actionID(i uint32) string {
	if h := n.convHash(i); h>>40%10 == 0 {
		return "tx-" + hex16(h)[:12] + "-" + itoa(int(i))
	}
	return n.convClickID(i).String()
}

func paymentStatus(h uint64) string { return [...]string{"opened", "closed", "pending"}[paid(h)] }

func paid(h uint64) int {
	switch x := h >> 32 % 20; {
	case x < 15:
		return 0
	case x < 18:
		return 1
	}
	return 2
}

func customField(h uint64, k int) string {
	if k == 0 && h>>12%6 == 0 {
		return "cf-" + itoa(int(h>>16%100))
	}
	return ""
}

var declineReasons = [...]string{"anti_fraud", "cap_reached", "by_manager", "ip_duplicate", "by_server_postback"}

func (n *Network) comment(i uint32, c *convRow) string {
	if h := n.convHash(i); c.status == declined && h>>50%2 == 0 {
		return "declined: " + declineReasons[h>>52%uint64(len(declineReasons))]
	}
	return ""
}

const (
	goalBlank      = `"goal":"",`
	customTail     = `"custom_field_2":"","custom_field_3":"","custom_field_4":"","custom_field_5":"","custom_field_6":"","custom_field_7":""`
	brokenDateText = `"2024-13-45 99:00:00"`
)

// appendConversion writes one conversion as the key may see it.
func (r *request) appendConversion(i uint32, bad FaultKind, raw bool) {
	n, j, loc := r.n, &r.j, r.loc
	c := &n.rows.convs[i]
	h := n.convHash(i)
	a := n.convAttrs(i)
	o := &n.world.offers[c.offer]
	php := 0
	if j.php {
		php = 1
	}
	id := n.convID(i)
	goal := o.goal(a)
	wrong := bad == WrongTypes

	ids := func() {
		j.key("id").oid(id)
		j.key("action_id").str(n.actionID(i))
		j.key("status").str(statusNames[c.status])
		j.key("conversion_id").oid(id)
		j.key("cbid").str(n.actionID(i))
		j.key("currency").str(o.Currency)
		if !raw {
			j.key("offer")
			switch {
			case o.Gone:
				j.null()
			case r.affiliate != 0:
				j.raw(n.frag.offerShort[c.offer][php])
			default:
				j.raw(n.frag.offer[c.offer][php])
			}
		}
		if wrong {
			j.key("offer_id").intText(int64(o.ID))
		} else {
			j.key("offer_id").int(o.ID)
		}
		j.key("goal").str(map[bool]string{false: "", true: goal.Title}[h>>24%4 == 0])
		j.key("hold_date_expire")
		if c.status == hold {
			j.b = append(appendClock(append(j.b, '"'), loc, int64(c.created)+30*86400), '"')
		} else {
			j.null()
		}
	}
	context := func() {
		j.key("ip")
		j.b = append(a.appendIP(append(j.b, '"')), '"')
		j.raw(n.frag.place[a.country][a.city][php])
		j.key("isp_code").raw(n.frag.isp[a.isp][php])
		j.raw(n.frag.convDevice[a.device][php])
	}
	subs := func() {
		for k, s := range a.subs() {
			j.key(subNames[k])
			if wrong && s == "" {
				j.null()
			} else {
				j.str(s)
			}
		}
		j.key("custom_field_1").str(customField(h, 0))
		j.raw(customTail)
		j.key("comment").str(n.comment(i, c))
		j.key("created_at")
		if bad == BrokenDate {
			j.raw(brokenDateText)
		} else {
			j.b = append(appendClock(append(j.b, '"'), loc, int64(c.created)), '"')
		}
		j.key("click_time")
		j.b = append(appendClock(append(j.b, '"'), loc, int64(c.clickAt)), '"')
		if n.opt.Modern {
			j.key("updated_at")
			j.b = append(appendClock(append(j.b, '"'), loc, int64(c.updated)), '"')
		}
		j.key("referrer").str(referrer(a))
		if wrong {
			j.raw(`"landing_id":null,"prelanding_id":"0","ref_id":""`)
		} else {
			j.key("landing_id").int(landing(o, a))
			j.raw(`"prelanding_id":0,"ref_id":""`)
		}
	}
	amount := func(name string, m money) {
		j.key(name)
		if wrong {
			j.b = append(m.append(append(j.b, '"')), '"')
		} else {
			j.money(m)
		}
	}
	pay := func() {
		if r.affiliate != 0 {
			if bad == BrokenAmount {
				j.raw(`"revenue":"12,5 USD"`)
			} else {
				amount("revenue", c.payouts)
			}
			return
		}
		j.key("clickid").oid(n.convClickID(i))
		if !raw {
			j.key("partner").raw(n.frag.partner[c.partner][php])
		}
		j.key("supplier_id").str(o.AdvertiserID)
		j.key("partner_id").int(int(c.partner) + firstPartner)
		j.key("goal_value").str(goal.Value)
		if goal.Type == "percent" {
			amount("sum", c.revenue)
		} else {
			j.raw(`"sum":0`)
		}
		if bad == BrokenAmount {
			j.raw(`"revenue":"12,5 USD"`)
		} else {
			amount("revenue", c.revenue)
		}
		amount("payouts", c.payouts)
		amount("earnings", c.revenue-c.payouts)
		if !raw {
			j.key("advertiser").raw(n.frag.advertiser[o.advertiser][php])
		}
		j.key("payment_type").str(goal.Type)
		j.key("payment_status").str(paymentStatus(h))
		j.key("is_paid").str(itoa(paid(h) + 1))
		if n.opt.Modern {
			j.key("fraud_risk_level").str([...]string{"not_analyzed", "low", "medium", "high", "no_risk"}[h>>44%5])
			j.raw(`"fraud_type":[]`)
			if c.status == declined {
				j.key("decline_reason").str(declineReasons[h>>52%uint64(len(declineReasons))])
			} else {
				j.raw(`"decline_reason":null`)
			}
		}
	}
	j.open('{')
	switch r.variant {
	case 1:
		ids()
		pay()
		context()
		subs()
	case 2:
		pay()
		subs()
		context()
		ids()
	default:
		ids()
		context()
		subs()
		pay()
	}
	j.close('}')
}

var subNames = [8]string{"sub1", "sub2", "sub3", "sub4", "sub5", "sub6", "sub7", "sub8"}

func referrer(a attrs) string {
	if a.sub>>44%3 == 0 {
		return "https://pub" + itoa(int(a.sub>>46%40)) + ".example.test/p?q=" + itoa(int(a.sub>>52%1000))
	}
	return ""
}

func landing(o *Offer, a attrs) int {
	if o.landings == 0 {
		return 0
	}
	return int(a.sub>>33) % (o.landings + 1)
}

// conversionByID is GET /3.0/stats/conversionsbyid.
func (r *request) conversionByID() error {
	kind, row, ok := parseOID(r.p.get("id"))
	if !ok || kind != kindConversion || int(row) >= len(r.n.rows.convs) || r.n.rows.convs[row].removed {
		return errNotFound
	}
	c := &r.n.rows.convs[row]
	j := &r.j
	return r.one("conversion", func() {
		r.appendConversion(row, r.rowFault(kindConversion, row, 0), false)
		j.b = j.b[:len(j.b)-1] // more fields in the same object
		j.key("click_id").oid(r.n.convClickID(row))
		j.key("charge").money(c.revenue)
		j.key("earning").money(c.revenue - c.payouts)
		j.raw(`"price":null,"currency_id":null`)
		j.key("createdAt")
		j.b = append(appendClock(append(j.b, '"'), r.loc, int64(c.created)), '"')
		j.key("updatedAt")
		j.b = append(appendClock(append(j.b, '"'), r.loc, int64(c.updated)), '"')
		j.close('}')
	})
}
