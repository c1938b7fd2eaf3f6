package postback

import (
	"net/netip"
	"sync"
	"time"
)

// sourcesMax is how many sources of one second are told apart. All further ones share an
// allowance, so that memory is bounded whatever comes, and nobody gets around the limit
// by having many addresses.
const sourcesMax = 1 << 15

// limiter allows each source a number of calls a second, and a burst of as many.
//
// For each source it keeps the time at which its calls so far would have come if they had
// come evenly; a source whose time has passed is as good as one never seen. What was not
// seen for a second is forgotten by turning the older of two maps over.
type limiter struct {
	interval time.Duration // between two calls of a source that comes evenly

	mu         sync.Mutex
	turned     time.Time
	young, old map[netip.Addr]time.Time
	others     time.Time // of all sources beyond sourcesMax
}

func newLimiter(perSecond int) *limiter {
	return &limiter{interval: time.Second / time.Duration(perSecond), young: map[netip.Addr]time.Time{}, old: map[netip.Addr]time.Time{}}
}

// allow says whether a call of a source may be taken now, and if not in how long.
func (l *limiter) allow(source netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if source.Is6() && !source.Is4In6() {
		// Who has one address of IPv6 has all of its network of 64 bits.
		if prefix, err := source.Prefix(64); err == nil {
			source = prefix.Addr()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.turned) >= time.Second {
		l.young, l.old = l.old, l.young
		clear(l.young)
		l.turned = now
	}
	at, seen := l.young[source]
	shared := !seen && len(l.young) >= sourcesMax
	switch {
	case shared:
		at = l.others
	case !seen:
		at = l.old[source]
	}
	if at.Before(now) {
		at = now
	}
	if ahead := at.Sub(now); ahead > time.Second-l.interval {
		return ahead - (time.Second - l.interval), false
	}
	at = at.Add(l.interval)
	if shared {
		l.others = at
	} else {
		l.young[source] = at
	}
	return 0, true
}
