package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/state"
)

// step takes one pull one call further. Its error is one that the daemon cannot go
// on with (the state store does not take what has to be durable); all that the
// network does wrong is handled here.
func (l *lane) step(ctx context.Context, e *entry, p state.Pull) error {
	stream := l.account.stream(p.Stream)
	if stream == nil || tooOld(p, stream, time.Now()) {
		return l.drop(ctx, e, p)
	}
	if stream.ForEach != nil && p.Items == nil {
		return l.freeze(ctx, e, p, stream)
	}
	work, err := l.work(ctx, p, stream)
	if err != nil {
		l.engine.queue.giveBack(e)
		return err
	}
	call, err := l.account.Source.Next(stream, work)
	if err != nil {
		return l.failed(ctx, e, p, time.Now(), &extractors.APIError{
			Network: l.account.Network, Account: p.Account, Stream: p.Stream,
			Message: err.Error(), Outcome: extractors.StopStream, Err: err,
		})
	}
	own, err := l.ownBudgets(call)
	if err != nil {
		return l.failed(ctx, e, p, time.Now(), &extractors.APIError{
			Network: l.account.Network, Account: p.Account, Stream: p.Stream, Op: call.Describe,
			Message: err.Error(), Outcome: extractors.StopStream, Err: err,
		})
	}
	now := time.Now()
	host := hostOf(call)
	if until := l.silentUntil(host, now); !until.IsZero() {
		l.engine.queue.postpone(e, until, l.account.Network+" cannot be reached; it is called again at "+until.In(l.account.Location).Format(time.TimeOnly))
		return nil
	}
	wait, spent, err := l.claim(ctx, now, own...)
	switch {
	case spent:
		until := now.Add(wait)
		why := "waiting for the " + call.Budget + " budget until " + clock(until, now, l.account.Location)
		l.log.Info(why, zap.String("stream", p.Stream), zap.String("window", describeWindow(p))) // it may be a day
		l.engine.queue.postpone(e, until, why)
		return nil
	case err != nil || wait > 0:
		l.engine.queue.giveBack(e)
		return err
	}
	return l.call(ctx, e, p, stream, work, call, host)
}

// clock writes an instant for people: the time of day, with the day if it is another.
func clock(at, now time.Time, loc *time.Location) string {
	at, now = at.In(loc), now.In(loc)
	if at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		return at.Format("2006-01-02 15:04")
	}
	return at.Format("15:04")
}

// tooOld reports whether the network no longer answers for the pull's window: the
// daemon was down, or the lane slow, for too long. An empty answer would look like
// rows that vanished. An export that has begun was asked for in time.
func tooOld(p state.Pull, s *extractors.Stream, now time.Time) bool {
	if p.Route == state.Export && p.Cursor != "" {
		return false
	}
	return p.Kind == state.Windowed && s.Window != nil && s.Window.MaxAge > 0 && p.From.Before(now.Add(-s.Window.MaxAge))
}

// drop forgets a pull that nobody can or wants to make any more.
func (l *lane) drop(ctx context.Context, e *entry, p state.Pull) error {
	if err := l.engine.store.DropPulls(ctx, []int64{p.ID}); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("forgetting a pull of account %s, stream %s: %w", p.Account, p.Stream, err)
	}
	l.engine.queue.remove([]*entry{e})
	l.engine.runs.ended(ctx, p, 0, "")
	l.log.Info("window dropped, the network no longer answers for it", zap.String("stream", p.Stream), zap.String("window", describeWindow(p)))
	return l.engine.measure(ctx)
}

// call performs the call and makes its answer durable before anything else
// happens to it.
func (l *lane) call(ctx context.Context, e *entry, p state.Pull, stream *extractors.Stream, work extractors.Work, call extractors.Call, host string) error {
	left := time.Now()
	if err := l.depart(ctx, p.ID, call.Unheard, left); err != nil {
		l.engine.queue.giveBack(e)
		return err
	}
	if call.Unheard != "" {
		p.Cursor = call.Unheard
		l.engine.queue.moved(e, p.Cursor)
	}
	l.engine.after("departed")
	answer, err := l.perform(ctx, call)
	ended := time.Now()
	until := l.listen(host, p.ID, ended, err)
	l.engine.after("answered")
	var page extractors.Page
	if err == nil {
		page, err = l.account.Source.Read(stream, work, answer)
	}
	l.engine.observe.Called(p.Account, p.Stream, outcomeOf(err), ended.Sub(left), len(answer.Body))
	switch {
	case !until.IsZero():
		return l.unheard(ctx, e, p, ended, until, err)
	case err != nil:
		return l.failed(ctx, e, p, ended, err)
	}
	next := ended.Add(l.account.MinDelay)
	receipt := state.Receipt{
		PullID: p.ID, Request: call.Describe, Records: page.Records, RawBytes: len(answer.Body), Hash: page.Hash,
		Total: page.Total, Next: page.Next, Done: page.Done, NextCall: next, ReceivedAt: ended, Control: page.Control,
	}
	if page.File != nil {
		return l.handOver(ctx, e, p, receipt, *page.File)
	}
	if page.Pause > 0 {
		receipt.NotBefore = ended.Add(page.Pause)
	}
	if !page.Control {
		redacted := l.account.Source.Redact(answer.Body)
		if receipt.Told, err = l.told(p, stream, call, redacted, ended); err != nil {
			return l.failed(ctx, e, p, ended, &extractors.APIError{
				Network: l.account.Network, Account: p.Account, Stream: p.Stream, Op: call.Describe,
				Message: fmt.Sprintf("the answer cannot be read as leads: %v", err), Outcome: extractors.StopStream, Err: err,
			})
		}
		body, release := l.engine.packer.pack(redacted)
		defer release() // the store has its own copy when Receive returns
		receipt.Body = body
	}
	if answer.Release != nil {
		answer.Release()
	}
	// The answer was paid for: a shutdown does not keep it from becoming durable.
	return l.receive(ctx, e, receipt, page.Note, ended.Sub(left))
}

// receive makes an answer durable, with all that follows from it. note says what the
// pull waits for then, if it does.
func (l *lane) receive(ctx context.Context, e *entry, r state.Receipt, note string, took time.Duration) error {
	received, err := l.engine.store.Receive(context.WithoutCancel(ctx), r)
	if err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("storing an answer of account %s, pull %d (%s): %w", l.account.Name, r.PullID, r.Request, err)
	}
	l.engine.after("received")
	l.ended(r.NextCall)
	l.engine.queue.grown(int64(len(r.Body)))
	l.engine.queue.putWaiting(e, received, r.ReceivedAt, note)
	l.engine.runs.called(received.RunID)
	l.engine.observe.Received(received, r.Records)
	l.log.Debug("answer received", zap.String("stream", received.Stream), zap.String("call", r.Request),
		zap.Int("records", r.Records), zap.String("file", r.File), zap.Duration("took", took))
	return nil
}

// perform makes the call. A shutdown lets it finish within the engine's grace:
// what the network already answers should not have to be asked twice.
func (l *lane) perform(ctx context.Context, call extractors.Call) (extractors.Answer, error) {
	callCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	release := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(l.engine.grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errShutdown)
		case <-callCtx.Done():
		}
	})
	defer release()
	answer, err := l.account.Caller.Do(callCtx, call)
	if err != nil && errors.Is(context.Cause(callCtx), errShutdown) {
		return answer, errShutdown
	}
	return answer, err
}

// freeze stores the list that a for-each pull goes over, so that it resumes over
// the same one after a crash.
func (l *lane) freeze(ctx context.Context, e *entry, p state.Pull, stream *extractors.Stream) error {
	items := stream.ForEach.Values
	if pollsLeads(stream) {
		var err error
		if items, err = l.openLeads(ctx, stream); err != nil {
			l.engine.queue.giveBack(e)
			if errors.Is(err, errShutdown) {
				return nil
			}
			return err
		}
	}
	if parent := stream.ForEach.Stream; parent != "" {
		ready, why, err := l.parentReady(ctx, parent)
		switch {
		case err != nil:
			l.engine.queue.giveBack(e)
			return err
		case why != "":
			return l.giveUp(ctx, e, p, state.Failure{
				Account: p.Account, PullID: p.ID, At: time.Now(), GiveUp: true,
				Error: fmt.Sprintf("stream %s of account %s goes over the ids of stream %s, %s", p.Stream, p.Account, parent, why),
			}, false)
		case !ready:
			l.engine.queue.postpone(e, time.Now().Add(parentPoll), "waiting for stream "+parent)
			return nil
		}
		if items, err = l.engine.parentItems(ctx, l.account, stream); err != nil {
			l.log.Warn("list of ids not to be had yet", zap.String("stream", p.Stream), zap.Error(err))
			l.engine.queue.postpone(e, time.Now().Add(warehousePoll), "waiting for the warehouse")
			return nil
		}
	}
	if err := l.engine.store.SetItems(ctx, p.ID, items, len(items) == 0); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("storing the list of account %s, stream %s: %w", p.Account, p.Stream, err)
	}
	p.Items = items
	if len(items) == 0 {
		p.Items, p.Phase = []string{}, state.Pulled
	}
	l.engine.queue.put(e, p, time.Now())
	return nil
}

// parentReady reports whether a list of ids can be taken from a stream, or why it
// never can.
func (l *lane) parentReady(ctx context.Context, parent string) (ready bool, never string, err error) {
	if l.account.stream(parent) == nil {
		return false, "which is not enabled", nil
	}
	// An open pull of the parent brings a newer list than what is published, unless
	// it is in trouble.
	open, well := l.engine.queue.open(l.account.Name, parent)
	if open && well {
		return false, "", nil
	}
	published, err := l.engine.store.Checkpoints(ctx, l.account.Name, parent)
	if err != nil {
		return false, "", fmt.Errorf("reading what is published of account %s, stream %s: %w", l.account.Name, parent, err)
	}
	switch {
	case len(published) > 0:
		return true, "", nil
	case open:
		return false, "", nil
	}
	return false, "which has published nothing yet", nil
}

const (
	// parentPoll is how often a for-each pull looks whether its list is published;
	// publishing takes a second or so after the parent's last page.
	parentPoll = time.Second
	// warehousePoll is how often a list is asked of a warehouse that does not answer.
	warehousePoll = 10 * time.Second
)

// work is what a call of the pull is made of.
func (l *lane) work(ctx context.Context, p state.Pull, s *extractors.Stream) (extractors.Work, error) {
	w := workOf(p, s)
	if p.Route != state.Export {
		return w, nil
	}
	// Asked at every call, and not kept with the pull: windows within it may be published
	// meanwhile. An export takes a dozen calls.
	published, err := l.engine.store.Checkpoints(ctx, p.Account, p.Stream)
	if err != nil {
		return w, fmt.Errorf("reading what is published of account %s, stream %s: %w", p.Account, p.Stream, err)
	}
	held, err := l.engine.store.HeldWindows(ctx, p.Account)
	if err != nil {
		return w, fmt.Errorf("reading what is held back of account %s: %w", p.Account, err)
	}
	know := func(from, to, at time.Time) {
		if from.Before(p.To) && p.From.Before(to) && at.After(w.Known) {
			w.Known = at
		}
	}
	for _, c := range published {
		if c.Kind == state.Windowed {
			know(c.From, c.To, c.PublishedAt)
		}
	}
	for _, h := range held {
		if h.Stream == p.Stream {
			know(h.From, h.To, h.At)
		}
	}
	return w, nil
}

func workOf(p state.Pull, s *extractors.Stream) extractors.Work {
	w := extractors.Work{Kind: p.Kind, Route: p.Route, Begun: p.CreatedAt, Items: p.Items, Cursor: p.Cursor}
	switch p.Kind {
	case state.Windowed:
		w.Window.From, w.Window.To = p.From, p.To
	case state.Changes:
		if pollsLeads(s) { // asked for by their ids, whatever changed
			break
		}
		w.Since = p.From.Add(-s.ChangesOverlap)
	}
	return w
}
