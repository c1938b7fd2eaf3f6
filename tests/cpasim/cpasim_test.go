package cpasim

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// noon is the clock of these tests.
var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func network(face Face, change ...func(*Options)) *Network {
	o := Options{Face: face, Now: func() time.Time { return noon }}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func ask[T any](t *testing.T, n *Network, method, target, body string) (status int, answer T) {
	t.Helper()
	w := httptest.NewRecorder()
	n.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s: %v in %s", target, err, w.Body)
	}
	return w.Code, answer
}

func ids(leads []Lead) (list []string) {
	for _, l := range leads {
		list = append(list, strconv.Itoa(l.ID))
	}
	return list
}

type kmaAnswer struct {
	Code     int
	Statuses []struct{ ID, Status string }
}

func TestKMAAnswersForTheIDsThatItKnowsAndForFiftyAtMost(t *testing.T) {
	n := network(KMA)
	leads := n.Leads(noon)
	target := "/?method=getstatuses&token=cpasim-key&return_type=json&ids="
	_, v := ask[kmaAnswer](t, n, "GET", target+strings.Join(ids(leads[:49]), ",")+",42", "")
	if v.Code != 0 || len(v.Statuses) != 49 {
		t.Fatalf("code %d with %d statuses, want 49 of them", v.Code, len(v.Statuses))
	}
	for i, row := range v.Statuses {
		if row.ID != strconv.Itoa(leads[i].ID) || row.Status != kmaWords[leads[i].Status] {
			t.Errorf("row %d is %+v, want the status of %+v", i, row, leads[i])
		}
	}
	if _, v := ask[kmaAnswer](t, n, "GET", target+strings.Join(ids(leads[:51]), ","), ""); v.Code == 0 {
		t.Error("51 ids are answered")
	}
	if _, v := ask[kmaAnswer](t, n, "GET", "/?method=getstatuses&token=x&ids=1", ""); v.Code == 0 {
		t.Error("a wrong token is answered")
	}
	if calls := n.Log(); calls[0].Refused != "" || calls[1].Refused == "" || calls[2].Refused == "" || len(calls[0].IDs) != 50 || calls[0].Records != 49 {
		t.Errorf("the log does not tell what was answered: %+v", calls)
	}
}

func TestKMACountsErroneousCallsAgainstItsBudget(t *testing.T) {
	now := noon
	n := network(KMA, func(o *Options) { o.Budget = 2; o.Clock = func() time.Time { return now } })
	for i, want := range []int{200, 200, 429} {
		if status, _ := ask[kmaAnswer](t, n, "GET", "/?method=getoffers&token="+[]string{"x", "cpasim-key", "cpasim-key"}[i], ""); status != want {
			t.Errorf("call %d is answered %d, want %d", i, status, want)
		}
	}
	now = now.Add(time.Minute)
	if status, _ := ask[kmaAnswer](t, n, "GET", "/?method=getoffers&token=cpasim-key", ""); status != 200 {
		t.Errorf("a minute later it is answered %d", status)
	}
}

func TestTerraLeadsReadsTheExactBytesThatAreSigned(t *testing.T) {
	n := network(TerraLeads)
	l := n.Leads(noon)[3]
	body := fmt.Sprintf(`{"user_id":4217, "data":{"id":%d}}`, l.ID)
	signed := func(text string) string {
		sum := sha1.Sum([]byte(text + "cpasim-key"))
		return "/api/lead/status?check_sum=" + hex.EncodeToString(sum[:])
	}
	type answer struct {
		Status, Error string
		Data          struct {
			ID     int
			Status string
		}
	}
	_, v := ask[answer](t, n, "POST", signed(body), body)
	if v.Status != "ok" || v.Data.ID != l.ID || v.Data.Status != terraWords[l.Status] {
		t.Errorf("got %+v, want the status of %+v", v, l)
	}
	if status, v := ask[answer](t, n, "POST", signed(body), strings.ReplaceAll(body, " ", "")); status != 200 || v.Status != "error" {
		t.Errorf("a body that was changed after it was signed is answered %d %+v", status, v)
	}
}

func TestWhoCPAListsWhatWasMadeInAWindowInPages(t *testing.T) {
	n := network(WhoCPA)
	type answer struct{ Objects []map[string]any }
	from, to := noon.AddDate(0, 0, -10), noon.AddDate(0, 0, -2)
	var want, got []string
	for _, l := range n.Leads(noon) {
		if !l.Made.Before(from) && !l.Made.After(to) {
			want = append(want, strconv.Itoa(l.ID))
		}
	}
	for page := 1; ; page++ {
		_, v := ask[answer](t, n, "GET", fmt.Sprintf("/api/lead/?api_key=cpasim-key&per_page=7&page=%d&d_created_from=%s&d_created_to=%s", page, from.Format(whocpaTime), to.Format(whocpaTime)), "")
		for _, row := range v.Objects {
			got = append(got, strconv.Itoa(int(row["id"].(float64))))
		}
		if len(v.Objects) < 7 {
			break
		}
	}
	if !slices.Equal(want, got) || len(want) < 10 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTrafficLightAnswersForDaysAndForOwnIDs(t *testing.T) {
	n := network(TrafficLight)
	type answer struct {
		Count int
		Leads []struct{ ID2 string }
	}
	leads := n.Leads(noon)
	day := leads[20].Made.Format(time.DateOnly)
	want := 0
	for _, l := range leads {
		if l.Made.Format(time.DateOnly) == day {
			want++
		}
	}
	if _, v := ask[answer](t, n, "GET", "/api/lead/feed?key=cpasim-key&date_to_with=true&date[]="+day+"&date[]="+day, ""); v.Count != want || want == 0 {
		t.Errorf("the day has %d leads, want %d", v.Count, want)
	}
	if _, v := ask[answer](t, n, "GET", "/api/lead/feed?key=cpasim-key&id2="+leads[5].OwnID+"&id2="+leads[7].OwnID, ""); v.Count != 2 || v.Leads[1].ID2 != leads[7].OwnID {
		t.Errorf("two own ids give %+v", v)
	}
}

func TestLeadsAreDecidedAndSomeAreReversedLater(t *testing.T) {
	n := network(WhoCPA, func(o *Options) { o.Leads = 300 })
	seen := map[Status]int{}
	for _, l := range n.Leads(noon) {
		seen[l.Status]++
	}
	for _, s := range []Status{Waiting, Held, Approved, Rejected, Trash} {
		if seen[s] == 0 {
			t.Errorf("no lead is %s: %v", s, seen)
		}
	}
	reversed := 0
	later := n.Leads(noon.AddDate(0, 2, 0))
	for i, l := range n.Leads(noon) {
		if l.Status == Approved && later[i].Status == Rejected {
			reversed++
		}
		if later[i].Status == Waiting || later[i].Status == Held {
			t.Errorf("lead %d is not decided after two months", l.ID)
		}
	}
	if reversed == 0 {
		t.Error("no approval was taken back")
	}
}

func TestPostbacksAreSentUntilTheyAreAnswered200(t *testing.T) {
	n := network(KMA, func(o *Options) { o.Leads = 30 })
	var mu sync.Mutex
	tries, answered := map[string]int{}, map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if tries[r.URL.RawQuery]++; tries[r.URL.RawQuery] < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answered[r.URL.RawQuery]++
	}))
	defer receiver.Close()
	sent, err := n.Deliver(t.Context(), Delivery{Address: n.Address(receiver.URL + "/postback/kma?token=x"), Retry: time.Millisecond, Disorder: 5, Twice: true, Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range sent {
		u, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		if answered[u.RawQuery] != 2 {
			t.Errorf("%s was answered %d times, want twice", p.URL, answered[u.RawQuery])
		}
		q := u.Query()
		if q.Get("oid") != p.Lead.OwnID || q.Get("status") != kmaWords[p.Lead.Status] || q.Get("pay") != p.Lead.Payout || q.Get("sub2") != p.Lead.Subs[1] || strings.Contains(p.URL, "{") {
			t.Errorf("%s does not tell %+v", p.URL, p.Lead)
		}
	}
	if slices.IsSortedFunc(sent, func(a, b Postback) int { return a.Lead.Changed.Compare(b.Lead.Changed) }) || len(sent) < 60 {
		t.Errorf("%d postbacks were sent, in the order of their events", len(sent))
	}
	if again, err := n.Deliver(t.Context(), Delivery{Address: n.Address(receiver.URL)}); err != nil || len(again) > 0 {
		t.Errorf("%d postbacks of events that were told are sent again (%v)", len(again), err)
	}
	approved := slices.IndexFunc(n.Leads(noon), func(l Lead) bool { return l.Status == Approved })
	n.Decide(n.Leads(noon)[approved].ID, Rejected, "", "returned")
	again, err := n.Deliver(t.Context(), Delivery{Address: n.Address(receiver.URL), Retry: time.Millisecond})
	if err != nil || len(again) != 1 || again[0].Lead.Status != Rejected {
		t.Errorf("a change is told by %+v (%v)", again, err)
	}
}
