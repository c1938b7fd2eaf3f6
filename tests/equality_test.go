package tests

import (
	"fmt"
	"testing"
	"time"

	"syncd/tests/affisesim"
)

// recent is the part of the truth that a run pulls whose account starts days ago.
// Clicks are compared where the network serves them for as long as the test lasts.
func recent(t *testing.T, account, name string, days int) extent {
	t.Helper()
	loc := zone(t, name)
	now := time.Now().In(loc)
	return extent{
		account: account, zone: loc,
		from:   time.Date(now.Year(), now.Month(), now.Day()-days, 0, 0, 0, 0, loc),
		to:     now.Add(time.Hour),
		clicks: now.Add(-5 * 24 * time.Hour),
	}
}

// adminAccount is an account with the key that sees all; more are its further lines.
func adminAccount(name, zone string, start time.Time, more string) string {
	return fmt.Sprintf(`  - name: %s
    network: affise
    base_url: {url}
    credentials: {api_key: "${ADMIN_KEY}"}
    role: admin
    timezone: %s
    start: %s
%s
`, name, zone, start.Format(time.DateOnly), more)
}

const unpaced = "    pace: {min_delay: 0s, allow_faster: true}\n"

func affiliateAccount(name, zone string, start time.Time, more string) string {
	return fmt.Sprintf(`  - name: %s
    network: affise
    base_url: {url}
    credentials: {api_key: "${AFFILIATE_KEY}"}
    role: affiliate
    timezone: %s
    start: %s
%s
`, name, zone, start.Format(time.DateOnly), more)
}

func TestOnceFromAnEmptyFolderMakesTheViewsEqualTheTruth(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{
		Conversions: 3_000, Clicks: 6_000,
		Platform: zone(t, berlin), // the times of offers and people come in the platform's zone, which nothing tells
		Switches: affisesim.Switches{Strict: true},
	})
	x := recent(t, "main", berlin, 9)
	y := recent(t, "partner", "America/New_York", 9)
	b.config(adminAccount("main", berlin, x.from, unpaced) + affiliateAccount("partner", "America/New_York", y.from, unpaced))
	b.run("run", "--once").ended(t, 0)

	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	b.clicksEqual(conn, x)
	b.entitiesEqual(conn, "main")
	b.statsEqual(conn, x)
	b.performanceEqual(conn, x)
	b.affiliateConversionsEqual(conn, y, affiliateID)
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+"_store.quarantine"); n > 0 {
		t.Errorf("%d records are in quarantine, first: %s", n, one[string](t, conn, "SELECT any(concat(stream, ': ', reason, ' ', record)) FROM "+b.database+"_store.quarantine"))
	}
	for _, c := range b.network.Log() {
		if len(c.Alien) > 0 {
			t.Errorf("%s was sent parameters that the documents do not name: %v", c.Path, c.Alien)
		}
		if c.Method != "GET" {
			t.Errorf("%s %s: only reads may be sent", c.Method, c.Path)
		}
		if c.Query {
			t.Errorf("%s: the key was sent in the URL", c.Path)
		}
	}
	if again := b.network.Repeated(0); len(again) > 0 {
		t.Errorf("%d calls were made twice, first: %s?%s", len(again), again[0].Second.Path, again[0].Second.Params)
	}
}

func TestABackfillOverTheEndOfSummerTimeEqualsTheTruth(t *testing.T) {
	t.Parallel()
	loc := zone(t, berlin)
	// In the night to October 26th 2025 the hour from two to three happens twice.
	from, to := time.Date(2025, 10, 20, 0, 0, 0, 0, loc), time.Date(2025, 11, 1, 0, 0, 0, 0, loc)
	b := newBed(t, affisesim.Options{From: from.AddDate(0, 0, -2), To: to.AddDate(0, 0, 2), Conversions: 20_000, Clicks: -1}).onServer()
	b.config(adminAccount("main", berlin, from, unpaced))
	r := b.run("run", "--backfill", "2025-10-20..2025-10-31", "--only", "main/conversions", "--only", "main/stats/by_offer").ended(t, 0)
	says(t, r.stderr, `"msg":"backfill ended"`, `"windows_done":24,"windows":24`)

	conn, _ := b.warehouse()
	x := extent{account: "main", zone: loc, from: from, to: to}
	b.conversionsEqual(conn, x)
	b.statsEqual(conn, x)
	twice := one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions WHERE created_at >= '2025-10-26 00:00:00' AND created_at < '2025-10-26 02:00:00'")
	if twice == 0 {
		t.Error("no conversion fell into the hour that happens twice: the test shows nothing")
	}
}
