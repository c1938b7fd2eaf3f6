package affisesim

import (
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// request is one call being answered.
type request struct {
	n         *Network
	p         params
	affiliate int // its id; 0: the admin key
	path, id  string
	now       time.Time
	loc       *time.Location
	page      int
	limit     int
	fault     *Fault
	rows      int
	variant   int // which order of keys
	j         js
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	text   string
	key    string // "" : as the switch says
}

func (r refusal) Error() string { return r.text }

var (
	errBadRequest = refusal{status: 400, text: "Bad Request"}
	errNoToken    = refusal{status: 401, text: "Token is necessary"}
	errDenied     = refusal{status: 403, text: "Auth Denied"}
	errNotFound   = refusal{status: 404, text: "Resource Not Found"}
	errNoPage     = refusal{status: 404, text: "Page Not Found", key: "error"}
	errServer     = refusal{status: 500, text: "Server error, Please contact your administrator"}
)

const gatewayPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

var bufferPool = sync.Pool{New: func() any { b := make([]byte, 0, 1<<20); return &b }}

func (n *Network) serve(w http.ResponseWriter, hr *http.Request) {
	n.advance(n.opt.Now())
	p := parseParams(hr.URL.RawQuery)
	key, inQuery := apiKey(hr, p)
	call := &Call{At: time.Now(), Method: hr.Method, Path: hr.URL.Path, Key: n.keyName(key), Query: inQuery,
		Params: p.canonical("API-Key", "api-key", "API-key")}
	n.log.begin(call)
	out := &answer{w: w, hr: hr}
	out.note = func() { n.log.end(call, out.status, out.bytes, out.done) }
	defer n.log.over(call)
	defer out.note()

	fault := n.faults.strike(hr.URL.Path, p)
	if fault != nil {
		n.log.edit(func() { call.Fault = string(fault.Kind) })
		if n.early(out, fault) {
			return
		}
	}
	if fault == nil && n.servePremade(out, call, p) {
		return
	}
	buf := bufferPool.Get().(*[]byte)
	defer bufferPool.Put(buf)
	req := &request{n: n, p: p, path: hr.URL.Path, fault: fault, now: n.opt.Now(), loc: n.opt.Platform, j: js{b: (*buf)[:0]}}
	var alien []string
	err := func() error {
		n.mu.RLock()
		defer n.mu.RUnlock()
		var err error
		alien, err = n.route(req, key, hr.Method)
		return err
	}()
	*buf = req.j.b
	n.log.edit(func() { call.Alien, call.Rows = alien, req.rows })
	if err != nil {
		var no refusal
		if !errors.As(err, &no) {
			no = errServer
		}
		out.send(no.status, "application/json", n.refuse(no))
		return
	}
	n.late(out, fault, req.j.b)
	if n.opt.Drift && req.path == "/3.0/stats/conversions" {
		n.drift(req)
	}
}

// apiKey takes the key from the header, or the query.
func apiKey(hr *http.Request, p params) (key string, inQuery bool) {
	if k := hr.Header.Get("API-Key"); k != "" {
		return k, false
	}
	for _, name := range []string{"API-Key", "api-key", "API-key"} {
		if k := p.get(name); k != "" {
			return k, true
		}
	}
	return "", false
}

func (n *Network) keyName(key string) string {
	switch id, ok := n.affiliateOf(key); {
	case key == "":
		return "none"
	case key == n.opt.AdminKey:
		return "admin"
	case ok:
		return "affiliate:" + itoa(id)
	}
	return "wrong"
}

func (n *Network) affiliateOf(key string) (int, bool) {
	for id, k := range n.opt.Affiliates {
		if k == key && key != "" {
			return id, true
		}
	}
	return 0, false
}

// route checks the key and the parameters and has the path's handler write
// the answer.
func (n *Network) route(r *request, key, method string) (alien []string, err error) {
	rt, id, ok := n.routes.find(r.path)
	if !ok {
		return nil, errNoPage
	}
	r.id = id
	alien = rt.alien(r.p)
	switch affiliate, isAffiliate := n.affiliateOf(key); {
	case key == "":
		return alien, errNoToken
	case key == n.opt.AdminKey:
		if rt.auth&forAdmin == 0 || slices.Contains(n.opt.Denied, r.path) {
			return alien, errDenied
		}
	case isAffiliate:
		if rt.auth&forPartner == 0 {
			return alien, errDenied
		}
		r.affiliate = affiliate
	default:
		return alien, errDenied
	}
	if method != http.MethodGet && method != http.MethodHead {
		return alien, errBadRequest // the simulator has nothing to write to
	}
	if n.opt.Strict && len(alien) > 0 {
		return alien, refusal{status: 400, text: "Unknown parameter " + alien[0]}
	}
	if tz := r.p.get("timezone"); tz != "" {
		if r.loc, err = n.zone(tz); err != nil {
			return alien, errBadRequest
		}
	}
	r.page = max(r.p.number("page", 1), 1)
	r.limit = r.p.number("limit", rt.limit)
	if r.limit <= 0 {
		r.limit = rt.limit
	}
	if n.opt.MaxLimit > 0 && r.limit > n.opt.MaxLimit && !rt.unbounded {
		if n.opt.RefuseOverLimit {
			return alien, errBadRequest
		}
		r.limit = n.opt.MaxLimit
	}
	r.vary()
	return alien, rt.serve(r)
}

// vary chooses the order of keys and the escaping, by path and page.
func (r *request) vary() {
	if !r.n.opt.StableKeys {
		r.variant = int(mix(r.n.opt.Seed^uint64(r.page)<<20^uint64(len(r.path))) % 3)
	}
	r.j.php = r.variant == 1
}

// zone looks a zone up once; names that do not exist are not kept.
func (n *Network) zone(name string) (*time.Location, error) {
	if loc, ok := n.zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name)
	if err == nil {
		n.zones.Store(name, loc)
	}
	return loc, err
}

func (n *Network) refuse(no refusal) []byte {
	key := no.key
	if key == "" {
		key = "message"
		if n.opt.ErrorKeyError {
			key = "error"
		}
	}
	var j js
	j.obj(func() {
		j.key("status").int(2)
		j.key(key).str(no.text)
	})
	return j.b
}

// answer is the response writer, and what became of it.
type answer struct {
	w      http.ResponseWriter
	hr     *http.Request
	status int
	bytes  int64
	done   bool
	note   func() // puts status, bytes and done into the log
}

// last writes the end of the answer. The log has it done before the client can
// have read it, so that who has the answer finds it in the log; it is put right
// if the connection does not take it.
func (a *answer) last(size int64, write func() error) {
	a.bytes += size
	a.done = true
	a.note()
	if write() != nil || !a.flush() {
		a.done = false
	}
}

func (a *answer) send(status int, kind string, body []byte) {
	h := a.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.status = status
	a.w.WriteHeader(status)
	a.last(int64(len(body)), func() error { _, err := a.w.Write(body); return err })
}

// flush hands what is buffered to the connection, and says whether it took it.
func (a *answer) flush() bool {
	err := http.NewResponseController(a.w).Flush()
	return err == nil || errors.Is(err, http.ErrNotSupported)
}

// cut ends the connection: with a reset, or as if the server had gone.
func (a *answer) cut(reset bool) {
	conn, _, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, a recorder: end the stream at least
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	a.note() // before the client can know of it
	_ = conn.Close()
}

// early answers a call whose fault needs no true answer; false if it needs one.
func (n *Network) early(a *answer, f *Fault) bool {
	refuse := func(no refusal) bool {
		a.send(no.status, "application/json", n.refuse(no))
		return true
	}
	switch f.Kind {
	case ServerError:
		return refuse(errServer)
	case Unauthorized:
		return refuse(errNoToken)
	case Forbidden:
		return refuse(errDenied)
	case BadRequest:
		return refuse(errBadRequest)
	case NotFound:
		return refuse(errNotFound)
	case StatusTwo:
		return refuse(refusal{status: 200, text: "Internal error"})
	case BadGateway:
		a.send(502, "text/html", []byte(gatewayPage))
	case HTMLPage:
		a.send(200, "text/html; charset=utf-8", []byte("<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>"))
	case TooManyRequests:
		wait, isDate := strings.CutPrefix(f.RetryAfter, "date:")
		if seconds, err := strconv.Atoi(wait); err == nil && isDate {
			a.w.Header().Set("Retry-After", time.Now().Add(time.Duration(seconds)*time.Second).UTC().Format(http.TimeFormat))
		} else if f.RetryAfter != "" {
			a.w.Header().Set("Retry-After", f.RetryAfter)
		}
		return refuse(refusal{status: 429, text: "Too Many Requests"})
	case Hang:
		<-a.hr.Context().Done()
		panic(http.ErrAbortHandler)
	case Reset:
		a.cut(true)
	case Slow:
		delay := f.Delay
		if delay == 0 {
			delay = time.Second
		}
		t := time.NewTimer(delay)
		defer t.Stop()
		select {
		case <-t.C:
			return false
		case <-a.hr.Context().Done():
			panic(http.ErrAbortHandler)
		}
	default:
		return false
	}
	return true
}

// late sends the true answer, or what its fault makes of it.
func (n *Network) late(a *answer, f *Fault, body []byte) {
	switch {
	case f.is(TornJSON):
		a.send(200, "application/json", body[:len(body)/2])
	case f.is(CutBody):
		h := a.w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		a.status = 200
		k, _ := a.w.Write(body[:len(body)/2])
		a.bytes = int64(k)
		a.flush()
		a.cut(false)
	case f.is(Oversize):
		a.oversize(f, body)
	case n.opt.Gzip && strings.Contains(a.hr.Header.Get("Accept-Encoding"), "gzip"):
		a.w.Header().Set("Content-Type", "application/json")
		a.w.Header().Set("Content-Encoding", "gzip")
		a.status = 200
		z := gzip.NewWriter(a.w)
		a.last(int64(len(body)), func() error {
			_, err := z.Write(body)
			return errors.Join(err, z.Close())
		})
	default:
		a.send(200, "application/json", body)
	}
}

// oversize streams the answer with blanks before its last brace.
func (a *answer) oversize(f *Fault, body []byte) {
	size := f.Size
	if size == 0 {
		size = 64 << 20
	}
	a.w.Header().Set("Content-Type", "application/json")
	a.status = 200
	tail := body[len(body)-1:]
	blanks := []byte(strings.Repeat(" ", 32<<10))
	write := func(b []byte) bool {
		k, err := a.w.Write(b)
		a.bytes += int64(k)
		return err == nil
	}
	ok := write(body[:len(body)-1])
	for ok && a.bytes < size {
		ok = write(blanks[:min(int64(len(blanks)), size-a.bytes)])
	}
	if ok {
		a.last(int64(len(tail)), func() error { _, err := a.w.Write(tail); return err })
	}
}

// file sends a part of a file, by sendfile where the system can.
func (a *answer) file(f io.ReadSeeker, offset, size int64) {
	h := a.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	a.status = 200
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		a.cut(false)
		return
	}
	a.w.WriteHeader(200)
	a.last(size, func() error { _, err := io.CopyN(a.w, f, size); return err })
}
