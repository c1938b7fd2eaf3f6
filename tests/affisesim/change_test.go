package affisesim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestRestatementsAreFoundByUpdateDate(t *testing.T) {
	o := fixed()
	now := o.To.Add(26 * time.Hour)
	o.Now = func() time.Time { return now }
	n, ask := setup(t, o)
	today := "update_from_date=2024-03-12&timezone=UTC"
	const ever = "/3.0/stats/conversions?date_from=2024-01-01&date_to=2024-12-31&"
	before, _ := pull(t, ask, ever+today, "conversions", 100)
	if len(before) != 0 {
		t.Fatalf("got %d updated before anything was", len(before))
	}
	rep := n.Restate(5, Change{Statuses: 12, Amounts: 3, Late: 7, Removed: 4})
	want := slices.Concat(rep.Late, rep.Amounts)
	for _, c := range rep.Statuses {
		want = append(want, c.ID)
	}
	got, _ := pull(t, ask, ever+today, "conversions", 5)
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("got other rows by update_from_date (-want +got):\n%s", d)
	}
	all, _ := pull(t, ask, ever, "conversions", 100)
	for _, id := range rep.Removed {
		if slices.Contains(all, id) {
			t.Errorf("got the removed row %s", id)
		}
	}
	if len(all) != 600-4+7 || len(n.Conversions()) != len(all) {
		t.Errorf("got %d rows, the truth %d, want %d", len(all), len(n.Conversions()), 603)
	}
	if week, _ := pull(t, ask, "/3.0/stats/conversions?"+today, "conversions", 100); len(week) >= len(got) {
		t.Errorf("got %d rows without date_from, want only the last week's of %d", len(week), len(got))
	}
	if later, _ := pull(t, ask, ever+today+"&update_from_hour=3", "conversions", 100); len(later) != 0 {
		t.Errorf("got %d rows of a later hour", len(later))
	}
}

func TestUpdateDateAloneDecidesWithTheSwitch(t *testing.T) {
	o := fixed()
	o.UpdateIgnoresDateFrom = true
	n, ask := setup(t, o)
	rep := n.Restate(5, Change{Statuses: 40, At: o.To.Add(time.Hour)})
	if got, _ := pull(t, ask, "/3.0/stats/conversions?update_from_date=2024-03-11&timezone=UTC", "conversions", 100); len(got) < len(rep.Statuses) {
		t.Errorf("got %d rows, want the %d changed at least", len(got), len(rep.Statuses))
	}
}

func TestImportedRowsHaveIdsOfTheirArrival(t *testing.T) {
	o := fixed()
	o.ImportedIDs = true
	n := New(o)
	rep := n.Restate(1, Change{Late: 3})
	for _, id := range rep.Late {
		if want := fmt.Sprintf("%x", o.To.Unix()); !strings.HasPrefix(id, want) {
			t.Errorf("got id %s, want it to begin with %s", id, want)
		}
	}
}

func TestOffersChange(t *testing.T) {
	n, ask := setup(t, fixed())
	rep := n.Restate(1, Change{Offers: 1})
	rows := ask("/3.0/offers?status[]=active&status[]=stopped&status[]=suspended&limit=500&updated_at=2024-03-11").rows(t, "offers")
	if len(rows) != 1 || int(rows[0]["id"].(float64)) != rep.Offers[0] {
		t.Errorf("got %d offers, want the changed one %v", len(rows), rep.Offers)
	}
}

func TestDriftAddsRowsBetweenPages(t *testing.T) {
	o := fixed()
	o.Drift = true
	n, ask := setup(t, o)
	ids, totals := pull(t, ask, "/3.0/stats/conversions?date_from=2024-03-05&date_to=2024-03-05&timezone=UTC", "conversions", 20)
	if totals[len(totals)-1] <= totals[0] || len(slices.Compact(slices.Sorted(slices.Values(ids)))) == len(ids) {
		t.Errorf("got totals %v and no row twice", totals)
	}
	if len(n.Conversions()) <= 600 {
		t.Error("got no new row in the truth")
	}
}

func TestPremadePagesAreTheRenderedOnes(t *testing.T) {
	o := fixed()
	o.ClicksMaxAge = -1
	n, ask := setup(t, o)
	var paths []string
	for day := 1; day <= 11; day++ {
		for page := 1; page <= 3; page++ {
			paths = append(paths, fmt.Sprintf("/3.0/stats/conversions?date_from=2024-03-%02d&date_to=2024-03-%02d&timezone=Europe/Berlin&limit=50&page=%d", day, day, page))
		}
		for _, hour := range []int{0, 2, 23} {
			paths = append(paths, fmt.Sprintf("/3.0/stats/clicks?date_from=2024-03-%02d&date_to=2024-03-%02d&timezone=Europe/Berlin&limit=50&hour=%d", day, day, hour))
		}
	}
	rendered := map[string][]byte{}
	for _, p := range paths {
		rendered[p] = ask(p).Body
	}
	made, err := n.Premake(PremakeOptions{Zone: "Europe/Berlin", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	if made.Rows != 3600 {
		t.Errorf("got %d rows, want 3600", made.Rows)
	}
	for _, p := range paths {
		if a := ask(p); !bytes.Equal(a.Body, rendered[p]) {
			t.Fatalf("got %.300s of %s, want %.300s", a.Body, p, rendered[p])
		}
	}
	pages := len(n.premade.pages)
	rep := n.Restate(1, Change{Statuses: 1, Removed: 1, RemovedClicks: 1})
	if len(n.premade.pages) >= pages {
		t.Error("got all premade pages after a change")
	}
	var bodies []byte
	for _, p := range paths {
		bodies = append(bodies, ask(p).Body...)
	}
	if bytes.Contains(bodies, []byte(`"id":"`+rep.Removed[0])) {
		t.Error("got a removed row from a premade page")
	}
	log := n.Log()
	rows := 0
	for _, c := range log[len(paths) : 2*len(paths)] {
		rows += c.Rows
		if !c.Answered() || c.Bytes != int64(len(rendered[c.Path+"?"+c.Params])) && rendered[c.Path+"?"+c.Params] != nil {
			t.Errorf("got the call %+v, want it answered whole", c)
		}
	}
	if rows == 0 {
		t.Error("got no rows in the log")
	}
}

func TestLiveTrafficArrivesAsTimeGoesOn(t *testing.T) {
	o := fixed()
	var now atomic.Int64
	now.Store(o.To.Unix())
	o.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	o.Live = Live{ClicksPerHour: 120, ConversionsPerHour: 30, Decide: 10 * time.Minute}
	n, ask := setup(t, o)
	const path = "/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-12&timezone=UTC"
	had, _ := pull(t, ask, path, "conversions", 500)
	for range 8 {
		now.Add(900)
		got, _ := pull(t, ask, path, "conversions", 500)
		if len(got) <= len(had) {
			t.Fatalf("got %d conversions, had %d", len(got), len(had))
		}
		had = got
	}
	if len(had) != 600+60 || len(n.Clicks()) != 3000+240 {
		t.Errorf("got %d conversions and %d clicks after two hours", len(had), len(n.Clicks()))
	}
	decided := 0
	for c := range n.EachConversion() {
		if c.CreatedAt.After(o.To) && c.Status != "pending" {
			decided++
			if !c.UpdatedAt.After(c.CreatedAt) {
				t.Errorf("got %s decided at %s, created at %s", c.ID, c.UpdatedAt, c.CreatedAt)
			}
		}
		if c.CreatedAt.After(time.Unix(now.Load(), 0)) {
			t.Errorf("got %s, created in the future", c.ID)
		}
	}
	if decided < 20 {
		t.Errorf("got %d live conversions decided of 60", decided)
	}
}

func TestTheLogFindsRepeatedAndHastyCalls(t *testing.T) {
	at := func(s int) time.Time { return day0.Add(time.Duration(s) * time.Second) }
	call := func(params string, from, to int, status int) Call {
		return Call{Key: "admin", Method: "GET", Path: "/p", Params: params, At: at(from), Ended: at(to), Status: status, Done: true}
	}
	calls := []Call{call("a", 0, 1, 200), call("b", 3, 4, 500), call("b", 5, 6, 200), call("a", 20, 21, 200), call("b", 22, 30, 200), call("c", 29, 31, 200)}
	for _, c := range []struct {
		name string
		got  []Pair
		want string
	}{
		{"a call that failed may be made again", Repeated(calls, 0), "a0-20 b5-22"},
		{"a call may be made again later", Repeated(calls, 17*time.Second), "b5-22"},
		{"the pace counts from the end, failures too", CallsWithin(calls, 2*time.Second), "b3-5 b20-22 c22-29"},
		{"calls that overlap are too early always", CallsWithin(calls, 0), "c22-29"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range c.got {
				got = append(got, fmt.Sprintf("%s%d-%d", p.Second.Params, int(p.First.At.Sub(day0).Seconds()), int(p.Second.At.Sub(day0).Seconds())))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

// watcher looks into the log while the answer is written to it.
type watcher struct {
	*httptest.ResponseRecorder
	n    *Network
	seen []Call
}

func (w *watcher) Write(b []byte) (int, error) {
	w.seen = w.n.Log()
	return w.ResponseRecorder.Write(b)
}

func TestACallIsInTheLogBeforeItsClientCanHaveTheAnswer(t *testing.T) {
	n := New(fixed())
	w := &watcher{ResponseRecorder: httptest.NewRecorder(), n: n}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/3.0/offers", nil)
	r.Header.Set("API-Key", n.Options().AdminKey)
	n.Handler().ServeHTTP(w, r)
	if len(w.seen) != 1 || !w.seen[0].Answered() || w.seen[0].Ended.IsZero() || w.seen[0].Rows == 0 {
		t.Errorf("got the log %+v while the answer was written", w.seen)
	}
}

func TestTheLogNamesParametersThatAreNotDocumented(t *testing.T) {
	o := fixed()
	n, ask := setup(t, o)
	ask("/3.0/offers?limit=1&statuses[]=active")
	if c := n.Log()[0]; !slices.Equal(c.Alien, []string{"statuses"}) || c.Params != "limit=1&statuses[]=active" || c.Query {
		t.Errorf("got %+v", c)
	}
	o.Strict = true
	_, strict := setup(t, o)
	if a := strict("/3.0/offers?limit=1&statuses[]=active"); a.Status != 400 {
		t.Errorf("got %d, want 400", a.Status)
	}
}

// TestReadersAndChangesDoNotRace is for the race detector, and finds answers
// that mix two versions.
func TestReadersAndChangesDoNotRace(t *testing.T) {
	o := fixed()
	o.Live = Live{ClicksPerHour: 3600, ConversionsPerHour: 3600, Decide: time.Minute}
	var now atomic.Int64
	now.Store(o.To.Unix())
	o.Now = func() time.Time { return time.Unix(now.Add(1), 0) }
	n, ask := setup(t, o)
	if _, err := n.Premake(PremakeOptions{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 30 {
				day := 1 + (i+w)%11
				a := ask(fmt.Sprintf("/3.0/stats/conversions?date_from=2024-03-%02d&date_to=2024-03-%02d&timezone=UTC&limit=500", day, day))
				if got := len(a.Doc["conversions"].([]any)); float64(got) != a.Doc["pagination"].(map[string]any)["total_count"] && got < 500 {
					t.Errorf("got %d rows, %v", got, a.Doc["pagination"])
				}
				ask("/3.0/stats/getbyhour?filter[date_from]=2024-03-05&filter[date_to]=2024-03-05")
			}
		})
	}
	for i := range 30 {
		n.Restate(uint64(i), Change{Statuses: 5, Late: 2, Removed: 2, LateClicks: 2, Offers: i % 2})
		n.Log()
	}
	wg.Wait()
}

func TestControlPaths(t *testing.T) {
	n := New(fixed())
	quit := make(chan struct{})
	url, stop, err := n.StartControlled("127.0.0.1:0", func() { close(quit) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	do := func(method, path, body string, into any) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if into != nil {
			if err := json.NewDecoder(res.Body).Decode(into); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
		}
		return res.StatusCode
	}
	get(t, url+"/3.0/offers", n.Options().AdminKey)
	get(t, url+"/3.0/offers", n.Options().AdminKey)
	var calls []Call
	if do("GET", "/_sim/log", "", &calls); len(calls) != 2 {
		t.Errorf("got %d calls, want 2", len(calls))
	}
	var pairs []Pair
	if do("GET", "/_sim/repeated?within=1h", "", &pairs); len(pairs) != 1 {
		t.Errorf("got %d repeated calls, want 1", len(pairs))
	}
	var rep Report
	if do("POST", "/_sim/restate?seed=4", `{"Statuses":3}`, &rep); len(rep.Statuses) != 3 {
		t.Errorf("got %+v", rep)
	}
	if got := do("POST", "/_sim/restate", `{"Status":3}`, nil); got != 400 {
		t.Errorf("got %d for a misspelt change, want 400", got)
	}
	do("POST", "/_sim/faults", `[{"Kind":"bad_gateway","Path":"/3.0/offers"}]`, nil)
	if a := get(t, url+"/3.0/offers", n.Options().AdminKey); a.Status != 502 {
		t.Errorf("got %d, want the fault", a.Status)
	}
	var totals []Total
	if do("GET", "/_sim/totals?zone=UTC", "", &totals); len(totals) == 0 || totals[0].Day != "2024-03-01" {
		t.Errorf("got %+v", totals)
	}
	do("POST", "/_sim/stop", "", nil)
	<-quit
}
