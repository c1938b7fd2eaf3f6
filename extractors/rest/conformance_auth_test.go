package rest

import (
	"maps"
	"net/url"
	"slices"

	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
)

// anonymous reports whether a call of the stream has no credential in it.
func anonymous(n *manifest.Network, m *manifest.Stream) bool {
	if m.Request.URLVariable != "" {
		return false
	}
	// A signature says nothing of what it was made with.
	return len(n.Auth.Parts()) == 0 && n.Auth.Login == nil && !m.Request.Uses(func(p manifest.Placeholder) bool { _, ok := p.Credential(); return ok })
}

// unchecked reports whether no other call could tell what a refusal is about.
func unchecked(n *manifest.Network, m *manifest.Stream) bool {
	return m.Request.URLVariable != "" || n.Check.IsZero() && n.Auth.Login == nil
}

// someAddress is the address that an account may give for the calls of a stream.
func someAddress(n *manifest.Network, m *manifest.Stream, baseURL string) string {
	address := baseURL + "/own/0123456789abcdef/" + url.PathEscape(m.Name) + "?plain=a+b%26c&key=" + extractorstest.Marker
	for _, name := range slices.Sorted(maps.Keys(n.Credentials)) {
		address += "&c_" + name + "={credential." + name + "}"
	}
	switch f := m.ForEach; {
	case f == nil:
	case f.Batch > 1:
		address += "&ids={items.joined}&id[]={items}"
	default:
		address += "&id={item}"
	}
	if m.Window != nil {
		address += "&from={window.from_day}&to={window.to_day}"
	}
	return address
}

// somePath is the path that an account may give for the calls of a stream.
func somePath(m *manifest.Stream) string {
	path := "/own/" + url.PathEscape(m.Name)
	if f := m.ForEach; f != nil && f.Batch <= 1 && !m.Request.Uses(func(p manifest.Placeholder) bool { return p == manifest.Item }) {
		path += "/{item}"
	}
	return path
}

// loginOf answers logins as the manifest describes them; nil if there are none.
func loginOf(n *manifest.Network) func(extractorstest.Seen) (extractorstest.Reply, bool) {
	l := n.Auth.Login
	if l == nil {
		return nil
	}
	return func(s extractorstest.Seen) (extractorstest.Reply, bool) {
		u, err := url.Parse(s.Target)
		if err != nil || u.Path != l.Request.Path {
			return extractorstest.Reply{}, false
		}
		for name, values := range l.Request.Query {
			if t, _ := manifest.ParseTemplate(values[0]); len(t) == 1 && t[0].Placeholder == "" && u.Query().Get(name) != values[0] {
				return extractorstest.Reply{}, false // another call to the same path
			}
		}
		root := map[string]any{}
		if n.Success != nil {
			set(root, n.Success.Path, n.Success.Equals[0])
		}
		for _, path := range l.Token {
			set(root, path, extractorstest.TokenMarker)
		}
		return extractorstest.Reply{Body: encode(root)}, true
	}
}
