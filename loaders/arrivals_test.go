package loaders

import (
	"fmt"
	"testing"
	"time"

	"syncd/schema"
)

// sighting is a conversion of a test, by its ages.
type sighting struct {
	id, offer, status       string
	sinceClick, sinceCreate time.Duration // a click of no age is not known
}

func sightings(t testing.TB, now time.Time, version uint64, rows ...sighting) *schema.Block {
	t.Helper()
	return blockOf(t, "conversions", func(add func(map[string]string)) {
		for _, r := range rows {
			created := now.Add(-r.sinceCreate)
			values := map[string]string{
				"network": "affise", "account": "main", "conversion_id": r.id, "status": r.status, "offer_id": r.offer,
				"created_at": created.Format(time.DateTime), "report_date": created.Format(time.DateOnly), "_version": fmt.Sprint(version + 1),
			}
			if r.sinceClick > 0 {
				values["click_at"] = now.Add(-r.sinceClick).Format(time.DateTime)
			}
			add(values)
		}
	})
}

// lately is a pull of all days of which sightings can be.
func lately(version uint64) Unit {
	now := time.Now()
	return unitOf(version, "conversions", "created_at", now.AddDate(-1, 0, 0).Format(time.DateOnly), now.AddDate(0, 0, 2).Format(time.DateOnly))
}

const (
	seenLate = "SELECT offer_id, offer_name, event, since, rows, p50_hours, p90_hours, p99_hours, max_hours, ages FROM {db}.lateness ORDER BY ALL"
	hours    = time.Hour
	bit      = 30 * time.Minute // so that no test runs over the edge of an hour
)

func TestLatenessSaysHowOldConversionsAreWhenTheyComeChangeAndGo(t *testing.T) {
	w, now := setup(t), time.Now().UTC()
	publish(t, w, []Unit{unitOf(5, "offers", "", "2026-03-01", "2026-03-02")}, blockOf(t, "offers", func(add func(map[string]string)) {
		add(map[string]string{"network": "affise", "account": "main", "offer_id": "1", "name": "Shoes", "_version": "6"})
	}))
	old := []sighting{
		{"a", "1", "pending", 9*hours + bit, 5*hours + bit},
		{"b", "1", "pending", 0, 10*24*hours + bit},
		{"gone", "2", "pending", 0, 71*hours + bit},
		{"same", "1", "pending", 0, 20 * 24 * hours},
	}
	publish(t, w, []Unit{lately(10)}, sightings(t, now, 10, old...))
	equal(t, "after a first load of history", ask(t, w, seenLate), "")

	changed := []sighting{old[0], old[1], old[3], {"late", "2", "pending", 100*24*hours + bit, 72*hours + bit}}
	changed[0].status, changed[1].status = "approved", "rejected"
	publish(t, w, []Unit{lately(20)}, sightings(t, now, 20, changed...))
	want := lines(
		"1	Shoes	changed	click	1	10	10	10	10	{'10':1}",
		"1	Shoes	changed	creation	2	6	264	264	264	{'264':1,'6':1}",
		"2		added	click	1	2424	2424	2424	2424	{'2424':1}",
		"2		added	creation	1	96	96	96	96	{'96':1}",
		"2		removed	creation	1	72	72	72	72	{'72':1}",
	)
	equal(t, "after a second pull", ask(t, w, seenLate), want)
	equal(t, "to a reader with another profile", ask(t, w, seenLate+strangeReader), want)
	publish(t, w, []Unit{lately(30)}, sightings(t, now, 30, changed...))
	equal(t, "after a third pull, which is as the second", ask(t, w, seenLate), want)
	equal(t, "the question in the README", ask(t, w, `SELECT account, event, sum(n) AS times,
    arrayMap(h -> ceil(h / 24), quantilesExactWeighted(0.5, 0.9, 0.99)(hours, n)) AS days
FROM {db}.lateness ARRAY JOIN mapKeys(ages) AS hours, mapValues(ages) AS n
WHERE since = 'creation' GROUP BY account, event ORDER BY account, event`), lines("main	added	1	[4,4,4]", "main	changed	2	[1,11,11]", "main	removed	1	[3,3,3]"))
}

func TestAFirstLoadBesideARepeatedPullIsNotLate(t *testing.T) {
	w, now := setup(t), time.Now().UTC()
	windows := func(version uint64) []Unit {
		day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
		return []Unit{
			unitOf(version, "conversions", "created_at", day(-40), day(-10)),
			unitOf(version+1, "conversions", "created_at", day(-10), day(2)),
		}
	}
	recent := sighting{"recent", "1", "pending", 0, 2*hours + bit}
	publish(t, w, windows(10)[1:], sightings(t, now, 12, recent))
	recent.status = "approved"
	publish(t, w, windows(20), sightings(t, now, 22, recent, sighting{"history", "1", "approved", 0, 20 * 24 * hours}))
	equal(t, "lateness", ask(t, w, "SELECT event, rows, max_hours FROM {db}.lateness"), "changed	1	3")
}

func TestAListOfChangesTellsOfChangesOnly(t *testing.T) {
	w, now := setup(t), time.Now().UTC()
	publish(t, w, []Unit{lately(10)}, sightings(t, now, 10, sighting{"a", "1", "pending", 0, 2*hours + bit}))
	changes := lately(20)
	changes.Complete, changes.Stream = false, "changes"
	publish(t, w, []Unit{changes}, sightings(t, now, 20, sighting{"a", "1", "approved", 0, 2*hours + bit}, sighting{"new here", "1", "approved", 0, 200 * 24 * hours}))
	equal(t, "lateness", ask(t, w, "SELECT event, rows, max_hours FROM {db}.lateness"), "changed	1	3")
}

func TestACrashBeforeTheRestatementsAreWrittenCountsNoArrivalTwice(t *testing.T) {
	w, now := setup(t), time.Now().UTC()
	publish(t, w, []Unit{lately(10)}, sightings(t, now, 10, sighting{"a", "1", "pending", 0, 2*hours + bit}))
	want := "changed	1	3"
	for _, at := range []time.Time{now, now.Add(5 * hours)} { // by the second time the row is older
		p := &publication{w: w, units: []Unit{lately(20)}}
		p.found = []unitFindings{{outputs: map[*schema.Table]*outputFindings{}}}
		o := &outputFindings{before: 1}
		p.found[0].outputs[p.units[0].Outputs[0].Table] = o
		o.arrived(classChanged, difference{offer: "1", ages: uint32(3 + at.Sub(now)/hours), rows: 1})
		must(t, p.recordArrivals(t.Context(), at))
		equal(t, "lateness", ask(t, w, "SELECT event, rows, max_hours FROM {db}.lateness"), want)
		want = "changed	1	8"
	}
}
