package loaders

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"syncd/schema"
)

func TestPublishMakesTheViewEqualToThePull(t *testing.T) {
	w := setup(t)
	r := publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t,
		conv{id: "a", created: "2026-03-01 10:00:00", status: "pending", payout: "1.5", revenue: "2", currency: "USD", version: 11},
		conv{id: "b", created: "2026-03-01 11:00:00", status: "pending", payout: "0.10", revenue: "0.3", currency: "EUR", version: 11},
		conv{id: "c", created: "2026-03-01 12:00:00", status: "approved", payout: "9007199254740993.0000000001", revenue: "0", currency: "USD", version: 12},
		conv{id: "d", created: "2026-03-01 13:00:00", status: "approved", payout: "4", revenue: "5", currency: "USD", version: 12},
	))
	first := r.Units[0]
	if first.Rows != 4 || first.Added != 4 || first.Changed != 0 || first.Removed != 0 || first.Hash != 0 || first.Held != "" {
		t.Errorf("first load: got %+v", first)
	}
	equal(t, "restatements of a first load", ask(t, w, visibleRestatements), "")
	equal(t, "rows left in staging", ask(t, w, "SELECT count() FROM {store}.staging_0_conversions"), "0")

	r = publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, conversions(t,
		conv{id: "a", created: "2026-03-01 10:00:00", status: "approved", payout: "1.5", revenue: "2.5", currency: "USD", version: 21},
		conv{id: "b", created: "2026-03-01 11:00:00", status: "pending", payout: "0.12", revenue: "0.36", currency: "USD", version: 21},
		conv{id: "c", created: "2026-03-01 12:00:00", status: "approved", payout: "9007199254740993.0000000001", revenue: "0", currency: "USD", version: 22},
		conv{id: "e", created: "2026-03-01 14:00:00", status: "hold", payout: "7", revenue: "8", currency: "USD", version: 22},
	))
	second := r.Units[0]
	if second.Rows != 4 || second.Added != 1 || second.Changed != 2 || second.Removed != 1 {
		t.Errorf("second load: got %+v", second)
	}
	equal(t, "conversions", ask(t, w, visibleConversions), lines(
		"main	a	2026-03-01 10:00:00.000	approved	1.5000000000	USD",
		"main	b	2026-03-01 11:00:00.000	pending	0.1200000000	USD",
		"main	c	2026-03-01 12:00:00.000	approved	9007199254740993.0000000001	USD",
		"main	e	2026-03-01 14:00:00.000	hold	7.0000000000	USD",
	))
	// b left EUR for USD; a and b changed, d went, e came.
	equal(t, "restatements", ask(t, w, visibleRestatements), lines(
		"main	conversions	2026-03-01 00:00:00.000	20	conversions	EUR	0	0	0	0.1000000000	0.0000000000	0.3000000000	0.0000000000	hot",
		"main	conversions	2026-03-01 00:00:00.000	20	conversions	USD	1	2	1	5.5000000000	8.6200000000	7.0000000000	10.8600000000	hot",
	))

	again := publish(t, w, []Unit{dayUnit(30, "2026-03-01")}, conversions(t,
		conv{id: "e", created: "2026-03-01 14:00:00", status: "hold", payout: "7", revenue: "8", currency: "USD", version: 31},
		conv{id: "c", created: "2026-03-01 12:00:00", status: "approved", payout: "9007199254740993.0000000001", revenue: "0", currency: "USD", version: 31},
		conv{id: "b", created: "2026-03-01 11:00:00", status: "pending", payout: "0.12", revenue: "0.36", currency: "USD", version: 31},
		conv{id: "b", created: "2026-03-01 11:00:00", status: "pending", payout: "0.12", revenue: "0.36", currency: "USD", version: 32},
		conv{id: "a", created: "2026-03-01 10:00:00", status: "approved", payout: "1.5", revenue: "2.5", currency: "USD", version: 32},
	)).Units[0]
	if again.Rows != 4 || again.Added+again.Changed+again.Removed != 0 {
		t.Errorf("the same content in another order, one row twice: got %+v, want no change", again)
	}
	equal(t, "restatements after a pull without change", ask(t, w, "SELECT DISTINCT pull_version FROM {db}.restatements"), "20")
}

func TestRowsOfAYoungerCallOutliveAnOlderPull(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t,
		conv{id: "old", created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11},
		conv{id: "both", created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11},
	))
	changes := dayUnit(30, "2026-03-01")
	changes.Complete = false
	changes.Stream = "changes"
	r := publish(t, w, []Unit{changes}, conversions(t,
		conv{id: "late", created: "2026-02-20 10:00:00", status: "approved", payout: "3", revenue: "3", currency: "USD", version: 31},
		conv{id: "young", created: "2026-03-01 11:00:00", status: "approved", payout: "3", revenue: "3", currency: "USD", version: 31},
		conv{id: "both", created: "2026-03-01 10:00:00", status: "approved", payout: "2", revenue: "1", currency: "USD", version: 31},
	))
	if u := r.Units[0]; u.Added != 2 || u.Changed != 1 || u.Removed != 0 {
		t.Errorf("changes: got %+v, want 2 added, 1 changed, none removed", u)
	}
	// A pull that was begun before the changes were asked, and is published after them.
	r = publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, conversions(t,
		conv{id: "both", created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 21},
	))
	if u := r.Units[0]; u.Added != 0 || u.Changed != 0 || u.Removed != 1 {
		t.Errorf("older pull: got %+v, want only one removed", u)
	}
	equal(t, "conversions", ask(t, w, "SELECT conversion_id, status FROM {db}.conversions ORDER BY ALL"), lines("both	approved", "late	approved", "young	approved"))
}

func TestARowThatMovesToAnotherWindowIsChangedOnce(t *testing.T) {
	w := setup(t)
	hours := func(version uint64) []Unit {
		return []Unit{
			unitOf(version, "conversions", "created_at", "2026-03-01 10:00", "2026-03-01 11:00"),
			unitOf(version+1, "conversions", "created_at", "2026-03-01 11:00", "2026-03-01 12:00"),
		}
	}
	row := conv{id: "a", created: "2026-03-01 10:59:59", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 12}
	publish(t, w, hours(10), conversions(t, row))
	row.created, row.version = "2026-03-01 11:00:00", 22
	got := publish(t, w, hours(20), conversions(t, row)).Units
	if got[0].Removed != 0 || got[0].Rows != 0 || got[1].Changed != 1 || got[1].Added != 0 {
		t.Errorf("got %+v, want one changed row in the second window", got)
	}
	equal(t, "conversions", ask(t, w, "SELECT conversion_id, created_at FROM {db}.conversions"), "a	2026-03-01 11:00:00.000")
	equal(t, "restatements", ask(t, w, "SELECT pull_version, changed, payout_before, payout_after FROM {db}.restatements"), "21	1	1.0000000000	1.0000000000")
}

func TestAUnitWithUnreadableRecordsRemovesNothing(t *testing.T) {
	w := setup(t)
	row := func(account, id, status string, version uint64) conv {
		return conv{account: account, id: id, created: "2026-03-01 10:00:00", status: status, payout: "1", revenue: "2", currency: "USD", version: version}
	}
	units := func(version uint64) []Unit {
		bad, good := dayUnit(version, "2026-03-01"), dayUnit(version+1, "2026-03-01")
		good.Account = "other"
		return []Unit{bad, good}
	}
	publish(t, w, units(10), conversions(t, row("main", "a", "pending", 12), row("main", "b", "pending", 12), row("other", "a", "pending", 12), row("other", "b", "pending", 12)))
	// In the pull of main the record of b could not be read; in that of other it vanished.
	again := units(20)
	again[0].NoTombstones = true
	got := publish(t, w, again, conversions(t, row("main", "a", "approved", 22), row("main", "c", "pending", 22), row("other", "a", "approved", 22))).Units
	if u := got[0]; u.Added != 1 || u.Changed != 1 || u.Removed != 0 || u.Held != "" {
		t.Errorf("the unit with unreadable records: got %+v, want 1 added, 1 changed, none removed", u)
	}
	if u := got[1]; u.Added != 0 || u.Changed != 1 || u.Removed != 1 {
		t.Errorf("its neighbour: got %+v, want 1 changed, 1 removed", u)
	}
	equal(t, "conversions", ask(t, w, "SELECT account, conversion_id, status FROM {db}.conversions ORDER BY ALL"), lines(
		"main	a	approved", "main	b	pending", "main	c	pending", "other	a	approved"))
	equal(t, "restatements", ask(t, w, "SELECT account, added, changed, removed, payout_before, payout_after FROM {db}.restatements ORDER BY ALL"), lines(
		"main	1	1	0	1.0000000000	2.0000000000", "other	0	1	1	2.0000000000	1.0000000000"))
	// Once all records can be read, what is missing has vanished.
	if u := publish(t, w, units(30)[:1], conversions(t, row("main", "a", "approved", 32), row("main", "c", "pending", 32))).Units[0]; u.Removed != 1 {
		t.Errorf("the next pull: got %+v, want 1 removed", u)
	}
}

// TestACrashAnywhereChangesNothing breaks a publication off after every step and
// publishes the same again, until there is no step left to break it off after.
func TestACrashAnywhereChangesNothing(t *testing.T) {
	before := func(t *testing.T, w *Warehouse) {
		publish(t, w, []Unit{dayUnit(10, "2026-02-28"), dayUnit(11, "2026-03-01"), entityUnit(12)}, conversions(t,
			conv{id: "a", created: "2026-02-28 10:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 13},
			conv{id: "b", created: "2026-02-28 11:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 13},
			conv{id: "c", created: "2026-03-01 12:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 13},
			conv{id: "d", created: "2026-03-01 13:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 13},
		), offers(t, 13, "1", "2"), events(t, 13, "1/x", "2/y"))
	}
	// One window lies in two months: its rows become visible in two steps. Another is
	// loaded for the first time, in two steps as well.
	first := unitOf(22, "clicks", "created_at", "2026-02-27", "2026-03-03")
	units := []Unit{unitOf(20, "conversions", "created_at", "2026-02-28", "2026-03-02"), dayUnit(21, "2026-03-02"), first, entityUnit(23)}
	clicks := blockOf(t, "clicks", func(add func(map[string]string)) {
		for _, day := range []string{"2026-02-27", "2026-03-02"} {
			add(map[string]string{"network": "affise", "account": "main", "click_id": day, "created_at": day, "report_date": day, "_version": "28"})
		}
	})
	work := func(t *testing.T, w *Warehouse) (Result, error) {
		return tryPublish(t.Context(), w, units, conversions(t,
			conv{id: "a", created: "2026-02-28 10:00:00", status: "approved", payout: "1.25", revenue: "2", currency: "USD", version: 24},
			conv{id: "z", created: "2026-02-28 23:00:00", status: "approved", payout: "5", revenue: "6", currency: "EUR", version: 24},
			conv{id: "d", created: "2026-03-01 13:00:00", status: "approved", payout: "1", revenue: "2", currency: "USD", version: 25},
			conv{id: "n", created: "2026-03-02 13:00:00", status: "approved", payout: "1", revenue: "2", currency: "USD", version: 26},
		), offers(t, 27, "2", "3"), events(t, 27, "2/y", "3/z"), clicks)
	}
	look := func(t *testing.T, w *Warehouse) string {
		return lines(ask(t, w, visibleConversions), ask(t, w, visibleRestatements),
			ask(t, w, "SELECT click_id FROM {db}.clicks ORDER BY ALL"), ask(t, w, "SELECT offer_id FROM {db}.offers ORDER BY ALL"), ask(t, w, "SELECT offer_id, event_id FROM {db}.offer_events ORDER BY ALL"))
	}
	undisturbed := setup(t)
	before(t, undisturbed)
	result, err := work(t, undisturbed)
	must(t, err)
	want := look(t, undisturbed)
	if got := result.Units[0]; got.Added != 1 || got.Changed != 2 || got.Removed != 2 {
		t.Fatalf("undisturbed: got %+v", got)
	}
	crash := errors.New("crash")
	for n := 1; ; n++ {
		finished := false
		t.Run(fmt.Sprintf("after step %d", n), func(t *testing.T) {
			w := setup(t)
			before(t, w)
			left := n
			w.after = func(string) error {
				if left--; left == 0 {
					return crash
				}
				return nil
			}
			_, err := work(t, w)
			if err == nil {
				finished = true
				return
			}
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			w = open(t, engine.DSN(), w.Database()) // a new process knows nothing
			again, err := work(t, w)
			must(t, err)
			equal(t, "the warehouse", look(t, w), want)
			for i, u := range again.Units {
				if u.Rows != result.Units[i].Rows || u.Held != "" {
					t.Errorf("unit %d: got %+v, want %+v", i, u, result.Units[i])
				}
			}
			_, err = work(t, w)
			must(t, err)
			equal(t, "the warehouse after a third time", look(t, w), want)
		})
		if finished || t.Failed() {
			break
		}
	}
}

// entityUnit is a complete pull of offers and their events.
func entityUnit(version uint64) Unit {
	u := unitOf(version, "offers", "", "2026-01-01", "2026-01-02")
	u.Outputs[0] = Scope{Table: u.Outputs[0].Table}
	events, _ := schema.Lookup("offer_events")
	u.Outputs = append(u.Outputs, Scope{Table: events})
	return u
}

func offers(t testing.TB, version uint64, ids ...string) *schema.Block {
	return blockOf(t, "offers", func(add func(map[string]string)) {
		for _, id := range ids {
			add(map[string]string{"network": "affise", "account": "main", "offer_id": id, "name": "Offer " + id, "currency": "USD", "_version": fmt.Sprint(version)})
		}
	})
}

func events(t testing.TB, version uint64, ids ...string) *schema.Block {
	return blockOf(t, "offer_events", func(add func(map[string]string)) {
		for _, id := range ids {
			add(map[string]string{"network": "affise", "account": "main", "offer_id": id[:1], "event_id": id[2:], "_version": fmt.Sprint(version)})
		}
	})
}

func TestHundredsOfUnitsCostTheQueriesOfOne(t *testing.T) {
	hours := func(from, n int, version uint64) (units []Unit) {
		for h := range n {
			start := at("2026-02-20").Add(hour(from + h))
			units = append(units, unitOf(version+uint64(h), "clicks", "created_at", start.Format("2006-01-02 15:04"), start.Add(hour(1)).Format("2006-01-02 15:04")))
		}
		return units
	}
	clicks := func(t *testing.T, hours, each int, version uint64) *schema.Block {
		return blockOf(t, "clicks", func(add func(map[string]string)) {
			for h := range hours {
				created := at("2026-02-20").Add(hour(h)).Format("2006-01-02 15:04:05")
				for i := range each {
					add(map[string]string{"network": "affise", "account": "main", "click_id": fmt.Sprintf("%d-%d", h, i), "created_at": created, "report_date": created[:10], "_version": fmt.Sprint(version)})
				}
			}
		})
	}
	w := setup(t)
	counted := &countingConn{Conn: w.conn}
	w.conn = counted
	counts := map[string]int64{}
	run := func(name string, units []Unit, block *schema.Block) Result {
		counted.n.Store(0)
		r := publish(t, w, units, block)
		counts[name] = counted.n.Load()
		return r
	}
	run("make staging", hours(-1, 1, 5), clicks(t, 0, 0, 0))
	run("one", hours(0, 1, 10), clicks(t, 1, 3, 1000))
	many := run("many", hours(1, 399, 20), blockWithout(t, clicks, 400))
	if counts["many"] > counts["one"]+1 { // one more partition to attach
		t.Errorf("statements of a publication: %d for 399 units, %d for one", counts["many"], counts["one"])
	}
	for i, u := range many.Units {
		if u.Rows != 3 || u.Added != 3 {
			t.Fatalf("unit %d: got %+v, want 3 added", i, u)
		}
	}
	again := run("again", hours(0, 400, 2000), clicks(t, 400, 2, 3000))
	for i, u := range again.Units {
		if u.Rows != 2 || u.Added != 0 || u.Removed != 1 || u.Changed != 0 {
			t.Fatalf("unit %d of the second load: got %+v, want 1 removed", i, u)
		}
	}
	if counts["again"] > 30 {
		t.Errorf("statements of a publication that compares: got %d", counts["again"])
	}
	equal(t, "visible clicks", ask(t, w, "SELECT count() FROM {db}.clicks"), "800")
}

func blockWithout(t *testing.T, clicks func(*testing.T, int, int, uint64) *schema.Block, n int) *schema.Block {
	t.Helper()
	return blockOf(t, "clicks", func(add func(map[string]string)) {
		for h := 1; h < n; h++ {
			created := at("2026-02-20").Add(hour(h)).Format("2006-01-02 15:04:05")
			for i := range 3 {
				add(map[string]string{"network": "affise", "account": "main", "click_id": fmt.Sprintf("%d-%d", h, i), "created_at": created, "report_date": created[:10], "_version": "1000"})
			}
		}
	})
}

func TestPublishRefuses(t *testing.T) {
	w := setup(t)
	row := func(created string) *schema.Block {
		return conversions(t, conv{id: "a", created: created, status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	}
	for _, c := range []struct {
		name   string
		units  []Unit
		blocks []*schema.Block
	}{
		{"rows outside of every window", []Unit{dayUnit(10, "2026-03-01")}, []*schema.Block{row("2026-03-02 00:00:00")}},
		{"rows of a table that no unit writes", []Unit{dayUnit(10, "2026-03-01")}, []*schema.Block{offers(t, 11, "1")}},
		{"two units that own the same rows", []Unit{dayUnit(10, "2026-03-01"), unitOf(11, "conversions", "created_at", "2026-03-01 23:00", "2026-03-02")}, nil},
		{"a window beside all of the account", []Unit{dayUnit(10, "2026-03-01"), unitOf(11, "conversions", "", "2026-03-01", "2026-03-02")}, nil},
		{"an empty window", []Unit{unitOf(10, "conversions", "created_at", "2026-03-01", "2026-03-01")}, nil},
		{"a column that is not there", []Unit{unitOf(10, "conversions", "made_at", "2026-03-01", "2026-03-02")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r, err := tryPublish(t.Context(), w, c.units, c.blocks...); err == nil {
				t.Errorf("published: %+v", r)
			}
			equal(t, "visible rows", ask(t, w, "SELECT count() FROM {db}.conversions"), "0")
		})
	}
}

// TestStagingThatIsEmptiedDuringAPublicationStopsIt empties the staging table after
// each step of a publication that buries rows, as another daemon would.
func TestStagingThatIsEmptiedDuringAPublicationStopsIt(t *testing.T) {
	row := func(id, status string, version uint64) conv {
		return conv{id: id, created: "2026-03-01 10:00:00", status: status, payout: "1", revenue: "2", currency: "USD", version: version}
	}
	for _, step := range []string{"compare", "record", "bury"} {
		t.Run("after "+step, func(t *testing.T) {
			w := setup(t)
			publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, row("a", "pending", 11), row("b", "pending", 11)))
			emptied := false
			w.after = func(name string) error {
				if name == step && !emptied {
					emptied = true
					return w.exec(t.Context(), "emptying", w.ddl.truncate("staging_0_conversions"))
				}
				return nil
			}
			again := conversions(t, row("a", "approved", 21))
			_, err := tryPublish(t.Context(), w, []Unit{dayUnit(20, "2026-03-01")}, again)
			lost, ok := errors.AsType[*lostRows](err)
			if !ok || lost.sent != 1 || lost.held != 0 || !lost.Retryable() {
				t.Fatalf("got %v, want no row held of 1 sent", err)
			}
			equal(t, "visible rows", ask(t, w, "SELECT conversion_id, status FROM {db}.conversions ORDER BY ALL"), lines("a	pending", "b	pending"))
			publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, again)
			equal(t, "visible rows after a second try", ask(t, w, "SELECT conversion_id, status FROM {db}.conversions ORDER BY ALL"), "a	approved")
		})
	}
}

func TestATargetThatIsAlteredMeanwhileIsCaughtUpWith(t *testing.T) {
	for _, c := range []struct{ name, alter string }{
		{"a column", "ADD COLUMN mine String"},
		{"an index", "ADD INDEX mine payout TYPE minmax GRANULARITY 1"},
		{"a constraint", "ADD CONSTRAINT mine CHECK payout >= 0"},
		{"a codec", "MODIFY COLUMN payout CODEC(NONE)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := setup(t)
			row := conv{id: "a", created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "2", currency: "USD", version: 11}
			publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, row))
			must(t, w.exec(t.Context(), "altering", "ALTER TABLE "+w.ddl.target("conversions")+" "+c.alter))
			row.version, row.status = 21, "approved"
			units := []Unit{dayUnit(20, "2026-03-01")}
			if _, err := tryPublish(t.Context(), w, units, conversions(t, row)); err != nil {
				t.Log(err)
				_, err = tryPublish(t.Context(), w, units, conversions(t, row))
				must(t, err)
			}
			equal(t, "visible rows", ask(t, w, "SELECT conversion_id, status FROM {db}.conversions"), "a	approved")
		})
	}
}

func TestKeysThatComeTwiceInABatchArePublishedOnce(t *testing.T) {
	w := setup(t)
	row := func(id, status string, version uint64) conv {
		return conv{id: id, created: "2026-03-01 10:00:00", status: status, payout: "1", revenue: "2", currency: "USD", version: version}
	}
	for round := range uint64(2) { // into an empty window and into a full one
		version := 10 + 10*round
		got := publish(t, w, []Unit{dayUnit(version, "2026-03-01")},
			conversions(t, row("a", "pending", version+1), row("a", "pending", version+1), row("b", "pending", version+1)),
			conversions(t, row("a", "pending", version+1), row("b", "hold", version+1), row("b", "approved", version+2)),
		).Units[0]
		if got.Rows != 2 || got.Added != 2*int64(1-round) || got.Changed+got.Removed != 0 {
			t.Errorf("round %d: got %+v, want 2 rows, added in the first round and the same in the second", round, got)
		}
		equal(t, "visible rows", ask(t, w, "SELECT conversion_id, status FROM {db}.conversions ORDER BY ALL"), lines("a	pending", "b	approved"))
	}
}

func TestRowsThatAreNotOursInStagingStopThePublication(t *testing.T) {
	w := setup(t)
	ctx := context.Background()
	b, err := w.Begin(ctx, 0)
	must(t, err)
	defer b.Abort(ctx)
	must(t, b.Write(ctx, conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})))
	must(t, w.exec(ctx, "adding a row", "INSERT INTO "+b.w.ddl.staging(0, b.tableOf("conversions"))+" (account, report_date, created_at) VALUES ('main', '2026-03-01', '2026-03-01 01:00:00')"))
	_, err = b.Publish(ctx, []Unit{dayUnit(10, "2026-03-01")})
	lost, ok := errors.AsType[*lostRows](err)
	if !ok || lost.held != 2 || lost.sent != 1 || !lost.Retryable() {
		t.Fatalf("got %v, want 2 rows held of 1 sent", err)
	}
	equal(t, "visible rows", ask(t, w, "SELECT count() FROM {db}.conversions"), "0")
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")})
	equal(t, "visible rows after an empty pull", ask(t, w, "SELECT count() FROM {db}.conversions"), "0")
}
