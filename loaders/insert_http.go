package loaders

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

const (
	// httpAlive is how often an INSERT that has no block sends an empty one. A server
	// gives a client up that is silent for http_receive_timeout, by default 30 s, and so
	// do proxies; a batch may be silent for longer while it does something else.
	httpAlive = 10 * time.Second
	// httpIdle is how long a connection that nothing was asked over is kept: less than
	// servers (3 s in old versions, now 10 or 30) and proxies do, because a statement
	// that meets a closing connection has failed.
	httpIdle = 2 * time.Second
	// answerMost is how much of an answer to an INSERT is read. It has none but an
	// exception, which the server cuts to 16 KiB.
	answerMost = 64 << 10
	// nativeRevision is the one of Native over HTTP: blocks without info, columns without
	// a flag for their serialization.
	nativeRevision = 0
)

// httpWire is an INSERT over HTTP: one POST, whose body are blocks of Native as they come.
type httpWire struct {
	transport *http.Transport
	request   *http.Request
	// pack compresses a block as the server's own protocol does; nil sends it as it is.
	pack *compress.Writer
	// nothing is a block without rows; alive how often it is sent when there is no other.
	nothing []byte
	alive   time.Duration
}

func (w *Warehouse) httpWire(ctx context.Context, statement string, first proto.Input, settings []ch.Setting) (wire, error) {
	ours, err := w.understood(ctx, storing, bulk, []ch.Setting{{Key: "send_progress_in_http_headers", Value: "0"}})
	if err != nil {
		return nil, err
	}
	h := &httpWire{nothing: header(first, 0), alive: w.alive}
	params := url.Values{
		"query": {statement + " FORMAT Native"}, "query_id": {rand.Text()},
		// The answer is the word that all is stored: it must not begin before.
		"wait_end_of_query": {"1"},
	}
	for _, s := range append(ours, settings...) {
		params.Set(s.Key, s.Value)
	}
	if method, ok := packed[w.bulkCompression()]; ok {
		h.pack = compress.NewWriter(compress.LevelZero, method)
		params.Set("decompress", "1")
	}
	target := url.URL{Scheme: "http", Path: cmp.Or(w.driver.HttpUrlPath, "/"), RawQuery: params.Encode()}
	if w.driver.TLS != nil {
		target.Scheme = "https"
	}
	if err := w.reach(ctx, h, &target); err != nil {
		return nil, err
	}
	h.request, err = http.NewRequest(http.MethodPost, target.String(), nil)
	if err != nil {
		return nil, errDSN // the URL package's words may quote the statement and the user
	}
	h.request.ContentLength = -1 // chunked
	h.request.Close = true       // or the server would read all of the body before it says that it failed
	h.request.Header.Set("Content-Type", "application/octet-stream")
	h.request.Header.Set("User-Agent", w.driver.ClientInfo.String())
	w.identify(h.request)
	return h, nil
}

// packed says which compressions there are for blocks over HTTP.
var packed = map[clickhouse.CompressionMethod]compress.Method{
	clickhouse.CompressionLZ4: compress.LZ4, clickhouse.CompressionZSTD: compress.ZSTD,
}

// identify says who asks, as the driver does: in headers of ClickHouse's own where
// nobody listens, which leaves Basic for a proxy, and by Basic otherwise.
func (w *Warehouse) identify(r *http.Request) {
	a := w.driver.Auth
	user := cmp.Or(a.Username, "default")
	switch {
	case w.driver.TLS == nil:
		r.SetBasicAuth(user, a.Password)
	case a.Password != "":
		r.Header.Set("X-ClickHouse-User", user)
		r.Header.Set("X-ClickHouse-Key", a.Password)
		r.Header.Set("X-ClickHouse-SSL-Certificate-Auth", "off")
	default:
		r.Header.Set("X-ClickHouse-User", user)
		r.Header.Set("X-ClickHouse-SSL-Certificate-Auth", "on")
	}
}

// reach makes the transport and completes the target with the first address that answers.
func (w *Warehouse) reach(ctx context.Context, h *httpWire, target *url.URL) error {
	dialer := &net.Dialer{Timeout: w.driver.DialTimeout}
	patient := func(c net.Conn) net.Conn { return &patientConn{Conn: c, patience: w.driver.ReadTimeout} }
	var ready atomic.Pointer[net.Conn]
	h.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if c := ready.Swap(nil); c != nil {
				return patient(*c), nil
			}
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return patient(c), nil
		},
		TLSClientConfig:       w.driver.TLS.Clone(),
		TLSHandshakeTimeout:   w.driver.DialTimeout,
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1.1: one POST, one connection
		ResponseHeaderTimeout: w.driver.ReadTimeout,                                   // from the end of the body
		DisableCompression:    true,
		WriteBufferSize:       64 << 10,
	}
	if w.driver.HTTPProxyURL != nil {
		h.transport.Proxy = http.ProxyURL(w.driver.HTTPProxyURL)
	}
	target.Host = w.driver.Addr[0]
	if proxy, err := h.transport.Proxy(&http.Request{URL: target}); err != nil || proxy != nil {
		return err // only the proxy can say who answers
	}
	var errs []error
	for _, address := range w.driver.Addr {
		target.Host = address
		if target.Port() == "" {
			address = net.JoinHostPort(target.Hostname(), target.Scheme)
		}
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			ready.Store(&c)
			return nil
		}
		errs = append(errs, fmt.Errorf("connecting to %s: %w", address, err))
	}
	return errors.Join(errs...)
}

// patientConn lets what the server said before it closed the connection be read: who is
// refused in the middle of a body learns why instead of that the pipe is broken.
type patientConn struct {
	net.Conn
	// patience bounds how long the server may take none of what is written.
	patience time.Duration
}

func (c *patientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(p), nil // reading ends at once: with the answer or with the same error
	}
	return n, err
}

// stream sends blocks in one POST. It is over when the server has answered, which it may
// do long before the last block, in anger.
func (h *httpWire) stream(ctx context.Context, next func(ctx context.Context, idle <-chan time.Time) (proto.Input, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, pipe := io.Pipe()
	request := h.request.WithContext(ctx)
	request.Body = body
	written := make(chan error, 1)
	go func() {
		err := h.write(ctx, pipe, next)
		_ = pipe.CloseWithError(err) // nil is the end of the body; anything else breaks it off
		written <- err
	}()
	err := h.exchange(request)
	cancel()
	_ = body.CloseWithError(errAnswered) // who is still writing need not
	switch unsent := <-written; {
	case unsent == nil || errors.Is(unsent, errAnswered) && err != nil || errors.Is(unsent, context.Canceled) && err != nil:
		return err
	case errors.Is(unsent, errAnswered) || errors.Is(unsent, context.Canceled):
		return &net.OpError{Op: "post", Net: "http", Err: errAnswered}
	default:
		return unsent // the cause of what became of the exchange
	}
}

var errAnswered = errors.New("the server answered before the INSERT ended")

// write sends blocks as next gives them.
func (h *httpWire) write(ctx context.Context, to io.Writer, next func(ctx context.Context, idle <-chan time.Time) (proto.Input, error)) error {
	alive := time.NewTimer(h.alive)
	defer alive.Stop()
	var buffer proto.Buffer
	for {
		alive.Reset(h.alive)
		block, err := next(ctx, alive.C)
		switch {
		case err == io.EOF:
			return nil
		case err == errIdle:
			buffer.Buf = append(buffer.Buf[:0], h.nothing...)
		case err != nil:
			return err
		default:
			buffer.Reset()
			rows := 0
			if len(block) > 0 {
				rows = block[0].Data.Rows()
			}
			b := proto.Block{Columns: len(block), Rows: rows}
			if err := b.EncodeBlock(&buffer, nativeRevision, block); err != nil {
				return fmt.Errorf("encoding a block: %w", err)
			}
		}
		data := buffer.Buf
		if h.pack != nil {
			if err := h.pack.Compress(data); err != nil {
				return fmt.Errorf("compressing a block: %w", err)
			}
			data = h.pack.Data
		}
		if _, err := to.Write(data); errors.Is(err, io.ErrClosedPipe) {
			return errAnswered // the transport closed the body, because nobody reads on
		} else if err != nil {
			return err
		}
	}
}

// header gives a block without rows. It reads of the columns only what never changes: they
// are the caller's between two blocks.
func header(columns proto.Input, revision int) []byte {
	var b proto.Buffer
	b.PutInt(len(columns))
	b.PutInt(0)
	for _, c := range columns {
		c.EncodeStart(&b, revision)
	}
	return b.Buf
}

// exchange makes the POST and reads the answer.
func (h *httpWire) exchange(request *http.Request) error {
	// Not a Client: it would follow a redirect without the body, and quote the address.
	response, err := h.transport.RoundTrip(request)
	if err != nil {
		return &net.OpError{Op: "post", Net: "http", Err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerMost))
	if refused := refusal(response, text); refused != nil {
		return refused
	}
	if err != nil {
		return &net.OpError{Op: "read", Net: "http", Err: err}
	}
	return nil
}

// sever breaks the connection: stream's context ends, and with it the exchange.
func (h *httpWire) sever() { h.transport.CloseIdleConnections() }

// refusal reads the answer to an INSERT: nothing at all means that it was stored. The
// driver keeps its own reading of exceptions to itself.
func refusal(response *http.Response, text []byte) error {
	if response.StatusCode == http.StatusOK && len(text) == 0 && response.Header.Get(exceptionCode) == "" {
		return nil
	}
	err := exceptionIn(response.Header.Get(exceptionCode), text)
	switch {
	case err == nil:
		err = fmt.Errorf("answer: %q", text)
	case response.StatusCode == http.StatusOK:
		return err
	}
	return &clickhouse.HTTPError{StatusCode: response.StatusCode, Err: err}
}

// exceptionCode is the header in which the server says an exception's code; it has none
// when the answer began before the exception.
const exceptionCode = "X-ClickHouse-Exception-Code"

// exceptionIn gives the exception that an answer tells of, "Code: 241. DB::Exception: ..."
// wherever it begins; nil when it tells of none.
func exceptionIn(code string, text []byte) error {
	_, after, ok := bytes.Cut(text, []byte("Code: "))
	var said string
	if ok {
		said = string(after)
		if digits, rest, ok := strings.Cut(said, ". "); ok {
			code, said = cmp.Or(code, digits), rest
		}
	}
	n, err := strconv.ParseInt(code, 10, 32)
	if err != nil || n <= 0 {
		return nil
	}
	name, message, ok := strings.Cut(said, ": ")
	if !ok || strings.ContainsAny(name, " \r\n") {
		name, message = "DB::Exception", cmp.Or(said, string(text))
	}
	return &clickhouse.Exception{Code: int32(n), Name: name, Message: strings.TrimSpace(message)}
}

// overHTTP has the driver's transport keep connections no longer than servers do, and
// refuses answers in a format that the driver cannot read.
func overHTTP(t *http.Transport) (http.RoundTripper, error) {
	t.IdleConnTimeout = httpIdle
	return nativeOnly{t}, nil
}

// nativeOnly lets answers pass that are in the format Native.
type nativeOnly struct{ *http.Transport }

// errFormat is what a FORMAT clause gets over HTTP; over the native protocol it has no effect.
var errFormat = errors.New("over HTTP a statement must not have a FORMAT clause")

// RoundTrip refuses an answer in another format than the driver asked for.
func (n nativeOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if format := response.Header.Get("X-ClickHouse-Format"); response.StatusCode == http.StatusOK && format != "" && format != "Native" {
		_ = response.Body.Close()
		return nil, errFormat
	}
	return response, nil
}
