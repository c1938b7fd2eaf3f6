package metricssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	apiPrefix     = "/api/v2"
	storagePrefix = "/storage/"
)

// reply is an answer of the API before faults have their way with it.
type reply struct {
	status int
	body   []byte
	rows   int
}

func refuse(status int, format string, args ...any) reply {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"code": status, "message": fmt.Sprintf(format, args...)}}) // cannot fail: plain values
	return reply{status: status, body: body}
}

type handler func(r *http.Request) reply

// makeRoutes serves the table of paths of the contract.
func (n *Network) makeRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, h handler) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+apiPrefix+path, func(w http.ResponseWriter, r *http.Request) { n.answer(w, r, h) })
	}
	w := &n.world
	entity := func(path string, all func(*http.Request) ([]any, bool)) {
		handle("GET "+path, n.list(all))
		handle("GET "+path+"/{entity}", n.single(all))
	}
	entity("/users", always(w.users))
	entity("/publishers", always(w.publishers))
	entity("/advertisers", always(w.advertisers))
	entity("/integrations/{integration}/offers", n.offersOf)
	entity("/integrations/{integration}/offers/{offer}/events", func(r *http.Request) ([]any, bool) { return ofOffer(n, r, w.events) })
	entity("/integrations/{integration}/offers/{offer}/landing-pages", func(r *http.Request) ([]any, bool) { return ofOffer(n, r, w.pages) })
	for table, kind := range map[string]string{"conversion-table": Conversions, "click-table": Clicks, "impression-table": Impressions} {
		handle("GET /reports/v2/"+table, func(r *http.Request) reply { return n.report(r, kind) })
	}
	for _, kind := range Types {
		create := func(r *http.Request) reply { return n.create(r, kind) }
		path := "/download-center/integrations/{integration}/" + strings.ReplaceAll(kind, "_", "-")
		handle("POST "+path, create)
		handle("GET "+path, create)
	}
	handle("GET /download-center/exports", n.listExports)
	handle("GET /download-center/exports/{export}", n.getExport)
	handle("GET /download-center/signed-url", n.sign)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n.answer(w, r, func(*http.Request) reply { return refuse(http.StatusNotFound, "no such path or method") })
	})
	return mux
}

// ServeHTTP serves the API, and the files below /storage/.
func (n *Network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, storagePrefix) {
		n.serveStorage(w, r)
		return
	}
	n.mu.Lock()
	n.inFlight++
	if n.inFlight > 1 {
		n.log.violation("more than one call in flight: " + r.URL.Path)
	}
	n.mu.Unlock()
	defer func() { n.mu.Lock(); n.inFlight--; n.mu.Unlock() }()
	n.routes.ServeHTTP(w, r)
}

// answer serves one call of the API.
func (n *Network) answer(w http.ResponseWriter, r *http.Request, h handler) {
	call := Call{At: time.Now(), Method: r.Method, Path: r.URL.Path, Params: r.URL.Query()}
	defer func() { call.Ended = time.Now(); n.log.add(call) }()
	w.Header().Set("Date", n.opt.Now().UTC().Format(http.TimeFormat)) // clients tell ages by it
	creates := exportTypeOf(r)
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || creates == "") {
		n.log.violation(r.Method + " " + r.URL.Path)
	}
	fault, _ := n.faults.strike(r.URL.Path, creates, false)
	call.Fault = fault.Kind
	rep, struck := fault.reply(w.Header())
	if fault.Kind == Reset {
		hangUp(w)
		return
	}
	if !struck {
		rep = n.authorized(r, h)
	}
	if fault.Kind == CreateLost {
		hangUp(w)
		return
	}
	call.Status, call.Rows, call.Bytes = rep.status, rep.rows, len(rep.body)
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	half := len(rep.body) / 2
	_, _ = w.Write(rep.body[:half]) // the client may have gone
	switch fault.Kind {
	case CutBody:
		_ = http.NewResponseController(w).Flush()
		hangUp(w)
		return
	case Slow:
		_ = http.NewResponseController(w).Flush()
		pause(r, fault.Delay)
	}
	_, _ = w.Write(rep.body[half:])
}

// pause waits, but not for a client that has gone.
func pause(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// hangUp closes the connection; a recorder of a test has none, and sees a panic
// that the server of net/http takes for the same.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

func (n *Network) authorized(r *http.Request, h handler) reply {
	switch r.Header.Get("API-KEY") {
	case n.opt.Key:
		return h(r)
	case n.opt.DeniedKey:
		return refuse(http.StatusForbidden, "Forbidden")
	}
	return refuse(http.StatusUnauthorized, "Unauthorized")
}

// reply is what a fault answers in place of the API.
func (f Fault) reply(h http.Header) (reply, bool) {
	status := map[FaultKind]int{ServerError: 500, TooManyRequests: 429, PaymentRequired: 402, Unauthorized: 401, Forbidden: 403, NotFound: 404}[f.Kind]
	switch {
	case f.Kind == BadGateway || f.Kind == HTMLPage:
		h.Set("Content-Type", "text/html")
		status := map[FaultKind]int{BadGateway: 502, HTMLPage: 200}[f.Kind]
		return reply{status: status, body: []byte("<html><body>try again later</body></html>")}, true
	case status == 0:
		return reply{}, false
	}
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	return refuse(status, "%s", http.StatusText(status)), true
}
