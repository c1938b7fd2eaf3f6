package affisesim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Stats are computed from the clicks and conversions, so that they agree with
// the rows: a click counts in the day and hour of its created_at, a conversion
// in those of its own, in the zone that is asked for.

// tally is the sums of one status of one stats row.
type tally struct {
	charge, revenue money // what the advertiser pays; what the affiliate gets
	null, count     int64
}

// statsRow is one row of a report.
type statsRow struct {
	values                 []slice1
	raw, uniq, trafficback int64
	status                 [7]tally // by conversion status; [0] is total
}

// statsCustom is GET /3.0/stats/custom.
func (r *request) statsCustom() error {
	names := r.p.all("slice")
	if len(names) == 0 {
		return errBadRequest
	}
	if r.n.opt.DayAddsMonth && slices.Contains(names, "day") {
		for _, more := range []string{"month", "year"} {
			if !slices.Contains(names, more) {
				names = append(names, more)
			}
		}
	}
	for i, name := range names {
		s, ok := r.n.routes.slicers[name]
		switch {
		case !ok || name == "currency" || slices.Contains(names[:i], name):
			return errBadRequest
		case s.admin && r.affiliate != 0:
			return errDenied
		}
	}
	return r.report(names, true)
}

// getBy is one of the fixed reports.
func (r *request) getBy(name string, names []string) error {
	if name == "getbysub" && r.p.get("filter[offer]") == "" {
		return errBadRequest
	}
	return r.report(names, false)
}

// report computes and writes a stats report. modern rows have more keys.
func (r *request) report(names []string, modern bool) error {
	at, err := r.window("filter[date_from]", "filter[date_to]", true)
	if err != nil {
		return err
	}
	at = newSpan(at.loc, at.from, at.to, -1)
	reason := names[0] == "trafficback_reason"
	if r.n.opt.SplitCurrencies {
		// Grouped by, and not written.
		names = append(slices.Clip(names), "currency")
	}
	rows := r.tallies(at, names)
	if slices.Equal(names, []string{"year", "month", "day", "hour"}) && !modern {
		rows = fillHours(rows, at)
	}
	if reason {
		rows = slices.DeleteFunc(rows, func(s *statsRow) bool { return s.trafficback == 0 })
	}
	if r.p.get("filter[nonzero]") == "1" {
		rows = slices.DeleteFunc(rows, func(s *statsRow) bool { return s.status[0].count == 0 })
	}
	r.sortStats(rows, names)
	if r.n.opt.SplitCurrencies {
		names = names[:len(names)-1]
	}
	return r.list("stats", len(rows), func(i int) {
		r.j.obj(func() { r.statsRow(rows[i], names, modern, reason) })
	})
}

// tallies groups the clicks and conversions of a span.
func (r *request) tallies(at span, names []string) []*statsRow {
	n := r.n
	var slicers []slicer
	for _, name := range names {
		slicers = append(slicers, n.routes.slicers[name])
	}
	match := r.statsFilter()
	groups := map[string]*statsRow{}
	var key []byte
	values := make([]slice1, len(slicers))
	find := func(f *fact) *statsRow {
		key = key[:0]
		for i := range slicers {
			values[i] = slicers[i].value(n, f)
			key = strconv.AppendInt(key, values[i].n, 36)
			key = append(append(key, 0), values[i].s...)
			key = append(key, 0)
		}
		row := groups[string(key)]
		if row == nil {
			row = &statsRow{values: slices.Clone(values)}
			groups[string(key)] = row
		}
		return row
	}
	for _, i := range between(n.rows.clickOrder, n.clickTime, at.lo, at.hi) {
		c := &n.rows.clicks[i]
		if !at.exact && !at.has(int64(c.at)) {
			continue
		}
		h := n.clickHash(i)
		f := fact{at: civilAt(r.loc, int64(c.at)), offer: c.offer, partner: c.partner, hash: h, attrs: attrsOf(h)}
		if !match(&f, paymentAny) {
			continue
		}
		row := find(&f)
		row.raw++
		if uniq(h) {
			row.uniq++
		}
		if h>>28%97 == 0 {
			row.trafficback++
		}
	}
	for _, i := range between(n.rows.convOrder, n.convTime, at.lo, at.hi) {
		c := &n.rows.convs[i]
		if !at.exact && !at.has(int64(c.created)) {
			continue
		}
		f := fact{at: civilAt(r.loc, int64(c.created)), offer: c.offer, partner: c.partner, hash: n.convHash(i), attrs: n.convAttrs(i)}
		if !match(&f, paid(f.hash)) {
			continue
		}
		row := find(&f)
		t := tally{charge: c.revenue, revenue: c.payouts, count: 1}
		if !r.oneCurrency() {
			cur := n.world.offers[c.offer].Currency
			t.charge, t.revenue = toUSD(t.charge, cur), toUSD(t.revenue, cur)
		}
		if c.revenue == 0 {
			t.null = 1
		}
		row.status[0].add(t)
		row.status[c.status].add(t)
	}
	out := make([]*statsRow, 0, len(groups))
	for _, row := range groups {
		out = append(out, row)
	}
	return out
}

func (t *tally) add(u tally) {
	t.charge += u.charge
	t.revenue += u.revenue
	t.null += u.null
	t.count += u.count
}

// oneCurrency: the sums are of one currency and stay as they are.
func (r *request) oneCurrency() bool {
	return r.n.opt.SplitCurrencies || len(r.n.opt.Currencies) == 1 || len(r.p.all("filter[currency]")) == 1
}

const paymentAny = -1

// statsFilter makes one test of the filters that say something of a fact.
// payment is the index of the payment status, or paymentAny for a click.
func (r *request) statsFilter() func(f *fact, payment int) bool {
	n := r.n
	var tests []func(f *fact, payment int) bool
	add := func(t func(f *fact) bool) {
		tests = append(tests, func(f *fact, _ int) bool { return t(f) })
	}
	if r.affiliate != 0 {
		p := uint16(r.affiliate - firstPartner)
		add(func(f *fact) bool { return f.partner == p })
	}
	number := func(param string, of func(f *fact) int) {
		if want := r.numbers("filter[" + param + "]"); want != nil {
			add(func(f *fact) bool { return want[of(f)] })
		}
		if not := r.numbers("filter[not_" + param + "_id]"); not != nil {
			add(func(f *fact) bool { return !not[of(f)] })
		}
	}
	text := func(param, not string, of func(f *fact) string) {
		if want := r.p.all("filter[" + param + "]"); want != nil {
			add(func(f *fact) bool { return slices.Contains(want, of(f)) })
		}
		if not == "" {
			return
		}
		if bar := r.p.all("filter[" + not + "]"); bar != nil {
			add(func(f *fact) bool { return !slices.Contains(bar, of(f)) })
		}
	}
	number("offer", func(f *fact) int { return int(f.offer) + firstOffer })
	if r.affiliate == 0 {
		number("partner", func(f *fact) int { return int(f.partner) + firstPartner })
		if not := r.numbers("filter[not_affiliate_id]"); not != nil {
			add(func(f *fact) bool { return !not[int(f.partner)+firstPartner] })
		}
		text("advertiser", "not_advertiser_id", func(f *fact) string { return n.world.offers[f.offer].AdvertiserID })
		of := func(f *fact) string { return n.world.partners[f.partner].ManagerID }
		text("manager", "", of)
		text("affiliate_manager_id", "not_affiliate_manager_id", of)
		text("advertiser_manager_id", "not_advertiser_manager_id", func(f *fact) string {
			return n.world.advertisers[n.world.offers[f.offer].advertiser].ManagerID
		})
	}
	text("currency", "", func(f *fact) string { return n.world.offers[f.offer].Currency })
	text("country", "not_country", func(f *fact) string { return countries[f.attrs.country].code })
	text("os", "", func(f *fact) string { return devices[f.attrs.device].os })
	text("device", "", func(f *fact) string { return devices[f.attrs.device].kind })
	text("goal", "", func(f *fact) string { return n.world.offers[f.offer].goal(f.attrs).Value })
	for k, name := range subNames {
		text(name, "", func(f *fact) string { return f.attrs.subs()[k] })
	}
	if want := r.p.all("filter[payment_status]"); want != nil {
		tests = append(tests, func(f *fact, payment int) bool {
			return payment == paymentAny || slices.Contains(want, paymentStatus(f.hash))
		})
	}
	return func(f *fact, payment int) bool {
		for _, t := range tests {
			if !t(f, payment) {
				return false
			}
		}
		return true
	}
}

// fillHours adds the hours of the days that had nothing; an hour that a clock
// change skips is not there.
func fillHours(rows []*statsRow, at span) []*statsRow {
	have := map[[4]int64]bool{}
	for _, s := range rows {
		have[[4]int64{s.values[0].n, s.values[1].n, s.values[2].n, s.values[3].n}] = true
	}
	for t := floorDiv(at.lo, 1800) * 1800; t < at.hi; t += 1800 { // some zones are half an hour off
		if !at.has(t) {
			continue
		}
		c := civilAt(at.loc, t)
		y, m, d := c.date()
		k := [4]int64{int64(y), int64(m), int64(d), int64(c.hour)}
		if !have[k] {
			have[k] = true
			rows = append(rows, &statsRow{values: []slice1{{n: k[0]}, {n: k[1]}, {n: k[2]}, {n: k[3]}}})
		}
	}
	return rows
}

// sortStats sorts as order[] says, then by the slices in their turn.
func (r *request) sortStats(rows []*statsRow, names []string) {
	type by func(a, b *statsRow) int
	var keys []by
	for _, o := range r.p.all("order") {
		if i := slices.Index(names, o); i >= 0 {
			keys = append(keys, func(a, b *statsRow) int { return a.values[i].compare(b.values[i]) })
		} else if v := sortValue(o); v != nil {
			keys = append(keys, func(a, b *statsRow) int { return cmp.Compare(v(a), v(b)) })
		}
	}
	down := r.p.get("orderType") == "desc"
	slices.SortFunc(rows, func(a, b *statsRow) int {
		c := 0
		for _, k := range keys {
			c = cmp.Or(c, k(a, b))
		}
		c = cmp.Or(c, slices.CompareFunc(a.values, b.values, slice1.compare))
		if down {
			return -c
		}
		return c
	})
}

// sortValue is the number behind raw, uniq, total_count, confirmed_revenue ...
func sortValue(name string) func(*statsRow) int64 {
	switch name {
	case "raw":
		return func(s *statsRow) int64 { return s.raw }
	case "uniq":
		return func(s *statsRow) int64 { return s.uniq }
	}
	status, what, ok := strings.Cut(name, "_")
	k := slices.Index(statusNames[:], status)
	if status == "total" {
		k = 0
	}
	if !ok || k < 0 {
		return nil
	}
	switch what {
	case "count":
		return func(s *statsRow) int64 { return s.status[k].count }
	case "revenue":
		return func(s *statsRow) int64 { return int64(s.status[k].revenue) }
	case "earning":
		return func(s *statsRow) int64 { return int64(s.status[k].charge - s.status[k].revenue) }
	case "null":
		return func(s *statsRow) int64 { return s.status[k].null }
	}
	return nil
}

var actionKinds = []struct {
	name   string
	status uint8
}{{"total", 0}, {"confirmed", confirmed}, {"pending", pending}, {"declined", declined}, {"not_found", notFound}, {"hold", hold}}

// statsRow writes the members of one row.
func (r *request) statsRow(s *statsRow, names []string, modern, reason bool) {
	j := &r.j
	slice := func() {
		j.key("slice").obj(func() {
			for i, name := range names {
				j.key(name)
				r.n.routes.slicers[name].write(r, s.values[i])
			}
		})
	}
	actions := func() {
		j.key("actions")
		if s.status[0].count == 0 || reason {
			r.emptyMap()
			return
		}
		only := r.p.all("conversionTypes")
		j.obj(func() {
			for _, k := range actionKinds {
				if only != nil && !slices.Contains(only, k.name) {
					continue
				}
				t := &s.status[k.status]
				j.key(k.name).obj(func() {
					j.key("revenue").money(t.revenue)
					switch {
					case r.affiliate == 0:
						j.key("charge").money(t.charge)
						j.key("earning").money(t.charge - t.revenue)
					case r.n.opt.AffiliateZeroCharge:
						j.raw(`"charge":0,"earning":0`)
					}
					j.key("null").int(int(t.null))
					j.key("count").int(int(t.count))
				})
			}
		})
	}
	traffic := func() {
		j.key("traffic").obj(func() {
			j.key("raw").intText(s.raw)
			j.key("uniq").intText(s.uniq)
		})
	}
	if r.variant == 2 {
		actions()
		traffic()
		slice()
	} else {
		slice()
		traffic()
		actions()
	}
	if len(names) > 0 && (names[0] == "landing" || names[0] == "prelanding") {
		r.landingsInfo(s.values[0])
	}
	switch {
	case modern:
		r.modernStats(s)
	case reason:
		j.raw(`"views":0,"ctr":0`)
		j.key("trafficback").int(int(s.trafficback))
	}
}

func (r *request) landingsInfo(v slice1) {
	j := &r.j
	j.key("landings_info")
	if v.s == "" || v.s == "0" {
		r.emptyMap()
		return
	}
	j.obj(func() {
		j.key(v.s).obj(func() {
			j.key("url").str("https://landing.example.test/l" + v.s + "/")
			j.key("preview_url").str("")
			j.key("title").str("Landing " + v.s)
		})
	})
}

// modernStats are the keys that newer installations add to custom reports.
func (r *request) modernStats(s *statsRow) {
	j := &r.j
	j.raw(`"views":0,"ctr":0,"ecpm":0`)
	j.key("cr").obj(func() {
		for _, k := range actionKinds {
			j.key(k.name)
			j.b = ratioText(j.b, 100*s.status[k.status].count, s.raw, 2)
		}
	})
	j.key("ratio")
	switch total := s.status[0].count; {
	case total == 0:
		j.str("1:NaN")
	default:
		j.str("1:" + strconv.FormatInt(s.raw/total, 10))
	}
	j.key("epc")
	j.b = ratioText(j.b, int64(s.status[0].revenue/(unit/10_000)), s.raw*10_000, 4)
	j.key("trafficback").int(int(s.trafficback))
}
