package normalize

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func stars(dst, text []byte) []byte {
	return append(dst, bytes.Repeat([]byte("*"), len(text))...)
}

func TestRedact(t *testing.T) {
	all := RedactRules{
		Drop:   []string{"api_key", "hash_password"},
		Values: map[string]func(dst, text []byte) []byte{"ip": stars, "note": func(dst, text []byte) []byte { return append(append(dst, text...), "\"\\\n\xff"...) }},
		Email:  func(dst, _ []byte) []byte { return append(dst, "hidden"...) },
	}
	for _, test := range []struct{ name, body, want string }{
		{"a key is removed at any depth", `{"api_key":"s","a":[{"b":{"api_key":{"x":[1]},"c":1}}]}`, `{"a":[{"b":{"c":1}}]}`},
		{"the last key is removed with its comma", `{"a":1,"api_key":"s"}`, `{"a":1}`},
		{"the middle key is removed with its comma", `{"a":1, "api_key" : null , "b":2}`, `{"a":1,"b":2}`},
		{"all keys may go", `{"api_key":"s","hash_password":""}`, `{}`},
		{"a key written with escapes is removed", `{"\u0061pi_key":"s","a":1}`, `{"a":1}`},
		{"a value that looks like a key stays", `{"a":"api_key","b":"x\"api_key\":"}`, `{"a":"api_key","b":"x\"api_key\":"}`},
		{"strings under a key are rewritten", `{"ip":"1.2.3.4","x":"1.2.3.4"}`, `{"ip":"*******","x":"1.2.3.4"}`},
		{"an array under a key is rewritten", `{"ip":["1.2",["::1"],3,null]}`, `{"ip":["***",["***"],3,null]}`},
		{"an object under a key is not", `{"ip":{"allow":"1.2"},"c":1}`, `{"ip":{"allow":"1.2"},"c":1}`},
		{"an empty string stays", `{"ip":"","a":1}`, `{"ip":"","a":1}`},
		{"what a function gives is quoted", `{"note":"a\u0041"}`, `{"note":"aA\"\\\u000a` + "\uFFFD" + `"}`},
		{"an e-mail address is rewritten anywhere", `{"a":["x.y+z@mail.example.test"," b@c.de "],"k":"d@e.fr"}`, `{"a":["hidden","hidden"],"k":"hidden"}`},
		{"an e-mail address with escapes is rewritten", `["a\u0040b.de"]`, `["hidden"]`},
		{"text around an address keeps it", `["mail a@b.de", "@home", "a@b", "https://x@y.de/?a=(1)", "a@b.", "<a@b.de>"]`, `["mail a@b.de", "@home", "a@b", "https://x@y.de/?a=(1)", "a@b.", "<a@b.de>"]`},
		{"a string alone is a document", `"a@b.de"`, `"hidden"`},
		{"a body that was cut ends where it cannot be read", `{"a":1,"api_key":"secr`, `{"a":1`},
		{"text after the document goes", `{"a":"x@y.de"} api_key=secret "api_key"`, `{"a":"hidden"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Redact(nil, []byte(test.body), all)
			if string(got) != test.want {
				t.Errorf("%s: got %s, want %s", test.body, got, test.want)
			}
		})
	}
}

func TestRedactGivesTheBodyItselfWhenNothingApplies(t *testing.T) {
	body := affisePage(10, 5)
	for _, test := range []struct {
		name  string
		rules RedactRules
		body  []byte
	}{
		{"no rules", RedactRules{}, body},
		{"keys that do not occur", RedactRules{Drop: []string{"api_key", "hash_password"}}, body},
		{"no address in the body", RedactRules{Email: stars}, bytes.ReplaceAll(body, []byte("@"), nil)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Redact(nil, test.body, test.rules); &got[0] != &test.body[0] || len(got) != len(test.body) {
				t.Error("got a copy")
			}
			if n := testing.AllocsPerRun(10, func() { Redact(nil, test.body, test.rules) }); n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	if got := Redact(nil, []byte(`{"a":"api_key@"}`), RedactRules{Drop: []string{"api_key"}, Email: stars}); string(got) != `{"a":"api_key@"}` {
		t.Errorf("got %s", got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"api_key":"s","ip":"1.2.3.4","a":["x@y.de",{"api_key":[1,2]}]}`))
	f.Add([]byte(`{"\u0061pi_key":"s"}`))
	f.Add(affisePage(1, 1))
	f.Add([]byte(`{"api_key":`))
	f.Add([]byte(strings.Repeat(`{"ip":[`, 300)))
	rules := RedactRules{
		Drop:   []string{"api_key"},
		Values: map[string]func(dst, text []byte) []byte{"ip": stars},
		Email:  func(dst, _ []byte) []byte { return append(dst, "hidden"...) },
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got := Redact(nil, body, rules)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if Valid(body) != nil {
			return
		}
		if err := Valid(got); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		var v any
		decoder := json.NewDecoder(bytes.NewReader(got))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		noSecrets(t, v)
	})
}

func noSecrets(t *testing.T, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if key == "api_key" {
				t.Errorf("a key is left: %v", v)
			}
			noSecrets(t, inner)
		}
	case []any:
		for _, inner := range v {
			noSecrets(t, inner)
		}
	case string:
		if isEmail([]byte(v)) {
			t.Errorf("an address is left: %q", v)
		}
	}
}
