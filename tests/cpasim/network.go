package cpasim

import (
	"slices"
	"sync"
	"time"

	"syncd/tests/simserver"
)

// Network is a simulated network. It is safe for concurrent use.
type Network struct {
	opt    Options
	root   hash
	offers []Offer

	mu      sync.Mutex
	leads   []*lead
	byID    map[string]*lead
	byOwnID map[string]*lead
	log     []Call
	onCall  []func(Call)
	faults  []Fault
	stops   []func()
}

// Call is one request as the network saw it.
type Call struct {
	At     time.Time
	Method string
	Path   string
	// Query and Body are as they were sent.
	Query, Body string
	// What is the method of the API that was called: "getstatuses", "lead/status".
	What string
	// IDs are the leads that were asked for by name.
	IDs []string
	// Status is of HTTP. Refused says why the call was not answered, also where the
	// status is 200; empty for an answer.
	Status  int
	Refused string
	// Records is the number that the answer brought.
	Records int
	// Over says that the call was over the budget, Unsafe that it would have changed
	// something at a real network.
	Over, Unsafe bool
}

// Fault is what is answered in the place of an answer.
type Fault string

// The faults.
const (
	ServerError Fault = "500"
	HTMLPage    Fault = "html"
	Reset       Fault = "reset"
	Torn        Fault = "torn"
)

// New makes a network.
func New(o Options) *Network {
	o = o.withDefaults()
	n := &Network{opt: o, root: hash(o.Seed).of(1), byID: map[string]*lead{}, byOwnID: map[string]*lead{}}
	n.offers = offers(n.root, o.Offers)
	span := o.Now().Sub(o.From)
	for i := range max(o.Leads, 0) {
		n.add(o.From.Add(span * time.Duration(2*i+1) / time.Duration(2*o.Leads)))
	}
	return n
}

// Options are the options in force, defaults filled in.
func (n *Network) Options() Options { return n.opt }

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

// Log gives the calls so far, in the order in which they were answered.
func (n *Network) Log() []Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// ResetLog forgets the calls so far, for the budget too.
func (n *Network) ResetLog() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = nil
}

// OnCall has f called after every call, one at a time. f must not call the network.
func (n *Network) OnCall(f func(Call)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onCall = append(n.onCall, f)
}

// Inject has the next calls answered with faults, one each.
func (n *Network) Inject(faults ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, faults...)
}

// ClearFaults ends those that have not struck.
func (n *Network) ClearFaults() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
}

// enter takes the next fault and says whether a call is over the budget of a minute.
func (n *Network) enter(at time.Time) (fault Fault, over bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.faults) > 0 {
		fault, n.faults = n.faults[0], n.faults[1:]
	}
	recent := 0
	for _, earlier := range slices.Backward(n.log) {
		if at.Sub(earlier.At) >= time.Minute {
			break
		}
		recent++
	}
	return fault, n.opt.Budget > 0 && recent >= n.opt.Budget
}

// leave notes a call that was answered.
func (n *Network) leave(c Call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, c)
	for _, f := range n.onCall {
		f(c)
	}
}

// find gives a lead by one of its ids as it stands now, if it is made.
func (n *Network) find(byOwnID bool, id string) (Lead, bool) {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.byID[id]
	if byOwnID {
		l = n.byOwnID[id]
	}
	if l == nil || l.Made.After(now) {
		return Lead{}, false
	}
	return l.at(now), true
}
