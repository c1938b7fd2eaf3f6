package affisesim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// dynamic are object keys that are data: ids, currency codes, languages,
// names of events.
var dynamic = regexp.MustCompile(`^([0-9]+|[0-9a-f]{24}|[A-Z]{3})$`)

// shape collects the JSON types at every path of a document.
func shape(v any, path string, into map[string]map[string]bool) {
	add := func(kind string) {
		if into[path] == nil {
			into[path] = map[string]bool{}
		}
		into[path][kind] = true
	}
	switch v := v.(type) {
	case nil:
		add("null")
	case bool:
		add("bool")
	case float64:
		add("number")
	case string:
		add("string")
	case []any:
		add("array")
		for _, e := range v {
			shape(e, path+"[]", into)
		}
	case map[string]any:
		add("object")
		for k, e := range v {
			if dynamic.MatchString(k) && !strings.HasSuffix(path, "sub_accounts") {
				k = "*"
			}
			shape(e, path+"."+k, into)
		}
	}
}

// TestAnswersHaveTheShapeOfTheDocumentedExamples asks for each example of the
// documents and finds every key of it in the answers, with its type.
func TestAnswersHaveTheShapeOfTheDocumentedExamples(t *testing.T) {
	src, err := os.ReadFile("testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Key, Path string
		Example   any
	}
	if err := json.Unmarshal(src, &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) < 30 {
		t.Fatalf("got %d examples, want all of the documents", len(examples))
	}
	n := New(fixed())
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	keys := map[string]string{"admin": n.Options().AdminKey, "affiliate": n.Options().Affiliates[firstPartner]}
	for _, e := range examples {
		t.Run(e.Path, func(t *testing.T) {
			a := get(t, url+e.Path, keys[e.Key])
			if a.Status != 200 || a.Doc == nil {
				t.Fatalf("got %d %.300s", a.Status, a.Body)
			}
			want, got := map[string]map[string]bool{}, map[string]map[string]bool{}
			shape(e.Example, "", want)
			shape(map[string]any(a.Doc), "", got)
			for _, path := range slices.Sorted(maps.Keys(want)) {
				if got[path] == nil {
					t.Errorf("got nothing at %s, want %v", path, slices.Sorted(maps.Keys(want[path])))
					continue
				}
				for kind := range want[path] {
					if kind != "null" && !got[path][kind] {
						t.Errorf("got %v at %s, want %s too", slices.Sorted(maps.Keys(got[path])), path, kind)
					}
				}
			}
		})
	}
}

// every path of the documents' index, and those outside it, with the keys that
// may ask.
func everyPath(n *Network) map[string]auth {
	w := "date_from=2024-03-05&date_to=2024-03-05"
	f := "filter[date_from]=2024-03-05&filter[date_to]=2024-03-06&filter[offer]=60"
	m := map[string]auth{
		"/3.0/stats/custom?slice[]=day&" + f:                            forBoth,
		"/3.0/stats/conversions?" + w:                                   forBoth,
		"/3.0/stats/clicks?" + w:                                        forAdmin,
		"/3.0/stats/find-subs?sub1=f":                                   forPartner,
		"/3.0/stats/serverpostbacks?" + w:                               forAdmin,
		"/3.0/stats/affiliatepostbacks?" + w:                            forAdmin,
		"/3.0/stats/caps?offer_id[]=60&fields[]=stats":                  forBoth,
		"/3.0/stats/retentionrate?" + w + "&offer=60&goal=a&events=a,b": forBoth,
		"/3.0/partner/offers":                                           forPartner,
		"/3.0/partner/live-offers":                                      forPartner,
		"/3.0/news":                                                     forPartner,
		"/3.0/news/" + n.News()[0].ID:                                   forPartner,
		"/3.0/partner/pixels":                                           forPartner,
		"/3.0/partner/pixels/11":                                        forAdmin,
		"/3.0/balance":                                                  forPartner,
		"/3.0/offers":                                                   forBoth,
		"/3.0/offer/60":                                                 forBoth,
		"/3.0/offer/categories":                                         forBoth,
		"/3.0/admin/offer/sources":                                      forAdmin,
		"/3.0/admin/advertisers":                                        forAdmin,
		"/3.0/admin/advertiser-invoices":                                forAdmin,
		"/3.0/admin/advertiser-invoice/1":                               forAdmin,
		"/3.0/admin/partners":                                           forAdmin,
		"/3.0/admin/postbacks?partner_id=11":                            forAdmin,
		"/3.0/admin/users":                                              forAdmin,
		"/3.0/cities?country=DE":                                        forAdmin,
		"/3.0/admin/currency":                                           forAdmin,
		"/2.1/currencies":                                               forAdmin,
		"/3.0/admin/payment_systems":                                    forAdmin,
		"/3.0/admin/custom_fields":                                      forAdmin,
		"/3.0/admin/domains":                                            forAdmin,
		"/3.0/admin/tickets":                                            forAdmin,
		"/3.0/admin/smartlink/categories":                               forAdmin,
		"/3.0/isp":                                                      forBoth,
		"/3.0/offers/count":                                             forBoth,
		"/3.1/stats/caps?offer_id[]=62":                                 forBoth,
		"/3.0/admin/partner/12":                                         forAdmin,
		"/3.0/admin/advertiser/" + n.Advertisers()[0].ID:                forAdmin,
		"/3.0/admin/user/" + n.Users()[0].ID:                            forAdmin,
		"/3.0/admin/ticket/" + n.Tickets()[0].ID:                        forAdmin,
		"/3.0/stats/click/" + n.Clicks()[0].ID:                          forAdmin,
		"/3.0/stats/conversionsbyid?id=" + n.Conversions()[0].ID:        forAdmin,
		"/3.0/stats/getreferralpayments?date_from=01-03-2024&date_to=05-03-2024": forAdmin,
		"/3.0/stats/time-to-action?" + w + "&offer_id=60":                        forAdmin,
		"/3.1/partner/me":                   forPartner,
		"/3.0/partner/smartlink/categories": forPartner,
		"/3.0/goals":                        forAdmin,
		"/3.1/cities?country=US":            forAdmin,
		"/3.1/isp?country=US":               forBoth,
		"/3.1/countries":                    forBoth,
		"/3.1/regions?country=US":           forBoth,
		"/3.1/oses":                         forBoth,
		"/3.1/browsers":                     forBoth,
		"/3.1/devices":                      forBoth,
		"/3.1/vendors":                      forBoth,
		"/3.1/connection-types":             forBoth,
	}
	for _, r := range reports {
		m["/3.0/stats/"+r.name+"?"+f] = r.auth
	}
	return m
}

func TestEveryPathAnswersTheKeysThatMayAskAndRefusesTheOthers(t *testing.T) {
	n := New(fixed())
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	paths := everyPath(n)
	if len(paths) < 47 {
		t.Fatalf("got %d paths, want the 47 of the index at least", len(paths))
	}
	seen := map[string]bool{}
	for path, who := range paths {
		bare, _, _ := strings.Cut(path, "?")
		seen[bare] = true
		for _, k := range []struct {
			key string
			may bool
		}{
			{n.Options().AdminKey, who&forAdmin != 0},
			{n.Options().Affiliates[firstPartner], who&forPartner != 0},
		} {
			a := get(t, url+path, k.key)
			want, status := 200, float64(1)
			if !k.may {
				want, status = 403, 2
			}
			if a.Status != want || a.Doc["status"] != status {
				t.Errorf("got %d %.200s for %s with %s, want %d", a.Status, a.Body, path, k.key, want)
			}
		}
	}
	for path := range n.routes.exact {
		if !seen[path] && path != "/3.1/stats/retentionrate" {
			t.Errorf("%s is not tried", path)
		}
	}
}

func TestConversionsOfAnAffiliateLackWhatIsNotTheirs(t *testing.T) {
	n := New(fixed())
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	const path = "/3.0/stats/conversions?date_from=2024-03-01&date_to=2024-03-10&limit=500&timezone=UTC"
	rows := get(t, url+path, n.Options().Affiliates[firstPartner]).rows(t, "conversions")
	want := map[string]Conversion{}
	for c := range n.EachConversion() {
		if c.PartnerID == firstPartner {
			want[c.ID] = c
		}
	}
	if len(rows) != len(want) || len(rows) == 0 {
		t.Fatalf("got %d rows, want %d", len(rows), len(want))
	}
	for _, row := range rows {
		for _, key := range []string{"clickid", "partner", "supplier_id", "partner_id", "goal_value", "sum", "payouts", "earnings", "advertiser",
			"payment_type", "payment_status", "is_paid"} {
			if _, ok := row[key]; ok {
				t.Errorf("got key %s, want it absent", key)
			}
		}
		if offer, ok := row["offer"].(map[string]any); ok && offer["url"] != nil {
			t.Error("got the offer's url, want it absent")
		}
		c, ok := want[row["id"].(string)]
		if got := money(row["revenue"].(float64)*float64(unit) + 0.5).String(); !ok || got != c.Payouts {
			t.Errorf("got revenue %s of %s, want the payout %s", got, row["id"], c.Payouts)
		}
	}
}

func TestRowsAreTheTruth(t *testing.T) {
	o := fixed()
	o.Modern = true
	n, ask := setup(t, o)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string]Conversion{}
	for c := range n.EachConversion() {
		truth[c.ID] = c
	}
	seen := 0
	for page := 1; ; page++ {
		a := ask(fmt.Sprintf("/3.0/stats/conversions?date_from=2024-02-28&date_to=2024-03-12&timezone=America/New_York&limit=70&page=%d", page))
		var doc struct {
			Conversions []struct {
				ID, Status, ClickID, Currency, Sub4, IP, Comment string
				CreatedAt                                        string `json:"created_at"`
				ClickTime                                        string `json:"click_time"`
				UpdatedAt                                        string `json:"updated_at"`
				Revenue, Payouts, Earnings, Sum                  json.Number
				OfferID                                          int `json:"offer_id"`
				Offer                                            *struct{ Title string }
				Partner                                          struct{ ID int }
			}
			Pagination struct {
				NextPage int `json:"next_page"`
			}
		}
		if err := json.Unmarshal(a.Body, &doc); err != nil {
			t.Fatal(err)
		}
		for _, row := range doc.Conversions {
			seen++
			c, ok := truth[row.ID]
			if !ok {
				t.Fatalf("got row %s, which is not in the truth", row.ID)
			}
			clock := func(t time.Time) string { return t.In(zone).Format(time.DateTime) }
			title := ""
			if row.Offer != nil {
				title = row.Offer.Title
			}
			got := []string{row.Status, row.ClickID, row.Currency, row.Sub4, row.IP, row.Comment, row.CreatedAt, row.ClickTime, row.UpdatedAt, row.Revenue.String(), row.Payouts.String(),
				row.Earnings.String(), row.Sum.String(), fmt.Sprint(row.OfferID), title, fmt.Sprint(row.Partner.ID)}
			want := []string{c.Status, c.ClickID, c.Currency, c.Subs[3], c.IP, c.Comment, clock(c.CreatedAt), clock(c.ClickAt), clock(c.UpdatedAt), c.Revenue, c.Payouts,
				c.Earnings, c.Sum, fmt.Sprint(c.OfferID), c.OfferTitle, fmt.Sprint(c.PartnerID)}
			if !slices.Equal(got, want) {
				t.Fatalf("got  %q\nwant %q", got, want)
			}
			r, _ := parseMoney(c.Revenue)
			p, _ := parseMoney(c.Payouts)
			if (r - p).String() != c.Earnings {
				t.Errorf("got earnings %s of %s - %s", c.Earnings, c.Revenue, c.Payouts)
			}
			var epoch int64
			if _, err := fmt.Sscanf(row.ID[:8], "%x", &epoch); err != nil || epoch != c.CreatedAt.Unix() {
				t.Errorf("got id %s, want it to begin with %x", row.ID, c.CreatedAt.Unix())
			}
		}
		if doc.Pagination.NextPage == 0 {
			break
		}
	}
	if seen != len(truth) {
		t.Errorf("got %d rows, want %d", seen, len(truth))
	}
}

func TestOddValuesOccur(t *testing.T) {
	_, ask := setup(t, fixed())
	const (
		w = "date_from=2024-03-01&date_to=2024-03-10&limit=500"
		f = "filter[date_from]=2024-03-05&filter[date_to]=2024-03-05&limit=500"
	)
	for name, c := range map[string]struct{ path, text string }{
		"a deleted offer is null":                  {"/3.0/stats/conversions?" + w + "&offer[]=99", `"offer":null`},
		"an unknown manager has the id 0":          {"/3.0/stats/getbyaffiliatemanager?" + f, `{"id":"0","first_name":"Undefined","last_name":"Undefined"}`},
		"no landing page has the url undefined":    {"/3.0/stats/clicks?date_from=2024-03-05&date_to=2024-03-05", `{"id":0,"url":"undefined","title":""}`},
		"no conversion gives the ratio 1:NaN":      {"/3.0/stats/custom?slice[]=offer&slice[]=hour&" + f, `"ratio":"1:NaN"`},
		"no conversion gives actions as a list":    {"/3.0/stats/custom?slice[]=offer&slice[]=hour&" + f, `"actions":[]`},
		"conversions and clicks have a statusCode": {"/3.0/stats/conversions?" + w, `"statusCode":200`},
		"a cap without goals has a list of them":   {"/3.0/offers?limit=500", `"goals":[]`},
		"advertisers hold password hashes":         {"/3.0/admin/advertisers", SecretMarker + "advertiser"},
		"manager objects hold keys":                {"/3.0/admin/advertisers", SecretMarker + "user"},
		"affiliates hold keys":                     {"/3.0/admin/partners", SecretMarker + "partner"},
		"affiliates hold payment details":          {"/3.0/admin/partners", PaymentMarker},
		"offers hold password hashes":              {"/3.0/offers", SecretMarker + "offer"},
		"tickets hold their affiliate's key":       {"/3.0/admin/tickets", SecretMarker + "partner"},
		"a ticket never updated says so":           {"/3.0/admin/tickets", "1970-01-01 03:00:00"},
		"a refused postback has its reason":        {"/3.0/stats/serverpostbacks?" + w, "Broken clickid"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := ask(c.path); !strings.Contains(string(a.Body), c.text) {
				t.Errorf("got no %s in %d %.400s", c.text, a.Status, a.Body)
			}
		})
	}
}
