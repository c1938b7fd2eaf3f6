package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestErrors(t *testing.T) {
	type test struct {
		options   Options
		handler   http.HandlerFunc
		kind      Kind
		retryable bool
		text      string
		is        error
	}
	tooLong := strings.Repeat("x", 2000)
	for name, tt := range map[string]test{
		"a body shorter than announced is torn": {
			handler: raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"),
			kind:    KindTorn, retryable: true, text: "torn", is: io.ErrUnexpectedEOF,
		},
		"a chunked body without its end is torn": {
			handler: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n"),
			kind:    KindTorn, retryable: true, is: io.ErrUnexpectedEOF,
		},
		"a compressed body without its end is torn": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				io.WriteString(z, tooLong)
				z.Close()
				w.Header().Set("Content-Encoding", "gzip")
				w.Write(b.Bytes()[:b.Len()-9])
			},
			kind: KindTorn, retryable: true,
		},
		"an announced length over the cap is refused before the body": {
			options: Options{MaxBody: 1000},
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "1001")
				io.WriteString(w, tooLong[:1001])
			},
			kind: KindTooLarge, text: "1000 bytes", is: ErrTooLarge,
		},
		"a chunked body over the cap is refused": {
			options: Options{MaxBody: 1000},
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.(http.Flusher).Flush()
				io.WriteString(w, tooLong)
			},
			kind: KindTooLarge, is: ErrTooLarge,
		},
		"a small body that decompresses over the cap is refused": {
			options: Options{MaxBody: 1 << 20},
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				for range 64 {
					z.Write(make([]byte, 1<<20))
				}
				z.Close()
			},
			kind: KindTooLarge, is: ErrTooLarge,
		},
		"a connection closed without an answer may be retried": {
			handler: raw(""), kind: KindConnection, retryable: true, text: "without an answer",
		},
		"a reset connection may be retried": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				conn, _, _ := w.(http.Hijacker).Hijack()
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			},
			kind: KindConnection, retryable: true, text: "reset",
		},
		"an answer that is not HTTP is not quoted": {
			handler: raw(marker + " " + marker + "\r\n\r\n"), kind: KindConnection, retryable: true,
		},
		"a location that is no URL is not quoted": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://a b/?"+marker)
				w.WriteHeader(302)
			},
			kind: KindConnection, retryable: true,
		},
		"a redirect loop ends": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, r.URL.String(), http.StatusFound)
			},
			kind: KindRedirect, text: "more than 3",
		},
		"a header without end is refused": {
			handler: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(marker, 60_000)),
			kind:    KindConnection, retryable: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var info []Info
			tt.options.OnCall = func(i Info) { info = append(info, i) }
			tr, server := setup(t, tt.options, tt.handler)
			_, err := tr.Do(t.Context(), secretRequest(server.URL))
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %T %v, want an *Error", err, err)
			}
			if e.Kind != tt.kind || e.Retryable() != tt.retryable {
				t.Errorf("got kind %v, retryable %v (%v), want %v, %v", e.Kind, e.Retryable(), err, tt.kind, tt.retryable)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want %q in it", err, tt.text)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v does not wrap %v", err, tt.is)
			}
			noMarker(t, err)
			if len(info) != 1 || info[0].Kind != tt.kind || strings.Contains(fmt.Sprintf("%+v", info), marker) {
				t.Errorf("OnCall was told %+v", info)
			}
		})
	}
}

// noMarker looks for the marker in every form in which an error may be printed,
// down to its last cause.
func noMarker(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			if text := fmt.Sprintf(verb, err); strings.Contains(text, marker) {
				t.Errorf("%T printed with %s holds the marker: %s", err, verb, text)
			}
		}
	}
}

func TestErrorsWithoutAServer(t *testing.T) {
	refused := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	}()
	dialing := func(err error) Options {
		return Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: err}
		}}
	}
	dns := dialing(&net.DNSError{Err: "no such host", Name: "gone.example", IsNotFound: true})
	for name, tt := range map[string]struct {
		options Options
		url     string
		kind    Kind
	}{
		"no connection in time is a timeout":            {options: dialing(os.ErrDeadlineExceeded), url: "http://slow.example", kind: KindTimeout},
		"no way to the network is an error of its own":  {options: dialing(os.NewSyscallError("connect", syscall.ENETUNREACH)), url: "http://far.example", kind: KindConnection},
		"a port where nothing listens is refused":       {url: refused, kind: KindRefused},
		"a name that does not exist is a DNS error":     {options: dns, url: "http://gone.example", kind: KindDNS},
		"a URL with a broken escape is invalid":         {url: "http://example.com/%zz" + marker, kind: KindInvalid},
		"a URL with a broken port is invalid":           {url: "http://example.com:" + marker, kind: KindInvalid},
		"a URL without a host is invalid":               {url: "http://", kind: KindInvalid},
		"a URL of another scheme is invalid":            {url: "ftp://example.com", kind: KindInvalid},
		"a name with a secret in it gives no more text": {url: refused + "/" + marker, kind: KindRefused},
	} {
		t.Run(name, func(t *testing.T) {
			tr := New(tt.options)
			defer tr.Close()
			request := secretRequest(tt.url)
			if tt.kind == KindInvalid {
				request.URL = tt.url
			}
			_, err := tr.Do(t.Context(), request)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != tt.kind {
				t.Fatalf("got %v (%+v), want kind %v", err, e, tt.kind)
			}
			if e.Unreached() != (tt.kind != KindInvalid) {
				t.Errorf("unreached: %v", e.Unreached())
			}
			noMarker(t, err)
		})
	}
}

func TestHeaderValueThatCannotBeSentIsNotQuoted(t *testing.T) {
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {})
	_, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL, Header: http.Header{"Api-Key": {marker + "\n"}}})
	if err == nil {
		t.Fatal("a header value with a line break was sent")
	}
	noMarker(t, err)
}

func TestUntrustedCertificateIsATLSError(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	tr := New(Options{})
	defer tr.Close()
	_, err := tr.Do(t.Context(), secretRequest(server.URL))
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindTLS {
		t.Errorf("got %v, want a TLS error", err)
	}
	noMarker(t, err)
}
