package statetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/state"
)

// postbackWork is the work of a child that accepts and brings postbacks.
const postbackWork = "postbacks"

// crashSenders is how many calls the child accepts at the same time.
const crashSenders = 8

// Each postback tells of some of many leads, so that one Bring changes more of them than
// any driver writes at once.
const (
	crashLeads          = 3000
	crashLeadsAPostback = 40
)

// crashFacts are what the postback with a seq tells: that it was the last to tell.
func crashFacts(seq int64) []state.LeadFact {
	facts := make([]state.LeadFact, crashLeadsAPostback)
	for i := range facts {
		id := strconv.FormatInt((seq*7+int64(i)*71)%crashLeads, 10)
		facts[i] = told(state.LeadOwnID, "c"+id, "sub1", strconv.FormatInt(seq, 10))
		if seq%3 == 0 { // it moves
			facts[i].Fields[state.LeadNetworkID] = "n" + id
		}
	}
	return facts
}

// postbacksUntilKilled is the child. It says which postbacks were accepted, one a line, and
// which were brought by which pull, all of them in one line before the pull is published.
func postbacksUntilKilled(d Driver, place string) error {
	s, err := d.Open(place)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range crashSenders {
		go func() {
			for {
				seq, err := s.AcceptPostback(context.Background(), postback(1))
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("accepted %d\n", seq)
			}
		}()
	}
	go func() { failed <- bringUntilKilled(s) }()
	return <-failed
}

func bringUntilKilled(s state.Store) error {
	ctx := context.Background()
	open, err := s.OpenPulls(ctx, "acme")
	if err != nil {
		return err
	}
	for {
		for _, p := range open {
			pages, err := s.Pages(ctx, p.ID, 0, 10)
			if err != nil {
				return err
			}
			for _, page := range pages {
				fmt.Printf("brought %d %s\n", p.ID, page.Body)
			}
			if err := s.Publish(ctx, []state.Published{{PullID: p.ID, PublishedAt: t0}}); err != nil {
				return err
			}
		}
		list, err := s.Postbacks(ctx, "acme", 200)
		if err != nil {
			return err
		}
		if open = nil; len(list) == 0 {
			continue
		}
		b := brings(list[len(list)-1].Seq)
		b.Body = nil
		for _, p := range list {
			b.Body = fmt.Appendf(b.Body, "%d ", p.Seq)
			b.Told.Facts = append(b.Told.Facts, crashFacts(p.Seq)...)
		}
		p, err := s.Bring(ctx, b)
		if err != nil {
			return err
		}
		open = []state.Pull{p}
	}
}

// receiverSaid is what the children said, over all of their lives.
type receiverSaid struct {
	accepted map[int64]bool
	brought  map[int64]int64 // pull by seq
}

func (r *receiverSaid) note(line string) error {
	words := strings.Fields(line)
	var numbers []int64
	for _, word := range words[min(1, len(words)):] {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return fmt.Errorf("the child said %q: %w", line, err)
		}
		numbers = append(numbers, n)
	}
	switch {
	case len(numbers) == 1 && words[0] == "accepted":
		r.accepted[numbers[0]] = true
	case len(numbers) > 1 && words[0] == "brought":
		for _, seq := range numbers[1:] {
			if pull, ok := r.brought[seq]; ok && pull != numbers[0] {
				return fmt.Errorf("postback %d was brought by pull %d and by pull %d", seq, pull, numbers[0])
			}
			r.brought[seq] = numbers[0]
		}
	default:
		return fmt.Errorf("the child said %q", line)
	}
	return nil
}

// testPostbackCrash kills a process that accepts and brings postbacks, again and again:
// whatever was accepted waits or is in a page, once, and the leads know exactly what pages
// brought.
func testPostbackCrash(t *testing.T, d Driver) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	place := d.Place(t)
	said := &receiverSaid{accepted: map[int64]bool{}, brought: map[int64]int64{}}
	for range 6 {
		killAfter(t, place, postbackWork, 1+random.IntN(1500), said.note)
		f := &fixture{T: t, d: d, place: place, ctx: t.Context()}
		f.open()
		inspectReceiver(f, said)
		f.no(f.s.Close())
	}
	if len(said.brought) == 0 {
		t.Error("the children brought nothing")
	}
}

func inspectReceiver(f *fixture, said *receiverSaid) {
	f.Helper()
	for _, p := range f.openPulls() {
		for _, page := range f.pages(p.ID) {
			f.no(said.note(fmt.Sprintf("brought %d %s", p.ID, page.Body)))
		}
	}
	waiting := map[int64]bool{}
	for _, p := range f.waiting("acme") {
		if waiting[p.Seq] {
			f.Errorf("postback %d waits twice", p.Seq)
		}
		waiting[p.Seq] = true
	}
	for seq := range said.accepted {
		if _, brought := said.brought[seq]; brought == waiting[seq] {
			f.Errorf("postback %d waits: %v, was brought: %v; want one of both", seq, waiting[seq], brought)
		}
	}
	last := map[string]int64{} // seq by own id
	for seq := range said.brought {
		if waiting[seq] {
			f.Errorf("postback %d was brought, but waits", seq)
		}
		for _, fact := range crashFacts(seq) {
			id := fact.Fields[state.LeadOwnID]
			last[id] = max(last[id], seq)
		}
	}
	var counts int64
	for _, c := range f.counts() {
		counts += c.Known
	}
	f.equal("leads known", counts, int64(len(last)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong := 0 // guarded by mu
	for id, seq := range last {
		if seq%5 != 0 { // a sample: each is a query
			continue
		}
		wg.Go(func() {
			l, err := f.s.Lead(f.ctx, "acme", state.ByOwnID, id)
			if err == nil && l.Fields["sub1"] == strconv.FormatInt(seq, 10) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if wrong++; wrong < 5 {
				f.Errorf("lead %s knows of postback %q (%v), want %d", id, l.Fields["sub1"], err, seq)
			}
		})
	}
	wg.Wait()
}
