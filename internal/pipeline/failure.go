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

// failed decides what a failed call means: the one place where the five outcomes
// become actions.
func (l *lane) failed(ctx context.Context, e *entry, p state.Pull, ended time.Time, cause error) error {
	next := ended.Add(l.account.MinDelay)
	durable := context.WithoutCancel(ctx) // the pace counts failed calls, also those of a shutdown
	if errors.Is(cause, errShutdown) {
		// Not a failure of anyone: no attempt is used up. The pace holds all the same.
		l.ended(next)
		l.engine.queue.giveBack(e)
		return l.engine.store.Ended(durable, p.Account, p.ID, ended, next)
	}
	api := asAPIError(l.account, p, cause)
	if api.Outcome != extractors.StopAccount {
		return l.act(durable, e, p, ended, api, api.Error())
	}
	l.ended(next)
	if err := l.engine.store.Ended(durable, p.Account, p.ID, ended, next); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("recording a refused call of account %s: %w", p.Account, err)
	}
	return l.refused(ctx, e, p, api)
}

// act carries an outcome out.
func (l *lane) act(ctx context.Context, e *entry, p state.Pull, ended time.Time, api *extractors.APIError, words string) error {
	return l.carryOut(ctx, e, p, l.failure(p, ended, api, words), api.Outcome == extractors.StopStream)
}

// failure says what an outcome means for the pull and for the account's pace.
func (l *lane) failure(p state.Pull, ended time.Time, api *extractors.APIError, words string) state.Failure {
	// A pause that the network asks for holds for the whole account, whatever the
	// status that came with it, unless it says otherwise.
	pause := api.RetryAfter
	if api.PullOnly {
		pause = 0
	}
	f := state.Failure{Account: p.Account, PullID: p.ID, At: ended, NextCall: ended.Add(max(pause, l.account.MinDelay)), Error: words, Cursor: api.Cursor}
	delay := max(backoffDelay(p.Attempts), api.RetryAfter)
	last := p.Attempts+1 >= l.engine.attempts
	switch api.Outcome {
	case extractors.Wait:
		f.NotBefore = ended.Add(max(delay, l.account.MinDelay))
		if !api.PullOnly {
			f.NextCall = f.NotBefore
		}
		// The daemon waits as long as it takes; a one-shot run gives the slot back.
		f.GiveUp = l.engine.oneShot && (last || delay > oneShotPatience)
		f.Park = f.GiveUp
	case extractors.StopStream, extractors.StopDaemon:
		f.GiveUp = true
	default:
		f.NotBefore = ended.Add(delay)
		// What an outage interrupts keeps the pages that were paid for.
		f.GiveUp, f.Park = last, last
	}
	return f
}

// carryOut records a failure and does what follows from it; wholeStream says that a
// pull is given up for what lies in its stream.
func (l *lane) carryOut(ctx context.Context, e *entry, p state.Pull, f state.Failure, wholeStream bool) error {
	l.ended(f.NextCall)
	if f.GiveUp {
		return l.giveUp(ctx, e, p, f, wholeStream)
	}
	if err := l.engine.store.Fail(ctx, f); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("recording a failed call of account %s, stream %s: %w", p.Account, p.Stream, err)
	}
	if !f.Blameless {
		p.Attempts++
	}
	p.NotBefore, p.LastError = f.NotBefore, f.Error
	if f.Cursor != "" {
		p.Cursor = f.Cursor
	}
	l.engine.queue.put(e, p, f.At)
	l.log.Warn("call failed", zap.String("stream", p.Stream), zap.Int("attempt", p.Attempts),
		zap.Duration("again_in", f.NotBefore.Sub(f.At).Round(time.Millisecond)), zap.String("error", f.Error))
	return nil
}

// oneShotPatience is the longest pause that a one-shot run waits out.
const oneShotPatience = 10 * time.Minute

// giveUp ends a pull until its stream is due again. When the cause lies in the
// stream and not in the call, its other pulls would only fail the same way; what
// they have received stays for their next run.
func (l *lane) giveUp(ctx context.Context, e *entry, p state.Pull, f state.Failure, wholeStream bool) error {
	ctx = context.WithoutCancel(ctx)
	if err := l.engine.store.Fail(ctx, f); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("ending a pull of account %s, stream %s: %w", p.Account, p.Stream, err)
	}
	l.engine.queue.remove([]*entry{e})
	ended := []state.Pull{p}
	if wholeStream {
		for _, other := range l.engine.queue.dropStream(p.Account, p.Stream) {
			f := f
			f.PullID, f.Park = other.ID, true
			if err := l.engine.store.Fail(ctx, f); err != nil {
				return fmt.Errorf("ending the pulls of account %s, stream %s: %w", p.Account, p.Stream, err)
			}
			ended = append(ended, other)
		}
	}
	l.engine.failed(f.Error)
	for _, x := range ended {
		l.engine.observe.Failed(x, f.Error)
		l.engine.runs.ended(ctx, x, 0, f.Error)
	}
	l.log.Error("stream stopped until it is due again", zap.String("stream", p.Stream), zap.String("error", f.Error),
		zap.Int("pulls", len(ended)))
	return l.engine.measure(ctx)
}

// refused tells a refused key from a refused right: networks answer 403 to both.
// The cheapest call that proves the key decides, so that a right that one stream
// lacks does not silence the account, and a wrong key costs two calls for each
// worker of the account at most.
func (l *lane) refused(ctx context.Context, e *entry, p state.Pull, api *extractors.APIError) error {
	l.checking <- struct{}{} // whoever holds it makes one call, within the timeout of a call
	defer func() { <-l.checking }()
	if l.isStopped() != "" { // another worker's refusal was followed up meanwhile
		l.engine.queue.giveBack(e)
		return nil
	}
	durable := context.WithoutCancel(ctx)
	if l.account.Source.Check().URL == "" {
		api.Outcome = extractors.StopStream // and its others learn for themselves
		return l.act(durable, e, p, time.Now(), api, fmt.Sprintf(
			"%s refused stream %s of account %s (%d %s), and has no call that would tell whether it is the key or the right: see that the address and the key are as it gave them",
			api.Network, p.Stream, p.Account, api.Status, api.Message))
	}
	err := l.engine.check(ctx, l)
	if err == nil {
		api.Outcome = extractors.StopStream
		return l.act(durable, e, p, time.Now(), api, fmt.Sprintf(
			"%s refused stream %s of account %s (%d %s), although it accepts the key: ask for the right to read it, or set enabled: false on the stream",
			api.Network, p.Stream, p.Account, api.Status, api.Message))
	}
	answer, ok := errors.AsType[*extractors.APIError](err)
	switch {
	case !ok: // a shutdown, or a store that does not take what has to be durable
		l.engine.queue.giveBack(e)
		if ctx.Err() != nil {
			return nil
		}
		return err
	case answer.Outcome == extractors.StopAccount:
		l.engine.queue.giveBack(e)
		l.log.Error("account stopped", zap.String("error", answer.Error()))
		l.engine.failed(answer.Error())
		return l.stop(durable, answer.Error())
	case answer.Outcome != extractors.Wait:
		answer.Outcome = extractors.RetryNow // whatever is wrong with the check, the stream is not to blame
	}
	return l.act(durable, e, p, time.Now(), answer, answer.Error())
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
