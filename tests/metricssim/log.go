package metricssim

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Call is one request as the network saw it. Times are of the real clock, whatever
// Options.Now says.
type Call struct {
	At, Ended time.Time
	Method    string
	Path      string
	Params    url.Values
	// Storage says that it was for a file, on the storage's host.
	Storage bool
	// Range is what of a file was asked for; "" is all of it.
	Range  string
	Status int // 0: the connection was cut before an answer
	Fault  FaultKind
	Rows   int // records in the answer
	Bytes  int
}

type callLog struct {
	mu         sync.Mutex
	calls      []Call
	violations []string
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
}

func (l *callLog) violation(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, what)
}

// Log is every call that is over, in the order in which they ended.
func (n *Network) Log() []Call {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	return slices.Clone(n.log.calls)
}

// CallsTo lists the calls to paths that begin with a prefix.
func (n *Network) CallsTo(prefix string) []Call {
	return slices.DeleteFunc(n.Log(), func(c Call) bool { return !strings.HasPrefix(c.Path, prefix) })
}

// ResetLog forgets all calls and violations.
func (n *Network) ResetLog() {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	n.log.calls, n.log.violations = nil, nil
}

// Violations are, in words, what a client must never do and did: a key shown to the
// storage, a method that is neither a read nor the creation of an export, more than
// one call in flight with the API, an export bought twice.
func (n *Network) Violations() []string {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	return slices.Clone(n.log.violations)
}
