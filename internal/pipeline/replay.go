package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"syncd/extractors"
	"syncd/schema/normalize"
	"syncd/state"
)

// Replay is a pull whose pages were loaded before, and whose rows are to be made anew: of
// its answers as they are kept, with no call. It is a pull like any other to the loader,
// but that its pages do not come from the inbox, and that nothing of it is in the store: a
// process that dies leaves nothing of it.
type Replay struct {
	// Pull is the pull as it was, but for its Version, which is a new one. Its ID is given
	// by Engine.Replay, and is negative.
	Pull state.Pull
	// Was is the version of the pull as it was; 0 if it is put together from several.
	Was uint64
	// Younger are the times of which younger answers have all rows, by the new versions. Such
	// rows are left out of its pages, but for those of leads, and are not buried.
	Younger normalize.Younger
	// Pages gives pages with a Seq greater than after, at most limit, and at least one if
	// there is any. Their PullID and Seq are as raw_pages has them, their versions new. A
	// page without a body has rows of leads alone.
	Pages func(ctx context.Context, after int64, limit int) ([]state.Page, error)

	mu      sync.Mutex
	outcome ReplayOutcome
}

// ReplayOutcome is what became of a replay.
type ReplayOutcome struct {
	// Published says that its rows are visible.
	Published         bool
	Rows, Quarantined int64
	// Refused says in words why they are not; empty while nothing is known.
	Refused string
}

// Outcome gives what became of the replay so far.
func (r *Replay) Outcome() ReplayOutcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome
}

func (r *Replay) ended(o ReplayOutcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome = o
}

// replayStore is a store that knows the pulls of replays beside its own.
type replayStore struct {
	state.Store

	mu      sync.Mutex
	replays map[int64]*Replay
}

func newReplayStore(s state.Store) *replayStore {
	return &replayStore{Store: s, replays: map[int64]*Replay{}}
}

// add gives a replay its ID. Those that come first have the smaller ones, as pulls have.
func (s *replayStore) add(r *Replay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Pull.ID = math.MinInt64/2 + int64(len(s.replays))
	s.replays[r.Pull.ID] = r
}

func (s *replayStore) of(id int64) *Replay {
	if id >= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replays[id]
}

// Pages implements state.Store.
func (s *replayStore) Pages(ctx context.Context, pullID, after int64, limit int) ([]state.Page, error) {
	if r := s.of(pullID); r != nil {
		return r.Pages(ctx, after, limit)
	}
	return s.Store.Pages(ctx, pullID, after, limit)
}

// Publish implements state.Store.
func (s *replayStore) Publish(ctx context.Context, done []state.Published) error {
	var own []state.Published
	var again []state.Replayed
	for _, d := range done {
		r := s.of(d.PullID)
		if r == nil {
			own = append(own, d)
			continue
		}
		p := r.Pull
		if slices.ContainsFunc(r.Younger.Spans.Within(p.From.UnixMilli(), p.To.UnixMilli()), func(x normalize.Span) bool { return x.Version > p.Version }) {
			d.Rows = -1 // a part of them are younger pulls'
		}
		again = append(again, state.Replayed{
			Account: p.Account, Stream: p.Stream, Kind: p.Kind, From: p.From, To: p.To, Version: r.Was, PulledAt: p.CreatedAt,
			PublishedAt: d.PublishedAt, Rows: d.Rows, Quarantined: d.Quarantined, Mapping: d.Mapping,
		})
	}
	if len(again) > 0 {
		if err := s.Store.Replayed(ctx, again); err != nil {
			return err
		}
	}
	if len(own) > 0 {
		if err := s.Store.Publish(ctx, own); err != nil {
			return err
		}
	}
	for _, d := range done {
		if r := s.of(d.PullID); r != nil {
			r.ended(ReplayOutcome{Published: true, Rows: d.Rows, Quarantined: d.Quarantined})
		}
	}
	return nil
}

// Hold implements state.Store. What is held back of a replay is not remembered: what is
// visible stays, and the network need not be asked again.
func (s *replayStore) Hold(ctx context.Context, held []state.Held) error {
	var own []state.Held
	for _, h := range held {
		if r := s.of(h.PullID); r != nil {
			r.ended(ReplayOutcome{Refused: "held back: " + h.Reason})
			continue
		}
		own = append(own, h)
	}
	if len(own) == 0 {
		return nil
	}
	return s.Store.Hold(ctx, own)
}

// Reject implements state.Store.
func (s *replayStore) Reject(ctx context.Context, pullID int64, reason string) error {
	if r := s.of(pullID); r != nil {
		r.ended(ReplayOutcome{Refused: reason})
		return nil
	}
	return s.Store.Reject(ctx, pullID, reason)
}

// replaysAtOnce is how many replays wait for the loader at most: more than a batch of
// windows with a page each takes, so that batches are as large as they are at their best.
const replaysAtOnce = 2 * batchPulls

// Replay gives a replay to the loader, when there is room. The engine must have been made
// with Options.Replaying.
func (e *Engine) Replay(ctx context.Context, r *Replay) error {
	store, ok := e.store.(*replayStore)
	if !ok {
		return errors.New("making rows anew: the engine makes calls")
	}
	for {
		changed := e.queue.wait()
		if pulled, _, _ := e.queue.loading(); pulled < replaysAtOnce {
			break
		}
		if err := sleep(ctx, time.Second, changed); err != nil {
			return context.Cause(ctx)
		}
	}
	// Nothing of it is passed over because nothing changed: the code may have.
	r.Pull.Phase, r.Pull.Reload, r.Pull.Tier = state.Pulled, true, state.Backfill
	store.add(r)
	e.observe.Planned(r.Pull)
	e.observe.Received(r.Pull, int(r.Pull.Records))
	e.queue.addReplay(r, time.Now())
	return nil
}

// addReplay is add for a replay.
func (q *queue) addReplay(r *Replay, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pulls[r.Pull.ID] = &entry{pull: r.Pull, pulledAt: now, replay: r}
	q.signal()
}

// LeadStreams gives the streams of an account that tell of leads, the receiver's among them.
func (a *Account) LeadStreams() []*extractors.Stream {
	var list []*extractors.Stream
	for _, s := range a.All() {
		if leadsIn(s.Outputs) >= 0 {
			list = append(list, s)
		}
	}
	return list
}

// All gives the streams of an account, the receiver's among them.
func (a *Account) All() []*extractors.Stream {
	all := a.Source.Streams()
	if a.Receiver != nil {
		all = append(all[:len(all):len(all)], a.Receiver.Stream())
	}
	return all
}

// rereader is what a Receiver has that can read its pages once more.
type rereader interface {
	// Reread gives the postbacks of a page back, as they were stored when they arrived.
	Reread(body []byte) ([]state.Postback, error)
}

// Retell reads an answer of a pull once more: body is as it was received, without secrets.
// It gives what the answer tells of leads, nil if it is not about them, and the body as it
// would be received now: of postbacks it has what they mean by now.
func (e *Engine) Retell(p state.Pull, request string, body []byte, received time.Time) ([]byte, *state.Told, error) {
	l := e.lanes[p.Account]
	s := l.account.stream(p.Stream)
	if s == nil {
		return nil, nil, fmt.Errorf("reading answers of account %s once more: it has no stream %s", p.Account, p.Stream)
	}
	if l.account.Receiver == nil || l.account.Receiver.Stream() != s {
		told, err := l.told(p, s, extractors.Call{Describe: request}, body, received)
		return body, told, err
	}
	again, ok := l.account.Receiver.(rereader)
	if !ok {
		return body, nil, nil
	}
	list, err := again.Reread(body)
	if err != nil {
		return nil, nil, fmt.Errorf("reading postbacks of account %s once more: %w", p.Account, err)
	}
	body, told, err := l.account.Receiver.Read(list)
	told.Poll = l.account.pollRule(nil)
	return body, &told, err
}

// Asked gives the part of a windowed pull's window that the network was asked for.
func Asked(s *extractors.Stream, p state.Pull) (from, to time.Time) {
	w := asked(&load{pull: p, stream: s})
	return w.From, w.To
}
