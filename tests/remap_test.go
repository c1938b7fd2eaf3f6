package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/affisesim"
)

// edit is a text of a manifest and what stands in its place.
type edit struct{ file, was, is string }

// remade gives a binary whose manifests map otherwise.
func remade(t *testing.T, name string, edits ...edit) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, e := range edits {
		path, err := filepath.Abs(filepath.Join("../extractors/manifest/networks", e.file))
		if err != nil {
			t.Fatal(err)
		}
		from := path
		if replace[path] != "" {
			from = replace[path]
		}
		src, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(src), e.was) == 0 {
			t.Fatalf("%s has no %q", e.file, e.was)
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(replace[path], []byte(strings.ReplaceAll(string(src), e.was, e.is)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := build(name, "-tags", "crashtest", "-overlay", file)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// beside is another installation over the same network with the same configuration, but
// for its warehouse and state.
func (b *bed) beside() *bed {
	b.t.Helper()
	other := *b
	other.dir, other.database = b.t.TempDir(), b.database+"_fresh"
	return other.onServer()
}

// everything gives all rows of a view as text, but for what says when they came here.
func (b *bed) everything(conn driver.Conn, view string) []string {
	b.t.Helper()
	var rows []string
	result, err := conn.Query(b.t.Context(), "SELECT toString(tuple(* EXCEPT _synced_at)) AS r FROM "+b.database+"."+view+" ORDER BY r")
	if err != nil {
		b.t.Fatal(err)
	}
	defer result.Close()
	for result.Next() {
		var r string
		if err := result.Scan(&r); err != nil {
			b.t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if err := result.Err(); err != nil {
		b.t.Fatal(err)
	}
	return rows
}

// sameRows compares the rows of a view in two installations.
func sameRows(t *testing.T, view string, got, want []string) {
	t.Helper()
	told := 0
	tell := func(format, row string) {
		if told++; told <= 4 {
			t.Errorf(format, view, row)
		}
	}
	for i, j := 0, 0; i < len(got) || j < len(want); {
		switch {
		case j == len(want) || i < len(got) && got[i] < want[j]:
			tell("%s: made anew and not there freshly pulled: %s", got[i])
			i++
		case i == len(got) || got[i] > want[j]:
			tell("%s: freshly pulled and not made anew: %s", want[j])
			j++
		default:
			i++
			j++
		}
	}
	if told > 0 {
		t.Errorf("%s: %d differences among %d rows made anew and %d freshly pulled", view, told, len(got), len(want))
	}
}

// otherAffise maps a status and a column of conversions otherwise.
var otherAffise = []edit{
	{"affise/10_conversions.yaml", "confirmed: approved", "confirmed: hold"},
	{"affise/10_conversions.yaml", "click_id: {from: clickid}", "click_id: {from: [sub1, clickid]}"},
}

var affiseSelection = []string{"--only", "main/conversions", "--only", "main/clicks", "--only", "main/stats/by_offer", "--only", "main/offers"}

func newRemapBed(t *testing.T) (b *bed, x extent, pull []string) {
	t.Helper()
	b, x, pull = newCrashBed(t)
	return b.onServer(), x, pull
}

func TestRemapMakesWhatANewPullWouldBring(t *testing.T) {
	t.Parallel()
	b, x, pull := newRemapBed(t)
	b.run(pull...).ended(t, 0)
	// Two lists of changes and younger answers of some windows.
	once := append([]string{"run", "--once"}, affiseSelection...)
	b.run(once...).ended(t, 0)
	b.network.Restate(7, affisesim.Change{Statuses: 40, Amounts: 20, Late: 30, Removed: 25, Within: 15 * 24 * time.Hour})
	b.run(once...).ended(t, 0)
	b.run(pull...).ended(t, 0)
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	was := b.everything(conn, "conversions")
	pages := one[uint64](t, conn, "SELECT count() FROM "+b.database+"_store.raw_pages FINAL")
	b.network.ResetLog()

	b.binary = remade(t, "syncd-remap", otherAffise...)
	r := b.run(append([]string{"remap"}, affiseSelection...)...).ended(t, 0)
	if calls := b.network.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls, the first: %s", len(calls), calls[0].Path)
	}
	says(t, r.stdout, "OLDEST ANSWER", "main     conversions", "account main, stream conversions: ", "changed, 0 removed", "stream clicks: ", "nothing visible changed")
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+"_store.raw_pages FINAL"); n != pages {
		t.Errorf("%d raw pages became %d", pages, n)
	}
	fresh := b.beside()
	fresh.config(adminAccount("main", berlin, x.from, unpaced))
	fresh.run(pull...).ended(t, 0)
	for _, view := range []string{"conversions", "clicks", "stats", "offers"} {
		got := b.everything(conn, view)
		if len(got) == 0 {
			t.Errorf("%s is empty: the test shows nothing", view)
		}
		sameRows(t, view, got, fresh.everything(conn, view))
	}
	if slices.Equal(was, b.everything(conn, "conversions")) {
		t.Error("nothing changed: the test shows nothing")
	}
	// What is made anew is not made anew again, and what comes next comes on top of it.
	b.network.Restate(8, affisesim.Change{Statuses: 10, Amounts: 5, Late: 5, Removed: 5, Within: 15 * 24 * time.Hour})
	b.run(pull...).ended(t, 0)
	fresh.run(pull...).ended(t, 0)
	sameRows(t, "conversions", b.everything(conn, "conversions"), fresh.everything(conn, "conversions"))
}
