package extractors_test

import (
	"crypto/sha1" //nolint:gosec // what a network signs with
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
)

// The CPA networks from M1 Shop to WhoCPA, and AlterCPA: what switches their streams on, so
// that their recordings are played. These answers are no recordings in truth: they were
// made by hand of what is known of each network, in the shapes that are expected where
// nothing is.
func init() {
	for _, name := range []string{"money4leads", "omnicpa", "pladomarket", "reklpro", "starway", "tamcrm"} {
		variables[name] = map[string]string{
			"status_url":      "https://api.example.com/lead?key={credential.api_key}&id={item}",
			"status_list_url": "https://api.example.com/leads?key={credential.api_key}&ids={items.joined}",
			"status_own_url":  "https://api.example.com/lead/{item}",
		}
	}
	variables["m1shop"] = map[string]string{"user": "17"}
	variables["terraleads"] = map[string]string{"user": "17"}
	variables["offersify"] = map[string]string{"currency": "EUR"}
	variables["trafficlight"] = map[string]string{"currency": "RUB"}
	variables["whocpa"] = map[string]string{"currency": "USD"}
	variables["altercpa"] = map[string]string{"currency": "RUB"}
}

// marked are the values of the credentials that source gives to an account.
func marked(name string) string { return "marker-" + name }

// networkOf gives a network and an account of one of its roles, all its streams on.
func networkOf(t *testing.T, name, role string) (*manifest.Network, *rest.Source) {
	t.Helper()
	n, ok := networksByName(t)[name]
	if !ok {
		t.Fatalf("there is no network %s", name)
	}
	return n, source(t, n, role)
}

// streamNamed gives a stream of an account.
func streamNamed(t *testing.T, src *rest.Source, name string) *extractors.Stream {
	t.Helper()
	i := slices.IndexFunc(src.Streams(), func(s *extractors.Stream) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no stream %s", name)
	}
	return src.Streams()[i]
}

// callFor gives the first call for the leads of some ids.
func callFor(t *testing.T, src *rest.Source, stream string, ids ...string) extractors.Call {
	t.Helper()
	s := streamNamed(t, src, stream)
	call, err := src.Next(s, extractors.Work{Kind: s.Kind(), Items: ids})
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// How many ids a call takes, and how they are written, differs from network to network.
func TestCPANetworksAskForOpenLeadsTheirWay(t *testing.T) {
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = strconv.Itoa(1000 + i)
	}
	for _, tt := range []struct {
		network, role, stream string
		batch                 int
		param                 string
		joined                bool
	}{
		{"m1shop", "affiliate", "statuses", 50, "id", true},
		{"monsterleads", "affiliate", "statuses", 50, "lead_list", true},
		{"webvork", "affiliate", "statuses", 50, "guids[]", false},
		{"trafficlight", "affiliate", "statuses", 50, "id[]", false},
		{"trafficlight", "affiliate", "statuses/own", 50, "id2", false},
		{"whocpa", "affiliate", "statuses", 50, "id", true},
		{"altercpa", "ext", "statuses", 100, "ids", true},
		{"altercpa", "comp", "statuses", 100, "oid", true},
		{"altercpa", "comp", "statuses/own", 100, "eid", true},
		{"money4leads", "affiliate", "statuses/list", 50, "ids", true},
		{"money4leads", "affiliate", "statuses", 1, "id", true},
	} {
		t.Run(tt.network+" "+tt.role+" "+tt.stream, func(t *testing.T) {
			_, src := networkOf(t, tt.network, tt.role)
			u, err := url.Parse(callFor(t, src, tt.stream, ids...).URL)
			if err != nil {
				t.Fatal(err)
			}
			got := u.Query()[tt.param]
			if tt.joined && len(got) == 1 {
				got = strings.Split(got[0], ",")
			}
			if diff := cmp.Diff(ids[:tt.batch], got); diff != "" {
				t.Errorf("ids in %s (-want +got):\n%s", tt.param, diff)
			}
		})
	}
}

func TestTerraLeadsSignsTheBytesThatItSends(t *testing.T) {
	_, src := networkOf(t, "terraleads", "affiliate")
	for name, call := range map[string]extractors.Call{"a lead": callFor(t, src, "statuses", `7"1`), "the check": src.Check()} {
		u, err := url.Parse(call.URL)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha1.Sum(append(slices.Clone(call.Body), marked("api_key")...)) //nolint:gosec // what the network asks for
		if got, want := u.Query().Get("check_sum"), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s is signed %s, want %s", name, got, want)
		}
		if call.Method != http.MethodPost || !call.Reads || call.Creates {
			t.Errorf("%s is a %s that does not say that it reads", name, call.Method)
		}
	}
	if got, want := string(callFor(t, src, "statuses", `7"1`).Body), `{"user_id": 17, "data": {"id": "7\"1"}}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
}

func TestOffersifySendsBothHeaders(t *testing.T) {
	_, src := networkOf(t, "offersify", "affiliate")
	call := callFor(t, src, "statuses", "71")
	if call.Header.Get("x-api-key") != marked("api_key") || call.Header.Get("x-user-id") != marked("user") {
		t.Errorf("the headers are %v", call.Header)
	}
}

// No credential and no signature is in what is logged and stored of a call.
func TestCPANetworksDescribeCallsWithoutCredentials(t *testing.T) {
	for _, name := range []string{
		"m1shop", "marketcall", "monsterleads", "offerrum", "offersify", "shakes", "terraleads", "trafficlight", "webvork", "whocpa", "altercpa",
		"money4leads", "omnicpa", "pladomarket", "reklpro", "starway", "tamcrm",
	} {
		n, _ := networkOf(t, name, "")
		for _, role := range n.Roles {
			src := source(t, n, role)
			for _, s := range src.Streams() {
				at, _ := of(t, name)
				call, err := src.Next(s, work(s, at))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(call.Describe, "marker-") {
					t.Errorf("%s, stream %s: a credential is in %s", name, s.Name, call.Describe)
				}
				if call.Method != http.MethodGet && !call.Reads {
					t.Errorf("%s, stream %s: %s does not say that it reads", name, s.Name, call)
				}
			}
		}
	}
}

// An error that comes with a good HTTP status is no page without leads.
func TestCPANetworksRefuseInsideAGoodAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		network, role, stream string
		status                int
		body                  string
		want                  extractors.Outcome
		words                 string
	}{
		"AlterCPA gives an object in place of an array":     {"altercpa", "ext", "statuses", 200, `{"status":"error","error":"wrong field"}`, extractors.StopStream, "wrong field"},
		"AlterCPA does not know the key":                    {"altercpa", "comp", "statuses", 200, `{"status":"error","error":"auth"}`, extractors.StopAccount, "auth"},
		"AlterCPA fails over a window that is too large":    {"altercpa", "ext", "statuses", 500, `{}`, extractors.RetryNow, ""},
		"MonsterLeads does not know the key, by a number":   {"monsterleads", "affiliate", "statuses", 200, `{"status":"error","error_code":401}`, extractors.StopAccount, "401"},
		"MonsterLeads does not know the key":                {"monsterleads", "affiliate", "statuses", 200, `{"status":"error","error_code":"401"}`, extractors.StopAccount, "401"},
		"MonsterLeads asks for patience":                    {"monsterleads", "affiliate", "statuses", 200, `{"status":"error","error_code":"439"}`, extractors.Wait, "439"},
		"MonsterLeads misses a parameter":                   {"monsterleads", "affiliate", "statuses", 200, `{"status":"error","error_code":"403"}`, extractors.StopStream, "403"},
		"WebVork says what is wrong":                        {"webvork", "affiliate", "statuses", 200, `{"status":"error","msg":"guids are missing"}`, extractors.StopStream, "guids are missing"},
		"WebVork does not know the token":                   {"webvork", "affiliate", "statuses", 200, `{"status":"error","msg":"Invalid token"}`, extractors.StopAccount, "Invalid token"},
		"TerraLeads says what is wrong":                     {"terraleads", "affiliate", "statuses", 200, `{"status":"error","error":"lead not found"}`, extractors.StopStream, "lead not found"},
		"TerraLeads refuses the signature":                  {"terraleads", "affiliate", "statuses", 200, `{"status":"error","error":"Wrong check_sum"}`, extractors.StopAccount, "Wrong check_sum"},
		"M1 Shop gives an object in place of offers":        {"m1shop", "affiliate", "offers", 200, `{"status":"error","message":"bad key"}`, extractors.StopStream, "bad key"},
		"M1 Shop gives an object without a word":            {"m1shop", "affiliate", "offers", 200, `{"status":403}`, extractors.StopStream, "403"},
		"M1 Shop gives no result":                           {"m1shop", "affiliate", "statuses", 200, `{"id":"71"}`, extractors.StopStream, "no result"},
		"Offerrum has an error beside nothing":              {"offerrum", "affiliate", "offers", 200, `{"error":"Wrong key"}`, extractors.StopStream, "Wrong key"},
		"Shakes has an error in place of offers":            {"shakes", "affiliate", "offers", 200, `{"status":"error","msg":"no access"}`, extractors.StopStream, "no access"},
		"MarketCall has had sixty calls this minute":        {"marketcall", "affiliate", "offers", 429, `{"error":{"message":"Too Many Attempts."}}`, extractors.Wait, "Too Many Attempts."},
		"MarketCall refuses the key":                        {"marketcall", "affiliate", "offers", 401, `{"error":{"message":"Unauthenticated."}}`, extractors.StopAccount, "Unauthenticated."},
		"Traffic Light answers with a page for people":      {"trafficlight", "affiliate", "statuses", 200, `<html>wait</html>`, extractors.RetryNow, ""},
		"an address of the account's may answer with words": {"tamcrm", "affiliate", "statuses/list", 200, `{"error":"no such method"}`, extractors.StopStream, "no data"},
	} {
		t.Run(name, func(t *testing.T) {
			_, src := networkOf(t, tt.network, tt.role)
			s := streamNamed(t, src, tt.stream)
			at, _ := of(t, tt.network)
			_, err := src.Read(s, work(s, at), extractors.Answer{Status: tt.status, Body: []byte(tt.body)})
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok || e.Outcome != tt.want || !strings.Contains(e.Message, tt.words) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.words)
			}
		})
	}
}

// A feed says how many leads there are and not how further ones are asked for: where the
// parameter for it is another, a day is not taken for whole.
func TestTrafficLightFeedThatIgnoresThePageIsAnError(t *testing.T) {
	_, src := networkOf(t, "trafficlight", "affiliate")
	s := streamNamed(t, src, "leads")
	at, _ := of(t, "trafficlight")
	w := work(s, at)
	a := extractors.Answer{Status: 200, Body: []byte(`{"count":1,"total":2,"leads":[{"id":71,"status":"new"}]}`)}
	page, err := src.Read(s, w, a)
	if err != nil || page.Done {
		t.Fatalf("the first of two pages is read as %+v, %v", page, err)
	}
	w.Cursor = page.Next
	if call, err := src.Next(s, w); err != nil || !strings.Contains(call.URL, "page=2") {
		t.Errorf("the second call is %v, %v", call, err)
	}
	if _, err := src.Read(s, w, a); err == nil {
		t.Error("the same page came twice, and the second is taken for another")
	}
}
