package metricssim

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// witness is where an answer goes. It looks into the log whenever the client learns
// something.
type witness struct {
	http.ResponseWriter
	n     *Network
	known []int // the calls in the log, of each time
}

func (w *witness) look() { w.known = append(w.known, len(w.n.Log())) }

func (w *witness) Write(b []byte) (int, error) {
	w.look()
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker.
func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, _ := net.Pipe()
	return hungUp{conn, w}, nil, nil
}

type hungUp struct {
	net.Conn
	w *witness
}

func (c hungUp) Close() error {
	c.w.look()
	return c.Conn.Close()
}

func TestACallIsOverBeforeItsClientCanKnow(t *testing.T) {
	for _, test := range []struct {
		name   string
		method string
		path   string // a link to a file if it is empty
		fault  FaultKind
	}{
		{"an answer", "GET", apiPrefix + "/users", ""},
		{"a refusal", "GET", apiPrefix + "/users", ServerError},
		{"a reset", "GET", apiPrefix + "/users", Reset},
		{"a torn answer", "GET", apiPrefix + "/users", CutBody},
		{"a creation that is not heard of", "POST", inside + "click-logs" + firstOfJune(wanted...), CreateLost},
		{"a file", "GET", "", ""},
		{"a torn file", "GET", "", CutBody},
		{"a refused file", "GET", "", Forbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := setup(t, Options{})
			if test.path == "" {
				_, e := c.order(Clicks, wanted...)
				test.path = c.link(e.ID)
			}
			c.ResetLog()
			if test.fault != "" {
				c.Inject(Fault{Kind: test.fault})
			}
			w := &witness{ResponseWriter: httptest.NewRecorder(), n: c.Network}
			r := httptest.NewRequest(test.method, test.path, nil)
			if r.Host == "example.com" { // not a link
				r.Header.Set("API-KEY", c.opt.Key)
			}
			c.ServeHTTP(w, r)
			if len(w.known) == 0 || w.known[len(w.known)-1] != 1 || !slices.IsSorted(w.known) {
				t.Errorf("the log had %v calls when the client learned something, want the call before it learned the last", w.known)
			}
			if got := c.Violations(); len(got) > 0 {
				t.Error(got)
			}
		})
	}
}
