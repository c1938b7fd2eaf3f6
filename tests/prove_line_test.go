package tests

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire stands between the binary and the warehouse, and fails on demand.
type wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns map[net.Conn]bool

	refuse atomic.Bool
	slow   atomic.Int64 // pause of each packet
	quota  atomic.Int64 // bytes until the next cut; 0: none
	// refused and cut are how often each happened, slowed the times in which packets were slow.
	refused, cut, slowed atomic.Int64
	felt                 atomic.Bool // by a packet
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, target: target, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if w.refuse.Load() {
				w.refused.Add(1)
				reset(c)
				continue
			}
			serving.Go(func() { w.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.cutAll()
		serving.Wait()
	})
	return w
}

// address is where the binary finds the warehouse.
func (w *wire) address() string { return w.listener.Addr().String() }

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (w *wire) keep(c net.Conn, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.conns[c] = true
	} else {
		delete(w.conns, c)
	}
}

// cutAll resets every connection.
func (w *wire) cutAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		reset(c)
	}
}

func (w *wire) carry(near net.Conn) {
	defer reset(near)
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer reset(far)
	w.keep(near, true)
	defer w.keep(near, false)
	var both sync.WaitGroup
	both.Go(func() { w.copy(far, near) })
	both.Go(func() { w.copy(near, far) })
	both.Wait()
}

func (w *wire) copy(to, from net.Conn) {
	defer reset(to)
	defer reset(from)
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if d := w.slow.Load(); d > 0 {
				w.felt.Store(true)
				time.Sleep(time.Duration(d))
			}
			if w.quota.Load() > 0 && w.quota.Add(-int64(n)) <= 0 {
				w.quota.Store(0)
				w.cut.Add(1)
				_, _ = to.Write(buffer[:n/2])
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// mend ends all troubles.
func (w *wire) mend() {
	w.refuse.Store(false)
	w.slow.Store(0)
	if w.felt.Swap(false) {
		w.slowed.Add(1)
	}
	w.quota.Store(0)
}
