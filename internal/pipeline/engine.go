package pipeline

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"syncd/extractors"
	"syncd/internal/spool"
	"syncd/loaders"
	"syncd/state"
)

// Options are what an Engine is made of. Store, Warehouse, Accounts and Log must be given.
type Options struct {
	Store     state.Store
	Warehouse Warehouse
	Accounts  []*Account
	Log       *zap.Logger
	Observers []Observer
	// Spool is where files are downloaded to; a stream whose records come in files
	// stops where there is none.
	Spool *spool.Spool
	// SpoolRetention is how long a file is kept after its rows were published; 0 means 7 days.
	SpoolRetention time.Duration
	// RawRetention is how long raw pages are kept; 0 means 90 days.
	RawRetention time.Duration
	// InboxMax is the compressed size of the inbox at which lanes stop making
	// calls while the warehouse does not take what waits; 0 means 4 GiB.
	InboxMax int64
	// Slots is the number of batches that load at once; 0 means 2, one connection
	// each: the server sorts and writes an INSERT on one core.
	Slots int
	// Selected says which streams are worked on; nil means all. What an earlier run
	// left of the others rests.
	Selected func(account, stream string) bool
	// OneShot says that the engine runs until a Drain and not for ever: pauses that the
	// network asks for end a pull as failures do.
	OneShot bool
	// Replaying says that no call is made and no postback is brought: what waits in the inbox
	// is loaded, and what Engine.Replay is given.
	Replaying bool
	// Attempts is how many calls in a row may fail before a pull is given up until
	// its stream is due again; 0 means 8, some 15 minutes of backoff.
	Attempts int
	// Grace is how long a call in hand may still take after a shutdown began; 0 means 10 s.
	Grace time.Duration
	// Linger is how long a loader waits for more pulls before it publishes a small
	// batch, while more are on their way; 0 means 500 ms.
	Linger time.Duration
	// NewRunID names a run; nil means one made of the time.
	NewRunID func() string
	// After is told of every step that is complete, one of Steps; nil outside tests,
	// which end the process there.
	After func(step string)
}

// Steps are the steps of the flow, in their order, as Options.After is told of them.
// Only a pull whose records come in a file has the step "downloaded": the file is
// whole and nothing in the store says so. Postbacks come in with "brought", which stands
// for all that comes before "staged".
var Steps = []string{"planned", "departed", "answered", "downloaded", "received", "brought", "staged", "published", "checkpointed"}

// Warehouse is what the pipeline needs of the warehouse.
type Warehouse interface {
	Begin(ctx context.Context, slot int) (*loaders.Batch, error)
	// Column gives the distinct live values of columns, for for-each streams.
	Column(ctx context.Context, table, account string, equal map[string]string, columns []string) ([]string, error)
}

// Engine drives the lanes of all accounts and the loader.
type Engine struct {
	store     state.Store
	warehouse Warehouse
	log       *zap.Logger
	observe   observers
	queue     *queue
	runs      *runs
	lanes     map[string]*lane
	drains    map[string]*drain // of the accounts that receive postbacks
	packer    *packer
	files     *files
	// spawn starts work that Run waits for; set by Run.
	spawn func(func() error)

	selected func(account, stream string) bool
	oneShot  bool
	// replaying is Options.Replaying.
	replaying bool
	inboxMax  int64
	// rawRetention is Options.RawRetention.
	rawRetention time.Duration
	slots        int
	attempts     int
	grace        time.Duration
	linger       time.Duration
	newRunID     func() string
	after        func(step string)

	// mappings keeps what Account.Mapping gave, by account and stream.
	mappings sync.Map

	mu sync.Mutex
	// failures are the pulls given up and the accounts stopped since the start, in words.
	failures []string
	// down is the last error of the warehouse; nil while it takes what is loaded.
	down      error
	downSince time.Time
	// downSaid is when that was last logged.
	downSaid time.Time
}

// New makes an engine and takes over what an earlier one left in the store. No
// call is made before Run.
func New(ctx context.Context, o Options) (*Engine, error) {
	packer, err := newPacker()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		store: o.Store, warehouse: o.Warehouse, log: o.Log, observe: o.Observers, packer: packer,
		queue: newQueue(), lanes: map[string]*lane{}, drains: map[string]*drain{},
		selected: o.Selected, oneShot: o.OneShot, inboxMax: o.InboxMax, rawRetention: o.RawRetention, slots: o.Slots, attempts: o.Attempts, grace: o.Grace, linger: o.Linger, newRunID: o.NewRunID, after: o.After,
	}
	if o.Replaying {
		e.replaying, e.store = true, newReplayStore(o.Store)
	}
	e.setDefaults()
	e.files = newFiles(o.Spool, o.SpoolRetention)
	e.runs = newRuns(o.Store)
	for _, a := range o.Accounts {
		if a.Receiver != nil && !e.replaying && e.selected(a.Name, a.Receiver.Stream().Name) {
			e.drains[a.Name] = newDrain(e, a)
		}
		l := &lane{account: a, engine: e, silences: map[string]*silence{}, checking: make(chan struct{}, 1), downloads: make(chan struct{}, downloadsAtOnce), log: o.Log.Named("lane").With(zap.String("account", a.Name))}
		e.lanes[a.Name] = l
		if !e.replaying { // who makes no calls does not know whether a refused key was mended
			if err := l.open(ctx); err != nil {
				return nil, err
			}
		}
		open, err := o.Store.OpenPulls(ctx, a.Name)
		if err != nil {
			return nil, fmt.Errorf("reading the open pulls of account %s: %w", a.Name, err)
		}
		if e.replaying {
			open = slices.DeleteFunc(open, func(p state.Pull) bool { return p.Phase != state.Pulled })
		}
		if err := e.adopt(ctx, l.account, open, time.Now()); err != nil {
			return nil, err
		}
	}
	return e, e.measure(ctx)
}

func (e *Engine) setDefaults() {
	if e.inboxMax <= 0 {
		e.inboxMax = 4 << 30
	}
	if e.rawRetention <= 0 {
		e.rawRetention = 90 * 24 * time.Hour
	}
	if e.slots <= 0 {
		e.slots = 2
	}
	if e.attempts <= 0 {
		e.attempts = 8
	}
	if e.grace <= 0 {
		e.grace = 10 * time.Second
	}
	if e.linger <= 0 {
		e.linger = 500 * time.Millisecond
	}
	if e.selected == nil {
		e.selected = func(string, string) bool { return true }
	}
	if e.after == nil {
		e.after = func(string) {}
	}
	if e.newRunID == nil {
		e.newRunID = func() string {
			return time.Now().UTC().Format("20060102T150405Z-") + strings.ToLower(rand.Text()[:8])
		}
	}
}

// Run makes calls and loads until ctx ends, then lets the calls in hand finish
// within the grace and returns. Its error is one that the daemon cannot go on with.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	e.spawn = g.Go
	if e.files.spool != nil {
		g.Go(func() error { return e.sweep(ctx) })
	}
	for _, l := range e.lanes {
		if e.replaying {
			break
		}
		for range max(l.account.Parallel, 1) {
			g.Go(func() error { return l.run(ctx) })
		}
	}
	for _, d := range e.drains {
		g.Go(func() error { return d.run(ctx) })
	}
	for slot := range e.slots {
		s := newSlot(e, slot)
		g.Go(func() error { return s.run(ctx) })
	}
	return g.Wait()
}

// Drain waits until nothing is left to do: every pull is published, given up, or
// belongs to an account that was stopped, and no postbacks wait. It returns ctx's error when that ends first,
// and the warehouse's when that has taken nothing for longer than patience (0: for ever).
func (e *Engine) Drain(ctx context.Context, patience time.Duration) error {
	for {
		changed := e.queue.wait()
		if e.idle() {
			return nil
		}
		if err := e.warehouseDown(patience); err != nil {
			return err
		}
		if err := sleep(ctx, time.Second, changed); err != nil {
			return context.Cause(ctx)
		}
	}
}

func (e *Engine) idle() bool {
	if pulled, refused, _ := e.queue.loading(); pulled > refused {
		return false
	}
	for name, l := range e.lanes {
		if e.queue.pulling(name) > 0 && l.isStopped() == "" {
			return false
		}
	}
	for _, d := range e.drains {
		if d.waiting() {
			return false
		}
	}
	return true
}

func (e *Engine) warehouseDown(patience time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down == nil || patience <= 0 || time.Since(e.downSince) < patience {
		return nil
	}
	return fmt.Errorf("the warehouse has taken nothing for %s: %w", patience, e.down)
}

// Failures gives in words what was given up, held back or stopped since the start.
func (e *Engine) Failures() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.failures...)
}

// Check proves an account's credentials with the cheapest call that does, in the
// account's lane: the pace counts it.
func (e *Engine) Check(ctx context.Context, account string) error {
	l := e.lanes[account]
	if l == nil {
		return fmt.Errorf("checking account %s: it is not configured", account)
	}
	if wait, why := l.blocked(time.Now()); wait > 0 {
		e.log.Info("check waits", zap.String("account", account), zap.String("why", why))
	}
	return e.check(ctx, l)
}

// check makes the call. Its error is an *extractors.APIError when the network's
// answer, or that there was none, is the reason.
func (e *Engine) check(ctx context.Context, l *lane) error {
	return e.aside(ctx, l, "", l.account.Source.Check(), func(a extractors.Answer) error {
		_, err := l.account.Source.Read(nil, checkWork, a)
		return err
	})
}

// inboxFull says why lanes make no calls while what they brought is not loaded.
// A single pull that is larger than the inbox still goes on when nothing else waits:
// only its last page lets it be loaded.
func (e *Engine) inboxFull() string {
	pulled, _, size := e.queue.loading()
	if pulled > 0 && size >= e.inboxMax {
		return fmt.Sprintf("waiting for the warehouse: the inbox is full (%d MiB)", size>>20)
	}
	return ""
}

// measure reads the inbox's size from the store.
func (e *Engine) measure(ctx context.Context) error {
	size, err := e.store.Inbox(ctx)
	if err != nil {
		return fmt.Errorf("reading the inbox's size: %w", err)
	}
	e.queue.mu.Lock()
	defer e.queue.mu.Unlock()
	e.queue.inbox = size.Bytes
	e.queue.signal()
	return nil
}

// maxFailures bounds what is remembered of a daemon that fails for months.
const maxFailures = 100

// failed remembers in words what went wrong for good.
func (e *Engine) failed(words string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.failures) < maxFailures {
		e.failures = append(e.failures, words)
	}
}

// Waiting says in words what the calls of a stream wait for; empty if they are
// being made or there are none.
func (e *Engine) Waiting(account, stream string) string {
	l := e.lanes[account]
	if l == nil {
		return ""
	}
	if why := e.queue.waitsOf(account, stream); why != "" {
		return why
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits
}
