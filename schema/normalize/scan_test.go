package normalize

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"syncd/schema"
)

func TestValid(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"an object", `{"a":[1,-2.5e+3,true,false,null,"x\u00e9",{}],"b":{"c":[]}}`, ""},
		{"white space anywhere", " {\n\t\"a\" : [ 1 , 2 ] \r} ", ""},
		{"a scalar", `"x"`, ""},
		{"512 levels", strings.Repeat("[", 512) + strings.Repeat("]", 512), ""},
		{"513 levels", strings.Repeat("[", 513) + strings.Repeat("]", 513), "JSON is nested too deep at byte 512"},
		{"nothing", " \n", "the answer is empty"},
		{"a body that was cut in a string", `{"a":"b`, "JSON ends too early at byte 7"},
		{"a body that was cut after an escape", `{"a":"b\`, "JSON ends too early at byte 8"},
		{"a body that was cut in a unicode escape", `{"a":"\u00`, "JSON ends too early at byte 10"},
		{"a body that was cut after a comma", `{"a":1,`, "JSON ends too early at byte 7"},
		{"a body that was cut in a word", `[tru`, "JSON ends too early at byte 4"},
		{"HTML", "<html>", "malformed JSON at byte 0"},
		{"text after the end", `{} x`, "JSON goes on after its end at byte 3"},
		{"brackets that do not match", `[1}`, "malformed JSON at byte 2"},
		{"a comma before the end", `[1,]`, "malformed JSON at byte 3"},
		{"a key that is not a string", `{1:2}`, "malformed JSON at byte 1"},
		{"a leading zero", `[01]`, "malformed JSON at byte 3"},
		{"a lone minus", `[-]`, "malformed JSON at byte 2"},
		{"a control character in a string", "[\"a\nb\"]", "malformed JSON at byte 3"},
		{"an unknown escape", `["\x"]`, "malformed JSON at byte 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := Valid([]byte(test.body)); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%.40q: got %q, want %q", test.body, got, test.want)
			}
		})
	}
}

func TestEveryCutOfAPageIsNoticed(t *testing.T) {
	body := affisePage(2, 1)
	if err := Valid(body); err != nil {
		t.Fatal(err)
	}
	for cut := range body {
		if Valid(body[:cut]) == nil {
			t.Fatalf("%d of %d bytes pass for a whole answer", cut, len(body))
		}
	}
}

func TestCount(t *testing.T) {
	page := affisePage(500, 1)
	n, hash, err := Count(page, Paths{"conversions"}, ShapeEither)
	if n != 500 || err != nil {
		t.Errorf("got %d, %v, want 500", n, err)
	}
	next := bytes.Replace(page, []byte(`"page":1,"next_page":2`), []byte(`"page":2,"next_page":3`), 1)
	if _, again, _ := Count(next, Paths{"conversions"}, ShapeEither); again != hash || bytes.Equal(page, next) {
		t.Error("the same records on another page have another digest")
	}
	other := bytes.Replace(page, []byte(`"status":"confirmed"`), []byte(`"status":"declined!"`), 1)
	if _, again, _ := Count(other, Paths{"conversions"}, ShapeEither); again == hash || bytes.Equal(page, other) {
		t.Error("other records have the same digest")
	}
}

func TestLookup(t *testing.T) {
	body := `{"a":"x","pagination":{"next_page":2,"x\u0079":[10,{"z":"deep"}]},"n":null,"e.f":1,"a":"y"}`
	for _, test := range []struct{ path, want string }{
		{"pagination.next_page", "2"},
		{"pagination.xy.1.z", `"deep"`},
		{"pagination.xy", `[10,{"z":"deep"}]`},
		{"a", `"x"`},
		{"n", "null"},
		{`e\.f`, "1"},
		{"", body},
		{"a.b", "absent"},
		{"pagination.xy.2", "absent"},
		{"pagination.none", "absent"},
	} {
		raw, ok, err := Lookup([]byte(body), test.path)
		got := string(raw)
		if !ok {
			got = "absent"
		}
		if got != test.want || err != nil {
			t.Errorf("%q: got %s, %v, want %s", test.path, got, err, test.want)
		}
	}
	for _, body := range []string{"", `{"a"`, `{"b":[1,2`, `{"b":1 "a":2}`, `{"b"1}`} {
		if raw, ok, err := Lookup([]byte(body), "a"); err == nil {
			t.Errorf("%q: got %s, %v, want an error", body, raw, ok)
		}
	}
	if _, _, err := Lookup([]byte(`{}`), "a..b"); err == nil {
		t.Error("an empty part of a path passes")
	}
}

func TestClosingQuoteAtEveryOffset(t *testing.T) {
	for length := range 40 {
		for at := range length {
			for _, special := range []string{`"`, `\"`, `\\`, "é", "\x00", "\x21", "\xff", "#", "]"} {
				s := strings.Repeat("a", at) + special + strings.Repeat("b", length-at) + `"`
				want := len(s) - 1
				if special == `"` {
					want = at
				}
				got, escaped := closingQuote([]byte(s+"tail"), 0)
				if got != want || escaped != (special[0] == '\\') {
					t.Fatalf("%q: got %d, %v, want %d", s, got, escaped, want)
				}
			}
		}
	}
}

func FuzzValid(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e+3,true,false,null,"x\u00e9",{}],"b":{"c":[]}}`))
	f.Add([]byte(`{"a":"b`))
	f.Add([]byte(`[1}`))
	f.Add([]byte("[\"a\nb\", 0.5E-1]"))
	f.Add(affisePage(1, 1))
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > maxDepth {
			Valid(body)
			return
		}
		if err := Valid(body); (err == nil) != json.Valid(body) {
			t.Errorf("%q: got %v, encoding/json says %v", body, err, json.Valid(body))
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\"\\\/\b\f\n\r\t\u0041`)
	f.Add(`\ud83d\ude00 \ud83d\ud83d\ude00 \ude00`)
	f.Add(`\ud83d\n`)
	f.Fuzz(func(t *testing.T, raw string) {
		got := unescape(nil, []byte(raw))
		quoted := `"` + raw + `"`
		var want string
		if Valid([]byte(quoted)) != nil || json.Unmarshal([]byte(quoted), &want) != nil {
			return
		}
		if got := strings.ToValidUTF8(string(got), "\uFFFD"); strings.ToValidUTF8(raw, "\uFFFD") == raw && got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	})
}

func FuzzLookup(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,{"c":"x"}]},"n":null}`), "a.b.1.c")
	f.Add([]byte(`{"a":{"b":[1,`), "a.b.1")
	f.Add([]byte(`[[],{"\u0061":1}]`), "1.a")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		raw, ok, err := Lookup(body, path)
		if Valid(body) == nil && ok && Valid(raw) != nil {
			t.Errorf("%q of %q is %q", path, body, raw)
		}
		if Valid(body) == nil && err != nil {
			if _, bad := parsePath(path); bad == nil {
				t.Errorf("%q of %q: %v", path, body, err)
			}
		}
		Count(body, Paths{path}, ShapeEither)
		Count(body, Paths{path}, ShapeObject)
	})
}

func FuzzPage(f *testing.F) {
	for _, body := range []string{
		string(affisePage(2, 1)),
		`{"conversions":{"k":{"id":1,"order":{"each":[{"a":1},2]}}}}`,
		`[{"order":{"id":"x","each":{"k":"v"},"created_at":"2024-03-05 10:00:00"}}]`,
		`{"conversions":[null,1,"x",[],[1],{},{"offer":[]},{"offer":{"id":[{}]}}]}`,
		`{"conversions":[{"id":"\ud83d","goal":"\x`, "{\"conversions\":[{\"id\":\"\xff\"}]}",
		`{"conversions":[{"id":1,"created_at":"2040-12-31 00:00:00"}]}`,
		strings.Repeat(`{"conversions":[`, 200),
	} {
		f.Add([]byte(body))
	}
	specs := []Spec{affiseConversions(), statsSpec()}
	specs[1].Records = Paths{"conversions"}
	entitySpec := entity(map[string]Field{
		"name": {From: Paths{"parent.x", "parent.$key", "$value", "a.1.b", "a"}, Join: "/"}, "kind": {From: Paths{"$key"}, Upper: true},
		"created_at": {From: Paths{"created_at"}, Fold: "id", Default: "2024-01-01T00:00:00Z"}, "amount": {From: Paths{"a.0"}},
		"updated_at": {From: Paths{"a"}, Layout: "2006-01-02 15:04"},
	})
	entitySpec.Columns["id"] = Field{From: Paths{"id"}, Default: "?"}
	for _, shape := range []Shape{ShapeEither, ShapeObject} {
		wrapped := entitySpec
		wrapped.Shape, wrapped.Records, wrapped.Each = shape, Paths{"conversions"}, "each"
		if shape == ShapeEither {
			wrapped.Wrapped = "order"
		}
		specs = append(specs, wrapped)
	}
	var normalizers []*Normalizer
	for _, spec := range specs {
		normalizers = append(normalizers, mustCompile(f, spec))
	}
	c := affiseContext(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, n := range normalizers {
			block := schema.NewBlock(n.Table())
			bad := 0
			block, counts, err := n.Page(body, c, block, reuse, func(r BadRow) error {
				bad++
				if r.Reason == "" || len(r.Record) == 0 {
					t.Errorf("a bad row without reason or record: %v", r)
				}
				return nil
			})
			if counts.Bad != bad || counts.Rows != block.Rows() {
				t.Errorf("counts %v, %d bad rows, a block of %d", counts, bad, block.Rows())
			}
			for _, column := range block.Input() {
				if column.Data.Rows() != block.Rows() {
					t.Errorf("%s has %d rows of %d", column.Name, column.Data.Rows(), block.Rows())
				}
			}
			if Valid(body) == nil && err == nil {
				checkExtra(t, block)
			}
		}
	})
}

// checkExtra checks that the extra of each row is an object.
func checkExtra(t *testing.T, b *schema.Block) {
	var dump bytes.Buffer
	if err := schema.Dump(&dump, b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(dump.String()) {
		quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "extra: ")
		if !ok {
			continue
		}
		var extra string
		if _, err := fmt.Sscanf(quoted, "%q", &extra); err != nil {
			t.Fatal(err)
		}
		if err := Valid([]byte(extra)); err != nil || extra[0] != '{' || extra == "{}" {
			t.Errorf("extra %q: %v", extra, err)
		}
	}
}
