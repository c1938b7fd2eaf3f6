package affisesim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way to answer wrongly.
type FaultKind string

// Faults of the transport and of the whole answer.
const (
	ServerError     FaultKind = "server_error"      // 500 and JSON
	BadGateway      FaultKind = "bad_gateway"       // 502 and HTML
	HTMLPage        FaultKind = "html_page"         // 200 and HTML
	TooManyRequests FaultKind = "too_many_requests" // 429, see Fault.RetryAfter
	Unauthorized    FaultKind = "unauthorized"      // 401, as if no key came
	Forbidden       FaultKind = "forbidden"         // 403 Auth Denied
	BadRequest      FaultKind = "bad_request"       // 400
	NotFound        FaultKind = "not_found"         // 404
	StatusTwo       FaultKind = "status_two"        // 200 and {"status":2,...}
	Slow            FaultKind = "slow"              // the true answer after Fault.Delay
	Hang            FaultKind = "hang"              // none until the client goes
	CutBody         FaultKind = "cut_body"          // connection closed in the middle of the body
	TornJSON        FaultKind = "torn_json"         // half the document, with a matching length
	Reset           FaultKind = "reset"             // connection reset before an answer
	Oversize        FaultKind = "oversize"          // the true answer and blanks up to Fault.Size bytes
)

// Faults of what the answer says.
const (
	RepeatedPage FaultKind = "repeated_page" // page N has the rows of page N-1
	EndlessPages FaultKind = "endless_pages" // always a next_page; past the end the last page again
	EmptyPages   FaultKind = "empty_pages"   // always a next_page, never a row
	NoRows       FaultKind = "no_rows"       // nothing found, total_count 0
	WrongTotal   FaultKind = "wrong_total"   // total_count is one more than there are
	WrongShape   FaultKind = "wrong_shape"   // text where the list of rows should be
	WrongTypes   FaultKind = "wrong_types"   // rows: text for numbers, null for text, numbers for text; the values still read as the same
	BrokenDate   FaultKind = "broken_date"   // rows: created_at is no date
	BrokenAmount FaultKind = "broken_amount" // rows: revenue is no number
)

// Fault is one scripted fault.
type Fault struct {
	Kind FaultKind
	// Path is the path it strikes, exact or, ending in "*", a prefix; "" is any.
	Path string
	// Params must all be sent with these values (page, date_from, ...).
	Params map[string]string
	// After lets that many matching calls through first.
	After int
	// Times is how many calls it strikes; 0 is 1, negative is for ever.
	Times int
	// RetryAfter of a 429: "5" (seconds), "date:5" (the same as an HTTP date)
	// or "" for none.
	RetryAfter string
	// Delay of Slow; default 1 s.
	Delay time.Duration
	// Size of Oversize in bytes; default 64 MiB.
	Size int64
	// Rows is how many rows of the page a row fault strikes, from the first;
	// 0 is 1, for WrongTypes all.
	Rows int
}

// Faults is what goes wrong.
type Faults struct {
	// Script is tried in order for each call; the first that matches strikes.
	Script []Fault
	// Rate is the share of the other calls that fail at random by one of
	// Kinds; the sequence follows from the network's seed.
	Rate  float64
	Kinds []Fault
}

type faultState struct {
	mu     sync.Mutex
	script []Fault
	rate   float64
	kinds  []Fault
	dice   draw
}

func (s *faultState) set(seed uint64, f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.rate, s.kinds = slices.Clone(f.Script), f.Rate, slices.Clone(f.Kinds)
	s.dice = draw(mix(seed ^ 0x6661756c74))
}

// SetFaults replaces all faults, and restarts the random ones.
func (n *Network) SetFaults(f Faults) { n.faults.set(n.opt.Seed, f) }

// Inject adds scripted faults behind those there are.
func (n *Network) Inject(f ...Fault) {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.script = append(n.faults.script, f...)
}

// PendingFaults are the scripted faults that have not struck as often as they should.
func (n *Network) PendingFaults() []Fault {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	return slices.Clone(n.faults.script)
}

// BreakRow has the conversion or click of this id sent with an unreadable
// field (BrokenDate or BrokenAmount) until RepairRows; the truth keeps it as
// it is.
func (n *Network) BreakRow(id string, kind FaultKind) error {
	k, row, ok := parseOID(id)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case !ok || (k != kindConversion || int(row) >= len(n.rows.convs)) && (k != kindClick || int(row) >= len(n.rows.clicks)):
		return fmt.Errorf("breaking row %s: no conversion or click has this id", id)
	case kind != BrokenDate && (kind != BrokenAmount || k == kindClick):
		return fmt.Errorf("breaking row %s: %s cannot strike it", id, kind)
	}
	n.broken[rowKey{k, row}] = kind
	n.touch(k, row)
	return nil
}

// RepairRows ends what BreakRow did.
func (n *Network) RepairRows() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.broken)
	n.rows.version++
}

// strike finds the fault of a call, nil for none.
func (s *faultState) strike(path string, p params) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.script {
		f := &s.script[i]
		if !f.matches(path, p) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		hit := *f
		switch {
		case f.Times < 0:
		case f.Times <= 1:
			s.script = slices.Delete(s.script, i, i+1)
		default:
			f.Times--
		}
		return &hit
	}
	if s.rate > 0 && len(s.kinds) > 0 {
		roll := s.dice.next()
		pick := s.kinds[s.dice.below(len(s.kinds))]
		if float64(roll>>11)/(1<<53) < s.rate && pick.matches(path, p) {
			return &pick
		}
	}
	return nil
}

func (f *Fault) matches(path string, p params) bool {
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		if !strings.HasPrefix(path, prefix) {
			return false
		}
	} else if f.Path != "" && f.Path != path {
		return false
	}
	for k, v := range f.Params {
		if !slices.Contains(p.all(k), v) {
			return false
		}
	}
	return true
}

// is says whether this fault, which may be nil, is of a kind.
func (f *Fault) is(k FaultKind) bool { return f != nil && f.Kind == k }

// row is the fault that strikes row i of a page; "" for none.
func (f *Fault) row(i int) FaultKind {
	if f == nil {
		return ""
	}
	switch f.Kind {
	case WrongTypes:
		if f.Rows == 0 || i < f.Rows {
			return f.Kind
		}
	case BrokenDate, BrokenAmount:
		if i < max(f.Rows, 1) {
			return f.Kind
		}
	}
	return ""
}
