package pipeline

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// A network that cannot be reached would be called for each of an account's windows, and
// each would say so in the log: hundreds of calls to nobody. So when several pulls found
// nobody at an address, all that would call it wait, and one call at a time finds out
// whether somebody is back. No pull is given up meanwhile, for none is to blame.

const (
	// silentPulls is how many pulls have to find nobody: two may both have met the moment
	// in which a network restarts.
	silentPulls = 3
	// silenceMost is the longest wait: a network that is back is noticed within it.
	silenceMost = time.Minute
)

// silence is an address at which nobody was found since the last answer.
type silence struct {
	// pulls are those that found nobody, each once, until they are enough.
	pulls []int64
	// calls are the calls since then, and until is when the next one may leave.
	calls int
	until time.Time
}

// silentUntil gives the time before which nothing should call an address; zero if nothing
// speaks against it.
func (l *lane) silentUntil(host string, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.silences[host]; s != nil && s.until.After(now) {
		return s.until
	}
	return time.Time{}
}

// listen notes how a call of a pull to an address ended, and gives the time of the next
// call if the address is silent; zero if it is not. A one-shot run has to end: it gives
// its pulls up one by one.
func (l *lane) listen(host string, pull int64, ended time.Time, err error) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !unreached(err) || l.engine.oneShot {
		delete(l.silences, host)
		return time.Time{}
	}
	s := l.silences[host]
	if s == nil {
		s = &silence{}
		l.silences[host] = s
	}
	if len(s.pulls) < silentPulls && !slices.Contains(s.pulls, pull) {
		s.pulls = append(s.pulls, pull)
	}
	if len(s.pulls) < silentPulls {
		return time.Time{}
	}
	s.until = ended.Add(min(backoffDelay(s.calls), silenceMost))
	s.calls++
	return s.until
}

// unreached reports whether a call found nobody. A network that accepts a call and does
// not answer it, or breaks off, may do so for what it is asked.
func unreached(err error) bool {
	var way interface{ Unreached() bool }
	return errors.As(err, &way) && way.Unreached()
}

// unheard records a call to a silent address. The pull rests no longer than all the others
// that wait for the address, and has its attempts left for when somebody is back.
func (l *lane) unheard(ctx context.Context, e *entry, p state.Pull, ended, until time.Time, cause error) error {
	api := asAPIError(l.account, p, cause)
	f := l.failure(p, ended, api, api.Error())
	f.NotBefore, f.Blameless, f.GiveUp, f.Park = until, true, false, false
	return l.carryOut(context.WithoutCancel(ctx), e, p, f, false)
}

// hostOf gives the address that a call goes to.
func hostOf(call extractors.Call) string {
	u, err := url.Parse(call.URL)
	if err != nil {
		return "" // the call says what is wrong with it
	}
	return u.Host
}
