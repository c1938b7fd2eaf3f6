package affisesim

import (
	"net/http"
	"sync"

	"syncd/tests/simserver"
)

// Network is a simulated Affise tenant with its truth. It is safe for
// concurrent use.
type Network struct {
	opt Options

	mu    sync.RWMutex // guards world, frag, rows, live, broken
	world world
	frag  fragments
	rows  rows
	live  liveState
	// broken are rows that are sent with a field that cannot be read.
	broken map[rowKey]FaultKind

	log     callLog
	faults  faultState
	picks   pickCache
	premade premadeState
	routes  routes
	zones   sync.Map // *time.Location by name
}

type rowKey struct {
	kind uint32
	row  uint32
}

// New makes a network and generates its history: about a second for a
// million rows.
func New(o Options) *Network {
	n := &Network{opt: o.withDefaults(), broken: map[rowKey]FaultKind{}}
	n.makeWorld()
	n.makeRows()
	n.makeFragments()
	n.routes = makeRoutes()
	n.faults.set(n.opt.Seed, n.opt.Faults)
	n.live.until = n.opt.To.Unix()
	return n
}

// Options are the options in force, defaults filled in.
func (n *Network) Options() Options { return n.opt }

// Handler serves the API.
func (n *Network) Handler() http.Handler { return http.HandlerFunc(n.serve) }

// Start serves the API on addr ("127.0.0.1:0" for any port). stop ends the
// listener and every connection and returns when all requests are over.
func (n *Network) Start(addr string) (url string, stop func(), err error) {
	return simserver.Start(addr, n.Handler())
}

// Close removes the files that Premake wrote.
func (n *Network) Close() error { return n.premade.close() }
