package cpasim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

func lightRefusal(status int, message string) *refusal {
	return &refusal{status, message, object{{"errmsg", message}}}
}

// lightStatus gives Traffic Light's code and word.
func (n *Network) lightStatus(s Status) (code int, word string) {
	switch s {
	case Held:
		return n.opt.HeldCode, "held"
	case Approved:
		return 10, "confirmed"
	case Rejected:
		return -10, "canceled"
	case Trash:
		return n.opt.TrashCode, "trash"
	}
	return 0, "in_processing"
}

// trafficLight answers the feed, by ids and by the time of making, and the offers, which
// need no key.
func (r *request) trafficLight() (any, *refusal) {
	r.call.What = r.call.Path
	if r.call.Method != http.MethodGet {
		r.call.Unsafe = true
		return nil, lightRefusal(http.StatusMethodNotAllowed, "method not allowed")
	}
	switch r.call.Path {
	case "/api/offers":
		rows := []object{}
		for _, o := range r.n.offers {
			rows = append(rows, object{{"id", o.ID}, {"title", o.Name}, {"category", "health"}, {"picture_url", ""}, {"description", ""}, {"published_at", r.n.opt.From.Format(time.DateOnly)},
				{"goals", []object{{{"geo", o.Country}, {"landing_price", 39}, {"landing_currency", o.Currency}}}}, {"landings", []int{}}})
		}
		r.call.Records = len(rows)
		return object{{"data", rows}}, nil
	case "/api/lead/feed":
		if r.query.Get("key") != r.n.opt.Key {
			return nil, lightRefusal(http.StatusUnauthorized, "wrong key")
		}
		return r.lightFeed()
	}
	return nil, lightRefusal(http.StatusNotFound, "not found")
}

func (r *request) lightFeed() (any, *refusal) {
	ids := slices.Concat(r.query["id[]"], r.query["id"])
	own := slices.Concat(r.query["id2"], r.query["id2[]"])
	r.call.IDs = slices.Concat(ids, own)
	days := slices.Concat(r.query["date[]"], r.query["date"])
	var from, to time.Time
	for i, text := range days {
		at, err := time.ParseInLocation(time.DateOnly, text, r.n.opt.Zone)
		if err != nil {
			return nil, lightRefusal(http.StatusBadRequest, "date is no day")
		}
		if i == 0 {
			from = at
		} else if to = at; r.query.Get("date_to_with") == "true" {
			to = at.AddDate(0, 0, 1)
		}
	}
	if len(days) == 0 && len(r.call.IDs) == 0 {
		return nil, lightRefusal(http.StatusBadRequest, "neither date nor id")
	}
	rows := []object{}
	for _, l := range r.n.Leads(r.n.opt.Now()) {
		if l.Made.Before(from) || !to.IsZero() && !l.Made.Before(to) || len(ids) > 0 && !slices.Contains(ids, strconv.Itoa(l.ID)) || len(own) > 0 && !slices.Contains(own, l.OwnID) {
			continue
		}
		code, word := r.n.lightStatus(l.Status)
		rows = append(rows, object{{"id", l.ID}, {"id2", l.OwnID}, {"status", word}, {"status_code", code}, {"comment", l.Comment}, {"fee", l.Payout}})
	}
	r.call.Records = len(rows)
	return object{{"count", len(rows)}, {"total", len(rows)}, {"leads", rows}}, nil
}
