package cpasim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// request is one call being answered.
type request struct {
	n     *Network
	http  *http.Request
	query url.Values
	body  []byte
	call  Call
	left  bool // the log has it
}

// refusal is an answer that is none: its status, why for the log, and what is sent.
type refusal struct {
	status int
	why    string
	body   any
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, m.name)
		out = append(out, ':')
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// bodyMost is more than any client has to say.
const bodyMost = 1 << 20

// ServeHTTP answers a call with the face of the network.
func (n *Network) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{n: n, http: hr, query: hr.URL.Query()}
	r.body, _ = io.ReadAll(io.LimitReader(hr.Body, bodyMost)) // who breaks off has sent less
	r.call = Call{At: n.opt.Clock(), Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery, Body: string(r.body), Status: http.StatusOK}
	fault, over := n.enter(r.call.At)
	r.call.Over = over
	defer r.leave()

	var answer any
	var refused *refusal
	switch n.opt.Face {
	case KMA:
		answer, refused = r.kma()
	case WhoCPA:
		answer, refused = r.whocpa()
	case TrafficLight:
		answer, refused = r.trafficLight()
	case TerraLeads:
		answer, refused = r.terraLeads()
	}
	if refused != nil {
		answer, r.call.Status, r.call.Refused, r.call.Records = refused.body, refused.status, refused.why, 0
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(answer); err != nil {
		panic(err) // texts and numbers
	}
	r.write(w, fault, text.Bytes())
}

func (r *request) write(w http.ResponseWriter, fault Fault, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	if fault != "" {
		r.call.Refused, r.call.Records = string(fault), 0
	}
	switch fault {
	case Reset:
		panic(http.ErrAbortHandler)
	case ServerError:
		r.call.Status = http.StatusInternalServerError
		body = []byte("<html><title>500</title></html>")
	case HTMLPage:
		w.Header().Set("Content-Type", "text/html")
		body = []byte("<html><title>We are checking your browser</title></html>")
	case Torn:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	if r.call.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	r.leave()
	w.WriteHeader(r.call.Status)
	_, _ = w.Write(body) // who hung up misses it
}

// leave notes the end of the call, once: before the client can have read the answer, so
// that who has the answer finds the call in the log.
func (r *request) leave() {
	if !r.left {
		r.left = true
		r.n.leave(r.call)
	}
}
