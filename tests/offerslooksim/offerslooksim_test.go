package offerslooksim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// noon is the clock of these tests.
var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

type reply struct {
	Code    int
	Message string
	Data    struct {
		Rowset                               []map[string]any
		TotalPages, TotalRows, Offset, Limit int
	}
}

func ask(t *testing.T, n *Network, path string, query url.Values, change ...func(*http.Request)) (int, reply) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	r.SetBasicAuth("samplenet", "offerslooksim-key")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	var v reply
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	return w.Code, v
}

func at(now time.Time) Options { return Options{Now: func() time.Time { return now }, Budget: -1} }

func TestOffsetsCountPagesFromOne(t *testing.T) {
	n := New(at(noon))
	seen := map[float64]bool{}
	for page := 1; page <= 3; page++ {
		_, v := ask(t, n, "/v1/offers", url.Values{"offset": {itoa(page)}, "limit": {"10"}, "sort": {"+id"}})
		if v.Data.TotalPages != 3 || v.Data.TotalRows != 25 {
			t.Fatalf("got %d pages of %d rows, want 3 of 25", v.Data.TotalPages, v.Data.TotalRows)
		}
		for _, row := range v.Data.Rowset {
			seen[row["id"].(float64)] = true
		}
	}
	if len(seen) != 25 {
		t.Errorf("three pages brought %d different offers, want 25", len(seen))
	}
	if _, v := ask(t, n, "/v1/offers", url.Values{"offset": {"4"}, "limit": {"10"}}); v.Code != 0 || len(v.Data.Rowset) != 0 {
		t.Errorf("behind the last page came %d rows with code %d", len(v.Data.Rowset), v.Code)
	}
	n.Set(func(s *Switches) { s.RecordOffsets = true })
	if _, v := ask(t, n, "/v1/offers", url.Values{"offset": {"2"}, "limit": {"10"}, "sort": {"+id"}}); v.Data.Rowset[0]["id"] != 102.0 {
		t.Errorf("as a number of records, offset 2 begins at %v, want 102", v.Data.Rowset[0]["id"])
	}
}

func TestCallsAreRefusedInTheDocumentedOrder(t *testing.T) {
	o := at(noon)
	o.Budget = 2
	n := New(o)
	noKey := func(r *http.Request) { r.Header.Del("Authorization") }
	for _, tt := range []struct {
		path   string
		query  url.Values
		change func(*http.Request)
		status int
	}{
		{"/v1/offers", url.Values{"offset": {"x"}}, noKey, 401},
		{"/v1/offers", url.Values{"offset": {"x"}}, func(*http.Request) {}, 400},
		{"/v1/offers", url.Values{"offset": {"x"}}, func(*http.Request) {}, 429},
		{"/v1/offers", nil, noKey, 401},
	} {
		if status, _ := ask(t, n, tt.path, tt.query, tt.change); status != tt.status {
			t.Errorf("got %d, want %d", status, tt.status)
		}
	}
	if calls := n.Log(); !calls[2].Over || calls[1].Over {
		t.Errorf("the log does not say which call was over the budget: %+v", calls)
	}
}

func TestTheReportIsCutByLocalTimesOfTheNamedZone(t *testing.T) {
	n := New(at(noon))
	day := func(zone string) int {
		_, v := ask(t, n, "/v1/conversion_reports", url.Values{"start_time": {"2026-03-08 00:00:00"}, "end_time": {"2026-03-08 23:59:59"}, "timezone": {zone}, "limit": {"1000"}})
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range v.Data.Rowset {
			if got := time.Unix(int64(row["conversion_time"].(float64)), 0).In(loc).Format(time.DateOnly); got != "2026-03-08" {
				t.Errorf("in %s the day has a conversion of %s", zone, got)
			}
		}
		return len(v.Data.Rowset)
	}
	// The day has 23 hours in New York.
	if utc, york := day("UTC"), day("America/New_York"); york >= utc || york == 0 {
		t.Errorf("a day of 23 hours has %d conversions, one of 24 has %d", york, utc)
	}
}

func TestDecisionsComeLaterAndSomeConversionsGo(t *testing.T) {
	o := at(noon)
	o.From = noon.AddDate(0, 0, -20)
	n := New(o)
	before, after := map[int]Conversion{}, map[int]Conversion{}
	for _, c := range n.Conversions(noon) {
		before[c.ID] = c
	}
	for _, c := range n.Conversions(noon.AddDate(0, 0, 7)) {
		after[c.ID] = c
	}
	var changed, gone int
	for id, c := range before {
		now, ok := after[id]
		if !ok {
			gone++
		} else if now.Status != c.Status {
			changed++
		}
	}
	if changed == 0 || gone == 0 {
		t.Errorf("in a week %d conversions changed and %d went: nothing to restate", changed, gone)
	}
}
