package postback

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func address(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	return netip.AddrFrom4(b)
}

func TestASourceHasABurstAndThenItsRate(t *testing.T) {
	l, now := newLimiter(10), arrival
	one, other := address(1), address(2)
	allowed := func(source netip.Addr) (n int) {
		for {
			if _, ok := l.allow(source, now); !ok {
				return n
			}
			n++
		}
	}
	if got := allowed(one); got != 10 {
		t.Errorf("%d calls at once, want a second's worth, 10", got)
	}
	if got := allowed(other); got != 10 {
		t.Errorf("another source has %d calls, want its own 10", got)
	}
	if wait, _ := l.allow(one, now); wait != 100*time.Millisecond {
		t.Errorf("the next call waits %v, want 100ms", wait)
	}
	now = now.Add(300 * time.Millisecond)
	if got := allowed(one); got != 3 {
		t.Errorf("after 300ms %d calls, want 3", got)
	}
	// The older map is turned over and back; what a source used up stays used up.
	now = now.Add(700 * time.Millisecond)
	if got := allowed(one); got != 7 {
		t.Errorf("after 700ms more %d calls, want 7", got)
	}
	now = now.Add(time.Hour)
	if got := allowed(one); got != 10 {
		t.Errorf("after an hour %d calls, want no more than 10", got)
	}
}

func TestTheMemoryOfSourcesIsBounded(t *testing.T) {
	l, now := newLimiter(10), arrival
	refused := 0
	for i := range 4 * sourcesMax {
		if _, ok := l.allow(address(i), now); !ok {
			refused++
		}
		now = now.Add(10 * time.Microsecond)
		if len(l.young) > sourcesMax || len(l.old) > sourcesMax {
			t.Fatalf("%d and %d sources are kept, at most %d may be", len(l.young), len(l.old), sourcesMax)
		}
	}
	if refused == 0 {
		t.Error("sources beyond those that are kept are not limited")
	}
	// One that is kept is not touched by the others' number.
	if _, ok := l.allow(address(4*sourcesMax), now.Add(3*time.Second)); !ok {
		t.Error("a new source is refused when the others have gone")
	}
}

func TestANetworkOfIPv6IsOneSource(t *testing.T) {
	l := newLimiter(1)
	if _, ok := l.allow(netip.MustParseAddr("2001:db8::1"), arrival); !ok {
		t.Fatal("the first call is refused")
	}
	if _, ok := l.allow(netip.MustParseAddr("2001:db8::ffff"), arrival); ok {
		t.Error("another address of the same 64 bits has an allowance of its own")
	}
	if _, ok := l.allow(netip.MustParseAddr("2001:db8:0:1::1"), arrival); !ok {
		t.Error("another network is refused")
	}
}
