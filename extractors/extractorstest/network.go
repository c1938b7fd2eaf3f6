package extractorstest

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
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
	Body   string
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
	// aside answers calls that no script is asked about; nil for none.
	aside func(Seen) (Reply, bool)
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

// Aside sets what answers calls beside the scripts: a login, which no script counts.
func (n *Network) Aside(answer func(Seen) (Reply, bool)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.aside = answer
}

// Seen gives the calls that arrived since the script was set.
func (n *Network) Seen() []Seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Seen(nil), n.seen...)
}

func (n *Network) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what did not come was not asked
	reply := n.reply(Seen{Method: r.Method, Target: r.URL.RequestURI(), Header: r.Header, Body: string(body)})
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
	if n.aside != nil {
		if reply, ok := n.aside(s); ok {
			return reply
		}
	}
	n.seen = append(n.seen, s)
	if n.script == nil {
		return Reply{Status: http.StatusInternalServerError}
	}
	return n.script(s, len(n.seen)-1)
}

// asks tells a call from others: by its target, and by its body where it has one.
func (s Seen) asks() string { return strings.TrimSuffix(s.Target+" "+s.Body, " ") }

// Book is a script that is a network at rest: the first call of every target, and body, gets
// the next of the replies, and the same one gets the same reply again. When the
// replies are used up it answers 404.
func Book(replies ...Reply) Script {
	given := map[string]Reply{}
	return func(s Seen, _ int) Reply {
		if r, ok := given[s.asks()]; ok {
			return r
		}
		if len(given) >= len(replies) {
			return Reply{Status: http.StatusNotFound}
		}
		r := replies[len(given)]
		given[s.asks()] = r
		return r
	}
}

// Always is a script with one reply for every call.
func Always(r Reply) Script { return func(Seen, int) Reply { return r } }
