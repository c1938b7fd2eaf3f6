package postback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"syncd/state"
)

// SizeMax is the most that address and body of a call have together, in bytes.
const SizeMax = 64 << 10

// storeTimeout bounds how long a call waits for the disk. Networks wait 5 to 30 seconds
// for an answer and send a postback that got none again.
const storeTimeout = 10 * time.Second

// Store makes postbacks durable; see state.Leads.
type Store interface {
	AcceptPostback(ctx context.Context, p state.Postback) (int64, error)
}

// Options are what a Receiver is made of.
type Options struct {
	Store    Store
	Accounts []*Account
	// Rate is how many calls a second are taken from one source; RateDefault if 0.
	Rate int
	Log  *zap.Logger
	// Arrived is told of every account for which a postback was stored; may be nil. It must not wait.
	Arrived func(account string)
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// RateDefault is the number of calls a second that are taken from one source: twice what
// the daemon is meant to take from all of them, because many networks may stand behind
// one proxy.
const RateDefault = 10_000

// Receiver answers calls to /postback/{account}. It is also a prometheus.Collector.
type Receiver struct {
	options  Options
	accounts map[string]*Account
	nobody   *Account // stands in for an account that does not exist
	limiter  *limiter
	reports  *reports
	calls    sync.Pool
	counts   *counts
}

// New makes a receiver.
func New(o Options) *Receiver {
	if o.Rate == 0 {
		o.Rate = RateDefault
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	r := &Receiver{
		options: o, accounts: make(map[string]*Account, len(o.Accounts)), nobody: &Account{clean: newCleaner("", PII{})},
		limiter: newLimiter(o.Rate), reports: newReports(o.Log), calls: sync.Pool{New: func() any { return &call{} }},
		counts: newCounts(o.Accounts),
	}
	for _, a := range o.Accounts {
		r.accounts[a.Name] = a
	}
	return r
}

// ServeHTTP answers one call; the pattern that it is mounted at must name {account}.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"] = plainText, noStore, noSniff
	now := r.options.Now()
	if q.Method != http.MethodGet && q.Method != http.MethodPost {
		h.Set("Allow", "GET, POST")
		r.answer(w, nil, outcomeMethod, http.StatusMethodNotAllowed, "only GET and POST are answered")
		return
	}
	source := sourceOf(q)
	if wait, ok := r.limiter.allow(source, now); !ok {
		h.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		r.answer(w, nil, outcomeRate, http.StatusTooManyRequests, "too many calls a second from this address")
		return
	}
	name := q.PathValue("account")
	if name == "" {
		r.answer(w, nil, outcomeMethod, http.StatusNotFound, "the address is /postback/ACCOUNT?token=TOKEN&...")
		return
	}
	c := r.calls.Get().(*call)
	defer r.calls.Put(c)
	c.reset()
	account := r.accounts[name]
	if err := r.take(c, account, q); err != nil {
		r.refuse(w, account, err)
		return
	}
	said, err := account.read(c.params, now)
	if err != nil {
		r.refuse(w, account, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), storeTimeout) // who hangs up early has told all the same
	defer cancel()
	_, err = r.options.Store.AcceptPostback(ctx, state.Postback{
		Account: account.Name, ReceivedAt: now,
		Record: c.encode(q.Method, q.URL.Path, account.clean.address(source.String())),
	})
	if err != nil {
		r.reports.failed(account.Name, err, now)
		r.answer(w, account, outcomeStore, http.StatusServiceUnavailable, "not stored; send it again later")
		return
	}
	r.reports.odd(account, &said, now, r.counts)
	if r.options.Arrived != nil {
		r.options.Arrived(account.Name)
	}
	r.counts.count(account, outcomeAccepted)
	_, _ = w.Write(okay) // who went away is sent the same again
}

// The headers and the answer of every call.
var (
	plainText = []string{"text/plain; charset=utf-8"}
	noStore   = []string{"no-store"}
	noSniff   = []string{"nosniff"}
	okay      = []byte("OK")
)

// Why a call is not taken, beside a refusal.
var (
	errToken  = errors.New("the token is missing or wrong")
	errTooBig = errors.New("more than 64 KiB of address and body")
	errBroken = errors.New("the body did not arrive whole")
	errPacked = errors.New("a compressed body is not read; send it plain")
)

// take reads a call and proves its token. Only a call that gives none in its address has
// its body read before that, and no more than any other's.
func (r *Receiver) take(c *call, account *Account, q *http.Request) error {
	size := len(q.RequestURI)
	if size > SizeMax || q.ContentLength > int64(SizeMax-size) {
		return errTooBig
	}
	clean := r.nobody.clean
	if account != nil {
		clean = account.clean
	}
	c.readQuery(q.URL.RawQuery, clean)
	if c.hasToken && !r.proves(account, c.token) {
		return errToken
	}
	var bodyErr error
	if q.Method == http.MethodPost {
		if bodyErr = c.receive(q, SizeMax-size, clean); errors.Is(bodyErr, errTooBig) {
			return bodyErr
		}
	}
	if !r.proves(account, c.token) {
		return errToken
	}
	return bodyErr
}

// proves compares a token with the account's, in a time that tells nothing of either, nor
// of whether there is such an account.
func (r *Receiver) proves(account *Account, token string) bool {
	known := account != nil
	if !known {
		account = r.nobody
	}
	given := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(given[:], account.digest[:]) == 1 && known
}

// receive reads the body of a call.
func (c *call) receive(q *http.Request, most int, clean *cleaner) error {
	if coding := q.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return errPacked
	}
	var err error
	if c.raw, err = readUpTo(c.raw[:0], q.Body, most); err != nil {
		return err
	}
	kind, parameters, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		return c.parts(parameters["boundary"], clean)
	}
	return c.readBody(c.raw, clean)
}

// readUpTo appends what a reader gives, and fails with errTooBig when that is more than most.
func readUpTo(buf []byte, from io.Reader, most int) ([]byte, error) {
	for {
		if len(buf) > most {
			return buf, errTooBig
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF && len(buf) <= most:
			return buf, nil
		case err != nil && err != io.EOF:
			return buf, errBroken
		}
	}
}

// parts reads a form in parts, as PHP's curl sends an array, as if it were a plain one.
// Files in it are passed over.
func (c *call) parts(boundary string, clean *cleaner) error {
	form := multipart.NewReader(bytes.NewReader(c.raw), boundary)
	var plain []byte
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			c.body = c.form(string(plain), clean, c.body[:0])
			return nil
		}
		if err != nil {
			return errBody
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return errBody
		}
		if part.FormName() == "" || part.FileName() != "" {
			continue
		}
		plain = append(append(plain, '&'), url.QueryEscape(part.FormName())...)
		plain = append(append(plain, '='), url.QueryEscape(string(value))...)
	}
}

// refuse answers a call that is not taken.
func (r *Receiver) refuse(w http.ResponseWriter, account *Account, err error) {
	switch {
	case errors.Is(err, errTooBig):
		w.Header().Set("Connection", "close") // what follows of the body is not read
		r.answer(w, account, outcomeSize, http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, errToken):
		r.answer(w, nil, outcomeToken, http.StatusUnauthorized, err.Error())
	default:
		r.answer(w, account, outcomeRefused, http.StatusBadRequest, err.Error())
	}
}

// answer sends one line of reason.
func (r *Receiver) answer(w http.ResponseWriter, account *Account, o outcome, status int, reason string) {
	r.counts.count(account, o)
	r.reports.refused(account, status, reason, r.options.Now())
	w.WriteHeader(status)
	_, _ = io.WriteString(w, reason+"\n")
}
