package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// OwnURL is the address of a call as an account gives it, the value of Request.URLVariable.
type OwnURL struct {
	// Base is scheme and host, "https://panel.example.com".
	Base  string
	Path  Template
	Query []OwnParameter
}

// OwnParameter is one parameter of an OwnURL, in the order of the address.
type OwnParameter struct {
	Name  string
	Value Template
}

// Uses reports whether a placeholder that the function tells stands in the address.
func (u OwnURL) Uses(is func(Placeholder) bool) bool {
	return u.Path.Uses(is) || slices.ContainsFunc(u.Query, func(p OwnParameter) bool { return p.Value.Uses(is) })
}

// Placeholders gives the placeholders of the address.
func (u OwnURL) Placeholders() []Placeholder {
	var all []Placeholder
	u.Uses(func(p Placeholder) bool { all = append(all, p); return false })
	return all
}

var errOwnURL = errors.New("it is no http or https address such as https://panel.example.com/api/status?key={credential.api_key}&ids={items.joined}")

// ParseURL reads the address of a call that an account gives, a template: in its path
// and in the values of its parameters may stand {item}, {items}, {items.joined},
// {item.NUMBER}, {credential.NAME}, {variable.NAME}, {account.timezone} and the
// placeholders of windows. No error quotes it: it may hold a key in the clear.
func ParseURL(text string) (OwnURL, error) {
	var u OwnURL
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || scheme != "https" && scheme != "http" || strings.ContainsAny(text, "#\\") ||
		strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return u, errOwnURL
	}
	address, query, _ := strings.Cut(rest, "?")
	host, path, _ := strings.Cut(address, "/")
	if parsed, err := url.Parse(scheme + "://" + host); err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.ContainsAny(host, "{}%") {
		return u, errOwnURL
	}
	u.Base = scheme + "://" + host
	var err error
	if u.Path, err = parseOwn("/" + path); err == nil {
		_, err = ParsePath("/" + path)
	}
	if err != nil {
		return u, fmt.Errorf("the path of the address: %w", hideText(err))
	}
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		p := OwnParameter{}
		if p.Name, err = url.QueryUnescape(name); err != nil || p.Name == "" || strings.ContainsAny(p.Name, "{}") {
			return u, errors.New("a parameter of the address has no name that can be sent")
		}
		if p.Value, err = parseOwn(value); err != nil {
			return u, fmt.Errorf("parameter %s of the address: %w", p.Name, hideText(err))
		}
		for i := range p.Value {
			if p.Value[i].Placeholder != "" {
				continue
			}
			// What is escaped in the address is escaped again when it is sent.
			if p.Value[i].Text, err = url.QueryUnescape(p.Value[i].Text); err != nil {
				return u, fmt.Errorf("parameter %s of the address has a percent sign that escapes nothing", p.Name)
			}
		}
		if list := slices.ContainsFunc(p.Value, func(p Part) bool { return p.Placeholder == Items }); list && len(p.Value) > 1 {
			return u, fmt.Errorf("parameter %s of the address: {items} stands for several values and has to stand alone; {items.joined} puts commas between them", p.Name)
		}
		u.Query = append(u.Query, p)
	}
	if u.Path.Uses(func(p Placeholder) bool { return p == Items }) {
		return u, errors.New("{items} stands for several parameters and cannot stand in a path; {items.joined} can")
	}
	return u, nil
}

// errPlaceholder is an unknown placeholder, which is no secret: people mistype names.
type errPlaceholder struct{ error }

// parseOwn reads a template in which only what a call knows may stand.
func parseOwn(text string) (Template, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	for _, part := range t {
		switch p := part.Placeholder; {
		case p.OfExport(), p == SliceWords, p == SinceDay, p == SinceHour, p == SinceUnix:
			return nil, errPlaceholder{fmt.Errorf("{%s} cannot stand in an address of an account", p)}
		}
	}
	return t, nil
}

// hideText gives an error without the text that it quotes.
func hideText(err error) error {
	if known, ok := errors.AsType[errPlaceholder](err); ok {
		return known
	}
	return errors.New("its braces hold no placeholder that is known, or do not fit together, or it has a step in it; known are {item}, {items}, {items.joined}, {credential.NAME}, {variable.NAME}, {account.timezone} and those of windows")
}

// checkURLVariable checks a call whose address the account gives.
func (c *checker) checkURLVariable(report reporter, path string, r Request, has scope, used map[Placeholder]bool) {
	name, at := r.URLVariable, path+".url_variable"
	if r.Path != "" || r.PathVariable != "" || len(r.Query) > 0 || len(r.Empty) > 0 || r.Method != "" || r.Body != "" || len(r.Form) > 0 {
		report(at, "variable %s holds the whole address: nothing else of the request can be given", name)
	}
	c.checkLayout(report, path+".day_layout", r.DayLayout, CheckDayLayout)
	c.checkLayout(report, path+".time_layout", r.TimeLayout, CheckTimeLayout)
	v, ok := c.network.Variables[name]
	switch {
	case !ok:
		c.checkVariable(report, at, name)
		return
	case v.Kind != VariableURL:
		report(at, "variable %s holds an address: give it kind url", name)
		return
	case v.Default == "":
		return
	}
	u, err := ParseURL(v.Default)
	if err != nil {
		return // said of the variable
	}
	if has.item || has.items {
		has.item, has.items = true, true // it says itself whether it asks for one or for several
	}
	for _, p := range u.Placeholders() {
		c.checkPlaceholder(report, at, p, has, used)
	}
}
