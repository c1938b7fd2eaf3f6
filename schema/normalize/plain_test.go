package normalize

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// TestPlainExtraIsTheSameFromAnswersAndFiles: a value as an answer has it, as files may
// have it, and what is kept of it.
func TestPlainExtraIsTheSameFromAnswersAndFiles(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		files        []string
		want         string // what is kept, text or a list; empty for nothing
	}{
		{"text", `"x \"y\" \\z"`, []string{`x "y" \z`}, `x "y" \z`},
		{"whole numbers", `64500`, []string{"64500"}, "64500"},
		{"whole numbers as floats", `64500.0`, []string{"64500"}, "64500"},
		{"decimals", `-97.7431`, []string{"-97.7431"}, "-97.7431"},
		{"zeros are kept", `0`, []string{"0"}, "0"},
		{"versions are no numbers", `"19.10"`, []string{"19.10"}, "19.10"},
		{"truth values are flags", `true`, []string{"1"}, "1"},
		{"and so is what is not true", `false`, []string{"0"}, "0"},
		{"lists", `["DUPLICATE_IP", "VPN"]`, []string{"['DUPLICATE_IP','VPN']", `["DUPLICATE_IP","VPN"]`, "[DUPLICATE_IP, VPN]"}, `["DUPLICATE_IP","VPN"]`},
		{"quotes in lists", `["it's","a\"b"]`, []string{`['it\'s','a"b']`, `["it's","a\"b"]`}, `["it's","a\"b"]`},
		{"numbers in lists", `[1,2.5]`, []string{"[1,2.5]"}, `["1","2.5"]`},
		{"empty lists are nothing", `[]`, []string{"[]", "[ ]", ""}, ""},
		{"lists of lists stay", `[["a"]]`, nil, `[["a"]]`},
		{"zero times are nothing", `"0001-01-01T00:00:00Z"`, []string{"1970-01-01 00:00:00", "0001-01-01 00:00:00"}, ""},
		{"what only looks like a list stays", `"[a] b [c]"`, []string{"[a] b [c]"}, "[a] b [c]"},
		{"times of UTC", `"2026-06-01T13:05:10Z"`, []string{"2026-06-01 13:05:10", "2026-06-01T13:05:10+00:00"}, "2026-06-01 13:05:10"},
		{"times of another zone stay", `"2026-06-01T13:05:10+02:00"`, []string{"2026-06-01T13:05:10+02:00"}, "2026-06-01T13:05:10+02:00"},
		{"days stay", `"2026-06-01"`, []string{"2026-06-01"}, "2026-06-01"},
		{"empty text is nothing", `""`, []string{""}, ""},
		{"null is nothing", `null`, []string{""}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := `id: "1"`
			if test.want != "" {
				value, _ := json.Marshal(test.want)
				if json.Valid([]byte(test.want)) && test.want[0] == '[' {
					value = []byte(test.want)
				}
				whole, _ := json.Marshal(`{"a":` + string(value) + `,"z":"last"}`)
				want += "\nextra: " + string(whole)
			} else {
				want += "\nextra: " + `"{\"z\":\"last\"}"`
			}
			spec := entity(map[string]Field{"id": {From: Paths{"id"}}})
			spec.Plain = true
			if got := rows(t, spec, &Context{}, `[{"z":"last","id":"1","a":`+test.answer+`}]`); got != want {
				t.Errorf("answer: got %s, want %s", got, want)
			}
			spec = fileSpec(nil)
			spec.Plain = true
			for _, file := range test.files {
				var b strings.Builder
				w := csv.NewWriter(&b)
				if err := w.WriteAll([][]string{{"z", "id", "a"}, {"last", "1", file}}); err != nil {
					t.Fatal(err)
				}
				if got := fileRows(t, spec, &Context{}, b.String()); got != want {
					t.Errorf("file with %s: got %s, want %s", file, got, want)
				}
			}
		})
	}
}

func TestPlainExtraKeepsObjects(t *testing.T) {
	spec := entity(map[string]Field{"id": {From: Paths{"id"}}})
	spec.Plain = true
	want := "id: \"1\"\nextra: \"{\\\"a\\\":{\\\"b\\\":1}}\"\nid: \"2\""
	if got := rows(t, spec, &Context{}, `[{"id":"1","o":{},"a":{"b":1}},{"id":"2","a":[]}]`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
