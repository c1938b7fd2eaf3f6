package cpasim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Status is where a lead stands, whatever words a network has for it.
type Status string

// The statuses.
const (
	Waiting  Status = "waiting"
	Held     Status = "held" // agreed, not yet paid
	Approved Status = "approved"
	Rejected Status = "rejected"
	Trash    Status = "trash"
)

// Offer is the truth of an offer.
type Offer struct {
	ID       int
	Name     string
	Country  string
	Payout   string
	Currency string
}

// Lead is the truth of a lead as it stands at an instant.
type Lead struct {
	ID    int    // the network's
	OwnID string // the id that it was sent with
	Offer Offer
	Flow  string
	Made  time.Time
	// Changed is when it came to stand as it does.
	Changed time.Time
	Status  Status
	Payout  string
	Comment string
	Subs    [3]string
}

// Event is something that happened to a lead: its making, or another status or payout.
type Event struct {
	At      time.Time
	Status  Status
	Payout  string
	Comment string
}

// lead is a lead with all that happens to it, in the order of time.
type lead struct {
	Lead
	events []Event
	told   int // events of which postbacks were delivered
}

// at gives the lead as it stands at an instant; it must be made by then.
func (l *lead) at(now time.Time) Lead {
	past := 0
	for past+1 < len(l.events) && !l.events[past+1].At.After(now) {
		past++
	}
	return l.after(past)
}

// after gives the lead as its i-th event left it.
func (l *lead) after(i int) Lead {
	v, e := l.Lead, l.events[i]
	v.Changed, v.Status, v.Payout, v.Comment = e.At, e.Status, e.Payout, e.Comment
	return v
}

const (
	firstLead  = 7_100_003
	firstOffer = 301
)

var (
	countries  = []string{"RO", "IT", "PL", "DE", "ES"}
	currencies = []string{"USD", "EUR", "RUB"}
	brands     = []string{"Sample Cream", "Fern Tea", "Harbor Watch", "Zoë & Co"}
	reasons    = []string{"changed mind", "no answer", "wrong number, \"again\""}
)

func offers(root hash, n int) []Offer {
	list := make([]Offer, n)
	for i := range list {
		h := root.of(10, uint64(i))
		country := pick(h.of(1), countries)
		list[i] = Offer{
			ID: firstOffer + i, Name: fmt.Sprintf("%s %s", pick(h.of(2), brands), country), Country: country,
			Payout: fmt.Sprintf("%d.%02d", 8+h.of(3).below(30), 25*h.of(4).below(4)), Currency: pick(h.of(5), currencies),
		}
	}
	return list
}

// add makes a lead and plans what will happen to it. mu must be held.
func (n *Network) add(made time.Time) *lead {
	i := len(n.leads)
	h := n.root.of(20, uint64(i))
	offer := pick(h.of(1), n.offers)
	made = made.UTC().Truncate(time.Second)
	l := &lead{Lead: Lead{
		ID: firstLead + 3*i, OwnID: fmt.Sprintf("c%016x", uint64(h.of(2))), Offer: offer, Flow: "flow" + strconv.Itoa(h.of(3).below(4)), Made: made,
		Subs: [3]string{"cr-" + strconv.Itoa(h.of(4).below(20)), pick(h.of(5), []string{"", "Zoë", "a,b&c=d"}), ""},
	}}
	l.events = n.plan(h.of(6), made, offer)
	n.leads = append(n.leads, l)
	n.byID[strconv.Itoa(l.ID)], n.byOwnID[l.OwnID] = l, l
	return l
}

// plan is a lead's life: half of the approved were on hold before, one payout in eight is
// another once it is decided, one approval in twelve is taken back.
func (n *Network) plan(h hash, made time.Time, offer Offer) []Event {
	events := []Event{{At: made, Status: Waiting, Payout: offer.Payout}}
	took := n.opt.Decide/100 + time.Duration(h.of(1).below(int(n.opt.Decide/time.Second)))*time.Second*99/100
	decided := made.Add(took).Truncate(time.Second)
	e := Event{At: decided, Status: pick(h.of(2), []Status{Approved, Approved, Approved, Approved, Rejected, Rejected, Trash}), Payout: offer.Payout}
	if e.Status != Approved {
		e.Comment = pick(h.of(3), reasons)
		return append(events, e)
	}
	if h.of(4).below(2) == 0 {
		events = append(events, Event{At: made.Add(took / 2).Truncate(time.Second), Status: Held, Payout: offer.Payout})
	}
	if h.of(5).below(8) == 0 {
		e.Payout = "1" + e.Payout // an upsell
	}
	events = append(events, e)
	if h.of(6).below(12) == 0 {
		after := time.Duration(1+h.of(7).below(int(n.opt.Reverse/time.Second))) * time.Second
		events = append(events, Event{At: decided.Add(after), Status: Rejected, Payout: e.Payout, Comment: "returned"})
	}
	return events
}

// Leads is the truth at an instant: the leads that were made by then, oldest first.
func (n *Network) Leads(at time.Time) []Lead {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []Lead
	for _, l := range n.leads {
		if !l.Made.After(at) {
			list = append(list, l.at(at))
		}
	}
	slices.SortStableFunc(list, func(a, b Lead) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Offers is the truth of the offers, by id.
func (n *Network) Offers() []Offer { return slices.Clone(n.offers) }

// Make makes more leads, now, and gives them. What is to happen to them is planned.
func (n *Network) Make(count int) []Lead {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	var made []Lead
	for range count {
		made = append(made, n.add(now).at(now))
	}
	return made
}

// Decide changes a lead now, and what was planned for later no longer happens to it. An
// empty payout leaves it as it is.
func (n *Network) Decide(id int, s Status, payout, comment string) Lead {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.byID[strconv.Itoa(id)]
	l.events = slices.DeleteFunc(l.events, func(e Event) bool { return e.At.After(now) })
	last := l.events[len(l.events)-1]
	l.events = append(l.events, Event{At: now, Status: s, Payout: cmp.Or(payout, last.Payout), Comment: comment})
	return l.at(now)
}
