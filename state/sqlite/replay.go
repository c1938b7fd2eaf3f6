package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"syncd/state"
)

// Mappings implements state.Store.
func (s *Store) Mappings(ctx context.Context) ([]state.MappingCount, error) {
	return list(ctx, s, "counting mappings",
		`SELECT account, stream, mapping, count(*), min(CASE kind WHEN 'window' THEN from_ms ELSE -62135596800000 END)
		FROM checkpoints GROUP BY account, stream, mapping ORDER BY account, stream, mapping`,
		func(rows *sql.Rows, c *state.MappingCount) error {
			return rows.Scan(&c.Account, &c.Stream, &c.Mapping, &c.Checkpoints, instant{&c.From})
		})
}

// IssueVersions implements state.Store.
func (s *Store) IssueVersions(ctx context.Context, n int) (first uint64, err error) {
	err = s.write(ctx, "issuing versions", func(t *tx) error {
		var last int64
		err := t.row("UPDATE counters SET value = value + ? WHERE name = 'version' RETURNING value", []any{n}, &last)
		first = uint64(last) - uint64(n) + 1
		return err
	})
	return first, err
}

// OpenVersions implements state.Store.
func (s *Store) OpenVersions(ctx context.Context, account string) ([]state.PullVersions, error) {
	const doing = "reading the versions of open pulls"
	pulls, err := list(ctx, s, doing, "SELECT id, account, stream, version, file_version FROM pulls WHERE account = ? AND (phase <> 'failed' OR pages > 0) ORDER BY id",
		func(rows *sql.Rows, p *state.PullVersions) error {
			return rows.Scan(&p.PullID, &p.Account, &p.Stream, bits{&p.Version}, bits{&p.FileVersion})
		}, account)
	if err != nil {
		return nil, err
	}
	for i := range pulls {
		pulls[i].Pages, err = list(ctx, s, doing, "SELECT seq, CASE version WHEN 0 THEN seq ELSE version END FROM inbox WHERE pull_id = ? ORDER BY seq",
			func(rows *sql.Rows, p *state.PageVersion) error { return rows.Scan(&p.Seq, bits{&p.Version}) }, pulls[i].PullID)
		if err != nil {
			return nil, err
		}
	}
	return pulls, nil
}

// SetVersions implements state.Store.
func (s *Store) SetVersions(ctx context.Context, pulls []state.PullVersions) error {
	return s.write(ctx, "dating open pulls", func(t *tx) error {
		for _, p := range pulls {
			if err := t.exec("UPDATE pulls SET version = ?, file_version = ? WHERE id = ?", int64(p.Version), int64(p.FileVersion), p.PullID); err != nil {
				return err
			}
			for _, page := range p.Pages {
				if err := t.exec("UPDATE inbox SET version = ? WHERE seq = ? AND pull_id = ?", int64(page.Version), page.Seq, p.PullID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Replayed implements state.Store.
func (s *Store) Replayed(ctx context.Context, done []state.Replayed) error {
	return s.write(ctx, "storing what was made anew", func(t *tx) error {
		for _, d := range done {
			if err := replayed(t, d); err != nil {
				return fmt.Errorf("account %s, stream %s: %w", d.Account, d.Stream, err)
			}
		}
		return nil
	})
}

func replayed(t *tx, d state.Replayed) error {
	if d.Kind == state.Changes {
		return t.exec("UPDATE checkpoints SET mapping = ? WHERE account = ? AND stream = ? AND kind = ?", d.Mapping, d.Account, d.Stream, d.Kind)
	}
	id, version := int64(0), int64(0)
	err := t.row("SELECT id, version FROM checkpoints WHERE account = ? AND stream = ? AND kind = ? AND from_ms = ? AND to_ms = ?",
		[]any{d.Account, d.Stream, d.Kind, ms(d.From), ms(d.To)}, &id, &version)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case err == nil && uint64(version) >= d.Version:
		return t.exec("UPDATE checkpoints SET mapping = ?1, row_count = CASE WHEN ?2 < 0 THEN row_count ELSE ?2 END, quarantined = ?3 WHERE id = ?4", d.Mapping, d.Rows, d.Quarantined, id)
	}
	var wider int
	err = t.row("SELECT count(*) FROM checkpoints WHERE account = ? AND stream = ? AND kind = ? AND from_ms <= ? AND to_ms >= ? AND version > ?",
		[]any{d.Account, d.Stream, d.Kind, ms(d.From), ms(d.To), int64(d.Version)}, &wider)
	if err != nil || wider > 0 {
		return err
	}
	err = t.row(`INSERT INTO checkpoints (account, stream, kind, from_ms, to_ms, version, pulled_at, published_at, row_count, quarantined, mapping)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET version = excluded.version, pulled_at = excluded.pulled_at, published_at = excluded.published_at,
			row_count = excluded.row_count, quarantined = excluded.quarantined, mapping = excluded.mapping, digest = 0
		RETURNING id`,
		[]any{d.Account, d.Stream, d.Kind, ms(d.From), ms(d.To), int64(d.Version), ms(d.PulledAt), ms(d.PublishedAt), max(d.Rows, 0), d.Quarantined, d.Mapping}, &id)
	if err != nil {
		return err
	}
	err = t.exec("INSERT INTO streams (account, stream, last_checkpoint) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last_checkpoint = coalesce(last_checkpoint, excluded.last_checkpoint)",
		d.Account, d.Stream, id)
	if err != nil {
		return err
	}
	err = t.exec("DELETE FROM held WHERE account = ? AND stream = ? AND from_ms = ? AND to_ms = ?", d.Account, d.Stream, ms(d.From), ms(d.To))
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM pulls WHERE account = ? AND stream = ? AND kind = ? AND from_ms = ? AND to_ms = ? AND phase = 'failed' AND pages = 0 AND version <= ?",
		d.Account, d.Stream, d.Kind, ms(d.From), ms(d.To), int64(d.Version))
}
