package loaders

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// RunRow is a line of the ledger of runs.
type RunRow struct {
	ID                       string
	Network, Account, Stream string
	StartedAt                time.Time
	// FinishedAt is zero while the run goes on.
	FinishedAt  time.Time
	Calls, Rows int64
	// Error is empty for success.
	Error string
}

// StreamRow says where a stream stands, for the view freshness.
type StreamRow struct {
	Network, Account, Stream string
	// State is a word or two for people.
	State string
	// LastSuccess is when rows were last published; zero if never.
	LastSuccess time.Time
	// CompleteTo is the instant before which everything has been pulled; zero when not known.
	CompleteTo time.Time
	// NextRun is when the stream is due next; zero if not planned.
	NextRun time.Time
	// Rows is the size of the last publication.
	Rows int64
	// LastError is empty after a success.
	LastError string
	// At is when this was so.
	At time.Time
}

// SaveRuns writes runs to the ledger; a run that is there already is replaced.
func (w *Warehouse) SaveRuns(ctx context.Context, rows []RunRow) error {
	return save(ctx, w, runs(), rows, func(b driver.Batch, r RunRow) error {
		return b.Append(r.Network, r.Account, r.Stream, r.StartedAt.UTC(), orEpoch(r.FinishedAt), r.ID, uint64(r.Calls), uint64(r.Rows), r.Error,
			uint64(time.Now().UnixMilli()))
	})
}

// SaveStreams writes where streams stand to the ledger; what it said of them before
// is replaced.
func (w *Warehouse) SaveStreams(ctx context.Context, rows []StreamRow) error {
	return save(ctx, w, streams(), rows, func(b driver.Batch, r StreamRow) error {
		return b.Append(r.Network, r.Account, r.Stream, r.State, orEpoch(r.LastSuccess), orEpoch(r.CompleteTo), orEpoch(r.NextRun),
			uint64(r.Rows), r.LastError, orEpoch(r.At), uint64(time.Now().UnixMilli()))
	})
}

// save writes rows to a ledger in one INSERT.
func save[T any](ctx context.Context, w *Warehouse, t *table, rows []T, add func(driver.Batch, T) error) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := w.prepare(ctx, t)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := add(batch, r); err != nil {
			_ = batch.Abort() // not Close: that would end the INSERT and keep what was flushed
			return wrap("writing "+t.name, err)
		}
	}
	return wrap("writing "+t.name, batch.Send())
}
