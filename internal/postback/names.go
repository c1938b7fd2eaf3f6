package postback

import (
	"slices"
	"strconv"
	"strings"

	"syncd/extractors/manifest"
)

// field is something that a postback may say.
type field int

// The fields. Those from fieldApproved to fieldHold are the tail's own words for a
// status; the affiliate's parameters stand at the end, in their order.
const (
	fieldOwnID field = iota
	fieldNetworkID
	fieldStatus
	fieldApproved
	fieldRejected
	fieldTrash
	fieldPending
	fieldHold
	fieldPay
	fieldCurrency
	fieldComment
	fieldReason
	fieldOffer
	fieldGoal
	fieldCountry
	fieldTime
	fieldSub1
	fields = fieldSub1 + subs
)

// subs is how many of the affiliate's own parameters a row of conversions has.
const subs = 8

// canonical are the parameters of AlterCPA's receiver, for which networks' help pages
// give addresses, and our own for what it does not take.
var canonical = [fields]string{
	"oid", "eid", "status", "sta", "stc", "stt", "stw", "sth", "pay", "cc", "comment", "reason",
	"offer", "goal", "country", "time", "sub1", "sub2", "sub3", "sub4", "sub5", "sub6", "sub7", "sub8",
}

// general are the names that many networks and trackers use, the likeliest first. A name
// that means different things at different networks (id, price, type) is not among them:
// where it is right, the network's manifest says so.
var general = map[field][]string{
	fieldOwnID: {
		"click_id", "clickid", "subid", "sub_id", "own_id", "external_id", "ext_id", "cid",
		"subid1", "sub_id1", "sub_id_1", "aff_sub", "aff_sub1", "aff_click_id",
	},
	fieldNetworkID: {
		"transaction_id", "lead_id", "leadid", "order_id", "orderid", "conversion_id", "conv_id", "convid", "trans_id", "uuid", "guid",
	},
	fieldStatus:   {"status_name", "lead_status", "order_status", "action_status", "conversion_status", "state", "stage"},
	fieldPay:      {"payout", "amount", "sum", "revenue", "money", "profit", "payment", "commission", "reward", "cash"},
	fieldCurrency: {"currency", "currency_code", "payout_currency", "cur"},
	fieldComment:  {"message", "status_comment", "lead_comment"},
	fieldReason:   {"reason_code", "cancel_reason", "reject_reason", "status_reason", "substatus"},
	fieldOffer:    {"offer_id", "offerid"},
	fieldGoal:     {"goal_id", "goalid", "event_id"},
	fieldCountry:  {"country_code", "geo"},
	fieldTime:     {"created_at", "created", "lead_time"},
}

// slot is a field that a parameter may fill, and how sure that is: of the parameters
// of a call the one with the least rank counts.
type slot struct {
	field field
	rank  int
}

// The ranks. A parameter within an object of a JSON body stands behind all others: the
// same word outside is the call's own.
const (
	rankCanonical = 0
	rankMacro     = 1
	rankGeneral   = 100
	rankNested    = 1000
)

// names gives what the parameters of a network's postbacks may fill: the canonical ones,
// the names of its own macros, and general ones that the network has no other use for.
func names(macros *manifest.Macros) map[string][]slot {
	found := map[string][]slot{}
	add := func(name string, f field, rank int) {
		if !slices.ContainsFunc(found[name], func(s slot) bool { return s.field == f }) {
			found[name] = append(found[name], slot{f, rank})
		}
	}
	for f, name := range canonical {
		add(name, field(f), rankCanonical)
	}
	taken := map[string]bool{}
	for f, list := range macrosOf(macros) {
		for i, macro := range list {
			add(bare(macro), field(f), rankMacro+i)
			taken[bare(macro)] = true
		}
	}
	for f, list := range general {
		for i, name := range list {
			if !taken[name] {
				add(name, f, rankGeneral+i)
			}
		}
	}
	for i := range subs {
		for _, form := range []string{"sub_id", "sub_id_", "subid", "aff_sub", "data", "sid"} {
			if name := form + strconv.Itoa(i+1); !taken[name] {
				add(name, fieldSub1+field(i), rankGeneral)
			}
		}
	}
	return found
}

// macrosOf gives a network's macros by field.
func macrosOf(m *manifest.Macros) (all [fields][]string) {
	if m == nil {
		return all
	}
	for f, list := range map[field][]string{
		fieldOwnID: m.OID, fieldNetworkID: m.EID, fieldStatus: m.Status, fieldPay: m.Pay, fieldCurrency: m.CC,
		fieldComment: m.Comment, fieldReason: m.Reason, fieldOffer: m.Offer, fieldGoal: m.Goal, fieldCountry: m.Country, fieldTime: m.Time,
	} {
		all[f] = list
	}
	for i, macro := range m.Subs[:min(len(m.Subs), subs)] {
		all[int(fieldSub1)+i] = []string{macro}
	}
	return all
}

// bare is the name of a macro without what marks it as one: "{{click_id}}", "[status]".
func bare(macro string) string { return strings.ToLower(strings.Trim(macro, "{}[]")) }
