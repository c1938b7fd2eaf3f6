package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"
)

const (
	restartDelayMin = 200 * time.Millisecond
	restartDelayMax = 30 * time.Second
	// healthyAfter is how long a child has run when its end is news, and not
	// one more end in a row: the delay then starts small again.
	healthyAfter = time.Minute
)

// supervise keeps a child running until stopping is done, and is the only one
// that ends one. When hurry is done the child's time to end is over.
func (e *Engine) supervise(c *child, stopping, hurry context.Context) {
	defer close(e.stopped)
	e.stopErr = e.keep(c, stopping, hurry)
	e.pid.Store(0)
	e.stopping()
	e.hurry()
	if err := e.release(); err != nil {
		e.log.Warn("closing the embedded ClickHouse's files", zap.Error(err))
	}
}

func (e *Engine) keep(c *child, stopping, hurry context.Context) error {
	delays := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(restartDelayMin),
		backoff.WithMaxInterval(restartDelayMax),
		backoff.WithMaxElapsedTime(0), // for ever: without the engine there is nothing else to do
	)
	for {
		began := time.Now()
		select {
		case <-stopping.Done():
			return e.end(c, hurry)
		case <-c.done:
		}
		e.pid.Store(0)
		if time.Since(began) >= healthyAfter {
			delays.Reset()
		}
		e.log.Error("the embedded ClickHouse ended unasked, starting it again",
			zap.NamedError("how", c.ended()), zap.String("last_words", e.output.Tail()))
		if c = e.again(stopping, delays); c == nil {
			return nil // stopped while there was none
		}
	}
}

// again runs children until one answers, or returns nil when it is to stop.
func (e *Engine) again(stopping context.Context, delays backoff.BackOff) *child {
	for {
		delay := time.NewTimer(delays.NextBackOff())
		select {
		case <-stopping.Done():
			delay.Stop()
			return nil
		case <-delay.C:
		}
		n := e.restarts.Add(1)
		c, err := e.run(stopping)
		switch {
		case err == nil:
			e.log.Info("the embedded ClickHouse runs again", zap.Int64("restarts", n))
			return c
		case stopping.Err() != nil:
			return nil
		}
		e.log.Error("the embedded ClickHouse does not start", zap.Int64("restarts", n), zap.Error(err))
	}
}

// end ends the child because Stop was called.
func (e *Engine) end(c *child, hurry context.Context) error {
	ctx, cancel := context.WithTimeoutCause(hurry, e.options.StopTimeout, fmt.Errorf("it did not end within %s", e.options.StopTimeout))
	defer cancel()
	began := time.Now()
	if err := c.stop(ctx); err != nil {
		return fmt.Errorf("stopping the embedded ClickHouse: %w", err)
	}
	e.log.Info("the embedded ClickHouse is stopped", zap.Duration("after", time.Since(began)))
	return nil
}
