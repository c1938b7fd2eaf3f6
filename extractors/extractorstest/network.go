package extractorstest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// Reply is what the fake network answers to one call.
type Reply struct {
	// Status is 200 if zero.
	Status int
	Header http.Header
	Body   []byte
	// Torn announces a longer body than it sends, and closes the connection.
	Torn bool
	// Hang answers nothing until the caller gives up.
	Hang bool
}

// Seen is one call as it arrived at the fake network.
type Seen struct {
	Method string
	// Target is path and query as they were sent.
	Target string
	Header http.Header
}

// Script decides the reply to a call; n counts the calls from 0. It may be called
// from several goroutines, one at a time.
type Script func(seen Seen, n int) Reply

// Network is a fake network: a real HTTP server whose answers a test decides.
type Network struct {
	// URL is the address without a trailing slash.
	URL string

	mu     sync.Mutex // guards what follows
	script Script
	seen   []Seen
}

// NewNetwork starts a fake network that ends with the test. Until it has a script
// it answers every call with 500.
func NewNetwork(t testing.TB) *Network {
	n := &Network{}
	server := httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(server.Close)
	n.URL = server.URL
	return n
}

// Play sets the script and forgets the calls seen so far.
func (n *Network) Play(s Script) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.script, n.seen = s, nil
}

// Seen gives the calls that arrived since the script was set.
func (n *Network) Seen() []Seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Seen(nil), n.seen...)
}

func (n *Network) serve(w http.ResponseWriter, r *http.Request) {
	reply := n.reply(Seen{Method: r.Method, Target: r.URL.RequestURI(), Header: r.Header})
	if reply.Hang {
		<-r.Context().Done()
		return
	}
	maps.Copy(w.Header(), reply.Header)
	if reply.Torn {
		w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)+1))
	}
	if reply.Status != 0 {
		w.WriteHeader(reply.Status)
	}
	_, _ = w.Write(reply.Body) // the caller may be gone
}

func (n *Network) reply(s Seen) Reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = append(n.seen, s)
	if n.script == nil {
		return Reply{Status: http.StatusInternalServerError}
	}
	return n.script(s, len(n.seen)-1)
}

// Book is a script that is a network at rest: the first call of every target gets
// the next of the replies, and the same target gets the same reply again. When the
// replies are used up it answers 404.
func Book(replies ...Reply) Script {
	given := map[string]Reply{}
	return func(s Seen, _ int) Reply {
		if r, ok := given[s.Target]; ok {
			return r
		}
		if len(given) >= len(replies) {
			return Reply{Status: http.StatusNotFound}
		}
		r := replies[len(given)]
		given[s.Target] = r
		return r
	}
}

// Always is a script with one reply for every call.
func Always(r Reply) Script { return func(Seen, int) Reply { return r } }
