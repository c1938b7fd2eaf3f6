package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"syncd/state"
)

// Receive implements state.Store: page, cursor, counters and pace in one transaction.
func (s *Store) Receive(ctx context.Context, r state.Receipt) (p state.Pull, err error) {
	phase := state.Pulling
	if r.Done {
		phase = state.Pulled
	}
	body := r.Body
	if body == nil || r.Control {
		body = []byte{} // nil would be NULL
	}
	err = s.write(ctx, "storing an answer", func(t *tx) error {
		if p, err = s.pull(t, r.PullID, state.Pulling); err != nil {
			return err
		}
		if !r.Control {
			version, err := t.version()
			if err != nil {
				return err
			}
			dated := version
			if r.File != "" {
				if dated, err = fileVersion(t, r.PullID, version); err != nil {
					return err
				}
			}
			err = t.exec(`INSERT INTO inbox (seq, version, pull_id, records, raw_bytes, hash, received_at, request, body, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				version, dated, r.PullID, r.Records, r.RawBytes, int64(r.Hash), ms(r.ReceivedAt), r.Request, body, r.File)
			if err != nil {
				return err
			}
			p.Pages++
			p.Records += int64(r.Records)
			p.Bytes += int64(r.RawBytes)
		}
		p.Phase, p.Cursor = phase, r.Next
		p.Attempts, p.LastError = 0, ""
		p.NotBefore = time.UnixMilli(ms(r.NotBefore)).UTC()
		err = t.exec(`UPDATE pulls SET phase = ?, cursor = ?, pages = ?, records = ?, bytes = ?, stored = stored + ?,
			attempts = 0, last_error = '', not_before = ? WHERE id = ?`,
			p.Phase, p.Cursor, p.Pages, p.Records, p.Bytes, len(body), ms(p.NotBefore), r.PullID)
		if err != nil {
			return err
		}
		return land(t, p.Account, r.PullID, r.NextCall)
	})
	if err != nil {
		return state.Pull{}, err
	}
	return p, nil
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
	return list(ctx, s, fmt.Sprintf("reading the pages of pull %d", pullID),
		`SELECT seq, pull_id, CASE version WHEN 0 THEN seq ELSE version END, body, file, request, records, raw_bytes, hash, received_at FROM inbox
		WHERE pull_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
		func(rows *sql.Rows, p *state.Page) error {
			return rows.Scan(&p.Seq, &p.PullID, bits{&p.Version}, &p.Body, &p.File, &p.Request, &p.Records, &p.RawBytes, bits{&p.Hash}, instant{&p.ReceivedAt})
		}, pullID, after, max(limit, 1))
}

// Files implements state.Store.
func (s *Store) Files(ctx context.Context) ([]string, error) {
	return list(ctx, s, "reading the files of the inbox", "SELECT DISTINCT file FROM inbox WHERE file <> '' ORDER BY file",
		func(rows *sql.Rows, file *string) error { return rows.Scan(file) })
}
