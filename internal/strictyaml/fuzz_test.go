package strictyaml_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"syncd/internal/strictyaml"
)

// FuzzDecode holds that no file makes Decode panic or hang, and that every problem
// has a place in the file.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: x\npaging: {size: 1}\n",
		"by_name: {a: &a {size: 1}, b: {<<: *a}}",
		"tree: &t {sub: *t}",
		"pagings: [&p {size: 1}, *p]",
		"- a\n- b\n---\n...",
		"? a\n: b\n",
		"name: |\n  x\n y",
		"name: !!binary x\n%TAG ! x",
		"words: {~: approved, [a]: b}",
		"wait: 1d-2h",
		"limit: 9223372036854775807TiB",
		"\"\\x\": 1",
		"<<: [*a]",
		"&a <<: *a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var into document
		options := strictyaml.Options{Expand: func(text string) (string, error) { return strings.ReplaceAll(text, "$", "5"), nil }}
		_, problems := options.Decode("f.yaml", []byte(src), &into)
		lines := strings.Count(src, "\n") + strings.Count(src, "\r") + strings.Count(src, "\u0085") + strings.Count(src, "\u2028") + strings.Count(src, "\u2029") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Column > utf8.RuneCountInString(src)+2 {
				t.Errorf("problem outside of the file (%d lines): %s", lines, p)
			}
			if p.Message == "" {
				t.Errorf("no message: %v", p)
			}
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"1d", "1d12h", "-3d4h", "106751d", "15m", "d", "1d-1h", "106751d24h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := strictyaml.ParseDuration(s)
		if err != nil {
			return
		}
		if strings.HasPrefix(s, "-") != (d < 0) && d != 0 {
			t.Errorf("ParseDuration(%q) = %v: the sign is wrong", s, d)
		}
	})
}
