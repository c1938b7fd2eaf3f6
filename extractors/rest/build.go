package rest

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"syncd/extractors/manifest"
	"syncd/internal/strictyaml"
)

// builder makes a Source and collects what is wrong with the account.
type builder struct {
	network *manifest.Network
	account Account
	source  *Source
	// readable are the streams of the account's role.
	readable  []*manifest.Stream
	variables map[string]string
	mistakes  Mistakes
}

func newBuilder(n *manifest.Network, a Account) *builder {
	return &builder{network: n, account: a, source: &Source{
		network: n, account: a.Name, location: cmp.Or(a.Location, time.UTC),
		secrets: map[string]string{}, inClear: map[string]string{}, plans: map[string]*plan{}, exporters: map[string]*exporter{},
	}}
}

// wrong records a mistake.
func (b *builder) wrong(path, format string, args ...any) {
	m := Mistake{Path: path, Message: fmt.Sprintf(format, args...)}
	// What an account says once, several streams may find wrong.
	if !slices.Contains(b.mistakes, m) {
		b.mistakes = append(b.mistakes, m)
	}
}

// wrongVariable records a mistake in the value of a variable that a stream uses, unless
// one is known of it: the first says what the value should be.
func (b *builder) wrongVariable(stream, name, format string, args ...any) {
	path := b.variablePath(stream, name)
	if !slices.ContainsFunc(b.mistakes, func(m Mistake) bool { return m.Path == path }) {
		b.wrong(path, format, args...)
	}
}

func (b *builder) build() {
	b.baseURL()
	b.role()
	b.credentials()
	b.variables = b.merge("variables", nil, b.account.Variables)
	b.required()
	b.pii()
	s := b.source
	s.login = b.loginPlan()
	s.check = b.check()
	b.streams()
	secrets := maps.Clone(s.secrets)
	maps.Copy(secrets, s.inClear)
	s.scrubber = newScrubber(secrets)
	s.redactor = newRedactor(b.network, b.account.PII, secrets)
}

// check is the plan of the call that proves the credentials; nil where there is none, or
// the account has not the credentials for it.
func (b *builder) check() *plan {
	check := b.network.Check
	if own, ok := b.network.Checks[b.source.role]; ok {
		check = own
	}
	switch {
	case b.lacksCredential() != "":
		return nil
	case b.source.login != nil:
		return b.source.login
	case check.IsZero():
		return nil
	}
	return b.compile("", &manifest.Stream{Request: check, Paging: manifest.Paging{Kind: manifest.PagingNone}}, b.variables)
}

// lacksCredential gives the first credential that the network's auth needs and the account
// does not give; empty if there is none. Required ones were complained of.
func (b *builder) lacksCredential() string {
	for _, name := range authCredentials(b.network.Auth) {
		if b.network.Credentials[name].Optional && b.source.secrets[name] == "" {
			return name
		}
	}
	return ""
}

func (b *builder) baseURL() {
	text := cmp.Or(b.account.BaseURL, b.network.BaseURL)
	if text == "" && !b.network.Asks() {
		return
	}
	if text == "" {
		b.wrong("base_url", "%s has a host of its own for every customer: give its address", b.network.Title)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		b.wrong("base_url", "it is not an http or https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		b.wrong("base_url", "give the address alone, without user, query or fragment")
	}
	b.source.base = strings.TrimRight(text, "/")
}

func (b *builder) role() {
	roles := b.network.Roles
	role := b.account.Role
	if role == "" && len(roles) > 0 {
		role = roles[0]
	}
	if !slices.Contains(roles, role) {
		b.wrong("role", "%s has no role %q; known are %s%s", b.network.Title, role, strings.Join(roles, ", "), suggestOf(role, roles))
	}
	b.source.role = role
	b.readable = b.network.For(role)
}

func (b *builder) credentials() {
	for _, name := range slices.Sorted(maps.Keys(b.account.Credentials)) {
		path := "credentials." + name
		if _, known := b.network.Credentials[name]; !known {
			b.wrong(path, "%s has no credential of this name%s", b.network.Title, suggest(name, b.network.Credentials))
			continue
		}
		secret := b.account.Credentials[name]
		if secret == nil {
			continue // missing, said below
		}
		value := secret.Reveal()
		if strings.ContainsFunc(value, isControl) {
			b.wrong(path, "it has a line break or another control character in it")
		}
		b.source.secrets[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(b.network.Credentials)) {
		if c := b.network.Credentials[name]; !c.Optional && b.source.secrets[name] == "" {
			b.wrong("credentials."+name, "it is missing: %s", strings.TrimSuffix(c.Help, "."))
		}
	}
	names := authCredentials(b.network.Auth)
	if len(names) == 0 { // they stand in the requests themselves
		names = slices.Sorted(maps.Keys(b.source.secrets))
	}
	for _, name := range names {
		b.source.refused = append(b.source.refused, "credentials."+name)
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// merge gives the variables that hold where given is set over base; a nil base
// stands for the network's defaults.
func (b *builder) merge(path string, base, given map[string]string) map[string]string {
	merged := map[string]string{}
	for name, v := range b.network.Variables {
		merged[name] = v.Default
	}
	maps.Copy(merged, base)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := b.network.Variables[name]; !known {
			b.wrong(path+"."+name, "%s has no variable of this name%s", b.network.Title, suggest(name, b.network.Variables))
			continue
		}
		if strings.ContainsFunc(given[name], isControl) {
			b.wrong(path+"."+name, "it has a line break or another control character in it")
		} else if err := b.network.Variables[name].Wrong(given[name]); err != nil {
			b.wrong(path+"."+name, "%v", err)
		}
		merged[name] = given[name]
	}
	return merged
}

func (b *builder) required() {
	for _, name := range slices.Sorted(maps.Keys(b.network.Variables)) {
		if v := b.network.Variables[name]; v.Required && b.variables[name] == "" {
			b.wrong("variables."+name, "it is missing: %s", strings.TrimSuffix(v.Help, "."))
		}
	}
}

func (b *builder) pii() {
	p := b.account.PII
	for _, mode := range []struct {
		name string
		mode Mode
	}{{"ip", p.IP}, {"email", p.Email}} {
		switch mode.mode {
		case "", Keep, Drop:
		case Hash:
			if p.Key == nil || p.Key.Reveal() == "" {
				b.wrong("pii.key", "pii.%s: hash needs a key", mode.name)
			}
		default:
			b.wrong("pii."+mode.name, "%q is not known; known are keep, hash and drop", mode.mode)
		}
	}
}

// suggest is the end of a message that offers the closest known name.
func suggest[V any](word string, known map[string]V) string {
	return suggestOf(word, slices.Sorted(maps.Keys(known)))
}

func suggestOf(word string, known []string) string {
	if s := strictyaml.Suggest(word, known); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}
