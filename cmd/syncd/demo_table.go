package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"syncd/state"
)

// showDemo waits for the history and prints yesterday's performance.
func (s *syncing) showDemo(ctx context.Context, out io.Writer, watch *demoWatch, networks []demoNetwork) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	missing := demoHistory(networks)
	for len(missing) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var err error
		if missing, err = s.demoMissing(ctx, missing); err != nil {
			return err
		}
	}
	watch.mu.Lock()
	defer watch.mu.Unlock()
	watch.flush()
	fmt.Fprintf(out, "\nyesterday's performance by offer, the best three of each account, asked from ClickHouse:\n\n")
	if err := s.warehouse.Query(ctx, fmt.Sprintf(demoQuery, s.warehouse.Database()), "table", out); err != nil {
		return fmt.Errorf("asking for yesterday's performance: %w", err)
	}
	fmt.Fprintf(out, "\n%s\n", demoHints)
	fmt.Fprintf(out, "the daemon goes on: new clicks and conversions arrive and old ones change\n")
	fmt.Fprintf(out, "  status page: http://%s/\n", s.app.config.HTTP.Listen)
	for _, line := range s.connect() {
		fmt.Fprintf(out, "  %s\n", line)
	}
	fmt.Fprintf(out, "Ctrl-C ends it all\n\n")
	return nil
}

// demoQuery orders by what every kind of account sees: a partner sees no revenue, and
// some platforms give no clicks.
const demoQuery = `
SELECT account, offer_id, any(p.offer_name) AS offer, sum(p.clicks) AS clicks, sum(p.conversions) AS conversions,
       sum(p.approved) AS approved, CAST(round(sum(p.payout), 2) AS Decimal(18, 2)) AS payout,
       CAST(round(sum(p.revenue), 2) AS Decimal(18, 2)) AS revenue, currency
FROM %s.daily_performance AS p
WHERE day = toDate(now('UTC')) - 1
GROUP BY account, offer_id, currency
ORDER BY account, conversions DESC, offer_id, currency
LIMIT 3 BY account`

// demoHints say why the table has the holes that it has.
const demoHints = "Perform[cb], OffersLook and KMA list no clicks, a partner of Perform[cb] sees its own payout alone,\nand KMA tells what a lead pays by postback only."

// demoStream is a stream that the table is made of.
type demoStream struct{ account, stream string }

// demoHistory is what has to be there before the table is worth showing.
func demoHistory(networks []demoNetwork) (history []demoStream) {
	for _, n := range networks {
		for _, stream := range n.history {
			history = append(history, demoStream{n.account, stream})
		}
	}
	return history
}

// demoMissing gives those of streams of which yesterday is not published yet. What
// was there once is not looked at again: hot days are pulled every minute.
func (s *syncing) demoMissing(ctx context.Context, streams []demoStream) ([]demoStream, error) {
	open, err := s.store.OpenPulls(ctx, "")
	if err != nil {
		return nil, err
	}
	last, err := s.store.LastCheckpoints(ctx)
	if err != nil {
		return nil, err
	}
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	published := map[demoStream]bool{}
	for _, c := range last {
		published[demoStream{c.Account, c.Stream}] = true
	}
	for _, p := range open {
		if p.Kind == state.Snapshot || p.To.After(yesterday) {
			delete(published, demoStream{p.Account, p.Stream})
		}
	}
	return slices.DeleteFunc(slices.Clone(streams), func(x demoStream) bool { return published[x] }), nil
}
