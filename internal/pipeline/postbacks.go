package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"syncd/state"
)

const (
	// postbacksAtOnce is how many postbacks a pull brings at most. They are some 3 MB, read
	// and merged in a tenth of a second, in which others wait for the store.
	postbacksAtOnce = 5_000
	// postbackLinger is how long postbacks wait for company. Each pull costs a publication;
	// people who watch their first postback arrive do not notice a third of a second.
	postbackLinger = 300 * time.Millisecond
	// unreadFirst doubles to unreadMost: how long postbacks rest that cannot be read. A new
	// version of syncd may read them.
	unreadFirst = time.Second
	unreadMost  = time.Hour
)

// drain takes the postbacks of an account out of the store, in the order in which they
// came, and makes pulls of them. There is one such pull at a time: while the warehouse
// is down the rest waits in the store, where a postback costs least.
type drain struct {
	engine  *Engine
	account *Account
	stream  string
	log     *zap.Logger

	mu sync.Mutex
	// arrived says that postbacks may wait; wake is closed and replaced when it becomes true.
	arrived bool
	wake    chan struct{}
	// bringing says that somebody is about to know whether any wait.
	bringing bool
	// stuck says that those that wait cannot be read.
	stuck bool
}

// newDrain gives a drain that looks once whether something waits.
func newDrain(e *Engine, a *Account) *drain {
	return &drain{
		engine: e, account: a, stream: a.Receiver.Stream().Name, arrived: true, wake: make(chan struct{}),
		log: e.log.Named("postbacks").With(zap.String("account", a.Name)),
	}
}

// PostbackArrived says that a postback of an account is in the store. It never blocks.
func (e *Engine) PostbackArrived(account string) {
	if d := e.drains[account]; d != nil {
		d.tell()
	}
}

// tell says that postbacks may wait.
func (d *drain) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.arrived {
		close(d.wake)
		d.wake = make(chan struct{})
	}
	d.arrived = true
}

// begin says that it is about to be known what waits, and end that it is.
func (d *drain) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrived, d.bringing = false, true
}

func (d *drain) end() {
	d.mu.Lock()
	d.bringing = false
	d.mu.Unlock()
	d.engine.queue.touch() // whoever drains the engine looks again
}

// look says whether postbacks may wait, and gives what is closed when some arrive.
func (d *drain) look() (arrived bool, wake <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arrived, d.wake
}

// waiting reports whether there is something to wait for: postbacks that can be read,
// with nothing before them that the warehouse refuses.
func (d *drain) waiting() bool {
	open, well := d.engine.queue.open(d.account.Name, d.stream)
	d.mu.Lock()
	defer d.mu.Unlock()
	return (d.arrived || d.bringing) && !d.stuck && (!open || well)
}

// run brings postbacks until ctx ends. What waited when it began does not linger.
func (d *drain) run(ctx context.Context) error {
	limit, pause := postbacksAtOnce, time.Duration(0)
	for ctx.Err() == nil {
		arrived, wake := d.look()
		if !arrived {
			if err := sleep(ctx, 0, wake); err != nil {
				return nil
			}
			if err := sleep(ctx, postbackLinger, nil); err != nil {
				return nil
			}
			continue
		}
		changed := d.engine.queue.wait()
		if open, _ := d.engine.queue.open(d.account.Name, d.stream); open {
			if err := sleep(ctx, 0, changed); err != nil {
				return nil
			}
			continue
		}
		err := d.bring(ctx, limit)
		unread, is := errors.AsType[*unreadError](err)
		switch {
		case err == nil:
			limit, pause = postbacksAtOnce, 0
			d.stick(false)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, state.ErrPullOpen):
			// Of a moment in which the queue did not have it yet, or of another selection.
			if err := sleep(ctx, time.Second, changed); err != nil {
				return nil
			}
		case !is:
			return err
		case unread.postbacks > 1:
			limit = max(unread.postbacks/2, 1) // what can be read goes on
		default:
			pause = min(max(2*pause, unreadFirst), unreadMost)
			d.stick(true)
			d.log.Error("postback cannot be read, those behind it wait", zap.Error(err), zap.Duration("again_in", pause))
			d.engine.failed(err.Error())
			if err := sleep(ctx, pause, nil); err != nil {
				return nil
			}
		}
	}
	return nil
}

func (d *drain) stick(stuck bool) {
	d.mu.Lock()
	changed := d.stuck != stuck
	d.stuck = stuck
	d.mu.Unlock()
	if changed {
		d.engine.queue.touch() // whoever drains the engine looks again
	}
}

// unreadError says that postbacks could not be made a page.
type unreadError struct {
	account   string
	postbacks int
	seq       int64 // of the first
	err       error
}

func (e *unreadError) Error() string {
	return fmt.Sprintf("account %s: reading %d postbacks from number %d on: %v; they stay in the state, please report this", e.account, e.postbacks, e.seq, e.err)
}

func (e *unreadError) Unwrap() error { return e.err }

// bring makes a pull of the postbacks that wait, at most limit of them.
func (d *drain) bring(ctx context.Context, limit int) error {
	e, a := d.engine, d.account
	// Whatever arrives from here on is told of again; what arrived before is in the list.
	d.begin()
	defer d.end()
	list, err := e.store.Postbacks(ctx, a.Name, limit)
	if err != nil {
		return fmt.Errorf("reading the postbacks of account %s: %w", a.Name, err)
	}
	if len(list) == 0 {
		return nil
	}
	d.tell()
	body, told, err := a.Receiver.Read(list)
	if err != nil {
		return &unreadError{a.Name, len(list), list[0].Seq, err}
	}
	told.Poll = a.pollRule(nil)
	packed, release := e.packer.pack(body)
	defer release() // the store has its own copy when Bring returns
	now, run := time.Now(), e.newRunID()
	first, last := list[0].Seq, list[len(list)-1].Seq
	// They were answered with a promise: a shutdown does not keep them from being brought.
	durable := context.WithoutCancel(ctx)
	pull, err := e.store.Bring(durable, state.Bring{
		Account: a.Name, Stream: d.stream, RunID: run, Through: last, Body: packed, Records: len(list), RawBytes: len(body),
		Request: fmt.Sprintf("postbacks %d to %d", first, last), At: now, Told: told,
	})
	if err != nil {
		return fmt.Errorf("bringing postbacks %d to %d of account %s: %w", first, last, a.Name, err)
	}
	e.after("brought")
	if err := e.runs.start(durable, run, a.Name, d.stream, 1); err != nil {
		return fmt.Errorf("storing the run of account %s, stream %s: %w", a.Name, d.stream, err)
	}
	e.observe.Planned(pull)
	e.observe.Received(pull, len(list))
	e.queue.grown(int64(len(packed)))
	e.queue.add([]state.Pull{pull}, now)
	d.log.Debug("postbacks brought", zap.Int("postbacks", len(list)), zap.Int64("through", last), zap.Int("leads", len(told.Facts)))
	return nil
}
