package offerslooksim

import (
	"slices"
	"sync"
	"time"

	"syncd/tests/simserver"
)

// Network is a simulated OffersLook. It is safe for concurrent use.
type Network struct {
	opt   Options
	world world

	mu    sync.Mutex
	log   []Call
	next  []Fault // of the next calls, one each
	stops []func()
}

// Call is one request as the network saw it.
type Call struct {
	At, Ended time.Time
	Method    string
	Path      string
	// Query is as it was sent.
	Query  string
	Status int
	// Records is the number that the answer brought.
	Records int
	// Over says that the call was over the budget.
	Over bool
	// Fault is what was answered in place of an answer; empty for none.
	Fault Fault
}

// New makes a network.
func New(o Options) *Network {
	o = o.withDefaults()
	return &Network{opt: o, world: newWorld(o)}
}

// Options are the options in force, defaults filled in.
func (n *Network) Options() Options {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opt
}

// Set changes switches of a network that runs.
func (n *Network) Set(change func(*Switches)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.opt.Switches)
}

// Inject has the next calls answered with faults, one each.
func (n *Network) Inject(faults ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = append(n.next, faults...)
}

// ClearFaults ends those of Inject that have not struck.
func (n *Network) ClearFaults() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = nil
}

// strike gives the fault of a call, empty for none.
func (n *Network) strike(number int) Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.opt.Faults[number]; f != "" || len(n.next) == 0 {
		return f
	}
	f := n.next[0]
	n.next = n.next[1:]
	return f
}

// Log gives the calls so far, in the order in which they came.
func (n *Network) Log() []Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// Start serves the API on addr ("127.0.0.1:0" for any port). stop ends the listener and
// every connection and returns when all requests are over.
func (n *Network) Start(addr string) (url string, stop func(), err error) {
	url, stop, err = simserver.Start(addr, n)
	if err != nil {
		return "", nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stops = append(n.stops, stop)
	return url, stop, nil
}

// Close stops what Start began.
func (n *Network) Close() {
	n.mu.Lock()
	stops := n.stops
	n.stops = nil
	n.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
}

// begin notes a call and gives its number, counted from 1, and whether it is over the
// budget, which all keys share.
func (n *Network) begin(c Call) (number int, over bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	recent := 0
	for _, earlier := range slices.Backward(n.log) {
		if c.At.Sub(earlier.At) >= 10*time.Second {
			break
		}
		recent++
	}
	c.Over = n.opt.Budget > 0 && recent >= n.opt.Budget
	n.log = append(n.log, c)
	return len(n.log), c.Over
}

// end notes what was answered.
func (n *Network) end(number, status, records int, fault Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &n.log[number-1]
	c.Ended, c.Status, c.Records, c.Fault = n.opt.Clock(), status, records, fault
}

func (n *Network) switches() Switches {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opt.Switches
}
