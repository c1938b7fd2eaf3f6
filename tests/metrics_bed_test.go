package tests

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd/tests/metricssim"
)

// The key of the simulated 24metrics, spelt so that a search for it finds nothing else.
const metricsKeyText = "e2e-METRICS-key-3a9e41"

// tracked is an installation with one account of a simulated 24metrics.
type tracked struct {
	*bed
	network *metricssim.Network
	zone    *time.Location
	began   time.Time
	// ahead is how far the network's clock is ahead of ours.
	ahead atomic.Int64
	// db is the state, once a test asked for it; see state.
	db *sql.DB
}

// integrations are the platform's ids of ten letters and digits.
var integrations = []string{"dhk0demo01", "dhk0demo02"}

// track starts a simulated 24metrics and makes an installation with an account in a
// zone; more are further lines of the account's configuration.
func track(t *testing.T, o metricssim.Options, zoneName, more string) *tracked {
	t.Helper()
	k := &tracked{bed: newFolder(t).onServer(), zone: zone(t, zoneName), began: time.Now()}
	o.Key = metricsKeyText
	o.Now = func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) }
	k.network = metricssim.New(o)
	url, stop, err := k.network.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := k.network.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range k.network.Violations() {
			t.Errorf("what a client must not do: %s", v)
		}
	})
	k.url = url
	k.env = []string{"METRICS_KEY=" + metricsKeyText}
	k.account(zoneName, more)
	return k
}

// account writes the configuration.
func (k *tracked) account(zoneName, more string) {
	k.t.Helper()
	k.config(fmt.Sprintf(`  - name: track
    network: 24metrics
    base_url: {url}
    credentials: {api_key: "${METRICS_KEY}"}
    timezone: %s
    pace: {min_delay: 0s, allow_faster: true}
%s`, zoneName, more))
}

// pageSize is small, so that the rows of few hours are several pages.
const pageSize = 5

// variables is a line of an account's configuration.
func variables(more string) string {
	return fmt.Sprintf("    variables: {integrations: \"%s\", currency: USD, page_size: \"%d\"%s}\n", strings.Join(integrations, ","), pageSize, more)
}

// settled is the time before which every row was old enough to be asked for.
func (k *tracked) settled() time.Time { return k.began.Add(-10 * time.Minute).Truncate(time.Second) }

// exportsOf are the exports of a kind that were bought.
func (k *tracked) exportsOf(kind string) []metricssim.Export {
	return slices.DeleteFunc(k.network.Exports(), func(e metricssim.Export) bool { return e.Type != kind })
}

// pagesOf counts the pages of a report that were read.
func (k *tracked) pagesOf(table string) int {
	return len(k.network.CallsTo("/api/v2/reports/v2/" + table))
}

// pagesToday is how many pages the rows of today fill, by the days of UTC in which the
// platform is asked: a page for each integration at least.
func (k *tracked) pagesToday(kind string) (pages int) {
	rows := map[string]int{}
	for _, r := range k.network.Between(kind, k.began.UTC().Truncate(24*time.Hour), k.settled()) {
		rows[r.Integration]++
	}
	for _, integration := range integrations {
		pages += max(1, (rows[integration]+pageSize-1)/pageSize)
	}
	return pages
}

func oneIf(v bool) int {
	if v {
		return 1
	}
	return 0
}

// changeOfClocks is the last day before at on which the clocks of a zone were put
// forward (1) or back (-1).
func changeOfClocks(t *testing.T, loc *time.Location, at time.Time, way int) time.Time {
	t.Helper()
	for range 366 {
		_, before := at.AddDate(0, 0, -1).In(loc).Zone()
		_, after := at.In(loc).Zone()
		if (after-before)*way > 0 {
			return at
		}
		at = at.AddDate(0, 0, -1)
	}
	t.Fatalf("the clocks of %s are never changed", loc)
	return at
}

func TestMetricsBecomesWhatTheNetworkSays(t *testing.T) {
	t.Parallel()
	start := time.Now().AddDate(0, 0, -5)
	k := track(t, metricssim.Options{
		Seed: 3, Integrations: integrations, ConversionsPerDay: 120, ClicksPerDay: 160, ImpressionsPerDay: 100, From: start.AddDate(0, 0, -3),
	}, berlin, variables("")+"    start: "+start.Format(time.DateOnly)+"\n")

	// What is to come is told beforehand, and by which way.
	p := k.run("plan").ended(t, 0)
	says(t, p.stdout, "hot: asked for directly", "rows not known yet: a file", "the network gives these rows as a file only")
	if len(k.network.Log()) > 0 {
		t.Errorf("plan made %d calls", len(k.network.Log()))
	}

	k.run("run", "--once").ended(t, 0)
	conn := k.connect()
	k.metricsListsEqual(conn, k.network)
	for _, s := range rowKinds {
		from := k.began.AddDate(0, 0, -2)
		if s.stream == "conversions" {
			from = start.UTC().Truncate(24 * time.Hour)
		}
		k.metricsRowsEqual(conn, k.network, s.stream, k.zone, span{from, k.settled()})
		bought := k.exportsOf(s.kind)
		if len(bought) != len(integrations) {
			t.Errorf("%d exports of %s were bought, want one for each of %d integrations", len(bought), s.stream, len(integrations))
		}
		for _, e := range bought {
			if e.Fetched != 1 {
				t.Errorf("the file of %s from %s to %s was fetched %d times", e.Type, e.Start, e.End, e.Fetched)
			}
		}
	}
	k.noQuarantine(conn)
	var negative, large, yen int
	for _, r := range k.network.Between(metricssim.Conversions, start, k.settled()) {
		negative += oneIf(r.Payout < 0)
		large += oneIf(r.Payout.String() == "185000000")
		yen += oneIf(r.Offer.Currency == "JPY" && !strings.Contains(r.Payout.String(), "."))
	}
	if negative == 0 || large == 0 || yen == 0 {
		t.Errorf("the truth has %d corrections, %d amounts of 185000000 and %d in whole yen: these were not compared", negative, large, yen)
	}
	for table, kind := range map[string]string{
		"conversion-table": metricssim.Conversions, "click-table": metricssim.Clicks, "impression-table": metricssim.Impressions,
	} {
		if read, want := k.pagesOf(table), k.pagesToday(kind); read < want {
			t.Errorf("%d pages of %s were read, want %d at least: recent rows come page by page", read, table, want)
		}
	}
	for _, c := range k.network.Log() {
		if c.Status >= 300 {
			t.Errorf("%s %s?%s was answered %d", c.Method, c.Path, c.Params.Encode(), c.Status)
		}
	}
	if leaked := one[uint64](t, conn, "SELECT count() FROM "+k.database+"_store.raw_pages WHERE position(request, 'Signature') + position(request, 'secret-guest') > 0"); leaked > 0 {
		t.Errorf("%d stored answers tell of a link to a file", leaked)
	}
}

// The account's days are not those of UTC, in which the platform is asked: the days on
// which its clocks change are brought whole by both ways.
func TestMetricsBringsTheDaysOnWhichClocksChange(t *testing.T) {
	t.Parallel()
	for _, name := range []string{berlin, "America/New_York"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			back := changeOfClocks(t, zone(t, name), now.AddDate(0, 0, -3), -1)
			forward := changeOfClocks(t, zone(t, name), now.AddDate(0, 0, -3), 1)
			k := track(t, metricssim.Options{
				Seed: 5, Integrations: integrations, ConversionsPerDay: 90, ClicksPerDay: 90, ImpressionsPerDay: 60, From: now.AddDate(-1, 0, -10),
			}, name, variables(""))
			backfill := func(at time.Time) {
				t.Helper()
				from, to := at.AddDate(0, 0, -1).In(k.zone).Format(time.DateOnly), at.In(k.zone).Format(time.DateOnly)
				k.run("run", "--backfill", from+".."+to, "--only", "track/conversions", "--only", "track/clicks", "--only", "track/impressions", "--only", "track/postback_logs").ended(t, 0)
				conn := k.connect()
				for _, s := range rowKinds {
					k.metricsRowsEqual(conn, k.network, s.stream, k.zone, metricsDay(at.AddDate(0, 0, -1), 2))
				}
				k.noQuarantine(conn)
			}
			backfill(back)
			if n := len(k.network.Exports()); n != len(rowKinds)*len(integrations) {
				t.Errorf("%d exports were bought, want one for each of %d streams and %d integrations", n, len(rowKinds), len(integrations))
			}
			if n := k.pagesOf("conversion-table"); n > 0 {
				t.Errorf("%d pages were read of what comes as a file", n)
			}
			// Now that it is known how few rows there are, pages cost less than exports.
			backfill(forward)
			if n := k.pagesOf("conversion-table"); n == 0 {
				t.Error("no page was read of what is cheaper page by page")
			}
			if n := len(k.exportsOf(metricssim.Conversions)); n != len(integrations) {
				t.Errorf("%d exports of conversions were bought, want none for the second range", n)
			}
		})
	}
}
