package cpasim

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

var terraWords = map[Status]string{Waiting: "accept", Held: "expect", Approved: "confirm", Rejected: "reject", Trash: "trash"}

func terraRefusal(status int, message string) *refusal {
	return &refusal{status, message, object{{"status", "error"}, {"error", message}}}
}

// terraLeads answers POSTs of {"user_id": N, "data": {...}} whose exact bytes are signed.
// A wrong signature is an error inside a 200.
func (r *request) terraLeads() (any, *refusal) {
	model, ok := strings.CutPrefix(r.call.Path, "/api/")
	if !ok || r.call.Method != http.MethodPost {
		return nil, terraRefusal(http.StatusNotFound, "not found")
	}
	r.call.What = model
	sum := sha1.Sum(append(r.body, r.n.opt.Key...))
	if r.query.Get("check_sum") != hex.EncodeToString(sum[:]) {
		return nil, terraRefusal(http.StatusOK, "wrong check_sum")
	}
	var asked struct {
		User int             `json:"user_id"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(r.body, &asked); err != nil {
		return nil, terraRefusal(http.StatusOK, "the body is no JSON: "+err.Error())
	}
	if asked.User != r.n.opt.User {
		return nil, terraRefusal(http.StatusOK, "unknown user_id "+strconv.Itoa(asked.User))
	}
	switch model {
	case "lead/status":
		return r.terraStatus(asked.Data)
	case "offer/list":
		if r.n.opt.NoOffers {
			return nil, terraRefusal(http.StatusForbidden, "the offers are not enabled for the user")
		}
		return r.terraOffers(), nil
	case "stream/list", "ip/get":
		return object{{"status", "ok"}, {"data", []int{}}}, nil
	}
	r.call.Unsafe = true
	return nil, terraRefusal(http.StatusOK, "unknown method")
}

// terraStatus takes one id, as a number or a text.
func (r *request) terraStatus(data json.RawMessage) (any, *refusal) {
	var lead struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal(data, &lead); err != nil || len(lead.ID) == 0 || lead.ID[0] == '[' {
		return nil, terraRefusal(http.StatusOK, "data.id is missing")
	}
	id := strings.Trim(string(lead.ID), `"`)
	r.call.IDs = []string{id}
	l, ok := r.n.find(false, id)
	if !ok {
		return nil, terraRefusal(http.StatusOK, "lead not found")
	}
	r.call.Records = 1
	return object{{"status", "ok"}, {"data", object{{"id", l.ID}, {"status", terraWords[l.Status]}, {"comment", l.Comment}}}}, nil
}

// terraOffers has one product for every two offers.
func (r *request) terraOffers() any {
	products := []object{}
	for i := 0; i < len(r.n.offers); i += 2 {
		var rows []object
		for _, o := range r.n.offers[i:min(i+2, len(r.n.offers))] {
			rows = append(rows, object{{"offer_id", o.ID}, {"status", "active"}, {"country_code", o.Country}, {"country_name", o.Country},
				{"landing_price", 39}, {"landing_delivery_price", 0}, {"landing_currency", o.Currency}, {"payout", o.Payout}, {"payout_currency", o.Currency}, {"landings", []int{}}})
		}
		r.call.Records += len(rows)
		products = append(products, object{{"product_id", 50 + i}, {"product_name", r.n.offers[i].Name}, {"product_description", ""}, {"product_image", ""}, {"product_category", "health"}, {"offers", rows}})
	}
	return object{{"status", "ok"}, {"data", products}}
}
