package manifest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/strictyaml"
)

// ownHeaders are made by auth and by the transport; a manifest that sets them would
// send a key where none is looked for, or break the call.
var ownHeaders = []string{
	"Accept-Encoding", "Authorization", "Connection", "Content-Length", "Cookie", "Expect", "Host", "Proxy-Authorization",
	"Range", "Referer", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent",
}

// checkHeaders checks the headers of every call.
func (c *checker) checkHeaders() {
	own := slices.Clone(ownHeaders)
	for _, a := range c.network.Auth.Parts() {
		if a.Kind == AuthHeader {
			own = append(own, http.CanonicalHeaderKey(a.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.network.Headers)) {
		path, value := strictyaml.Key("headers", name), c.network.Headers[name]
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name):
			c.headf(path, "%q is not the name of a header", name)
		case slices.Contains(own, canonical):
			c.headf(path, "header %s is not for a manifest to set: credentials go into auth, the rest is the transport's", canonical)
		case value == "" || strings.ContainsAny(value, "{}") || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			c.headf(path, "the value of a header is a constant in plain letters, without placeholders")
		}
	}
}

// isToken reports whether a name can be that of a header.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '-' && r != '_'
	})
}

// checkAllow checks that a request asks for what the network's list allows.
func (c *checker) checkAllow(report reporter, path string, r Request) {
	allow := c.network.Allow
	if allow == nil || r.URLVariable != "" { // what an account asks for by its own address is its own
		return
	}
	values := r.Query[allow.Param]
	at := strictyaml.Key(path+".query", allow.Param)
	switch {
	case allow.Param == "" || len(allow.Values) == 0:
		c.headf("allow", "a list of what is allowed needs a param and its values")
	case len(values) != 1:
		report(path, "a request has to send %s once, with one of %s", allow.Param, strings.Join(allow.Values, ", "))
	case !slices.Contains(allow.Values, values[0]):
		report(at, "%s=%s is not allowed; allowed are %s", allow.Param, values[0], strings.Join(allow.Values, ", "))
	}
}

// checkSuccess checks a test inside answers; errorText are the paths that hold with it.
func (c *checker) checkSuccess(report reporter, s *Success, errorText []string) {
	if s == nil {
		return
	}
	if s.Path == "" || len(s.Equals) == 0 {
		report("success", "a success test needs a path and the values that it equals")
	}
	if len(errorText) == 0 && len(s.Refused)+len(s.Throttled) > 0 {
		report("success", "words of errors need error_text, the paths where they stand")
	}
	for i, w := range slices.Concat(s.Refused, s.Throttled) {
		switch before := slices.Concat(s.Refused, s.Throttled)[:i]; {
		case strings.TrimSpace(w) == "":
			report("success", "an empty word is in every error")
		case slices.ContainsFunc(before, func(b string) bool { return strings.EqualFold(b, w) }):
			report("success", "%q is listed twice under refused and throttled", w)
		}
	}
}
