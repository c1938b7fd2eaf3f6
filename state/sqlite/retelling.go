package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"syncd/state"
)

// secondBook ends the name under which the second book of an account's leads is kept among
// the others. No account's name has a control character in it.
const secondBook = "\x1fretold"

// BeginRetelling implements state.Store.
func (s *Store) BeginRetelling(ctx context.Context, account string, since time.Time) error {
	const doing = "opening a second book of leads"
	if err := s.catchUp(ctx, account); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return s.write(ctx, doing, func(t *tx) error {
		if err := forgetBook(t, account+secondBook); err != nil {
			return err
		}
		// In their order: of two leads, the younger has the greater ID.
		n, err := t.affect(`INSERT INTO leads (account, network_id, own_id, fields, fallback, first_seen, status_at, heard, version, next_poll, polls)
			SELECT ?1, network_id, own_id, fields, fallback, first_seen, status_at, heard, version, next_poll, polls
			FROM leads WHERE account = ?2 AND heard < ?3 ORDER BY id`, account+secondBook, account, ms(since))
		if err != nil {
			return err
		}
		return t.exec("INSERT INTO lead_counts (account, known) VALUES (?, ?)", account+secondBook, n)
	})
}

// forgetBook removes all leads under a name.
func forgetBook(t *tx, account string) error {
	for _, table := range []string{"leads", "lead_changes", "lead_counts"} {
		if err := t.exec("DELETE FROM "+table+" WHERE account = ?", account); err != nil {
			return err
		}
	}
	return nil
}

// Retell implements state.Store.
func (s *Store) Retell(ctx context.Context, account string, version uint64, at time.Time, told state.Told) error {
	const doing = "telling of leads once more"
	m := merge{account: account + secondBook, at: at, told: true, tell: func(work *state.LeadMerge) error { return work.Tell(told) }}
	m.ids.addTold(told)
	return s.merging(ctx, doing, m, func(c *leadChanges) (int64, error) {
		if c.len() == 0 {
			return int64(version), nil
		}
		return int64(version), s.write(ctx, doing, func(t *tx) error { return c.store(t, int64(version)) })
	})
}

// RetoldAbout implements state.Store.
func (s *Store) RetoldAbout(ctx context.Context, account string, facts []state.LeadFact) ([]state.Lead, error) {
	var coder leadCoder
	var ids leadIDs
	for _, f := range facts {
		ids.add(f.Fields)
	}
	known, err := s.knownLeads(ctx, account+secondBook, ids, &coder)
	if err != nil {
		return nil, fmt.Errorf("reading leads that were told of once more: %w", err)
	}
	var leads []state.Lead
	seen := map[int64]bool{}
	for _, f := range facts {
		l, found, err := state.Lead{}, false, error(nil)
		if id := f.Fields[state.LeadNetworkID]; id != "" {
			l, found, err = known.ByNetworkID(id)
		}
		if id := f.Fields[state.LeadOwnID]; err == nil && !found && id != "" {
			l, found, err = known.ByOwnID(id, 1<<62)
		}
		if err != nil {
			return nil, fmt.Errorf("reading leads that were told of once more: %w", err)
		}
		if found && !seen[l.ID] {
			seen[l.ID] = true
			leads = append(leads, l)
		}
	}
	return leads, nil
}

// Retold implements state.Store.
func (s *Store) Retold(ctx context.Context, account string, from uint64, after int64, limit int) ([]state.Lead, error) {
	var coder leadCoder
	// By the rows and not by an index of the account, which would sort them all each time.
	return list(ctx, s, "reading leads that were told of once more",
		selectLeads+"WHERE +l.account = ? AND l.version >= ? AND l.id > ? ORDER BY l.id LIMIT ?", coder.scanLead,
		account+secondBook, int64(from), after, max(limit, 1))
}

// Outgrown implements state.Store.
func (s *Store) Outgrown(ctx context.Context, account string, after int64, limit int) (keys []state.LeadKey, through int64, err error) {
	const doing = "comparing two books of leads"
	var coder leadCoder
	had, err := list(ctx, s, doing, selectLeads+"WHERE +l.account = ? AND l.id > ? ORDER BY l.id LIMIT ?", coder.scanLead, account, after, max(limit, 1))
	if err != nil {
		return nil, 0, err
	}
	for i := range had {
		through = had[i].ID
		if had[i].Version == 0 { // it never had a row
			continue
		}
		key := had[i].Key()
		stands := false
		for _, column := range []string{"network_id", "own_id"} {
			err := s.read.query(ctx, selectLeads+"WHERE l.account = ? AND l."+column+" = ? AND l."+column+" <> '' AND l.version <> 0",
				func(rows *sql.Rows) error {
					var l state.Lead
					err := coder.scanLead(rows, &l)
					stands = stands || l.Key() == key
					return err
				}, account+secondBook, key.ID)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", doing, err)
			}
		}
		if !stands {
			keys = append(keys, key)
		}
	}
	return keys, through, nil
}

// EndRetelling implements state.Store. It is one transaction however many leads there are,
// because half of each book would be neither: a million take some ten seconds.
func (s *Store) EndRetelling(ctx context.Context, account string) error {
	const doing = "putting the second book of leads in the place of the first"
	for _, name := range []string{account, account + secondBook} {
		if err := s.catchUp(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return s.write(ctx, doing, func(t *tx) error {
		var books int
		if err := t.row("SELECT count(*) FROM lead_counts WHERE account = ?", []any{account + secondBook}, &books); err != nil {
			return err
		}
		if books == 0 {
			return fmt.Errorf("account %s has none", account)
		}
		for _, same := range []string{
			"o.own_id = n.own_id AND o.own_id <> '' AND n.own_id <> ''",
			"o.network_id = n.network_id AND o.network_id <> '' AND n.network_id <> ''",
		} { // the network's id has the last word
			err := t.exec(`UPDATE leads AS n SET first_seen = o.first_seen, next_poll = o.next_poll, polls = o.polls
				FROM leads AS o WHERE n.account = ?2 AND o.account = ?1 AND `+same, account, account+secondBook)
			if err != nil {
				return err
			}
		}
		if err := forgetBook(t, account); err != nil {
			return err
		}
		for _, table := range []string{"leads", "lead_counts"} {
			if err := t.exec("UPDATE "+table+" SET account = ? WHERE account = ?", account, account+secondBook); err != nil {
				return err
			}
		}
		return t.exec("UPDATE lead_counts SET known = (SELECT count(*) FROM leads WHERE account = ?1) WHERE account = ?1", account)
	})
}
