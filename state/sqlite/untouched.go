package sqlite

import (
	"context"
	"database/sql"

	"syncd/state"
)

// What a checkpoint says about the visible rows of its window holds until something
// else of the stream is published: streams.touched is the version counter as it was
// then, so a checkpoint whose pull is older cannot be relied on.
//
// Windows do not touch each other, unless their shapes changed (the stream's step, the
// account's zone) while one of them was under way. Those that lie in order are found
// when they are asked for, see Untouched; what was published behind a younger one that
// it overlaps touches the stream.

// touch notes that a pull that was published may have changed rows of windows that are
// not its own. id is its checkpoint.
func touch(t *tx, p state.Pull, d state.Published, id int64) error {
	touches := p.Kind != state.Windowed && d.Rows > 0 || p.Route == state.Export
	if !touches && p.Kind == state.Windowed {
		n := 0
		err := t.row("SELECT count(*) FROM ("+overlapping+")", []any{p.Account, p.Stream, ms(p.From), ms(p.To), id, int64(p.Version)}, &n)
		if err != nil {
			return err
		}
		touches = n > 0
	}
	if !touches {
		return nil
	}
	now, err := t.version()
	if err != nil {
		return err
	}
	return t.exec("UPDATE streams SET touched = ? WHERE account = ? AND stream = ?", now, p.Account, p.Stream)
}

// overlapping finds a windowed checkpoint that overlaps a window, is not its own and is
// of a younger pull. Of those that begin before the window the nearest is looked at:
// the steps of one calendar do not overlap.
const overlapping = `SELECT 1 FROM checkpoints WHERE account = ?1 AND stream = ?2 AND kind = 'window'
	AND from_ms >= coalesce((SELECT max(from_ms) FROM checkpoints WHERE account = ?1 AND stream = ?2 AND kind = 'window' AND from_ms < ?3), ?3)
	AND from_ms < ?4 AND to_ms > ?3 AND id <> ?5 AND version > ?6 LIMIT 1`

// Untouched implements state.Store.
func (s *Store) Untouched(ctx context.Context, pullID int64) (state.Checkpoint, bool, error) {
	const doing = "reading what is known of a window"
	c, ok, err := one(ctx, s, doing, selectCheckpoints+`JOIN pulls p ON p.id = ? AND p.phase = 'pulled' AND p.kind = 'window'
			AND c.account = p.account AND c.stream = p.stream AND c.from_ms = p.from_ms AND c.to_ms = p.to_ms
		JOIN streams s ON s.account = p.account AND s.stream = p.stream
		WHERE c.kind = 'window' AND c.version > s.touched`, scanCheckpoint, pullID)
	if err != nil || !ok {
		return state.Checkpoint{}, false, err
	}
	_, others, err := one(ctx, s, doing, "SELECT n FROM (SELECT count(*) AS n FROM ("+overlapping+")) WHERE n > 0",
		func(rows *sql.Rows, n *int) error { return rows.Scan(n) },
		c.Account, c.Stream, ms(c.From), ms(c.To), 0, int64(c.Version))
	if err != nil || others {
		return state.Checkpoint{}, false, err
	}
	return c, true, nil
}
