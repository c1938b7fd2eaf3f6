package rest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unsafe"
)

func redacting(t testing.TB, pii PII, extra map[string]Secret) *redactor {
	secrets := map[string]string{"api_key": marker}
	for name, s := range extra {
		secrets[name] = s.Reveal()
	}
	return newRedactor(network(), pii, secrets)
}

func TestRedact(t *testing.T) {
	hash := func(value string) string {
		r := redacting(t, PII{IP: Hash, Key: plain("k")}, nil)
		return string(bytes.Trim(r.replacement(Hash, value), `"`))
	}
	all := PII{IP: Hash, Email: Hash, Key: plain("k")}
	for name, tt := range map[string]struct {
		pii        PII
		body, want string
	}{
		"a secret that stands alone":                 {PII{}, `{"api_key":"x"}`, `{}`},
		"the first of several":                       {PII{}, `{"api_key":"x", "a":1}`, `{"a":1}`},
		"the last of several":                        {PII{}, `{"a":1, "api_key":"x"}`, `{"a":1}`},
		"one in the middle":                          {PII{}, `{"a":1,"api_key":"x","b":2}`, `{"a":1,"b":2}`},
		"two in a row at the end":                    {PII{}, `{"a":1,"api_key":"x","api_key":"y"}`, `{"a":1}`},
		"two in a row at the beginning":              {PII{}, `{"api_key":"x" , "api_key":"y" , "b":2}`, `{"b":2}`},
		"two with one between":                       {PII{}, `{"api_key":1,"a":2,"api_key":3,"b":4}`, `{"a":2,"b":4}`},
		"one anywhere in the document":               {PII{}, `[{"m":{"n":[{"api_key":"x","a":1}]}}]`, `[{"m":{"n":[{"a":1}]}}]`},
		"one whose value is a document":              {PII{}, `{"api_key":{"a":["x",{"api_key":1}]},"b":1}`, `{"b":1}`},
		"one whose key is written with escapes":      {PII{}, `{"api\u005fkey":"x","a":1}`, `{"a":1}`},
		"a path holds where its keys follow":         {PII{}, `{"systems":[{"fields":[1],"id":2}],"fields":3}`, `{"systems":[{"id":2}],"fields":3}`},
		"a key that is a value stays":                {PII{}, `{"kind":"api_key"}`, `{"kind":"api_key"}`},
		"the account's own credential anywhere":      {PII{}, `{"m":"you sent ` + marker + `"}`, `{"m":"you sent ***"}`},
		"an address is kept if it may":               {PII{IP: Keep, Email: Keep}, `{"ip":"10.0.0.1","m":"a@b.cc"}`, `{"ip":"10.0.0.1","m":"a@b.cc"}`},
		"an address is hashed":                       {all, `{"ip":"10.0.0.1"}`, `{"ip":"` + hash("10.0.0.1") + `"}`},
		"an address is dropped":                      {PII{IP: Drop}, `{"ip":"10.0.0.1","a":"10.0.0.1"}`, `{"ip":"","a":"10.0.0.1"}`},
		"a list of addresses is hashed":              {all, `{"ip":["10.0.0.1",null,7]}`, `{"ip":["` + hash("10.0.0.1") + `",null,7]}`},
		"an object under the key is read on":         {all, `{"ip":{"allow":["x"],"ip":""}}`, `{"ip":{"allow":["x"],"ip":""}}`},
		"e-mail addresses are hashed wherever":       {all, `{"login":"Ann@Example.com","n":"ann"}`, `{"login":"` + hash("ann@example.com") + `","n":"ann"}`},
		"one mailbox has one digest":                 {all, `["ann@example.com"," ANN@example.com "]`, `["` + hash("ann@example.com") + `","` + hash("ann@example.com") + `"]`},
		"one written with an escape is seen":         {all, `["ann\u0040example.com"]`, `["` + hash("ann@example.com") + `"]`},
		"e-mail addresses are dropped":               {PII{Email: Drop}, `{"m":"a@b.cc"}`, `{"m":""}`},
		"a text with an address in it is no address": {all, `{"m":"write to a@b.cc"}`, `{"m":"write to a@b.cc"}`},
		"a URL with an @ is no address":              {all, `{"m":"https://u@b.cc/"}`, `{"m":"https://u@b.cc/"}`},
		"two @ are no address":                       {all, `["a@b@c.dd","@b.cc","a@b","a@.cc","a@b."]`, `["a@b@c.dd","@b.cc","a@b","a@.cc","a@b."]`},
		"a body that is cut gives nothing":           {PII{}, `{"a":{"api_key":"x`, ``},
		"a body with more behind gives nothing":      {PII{}, `{"api_key":"x"} {"api_key":1}`, ``},
		"a body that is no JSON and holds nothing":   {all, `<html>`, `<html>`},
		"a nesting without end gives nothing":        {PII{}, strings.Repeat(`[`, 100_000) + `"api_key"`, ``},
		"spaces everywhere":                          {all, " { \"api_key\" : 1 , \"ip\" : \"1\" , \"api_key\" : 2 } ", " { \"ip\" : \"" + hash("1") + "\" } "},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(redacting(t, tt.pii, nil).redact([]byte(tt.body)))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := hash("10.0.0.1"); len(got) != 32 || got == hash("10.0.0.2") {
		t.Errorf("got digest %s", got)
	}
	other := redacting(t, PII{IP: Hash, Key: plain("other")}, nil)
	if string(other.replacement(Hash, "10.0.0.1")) == `"`+hash("10.0.0.1")+`"` {
		t.Error("the digest does not depend on the key")
	}
}

func TestABodyWithNothingToRemoveIsNotCopied(t *testing.T) {
	for _, pii := range []PII{{}, {IP: Hash, Email: Hash, Key: plain("k")}} {
		body := []byte(`{"a":[1,2,{"b":"c"}],"u":"\u0436"}`)
		if got := redacting(t, pii, nil).redact(body); unsafe.SliceData(got) != unsafe.SliceData(body) || len(got) != len(body) {
			t.Errorf("got %s, a copy", got)
		}
	}
}

func TestCredentialsAreMaskedInEveryForm(t *testing.T) {
	secret := `p"a/s+s & wörd`
	r := redacting(t, PII{}, map[string]Secret{"extra": plain(secret), "id": plain("12345678"), "short": plain("abc")})
	for _, form := range []string{`p\"a/s+s \u0026 wörd`, `p\"a\/s+s \u0026 wörd`, `p%22a%2Fs%2Bs+%26+w%C3%B6rd`} {
		if got := string(r.redact([]byte(`{"m":"` + form + `!"}`))); got != `{"m":"***!"}` {
			t.Errorf("got %s from %s", got, form)
		}
	}
	long := redacting(t, PII{}, map[string]Secret{"extra": plain("1234567890123456")})
	if got := string(long.redact([]byte(`{"a":1234567890123456,"b":"1234567890123456"}`))); got != `{"a":0,"b":"0"}` {
		t.Errorf("got %s from a credential that is a number", got)
	}
	// A user's number or a short login is data as well; it would be lost everywhere.
	if body := `{"partner_id":12345678,"m":"abc"}`; string(r.redact([]byte(body))) != body {
		t.Errorf("got %s", r.redact([]byte(body)))
	}
}

func FuzzRedact(f *testing.F) {
	for _, seed := range []string{
		`{"api_key":"x","a":[{"ip":"1.2.3.4","m":"a@b.cc"}]}`, `{"systems":{"fields":[{"api_key":1}]},"ip":[[""]]}`,
		`[{"api\u005fkey":1,"ip":"\u0031"}]`, `{"a":1e5,"b":-0.1,"c":true,"d":null,"api_key":[]}`, `{"api_key":1`, ``,
	} {
		f.Add([]byte(seed))
	}
	r := redacting(f, PII{IP: Drop, Email: Drop}, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		original := bytes.Clone(body)
		got := r.redact(body)
		if !bytes.Equal(body, original) {
			t.Fatal("the body was changed in place")
		}
		var before any
		if json.Unmarshal(body, &before) != nil || bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > depthMax {
			return // it may come back empty
		}
		var after any
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		clean(t, after, "")
	})
}

// clean looks for what must have been removed.
func clean(t *testing.T, v any, key string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if k == "api_key" || key == "systems" && k == "fields" {
				t.Errorf("%s is still there", k)
			}
			clean(t, inner, k)
		}
	case []any:
		for _, inner := range v {
			clean(t, inner, key)
		}
	case string:
		if key == "ip" && strings.TrimSpace(v) != "" || isEmail(strings.ToLower(strings.TrimSpace(v))) {
			t.Errorf("%q is still there", v)
		}
	}
}
