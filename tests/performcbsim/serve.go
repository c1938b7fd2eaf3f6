package performcbsim

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The calls, and the generations of the API that know them. changeAccountInfo is the
// write that the platform takes by GET.
const changeAccountInfo = "change_account_info"

var gets = map[string][]string{
	"/v2/cb_api":        {"findMyApprovedOffers", "conversions", "subaffiliate", changeAccountInfo},
	"/v3/cb_api":        {"findMyApprovedOffers"},
	"/v4/cb_api":        {"findMyApprovedOffers"},
	"/v7/performcb_api": {"findMyApprovedCampaigns"},
}

const (
	tooEarly  = "Please set a delay between API calls of at least 5 minutes"
	loginPage = "<!DOCTYPE html>\n<html><head><title>Perform[cb] | Log in</title></head><body><form action=\"/login\"><input name=\"password\"></form></body></html>"
	errorPage = "<html>\r\n<head><title>Error</title></head>\r\n<body><center><h1>Error</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n"

	kindJSON = "application/json"
	kindXML  = "text/xml; charset=utf-8"
	kindHTML = "text/html; charset=utf-8"
)

// reply is what is to be sent, before faults.
type reply struct {
	status int
	kind   string
	body   []byte
	rows   int
	cut    bool
}

// ServeHTTP answers a call of the API. The order of what is looked at (the call, the
// key, the interval, the parameters) is inferred.
func (n *Network) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	query := hr.URL.Query()
	c := n.begin(hr.Method, hr.URL.Path, query)
	out := &answer{n: n, call: c, w: w, hr: hr}
	// A call that was neither answered nor cut was given up by its client.
	defer func() { n.end(c, out.status, true) }()

	sw := n.Options().Switches
	fault := n.strike(c.Get)
	n.edit(func() { c.Fault = string(fault.Kind) })
	if !out.wait(sw.Slow) || !out.early(fault) {
		return
	}
	if sw.LoginPage {
		out.send(200, kindHTML, []byte(loginPage))
		return
	}
	if fault.Kind == Repeated {
		sw.IgnorePage = true
	}
	r := n.reply(c, hr, query, sw)
	n.edit(func() { c.Rows = r.rows })
	switch {
	case r.cut:
		out.cut()
	case fault.Kind == Torn:
		out.send(r.status, r.kind, r.body[:len(r.body)/2])
	case fault.Kind == CutBody:
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
		w.Header().Set("Content-Type", r.kind)
		out.status = r.status
		_, _ = w.Write(r.body[:len(r.body)/2])
		_ = http.NewResponseController(w).Flush()
		out.cut()
	default:
		out.send(r.status, r.kind, r.body)
	}
}

// reply finds what to answer.
func (n *Network) reply(c *Call, hr *http.Request, query url.Values, sw Switches) reply {
	path, ours := strings.CutPrefix(hr.URL.Path, n.opt.Prefix)
	known, ok := gets[path]
	if !ours || !ok {
		return reply{status: 404, kind: kindHTML, body: []byte(errorPage)}
	}
	write := c.Get == changeAccountInfo || hr.Method != http.MethodGet && hr.Method != http.MethodHead
	n.edit(func() { c.Write = write })

	version, _ := strconv.Atoi(strings.TrimPrefix(path[:3], "/v"))
	l := &leap{n: n, sw: sw, version: version, query: query}
	rep := &report{n: n, sw: sw, get: c.Get, query: query}
	xml := c.Get == "conversions" || c.Get == "subaffiliate" || c.Get == changeAccountInfo
	refuse := func(status int, words string) reply {
		if xml {
			return reply{status: status, kind: kindXML, body: rep.refuse(words)}
		}
		return reply{status: status, kind: kindJSON, body: l.refuse(words)}
	}
	if !slices.Contains(known, c.Get) {
		xml = false
		return refuse(200, "Unknown method")
	}
	i := slices.IndexFunc(n.opt.Accounts, func(a Account) bool {
		return a.APIKey == query.Get("api_key") && strconv.Itoa(a.UserID) == query.Get("user_id")
	})
	if i < 0 && xml {
		return refuse(200, "Invalid API Key")
	}
	if i < 0 {
		return refuse(200, "Invalid API key or user id")
	}
	if c.Early {
		switch sw.OnEarly {
		case RefuseByStatus:
			return reply{status: 429, kind: kindHTML, body: []byte(errorPage)}
		case CloseConnection:
			return reply{cut: true}
		}
		return refuse(200, tooEarly)
	}
	l.account, rep.account = n.opt.Accounts[i], n.opt.Accounts[i]
	r := reply{status: 200, kind: kindXML}
	switch c.Get {
	case "conversions":
		r.body, r.rows = rep.conversions(n.opt.Now())
	case "subaffiliate":
		r.body, r.rows = rep.subaffiliate(n.opt.Now())
	case changeAccountInfo:
		// Nothing is changed: whoever gets here has done what must not be done.
		r.body = rep.answer("true", func() { rep.leaf("message", "Account information updated") })
	default:
		r.kind = kindJSON
		r.body, r.rows = l.list()
	}
	return r
}

// answer is the response writer, and what became of it.
type answer struct {
	n      *Network
	call   *Call
	w      http.ResponseWriter
	hr     *http.Request
	status int
}

// send writes an answer. The call is over before the client can have read it, so that
// the client's pause is never the longer one.
func (a *answer) send(status int, kind string, body []byte) {
	h := a.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.status = status
	a.n.end(a.call, status, false)
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body) // a client that went does not want it
}

// cut closes the connection.
func (a *answer) cut() {
	a.n.end(a.call, a.status, false)
	conn, _, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // a recorder, HTTP/2: end the stream at least
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an end
	}
	_ = conn.Close()
}

// wait lets time pass; false if the client went meanwhile.
func (a *answer) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.hr.Context().Done():
		return false
	}
}

// early does what a fault does that needs no true answer; false if the call is over.
func (a *answer) early(f Fault) bool {
	switch f.Kind {
	case ServerError:
		a.send(502, kindHTML, []byte(errorPage))
	case TooMany:
		a.send(429, kindHTML, []byte(errorPage))
	case HTMLPage:
		a.send(200, kindHTML, []byte(loginPage))
	case Reset:
		a.cut()
	case Hang:
		<-a.hr.Context().Done()
		a.n.end(a.call, 0, true)
		panic(http.ErrAbortHandler) // else the server would answer 200
	case Slow:
		return a.wait(cmp.Or(f.Delay, time.Second))
	default:
		return true
	}
	return false
}
