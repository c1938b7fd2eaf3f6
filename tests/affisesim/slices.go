package affisesim

import "cmp"

// The slices by which stats reports group.

// slice1 is a value of one slice: a number or a text.
type slice1 struct {
	n int64
	s string
}

func (v slice1) compare(w slice1) int {
	return cmp.Or(cmp.Compare(v.n, w.n), cmp.Compare(v.s, w.s))
}

// fact is a click or a conversion on its way into a stats row.
type fact struct {
	at             civil
	offer, partner uint16
	hash           uint64
	attrs          attrs
}

// slicer knows one slice: its value in a fact, and how the value is written.
type slicer struct {
	value func(n *Network, f *fact) slice1
	write func(r *request, v slice1)
	admin bool
}

func numberSlice(value func(f *fact) int) slicer {
	return slicer{value: func(_ *Network, f *fact) slice1 { return slice1{n: int64(value(f))} },
		write: func(r *request, v slice1) { r.j.int(int(v.n)) }}
}

func textSlice(value func(n *Network, f *fact) string) slicer {
	return slicer{value: func(n *Network, f *fact) slice1 { return slice1{s: value(n, f)} },
		write: func(r *request, v slice1) { r.j.str(v.s) }}
}

func deviceSlice(value func(d *device) string) slicer {
	return textSlice(func(_ *Network, f *fact) string { return value(&devices[f.attrs.device]) })
}

func managerSlice(of func(n *Network, f *fact) int) slicer {
	return slicer{admin: true,
		value: func(n *Network, f *fact) slice1 { return slice1{n: int64(of(n, f))} },
		write: func(r *request, v slice1) { r.n.managerBrief(&r.j, int(v.n)) }}
}

// managerBrief is a manager inside a stats row; there is one for "none".
func (n *Network) managerBrief(j *js, i int) {
	if i < 0 {
		j.raw(`{"id":"0","first_name":"Undefined","last_name":"Undefined"}`)
		return
	}
	u := &n.world.users[i]
	j.obj(func() {
		j.key("id").str(u.ID)
		j.key("first_name").str(u.FirstName)
		j.key("last_name").str(u.LastName)
	})
}

// slicers returns the slices by name.
func slicers() map[string]slicer {
	m := map[string]slicer{
		"year":    numberSlice(func(f *fact) int { y, _, _ := f.at.date(); return y }),
		"quarter": numberSlice(func(f *fact) int { _, m, _ := f.at.date(); return (m + 2) / 3 }),
		"month":   numberSlice(func(f *fact) int { _, m, _ := f.at.date(); return m }),
		"day":     numberSlice(func(f *fact) int { _, _, d := f.at.date(); return d }),
		"hour":    numberSlice(func(f *fact) int { return int(f.at.hour) }),
		"offer": {value: func(_ *Network, f *fact) slice1 { return slice1{n: int64(f.offer)} },
			write: func(r *request, v slice1) {
				o := &r.n.world.offers[v.n]
				r.j.obj(func() {
					r.j.key("id").int(o.ID)
					r.j.key("offer_id").oid(o.oid)
					r.j.key("title").str(o.Title)
				})
			}},
		"advertiser": {admin: true,
			value: func(n *Network, f *fact) slice1 { return slice1{n: int64(n.world.offers[f.offer].advertiser)} },
			write: func(r *request, v slice1) {
				a := &r.n.world.advertisers[v.n]
				r.j.obj(func() { r.j.key("id").str(a.ID); r.j.key("title").str(a.Title) })
			}},
		"affiliate": {admin: true,
			value: func(_ *Network, f *fact) slice1 { return slice1{n: int64(f.partner)} },
			write: func(r *request, v slice1) {
				p := &r.n.world.partners[v.n]
				r.j.obj(func() {
					r.j.key("id").int(p.ID)
					r.j.key("email").str(p.Email)
					r.j.key("login").str(p.Login)
					r.j.key("name").str("")
				})
			}},
		"advertiser_manager_id": managerSlice(func(n *Network, f *fact) int {
			return n.world.advertisers[n.world.offers[f.offer].advertiser].manager
		}),
		"affiliate_manager_id": managerSlice(func(n *Network, f *fact) int { return n.world.partners[f.partner].manager }),
		"manager":              managerSlice(func(n *Network, f *fact) int { return n.world.partners[f.partner].manager }),
		"smart_id":             textSlice(func(*Network, *fact) string { return "" }),
		"country":              textSlice(func(_ *Network, f *fact) string { return countries[f.attrs.country].code }),
		"city": textSlice(func(_ *Network, f *fact) string {
			return itoa(countries[f.attrs.country].cities[f.attrs.city].id)
		}),
		"os":              deviceSlice(func(d *device) string { return d.os }),
		"os_version":      deviceSlice(func(d *device) string { return d.osVersion }),
		"device":          deviceSlice(func(d *device) string { return d.kind }),
		"device_model":    deviceSlice(func(d *device) string { return d.model }),
		"browser":         deviceSlice(func(d *device) string { return d.browser }),
		"browser_version": deviceSlice(func(d *device) string { return d.browserVersion }),
		"conn_type":       textSlice(func(_ *Network, f *fact) string { return connectionTypes[f.attrs.conn] }),
		"isp":             textSlice(func(_ *Network, f *fact) string { return isps[f.attrs.isp] }),
		"goal": textSlice(func(n *Network, f *fact) string {
			return n.world.offers[f.offer].goal(f.attrs).Value
		}),
		"landing": textSlice(func(n *Network, f *fact) string {
			return itoa(landing(&n.world.offers[f.offer], f.attrs))
		}),
		"prelanding": numberSlice(func(*fact) int { return 0 }),
		"trafficback_reason": textSlice(func(_ *Network, f *fact) string {
			return trafficbackReasons[f.hash>>30%uint64(len(trafficbackReasons))]
		}),
		"currency": textSlice(func(n *Network, f *fact) string { return n.world.offers[f.offer].Currency }),
	}
	for k := range subNames {
		m[subNames[k]] = textSlice(func(_ *Network, f *fact) string { return f.attrs.subs()[k] })
	}
	s := m["smart_id"]
	s.admin = true
	m["smart_id"] = s
	return m
}

// reports are the fixed reports: the slices of each getby path, and whether
// an affiliate or an admin may ask.
var reports = []struct {
	name   string
	slices []string
	auth   auth
}{
	{"getbydate", []string{"year", "month", "day"}, forBoth},
	{"getbyhour", []string{"year", "month", "day", "hour"}, forBoth},
	{"getbysub", []string{"sub1"}, forPartner},
	{"getbyprogram", []string{"offer"}, forBoth},
	{"getbyadvertiser", []string{"advertiser"}, forAdmin},
	{"getbyaccountmanager", []string{"advertiser_manager_id"}, forAdmin},
	{"getbyaffiliatemanager", []string{"affiliate_manager_id"}, forAdmin},
	{"getbypartner", []string{"affiliate"}, forAdmin},
	{"getbypartnerbydate", []string{"year", "month", "day", "affiliate"}, forAdmin},
	{"getbycountries", []string{"country"}, forBoth},
	{"getbybrowsers", []string{"browser"}, forBoth},
	{"getbyos", []string{"os"}, forBoth},
	{"getbyversions", []string{"os", "os_version"}, forBoth},
	{"getbygoal", []string{"goal"}, forBoth},
	{"getbycities", []string{"city"}, forBoth},
	{"getbydevices", []string{"device"}, forBoth},
	{"getbydevicemodels", []string{"device_model"}, forBoth},
	{"getbybrowsersversion", []string{"browser_version"}, forBoth},
	{"getbylanding", []string{"landing"}, forBoth},
	{"getbyprelanding", []string{"prelanding"}, forBoth},
	{"getbymobilecarrier", []string{"isp"}, forBoth},
	{"getbyconnectiontype", []string{"conn_type"}, forBoth},
	{"getbytrafficback", []string{"trafficback_reason"}, forBoth},
}
