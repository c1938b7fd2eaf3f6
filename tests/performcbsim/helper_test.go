package performcbsim_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http/httptest"
	"testing"
	"time"

	"syncd/tests/performcbsim"
)

// noon is the instant that most tests are about, on a day without a change of clocks.
var noon = time.Date(2026, time.June, 1, 16, 0, 0, 0, time.UTC)

// setup makes a network whose clocks stand at noon and that lets calls follow one another.
func setup(t *testing.T, change func(*performcbsim.Options)) *performcbsim.Network {
	t.Helper()
	o := performcbsim.Options{Now: func() time.Time { return noon }, Clock: func() time.Time { return noon }, MinInterval: -1}
	if change != nil {
		change(&o)
	}
	return performcbsim.New(o)
}

const key = "api_key=performcbsim-key&user_id=90017"

// call makes one and gives status, type and body.
func call(n *performcbsim.Network, pathAndQuery string) (status int, kind, body string) {
	w := httptest.NewRecorder()
	n.ServeHTTP(w, httptest.NewRequest("GET", pathAndQuery, nil))
	return w.Code, w.Header().Get("Content-Type"), w.Body.String()
}

// parse reads a JSON document.
func parse(t *testing.T, body string) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	return doc
}

// at walks keys of objects.
func at(t *testing.T, v any, keys ...string) any {
	t.Helper()
	for _, k := range keys {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("at %s: %v is no object", k, v)
		}
		v = object[k]
	}
	return v
}

// conversionsResponse is the report as its documentation has it.
type conversionsResponse struct {
	XMLName     xml.Name `xml:"conversions_response"`
	Success     string   `xml:"success"`
	Message     string   `xml:"message"`
	Rows        int      `xml:"number_of_rows"`
	Summary     string   `xml:"summary>revenue"`
	Conversions []struct {
		ID          string `xml:"conversion_id"`
		Date        string `xml:"date"`
		OfferID     int    `xml:"offer_id"`
		OfferName   string `xml:"offer_name"`
		IP          string `xml:"ip_address"`
		Revenue     string `xml:"revenue"`
		CampaignID  int    `xml:"campaign_id"`
		Campaign    int    `xml:"campaign"`
		Sub1        string `xml:"subid_1"`
		Sub2        string `xml:"subid_2"`
		Sub3        string `xml:"subid_3"`
		Sub4        string `xml:"subid_4"`
		Sub5        string `xml:"subid_5"`
		Disposition string `xml:"disposition"`
		Symbol      string `xml:"currency_symbol"`
	} `xml:"conversions>conversion"`
}

type subResponse struct {
	XMLName xml.Name `xml:"subaffiliate_response"`
	Success string   `xml:"success"`
	Message string   `xml:"message"`
	Rows    int      `xml:"number_of_rows"`
	Reports []struct {
		SubID       string `xml:"sub_id"`
		Clicks      int    `xml:"clicks"`
		Conversions int    `xml:"conversions"`
		Rate        string `xml:"conversion_rate"`
		Revenue     string `xml:"revenue"`
		EPC         string `xml:"epc"`
		Currency    string `xml:"currency"`
	} `xml:"subid_reports>subid_report>subid_report"`
	TotalClicks int `xml:"subid_reports>total>clicks"`
}

func parseXML[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := xml.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	return v
}
