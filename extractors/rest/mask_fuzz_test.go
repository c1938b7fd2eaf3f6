package rest

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzMask holds of the values of a file what FuzzRedact holds of answers: none that is
// secret or personal is left in any column, the value itself is not changed, and what was
// masked stays as it is.
func FuzzMask(f *testing.F) {
	for _, seed := range [][2]string{
		{"api_key", "x"}, {" ip ", "1.2.3.4"}, {"systems.fields", "[1]"}, {"sub1", " A@B.cc "}, {"url", "https://x/?k=" + marker + "&m=a@b.cc"},
		{"ip", ""}, {"fields", marker + marker[:5]}, {"", "\xff@b.cc"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	sources := map[Mode]*Source{}
	for _, mode := range []Mode{Keep, Hash, Drop} {
		sources[mode] = &Source{redactor: redacting(f, PII{IP: mode, Email: mode, Key: plain("k")}, nil)}
	}
	f.Fuzz(func(t *testing.T, column string, value []byte) {
		for mode, s := range sources {
			mask := s.Mask(column)
			if mask == nil {
				t.Fatalf("%s: column %q is not searched for credentials", mode, column)
			}
			original := bytes.Clone(value)
			got := mask([]byte("before:"), value)
			if !bytes.Equal(value, original) || !bytes.HasPrefix(got, []byte("before:")) {
				t.Fatalf("%s: %q became %q in place, behind %q", mode, original, value, got)
			}
			got = got[len("before:"):]
			name := strings.TrimSpace(column)
			switch secret := name == "api_key" || name == "systems.fields"; {
			case secret && len(got) > 0, bytes.Contains(got, []byte(marker)):
				t.Errorf("%s: %q of column %q is still there: %q", mode, value, column, got)
			case secret || mode == Keep:
			case name == "ip" && mode == Drop && len(bytes.TrimSpace(got)) > 0, isEmail(strings.ToLower(string(bytes.TrimSpace(got)))):
				t.Errorf("%s: %q of column %q is still there: %q", mode, value, column, got)
			}
			if name == "ip" {
				continue // a digest has a digest too
			}
			if again := mask(nil, got); !bytes.Equal(again, got) {
				t.Errorf("%s: %q of column %q becomes %q, and that %q", mode, value, column, got, again)
			}
		}
	})
}
