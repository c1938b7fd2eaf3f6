package transport

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// marker stands in every place of a call where a credential may be.
const marker = "MARKER-9f3c"

func secretRequest(base string) Request {
	return Request{
		Method: http.MethodGet, URL: base + "/path-" + marker + "?api_key=" + marker,
		Header: http.Header{"Api-Key": {marker}, "Authorization": {"Bearer " + marker}, "Accept": {"application/json"}},
	}
}

func setup(t *testing.T, o Options, h http.HandlerFunc) (*Transport, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	tr := New(o)
	t.Cleanup(func() { tr.Close(); server.Close() })
	return tr, server
}

// raw answers with bytes that net/http's server would not send, then closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		buf.WriteString(text)
		buf.Flush()
		conn.Close()
	}
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("0123456789", 100_000)
	for name, h := range map[string]http.HandlerFunc{
		"a body of announced length is read whole": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(long)))
			io.WriteString(w, long)
		},
		"a chunked body is read whole": func(w http.ResponseWriter, r *http.Request) {
			for rest := long; rest != ""; rest = rest[min(len(rest), 70_001):] {
				io.WriteString(w, rest[:min(len(rest), 70_001)])
				w.(http.Flusher).Flush()
			}
		},
		"a compressed body is decompressed": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				http.Error(w, "no gzip asked", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, long)
			z.Close()
		},
		"an answer that is an error status is an answer": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			io.WriteString(w, long)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, server := setup(t, Options{}, h)
			for range 3 { // the second and third read into memory of the one before
				got, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL})
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != 200 || string(got.Body) != long {
					t.Fatalf("got status %d and %d bytes, want 200 and %d", got.Status, len(got.Body), len(long))
				}
				got.Release()
			}
		})
	}
}

func TestStatusIsNoError(t *testing.T) {
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, "slow down")
	})
	got, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	if err != nil || got.Status != 429 || got.Header.Get("Retry-After") != "7" || string(got.Body) != "slow down" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMethods(t *testing.T) {
	var calls atomic.Int32
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) { calls.Add(1) })
	for _, tt := range []struct {
		method  string
		creates bool
		allowed bool
	}{
		{"GET", false, true}, {"GET", true, true}, {"POST", true, true},
		{"POST", false, false}, {"PUT", true, false}, {"DELETE", true, false}, {"PATCH", true, false},
		{"HEAD", false, false}, {"get", false, false}, {"", false, false},
	} {
		t.Run(fmt.Sprintf("%q with creates %v", tt.method, tt.creates), func(t *testing.T) {
			before := calls.Load()
			_, err := tr.Do(t.Context(), Request{Method: tt.method, URL: server.URL, Body: []byte("x"), Creates: tt.creates})
			if sent := calls.Load() > before; sent != tt.allowed {
				t.Errorf("sent %v, want %v (%v)", sent, tt.allowed, err)
			}
			if e, ok := errors.AsType[*Error](err); !tt.allowed && (!ok || e.Kind != KindInvalid || e.Retryable()) {
				t.Errorf("got %v, want an error of KindInvalid that is not retried", err)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	type seen struct {
		host   string
		header http.Header
	}
	var mu sync.Mutex
	var got []seen
	var hops map[string]string // host+path to Location
	record := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, seen{r.Host, r.Header.Clone()})
		if to, ok := hops[r.Host+r.URL.Path]; ok {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	plain := httptest.NewServer(http.HandlerFunc(record))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(record))
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	tr := New(Options{
		TLS: &tls.Config{RootCAs: roots},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := plain.Listener.Addr().String()
			if strings.HasSuffix(address, ":443") {
				to = secure.Listener.Addr().String()
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	})
	defer tr.Close()

	for _, tt := range []struct {
		name    string
		hops    map[string]string
		url     string
		creates bool
		keys    []bool // which hops got the credentials
		err     string
	}{
		{"the same host keeps the credentials", map[string]string{"example.com/a": "/b"}, "http://example.com/a", false, []bool{true, true}, ""},
		{"another host gets no credentials", map[string]string{"example.com/a": "http://storage.example.com/b"}, "http://example.com/a", false, []bool{true, false}, ""},
		{"another port gets no credentials", map[string]string{"example.com/a": "http://example.com:8080/b"}, "http://example.com/a", false, []bool{true, false}, ""},
		{"a call sent home by another host gets no credentials", map[string]string{"example.com/a": "http://www.example.com/b", "www.example.com/b": "http://example.com/c"}, "http://example.com/a", false, []bool{true, false, false}, ""},
		{"https of the same host keeps the credentials", map[string]string{"example.com/a": "https://example.com/b"}, "http://example.com/a", false, []bool{true, true}, ""},
		{"https to http is refused", map[string]string{"example.com/a": "http://example.com/b"}, "https://example.com/a", false, []bool{true}, "from https to http"},
		{"a redirected creation is refused", map[string]string{"example.com/a": "/b"}, "http://example.com/a", true, []bool{true}, "creates an export"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			got, hops = nil, tt.hops
			mu.Unlock()
			request := secretRequest("")
			request.URL, request.Creates = tt.url+"?api_key="+marker, tt.creates
			_, err := tr.Do(t.Context(), request)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			noMarker(t, err)
			if len(got) != len(tt.keys) {
				t.Fatalf("got %d hops, want %d", len(got), len(tt.keys))
			}
			for i, s := range got {
				if has := s.header.Get("Api-Key") == marker && s.header.Get("Authorization") != ""; has != tt.keys[i] {
					t.Errorf("hop %d to %s: credentials sent %v, want %v", i, s.host, has, tt.keys[i])
				}
				if !tt.keys[i] && strings.Contains(fmt.Sprint(s.header), marker) {
					t.Errorf("hop %d to %s got the marker: %v", i, s.host, s.header)
				}
				if s.header.Get("Accept") == "" || !strings.HasPrefix(s.header.Get("User-Agent"), "syncd/") {
					t.Errorf("hop %d has header %v", i, s.header)
				}
				if i > 0 && s.header.Get("Referer") != "" {
					t.Errorf("hop %d got a referer", i)
				}
			}
		})
	}
}

// A network that allows one call in five minutes must not see two because the
// first one's connection broke.
func TestACallIsSentOnceOnAReusedConnection(t *testing.T) {
	var calls atomic.Int32
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			io.WriteString(w, "ok")
			return
		}
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	})
	first, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	if err != nil || string(first.Body) != "ok" {
		t.Fatalf("got %q, %v", first.Body, err)
	}
	_, err = tr.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindConnection {
		t.Errorf("got %v, want a connection error", err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("the network saw %d calls, want 2", n)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	var dials atomic.Int32
	tr, server := setup(t, Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	for range 5 {
		if _, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL}); err != nil {
			t.Fatal(err)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("got %d connections for 5 calls, want 1", n)
	}
}

func TestAReleasedBodyIsUsedAgain(t *testing.T) {
	var b buffers
	body, err := b.read(strings.NewReader("first"), 5, 100)
	if err != nil {
		t.Fatal(err)
	}
	where := unsafe.SliceData(body)
	b.put(body)
	for range 100 { // the pool may drop it, and does at random under the race detector
		body, err = b.read(strings.NewReader("again"), 5, 100)
		if err != nil || string(body) != "again" {
			t.Fatalf("got %q, %v", body, err)
		}
		if unsafe.SliceData(body) == where {
			return
		}
		where = unsafe.SliceData(body)
		b.put(body)
	}
	t.Error("no body was ever read into released memory")
}

func TestABodyAtTheCapIsAccepted(t *testing.T) {
	for _, length := range []int64{1000, -1} {
		var b buffers
		body, err := b.read(strings.NewReader(strings.Repeat("x", 1000)), length, 1000)
		if err != nil || len(body) != 1000 {
			t.Errorf("announced as %d: got %d bytes, %v", length, len(body), err)
		}
		if body, err = b.read(strings.NewReader(strings.Repeat("x", 1001)), -1, 1000); !errors.Is(err, ErrTooLarge) {
			t.Errorf("got %d bytes, %v, want ErrTooLarge", len(body), err)
		}
	}
}

// pipeServer serves h on in-memory connections, so that it runs inside a synctest
// bubble. Ended connections end the server.
func pipeServer(t *testing.T, h http.HandlerFunc) func(context.Context, string, string) (net.Conn, error) {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { _ = server.Close(); wg.Wait() })
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		client, remote := net.Pipe()
		select {
		case l.conns <- remote:
			return client, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestTimeouts(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout time.Duration
		handler func(w http.ResponseWriter, r *http.Request)
		want    time.Duration
		text    string
	}{
		"a host that says nothing is given up after the default": {0, func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, 120 * time.Second, "no answer within 120s"},
		"a body that stops half way is given up": {10 * time.Second, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 10 * time.Second, "no answer within 10s"},
		"a body that drips for ever is given up": {1500 * time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-tick.C:
				case <-r.Context().Done():
					return
				}
			}
		}, 1500 * time.Millisecond, "no answer within 1.5s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told Info
				tr := New(Options{Timeout: tt.timeout, Dial: pipeServer(t, tt.handler), OnCall: func(i Info) { told = i }})
				defer tr.Close()
				start := time.Now()
				_, err := tr.Do(t.Context(), secretRequest("http://network.example"))
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Kind != KindTimeout || !e.Timeout() || !e.Retryable() || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v, want a timeout", err)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %q, want %q in it", err, tt.text)
				}
				if got := time.Since(start); got != tt.want || told.Elapsed != tt.want {
					t.Errorf("ended after %v (told %v), want %v", got, told.Elapsed, tt.want)
				}
				noMarker(t, err)
			})
		})
	}
}

func TestACancelledCallNamesTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Options{Dial: pipeServer(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })})
		defer tr.Close()
		stop := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		_, err := tr.Do(ctx, secretRequest("http://network.example"))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindCanceled || e.Retryable() || !errors.Is(err, stop) {
			t.Errorf("got %v, want a cancellation by %v", err, stop)
		}
	})
}
