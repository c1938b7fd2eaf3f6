package state

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

// book keeps leads as a store does, and a warehouse beside it.
type book struct {
	t       *testing.T
	leads   map[int64]Lead
	next    int64
	version uint64
	owed    []LeadRow
	queries int
}

func newBook(t *testing.T) *book { return &book{t: t, leads: map[int64]Lead{}} }

func (b *book) ByNetworkID(id string) (Lead, bool, error) {
	b.queries++
	for _, l := range b.leads {
		if l.network() == id {
			return l, true, nil
		}
	}
	return Lead{}, false, nil
}

func (b *book) ByOwnID(id string, before int64) (youngest Lead, found bool, err error) {
	b.queries++
	for _, l := range b.leads {
		if l.ownID() == id && l.ID < before && l.ID > youngest.ID {
			youngest, found = l, true
		}
	}
	return youngest, found, nil
}

// leadPage is a page as it waits for the loader.
type leadPage struct {
	version uint64
	rows    []LeadRow
}

// page merges what an answer tells and stores what came of it.
func (b *book) page(at time.Time, told Told) leadPage {
	b.t.Helper()
	m := NewLeadMerge("acme", at, b)
	if err := m.Tell(told); err != nil {
		b.t.Fatal(err)
	}
	if err := m.Owe(b.owed); err != nil {
		b.t.Fatal(err)
	}
	b.version++
	rows := b.store(m)
	if len(rows) > 0 {
		b.owed = nil
	}
	return leadPage{version: b.version, rows: rows}
}

// tell is page for facts alone.
func (b *book) tell(at time.Time, facts ...LeadFact) leadPage {
	b.t.Helper()
	return b.page(at, Told{Facts: facts})
}

func (b *book) add(at time.Time, poll PollRule, facts ...LeadFact) (added int) {
	b.t.Helper()
	m := NewLeadMerge("acme", at, b)
	for _, f := range facts {
		isNew, err := m.Add(f, poll)
		if err != nil {
			b.t.Fatal(err)
		}
		if isNew {
			added++
		}
	}
	version := b.version
	b.version = 0 // there is no page
	b.owed = append(b.owed, b.store(m)...)
	b.version = version
	return added
}

// drop has a page go before it was loaded.
func (b *book) drop(p leadPage) { b.owed = append(b.owed, p.rows...) }

func (b *book) store(m *LeadMerge) []LeadRow {
	b.t.Helper()
	c, err := m.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, id := range c.Tied {
		if _, ok := b.leads[id]; !ok {
			b.t.Fatalf("lead %d was tied, but is not stored", id)
		}
		delete(b.leads, id)
	}
	for _, s := range c.Saved {
		l := s.Lead
		if l.ID == 0 {
			b.next++
			l.ID = b.next
		}
		was := b.leads[l.ID]
		if s.PollOnly {
			was.NextPoll, was.Polls = l.NextPoll, l.Polls
			l = was
		}
		if s.SameIDs && (l.network() != was.network() || l.ownID() != was.ownID()) {
			b.t.Fatalf("lead %d has other ids than it had", l.ID)
		}
		if s.Told && b.version > 0 {
			l.Version = b.version
		}
		b.leads[l.ID] = l
	}
	for _, l := range b.leads {
		for _, other := range b.leads {
			if l.ID != other.ID && l.network() != "" && l.network() == other.network() {
				b.t.Fatalf("leads %d and %d have the same network id", l.ID, other.ID)
			}
		}
	}
	return c.Rows
}

// all gives the leads, oldest first.
func (b *book) all() []Lead {
	var all []Lead
	for _, l := range b.leads {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Lead) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// only gives the one lead that there is.
func (b *book) only() Lead {
	b.t.Helper()
	if len(b.leads) != 1 {
		b.t.Fatalf("there are %d leads, want one: %v", len(b.leads), b.all())
	}
	return b.all()[0]
}

// cell is what stands under a key of the warehouse: of each key the greatest version
// counts, whatever came first.
type cell struct {
	version uint64
	fields  LeadFields // nil: buried
}

type warehouse map[LeadKey]cell

func (w warehouse) load(t *testing.T, p leadPage) {
	t.Helper()
	put := func(key LeadKey, fields LeadFields) {
		old, ok := w[key]
		if ok && old.version == p.version && (old.fields != nil || fields != nil) {
			t.Fatalf("page %d has two rows, or a row and its burial, under %v", p.version, key)
		}
		if !ok || old.version < p.version {
			w[key] = cell{version: p.version, fields: fields}
		}
	}
	for _, row := range p.rows {
		l := Lead{Fields: row.Fields}
		put(l.key(), row.Fields)
		for _, key := range row.Gone {
			put(key, nil)
		}
	}
}

// rows gives what readers see.
func (w warehouse) rows() map[LeadKey]LeadFields {
	rows := map[LeadKey]LeadFields{}
	for key, c := range w {
		if c.fields != nil {
			rows[key] = c.fields
		}
	}
	return rows
}

// rows gives what readers are to see: the leads of which something was told.
func (b *book) rows() map[LeadKey]LeadFields {
	rows := map[LeadKey]LeadFields{}
	for _, l := range b.leads {
		if l.Version > 0 {
			rows[l.key()] = l.row()
		}
	}
	return rows
}
