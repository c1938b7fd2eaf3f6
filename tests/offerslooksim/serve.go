package offerslooksim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// request is one call being answered.
type request struct {
	n         *Network
	path      string
	query     url.Values
	affiliate bool
	now       time.Time
	switches  Switches
	records   int
}

// refusal is an answer that is none, in the platform's envelope.
type refusal struct {
	status, code int
	message      string
}

// ServeHTTP answers a call. What is wrong is found in the documented order: key,
// network, white list, frequency, method, parameters.
func (n *Network) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{n: n, path: hr.URL.Path, query: hr.URL.Query(), now: n.opt.Now(), switches: n.switches()}
	number, over := n.begin(Call{At: n.opt.Clock(), Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery})
	fault := n.strike(number)
	status := http.StatusOK
	// The log has the end before the client can have read the answer.
	end := sync.OnceFunc(func() { n.end(number, status, r.records, fault) })
	defer end()

	var data any
	refused := n.refuse(r, hr, over, fault)
	if refused == nil {
		data, refused = r.answer()
	}
	envelope := object{{"code", 0}, {"message", "Success"}, {"data", data}}
	if refused != nil {
		status = refused.status
		envelope = object{{"code", refused.code}, {"message", refused.message}}
	}
	switch fault {
	case NoData:
		envelope = object{{"code", 0}, {"message", "Success"}, {"data", nil}}
	case Nothing:
		envelope = object{{"code", 0}, {"message", "Success"}, {"data", []int{}}}
	case Reset:
		panic(http.ErrAbortHandler)
	case ServerError:
		status = http.StatusInternalServerError
		w.Header().Set("Content-Type", "text/html")
		end()
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><title>500</title></html>"))
		return
	}
	body, err := json.Marshal(envelope)
	if err != nil {
		panic(err) // texts and numbers
	}
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if fault == Torn {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	end()
	w.WriteHeader(status)
	_, _ = w.Write(body) // who hung up misses it
}

// refuse checks what comes before the path.
func (n *Network) refuse(r *request, hr *http.Request, over bool, fault Fault) *refusal {
	user, key, _ := hr.BasicAuth()
	switch {
	case strings.HasPrefix(r.path, "/aff/v1/"):
		r.affiliate = true
		if known, ok := n.opt.Affiliates[user]; !ok || known != key {
			return &refusal{http.StatusUnauthorized, 1001, "Invalid key"}
		}
	case strings.HasPrefix(r.path, "/v1/"):
		if user != n.opt.Name || key != n.opt.Key {
			return &refusal{http.StatusUnauthorized, 1001, "Invalid key"}
		}
	default:
		return errUnknown
	}
	switch {
	case fault == Forbidden:
		return &refusal{http.StatusForbidden, 1002, "IP is not allowed"}
	case fault == Busy, over && !r.switches.LimitInside:
		return &refusal{http.StatusTooManyRequests, 1003, "Call frequency exceeded"}
	case over:
		return &refusal{http.StatusOK, 1003, "Call frequency exceeded"}
	case fault == Inside:
		return &refusal{http.StatusOK, 1500, "System busy"}
	case hr.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, 1405, "Method Not Allowed"}
	}
	return nil
}
