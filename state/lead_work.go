package state

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// mergedLead is a lead in work.
type mergedLead struct {
	Lead
	order int64 // its ID; beyond all IDs for a new one
	was   Lead  // as stored; its maps are never changed
	// ownMaps says that Fields and Fallback are no longer was's.
	ownMaps bool
	// dirty says that something changed since the last look, changedAt which of the facts
	// that changed something was the last that did here; 0 for none.
	dirty     bool
	changedAt int64
	told      bool // a fact was about it
	asked     bool
	owed      bool // its row has to come again
	tied      bool // into another
	ties      []LeadKey
	owns      []string // the own ids under which it is in byOwn
}

// ownLeads are the leads in work that have, or had, an own id.
type ownLeads struct {
	leads []*mergedLead
	// youngest is the one of leads that was, when it was looked for; many leads can have one
	// id (a click of a test).
	youngest *mergedLead
	// floor: of those that are stored under the id, all from this ID on are in work.
	floor int64
}

// network gives the lead with a network id; nil if there is none.
func (m *LeadMerge) network(id string) *mergedLead {
	if id == "" {
		return nil
	}
	if l, ok := m.byNet[id]; ok {
		return l
	}
	stored, ok, err := m.known.ByNetworkID(id)
	if err != nil {
		m.broken = cmp.Or(m.broken, err)
		return nil
	}
	if !ok {
		m.byNet[id] = nil
		return nil
	}
	return m.take(stored)
}

// own gives the youngest lead with an own id; nil if there is none.
func (m *LeadMerge) own(id string) *mergedLead {
	if id == "" {
		return nil
	}
	o := m.withOwn(id)
	for {
		if y := o.youngest; y == nil || y.tied || y.ownID() != id {
			o.youngest = nil
			for _, l := range o.leads {
				if !l.tied && l.ownID() == id && (o.youngest == nil || l.order > o.youngest.order) {
					o.youngest = l
				}
			}
		}
		if o.youngest != nil && o.youngest.order >= o.floor || !m.older(id, o) {
			return o.youngest
		}
	}
}

// allOwn gives all leads with an own id, in no order.
func (m *LeadMerge) allOwn(id string) []*mergedLead {
	if id == "" {
		return nil
	}
	o := m.withOwn(id)
	for o.floor > 0 {
		m.older(id, o)
	}
	var all []*mergedLead
	for _, l := range o.leads {
		if !l.tied && l.ownID() == id {
			all = append(all, l)
		}
	}
	return all
}

// older takes the next older lead that is stored under an own id into work, and says
// whether there was one.
func (m *LeadMerge) older(id string, o *ownLeads) bool {
	if o.floor == 0 {
		return false
	}
	stored, ok, err := m.known.ByOwnID(id, o.floor)
	if err != nil || !ok {
		m.broken = cmp.Or(m.broken, err)
		o.floor = 0
		return false
	}
	o.floor = stored.ID
	m.take(stored)
	return true
}

func (m *LeadMerge) withOwn(id string) *ownLeads {
	o := m.byOwn[id]
	if o == nil {
		o = &ownLeads{floor: math.MaxInt64}
		m.byOwn[id] = o
	}
	return o
}

// take brings a stored lead into work, unless it is.
func (m *LeadMerge) take(stored Lead) *mergedLead {
	if l, ok := m.byID[stored.ID]; ok {
		return l
	}
	l := &mergedLead{Lead: stored, was: stored, order: stored.ID}
	m.leads = append(m.leads, l)
	m.byID[l.ID] = l
	m.index(l)
	return l
}

// index lets a lead be found by its ids as they are now.
func (m *LeadMerge) index(l *mergedLead) {
	if net := l.network(); net != "" {
		m.byNet[net] = l
	}
	own := l.ownID()
	if own == "" {
		return
	}
	o := m.withOwn(own)
	if !slices.Contains(l.owns, own) {
		l.owns = append(l.owns, own)
		o.leads = append(o.leads, l)
	}
	if o.youngest == nil || o.youngest.order < l.order {
		o.youngest = l
	}
}

func (m *LeadMerge) create() *mergedLead {
	l := &mergedLead{
		Lead:  Lead{Account: m.account, FirstSeen: m.at, Heard: m.at, Fields: LeadFields{}, Fallback: LeadFields{}},
		order: math.MaxInt64/2 + m.fresh, ownMaps: true,
	}
	m.fresh++
	m.leads = append(m.leads, l)
	return l
}

func (m *LeadMerge) setOwn(l *mergedLead, id string) {
	if id == "" || l.ownID() == id {
		return
	}
	l.set(LeadOwnID, id)
	m.index(l)
}

func (m *LeadMerge) setStatus(l *mergedLead, status string) {
	if l.Fields[LeadStatus] == status {
		return
	}
	l.set(LeadStatus, status)
	l.StatusAt = m.at
}

func (l *Lead) network() string { return l.Fields[LeadNetworkID] }

func (l *Lead) ownID() string { return l.Fields[LeadOwnID] }

// key gives where the lead's row stands.
func (l *Lead) key() LeadKey {
	// A day that is none is a mistake of whoever told it; such a row stands on day 0.
	day, _ := strconv.ParseUint(cmp.Or(l.Fields[LeadDay], l.Fallback[LeadDay]), 10, 16)
	return LeadKey{Day: uint16(day), ID: cmp.Or(l.network(), l.ownID())}
}

// row gives the fields of the lead's row; they are not to be changed.
func (l *Lead) row() LeadFields {
	if len(l.Fallback) == 0 && l.network() != "" {
		return l.Fields
	}
	row := make(LeadFields, len(l.Fields)+len(l.Fallback)+1)
	maps.Copy(row, l.Fallback)
	maps.Copy(row, l.Fields)
	if row[LeadNetworkID] == "" {
		row[LeadNetworkID] = l.ownID()
	}
	return row
}

// changed notes that a fact may have changed its lead.
func (m *LeadMerge) changed(l *mergedLead) {
	if l.dirty {
		l.dirty = false
		m.clock++
		l.changedAt = m.clock
	}
}

// newerThan says that what changed l last came after what changed other last.
func (l *mergedLead) newerThan(other *mergedLead) bool {
	return cmp.Or(cmp.Compare(l.changedAt, other.changedAt), cmp.Compare(l.Version, other.Version)) > 0
}

func (l *mergedLead) set(name, value string) {
	if l.Fields[name] == value {
		return
	}
	l.copyMaps()
	l.dirty = true
	l.Fields[name] = value
	delete(l.Fallback, name)
}

// text is a value as it can be stored and loaded: bytes that are no UTF-8 would come back
// as others, and be another id.
func text(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }

func (l *mergedLead) fallback(fields LeadFields) {
	for name, value := range fields {
		if value == "" || l.Fields[name] != "" || l.Fallback[name] != "" {
			continue
		}
		l.copyMaps()
		l.dirty = true
		l.Fallback[name] = text(value)
	}
}

func (l *mergedLead) copyMaps() {
	if l.ownMaps {
		return
	}
	l.ownMaps = true
	l.Fields, l.Fallback = maps.Clone(l.Fields), maps.Clone(l.Fallback)
	if l.Fields == nil {
		l.Fields = LeadFields{}
	}
	if l.Fallback == nil {
		l.Fallback = LeadFields{}
	}
}
