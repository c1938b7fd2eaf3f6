package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/state"
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
	// silences are the addresses at which nobody was found; guarded by mu.
	silences map[string]*silence

	// checking holds one token while a refused call is being followed up, so that a key
	// that is refused to several workers at once is checked once. A channel and not a
	// mutex, because it is held across a call.
	checking chan struct{}
	// downloads holds a token for each download under way.
	downloads chan struct{}
	// tellers make facts of answers about leads.
	tellers tellers
	// openIDs is when the account's OpenIDs were last asked; guarded by mu.
	openIDs time.Time
}

// downloadsAtOnce is how many files an account downloads at once: one alone does not
// always fill the line, and each more is another that a crash cuts.
const downloadsAtOnce = 2

// open reads what the store knows of the lane. Whoever starts syncd may have mended
// a refused key at the network: the account is tried once more, and stops again at
// the first refusal.
func (l *lane) open(ctx context.Context) error {
	known, err := l.engine.store.Lane(ctx, l.account.Name)
	if err != nil {
		return fmt.Errorf("reading the lane of account %s: %w", l.account.Name, err)
	}
	l.next = known.NextCall
	if known.Stopped == "" {
		return nil
	}
	if err := l.engine.store.StopLane(ctx, l.account.Name, ""); err != nil {
		return fmt.Errorf("releasing the lane of account %s: %w", l.account.Name, err)
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
	e, p, wait := l.engine.queue.take(l.account.Name, now)
	l.wait("")
	if e == nil {
		return wait, false, nil
	}
	return 0, true, l.step(ctx, e, p)
}

// blocked says why no call may leave now, and how long that lasts at least (zero:
// until the queue changes).
func (l *lane) blocked(now time.Time) (time.Duration, string) {
	l.mu.Lock()
	next, stopped := l.next, l.stopped
	l.mu.Unlock()
	if stopped != "" {
		return 0, stopped
	}
	if d := next.Sub(now); d > 0 {
		return d, "waiting for the network's pace or quota until " + next.In(l.account.Location).Format("15:04:05")
	}
	return 0, l.engine.inboxFull()
}

// claim takes the right to make one call now, which counts against the account's
// quotas and the call's own budgets. Testing the pace and taking it are one step,
// because workers wake together. Without the right it says until when to wait. A call
// with own budgets that is not allowed leaves the lane as it was (spent): others need
// not wait for what it waits for.
func (l *lane) claim(ctx context.Context, now time.Time, own ...state.Budget) (wait time.Duration, spent bool, err error) {
	l.mu.Lock()
	if d := l.next.Sub(now); d > 0 {
		l.mu.Unlock()
		return d, false, nil
	}
	before, claimed := l.next, now.Add(l.account.MinDelay)
	l.next = claimed
	l.mu.Unlock()
	budgets := slices.Concat(l.account.Quotas, own)
	if len(budgets) == 0 {
		return 0, false, nil
	}
	free, err := l.engine.store.Quotas(ctx, l.account.Name, budgets, now)
	if err != nil {
		return 0, false, fmt.Errorf("counting a call of account %s against its quotas: %w", l.account.Name, err)
	}
	if free.IsZero() {
		return 0, false, nil
	}
	if len(own) == 0 {
		l.ended(free)
		return free.Sub(now), false, nil
	}
	l.mu.Lock()
	if l.next.Equal(claimed) { // else another call has ended meanwhile, and knows better
		l.next = before
	}
	l.mu.Unlock()
	return free.Sub(now), true, nil
}

// ownBudgets gives the budgets that a call names.
func (l *lane) ownBudgets(call extractors.Call) ([]state.Budget, error) {
	if call.Budget == "" {
		return nil, nil
	}
	budget, ok := l.account.Budgets[call.Budget]
	if !ok {
		return nil, fmt.Errorf("the call counts against the budget %q, which account %s does not have", call.Budget, l.account.Name)
	}
	return []state.Budget{budget}, nil
}

// claimed waits for the right to make one call.
func (l *lane) claimed(ctx context.Context, own ...state.Budget) error {
	for {
		wait, _, err := l.claim(ctx, time.Now(), own...)
		if err != nil || wait <= 0 {
			return err
		}
		if err := sleep(ctx, wait, nil); err != nil {
			return err
		}
	}
}

// depart puts on record that a call leaves now and when the next one may if nothing
// more is ever heard of it. An account without a delay has nothing to record, but where
// a pull stands whose call must not be made twice (see extractors.Call.Unheard).
func (l *lane) depart(ctx context.Context, pull int64, unheard state.Cursor, now time.Time) error {
	if l.account.MinDelay <= 0 && unheard == "" {
		return nil
	}
	d := state.Departure{Account: l.account.Name, PullID: pull, At: now, Unheard: unheard}
	if l.account.MinDelay > 0 {
		d.NextCall = now.Add(l.account.Timeout + l.account.MinDelay)
	}
	err := l.engine.store.Depart(ctx, d)
	if err != nil {
		return fmt.Errorf("recording a call of account %s: %w", l.account.Name, err)
	}
	return nil
}

func (l *lane) wait(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = why
}

// ended moves the lane's next call.
func (l *lane) ended(next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if next.After(l.next) {
		l.next = next
	}
}

// stop ends the account's calls until syncd is started again.
func (l *lane) stop(ctx context.Context, why string) error {
	l.mu.Lock()
	l.stopped = why
	l.mu.Unlock()
	l.engine.queue.touch()
	return l.engine.store.StopLane(ctx, l.account.Name, why)
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
