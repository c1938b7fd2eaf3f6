package manifest

import (
	"fmt"
	"maps"
	"slices"

	"syncd/internal/strictyaml"
)

// checkAuth checks how calls prove who asks. A network whose calls take no proof at
// all, or whose credentials stand in the requests themselves, has no kind of auth.
func (c *checker) checkAuth() {
	a := c.network.Auth
	switch {
	case a.Kind != "":
		c.checkAuthPart("auth", a, a.Login != nil)
	case a.Name != "" || a.Credential != "" || a.User != "":
		c.headf("auth", "auth needs a kind")
	case a.Signer == nil && a.Login == nil && len(a.Also) == 0 && c.network.Asks() && !c.sendsCredentials():
		c.headf("auth", "auth needs a kind: no call has a credential in it")
	}
	for i, also := range a.Also {
		path := strictyaml.Item("auth.also", i)
		if also.Kind == "" {
			c.headf(path, "auth needs a kind")
			continue
		}
		if len(also.Also) > 0 || also.Signer != nil || also.Login != nil {
			c.headf(path, "what is sent beside has no also, signer or login of its own")
		}
		c.checkAuthPart(path, also, false)
	}
	c.checkAuthNames()
	c.checkSigner()
	c.checkLogin()
}

// checkAuthPart checks one credential of a call; with a login what is sent is its token.
func (c *checker) checkAuthPart(path string, a Auth, login bool) {
	switch a.Kind {
	case AuthHeader, AuthQuery:
		switch {
		case login && a.Name != "":
			c.headf(path+".name", "with a login the names are those of its token")
		case !login && a.Name == "":
			c.headf(path, "auth of kind %s needs a name", a.Kind)
		}
	case AuthBearer, AuthBasic:
		if a.Name != "" {
			c.headf(path+".name", "auth of kind %s has no name", a.Kind)
		}
	}
	switch {
	case login && a.Credential != "":
		c.headf(path+".credential", "with a login its token is sent: the credential goes into the login's request")
	case !login:
		c.checkCredential(c.headf, path+".credential", a.Credential)
	}
	switch {
	case a.Kind == AuthBasic && login:
		c.headf(path+".kind", "the token of a login is no user and no password")
	case a.Kind == AuthBasic:
		c.checkCredential(c.headf, path+".user", a.User)
	case a.User != "":
		c.headf(path+".user", "auth of kind %s has no user", a.Kind)
	}
}

// checkAuthNames finds what would be sent twice.
func (c *checker) checkAuthNames() {
	seen := map[string]bool{}
	for _, a := range c.network.Auth.Parts() {
		where := fmt.Sprintf("%s %s", a.Kind, a.Name)
		switch {
		case a.Kind == AuthBearer, a.Kind == AuthBasic:
			where = "header Authorization"
		case a.Name == "":
			continue
		}
		if seen[where] {
			c.headf("auth", "%s is sent twice", where)
		}
		seen[where] = true
	}
}

func (c *checker) checkSigner() {
	s := c.network.Auth.Signer
	if s == nil {
		return
	}
	if s.Kind == "" || s.Param == "" {
		c.headf("auth.signer", "a signer needs a kind, and the param that carries the signature")
	}
	c.checkCredential(c.headf, "auth.signer.credential", s.Credential)
	if c.network.Exports != nil {
		c.headf("auth.signer", "calls about exports are not signed")
	}
	if s.Kind != SignBodyKey {
		return
	}
	if !c.network.Check.IsZero() && c.network.Check.Body == "" && len(c.network.Check.Form) == 0 {
		c.headf("check", "signer %s signs a body, and the request has none", s.Kind)
	}
	for _, st := range c.streams {
		if r := st.Request; !st.skip && r.URLVariable == "" && r.Body == "" && len(r.Form) == 0 {
			st.report(c, "request", "signer %s signs a body, and the request has none", s.Kind)
		}
	}
}

func (c *checker) checkLogin() {
	l := c.network.Auth.Login
	if l == nil {
		return
	}
	const path = "auth.login"
	used := c.checkRequest(c.headf, path+".request", l.Request, scope{})
	if l.Request.URLVariable != "" {
		c.headf(path+".request", "a login goes to the network's own address")
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(p Placeholder) bool { _, ok := p.Credential(); return ok }) {
		c.headf(path+".request", "it has no credential in it: {credential.NAME} is missing")
	}
	if len(l.Token) == 0 {
		c.headf(path, "a login needs token, the paths of what it gives")
	}
	for _, name := range slices.Sorted(maps.Keys(l.Token)) {
		if name == "" || l.Token[name] == "" {
			c.headf(strictyaml.Key(path+".token", name), "a token needs a name and a path")
		}
	}
	if c.network.Auth.Kind == AuthBearer && len(l.Token) > 1 {
		c.headf(path+".token", "auth of kind bearer sends one token")
	}
	if c.network.Exports != nil {
		c.headf(path, "a network with a login has no exports")
	}
}

// sendsCredentials reports whether the requests themselves have a credential in them, or
// the network has none.
func (c *checker) sendsCredentials() bool {
	if len(c.network.Credentials) == 0 {
		return true
	}
	return slices.ContainsFunc(c.streams, func(s located) bool {
		return s.Request.Uses(func(p Placeholder) bool { _, ok := p.Credential(); return ok })
	})
}
