package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// ErrStillRunning is returned by Run when calls outlived its grace.
var ErrStillRunning = errors.New("still running")

const (
	// graceDefault is how long Run waits for calls when it is stopped.
	graceDefault = 30 * time.Second
	// lookAgain bounds every wait: a timer does not notice that the wall clock was set
	// or that the machine slept.
	lookAgain = time.Minute
)

// Entry is one thing that is due by a schedule.
type Entry struct {
	// Key names the entry in logs; unique.
	Key      string
	Schedule Schedule
	// Last is when the entry was last due, as far as the caller remembers; zero for
	// never, which makes it due at once.
	Last time.Time
	// Fire is called in a goroutine of its own with the time at which the entry was
	// due; it never runs twice at the same time. Its context ends when Run is stopped.
	Fire func(ctx context.Context, due time.Time)
}

// Loop calls entries when they are due. The zero value is ready; it runs once.
type Loop struct {
	// Log gets a line at Debug for each skipped due time; nil for none.
	Log *zap.Logger
	// Grace bounds how long a stopped Run waits for calls; zero means 30 seconds.
	Grace time.Duration
	// Skipped, if set, is told of each due time at which the entry's last call was
	// still going. It is called from Run's goroutine and must not block.
	Skipped func(key string, due time.Time)

	// now is what the wall clock shows; nil for the real one. A test sets the clock, which
	// the fake time of a bubble cannot do.
	now func() time.Time
}

// pending is an entry on its way to its next due time.
type pending struct {
	Entry
	next time.Time // zero: never
	// busy is guarded by the run's mutex.
	busy bool
}

// run is one Run.
type run struct {
	*Loop
	now     func() time.Time
	log     *zap.Logger
	entries []*pending
	// mu guards busy of all entries. Nothing else is locked under it.
	mu    sync.Mutex
	calls sync.WaitGroup
}

// Run calls the entries when they are due, until ctx ends. What was due while
// nobody looked (the daemon was down, the machine slept) is called once, with the
// latest of the due times. A due time is skipped while the entry's last call is
// still going, and no due time is called twice.
//
// Run returns nil after all calls have returned, or ErrStillRunning with the keys
// of those that have not within the grace; their goroutines are then left behind.
func (l *Loop) Run(ctx context.Context, entries []Entry) error {
	r := &run{Loop: l, now: l.now, log: cmp.Or(l.Log, zap.NewNop())}
	if r.now == nil {
		r.now = wallNow
	}
	now := r.now()
	for _, e := range entries {
		p := &pending{Entry: e, next: now}
		if !e.Last.IsZero() {
			p.next = e.Schedule.Next(e.Last)
		}
		r.entries = append(r.entries, p)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return r.stop()
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return r.stop()
		}
		timer.Reset(r.fireDue(ctx, r.now()))
	}
}

// wallNow is the time without its monotonic reading: due times are compared by
// what clocks show.
func wallNow() time.Time { return time.Now().Round(0) }

// fireDue calls what is due and gives the time until something is due again.
func (r *run) fireDue(ctx context.Context, now time.Time) time.Duration {
	wait := lookAgain
	for _, p := range r.entries {
		if p.next.IsZero() {
			continue
		}
		if !p.next.After(now) {
			due := latest(p.Schedule, p.next, now)
			// From now on, not from the due time: what was missed is made up for by one call.
			p.next = p.Schedule.Next(now)
			r.fire(ctx, p, due)
		}
		if !p.next.IsZero() {
			wait = min(wait, p.next.Sub(now))
		}
	}
	return wait
}

func (r *run) fire(ctx context.Context, p *pending, due time.Time) {
	r.mu.Lock()
	busy := p.busy
	p.busy = true
	r.mu.Unlock()
	if busy {
		r.log.Debug("due time skipped, the last call is still going", zap.String("entry", p.Key), zap.Time("due", due))
		if r.Skipped != nil {
			r.Skipped(p.Key, due)
		}
		return
	}
	r.calls.Go(func() {
		defer func() {
			r.mu.Lock()
			p.busy = false
			r.mu.Unlock()
		}()
		p.Fire(ctx, due)
	})
}

// stop waits for the calls that are going.
func (r *run) stop() error {
	ended := make(chan struct{})
	go func() {
		r.calls.Wait()
		close(ended)
	}()
	grace := time.NewTimer(cmp.Or(r.Grace, graceDefault))
	defer grace.Stop()
	select {
	case <-ended:
		return nil
	case <-grace.C:
	}
	var keys []string
	r.mu.Lock()
	for _, p := range r.entries {
		if p.busy {
			keys = append(keys, p.Key)
		}
	}
	r.mu.Unlock()
	if len(keys) == 0 { // the last one ended just now
		<-ended
		return nil
	}
	return fmt.Errorf("stopping the schedule: %w after %v: %s", ErrStillRunning, cmp.Or(r.Grace, graceDefault), strings.Join(keys, ", "))
}

// latest gives the last due time up to now, given that first is one. It steps back
// from now by longer and longer steps, so that a year of missed minutes costs
// about as much as one.
func latest(s Schedule, first, now time.Time) time.Time {
	for back := time.Minute; ; back *= 2 {
		from := now.Add(-back)
		if !from.After(first) {
			from = first
		}
		due := s.Next(from)
		if !due.IsZero() && !due.After(now) {
			for {
				next := s.Next(due)
				if next.IsZero() || next.After(now) {
					return due
				}
				due = next
			}
		}
		if from.Equal(first) {
			return first
		}
	}
}
