package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// content is a file that is longer than any buffer on the way.
var content = []byte("id,name\n" + strings.Repeat("1,somebody with a name\n", 60_000))

// storage serves content with an ETag and takes ranges; what it is asked is kept.
type storage struct {
	mu      sync.Mutex // guards what follows
	etag    string
	content []byte
	asked   []*http.Request
	// cut, if it is positive, ends the next answer after so many bytes of its body.
	cut int
	// hold keeps a cut answer open until the caller has gone.
	hold bool
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	body, etag, cut, hold, status := s.content, s.etag, s.cut, s.hold, http.StatusOK
	s.cut = 0
	s.mu.Unlock()
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && (r.Header.Get("If-Range") == "" || r.Header.Get("If-Range") == etag) {
		n, err := strconv.Atoi(strings.TrimSuffix(from, "-"))
		if err != nil || n >= len(body) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", n, len(body)-1, len(body)))
		body, status = body[n:], http.StatusPartialContent
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if cut > 0 {
		_, _ = w.Write(body[:cut])
		w.(http.Flusher).Flush()
		if hold {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// change changes the storage between two calls.
func (s *storage) change(f func(*storage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// calls gives what was asked so far.
func (s *storage) calls() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func setupStorage(t *testing.T, s *storage) (*Transport, DownloadRequest) {
	t.Helper()
	server := httptest.NewServer(s)
	tr := New(Options{})
	t.Cleanup(func() { tr.Close(); server.Close() })
	return tr, DownloadRequest{URL: server.URL + "/" + marker + "?signature=" + marker, Path: filepath.Join(t.TempDir(), "file.part")}
}

func wantFile(t *testing.T, r DownloadRequest, want []byte) {
	t.Helper()
	got, err := os.ReadFile(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the file has %d bytes that are not the %d wanted", len(got), len(want))
	}
	wantNothing(t, r.Path+markSuffix)
}

func wantNothing(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there (%v), want nothing", filepath.Base(path), err)
	}
}

func wantKind(t *testing.T, err error, kind Kind) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != kind {
		t.Errorf("got %v, want an error of kind %s", err, kind)
	}
	noMarker(t, err)
}

func TestDownload(t *testing.T) {
	s := &storage{etag: `"one"`, content: content}
	tr, r := setupStorage(t, s)
	var told int64
	r.Size, r.Progress = int64(len(content)), func(n int64) { told = n }
	size, err := tr.Download(t.Context(), r)
	if err != nil || size != int64(len(content)) || told != size {
		t.Fatalf("got %d bytes, %d told, %v; want %d", size, told, err, len(content))
	}
	wantFile(t, r, content)
	h := s.calls()[0].Header
	if len(s.calls()) != 1 || h.Get("Accept-Encoding") != "identity" || !strings.HasPrefix(h.Get("User-Agent"), "syncd/") || h.Get("Range") != "" {
		t.Errorf("asked %d times, with %v", len(s.calls()), h)
	}
}

func TestBrokenDownloadGoesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		// between changes the storage after the download broke.
		between func(*storage)
		etag    string
		ranges  []string
	}{
		"behind what is there": {etag: `"one"`, ranges: []string{"", "bytes=100000-"}},
		"from the beginning, if the file is another by now": {
			etag: `"one"`, ranges: []string{"", "bytes=100000-"},
			between: func(s *storage) { s.etag, s.content = `"two"`, bytes.ToUpper(content) },
		},
		"from the beginning, if nothing tells whether the file is the same": {ranges: []string{"", ""}},
		"from the beginning, if the ETag promises no equal bytes":           {etag: `W/"one"`, ranges: []string{"", ""}},
		"from the beginning, if the file is shorter than what is there": {
			etag: `"one"`, ranges: []string{"", "bytes=100000-", ""},
			between: func(s *storage) { s.content = content[:50_000] },
		},
		"from the beginning, if its length is another under the same ETag": {
			etag: `"one"`, ranges: []string{"", "bytes=100000-", ""},
			between: func(s *storage) { s.content = bytes.ToUpper(content)[:200_000] },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &storage{etag: tt.etag, content: content, cut: 100_000}
			tr, r := setupStorage(t, s)
			_, err := tr.Download(t.Context(), r)
			wantKind(t, err, KindTorn)
			if !err.(*Error).Retryable() {
				t.Errorf("%v is not retryable", err)
			}
			if tt.between != nil {
				s.change(tt.between)
			}
			size, err := tr.Download(t.Context(), r)
			if err != nil || size != int64(len(s.content)) {
				t.Fatalf("got %d bytes, %v; want %d", size, err, len(s.content))
			}
			wantFile(t, r, s.content)
			var ranges []string
			for _, a := range s.calls() {
				ranges = append(ranges, a.Header.Get("Range"))
			}
			if strings.Join(ranges, ",") != strings.Join(tt.ranges, ",") {
				t.Errorf("asked for %q, want %q", ranges, tt.ranges)
			}
		})
	}
}

func TestDownloadBrokenTimeAndAgainGoesOn(t *testing.T) {
	s := &storage{etag: `"one"`, content: content}
	tr, r := setupStorage(t, s)
	for range 5 {
		s.change(func(s *storage) { s.cut = 70_000 })
		_, err := tr.Download(t.Context(), r)
		wantKind(t, err, KindTorn)
	}
	if _, err := tr.Download(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	wantFile(t, r, content)
	if got := s.calls()[5].Header.Get("Range"); got != "bytes=350000-" {
		t.Errorf("the last call asked for %q, want all but five pieces", got)
	}
}

func TestWholePartIsNotAskedForAgain(t *testing.T) {
	s := &storage{etag: `"one"`, content: content}
	tr, r := setupStorage(t, s)
	if err := os.WriteFile(r.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Path+markSuffix, fmt.Appendf(nil, "%s\n%d\n", s.etag, len(content)), 0o600); err != nil {
		t.Fatal(err)
	}
	size, err := tr.Download(t.Context(), r)
	if err != nil || size != int64(len(content)) || len(s.calls()) != 0 {
		t.Errorf("got %d bytes, %v, after %d calls; want %d after none", size, err, len(s.calls()), len(content))
	}
	wantFile(t, r, content)
}

func TestRangesThatDoNotFitAreNotGlued(t *testing.T) {
	for name, contentRange := range map[string]string{
		"another beginning":       "bytes 0-LAST/TOTAL",
		"no range":                "",
		"an end before the end":   "bytes FIRST-FIRST/TOTAL",
		"another unit":            "lines 100-200/300",
		"a range that is no text": "bytes x-y/z",
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header().Set("ETag", `"one"`)
				if r.Header.Get("Range") == "" {
					_, _ = w.Write(content)
					return
				}
				if contentRange != "" {
					w.Header().Set("Content-Range", strings.NewReplacer("FIRST", "1000", "LAST", strconv.Itoa(len(content)-1), "TOTAL", strconv.Itoa(len(content))).Replace(contentRange))
				}
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(content[500:])
			})
			r := DownloadRequest{URL: server.URL, Path: filepath.Join(t.TempDir(), "file.part")}
			if err := os.WriteFile(r.Path, content[:1000], 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(r.Path+markSuffix, fmt.Appendf(nil, "%q\n%d\n", "one", len(content)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := tr.Download(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			wantFile(t, r, content)
			if calls != 2 {
				t.Errorf("asked %d times, want once for the rest and once for all", calls)
			}
		})
	}
}

func TestDownloadErrors(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	code := func(code string) string {
		return "<?xml version='1.0' encoding='UTF-8'?><Error><Code>" + code + "</Code><Message>" + marker + "</Message></Error>"
	}
	for name, tt := range map[string]struct {
		handler       http.HandlerFunc
		size, max     int64
		kind          Kind
		retryable     bool
		text          string
		keeps, chunks bool
	}{
		"an expired link wants a fresh one":                    {handler: answer(400, code("ExpiredToken")), kind: KindExpired, retryable: true, text: "400 ExpiredToken"},
		"a refused signature wants a fresh link":               {handler: answer(403, code("SignatureDoesNotMatch")), kind: KindExpired, retryable: true, text: "403 SignatureDoesNotMatch"},
		"a refusal with a good status wants a fresh link":      {handler: answer(200, code("AccessDenied")), kind: KindExpired, retryable: true, text: "AccessDenied"},
		"a code that is not known is not printed":              {handler: answer(403, code(marker)), kind: KindExpired, retryable: true, text: "403, a page"},
		"a page with a good status is no file":                 {handler: answer(200, "\xef\xbb\xbf \n<!DOCTYPE html>"), kind: KindExpired, retryable: true, text: "a page in place of a file"},
		"a missing file is gone":                               {handler: answer(404, marker), kind: KindGone, text: "404"},
		"a file that the storage does not have any more":       {handler: answer(400, code("NoSuchKey")), kind: KindGone, text: "NoSuchKey"},
		"a storage in trouble is asked again":                  {handler: answer(503, code("SlowDown")), kind: KindConnection, retryable: true, text: "503"},
		"a part that nobody asked for is no file":              {handler: answer(206, "id"), kind: KindConnection, retryable: true, text: "206"},
		"a file shorter than announced is torn":                {handler: answer(200, "id\n1\n"), size: 6, kind: KindTorn, retryable: true, text: "ends after 5 bytes, and 6", keeps: true},
		"a file longer than announced is not kept":             {handler: answer(200, "id\n1\n"), size: 4, kind: KindSize, text: "longer than the 4 bytes"},
		"a chunked file longer than announced is not kept":     {size: 4, kind: KindSize, chunks: true},
		"a file over the cap is not kept":                      {handler: answer(200, "id\n1\n"), max: 4, kind: KindTooLarge, text: "4 bytes"},
		"a chunked file over the cap is not kept":              {max: 4, kind: KindTooLarge, chunks: true},
		"a file that is announced over the cap is not fetched": {handler: answer(200, "id\n1\n"), size: 5, max: 4, kind: KindTooLarge},
		"a body that breaks off in its first bytes is torn":    {handler: raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nid\n1"), kind: KindTorn, retryable: true},
		"a redirect loop ends": {
			handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
			kind:    KindRedirect, text: "more than 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			handler := tt.handler
			if tt.chunks {
				handler = func(w http.ResponseWriter, _ *http.Request) {
					w.(http.Flusher).Flush() // no length is known by now
					_, _ = io.WriteString(w, "id\n1\n")
				}
			}
			var told []Info
			tr, server := setup(t, Options{OnCall: func(i Info) { told = append(told, i) }}, handler)
			r := DownloadRequest{URL: server.URL + "/" + marker + "?s=" + marker, Path: filepath.Join(t.TempDir(), "file.part"), Size: tt.size, MaxSize: tt.max}
			_, err := tr.Download(t.Context(), r)
			wantKind(t, err, tt.kind)
			if e, ok := errors.AsType[*Error](err); ok && e.Retryable() != tt.retryable {
				t.Errorf("%v: retryable is %v, want %v", err, e.Retryable(), tt.retryable)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want %q in it", err, tt.text)
			}
			if tt.kind == KindSize || tt.kind == KindTooLarge {
				wantNothing(t, r.Path)
				wantNothing(t, r.Path+markSuffix)
			}
			if got, _ := os.ReadFile(r.Path); tt.keeps != (len(got) > 0) {
				t.Errorf("%d bytes are kept, want any: %v", len(got), tt.keeps)
			}
			if len(told) != 1 || told[0].Kind != tt.kind {
				t.Errorf("OnCall was told %+v", told)
			}
		})
	}
}

func TestPackedFileIsKeptAsItComes(t *testing.T) {
	packed := []byte("\x1f\x8b and what is behind")
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	})
	// The size that was announced is that of the file before it was packed.
	r := DownloadRequest{URL: server.URL, Path: filepath.Join(t.TempDir(), "file.part"), Size: 5}
	if _, err := tr.Download(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	wantFile(t, r, packed)
}

func TestDownloadLeavesNoCredentialsAndNoHTTPS(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a plain server was called") }))
	defer plain.Close()
	var headers []http.Header
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = append(headers, r.Header)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/file?"+marker, http.StatusFound)
		case "/down":
			http.Redirect(w, r, plain.URL, http.StatusFound)
		default:
			_, _ = w.Write([]byte("id\n"))
		}
	}))
	defer secure.Close()
	tr := New(Options{TLS: secure.Client().Transport.(*http.Transport).TLSClientConfig})
	defer tr.Close()
	r := DownloadRequest{URL: secure.URL + "/moved?" + marker, Path: filepath.Join(t.TempDir(), "file.part")}
	if _, err := tr.Download(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if h.Get("Referer") != "" || h.Get("Authorization") != "" {
			t.Errorf("sent %v", h)
		}
	}
	r.URL, r.Path = secure.URL+"/down", r.Path+"2"
	_, err := tr.Download(t.Context(), r)
	wantKind(t, err, KindRedirect)
}

func TestDownloadErrorsOfTheDiskAreTheDisks(t *testing.T) {
	tr, r := setupStorage(t, &storage{content: content})
	r.Path = filepath.Join(r.Path, "below", "nothing")
	if _, err := tr.Download(t.Context(), r); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want the error of the directory that does not exist", err)
	}
}

// TestSlowDownload runs in a bubble: an hour passes in no time.
func TestSlowDownload(t *testing.T) {
	for name, tt := range map[string]struct {
		pause  time.Duration
		pieces int
		kind   Kind
	}{
		"a slow file has all the time that it needs": {pause: 90 * time.Second, pieces: 60},
		"a file that stands still is given up":       {pause: 3 * time.Minute, pieces: 2, kind: KindTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file.part")
			piece := bytes.Repeat([]byte("x"), 2*headMax)
			synctest.Test(t, func(t *testing.T) {
				dial := pipeServer(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("ETag", `"one"`)
					for range tt.pieces {
						_, _ = w.Write(piece)
						w.(http.Flusher).Flush()
						select {
						case <-time.After(tt.pause):
						case <-r.Context().Done():
							return
						}
					}
				})
				tr := New(Options{Dial: dial})
				defer tr.Close()
				begun := time.Now()
				size, err := tr.Download(t.Context(), DownloadRequest{URL: "http://storage.example", Path: path})
				if tt.kind != 0 {
					wantKind(t, err, tt.kind)
					if waited := time.Since(begun); waited != downloadIdle {
						t.Errorf("gave up after %v, want %v", waited, downloadIdle)
					}
					if kept, _ := os.ReadFile(path); len(kept) != len(piece) {
						t.Errorf("%d bytes are kept, want the %d that came", len(kept), len(piece))
					}
					return
				}
				if err != nil || size != int64(tt.pieces*len(piece)) {
					t.Errorf("got %d bytes, %v", size, err)
				}
			})
		})
	}
}

func TestCanceledDownloadKeepsWhatCame(t *testing.T) {
	s := &storage{etag: `"one"`, content: content, cut: 50_000, hold: true}
	tr, r := setupStorage(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("shutting down")
	r.Progress = func(int64) { cancel(stop) }
	_, err := tr.Download(ctx, r)
	wantKind(t, err, KindCanceled)
	if !errors.Is(err, stop) {
		t.Errorf("%v does not say why", err)
	}
	r.Progress = nil
	if _, err := tr.Download(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	wantFile(t, r, content)
	if len(s.calls()) != 2 || s.calls()[1].Header.Get("Range") == "" {
		t.Errorf("the second call did not go on")
	}
}

// TestCreationHasALength looks at the wire: servers answer 411 to a POST whose empty
// body is chunked.
func TestCreationHasALength(t *testing.T) {
	got := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			got <- err.Error()
			return
		}
		got <- fmt.Sprint(request.Method, request.ContentLength, request.TransferEncoding)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	}()
	tr := New(Options{})
	defer tr.Close()
	if _, err := tr.Do(t.Context(), Request{Method: http.MethodPost, URL: "http://" + l.Addr().String(), Creates: true}); err != nil {
		t.Fatal(err)
	}
	if sent, want := <-got, fmt.Sprint("POST", 0, []string(nil)); sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}
