package tests

import (
	"database/sql"
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

func TestRemapKilledAtAnyStepIsBegunAgainAndNeverShowsAnOlderRow(t *testing.T) {
	t.Parallel()
	b, x, pull := newRemapBed(t)
	b.run(pull...).ended(t, 0)
	once := append([]string{"run", "--once"}, affiseSelection...)
	b.run(once...).ended(t, 0)
	b.network.Restate(7, affisesim.Change{Statuses: 40, Amounts: 20, Late: 30, Removed: 25, Within: 15 * 24 * time.Hour})
	b.run(once...).ended(t, 0) // a list of changes that is younger than most windows
	conn, _ := b.warehouse()
	was := b.everything(conn, "conversions")
	b.network.ResetLog()

	original := b.binary
	b.binary = remade(t, "syncd-remap-killed", otherAffise...)
	fresh := b.beside()
	fresh.config(adminAccount("main", berlin, x.from, unpaced))
	fresh.run(pull...).ended(t, 0)
	calls := len(b.network.Log())
	want := fresh.everything(conn, "conversions")
	seen := map[string]string{}
	remap := append([]string{"remap"}, affiseSelection...)
	for _, step := range []string{"staged:1", "record:2", "attach:2", "published:1", "checkpointed:2"} {
		if r := b.startWith([]string{"SYNCD_CRASH=" + step}, remap...).wait(); r.signal == 0 {
			t.Fatalf("step %s was never reached:\n%s", step, tail(r.stderr))
		}
		for _, row := range b.everything(conn, "conversions") {
			seen[row] = step
		}
	}
	b.run(remap...).ended(t, 0)
	if n := len(b.network.Log()); n != calls {
		t.Errorf("remap made %d calls", n-calls)
	}
	// The windows that the changes touched are asked for by their tiers; here all of them are.
	changed := b.everything(conn, "conversions")
	b.binary = original
	if slices.Equal(was, changed) {
		t.Error("nothing changed: the test shows nothing")
	}
	for _, row := range slices.Concat(was, changed) {
		delete(seen, row)
	}
	for row, step := range seen {
		t.Errorf("after a crash at %s there was a row that is neither as it was nor as it came to be: %s", step, row)
	}
	b.binary = fresh.binary
	b.run(pull...).ended(t, 0)
	sameRows(t, "conversions", b.everything(conn, "conversions"), want)
}

// What was received of a pull when syncd was killed waits in the inbox, older than some of
// what is made anew and younger than the rest.
func TestRemapKeepsTheOrderOfWhatIsNotLoadedYet(t *testing.T) {
	t.Parallel()
	b, x, pull := newRemapBed(t)
	b.run(pull...).ended(t, 0)
	b.network.Restate(7, affisesim.Change{Statuses: 200, Amounts: 50, Late: 30, Removed: 25, Within: 15 * 24 * time.Hour})
	b.binary = must(crashing())(t)
	for _, step := range []string{"received:3", "received:40"} {
		if r := b.startWith([]string{"SYNCD_CRASH=" + step}, pull...).wait(); r.signal == 0 {
			t.Fatalf("step %s was never reached", step)
		}
	}
	if n := b.openPulls(); n == 0 {
		t.Fatal("nothing waits in the inbox: the test shows nothing")
	}
	b.network.ResetLog()
	b.binary = remade(t, "syncd-remap-open", otherAffise...)
	b.run(append([]string{"remap"}, affiseSelection...)...).ended(t, 0)
	if calls := b.network.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls", len(calls))
	}
	b.run(pull...).ended(t, 0)
	fresh := b.beside()
	fresh.config(adminAccount("main", berlin, x.from, unpaced))
	fresh.run(pull...).ended(t, 0)
	conn := b.connect()
	for _, view := range []string{"conversions", "clicks", "stats"} {
		sameRows(t, view, b.everything(conn, view), fresh.everything(conn, view))
	}
}

// openPulls counts the pulls with pages in the inbox.
func (b *bed) openPulls() (n int) {
	b.t.Helper()
	db, err := sql.Open("sqlite", b.data("state.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM pulls WHERE pages > 0").Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestRemapReadsWhatIsInTheQuarantine(t *testing.T) {
	t.Parallel()
	b, x, pull := newRemapBed(t)
	pull = append(slices.Clone(pull[:3]), "--only", "main/conversions")
	conn := b.connect()
	quarantine := func(where string) uint64 {
		return one[uint64](t, conn, "SELECT count() FROM "+b.database+".quarantine WHERE "+where)
	}
	right := b.binary
	b.binary = remade(t, "syncd-quarantine", edit{"affise/10_conversions.yaml", "hold_until: {from: hold_date_expire}", "hold_until: {from: comment}"})
	b.run(pull...).ended(t, 0)
	bad := quarantine("position(reason, 'hold_until') > 0")
	if bad == 0 {
		t.Fatal("no record is in the quarantine: the test shows nothing")
	}
	b.network.ResetLog()

	// Records that still cannot be read stay, with the reason as it is now.
	b.binary = remade(t, "syncd-quarantine-2", edit{"affise/10_conversions.yaml", "updated_at: {from: updated_at}", "updated_at: {from: comment}"})
	r := b.run("remap", "--quarantine").ended(t, 0)
	says(t, r.stdout, "records are in the quarantine")
	if n, all := quarantine("position(reason, 'updated_at') > 0"), quarantine("1"); n != bad || all != bad {
		t.Errorf("%d of %d records are there for the new reason, want %d", n, all, bad)
	}

	b.binary = right
	says(t, b.run("remap", "--quarantine").ended(t, 0).stdout, "main     conversions")
	if n := quarantine("1"); n > 0 {
		t.Errorf("%d records are still in the quarantine", n)
	}
	b.conversionsEqual(conn, x)
	says(t, b.run("remap", "--quarantine").ended(t, 0).stdout, "nothing to make anew")
	if calls := b.network.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls", len(calls))
	}
}

// Windows whose records were nearly all bad were refused, and nothing of them is visible.
func TestRemapReadsWhatWasRefused(t *testing.T) {
	t.Parallel()
	b, x, pull := newRemapBed(t)
	pull = append(slices.Clone(pull[:3]), "--only", "main/conversions")
	right := b.binary
	b.binary = remade(t, "syncd-refused", edit{"affise/10_conversions.yaml", "click_at: {from: click_time, fold: clickid}", "click_at: {from: status}"})
	b.run(pull...).ended(t, 1)
	conn := b.connect()
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions"); n > 0 {
		t.Fatalf("%d rows are visible: the test shows nothing", n)
	}
	b.network.ResetLog()
	b.binary = right
	b.run("remap", "--only", "main/conversions").ended(t, 0)
	b.conversionsEqual(conn, x)
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".quarantine"); n > 0 {
		t.Errorf("%d records are still in the quarantine", n)
	}
	says(t, b.run("status").ended(t, 0).stdout, "main     conversions", "up to date")
	if calls := b.network.Log(); len(calls) > 0 {
		t.Errorf("remap made %d calls", len(calls))
	}
}

func TestRemapSaysWhatItIsAskedWrongly(t *testing.T) {
	t.Parallel()
	b, _, _ := newRemapBed(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"remap", "--since", "yesterday"}, 2, "neither a day such as"},
		{[]string{"remap", "--since", "2999-01-01"}, 2, "yet to come"},
		{[]string{"remap", "--only", "nobody"}, 2, "no account is called nobody"},
		{[]string{"remap", "--only", "main/nothing"}, 2, "has no stream nothing"},
		{[]string{"remap", "main"}, 2, "remap --help"},
	} {
		r := b.run(c.args...).ended(t, c.code)
		says(t, r.stderr, c.says)
	}
	says(t, b.run("remap").ended(t, 0).stdout, "nothing to make anew: no such answers are kept")
	daemon := b.start("run", "--only", "main/offers")
	daemon.page()
	r := b.run("remap").ended(t, 1)
	says(t, r.stderr, "stop it first", "pid")
}
