package metricssim

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// answer is a call that is being answered. The log has its end before the client can
// have read the last of it, or seen the connection closed: a client that goes on at once
// would find the call still running.
type answer struct {
	http.ResponseWriter
	n    *Network
	call Call
	once sync.Once
	// last is done before the last byte of a file is sent; nil for nothing.
	last func()
}

// begin takes a call; end has to follow.
func (n *Network) begin(w http.ResponseWriter, r *http.Request, storage bool) *answer {
	a := &answer{ResponseWriter: w, n: n, call: Call{At: time.Now(), Method: r.Method, Path: r.URL.Path, Storage: storage}}
	if storage {
		a.call.Status = http.StatusOK // of a file as it is
		return a
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.inFlight++
	if n.inFlight > 1 {
		n.log.violation("more than one call in flight: " + r.URL.Path)
	}
	return a
}

// end notes that the call is over; of several times the first counts.
func (a *answer) end() {
	a.once.Do(func() {
		a.call.Ended = time.Now()
		a.n.log.add(a.call)
		if !a.call.Storage {
			a.n.mu.Lock()
			a.n.inFlight--
			a.n.mu.Unlock()
		}
	})
}

// beforeLast does what is to be done before the last byte of a file is sent.
func (a *answer) beforeLast() {
	if a.last != nil {
		a.last()
	}
	a.end()
}

// cut closes the connection; a recorder of a test has none, and sees a panic that the
// server of net/http takes for the same.
func (a *answer) cut() {
	a.end()
	conn, _, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

// flush sends what is there.
func (a *answer) flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// WriteHeader keeps the status for the log.
func (a *answer) WriteHeader(status int) {
	a.call.Status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap implements what http.ResponseController looks for.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// ReadFrom implements io.ReaderFrom. It hands files on as they are, so that they are sent
// by the kernel, the last byte of what is limited by itself.
func (a *answer) ReadFrom(from io.Reader) (int64, error) {
	var most int64
	if part, ok := from.(*io.LimitedReader); ok && part.N > 1 {
		sent, err := io.CopyN(a.ResponseWriter, part.R, part.N-1)
		part.N -= sent
		if err != nil {
			return sent, err //nolint:wrapcheck // of the interface
		}
		most = sent
	}
	a.beforeLast()
	rest, err := io.Copy(a.ResponseWriter, from)
	return most + rest, err //nolint:wrapcheck // of the interface
}
