package rest

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // what networks ask for; the key is theirs and ours
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"

	"syncd/extractors/manifest"
)

// authorize puts the credentials of a call where the network wants them: in the
// header, or in the query's values.
func (s *Source) authorize(p *plan, header http.Header, query *params) {
	auth := s.network.Auth
	switch {
	case p.login:
		return
	case p.own:
		s.authorizeOwn(p, auth, header)
		return
	}
	if auth.Login != nil {
		s.carry(auth, header, query)
	}
	for i, a := range auth.Parts() {
		if i == 0 && auth.Login != nil && auth.Kind != "" {
			continue // the token was sent in its place
		}
		secret := s.secrets[a.Credential]
		switch a.Kind {
		case manifest.AuthHeader:
			header.Set(a.Name, secret)
		case manifest.AuthBearer:
			header.Set("Authorization", "Bearer "+secret)
		case manifest.AuthBasic:
			r := http.Request{Header: header}
			r.SetBasicAuth(s.secrets[a.User], secret)
		case manifest.AuthQuery:
			query.addHidden(a.Name, secret)
		}
	}
}

// authorizeOwn puts into the header of a call to an account's own address what the
// network wants there. In an address stands what has to stand in it, and one that has a
// credential needs no other.
func (s *Source) authorizeOwn(p *plan, auth manifest.Auth, header http.Header) {
	if p.keyed || auth.Login != nil {
		return
	}
	for _, a := range auth.Parts() {
		switch secret := s.secrets[a.Credential]; {
		case secret == "":
		case a.Kind == manifest.AuthHeader:
			header.Set(a.Name, secret)
		case a.Kind == manifest.AuthBearer:
			header.Set("Authorization", "Bearer "+secret)
		}
	}
}

// carry puts what the login gave where the network wants it: into the query unless the
// auth has another kind.
func (s *Source) carry(auth manifest.Auth, header http.Header, query *params) {
	token := s.session.current()
	for _, name := range slices.Sorted(maps.Keys(auth.Login.Token)) {
		switch auth.Kind {
		case manifest.AuthHeader:
			header.Set(name, token[name])
		case manifest.AuthBearer:
			header.Set("Authorization", "Bearer "+token[name])
		default:
			query.addHidden(name, token[name])
		}
	}
}

// sign adds the signature of a call to the parameters: of the form where there is one.
func (s *Source) sign(p *plan, body []byte, query, form *params) {
	signer := s.network.Auth.Signer
	if signer == nil || p.own || p.login {
		return
	}
	secret := s.secrets[signer.Credential]
	switch signer.Kind {
	case manifest.SignBodyKey:
		query.addHidden(signer.Param, sha1Hex(string(body)+secret))
	case manifest.SignParams:
		signed := query
		if p.form != nil {
			signed = form
		}
		sorted := slices.Clone(*signed)
		slices.SortStableFunc(sorted, func(a, b param) int { return cmp.Compare(a.name, b.name) })
		text, _ := sorted.encode()
		signed.addHidden(signer.Param, sha1Hex(strings.TrimPrefix(text, "?")+secret))
	}
}

// sha1Hex is sha1 in hexadecimal digits.
func sha1Hex(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// authCredentials gives the names of the credentials without which no call can prove who
// asks, in the order in which people read them.
func authCredentials(auth manifest.Auth) []string {
	var names []string
	add := func(list ...string) {
		for _, name := range list {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, a := range append([]manifest.Auth{auth}, auth.Also...) {
		add(a.User, a.Credential)
	}
	if auth.Signer != nil {
		add(auth.Signer.Credential)
	}
	if auth.Login != nil {
		auth.Login.Request.Uses(func(p manifest.Placeholder) bool {
			if name, ok := p.Credential(); ok {
				add(name)
			}
			return false
		})
	}
	return names
}
