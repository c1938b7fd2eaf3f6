package rest

import (
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

var time0 = time.Date(2024, time.April, 8, 12, 0, 0, 0, time.UTC)

// given is a network whose call for statuses is where the account says.
func given(batch int) *manifest.Network {
	n := posting(manifest.Request{URLVariable: "status_url"}, batch)
	n.Auth.Kind, n.Auth.Name = manifest.AuthQuery, "key"
	n.Variables["status_url"] = manifest.Variable{Help: "the address.", Kind: manifest.VariableURL}
	n.Variables["flow"] = manifest.Variable{Help: "the flow", Default: "f 1"}
	return n
}

func TestAnOwnAddressIsAskedAsItIsWritten(t *testing.T) {
	const at = "https://panel.example.org"
	for name, tt := range map[string]struct {
		address string
		batch   int
		items   []string
		url     string
		shown   string
	}{
		"one lead in a parameter": {at + "/api/status?id={item}&token={credential.api_key}", 1, []string{"5/6"},
			at + "/api/status?id=5%2F6&token=" + marker, "/api/status?id=5%2F6&token=***#item=5%2F6"},
		"one lead in the path, and a secret": {at + "/{credential.api_key}/status/{item}.json", 1, []string{"5"},
			at + "/" + marker + "/status/5.json", "/***/status/5.json#item=5"},
		"several leads with commas": {at + "/api?ids={items.joined}", 3, []string{"1", "2"},
			at + "/api?ids=1%2C2", "/api?ids=1%2C2#items=1%2C2"},
		"several leads one by one": {at + "/api?ids[]={items}&x=", 3, []string{"1", "2"},
			at + "/api?ids%5B%5D=1&ids%5B%5D=2&x=", "/api?ids[]=1&ids[]=2&x=#items=1%2C2"},
		"a key in the clear, in a parameter and in the path": {at + "/a1b2c3d4e5f6a7b8c9/status?k=secret+1%26&id={item}", 1, []string{"5"},
			at + "/a1b2c3d4e5f6a7b8c9/status?k=secret%201%26&id=5", "/***/status?k=***&id=5#item=5"},
		"a variable": {at + "/s?flow={variable.flow}&id={item}", 1, []string{"5"},
			at + "/s?flow=f%201&id=5", "/s?flow=f%201&id=5#item=5"},
		"plain http, a port, and no path": {"http://10.0.0.1:81?id={item}", 1, []string{"5"},
			"http://10.0.0.1:81/?id=5", "/?id=5#item=5"},
		"one lead where the list could have several": {at + "/s?id={item}", 50, []string{"5", "6"},
			at + "/s?id=5", "/s?id=5#item=5"},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t)
			a.Variables = map[string]string{"status_url": tt.address}
			source, st := setup(t, given(tt.batch), a, "statuses")
			call, err := source.Next(st, extractors.Work{Kind: state.Changes, Items: tt.items})
			if err != nil {
				t.Fatal(err)
			}
			if call.URL != tt.url || call.Describe != tt.shown {
				t.Errorf("got  %s\n     %s\nwant %s\n     %s", call.URL, call.Describe, tt.url, tt.shown)
			}
			if call.Method != "GET" || len(call.Header) != 1 || call.Header.Get("Accept") == "" {
				t.Errorf("got %s with %v, want a GET without the network's auth", call.Method, call.Header)
			}
			if strings.Contains(tt.address, "{item}") && st.ForEach.Batch != 1 {
				t.Errorf("got a batch of %d, want one lead a call", st.ForEach.Batch)
			}
		})
	}
}

func TestAnOwnAddressGetsTheHeaderThatTheNetworkWants(t *testing.T) {
	const at = "https://panel.example.org/status?id={item}"
	for name, tt := range map[string]struct {
		auth          manifest.Auth
		address, want string // of the headers Authorization and X-Token
	}{
		"a bearer":                     {manifest.Auth{Kind: manifest.AuthBearer, Credential: "api_key"}, at, "Bearer " + marker + ", "},
		"a header of its own":          {manifest.Auth{Kind: manifest.AuthHeader, Name: "X-Token", Credential: "api_key"}, at, ", " + marker},
		"none where the key stands":    {manifest.Auth{Kind: manifest.AuthBearer, Credential: "api_key"}, at + "&k={credential.api_key}", ", "},
		"none of a credential not set": {manifest.Auth{Kind: manifest.AuthBearer, Credential: "other"}, at, ", "},
		"no parameter":                 {manifest.Auth{Kind: manifest.AuthQuery, Name: "key", Credential: "api_key"}, at, ", "},
	} {
		t.Run(name, func(t *testing.T) {
			n := given(1)
			n.Auth = tt.auth
			n.Credentials["other"] = manifest.Credential{Help: "another", Optional: true}
			a := account(t)
			a.Variables = map[string]string{"status_url": tt.address}
			source, st := setup(t, n, a, "statuses")
			call, err := source.Next(st, extractors.Work{Kind: state.Changes, Items: []string{"5"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := call.Header.Get("Authorization") + ", " + call.Header.Get("X-Token"); got != tt.want {
				t.Errorf("the headers are %q, want %q", got, tt.want)
			}
			if strings.Contains(call.URL, marker) != strings.Contains(tt.address, "credential") || strings.Contains(call.Describe, marker) {
				t.Errorf("the call is %s, described as %s", call.URL, call.Describe)
			}
		})
	}
}

func TestAnOwnAddressThatCannotWorkIsRefusedWithoutBeingQuoted(t *testing.T) {
	for name, tt := range map[string]struct{ address, want string }{
		"another scheme":          {"ftp://x.example/SECRET?id={item}", "no http or https address"},
		"no scheme":               {"x.example/SECRET?id={item}", "no http or https address"},
		"a user in it":            {"https://ann:SECRET@x.example/?id={item}", "no http or https address"},
		"a host to be filled":     {"https://{variable.flow}.example/SECRET?id={item}", "no http or https address"},
		"no host":                 {"https:///SECRET?id={item}", "no http or https address"},
		"a fragment":              {"https://x.example/?id={item}#SECRET", "no http or https address"},
		"a step upwards":          {"https://x.example/a/../SECRET?id={item}", "the path of the address"},
		"an unknown placeholder":  {"https://x.example/?id={item}&k={SECRET}", "parameter k of the address"},
		"a list beside text":      {"https://x.example/?id=a{items}&k=SECRET", "{items} stands for several values"},
		"a list in the path":      {"https://x.example/SECRET/{items}", "{items} stands for several parameters"},
		"neither one nor several": {"https://x.example/?k=SECRET", "does not say which ids"},
		"one and several":         {"https://x.example/?id={item}&ids={items.joined}&k=SECRET", "either {item} or {items.joined}"},
		"a variable there is not": {"https://x.example/?id={item}&k={variable.floe}&s=SECRET", "no variable of this name; did you mean flow?"},
		"a credential that the account does not have": {"https://x.example/?id={item}&k={credential.extra}&s=SECRET", "no such credential"},
		"a window there is not":                       {"https://x.example/?id={item}&d={window.from_day}&s=SECRET", "the stream has no window"},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t)
			a.Variables = map[string]string{"status_url": tt.address}
			_, err := New(given(5), a)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "variables.status_url: ") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v, want %q at variables.status_url, without the address", err, tt.want)
			}
		})
	}
}

func TestAStreamWithoutItsAddressIsOff(t *testing.T) {
	source, err := New(given(5), account(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range source.Streams() {
		if st.Name == "statuses" {
			t.Error("the stream is on without its address")
		}
	}
	a := account(t)
	a.Streams = map[string]Settings{"statuses": {Enabled: new(true)}}
	if _, err := New(given(5), a); err == nil || err.Error() != "streams.statuses: the stream needs the variable status_url: the address" {
		t.Errorf("got %v, want the missing variable", err)
	}
}

// The network's check says nothing about a call that is made elsewhere.
func TestARefusalAtAnOwnAddressStopsItsStreamAlone(t *testing.T) {
	a := account(t)
	a.Variables = map[string]string{"status_url": "https://panel.example.org/s?k=a1b2c3d4e5f6a7b8c9&id={item}"}
	source, st := setup(t, given(1), a, "statuses")
	w := extractors.Work{Kind: state.Changes, Items: []string{"5"}}
	_, err := source.Read(st, w, extractors.Answer{Status: 403, Body: []byte(`{"error":"key a1b2c3d4e5f6a7b8c9 is wrong"}`)})
	if outcomeOf(err) != extractors.StopStream || !strings.Contains(err.Error(), "variables.status_url") || strings.Contains(err.Error(), "a1b2c3") {
		t.Errorf("got %v, want the stream stopped for its address, without the key in it", err)
	}
	if got := string(source.Redact([]byte(`{"data":[{"id":1,"link":"/?k=a1b2c3d4e5f6a7b8c9"}]}`))); strings.Contains(got, "a1b2c3") {
		t.Errorf("got %s, want the key taken out", got)
	}
}
