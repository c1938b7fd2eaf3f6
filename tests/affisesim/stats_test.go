package affisesim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// statsDoc is a stats answer read without floats.
type statsDoc struct {
	Stats []struct {
		Slice struct {
			Year, Month, Day, Hour int
			Offer                  struct{ ID int }
		}
		Traffic struct{ Raw, Uniq string }
		Actions json.RawMessage
	}
	Pagination struct {
		Total int `json:"total_count"`
	}
}

type action struct {
	Charge, Revenue, Earning json.Number
	Count                    int
}

// sums are what a report is checked with: by key, in units of 10^-8.
type sums map[string][5]int64 // clicks, unique, conversions, charge, revenue

func (s sums) add(key string, v [5]int64) {
	have := s[key]
	for i := range v {
		have[i] += v[i]
	}
	s[key] = have
}

func readStats(t *testing.T, ask func(string) answerOf, path string, key func(y, m, d, h, offer int) string) sums {
	t.Helper()
	out := sums{}
	for page := 1; ; page++ {
		a := ask(fmt.Sprintf("%s&limit=100&page=%d", path, page))
		var doc statsDoc
		if err := json.Unmarshal(a.Body, &doc); err != nil {
			t.Fatalf("reading %.300s: %v", a.Body, err)
		}
		for _, row := range doc.Stats {
			var v [5]int64
			v[0], _ = strconv.ParseInt(row.Traffic.Raw, 10, 64)
			v[1], _ = strconv.ParseInt(row.Traffic.Uniq, 10, 64)
			actions := map[string]action{}
			_ = json.Unmarshal(row.Actions, &actions) // [] when there are none
			total, parts := actions["total"], 0
			for k, part := range actions {
				if k != "total" {
					parts += part.Count
				}
			}
			if parts != total.Count {
				t.Errorf("got %d conversions by status, %d in total", parts, total.Count)
			}
			v[2] = int64(total.Count)
			if total.Count > 0 {
				charge, err := parseMoney(total.Charge.String())
				if err != nil {
					t.Fatal(err)
				}
				revenue, err := parseMoney(total.Revenue.String())
				if err != nil {
					t.Fatal(err)
				}
				if (charge - revenue).String() != total.Earning.String() {
					t.Errorf("got earning %s of %s - %s", total.Earning, charge, revenue)
				}
				v[3], v[4] = int64(charge), int64(revenue)
			}
			s := row.Slice
			out.add(key(s.Year, s.Month, s.Day, s.Hour, s.Offer.ID), v)
		}
		if page*100 >= doc.Pagination.Total {
			return out
		}
	}
}

// TestStatsAreTheSumsOfTheRows compares reports with the truth in zones whose
// clocks change in the period, by half an hour even.
func TestStatsAreTheSumsOfTheRows(t *testing.T) {
	o := fixed()
	o.From = time.Date(2024, 3, 25, 0, 0, 0, 0, time.UTC)
	o.To = time.Date(2024, 4, 10, 0, 0, 0, 0, time.UTC)
	n, ask := setup(t, o)
	for _, name := range []string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu"} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			wantHour, wantOffer := sums{}, sums{}
			add := func(at time.Time, offer int, v [5]int64) {
				l := at.In(loc)
				if l.Before(time.Date(2024, 3, 26, 0, 0, 0, 0, loc)) || !l.Before(time.Date(2024, 4, 9, 0, 0, 0, 0, loc)) {
					return
				}
				wantHour.add(l.Format("2006-1-2 15"), v)
				wantOffer.add(fmt.Sprint(l.Format("2006-1-2 "), offer), v)
			}
			for c := range n.EachClick() {
				u := int64(0)
				if c.Unique {
					u = 1
				}
				add(c.CreatedAt, c.OfferID, [5]int64{1, u})
			}
			for c := range n.EachConversion() {
				charge, _ := parseMoney(c.Revenue)
				revenue, _ := parseMoney(c.Payouts)
				add(c.CreatedAt, c.OfferID, [5]int64{0, 0, 1, int64(charge), int64(revenue)})
			}
			dates := "filter[date_from]=2024-03-26&filter[date_to]=2024-04-08&timezone=" + name
			got := readStats(t, ask, "/3.0/stats/getbyhour?"+dates, func(y, m, d, h, _ int) string { return fmt.Sprintf("%d-%d-%d %02d", y, m, d, h) })
			zero := 0
			for k, v := range got {
				if v == [5]int64{} {
					zero++
				} else if v != wantHour[k] {
					t.Errorf("got %v in hour %s, want %v", v, k, wantHour[k])
				}
			}
			if len(got)-zero != len(wantHour) {
				t.Errorf("got %d hours with rows, want %d", len(got)-zero, len(wantHour))
			}
			hours := map[string]bool{}
			for at := time.Date(2024, 3, 26, 0, 0, 0, 0, loc); at.Before(time.Date(2024, 4, 9, 0, 0, 0, 0, loc)); at = at.Add(30 * time.Minute) {
				hours[at.Format("2006-1-2 15")] = true
			}
			if len(got) != len(hours) {
				t.Errorf("got %d hours, want every one of the %d there were", len(got), len(hours))
			}
			byOffer := readStats(t, ask, "/3.0/stats/custom?slice[]=year&slice[]=month&slice[]=day&slice[]=offer&"+dates,
				func(y, m, d, _, offer int) string { return fmt.Sprintf("%d-%d-%d %d", y, m, d, offer) })
			if len(byOffer) != len(wantOffer) {
				t.Errorf("got %d offer days, want %d", len(byOffer), len(wantOffer))
			}
			for k, v := range byOffer {
				if v != wantOffer[k] {
					t.Errorf("got %v of %s, want %v", v, k, wantOffer[k])
				}
			}
		})
	}
}

// TestEveryInstantIsInOneWindow holds for all zones and both changes of the
// clock: days, and hours of days, share nothing and leave nothing out.
func TestEveryInstantIsInOneWindow(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Moscow", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe", "America/St_Johns",
		"Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "America/Havana", "Asia/Tehran"} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, year := range []int{2006, 2011, 2024} {
				first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				for at := first; at.Year() == year; at = at.Add(71 * time.Minute) {
					l := at.In(loc)
					today := int32(floorDiv(time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC).Unix(), 86400))
					for d := today - 1; d <= today+1; d++ {
						s := newSpan(loc, d, d, -1)
						if got := s.has(at.Unix()); got != (d == today) {
							t.Fatalf("got %v for %s in day %+d", got, l, d-today)
						}
					}
					for _, h := range []int{(l.Hour() + 23) % 24, l.Hour(), (l.Hour() + 1) % 24} {
						s := newSpan(loc, today, today, h)
						if got := s.has(at.Unix()); got != (h == l.Hour()) {
							t.Fatalf("got %v for %s in hour %d", got, l, h)
						}
					}
					if got, want := string(appendClock(nil, loc, at.Unix())), l.Format(time.DateTime); got != want {
						t.Fatalf("got %s, want %s", got, want)
					}
				}
			}
		})
	}
}

func TestStatsSwitches(t *testing.T) {
	split, zero, month := fixed(), fixed(), fixed()
	split.Currencies, split.SplitCurrencies = []string{"USD", "EUR"}, true
	zero.AffiliateZeroCharge, month.DayAddsMonth = true, true
	const f = "filter[date_from]=2024-03-05&filter[date_to]=2024-03-05"
	for _, c := range []struct {
		name, path string
		o          Options
		affiliate  bool
		rows       int
		check      func(row map[string]any) bool
	}{
		{"a day slice is the day alone", "/3.0/stats/custom?slice[]=day&" + f, fixed(), false, 1, func(row map[string]any) bool { return len(row["slice"].(map[string]any)) == 1 }},
		{"a day slice has month and year with the switch", "/3.0/stats/custom?slice[]=day&" + f, month, false, 1,
			func(row map[string]any) bool { return len(row["slice"].(map[string]any)) == 3 }},
		{"currencies make rows with the switch", "/3.0/stats/getbydate?" + f, split, false, 2, func(map[string]any) bool { return true }},
		{"an affiliate sees no charge", "/3.0/stats/getbydate?" + f, fixed(), true, 1,
			func(row map[string]any) bool {
				_, ok := total(row)["charge"]
				return !ok && total(row)["revenue"] != 0.0
			}},
		{"an affiliate sees a charge of 0 with the switch", "/3.0/stats/getbydate?" + f, zero, true, 1,
			func(row map[string]any) bool { return total(row)["charge"] == 0.0 }},
		{"only the asked types are there", "/3.0/stats/custom?slice[]=day&conversionTypes[]=total&" + f, fixed(), false, 1,
			func(row map[string]any) bool { return len(row["actions"].(map[string]any)) == 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _ := setup(t, c.o)
			url, stop, err := n.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			key := n.Options().AdminKey
			if c.affiliate {
				key = n.Options().Affiliates[firstPartner]
			}
			rows := get(t, url+c.path, key).rows(t, "stats")
			if len(rows) != c.rows || !c.check(rows[0]) {
				t.Errorf("got %d rows, %v", len(rows), rows)
			}
		})
	}
}

func total(row map[string]any) map[string]any {
	return row["actions"].(map[string]any)["total"].(map[string]any)
}

func TestMoneyIsPrintedAsThePlatformDoes(t *testing.T) {
	for text, m := range map[string]money{"0": 0, "4": 4 * unit, "6.8": 680_000_000, "191190.40796039": 19_119_040_796_039, "-0.05": -5_000_000, "0.00000001": 1} {
		if m.String() != text {
			t.Errorf("got %s, want %s", m, text)
		}
		if back, err := parseMoney(text); err != nil || back != m {
			t.Errorf("got %d, %v of %s, want %d", back, err, text, m)
		}
	}
	for _, bad := range []string{"", "x", "1.123456789", ".5", "1e3"} {
		if m, err := parseMoney(bad); err == nil {
			t.Errorf("got %s of %q, want an error", m, bad)
		}
	}
	if got := string(ratioText(nil, 6100, 1840, 2)); got != "3.31" {
		t.Errorf("got %s, want 3.31", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain", false)
	f.Add("кампания \"7\" \\ / \x00\n\U0001f680", true)
	f.Fuzz(func(t *testing.T, s string, php bool) {
		j := js{php: php}
		j.str(s)
		var back string
		if err := json.Unmarshal(j.b, &back); err != nil {
			t.Fatalf("reading %q: %v", j.b, err)
		}
		want, _ := json.Marshal(s)
		var same string
		if err := json.Unmarshal(want, &same); err != nil || back != same {
			t.Fatalf("got %q of %q", back, s)
		}
	})
}
