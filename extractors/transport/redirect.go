package transport

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxRedirects is how many redirects a call follows. An API answers at once or
// after one (a download from storage); three leaves room for a moved host.
const maxRedirects = 3

// redirectError says why a redirect was not followed. It has no path or query.
type redirectError struct{ reason string }

func (e *redirectError) Error() string { return e.reason }

// checkRedirect decides whether a redirect is followed and with which header.
//
// net/http takes Authorization and cookies off on the way to another domain, but
// not an API key in a header of the network's own, and sends the previous URL,
// query and all, as the referer. So here everything that the caller set goes,
// but for Accept, and the referer goes always. Once a call has left its host it
// gets no credentials back, not even if it is sent home again.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	r.Header.Del("Referer")
	switch {
	case postsOf(r.Context()):
		// It would go on as a GET, without what it asks for.
		return &redirectError{"a call by POST, or one that creates an export, was redirected"}
	case len(via) > maxRedirects:
		return &redirectError{fmt.Sprintf("redirected more than %d times", maxRedirects)}
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return &redirectError{"redirected from https to " + schemeOf(r.URL)}
	}
	left := !sameHost(first.URL, r.URL)
	for _, v := range via[1:] {
		left = left || !sameHost(first.URL, v.URL)
	}
	if left {
		for name := range r.Header {
			if name != "Accept" {
				r.Header.Del(name)
			}
		}
		return nil
	}
	keepCookies(r, via)
	return nil
}

// keepCookies sends what the redirects of one call set: there are hosts that answer a
// stranger with a cookie and their own address again. No cookie outlives its call.
func keepCookies(r *http.Request, via []*http.Request) {
	r.Header.Del("Cookie")
	kept := map[string]*http.Cookie{}
	for _, hop := range append(slices.Clone(via), r) {
		if hop.Response == nil {
			continue
		}
		for _, c := range hop.Response.Cookies() {
			kept[c.Name] = c
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		r.AddCookie(kept[name])
	}
}

// sameHost reports whether b may have the credentials meant for a: the same host
// and port, or the same host's https where a was plain http.
func sameHost(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == b.Scheme {
		return portOf(a) == portOf(b)
	}
	return a.Scheme == "http" && b.Scheme == "https" && portOf(a) == "80" && portOf(b) == "443"
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// schemeOf names a scheme that may come from a hostile Location.
func schemeOf(u *url.URL) string {
	if u.Scheme == "http" {
		return "http"
	}
	return "another scheme"
}
