package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// downloadIdle is how long a download may bring nothing. There is no limit to the
	// whole of it: a file may be large and the line slow.
	downloadIdle = 120 * time.Second
	// downloadBuffer is what a download holds in memory, whatever the size of the file.
	downloadBuffer = 256 << 10
	// rangeTries is how often one download asks: once for the rest of what is there, and
	// once for all of it if the file is another by now.
	rangeTries = 2
)

// DownloadRequest is a file to be fetched.
type DownloadRequest struct {
	// URL is a link that needs no credentials beside what is in it.
	URL string
	// Path is where the file is written. What is there already, of a download that broke,
	// is gone on behind; what has to be known for that is in Path + ".etag" meanwhile.
	Path string
	// Size is the size in bytes that was announced; 0 if none was.
	Size int64
	// MaxSize is the largest accepted size in bytes; 0 means without limit.
	MaxSize int64
	// Unsettled leaves the bytes to the kernel: the caller sees to it that they reach the
	// disk.
	Unsettled bool
	// Progress, if set, is told how many bytes are there, after every piece, in the
	// calling goroutine.
	Progress func(int64)
}

// Download fetches a file and gives its size. The bytes are written as they come, also
// if they are compressed; they are on the disk when it returns, unless the caller wants
// to wait for that.
//
// The file is whole or there is an error. An error of the exchange is an *Error: when
// it is retryable what came stays in Path, with KindSize and KindTooLarge it does not.
// An error of the disk is that of package os.
func (t *Transport) Download(ctx context.Context, r DownloadRequest) (int64, error) {
	start := time.Now()
	d := &download{transport: t, request: r, info: Info{Method: http.MethodGet}}
	size, err := d.run(ctx)
	d.info.Elapsed = time.Since(start)
	if e, ok := errors.AsType[*Error](err); ok {
		d.info.Kind = e.Kind
	}
	if t.onCall != nil {
		t.onCall(d.info)
	}
	return size, err
}

// download is one call of Download.
type download struct {
	transport *Transport
	request   DownloadRequest
	info      Info
	url       *url.URL
}

func (d *download) run(ctx context.Context) (int64, error) {
	u, err := url.Parse(d.request.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// What the parser says quotes the URL, so it is not passed on.
		return 0, &Error{Kind: KindInvalid, Method: http.MethodGet, Err: errBadURL}
	}
	d.url, d.info.Host = u, u.Host
	p, err := openPart(d.request.Path)
	if err != nil {
		return 0, err
	}
	size, err := d.fill(ctx, p)
	if closed := p.file.Close(); err == nil {
		err = closed
	}
	if e, ok := errors.AsType[*Error](err); ok && (e.Kind == KindSize || e.Kind == KindTooLarge) {
		if removing := p.remove(); removing != nil {
			err = errors.Join(err, removing)
		}
	}
	if err == nil {
		err = p.finished()
	}
	if err != nil {
		return 0, err
	}
	return size, nil
}

// fill asks for what is missing of the file until nothing is.
func (d *download) fill(ctx context.Context, p *part) (int64, error) {
	if p.size > 0 && p.size == p.mark.total && (d.request.Size == 0 || d.request.Size == p.size) {
		// All of it came, and the program died before it could say so.
		return p.size, d.settle(p)
	}
	for range rangeTries {
		size, again, err := d.attempt(ctx, p)
		if err != nil || !again {
			return size, err
		}
		if err := p.restart(mark{}); err != nil {
			return 0, err
		}
	}
	return 0, d.fail(KindTorn, "the rest of the file could not be had")
}

// attempt makes one call. It asks for another one if what is there is not the
// beginning of what the network has.
func (d *download) attempt(parent context.Context, p *part) (size int64, again bool, err error) {
	call, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	idle := time.AfterFunc(downloadIdle, func() { cancel(&timeoutError{after: downloadIdle}) })
	defer idle.Stop()
	failed := func(err error) error { return newError(parent, call, http.MethodGet, d.url.Host, err) }

	req := &http.Request{
		Method: http.MethodGet, URL: d.url, Host: d.url.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		// Sizes are those of the bytes on the wire. Asking for no compression also keeps
		// net/http from asking for one of its own.
		Header: http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"identity"}},
	}
	if p.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
		req.Header.Set("If-Range", p.mark.validator)
	}
	resp, err := d.transport.files.Do(req.WithContext(call))
	if err != nil {
		return 0, false, failed(err)
	}
	defer resp.Body.Close()
	d.info.Status = resp.StatusCode

	body := &body{from: resp.Body, idle: idle}
	total := int64(-1)
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && p.size > 0:
		return 0, true, nil
	case resp.StatusCode == http.StatusPartialContent && p.size > 0:
		var ok bool
		if total, ok = p.continues(resp.Header); !ok {
			return 0, true, nil
		}
	case resp.StatusCode == http.StatusOK:
		total = resp.ContentLength
		if err := body.peek(); err != nil {
			return 0, false, failed(err)
		}
		if isMarkup(body.head) {
			return 0, false, d.refusal(resp.StatusCode, body.head)
		}
		if err := p.restart(markOf(resp.Header, total)); err != nil {
			return 0, false, err
		}
	default:
		_ = body.peek() // what it has to say, as far as it can be read
		return 0, false, d.refusal(resp.StatusCode, body.head)
	}

	announced := d.request.Size
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		announced = 0 // of the file as it was before it was packed
	}
	limit, err := d.limit(total, announced)
	if err != nil {
		return 0, false, err
	}
	if err := d.copy(p, body, limit); err != nil {
		if body.err != nil {
			err = failed(body.err)
		}
		return 0, false, err
	}
	switch {
	case limit.most > 0 && p.size > limit.most:
		return 0, false, limit.err
	case total >= 0 && p.size != total, announced > 0 && p.size < announced:
		return 0, false, d.fail(KindTorn, "the file ends after %d bytes, and %d were announced", p.size, max(total, announced))
	}
	return p.size, false, d.settle(p)
}

// settle waits until the part is on disk, if the caller does not.
func (d *download) settle(p *part) error {
	if d.request.Unsettled {
		return nil
	}
	return p.file.Sync()
}

// limit is the most that may come, 0 for anything, and the error if more does.
type limit struct {
	most int64
	err  error
}

// limit compares what is coming with what was announced and allowed.
func (d *download) limit(total, announced int64) (limit, error) {
	var l limit
	if announced > 0 {
		l = limit{announced, d.fail(KindSize, "the file is longer than the %d bytes that were announced", announced)}
	}
	if most := d.request.MaxSize; most > 0 && (l.most == 0 || most < l.most) {
		e := d.fail(KindTooLarge, "")
		e.Err = &tooLargeError{limit: most}
		l = limit{most, e}
		if announced > most {
			return l, l.err
		}
	}
	if l.most > 0 && total > l.most {
		return l, l.err
	}
	return l, nil
}

// copy appends the body to the part, at most one byte more than the limit.
func (d *download) copy(p *part, b *body, l limit) error {
	var from io.Reader = b
	if l.most > 0 {
		from = io.LimitReader(b, max(l.most+1-p.size, 0))
	}
	into := writer(func(piece []byte) (int, error) {
		n, err := p.Write(piece)
		d.info.Received += int64(n)
		if d.request.Progress != nil && err == nil {
			d.request.Progress(p.size)
		}
		return n, err
	})
	_, err := io.CopyBuffer(into, from, make([]byte, downloadBuffer))
	return err
}

// writer is a function as an io.Writer, and no io.ReaderFrom: that would copy with a
// buffer of its own.
type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// fail makes an error about the file.
func (d *download) fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Method: http.MethodGet, Host: d.url.Host, Err: fmt.Errorf(format, args...)}
}

// body is what comes. Each piece of it puts the idle timer off.
type body struct {
	from io.Reader
	idle *time.Timer
	// head is what was read in advance, and left of it what Read has not given yet.
	head, left []byte
	// err is the error of the exchange, as opposed to one of the disk.
	err error
}

// headMax is enough of an error's XML to have its code, and of a file to tell it from one.
const headMax = 4 << 10

// peek reads the beginning in advance.
func (b *body) peek() error {
	head := make([]byte, headMax)
	n := 0
	for n < headMax {
		read, err := b.next(head[n:])
		n += read
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	b.head, b.left = head[:n], head[:n]
	return nil
}

// Read gives what peek has read, and then what comes.
func (b *body) Read(into []byte) (int, error) {
	if len(b.left) > 0 {
		n := copy(into, b.left)
		b.left = b.left[n:]
		return n, nil
	}
	return b.next(into)
}

// next reads what comes.
func (b *body) next(into []byte) (int, error) {
	n, err := b.from.Read(into)
	if n > 0 {
		b.idle.Reset(downloadIdle)
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
