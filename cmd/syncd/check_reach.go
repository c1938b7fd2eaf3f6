package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/internal/postback"
	"syncd/state"
)

// checkReach says of every account how far syncd gets with its network, and what has to be
// set for more. Networks that everything is public of, and that send nothing, are passed over.
func (a *app) checkReach(only selection, report *checkReport) {
	for _, one := range a.accounts {
		if !only.has(one.config.Name, "") {
			continue
		}
		what := "account " + one.config.Name
		if len(one.source.Streams()) == 0 && one.receiver == nil {
			report.say(what, errors.New(one.network.Reach.Words()+", and nothing can come: "+nothingComes(one.network)), "")
			continue
		}
		if one.network.Postback != nil || one.network.Reach != "" {
			report.note(what, one.reach())
		}
		if one.receiver != nil {
			report.note(what, fmt.Sprintf("takes postbacks at %s%s%s?token=***; syncd networks %s --postback %s prints what to paste",
				publicURL(a.config), postback.Path, one.config.Name, one.network.Name, one.config.Name))
			if one.receiver.Currency == "" && tailSays(one.network, "pay=") && !tailSays(one.network, "cc=") {
				report.note(what, "its postbacks name no currency: set postback.currency, or their amounts have none")
			}
		}
		if !one.config.OpenIDs.IsZero() && !one.asksForLeads() {
			report.note(what, "open_ids names leads, and no stream that is on asks for any")
		}
		if missing := one.missingIDs(); missing != "" {
			report.note(what, missing)
		}
	}
}

// reach is how far syncd gets with the account, in words.
func (a *account) reach() string {
	parts := []string{a.network.Reach.Words()}
	if missing := missingAddresses(a.network, a.config.Variables); len(missing) > 0 && !a.asksForLeads() {
		parts = append(parts, "set "+strings.Join(missing, " or ")+" to have statuses pulled")
	}
	if a.receiver == nil && a.network.Postback != nil {
		parts = append(parts, "postback token missing: set postback.token to receive what it sends")
	}
	return strings.Join(parts, "; ")
}

// nothingComes says what has to be set so that anything comes.
func nothingComes(n *manifest.Network) string {
	ways := append([]string{"postback.token"}, missingAddresses(n, nil)...)
	return "set " + strings.Join(ways, " or ")
}

// missingAddresses names the variables with the addresses of calls about leads that the
// account does not give.
func missingAddresses(n *manifest.Network, given map[string]string) (missing []string) {
	for _, s := range n.Streams {
		for _, name := range []string{s.Request.URLVariable, s.Request.PathVariable} {
			shown := "variables." + name
			if s.Leads && name != "" && given[name] == "" && n.Variables[name].Default == "" && !slices.Contains(missing, shown) {
				missing = append(missing, shown)
			}
		}
	}
	return missing
}

// missingIDs says that the account's calls about leads have nobody who tells the ids which
// they ask for, and what would; empty if somebody does.
func (a *account) missingIDs() string {
	asks, byOwn := false, false
	for _, s := range a.source.Streams() {
		switch {
		case s.ForEach != nil && s.ForEach.OpenLeads != "":
			asks, byOwn = true, byOwn || s.ForEach.OpenLeads == state.ByOwnID
		case slices.ContainsFunc(s.Outputs, func(o extractors.Output) bool { return o.Leads }):
			return "" // it lists them
		}
	}
	switch {
	case !asks || !a.config.OpenIDs.IsZero():
		return ""
	case a.receiver == nil:
		return "statuses are asked of leads that are known, and nothing tells of any: set postback.token or open_ids"
	case byOwn || a.network.Postback == nil:
		return ""
	}
	if tailSays(a.network, "eid=") {
		return ""
	}
	return "statuses are asked by the network's ids, which its postbacks do not tell: name them in open_ids, as lead_id"
}

// tailSays reports whether what is pasted into the network's panel has a parameter.
func tailSays(n *manifest.Network, parameter string) bool {
	return slices.ContainsFunc(postback.Tails(n), func(t manifest.Tail) bool { return strings.Contains(t.Text, parameter) })
}

// asksForLeads reports whether a stream of the account asks for open leads, or lists leads.
func (a *account) asksForLeads() bool {
	for _, s := range a.source.Streams() {
		if s.ForEach != nil && s.ForEach.OpenLeads != "" {
			return true
		}
	}
	return false
}
