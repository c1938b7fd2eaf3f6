package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/strictyaml"
)

type word string

func (w *word) UnmarshalText(text []byte) error {
	if err := strictyaml.OneOf(string(text), "approved", "pending"); err != nil {
		return err
	}
	*w = word(text)
	return nil
}

type password struct{ v *string }

func (p *password) UnmarshalText(text []byte) error {
	if len(text) < 3 {
		return fmt.Errorf("too short: %s", text)
	}
	p.v = new(string(text))
	return nil
}
func (password) HiddenInMessages() {}
func (password) Expected() string  { return "a password" }

// pair is a word or a mapping.
type pair struct {
	Left  string `yaml:"left"`
	Right string `yaml:"right"`
}

func (p *pair) UnmarshalText(text []byte) error {
	p.Left = string(text)
	return nil
}

type paging struct {
	Size  int           `yaml:"size"`
	Pause time.Duration `yaml:"pause"`
}

type base struct {
	Title string `yaml:"title"`
}

type document struct {
	base     `yaml:",inline"`
	Name     string             `yaml:"name"`
	Enabled  *bool              `yaml:"enabled"`
	Count    int                `yaml:"count"`
	Small    uint8              `yaml:"small"`
	Share    float64            `yaml:"share"`
	Wait     time.Duration      `yaml:"wait"`
	Limit    strictyaml.Size    `yaml:"limit"`
	Status   word               `yaml:"status"`
	Password password           `yaml:"password"`
	From     []string           `yaml:"from"`
	Waits    []time.Duration    `yaml:"waits"`
	Paging   *paging            `yaml:"paging"`
	Pagings  []paging           `yaml:"pagings"`
	Words    map[string]word    `yaml:"words"`
	ByName   map[string]paging  `yaml:"by_name"`
	Pointers map[string]*paging `yaml:"pointers"`
	Pair     pair               `yaml:"pair"`
	Tree     *tree              `yaml:"tree"`
	Untagged string
	Unmapped string `yaml:"-"`
	//lint:ignore U1000 that the decoder leaves it alone is what is tested
	invisible string
}

type tree struct {
	Sub  *tree  `yaml:"sub"`
	Subs []tree `yaml:"subs"`
}

func TestDecode(t *testing.T) {
	yes := true
	tests := []struct {
		name string
		src  string
		want document
	}{
		{"every kind of value decodes", `
title: A
name: B
enabled: true
count: -5
small: 255
share: 0.5
wait: 1d12h
limit: 2GiB
status: approved
from: [a, b]
waits: [1s, 2d]
paging: {size: 1, pause: 5s}
pagings: [{size: 2}, {size: 3}]
words: {x: approved, 1: pending}
by_name: {stats/by_offer: {size: 4}}
pointers: {p: {size: 5}}
untagged: C
`, document{
			base: base{"A"}, Name: "B", Enabled: &yes, Count: -5, Small: 255, Share: 0.5, Wait: 36 * time.Hour,
			Limit: 2 << 30, Status: "approved", From: []string{"a", "b"}, Waits: []time.Duration{time.Second, 48 * time.Hour},
			Paging: &paging{1, 5 * time.Second}, Pagings: []paging{{Size: 2}, {Size: 3}},
			Words: map[string]word{"x": "approved", "1": "pending"}, ByName: map[string]paging{"stats/by_offer": {Size: 4}},
			Pointers: map[string]*paging{"p": {Size: 5}}, Untagged: "C",
		}},
		{"a number is text where text is wanted", "name: 0123", document{Name: "0123"}},
		{"a long id keeps all its digits", "name: 12345678901234567890", document{Name: "12345678901234567890"}},
		{"a date is text where text is wanted", "name: 2026-01-01", document{Name: "2026-01-01"}},
		{"a quoted bool is text", `name: "true"`, document{Name: "true"}},
		{"no and on are text", "{name: no, from: [on, yes]}", document{Name: "no", From: []string{"on", "yes"}}},
		{"one scalar is a list of one", "{from: a, waits: 7d}", document{From: []string{"a"}, Waits: []time.Duration{168 * time.Hour}}},
		{"zero needs no unit", "wait: 0", document{}},
		{"a key without a value is as if absent", "{name: , paging: ~, from: null, words: }", document{}},
		{"a mapping entry without a value is the zero value", "by_name: {a: }", document{ByName: map[string]paging{"a": {}}}},
		{"a type may be a word or a mapping", "pair: l", document{Pair: pair{Left: "l"}}},
		{"a type that may be a word may be a mapping", "pair: {left: l, right: r}", document{Pair: pair{"l", "r"}}},
		{"an alias repeats its anchor", "{name: &n x, title: *n}", document{Name: "x", base: base{"x"}}},
		{"merged keys yield to the mapping's own", "by_name: {a: &a {size: 1, pause: 1s}, b: {size: 2, <<: *a}}",
			document{ByName: map[string]paging{"a": {1, time.Second}, "b": {2, time.Second}}}},
		{"of several merged mappings the first wins", "by_name: {a: &a {size: 1}, b: &b {size: 2, pause: 2s}, c: {<<: [*a, *b]}}",
			document{ByName: map[string]paging{"a": {Size: 1}, "b": {2, 2 * time.Second}, "c": {1, 2 * time.Second}}}},
		{"a merged mapping may itself be merged", "by_name: {a: &a {size: 1}, b: &b {<<: *a, pause: 2s}, c: {<<: *b}}",
			document{ByName: map[string]paging{"a": {Size: 1}, "b": {1, 2 * time.Second}, "c": {1, 2 * time.Second}}}},
		{"an anchor may be used twice", "pagings: [&p {size: 1}, *p, *p]", document{Pagings: []paging{{Size: 1}, {Size: 1}, {Size: 1}}}},
		{"a block text keeps its lines", "name: |\n  a\n  b\n", document{Name: "a\nb\n"}},
		{"a byte order mark is skipped", "\ufeffname: x", document{Name: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got document
			_, problems := strictyaml.Decode("f.yaml", []byte(tt.src), &got)
			if len(problems) > 0 {
				t.Fatalf("decoding %s: %v", tt.src, problems)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(document{}, password{}, base{})); diff != "" {
				t.Errorf("decoding %s (-want +got):\n%s", tt.src, diff)
			}
		})
	}
}

func TestDecodeKeepsWhatTheFileDoesNotGive(t *testing.T) {
	got := document{Name: "kept", Count: 1, ByName: map[string]paging{"kept": {Size: 1}}}
	_, problems := strictyaml.Decode("f.yaml", []byte("{count: 2, by_name: {new: {size: 2}}}"), &got)
	want := document{Name: "kept", Count: 2, ByName: map[string]paging{"kept": {Size: 1}, "new": {Size: 2}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(document{}, password{}, base{})); diff != "" || len(problems) > 0 {
		t.Errorf("problems %v, (-want +got):\n%s", problems, diff)
	}
}

func TestDecodeReportsMistakes(t *testing.T) {
	tests := []struct {
		name string
		src  string
		want string
	}{
		{"all mistakes are reported, in the order of the file",
			"nmae: x\ncount: a\npaging:\n  sizze: 1\n  pause: 30\nwords: {a: aproved}\n",
			`f.yaml:1:1: nmae: unknown key; did you mean name?
f.yaml:2:8: count: found the text "a"; expected a whole number
f.yaml:4:3: paging.sizze: unknown key; did you mean size?
f.yaml:5:10: paging.pause: found the number 30; expected a duration such as 30s, 15m or 7d
f.yaml:6:12: words.a: unknown word "aproved"; did you mean approved?`},
		{"a key that belongs deeper is told so", "pause: 3s", "f.yaml:1:1: pause: unknown key; it belongs under paging"},
		{"an unknown key far from all lists what is known", "paging: {zzzzzz: 1}", "f.yaml:1:10: paging.zzzzzz: unknown key; known here: size, pause"},
		{"a key that is not a plain word is quoted in the path", "by_name: {a.b: {sise: 1}}", `f.yaml:1:17: by_name["a.b"].sise: unknown key; did you mean size?`},
		{"an item is named by its number", "pagings:\n- size: 1\n- size: x\n", `f.yaml:3:9: pagings[1].size: found the text "x"; expected a whole number`},
		{"a duplicate key names the first line", "name: a\ncount: 1\nname: b\n", "f.yaml:3:1: name: duplicate key; it is first given on line 1"},
		{"a duplicate key in a map is one too", "words: {a: approved, a: pending}", "f.yaml:1:22: words.a: duplicate key; it is first given on line 1"},
		{"a list instead of a text", "name: [a]", "f.yaml:1:7: name: found a list; expected a text"},
		{"a bool instead of a text", "name: true", "f.yaml:1:7: name: found true without quotes; expected a text"},
		{"a text instead of a bool", "enabled: yes", `f.yaml:1:10: enabled: found the text "yes"; expected true or false`},
		{"a text instead of a mapping", "paging: a", `f.yaml:1:9: paging: found the text "a"; expected a mapping (key: value)`},
		{"a mapping instead of a list", "from: {a: b}", "f.yaml:1:7: from: found a mapping; expected a list, or one item: a text"},
		{"a mapping where a list of mappings is wanted", "pagings: {size: 1}", "f.yaml:1:10: pagings: found a mapping; expected a list"},
		{"a mapping instead of a size", "limit: {a: b}", "f.yaml:1:8: limit: found a mapping; expected a size such as 512MiB or 2GiB"},
		{"a bad size", "limit: 2 gigs", "f.yaml:1:8: limit: not a size such as 512MiB or 2GiB"},
		{"a number too large for its type", "small: 256", "f.yaml:1:8: small: found the number 256; expected a whole number, 0 or more"},
		{"a quoted number is not a number", `count: "1"`, `f.yaml:1:8: count: found the text "1"; expected a whole number`},
		{"an octal number is not a number", "count: 0x10", "f.yaml:1:8: count: found the number 0x10; expected a whole number"},
		{"not a number", "share: .nan", "f.yaml:1:8: share: found the number .nan; expected a number"},
		{"a list item without a value", "from: [a, , b]", "f.yaml:1:11: did not find expected node content"},
		{"a list item that is null", "from: [a, ~]", "f.yaml:1:11: from[1]: an item without a value"},
		{"the value of a hidden type is not shown", "password: 12", "f.yaml:1:11: password: found another value; expected a password"},
		{"a key that is a list", "{[a]: 1}", "f.yaml:1:2: a key has to be a word"},
		{"a tag of another language", "name: !ruby/object x", "f.yaml:1:7: name: the tag !ruby/object is not known here"},
		{"binary data", "name: !!binary aGk=", "f.yaml:1:7: name: the tag !!binary is not known here"},
		{"merging a text", "paging: {<<: a}", "f.yaml:1:14: paging: a merge (<<) takes a mapping or a list of mappings"},
		{"merging a list of texts", "paging: {<<: [a]}", "f.yaml:1:15: paging: a merge (<<) takes mappings only"},
		{"merging a mapping into itself", "paging: &p {<<: *p}", "f.yaml:1:9: paging: a merge (<<) of a mapping into itself"},
		{"an alias to what it is part of", "tree: &t {sub: *t}", "f.yaml:1:16: tree.sub: an alias to what it is part of"},
		{"an alias without an anchor does not print its name", "password: *secret", "f.yaml:1:17: an alias (*name) to an anchor that is not there; a text that begins with * needs quotes"},
		{"a long text is cut", "count: " + strings.Repeat("ab", 40), `f.yaml:1:8: count: found the text "` + strings.Repeat("ab", 20) + `"...; expected a whole number`},
		{"an empty file", "", "f.yaml:1:1: the file is empty"},
		{"only comments", "# a\n", "f.yaml:1:1: the file is empty"},
		{"an empty document", "---\n", "f.yaml:1:1: the file is empty"},
		{"a list at the top", "- a", "f.yaml:1:1: found a list; expected a mapping (key: value)"},
		{"a second document", "name: a\n---\nname: b\n", "f.yaml:2:1: a second document begins here; a file holds one"},
		{"a syntax error in the second document", "name: a\n---\n{", "f.yaml:3:1: "},
		{"indentation that fits nowhere", "paging:\n    size: 1\n  pause: 1s\n", `f.yaml:3:`},
		{"two colons", "name: a\nwait: b: c\n", `f.yaml:2:8: a second ": " on the line`},
		{"a tab as indentation", "paging:\n\tsize: 1\n", "f.yaml:2:1: "},
		{"an unclosed quote", "name: x\ntitle: \"abc\ncount: 1\n", "f.yaml:2:"},
		{"an unclosed bracket", "name: x\nfrom: [a, b\ncount: 1\n", "f.yaml:"},
		{"bytes that are not UTF-8", "name: x\ntitle: \xff\n", "f.yaml:2:8: not UTF-8 text"},
		{"a control character", "name: \x01", "f.yaml:1:7: control character U+0001"},
		{"a file that is too large", strings.Repeat("#", 1<<20+1), "f.yaml:1:1: 1048577 bytes long; at most 1048576 are read"},
		{"a file that is nested too deeply", "name: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "f.yaml:1:71: nested more than 64 levels deep"},
		{"more brackets than the parser takes", strings.Repeat("[", 20000), "f.yaml:1:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var into document
			_, problems := strictyaml.Decode("f.yaml", []byte(tt.src), &into)
			if got := problems.Error(); got != tt.want && !(strings.HasPrefix(got, tt.want) && !strings.Contains(got, "\n")) {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestDecodeStopsAtABombOfAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("tree:\n  subs:\n  - &a0 {}\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  - &a%d {subs: [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]}\n", i+1, i, i, i, i, i, i, i, i, i)
	}
	var into document
	_, problems := strictyaml.Decode("f.yaml", []byte(b.String()), &into)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "more than 200000 values") {
		t.Errorf("got %v, want one problem that names the limit", problems)
	}
}

func TestDecodeStopsAtABombOfMerges(t *testing.T) {
	var b strings.Builder
	b.WriteString("by_name:\n  a0: &a0 {size: 1}\n")
	for i := range 30 {
		fmt.Fprintf(&b, "  a%d: &a%d {<<: [*a%d, *a%d, *a%d, *a%d]}\n", i+1, i+1, i, i, i, i)
	}
	var into document
	_, problems := strictyaml.Decode("f.yaml", []byte(b.String()), &into)
	if len(problems) == 0 || !strings.Contains(problems[0].Message, "more than 200000 values") {
		t.Errorf("got %v, want a problem that names the limit", problems)
	}
}

func TestExpandedValuesAreDecodedAndNeverShown(t *testing.T) {
	values := map[string]string{"N": "12", "TEXT": "hunter2hunter2", "B": "true", "D": "90s", "EMPTY": ""}
	options := strictyaml.Options{Expand: func(text string) (string, error) {
		name, ok := strings.CutPrefix(text, "$")
		if !ok {
			return text, nil
		}
		v, ok := values[name]
		if !ok {
			return "", errors.New("no " + name)
		}
		return v, nil
	}}
	var got document
	positions, problems := options.Decode("f.yaml", []byte("{name: $B, count: $N, enabled: $B, wait: $D, password: $TEXT, from: $TEXT, words: {$N: approved}}"), &got)
	if len(problems) > 0 || got.Name != "true" || got.Count != 12 || !*got.Enabled || got.Wait != 90*time.Second ||
		*got.Password.v != "hunter2hunter2" || got.From[0] != "hunter2hunter2" || got.Words["$N"] != "approved" {
		t.Errorf("got %+v, problems %v", got, problems)
	}
	if written, ok := positions.Written("from"); !ok || written != "$TEXT" {
		t.Errorf("got %q, want what stands in the file", written)
	}
	problem := positions.Problem("from", "%q, %v and %v are wrong", got.From[0], errors.New("x hunter2hunter2"), strictyaml.Size(3))
	if want := `f.yaml:1:69: from: "$TEXT", x $TEXT and 3B are wrong`; problem.String() != want {
		t.Errorf("got %s, want %s", problem, want)
	}
	if problem := positions.Problem("name", "%s", "hunter2hunter2"); strings.Contains(problem.String(), "hunter2") {
		t.Errorf("another path's value is shown: %s", problem)
	}
	if text := fmt.Sprintf("%v %+v %#v", positions, positions, positions); strings.Contains(text, "hunter2") {
		t.Errorf("printing the positions shows a value: %s", text)
	}

	src := "{count: $TEXT, status: $TEXT, limit: $TEXT, enabled: $TEXT, wait: $TEXT, small: $EMPTY, name: $NONE, password: $B2}"
	_, problems = options.Decode("f.yaml", []byte(src), &got)
	want := `f.yaml:1:9: count: found another value in $TEXT; expected a whole number
f.yaml:1:24: status: found another value in $TEXT; expected a text
f.yaml:1:38: limit: found another value in $TEXT; expected a size such as 512MiB or 2GiB
f.yaml:1:54: enabled: found another value in $TEXT; expected true or false
f.yaml:1:67: wait: found another value in $TEXT; expected a duration such as 30s, 15m or 7d
f.yaml:1:81: small: found another value in $EMPTY; expected a whole number, 0 or more
f.yaml:1:95: name: no NONE
f.yaml:1:112: password: no B2`
	if problems.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", problems, want)
	}
}

func TestReferencesNeedNoQuotes(t *testing.T) {
	options := strictyaml.Options{Expand: func(text string) (string, error) { return text, nil }}
	var got document
	src := "{name: ${A}, from: [${A}, $${B}, '${C}'], by_name: {\"${D}\": {sise: 1}}} # ${E}"
	_, problems := options.Decode("f.yaml", []byte(src), &got)
	if want := `f.yaml:1:62: by_name["${D}"].sise: unknown key; did you mean size?`; problems.Error() != want {
		t.Errorf("got %v, want %s", problems, want)
	}
	if diff := cmp.Diff([]string{"${A}", "$${B}", "${C}"}, got.From); diff != "" || got.Name != "${A}" {
		t.Errorf("name %q, from (-want +got):\n%s", got.Name, diff)
	}
	_, problems = options.Decode("f.yaml", []byte("name: \ue000\ue001${A}"), &got)
	if len(problems) > 0 || got.Name == "" {
		t.Errorf("a file with characters of private use: name %q, %v", got.Name, problems)
	}
}

func TestPositions(t *testing.T) {
	src := "name: x\npaging:\n  size: 1\nby_name:\n  a.b: {size: 2}\npagings:\n- size: 1\nwords:\n"
	var into document
	positions, problems := strictyaml.Decode("f.yaml", []byte(src), &into)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tests := []struct {
		name, path   string
		line, column int
	}{
		{"a value stands where it begins", "name", 1, 7},
		{"a mapping stands at its first key", "paging", 3, 3},
		{"a deep value", "paging.size", 3, 9},
		{"a quoted key", `by_name["a.b"].size`, 5, 15},
		{"an item", "pagings[0].size", 7, 9},
		{"an absent value stands where its parent does", "pagings[0].pause", 7, 3},
		{"an absent item stands where its list does", "pagings[7].x[2]", 7, 1},
		{"an absent quoted key stands where its parent does", `by_name["a.c"].size`, 5, 3},
		{"an empty value stands at its key", "words", 8, 1},
		{"an unknown top-level key stands where the file begins", "nothing", 1, 1},
		{"the whole file", "", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if line, column := positions.At(tt.path); line != tt.line || column != tt.column {
				t.Errorf("At(%s) = %d:%d, want %d:%d", tt.path, line, column, tt.line, tt.column)
			}
		})
	}
	if !positions.Has("paging.size") || positions.Has("paging.pause") {
		t.Error("Has does not tell what the file gives")
	}
	if got := (*strictyaml.Positions)(nil).Problem("a", "b %d", 1).String(); got != ": a: b 1" {
		t.Errorf("a nil *Positions gives %q", got)
	}
}

func TestProblemsErrIsNilWithoutProblems(t *testing.T) {
	if err := (strictyaml.Problems)(nil).Err(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := (strictyaml.Problems{{File: "f", Message: "m"}}).Err(); err == nil || err.Error() != "f: m" {
		t.Errorf("got %v, want f: m", err)
	}
}
