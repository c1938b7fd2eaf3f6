package loaders

import (
	"fmt"
	"testing"

	"syncd/schema"
)

// loose makes a unit one of leads.
func loose(u Unit) Unit {
	u.Outputs = []Scope{u.Outputs[0]}
	u.Outputs[0].Loose = true
	return u
}

// told is a list of changes of leads of the account main.
func told(version uint64) Unit {
	u := loose(unitOf(version, "conversions", "", "2026-03-01", "2026-03-02"))
	u.Complete, u.Stream = false, "postbacks"
	return u
}

// buried gives tombstones for keys "2026-03-01 id".
func buried(t testing.TB, version uint64, keys ...string) *schema.Block {
	t.Helper()
	return blockOf(t, "conversions", func(add func(map[string]string)) {
		for _, k := range keys {
			add(map[string]string{
				"network": "affise", "account": "main", "report_date": k[:10], "conversion_id": k[11:],
				"_version": fmt.Sprint(version), "_deleted": "1", "_run_id": "run",
			})
		}
	})
}

func lead(id, created, status string, version uint64) conv {
	return conv{id: id, created: created, status: status, payout: "1", revenue: "2", currency: "USD", version: version}
}

// inWindow makes a lead one that a window brought.
func inWindow(c conv) conv {
	c.window = "2026-03-01"
	return c
}

const visibleLeads = "SELECT report_date, conversion_id, status FROM {db}.conversions ORDER BY ALL"

func TestALeadThatMovesStandsOnceAndIsToldOfAsMoved(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{told(10)}, conversions(t, lead("own-1", "2026-02-28 10:00:00", "pending", 11), lead("own-2", "2026-03-01 10:00:00", "hold", 11)))
	got := publish(t, w, []Unit{told(20)},
		conversions(t, lead("77", "2026-03-01 09:00:00", "approved", 21)), buried(t, 21, "2026-02-28 own-1")).Units[0]
	if got.Rows != 1 || got.Added != 1 || got.Changed != 0 || got.Removed != 1 {
		t.Errorf("got %+v, want one row under its new key and the old one removed", got)
	}
	equal(t, "leads", ask(t, w, visibleLeads), lines("2026-03-01	77	approved", "2026-03-01	own-2	hold"))
	equal(t, "restatements", ask(t, w, "SELECT pull_version, added, changed, removed, payout_before, payout_after FROM {db}.restatements"), "20	1	0	1	1.0000000000	1.0000000000")
}

func TestATombstoneThatIsPublishedBeforeItsRowStillBuriesIt(t *testing.T) {
	w := setup(t)
	later := publish(t, w, []Unit{told(20)}, conversions(t, lead("77", "2026-03-01 09:00:00", "approved", 21)), buried(t, 21, "2026-03-01 own-1")).Units[0]
	if later.Added != 1 || later.Removed != 0 {
		t.Errorf("got %+v, want nothing removed: nothing was visible", later)
	}
	earlier := publish(t, w, []Unit{told(10)}, conversions(t, lead("own-1", "2026-03-01 10:00:00", "pending", 11))).Units[0]
	if earlier.Rows != 1 {
		t.Errorf("got %+v", earlier)
	}
	equal(t, "leads", ask(t, w, visibleLeads), "2026-03-01	77	approved")
}

func TestARowYoungerThanATombstoneStays(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{told(30)}, conversions(t, lead("own-1", "2026-03-01 10:00:00", "pending", 31)))
	got := publish(t, w, []Unit{told(20)}, conversions(t, lead("77", "2026-03-01 09:00:00", "approved", 21)), buried(t, 21, "2026-03-01 own-1")).Units[0]
	if got.Removed != 0 || got.Added != 1 {
		t.Errorf("got %+v, want nothing removed", got)
	}
	equal(t, "leads", ask(t, w, visibleLeads), lines("2026-03-01	77	approved", "2026-03-01	own-1	pending"))
}

func TestRowsAndTombstonesOfOneKeyInABatchGoByTheirVersions(t *testing.T) {
	w := setup(t)
	got := publish(t, w, []Unit{told(10)},
		conversions(t, lead("own-1", "2026-03-01 10:00:00", "pending", 11), lead("own-2", "2026-03-01 10:00:00", "pending", 13)),
		buried(t, 12, "2026-03-01 own-1", "2026-03-01 own-2"),
		conversions(t, lead("77", "2026-03-01 09:00:00", "approved", 12))).Units[0]
	if got.Added != 3 || got.Removed != 0 { // the keys staged: nothing is visible, so nothing is compared
		t.Errorf("got %+v", got)
	}
	equal(t, "leads", ask(t, w, visibleLeads), lines("2026-03-01	77	approved", "2026-03-01	own-2	pending"))
}

func TestACompleteWindowOfLeadsBuriesWhatItLacksAndOwnsWhatLiesOutside(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{told(10)}, conversions(t,
		lead("known by a postback only", "2026-03-01 10:00:00", "pending", 11),
		inWindow(lead("vanished", "2026-03-01 11:00:00", "pending", 11)),
		lead("moved", "2026-02-27 10:00:00", "pending", 11),
		lead("another day", "2026-02-27 11:00:00", "pending", 11),
		lead("7", "2026-03-01 12:00:00", "pending", 11),
		lead("outside", "2026-03-02 00:30:00", "pending", 11),
	))
	publish(t, w, []Unit{told(30)}, conversions(t, lead("by a younger postback", "2026-03-01 10:00:00", "hold", 31)))
	got := publish(t, w, []Unit{loose(dayUnit(20, "2026-03-01"))},
		conversions(t, lead("7", "2026-03-01 12:00:00", "approved", 21), lead("outside", "2026-03-02 00:30:00", "approved", 21), lead("8", "2026-03-01 09:00:00", "approved", 22)),
		buried(t, 22, "2026-02-27 moved")).Units[0]
	if got.Rows != 3 || got.Added != 1 || got.Changed != 2 || got.Removed != 2 || got.Held != "" {
		t.Errorf("got %+v, want 3 rows, 1 added, 2 changed, 2 removed", got)
	}
	equal(t, "leads", ask(t, w, visibleLeads), lines(
		"2026-02-27	another day	pending",
		"2026-03-01	7	approved",
		"2026-03-01	8	approved",
		"2026-03-01	by a younger postback	hold",
		"2026-03-01	known by a postback only	pending",
		"2026-03-02	outside	approved",
	))
}

func TestAWindowOfLeadsWithUnreadableRecordsBuriesOnlyWhatMoved(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{told(10)}, conversions(t, lead("a", "2026-03-01 10:00:00", "pending", 11), lead("own", "2026-03-01 10:00:00", "pending", 11)))
	u := loose(dayUnit(20, "2026-03-01"))
	u.NoTombstones = true
	if got := publish(t, w, []Unit{u}, buried(t, 21, "2026-03-01 own"), conversions(t, lead("b", "2026-03-01 10:00:00", "pending", 21))).Units[0]; got.Removed != 1 || got.Added != 1 {
		t.Errorf("got %+v", got)
	}
	equal(t, "leads", ask(t, w, visibleLeads), lines("2026-03-01	a	pending", "2026-03-01	b	pending"))
}

func TestTheGuardTakesLeadsThatMovedForWhatTheyAre(t *testing.T) {
	w := setup(t)
	var rows, moved []conv
	var keys []string
	for i := range 40 {
		rows = append(rows, lead(fmt.Sprintf("own-%d", i), "2026-03-01 10:00:00", "pending", 11))
		moved = append(moved, inWindow(lead(fmt.Sprint(i), "2026-03-02 10:00:00", "pending", 21)))
		keys = append(keys, fmt.Sprintf("2026-03-01 own-%d", i))
	}
	publish(t, w, []Unit{told(10)}, conversions(t, rows...))
	if got := publish(t, w, []Unit{loose(dayUnit(20, "2026-03-01"))}, conversions(t, moved...), buried(t, 21, keys...)).Units[0]; got.Held != "" || got.Removed != 40 || got.Added != 40 {
		t.Errorf("moved: got %+v", got)
	}
	if got := publish(t, w, []Unit{loose(dayUnit(30, "2026-03-02"))}, conversions(t, moved[0])).Units[0]; got.Held == "" {
		t.Errorf("39 of 40 leads vanished and nothing is held: %+v", got)
	}
}

func TestACrashOnTheWayBuriesAllTheSame(t *testing.T) {
	for _, step := range []string{"compare", "record", "bury", "attach"} {
		t.Run("after "+step, func(t *testing.T) {
			w := setup(t)
			publish(t, w, []Unit{told(10)}, conversions(t, lead("own", "2026-02-28 10:00:00", "pending", 11), inWindow(lead("gone", "2026-03-01 10:00:00", "pending", 11))))
			blocks := []*schema.Block{conversions(t, lead("7", "2026-03-01 10:00:00", "approved", 21)), buried(t, 21, "2026-02-28 own")}
			crash := fmt.Errorf("crash")
			w.after = func(name string) error {
				if name == step {
					return crash
				}
				return nil
			}
			if _, err := tryPublish(t.Context(), w, []Unit{loose(dayUnit(20, "2026-03-01"))}, blocks...); err == nil {
				t.Fatalf("there is no step %s", step)
			}
			w.after = nil
			got := publish(t, w, []Unit{loose(dayUnit(20, "2026-03-01"))}, blocks...).Units[0]
			if got.Rows != 1 || got.Added != 1 || got.Removed != 2 {
				t.Errorf("got %+v", got)
			}
			equal(t, "leads", ask(t, w, visibleLeads), "2026-03-01	7	approved")
			equal(t, "restatements", ask(t, w, "SELECT pull_version, added, changed, removed FROM {db}.restatements"), "20	1	0	2")
		})
	}
}

func TestTwoPullsOfLeadsOfOneAccountDoNotGoTogether(t *testing.T) {
	a, b := loose(dayUnit(10, "2026-03-01")), loose(dayUnit(20, "2026-03-02"))
	for name, units := range map[string][]Unit{"two windows": {a, b}, "a window and changes": {a, told(30)}, "leads beside a window": {a, dayUnit(20, "2026-03-02")}} {
		if _, err := areas(units); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	b.Account = "other"
	if _, err := areas([]Unit{a, b}); err != nil {
		t.Error(err)
	}
}
