package metricssim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The kinds of rows, by the type of their export.
const (
	Clicks      = "click_logs"
	Conversions = "conversion_logs"
	Impressions = "impression_logs"
	Postbacks   = "postback_logs"
)

// Types are the export types, in the order of the documents.
var Types = []string{Clicks, Conversions, Impressions, Postbacks}

// salt of a kind's hashes. A postback follows from its conversion and has the same.
var salts = map[string]uint64{Clicks: 'c', Conversions: 'v', Impressions: 'i', Postbacks: 'v'}

type dayKey struct {
	kind string
	day  int64 // since 1970, UTC
}

// rowKey names a row: its day and its number on it.
type rowKey struct {
	dayKey
	seq int
}

// change is what happened to a row after it was made.
type change struct {
	reason  string // rejected for it
	removed bool
}

// stub is a row's place in the order of its table; the rest of the row follows from it.
type stub struct {
	at    int64 // unix second
	ms    int64
	hash  uint64 // of the real_tx_id
	seq   int
	event bool // shares its real_tx_id with the conversion before it
	offer int
	seen  int64 // when it can first be read
}

func (s stub) tx() string { return ulid(s.at*1000+s.ms, s.hash) }

// newer orders stubs as the tables do: newest first, by time and real_tx_id.
func newer(a, b stub) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.ms, a.ms), cmp.Compare(b.hash, a.hash), cmp.Compare(b.seq, a.seq))
}

func (n *Network) perDay(kind string) int {
	switch kind {
	case Clicks:
		return n.opt.ClicksPerDay
	case Impressions:
		return n.opt.ImpressionsPerDay
	}
	return n.opt.ConversionsPerDay
}

// stubs gives a day's rows, removed ones and those of the future included, newest
// first. n.mu must be held.
func (n *Network) stubs(k dayKey) []stub {
	if list, ok := n.days[k]; ok {
		return list
	}
	if k.kind == Postbacks {
		list := slices.Clone(n.stubs(dayKey{Conversions, k.day}))
		n.days[k] = list
		return list
	}
	count := max(n.perDay(k.kind), 0)
	list := make([]stub, 0, count)
	for seq := range count + n.late[k] {
		owner := seq
		if every := n.opt.SharedEvery; k.kind == Conversions && every > 0 && seq < count && seq%every == every-1 {
			owner = seq - 1
		}
		h := of(n.opt.Seed, salts[k.kind], uint64(k.day), uint64(owner))
		d := draw(h)
		s := stub{at: k.day*86400 + int64(d.below(86400)), ms: int64(d.below(1000)), hash: h, seq: seq, event: owner != seq, offer: d.below(len(n.world.offers))}
		s.seen = s.at
		if n.opt.Lag > 0 {
			s.seen += int64(d.below(int(n.opt.Lag/time.Second) + 1))
		}
		list = append(list, s)
	}
	slices.SortFunc(list, newer)
	if n.opt.BorderPairs && k.kind == Conversions && len(list) > 100 {
		a, b := list[99], &list[100]
		b.at, b.ms, b.hash, b.seen, b.offer = a.at, a.ms, a.hash, a.seen, a.offer
	}
	n.days[k] = list
	return list
}

// filter narrows a table. A nil set lets everything through.
type filter struct {
	integration                          string
	status, offer, publisher, advertiser []string
}

func (f *filter) pass(r *Row) bool {
	in := func(set []string, v string) bool {
		return len(set) == 0 || slices.ContainsFunc(set, func(w string) bool { return strings.EqualFold(w, v) })
	}
	return in(f.status, r.Status) && in(f.offer, itoa(r.Offer.IncrementalID)) && in(f.publisher, itoa(r.Publisher.IncrementalID)) &&
		in(f.advertiser, itoa(r.Offer.AdvertiserID))
}

func (f *filter) trivial() bool {
	return len(f.status)+len(f.offer)+len(f.publisher)+len(f.advertiser) == 0
}

// between lists what can be read at an instant of [from, to], newest first. n.mu
// must be held.
func (n *Network) between(kind string, from, to time.Time, f *filter, now time.Time) []stub {
	var out []stub
	lo, hi := max(from.Unix(), n.opt.From.Unix()), min(to.Unix(), now.Unix())
	for d := hi / 86400; d >= lo/86400; d-- {
		k := dayKey{kind, d}
		for _, s := range n.stubs(k) {
			if s.at < lo || s.at > hi || s.seen > now.Unix() || f.integration != "" && n.world.offers[s.offer].Integration != f.integration {
				continue
			}
			if c, ok := n.changes[rowKey{k, s.seq}]; ok && c.removed {
				continue
			}
			if !f.trivial() {
				if r := n.row(k, s); !f.pass(&r) {
					continue
				}
			}
			out = append(out, s)
		}
	}
	return out
}

// Row is the truth of one click, impression, conversion or postback.
type Row struct {
	Kind, Integration      string
	UUID, TxID, RealTxID   string
	Time                   time.Time // conversion_time of a conversion, request_time of the others
	ClickTime              time.Time // zero of what is no conversion
	ClickTxID              string
	Offer                  *Offer
	Publisher              *Publisher
	Advertiser             *Advertiser
	Event                  *OfferEvent // nil of what is no event
	EventNumber            int
	Status                 string // Approved or Rejected
	Rejections             []string
	ThirdPartyReason       string // why the advertiser rejected it later
	Payout, Revenue        Amount
	PurchaseValue          Amount
	Country, City, IP      string
	UserAgent, SubID, Hash string
	Extra                  [][2]string
	hash                   uint64
	o                      *Options
}

// row is what a stub stands for. n.mu must be held.
func (n *Network) row(k dayKey, s stub) Row {
	h := of(n.opt.Seed, salts[k.kind], uint64(k.day), uint64(s.seq), 'r')
	d := draw(h)
	f := &n.world.offers[s.offer]
	r := Row{Kind: k.kind, Integration: f.Integration, UUID: uuid(h), TxID: s.tx(), RealTxID: s.tx(), Time: time.Unix(s.at, 0).UTC(), Offer: f,
		Publisher: &n.world.publishers[d.below(len(n.world.publishers))], Advertiser: &n.world.advertisers[f.advertiser], Status: "Approved",
		Country: pick(&d, countries), City: pick(&d, []string{"Austin", "São Paulo", "Köln", ""}), IP: address(&d, n.opt.MaskIP), UserAgent: pick(&d, agents),
		SubID: "s" + itoa(d.below(50)), Hash: hexID(of(h, 'h'))[:8], hash: h, o: &n.opt}
	if d.below(3) > 0 {
		r.Extra = [][2]string{{"creative", "b" + itoa(d.below(20))}, {"note", pick(&d, []string{"", `a "quoted", note`, "two\nlines"})}}
	}
	if d.below(8) == 0 {
		r.Status, r.Rejections = "Rejected", pick(&d, [][]string{{"DUPLICATE_IP"}, {"DUPLICATE_IP", "VPN"}})
	}
	switch k.kind {
	case Conversions, Postbacks:
		n.fillConversion(&r, &d, k, s)
	case Clicks:
		if d.below(4) == 0 { // paid per click
			r.Payout, r.Revenue = 1_000, 3_000
		}
	}
	return r
}

func (n *Network) fillConversion(r *Row, d *draw, k dayKey, s stub) {
	owner := draw(s.hash) // an event has the click of its conversion
	r.ClickTime = r.Time.Add(-time.Duration(1+owner.below(86400)) * time.Second)
	r.ClickTxID = ulid(r.ClickTime.UnixMilli(), owner.next())
	r.Payout, r.Revenue = price(d, r.Offer.Currency)
	if s.event {
		r.EventNumber = 1
		if events := n.world.events[r.Offer.ID]; len(events) > 0 {
			i := d.below(len(events))
			r.Event, r.EventNumber = &events[i], i+1
		}
		r.PurchaseValue = Amount(d.below(50_000_000))
	}
	if d.below(97) == 0 { // a correction
		r.Payout, r.Revenue = -r.Payout, -r.Revenue
	}
	if c, ok := n.changes[rowKey{dayKey{Conversions, k.day}, s.seq}]; ok && c.reason != "" {
		r.Status, r.ThirdPartyReason = "Rejected", c.reason
	}
}

var agents = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1, like Mac OS X)", `Mozilla/5.0 "quoted" agent`, "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "бот/1.0", "",
}

func address(d *draw, masked bool) string {
	a := "203.0.113."
	if d.below(2) == 0 {
		a = "198.51.100."
	}
	last := 1 + d.below(254)
	if masked {
		last = 0
	}
	return a + itoa(last)
}
