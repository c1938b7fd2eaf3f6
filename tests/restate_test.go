package tests

import (
	"database/sql"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	_ "modernc.org/sqlite"

	"syncd/tests/affisesim"
)

// serverNow asks the server's clock, milliseconds since the epoch.
const serverNow = "SELECT toUnixTimestamp64Milli(now64(3))"

// restated compares the ledger's counts since a moment with what the network did.
func (b *bed) restated(conn driver.Conn, since int64, r affisesim.Report) {
	b.t.Helper()
	var added, changed, removed uint64
	row := conn.QueryRow(b.t.Context(), "SELECT sum(added), sum(changed), sum(removed) FROM "+b.database+".restatements WHERE table_name = 'conversions' AND toUnixTimestamp64Milli(at) >= $1", since)
	if err := row.Scan(&added, &changed, &removed); err != nil {
		b.t.Fatal(err)
	}
	if int(added) != len(r.Late) || int(changed) != len(r.Statuses)+len(r.Amounts) || int(removed) != len(r.Removed) {
		b.t.Errorf("the ledger has %d added, %d changed, %d removed; the network did %d, %d, %d",
			added, changed, removed, len(r.Late), len(r.Statuses)+len(r.Amounts), len(r.Removed))
	}
}

// countedOnce compares the ledger's additions with the rows that are visible: what
// was published once more after a crash must not count twice.
func (b *bed) countedOnce(conn driver.Conn) {
	b.t.Helper()
	for _, table := range []string{"conversions", "clicks", "stats", "offers"} {
		visible := one[uint64](b.t, conn, "SELECT count() FROM "+b.database+"."+table)
		added := one[uint64](b.t, conn, "SELECT sum(added) FROM "+b.database+".restatements WHERE table_name = $1", table)
		if added != 0 && added != visible { // a first publication may count nothing
			b.t.Errorf("%s: %d rows are visible and %d were added by the ledger", table, visible, added)
		}
	}
}

// eager has every window pulled again after an hour.
const eager = `    streams:
      conversions: {restate: [{last: 30d, every: 1h}]}
      clicks: {restate: [{last: 6d, every: 1h}]}
      stats/by_offer: {restate: [{last: 30d, every: 1h}]}
`

// hourPasses makes all that was pulled an hour older.
func (b *bed) hourPasses() {
	b.t.Helper()
	db, err := sql.Open("sqlite", b.data("state.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE checkpoints SET pulled_at = pulled_at - 3600000, published_at = published_at - 3600000"); err != nil {
		b.t.Fatal(err)
	}
}

func TestAfterHistoryWasRestatedTheNextRunMakesTheViewsEqualTheTruthAgain(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 3_000, Clicks: 6_000, Platform: zone(t, berlin)}).onServer()
	x := recent(t, "main", berlin, 9)
	b.config(adminAccount("main", berlin, x.from, unpaced+eager))
	args := []string{"run", "--once", "--only", "main/conversions", "--only", "main/clicks", "--only", "main/stats/by_offer", "--only", "main/offers"}
	b.run(args...).ended(t, 0)
	conn, _ := b.warehouse()

	for round := range 2 {
		before := one[int64](t, conn, serverNow)
		report := b.network.Restate(uint64(round), affisesim.Change{
			Statuses: 60, Amounts: 20, Late: 40, Removed: 30, LateClicks: 25, RemovedClicks: 15, Offers: 3, Within: 4 * 24 * time.Hour,
		})
		b.hourPasses()
		b.run(args...).ended(t, 0)
		b.conversionsEqual(conn, x)
		b.clicksEqual(conn, x)
		b.statsEqual(conn, x)
		b.performanceEqual(conn, x)
		added := one[uint64](t, conn, "SELECT sum(added) FROM "+b.database+".restatements WHERE table_name = 'clicks' AND toUnixTimestamp64Milli(at) >= $1", before)
		removed := one[uint64](t, conn, "SELECT sum(removed) FROM "+b.database+".restatements WHERE table_name = 'clicks' AND toUnixTimestamp64Milli(at) >= $1", before)
		if int(added) != len(report.LateClicks) || int(removed) != len(report.RemovedClicks) {
			t.Errorf("the ledger has %d clicks added and %d removed; the network did %d and %d", added, removed, len(report.LateClicks), len(report.RemovedClicks))
		}
	}
}
