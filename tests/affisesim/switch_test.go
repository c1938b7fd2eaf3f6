package affisesim

import (
	"bytes"
	"net/http"
	"testing"
)

func TestSwitchesGiveTheOtherReading(t *testing.T) {
	const week = "date_from=2024-03-04&date_to=2024-03-10&limit=500"
	retention := "/3.0/stats/retentionrate?date_from=2024-03-04&date_to=2024-03-05&offer=60&goal=a&events=a"
	for _, c := range []struct {
		name, path string
		affiliate  bool
		set        func(*Switches)
		off, on    string // what the answer holds; ^ is its beginning
	}{
		{"retention without an envelope", retention, false, func(s *Switches) { s.BareRetention = true }, `^{"status":1`, `^[{"affiliate_id":10`},
		{"news as a list", "/3.0/news", true, func(s *Switches) { s.NewsAsList = true }, `"items":{`, `"items":[`},
		{"errors under error", "/3.0/offer/1", false, func(s *Switches) { s.ErrorKeyError = true }, `"message":"Resource`, `"error":"Resource`},
		{"empty maps as objects", "/3.0/partner/pixels/13", false, func(s *Switches) { s.EmptyObjects = true }, `"pixel":[]`, `"pixel":{}`},
		{"the keys of newer installations", "/3.0/stats/conversions?" + week, false, func(s *Switches) { s.Modern = true }, `"is_paid":"1"`, `"updated_at":"2024`},
		{"conversions over the cap", "/3.0/stats/conversions?" + week, false, func(s *Switches) { s.PendingCap = true }, `"status":"pending"`, `"status":"pending_cap"`},
		{"an hour of several days is dropped", "/3.0/stats/conversions?hour=3&" + week, false, func(s *Switches) { s.IgnoreHourOnRange = true }, `Bad Request`, `"conversions":[{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, on := range []bool{false, true} {
				o := fixed()
				o.Conversions = 3000
				want, not := c.off, c.on
				if on {
					c.set(&o.Switches)
					want, not = c.on, ""
				}
				n := New(o)
				url, stop, err := n.Start("127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer stop()
				key := n.Options().AdminKey
				if c.affiliate {
					key = n.Options().Affiliates[firstPartner]
				}
				a := get(t, url+c.path, key)
				body := append([]byte("^"), a.Body...)
				if !bytes.Contains(body, []byte(want)) || not != "" && bytes.Contains(body, []byte(not)) {
					t.Errorf("got %d %.300s with the switch %v, want %s and no %s", a.Status, a.Body, on, want, not)
				}
			}
		})
	}
}

func TestKeysComeInOneOrderWithTheSwitchAndInSeveralWithout(t *testing.T) {
	heads := func(o Options) map[string]bool {
		_, ask := setup(t, o)
		out := map[string]bool{}
		for _, page := range []string{"1", "2", "3", "4", "5", "6"} {
			out[string(ask("/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-10&limit=20&page=" + page).Body[:12])] = true
		}
		return out
	}
	stable := fixed()
	stable.StableKeys = true
	if got := heads(fixed()); len(got) < 2 {
		t.Errorf("got one order of keys: %v", got)
	}
	if got := heads(stable); len(got) != 1 {
		t.Errorf("got %d orders of keys", len(got))
	}
}

func TestGzipIsForThoseWhoAskForIt(t *testing.T) {
	o := fixed()
	o.Gzip = true
	n, ask := setup(t, o)
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	// The standard client asks for gzip itself, and unpacks it.
	if a := ask("/3.0/offers"); a.Status != 200 || len(a.rows(t, "offers")) == 0 {
		t.Errorf("got %d", a.Status)
	}
	for _, accept := range []string{"gzip", "identity"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/3.0/offers", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		req.Header.Set("API-Key", n.Options().AdminKey)
		req.Header.Set("Accept-Encoding", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Content-Encoding"); (got == "gzip") != (accept == "gzip") {
			t.Errorf("got %q for %s", got, accept)
		}
	}
}

func TestCurrenciesAreConvertedUnlessOneIsAskedFor(t *testing.T) {
	o := fixed()
	o.Currencies = []string{"USD", "EUR"}
	n, ask := setup(t, o)
	sum := func(query string) money {
		var all money
		for _, row := range ask("/3.0/stats/getbydate?filter[date_from]=2024-03-05&filter[date_to]=2024-03-05&timezone=UTC"+query).rows(t, "stats") {
			all += money(total(row)["revenue"].(float64)*float64(unit) + 0.5)
		}
		return all
	}
	want := map[string]money{}
	var converted money
	for c := range n.EachConversion() {
		if c.CreatedAt.Format("2006-01-02") != "2024-03-05" {
			continue
		}
		m, err := parseMoney(c.Payouts)
		if err != nil {
			t.Fatal(err)
		}
		want[c.Currency] += m
		converted += toUSD(m, c.Currency)
	}
	if len(want) != 2 {
		t.Fatalf("got conversions in %d currencies, want 2", len(want))
	}
	for code, m := range want {
		if got := sum("&filter[currency][]=" + code); got != m {
			t.Errorf("got %s in %s, want %s", got, code, m)
		}
	}
	if got := sum(""); got != converted || got == want["USD"]+want["EUR"] {
		t.Errorf("got %s of both, want %s", got, converted)
	}
}
