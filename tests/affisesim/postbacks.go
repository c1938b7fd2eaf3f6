package affisesim

import (
	"slices"
	"strings"
	"time"
)

// Postback logs follow from the conversions: each came with a call from the
// advertiser, some calls were refused, and each was told to its affiliate. The
// log keeps what was, so a conversion that vanished or changed its status since
// is there as it came.

// Postback is an entry of a postback log.
type Postback struct {
	ID        string
	At        time.Time
	PartnerID int
	OfferID   int
	ClickID   string
	Status    string // of the conversion when the call was made; "" of a refused one
	Revenue   string
	Payouts   string
	Refused   bool
}

// postRow is a conversion's postback, the refused one before it, or the one
// that went out.
type postRow struct {
	conv uint32
	kind uint32
}

func (n *Network) postID(p postRow) objectID {
	return n.oid(p.kind, int64(n.rows.convs[p.conv].created), p.conv)
}

// postRows lists the log entries of a span, oldest first.
func (n *Network) postRows(at span, kinds ...uint32) []postRow {
	var keys []uint64
	for i := range n.rows.convs {
		if c := &n.rows.convs[i]; at.has(int64(c.created)) {
			keys = append(keys, uint64(c.created)<<32|uint64(i))
		}
	}
	slices.Sort(keys)
	var out []postRow
	for _, k := range keys {
		i := uint32(k)
		for _, kind := range kinds {
			if kind != kindRefusedPostback || n.convHash(i)>>34%40 == 0 {
				out = append(out, postRow{i, kind})
			}
		}
	}
	return out
}

// pickPosts reads the window and the filters that both logs have.
func (r *request) pickPosts(kinds ...uint32) ([]postRow, error) {
	at, err := r.window("date_from", "date_to", true)
	if err != nil {
		return nil, err
	}
	offers, partners, goal, status := r.numbers("offer"), r.numbers("partner"), r.p.get("goal"), r.p.get("status")
	suppliers, click, action := r.p.all("supplier"), r.p.get("click_id"), r.p.get("action_id")
	n := r.n
	return slices.DeleteFunc(n.postRows(at, kinds...), func(p postRow) bool {
		c := &n.rows.convs[p.conv]
		o := &n.world.offers[c.offer]
		return offers != nil && !offers[o.ID] ||
			partners != nil && !partners[int(c.partner)+firstPartner] ||
			suppliers != nil && !slices.Contains(suppliers, o.AdvertiserID) ||
			goal != "" && goal != o.goal(n.convAttrs(p.conv)).Value ||
			status != "" && status != itoa(int(c.first)) && status != statusNames[c.first] ||
			click != "" && click != n.convClickID(p.conv).String() ||
			action != "" && action != n.actionID(p.conv)
	}), nil
}

// serverPostbacks is GET /3.0/stats/serverpostbacks.
func (r *request) serverPostbacks() error {
	rows, err := r.pickPosts(kindRefusedPostback, kindServerPostback)
	if err != nil {
		return err
	}
	return r.list("postbacks", len(rows), func(i int) { r.serverPostback(rows[i]) })
}

func (r *request) serverPostback(p postRow) {
	n, j := r.n, &r.j
	c := &n.rows.convs[p.conv]
	o := &n.world.offers[c.offer]
	h := n.convHash(p.conv)
	refused := p.kind == kindRefusedPostback
	click := n.convClickID(p.conv).String()
	if refused {
		click = "broken" + click[6:]
	}
	var get js
	get.obj(func() {
		get.key("clickid").str(click)
		get.key("sum").str(c.revenue.String())
	})
	j.obj(func() {
		j.key("_id").obj(func() { j.key("$id").oid(n.postID(p)) })
		j.key("_get").bytes(get.b)
		j.key("_post")
		if h>>8%3 == 0 {
			j.null()
		} else {
			r.emptyMap()
		}
		j.key("date")
		mongoDate(j, int64(c.created), int64(h%6_000_000_000))
		j.key("get").str(string(get.b))
		j.key("post").str("[]")
		j.key("server").str("198.51.100." + itoa(int(h>>16%250)))
		if refused {
			j.key("response").str("{\n    \"status\": 2,\n    \"message\": \"Broken clickid\"\n}")
		} else {
			j.key("response").str("{\n    \"status\": 1\n}")
		}
		a := &n.world.advertisers[o.advertiser]
		j.key("supplier").obj(func() { j.key("id").str(a.ID); j.key("title").str(a.Title) })
		if refused {
			if h%2 == 0 {
				j.key("track").null()
			}
			return
		}
		j.key("track")
		r.track(p.conv)
	})
}

// track is the click inside a server postback, in its old form.
func (r *request) track(i uint32) {
	n, j := r.n, &r.j
	c := &n.rows.convs[i]
	o, p, a := &n.world.offers[c.offer], &n.world.partners[c.partner], n.convAttrs(i)
	d := &devices[a.device]
	j.obj(func() {
		j.key("id").oid(n.convClickID(i))
		j.key("ip")
		j.b = append(a.appendIP(append(j.b, '"')), '"')
		j.key("ua").str(d.ua)
		j.key("country").str(countries[a.country].code)
		j.key("city").str(countries[a.country].cities[a.city].name)
		j.key("device").str(d.brand)
		j.key("os").str(d.os + " " + d.osVersion)
		j.key("browser").str(d.browser + " " + d.browserVersion)
		j.key("offer").obj(func() {
			j.key("id").int(o.ID)
			j.key("offer_id").oid(o.oid)
			j.key("title").str(o.Title)
			j.key("preview_url").str(o.url(n))
		})
		j.key("referrer").str(referrer(a))
		j.key("click_id").oid(n.convClickID(i))
		for k, s := range a.subs() {
			if k < 5 {
				j.key(subNames[k]).str(s)
			}
		}
		j.key("offer_id").str(itoa(o.ID))
		j.raw(`"conversion_id":null,"ios_idfa":null,"android_id":null`)
		j.key("created_at")
		r.clock(utc(c.clickAt))
		j.raw(`"uniq":1,"cbid":null`)
		j.key("partner").obj(func() {
			j.key("id").str(itoa(p.ID))
			j.key("login").str(p.Login)
			j.key("email").str(p.Email)
		})
	})
}

// affiliatePostbacks is GET /3.0/stats/affiliatepostbacks.
func (r *request) affiliatePostbacks() error {
	rows, err := r.pickPosts(kindAffiliatePostback)
	if err != nil {
		return err
	}
	if code := r.p.get("http_code"); code != "" {
		rows = slices.DeleteFunc(rows, func(p postRow) bool { return itoa(httpCode(r.n.convHash(p.conv))) != code })
	}
	n, j := r.n, &r.j
	return r.list("postbacks", len(rows), func(k int) {
		i := rows[k].conv
		c, h := &n.rows.convs[i], n.convHash(i)
		o := &n.world.offers[c.offer]
		j.obj(func() {
			j.key("_id").obj(func() { j.key("$id").oid(n.postID(rows[k])) })
			j.raw(`"_get":null,"_post":null`)
			j.key("date")
			mongoDate(j, int64(c.created), int64(h%6_000_000_000))
			j.key("pid").int(int(c.partner) + firstPartner)
			j.key("lead_id").oid(n.convClickID(i))
			j.key("http_code").int(httpCode(h))
			j.key("postback_url").str("https://aff" + itoa(int(c.partner)+firstPartner) + ".example.test/pb?c=" + n.convAttrs(i).subs()[0])
			j.key("offer_id").int(o.ID)
			if h%3 != 0 {
				j.key("job_id").oid(n.oid(kindJob, int64(c.created), i))
			}
			j.key("goal").str(o.goal(n.convAttrs(i)).Value)
			j.key("status").int(int(c.first))
			j.key("payouts").money(c.payouts)
			j.key("revenue").money(c.revenue)
			j.key("currency").int(currencyID(o.Currency))
		})
	})
}

func httpCode(h uint64) int {
	switch h >> 36 % 20 {
	case 0:
		return 500
	case 1:
		return 404
	}
	return 200
}

// partnerPostbacks is GET /3.0/admin/postbacks: what one affiliate set up.
func (r *request) partnerPostbacks() error {
	id := r.p.number("partner_id", 0)
	if r.p.get("partner_id") == "" {
		return errBadRequest
	}
	i := id - firstPartner
	if i < 0 || i >= len(r.n.world.partners) {
		return errNotFound
	}
	j := &r.j
	return r.list("postbacks", i%3, func(k int) {
		j.obj(func() {
			j.key("id").int(id*10 + k)
			j.key("url").str("https://aff" + itoa(id) + ".example.test/pb?c={sub5}")
			if k == 0 {
				j.raw(`"offer_id":null,"status":"pending","goal":""`)
			} else {
				j.key("offer_id").str(itoa(firstOffer + i%len(r.n.world.offers)))
				j.raw(`"status":null,"goal":"1"`)
			}
			j.key("created")
			r.clock(r.n.world.partners[i].CreatedAt)
			j.raw(`"forced":"0"`)
		})
	})
}

// findSubs is GET /3.0/stats/find-subs. It states a total of 0, as the only
// known sample does.
func (r *request) findSubs() error {
	type want struct {
		k    int
		text string
	}
	var wants []want
	for k := range 5 {
		if v, ok := r.p.scalar[subNames[k]]; ok {
			wants = append(wants, want{k, v})
		}
	}
	if len(wants) == 0 {
		return errBadRequest
	}
	seen := map[[5]string]bool{}
	n := r.n
	for i := range n.rows.clicks {
		c := &n.rows.clicks[i]
		if int(c.partner)+firstPartner != r.affiliate || c.removed {
			continue
		}
		subs, row, ok := attrsOf(n.clickHash(uint32(i))).subs(), [5]string{}, true
		for _, w := range wants {
			row[w.k] = subs[w.k]
			ok = ok && subs[w.k] != "" && strings.Contains(subs[w.k], w.text)
		}
		if ok {
			seen[row] = true
		}
	}
	var rows [][5]string
	for row := range seen {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b [5]string) int { return slices.Compare(a[:], b[:]) })
	return r.page3("subs", len(rows), 0, "", func(i int) {
		r.j.obj(func() {
			for _, w := range wants {
				r.j.key(subNames[w.k]).str(rows[i][w.k])
			}
		})
	})
}

// retention is GET /3.0/stats/retentionrate (and 3.1).
func (r *request) retention() error {
	base, offer := r.p.get("goal"), r.p.get("offer")
	if base == "" {
		base = r.p.get("base_event")
	}
	if offer == "" {
		offer = r.p.get("offer_id")
	}
	at, err := r.window("date_from", "date_to", true)
	if err != nil || base == "" || offer == "" || r.p.get("events") == "" {
		return errBadRequest
	}
	events := strings.Split(r.p.get("events"), ",")
	only := r.p.number("affiliate_id", 0)
	if r.affiliate != 0 {
		only = r.affiliate
	}
	type row struct {
		partner int
		day     int32
	}
	var rows []row
	for day := at.from; day <= at.to; day++ {
		for i := range min(len(r.n.world.partners), 3) {
			if p := firstPartner + i; only == 0 || only == p {
				rows = append(rows, row{p, day})
			}
		}
	}
	j := &r.j
	write := func(i int) {
		j.obj(func() {
			j.key("affiliate_id").int(rows[i].partner)
			j.key("date")
			j.b = append(appendDay(append(j.b, '"'), rows[i].day), '"')
			for k, e := range events {
				h := mix(r.n.opt.Seed ^ uint64(rows[i].day)<<20 ^ uint64(rows[i].partner)<<8 ^ uint64(k))
				j.key("rr_" + e).money(cents(int(h % 10_001)))
			}
			j.key(base + "_count").int(int(mix(uint64(rows[i].day)) % 50))
		})
	}
	if !r.n.opt.BareRetention {
		return r.all("stats", len(rows), write)
	}
	r.rows = len(rows)
	j.arr(func() {
		for i := range rows {
			write(i)
		}
	})
	return nil
}

// referralPayments is GET /3.0/stats/getreferralpayments: all values are text.
func (r *request) referralPayments() error {
	if _, err := r.window("date_from", "date_to", true); err != nil {
		return err
	}
	j := &r.j
	return r.list("ref_payments", 2, func(i int) {
		j.obj(func() {
			j.key("pid").str(itoa(firstPartner + i))
			j.key("ref").str(itoa(firstPartner + i + 1))
			j.raw(`"status":"1","is_paid":"0","currency":"USD"`)
			j.key("count").str(itoa(3 + i))
			j.key("max_created_at")
			r.clock(r.n.opt.From)
			j.key("date_registration_partner")
			r.clock(r.n.opt.From.AddDate(0, -1, 0))
			j.key("sum_revenue").str("12.34")
		})
	})
}

// timeToAction is GET /3.0/stats/time-to-action.
func (r *request) timeToAction() error {
	if _, err := r.window("date_from", "date_to", true); err != nil || r.p.get("offer_id") == "" {
		return errBadRequest
	}
	j := &r.j
	return r.list("data", min(3, len(r.n.world.partners)), func(i int) {
		j.obj(func() {
			j.key("affiliate_id").int(firstPartner + i)
			j.raw(`"clicks":120,"total_conversions":7,"tta_30":2,"tta_600":4,"tta_inf":1`)
		})
	})
}
