package tests

import (
	"testing"
	"time"

	"syncd/tests/affisesim"
	"syncd/tests/metricssim"
	"syncd/tests/performcbsim"
)

func TestCheckSaysWhichInferredFactAnAnswerContradicts(t *testing.T) {
	t.Parallel()
	n := metricssim.New(metricssim.Options{Key: "e2e-CHECK-key-90aa", Integrations: []string{"dhk0demo01"}, From: time.Now().AddDate(0, 0, -5), OneHost: true})
	t.Cleanup(func() { n.Close() })
	b := newFolder(t).onServer()
	var err error
	if b.url, _, err = n.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.env = []string{"CHECK_KEY=e2e-CHECK-key-90aa"}
	account := `  - name: m
    network: 24metrics
    base_url: {url}
    credentials: {api_key: "${CHECK_KEY}"}
    variables: {integrations: dhk0demo01`
	b.config(account + "}\n    pace: {min_delay: 0s, allow_faster: true}\n")
	r := b.run("check").ended(t, 0)
	says(t, r.stdout, "ok     account m", "ok     stream m/conversions: 100 records, all understood", "ok     stream m/postback_logs: the list of exports can be read",
		"-      stream m/offer_events: not asked: it goes over the ids of stream offers")

	b.config(account + ", clicks_path: /api/v2/reports/v3/clicks, range_from: begin_at}\n    pace: {min_delay: 0s, allow_faster: true}\n")
	r = b.run("check").ended(t, 1)
	says(t, r.stdout, "FAULT  stream m/clicks: 24metrics does not know this call", "FAULT  stream m/conversions", "it rests on what is inferred and may be otherwise for you: ", "variables.range_to (")
	if len(n.Exports()) > 0 || len(n.Violations()) > 0 {
		t.Errorf("check created %d exports and broke rules: %v", len(n.Exports()), n.Violations())
	}
}

func TestCheckDoesNotSpendTheCallsOfASlowNetwork(t *testing.T) {
	t.Parallel()
	n := performcbsim.New(performcbsim.Options{Accounts: []performcbsim.Account{{UserID: 90017, APIKey: "e2e-CHECK-key-77c1"}}})
	t.Cleanup(func() { n.Close() })
	b := newFolder(t).onServer()
	var err error
	if b.url, _, err = n.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.env = []string{"CHECK_KEY=e2e-CHECK-key-77c1"}
	b.config(`  - name: p
    network: performcb
    base_url: {url}
    credentials: {api_key: "${CHECK_KEY}"}
    variables: {user_id: "90017"}
    timezone: America/New_York
`)
	r := b.run("check").ended(t, 0)
	says(t, r.stdout, "ok     account p", "rest on something inferred and were not asked, for Perform[cb] takes a call in 5m0s; --streams asks them")
	if calls := n.Log(); len(calls) != 1 {
		t.Errorf("check made %d calls at a network that takes one in five minutes", len(calls))
	}
}

func TestCheckGoesOnWithoutAWarehouse(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 1, Clicks: 1})
	b.dsn = "clickhouse://default@127.0.0.1:1/" // nothing listens on port 1
	b.config(adminAccount("main", "UTC", time.Now().AddDate(0, 0, -2), unpaced))
	r := b.run("check").ended(t, 1)
	says(t, r.stdout, "ok     state", "FAULT  warehouse: ", "127.0.0.1:1", "ok     account main: Affise accepts the key")
}
