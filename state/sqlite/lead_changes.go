package sqlite

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/go-faster/jx"

	"syncd/state"
)

// chunkMax bounds how many leads one transaction writes, and so how long other writers
// wait for it: 500 take some 5 ms. Changes of more are stored as one blob with the page
// that told of them, and written into the table afterwards, a chunk a transaction. A
// process that dies in between does the rest when the store is opened again.
const chunkMax = 500

// leadChanges are what a merge changed, ready to be stored.
type leadChanges struct {
	account string
	rows    []byte // for the page, see leadCoder.rowsBlob; empty for none
	tied    []int64
	saved   []leadRecord
	owed    []int64 // of lead_rows_owed: what was owed is among rows
	packed  []byte  // tied and saved as a blob, if they are more than chunkMax
}

// leadRecord is a row of the table leads.
type leadRecord struct {
	id                  int64 // 0: a new one
	told                bool  // its version is that of the answer
	sameIDs, pollOnly   bool
	network, own        string
	fields, fallback    string
	firstSeen, statusAt int64
	heard               int64
	version             int64
	nextPoll            int64
	polls               int
}

func (c *leadChanges) len() int { return len(c.tied) + len(c.saved) }

// store keeps the changes within the transaction of their page, whose version it is. A
// caller without a page issues one for it.
func (c *leadChanges) store(t *tx, version int64) error {
	for _, id := range c.owed {
		if err := t.exec("DELETE FROM lead_rows_owed WHERE id = ?", id); err != nil {
			return err
		}
	}
	if c.packed == nil {
		return c.write(t, version, 0, c.len())
	}
	return t.exec("INSERT INTO lead_changes (version, account, done, changes) VALUES (?, ?, 0, ?)", version, c.account, c.packed)
}

// write brings some of the changes into the table.
func (c *leadChanges) write(t *tx, version int64, from, to int) error {
	known := 0
	for i := from; i < to; i++ {
		if i < len(c.tied) {
			known--
			if err := t.exec("DELETE FROM leads WHERE id = ?", c.tied[i]); err != nil {
				return err
			}
			continue
		}
		r := &c.saved[i-len(c.tied)]
		if r.id == 0 {
			known++
		}
		if err := r.write(t, c.account, version); err != nil {
			return err
		}
	}
	if known == 0 {
		return nil
	}
	return t.exec("INSERT INTO lead_counts (account, known) VALUES (?, ?) ON CONFLICT DO UPDATE SET known = known + excluded.known", c.account, known)
}

// write names only the columns that changed: SQLite writes every index of a column that a
// statement names.
func (r *leadRecord) write(t *tx, account string, version int64) error {
	if !r.told {
		version = r.version
	}
	switch {
	case r.id == 0:
		return t.exec(`INSERT INTO leads (account, network_id, own_id, fields, fallback, first_seen, status_at, heard, version, next_poll, polls)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			account, r.network, r.own, r.fields, r.fallback, r.firstSeen, r.statusAt, r.heard, version, r.nextPoll, r.polls)
	case r.pollOnly:
		return t.exec("UPDATE leads SET next_poll = ?, polls = ? WHERE id = ?", r.nextPoll, r.polls, r.id)
	case r.sameIDs:
		return t.exec(`UPDATE leads SET fields = ?, fallback = ?, first_seen = ?, status_at = ?, heard = ?, version = ?, next_poll = ?, polls = ?
			WHERE id = ?`, r.fields, r.fallback, r.firstSeen, r.statusAt, r.heard, version, r.nextPoll, r.polls, r.id)
	}
	return t.exec(`UPDATE leads SET network_id = ?, own_id = ?, fields = ?, fallback = ?, first_seen = ?, status_at = ?, heard = ?, version = ?,
		next_poll = ?, polls = ? WHERE id = ?`,
		r.network, r.own, r.fields, r.fallback, r.firstSeen, r.statusAt, r.heard, version, r.nextPoll, r.polls, r.id)
}

// changesOf readies what a merge changed. told says that an answer told it, whose version
// the leads get.
func (c *leadCoder) changesOf(p *packer, account string, m state.LeadChanges, told bool) *leadChanges {
	changes := &leadChanges{account: account, rows: c.rowsBlob(p, m.Rows), tied: m.Tied, saved: make([]leadRecord, len(m.Saved))}
	for i := range m.Saved {
		l := &m.Saved[i]
		changes.saved[i] = leadRecord{
			id: l.ID, told: l.Told && told, sameIDs: l.SameIDs, pollOnly: l.PollOnly,
			network: l.Fields[state.LeadNetworkID], own: l.Fields[state.LeadOwnID],
			firstSeen: ms(l.FirstSeen), statusAt: ms(l.StatusAt), heard: ms(l.Heard), version: int64(l.Version), nextPoll: ms(l.NextPoll), polls: l.Polls,
		}
		if !l.PollOnly {
			changes.saved[i].fields, changes.saved[i].fallback = c.fieldsText(l.Fields), c.fieldsText(l.Fallback)
		}
	}
	// By their place in the table, new ones at its end: neighbours are on one page.
	slices.SortStableFunc(changes.saved, func(a, b leadRecord) int {
		return cmp.Compare(uint64(a.id-1), uint64(b.id-1))
	})
	if changes.len() > chunkMax {
		changes.packed = p.enc.EncodeAll(c.pack(changes), nil)
	}
	return changes
}

// pack writes changes as JSON: the ids of the tied, then the saved.
func (c *leadCoder) pack(changes *leadChanges) []byte {
	w := &c.w
	w.Reset()
	w.ArrStart()
	w.ArrStart()
	for i, id := range changes.tied {
		if i > 0 {
			w.Comma()
		}
		w.Int64(id)
	}
	w.ArrEnd()
	for i := range changes.saved {
		r := &changes.saved[i]
		w.Comma()
		w.ArrStart()
		for _, n := range []int64{r.id, r.firstSeen, r.statusAt, r.version, r.nextPoll, int64(r.polls)} {
			w.Int64(n)
			w.Comma()
		}
		for _, b := range []bool{r.told, r.sameIDs, r.pollOnly} {
			w.Bool(b)
			w.Comma()
		}
		for j, text := range []string{r.network, r.own, r.fields, r.fallback} {
			if j > 0 {
				w.Comma()
			}
			w.Str(text)
		}
		w.Comma()
		w.Int64(r.heard) // behind the rest: an older version wrote none
		w.ArrEnd()
	}
	w.ArrEnd()
	return w.Buf
}

// unpack reads what pack wrote.
func (c *leadCoder) unpack(p *packer, account string, blob []byte) (*leadChanges, error) {
	text, err := p.dec.DecodeAll(blob, nil)
	if err != nil {
		return nil, fmt.Errorf("unpacking changes of leads: %w: %w", state.ErrIO, err)
	}
	changes := &leadChanges{account: account}
	first := true
	err = jx.DecodeBytes(text).Arr(func(d *jx.Decoder) error {
		if first {
			first = false
			return d.Arr(func(d *jx.Decoder) error {
				id, err := d.Int64()
				changes.tied = append(changes.tied, id)
				return err
			})
		}
		r, err := readRecord(d)
		changes.saved = append(changes.saved, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading changes of leads: %w: %w", state.ErrIO, err)
	}
	return changes, nil
}

func readRecord(d *jx.Decoder) (r leadRecord, err error) {
	var polls int64
	numbers := []*int64{&r.id, &r.firstSeen, &r.statusAt, &r.version, &r.nextPoll, &polls}
	flags := []*bool{&r.told, &r.sameIDs, &r.pollOnly}
	texts := []*string{&r.network, &r.own, &r.fields, &r.fallback}
	i := 0
	r.heard = ms(time.Time{})
	err = d.Arr(func(d *jx.Decoder) (err error) {
		switch n, f := i, i-len(numbers); {
		case f < 0:
			*numbers[n], err = d.Int64()
		case f < len(flags):
			*flags[f], err = d.Bool()
		case f-len(flags) < len(texts):
			*texts[f-len(flags)], err = d.Str()
		case f-len(flags) == len(texts):
			r.heard, err = d.Int64()
		default:
			err = d.Skip()
		}
		i++
		return err
	})
	r.polls = int(polls)
	return r, err
}

// leftChanges are changes that are stored, but not all in the table yet.
type leftChanges struct {
	version int64
	account string
	done    int
	blob    []byte
}

func scanLeft(rows *sql.Rows, l *leftChanges) error {
	return rows.Scan(&l.version, &l.account, &l.done, &l.blob)
}
