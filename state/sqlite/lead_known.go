package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"github.com/go-faster/jx"

	"syncd/state"
)

// selectLeads is completed with a condition.
const selectLeads = `SELECT l.id, l.account, l.fields, l.fallback, l.first_seen, l.status_at, l.heard, l.version, l.next_poll, l.polls FROM leads l `

func (c *leadCoder) scanLead(rows *sql.Rows, l *state.Lead) error {
	var fields, fallback sql.RawBytes
	err := rows.Scan(&l.ID, &l.Account, &fields, &fallback, instant{&l.FirstSeen}, instant{&l.StatusAt}, instant{&l.Heard}, bits{&l.Version}, instant{&l.NextPoll}, &l.Polls)
	if err != nil {
		return err
	}
	if l.Fields, err = c.fieldsOf(fields); err != nil {
		return err
	}
	l.Fallback, err = c.fieldsOf(fallback)
	return err
}

const (
	leadByNetworkID = selectLeads + `WHERE l.account = ? AND l.network_id = ? AND l.network_id <> ''`
	leadByOwnID     = selectLeads + `WHERE l.account = ? AND l.own_id = ? AND l.own_id <> '' AND l.id < ? ORDER BY l.id DESC LIMIT 1`
	leadsByNetwork  = selectLeads + `WHERE l.account = ? AND l.network_id <> '' AND l.network_id IN (SELECT value FROM json_each(?))`
	// Of each own id the youngest two: if there is only one, nobody has to ask for others.
	leadsByOwn = `SELECT l.id, l.account, l.fields, l.fallback, l.first_seen, l.status_at, l.heard, l.version, l.next_poll, l.polls
		FROM json_each(?2) j CROSS JOIN leads l WHERE l.id IN (
			SELECT o.id FROM leads o WHERE o.account = ?1 AND o.own_id = j.value AND o.own_id <> '' ORDER BY o.id DESC LIMIT 2)`
)

// knownLeads are the leads of an account for one merge, of which those that the merge is
// about are read beforehand: a query for each would cost more than all the rest.
type knownLeads struct {
	ctx     context.Context //nolint:containedctx // the merge's callbacks have none; it lives as long as they
	s       *Store
	account string
	coder   *leadCoder
	network map[string]state.Lead
	own     map[string][]state.Lead // youngest first, at most two
	asked   map[string]bool         // the ids that were looked for beforehand, n or o before them
}

var _ state.KnownLeads = (*knownLeads)(nil)

// leadIDs are the ids that a merge will ask for.
type leadIDs struct{ network, own []string }

func (ids *leadIDs) add(fields state.LeadFields) {
	if id := fields[state.LeadNetworkID]; id != "" {
		ids.network = append(ids.network, id)
	}
	if id := fields[state.LeadOwnID]; id != "" {
		ids.own = append(ids.own, id)
	}
}

func (ids *leadIDs) addTold(t state.Told) {
	for _, f := range t.Facts {
		ids.add(f.Fields)
	}
	switch t.By {
	case state.ByNetworkID:
		ids.network = append(ids.network, t.Asked...)
	case state.ByOwnID:
		ids.own = append(ids.own, t.Asked...)
	}
}

func (s *Store) knownLeads(ctx context.Context, account string, ids leadIDs, coder *leadCoder) (*knownLeads, error) {
	k := &knownLeads{
		ctx: ctx, s: s, account: account, coder: coder,
		network: make(map[string]state.Lead, len(ids.network)), own: make(map[string][]state.Lead, len(ids.own)),
		asked: make(map[string]bool, len(ids.network)+len(ids.own)),
	}
	if list, any := k.list("n", ids.network); any {
		err := s.read.query(ctx, leadsByNetwork, func(rows *sql.Rows) error {
			var l state.Lead
			err := coder.scanLead(rows, &l)
			k.network[l.Fields[state.LeadNetworkID]] = l
			return err
		}, account, list)
		if err != nil {
			return nil, err
		}
	}
	if list, any := k.list("o", ids.own); any {
		err := s.read.query(ctx, leadsByOwn, func(rows *sql.Rows) error {
			var l state.Lead
			if err := coder.scanLead(rows, &l); err != nil {
				return err
			}
			own := l.Fields[state.LeadOwnID]
			both := append(k.own[own], l)
			if len(both) == 2 && both[0].ID < both[1].ID {
				both[0], both[1] = both[1], both[0]
			}
			k.own[own] = both
			return nil
		}, account, list)
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// list gives ids as a JSON array, each once. Those that SQLite's JSON may read as others
// are left to be asked for one by one.
func (k *knownLeads) list(kind string, ids []string) (text string, any bool) {
	var w jx.Writer
	w.ArrStart()
	for _, id := range ids {
		if k.asked[kind+id] || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == '\uFFFD' }) {
			continue
		}
		k.asked[kind+id] = true
		if any {
			w.Comma()
		}
		any = true
		w.Str(id)
	}
	w.ArrEnd()
	return string(w.Buf), any
}

// ByNetworkID implements state.KnownLeads.
func (k *knownLeads) ByNetworkID(id string) (state.Lead, bool, error) {
	if k.asked["n"+id] {
		l, ok := k.network[id]
		return l, ok, nil
	}
	return k.ask(leadByNetworkID, k.account, id)
}

// ByOwnID implements state.KnownLeads.
func (k *knownLeads) ByOwnID(id string, before int64) (state.Lead, bool, error) {
	if k.asked["o"+id] {
		both := k.own[id]
		for _, l := range both {
			if l.ID < before {
				return l, true, nil
			}
		}
		if len(both) < 2 {
			return state.Lead{}, false, nil
		}
	}
	return k.ask(leadByOwnID, k.account, id, before)
}

func (k *knownLeads) ask(query string, args ...any) (l state.Lead, found bool, err error) {
	err = k.s.read.query(k.ctx, query, func(rows *sql.Rows) error {
		found = true
		return k.coder.scanLead(rows, &l)
	}, args...)
	return l, found, err
}
