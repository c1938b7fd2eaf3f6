package rest

import (
	"net/url"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// The signatures were made with sha1sum.
func TestCallsAreSignedAsNetworksExpect(t *testing.T) {
	for name, tt := range map[string]struct {
		kind    manifest.SignerKind
		request manifest.Request
		also    []manifest.Auth
		sign    func(extractors.Call) string
		want    string
	}{
		"the body and the key": {
			manifest.SignBodyKey, manifest.Request{Body: `{"user_id": {variable.user}, "data": {"id": {item}}}`}, nil,
			func(c extractors.Call) string { u, _ := url.Parse(c.URL); return u.Query().Get("sign") },
			"0ef49265fb118e592d1c0d560576f58aed087ecf",
		},
		"the sorted parameters of a form and the secret": {
			manifest.SignParams, manifest.Request{Form: map[string][]string{"z": {"1"}, "login": {"ann"}, "id": {"{item}"}, "a": {"b c"}}}, nil,
			func(c extractors.Call) string { q, _ := url.ParseQuery(string(c.Body)); return q.Get("sign") },
			"fb0cc55c65f64f78ab131731acecbde8347d91d6",
		},
		"the sorted parameters of a query and the secret": {
			manifest.SignParams, manifest.Request{Method: manifest.MethodGet, Query: map[string][]string{"z": {"1"}, "login": {"ann"}, "id": {"{item}"}, "a": {"b c"}}}, []manifest.Auth{{Kind: manifest.AuthQuery, Name: "m", Credential: "extra"}},
			func(c extractors.Call) string { u, _ := url.Parse(c.URL); return u.Query().Get("sign") },
			"7c526a8a33ab47594948c5fb60067f3ff7f1d873",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.request.Path = "/s"
			if tt.request.Method == "" {
				tt.request.Method = manifest.MethodPost
			}
			n := posting(tt.request, 1)
			n.Auth = manifest.Auth{Also: tt.also, Signer: &manifest.Signer{Kind: tt.kind, Param: "sign", Credential: "api_key"}}
			a := account(t)
			a.Credentials["extra"] = plain("7")
			source, st := setup(t, n, a, "statuses")
			call, err := source.Next(st, extractors.Work{Kind: state.Changes, Items: []string{"5"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.sign(call); got != tt.want {
				t.Errorf("got the signature %q, want %q", got, tt.want)
			}
			if strings.Contains(call.Describe, tt.want) || !strings.Contains(call.Describe, "sign=***") {
				t.Errorf("%s shows the signature, or not that there is one", call.Describe)
			}
		})
	}
}

func TestSeveralCredentialsAreSentTogether(t *testing.T) {
	n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"id": {"{item}"}}}, 1)
	n.Auth = manifest.Auth{
		Kind: manifest.AuthHeader, Name: "X-Api-Key", Credential: "api_key",
		Also: []manifest.Auth{{Kind: manifest.AuthHeader, Name: "X-User-Id", Credential: "extra"}, {Kind: manifest.AuthQuery, Name: "user", Credential: "extra"}},
	}
	a := account(t)
	a.Credentials["extra"] = plain("17 42")
	source, st := setup(t, n, a, "statuses")
	call, err := source.Next(st, extractors.Work{Kind: state.Changes, Items: []string{"5"}})
	if err != nil {
		t.Fatal(err)
	}
	if call.Header.Get("X-Api-Key") != marker || call.Header.Get("X-User-Id") != "17 42" || query(t, call).Get("user") != "17 42" {
		t.Errorf("got %s with %v, want all three", call.URL, call.Header)
	}
	if call.Describe != "/s?id=5&user=***" {
		t.Errorf("got %s, want the user's number hidden", call.Describe)
	}
	_, err = source.Read(st, extractors.Work{Kind: state.Changes, Items: []string{"5"}}, extractors.Answer{Status: 401})
	if err == nil || !strings.Contains(err.Error(), "credentials.api_key and credentials.extra") {
		t.Errorf("got %v, want both credentials named", err)
	}
}

func TestStreamsWithoutTheirCredentialAreOff(t *testing.T) {
	n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"id": {"{item}"}}}, 1)
	n.Credentials = map[string]manifest.Credential{"api_key": {Help: "the key.", Optional: true}}
	a := account(t)
	a.Credentials = nil
	source, err := New(n, a)
	if err != nil {
		t.Fatal(err)
	}
	if len(source.Streams()) > 0 || source.Check().URL != "" {
		t.Errorf("got %d streams and the check %v, want none without the key", len(source.Streams()), source.Check())
	}
	a.Streams = map[string]Settings{"statuses": {Enabled: new(true)}}
	if _, err := New(n, a); err == nil || !strings.Contains(err.Error(), "streams.statuses: the stream needs the credential api_key: the key") {
		t.Errorf("got %v, want the missing credential", err)
	}
}

func TestANetworkThatOnlySendsPostbacksNeedsNothing(t *testing.T) {
	n, problems := manifest.Parse("post.yaml", []byte("network: post\ntitle: Post\nevidence: documented\nreach: postback\nroles: [affiliate]\npostback: {statuses: {ok: approved}}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	source, err := New(n, Account{Name: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if len(source.Streams()) != 0 || source.Check().URL != "" {
		t.Errorf("got %d streams and the check %v, want none", len(source.Streams()), source.Check())
	}
	if _, err := source.Read(nil, extractors.Work{}, ok("{}")); err == nil {
		t.Error("an answer to a check that there is not was read")
	}
}
