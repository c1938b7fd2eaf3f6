package tests

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/cpasim"
)

const day = 24 * time.Hour

// known says by what syncd heard of a lead of the by-ids tests first.
func known(l cpasim.Lead) string { return []string{"postback", "csv", "sql"}[l.ID/3%3] }

// crm makes a table with the leads that a SQL query is to find, in a database of its own.
func (b *cpaBed) crm(conn driver.Conn) (query string) {
	b.t.Helper()
	name := b.database + "_crm"
	exec := func(text string) {
		b.t.Helper()
		if err := conn.Exec(context.Background(), text); err != nil {
			b.t.Fatalf("%s: %v", text, err)
		}
	}
	exec("CREATE DATABASE " + name)
	b.t.Cleanup(func() { exec("DROP DATABASE " + name + " SYNC") })
	exec("CREATE TABLE " + name + ".leads (lead_id UInt64, click String, network String, sent DateTime('UTC')) ORDER BY lead_id")
	for _, l := range b.sim.Leads(b.clock()) {
		if known(l) == "sql" {
			exec(fmt.Sprintf("INSERT INTO %s.leads VALUES (%d, '%s', 'kma', '%s')", name, l.ID, l.OwnID, l.Made.Format(time.DateTime)))
		}
	}
	exec(fmt.Sprintf("INSERT INTO %s.leads VALUES (1, 'other', 'elsewhere', now())", name))
	return "SELECT lead_id, click AS own_id, sent AS created_at FROM " + name + ".leads WHERE network = 'kma'"
}

// csv writes the file of the leads for which a condition holds.
func (b *cpaBed) csv(name string, holds func(cpasim.Lead) bool) {
	b.t.Helper()
	var text strings.Builder
	text.WriteString("created_at,lead_id,note,click_id\r\n")
	for _, l := range b.sim.Leads(b.clock()) {
		if holds(l) {
			fmt.Fprintf(&text, "%s,%d,\"a, b\",%s\r\n", l.Made.Format(time.RFC3339), l.ID, l.OwnID)
		}
	}
	b.write(name, text.String())
}

func TestLeadsKnownByPostbackByFileAndByQueryAreAskedForUntilTheyAreSettled(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: 130})
	b.onServer()
	conn, _ := b.warehouse()
	b.csv("leads.csv", func(l cpasim.Lead) bool { return known(l) == "csv" })
	// The two lists are of two accounts at one network: an account has one list.
	b.config(b.account("by-file", "    open_ids: {file: leads.csv}") + b.account("by-query", `    open_ids: {query: "`+b.crm(conn)+`"}`))

	p := b.start("run")
	told := map[int]cpasim.Lead{} // by the last postback
	for _, sent := range b.deliver(p.page(), "by-file", cpasim.Delivery{Only: func(l cpasim.Lead) bool { return known(l) == "postback" }}) {
		told[sent.Lead.ID] = sent.Lead
	}
	all := len(b.sim.Leads(b.clock()))
	b.eventuallyRows(p, conn, "conversions", "1", all)
	b.finish(p)
	b.kmaEqual(conn, told)

	// Decisions come that nobody tells of.
	b.pass(10 * day)
	b.timePasses(day)
	before := one[int64](t, conn, serverNow)
	b.run("run", "--once").ended(t, 0)
	b.kmaEqual(conn, told)
	if n := one[uint64](t, conn, "SELECT sum(changed) FROM "+b.database+".restatements WHERE table_name = 'conversions' AND toUnixTimestamp64Milli(at) >= $1", before); n == 0 {
		t.Error("no lead was decided in ten days: the test shows nothing")
	}

	// What was decided more than a week ago is asked for once more, and then never again.
	b.timePasses(8 * day)
	b.run("run", "--once").ended(t, 0)
	b.sim.ResetLog()
	b.timePasses(day)
	b.run("run", "--once").ended(t, 0)
	asked := b.asked()
	for _, l := range b.sim.Leads(b.clock()) {
		decided := l.Status == cpasim.Approved || l.Status == cpasim.Rejected || l.Status == cpasim.Trash
		if n := asked[strconv.Itoa(l.ID)]; decided && n > 0 || !decided && n == 0 {
			t.Errorf("lead %d, which is %s since %s, was asked for %d times", l.ID, l.Status, l.Changed, n)
		}
	}
	b.kmaEqual(conn, told)
	b.refusedNothing()
	b.noQuarantine(conn)
}

// kmaEqual compares what the warehouse has of leads with the truth: KMA tells a status by
// pull, and all else by postback.
func (b *cpaBed) kmaEqual(conn driver.Conn, told map[int]cpasim.Lead) {
	b.t.Helper()
	w := newTable("conversion_id account click_id status status_raw payout currency offer_id sub1 sub2")
	for _, l := range b.sim.Leads(b.clock()) {
		account := map[string]string{"postback": "by-file", "csv": "by-file", "sql": "by-query"}[known(l)]
		row := []string{strconv.Itoa(l.ID), account, l.OwnID, kmaWord[l.Status], kmaLetter[l.Status], "0", "", "", "", ""}
		if p, ok := told[l.ID]; ok {
			copy(row[5:], []string{decimal(p.Payout), p.Offer.Currency, strconv.Itoa(p.Offer.ID), p.Subs[0], p.Subs[1]})
		}
		w.add(b.t, 1, row...)
	}
	w.same(b.t, "conversions of KMA", w.read(b.t, conn, b.database+".conversions", 1, nil))

	// The day of a lead is what its list said, or that of its first postback.
	days := newTable("conversion_id report_date")
	for _, l := range b.sim.Leads(b.clock()) {
		if _, ok := told[l.ID]; !ok {
			days.add(b.t, 1, strconv.Itoa(l.ID), l.Made.Format(time.DateOnly))
		}
	}
	days.same(b.t, "days of KMA's leads that a list named", days.read(b.t, conn, b.database+".conversions WHERE offer_id = ''", 1, nil))
}

func TestASignedNetworkIsAskedForOneLeadACall(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.TerraLeads, Leads: 25})
	b.onServer()
	b.csv("leads.csv", func(cpasim.Lead) bool { return true })
	b.config(b.account("terra", "    open_ids: {file: leads.csv}"))
	b.run("run", "--once").ended(t, 0)
	conn, _ := b.warehouse()
	equal := func() {
		t.Helper()
		words := map[cpasim.Status]string{cpasim.Waiting: "accept", cpasim.Held: "expect", cpasim.Approved: "confirm", cpasim.Rejected: "reject", cpasim.Trash: "trash"}
		w := newTable("conversion_id click_id status status_raw report_date")
		for _, l := range b.sim.Leads(b.clock()) {
			w.add(t, 1, strconv.Itoa(l.ID), l.OwnID, ourWord[l.Status], words[l.Status], l.Made.Format(time.DateOnly))
		}
		w.same(t, "conversions of TerraLeads", w.read(t, conn, b.database+".conversions", 1, nil))
		b.refusedNothing()
		b.noQuarantine(conn)
	}
	equal()
	for id, n := range b.asked() {
		if n != 1 {
			t.Errorf("lead %s was asked for %d times", id, n)
		}
	}
	b.pass(5 * day)
	b.timePasses(day)
	b.run("run", "--once").ended(t, 0)
	equal()
}

func TestAWrongSecretOfASignedNetworkStopsItsAccountAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.TerraLeads, Leads: 10})
	b.onServer()
	b.csv("leads.csv", func(cpasim.Lead) bool { return true })
	b.env = append(b.env, "LEADS_KEY=e2e-WRONG-key-000")
	b.config(b.account("terra", "    open_ids: {file: leads.csv}"))
	r := b.run("run", "--once").ended(t, 1)
	says(t, r.stderr, "terra", "wrong check_sum")
	if n := len(b.sim.Log()); n > 6 {
		t.Errorf("%d calls were made with a wrong secret", n)
	}
	conn, _ := b.warehouse()
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions"); n > 0 {
		t.Errorf("%d rows came of it", n)
	}
}

func TestALeadThatWasApprovedAndIsRejectedLaterIsRestated(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: -1})
	b.onServer()
	b.config(b.account("kma"))
	lead := b.sim.Make(3)[1]
	b.sim.Decide(lead.ID, cpasim.Approved, "21.5", "")
	p := b.start("run")
	b.deliver(p.page(), "kma", cpasim.Delivery{})
	conn, _ := b.warehouse()
	b.eventuallyRows(p, conn, "conversions", fmt.Sprintf("conversion_id = '%d' AND status = 'approved' AND payout = 21.5", lead.ID), 1)
	b.finish(p)

	before := one[int64](t, conn, serverNow)
	b.pass(day)
	b.sim.Decide(lead.ID, cpasim.Rejected, "", "returned")
	b.timePasses(day)
	b.run("run", "--once").ended(t, 0)
	w := newTable("conversion_id status status_raw payout")
	for _, l := range b.sim.Leads(b.clock()) {
		w.add(t, 1, strconv.Itoa(l.ID), kmaWord[l.Status], kmaLetter[l.Status], decimal(l.Payout))
	}
	w.same(t, "conversions of KMA", w.read(t, conn, b.database+".conversions", 1, nil))
	if n := one[uint64](t, conn, "SELECT sum(changed) FROM "+b.database+".restatements WHERE table_name = 'conversions' AND toUnixTimestamp64Milli(at) >= $1", before); n == 0 {
		t.Error("the ledger of restatements knows nothing of it")
	}
	b.refusedNothing()
}
