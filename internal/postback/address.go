package postback

import (
	"cmp"
	"net/url"
	"strings"

	"syncd/extractors/manifest"
)

// Path is where the receiver stands, before the account's name.
const Path = "/postback/"

// Address gives the addresses to paste into the network's panel, a Tail an event, with
// the token in them. base is where the daemon is reached from outside, without a slash
// at its end. The text of an event that is to be left without an address is empty.
func (a *Account) Address(base string) []manifest.Tail {
	start := base + Path + url.PathEscape(a.Name) + "?" + tokenParam + "=" + url.QueryEscape(a.Token.Reveal())
	tails := Tails(a.network)
	for i := range tails {
		if tails[i].Text != "" {
			tails[i].Text = start + tails[i].Text
		}
	}
	return tails
}

// Tails gives what is put behind the address of an account at a network, by event, each
// with the & before it or empty: the network's own tails, or such as are made of its
// macros. Where it is not known how the network sends a status, each event has an address
// with a fixed word; where nothing is known, {oid} and {status} stand for what has to be
// put in by hand, and are refused as they are.
func Tails(n *manifest.Network) []manifest.Tail {
	p := cmp.Or(n.Postback, &manifest.Postback{})
	var tails []manifest.Tail
	for _, t := range p.Tails {
		if t.Text != "" {
			t.Text = "&" + strings.TrimLeft(t.Text, "&?")
		}
		tails = append(tails, t)
	}
	if len(tails) > 0 {
		return tails
	}
	var text strings.Builder
	macros := macrosOf(&p.Macros)
	if len(macros[fieldOwnID])+len(macros[fieldNetworkID]) == 0 {
		macros[fieldOwnID] = []string{"{oid}"}
	}
	fixed := len(macros[fieldStatus]) == 0 && n.Postback != nil && (len(p.Macros.OID)+len(p.Macros.EID) > 0)
	if len(macros[fieldStatus]) == 0 && !fixed {
		macros[fieldStatus] = []string{"{status}"}
	}
	used := map[string]bool{} // one of the affiliate's parameters carries the id
	for f, list := range macros {
		if len(list) > 0 && !used[list[0]] {
			text.WriteString("&" + canonical[f] + "=" + list[0])
			used[list[0]] = true
		}
	}
	if !fixed {
		return []manifest.Tail{{Event: "Global", Text: text.String()}}
	}
	for _, one := range [...]struct{ event, word string }{{"Approve", "approve"}, {"Cancel", "cancel"}, {"Trash", "trash"}} {
		tails = append(tails, manifest.Tail{Event: one.event, Text: text.String() + "&status=" + one.word})
	}
	return tails
}
