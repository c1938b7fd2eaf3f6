package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"syncd/loaders"
	"syncd/schema/normalize"
	"syncd/state"
)

// To download a file is a sixth of the time until its rows are visible, and the loader
// would only wait for it. So a slot without work stages the rows of a file while it still
// comes, as far as that can be undone: staged rows are nobody's until they are published,
// and all else, the raw page and the bad records, is written when the file is received.
// Until then anything out of the ordinary ends the attempt, and the file is loaded later
// like any other, as if nothing had been.

const (
	// aheadPoll is how often a slot that has read all that came looks for more: a fast line
	// brings a chunk in that time.
	aheadPoll = 10 * time.Millisecond
	// aheadPatience is how long a slot waits for one download in all. One that takes longer
	// has little to gain, and the windows that it overlaps wait for it.
	aheadPatience = 30 * time.Second
	// aheadBad is how many bad records are kept until the file is received.
	aheadBad = 1000
)

// ahead is a file that may be staged while it is downloaded. The lane makes it, says how
// the download and the receipt ended, and a slot does the rest; nil is none.
type ahead struct {
	queue *queue
	entry *entry
	// pull is the pull as it was when the download began, and page what is known of its page.
	pull state.Pull
	page state.Page
	part *os.File

	// over is closed when the download has ended; size and failed say how.
	over   chan struct{}
	size   int64
	failed error
	// decided is closed when the file is received, if refused is nil.
	decided chan struct{}
	refused error
	// gone is closed when the slot has let go of it.
	gone chan struct{}

	// What follows is the slot's.

	ctx    context.Context // ends when the part is read no further
	offset int64
	waited time.Duration
	load   *load
	// records are all of the file, and held the bad ones.
	records int64
	mu      sync.Mutex
	held    []loaders.QuarantineRow
}

// offering gives what has to be called when the download of a file begins, so that a slot
// may stage it meanwhile; nil if none may. With a single slot other pulls would wait, and
// a file that is not its pull's only one, or was not dated, is known when it is received.
func (l *lane) offering(e *entry, p state.Pull, r state.Receipt) (*ahead, func(*os.File)) {
	if l.engine.slots < 2 || p.Route != state.Export || p.FileVersion == 0 || p.Pages > 0 || !r.Done || l.account.stream(p.Stream) == nil {
		return nil, nil
	}
	a := &ahead{
		queue: l.engine.queue, entry: e, pull: p,
		page: state.Page{PullID: r.PullID, Version: p.FileVersion, File: r.File, Request: r.Request, ReceivedAt: time.Now()},
		over: make(chan struct{}), decided: make(chan struct{}), gone: make(chan struct{}),
	}
	return a, func(part *os.File) {
		a.part = part
		a.queue.offer(a)
	}
}

// came says how the download ended. When it failed, no slot is at it any more when came
// returns.
func (a *ahead) came(size int64, err error) {
	if a == nil || a.part == nil {
		return
	}
	a.size, a.failed = size, err
	close(a.over)
	switch {
	case a.queue.withdraw(a):
		_ = a.part.Close() // nothing was written to it
	case err != nil:
		<-a.gone
	}
}

// received says how the receipt of the file ended.
func (a *ahead) received(err error) {
	if a != nil {
		a.refused = err
		close(a.decided)
	}
}

// offer offers a download to the slots.
func (q *queue) offer(a *ahead) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.offers = append(q.offers, a)
	q.signal()
}

// withdraw takes an offer back, and reports false if a slot has taken it.
func (q *queue) withdraw(a *ahead) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.offers)
	q.offers = slices.DeleteFunc(q.offers, func(o *ahead) bool { return o == a })
	return len(q.offers) < n
}

// takeOffer gives a slot a download to stage ahead, the oldest. There is none while
// anything waits to be loaded or is being loaded: one slot stays free for what comes.
func (q *queue) takeOffer(now time.Time) *ahead {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.offers) == 0 {
		return nil
	}
	for _, e := range q.pulls {
		if e.ahead || e.pull.Phase == state.Pulled && !e.loadAfter.After(now) {
			return nil
		}
	}
	a := q.offers[0]
	q.offers = q.offers[1:]
	a.entry.ahead = true
	return a
}

// settleAhead ends the time of a pull as one that is staged ahead. The slot has it in hand
// from now on, if it keeps it, or it goes its ordinary way.
func (q *queue) settleAhead(e *entry, keep bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.ahead = false
	if !keep && e.pull.Phase == state.Pulled {
		e.inHand = false
	}
	q.signal()
}

// ahead stages a file that still comes, and loads it when it is received. It gives the
// entries of a batch whose end has to be dealt with as any other's; none if the attempt
// was given up before.
func (s *slot) ahead(ctx context.Context, a *ahead) ([]*entry, error) {
	defer close(a.gone)
	defer a.part.Close()
	s.loaded = time.Now()
	staging, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with staging
		select {
		case <-a.over:
			if a.failed != nil {
				stop()
			}
		case <-staging.Done():
		}
	}()
	giveUp := func(why error) ([]*entry, error) {
		s.log.Debug("file not staged ahead", zap.String("file", a.page.File), zap.Error(why))
		s.engine.queue.settleAhead(a.entry, false)
		return nil, nil
	}
	began := time.Now()
	batch, err := s.engine.warehouse.Begin(staging, s.number)
	if err != nil {
		return giveUp(err)
	}
	defer batch.Abort(context.WithoutCancel(ctx)) // does nothing once published
	s.norm.clear()
	a.ctx = staging
	if err := s.norm.stageAhead(staging, batch, a); err != nil {
		return giveUp(err)
	}
	select {
	case <-a.decided:
	case <-ctx.Done():
		return giveUp(context.Cause(ctx))
	}
	if err := s.engine.asStaged(ctx, a); err != nil {
		return giveUp(err)
	}
	s.engine.queue.settleAhead(a.entry, true)
	entries := []*entry{a.entry}
	s.norm.ahead = a
	l, err := s.norm.stage(ctx, batch, a.entry)
	s.norm.ahead = nil
	if err != nil {
		return entries, err
	}
	loads := []*load{l}
	var rejected []*load
	if l.rejected != "" {
		rejected = loads
	}
	_, err = s.publish(ctx, batch, loads, rejected, began)
	return entries, err
}

// stageAhead sends the records of a file to the batch until its download has ended. An
// error is also what would have the pull rejected: whoever reads the whole file says so.
func (n *normalizer) stageAhead(ctx context.Context, batch *loaders.Batch, a *ahead) error {
	account := n.engine.lanes[a.pull.Account].account
	a.load = &load{entry: a.entry, pull: a.pull, account: account, stream: account.stream(a.pull.Stream)}
	csv, err := normalize.OpenCSV(a, "")
	if err != nil {
		return err
	}
	a.records, err = n.records(ctx, batch, a.load, &a.page, csv, a.hold)
	switch {
	case err != nil:
		return err
	case a.load.rejected != "":
		return errors.New(a.load.rejected)
	case a.offset != a.size:
		return fmt.Errorf("%d of the %d bytes of the file were read", a.offset, a.size)
	}
	return nil
}

// Read reads what there is of the part, and waits where there is no more of it until the
// download goes on or has ended.
func (a *ahead) Read(into []byte) (int, error) {
	for {
		ended := false
		select {
		case <-a.over:
			ended = true // what is there now is all
		default:
		}
		n, err := a.part.ReadAt(into, a.offset)
		a.offset += int64(n)
		switch {
		case n > 0:
			return n, nil
		case err != nil && err != io.EOF:
			return 0, fmt.Errorf("reading file %s while it comes: %w", a.page.File, err)
		case ended && a.failed != nil:
			return 0, a.failed
		case ended:
			return 0, io.EOF
		case a.waited >= aheadPatience:
			return 0, fmt.Errorf("file %s comes too slowly to be waited for", a.page.File)
		}
		began := time.Now()
		select {
		case <-time.After(aheadPoll):
		case <-a.over:
		case <-a.ctx.Done():
			return 0, context.Cause(a.ctx)
		}
		a.waited += time.Since(began)
	}
}

// hold keeps a bad record until the file is received: what it says of a file that is
// dropped and fetched anew would not be true.
func (a *ahead) hold(r loaders.QuarantineRow) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.held) == aheadBad {
		return fmt.Errorf("file %s has more than %d bad records", a.page.File, aheadBad)
	}
	a.held = append(a.held, r)
	return nil
}

// asStaged reports with an error that what was received is not what was staged.
func (e *Engine) asStaged(ctx context.Context, a *ahead) error {
	if a.refused != nil {
		return a.refused
	}
	read, err := a.part.Stat()
	if err != nil {
		return err
	}
	whole, err := os.Stat(e.files.spool.Path(a.page.File))
	if err != nil {
		return err
	}
	if !os.SameFile(read, whole) || whole.Size() != a.offset {
		return errors.New("the file in the spool is another")
	}
	pages, err := e.store.Pages(ctx, a.pull.ID, 0, 2)
	if err != nil {
		return err
	}
	if len(pages) != 1 || pages[0].File != a.page.File || pages[0].Version != a.page.Version || pages[0].Request != a.page.Request {
		return errors.New("what was received is not dated, or asked for, as what was staged")
	}
	return nil
}

// count counts a file that was staged ahead into its pull, and sends its bad records.
func (a *ahead) count(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page) error {
	for _, r := range a.held {
		r.Seq, r.At = page.Seq, page.ReceivedAt
		if err := batch.Quarantine(ctx, r); err != nil {
			return fmt.Errorf("staging account %s, stream %s: %w", l.pull.Account, l.pull.Stream, err)
		}
	}
	l.rows += a.load.rows
	l.bad += a.load.bad
	if l.firstBad == "" {
		l.firstBad = a.load.firstBad
	}
	l.announced(page, a.records)
	return nil
}
