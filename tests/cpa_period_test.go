package tests

import (
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/cpasim"
)

func TestPostbacksAndAPeriodsPullOfTheSameLeadsAreOneRowEach(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.WhoCPA, Leads: 140})
	b.onServer()
	conn, _ := b.warehouse()

	// At first there is nothing but postbacks, which know the own id and no day.
	b.config(b.deaf("who"))
	p := b.start("run")
	half := cpasim.Delivery{Only: func(l cpasim.Lead) bool { return l.ID%2 == 0 }, Disorder: 7, Twice: true, Parallel: 8}
	first := b.deliver(p.page(), "who", half)
	heard := map[string]bool{}
	for _, s := range first {
		heard[s.Lead.OwnID] = true
	}
	b.eventuallyRows(p, conn, "conversions", "conversion_id = click_id AND report_date = toDate(_synced_at)", len(heard))
	b.finish(p)

	// The pull knows the network's id and the day: the rows move there.
	b.config(b.account("who"))
	b.run("run", "--once").ended(t, 0)
	b.whoEqual(conn)

	// Later postbacks come in no order at all while windows are read again.
	b.pass(6 * day)
	b.timePasses(2 * day)
	p = b.start("run")
	half.Disorder = 11
	second := b.deliver(p.page(), "who", half)
	b.finish(p)
	b.timePasses(2 * day)
	b.run("run", "--once").ended(t, 0)
	b.whoEqual(conn)
	if len(second) == 0 {
		t.Error("nothing happened in six days: the test shows nothing")
	}
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".postbacks"); n != uint64(len(first)+len(second)) {
		t.Errorf("%d postbacks are there, %d were accepted", n, len(first)+len(second))
	}
	b.noQuarantine(conn)
	b.refusedNothing()
}

func (b *cpaBed) whoEqual(conn driver.Conn) {
	b.t.Helper()
	codes := map[cpasim.Status]string{cpasim.Waiting: "0", cpasim.Held: "1", cpasim.Approved: "1", cpasim.Rejected: "2", cpasim.Trash: "3"}
	w := newTable("conversion_id click_id status status_raw payout offer_id created report_date sub1 sub2")
	for _, l := range b.sim.Leads(b.clock()) {
		w.add(b.t, 1, strconv.Itoa(l.ID), l.OwnID, ourWord[l.Status], codes[l.Status], decimal(l.Payout), strconv.Itoa(l.Offer.ID),
			unix(l.Made), l.Made.Format(time.DateOnly), l.Subs[0], l.Subs[1])
	}
	w.same(b.t, "conversions of WhoCPA", w.read(b.t, conn, b.database+".conversions WHERE account = 'who'", 1, map[string]string{"created": "toUnixTimestamp(created_at)"}))
	if keys, leads := one[uint64](b.t, conn, "SELECT uniqExact(click_id) FROM "+b.database+".conversions"), len(b.sim.Leads(b.clock())); keys != uint64(leads) {
		b.t.Errorf("%d own ids are there of %d leads", keys, leads)
	}
}

func TestTheFeedOfTrafficLightEqualsTheTruthWithPostbacksBeside(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.TrafficLight, Leads: 80})
	b.onServer()
	b.config(b.account("light"))
	p := b.start("run")
	b.deliver(p.page(), "light", cpasim.Delivery{Disorder: 3, Parallel: 4})
	b.finish(p)
	b.timePasses(2 * day)
	b.run("run", "--once").ended(t, 0)
	conn, _ := b.warehouse()
	w := newTable("conversion_id click_id payout report_date")
	for _, l := range b.sim.Leads(b.clock()) {
		w.add(t, 1, strconv.Itoa(l.ID), l.OwnID, decimal(l.Payout), l.Made.Format(time.DateOnly))
	}
	w.same(t, "conversions of Traffic Light", w.read(t, conn, b.database+".conversions", 1, nil))
	b.refusedNothing()
	b.noQuarantine(conn)
}
