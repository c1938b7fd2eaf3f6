package tests

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"syncd/tests/affisesim"
)

const wrongAccount = `  - name: wrong
    network: affise
    base_url: {url}
    credentials: {api_key: "e2e-WRONG-key-000"}
    role: admin
    start: %s
    pace: {min_delay: 0s, allow_faster: true}
`

func TestAWrongKeyStopsItsAccountAndNoOther(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 300, Clicks: -1}).onServer()
	x := recent(t, "main", "UTC", 4)
	b.config(fmt.Sprintf(wrongAccount, x.day(x.from)) + adminAccount("main", "UTC", x.from, unpaced+"    streams: {clicks: {enabled: false}}\n"))
	r := b.run("run", "--once", "--only", "wrong", "--only", "main/conversions", "--only", "main/offers").ended(t, 1)
	says(t, r.stderr, "Affise refused the key of account wrong (403 Auth Denied)")
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	wrong := 0
	for _, c := range b.network.Log() {
		if c.Key == "wrong" {
			wrong++
		}
	}
	if wrong == 0 || wrong > 4 { // two calls may leave at once, and each may be followed by the one that proves the key
		t.Errorf("%d calls were made with the wrong key", wrong)
	}
	s := b.run("status").ended(t, 0)
	says(t, s.stdout, "stopped", "refused the key of account wrong")
}

// A window that is answered wrongly is not published; its neighbours are.
func TestAWrongAnswerIsNotPublishedAndItsNeighboursAre(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault affisesim.Fault
		says  string
		code  int
		// calls is the most that may be made for the window.
		calls int
	}{
		{"status 2 inside 200 gives the stream up", affisesim.Fault{Kind: affisesim.StatusTwo, Times: -1}, "Internal error", 1, 2},
		{"one page of HTML is asked again", affisesim.Fault{Kind: affisesim.HTMLPage}, "HTML", 0, 0},
		{"one cut body is asked again", affisesim.Fault{Kind: affisesim.CutBody}, "call failed", 0, 0},
		{"one torn document is asked again", affisesim.Fault{Kind: affisesim.TornJSON}, "call failed", 0, 0},
		{"a repeated page ends the pull", affisesim.Fault{Kind: affisesim.RepeatedPage, Params: map[string]string{"page": "2"}, Times: -1}, "page", 1, 4},
		{"pages without end end the pull", affisesim.Fault{Kind: affisesim.EndlessPages, Times: -1}, "page", 1, 20},
		{"a page over the size cap ends the pull", affisesim.Fault{Kind: affisesim.Oversize, Size: 70 << 20, Times: -1}, "64", 1, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, affisesim.Options{Conversions: 1_500, Clicks: -1, Switches: affisesim.Switches{StableKeys: true}}).onServer()
			x := recent(t, "main", "UTC", 4)
			day := x.day(x.from.AddDate(0, 0, 2))
			test.fault.Path = "/3.0/stats/conversions"
			params := map[string]string{"date_from": day}
			maps.Copy(params, test.fault.Params)
			test.fault.Params = params
			b.network.Inject(test.fault)
			b.config(adminAccount("main", "UTC", x.from, unpaced+`    variables: {page_size: "20"}`+"\n"))
			r := b.run("run", "--backfill", x.day(x.from)+".."+x.day(time.Now()), "--only", "main/conversions", "--only", "main/stats/by_offer").ended(t, test.code)
			says(t, r.stderr, test.says)
			conn, _ := b.warehouse()
			b.statsEqual(conn, x)
			calls := 0
			for _, c := range b.network.CallsTo("/3.0/stats/conversions") {
				if strings.Contains(c.Params, "date_from="+day) {
					calls++
				}
			}
			if test.calls > 0 && calls > test.calls {
				t.Errorf("%d calls were made for the window", calls)
			}
			if test.code == 0 {
				b.conversionsEqual(conn, x)
				return
			}
			if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions WHERE report_date = $1", day); n > 0 {
				t.Errorf("%d rows of the window are visible", n)
			}
			// The network is mended: the same backfill goes on where it stopped.
			b.network.SetFaults(affisesim.Faults{})
			b.run("run", "--backfill", x.day(x.from)+".."+x.day(time.Now()), "--only", "main/conversions", "--only", "main/stats/by_offer").ended(t, 0)
			b.conversionsEqual(conn, x)
		})
	}
}

func TestABrokenRecordGoesToQuarantineAndItsNeighboursLoad(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 1_500, Clicks: -1}).onServer()
	x := recent(t, "main", "UTC", 4)
	x.without = map[string]bool{}
	kinds := []affisesim.FaultKind{affisesim.BrokenDate, affisesim.BrokenAmount}
	for _, c := range b.network.Conversions() {
		if x.has(c.CreatedAt) && len(x.without) < len(kinds) {
			if err := b.network.BreakRow(c.ID, kinds[len(x.without)]); err != nil {
				t.Fatal(err)
			}
			x.without[c.ID] = true
		}
	}
	b.config(adminAccount("main", "UTC", x.from, unpaced))
	args := []string{"run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()), "--only", "main/conversions"}
	b.run(args...).ended(t, 0)
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".quarantine WHERE table_name = 'conversions'"); n != 2 {
		t.Errorf("%d records are in quarantine, want 2", n)
	}
	for _, column := range []string{"created_at", "revenue"} {
		if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".quarantine WHERE position(reason, $1) > 0 AND length(record) > 100", column); n != 1 {
			t.Errorf("%d records are in quarantine for their %s: %s", n, column, one[string](t, conn, "SELECT arrayStringConcat(groupArray(reason), '; ') FROM "+b.database+".quarantine"))
		}
	}
	b.network.RepairRows()
	b.run(args...).ended(t, 0)
	x.without = nil
	b.conversionsEqual(conn, x)
}
