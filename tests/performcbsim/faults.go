package performcbsim

import (
	"slices"
	"time"
)

// FaultKind is a way to answer wrongly.
type FaultKind string

// The faults.
const (
	ServerError FaultKind = "server_error" // 502 and HTML
	TooMany     FaultKind = "too_many"     // 429 and HTML
	Torn        FaultKind = "torn"         // half the document, with a matching length
	CutBody     FaultKind = "cut_body"     // the connection is closed in the middle of the body
	Reset       FaultKind = "reset"        // the connection is closed before an answer
	HTMLPage    FaultKind = "html_page"    // 200 and the login page
	Hang        FaultKind = "hang"         // no answer until the client goes
	Slow        FaultKind = "slow"         // the true answer after Fault.Delay
	Repeated    FaultKind = "repeated"     // the first page, whatever page is asked for
)

// Fault is one scripted fault.
type Fault struct {
	Kind FaultKind
	// Get is the call it strikes; "" is any.
	Get string
	// After lets that many matching calls through first.
	After int
	// Times is how many calls it strikes; 0 is 1, negative is for ever.
	Times int
	// Delay of Slow; default 1 s.
	Delay time.Duration
}

// Faults is what goes wrong.
type Faults struct {
	// Script is tried in order for each call; the first that matches strikes.
	Script []Fault
	// Rate is the share of the other calls, from 0 to 1, that fail by one of Kinds; the
	// sequence follows from the seed. Kinds default to ServerError, Torn, TooMany and Reset.
	Rate  float64
	Kinds []FaultKind
}

// faults is guarded by Network.mu.
type faults struct {
	script []Fault
	rate   float64
	kinds  []FaultKind
	seed   hash
	rolls  uint64
}

func (f *faults) set(seed hash, to Faults) {
	kinds := to.Kinds
	if len(kinds) == 0 {
		kinds = []FaultKind{ServerError, Torn, TooMany, Reset}
	}
	*f = faults{script: slices.Clone(to.Script), rate: to.Rate, kinds: slices.Clone(kinds), seed: seed}
}

// SetFaults replaces all faults, and restarts the random ones.
func (n *Network) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults.set(n.root().named("faults"), f)
}

// Inject adds scripted faults behind those there are.
func (n *Network) Inject(f ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults.script = append(n.faults.script, f...)
}

// PendingFaults are the scripted faults that have not struck as often as they should.
func (n *Network) PendingFaults() []Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.faults.script)
}

// strike finds the fault of a call; the zero Fault is none.
func (n *Network) strike(get string) Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := &n.faults
	for i := range f.script {
		s := &f.script[i]
		if s.Get != "" && s.Get != get {
			continue
		}
		if s.After > 0 {
			s.After--
			continue
		}
		hit := *s
		switch {
		case s.Times < 0:
		case s.Times <= 1:
			f.script = slices.Delete(f.script, i, i+1)
		default:
			s.Times--
		}
		return hit
	}
	if f.rate <= 0 {
		return Fault{}
	}
	f.rolls++
	roll := f.seed.of(f.rolls)
	if float64(roll>>11)/(1<<53) >= f.rate {
		return Fault{}
	}
	return Fault{Kind: f.kinds[roll.named("kind").below(len(f.kinds))]}
}
