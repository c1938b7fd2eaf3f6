package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
)

const (
	// leadCalls is how many calls a pull of open leads makes at most. What becomes due
	// meanwhile waits for the next one, so that it must not take hours; at a call a
	// second this is a quarter of an hour.
	leadCalls = 1_000
	// leadItems bounds the list of a pull whose calls take many leads each: it is stored
	// with the pull, and read whole at every call.
	leadItems = 20_000
	// openIDsTimeout bounds the question for leads that somebody else knows: the account's
	// calls wait for it.
	openIDsTimeout = time.Minute
)

// openLeads gives the ids of the leads that are due to be asked for, the longest due
// first, after it asked whoever else knows of leads.
func (l *lane) openLeads(ctx context.Context, s *extractors.Stream) ([]string, error) {
	if err := l.feed(ctx, s); err != nil {
		return nil, err
	}
	limit := min(leadCalls*max(s.ForEach.Batch, 1), leadItems)
	// A list is stored by lines, and sent with commas between its ids. No network gives
	// such an id, and who sent one is not helped.
	without := "\r\n"
	if s.ForEach.Batch > 1 {
		without += ","
	}
	ids, err := l.engine.store.OpenLeads(ctx, l.account.Name, s.ForEach.OpenLeads, time.Now(), without, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the open leads of account %s for stream %s: %w", l.account.Name, s.Name, err)
	}
	return ids, nil
}

// feed makes leads known that somebody else knows, if it is time to ask. That there is
// no answer stops nothing: what is known is asked for all the same. The error is that
// of the state store.
func (l *lane) feed(ctx context.Context, s *extractors.Stream) error {
	a := l.account
	now := time.Now()
	l.mu.Lock()
	due := a.OpenIDs != nil && (l.openIDs.IsZero() || !now.Before(l.openIDs.Add(a.OpenIDsEvery)))
	if due {
		l.openIDs = now
	}
	l.mu.Unlock()
	if !due {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, openIDsTimeout)
	facts, err := a.OpenIDs(asking)
	cancel()
	switch {
	case ctx.Err() != nil:
		return errShutdown
	case err != nil:
		l.log.Warn("list of open ids not to be had, the leads that are known are asked for", zap.Error(err),
			zap.Duration("again_in", a.OpenIDsEvery))
		return nil
	}
	for chunk := range slices.Chunk(facts, leadsAtOnce) {
		added, err := l.engine.store.AddLeads(ctx, a.Name, chunk, a.pollRule(s), now)
		if err != nil {
			return fmt.Errorf("storing the open ids of account %s: %w", a.Name, err)
		}
		if added > 0 {
			l.log.Info("leads made known", zap.Int("leads", added))
		}
	}
	return nil
}

// leadsAtOnce is how many leads are made known in one transaction: others wait for it.
const leadsAtOnce = 5_000
