package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"syncd/state"
)

// selectPulls is completed with a condition.
const selectPulls = `SELECT p.id, p.account, p.stream, p.kind, p.route, p.tier, p.from_ms, p.to_ms, p.version, p.file_version, p.run_id,
	p.phase, p.cursor, p.pages, p.records, p.bytes, p.digest, p.total, p.reload, p.accept, p.attempts, p.not_before, p.last_error, p.created_at,
	i.items, coalesce(i.packed, 0)
	FROM pulls p LEFT JOIN pull_items i ON i.pull_id = p.id `

func (s *Store) scanPull(rows *sql.Rows, p *state.Pull) error {
	var items []byte
	var packed bool
	err := rows.Scan(&p.ID, &p.Account, &p.Stream, &p.Kind, &p.Route, &p.Tier, instant{&p.From}, instant{&p.To}, bits{&p.Version}, bits{&p.FileVersion}, &p.RunID,
		&p.Phase, &p.Cursor, &p.Pages, &p.Records, &p.Bytes, bits{&p.Digest}, &p.Total, &p.Reload, &p.Accept, &p.Attempts, instant{&p.NotBefore}, &p.LastError, instant{&p.CreatedAt},
		&items, &packed)
	if err != nil {
		return err
	}
	p.Items, err = s.packer.unpack(items, packed)
	return err
}

// inPhase checks that a pull is known and in the given phase.
func inPhase(t *tx, id int64, want state.Phase) error {
	var phase state.Phase
	err := t.row("SELECT phase FROM pulls WHERE id = ?", []any{id}, &phase)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: pull %d is not known", state.ErrNoPull, id)
	case err == nil && phase != want:
		return fmt.Errorf("%w: pull %d is %s, not %s", state.ErrNoPull, id, phase, want)
	}
	return err
}

// pull reads one pull inside a transaction; it must be in the given phase.
func (s *Store) pull(t *tx, id int64, phase state.Phase) (p state.Pull, err error) {
	if err := inPhase(t, id, phase); err != nil {
		return p, err
	}
	err = t.query(selectPulls+"WHERE p.id = ?", func(rows *sql.Rows) error { return s.scanPull(rows, &p) }, id)
	return p, err
}

// CreatePulls implements state.Store.
func (s *Store) CreatePulls(ctx context.Context, pulls []state.NewPull) ([]state.Pull, error) {
	var created []state.Pull
	err := s.write(ctx, "creating pulls", func(t *tx) error {
		created = nil
		now := time.UnixMilli(time.Now().UnixMilli()).UTC()
		if err := expireParked(t, now); err != nil {
			return err
		}
		for _, n := range pulls {
			p, ok, err := s.createPull(t, n, now)
			if err != nil {
				return fmt.Errorf("%s %s: %w", n.Account, n.Stream, err)
			}
			if ok {
				created = append(created, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// createPull gives the pull if it had to be created, or revived.
func (s *Store) createPull(t *tx, n state.NewPull, now time.Time) (p state.Pull, created bool, err error) {
	var id int64
	var phase state.Phase
	var pages int
	same := `SELECT id, phase, pages FROM pulls WHERE account = ? AND stream = ? AND kind = ? AND kind <> 'window'`
	args := []any{n.Account, n.Stream, n.Kind}
	switch n.Kind {
	case state.Windowed:
		same = `SELECT id, phase, pages FROM pulls WHERE account = ? AND stream = ? AND from_ms = ? AND to_ms = ? AND kind = 'window'`
		args = []any{n.Account, n.Stream, ms(n.From), ms(n.To)}
	case state.Snapshot, state.Changes:
	default:
		return p, false, fmt.Errorf("no kind of pull is called %q", n.Kind)
	}
	err = t.row(same, args, &id, &phase, &pages)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return p, false, err
	case phase == state.Failed && pages > 0:
		p, err = s.revive(t, id, n)
		return p, true, err
	case phase == state.Failed:
		if err := t.exec("DELETE FROM pulls WHERE id = ?", id); err != nil {
			return p, false, err
		}
	default:
		return p, false, t.exec("UPDATE pulls SET tier = min(tier, ?1), reload = max(reload, ?2), accept = max(accept, ?3) WHERE id = ?4 AND (tier > ?1 OR ?2 OR ?3)",
			n.Tier, n.Reload, n.Accept, id)
	}

	version, err := t.version()
	if err != nil {
		return p, false, err
	}
	var file int64 // of a file that is taken over: it may be older than the pull, not younger
	if n.Route == state.Export {
		if file, err = t.version(); err != nil {
			return p, false, err
		}
	}
	p = state.Pull{
		Account: n.Account, Stream: n.Stream, Kind: n.Kind, Route: n.Route, Tier: n.Tier,
		From: time.UnixMilli(ms(n.From)).UTC(), To: time.UnixMilli(ms(n.To)).UTC(),
		Version: uint64(version), FileVersion: uint64(file), RunID: n.RunID, Phase: state.Pulling, CreatedAt: now, Reload: n.Reload, Accept: n.Accept,
	}
	err = t.row(`INSERT INTO pulls (account, stream, kind, route, tier, from_ms, to_ms, version, file_version, run_id, reload, accept, phase, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pulling', ?) RETURNING id`,
		[]any{n.Account, n.Stream, n.Kind, n.Route, n.Tier, ms(n.From), ms(n.To), version, file, n.RunID, n.Reload, n.Accept, ms(now)}, &p.ID)
	return p, true, err
}

// OpenPulls implements state.Store.
func (s *Store) OpenPulls(ctx context.Context, account string) ([]state.Pull, error) {
	return list(ctx, s, "reading the open pulls",
		selectPulls+"WHERE p.phase <> 'failed' AND (?1 = '' OR p.account = ?1) ORDER BY p.id", s.scanPull, account)
}

// FailedPulls implements state.Store.
func (s *Store) FailedPulls(ctx context.Context) ([]state.Pull, error) {
	return list(ctx, s, "reading the failed pulls", selectPulls+"WHERE p.phase = 'failed' ORDER BY p.id", s.scanPull)
}

// SetItems implements state.Store.
func (s *Store) SetItems(ctx context.Context, pullID int64, items []string, done bool) error {
	blob, packed, err := s.packer.pack(items)
	if err != nil {
		return fmt.Errorf("freezing the items of pull %d: %w", pullID, err)
	}
	return s.write(ctx, "freezing the items of a pull", func(t *tx) error {
		if err := inPhase(t, pullID, state.Pulling); err != nil {
			return err
		}
		err := t.exec(`INSERT INTO pull_items (pull_id, packed, items) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET packed = excluded.packed, items = excluded.items`, pullID, packed, blob)
		if err != nil || !done {
			return err
		}
		return t.exec("UPDATE pulls SET phase = 'pulled' WHERE id = ?", pullID)
	})
}

// DropPulls implements state.Store.
func (s *Store) DropPulls(ctx context.Context, pullIDs []int64) error {
	return s.write(ctx, "dropping pulls", func(t *tx) error {
		for _, id := range pullIDs {
			if err := landDeparturesOf(t, id); err != nil {
				return err
			}
			switch brought, err := setDown(t, id, "its stream was not configured any more"); {
			case err != nil:
				return err
			case brought:
				continue
			}
			if err := oweRows(t, id); err != nil {
				return err
			}
			// Their items and inbox pages go with them (ON DELETE CASCADE).
			if err := t.exec("DELETE FROM pulls WHERE id = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}
