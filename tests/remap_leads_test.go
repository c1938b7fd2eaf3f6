package tests

import (
	"strings"
	"testing"
	"time"

	"syncd/tests/cpasim"
)

// The first mapping takes a status for another, puts a sub into a column that the right one
// does not fill, and does not know the own id of a lead, so that postbacks are of other
// leads than those that are pulled.
func TestRemapPutsLeadsTogetherAnew(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.WhoCPA, Leads: 140})
	b.onServer()
	conn, _ := b.warehouse()
	right := b.binary
	const file = "whocpa/10_leads.yaml"
	b.binary = remade(t, "syncd-who",
		edit{file, `"2": rejected`, `"2": hold`}, edit{file, "sub2: {from: subid2}", "sub8: {from: subid2}"}, edit{file, "click_id: {from: sale_id}", "external_id: {from: sale_id}"})
	b.config(b.account("who"))
	p := b.start("run")
	b.deliver(p.page(), "who", cpasim.Delivery{Only: func(l cpasim.Lead) bool { return l.ID%2 == 0 }, Disorder: 7, Twice: true, Parallel: 8})
	b.finish(p)
	b.pass(6 * day)
	b.comesDue(2 * day)
	p = b.start("run")
	b.deliver(p.page(), "who", cpasim.Delivery{Only: func(l cpasim.Lead) bool { return l.ID%2 == 0 }, Disorder: 11, Parallel: 8})
	b.finish(p)
	b.comesDue(2 * day)
	b.run("run", "--once").ended(t, 0)
	leads := uint64(len(b.sim.Leads(b.clock())))
	count := func(where string) uint64 {
		return one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions WHERE "+where)
	}
	if n := count("1"); n <= leads {
		t.Fatalf("%d rows are there of %d leads: the test shows nothing", n, leads)
	}
	b.sim.ResetLog()

	b.binary = right
	says(t, b.run("status").ended(t, 0).stdout, "normalized with an older mapping", "syncd remap --only who/leads")
	// It is killed before the new book of leads takes the old one's place.
	b.binary = must(crashing())(t)
	if r := b.startWith([]string{"SYNCD_CRASH=checkpointed:1"}, "remap").wait(); r.signal == 0 {
		t.Fatalf("it was never killed:\n%s", tail(r.stderr))
	}
	if n := count("status = 'pending' AND status_raw = '1'"); n > 0 {
		t.Errorf("%d leads stand as they once stood", n)
	}
	b.binary = right
	r := b.run("remap", "--only", "who/leads").ended(t, 0)
	says(t, r.stdout, "who      leads", "who      postbacks")
	b.whoEqual(conn)
	if n := count("sub8 <> '' OR external_id <> ''"); n > 0 {
		t.Errorf("%d rows have what only the old mapping told", n)
	}
	if calls := b.sim.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls", len(calls))
	}
	b.noQuarantine(conn)
	if r := b.run("status").ended(t, 0); strings.Contains(r.stdout, "older mapping") {
		t.Errorf("something is still of an older mapping:\n%s", r.stdout)
	}

	// What the book of leads says by now is what is visible: asking again changes nothing.
	before := one[int64](t, conn, serverNow)
	b.run("run", "--once").ended(t, 0)
	b.whoEqual(conn)
	if n := one[uint64](t, conn, "SELECT sum(added + changed + removed) FROM "+b.database+".restatements WHERE toUnixTimestamp64Milli(at) >= $1", before); n > 0 {
		t.Errorf("%d rows changed when the network was asked again", n)
	}
	b.pass(3 * day)
	b.comesDue(2 * day)
	b.run("run", "--once").ended(t, 0)
	b.whoEqual(conn)
	b.refusedNothing()
}

// comesDue makes what is to be asked for later due by then. Unlike timePasses it leaves when
// leads were first seen, which the answers that are kept agree with.
func (b *cpaBed) comesDue(d time.Duration) {
	b.t.Helper()
	b.earlier(d, "UPDATE leads SET next_poll = next_poll - CASE WHEN next_poll > 0 THEN $1 ELSE 0 END")
}

// A word of a postback that was not known becomes a status once the network's manifest
// knows it; leads that only a list named stay as it named them.
func TestRemapReadsPostbacksByTheWordsThatAreKnownByNow(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: 130})
	b.onServer()
	conn, _ := b.warehouse()
	right := b.binary
	b.binary = remade(t, "syncd-kma",
		edit{"kma.yaml", "statuses: {p: pending, a: approved, d: rejected, f: trash}", "statuses: {p: pending}"},
		edit{"kma.yaml", "map: {P: pending, A: approved, D: rejected, F: trash}", "map: {P: pending, A: hold}"})
	b.csv("leads.csv", func(l cpasim.Lead) bool { return known(l) == "csv" })
	b.config(b.account("by-file", "    open_ids: {file: leads.csv}") + b.account("by-query", `    open_ids: {query: "`+b.crm(conn)+`"}`))
	p := b.start("run")
	told := map[int]cpasim.Lead{}
	for _, sent := range b.deliver(p.page(), "by-file", cpasim.Delivery{Only: func(l cpasim.Lead) bool { return known(l) == "postback" }}) {
		told[sent.Lead.ID] = sent.Lead
	}
	b.eventuallyRows(p, conn, "conversions", "1", len(b.sim.Leads(b.clock())))
	b.finish(p)
	b.pass(10 * day)
	b.timePasses(day)
	b.run("run", "--once").ended(t, 0)
	unknown := func(view string) uint64 {
		return one[uint64](t, conn, "SELECT count() FROM "+b.database+"."+view+" WHERE status IN ('unknown', 'hold')")
	}
	if unknown("postbacks") == 0 || unknown("conversions") == 0 {
		t.Fatal("every status was known: the test shows nothing")
	}
	b.sim.ResetLog()

	b.binary = right
	b.run("remap").ended(t, 0)
	if calls := b.sim.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls", len(calls))
	}
	if n := unknown("postbacks"); n > 0 {
		t.Errorf("%d postbacks are still of no known status", n)
	}
	b.kmaEqual(conn, told)
	b.timePasses(day)
	b.run("run", "--once").ended(t, 0)
	b.kmaEqual(conn, told)
	b.refusedNothing()
	b.noQuarantine(conn)
}
