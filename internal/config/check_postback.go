package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/strictyaml"
)

// tokenMin is the shortest token of a postback: 16 letters and digits cannot be tried.
const tokenMin = 16

var (
	// tokenText are the characters that stand in an address as they are, so that a
	// panel's own encoding does not change the token.
	tokenText    = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)
	currencyCode = regexp.MustCompile(`^[A-Za-z]{3}$`)
	selects      = regexp.MustCompile(`(?i)^\s*(SELECT|WITH)\s`)

	// statusWords are schema's, but for unknown: nobody has to say that.
	statusWords = []string{"approved", "pending", "hold", "rejected", "trash"}
)

func (k *checker) postback(p Postback, path string) {
	if p.IsZero() {
		if k.Has(path + ".token") {
			k.report(path+".token", "empty")
		}
		return
	}
	switch text := p.Token.Reveal(); {
	case text == "":
		k.report(path+".token", "missing; without it nothing is received. Make one with: openssl rand -hex 16")
	case len(text) < tokenMin || !tokenText.MatchString(text):
		k.report(path+".token", "shorter than %d characters, or with others than letters, digits and -._~, which an address changes", tokenMin)
	}
	for _, word := range slices.Sorted(maps.Keys(p.Statuses)) {
		at := strictyaml.Key(path+".statuses", word)
		if strings.TrimSpace(word) == "" {
			k.report(at, "a status without a word is not taken")
		}
		k.word(at, p.Statuses[word], statusWords)
	}
	if p.Currency != "" && !currencyCode.MatchString(p.Currency) {
		k.report(path+".currency", "%q is not a code of three letters, such as USD", p.Currency)
	}
}

func (k *checker) openIDs(o OpenIDs, path string) {
	switch {
	case o.Query != "" && o.File != "":
		k.report(path+".file", "query and file exclude each other; one list of leads is read")
	case o.IsZero():
		if k.Has(path) {
			k.report(path, "neither query nor file is given; one of them names the leads")
		}
		return
	case o.Query != "" && !selects.MatchString(o.Query):
		k.report(path+".query", "not a query that begins with SELECT or WITH; the warehouse is only read")
	}
	k.atLeast(path+".every", o.Every, everyMin)
}
