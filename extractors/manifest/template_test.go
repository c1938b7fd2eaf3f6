package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTemplate(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Template
		wrong      string // part of the error; empty for none
	}{
		{"nothing is nothing", "", nil, ""},
		{"text is text", "/3.0/offers", Template{{Text: "/3.0/offers"}}, ""},
		{"a placeholder stands alone", "{item}", Template{{Placeholder: Item}}, ""},
		{"a placeholder stands between texts", "/a/{item}/b", Template{{Text: "/a/"}, {Placeholder: Item}, {Text: "/b"}}, ""},
		{"a variable has a name", "{variable.x}", Template{{Placeholder: "variable.x"}}, ""},
		{"a variable without a name is unknown", "{variable.}", nil, "not a placeholder"},
		{"a misspelt placeholder is unknown", "{window.from}", nil, "{window.from} is not a placeholder"},
		{"a brace is closed", "{item", nil, "open brace"},
		{"a brace is opened", "item}", nil, "closing brace too many"},
		{"a brace in a brace is no placeholder", "{{item}}", nil, "not a placeholder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseTemplate(c.text)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("ParseTemplate(%q): got error %v, want %q", c.text, err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatalf("ParseTemplate(%q): %v", c.text, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("ParseTemplate(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

func TestExpandFillsPlaceholders(t *testing.T) {
	parsed, err := ParseTemplate("/{variable.version}/offer/{item}")
	if err != nil {
		t.Fatal(err)
	}
	got := parsed.Expand(func(p Placeholder) string {
		if name, ok := p.Variable(); ok {
			return name + "=3.1"
		}
		return string(p)
	})
	if want := "/version=3.1/offer/item"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParseTemplate(f *testing.F) {
	f.Add("/{variable.v}/x?{item}")
	f.Add("{{}}")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseTemplate(text)
		if err != nil {
			return
		}
		if got := parsed.Expand(func(p Placeholder) string { return "{" + string(p) + "}" }); got != text {
			t.Errorf("ParseTemplate(%q) expands to %q", text, got)
		}
	})
}
