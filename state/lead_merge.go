package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// KnownLeads are the leads of one account as they are stored.
type KnownLeads interface {
	// ByNetworkID gives the lead with a network id, and false if there is none.
	ByNetworkID(id string) (Lead, bool, error)
	// ByOwnID gives the youngest lead with an own id among those with an ID below before,
	// and false if there is none.
	ByOwnID(id string, before int64) (Lead, bool, error)
}

// LeadMerge puts what is told together with what is known of the leads of one account.
// It stores nothing: drivers give it what is stored, and store what Close gives. It is
// for one goroutine.
type LeadMerge struct {
	account string
	at      time.Time
	known   KnownLeads

	leads  []*mergedLead // all that were looked at, those tied into others too
	byID   map[int64]*mergedLead
	byNet  map[string]*mergedLead // nil for one that is not stored either
	byOwn  map[string]*ownLeads
	fresh  int64     // how many are not stored yet
	clock  int64     // counts the facts that changed something
	whole  bool      // some facts ask for a row in any case (Told.Whole)
	gone   []LeadKey // of owed rows whose leads are none any more
	broken error     // the first error of known
}

// LeadChanges are what a LeadMerge leaves to be stored.
type LeadChanges struct {
	// Rows are the page's, in the order in which their leads were first told of.
	Rows []LeadRow
	// Saved are the leads that changed, each once; those of ID 0 are new, in the order in
	// which they were first told of.
	Saved []SavedLead
	// Tied are the IDs of stored leads that turned out to be others, and are no more.
	Tied []int64
}

// SavedLead is a lead as it is to be stored.
type SavedLead struct {
	Lead
	// Told says that the page's rows have what is new of it: its Version is that of the page.
	Told bool
	// SameIDs says that the lead is stored with the ids that it has, PollOnly that it is
	// stored as it is but for NextPoll and Polls.
	SameIDs, PollOnly bool
}

// NewLeadMerge begins a merge of what was received at the given time.
func NewLeadMerge(account string, at time.Time, known KnownLeads) *LeadMerge {
	return &LeadMerge{
		account: account, at: at, known: known,
		byID: map[int64]*mergedLead{}, byNet: map[string]*mergedLead{}, byOwn: map[string]*ownLeads{},
	}
}

// Tell merges what an answer tells, in the order of its facts. The error is that of KnownLeads.
func (m *LeadMerge) Tell(t Told) error {
	m.whole = m.whole || t.Whole
	for _, f := range t.Facts {
		l, err := m.about(f.Fields)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		l.dirty = l.dirty || !l.told && l.was.Version == 0 // its first row
		l.told = true
		m.merge(l, f)
		m.changed(l)
		if l.ID == 0 && !f.Late { // what calls say by themselves is less sure than an answer
			l.aged(f)
		}
		l.NextPoll = t.Poll.next(&l.Lead, m.at, false)
	}
	for _, id := range t.Asked {
		switch t.By {
		case ByNetworkID:
			if l := m.network(id); l != nil {
				m.answered(l, t.Poll)
			}
		case ByOwnID:
			// All that have it: who asks by it cannot tell them apart, and those that stay due
			// would be asked for again at once.
			for _, l := range m.allOwn(id) {
				m.answered(l, t.Poll)
			}
		default:
			return fmt.Errorf("no id of a lead is called %q", t.By)
		}
	}
	return m.broken
}

func (m *LeadMerge) answered(l *mergedLead, poll PollRule) {
	if l.asked {
		return
	}
	l.asked = true
	l.Polls++
	l.NextPoll = poll.next(&l.Lead, m.at, true)
}

// Add makes a lead known that somebody else knows, and says whether it was not known. It
// replaces nothing of one that is known.
func (m *LeadMerge) Add(f LeadFact, poll PollRule) (added bool, err error) {
	before := m.fresh
	l, err := m.about(f.Fields)
	if err != nil || l == nil {
		return false, err
	}
	added = m.fresh > before
	m.fill(l, f)
	if l.dirty || added {
		l.Heard = time.Time{}
	}
	m.changed(l)
	if added {
		l.aged(f)
	}
	l.NextPoll = poll.first(&l.Lead, m.at)
	return added, m.broken
}

// aged makes a new lead as old as it is said to be, or it would be asked for long after the
// network forgot it: a list of months brings thousands that were decided long ago.
func (l *mergedLead) aged(f LeadFact) {
	if made, err := strconv.ParseInt(f.Fields[LeadCreated], 10, 64); err == nil {
		l.FirstSeen = earlier(l.FirstSeen, time.UnixMilli(made).UTC())
	}
}

// Owe has the rows of a page that was dropped come again, as their leads are now. It is
// called after Tell.
func (m *LeadMerge) Owe(rows []LeadRow) error {
	for _, row := range rows {
		l := m.network(row.Fields[LeadNetworkID])
		if l == nil {
			l = m.own(row.Fields[LeadOwnID])
		}
		if l == nil || l.Version == 0 && !l.told { // tied to another, which has had a row since
			m.gone = append(m.gone, row.Gone...)
			continue
		}
		l.owed = true
		l.ties = append(l.ties, row.Gone...)
	}
	return m.broken
}

// about gives the lead that fields are about, a new one if none is known, and nil if they
// have no id. It learns the ids that it did not have.
func (m *LeadMerge) about(fields LeadFields) (*mergedLead, error) {
	net, own := text(fields[LeadNetworkID]), text(fields[LeadOwnID])
	if net == "" && own == "" {
		return nil, nil
	}
	var byNet, byOwn *mergedLead
	if net != "" {
		byNet = m.network(net)
	}
	if own != "" {
		byOwn = m.own(own)
		if byOwn != nil && net != "" && byOwn.network() != "" && byOwn.network() != net {
			byOwn = nil
		}
	}
	if m.broken != nil {
		return nil, m.broken
	}
	l := cmp.Or(byNet, byOwn)
	switch {
	case l == nil:
		l = m.create()
	case byOwn != nil && byOwn != l: // which then has no network id
		m.tie(l, byOwn)
	}
	if net != "" && l.network() == "" {
		l.set(LeadNetworkID, net)
		m.index(l)
	}
	if own != "" && l.ownID() == "" {
		m.setOwn(l, own)
	}
	return l, nil
}

// merge puts a fact into its lead: what was told last counts.
func (m *LeadMerge) merge(l *mergedLead, f LeadFact) {
	status, known := f.Fields[LeadStatus], l.Fields[LeadStatus]
	if f.Late && undecided(status) && decided(known) {
		m.fill(l, f)
		return
	}
	for name, value := range f.Fields {
		switch {
		case value == "" || name == LeadNetworkID || name == LeadStatus:
		case name == LeadOwnID:
			m.setOwn(l, text(value))
		default:
			l.set(name, text(value))
		}
	}
	if status != "" && (status != statusUnknown || known == "") {
		m.setStatus(l, status)
	}
	l.fallback(f.Fallback)
}

// fill puts those of a fact's fields into its lead that are not known of it.
func (m *LeadMerge) fill(l *mergedLead, f LeadFact) {
	// The words beside a status belong to it.
	unjudged := l.Fields[LeadStatus] == ""
	for name, value := range f.Fields {
		switch {
		case value == "" || l.Fields[name] != "":
		case name == LeadStatus:
			m.setStatus(l, value)
		case name == LeadStatusRaw || name == LeadStatusReason:
			if unjudged {
				l.set(name, text(value))
			}
		default:
			l.set(name, text(value))
		}
	}
	l.fallback(f.Fallback)
}

// tie makes one lead of two: gone, which has no network id, becomes part of l. What was
// told last of either counts, but a decision is not lost to what waits for one.
func (m *LeadMerge) tie(l, gone *mergedLead) {
	l.ties = append(l.ties, gone.ties...)
	if gone.was.Version != 0 {
		l.ties = append(l.ties, gone.was.key())
	}
	gone.tied = true
	later, other := l.Fields, gone.Fields
	if gone.newerThan(l) {
		later, other = other, later
	}
	judged := l
	switch a, b := l.Fields[LeadStatus], gone.Fields[LeadStatus]; {
	case rank(a) < rank(b), rank(a) == rank(b) && gone.StatusAt.After(l.StatusAt):
		judged = gone
	}
	fields := maps.Clone(other)
	maps.Copy(fields, later)
	for _, name := range []string{LeadStatus, LeadStatusRaw, LeadStatusReason} {
		delete(fields, name)
		if value := judged.Fields[name]; value != "" {
			fields[name] = value
		}
	}
	l.StatusAt = judged.StatusAt
	l.copyMaps()
	l.Fields, l.dirty = fields, true
	m.index(l)
	if gone.FirstSeen.Before(l.FirstSeen) {
		younger := l.Fallback
		l.Fallback = LeadFields{}
		l.fallback(gone.Fallback)
		l.fallback(younger)
	} else {
		l.fallback(gone.Fallback)
	}
	for name := range l.Fields {
		delete(l.Fallback, name)
	}
	l.FirstSeen = earlier(l.FirstSeen, gone.FirstSeen)
	l.Heard = earlier(l.Heard, gone.Heard)
	l.Polls += gone.Polls
	switch {
	case l.NextPoll.IsZero():
		l.NextPoll = gone.NextPoll
	case !gone.NextPoll.IsZero():
		l.NextPoll = earlier(l.NextPoll, gone.NextPoll)
	}
	l.Version = max(l.Version, gone.Version)
	l.told = l.told || gone.told
	l.owed = l.owed || gone.owed
}

// rank orders statuses by how much they say.
func rank(status string) int {
	switch {
	case decided(status):
		return 3
	case status == "":
		return 0
	case status == statusUnknown:
		return 1
	}
	return 2
}

// Close ends the merge. A lead that was told of has no row if nothing new was told and its
// row came with a page already (unless Told.Whole).
func (m *LeadMerge) Close() (LeadChanges, error) {
	var c LeadChanges
	for _, l := range m.leads {
		if l.tied {
			if l.ID != 0 {
				c.Tied = append(c.Tied, l.ID)
			}
			continue
		}
		gone, err := m.left(l)
		if err != nil {
			return LeadChanges{}, err
		}
		published := l.told || l.owed || l.Version != 0
		changed := published && (l.changedAt != 0 || l.owed || l.was.Version == 0 || len(gone) > 0)
		if changed || m.whole && l.told {
			c.Rows = append(c.Rows, LeadRow{Fields: l.row(), Gone: gone})
		}
		samePoll := l.NextPoll.Equal(l.was.NextPoll) && l.Polls == l.was.Polls
		if l.ID != 0 && !changed && l.changedAt == 0 && samePoll {
			continue
		}
		c.Saved = append(c.Saved, SavedLead{
			Lead: l.Lead, Told: changed,
			SameIDs:  l.ID != 0 && l.network() == l.was.network() && l.ownID() == l.was.ownID(),
			PollOnly: l.ID != 0 && !changed && l.changedAt == 0,
		})
	}
	if len(c.Rows) > 0 {
		last := &c.Rows[len(c.Rows)-1]
		for _, key := range m.gone {
			if !m.stands(key) {
				last.Gone = append(last.Gone, key)
			}
		}
	}
	return c, m.broken
}

// left gives the keys under which the row of a lead stood and stands no more.
func (m *LeadMerge) left(l *mergedLead) ([]LeadKey, error) {
	keys := l.ties
	if l.was.Version != 0 {
		keys = append(keys, l.was.key())
	}
	var gone []LeadKey
	now := l.key()
	for _, key := range keys {
		if key == now || slices.Contains(gone, key) || m.stands(key) {
			continue
		}
		gone = append(gone, key)
	}
	return gone, m.broken
}

// stands says that the row of some lead stands under a key: an own id can be the network
// id of another lead.
func (m *LeadMerge) stands(key LeadKey) bool {
	for _, l := range []*mergedLead{m.network(key.ID), m.own(key.ID)} {
		if l != nil && l.key() == key && (l.told || l.Version != 0) {
			return true
		}
	}
	return false
}
