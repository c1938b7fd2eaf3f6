package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// Probed is the answer to one call of a stream that belongs to no pull.
type Probed struct {
	// Request describes the call, without secrets.
	Request string
	Page    extractors.Page
	// Body is the answer as it would have been stored: redacted.
	Body []byte
	At   time.Time
}

// Probe makes the first call that a pull with this work would make and reads its
// answer; nothing is stored of it but that the pace and the budgets counted it. It is
// how a person learns what a network really answers before anything rests on it. The
// error is an *extractors.APIError when the answer, or that there was none, is the reason.
func (e *Engine) Probe(ctx context.Context, account string, s *extractors.Stream, w extractors.Work) (Probed, error) {
	l := e.lanes[account]
	if l == nil {
		return Probed{}, fmt.Errorf("probing account %s: it is not configured", account)
	}
	call, err := l.account.Source.Next(s, w)
	if err != nil {
		return Probed{}, fmt.Errorf("probing account %s, stream %s: %w", account, s.Name, err)
	}
	if call.Creates {
		return Probed{}, fmt.Errorf("probing account %s, stream %s: its first call would create an export", account, s.Name)
	}
	p := Probed{Request: call.Describe}
	err = e.aside(ctx, l, s.Name, call, func(a extractors.Answer) error {
		p.At = time.Now()
		if p.Page, err = l.account.Source.Read(s, w, a); err != nil {
			return err
		}
		p.Body = l.account.Source.Redact(a.Body)
		return nil
	})
	return p, err
}

// aside makes a call that belongs to no pull, at the account's pace and under its
// budgets, and has its answer read.
func (e *Engine) aside(ctx context.Context, l *lane, stream string, call extractors.Call, read func(extractors.Answer) error) error {
	a := l.account
	own, err := l.ownBudgets(call)
	if err != nil {
		return err
	}
	if err := l.claimed(ctx, own...); err != nil {
		return err
	}
	left := time.Now()
	if err := l.depart(ctx, 0, "", left); err != nil {
		return err
	}
	answer, err := l.perform(ctx, call)
	ended := time.Now()
	if err == nil {
		err = read(answer)
	}
	e.observe.Called(a.Name, stream, outcomeOf(err), ended.Sub(left), len(answer.Body))
	next := ended.Add(a.MinDelay)
	if api, ok := errors.AsType[*extractors.APIError](err); ok {
		next = ended.Add(max(a.MinDelay, api.RetryAfter))
	}
	l.ended(next)
	if err := e.store.Ended(context.WithoutCancel(ctx), a.Name, 0, ended, next); err != nil {
		return fmt.Errorf("recording a call of account %s: %w", a.Name, err)
	}
	if err == nil || errors.Is(err, errShutdown) {
		return err
	}
	return asAPIError(a, state.Pull{Account: a.Name, Stream: stream}, err)
}
