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
		mux.HandleFunc(method+" "+apiPrefix+path, func(w http.ResponseWriter, r *http.Request) { n.answer(w.(*answer), r, h) })
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
		n.answer(w.(*answer), r, func(*http.Request) reply { return refuse(http.StatusNotFound, "no such path or method") })
	})
	return mux
}

// ServeHTTP serves the API, and the files below /storage/.
func (n *Network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, storagePrefix) {
		n.serveStorage(w, r)
		return
	}
	a := n.begin(w, r, false)
	defer a.end()
	n.routes.ServeHTTP(a, r)
}

// answer serves one call of the API.
func (n *Network) answer(a *answer, r *http.Request, h handler) {
	a.call.Params = r.URL.Query()
	a.Header().Set("Date", n.opt.Now().UTC().Format(http.TimeFormat)) // clients tell ages by it
	creates := exportTypeOf(r)
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || creates == "") {
		n.log.violation(r.Method + " " + r.URL.Path)
	}
	fault, _ := n.faults.strike(r.URL.Path, creates, false)
	a.call.Fault = fault.Kind
	rep, struck := fault.reply(a.Header())
	if fault.Kind == Reset {
		a.cut()
		return
	}
	if !struck {
		rep = n.authorized(r, h)
	}
	if fault.Kind == CreateLost {
		a.cut()
		return
	}
	a.call.Rows, a.call.Bytes = rep.rows, len(rep.body)
	if a.Header().Get("Content-Type") == "" {
		a.Header().Set("Content-Type", "application/json")
	}
	a.Header().Set("Content-Length", itoa(len(rep.body)))
	a.WriteHeader(rep.status)
	half := len(rep.body) / 2
	_, _ = a.Write(rep.body[:half]) // the client may have gone
	switch fault.Kind {
	case CutBody:
		a.flush()
		a.cut()
		return
	case Slow:
		a.flush()
		pause(r, fault.Delay)
	}
	a.end()
	_, _ = a.Write(rep.body[half:])
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
