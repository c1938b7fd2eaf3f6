package affisesim

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// pull reads all pages of a list and returns the ids, and the totals stated.
func pull(t *testing.T, ask func(string) answerOf, path, key string, limit int) (ids []string, totals []float64) {
	t.Helper()
	for page := 1; ; page++ {
		a := ask(fmt.Sprintf("%s&limit=%d&page=%d", path, limit, page))
		for _, row := range a.rows(t, key) {
			ids = append(ids, row["id"].(string))
		}
		p := a.Doc["pagination"].(map[string]any)
		totals = append(totals, p["total_count"].(float64))
		next, more := p["next_page"].(float64)
		if !more {
			return ids, totals
		}
		if int(next) != page+1 {
			t.Fatalf("got next_page %v on page %d", next, page)
		}
	}
}

func TestPagesAddUpToTheirTotal(t *testing.T) {
	n, ask := setup(t, fixed())
	for _, c := range []struct {
		name, path, key string
		want            int
	}{
		{"conversions", "/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-11", "conversions", len(n.Conversions())},
		{"clicks of the last week", "/3.0/stats/clicks?date_from=2024-03-05&date_to=2024-03-11", "clicks", -1},
		{"clicks of a partner", "/3.0/stats/clicks?date_from=2024-03-05&date_to=2024-03-05&partner[]=10", "clicks", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, totals := pull(t, ask, c.path, c.key, 37)
			unique := slices.Compact(slices.Sorted(slices.Values(ids)))
			if len(unique) != len(ids) || len(ids) == 0 || float64(len(ids)) != totals[0] || slices.Min(totals) != slices.Max(totals) {
				t.Errorf("got %d rows, %d different, totals %v", len(ids), len(unique), totals)
			}
			if want := (len(ids) + 36) / 37; len(totals) != want {
				t.Errorf("got %d pages, want %d", len(totals), want)
			}
			if c.want >= 0 && len(ids) != c.want {
				t.Errorf("got %d rows, want %d", len(ids), c.want)
			}
			again, _ := pull(t, ask, c.path, c.key, 37)
			if !slices.Equal(ids, again) {
				t.Error("got another order the second time")
			}
			if sorted := slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b[:8], a[:8]) }); sorted != (c.key == "conversions") {
				t.Errorf("got newest first: %v", sorted)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	path := "/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-11"
	refuse, free := fixed(), fixed()
	refuse.RefuseOverLimit = true
	free.MaxLimit = -1
	for _, c := range []struct {
		name   string
		o      Options
		query  string
		status int
		per    float64
	}{
		{"the default is 100", fixed(), "", 200, 100},
		{"a limit over 500 is clamped", fixed(), "&limit=5000", 200, 500},
		{"a limit over 500 is refused with the switch", refuse, "&limit=501", 400, 0},
		{"an older tenant gives any limit", free, "&limit=5000", 200, 5000},
		{"a limit that is no number counts as none", fixed(), "&limit=x", 200, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ask := setup(t, c.o)
			a := ask(path + c.query)
			if a.Status != c.status {
				t.Fatalf("got %d %s", a.Status, a.Body)
			}
			if c.per > 0 && a.Doc["pagination"].(map[string]any)["per_page"] != c.per {
				t.Errorf("got %v, want per_page %v", a.Doc["pagination"], c.per)
			}
		})
	}
}

func TestAFullLastPageHasNoNext(t *testing.T) {
	n, ask := setup(t, fixed())
	a := ask(fmt.Sprintf("/3.0/offers?limit=%d", len(slices.DeleteFunc(n.Offers(), func(o Offer) bool { return o.Status != "active" }))))
	p := a.Doc["pagination"].(map[string]any)
	if p["per_page"] != p["total_count"] || p["next_page"] != nil {
		t.Errorf("got %v, want one full page", p)
	}
}

func TestAPageAfterTheLastIsEmptyAndHasNoNext(t *testing.T) {
	_, ask := setup(t, fixed())
	a := ask("/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-11&page=400")
	if rows := a.rows(t, "conversions"); len(rows) != 0 || a.Doc["pagination"].(map[string]any)["next_page"] != nil {
		t.Errorf("got %d rows, %v", len(rows), a.Doc["pagination"])
	}
}

func TestKeysAndRefusals(t *testing.T) {
	n, _ := setup(t, fixed())
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	denied := fixed()
	denied.Denied = []string{"/3.0/stats/clicks"}
	d := New(denied)
	durl, dstop, err := d.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dstop()
	admin := n.Options().AdminKey
	for _, c := range []struct {
		name, url, key string
		status         int
		text           string
	}{
		{"no key is 401", url + "/3.0/offers", "", 401, "Token is necessary"},
		{"a wrong key is 403", url + "/3.0/offers", "nonsense", 403, "Auth Denied"},
		{"the key may be a parameter", url + "/3.0/offers?api-key=" + admin, "", 200, `"offers"`},
		{"an unknown path says error", url + "/3.0/nothing", admin, 404, `"error":"Page Not Found"`},
		{"an unknown offer is 404", url + "/3.0/offer/999999", admin, 404, "Not Found"},
		{"an unknown click is 400", url + "/3.0/stats/click/000000000000000000000000", admin, 400, "Bad Request"},
		{"a stats report needs dates", url + "/3.0/stats/getbydate", admin, 400, "Bad Request"},
		{"a custom report needs slices", url + "/3.0/stats/custom?filter[date_from]=2024-03-01&filter[date_to]=2024-03-01", admin, 400, "Bad Request"},
		{"a date must be one", url + "/3.0/stats/conversions?date_from=yesterday", admin, 400, "Bad Request"},
		{"a zone must exist", url + "/3.0/stats/conversions?timezone=Mars/Olympus", admin, 400, "Bad Request"},
		{"an hour needs one day", url + "/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-02&hour=1", admin, 400, "Bad Request"},
		{"a denied right is 403", durl + "/3.0/stats/clicks?date_from=2024-03-05&date_to=2024-03-05", admin, 403, "Auth Denied"},
		{"an admin slice is refused to an affiliate", url + "/3.0/stats/custom?slice[]=affiliate&filter[date_from]=2024-03-01&filter[date_to]=2024-03-01",
			n.Options().Affiliates[firstPartner], 403, "Auth Denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := get(t, c.url, c.key)
			if a.Status != c.status || !strings.Contains(string(a.Body), c.text) {
				t.Errorf("got %d %.200s, want %d with %s", a.Status, a.Body, c.status, c.text)
			}
		})
	}
}

func TestParametersAreReadAsPHPReadsThem(t *testing.T) {
	for _, c := range []struct {
		name, query, key string
		want             []string
	}{
		{"brackets make a list", "slice[]=day&slice[]=offer", "slice", []string{"day", "offer"}},
		{"numbers in brackets do too", "slice[0]=day&slice[1]=offer", "slice", []string{"day", "offer"}},
		{"brackets may be escaped", "partner%5B%5D=2&partner%5B%5D=3", "partner", []string{"2", "3"}},
		{"a bare name that repeats keeps its last value", "slice=day&slice=offer", "slice", []string{"offer"}},
		{"a filter is a name", "filter[offer]=15", "filter[offer]", []string{"15"}},
		{"a filter may be a list", "filter[country][]=US&filter[country][1]=DE", "filter[country]", []string{"US", "DE"}},
		{"a list may come as a scalar", "status=2", "status", []string{"2"}},
		{"a sort key is a name", "sort[id]=asc", "sort[id]", []string{"asc"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseParams(c.query).all(c.key); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q of %s, want %q", got, c.query, c.want)
			}
		})
	}
	a, b := parseParams("b=2&a[]=1&a[]=x+y&api-key=k"), parseParams("a%5B0%5D=1&a[1]=x%20y&b=2")
	if got, want := a.canonical("api-key"), b.canonical(); got != want {
		t.Errorf("got %s and %s, want the same", got, want)
	}
}

func TestClicksBeyondTheirAge(t *testing.T) {
	cut, gone, ever := fixed(), fixed(), fixed()
	cut.ClicksCutRows, gone.ClicksGone, ever.ClicksMaxAge = true, true, -1
	const old, edge = "/3.0/stats/clicks?timezone=UTC&date_from=2024-03-02&date_to=2024-03-02", "/3.0/stats/clicks?timezone=UTC&date_from=2024-03-03&date_to=2024-03-04"
	for _, c := range []struct {
		name, path string
		o          Options
		status     int
		some       bool
	}{
		{"an old window is empty", old, fixed(), 200, false},
		{"with the switch the rows are cut", edge, cut, 200, true},
		{"a window that begins too early is empty", "/3.0/stats/clicks?timezone=UTC&date_from=2024-03-03&date_to=2024-03-10", fixed(), 200, false},
		{"a newer tenant has no clicks", edge, gone, 404, false},
		{"an older tenant has them all", old, ever, 200, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a window that begins too early is empty" {
				c.path = strings.Replace(c.path, "03-03", "03-01", 1)
			}
			_, ask := setup(t, c.o)
			a := ask(c.path)
			if a.Status != c.status {
				t.Fatalf("got %d", a.Status)
			}
			if c.status == 200 && (a.Doc["pagination"].(map[string]any)["total_count"] != 0.0) != c.some {
				t.Errorf("got %v, want some: %v", a.Doc["pagination"], c.some)
			}
		})
	}
}

func TestTheSameSeedMakesTheSameNetwork(t *testing.T) {
	a, b := New(fixed()), New(fixed())
	if !reflect.DeepEqual(a.Conversions(), b.Conversions()) || !reflect.DeepEqual(a.Clicks(), b.Clicks()) || !reflect.DeepEqual(a.Offers(), b.Offers()) {
		t.Error("got two different networks of one seed")
	}
	other := fixed()
	other.Seed = 8
	if reflect.DeepEqual(a.Conversions(), New(other).Conversions()) {
		t.Error("got the same conversions of two seeds")
	}
	ch := Change{Statuses: 9, Amounts: 4, Late: 5, Removed: 6, LateClicks: 3, RemovedClicks: 2, Offers: 1}
	if ra, rb := a.Restate(3, ch), b.Restate(3, ch); !reflect.DeepEqual(ra, rb) || !reflect.DeepEqual(a.Conversions(), b.Conversions()) {
		t.Error("got two different restatements of one seed")
	}
}
