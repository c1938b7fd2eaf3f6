package metricssim

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"syncd/tests/simserver"
)

// Network is the simulated platform. Its methods are safe for concurrent use.
type Network struct {
	opt    Options
	world  world
	routes *http.ServeMux
	log    callLog
	faults faultList

	mu       sync.Mutex
	days     map[dayKey][]stub
	changes  map[rowKey]change
	late     map[dayKey]int // rows added to a day
	exports  []*Export
	dir      string // of the files, made when the first is
	storage  string // base URL of the files; "" is /storage of the API's host
	inFlight int
}

// New makes a network. It does no IO.
func New(o Options) *Network {
	o.setDefaults()
	n := &Network{opt: o, days: map[dayKey][]stub{}, changes: map[rowKey]change{}, late: map[dayKey]int{}}
	n.world = newWorld(&n.opt)
	n.routes = n.makeRoutes()
	return n
}

// Options are the options with their defaults filled in.
func (n *Network) Options() Options { return n.opt }

// Close removes the files of exports.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	dir := n.dir
	n.dir = ""
	if dir == "" {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the simulated storage: %w", err)
	}
	return nil
}

// Start serves the API on addr ("127.0.0.1:0" for any port) and, unless OneHost is
// set, the files on a port of their own. url is the API's base; stop ends both and
// cuts what is in flight.
func (n *Network) Start(addr string) (url string, stop func(), err error) {
	url, stopAPI, err := simserver.Start(addr, n)
	if err != nil {
		return "", nil, fmt.Errorf("starting the simulated API: %w", err)
	}
	if n.opt.OneHost {
		return url, stopAPI, nil
	}
	files, stopFiles, err := simserver.Start("127.0.0.1:0", http.HandlerFunc(n.serveStorage))
	if err != nil {
		stopAPI()
		return "", nil, fmt.Errorf("starting the simulated storage: %w", err)
	}
	n.mu.Lock()
	n.storage = files
	n.mu.Unlock()
	return url, func() { stopAPI(); stopFiles() }, nil
}
