package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// randomFact is about few ids, so that leads meet, tie and part again.
func randomFact(r *rand.Rand) LeadFact {
	f := LeadFact{Fields: LeadFields{}, Fallback: LeadFields{LeadDay: strconv.Itoa(20000 + r.IntN(3))}, Late: r.IntN(3) == 0}
	if r.IntN(3) > 0 {
		f.Fields[LeadNetworkID] = fmt.Sprint("n", r.IntN(4))
	}
	if len(f.Fields) == 0 || r.IntN(2) == 0 {
		f.Fields[LeadOwnID] = fmt.Sprint("o", r.IntN(4))
	}
	if r.IntN(3) > 0 {
		f.Fields[LeadStatus] = []string{"approved", "pending", "hold", "rejected", "trash", "unknown"}[r.IntN(6)]
		f.Fields[LeadStatusRaw] = f.Fields[LeadStatus] + strconv.Itoa(r.IntN(2))
	}
	if r.IntN(3) == 0 {
		f.Fields[LeadDay] = strconv.Itoa(20000 + r.IntN(3))
	}
	if r.IntN(2) == 0 {
		f.Fields["payout"] = strconv.Itoa(r.IntN(3))
	}
	if r.IntN(4) == 0 {
		f.Fields["country"] = []string{"DE", "FR"}[r.IntN(2)]
	}
	return f
}

func randomFacts(r *rand.Rand, most int) []LeadFact {
	facts := make([]LeadFact, r.IntN(most+1))
	for i := range facts {
		facts[i] = randomFact(r)
	}
	return facts
}

// seeds gives sources of chance, a new one each time but for the first.
func seeds(t *testing.T, n int, run func(t *testing.T, r *rand.Rand)) {
	start := uint64(time.Now().UnixNano())
	for i := range n {
		seed := start + uint64(i)
		if i == 0 {
			seed = 1
		}
		func() {
			defer func() { // also when the run ends the test
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			run(t, rand.New(rand.NewPCG(seed, 0)))
		}()
		if t.Failed() {
			return
		}
	}
}

// Pages are loaded in any order; some are dropped before they are; others bring what
// those would have.
func TestWhateverIsLoadedFirstTheWarehouseHasTheLedger(t *testing.T) {
	seeds(t, 500, func(t *testing.T, r *rand.Rand) {
		b := newBook(t)
		var pages []leadPage
		for i := range 1 + r.IntN(12) {
			at := time.Unix(int64(i)*3600, 0).UTC()
			if r.IntN(5) == 0 {
				b.add(at, PollRule{}, randomFacts(r, 4)...)
				continue
			}
			p := b.page(at, Told{Facts: randomFacts(r, 5), Whole: r.IntN(4) == 0})
			if r.IntN(4) == 0 {
				b.drop(p)
			} else {
				pages = append(pages, p)
			}
		}
		// What is owed comes with whatever is next.
		pages = append(pages, b.tell(time.Unix(1e6, 0).UTC(), LeadFact{Fields: LeadFields{LeadNetworkID: "last"}}))
		w := warehouse{}
		for _, i := range r.Perm(len(pages)) {
			w.load(t, pages[i])
		}
		if diff := cmp.Diff(b.rows(), w.rows()); diff != "" {
			t.Errorf("the warehouse differs from the ledger (-ledger +warehouse):\n%s", diff)
		}
	})
}

// How facts are spread over pages is chance; what becomes of them is not. (Two leads that
// were last told of by the same page, and turn out to be one later, are the exception.)
func TestFactsOfOnePageAreMergedLikeThoseOfMany(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	same := func(t *testing.T, name string, want, got *book) {
		t.Helper()
		if diff := cmp.Diff(fieldsOf(want), fieldsOf(got)); diff != "" {
			t.Errorf("%s differs from a page a fact (-page a fact +%s):\n%s", name, name, diff)
		}
	}
	aPageAFact := func(t *testing.T, facts []LeadFact) *book {
		b := newBook(t)
		for _, f := range facts {
			b.tell(at, f)
		}
		return b
	}
	seeds(t, 500, func(t *testing.T, r *rand.Rand) {
		facts := randomFacts(r, 14)
		one := newBook(t)
		one.tell(at, facts...)
		same(t, "one page", aPageAFact(t, facts), one)
	})
	seeds(t, 300, func(t *testing.T, r *rand.Rand) {
		facts := randomFacts(r, 14)
		for i, f := range facts {
			if f.Fields[LeadNetworkID] != "" {
				delete(facts[i].Fields, LeadOwnID) // nothing ties
			}
		}
		some := newBook(t)
		for left := facts; len(left) > 0; {
			n := 1 + r.IntN(len(left))
			some.tell(at, left[:n]...)
			left = left[n:]
		}
		same(t, "some pages", aPageAFact(t, facts), some)
	})
}

// fieldsOf gives what is known of all leads, oldest first.
func fieldsOf(b *book) (all [][2]LeadFields) {
	for _, l := range b.all() {
		all = append(all, [2]LeadFields{l.Fields, l.Fallback})
	}
	return slices.Clip(all)
}
