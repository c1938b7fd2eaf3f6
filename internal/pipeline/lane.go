package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// lane is the line in which one account's calls wait. Its workers, one unless the
// network allows parallel calls, take the most urgent pull that is due, make one
// call of it, and give it back: a backfill of 500 pages never holds up an hourly
// stream for more than one call.
type lane struct {
	account *Account
	engine  *Engine
	log     *zap.Logger

	mu sync.Mutex
	// next is the earliest time of the next call; stopped says why there is none.
	next    time.Time
	stopped string
	// waits says in words what the lane waits for; empty while it works or has nothing to do.
	waits string
}

// open reads what the store knows of the lane. A stop that was recorded for other
// credentials no longer counts.
func (l *lane) open(ctx context.Context) error {
	known, err := l.engine.store.Lane(ctx, l.account.Name)
	if err != nil {
		return fmt.Errorf("reading the lane of account %s: %w", l.account.Name, err)
	}
	l.next = known.NextCall
	if known.Stopped != "" {
		// Whoever starts syncd again may have mended the key at the network: the
		// account is tried once more, and stops again at the first refusal.
		if err := l.engine.store.StopLane(ctx, l.account.Name, "", ""); err != nil {
			return fmt.Errorf("releasing the lane of account %s: %w", l.account.Name, err)
		}
	}
	return nil
}

// run makes calls until ctx ends. The call in hand then gets the engine's grace.
func (l *lane) run(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := l.engine.queue.wait()
		wait, busy, err := l.turn(ctx)
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		if err := sleep(ctx, wait, changed); err != nil {
			return nil
		}
	}
	return nil
}

// turn makes one call if there is one to make. Otherwise it says how long to wait
// before looking again; zero means until the queue changes.
func (l *lane) turn(ctx context.Context) (wait time.Duration, busy bool, err error) {
	now := time.Now()
	if wait, why := l.blocked(now); why != "" {
		l.wait(why)
		return wait, false, nil
	}
	e, wait := l.engine.queue.take(l.account.Name, now)
	if e == nil {
		l.wait("")
		return wait, false, nil
	}
	l.wait("")
	return 0, true, l.step(ctx, e)
}

// blocked says why no call may leave now, and how long that lasts at least.
func (l *lane) blocked(now time.Time) (time.Duration, string) {
	l.mu.Lock()
	next, stopped := l.next, l.stopped
	l.mu.Unlock()
	if stopped != "" {
		return 0, stopped
	}
	if d := next.Sub(now); d > 0 {
		return d, "waiting for the pace until " + next.In(l.account.Location).Format("15:04:05")
	}
	if why := l.engine.inboxFull(); why != "" {
		return 0, why
	}
	return 0, ""
}

func (l *lane) wait(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = why
}

// ended moves the lane's next call after a call that ended at a time.
func (l *lane) ended(next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if next.After(l.next) {
		l.next = next
	}
}

// leave claims the pace for a call that leaves now: with several workers no other
// leaves within the minimum delay.
func (l *lane) leave(now time.Time) {
	if l.account.MinDelay > 0 && l.account.Parallel <= 1 {
		return // the one worker is in the call; its end sets the pace
	}
	l.ended(now.Add(l.account.MinDelay))
}

// stop ends the account's calls until syncd is started again.
func (l *lane) stop(ctx context.Context, why string) error {
	l.mu.Lock()
	l.stopped = why
	l.mu.Unlock()
	l.engine.queue.touch()
	return l.engine.store.StopLane(ctx, l.account.Name, why, l.account.Fingerprint)
}

func (l *lane) isStopped() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped
}

// errShutdown is why a call that was cut by a shutdown ended.
var errShutdown = errors.New("shutting down")

// sleep waits for a time (zero: for ever), a change or the end of ctx, which is
// its only error.
func sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-timer:
	}
	return nil
}
