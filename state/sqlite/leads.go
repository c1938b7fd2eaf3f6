package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"syncd/state"
)

// owedMax bounds how many dropped pages' rows one page brings again.
const owedMax = 4

// ledger orders the merges of each account: a merge reads what is known while other
// accounts write, and stores what it made of it before the next one of the account reads.
type ledger struct {
	mu       sync.Mutex
	accounts map[string]*accountLeads // guarded by mu
}

// accountLeads is held by whoever merges an account's leads.
type accountLeads struct {
	held   chan struct{} // has room for one
	behind bool          // changes are stored that are not in the table; guarded by held
}

// hold waits for an account's leads. They are given back by receiving from held.
func (l *ledger) hold(ctx context.Context, account string) (*accountLeads, error) {
	l.mu.Lock()
	a := l.accounts[account]
	if a == nil {
		a = &accountLeads{held: make(chan struct{}, 1)}
		if l.accounts == nil {
			l.accounts = make(map[string]*accountLeads)
		}
		l.accounts[account] = a
	}
	l.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case a.held <- struct{}{}:
		return a, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// merge is what a method tells of an account's leads.
type merge struct {
	account string
	at      time.Time
	ids     leadIDs
	tell    func(*state.LeadMerge) error
	// told says that an answer or postbacks tell it, paged that a page takes the rows, those
	// that are owed too.
	told, paged bool
}

// merging merges what is told with what is known, and has store keep the result in the
// transaction of what told it. Reading and merging keep no other writer waiting.
func (s *Store) merging(ctx context.Context, doing string, m merge, store func(*leadChanges) (version int64, err error)) error {
	if s.writer == nil {
		return fmt.Errorf("%s: %w", doing, state.ErrReadOnly)
	}
	a, err := s.leads.hold(ctx, m.account)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer func() { <-a.held }()
	if a.behind {
		if err := s.catchUp(ctx, m.account); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		a.behind = false
	}
	changes, err := s.merged(ctx, m)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	version, err := store(changes)
	if err != nil || changes.packed == nil {
		return err
	}
	// It is done whatever comes: who called is not to wait for what is written behind it, but
	// the next merge is.
	if err := s.writeBehind(context.WithoutCancel(ctx), changes, version, 0); err != nil {
		a.behind = true
	}
	return nil
}

func (s *Store) merged(ctx context.Context, m merge) (*leadChanges, error) {
	var coder leadCoder
	var owedIDs []int64
	var owed []state.LeadRow
	if m.paged {
		err := s.read.query(ctx, "SELECT id, leads FROM lead_rows_owed WHERE account = ? ORDER BY id LIMIT ?", func(rows *sql.Rows) error {
			var id int64
			var blob sql.RawBytes
			if err := rows.Scan(&id, &blob); err != nil {
				return err
			}
			list, err := coder.rowsOf(s.packer, blob)
			owedIDs, owed = append(owedIDs, id), append(owed, list...)
			return err
		}, m.account, owedMax)
		if err != nil {
			return nil, err
		}
		for _, row := range owed {
			m.ids.add(row.Fields)
		}
	}
	known, err := s.knownLeads(ctx, m.account, m.ids, &coder)
	if err != nil {
		return nil, err
	}
	work := state.NewLeadMerge(m.account, time.UnixMilli(ms(m.at)).UTC(), known)
	if err := m.tell(work); err != nil {
		return nil, err
	}
	if err := work.Owe(owed); err != nil {
		return nil, err
	}
	result, err := work.Close()
	if err != nil {
		return nil, err
	}
	changes := coder.changesOf(s.packer, m.account, result, m.told)
	if len(result.Rows) > 0 { // else what is owed found no row to come with
		changes.owed = owedIDs
	}
	return changes, nil
}

// writeBehind brings stored changes into the table, a chunk a transaction.
func (s *Store) writeBehind(ctx context.Context, c *leadChanges, version int64, from int) error {
	for from < c.len() {
		to := min(from+chunkMax, c.len())
		err := s.write(ctx, "writing leads", func(t *tx) error {
			if err := c.write(t, version, from, to); err != nil {
				return err
			}
			if to == c.len() {
				return t.exec("DELETE FROM lead_changes WHERE version = ?", version)
			}
			return t.exec("UPDATE lead_changes SET done = ? WHERE version = ?", to, version)
		})
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// catchUp writes what was left unwritten of an account's leads; of all accounts if
// account is empty.
func (s *Store) catchUp(ctx context.Context, account string) error {
	left, err := list(ctx, s, "reading changes of leads",
		"SELECT version, account, done, changes FROM lead_changes WHERE ?1 = '' OR account = ?1 ORDER BY version", scanLeft, account)
	if err != nil {
		return err
	}
	var coder leadCoder
	for _, l := range left {
		changes, err := coder.unpack(s.packer, l.account, l.blob)
		if err != nil {
			return err
		}
		if err := s.writeBehind(ctx, changes, l.version, l.done); err != nil {
			return err
		}
	}
	return nil
}

// oweRows leaves the rows of a pull's pages, which are about to be dropped, to the next
// page of the account: the leads know what the pages told, so nobody would tell it again.
func oweRows(t *tx, pullID int64) error {
	return t.exec(`INSERT INTO lead_rows_owed (account, leads)
		SELECT p.account, i.leads FROM inbox i JOIN pulls p ON p.id = i.pull_id WHERE i.pull_id = ? AND i.leads <> x'' ORDER BY i.seq`, pullID)
}

// oweBlob leaves rows that have no page to the account's next one.
func oweBlob(t *tx, account string, rows []byte) error {
	if len(rows) == 0 {
		return nil
	}
	return t.exec("INSERT INTO lead_rows_owed (account, leads) VALUES (?, ?)", account, rows)
}

// AddLeads implements state.Store.
func (s *Store) AddLeads(ctx context.Context, account string, facts []state.LeadFact, poll state.PollRule, now time.Time) (added int, err error) {
	const doing = "adding leads"
	m := merge{account: account, at: now, tell: func(work *state.LeadMerge) error {
		for i, f := range facts {
			isNew, err := work.Add(f, poll)
			if err != nil {
				return fmt.Errorf("lead %d of %d: %w", i+1, len(facts), err)
			}
			if isNew {
				added++
			}
		}
		return nil
	}}
	for _, f := range facts {
		m.ids.add(f.Fields)
	}
	err = s.merging(ctx, doing, m, func(c *leadChanges) (version int64, err error) {
		err = s.write(ctx, doing, func(t *tx) error {
			if version, err = t.version(); err != nil {
				return err
			}
			if err := oweBlob(t, account, c.rows); err != nil {
				return err
			}
			return c.store(t, version)
		})
		return version, err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// OpenLeads implements state.Store.
func (s *Store) OpenLeads(ctx context.Context, account string, by state.LeadID, now time.Time, without string, limit int) ([]string, error) {
	doing := fmt.Sprintf("reading the open leads of %s", account)
	column, err := idColumn(by)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if limit <= 0 {
		return nil, nil
	}
	var ids []string
	seen := make(map[string]bool) // several leads can have the same own id
	// In the order of the index, so that nothing is read beyond what is enough; the number is
	// the zero time.
	err = s.read.query(ctx, `SELECT `+column+` FROM leads WHERE account = ? AND next_poll > -62135596800000 AND next_poll <= ? AND `+column+` <> ''
		ORDER BY next_poll, network_id, own_id`,
		func(rows *sql.Rows) error {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if !seen[id] && !strings.ContainsAny(id, without) {
				seen[id] = true
				ids = append(ids, id)
			}
			if len(ids) == limit {
				return errEnough
			}
			return nil
		}, account, ms(now))
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return ids, nil
}

// errEnough ends a query early.
var errEnough = errors.New("enough rows")

func idColumn(by state.LeadID) (string, error) {
	switch by {
	case state.ByNetworkID:
		return "network_id", nil
	case state.ByOwnID:
		return "own_id", nil
	}
	return "", fmt.Errorf("no id of a lead is called %q", by)
}

// Lead implements state.Store.
func (s *Store) Lead(ctx context.Context, account string, by state.LeadID, id string) (state.Lead, error) {
	doing := fmt.Sprintf("reading lead %s of %s", id, account)
	column, err := idColumn(by)
	if err != nil {
		return state.Lead{}, fmt.Errorf("%s: %w", doing, err)
	}
	var coder leadCoder
	l, found, err := one(ctx, s, doing, selectLeads+`WHERE l.account = ? AND l.`+column+` = ? AND l.`+column+` <> '' ORDER BY l.id DESC LIMIT 1`,
		coder.scanLead, account, id)
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", doing, state.ErrNoLead)
	}
	return l, err
}

// LeadCounts implements state.Store.
func (s *Store) LeadCounts(ctx context.Context, now time.Time) ([]state.LeadCount, error) {
	return list(ctx, s, "counting leads", `SELECT c.account, c.known, count(l.next_poll), coalesce(sum(l.next_poll <= ?), 0), coalesce(min(l.next_poll), -62135596800000)
		FROM lead_counts c LEFT JOIN leads l ON l.account = c.account AND l.next_poll > -62135596800000
		WHERE instr(c.account, char(31)) = 0
		GROUP BY c.account ORDER BY c.account`,
		func(rows *sql.Rows, c *state.LeadCount) error {
			return rows.Scan(&c.Account, &c.Known, &c.Open, &c.Due, instant{&c.NextPoll})
		}, ms(now))
}
