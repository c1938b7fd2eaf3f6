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

// supervise keeps a child running until Stop, and is the only one that ends one.
func (e *Engine) supervise(c *child) {
	defer close(e.stopped)
	e.stopErr = e.keep(c)
	e.pid.Store(0)
	if err := e.release(); err != nil {
		e.log.Warn("closing the embedded ClickHouse's files", zap.Error(err))
	}
}

func (e *Engine) keep(c *child) error {
	delays := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(restartDelayMin),
		backoff.WithMaxInterval(restartDelayMax),
		backoff.WithMaxElapsedTime(0), // for ever: without the engine there is nothing else to do
	)
	// A start that is under way ends with Stop.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		began := time.Now()
		select {
		case <-e.stopping:
			return e.end(c)
		case <-c.done:
		}
		e.pid.Store(0)
		if time.Since(began) >= healthyAfter {
			delays.Reset()
		}
		e.log.Error("the embedded ClickHouse ended unasked, starting it again",
			zap.NamedError("how", c.ended()), zap.String("last_words", e.output.Tail()))
		if c = e.again(ctx, delays); c == nil {
			return nil // stopped while there was none
		}
	}
}

// again runs children until one answers, or returns nil when it is to stop.
func (e *Engine) again(ctx context.Context, delays backoff.BackOff) *child {
	for {
		delay := time.NewTimer(delays.NextBackOff())
		select {
		case <-e.stopping:
			delay.Stop()
			return nil
		case <-delay.C:
		}
		n := e.restarts.Add(1)
		c, err := e.run(ctx)
		if err == nil {
			e.log.Info("the embedded ClickHouse runs again", zap.Int64("restarts", n))
			return c
		}
		if ctx.Err() != nil {
			return nil
		}
		e.log.Error("the embedded ClickHouse does not start", zap.Int64("restarts", n), zap.Error(err))
	}
}

// end stops the child as Stop asked.
func (e *Engine) end(c *child) error {
	ctx, cancel := context.WithTimeoutCause(e.stopCtx, e.options.StopTimeout, fmt.Errorf("it did not end within %s", e.options.StopTimeout))
	defer cancel()
	began := time.Now()
	if err := c.stop(ctx); err != nil {
		return fmt.Errorf("stopping the embedded ClickHouse: %w", err)
	}
	e.log.Info("the embedded ClickHouse is stopped", zap.Duration("after", time.Since(began)))
	return nil
}
