package loaders

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares statements with testdata/name.sql.
func golden(t *testing.T, name string, statements ...string) {
	t.Helper()
	got := strings.Join(statements, ";\n\n") + ";\n"
	file := filepath.Join("testdata", name+".sql")
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update and read the diff):\n%s", file, diff)
	}
}

func TestStatementsAreThoseOfTheGoldenFiles(t *testing.T) {
	single := &ddl{database: "affiliate", store: "affiliate_store", rawRetention: 90 * 24 * time.Hour}
	cluster := &ddl{database: "affiliate", store: "affiliate_store", cluster: "main", instance: "k7f2"}
	for _, c := range []struct {
		name string
		d    *ddl
	}{{"single", single}, {"cluster", cluster}} {
		golden(t, c.name+"_databases", c.d.databases()...)
		var tables []string
		for _, table := range c.d.tables() {
			tables = append(tables, c.d.create(table))
		}
		golden(t, c.name+"_tables", tables...)
		golden(t, c.name+"_views", c.d.views()...)
		st, _ := schema.Lookup("conversions")
		entity, _ := schema.Lookup("offers")
		made := rowTable(st)
		golden(t, c.name+"_staging", c.d.createStaging(2, st), c.d.hasten(2, st), c.d.sameStructure(2, st), c.d.attach(2, st, "202603"), c.d.truncate(c.d.stagingName(2, st)), c.d.dropStaging(2, st), c.d.killInserts(2), c.d.stagedParts(2, []*schema.Table{st, entity}))
		golden(t, c.name+"_alter", c.d.addColumn(made, &made.columns[3], made.columns[2].name), c.d.addColumn(made, &made.columns[0], ""), c.d.addIndex(made, &made.columns[3]), c.d.setTTL(c.d.rawPages()))
	}
	window := func(version uint64, from, to string) Unit {
		return unitOf(version, "conversions", "created_at", from, to)
	}
	report := unitOf(10, "stats", "report_date", "2026-03-01", "2026-03-02")
	report.Account = `o'hara\`
	report.Outputs[0].Equal = map[string]string{"report": "by_offer"}
	changes := unitOf(20, "conversions", "", "2026-03-01", "2026-03-02")
	changes.Complete = false
	looseChanges := loose(changes)
	looseChanges.Account = "other"
	for _, c := range []struct {
		name  string
		units []Unit
	}{
		{"windows", []Unit{window(10, "2026-03-02", "2026-03-03"), window(11, "2026-03-01", "2026-03-02"), window(12, "2026-03-09", "2026-03-10")}},
		{"reports", []Unit{report}},
		{"snapshot", []Unit{unitOf(10, "offers", "", "2026-03-01", "2026-03-02")}},
		{"changes", []Unit{changes}},
		{"leads", []Unit{loose(window(10, "2026-03-02", "2026-03-03")), looseChanges}},
	} {
		all, err := areas(c.units)
		must(t, err)
		var statements []string
		for _, a := range all {
			statements = append(statements, single.counted(0, a), single.digest(0, a, false), single.digest(0, a, true), single.touches(0, a), single.compare(0, a, false, at("2026-03-10 12:00")))
			if a.complete {
				statements = append(statements, single.tombstones(0, a))
			}
		}
		golden(t, "publish_"+c.name, statements...)
	}
	st, _ := schema.Lookup("offers")
	golden(t, "distinct", single.distinct(st, "main", map[string]string{"status": "active"}, []string{"offer_id"}))
}

func TestManyRangesBecomeOne(t *testing.T) {
	var units []Unit
	for i := range 2 * maxRanges {
		from := at("2026-01-01").Add(hour(3 * i))
		units = append(units, unitOf(uint64(i+1), "clicks", "created_at", from.Format("2006-01-02 15:04"), from.Add(hour(1)).Format("2006-01-02 15:04")))
	}
	all, err := areas(units)
	must(t, err)
	want := "((`account` = 'main' AND `created_at` >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC') AND `created_at` < toDateTime64('2026-01-16 22:00:00.000', 3, 'UTC') AND `report_date` >= toDate('2025-12-31') AND `report_date` < toDate('2026-01-17')))"
	equal(t, "condition", all[0].near(), want)
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{"plain": "`plain`", "a`b": "`a\\`b`", `a\`: "`a\\\\`"} {
		equal(t, name, quote(name), want)
	}
	for value, want := range map[string]string{"plain": "'plain'", "o'hara": `'o\'hara'`, `\'; DROP`: `'\\\'; DROP'`} {
		equal(t, value, literal(value), want)
	}
}

func TestMigrate(t *testing.T) {
	ctx := context.Background()
	t.Run("changes nothing the second time", func(t *testing.T) {
		w := setup(t)
		before := ask(t, w, "SELECT name, create_table_query FROM system.tables WHERE database IN ('%s', '%s') ORDER BY ALL", w.Database(), w.Store())
		must(t, w.Migrate(ctx))
		have, err := w.existing(ctx)
		must(t, err)
		for _, table := range w.ddl.tables() {
			if more := w.ddl.additions(table, have[table.name]); len(more) > 0 {
				t.Errorf("would change again: %q", more)
			}
		}
		equal(t, "tables", ask(t, w, "SELECT name, create_table_query FROM system.tables WHERE database IN ('%s', '%s') ORDER BY ALL", w.Database(), w.Store()), before)
	})
	t.Run("adds a column that is missing, to staging too", func(t *testing.T) {
		w := setup(t)
		row := conv{id: "a", created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11}
		publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, row))
		store := quote(w.Store())
		must(t, w.exec(ctx, "making an old table",
			"DROP VIEW "+quote(w.Database())+".conversions", "DROP VIEW "+quote(w.Database())+".daily_performance",
			"ALTER TABLE "+store+".conversions DROP INDEX by_hold_until, DROP COLUMN hold_until, DROP COLUMN sub8",
			"ALTER TABLE "+store+".staging_0_conversions DROP INDEX by_hold_until, DROP COLUMN hold_until, DROP COLUMN sub8"))
		must(t, w.Migrate(ctx))
		row.version, row.status = 21, "approved"
		publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, conversions(t, row))
		equal(t, "conversions", ask(t, w, "SELECT conversion_id, status, sub8 FROM {db}.conversions"), "a	approved	")
		columns := "SELECT groupArray(name) FROM (SELECT name FROM system.columns WHERE database = '%s' AND table = '%s' ORDER BY position)"
		equal(t, "columns of staging", ask(t, w, columns, w.Store(), "staging_0_conversions"), ask(t, w, columns, w.Store(), "conversions"))
	})
	t.Run("refuses what it cannot undo, all of it, and changes nothing", func(t *testing.T) {
		w := setup(t)
		store := quote(w.Store())
		must(t, w.exec(ctx, "spoiling tables",
			"ALTER TABLE "+store+".offers MODIFY COLUMN payout String, DROP COLUMN tags",
			"DROP TABLE "+store+".users",
			"CREATE TABLE "+store+".users (account String) ENGINE = MergeTree PARTITION BY account ORDER BY account"))
		err := w.Migrate(ctx)
		refused, ok := errors.AsType[*DestructiveError](err)
		if !ok {
			t.Fatalf("got %v, want a *DestructiveError", err)
		}
		want := []string{
			w.Store() + ".offers: column payout is String, not Decimal(38, 10)",
			w.Store() + ".users: the engine is MergeTree, not ReplacingMergeTree",
			w.Store() + ".users: the sorting key is (account), not (account, user_id)",
			w.Store() + ".users: it is partitioned by account, not by nothing",
			w.Store() + ".users: column account is String, not LowCardinality(String)",
			w.Store() + ".users: column user_id of the key is missing",
		}
		if diff := cmp.Diff(want, refused.Differences); diff != "" {
			t.Error(diff)
		}
		equal(t, "column that could have been added", ask(t, w, "SELECT count() FROM system.columns WHERE database = '%s' AND table = 'offers' AND name = 'tags'", w.Store()), "0")
	})
	t.Run("sets and removes the retention of raw pages", func(t *testing.T) {
		w := setup(t)
		ttl := func() string {
			have, err := w.existing(ctx)
			must(t, err)
			return ttlOf(have[ledgerRawPages].create)
		}
		for _, c := range []struct {
			retention time.Duration
			want      string
		}{{90 * 24 * time.Hour, "toDateTime(received_at) + toIntervalSecond(7776000)"}, {time.Hour, "toDateTime(received_at) + toIntervalSecond(3600)"}, {0, ""}} {
			w.ddl.rawRetention = c.retention
			must(t, w.Migrate(ctx))
			equal(t, "TTL", ttl(), c.want)
		}
	})
}
