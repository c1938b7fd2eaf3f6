package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
)

var (
	errMethod = errors.New("the method is not allowed: calls read, and only an export may be created")
	errBadURL = errors.New("the URL is not a valid http or https address")
)

type postsKey struct{}

// withPosts marks the context of a call that may be a POST.
func withPosts(ctx context.Context, posts bool) context.Context {
	if !posts {
		return ctx
	}
	return context.WithValue(ctx, postsKey{}, true)
}

func postsOf(ctx context.Context) bool {
	posts, _ := ctx.Value(postsKey{}).(bool)
	return posts
}

// readOnly is the last word on what may be done at a network: whatever a manifest
// or a caller asks for, only reads pass, by POST only those that say so, and the
// creation of an export.
type readOnly struct{ next http.RoundTripper }

func (l readOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodPost && postsOf(r.Context()) {
		return l.next.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, errMethod
}

// userAgent names the program to the network.
type userAgent struct {
	next http.RoundTripper
	name string
}

func (l userAgent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", l.name)
	return l.next.RoundTrip(r)
}

// once keeps http.Transport from repeating a call. It does so by itself for a GET
// on a reused connection that breaks before an answer, and then the network sees
// two calls where the pace allowed one. A request whose body cannot be rewound is
// never repeated, so a call without a body gets an empty one of that kind; on the
// wire there is no difference.
type once struct{ next http.RoundTripper }

func (l once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil && r.Method != http.MethodGet {
		// Only a GET is repeated without more ado; any other call keeps its length of 0,
		// which servers want to see.
		return l.next.RoundTrip(r)
	}
	if r.Body == nil || r.GetBody != nil {
		clone := *r
		clone.GetBody = nil
		if clone.Body == nil {
			clone.Body = emptyBody{}
		}
		r = &clone
	}
	return l.next.RoundTrip(r)
}

// emptyBody is like http.NoBody, which net/http knows and treats as rewindable.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }
