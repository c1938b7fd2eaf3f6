package performcbsim

import (
	"net/url"
	"time"
)

// Call is one request as the network saw it, times by Options.Clock.
type Call struct {
	Number int `json:"number"` // from 1, in order of arrival
	// At is the arrival. Ended is just before the last of the answer was handed to the
	// connection, so that it is never later than the client's reading; of a call that
	// was cut or given up it is when the network noticed. It is zero while the call runs.
	At    time.Time `json:"at"`
	Ended time.Time `json:"ended"`
	// Lost says that the client went before it was answered.
	Lost   bool   `json:"lost,omitempty"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Get    string `json:"get"`
	UserID string `json:"user_id"`
	// Params are the others, sorted; the key is not among them.
	Params string `json:"params"`
	Status int    `json:"status"` // 0: the connection was cut before an answer
	Fault  string `json:"fault,omitempty"`
	// Early says that the call came before Options.MinInterval was over.
	Early bool `json:"early,omitempty"`
	// Write says that the call would have changed the account.
	Write bool `json:"write,omitempty"`
	Rows  int  `json:"rows"` // records in the answer
}

// Breach is a call that should not have been made, or not yet.
type Breach struct {
	Call Call
	// Before is the call of the same account that was over too short a time ago, or
	// still going on; zero for a write.
	Before Call
	Reason string
}

// Log is every call so far, in order of arrival.
func (n *Network) Log() []Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]Call, len(n.log))
	for i, c := range n.log {
		out[i] = *c
	}
	return out
}

// ResetLog forgets all calls; the interval of the next one still counts from the last.
func (n *Network) ResetLog() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = nil
}

// Violations are the calls of the log that came sooner than gap after the end of the
// call before them with the same user id, failed calls included, and the writes.
func (n *Network) Violations(gap time.Duration) []Breach {
	var out []Breach
	last := map[string]Call{}
	for _, c := range n.Log() {
		if c.Write {
			out = append(out, Breach{Call: c, Reason: "a write was called"})
		}
		before, ok := last[c.UserID]
		last[c.UserID] = c
		if !ok {
			continue
		}
		if before.Ended.IsZero() || before.Ended.After(c.At) {
			out = append(out, Breach{c, before, "the call before it was going on"})
		} else if wait := c.At.Sub(before.Ended); wait < gap-grace(before.Lost, gap) {
			out = append(out, Breach{c, before, "only " + wait.String() + " after the call before it"})
		}
	}
	return out
}

// grace is what the pause after a call may be too short by: when a client gave the
// call up, the network learns later than the client that it is over.
func grace(lost bool, gap time.Duration) time.Duration {
	if !lost {
		return 0
	}
	return min(gap/10, time.Second)
}

// pace is when an account called last.
type pace struct {
	running int
	ended   time.Time
	lost    bool
}

// begin puts a call into the log and judges its time.
func (n *Network) begin(method, path string, query url.Values) *Call {
	shown := url.Values{}
	for name, values := range query {
		if name != "api_key" && name != "user_id" && name != "get" {
			shown[name] = values
		}
	}
	c := &Call{Method: method, Path: path, Get: query.Get("get"), UserID: query.Get("user_id"), Params: shown.Encode()}
	n.mu.Lock()
	defer n.mu.Unlock()
	c.Number, c.At = len(n.log)+1, n.opt.Clock()
	p := n.pace[c.UserID]
	if p == nil {
		p = &pace{}
		n.pace[c.UserID] = p
	}
	gap := n.opt.MinInterval
	c.Early = gap > 0 && (p.running > 0 || !p.ended.IsZero() && c.At.Sub(p.ended) < gap-grace(p.lost, gap))
	p.running++
	n.log = append(n.log, c)
	return c
}

// end notes that a call is over; of several times the first counts.
func (n *Network) end(c *Call, status int, lost bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !c.Ended.IsZero() {
		return
	}
	c.Ended, c.Status, c.Lost = n.opt.Clock(), status, lost
	p := n.pace[c.UserID]
	p.running--
	p.ended, p.lost = c.Ended, lost
}

// edit changes a call that readers of the log may see.
func (n *Network) edit(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}
