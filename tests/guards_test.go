package tests

import (
	"database/sql"
	"testing"

	_ "modernc.org/sqlite"

	"syncd/tests/affisesim"
)

const conversionsPath = "/3.0/stats/conversions"

// heldAge makes all that is held back older.
func (b *bed) heldAge(minutes int) {
	b.t.Helper()
	db, err := sql.Open("sqlite", b.data("state.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE held SET at = at - ?", minutes*60_000); err != nil {
		b.t.Fatal(err)
	}
}

func TestAPageCountThatDisagreesWithTheTotalIsHeldBackUntilSomebodyAccepts(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 2_000, Platform: zone(t, berlin)}).onServer()
	x := recent(t, "main", berlin, 5)
	b.config(adminAccount("main", berlin, x.from, unpaced))
	only := []string{"--once", "--only", "main/conversions"}
	b.network.Inject(affisesim.Fault{Kind: affisesim.WrongTotal, Path: conversionsPath, Times: -1})
	first := b.run(append([]string{"run"}, only...)...).ended(t, 1)
	says(t, first.stderr, "held back: the network states", "and so will syncd run --accept")
	says(t, b.run("status").stdout, "the network states")

	// The network says the same as before, and in the same minute.
	accepted := b.run(append([]string{"run", "--accept"}, only...)...).ended(t, 0)
	says(t, accepted.stderr, "held back: asked for again, and believed")
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	b.network.SetFaults(affisesim.Faults{})
	again := b.run(append([]string{"run", "--accept"}, only...)...).ended(t, 0)
	says(t, again.stderr, "nothing is held back, so there is nothing to accept")
}

func TestAnEmptyAnswerWhereRowsWereIsHeldBackUntilASecondOneAgrees(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 3_000, Platform: zone(t, berlin)}).onServer()
	x := recent(t, "main", berlin, 5)
	b.config(adminAccount("main", berlin, x.from, unpaced+eager))
	run := []string{"run", "--once", "--only", "main/conversions"}
	b.run(run...).ended(t, 0)
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)

	b.hourPasses()
	b.network.Inject(affisesim.Fault{Kind: affisesim.NoRows, Path: conversionsPath, Times: -1})
	empty := b.run(run...).ended(t, 1)
	says(t, empty.stderr, "held back:", "rows of conversions were visible, now there are 0")
	b.conversionsEqual(conn, x)

	// A second answer in the same quarter of an hour is no other witness.
	b.hourPasses()
	b.run(run...).ended(t, 1)
	b.conversionsEqual(conn, x)

	b.heldAge(20)
	b.run(run...).ended(t, 0)
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions"); n > 60 { // days of less than 20 rows are not guarded
		t.Errorf("%d rows are visible although two answers said that there are none", n)
	}

	b.network.SetFaults(affisesim.Faults{})
	b.hourPasses()
	b.run(run...).ended(t, 0)
	b.conversionsEqual(conn, x)
}

// A run that asks for what did not change makes calls, moves what is fresh, and writes
// nothing.
func TestARunOverWindowsThatDidNotChangeWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 2_000, Clicks: 2_000, Platform: zone(t, berlin)}).onServer()
	x := recent(t, "main", berlin, 9)
	b.config(adminAccount("main", berlin, x.from, unpaced+eager))
	run := []string{"run", "--once", "--only", "main/clicks", "--only", "main/stats/by_offer"}
	b.run(run...).ended(t, 0)
	b.hourPasses()
	b.run(run...).ended(t, 0) // the windows of today were not all there
	conn, _ := b.warehouse()
	pages := "SELECT count() FROM " + b.database + "_store.raw_pages"
	before := one[uint64](t, conn, pages)
	calls := len(b.network.CallsTo("/3.0/stats/clicks"))
	b.hourPasses()
	second := b.run(run...).ended(t, 0)
	says(t, second.stderr, "unchanged")
	if after := one[uint64](t, conn, pages); after-before > 6 { // of the hour and the day that go on
		t.Errorf("%d answers were kept once more", after-before)
	}
	if made := len(b.network.CallsTo("/3.0/stats/clicks")) - calls; made < 100 {
		t.Errorf("%d calls were made, want one for each of the windows", made)
	}
	b.clicksEqual(conn, x)
	b.statsEqual(conn, x)

	// What is asked for by hand is loaded, whatever is known of it.
	day := x.day(x.from)
	b.run("run", "--backfill", day+".."+day, "--only", "main/stats/by_offer").ended(t, 0)
	if again := one[uint64](t, conn, pages); again == before {
		t.Error("a backfill by hand loaded nothing")
	}
}
