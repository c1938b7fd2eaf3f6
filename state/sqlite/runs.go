package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"time"

	"syncd/state"
)

// pruneEvery spreads the cost of keeping the run log short: it is pruned once in so
// many runs, and is longer than state.RunsKept by up to as many.
const pruneEvery = 256

// SaveRun implements state.Store.
func (s *Store) SaveRun(ctx context.Context, r state.Run) error {
	return s.write(ctx, "saving a run", func(t *tx) error {
		var n int64
		err := t.row(`INSERT INTO runs (id, account, stream, started_at, finished_at, calls, row_count, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET account = excluded.account, stream = excluded.stream, started_at = excluded.started_at,
				finished_at = excluded.finished_at, calls = excluded.calls, row_count = excluded.row_count, error = excluded.error
			RETURNING n`,
			[]any{r.ID, r.Account, r.Stream, ms(r.StartedAt), ms(r.FinishedAt), r.Calls, r.Rows, r.Error}, &n)
		if err != nil || n%pruneEvery != 0 {
			return err
		}
		return t.exec(`DELETE FROM runs WHERE finished_at <> ? AND started_at <
			(SELECT started_at FROM runs ORDER BY started_at DESC LIMIT 1 OFFSET ?)`, ms(time.Time{}), state.RunsKept-1)
	})
}

// Runs implements state.Store.
func (s *Store) Runs(ctx context.Context, limit int) ([]state.Run, error) {
	return list(ctx, s, "reading the run log",
		`SELECT id, account, stream, started_at, finished_at, calls, row_count, error FROM runs ORDER BY started_at DESC, n DESC LIMIT ?`,
		func(rows *sql.Rows, r *state.Run) error {
			return rows.Scan(&r.ID, &r.Account, &r.Stream, instant{&r.StartedAt}, instant{&r.FinishedAt}, &r.Calls, &r.Rows, &r.Error)
		}, max(limit, 0))
}

// StartBackfill implements state.Store.
func (s *Store) StartBackfill(ctx context.Context, from, to time.Time, only string, now time.Time) (b state.BackfillRequest, err error) {
	err = s.write(ctx, "starting a backfill", func(t *tx) error {
		err := t.exec("INSERT INTO backfills (from_ms, to_ms, selection, started_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			ms(from), ms(to), only, ms(now))
		if err != nil {
			return err
		}
		// The number is the zero time, as in the index that makes it one.
		return t.row(`SELECT id, from_ms, to_ms, selection, started_at, finished_at FROM backfills
			WHERE finished_at = -62135596800000 AND from_ms = ? AND to_ms = ? AND selection = ?`,
			[]any{ms(from), ms(to), only},
			&b.ID, instant{&b.From}, instant{&b.To}, &b.Only, instant{&b.StartedAt}, instant{&b.FinishedAt})
	})
	return b, err
}

// FinishBackfill implements state.Store.
func (s *Store) FinishBackfill(ctx context.Context, id int64, now time.Time) error {
	return s.write(ctx, "finishing a backfill", func(t *tx) error {
		n, err := t.affect("UPDATE backfills SET finished_at = iif(finished_at = ?, ?, finished_at) WHERE id = ?", ms(time.Time{}), ms(now), id)
		if err == nil && n == 0 {
			return fmt.Errorf("backfill %d is not known", id)
		}
		return err
	})
}

// Secret implements state.Store: 256 random bits in URL-safe base64.
func (s *Store) Secret(ctx context.Context, name string) (string, error) {
	const query = "SELECT value FROM secrets WHERE name = ?"
	doing := fmt.Sprintf("reading the secret %s", name)
	value, found, err := one(ctx, s, doing, query, func(rows *sql.Rows, value *string) error { return rows.Scan(value) }, name)
	if err != nil || found {
		return value, err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: it ends the process instead
	err = s.write(ctx, fmt.Sprintf("creating the secret %s", name), func(t *tx) error {
		err := t.exec("INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", name, base64.RawURLEncoding.EncodeToString(random))
		if err != nil {
			return err
		}
		return t.row(query, []any{name}, &value) // another caller's, if it came first
	})
	if err != nil {
		return "", err
	}
	return value, nil
}
