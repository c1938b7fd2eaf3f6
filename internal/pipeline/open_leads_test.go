package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/state"
)

// leadNetwork answers for leads by their own ids, two a call.
type leadNetwork struct {
	*fakeNetwork
	// rows gives the records of the answer for a lead; "" for one that it does not know.
	rows func(id string) string
}

func (n *leadNetwork) Next(s *extractors.Stream, w extractors.Work) (extractors.Call, error) {
	if !pollsLeads(s) {
		return n.fakeNetwork.Next(s, w)
	}
	if !w.Since.IsZero() || w.Kind != state.Changes {
		return extractors.Call{}, fmt.Errorf("open leads are asked for as %s since %v", w.Kind, w.Since)
	}
	at, _ := strconv.Atoi(string(w.Cursor))
	items := w.Items[at:min(at+s.ForEach.Batch, len(w.Items))]
	return extractors.Call{Method: http.MethodGet, Describe: "statuses " + strings.Join(items, ","), Items: items}, nil
}

func (n *leadNetwork) Read(s *extractors.Stream, w extractors.Work, a extractors.Answer) (extractors.Page, error) {
	if s == nil || !pollsLeads(s) {
		return n.fakeNetwork.Read(s, w, a)
	}
	at, _ := strconv.Atoi(string(w.Cursor))
	next := at + s.ForEach.Batch
	return extractors.Page{Records: 1, Next: state.Cursor(strconv.Itoa(next)), Done: next >= len(w.Items)}, nil
}

func (n *leadNetwork) Do(ctx context.Context, c extractors.Call) (extractors.Answer, error) {
	a, err := n.fakeNetwork.Do(ctx, c)
	if err != nil || len(c.Items) == 0 {
		return a, err
	}
	var rows []string
	for _, id := range c.Items {
		if row := n.rows(id); row != "" {
			rows = append(rows, row)
		}
	}
	a.Body = []byte(`{"rows": [` + strings.Join(rows, ",") + `]}`)
	return a, nil
}

func pendingRow(id string) string {
	return fmt.Sprintf(`{"click": %q, "status": "pending", "created": "2000-01-01 00:00:00"}`, id)
}

// polling is a bed whose network is asked for leads.
func polling(t *testing.T, path string, rows func(string) string, account Account) (*bed, *fakeNetwork) {
	t.Helper()
	fake := &fakeNetwork{streams: leadStreams(), took: time.Second}
	n := &leadNetwork{fake, rows}
	b := setup(t, fake, account, path, func(o *Options) {
		o.Accounts[0].Source, o.Accounts[0].Caller = n, n
	})
	return b, fake
}

func ids(list ...string) []state.LeadFact {
	var facts []state.LeadFact
	for _, id := range list {
		facts = append(facts, state.LeadFact{Fields: state.LeadFields{"click_id": id}})
	}
	return facts
}

// settle forgets the pulls that wait for the warehouse, which these tests do not have.
func (b *bed) settle() {
	b.t.Helper()
	for _, p := range b.open() {
		if p.Phase != state.Pulled {
			continue
		}
		if err := b.store.Publish(b.t.Context(), []state.Published{{PullID: p.ID, PublishedAt: time.Now()}}); err != nil {
			b.t.Fatal(err)
		}
		b.engine.queue.mu.Lock()
		delete(b.engine.queue.pulls, p.ID)
		b.engine.queue.mu.Unlock()
	}
}

func TestOpenLeadsAreAskedForWhenTheyAreDue(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		rows := func(id string) string {
			if id == "unknown" {
				return ""
			}
			return pendingRow(id)
		}
		b, network := polling(t, path, rows, Account{})
		b.plan("statuses")
		time.Sleep(time.Minute)
		if got := network.seen(); len(got) != 0 {
			t.Errorf("nothing is due, and %v was called", got)
		}
		b.settle()
		if _, err := b.store.AddLeads(t.Context(), "a", ids("of,two", "one", "two", "unknown"), pollEvery, time.Now()); err != nil {
			t.Fatal(err)
		}
		for range 3 { // due at once, then not for an hour, then again
			time.Sleep(time.Second)
			b.plan("statuses")
			time.Sleep(time.Minute)
			b.settle()
			time.Sleep(30 * time.Minute)
		}
		b.end()
		if d := cmp.Diff([]string{"statuses one,two", "statuses unknown", "statuses one,two", "statuses unknown"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

func TestAListOfOpenLeadsIsBounded(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		b, network := polling(t, path, pendingRow, Account{})
		var all []string
		for i := range leadCalls*2 + 500 {
			all = append(all, fmt.Sprintf("id-%04d", i))
		}
		if _, err := b.store.AddLeads(t.Context(), "a", ids(all...), pollEvery, time.Now()); err != nil {
			t.Fatal(err)
		}
		b.plan("statuses")
		time.Sleep(2 * time.Hour)
		if got := len(network.seen()); got != leadCalls {
			t.Errorf("made %d calls, want %d", got, leadCalls)
		}
		b.settle()
		b.plan("statuses")
		time.Sleep(3 * time.Second)
		b.end()
		if calls := network.seen(); calls[leadCalls] != "statuses id-2000,id-2001" {
			t.Errorf("the next pull begins with %s, want those that were left", calls[leadCalls])
		}
	})
}

func TestLeadsThatSomebodyElseKnowsAreAskedFor(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		began := time.Now()
		account := Account{OpenIDsEvery: 15 * time.Minute, OpenIDs: func(context.Context) ([]state.LeadFact, error) {
			asked = append(asked, time.Since(began))
			if len(asked) == 2 {
				return nil, errors.New("no table crm.leads")
			}
			return ids(fmt.Sprint("lead-", len(asked))), nil
		}}
		b, network := polling(t, path, pendingRow, account)
		for range 6 {
			b.plan("statuses")
			time.Sleep(time.Minute)
			b.settle()
			time.Sleep(5 * time.Minute)
		}
		b.end()
		if d := cmp.Diff([]time.Duration{0, 18 * time.Minute}, asked); d != "" {
			t.Errorf("asked (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"statuses lead-1"}, network.seen()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if failures := b.engine.Failures(); len(failures) != 0 {
			t.Errorf("a list that is not to be had stops nothing: %v", failures)
		}
	})
}

func TestAStreamOfOpenLeadsIsPlannedAsChanges(t *testing.T) {
	a := &Account{Name: "a", Source: &fakeNetwork{streams: leadStreams()}, Location: time.UTC}
	s := a.stream("statuses")
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := state.NewPull{Account: "a", Stream: "statuses", Kind: state.Changes, Tier: state.Warm}
	got := a.Pulls(s, Known{}, now)
	if len(got) != 1 || got[0].NewPull != want {
		t.Errorf("due: got %+v", got)
	}
	want.Tier = state.Backfill
	if got = a.BackfillPulls(s, Known{}, now.AddDate(0, -1, 0), now, now, now); len(got) != 1 || got[0].NewPull != want {
		t.Errorf("backfill: got %+v", got)
	}
	done := Known{Published: []state.Checkpoint{{Kind: state.Changes, PulledAt: now.Add(-time.Hour), PublishedAt: now}}}
	if got = a.BackfillPulls(s, done, now.AddDate(0, -1, 0), now, now, now); len(got) != 0 {
		t.Errorf("a backfill that polled already: got %+v", got)
	}
}

func TestAnAnswerThatCannotBeReadAsLeadsStopsItsStream(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		b, _ := polling(t, path, func(string) string { return `"rows": 7` }, Account{})
		if _, err := b.store.AddLeads(t.Context(), "a", ids("one"), pollEvery, time.Now()); err != nil {
			t.Fatal(err)
		}
		b.plan("statuses")
		time.Sleep(time.Hour)
		failures := strings.Join(b.engine.Failures(), "\n")
		if !strings.Contains(failures, "the answer cannot be read as leads") {
			t.Errorf("got failures %q", failures)
		}
		if open := b.open(); len(open) != 0 {
			t.Errorf("left open: %+v", open)
		}
		b.end()
	})
}
