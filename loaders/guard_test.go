package loaders

import (
	"fmt"
	"testing"

	"syncd/schema"
)

func TestGuard(t *testing.T) {
	day := func(version uint64, n int) *schema.Block {
		rows := make([]conv, n)
		for i := range rows {
			rows[i] = conv{id: fmt.Sprint(i), created: "2026-03-01 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: version}
		}
		return conversions(t, rows...)
	}
	heldBefore := func(rows int64) func(*Unit) {
		return func(u *Unit) { u.HeldBefore, u.HeldRows = true, rows }
	}
	for _, c := range []struct {
		name          string
		before, after int
		change        func(u *Unit)
		held          bool
	}{
		{name: "a window that halves is published", before: 20, after: 10},
		{name: "a window that more than halves is held", before: 20, after: 9, held: true},
		{name: "a window that vanishes is held", before: 20, after: 0, held: true},
		{name: "a small window may vanish", before: 19, after: 0},
		{name: "a second pull with as many rows is believed", before: 30, after: 10, change: heldBefore(10)},
		{name: "a second pull with a tenth less is believed", before: 30, after: 9, change: heldBefore(10)},
		{name: "a second pull with a tenth more is believed", before: 30, after: 10, change: heldBefore(9)},
		{name: "a second pull with less than that is held", before: 30, after: 8, held: true, change: heldBefore(10)},
		{name: "a second pull with more than that is held", before: 30, after: 10, held: true, change: heldBefore(8)},
		{name: "a second pull that is empty too is believed", before: 20, after: 0, change: heldBefore(0)},
		{name: "a second pull that is empty after one that was not is held", before: 20, after: 0, held: true, change: heldBefore(1)},
		{name: "an empty pull is no witness for itself", before: 20, after: 0, held: true, change: func(u *Unit) { u.HeldRows = 0 }},
		{name: "a pull that agrees with one held just now is held", before: 20, after: 5, held: true, change: func(u *Unit) { u.HeldRows = 5 }},
		{name: "a window that falls below a share of its own is held", before: 20, after: 15, held: true, change: func(u *Unit) { u.Shrink = 0.2 }},
		{name: "a window that keeps a share of its own is published", before: 20, after: 4, change: func(u *Unit) { u.Shrink = 0.8 }},
		{name: "a window that somebody accepts is published, also when nothing is left", before: 20, after: 0, change: func(u *Unit) { u.Accepted = true }},
		{name: "a window that is doubted is held", before: 20, after: 20, held: true, change: func(u *Unit) { u.Doubt = "the total is 21" }},
		{name: "the first rows of a window that is doubted are held", before: 0, after: 5, held: true, change: func(u *Unit) { u.Doubt = "the total is 6" }},
		{name: "a window that is doubted and says what was held is believed", before: 20, after: 9, change: func(u *Unit) { u.Doubt, u.HeldBefore, u.HeldRows = "the total is 21", true, 9 }},
		{name: "a window that is doubted and accepted is published", before: 20, after: 20, change: func(u *Unit) { u.Doubt, u.Accepted = "the total is 21", true }},
		{name: "rows that stay for want of tombstones do not count", before: 20, after: 9, held: true, change: func(u *Unit) { u.NoTombstones = true }},
		{name: "a list of changes is never held", before: 20, after: 1, change: func(u *Unit) { u.Complete = false }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := setup(t)
			publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, day(11, c.before))
			u := dayUnit(20, "2026-03-01")
			if c.change != nil {
				c.change(&u)
			}
			other := dayUnit(21, "2026-03-02")
			other.Account = "second"
			neighbour := conversions(t, conv{account: "second", id: "n", created: "2026-03-02 10:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 23})
			got := publish(t, w, []Unit{u, other}, day(22, c.after), neighbour).Units
			if (got[0].Held != "") != c.held || got[1].Held != "" {
				t.Fatalf("got %+v, want held %v", got, c.held)
			}
			visible := ask(t, w, "SELECT countIf(report_date = '2026-03-01'), countIf(report_date = '2026-03-02') FROM {db}.conversions")
			if !c.held {
				if u.Complete {
					equal(t, "visible rows", visible, fmt.Sprintf("%d	1", c.after))
				}
				return
			}
			equal(t, "visible rows while a unit is held", visible, fmt.Sprintf("%d	0", c.before))
			equal(t, "restatements while a unit is held", ask(t, w, visibleRestatements), "")
			// A later pull of the window says the same: then it is so.
			again := dayUnit(30, "2026-03-01")
			again.HeldBefore, again.HeldRows = true, got[0].Rows
			believed := publish(t, w, []Unit{again}, day(31, c.after)).Units[0]
			if believed.Held != "" || believed.Removed != int64(max(c.before-c.after, 0)) {
				t.Errorf("second pull with the same content: got %+v", believed)
			}
			equal(t, "visible rows after a second pull said the same", ask(t, w, "SELECT count() FROM {db}.conversions"), fmt.Sprint(c.after))
		})
	}
}

// TestAHeldWindowThatIsStillWrittenIsReleased pulls a window whose rows are
// different each time.
func TestAHeldWindowThatIsStillWrittenIsReleased(t *testing.T) {
	w := setup(t)
	live := func(version uint64, n int) *schema.Block {
		rows := make([]conv, n)
		for i := range rows {
			rows[i] = conv{id: fmt.Sprint(i), created: "2026-03-01 10:00:00", status: "pending", payout: fmt.Sprint(version), revenue: "1", currency: "USD", version: version}
		}
		return conversions(t, rows...)
	}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, live(11, 60))
	first := publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, live(21, 20)).Units[0]
	if first.Held == "" || first.Rows != 20 {
		t.Fatalf("got %+v, want it held with 20 rows", first)
	}
	u := dayUnit(30, "2026-03-01")
	u.HeldBefore, u.HeldRows = true, first.Rows
	if got := publish(t, w, []Unit{u}, live(31, 21)).Units[0]; got.Held != "" || got.Changed != 21 || got.Removed != 39 {
		t.Errorf("got %+v, want it published: 21 changed, 39 removed", got)
	}
	equal(t, "visible rows", ask(t, w, "SELECT count(), min(payout) FROM {db}.conversions"), "21	31.0000000000")
}

// TestTheDigestOfAHeldPullIsOfItsContent holds pulls back that differ in nothing but
// order, in a row that came twice, and in one amount.
func TestTheDigestOfAHeldPullIsOfItsContent(t *testing.T) {
	w := setup(t)
	row := func(id int, payout string, version uint64) conv {
		return conv{id: fmt.Sprint(id), created: "2026-03-01 10:00:00", status: "pending", payout: payout, revenue: "1", currency: "USD", version: version}
	}
	var all []conv
	for id := range 40 {
		all = append(all, row(id, "1", 11))
	}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, all...))
	held := func(version uint64, rows ...conv) uint64 {
		u := publish(t, w, []Unit{dayUnit(version, "2026-03-01")}, conversions(t, rows...)).Units[0]
		if u.Held == "" || u.Rows != 2 || u.Hash == 0 {
			t.Fatalf("got %+v, want 2 rows held back", u)
		}
		return u.Hash
	}
	first := held(20, row(1, "1", 21), row(2, "2", 21))
	if again := held(30, row(2, "2", 31), row(1, "3", 31), row(1, "1", 32)); again != first {
		t.Errorf("the same content in another order, one row twice: got %d, want %d", again, first)
	}
	if other := held(40, row(1, "1", 41), row(2, "2.5", 41)); other == first {
		t.Error("another amount has the same digest")
	}
}
