package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"syncd/state"
)

// postbackBytes is how much of postbacks is read at once: what usual ones have thousands of
// times over, and little beside the page that is made of them. At their greatest (64 KiB)
// 5,000 of them are some 300 MB.
const postbackBytes = 16 << 20

// Postbacks implements state.Store.
func (s *Store) Postbacks(ctx context.Context, account string, limit int) ([]state.Postback, error) {
	doing := fmt.Sprintf("reading the postbacks of %s", account)
	if limit <= 0 {
		return nil, nil
	}
	var all []state.Postback
	size := 0
	// Block by block, no further than is enough: while the warehouse is down millions wait.
	err := s.read.query(ctx, "SELECT last, waiting, block FROM postbacks WHERE account = ? ORDER BY last", func(rows *sql.Rows) error {
		var b block
		if err := scanBlock(rows, &b); err != nil {
			return err
		}
		whole, err := postbacksOf(account, b.last, b.block)
		if err != nil {
			return err
		}
		for _, p := range whole[max(len(whole)-b.waiting, 0):] {
			if len(all) > 0 && size+len(p.Record) > postbackBytes {
				return errEnough
			}
			all = append(all, p)
			if size += len(p.Record); len(all) == limit {
				return errEnough
			}
		}
		return nil
	}, account)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return all, nil
}

// block is a row of the table postbacks.
type block struct {
	last    int64
	waiting int
	block   []byte
}

func scanBlock(rows *sql.Rows, b *block) error { return rows.Scan(&b.last, &b.waiting, &b.block) }

// Backlogs implements state.Store.
func (s *Store) Backlogs(ctx context.Context) ([]state.Backlog, error) {
	return list(ctx, s, "counting the postbacks that wait",
		`SELECT account, sum(waiting), (SELECT received_at FROM postbacks f WHERE f.account = p.account ORDER BY last LIMIT 1)
			FROM postbacks p GROUP BY account ORDER BY account`,
		func(rows *sql.Rows, b *state.Backlog) error {
			return rows.Scan(&b.Account, &b.Waiting, instant{&b.Oldest})
		})
}

// takePostbacks forgets an account's postbacks up to a seq.
func takePostbacks(t *tx, account string, through int64) error {
	if err := t.exec("DELETE FROM postbacks WHERE account = ? AND last <= ?", account, through); err != nil {
		return err
	}
	// A block that begins before and ends after keeps its rest.
	var b block
	err := t.row("SELECT last, waiting, block FROM postbacks WHERE account = ? AND last - waiting < ? ORDER BY last LIMIT 1",
		[]any{account, through}, &b.last, &b.waiting, &b.block)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	whole, err := postbacksOf(account, b.last, b.block)
	if err != nil {
		return err
	}
	waiting := int(b.last - through)
	return t.exec("UPDATE postbacks SET waiting = ?, received_at = ? WHERE last = ?",
		waiting, ms(whole[len(whole)-waiting].ReceivedAt), b.last)
}

// Bring implements state.Store.
func (s *Store) Bring(ctx context.Context, b state.Bring) (p state.Pull, err error) {
	doing := fmt.Sprintf("bringing the postbacks of %s", b.Account)
	m := merge{account: b.Account, at: b.At, told: true, paged: true, tell: func(work *state.LeadMerge) error { return work.Tell(b.Told) }}
	m.ids.addTold(b.Told)
	err = s.merging(ctx, doing, m, func(c *leadChanges) (version int64, err error) {
		err = s.write(ctx, doing, func(t *tx) error {
			p, version, err = s.bring(t, b, c)
			return err
		})
		return version, err
	})
	if err != nil {
		return state.Pull{}, err
	}
	return p, nil
}

func (s *Store) bring(t *tx, b state.Bring, c *leadChanges) (p state.Pull, version int64, err error) {
	id, err := s.bringer(t, b)
	if err != nil {
		return p, 0, err
	}
	if version, err = t.version(); err != nil {
		return p, 0, err
	}
	body := b.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	err = t.exec(`INSERT INTO inbox (seq, version, pull_id, records, raw_bytes, hash, received_at, request, body, leads) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`,
		version, version, id, b.Records, b.RawBytes, ms(b.At), b.Request, body, c.rows)
	if err != nil {
		return p, 0, err
	}
	err = t.exec(`UPDATE pulls SET phase = 'pulled', tier = ?, from_ms = ?, to_ms = ?, run_id = ?, pages = pages + 1, records = records + ?,
		bytes = bytes + ?, stored = stored + ?, last_error = '' WHERE id = ?`,
		state.Hot, ms(b.At), ms(b.At), b.RunID, b.Records, b.RawBytes, len(body)+len(c.rows), id)
	if err != nil {
		return p, 0, err
	}
	if err := takePostbacks(t, b.Account, b.Through); err != nil {
		return p, 0, err
	}
	if err := c.store(t, version); err != nil {
		return p, 0, err
	}
	p, err = s.pull(t, id, state.Pulled)
	return p, version, err
}

// bringer gives the pull that takes a page of postbacks: a new one, or the one that was
// set down with its pages, which go on with the new one.
func (s *Store) bringer(t *tx, b state.Bring) (id int64, err error) {
	var phase state.Phase
	var pages int
	err = t.row("SELECT id, phase, pages FROM pulls WHERE account = ? AND stream = ? AND kind = ? AND kind <> 'window'",
		[]any{b.Account, b.Stream, state.Changes}, &id, &phase, &pages)
	switch {
	case err == nil && phase != state.Failed:
		return 0, fmt.Errorf("%w: pull %d is %s", state.ErrPullOpen, id, phase)
	case err == nil && pages > 0:
		return id, nil
	case err == nil:
		if err := t.exec("DELETE FROM pulls WHERE id = ?", id); err != nil {
			return 0, err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return 0, err
	}
	version, err := t.version()
	if err != nil {
		return 0, err
	}
	err = t.row(`INSERT INTO pulls (account, stream, kind, tier, from_ms, to_ms, version, run_id, phase, created_at, brought)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pulled', ?, 1) RETURNING id`,
		[]any{b.Account, b.Stream, state.Changes, state.Hot, ms(b.At), ms(b.At), version, b.RunID, ms(time.UnixMilli(ms(b.At)))}, &id)
	return id, err
}
