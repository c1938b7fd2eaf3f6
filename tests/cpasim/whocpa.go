package cpasim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// whocpaCode are WhoCPA's statuses; a held lead is an approved one that is not closed.
var whocpaCode = map[Status]int{Waiting: 0, Held: 1, Approved: 1, Rejected: 2, Trash: 3}

const whocpaTime = "2006-01-02T15:04:05"

func whocpaRefusal(status int, message string) *refusal {
	return &refusal{status, message, object{{"error", message}}}
}

// whocpa answers lists: rows in objects, in parts.
func (r *request) whocpa() (any, *refusal) {
	resource, ok := strings.CutPrefix(strings.TrimSuffix(r.call.Path, "/"), "/api/")
	if !ok || r.call.Method != http.MethodGet {
		return nil, whocpaRefusal(http.StatusNotFound, "not found")
	}
	r.call.What = resource
	var rows []object
	switch resource {
	case "offer", "goal", "currency", "geo", "news": // a guest may read them
		rows = r.whocpaDictionary(resource)
	case "lead":
		if r.query.Get("api_key") != r.n.opt.Key {
			return nil, whocpaRefusal(http.StatusForbidden, "wrong api_key")
		}
		var refused *refusal
		if rows, refused = r.whocpaLeads(); refused != nil {
			return nil, refused
		}
	default:
		return nil, whocpaRefusal(http.StatusNotFound, "not found")
	}
	size, page := r.n.opt.PageSize, 1
	for name, into := range map[string]*int{"per_page": &size, r.n.opt.PageParameter: &page} {
		if text := r.query.Get(name); text != "" {
			v, err := strconv.Atoi(text)
			if err != nil || v < 1 {
				return nil, whocpaRefusal(http.StatusBadRequest, name+" is no number")
			}
			*into = v
		}
	}
	from := min((page-1)*size, len(rows))
	rows = rows[from:min(from+size, len(rows))]
	r.call.Records = len(rows)
	return object{{"objects", slices.Concat([]object{}, rows)}}, nil
}

// whocpaLeads are filtered by the time of their making alone: a later decision is seen
// only by who reads the window again.
func (r *request) whocpaLeads() ([]object, *refusal) {
	from, refused := r.whocpaInstant("d_created_from", 0)
	if refused != nil {
		return nil, refused
	}
	to, refused := r.whocpaInstant("d_created_to", 24*time.Hour-time.Second)
	if refused != nil {
		return nil, refused
	}
	ids, own, offer := split(r.query.Get("id")), split(r.query.Get("sale_id")), split(r.query.Get("offer_id"))
	r.call.IDs = slices.Concat(ids, own)
	var rows []object
	for _, l := range r.n.Leads(r.n.opt.Now()) {
		closed := l.Status != Waiting && l.Status != Held
		switch {
		case !from.IsZero() && l.Made.Before(from), !to.IsZero() && l.Made.After(to),
			ids != nil && !slices.Contains(ids, strconv.Itoa(l.ID)), own != nil && !slices.Contains(own, l.OwnID),
			offer != nil && !slices.Contains(offer, strconv.Itoa(l.Offer.ID)),
			r.query.Has("closed") && r.query.Get("closed") != strconv.FormatBool(closed):
			continue
		}
		rows = append(rows, r.whocpaLead(l, closed))
	}
	return rows, nil
}

// whocpaInstant reads a bound, which is a day or a second; a day that ends a window counts
// with all its hours.
func (r *request) whocpaInstant(name string, day time.Duration) (time.Time, *refusal) {
	text := r.query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(whocpaTime, text, r.n.opt.Zone); err == nil {
		return at, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, r.n.opt.Zone)
	if err != nil {
		return at, whocpaRefusal(http.StatusBadRequest, name+" is neither a day nor YYYY-MM-DDTHH:MM:SS")
	}
	return at.Add(day), nil
}

func (r *request) whocpaLead(l Lead, closed bool) object {
	stamp := func(at time.Time) any { return at.In(r.n.opt.Zone).Format(whocpaTime) }
	var decided, approved any
	if closed {
		decided = stamp(l.Changed)
	}
	if l.Status == Approved || l.Status == Held {
		approved = stamp(l.Changed)
	}
	flag := 0
	if closed {
		flag = 1
	}
	return object{
		{"id", l.ID}, {"tid", "t" + l.OwnID}, {"sale_id", l.OwnID}, {"type", 0}, {"is_closed", flag}, {"status", whocpaCode[l.Status]}, {"substatus", l.Comment},
		{"offer_id", l.Offer.ID}, {"goal_id", l.Offer.ID * 10}, {"hold_period", 14}, {"currency_id", 1 + slices.Index(currencies, l.Offer.Currency)},
		{"date_closed", decided}, {"date_approved", approved}, {"date_created", stamp(l.Made)}, {"date_redirect", stamp(l.Made.Add(-time.Minute))},
		{"promo_id", nil}, {"product_id", nil}, {"stock_id", nil}, {"area_id", nil}, {"deeplink_id", nil}, {"landing_id", 3},
		{"subid1", l.Subs[0]}, {"subid2", l.Subs[1]}, {"subid3", l.Subs[2]}, {"subid4", ""}, {"subid5", ""}, {"keyword", ""}, {"ip", "203.0.113.9"},
		{"ua", "Mozilla/5.0"}, {"url_from", ""}, {"cookie_ttl_days", 30}, {"language", "en"}, {"money", l.Payout},
	}
}

func (r *request) whocpaDictionary(resource string) []object {
	var rows []object
	switch resource {
	case "geo":
		for i, code := range countries {
			rows = append(rows, object{{"id", 1 + i}, {"name", code}})
		}
		return rows
	case "news":
		return []object{{{"id", 1}, {"title", "We are open"}, {"text", "<p>Hello</p>"}, {"date_created", r.n.opt.From.In(r.n.opt.Zone).Format(whocpaTime)}}}
	case "currency":
		for i, code := range currencies {
			rows = append(rows, object{{"id", 1 + i}, {"code", code}, {"name", code}})
		}
		return rows
	}
	for _, o := range r.n.offers {
		if resource == "goal" {
			if id := r.query.Get("offer_id"); id == "" || slices.Contains(split(id), strconv.Itoa(o.ID)) {
				rows = append(rows, object{{"id", o.ID * 10}, {"offer_id", o.ID}, {"name", "Order"}, {"payment", o.Payout}, {"money_type", 1},
					{"currency_id", 1 + slices.Index(currencies, o.Currency)}, {"hold_period", 14}, {"is_auto_approve", 0}})
			}
			continue
		}
		rows = append(rows, object{{"id", o.ID}, {"is_approved", 1}, {"is_stopped", 0}, {"name", o.Name}, {"description", "<b>" + o.Name + "</b>"}, {"rules", ""}, {"rating", 4},
			{"url_homepage", "https://whocpa.example.test"}, {"images", []int{}}, {"cookie_ttl_days", 30}, {"date_created", r.n.opt.From.In(r.n.opt.Zone).Format(whocpaTime)}})
	}
	return rows
}
