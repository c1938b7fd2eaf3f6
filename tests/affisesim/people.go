package affisesim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// userRecord writes a manager as lists and manager objects have it, with the
// key that ought to be dropped.
func (r *request) userRecord(u *User) {
	j := &r.j
	j.obj(func() {
		j.key("id").str(u.ID)
		j.key("first_name").str(u.FirstName)
		j.key("last_name").str(u.LastName)
		j.key("email").str(u.Email)
		j.raw(`"skype":null`)
		j.key("roles").strs(u.Roles...)
		j.key("api_key").str(secret("user", u.ID, "api_key"))
		j.key("updated_at")
		r.clock(u.UpdatedAt)
		j.key("created_at")
		r.clock(u.CreatedAt)
	})
}

// users is GET /3.0/admin/users.
func (r *request) users() error {
	since, err := r.changedSince()
	if err != nil {
		return err
	}
	var picked []*User
	for i := range r.n.world.users {
		if u := &r.n.world.users[i]; since(u.UpdatedAt) && strings.Contains(u.Email+u.FirstName+u.LastName, r.p.get("q")) {
			picked = append(picked, u)
		}
	}
	return r.list("users", len(picked), func(i int) { r.userRecord(picked[i]) })
}

// user is GET /3.0/admin/user/{id}: ISO times and the tree of rights.
func (r *request) user() error {
	i := slices.IndexFunc(r.n.world.users, func(u User) bool { return u.ID == r.id })
	if i < 0 {
		return errNotFound
	}
	u, j := &r.n.world.users[i], &r.j
	return r.one("user", func() {
		j.obj(func() {
			j.key("id").str(u.ID)
			j.key("first_name").str(u.FirstName)
			j.key("last_name").str(u.LastName)
			j.key("email").str(u.Email)
			j.key("roles").strs(u.Roles...)
			j.key("api_key").str(secret("user", u.ID, "api_key"))
			j.key("created_at").str(u.CreatedAt.UTC().Format(time.RFC3339))
			j.key("updated_at").str(u.UpdatedAt.UTC().Format(time.RFC3339))
			j.raw(`"permissions":{"stats":{"clicks-list":"read","conversions-list":"read"}}`)
		})
	})
}

const address = `"address_1":null,"address_2":null,"city":null`

// partnerRecord writes an affiliate as the admin's lists have it.
func (r *request) partnerRecord(i int, balance bool) {
	p, j := &r.n.world.partners[i], &r.j
	j.obj(func() {
		j.key("id").int(p.ID)
		j.key("created_at")
		r.clock(p.CreatedAt)
		j.key("updated_at")
		r.clock(p.UpdatedAt)
		j.key("email").str(p.Email)
		j.key("login").str(p.Login)
		if i%2 == 0 {
			j.raw(`"ref_percent":"0","ref":"0","name":null`)
		} else {
			j.raw(`"ref_percent":null,"ref":null,"name":""`)
		}
		j.key("notes").str("")
		j.key("manager")
		if p.manager < 0 {
			j.null()
		} else {
			r.userRecord(&r.n.world.users[p.manager])
		}
		j.key("status").str(p.Status)
		j.key("level").int(0)
		j.key("payment_systems").arr(func() {
			if i%3 != 2 {
				j.obj(func() {
					j.raw(`"id":1,"active":1,"system":"Wire transfer"`)
					j.key("fields").obj(func() { j.key("1").str(PaymentMarker + "partner-" + itoa(p.ID)) })
				})
			}
		})
		j.key("customFields").arr(func() {
			j.obj(func() {
				j.key("name").str("Messenger")
				j.key("value").str("aff" + itoa(p.ID))
				j.key("label").str("aff" + itoa(p.ID))
				j.key("id").int(2)
			})
			if i%4 == 0 {
				j.raw(`{"name":"Verticals","value":[1,3],"label":{"1":"Finance","3":"Games"},"id":3}`)
			}
		})
		if balance {
			j.key("balance")
			r.balances(p)
		}
		j.key("offersCount").int(5 + i)
		j.key("api_key").str(secret("partner", itoa(p.ID), "api_key"))
		j.raw(address)
		j.key("country").strOrNull(p.Country)
		j.raw(`"zip_code":null,"phone":null,"sub_accounts":{"1":{"value":"","except":0},"2":{"value":"","except":0}}`)
		if i%2 == 0 {
			j.raw(`"contactPerson":null,"tags":[]`)
		} else {
			j.raw(`"contactPerson":"","tags":null`)
		}
	})
}

func (r *request) balances(p *Partner) {
	j := &r.j
	j.obj(func() {
		for _, c := range r.n.opt.Currencies {
			b := p.Balance[c]
			j.key(c).obj(func() {
				j.key("balance").raw(b.Balance)
				j.key("hold").raw(b.Hold)
				j.key("available").raw(b.Available)
			})
		}
	})
}

// partners is GET /3.0/admin/partners.
func (r *request) partners() error {
	since, err := r.changedSince()
	if err != nil {
		return err
	}
	states := map[string]string{"0": "not active", "1": "active", "2": "banned", "3": "on moderation"}
	ids, status, managers := r.numbers("id"), r.p.get("status"), r.p.all("manager")
	if v := r.p.get("status_partner"); v != "" {
		status = states[v]
	}
	var picked []int
	for i := range r.n.world.partners {
		p := &r.n.world.partners[i]
		if since(p.UpdatedAt) && (ids == nil || ids[p.ID]) && (status == "" || status == p.Status) &&
			(managers == nil || slices.Contains(managers, p.ManagerID)) && strings.Contains(p.Email, r.p.get("search")) {
			picked = append(picked, i)
		}
	}
	if r.p.get("orderType") == "desc" || strings.HasPrefix(r.p.get("order"), "-") {
		slices.Reverse(picked)
	}
	balance := r.p.get("with_balance") == "1"
	return r.list("partners", len(picked), func(i int) { r.partnerRecord(picked[i], balance) })
}

// partner is GET /3.0/admin/partner/{id}.
func (r *request) partner() error {
	id, err := strconv.Atoi(r.id)
	if err != nil || id < firstPartner || id >= firstPartner+len(r.n.world.partners) {
		return errNotFound
	}
	return r.one("partner", func() { r.partnerRecord(id-firstPartner, true) })
}

// me is the affiliate of the key, nil if its id is none of the network's.
func (r *request) me() *Partner {
	if i := r.affiliate - firstPartner; i >= 0 && i < len(r.n.world.partners) {
		return &r.n.world.partners[i]
	}
	return nil
}

// balance is GET /3.0/balance.
func (r *request) balance() error {
	p := r.me()
	if p == nil {
		return errNotFound
	}
	return r.one("balance", func() { r.balances(p) })
}

// partnerMe is GET /3.1/partner/me: balances as text, ISO times.
func (r *request) partnerMe() error {
	p, j := r.me(), &r.j
	if p == nil {
		return errNotFound
	}
	return r.one("user", func() {
		j.obj(func() {
			j.key("id").int(p.ID)
			j.key("email").str(p.Email)
			j.key("login").str(p.Login)
			j.key("api_key").str(secret("partner", itoa(p.ID), "api_key"))
			j.key("created_at").str(p.CreatedAt.UTC().Format(time.RFC3339))
			j.key("balance").obj(func() {
				for _, c := range r.n.opt.Currencies {
					j.key(c).obj(func() {
						j.key("balance").str(p.Balance[c].Balance)
						j.key("hold").str(p.Balance[c].Hold)
						j.key("available").str(p.Balance[c].Available)
					})
				}
			})
		})
	})
}

// advertiserRecord writes an advertiser; single adds what one alone has more.
func (r *request) advertiserRecord(i int, single bool) {
	a, j := &r.n.world.advertisers[i], &r.j
	j.obj(func() {
		j.key("id").str(a.ID)
		j.key("title").str(a.Title)
		j.raw(`"contact":null`)
		j.key("email").str(a.Email)
		j.key("url").str(a.URL)
		j.key("manager").str(a.ManagerID)
		j.key("manager_obj")
		if a.manager < 0 {
			j.null()
		} else {
			r.userRecord(&r.n.world.users[a.manager])
		}
		j.raw(`"allowed_ip":[],"skype":null,"note":null`)
		if i%2 == 0 {
			j.raw(`"hash_password":null`)
		} else {
			j.key("hash_password").str(secret("advertiser", a.ID, "hash_password"))
		}
		count := 0
		for k := range r.n.world.offers {
			if r.n.world.offers[k].advertiser == i && !r.n.world.offers[k].Gone {
				count++
			}
		}
		j.key("offers").intText(int64(count))
		j.raw(`"has_user":false,` + address)
		j.key("country").strOrNull(a.Country)
		j.raw(`"zip_code":null,"vat_code":null`)
		j.key("updated_at")
		r.clock(a.UpdatedAt)
		j.key("created_at")
		r.clock(a.CreatedAt)
		if single {
			j.raw(`"disallowed_ip":[],"sub_accounts":{"1":{"value":"","except":0},"2":{"value":"","except":0}},"tags":[]`)
		}
	})
}

// advertisers is GET /3.0/admin/advertisers.
func (r *request) advertisers() error {
	since, err := r.changedSince()
	if err != nil {
		return err
	}
	var picked []int
	for i := range r.n.world.advertisers {
		if since(r.n.world.advertisers[i].UpdatedAt) {
			picked = append(picked, i)
		}
	}
	field := func(i int) string {
		a := &r.n.world.advertisers[i]
		switch r.p.get("order") {
		case "title":
			return a.Title
		case "email":
			return a.Email
		}
		return a.ID
	}
	slices.SortFunc(picked, func(a, b int) int {
		c := strings.Compare(field(a), field(b))
		if r.p.get("orderType") == "desc" {
			return -c
		}
		return c
	})
	return r.list("advertisers", len(picked), func(i int) { r.advertiserRecord(picked[i], false) })
}

// advertiser is GET /3.0/admin/advertiser/{id}.
func (r *request) advertiser() error {
	i := slices.IndexFunc(r.n.world.advertisers, func(a Advertiser) bool { return a.ID == r.id })
	if i < 0 {
		return errNotFound
	}
	return r.one("advertiser", func() { r.advertiserRecord(i, true) })
}

// Invoice is a bill to an advertiser; days are days of the platform.
type Invoice struct {
	Number                        int
	AdvertiserID                  string
	CreatedAt, StartDate, EndDate string
	Status, Currency, Amount      string
	OfferID, Actions              int
	amount                        money
	created                       time.Time
}

// makeInvoices: one a month and advertiser, over the months of the history.
func (n *Network) makeInvoices() []Invoice {
	var out []Invoice
	month := time.Date(n.opt.From.Year(), n.opt.From.Month(), 1, 0, 0, 0, 0, time.UTC)
	for ; month.Before(n.opt.To); month = month.AddDate(0, 1, 0) {
		for i := range n.world.advertisers {
			v := Invoice{Number: len(out) + 1, AdvertiserID: n.world.advertisers[i].ID, created: month.AddDate(0, 1, 0),
				Currency: n.opt.Currencies[i%len(n.opt.Currencies)], OfferID: firstOffer + i%len(n.world.offers), Status: "paid"}
			h := mix(n.opt.Seed ^ uint64(v.Number)<<16)
			v.Actions, v.amount = int(h%900), cents(int(h>>12%500_000))
			v.Amount = v.amount.String()
			if h>>40%2 == 0 {
				v.Status = "unpaid"
			}
			v.StartDate, v.EndDate = month.Format(time.DateOnly), v.created.AddDate(0, 0, -1).Format(time.DateOnly)
			v.CreatedAt = v.created.Format(time.DateOnly)
			out = append(out, v)
		}
	}
	return out
}

func (r *request) invoiceRecord(v *Invoice) {
	j := &r.j
	j.obj(func() {
		j.key("number").int(v.Number)
		j.key("supplier_id").str(v.AdvertiserID)
		j.key("created_at").str(v.CreatedAt)
		j.key("updated_at").str(v.CreatedAt)
		j.key("start_date").str(v.StartDate)
		j.key("end_date").str(v.EndDate)
		j.key("status").str(v.Status)
		j.key("detail").arr(func() {
			j.obj(func() {
				j.key("offer_id").int(v.OfferID)
				j.raw(`"payout_type":"RPA"`)
				j.key("actions").int(v.Actions)
				j.key("amount").money(v.amount)
				j.raw(`"comment":null`)
			})
		})
		j.key("currency").str(v.Currency)
		j.raw(`"comment":null`)
	})
}

// invoices is GET /3.0/admin/advertiser-invoices.
func (r *request) invoices() error {
	picked := slices.DeleteFunc(slices.Clone(r.n.world.invoices), func(v Invoice) bool {
		from, to, status, supplier := r.p.get("start_date"), r.p.get("end_date"), r.p.get("status"), r.p.get("supplier_id")
		return status != "" && status != v.Status || supplier != "" && supplier != v.AdvertiserID ||
			from != "" && v.StartDate < from || to != "" && v.EndDate > to
	})
	return r.list("message", len(picked), func(i int) { r.invoiceRecord(&picked[i]) })
}

// invoice is GET /3.0/admin/advertiser-invoice/{number}.
func (r *request) invoice() error {
	i, err := strconv.Atoi(r.id)
	if err != nil || i < 1 || i > len(r.n.world.invoices) {
		return errNotFound
	}
	return r.one("message", func() { r.invoiceRecord(&r.n.world.invoices[i-1]) })
}

// Ticket is a question of an affiliate.
type Ticket struct {
	ID, Status, Type, Title string
	PartnerID, OfferID      int // OfferID 0: of no offer
	CreatedAt, UpdatedAt    time.Time
}

func (n *Network) makeTickets() []Ticket {
	types := []string{"offer_request", "common", "financial", "technical"}
	var out []Ticket
	for i := range 14 {
		h := mix(n.opt.Seed ^ uint64(i)<<24)
		t := Ticket{ID: itoa(i + 2), Status: [...]string{"open", "closed"}[h%2], Type: types[i%4],
			PartnerID: firstPartner + int(h>>8%uint64(len(n.world.partners))),
			CreatedAt: n.opt.From.Add(time.Duration(i) * time.Hour).Truncate(time.Second)}
		t.Title = "Question " + t.ID
		if t.Type == "offer_request" {
			t.OfferID = firstOffer + int(h>>16%uint64(max(len(n.world.offers)-1, 1)))
			t.Title = fmt.Sprintf("Request for offer %d", t.OfferID)
		}
		if h>>24%2 == 0 {
			t.UpdatedAt = t.CreatedAt.Add(time.Hour)
		}
		out = append(out, t)
	}
	return out
}

func (r *request) ticketRecord(t *Ticket) {
	j := &r.j
	j.obj(func() {
		j.key("id").str(t.ID)
		j.key("status").str(t.Status)
		j.key("type").str(t.Type)
		j.key("title").str(t.Title)
		j.key("description").str("Emailing")
		j.key("created")
		r.clock(t.CreatedAt)
		j.key("updated")
		if t.UpdatedAt.IsZero() {
			r.clock(time.Unix(0, 0)) // never
		} else {
			r.clock(t.UpdatedAt)
		}
		j.raw(`"attachments":[],"comments":{"answers":0,"unread":0}`)
		j.key("partner")
		r.partnerRecord(t.PartnerID-firstPartner, true)
		j.key("offer")
		if t.OfferID == 0 {
			j.null()
		} else {
			r.affiliateOffer(&r.n.world.offers[t.OfferID-firstOffer], false, false)
		}
	})
}

// tickets is GET /3.0/admin/tickets.
func (r *request) tickets() error {
	status := r.p.get("status")
	picked := slices.DeleteFunc(slices.Clone(r.n.world.tickets), func(t Ticket) bool { return status != "" && status != t.Status })
	return r.list("tickets", len(picked), func(i int) { r.ticketRecord(&picked[i]) })
}

// ticket is GET /3.0/admin/ticket/{id}.
func (r *request) ticket() error {
	i := slices.IndexFunc(r.n.world.tickets, func(t Ticket) bool { return t.ID == r.id })
	if i < 0 {
		return errNotFound
	}
	return r.one("ticket", func() { r.ticketRecord(&r.n.world.tickets[i]) })
}
