package cpasim

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

var (
	whocpaWords = map[Status]string{Waiting: "pending", Held: "pending", Approved: "approved", Rejected: "rejected", Trash: "spam"}
	lightWords  = map[Status]string{Waiting: "new", Held: "holded", Approved: "confirmed", Rejected: "canceled", Trash: "trash"}
)

// Address is what one pastes into the network's panel behind base: the network's own
// macros in the parameters that the receiver of AlterCPA takes.
func (n *Network) Address(base string) string {
	tail := map[Face]string{
		KMA:          "oid={data1}&eid={orderid}&status={status}&pay={sum}&cc={currency}&offer={campaignid}&sub1={data2}&sub2={data3}",
		WhoCPA:       "oid={{click_id}}&status={{action_status}}&pay={{goal_value}}&cc={{currency}}",
		TrafficLight: "oid={id2}&eid={id}&status={status}&pay={payout}&cc={payout_currency}&time={created_at}",
		TerraLeads:   "oid={sub_id}&eid={lead_id}&status={status}&pay={payment}&offer={offer_id}",
	}[n.opt.Face]
	if strings.Contains(base, "?") {
		return base + "&" + tail
	}
	return base + "?" + tail
}

// macros are the texts that a network puts into an address. They are escaped as
// parameters are; what it does not know stands as it was written.
func (n *Network) macros(l Lead) []string {
	id, offer := strconv.Itoa(l.ID), strconv.Itoa(l.Offer.ID)
	var list []string
	switch n.opt.Face {
	case KMA:
		list = []string{"{orderid}", id, "{status}", kmaWords[l.Status], "{sum}", l.Payout, "{currency}", l.Offer.Currency, "{campaignid}", offer, "{stream}", l.Flow, "{chan}", l.Flow,
			"{data1}", l.OwnID, "{data2}", l.Subs[0], "{data3}", l.Subs[1], "{data4}", l.Subs[2], "{data5}", "", "{bannerid}", ""}
	case WhoCPA:
		list = []string{"{{click_id}}", l.OwnID, "{{goal_value}}", l.Payout, "{{currency}}", l.Offer.Currency, "{{action_status}}", whocpaWords[l.Status]}
	case TrafficLight:
		list = []string{"{id}", id, "{id2}", l.OwnID, "{created_at}", l.Made.UTC().Format(time.RFC3339), "{status}", lightWords[l.Status], "{payout}", l.Payout, "{payout_currency}", l.Offer.Currency,
			"{sub1}", l.Subs[0], "{sub2}", l.Subs[1], "{sub3}", l.Subs[2]}
	case TerraLeads:
		list = []string{"{lead_id}", id, "{sub_id}", l.OwnID, "{sub_id_1}", l.OwnID, "{status}", terraWords[l.Status], "{payment}", l.Payout, "{offer_id}", offer}
	}
	for i := 1; i < len(list); i += 2 {
		list[i] = url.QueryEscape(list[i])
	}
	return list
}

// fill puts the lead's values in the place of the macros.
func (n *Network) fill(address string, l Lead) string {
	return strings.NewReplacer(n.macros(l)...).Replace(address)
}
