package loaders

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"syncd/internal/embedded"
	"syncd/schema"
)

// against is a profile of the loader's user that turns every default against us that a
// server, or who runs it, may have.
var against = map[string]string{
	// What an INSERT means.
	"async_insert": "1", "wait_for_async_insert": "0", "async_insert_deduplicate": "1",
	"insert_deduplicate": "1", "deduplicate_insert": "enable", "deduplicate_insert_select": "enable_when_possible", "insert_select_deduplicate": "1",
	"deduplicate_blocks_in_dependent_materialized_views": "1",
	"optimize_on_insert": "1", "insert_null_as_default": "1", "max_partitions_per_insert_block": "1", "throw_on_max_partitions_per_insert_block": "1",
	// What a question means.
	"final": "1", "limit": "1", "join_use_nulls": "1", "group_by_use_nulls": "1", "transform_null_in": "1", "extremes": "1",
	"aggregate_functions_null_for_empty": "1", "empty_result_for_aggregation_by_empty_set": "1", "prefer_column_name_to_alias": "1",
	"enable_analyzer": "0", "join_algorithm": "partial_merge", "use_query_cache": "1",
	"session_timezone": "America/New_York", "date_time_input_format": "best_effort_us", "date_time_output_format": "iso", "use_legacy_to_time": "1",
	"output_format_decimal_trailing_zeros": "1", "cast_keep_nullable": "1", "send_progress_in_http_headers": "1",
	// What a table becomes.
	"data_type_default_nullable": "1", "alter_sync": "0",
}

// startAgainst starts an engine with the profile, whose tables also remember what was
// inserted into them.
func startAgainst(t *testing.T, profile map[string]string) *embedded.Engine {
	t.Helper()
	dir := t.TempDir()
	again := make(chan string, 1)
	log := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
		if strings.HasSuffix(e.Message, "runs again") || strings.HasSuffix(e.Message, "does not start") {
			select {
			case again <- e.Message:
			default:
			}
		}
		return nil
	})))
	e, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Log: log})
	must(t, err)
	t.Cleanup(func() { must(t, e.Stop(context.WithoutCancel(t.Context()))) })
	// Its files are written at every start of the daemon, but not when the engine alone is
	// started again.
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(profile)) {
		fmt.Fprintf(&lines, "<%[1]s>%[2]s</%[1]s>", name, profile[name])
	}
	users := filepath.Join(dir, "clickhouse", "users.xml")
	replace(t, users, "<bi>\n            <readonly>", "<against>"+lines.String()+"</against><bi>\n            <readonly>")
	replace(t, users, "<profile>default</profile>\n            <quota>default</quota>\n            <access_management>", "<profile>against</profile><quota>default</quota><access_management>")
	replace(t, filepath.Join(dir, "clickhouse", "config.xml"), "<merge_tree>", "<merge_tree><non_replicated_deduplication_window>1000</non_replicated_deduplication_window>")
	must(t, syscall.Kill(e.PID(), syscall.SIGKILL))
	if said := <-again; !strings.HasSuffix(said, "runs again") {
		t.Fatal("with this profile " + said)
	}
	return e
}

// replace changes a word that stands in a file once.
func replace(t *testing.T, file, old, by string) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%q stands in %s %d times", old, file, n)
	}
	must(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, by, 1)), 0o600))
}

func TestInsertsDoNotDependOnTheServersDefaults(t *testing.T) {
	usual := engine
	t.Cleanup(func() { engine = usual })
	engine.Engine = startAgainst(t, against)
	for _, overHTTP := range []bool{false, true} {
		engine.overHTTP = overHTTP
		t.Run(map[bool]string{false: "native", true: "HTTP"}[overHTTP], func(t *testing.T) {
			t.Run("the profile is what a stranger gets", profileHolds)
			t.Run("equal rows staged again all arrive", equalRowsArrive)
			for name, test := range map[string]func(*testing.T){
				"a pull is published as it is":                TestPublishMakesTheViewEqualToThePull,
				"younger rows outlive an older pull":          TestRowsOfAYoungerCallOutliveAnOlderPull,
				"unreadable records remove nothing":           TestAUnitWithUnreadableRecordsRemovesNothing,
				"hundreds of units are one publication":       TestHundredsOfUnitsCostTheQueriesOfOne,
				"keys that come twice are published once":     TestKeysThatComeTwiceInABatchArePublishedOnce,
				"a window of two months":                      TestAWindowOfTwoMonthsBecomesVisibleAMonthAtATime,
				"leads":                                       TestACompleteWindowOfLeadsBuriesWhatItLacksAndOwnsWhatLiesOutside,
				"leads that move":                             TestALeadThatMovesStandsOnceAndIsToldOfAsMoved,
				"the guard":                                   TestTheDigestOfAHeldPullIsOfItsContent,
				"lateness":                                    TestLatenessSaysHowOldConversionsAreWhenTheyComeChangeAndGo,
				"raw pages and quarantine":                    TestRawPagesAndQuarantineAreThereOnce,
				"kept pages outlive their batch":              TestKeepMakesReceiptsDurableAndNothingElse,
				"the ledgers of runs and streams":             TestLedgersOfRunsAndStreams,
				"ids of another stream":                       TestColumnGivesLiveValues,
				"the daily performance":                       TestDailyPerformanceCountsNoClickTwice,
				"tables and views are made as they should be": TestMigrate,
			} {
				t.Run(name, test)
			}
		})
	}
}

// profileHolds shows that the profile is in force where nothing is sent along.
func profileHolds(t *testing.T) {
	w := setup(t)
	conn, err := w.plain()
	must(t, err)
	defer conn.Close()
	for name, value := range against {
		if slices.Contains([]string{"limit", "use_query_cache", "empty_result_for_aggregation_by_empty_set"}, name) {
			continue // without these nothing could be asked at all
		}
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT value FROM system.settings WHERE name = "+literal(name)).Scan(&got); err != nil || got != value {
			t.Errorf("%s is %q, want %q: %v", name, got, value, err)
		}
	}
	table := conversions(t).Table()
	must(t, w.ensureStaging(t.Context(), 0, table))
	equal(t, "the window of deduplication", ask(t, w, "SELECT value FROM system.merge_tree_settings WHERE name = 'non_replicated_deduplication_window'"), "1000")
}

// equalRowsArrive stages the same blocks again and again: in one batch, after one that
// was given up when the server had stored it, and after one that was published.
func equalRowsArrive(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	block := conversions(t,
		conv{id: "a", created: "2026-02-28 10:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 11},
		conv{id: "b", created: "2026-03-01 10:00:00", status: "approved", payout: "1", revenue: "2", currency: "USD", version: 11})
	units := []Unit{unitOf(10, "conversions", "created_at", "2026-02-01", "2026-04-01")}
	staged := func() map[*schema.Table]int64 {
		b, err := w.Begin(ctx, 0)
		must(t, err)
		defer b.Abort(ctx)
		must(t, b.Write(ctx, block))
		must(t, b.WriteOn(ctx, 1, block))
		must(t, b.Raw(ctx, RawPage{Account: "main", Stream: "s", ReceivedAt: at("2026-03-01"), Seq: 1, Body: []byte("x")}))
		_, sent, err := b.finish(ctx)
		must(t, err)
		equal(t, "rows in staging", ask(t, w, "SELECT sum(rows), count() FROM system.parts WHERE database = '%s' AND active AND startsWith(table, 'staging_')", w.Store()), "4\t4")
		return sent
	}
	for range 3 {
		if sent := staged(); sent[block.Table()] != 4 {
			t.Errorf("sent %d rows, want 4", sent[block.Table()])
		}
	}
	for range 2 {
		publish(t, w, units, block)
		equal(t, "visible rows", ask(t, w, visibleConversions), lines(
			"main	a	2026-02-28 10:00:00.000	pending	1.0000000000	USD",
			"main	b	2026-03-01 10:00:00.000	approved	1.0000000000	USD"))
	}
	equal(t, "parts", ask(t, w, "SELECT sum(rows) FROM system.parts WHERE database = '%s' AND table = 'conversions' AND active", w.Store()), "4")
}
