package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"syncd/state"
)

// Receive implements state.Store: page, cursor, counters, pace and what is told of leads
// in one transaction.
func (s *Store) Receive(ctx context.Context, r state.Receipt) (p state.Pull, err error) {
	const doing = "storing an answer"
	if r.Told == nil {
		p, _, err = s.receive(ctx, doing, r, &leadChanges{rows: []byte{}})
		return p, err
	}
	account, _, err := one(ctx, s, doing, "SELECT account FROM pulls WHERE id = ?",
		func(rows *sql.Rows, account *string) error { return rows.Scan(account) }, r.PullID)
	if err != nil {
		return p, err
	}
	m := merge{account: account, at: r.ReceivedAt, told: true, paged: !r.Control, tell: func(work *state.LeadMerge) error { return work.Tell(*r.Told) }}
	m.ids.addTold(*r.Told)
	err = s.merging(ctx, doing, m, func(c *leadChanges) (version int64, err error) {
		p, version, err = s.receive(ctx, doing, r, c)
		return version, err
	})
	return p, err
}

// receive stores an answer and what it changed of leads, and gives the version of its
// page, or of those changes if there is no page.
func (s *Store) receive(ctx context.Context, doing string, r state.Receipt, leads *leadChanges) (p state.Pull, version int64, err error) {
	phase := state.Pulling
	if r.Done {
		phase = state.Pulled
	}
	body := r.Body
	if body == nil || r.Control {
		body = []byte{} // nil would be NULL
	}
	err = s.write(ctx, doing, func(t *tx) error {
		if p, err = s.pull(t, r.PullID, state.Pulling); err != nil {
			return err
		}
		size := 0
		switch {
		case !r.Control:
			if version, err = t.version(); err != nil {
				return err
			}
			dated := version
			if r.File != "" {
				if dated, err = fileVersion(t, r.PullID, version); err != nil {
					return err
				}
			}
			err = t.exec(`INSERT INTO inbox (seq, version, pull_id, records, raw_bytes, hash, received_at, request, body, file, leads) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				version, dated, r.PullID, r.Records, r.RawBytes, int64(r.Hash), ms(r.ReceivedAt), r.Request, body, r.File, leads.rows)
			if err != nil {
				return err
			}
			p.Digest = p.Digested(r)
			if r.Total > 0 {
				p.Total = r.Total
			}
			p.Pages++
			p.Records += int64(r.Records)
			p.Bytes += int64(r.RawBytes)
			size = len(body) + len(leads.rows)
		case leads.len() > 0:
			if version, err = t.version(); err != nil {
				return err
			}
			if err := oweBlob(t, p.Account, leads.rows); err != nil {
				return err
			}
		}
		if err := leads.store(t, version); err != nil {
			return err
		}
		p.Phase, p.Cursor = phase, r.Next
		p.Attempts, p.LastError = 0, ""
		p.NotBefore = time.UnixMilli(ms(r.NotBefore)).UTC()
		err = t.exec(`UPDATE pulls SET phase = ?, cursor = ?, pages = ?, records = ?, bytes = ?, digest = ?, total = ?, stored = stored + ?,
			attempts = 0, last_error = '', not_before = ? WHERE id = ?`,
			p.Phase, p.Cursor, p.Pages, p.Records, p.Bytes, int64(p.Digest), p.Total, size, ms(p.NotBefore), r.PullID)
		if err != nil {
			return err
		}
		return land(t, p.Account, r.PullID, r.ReceivedAt, r.NextCall)
	})
	if err != nil {
		return state.Pull{}, 0, err
	}
	return p, version, nil
}

// fileVersion is the version of the rows of a pull's file; version if the pull never
// thought of one.
func fileVersion(t *tx, pullID, version int64) (int64, error) {
	var dated int64
	if err := t.row("SELECT file_version FROM pulls WHERE id = ?", []any{pullID}, &dated); err != nil || dated == 0 {
		return version, err
	}
	return dated, nil
}

// Inbox implements state.Store.
func (s *Store) Inbox(ctx context.Context) (state.InboxSize, error) {
	size, _, err := one(ctx, s, "measuring the inbox",
		"SELECT coalesce(sum(pages), 0), coalesce(sum(stored), 0) FROM pulls WHERE pages > 0",
		func(rows *sql.Rows, size *state.InboxSize) error { return rows.Scan(&size.Pages, &size.Bytes) })
	return size, err
}

// Pages implements state.Store.
func (s *Store) Pages(ctx context.Context, pullID, after int64, limit int) ([]state.Page, error) {
	var coder leadCoder
	return list(ctx, s, fmt.Sprintf("reading the pages of pull %d", pullID),
		`SELECT seq, pull_id, CASE version WHEN 0 THEN seq ELSE version END, body, file, request, records, raw_bytes, hash, received_at, leads FROM inbox
		WHERE pull_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
		func(rows *sql.Rows, p *state.Page) error {
			var leads sql.RawBytes
			err := rows.Scan(&p.Seq, &p.PullID, bits{&p.Version}, &p.Body, &p.File, &p.Request, &p.Records, &p.RawBytes, bits{&p.Hash}, instant{&p.ReceivedAt}, &leads)
			if err != nil {
				return err
			}
			p.Leads, err = coder.rowsOf(s.packer, leads)
			return err
		}, pullID, after, max(limit, 1))
}

// Files implements state.Store.
func (s *Store) Files(ctx context.Context) ([]string, error) {
	return list(ctx, s, "reading the files of the inbox", "SELECT DISTINCT file FROM inbox WHERE file <> '' ORDER BY file",
		func(rows *sql.Rows, file *string) error { return rows.Scan(file) })
}
