package sqlite

import (
	"context"
	"database/sql"
	"time"

	"syncd/state"
)

const selectLanes = `SELECT l.account, max(l.base, coalesce((SELECT max(d.next_call) FROM departures d WHERE d.account = l.account), l.base)),
	l.stopped FROM lanes l `

func scanLane(rows *sql.Rows, l *state.Lane) error {
	return rows.Scan(&l.Account, instant{&l.NextCall}, &l.Stopped)
}

// Lane implements state.Store.
func (s *Store) Lane(ctx context.Context, account string) (state.Lane, error) {
	l, _, err := one(ctx, s, "reading a lane", selectLanes+"WHERE l.account = ?", scanLane, account)
	l.Account = account
	return l, err
}

// Lanes implements state.Store.
func (s *Store) Lanes(ctx context.Context) ([]state.Lane, error) {
	return list(ctx, s, "reading the lanes", selectLanes+"ORDER BY l.account", scanLane)
}

// StopLane implements state.Store.
func (s *Store) StopLane(ctx context.Context, account, reason string) error {
	return s.write(ctx, "stopping a lane", func(t *tx) error {
		return t.exec("INSERT INTO lanes (account, stopped) VALUES (?, ?) ON CONFLICT DO UPDATE SET stopped = excluded.stopped", account, reason)
	})
}

// Depart implements state.Store.
func (s *Store) Depart(ctx context.Context, d state.Departure) error {
	return s.write(ctx, "recording a departure", func(t *tx) error {
		if d.PullID != 0 {
			if err := inPhase(t, d.PullID, state.Pulling); err != nil {
				return err
			}
		}
		if d.PullID != 0 && d.Unheard != "" {
			// What the call creates holds what the network knows from now on, at the earliest.
			version, err := t.version()
			if err != nil {
				return err
			}
			if err := t.exec("UPDATE pulls SET cursor = ?, file_version = ? WHERE id = ?", d.Unheard, version, d.PullID); err != nil {
				return err
			}
		}
		if err := t.exec("INSERT INTO lanes (account, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", d.Account, ms(d.At)); err != nil {
			return err
		}
		// A call whose end was never recorded is still there; its successor takes its place, but not
		// what it feared.
		return t.exec(`INSERT INTO departures (account, pull_id, next_call) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET next_call = max(next_call, excluded.next_call)`, d.Account, d.PullID, ms(d.NextCall))
	})
}

// land takes a call that ended at some time out of flight and raises the lane's base to
// what its end said.
func land(t *tx, account string, pullID int64, at, next time.Time) error {
	if err := t.exec("DELETE FROM departures WHERE account = ? AND pull_id = ?", account, pullID); err != nil {
		return err
	}
	return t.exec(`INSERT INTO lanes (account, at, base) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET at = max(at, excluded.at), base = max(base, excluded.base)`, account, ms(at), ms(next))
}

// landDepartures takes for true what the departures in flight feared: nothing more
// will be heard of them.
func landDepartures(t *tx) error {
	err := t.exec(`UPDATE lanes SET base = max(base, (SELECT max(next_call) FROM departures d WHERE d.account = lanes.account))
		WHERE account IN (SELECT account FROM departures)`)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM departures")
}

// landDeparturesOf is landDepartures for the calls of one pull.
func landDeparturesOf(t *tx, pullID int64) error {
	err := t.exec(`UPDATE lanes SET base = max(base, (SELECT max(next_call) FROM departures d WHERE d.account = lanes.account AND d.pull_id = ?1))
		WHERE account IN (SELECT account FROM departures WHERE pull_id = ?1)`, pullID)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM departures WHERE pull_id = ?", pullID)
}

// Fail implements state.Store.
func (s *Store) Fail(ctx context.Context, f state.Failure) error {
	return s.write(ctx, "recording a failed call", func(t *tx) error {
		if err := land(t, f.Account, f.PullID, f.At, f.NextCall); err != nil || f.PullID == 0 {
			return err
		}
		if err := inPhase(t, f.PullID, state.Pulling); err != nil {
			return err
		}
		err := t.exec("UPDATE pulls SET attempts = attempts + NOT ?, not_before = ?, last_error = ?, cursor = coalesce(nullif(?, ''), cursor) WHERE id = ?",
			f.Blameless, ms(f.NotBefore), f.Error, string(f.Cursor), f.PullID)
		switch {
		case err != nil || !f.GiveUp:
			return err
		case f.Park:
			return park(t, f.PullID)
		}
		return giveUp(t, f.PullID, f.Error)
	})
}

// Ended implements state.Store.
func (s *Store) Ended(ctx context.Context, account string, pullID int64, at, nextCall time.Time) error {
	return s.write(ctx, "recording the end of a call", func(t *tx) error {
		return land(t, account, pullID, at, nextCall)
	})
}
