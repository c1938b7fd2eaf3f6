package rest

import (
	"slices"
	"strings"

	"syncd/extractors/manifest"
)

// ownAddress reads the address that an account gives for the calls of a stream, and
// gives the stream as it then asks: the address says whether for one item or for
// several. The result has no items to ask for where the address is wrong.
func (b *builder) ownAddress(stream string, m *manifest.Stream, variables map[string]string) *manifest.Stream {
	name := m.Request.URLVariable
	u, err := manifest.ParseURL(variables[name])
	if err != nil {
		b.wrongVariable(stream, name, "%v", err)
		return m
	}
	one := u.Uses(func(p manifest.Placeholder) bool { return p == manifest.Item })
	many := u.Uses(func(p manifest.Placeholder) bool { return p == manifest.Items || p == manifest.ItemsJoined })
	for _, p := range u.Placeholders() {
		if name, ok := p.Variable(); ok {
			if _, known := b.network.Variables[name]; !known {
				b.wrongVariable(stream, m.Request.URLVariable, "the address has {%s}: %s has no variable of this name%s", p, b.network.Title, suggest(name, b.network.Variables))
			}
		}
		if name, ok := p.Credential(); ok && b.source.secrets[name] == "" {
			b.wrongVariable(stream, m.Request.URLVariable, "the address has {%s}, and the account has no such credential", p)
		}
		if m.Window == nil && strings.HasPrefix(string(p), "window.") {
			b.wrongVariable(stream, m.Request.URLVariable, "the address has {%s}, and the stream has no window", p)
		}
	}
	switch f := m.ForEach; {
	case f == nil && (one || many):
		b.wrongVariable(stream, name, "the address asks for items, and the stream has none")
	case f == nil:
	case one && many:
		b.wrongVariable(stream, name, "the address asks for one item and for several: write either {item} or {items.joined}")
	case len(f.Columns) == 0 && !one && !many:
		b.wrongVariable(stream, name, "the address does not say which ids it asks for: write {item} for one, {items.joined} or {items} for several")
	case one:
		alone, each := *m, *f
		each.Batch = 1
		alone.ForEach = &each
		m = &alone
	}
	return m
}

// addressed compiles an address that an account gives.
func (b *builder) addressed(p *plan, text string) {
	u, err := manifest.ParseURL(text)
	if err != nil {
		return // said by ownAddress
	}
	p.own, p.base, p.path = true, u.Base, u.Path
	p.keyed = u.Uses(func(p manifest.Placeholder) bool { _, ok := p.Credential(); return ok })
	b.keysIn(u)
	for _, q := range u.Query {
		if i := slices.IndexFunc(p.query, func(other parameter) bool { return other.name == q.Name }); i >= 0 {
			p.query[i].values = append(p.query[i].values, q.Value)
			continue
		}
		p.query = append(p.query, parameter{name: q.Name, values: []manifest.Template{q.Value}, empty: true})
	}
}

// plainText reports whether a value says something of its own beside its placeholders:
// what an account writes into an address may be a key in the clear.
func plainText(t manifest.Template) bool {
	return slices.ContainsFunc(t, func(p manifest.Part) bool { return p.Placeholder == "" })
}

// keyShortest is the length from which an element of an account's own path may be a
// key: they have 16 letters and digits at least, names of calls have words.
const keyShortest = 16

// keysIn notes what may be a key in the clear in an address, so that answers that quote it
// are rid of it like of a credential.
func (b *builder) keysIn(u manifest.OwnURL) {
	note := func(text string) {
		if isKey(text) {
			b.source.inClear["address "+text] = text
		}
	}
	for _, part := range u.Path {
		for element := range strings.SplitSeq(part.Text, "/") {
			note(element)
		}
	}
	for _, q := range u.Query {
		for _, part := range q.Value {
			note(part.Text)
		}
	}
}

func isKey(text string) bool {
	return len(text) >= keyShortest && strings.ContainsAny(text, "0123456789")
}

// hideKeys masks what may be a key in the literal text of a path.
func hideKeys(text string) string {
	elements := strings.Split(text, "/")
	for i, e := range elements {
		if isKey(e) {
			elements[i] = mask
		}
	}
	return strings.Join(elements, "/")
}
