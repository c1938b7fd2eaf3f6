package performcbsim_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd/tests/performcbsim"
)

const offersCall = "/api/v2/cb_api?get=findMyApprovedOffers&" + key

func TestOffersAreAMapByIdOrWrapped(t *testing.T) {
	n := setup(t, func(o *performcbsim.Options) { o.Offers = 25 })
	first := strconv.Itoa(n.Offers()[0].ID)
	for name, c := range map[string]struct {
		shape performcbsim.Shape
		query string
		check func(data map[string]any)
	}{
		"without a page size the map stands alone": {"", "", func(data map[string]any) {
			if len(data) != 25 || at(t, data, first, "Offer", "id") != float64(n.Offers()[0].ID) {
				t.Errorf("got %v", slices.Sorted(maps.Keys(data)))
			}
		}},
		"with a page size it is wrapped, and page is text as it was sent": {"", "&paginate_by=10&page=3", func(data map[string]any) {
			if data["page"] != "3" || data["count"] != 25.0 || data["pageCount"] != 3.0 || data["current"] != 0.0 || len(at(t, data, "data").(map[string]any)) != 5 {
				t.Errorf("got %v", data)
			}
		}},
		"page is a number when it was not sent": {"", "&paginate_by=10", func(data map[string]any) {
			if data["page"] != 1.0 {
				t.Errorf("got %v", data["page"])
			}
		}},
		"a page beyond the end has an empty array": {"", "&paginate_by=10&page=4", func(data map[string]any) {
			if list, ok := data["data"].([]any); !ok || len(list) != 0 {
				t.Errorf("got %v", data["data"])
			}
		}},
		"the switch keeps the map with a page size": {performcbsim.ShapeMap, "&paginate_by=10", func(data map[string]any) {
			if len(data) != 10 || data["page"] != nil {
				t.Errorf("got %v", data)
			}
		}},
		"the switch wraps without a page size": {performcbsim.ShapeWrapped, "", func(data map[string]any) {
			if data["count"] != 25.0 {
				t.Errorf("got %v", data)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n.Set(func(s *performcbsim.Switches) { s.OffersShape = c.shape })
			_, kind, body := call(n, offersCall+c.query)
			doc := parse(t, body)
			if kind != "application/json" || at(t, doc, "response", "status") != 1.0 || at(t, doc, "request", "api_key") != "performcbsim-key" {
				t.Fatalf("got %s %s", kind, body)
			}
			c.check(at(t, doc, "response", "data").(map[string]any))
		})
	}
}

func TestOffersThatTestsRelyOn(t *testing.T) {
	n := setup(t, nil)
	_, _, body := call(n, offersCall+"&contain[]=Country&contain%5B%5D=OfferUrl&contain[]=TrackingLink")
	if strings.Contains(body, "https://") || !strings.Contains(body, `https:\/\/`) || !strings.Contains(body, `\ud83d\ude80`) {
		t.Error("the answer is not escaped as PHP does")
	}
	doc := parse(t, body)
	get := func(i int, keys ...string) any {
		return at(t, doc, slices.Concat([]string{"response", "data", strconv.Itoa(n.Offers()[i].ID)}, keys)...)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"three countries, one of them UK", slices.Sorted(maps.Keys(get(0, "Country").(map[string]any))), []string{"CA", "UK", "US"}},
		{"the platform's own country ids", get(0, "Country", "US", "id"), "248"},
		{"an empty country list is an array", get(1, "Country"), []any{}},
		{"an empty list of landing pages is an array", get(1, "OfferUrl"), []any{}},
		{"a payout with the noise of a float", get(2, "Offer", "default_payout"), "1.1399999994"},
		{"a zero date", get(3, "Offer", "expiration_date"), "0000-00-00 00:00:00"},
		{"letters of four bytes", strings.Contains(get(4, "Offer", "description").(string), "🚀"), true},
		{"a fortieth of a dollar", get(5, "Offer", "default_payout"), "0.025"},
		{"yen without decimals", []any{get(6, "Offer", "currency"), get(6, "Offer", "default_payout")}, []any{"JPY", "120"}},
		{"a paused offer", get(9, "Offer", "status"), "paused"},
		{"an offer in the network's currency", get(10, "Offer", "currency"), nil},
		{"a flag that is a boolean", get(0, "Offer", "dne_third_party_list"), false},
	} {
		if fmt.Sprint(c.got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestAFullPageIsFollowedByAShortOne(t *testing.T) {
	n := setup(t, func(o *performcbsim.Options) { o.Offers = 1013 })
	seen := map[string]bool{}
	for page, want := range []int{1000, 13} {
		_, _, body := call(n, fmt.Sprintf("%s&paginate_by=1000&page=%d", offersCall, page+1))
		records := at(t, parse(t, body), "response", "data", "data").(map[string]any)
		if len(records) != want {
			t.Errorf("page %d has %d records, want %d", page+1, len(records), want)
		}
		for id := range records {
			seen[id] = true
		}
	}
	if len(seen) != 1013 {
		t.Errorf("the pages have %d offers, want 1013", len(seen))
	}
	n.Set(func(s *performcbsim.Switches) { s.IgnorePage = true })
	_, _, one := call(n, offersCall+"&paginate_by=1000&page=1")
	_, _, two := call(n, offersCall+"&paginate_by=1000&page=2")
	if strings.ReplaceAll(two, `"page":"2"`, `"page":"1"`) != one {
		t.Error("a server that ignores the page gives another one")
	}
}

func TestVersionsOfTheOffersCall(t *testing.T) {
	n := setup(t, nil)
	id := strconv.Itoa(n.Offers()[0].ID)
	_, _, body := call(n, "/api/v4/cb_api?get=findMyApprovedOffers&contain[]=TrackingLink&"+key)
	if !strings.Contains(body, "trackinglink_traffic_type is required") {
		t.Errorf("version 4 answers without a traffic type: %.200s", body)
	}
	_, _, body = call(n, "/api/v4/cb_api?get=findMyApprovedOffers&contain[]=TrackingLink&trackinglink_traffic_type=App%20Installs&"+key)
	if got := at(t, parse(t, body), "response", "data", id, "Offer", "events").([]any); len(got) != 2 {
		t.Errorf("version 4 has events %v", got)
	}
	_, _, body = call(n, "/api/v7/performcb_api?get=findMyApprovedCampaigns&campaign_type=cpi,cps&"+key)
	for id, record := range at(t, parse(t, body), "response", "data", "data").(map[string]any) {
		if got := at(t, record, "Campaign", "pricing_model"); got != "cpi" && got != "cps" {
			t.Errorf("campaign %s is %v", id, got)
		}
	}
	_, _, body = call(n, "/api/v3/cb_api?get=conversions&"+key)
	if !strings.Contains(body, "Unknown method") {
		t.Errorf("version 3 knows conversions: %.200s", body)
	}
}
