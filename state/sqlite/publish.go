package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"syncd/state"
)

// Publish implements state.Store.
func (s *Store) Publish(ctx context.Context, done []state.Published) error {
	return s.write(ctx, "publishing", func(t *tx) error {
		for _, d := range done {
			known, err := exists(t, d.PullID)
			if err != nil {
				return err
			}
			if !known {
				continue // published before a crash
			}
			p, err := s.pull(t, d.PullID, state.Pulled)
			if err != nil {
				return err
			}
			if err := publish(t, p, d); err != nil {
				return fmt.Errorf("pull %d: %w", p.ID, err)
			}
		}
		return nil
	})
}

func exists(t *tx, pullID int64) (bool, error) {
	var n int
	err := t.row("SELECT count(*) FROM pulls WHERE id = ?", []any{pullID}, &n)
	return n > 0, err
}

func publish(t *tx, p state.Pull, d state.Published) error {
	pulled := min(ms(p.CreatedAt), time.Now().UnixMilli()) // unless the clock was ahead then
	// One of the two unique indexes makes it the same row again.
	var id int64
	err := t.row(`INSERT INTO checkpoints (account, stream, kind, from_ms, to_ms, version, pulled_at, published_at, row_count, quarantined, digest, raw_at, mapping)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms, version = excluded.version,
			pulled_at = excluded.pulled_at, published_at = excluded.published_at,
			row_count = excluded.row_count, quarantined = excluded.quarantined,
			digest = excluded.digest, raw_at = excluded.raw_at, mapping = excluded.mapping
		RETURNING id`,
		[]any{p.Account, p.Stream, p.Kind, ms(p.From), ms(p.To), int64(p.Version), pulled, ms(d.PublishedAt), d.Rows, d.Quarantined, int64(d.Digest), ms(d.RawAt), d.Mapping}, &id)
	if err != nil {
		return err
	}
	if p.Kind == state.Windowed {
		// The windows within this one were made before it, or by a narrower step. The
		// stream's last checkpoint may be one of them, so it moves first.
		err = t.exec(`UPDATE streams SET last_checkpoint = ?1 WHERE account = ?2 AND stream = ?3 AND last_checkpoint IN (
			SELECT id FROM checkpoints WHERE account = ?2 AND stream = ?3 AND kind = 'window' AND from_ms >= ?4 AND from_ms < ?5 AND to_ms <= ?5)`,
			id, p.Account, p.Stream, ms(p.From), ms(p.To))
		if err != nil {
			return err
		}
		err = t.exec(`DELETE FROM checkpoints WHERE account = ?1 AND stream = ?2 AND kind = 'window' AND from_ms >= ?3 AND from_ms < ?4 AND to_ms <= ?4
			AND id <> ?5 AND pulled_at <= ?6`, p.Account, p.Stream, ms(p.From), ms(p.To), id, pulled)
		if err != nil {
			return err
		}
	}
	err = t.exec(`INSERT INTO streams (account, stream, last_checkpoint) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET last_checkpoint = excluded.last_checkpoint
		WHERE last_checkpoint IS NULL OR ? >= (SELECT published_at FROM checkpoints WHERE id = last_checkpoint)`,
		p.Account, p.Stream, id, ms(d.PublishedAt))
	if err != nil {
		return err
	}
	if err := touch(t, p, d, id); err != nil {
		return err
	}
	// A window has all that lies within it; a list of changes has not.
	err = t.exec(`DELETE FROM held WHERE account = ?1 AND stream = ?2 AND from_ms >= ?3 AND to_ms <= ?4
		AND (?5 OR from_ms = ?3 AND to_ms = ?4)`, p.Account, p.Stream, ms(p.From), ms(p.To), p.Kind == state.Windowed)
	if err != nil {
		return err
	}
	// Its items and inbox pages go with it (ON DELETE CASCADE).
	return t.exec("DELETE FROM pulls WHERE id = ?", p.ID)
}

// Hold implements state.Store.
func (s *Store) Hold(ctx context.Context, held []state.Held) error {
	return s.write(ctx, "holding pulls back", func(t *tx) error {
		for _, h := range held {
			p, err := s.pull(t, h.PullID, state.Pulled)
			if err != nil {
				return err
			}
			err = t.exec(`INSERT INTO held (account, stream, from_ms, to_ms, at, reason, row_count, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET at = excluded.at, reason = excluded.reason, row_count = excluded.row_count, hash = excluded.hash`,
				p.Account, p.Stream, ms(p.From), ms(p.To), ms(h.At), h.Reason, h.Rows, int64(h.Hash))
			if err != nil {
				return err
			}
			if err := giveUp(t, p.ID, h.Reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// HeldWindows implements state.Store.
func (s *Store) HeldWindows(ctx context.Context, account string) ([]state.HeldWindow, error) {
	return list(ctx, s, "reading what is held back",
		`SELECT account, stream, from_ms, to_ms, at, reason, row_count, hash FROM held
		WHERE ?1 = '' OR account = ?1 ORDER BY at, account, stream, from_ms`,
		func(rows *sql.Rows, h *state.HeldWindow) error {
			return rows.Scan(&h.Account, &h.Stream, instant{&h.From}, instant{&h.To}, instant{&h.At}, &h.Reason, &h.Rows, bits{&h.Hash})
		}, account)
}

// Reject implements state.Store.
func (s *Store) Reject(ctx context.Context, pullID int64, reason string) error {
	return s.write(ctx, "rejecting a pull", func(t *tx) error {
		if err := inPhase(t, pullID, state.Pulled); err != nil {
			return err
		}
		return giveUp(t, pullID, reason)
	})
}

const selectCheckpoints = `SELECT c.account, c.stream, c.kind, c.from_ms, c.to_ms, c.version, c.pulled_at, c.published_at,
	c.row_count, c.quarantined, c.digest, c.raw_at, c.mapping FROM checkpoints c `

func scanCheckpoint(rows *sql.Rows, c *state.Checkpoint) error {
	return rows.Scan(&c.Account, &c.Stream, &c.Kind, instant{&c.From}, instant{&c.To}, bits{&c.Version}, instant{&c.PulledAt},
		instant{&c.PublishedAt}, &c.Rows, &c.Quarantined, bits{&c.Digest}, instant{&c.RawAt}, &c.Mapping)
}

// Checkpoints implements state.Store.
func (s *Store) Checkpoints(ctx context.Context, account, stream string) ([]state.Checkpoint, error) {
	return list(ctx, s, "reading checkpoints",
		selectCheckpoints+"WHERE c.account = ? AND c.stream = ? ORDER BY c.from_ms, c.to_ms, c.kind", scanCheckpoint, account, stream)
}

// LastCheckpoints implements state.Store.
func (s *Store) LastCheckpoints(ctx context.Context) ([]state.Checkpoint, error) {
	return list(ctx, s, "reading the last checkpoints",
		selectCheckpoints+"JOIN streams s ON s.last_checkpoint = c.id ORDER BY c.account, c.stream", scanCheckpoint)
}

// Due implements state.Store.
func (s *Store) Due(ctx context.Context, account, stream string) (time.Time, error) {
	at, _, err := one(ctx, s, "reading a due time", "SELECT due FROM streams WHERE account = ? AND stream = ?",
		func(rows *sql.Rows, at *time.Time) error { return rows.Scan(instant{at}) }, account, stream)
	return at, err
}

// SetDue implements state.Store.
func (s *Store) SetDue(ctx context.Context, account, stream string, at time.Time) error {
	return s.write(ctx, "recording a due time", func(t *tx) error {
		return t.exec(`INSERT INTO streams (account, stream, due) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET due = excluded.due`, account, stream, ms(at))
	})
}
