package rest

import (
	"encoding/json"
	"testing"

	"syncd/extractors"
	"syncd/schema/normalize"
)

func TestDocuments(t *testing.T) {
	for name, tt := range map[string]struct {
		body, path, want string
		there            bool
	}{
		"a member of the root":            {` { "a" : 1 , "b":2}`, "a", "1", true},
		"a member below":                  {`{"p": {"n": [2] } }`, "p.n", "[2]", true},
		"the first of two counts":         {`{"a":1,"a":2}`, "a", "1", true},
		"a key written with escapes":      {`{"\u0061":1}`, "a", "1", true},
		"null is there":                   {`{"a":null}`, "a", "null", true},
		"what is absent is not":           {`{"a":1}`, "b", "", false},
		"what would be below a number":    {`{"a":1}`, "a.b", "", false},
		"an array has no members":         {`[{"a":1}]`, "a", "", false},
		"a value behind a long list":      {`{"l":[{"x":"}"},{"y":"\""}],"a":"z"}`, "a", `"z"`, true},
		"the empty path is not looked up": {`{"":1}`, "a", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := d.lookup(tt.path)
			if string(got) != tt.want || ok != tt.there {
				t.Errorf("got %s, %v, want %s, %v", got, ok, tt.want, tt.there)
			}
		})
	}
	for _, body := range []string{``, `{`, `{"a":}`, `{"a":1`, `{"a":1}}`, `{"a":1} {}`, `{"a":1} x`, `{'a':1}`, `{"a":01}`, `{"a":tru}`, `[1`, `{"a":"` + "\n" + `"}`} {
		if _, err := parse([]byte(body)); err == nil {
			t.Errorf("%q was taken for whole JSON", body)
		}
	}
}

// A body is taken for whole JSON exactly when the standard library takes it so,
// but for text that is not UTF-8 and documents nested beyond reason.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"status":1,"conversions":[{"id":1}],"pagination":{"next_page":2}}`))
	f.Add([]byte(`{"a":1}{`))
	f.Add([]byte(`{"a":-0.1e+5,"b":"\ud800"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parse(body)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was taken for whole JSON", body)
		}
		if err != nil || !d.object {
			return
		}
		_, _, _ = d.count(normalize.Spec{Records: normalize.Paths{"conversions"}})
		d.lookup("pagination.next_page")
	})
}

// benchmarkPage is an answer of 500 conversions of 1.7 KB.
func benchmarkPage() []byte {
	record := map[string]any{}
	for i := range 60 {
		record[string(rune('a'+i%26))+"_field_"+string(rune('a'+i/26))] = "value of this field"
	}
	var records []any
	for range 500 {
		records = append(records, record)
	}
	return encode(map[string]any{"status": 1, "conversions": records, "pagination": map[string]any{"page": 1, "next_page": 2, "per_page": 500, "total_count": 100_000}})
}

func BenchmarkRead(b *testing.B) {
	s, st := setup(b, network(), account(b), "conversions")
	w := day(b, 2024, 3, 5)
	body := benchmarkPage()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Read(st, w, extractors.Answer{Status: 200, Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	body := benchmarkPage()
	for name, pii := range map[string]PII{"nothing to remove": {}, "e-mail addresses hashed": {Email: Hash, Key: plain("k")}} {
		b.Run(name, func(b *testing.B) {
			page := body
			if pii.Email == Hash {
				page = append([]byte(`{"m":"ann@example.com","p":`), append(page, '}')...)
			}
			r := redacting(b, pii, nil)
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				r.redact(page)
			}
		})
	}
}
