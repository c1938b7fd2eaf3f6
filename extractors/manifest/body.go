package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/strictyaml"
)

// BodyPart is a piece of a body: literal text if Placeholder is empty.
type BodyPart struct {
	Placeholder Placeholder
	Text        string
	// Quoted says that the placeholder stands inside the quotes of a string, together
	// with whatever else is in it; else it stands for a value of its own.
	Quoted bool
	// Texts says that {items} stood alone in quotes: its list is one of strings.
	Texts bool
}

// Body is the JSON of a request with placeholders in it.
//
// Inside quotes they are written as JSON strings are. Without quotes {items} and {slices} are
// a list, whose values are numbers where they look like it, as {item} and the unix times
// are; a list in quotes of its own, "{items}", has strings in it.
type Body []BodyPart

// bodyPlaceholder: keys of JSON are quoted, so that a word in braces is a placeholder.
var bodyPlaceholder = regexp.MustCompile(`\{[a-z][a-zA-Z0-9_.]*\}`)

// ParseBody reads a body. The error says what is no JSON in it.
func ParseBody(text string) (Body, error) {
	text = strings.TrimSpace(text)
	var b Body
	inString, at := false, 0
	scan := func(literal string) {
		for i := 0; i < len(literal); i++ {
			switch {
			case inString && literal[i] == '\\':
				i++
			case literal[i] == '"':
				inString = !inString
			}
		}
		if literal != "" {
			b = append(b, BodyPart{Text: literal})
		}
	}
	for _, found := range bodyPlaceholder.FindAllStringIndex(text, -1) {
		from, to := found[0], found[1]
		scan(text[at:from])
		at = to
		p := Placeholder(text[from+1 : to-1])
		if !p.known() {
			return nil, fmt.Errorf("{%s} is not a placeholder; known are %s, {item.NUMBER}, {credential.NAME} and {variable.NAME}", p, placeholderList())
		}
		part := BodyPart{Placeholder: p, Quoted: inString}
		if inString && p.list() {
			// The quotes around it are those of the values.
			last := len(b) - 1
			if last < 0 || !strings.HasSuffix(b[last].Text, `"`) || !strings.HasPrefix(text[to:], `"`) {
				return nil, fmt.Errorf("{%s} stands for several values and has to stand alone", p)
			}
			b[last].Text = strings.TrimSuffix(b[last].Text, `"`)
			at, inString = to+1, false
			part.Quoted, part.Texts = false, true
		}
		b = append(b, part)
	}
	scan(text[at:])
	if sample := b.expand(func(BodyPart) string { return "1" }); !json.Valid([]byte(sample)) {
		return nil, errors.New("the body is not JSON")
	}
	return b, nil
}

// Expand fills the placeholders with what value gives for them, as it has to stand there.
func (b Body) Expand(value func(BodyPart) string) []byte { return []byte(b.expand(value)) }

func (b Body) expand(value func(BodyPart) string) string {
	var out strings.Builder
	for _, p := range b {
		if p.Placeholder == "" {
			out.WriteString(p.Text)
		} else {
			out.WriteString(value(p))
		}
	}
	return out.String()
}

// list reports whether p stands for several values.
func (p Placeholder) list() bool { return p == Items || p == SliceWords }

// bare are the placeholders that may stand without quotes, beside lists, variables of
// kind number and credentials.
var bare = []Placeholder{Item, WindowHour, WindowFromUnix, WindowToUnix, SinceHour, SinceUnix}

// Uses reports whether a placeholder that the function tells stands in the request; not in what
// an account may give for it.
func (r Request) Uses(is func(Placeholder) bool) bool {
	texts := []string{r.Path}
	for _, sent := range []map[string][]string{r.Query, r.Form} {
		for name, values := range sent {
			texts = append(append(texts, name), values...)
		}
	}
	for _, text := range texts {
		if t, err := ParseTemplate(text); err == nil && t.Uses(is) { // a mistake is said where it is checked
			return true
		}
	}
	body, err := ParseBody(r.Body)
	return err == nil && slices.ContainsFunc(body, func(p BodyPart) bool { return p.Placeholder != "" && is(p.Placeholder) })
}

// checkContent checks what a request sends beside its address.
func (c *checker) checkContent(report reporter, path string, r Request, has scope, used map[Placeholder]bool) {
	switch {
	case r.Method != MethodPost && (r.Body != "" || len(r.Form) > 0):
		report(path+".method", "a body or a form is sent by post")
	case r.Body != "" && len(r.Form) > 0:
		report(path+".body", "a request has a body or a form, not both")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Form)) {
		at := strictyaml.Key(path+".form", name)
		if _, twice := r.Query[name]; twice {
			report(at, "parameter %s is also in the request's query", name)
		}
	}
	c.checkQuery(report, path+".form", r.Form, has, used)
	if r.Body == "" {
		return
	}
	body, err := ParseBody(r.Body)
	if err != nil {
		report(path+".body", "%v", err)
		return
	}
	for _, part := range body {
		p := part.Placeholder
		if p == "" {
			continue
		}
		c.checkPlaceholder(report, path+".body", p, has, used)
		name, variable := p.Variable()
		_, credential := p.Credential()
		switch {
		case part.Quoted, p.list(), credential, slices.Contains(bare, p):
		case variable && c.network.Variables[name].Kind == VariableNumber:
		default:
			report(path+".body", "{%s} is text and has to stand in quotes", p)
		}
	}
}
