package transport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Defaults of Options.
const (
	// TimeoutDefault bounds a call from its first byte out to the last byte of the body in.
	TimeoutDefault = 120 * time.Second
	// MaxBodyDefault is the most that a body may be, in bytes, decompressed.
	MaxBodyDefault = 64 << 20
)

const (
	// dialTimeout is much shorter than a call's: a host that does not answer a
	// SYN for so long will not do so in the rest of the call either.
	dialTimeout = 30 * time.Second
	// idleTimeout is below what common servers keep (nginx 75 s, Apache and most
	// balancers 60 s), so that it is we who close an idle connection and a call
	// does not meet a connection that the other side is just closing.
	idleTimeout = 45 * time.Second
	// maxHeaderBytes is what an answer's header may be; a real one has under 4 KiB.
	maxHeaderBytes = 256 << 10
)

// Options configure a Transport. The zero value is ready for use.
type Options struct {
	// Timeout bounds one call including its body and its redirects; zero means TimeoutDefault.
	Timeout time.Duration
	// MaxBody is the largest accepted body in bytes, after decompression; zero
	// means MaxBodyDefault.
	MaxBody int64
	// Version is the program's, for the user agent "syncd/<version>"; empty means "dev".
	Version string
	// Parallel is how many calls go to one host at once, and so how many idle
	// connections are worth keeping; zero means 1. It does not limit calls.
	Parallel int
	// OnCall, if set, is told of every call when it has ended, in the calling
	// goroutine. It may be called from several goroutines at once.
	OnCall func(Info)
	// Dial replaces the dialing of TCP connections; nil means the network's own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is the configuration of TLS connections; nil means Go's defaults.
	TLS *tls.Config
}

// Info is what OnCall is told of a call; nothing in it is secret.
type Info struct {
	Method string
	// Host is the host and port that was called first, before any redirect.
	Host string
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Received is the size of the body in bytes, after decompression, as far as it was read.
	Received int64
	// Elapsed is the time from the call's start to its end.
	Elapsed time.Duration
	// Kind is the kind of the call's error; 0 when it got an answer, whatever its status.
	Kind Kind
}

// Request is one call.
type Request struct {
	// Method is GET; POST is allowed only where Creates or Reads is set. No other method is
	// ever sent.
	Method string
	URL    string
	// Header is sent as it is, plus User-Agent and Accept-Encoding. It is not changed.
	Header http.Header
	Body   []byte
	// Creates says that the call creates an export at the network, the one kind
	// of call that is not a read.
	Creates bool
	// Reads says that a POST only reads: what it asks for stands in its body.
	Reads bool
}

// Response is an answer, whatever its status.
type Response struct {
	Status int
	Header http.Header
	// Body is the whole body, decompressed.
	Body []byte

	buffers *buffers
}

// Release gives the body's memory back for the next call. It need not be called;
// after it, the bytes of Body must not be used.
func (r *Response) Release() {
	if r.buffers != nil {
		r.buffers.put(r.Body)
	}
	r.Body, r.buffers = nil, nil
}

// Transport makes calls. There is one for each account, so that accounts share
// neither connections nor limits. It is safe for concurrent use.
type Transport struct {
	client *http.Client
	// files is the client of downloads: the same connections, other redirects.
	files   *http.Client
	base    *http.Transport
	timeout time.Duration
	maxBody int64
	onCall  func(Info)
	buffers buffers
}

// New makes a Transport. The layers of a call, from the outside in:
//
//  1. Do: the deadline, the size cap, typed and redacted errors, OnCall.
//  2. checkRedirect: at most 3, never from https to http, no credentials to
//     another host, none at all for a POST.
//  3. readOnly: refuses every method but GET (and POST, for a call that creates or
//     says that it reads).
//  4. userAgent: names the program.
//  5. once: keeps net/http from sending a call a second time by itself.
//  6. http.Transport: connections, TLS, gzip. HTTP/1.1 only: an account makes one
//     call at a time or a few, so HTTP/2 brings nothing, and a dead HTTP/2
//     connection is noticed only by a timeout.
func New(o Options) *Transport {
	parallel := cmp.Or(o.Parallel, 1)
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	base := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        o.TLS,
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConnsPerHost:    parallel,
		MaxIdleConns:           2 * parallel, // the API's host and an export's
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		// An empty, non-nil map is how net/http is told to speak HTTP/1.1 only.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	var chain http.RoundTripper = base
	chain = once{chain}
	chain = userAgent{next: chain, name: "syncd/" + cmp.Or(o.Version, "dev")}
	chain = readOnly{chain}
	return &Transport{
		client:  &http.Client{Transport: chain, CheckRedirect: checkRedirect},
		files:   &http.Client{Transport: chain, CheckRedirect: checkFileRedirect},
		base:    base,
		timeout: cmp.Or(o.Timeout, TimeoutDefault),
		maxBody: cmp.Or(o.MaxBody, MaxBodyDefault),
		onCall:  o.OnCall,
	}
}

// Close closes the idle connections. Calls under way are not disturbed.
func (t *Transport) Close() { t.base.CloseIdleConnections() }

// Do makes one call and reads its answer to the end. Every answer that arrived
// whole is a Response, whatever its status; the error is an *Error in all other
// cases. A cancelled ctx gives an *Error of KindCanceled that wraps the context's cause.
func (t *Transport) Do(ctx context.Context, r Request) (Response, error) {
	start := time.Now()
	info := Info{Method: r.Method}
	resp, err := t.do(ctx, r, &info)
	info.Elapsed = time.Since(start)
	if err != nil {
		info.Kind = err.Kind
	}
	if t.onCall != nil {
		t.onCall(info)
	}
	if err != nil {
		return Response{}, err
	}
	return resp, nil
}

func (t *Transport) do(ctx context.Context, r Request, info *Info) (Response, *Error) {
	u, parseErr := url.Parse(r.URL)
	if parseErr != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// What the parser says quotes the URL, so it is not passed on.
		return Response{}, &Error{Kind: KindInvalid, Method: r.Method, Err: errBadURL}
	}
	info.Host = u.Host

	call, cancel := context.WithTimeoutCause(withPosts(ctx, r.Creates || r.Reads), t.timeout, &timeoutError{after: t.timeout})
	defer cancel()
	fail := func(err error) *Error { return newError(ctx, call, r.Method, u.Host, err) }

	req := &http.Request{
		Method: r.Method, URL: u, Host: u.Host, Header: r.Header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if len(r.Body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(r.Body)), int64(len(r.Body))
	}
	resp, err := t.client.Do(req.WithContext(call))
	if err != nil {
		// A refused redirect comes with its answer, whose body is closed already.
		if resp != nil {
			info.Status = resp.StatusCode
		}
		return Response{}, fail(err)
	}
	defer resp.Body.Close()
	info.Status = resp.StatusCode

	body, err := t.buffers.read(resp.Body, resp.ContentLength, t.maxBody)
	info.Received = int64(len(body))
	if err != nil {
		t.buffers.put(body)
		return Response{}, fail(err)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: body, buffers: &t.buffers}, nil
}
