package affisesim

import (
	"slices"
	"sync"
	"time"
)

// Call is one request as the network saw it. Times are of the real clock
// (time.Now), whatever Options.Now says.
type Call struct {
	Number int `json:"number"` // from 1, in order of arrival
	Epoch  int `json:"epoch"`  // how many marks were set before, see Mark
	// At is the arrival. Ended is just before the last of the answer was handed
	// to the connection, so that it is never later than the client's reading.
	At, Ended time.Time
	// Key is "admin", "affiliate:10", "wrong" or "none".
	Key    string   `json:"key"`
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Params string   `json:"params"` // canonical, without the key
	Query  bool     `json:"query"`  // the key came in the URL
	Status int      `json:"status"` // 0: the connection was cut before an answer
	Fault  string   `json:"fault,omitempty"`
	Bytes  int64    `json:"bytes"`
	Done   bool     `json:"done"` // the whole answer was handed to the connection
	Rows   int      `json:"rows"` // records in the answer
	Alien  []string `json:"alien,omitempty"`
}

// Answered says whether the client was given a complete, true answer.
func (c Call) Answered() bool { return c.Done && c.Status == 200 && c.Fault == "" }

// Pair is two calls of the log of which the later should not be, or not yet.
type Pair struct{ First, Second Call }

// Gap is the time from the end of the first call to the start of the second;
// negative if they overlap.
func (p Pair) Gap() time.Duration { return p.Second.At.Sub(p.First.Ended) }

type callLog struct {
	mu    sync.Mutex
	calls []*Call
	epoch int
	sink  func(Call)
}

func (l *callLog) begin(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Number, c.Epoch = len(l.calls)+1, l.epoch
	l.calls = append(l.calls, c)
}

// edit changes a call that readers of the log may see.
func (l *callLog) edit(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// end notes how a call ended; of several times the last word counts, and the
// first time.
func (l *callLog) end(c *Call, status int, bytes int64, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Ended.IsZero() {
		c.Ended = time.Now()
	}
	c.Status, c.Bytes, c.Done = status, bytes, done
}

// over reports a call whose handler returns.
func (l *callLog) over(c *Call) {
	l.mu.Lock()
	sink, copied := l.sink, *c
	l.mu.Unlock()
	if sink != nil {
		sink(copied)
	}
}

// Log is every call so far, in order of arrival. A call that is not over yet
// has a zero Ended.
func (n *Network) Log() []Call {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	out := make([]Call, len(n.log.calls))
	for i, c := range n.log.calls {
		out[i] = *c
	}
	return out
}

// OnCall has f called after each call, from the goroutine that served it.
func (n *Network) OnCall(f func(Call)) {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	n.log.sink = f
}

// ResetLog forgets all calls and marks.
func (n *Network) ResetLog() {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	n.log.calls, n.log.epoch = nil, 0
}

// Mark begins a new epoch of the log and returns its number: a test marks,
// for instance, the moment before it kills the daemon.
func (n *Network) Mark() int {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	n.log.epoch++
	return n.log.epoch
}

// Repeated lists the calls that had been answered completely less than
// within ago (0: at any time) when they were made again in the same words.
// An answer counts as given once it was handed to the connection: of a client
// that was killed while it read, the one call in flight may be listed.
func (n *Network) Repeated(within time.Duration) []Pair { return Repeated(n.Log(), within) }

// Repeated does for a log what the method of Network does for its own.
func Repeated(calls []Call, within time.Duration) []Pair {
	var out []Pair
	last := map[[4]string]Call{}
	for _, c := range calls {
		k := [4]string{c.Key, c.Method, c.Path, c.Params}
		if before, ok := last[k]; ok && (within == 0 || c.At.Sub(before.Ended) < within) {
			out = append(out, Pair{before, c})
		}
		if c.Answered() {
			last[k] = c
		}
	}
	return out
}

// CallsWithin lists the calls that came sooner than minDelay after the end of
// the call before them with the same key, failed calls included, or while it
// was still going on.
func (n *Network) CallsWithin(minDelay time.Duration) []Pair {
	return CallsWithin(n.Log(), minDelay)
}

// CallsWithin does for a log what the method of Network does for its own.
func CallsWithin(calls []Call, minDelay time.Duration) []Pair {
	var out []Pair
	last := map[string]Call{}
	for _, c := range calls {
		before, ok := last[c.Key]
		last[c.Key] = c
		if !ok {
			continue
		}
		if p := (Pair{before, c}); before.Ended.IsZero() || p.Gap() < minDelay {
			out = append(out, p)
		}
	}
	return out
}

// CallsTo lists the calls to one path.
func (n *Network) CallsTo(path string) []Call {
	return slices.DeleteFunc(n.Log(), func(c Call) bool { return c.Path != path })
}
