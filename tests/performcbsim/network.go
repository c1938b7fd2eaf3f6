package performcbsim

import (
	"sync"

	"syncd/tests/simserver"
)

// Network is a simulated Perform[cb] with its truth. It is safe for concurrent use.
type Network struct {
	opt    Options
	offers []Offer

	mu       sync.Mutex // guards what is below, and opt.Switches
	log      []*Call
	pace     map[string]*pace // by user id, as it was sent
	faults   faults
	restated map[int]*restatement // by user id
	stops    []func()
}

// New makes a network.
func New(o Options) *Network {
	n := &Network{opt: o.withDefaults(), pace: map[string]*pace{}, restated: map[int]*restatement{}}
	n.offers = n.makeOffers()
	n.faults.set(n.root().named("faults"), n.opt.Faults)
	return n
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

func (n *Network) root() hash { return hash(mix(n.opt.Seed)) }

// Start serves the API on addr ("127.0.0.1:0" for any port). stop ends the listener
// and every connection and returns when all requests are over.
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
func (n *Network) Close() error {
	n.mu.Lock()
	stops := n.stops
	n.stops = nil
	n.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	return nil
}
