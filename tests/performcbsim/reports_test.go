package performcbsim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/tests/performcbsim"
)

const conversionsCall = "/api/v2/cb_api?get=conversions&" + key

func TestConversionsAreTheTruth(t *testing.T) {
	n := setup(t, nil)
	want := n.ConversionsOn(90017, noon.AddDate(0, 0, -1))
	_, kind, body := call(n, conversionsCall+"&from_date=05-31-2026&to_date=05/31/2026")
	got := parseXML[conversionsResponse](t, body)
	if !strings.HasPrefix(kind, "text/xml") || got.Success != "1" || got.Rows != len(want) || len(got.Conversions) != len(want) || len(want) < 40 {
		t.Fatalf("got %s, %d rows of %d: %.300s", kind, got.Rows, len(want), body)
	}
	symbols, empty := map[string]bool{}, 0
	for i, c := range got.Conversions {
		w := want[i]
		subs := [5]string{c.Sub1, c.Sub2, c.Sub3, c.Sub4, c.Sub5}
		if c.ID != w.ID || len(c.ID) != 22 || c.Date != w.Date || c.OfferID != w.OfferID || c.OfferName != w.OfferName || c.IP != w.IP ||
			c.Revenue != w.Revenue || c.CampaignID != w.CampaignID || subs != w.SubIDs || c.Disposition != w.Disposition || c.Symbol != w.Symbol {
			t.Errorf("conversion %d: got %v, want %v", i, c, w)
		}
		if !strings.HasPrefix(c.Date, "05-31-2026 ") {
			t.Errorf("conversion %s is of %s", c.ID, c.Date)
		}
		symbols[c.Symbol] = true
		if c.Sub1 == "" {
			empty++
		}
	}
	if len(symbols) < 2 || empty == 0 {
		t.Errorf("the day has the currencies %v and %d conversions without a sub id", symbols, empty)
	}
	_, _, body = call(n, conversionsCall+"&from_date=05-31-2026&to_date=05-31-2026&start_row=10&limit=7")
	if part := parseXML[conversionsResponse](t, body); len(part.Conversions) != 7 || part.Conversions[0].ID != want[10].ID {
		t.Errorf("start_row 10 and limit 7 give %d rows", len(part.Conversions))
	}
}

func TestKindsOfConversions(t *testing.T) {
	n := setup(t, func(o *performcbsim.Options) { o.ConversionsPerDay = 400 })
	seen := map[string]bool{}
	for c := range n.Conversions(90017) {
		seen[c.Revenue] = true
		if strings.HasPrefix(c.Revenue, "-") != (c.Disposition == performcbsim.Adjustment) {
			t.Errorf("%s of %s", c.Disposition, c.Revenue)
		}
		seen["adjustment"] = seen["adjustment"] || c.Disposition == performcbsim.Adjustment
		seen["IPv6"] = seen["IPv6"] || strings.Contains(c.IP, ":")
		seen["no address"] = seen["no address"] || c.IP == ""
	}
	for _, kind := range []string{"0.025", "120", "adjustment", "IPv6", "no address"} {
		if !seen[kind] {
			t.Errorf("no conversion has %s", kind)
		}
	}
}

func TestCampaignsAreTaggedInThreeWays(t *testing.T) {
	n := setup(t, nil)
	for tag, want := range map[performcbsim.CampaignTag]string{
		"": "<campaign_id>7000</campaign_id>", performcbsim.TagCampaign: "<campaign>7000</campaign>", performcbsim.TagMismatched: "<campaign>7000</campaign_id>",
	} {
		n.Set(func(s *performcbsim.Switches) { s.CampaignTag = tag })
		if _, _, body := call(n, conversionsCall+"&from_date=05-01-2026&to_date=06-01-2026"); !strings.Contains(body, want) {
			t.Errorf("tag %q: there is no %s", tag, want)
		}
	}
}

// Report days are the platform's, and last 23 and 25 hours when clocks change.
func TestDaysOnWhichClocksChange(t *testing.T) {
	for name, c := range map[string]struct {
		date  time.Time
		hours float64
		first []string
	}{
		"forward": {time.Date(2026, time.March, 8, 17, 0, 0, 0, time.UTC), 23, []string{"03-08-2026 01:30:00", "03-08-2026 03:30:00", "03-08-2026 01:59:59"}},
		"back":    {time.Date(2026, time.November, 1, 17, 0, 0, 0, time.UTC), 25, []string{"11-01-2026 01:30:00", "11-01-2026 01:30:00", "11-01-2026 01:59:59"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := setup(t, func(o *performcbsim.Options) { o.Now = func() time.Time { return c.date.AddDate(0, 0, 7) } })
			zone := n.Options().Zone
			midnight := time.Date(c.date.Year(), c.date.Month(), c.date.Day(), 0, 0, 0, 0, zone)
			if got := midnight.AddDate(0, 0, 1).Sub(midnight).Hours(); got != c.hours {
				t.Fatalf("the day has %v hours", got)
			}
			var dates []string
			repeats := 0
			for _, v := range n.ConversionsOn(90017, c.date) {
				if v.At.Before(midnight) || !v.At.Before(midnight.AddDate(0, 0, 1)) {
					t.Errorf("%s lies outside of its day", v.At)
				}
				dates = append(dates, v.Date)
				if v.Repeats {
					repeats++
				}
			}
			for _, want := range c.first {
				i := slices.Index(dates, want)
				if i < 0 {
					t.Errorf("there is no conversion at %s", want)
					continue
				}
				dates = slices.Delete(dates, i, i+1)
			}
			if (repeats > 0) != (c.hours == 25) {
				t.Errorf("%d conversions repeat a time", repeats)
			}
		})
	}
}

func TestSubIDsAreTheTruth(t *testing.T) {
	n := setup(t, nil)
	yesterday := noon.AddDate(0, 0, -1)
	_, _, body := call(n, "/api/v2/cb_api?get=subaffiliate&from_date=05-31-2026&to_date=05-31-2026&"+key)
	got := parseXML[subResponse](t, body)
	want := n.SubIDsOn(90017, yesterday)
	if got.Success != "true" || len(got.Reports) != len(want) || got.Rows != len(want) || got.Reports[0].SubID != "" {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	clicks, conversions := 0, 0
	for i, r := range got.Reports {
		w := want[i]
		if r.SubID != w.SubID || r.Clicks != w.Clicks || r.Conversions != w.Conversions || r.Revenue != w.Revenue || r.Rate != w.Rate || r.EPC != w.EPC || r.Currency != w.Symbol {
			t.Errorf("row %d: got %v, want %v", i, r, w)
		}
		if i > 0 && r.SubID == want[i-1].SubID {
			t.Errorf("sub id %s is there twice", r.SubID)
		}
		clicks += r.Clicks
		conversions += r.Conversions
	}
	if clicks != got.TotalClicks || conversions != len(n.ConversionsOn(90017, yesterday)) {
		t.Errorf("%d clicks and %d conversions do not add up", clicks, conversions)
	}
}

func TestHistoryRestatesItselfAsTimeGoesBy(t *testing.T) {
	now := noon
	n := setup(t, func(o *performcbsim.Options) {
		o.Now, o.Restless, o.From = func() time.Time { return now }, true, noon.AddDate(0, 0, -3)
		o.ConversionsPerDay = 300
	})
	read := func() map[string]string {
		out := map[string]string{}
		for _, c := range n.ConversionsOn(90017, noon.AddDate(0, 0, -1)) {
			out[c.ID] = c.Disposition + " " + c.Revenue
		}
		return out
	}
	before := read()
	now = now.AddDate(0, 0, 14)
	after := read()
	var changed, gone, late int
	for id, b := range before {
		switch a, ok := after[id]; {
		case !ok:
			gone++
		case a != b:
			changed++
		}
	}
	for id := range after {
		if _, ok := before[id]; !ok {
			late++
		}
	}
	if changed == 0 || gone == 0 || late == 0 {
		t.Errorf("in two weeks %d changed, %d vanished, %d came late", changed, gone, late)
	}
	now = noon
	if fmt.Sprint(read()) != fmt.Sprint(before) {
		t.Error("the same instant gave something else")
	}
}

func TestRestate(t *testing.T) {
	n := setup(t, nil)
	read := func() map[string]performcbsim.Conversion {
		out := map[string]performcbsim.Conversion{}
		for c := range n.Conversions(90017) {
			out[c.ID] = c
		}
		return out
	}
	before := read()
	r := n.Restate(90017, 3, performcbsim.Change{Dispositions: 4, Revenues: 3, Late: 2, Removed: 5, Within: 100 * time.Hour})
	after := read()
	if len(r.Dispositions) != 4 || len(r.Revenues) != 3 || len(r.Late) != 2 || len(r.Removed) != 5 || len(after) < len(before)-3 {
		t.Fatalf("got %+v", r)
	}
	for _, id := range r.Dispositions {
		if after[id].Disposition == before[id].Disposition || after[id].Revenue != "0" {
			t.Errorf("%s stays %v", id, after[id])
		}
	}
	for _, id := range r.Revenues {
		if after[id].Revenue == before[id].Revenue || before[id].At.Before(noon.Add(-100*time.Hour)) {
			t.Errorf("%s stays %v", id, after[id])
		}
	}
	for _, id := range r.Removed {
		if _, ok := after[id]; ok {
			t.Errorf("%s is still there", id)
		}
	}
	for _, id := range r.Late {
		if _, ok := after[id]; !ok {
			t.Errorf("%s is not there", id)
		}
	}
	again := setup(t, nil)
	if got := again.Restate(90017, 3, performcbsim.Change{Dispositions: 4, Revenues: 3, Late: 2, Removed: 5, Within: 100 * time.Hour}); fmt.Sprint(got) != fmt.Sprint(r) {
		t.Error("the same seed restated something else")
	}
}
