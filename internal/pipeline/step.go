package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/state"
)

// step takes one pull one call further. Its error is one that the daemon cannot go
// on with (the state store does not take what has to be durable); all that the
// network does wrong is handled here.
func (l *lane) step(ctx context.Context, e *entry) error {
	p := e.pull
	stream := l.account.stream(p.Stream)
	if stream == nil {
		// The configuration no longer has the stream: nobody wants its rows.
		if err := l.engine.store.DropPulls(ctx, []int64{p.ID}); err != nil {
			return fmt.Errorf("forgetting a pull of account %s, stream %s: %w", p.Account, p.Stream, err)
		}
		l.engine.queue.remove([]*entry{e})
		return nil
	}
	if stream.ForEach != nil && p.Items == nil {
		return l.freeze(ctx, e, stream)
	}
	work := workOf(p, stream)
	call, err := l.account.Source.Next(stream, work)
	if err != nil {
		return l.failed(ctx, e, time.Now(), &extractors.APIError{
			Network: l.account.Network, Account: p.Account, Stream: p.Stream,
			Message: err.Error(), Outcome: extractors.StopStream, Err: err,
		})
	}
	if free, err := l.quota(ctx); err != nil {
		return err
	} else if !free.IsZero() {
		l.ended(free)
		l.engine.queue.postpone(e, p.NotBefore, "")
		return nil
	}
	return l.call(ctx, e, stream, work, call)
}

// call performs the call and makes its answer durable before anything else
// happens to it.
func (l *lane) call(ctx context.Context, e *entry, stream *extractors.Stream, work extractors.Work, call extractors.Call) error {
	p := e.pull
	left := time.Now()
	if l.account.paced() {
		l.leave(left)
		err := l.engine.store.Depart(ctx, state.Departure{
			Account: p.Account, PullID: p.ID, At: left,
			NextCall: left.Add(l.account.Timeout + l.account.MinDelay),
		})
		if err != nil {
			return l.fatal(ctx, e, fmt.Errorf("recording a call of account %s, stream %s: %w", p.Account, p.Stream, err))
		}
	}
	l.engine.after("departed")
	answer, err := l.perform(ctx, call)
	ended := time.Now()
	l.engine.after("answered")
	var page extractors.Page
	if err == nil {
		page, err = l.account.Source.Read(stream, work, answer)
	}
	l.engine.observe.Called(p.Account, p.Stream, outcomeOf(err), ended.Sub(left), len(answer.Body))
	if err != nil {
		return l.failed(ctx, e, ended, err)
	}
	next := ended.Add(l.account.MinDelay)
	size := len(answer.Body)
	body, release := l.engine.packer.pack(l.account.Source.Redact(answer.Body))
	defer release() // the store has its own copy when Receive returns
	if answer.Release != nil {
		answer.Release()
	}
	// The answer was paid for: a shutdown does not keep it from becoming durable.
	received, err := l.engine.store.Receive(context.WithoutCancel(ctx), state.Receipt{
		PullID: p.ID, Body: body, Request: call.Describe,
		Records: page.Records, RawBytes: size, Hash: page.Hash,
		Next: page.Next, Done: page.Done, NextCall: next, ReceivedAt: ended,
	})
	if err != nil {
		return l.fatal(ctx, e, fmt.Errorf("storing an answer of account %s, stream %s (%s): %w", p.Account, p.Stream, call.Describe, err))
	}
	l.engine.after("received")
	l.ended(next)
	l.engine.queue.grown(int64(len(body)))
	l.engine.queue.put(e, received, ended)
	l.engine.runs.called(p.RunID)
	l.engine.observe.Received(received, page.Records)
	l.log.Debug("page received", zap.String("stream", p.Stream), zap.String("call", call.Describe),
		zap.Int("records", page.Records), zap.Duration("took", ended.Sub(left)))
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

// failed decides what a failed call means: the one place where the five outcomes
// become actions.
func (l *lane) failed(ctx context.Context, e *entry, ended time.Time, cause error) error {
	p := e.pull
	store := l.engine.store
	next := ended.Add(l.account.MinDelay)
	running := ctx
	ctx = context.WithoutCancel(ctx) // the pace counts failed calls, also those of a shutdown
	if errors.Is(cause, errShutdown) {
		// Not a failure of anyone: no attempt is used up. The pace holds all the same.
		l.ended(next)
		l.engine.queue.postpone(e, p.NotBefore, "")
		return l.fatal(ctx, nil, store.Ended(ctx, p.Account, next))
	}
	api := asAPIError(l.account, p, cause)
	failure := state.Failure{Account: p.Account, PullID: p.ID, At: ended, NextCall: next, Error: api.Error()}
	delay := backoffDelay(p.Attempts)
	switch api.Outcome {
	case extractors.StopAccount:
		failure.NotBefore = ended
		if err := store.Fail(ctx, failure); err != nil {
			return l.fatal(ctx, e, fmt.Errorf("recording a refusal: %w", err))
		}
		l.ended(next)
		return l.refused(running, e, failure, api)
	case extractors.Wait:
		failure.NextCall = ended.Add(max(api.RetryAfter, delay, l.account.MinDelay))
		failure.NotBefore = failure.NextCall
	case extractors.StopStream, extractors.StopDaemon:
		failure.GiveUp = true
	default:
		failure.NotBefore = ended.Add(delay)
		failure.GiveUp = l.engine.attempts > 0 && p.Attempts+1 >= l.engine.attempts
	}
	if err := store.Fail(ctx, failure); err != nil {
		return l.fatal(ctx, e, fmt.Errorf("recording a failed call: %w", err))
	}
	l.ended(failure.NextCall)
	if failure.GiveUp {
		return l.giveUp(ctx, e, failure, api.Outcome != extractors.RetryNow)
	}
	p.Attempts++
	p.NotBefore, p.LastError = failure.NotBefore, failure.Error
	l.engine.queue.put(e, p, ended)
	l.log.Warn("call failed", zap.String("stream", p.Stream), zap.Int("attempt", p.Attempts),
		zap.Duration("again_in", failure.NotBefore.Sub(ended).Round(time.Millisecond)), zap.String("error", failure.Error))
	return nil
}

// giveUp ends a pull until its stream is due again. When the cause lies in the
// stream and not in the call, its other pulls would only fail the same way.
func (l *lane) giveUp(ctx context.Context, e *entry, failure state.Failure, wholeStream bool) error {
	p := e.pull
	l.engine.queue.remove([]*entry{e})
	ended := []state.Pull{p}
	if wholeStream {
		for _, other := range l.engine.queue.dropStream(p.Account, p.Stream) {
			f := failure
			f.PullID = other.ID
			if err := l.engine.store.Fail(ctx, f); err != nil {
				return l.fatal(ctx, nil, fmt.Errorf("ending the pulls of account %s, stream %s: %w", p.Account, p.Stream, err))
			}
			ended = append(ended, other)
		}
	}
	for _, x := range ended {
		l.engine.finished(ctx, x, failure.Error)
	}
	l.log.Error("stream stopped until it is due again", zap.String("stream", p.Stream), zap.String("error", failure.Error),
		zap.Int("pulls", len(ended)))
	return l.engine.measure(ctx)
}

// refused tells a refused key from a refused right: networks answer 403 to both.
// The cheapest call that proves the key decides, so that a right that one stream
// lacks does not silence the account, and a wrong key costs two calls and no more.
func (l *lane) refused(ctx context.Context, e *entry, failure state.Failure, api *extractors.APIError) error {
	if why := l.isStopped(); why != "" { // another worker asked already
		l.engine.queue.postpone(e, e.pull.NotBefore, "")
		return nil
	}
	if wait := l.account.MinDelay; wait > 0 {
		if err := sleep(ctx, wait, nil); err != nil {
			return nil
		}
	}
	err := l.engine.check(ctx, l)
	if err == nil {
		failure.GiveUp = true
		failure.Error = fmt.Sprintf("%s refused stream %s of account %s (%d %s), although it accepts the key: ask for the right to read it, or set enabled: false on the stream",
			api.Network, api.Stream, api.Account, api.Status, api.Message)
		if err := l.engine.store.Fail(ctx, failure); err != nil {
			return l.fatal(ctx, e, fmt.Errorf("recording a refused stream: %w", err))
		}
		return l.giveUp(ctx, e, failure, true)
	}
	l.engine.queue.postpone(e, e.pull.NotBefore, "")
	refusal, ok := errors.AsType[*extractors.APIError](err)
	if !ok || refusal.Outcome != extractors.StopAccount {
		return nil // the check itself failed: the pull is tried again and asks again
	}
	l.log.Error("account stopped", zap.String("error", refusal.Error()))
	l.engine.stopped(l.account.Name, refusal.Error())
	return l.fatal(ctx, nil, l.stop(ctx, refusal.Error()))
}

// freeze stores the list that a for-each pull goes over, so that it resumes over
// the same one after a crash.
func (l *lane) freeze(ctx context.Context, e *entry, stream *extractors.Stream) error {
	p := e.pull
	items := stream.ForEach.Values
	if stream.ForEach.Stream != "" {
		published, err := l.engine.store.Checkpoints(ctx, p.Account, stream.ForEach.Stream)
		if err != nil {
			return l.fatal(ctx, e, err)
		}
		if len(published) == 0 {
			l.engine.queue.postpone(e, time.Now().Add(parentPoll), "waiting for stream "+stream.ForEach.Stream)
			return nil
		}
		if items, err = l.engine.parentItems(ctx, l.account, stream); err != nil {
			l.log.Warn("list of ids not to be had yet", zap.String("stream", p.Stream), zap.Error(err))
			l.engine.queue.postpone(e, time.Now().Add(warehousePoll), "waiting for the warehouse")
			return nil
		}
	}
	if err := l.engine.store.SetItems(ctx, p.ID, items, len(items) == 0); err != nil {
		return l.fatal(ctx, e, fmt.Errorf("storing the list of account %s, stream %s: %w", p.Account, p.Stream, err))
	}
	p.Items = items
	if len(items) == 0 {
		p.Items, p.Phase = []string{}, state.Pulled
	}
	l.engine.queue.put(e, p, time.Now())
	return nil
}

const (
	// parentPoll is how often a for-each pull looks whether its list is published;
	// publishing takes a second or so after the parent's last page.
	parentPoll = time.Second
	// warehousePoll is how often a list is asked of a warehouse that does not answer.
	warehousePoll = 10 * time.Second
)

// quota asks all budgets of the account. A zero time means go.
func (l *lane) quota(ctx context.Context) (time.Time, error) {
	for _, q := range l.account.Quotas {
		ok, free, err := l.engine.store.Quota(ctx, l.account.Name, q.Name, q.Calls, q.Per, time.Now())
		if err != nil {
			return time.Time{}, l.fatal(ctx, nil, fmt.Errorf("counting a call of account %s against its quota: %w", l.account.Name, err))
		}
		if !ok {
			return free, nil
		}
	}
	return time.Time{}, nil
}

// fatal passes an error of the state store on: without durable state the daemon
// must stop. The pull, if any, goes back so that a drain does not wait for it.
func (l *lane) fatal(ctx context.Context, e *entry, err error) error {
	if e != nil {
		l.engine.queue.postpone(e, e.pull.NotBefore, "")
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func workOf(p state.Pull, s *extractors.Stream) extractors.Work {
	w := extractors.Work{Kind: p.Kind, Items: p.Items, Cursor: p.Cursor}
	switch p.Kind {
	case state.Windowed:
		w.Window.From, w.Window.To = p.From, p.To
	case state.Changes:
		w.Since = p.From.Add(-s.ChangesOverlap)
	}
	return w
}

func asAPIError(a *Account, p state.Pull, err error) *extractors.APIError {
	if api, ok := errors.AsType[*extractors.APIError](err); ok {
		return api
	}
	return &extractors.APIError{
		Network: a.Network, Account: p.Account, Stream: p.Stream,
		Outcome: extractors.RetryNow, Err: err,
	}
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errShutdown):
		return "cut"
	}
	if api, ok := errors.AsType[*extractors.APIError](err); ok {
		return api.Outcome.String()
	}
	return extractors.RetryNow.String()
}

// backoffDelay is how long a pull rests after its n-th failure in a row, counted
// from 0: from 2 s doubling to 15 minutes, half of it by chance, so that the pulls
// that one outage hit do not come back in step.
func backoffDelay(n int) time.Duration {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(2*time.Second), backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5),
		backoff.WithMaxInterval(15*time.Minute), backoff.WithMaxElapsedTime(0))
	d := b.NextBackOff()
	for range min(n, 20) {
		d = b.NextBackOff()
	}
	return d
}
