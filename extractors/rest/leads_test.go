package rest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
	"syncd/state"
)

func TestOpenLeadsArePolledByTheTiersOfRestatement(t *testing.T) {
	n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"ids": {"{items.joined}"}}}, 50)
	_, st := setup(t, n, account(t), "statuses")
	want := extractors.ForEachRule{OpenLeads: state.ByNetworkID, Batch: 50, Poll: state.PollRule{
		Tiers: []state.PollTier{{Last: 24 * time.Hour, Every: time.Hour}, {Last: 130 * 24 * time.Hour, Every: 24 * time.Hour}}, Settled: 7 * 24 * time.Hour,
	}}
	if diff := cmp.Diff(&want, st.ForEach); diff != "" {
		t.Errorf("the rule (-want +got):\n%s", diff)
	}
	if st.Kind() != state.Changes || !st.Outputs[0].Leads || !slices.Equal(st.Outputs[0].Spec.Identity, []string{"conversion_id", "click_id"}) {
		t.Errorf("got kind %s and output %+v, want changes, and leads that are known by either id", st.Kind(), st.Outputs[0])
	}

	a := account(t)
	a.Streams = map[string]Settings{"statuses": {Restate: []extractors.TierRule{{Last: 48 * time.Hour, Every: 10 * time.Minute}}}}
	for i := range n.Streams {
		n.Streams[i].Settled = 3 * 24 * time.Hour
	}
	_, st = setup(t, n, a, "statuses")
	if got := st.ForEach.Poll; len(got.Tiers) != 1 || got.Tiers[0].Every != 10*time.Minute || got.Settled != 3*24*time.Hour {
		t.Errorf("got %+v, want the account's tiers and the manifest's time to settle", got)
	}
}

func TestOpenLeadsAreAskedForWithoutASince(t *testing.T) {
	n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"ids": {"{items.joined}"}}}, 2)
	source, st := setup(t, n, account(t), "statuses")
	w := extractors.Work{Kind: state.Changes, Items: []string{"1", "2", "3"}}
	var asked [][]string
	for {
		call, err := source.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, call.Items)
		page, err := source.Read(st, w, ok(`{"status":"1","data":[{"id":1}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if page.Done {
			break
		}
		w.Cursor = page.Next
	}
	if diff := cmp.Diff([][]string{{"1", "2"}, {"3"}}, asked); diff != "" {
		t.Errorf("the leads of the calls (-want +got):\n%s", diff)
	}
	for name, bad := range map[string]extractors.Work{
		"no leads":                  {Kind: state.Changes},
		"a snapshot":                {Kind: state.Snapshot, Items: []string{"1"}},
		"changes of another stream": {Kind: state.Changes, Items: []string{"1"}},
		"a cursor beyond the leads": {Kind: state.Changes, Items: []string{"1"}, Cursor: w.Cursor},
	} {
		asks := st
		if name == "changes of another stream" {
			_, asks = setup(t, n, account(t), "news")
		}
		if call, err := source.Next(asks, bad); err == nil {
			t.Errorf("%s: got %v, want an error", name, call)
		}
	}
}

func TestPathsThatTheAccountSaysAreItsOwn(t *testing.T) {
	n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"ids": {"{items.joined}"}}}, 2)
	n.Variables["records"] = manifest.Variable{Help: "where the leads are"}
	n.Variables["id"] = manifest.Variable{Help: "where the id is"}
	m := n.Streams[len(n.Streams)-1]
	m.Output.Records = normalize.Paths{"{variable.records}", "data"}
	m.Output.Columns = map[string]normalize.Field{
		"conversion_id": {From: normalize.Paths{"{variable.id}", "id"}},
		"click_id":      {From: normalize.Paths{"{variable.id}"}},
	}
	w := extractors.Work{Kind: state.Changes, Items: []string{"1"}}
	source, st := setup(t, n, account(t), "statuses")
	if got := st.Outputs[0].Spec; !slices.Equal(got.Records, []string{"data"}) || len(got.Columns) != 1 || !slices.Equal(got.Columns["conversion_id"].From, []string{"id"}) {
		t.Errorf("got %+v, want the manifest's paths alone", got)
	}
	if page, err := source.Read(st, w, ok(`{"status":"1","data":[{"id":1}]}`)); err != nil || page.Records != 1 {
		t.Errorf("got %+v, %v, want a record", page, err)
	}

	a := account(t)
	a.Variables = map[string]string{"records": "answer.leads", "id": "order.number, hash"}
	source, st = setup(t, n, a, "statuses")
	if got := st.Outputs[0].Spec; !slices.Equal(got.Columns["conversion_id"].From, []string{"order.number", "hash", "id"}) || !slices.Equal(got.Columns["click_id"].From, []string{"order.number", "hash"}) {
		t.Errorf("got %+v, want the account's paths first", got)
	}
	if page, err := source.Read(st, w, ok(`{"status":"1","answer":{"leads":[{"hash":1},{"hash":2}]}}`)); err != nil || page.Records != 2 {
		t.Errorf("got %+v, %v, want the records where the account says", page, err)
	}
	if got := m.Output.Records[0]; got != "{variable.records}" {
		t.Errorf("the manifest has %s now: one account's paths are another's", got)
	}

	a.Variables["id"] = `order..number`
	if _, err := New(n, a); err == nil || !strings.Contains(err.Error(), "the paths in id, records do not fit") {
		t.Errorf("got %v, want a path that cannot be one refused", err)
	}
}
