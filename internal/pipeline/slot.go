package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"syncd/loaders"
	"syncd/state"
)

// slot loads one batch of pulled pulls after the other. Each slot has its own
// staging tables, so that slots do not meet.
type slot struct {
	engine *Engine
	number int
	log    *zap.Logger
	norm   *normalizer
	// loaded is when the last batch ended; zero after a rest.
	loaded time.Time
}

// restAfter is how long a slot is without work when it gives its memory back. A
// daemon spends most of its life like that.
const restAfter = 10 * time.Second

func newSlot(e *Engine, number int) *slot {
	return &slot{engine: e, number: number, log: e.log.Named("loader").With(zap.Int("slot", number)), norm: newNormalizer(e)}
}

// run loads until ctx ends. A batch in hand is given up then: its pages are in the
// inbox, and loading them again changes nothing.
func (s *slot) run(ctx context.Context) error {
	for pause := time.Duration(0); ctx.Err() == nil; {
		changed := s.engine.queue.wait()
		batch, wait := s.engine.nextBatch(time.Now())
		var err error
		if len(batch) > 0 {
			err = s.load(ctx, batch)
		} else if a := s.engine.queue.takeOffer(time.Now()); a != nil {
			batch, err = s.ahead(ctx, a)
			if len(batch) == 0 && err == nil {
				continue
			}
		} else {
			if err := sleep(ctx, s.rest(wait, time.Now()), changed); err != nil {
				return nil
			}
			continue
		}
		s.loaded = time.Now()
		switch {
		case err == nil:
			pause = 0
			s.engine.warehouseWell()
			continue
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(*stateError)):
			return err
		case !retryable(err):
			s.engine.isolate(batch, err, s.log)
			continue
		}
		s.engine.queue.release(batch)
		pause = min(max(2*pause, time.Second), 30*time.Second)
		if s.engine.warehouseFailed(err, time.Now()) {
			s.log.Warn("batch not loaded, it stays in the inbox", zap.Int("pulls", len(batch)), zap.Duration("again_in", pause), zap.Error(err))
		}
		if err := sleep(ctx, pause, nil); err != nil {
			return nil
		}
	}
	return nil
}

// retryable reports whether the same batch may load later with nothing changed.
func retryable(err error) bool {
	r, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err)
	return ok && r.Retryable()
}

// isolate deals with a batch that the warehouse refuses for good. Which of its pulls
// is to blame is not known, so each is loaded alone from now on; one that is refused
// alone stays in the inbox, keeps no other waiting, and is tried again with growing
// pauses: a new version of syncd or a mended table may take it.
func (e *Engine) isolate(batch []*entry, err error, log *zap.Logger) {
	if len(batch) > 1 {
		log.Warn("batch refused, its pulls are loaded one by one", zap.Int("pulls", len(batch)), zap.Error(err))
		e.queue.refuse(batch, time.Time{})
		return
	}
	p := batch[0].pull
	pause := e.queue.refuse(batch, time.Now())
	reason := fmt.Sprintf("account %s, stream %s, %s: the warehouse refuses it, it stays in the inbox: %v", p.Account, p.Stream, describeWindow(p), err)
	log.Error("pull not published", zap.String("reason", reason), zap.Duration("again_in", pause))
	e.failed(reason)
	e.observe.Failed(p, reason)
}

// rest gives back the slot's buffers, and the process's garbage with them, when
// there was no work for restAfter. It answers how long to wait for work: as asked
// (zero: for ever), or less if the rest is still to come.
func (s *slot) rest(wait time.Duration, now time.Time) time.Duration {
	if s.loaded.IsZero() {
		return wait
	}
	if left := s.loaded.Add(restAfter).Sub(now); left > 0 {
		if wait == 0 || left < wait {
			return left
		}
		return wait
	}
	s.loaded = time.Time{}
	s.norm = newNormalizer(s.engine)
	// Left alone, the runtime would collect within two minutes and return the memory
	// of a peak over many more.
	debug.FreeOSMemory()
	return wait
}

// stateError is a failure of the state store, which the daemon cannot go on with.
type stateError struct{ err error }

func (e *stateError) Error() string { return e.err.Error() }
func (e *stateError) Unwrap() error { return e.err }

// load normalizes, stages and publishes a batch and then, in one transaction,
// turns its pulls into checkpoints. Pulls that a guard holds back or whose pages
// cannot be normalized are put aside, and the rest goes without them.
func (s *slot) load(ctx context.Context, entries []*entry) error {
	entries, err := s.unchanged(ctx, entries)
	if err != nil {
		return err
	}
	for len(entries) > 0 {
		began := time.Now()
		aside, err := s.try(ctx, entries, began)
		if err != nil {
			return err
		}
		if len(aside) == 0 {
			return nil
		}
		entries = without(entries, aside)
	}
	return nil
}

// try loads entries. If some have to be put aside it does that instead, and says which.
func (s *slot) try(ctx context.Context, entries []*entry, began time.Time) ([]*entry, error) {
	batch, err := s.engine.warehouse.Begin(ctx, s.number)
	if err != nil {
		return nil, fmt.Errorf("beginning a batch: %w", err)
	}
	defer batch.Abort(context.WithoutCancel(ctx)) // does nothing once published
	s.norm.clear()
	loads := make([]*load, 0, len(entries))
	var rejected []*load
	for _, e := range entries {
		l, err := s.norm.stage(ctx, batch, e)
		if err != nil {
			return nil, err
		}
		if l.rejected != "" {
			rejected = append(rejected, l)
		}
		loads = append(loads, l)
	}
	return s.publish(ctx, batch, loads, rejected, began)
}

// publish makes visible what was staged of loads, and checkpoints them. If some have to
// be put aside, the rejected ones first, it does that instead, and says which.
func (s *slot) publish(ctx context.Context, batch *loaders.Batch, loads, rejected []*load, began time.Time) ([]*entry, error) {
	if len(rejected) > 0 {
		// The inbox forgets what is rejected: its answers stay in raw_pages, and its
		// bad records in the quarantine.
		if err := batch.Keep(ctx); err != nil {
			return nil, fmt.Errorf("keeping the answers of %d rejected pulls: %w", len(rejected), err)
		}
		return s.reject(ctx, rejected)
	}
	if err := s.norm.flush(ctx, batch); err != nil {
		return nil, err
	}
	s.engine.after("staged")
	units, err := s.units(ctx, loads)
	if err != nil {
		return nil, err
	}
	result, err := batch.Publish(ctx, units)
	if err != nil {
		return nil, fmt.Errorf("publishing %d pulls: %w", len(loads), err)
	}
	var held []*load
	for i, u := range result.Units {
		loads[i].result = u
		if u.Held != "" {
			held = append(held, loads[i])
		}
	}
	if len(held) > 0 {
		return s.hold(ctx, held)
	}
	s.engine.after("published")
	return nil, s.checkpoint(ctx, loads, began)
}

// checkpoint records that the rows of loads are visible.
//
// It comes after the publication and never before: a crash in between publishes the
// same rows once more, which changes nothing; the other order would lose them.
func (s *slot) checkpoint(ctx context.Context, loads []*load, began time.Time) error {
	if err := s.conclude(ctx, loads, time.Now()); err != nil {
		return err
	}
	var rows int64
	for _, l := range loads {
		rows += l.rows
	}
	s.log.Info("published", zap.Int("pulls", len(loads)), zap.Int64("rows", rows), zap.Duration("took", time.Since(began).Round(time.Millisecond)))
	return nil
}

// conclude stores the checkpoints of loads and forgets their pulls.
func (s *slot) conclude(ctx context.Context, loads []*load, now time.Time) error {
	ctx = context.WithoutCancel(ctx)
	done := make([]state.Published, len(loads))
	entries := make([]*entry, len(loads))
	var bytes int64
	for i, l := range loads {
		done[i] = state.Published{PullID: l.pull.ID, PublishedAt: now, Rows: l.rows, Quarantined: l.bad, Digest: l.digest, RawAt: l.rawAt, Mapping: s.engine.mappingOf(l)}
		entries[i] = l.entry
		bytes += l.compressed
	}
	if err := s.engine.store.Publish(ctx, done); err != nil {
		return &stateError{fmt.Errorf("storing %d checkpoints: %w", len(done), err)}
	}
	s.engine.after("checkpointed")
	s.engine.queue.grown(-bytes)
	s.engine.queue.remove(entries)
	for _, l := range loads {
		s.engine.loaded(l.account, l.files)
		rows := l.rows
		if l.same {
			rows = 0 // none was loaded
		}
		s.engine.runs.ended(ctx, l.pull, rows, "")
		s.engine.observe.Published(l.pull, rows, l.bad)
		if l.bad > 0 {
			s.log.Warn("records quarantined", zap.String("account", l.pull.Account), zap.String("stream", l.pull.Stream),
				zap.Int64("records", l.bad), zap.String("first", l.firstBad))
		}
		if l.doubtful != "" {
			s.engine.doubt(l, s.log)
		}
	}
	return nil
}

// doubt tells of a pull that is published although most would refuse it: leads are put
// together when they are received, so that holding their rows back would only part the
// warehouse from what later pulls build on.
func (e *Engine) doubt(l *load, log *zap.Logger) {
	why := fmt.Sprintf("account %s, stream %s, %s: %s; what could be read is published, mend the mapping", l.pull.Account, l.pull.Stream, describeWindow(l.pull), l.doubtful)
	log.Error("leads that cannot be read", zap.String("reason", why))
	e.failed(why)
	e.observe.Failed(l.pull, why)
}

// hold puts aside pulls that a guard kept from being published.
func (s *slot) hold(ctx context.Context, held []*load) ([]*entry, error) {
	records := make([]state.Held, len(held))
	for i, l := range held {
		records[i] = state.Held{PullID: l.pull.ID, At: time.Now(), Reason: l.result.Held, Rows: l.result.Rows, Hash: l.result.Hash}
	}
	if err := s.engine.store.Hold(context.WithoutCancel(ctx), records); err != nil {
		return nil, &stateError{fmt.Errorf("storing what is held back: %w", err)}
	}
	return s.aside(ctx, held, func(l *load) string {
		return fmt.Sprintf("account %s, stream %s, %s: held back: %s", l.pull.Account, l.pull.Stream, describeWindow(l.pull), l.result.Held)
	})
}

// reject puts aside pulls with too many records that cannot be normalized.
func (s *slot) reject(ctx context.Context, rejected []*load) ([]*entry, error) {
	for _, l := range rejected {
		if err := s.engine.store.Reject(context.WithoutCancel(ctx), l.pull.ID, l.rejected); err != nil {
			return nil, &stateError{fmt.Errorf("storing a refused pull: %w", err)}
		}
		if l.spoiled != "" {
			// Whoever asks for the same export would find it whole and be refused again.
			if err := s.engine.files.spool.Remove(l.spoiled); err != nil {
				s.log.Warn("file left to the sweep", zap.String("account", l.pull.Account), zap.Error(err))
			}
		}
	}
	return s.aside(ctx, rejected, func(l *load) string {
		return fmt.Sprintf("account %s, stream %s, %s: %s", l.pull.Account, l.pull.Stream, describeWindow(l.pull), l.rejected)
	})
}

func (s *slot) aside(ctx context.Context, loads []*load, reason func(*load) string) ([]*entry, error) {
	entries := make([]*entry, len(loads))
	for i, l := range loads {
		entries[i] = l.entry
		why := reason(l)
		s.log.Error("pull not published", zap.String("reason", why))
		s.engine.failed(why)
		s.engine.observe.Failed(l.pull, why)
		s.engine.runs.ended(ctx, l.pull, 0, why)
	}
	s.engine.queue.remove(entries)
	if err := s.engine.measure(ctx); err != nil {
		return nil, &stateError{err}
	}
	return entries, nil
}

func without(entries, aside []*entry) []*entry {
	gone := make(map[*entry]bool, len(aside))
	for _, e := range aside {
		gone[e] = true
	}
	var kept []*entry
	for _, e := range entries {
		if !gone[e] {
			kept = append(kept, e)
		}
	}
	return kept
}

func describeWindow(p state.Pull) string {
	switch p.Kind {
	case state.Windowed:
		return "window " + p.From.UTC().Format("2006-01-02 15:04") + " to " + p.To.UTC().Format("2006-01-02 15:04") + " UTC"
	case state.Changes:
		if p.From.IsZero() {
			return "leads that are due"
		}
		return "changes since " + p.From.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return "all of it"
}

func (e *Engine) warehouseWell() {
	e.mu.Lock()
	since := e.downSince
	was := e.down
	e.down = nil
	e.mu.Unlock()
	e.observe.Warehouse(nil)
	if was != nil {
		e.log.Info("warehouse takes what is loaded again", zap.Duration("down_for", time.Since(since).Round(time.Second)))
	}
}

// sayAgain is how often a warehouse that stays down is worth a line.
const sayAgain = 5 * time.Minute

// warehouseFailed records a failure and reports whether it is worth a line: the
// first one is, and then one every sayAgain.
func (e *Engine) warehouseFailed(err error, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := e.down == nil
	if first {
		e.downSince = now
	}
	e.down = err
	e.observe.Warehouse(err)
	if !first && now.Sub(e.downSaid) < sayAgain {
		return false
	}
	e.downSaid = now
	return true
}
