package metricssim

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way in which something goes wrong.
type FaultKind string

// Faults of a call, to the API or to the storage.
const (
	ServerError     FaultKind = "server_error"      // 500
	BadGateway      FaultKind = "bad_gateway"       // 502 and HTML
	TooManyRequests FaultKind = "too_many_requests" // 429, with Fault.RetryAfter
	PaymentRequired FaultKind = "payment_required"  // 402
	Unauthorized    FaultKind = "unauthorized"      // 401
	Forbidden       FaultKind = "forbidden"         // 403; of the storage SignatureDoesNotMatch
	NotFound        FaultKind = "not_found"         // 404
	HTMLPage        FaultKind = "html_page"         // 200 and HTML
	ExpiredLink     FaultKind = "expired_link"      // the storage's 400 ExpiredToken
	CutBody         FaultKind = "cut_body"          // connection closed in the middle of the body
	Slow            FaultKind = "slow"              // the body in two halves, Fault.Delay apart
	Reset           FaultKind = "reset"             // connection closed before an answer, nothing done
	CreateLost      FaultKind = "create_lost"       // done, and the connection closed before the answer
)

// Faults of an export, decided when it is created.
const (
	ExportError    FaultKind = "export_error"    // ends in ERROR
	ExportCanceled FaultKind = "export_canceled" // ends in CANCELED
	ExportStuck    FaultKind = "export_stuck"    // stays IN_PROGRESS
	EmptyFile      FaultKind = "empty_file"      // no bytes, though there are rows
	HeaderOnly     FaultKind = "header_only"     // no rows, though there are
	TornFile       FaultKind = "torn_file"       // half of the file, ending inside a row; the size is of the whole
	WrongSize      FaultKind = "wrong_size"      // artifact.size is 7 too large
	WrongTotal     FaultKind = "wrong_total"     // results_meta.total is 1 too large
)

var exportFaults = []FaultKind{ExportError, ExportCanceled, ExportStuck, EmptyFile, HeaderOnly, TornFile, WrongSize, WrongTotal}

// Fault is one scripted fault.
type Fault struct {
	Kind FaultKind
	// Path is a prefix of the paths it strikes; "" is any path of the API for faults
	// of calls. Paths of files begin with /storage/.
	Path string
	// Type is the export type that it strikes; "" is any. A fault of a call with a
	// type strikes only the creation of such an export.
	Type string
	// After lets that many matches through first.
	After int
	// Times is how many matches it strikes; 0 is 1, negative is for ever.
	Times int
	// RetryAfter is sent with a 429 and 402, as it is; "" for none.
	RetryAfter string
	// Delay of Slow.
	Delay time.Duration
}

type faultList struct {
	mu   sync.Mutex
	list []Fault
}

// Inject adds faults behind those there are; the first that matches strikes.
func (n *Network) Inject(f ...Fault) {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.list = append(n.faults.list, f...)
}

// ClearFaults ends all faults that have not struck. What was done to exports stays.
func (n *Network) ClearFaults() {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.list = nil
}

// PendingFaults are the faults that have not struck as often as they should.
func (n *Network) PendingFaults() []Fault {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	return slices.Clone(n.faults.list)
}

// strike finds the fault of a call or, with creation, of the export it made.
func (l *faultList) strike(path, exportType string, creation bool) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.list {
		f := &l.list[i]
		prefix := f.Path
		if prefix == "" && strings.HasPrefix(path, storagePrefix) {
			continue // faults of any path are the API's
		}
		if slices.Contains(exportFaults, f.Kind) != creation || !strings.HasPrefix(path, prefix) || f.Type != "" && f.Type != exportType {
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
			l.list = slices.Delete(l.list, i, i+1)
		default:
			f.Times--
		}
		return hit, true
	}
	return Fault{}, false
}
