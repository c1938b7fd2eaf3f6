package affisesim

import "slices"

// statsClicks is GET /3.0/stats/clicks.
func (r *request) statsClicks() error {
	if r.n.opt.ClicksGone {
		return errNotFound
	}
	picked, err := r.pickClicks()
	if err != nil {
		return err
	}
	return r.coded("clicks", len(picked), func(i int) {
		r.appendClick(picked[i], r.rowFault(kindClick, picked[i], i))
	})
}

// pickClicks selects the clicks that are asked for, in no order, but in the
// same one for the same clicks.
func (r *request) pickClicks() ([]uint32, error) {
	return r.n.picks.get(r, func() ([]uint32, error) {
		n := r.n
		at, err := r.window("date_from", "date_to", true)
		if err != nil {
			return nil, err
		}
		oldest := int64(-1 << 62)
		if n.opt.ClicksMaxAge > 0 {
			oldest = r.now.Add(-n.opt.ClicksMaxAge).Unix()
			if !n.opt.ClicksCutRows {
				if at.from < civilAt(r.loc, oldest).day {
					return nil, nil
				}
				oldest = -1 << 62
			}
		}
		match := r.clickFilter()
		var out []uint32
		for _, i := range between(n.rows.clickOrder, n.clickTime, max(at.lo, oldest), at.hi) {
			if !at.exact && !at.has(int64(n.rows.clicks[i].at)) || match != nil && !match(i) {
				continue
			}
			out = append(out, i)
		}
		n.shuffle(out)
		return out, nil
	})
}

func (n *Network) shuffle(clicks []uint32) {
	keys := make([]uint64, len(clicks))
	for k, i := range clicks {
		keys[k] = n.clickHash(i)&0xffffffff00000000 | uint64(i)
	}
	slices.Sort(keys)
	for k, key := range keys {
		clicks[k] = uint32(key)
	}
}

func (r *request) clickFilter() func(uint32) bool {
	n := r.n
	var tests []func(i uint32, c *clickRow) bool
	if want := r.numbers("partner"); want != nil {
		tests = append(tests, func(_ uint32, c *clickRow) bool { return want[int(c.partner)+firstPartner] })
	}
	if want := r.numbers("offer"); want != nil {
		tests = append(tests, func(_ uint32, c *clickRow) bool { return want[int(c.offer)+firstOffer] })
	}
	if want := append(r.p.all("advertiser"), r.p.all("advertisers")...); len(want) > 0 {
		tests = append(tests, func(_ uint32, c *clickRow) bool {
			return slices.Contains(want, n.world.offers[c.offer].AdvertiserID)
		})
	}
	if want := r.p.all("country"); want != nil {
		tests = append(tests, func(i uint32, _ *clickRow) bool {
			return slices.Contains(want, countries[attrsOf(n.clickHash(i)).country].code)
		})
	}
	if len(tests) == 0 {
		return nil
	}
	return func(i uint32) bool {
		c := &n.rows.clicks[i]
		for _, t := range tests {
			if !t(i, c) {
				return false
			}
		}
		return true
	}
}

const (
	undefinedPage = `{"id":0,"url":"undefined","title":""}`
	clickTail     = `"smart_id":"","ref_id":"","os_id":"","user_id":"","ext1":"","ext2":"","ext3":"","unid":"","idfa":""`
)

func uniq(h uint64) bool { return h>>20%5 != 0 }

// appendClick writes one click.
func (r *request) appendClick(i uint32, bad FaultKind) {
	n, j := r.n, &r.j
	c := &n.rows.clicks[i]
	h := n.clickHash(i)
	a := attrsOf(h)
	o := &n.world.offers[c.offer]
	php := 0
	if j.php {
		php = 1
	}
	wrong := bad == WrongTypes
	id := n.clickID(i)
	conv := c.conversion
	if conv >= 0 && n.rows.convs[conv].removed {
		conv = -1
	}
	ids := func() {
		j.key("id").oid(id)
		j.key("ip")
		j.b = append(a.appendIP(append(j.b, '"')), '"')
		j.key("click_id").oid(id)
		j.raw(n.frag.clickPlace[a.country][a.city][php])
	}
	context := func() {
		j.key("ua").str(devices[a.device].ua)
		j.raw(n.frag.clickDevice[a.device][php])
		j.key("connection_type").str(connectionTypes[a.conn])
		j.key("offer")
		if o.Gone {
			j.null()
		} else {
			j.raw(n.frag.offer[c.offer][php])
		}
		j.key("referrer").str(referrer(a))
		for k, s := range a.subs() {
			j.key(subNames[k])
			if wrong && s == "" {
				j.null()
			} else {
				j.str(s)
			}
		}
	}
	rest := func() {
		j.key("landing")
		if l := landing(o, a); l == 0 {
			j.raw(undefinedPage)
		} else {
			j.obj(func() {
				j.key("id").int(l)
				j.key("url").str(o.url(n) + "l" + itoa(l) + "/")
				j.key("title").str("Landing " + itoa(l))
			})
		}
		j.key("prelanding").raw(undefinedPage)
		j.key("conversion_id")
		if conv >= 0 {
			j.oid(n.convID(uint32(conv)))
			j.raw(`"has_conversions":true`)
			j.key("cbid").str(n.actionID(uint32(conv)))
		} else {
			j.raw(`""`)
			j.raw(`"has_conversions":false,"cbid":""`)
		}
		j.key("created_at")
		if bad == BrokenDate {
			j.raw(brokenDateText)
		} else {
			j.b = append(appendClock(append(j.b, '"'), r.loc, int64(c.at)), '"')
		}
		j.raw(`"isp":0`)
		j.key("isp_code").raw(n.frag.isp[a.isp][php])
		j.raw(clickTail)
		if wrong {
			j.key("uniq").int(map[bool]int{false: 0, true: 1}[uniq(h)])
			j.key("partner_id").intText(int64(c.partner) + firstPartner)
		} else {
			j.key("uniq").bool(uniq(h))
			j.key("partner_id").int(int(c.partner) + firstPartner)
		}
		j.key("partner").raw(n.frag.partner[c.partner][php])
		j.key("supplier_manager_id").str(n.world.advertisers[o.advertiser].ManagerID)
	}
	j.open('{')
	switch r.variant {
	case 1:
		rest()
		ids()
		context()
	case 2:
		context()
		rest()
		ids()
	default:
		ids()
		context()
		rest()
	}
	j.close('}')
}

// statsClick is GET /3.0/stats/click/{id}.
func (r *request) statsClick() error {
	kind, row, ok := parseOID(r.id)
	if !ok || kind != kindClick || int(row) >= len(r.n.rows.clicks) || r.n.rows.clicks[row].removed {
		return errBadRequest
	}
	return r.one("click", func() { r.appendClick(row, r.rowFault(kindClick, row, 0)) })
}
