package state

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	day  = 24 * time.Hour
)

// fact gives a fact of name and value pairs.
func fact(pairs ...string) LeadFact {
	f := LeadFact{Fields: LeadFields{}}
	for i := 0; i < len(pairs); i += 2 {
		f.Fields[pairs[i]] = pairs[i+1]
	}
	return f
}

func late(f LeadFact) LeadFact { f.Late = true; return f }

func orElse(f LeadFact, pairs ...string) LeadFact {
	f.Fallback = fact(pairs...).Fields
	return f
}

func TestLeadsAreMerged(t *testing.T) {
	net, own := LeadNetworkID, LeadOwnID
	for _, c := range []struct {
		name  string
		pages [][]LeadFact
		want  []LeadFields // of the leads, oldest first
		rows  []LeadRow    // of the last page
	}{
		{
			"a lead that is told of for the first time has a row",
			[][]LeadFact{{fact(net, "7", own, "c1", "status", "pending", "country", "")}},
			[]LeadFields{{net: "7", own: "c1", "status": "pending"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", "status": "pending"}}},
		},
		{
			"a fact without an id tells nothing",
			[][]LeadFact{{fact(net, "", "status", "pending")}}, nil, nil,
		},
		{
			"where the network's id is not known, the row has the own one in its place",
			[][]LeadFact{{fact(own, "c1", "status", "hold")}},
			[]LeadFields{{own: "c1", "status": "hold"}},
			[]LeadRow{{Fields: LeadFields{net: "c1", own: "c1", "status": "hold"}}},
		},
		{
			"what was told last counts, what was not told stays",
			[][]LeadFact{{fact(net, "7", "payout", "12.5", "country", "DE")}, {fact(net, "7", "payout", "0", "country", "")}},
			[]LeadFields{{net: "7", "payout": "0", "country": "DE"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "payout": "0", "country": "DE"}}},
		},
		{
			"facts of one page are merged in their order",
			[][]LeadFact{{fact(net, "7", "payout", "1"), fact(net, "8", "payout", "5"), fact(net, "7", "payout", "2")}},
			[]LeadFields{{net: "7", "payout": "2"}, {net: "8", "payout": "5"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "payout": "2"}}, {Fields: LeadFields{net: "8", "payout": "5"}}},
		},
		{
			"a lead of which nothing new is told has no row",
			[][]LeadFact{{fact(net, "7", "payout", "1")}, {fact(net, "7", "payout", "1")}},
			[]LeadFields{{net: "7", "payout": "1"}}, nil,
		},
		{
			"a lead that learns its network's id moves",
			[][]LeadFact{{fact(own, "c1", LeadDay, "20000")}, {fact(net, "7", own, "c1")}},
			[]LeadFields{{net: "7", own: "c1", LeadDay: "20000"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", LeadDay: "20000"}, Gone: []LeadKey{{20000, "c1"}}}},
		},
		{
			"a lead that turns out to be of another day moves",
			[][]LeadFact{{orElse(fact(net, "7"), LeadDay, "20002")}, {fact(net, "7", LeadDay, "20000")}},
			[]LeadFields{{net: "7", LeadDay: "20000"}},
			[]LeadRow{{Fields: LeadFields{net: "7", LeadDay: "20000"}, Gone: []LeadKey{{20002, "7"}}}},
		},
		{
			"what stands in for what was not told stays the first, and goes when it is told",
			[][]LeadFact{
				{orElse(fact(net, "7"), LeadDay, "20002", LeadCreated, "1000")},
				{orElse(fact(net, "7", LeadCreated, "900"), LeadDay, "20003", LeadCreated, "2000")},
			},
			[]LeadFields{{net: "7", LeadCreated: "900"}},
			[]LeadRow{{Fields: LeadFields{net: "7", LeadCreated: "900", LeadDay: "20002"}}},
		},
		{
			"a lead that moves twice in a page leaves one key",
			[][]LeadFact{{fact(net, "7", LeadDay, "20000")}, {fact(net, "7", LeadDay, "20001"), fact(net, "7", LeadDay, "20002")}},
			[]LeadFields{{net: "7", LeadDay: "20002"}},
			[]LeadRow{{Fields: LeadFields{net: "7", LeadDay: "20002"}, Gone: []LeadKey{{20000, "7"}}}},
		},
		{
			"a lead that comes back within a page leaves no key",
			[][]LeadFact{{fact(net, "7", LeadDay, "20000")}, {fact(net, "7", LeadDay, "20001"), fact(net, "7", LeadDay, "20000")}},
			[]LeadFields{{net: "7", LeadDay: "20000"}},
			[]LeadRow{{Fields: LeadFields{net: "7", LeadDay: "20000"}}},
		},
		{
			"two leads that turn out to be one become one, and the row of the other goes",
			[][]LeadFact{
				{fact(own, "c1", LeadDay, "20000", "payout", "3", "country", "DE"), fact(net, "7", LeadDay, "20001", "payout", "4")},
				{fact(net, "7", own, "c1", "sub1", "x")},
			},
			[]LeadFields{{net: "7", own: "c1", LeadDay: "20001", "payout": "4", "country": "DE", "sub1": "x"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", LeadDay: "20001", "payout": "4", "country": "DE", "sub1": "x"}, Gone: []LeadKey{{20000, "c1"}}}},
		},
		{
			"of two leads that become one, what was told last counts",
			[][]LeadFact{{fact(net, "7", "payout", "4", "sub1", "a")}, {fact(own, "c1", "payout", "3")}, {fact(net, "7", own, "c1")}},
			[]LeadFields{{net: "7", own: "c1", "payout": "3", "sub1": "a"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", "payout": "3", "sub1": "a"}, Gone: []LeadKey{{0, "c1"}}}},
		},
		{
			"of two leads that become one, a decision is not lost to what waits for one",
			[][]LeadFact{
				{fact(net, "7", "status", "approved", "status_raw", "A", "status_reason", "ok")},
				{fact(own, "c1", "status", "pending", "status_raw", "P")},
				{fact(net, "7", own, "c1")},
			},
			[]LeadFields{{net: "7", own: "c1", "status": "approved", "status_raw": "A", "status_reason": "ok"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", "status": "approved", "status_raw": "A", "status_reason": "ok"}, Gone: []LeadKey{{0, "c1"}}}},
		},
		{
			"an own id that two leads of the network have belongs to the youngest",
			[][]LeadFact{{fact(net, "7", own, "c1")}, {fact(net, "8", own, "c1")}, {fact(own, "c1", "status", "hold")}},
			[]LeadFields{{net: "7", own: "c1"}, {net: "8", own: "c1", "status": "hold"}},
			[]LeadRow{{Fields: LeadFields{net: "8", own: "c1", "status": "hold"}}},
		},
		{
			"an own id that the youngest gave up belongs to the next",
			[][]LeadFact{
				{fact(net, "6", own, "c1"), fact(net, "7", own, "c1"), fact(net, "8", own, "c1")},
				{fact(net, "8", own, "c2"), fact(own, "c1", "status", "hold")},
			},
			[]LeadFields{{net: "6", own: "c1"}, {net: "7", own: "c1", "status": "hold"}, {net: "8", own: "c2"}},
			[]LeadRow{{Fields: LeadFields{net: "8", own: "c2"}}, {Fields: LeadFields{net: "7", own: "c1", "status": "hold"}}},
		},
		{
			"a key that another lead's row stands under is not left",
			[][]LeadFact{
				{fact(own, "5", LeadDay, "20000"), fact(net, "5", own, "c5", LeadDay, "20000")},
				{fact(net, "9", own, "5")},
			},
			[]LeadFields{{net: "9", own: "5", LeadDay: "20000"}, {net: "5", own: "c5", LeadDay: "20000"}},
			[]LeadRow{{Fields: LeadFields{net: "9", own: "5", LeadDay: "20000"}}},
		},
		{
			"an unknown word replaces no status, but is told",
			[][]LeadFact{{fact(net, "7", "status", "approved", "status_raw", "A")}, {fact(net, "7", "status", "unknown", "status_raw", "zz")}},
			[]LeadFields{{net: "7", "status": "approved", "status_raw": "zz"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "status": "approved", "status_raw": "zz"}}},
		},
		{
			"a status replaces an unknown word",
			[][]LeadFact{{fact(net, "7", "status", "unknown", "status_raw", "zz")}, {late(fact(net, "7", "status", "hold", "status_raw", "H"))}},
			[]LeadFields{{net: "7", "status": "hold", "status_raw": "H"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "status": "hold", "status_raw": "H"}}},
		},
		{
			"a decision stands against a postback that is late, which only fills what is not known",
			[][]LeadFact{
				{fact(net, "7", "status", "approved", "status_raw", "A", "payout", "12.5")},
				{late(fact(net, "7", own, "c1", "status", "pending", "status_raw", "P", "status_reason", "new", "payout", "0", "sub1", "x"))},
			},
			[]LeadFields{{net: "7", own: "c1", "status": "approved", "status_raw": "A", "payout": "12.5", "sub1": "x"}},
			[]LeadRow{{Fields: LeadFields{net: "7", own: "c1", "status": "approved", "status_raw": "A", "payout": "12.5", "sub1": "x"}}},
		},
		{
			"a decision is replaced by another, late or not",
			[][]LeadFact{{fact(net, "7", "status", "approved")}, {late(fact(net, "7", "status", "rejected"))}},
			[]LeadFields{{net: "7", "status": "rejected"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "status": "rejected"}}},
		},
		{
			"an answer takes a decision back",
			[][]LeadFact{{fact(net, "7", "status", "approved")}, {fact(net, "7", "status", "hold")}},
			[]LeadFields{{net: "7", "status": "hold"}},
			[]LeadRow{{Fields: LeadFields{net: "7", "status": "hold"}}},
		},
		{
			"bytes that are no text are the same wherever they are seen",
			[][]LeadFact{{fact(net, "7\xff", "sub1", "\xfe")}, {fact(net, "7\xff", "sub1", "\xfe", "payout", "1")}},
			[]LeadFields{{net: "7\uFFFD", "sub1": "\uFFFD", "payout": "1"}},
			[]LeadRow{{Fields: LeadFields{net: "7\uFFFD", "sub1": "\uFFFD", "payout": "1"}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(t)
			var last leadPage
			for _, facts := range c.pages {
				last = b.tell(noon, facts...)
			}
			var got []LeadFields
			for _, l := range b.all() {
				got = append(got, l.Fields)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("leads (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.rows, last.rows); diff != "" {
				t.Errorf("rows of the last page (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWholePageHasTheRowsOfAllThatItTellsOf(t *testing.T) {
	b := newBook(t)
	facts := []LeadFact{fact(LeadNetworkID, "7", "payout", "1"), fact(LeadNetworkID, "8", "payout", "1")}
	b.tell(noon, facts...)
	before := b.all()
	p := b.page(noon, Told{Facts: facts, Whole: true})
	if len(p.rows) != 2 {
		t.Errorf("got rows %v, want both", p.rows)
	}
	if diff := cmp.Diff(before, b.all()); diff != "" {
		t.Errorf("nothing was new, but (-before +after):\n%s", diff)
	}
}

func TestADroppedPageComesAgain(t *testing.T) {
	net, own := LeadNetworkID, LeadOwnID
	b := newBook(t)
	b.tell(noon, fact(own, "c1", LeadDay, "20000"))
	b.drop(b.tell(noon, fact(net, "7", own, "c1", "payout", "1"), fact(net, "8", "payout", "2")))
	b.tell(noon) // has no lead to come with, but brings them
	if len(b.owed) > 0 {
		t.Fatalf("still owed: %v", b.owed)
	}
	b.drop(b.tell(noon, fact(net, "8", "payout", "3")))
	p := b.tell(noon, fact(net, "9"))
	want := []LeadRow{{Fields: LeadFields{net: "9"}}, {Fields: LeadFields{net: "8", "payout": "3"}}}
	if diff := cmp.Diff(want, p.rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestAddedLeads(t *testing.T) {
	net, own := LeadNetworkID, LeadOwnID
	rule := PollRule{Tiers: []PollTier{{2 * day, time.Hour}, {30 * day, day}}}
	t.Run("are due at once, and have no row until something is told of them", func(t *testing.T) {
		b := newBook(t)
		if added := b.add(noon, rule, fact(net, "7"), fact(own, "c1"), fact(net, "7"), fact("country", "DE")); added != 2 {
			t.Errorf("%d were added, want 2", added)
		}
		for _, l := range b.all() {
			if !l.NextPoll.Equal(noon) || l.Version != 0 || !l.FirstSeen.Equal(noon) {
				t.Errorf("got %+v", l)
			}
		}
		if p := b.tell(noon); len(p.rows) > 0 {
			t.Errorf("rows came: %v", p.rows)
		}
		if p := b.tell(noon, fact(net, "7")); len(p.rows) != 1 || b.all()[0].Version != p.version {
			t.Errorf("rows came: %v", p.rows)
		}
	})
	t.Run("that are known keep what is known of them, and get what is not", func(t *testing.T) {
		b := newBook(t)
		b.tell(noon, fact(net, "7", "payout", "1"))
		if added := b.add(noon, rule, fact(net, "7", own, "c1", "payout", "5")); added != 0 {
			t.Errorf("%d were added, want none", added)
		}
		want := LeadFields{net: "7", own: "c1", "payout": "1"}
		if diff := cmp.Diff(want, b.only().Fields); diff != "" {
			t.Errorf("lead (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]LeadRow{{Fields: want}}, b.tell(noon).rows); diff != "" {
			t.Errorf("the next page's rows (-want +got):\n%s", diff)
		}
	})
	t.Run("that are planned stay as planned, and those that are settled too", func(t *testing.T) {
		b := newBook(t)
		b.page(noon, Told{Facts: []LeadFact{fact(net, "7", "status", "hold"), fact(net, "8", "status", "trash")}, Poll: rule})
		b.add(noon.Add(time.Minute), rule, fact(net, "7"), fact(net, "8"))
		all := b.all()
		if !all[0].NextPoll.Equal(noon.Add(time.Hour)) || !all[1].NextPoll.IsZero() {
			t.Errorf("next polls are %s and %s", all[0].NextPoll, all[1].NextPoll)
		}
	})
	t.Run("are as old as they are said to be", func(t *testing.T) {
		b := newBook(t)
		made := noon.Add(-31 * day)
		b.add(noon, rule, fact(net, "7", LeadCreated, strconv.FormatInt(made.UnixMilli(), 10)))
		if l := b.only(); !l.FirstSeen.Equal(made) || !l.NextPoll.IsZero() {
			t.Errorf("got %+v, want one that is too old to be asked for", l)
		}
	})
}

// TestListedLeadsAreAsOldAsTheyAre holds that a list of months does not have leads asked for as
// if they were new, which were decided, or forgotten, long ago.
func TestListedLeadsAreAsOldAsTheyAre(t *testing.T) {
	rule := PollRule{Tiers: []PollTier{{2 * day, time.Hour}, {30 * day, day}}, Settled: 7 * day}
	made := func(ago time.Duration) string { return strconv.FormatInt(noon.Add(-ago).UnixMilli(), 10) }
	listed := func(id, status string, ago time.Duration) LeadFact {
		return fact(LeadNetworkID, id, "status", status, LeadCreated, made(ago))
	}
	late := listed("late", "hold", 31*day)
	late.Late = true
	b := newBook(t)
	b.page(noon, Told{Facts: []LeadFact{fact(LeadNetworkID, "known", "status", "hold")}, Poll: rule})
	b.page(noon, Told{Poll: rule, Facts: []LeadFact{
		listed("new", "hold", time.Hour), listed("older", "approved", 10*day), listed("old", "hold", 31*day),
		listed("future", "hold", -day), late, listed("known", "hold", 31*day),
	}})
	want := map[string]time.Time{
		"new": noon.Add(time.Hour), "older": noon.Add(day), "old": {}, "future": noon.Add(time.Hour),
		"late": noon.Add(time.Hour), "known": noon.Add(time.Hour),
	}
	got := map[string]time.Time{}
	for _, l := range b.all() {
		got[l.network()] = l.NextPoll
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("next polls (-want +got):\n%s", diff)
	}
}

func TestNextPoll(t *testing.T) {
	net := LeadNetworkID
	rule := PollRule{Tiers: []PollTier{{2 * day, time.Hour}, {30 * day, day}}, Settled: 7 * day}
	type heard struct {
		after time.Duration // noon
		asked bool
		facts []LeadFact
	}
	told := func(after time.Duration, status string) heard {
		return heard{after, false, []LeadFact{fact(net, "7", "status", status)}}
	}
	answered := func(after time.Duration, facts ...LeadFact) heard { return heard{after, true, facts} }
	never := time.Duration(-1)
	for _, c := range []struct {
		name  string
		heard []heard
		want  time.Duration // after noon
		polls int
	}{
		{"a young lead is asked for often", []heard{told(0, "hold")}, time.Hour, 0},
		{"an older one less often", []heard{told(0, "hold"), answered(3 * day)}, 4 * day, 1},
		{"an answer that says nothing of the lead puts it off too", []heard{told(0, "hold"), answered(time.Hour)}, 2 * time.Hour, 1},
		{"being told of by chance puts nothing off", []heard{told(0, "hold"), told(50*time.Minute, "pending")}, time.Hour, 0},
		{"a lead is asked for a last time when it is as old as the last tier", []heard{told(0, "hold"), answered(29*day + time.Hour)}, 30 * day, 1},
		{"an older one is asked for never again", []heard{told(0, "hold"), answered(30 * day)}, never, 1},
		{"a decision is looked at until it has stood", []heard{told(0, "approved"), answered(3 * day)}, 4 * day, 1},
		{"for the last time when it has", []heard{told(0, "approved"), answered(6*day + time.Hour)}, 7 * day, 1},
		{"and no more then", []heard{told(0, "approved"), answered(7 * day)}, never, 1},
		{"the same decision again is no new one", []heard{told(0, "approved"), told(6*day, "approved"), answered(7 * day)}, never, 1},
		{"another decision has to stand anew", []heard{told(0, "approved"), told(6*day, "rejected"), answered(7 * day)}, 8 * day, 1},
		{"a settled lead that is taken back is asked for again", []heard{told(0, "approved"), answered(7 * day), told(8*day, "hold")}, 9 * day, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(t)
			for _, h := range c.heard {
				told := Told{Facts: h.facts, Poll: rule}
				if h.asked {
					told.Asked, told.By = []string{"7", "4711", ""}, ByNetworkID
				}
				b.page(noon.Add(h.after), told)
			}
			want := noon.Add(c.want)
			if c.want == never {
				want = time.Time{}
			}
			if l := b.only(); !l.NextPoll.Equal(want) || l.Polls != c.polls {
				t.Errorf("next poll at %s after %d polls, want %s after %d", l.NextPoll, l.Polls, want, c.polls)
			}
		})
	}
	t.Run("a decision that settles at once is asked for no more", func(t *testing.T) {
		b := newBook(t)
		at := PollRule{Tiers: rule.Tiers}
		b.page(noon, Told{Facts: []LeadFact{fact(net, "7", "status", "trash")}, Poll: at})
		if next := b.only().NextPoll; !next.IsZero() {
			t.Errorf("next poll at %s", next)
		}
	})
	t.Run("who does not know how often changes nothing", func(t *testing.T) {
		b := newBook(t)
		b.page(noon, Told{Facts: []LeadFact{fact(net, "7", "status", "hold")}, Poll: rule})
		b.tell(noon.Add(day), fact(net, "7", "status", "trash"))
		if next := b.only().NextPoll; !next.Equal(noon.Add(time.Hour)) {
			t.Errorf("next poll at %s", next)
		}
	})
	t.Run("all leads with an own id that was asked for are put off", func(t *testing.T) {
		b := newBook(t)
		b.page(noon, Told{Poll: rule, Facts: []LeadFact{fact(net, "7", LeadOwnID, "c"), fact(net, "8", LeadOwnID, "c"), fact(net, "9", LeadOwnID, "d")}})
		b.page(noon.Add(time.Hour), Told{Poll: rule, Asked: []string{"c", "c"}, By: ByOwnID})
		for i, want := range []time.Duration{2 * time.Hour, 2 * time.Hour, time.Hour} {
			if l := b.all()[i]; !l.NextPoll.Equal(noon.Add(want)) {
				t.Errorf("lead %d: next poll at %s, want %s", i, l.NextPoll, noon.Add(want))
			}
		}
	})
	t.Run("leads that become one are asked for when the first was due", func(t *testing.T) {
		b := newBook(t)
		b.page(noon, Told{Poll: rule, Facts: []LeadFact{fact(LeadOwnID, "c")}})
		b.page(noon.Add(30*time.Minute), Told{Poll: rule, Facts: []LeadFact{fact(net, "7")}})
		b.page(noon.Add(40*time.Minute), Told{Poll: rule, Facts: []LeadFact{fact(net, "7", LeadOwnID, "c")}})
		if l := b.only(); !l.NextPoll.Equal(noon.Add(time.Hour)) || !l.FirstSeen.Equal(noon) {
			t.Errorf("got %+v", l)
		}
	})
}

// brokenBook cannot be read.
type brokenBook struct{ err error }

func (b brokenBook) ByNetworkID(string) (Lead, bool, error)    { return Lead{}, false, b.err }
func (b brokenBook) ByOwnID(string, int64) (Lead, bool, error) { return Lead{}, false, b.err }

func TestAMergeThatCannotReadSaysSo(t *testing.T) {
	broken := errors.New("no disk")
	for _, f := range []LeadFact{fact(LeadNetworkID, "7"), fact(LeadOwnID, "c")} {
		m := NewLeadMerge("acme", noon, brokenBook{broken})
		if err := m.Tell(Told{Facts: []LeadFact{f}}); !errors.Is(err, broken) {
			t.Errorf("got error %v, want %v", err, broken)
		}
		if _, err := m.Close(); !errors.Is(err, broken) {
			t.Errorf("got error %v, want %v", err, broken)
		}
	}
}
