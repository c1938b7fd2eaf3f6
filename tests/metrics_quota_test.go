package tests

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd/tests/metricssim"
)

// streamSays gives what the daemon's API says of a stream.
func streamSays(t *testing.T, page, stream string) string {
	t.Helper()
	_, text := get(t, page+"/api/status")
	_, rest, _ := strings.Cut(text, `"stream":"`+stream+`"`)
	line, _, _ := strings.Cut(rest, `"stream":`)
	return line
}

// The platform grants a few exports a day. When they are used up files wait for
// tomorrow, and what comes page by page does not.
func TestMetricsPagesGoOnWhileFilesWaitForTomorrow(t *testing.T) {
	t.Parallel()
	many := make([]string, 11) // one more than the ten exports that the manifest allows
	for i := range many {
		many[i] = fmt.Sprintf("dhk0demo%02d", i+1)
	}
	tests := []struct {
		name         string
		fault        metricssim.FaultKind
		integrations []string
		bought       int
		says         string
	}{
		{"the network refuses with 429", metricssim.TooManyRequests, integrations, 0, "Too Many Requests"},
		{"the network refuses with 402", metricssim.PaymentRequired, integrations, 0, "Payment Required"},
		{"the account's own count is full", "", many, 10, "waiting for the exports budget until "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now().UTC().AddDate(0, 0, -1)
			k := track(t, metricssim.Options{
				Seed: 41, Integrations: test.integrations, ExportsPerDay: 100, ConversionsPerDay: 120, ClicksPerDay: -1, Offers: 22, From: start.AddDate(0, 0, -3),
			}, "UTC", fmt.Sprintf("    variables: {integrations: \"%s\", currency: USD}\n    start: %s\n", strings.Join(test.integrations, ","), start.Format(time.DateOnly)))
			if test.fault != "" {
				k.network.Inject(metricssim.Fault{Kind: test.fault, Type: metricssim.Postbacks, Times: -1})
			}
			only := []string{"--only", "track/conversions", "--only", "track/postback_logs"}
			p := k.start(append([]string{"run"}, only...)...)
			page := p.page()
			eventually(t, "the files to wait", func() bool { return strings.Contains(streamSays(t, page, "postback_logs"), test.says) })
			eventually(t, "the pages to be published", func() bool { return strings.Contains(streamSays(t, page, "conversions"), "up to date") })
			if !strings.Contains(streamSays(t, page, "postback_logs"), "waiting") {
				t.Errorf("the stream that waits says %s", streamSays(t, page, "postback_logs"))
			}
			k.metricsRowsEqual(k.connect(), k.network, "conversions", k.zone, span{start.Truncate(24 * time.Hour), k.settled()})
			k.bought(test.bought)
			tried := len(slices.DeleteFunc(k.network.CallsTo("/api/v2/download-center/integrations/"), func(c metricssim.Call) bool { return c.Method != "POST" }))
			if most := max(test.bought, 1); tried > most {
				t.Errorf("exports were asked for %d times, want %d", tried, most)
			}
			p.signal(syscall.SIGTERM)
			r := p.wait().ended(t, 0)
			if test.fault == "" {
				says(t, r.stderr, test.says)
				return
			}
			// Tomorrow they are granted again.
			k.network.ClearFaults()
			k.resume()
			k.run(append([]string{"run", "--once"}, only...)...).ended(t, 0)
			k.metricsRowsEqual(k.connect(), k.network, "postback_logs", k.zone, span{start.Truncate(24 * time.Hour), k.settled()})
			k.bought(len(test.integrations))
		})
	}
}

// An export that a user of the platform made is as good as one of our own, if it was
// made of the same, not long ago, and when the days were over.
func TestMetricsTakesOverAnExportThatSomebodyMade(t *testing.T) {
	t.Parallel()
	all := metricssim.FieldNames(metricssim.Clicks)
	tests := []struct {
		name   string
		fields []string
		days   int
		ago    time.Duration
		taken  bool
	}{
		{"just now", all, 2, time.Minute, true},
		{"with its columns in another order", reversed(all), 2, 2 * time.Hour, true},
		{"too long ago", all, 2, 7 * time.Hour, false},
		{"with fewer columns", all[1:], 2, time.Minute, false},
		{"of fewer days", all, 1, time.Minute, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k, s, args := oneFile(t, metricssim.Options{Seed: 42, ClicksPerDay: 60}, 2, "")
			k.ahead.Store(-int64(test.ago))
			exportClicks(t, k.url, metricsDay(s.from, test.days), test.fields)
			k.ahead.Store(0)
			k.run(args...).ended(t, 0)
			k.metricsRowsEqual(k.connect(), k.network, "clicks", k.zone, s)
			made := 1
			if !test.taken {
				made++
			}
			if e := k.bought(made); e[0].Fetched != 2-made {
				t.Errorf("the user's file was fetched %d times", e[0].Fetched)
			}
		})
	}
}

// Advertisers take back what they paid for weeks ago, rows vanish and come late, and
// nothing tells of it: the file of the same days does, when it is asked for again.
func TestMetricsHistoryIsRestatedByFiles(t *testing.T) {
	t.Parallel()
	// So many rows, a row a page, that pages would take more of a day than a file.
	s := metricsDay(time.Now().AddDate(0, 0, -4), 2)
	k := track(t, metricssim.Options{
		Seed: 43, Integrations: integrations[:1], ConversionsPerDay: 4_500, ClicksPerDay: -1, From: s.from,
	}, berlin, "    variables: {integrations: "+integrations[0]+", currency: USD, page_size: \"1\"}\n")
	days := s.from.AddDate(0, 0, 1).Format(time.DateOnly)
	s = span{s.from, s.from.AddDate(0, 0, 2)}
	args := []string{"--backfill", days + ".." + days, "--only", "track/conversions"} // a day of Berlin is in two of UTC
	k.ahead.Store(-int64(7 * time.Hour))
	k.run(append([]string{"run"}, args...)...).ended(t, 0)
	conn := k.connect()
	k.metricsRowsEqual(conn, k.network, "conversions", k.zone, s)

	k.ahead.Store(0)
	before := map[string]string{}
	for _, r := range k.network.Between(metricssim.Conversions, s.from, s.to) {
		before[r.UUID] = r.Status
	}
	k.network.Restate(200, 5*24*time.Hour)
	k.network.Remove(60, 5*24*time.Hour)
	k.network.Late(metricssim.Conversions, 25, s.from)
	var added, changed, removed int
	for _, r := range k.network.Between(metricssim.Conversions, s.from, s.to) {
		was, known := before[r.UUID]
		switch {
		case !known:
			added++
		case was != r.Status:
			changed++
		}
		delete(before, r.UUID)
	}
	removed = len(before)
	if added == 0 || changed == 0 || removed == 0 {
		t.Fatalf("%d added, %d changed, %d removed: nothing to see", added, changed, removed)
	}
	since := one[int64](t, conn, serverNow)
	says(t, k.run(append([]string{"plan"}, args...)...).ended(t, 0).stdout, "against 1 of 10 exports (10 %): export")
	k.run(append([]string{"run"}, args...)...).ended(t, 0)
	k.metricsRowsEqual(conn, k.network, "conversions", k.zone, s)
	var ledger [3]uint64
	row := conn.QueryRow(t.Context(), "SELECT sum(added), sum(changed), sum(removed) FROM "+k.database+".restatements WHERE table_name = 'conversions' AND toUnixTimestamp64Milli(at) >= $1", since)
	if err := row.Scan(&ledger[0], &ledger[1], &ledger[2]); err != nil {
		t.Fatal(err)
	}
	if want := [3]uint64{uint64(added), uint64(changed), uint64(removed)}; ledger != want {
		t.Errorf("the ledger has %v added, changed and removed; the network did %v", ledger, want)
	}
	k.bought(2)
	if n := k.pagesOf("conversion-table"); n > 0 {
		t.Errorf("%d pages were read", n)
	}
	k.noQuarantine(conn)
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}
