package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"syncd/extractors/manifest"
	"syncd/internal/config"
	"syncd/internal/postback"
	"syncd/internal/strictyaml"
)

// unitEntry is a thing that traffic is sent to.
type unitEntry struct {
	Name string `json:"name"`
	Help string `json:"help"`
}

// postbackEntry is what a network sends on its own. Tails are what stands behind an
// account's address, Macros the network's texts by our parameter.
type postbackEntry struct {
	Doc      string              `json:"doc,omitempty"`
	Evidence string              `json:"evidence"`
	Known    bool                `json:"known"` // false: {oid} and {status} have to be replaced by hand
	Tails    []tailEntry         `json:"tails"`
	Macros   map[string][]string `json:"macros,omitempty"`
	Statuses map[string]string   `json:"statuses,omitempty"`
	Currency string              `json:"currency,omitempty"`
}

// tailEntry is the end of an address for one event; an event without a tail is left
// without an address.
type tailEntry struct {
	Event string `json:"event"`
	Tail  string `json:"tail"`
}

func postbackEntryOf(n *manifest.Network) *postbackEntry {
	p := cmp.Or(n.Postback, &manifest.Postback{})
	m := p.Macros
	e := &postbackEntry{
		Doc: p.Doc, Evidence: string(cmp.Or(p.Evidence, n.Evidence)), Statuses: p.Statuses, Currency: p.Currency,
		Known: len(p.Tails) > 0 || len(m.OID)+len(m.EID) > 0, Macros: map[string][]string{},
	}
	for name, list := range map[string][]string{
		"oid": m.OID, "eid": m.EID, "status": m.Status, "pay": m.Pay, "cc": m.CC, "comment": m.Comment, "reason": m.Reason,
		"offer": m.Offer, "goal": m.Goal, "country": m.Country, "time": m.Time, "subs": m.Subs,
	} {
		if len(list) > 0 {
			e.Macros[name] = list
		}
	}
	for _, t := range postback.Tails(n) {
		e.Tails = append(e.Tails, tailEntry{Event: t.Event, Tail: t.Text})
	}
	return e
}

// sends says in a word or two whether it is known how the network sends postbacks.
func (p *postbackEntry) sends() string {
	addresses := 0
	for _, t := range p.Tails {
		if t.Tail != "" {
			addresses++
		}
	}
	switch {
	case !p.Known:
		return "macros by hand"
	case addresses == 1:
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", addresses)
}

// printPostback prints what the network sends, and what to make of it.
func (e *networkEntry) printPostback(out io.Writer) {
	p := e.Postback
	fmt.Fprintln(out, "\npostbacks, to /postback/ACCOUNT?token=TOKEN and behind it:")
	for _, t := range p.Tails {
		fmt.Fprintf(out, "  %s: %s\n", t.Event, cmp.Or(t.Tail, "leave it blank"))
	}
	if !p.Known {
		fmt.Fprintln(out, "  its macros are not public: put those of its panel in the place of {oid} (the id that you sent) and {status}")
	}
	if p.Doc != "" {
		fmt.Fprintf(out, "  how: %s\n", p.Doc)
	}
	if len(p.Macros) > 0 {
		var macros []string
		for _, name := range slices.Sorted(maps.Keys(p.Macros)) {
			joint := " or "
			if name == "subs" {
				joint = " "
			}
			macros = append(macros, name+"="+strings.Join(p.Macros[name], joint))
		}
		fmt.Fprintf(out, "  macros: %s\n", strings.Join(macros, ", "))
	}
	if len(p.Statuses) > 0 {
		fmt.Fprintf(out, "  words: %s\n", wordsText(p.Statuses))
	}
	if p.Currency != "" {
		fmt.Fprintf(out, "  amounts without a currency are %s\n", p.Currency)
	}
	fmt.Fprintf(out, "  syncd networks %s --postback ACCOUNT prints the addresses to paste\n", e.Name)
}

// wordsText prints a network's words by what they mean: "approved: 11; trash: 13".
func wordsText(statuses map[string]string) string {
	byMeaning := map[string][]string{}
	for _, word := range slices.Sorted(maps.Keys(statuses)) {
		byMeaning[statuses[word]] = append(byMeaning[statuses[word]], word)
	}
	var parts []string
	for _, meaning := range slices.Sorted(maps.Keys(byMeaning)) {
		parts = append(parts, meaning+": "+strings.Join(byMeaning[meaning], " "))
	}
	return strings.Join(parts, "; ")
}

// printAddresses prints what is to be pasted into the panel of an account's network, the
// token in it: that is what the command is asked for.
func printAddresses(out io.Writer, a *account, cfg *config.Config) {
	for _, t := range a.receiver.Address(publicURL(cfg)) {
		fmt.Fprintf(out, "%s: %s\n", t.Event, cmp.Or(t.Text, "leave it blank"))
	}
	p := postbackEntryOf(a.network)
	var notes []string
	if p.Doc != "" {
		notes = append(notes, a.network.Title+": "+p.Doc)
	}
	if !p.Known {
		notes = append(notes, "its macros are not public: put those of its panel in the place of {oid} (the id that you sent) and {status}")
	}
	if cfg.HTTP.PublicURL == "" {
		notes = append(notes, "http.public_url is not set, so the addresses begin with http.listen; networks reach them only if that is reached from outside")
	}
	if len(notes) > 0 {
		fmt.Fprintln(out)
	}
	for _, note := range notes {
		fmt.Fprintln(out, note)
	}
}

// addressesOf finds the account whose addresses are asked for.
func (a *app) addressesOf(network, name string) (*account, error) {
	var names []string
	for _, one := range a.accounts {
		names = append(names, one.config.Name)
		if one.config.Name != name {
			continue
		}
		switch {
		case network != "" && one.network.Name != network:
			return nil, &usageError{fmt.Errorf("account %s is at %s, not at %s", name, one.network.Name, network)}
		case one.receiver == nil:
			return nil, &usageError{fmt.Errorf("account %s receives no postbacks: set postback.token beside its credentials; make one with: openssl rand -hex 16", name)}
		}
		return one, nil
	}
	hint := "there are " + strings.Join(names, ", ")
	if s := strictyaml.Suggest(name, names); s != "" {
		hint = "did you mean " + s + "?"
	}
	return nil, &usageError{fmt.Errorf("no account is called %s; %s", name, hint)}
}
