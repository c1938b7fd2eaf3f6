package rest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bodyForm is what a body looks like from its first byte.
type bodyForm int

const (
	formEmpty bodyForm = iota
	formObject
	formMarkup // HTML or XML
	formOther
)

func form(body []byte) bodyForm {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(body) == 0 {
		return formEmpty
	}
	switch body[0] {
	case '{':
		return formObject
	case '<':
		return formMarkup
	}
	return formOther
}

// text gives a raw JSON value as text: a string's content, a number's or word's
// letters, nothing for null.
func text(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return ""
	}
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	return string(raw)
}

// clipped is the most of a network's words that an error quotes, in bytes.
const clipped = 300

// clip makes a network's words fit for one line.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= clipped {
		return s
	}
	cut := clipped
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// scrubShortest is the length below which a credential is not looked for in a
// network's words: it would be found in ordinary ones.
const scrubShortest = 4

// scrubber masks an account's credentials in text that people read.
type scrubber struct{ replacer *strings.Replacer }

func newScrubber(secrets map[string]string) *scrubber {
	var pairs []string
	for _, form := range secretForms(secrets, scrubShortest) {
		pairs = append(pairs, form, mask)
	}
	return &scrubber{strings.NewReplacer(pairs...)}
}

func (s *scrubber) scrub(text string) string { return s.replacer.Replace(text) }

// secretForms gives the credentials of at least the given length as they may
// stand in text: plain, percent-encoded, in XML, and inside JSON with and without escaped
// slashes. The longest come first, so that none is masked in part.
func secretForms(secrets map[string]string, shortest int) []string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) < shortest {
			continue
		}
		inJSON := string(jsonText(secret))
		forms = append(forms, secret, url.QueryEscape(secret), queryEscape(secret), url.PathEscape(secret), inJSON, strings.ReplaceAll(inJSON, "/", `\/`))
		forms = append(forms, xmlForms(secret)...)
	}
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(forms)
}

// jsonText is a text as it stands between the quotes of a JSON string.
func jsonText(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return b[1 : len(b)-1]
}
