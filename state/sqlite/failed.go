package sqlite

import (
	"database/sql"
	"time"

	"syncd/state"
)

// A Failed pull's row stays, to be shown, and to be replaced or revived. It is parked
// as long as it has pages.
//
// A pull that was brought keeps its pages until it is published: it holds postbacks, which
// nobody can be asked for again. The next Bring of its stream goes on with it.

// giveUp makes a pull Failed and drops its pages.
func giveUp(t *tx, id int64, reason string) error {
	brought, err := setDown(t, id, reason)
	if err != nil || brought {
		return err
	}
	if err := dropPages(t, id); err != nil {
		return err
	}
	return t.exec("UPDATE pulls SET phase = 'failed', last_error = ? WHERE id = ?", reason, id)
}

// setDown makes a pull that was brought Failed and leaves it as it is; it says whether the
// pull was one.
func setDown(t *tx, id int64, reason string) (brought bool, err error) {
	n, err := t.affect("UPDATE pulls SET phase = 'failed', last_error = ? WHERE id = ? AND brought = 1", reason, id)
	return n > 0, err
}

// park makes a pull Failed and leaves it as it is.
func park(t *tx, id int64) error {
	return t.exec("UPDATE pulls SET phase = 'failed' WHERE id = ?", id)
}

// revive lets a parked pull go on, for a new request.
func (s *Store) revive(t *tx, id int64, n state.NewPull) (state.Pull, error) {
	p, err := s.pull(t, id, state.Failed)
	if err != nil {
		return p, err
	}
	p.Phase, p.Tier, p.RunID = state.Pulling, n.Tier, n.RunID
	p.Attempts, p.NotBefore, p.LastError = 0, time.Time{}, ""
	p.Reload, p.Accept = p.Reload || n.Reload, p.Accept || n.Accept
	return p, t.exec("UPDATE pulls SET phase = 'pulling', tier = ?, run_id = ?, attempts = 0, not_before = ?, last_error = '', reload = ?, accept = ? WHERE id = ?",
		p.Tier, p.RunID, ms(p.NotBefore), p.Reload, p.Accept, id)
}

// expireParked drops the pages of the parked pulls that are too old to be revived:
// nobody may ever ask for their windows again. What was brought is never too old.
func expireParked(t *tx, now time.Time) error {
	var expired []int64
	err := t.query(`SELECT id FROM pulls p WHERE pages > 0 AND phase = 'failed' AND brought = 0
		AND (SELECT received_at FROM inbox WHERE pull_id = p.id ORDER BY seq DESC LIMIT 1) <= ?`,
		func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			expired = append(expired, id)
			return err
		}, ms(now.Add(-state.ParkedFor)))
	if err != nil {
		return err
	}
	for _, id := range expired {
		if err := dropPages(t, id); err != nil {
			return err
		}
	}
	return nil
}

// dropPages takes a pull back to its beginning.
func dropPages(t *tx, id int64) error {
	if err := oweRows(t, id); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM inbox WHERE pull_id = ?", id); err != nil {
		return err
	}
	return t.exec("UPDATE pulls SET cursor = '', pages = 0, records = 0, bytes = 0, stored = 0, digest = 0, total = 0 WHERE id = ?", id)
}
