package metricssim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// shape is a JSON document's keys and types: "data[].payout number". Free-form maps
// and the members of arrays beyond the first are left out.
func shape(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if strings.HasSuffix(path, "filters") {
				return
			}
			for k, inner := range v {
				walk(path+"/"+k, inner)
			}
		case []any:
			out[path] = "array"
			if len(v) > 0 {
				walk(path+"[]", v[0])
			}
		case nil:
			out[path] = "null"
		default:
			out[path] = strings.TrimPrefix(fmt.Sprintf("%T", v), "map")
		}
	}
	walk("", v)
	return out
}

// TestAnswersLookLikeTheContract compares with the contract's own examples.
func TestAnswersLookLikeTheContract(t *testing.T) {
	c := setup(t, Options{Offers: 20})
	_, body, _ := c.raw("POST", inside+"click-logs"+query("start_time", "2026-06-01 00:00:00", "end_time", "2026-06-01 23:59:59",
		"fields", "request_time,real_tx_id", "extra_parameters", "creative"))
	first := created{}
	if err := json.Unmarshal([]byte(body), &first); err != nil {
		t.Fatal(err)
	}
	_, finished, _ := c.raw("GET", center+"exports/"+first.ID)
	_, offers, _ := c.raw("GET", "/api/v2/integrations/dhk0demo01/offers"+query("page[size]", "1"))
	_, conversions, _ := c.raw("GET", reports+"conversion-table"+firstOfJune())
	for _, test := range []struct{ file, body, within string }{
		{"offers.json", offers, ""},
		{"conversions.json", conversions, ""},
		{"created.json", body, ""},
		{"finished.json", finished, "only what the example shows"},
	} {
		t.Run(test.file, func(t *testing.T) {
			example, err := os.ReadFile("testdata/" + test.file)
			if err != nil {
				t.Fatal(err)
			}
			want, got := shape(t, example), shape(t, []byte(test.body))
			for _, path := range slices.Sorted(maps.Keys(want)) {
				if got[path] == "" && want[path] != "null" && !strings.HasSuffix(path, "[]") {
					t.Errorf("%s of the example is not sent", path)
				}
				if got[path] != "" && got[path] != want[path] && want[path] != "null" {
					t.Errorf("%s is %s, want %s", path, got[path], want[path])
				}
			}
			for _, path := range slices.Sorted(maps.Keys(got)) {
				if want[path] == "" && test.within == "" && !strings.HasSuffix(path, "[]") {
					t.Errorf("%s is sent and not in the example", path)
				}
			}
		})
	}
}

func TestFieldCountsAreThoseOfTheDocuments(t *testing.T) {
	for kind, want := range map[string]int{Clicks: 86, Conversions: 104, Impressions: 78, Postbacks: 12} {
		if got := len(FieldNames(kind)); got != want {
			t.Errorf("%s has %d fields, want %d", kind, got, want)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	for a, want := range map[Amount]string{0: "0", 24_500: "2.45", 1_000 + 2_000: "0.3", 185_000_000 * one: "185000000", -12_300: "-1.23", 350 * one: "350", 1: "0.0001"} {
		if got := a.String(); got != want {
			t.Errorf("amount %d is %s, want %s", int64(a), got, want)
		}
	}
}

func TestSwitchesOfTyping(t *testing.T) {
	plain := setup(t, Options{})
	other := setup(t, Options{Switches: Switches{FloatNumbers: true, Nulls: true, LowerStatus: true, MaskIP: true}})
	early := setup(t, Options{Switches: Switches{YearOne: true}})
	for name, want := range map[string][3]string{
		"asn":                {"64500", "64500.0", "64500"},
		"coupon_code":        {`""`, "null", `""`},
		"begin_install_time": {`"1970-01-01T00:00:00Z"`, "null", `"0001-01-01T00:00:00Z"`},
		"lat":                {"30.2672", "30.2672", "30.2672"},
	} {
		for i, c := range []*client{plain, other, early} {
			if got := string(get[table](c, reports+"conversion-table"+firstOfJune()).Data.Data[0][name]); got != want[i] {
				t.Errorf("%s of network %d is %s, want %s", name, i, got, want[i])
			}
		}
	}
	row := get[table](other, reports+"conversion-table"+firstOfJune()).Data.Data[0]
	if status := string(row["status"]); status != strings.ToLower(status) {
		t.Errorf("status %s, want it in lower case", status)
	}
	if ip := string(row["click_ip"]); !strings.HasSuffix(ip, `.0"`) {
		t.Errorf("address %s, want it masked", ip)
	}
}

func TestTheSameSeedGivesTheSameNetwork(t *testing.T) {
	ask := func() string {
		c := setup(t, Options{Seed: 5})
		_, body, _ := c.raw("GET", reports+"conversion-table"+firstOfJune())
		return body
	}
	if a, b := ask(), ask(); a != b {
		t.Errorf("two networks of one seed differ:\n%s\n%s", a, b)
	}
}
