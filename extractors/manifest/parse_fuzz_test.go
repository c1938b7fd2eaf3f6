package manifest

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"syncd/schema"
	"syncd/schema/normalize"
)

// seeds are manifests of all sizes: the smallest, one with all that exports have, and
// those of the networks that fit into a screen.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	all := [][]byte{[]byte(minimal)}
	files, err := filepath.Glob("networks/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/exports.yaml", "testdata/window_without_a_step.bad.yaml", "testdata/paging_without_a_stop_rule.bad.yaml") {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(src) < 3000 {
			all = append(all, src)
		}
	}
	if len(all) < 10 {
		f.Fatalf("%d manifests are short enough to begin with", len(all))
	}
	return all
}

// FuzzParse holds that no file makes Parse panic, that every mistake has words and a
// place in the file, and that what passes keeps the promises that other packages rest on,
// looked at without the code that checks them.
func FuzzParse(f *testing.F) {
	for _, src := range seeds(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		n, problems := Parse("f.yaml", src)
		for _, p := range problems {
			if p.Message == "" || p.Line < 1 || p.Column < 1 || p.File != "f.yaml" {
				t.Errorf("a mistake without words or place: %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		if n.Name == "" || n.Title == "" || len(n.Roles) == 0 || n.Pace.Parallel < 1 || n.Pace.MinDelay < 0 || n.Timeout < 0 || n.MaxBody < 0 {
			t.Errorf("a network that nobody can ask: %+v", n)
		}
		if u, err := url.Parse(n.BaseURL); n.BaseURL != "" && (err != nil || u.Scheme != "https") {
			t.Errorf("a network at %q", n.BaseURL)
		}
		for name, v := range n.Variables {
			if err := v.Wrong(v.Default); err != nil || v.Required && v.Default != "" {
				t.Errorf("variable %s has the default %q: %v", name, v.Default, err)
			}
		}
		for _, role := range n.Roles {
			names := map[string]bool{}
			for _, s := range n.For(role) {
				if names[s.Name] {
					t.Errorf("role %s has two streams %s", role, s.Name)
				}
				names[s.Name] = true
			}
		}
		for _, s := range n.Streams {
			checkPassed(t, n, s)
		}
	})
}

// checkPassed looks at a stream that passed.
func checkPassed(t *testing.T, n *Network, s *Stream) {
	t.Helper()
	if _, err := cron.ParseStandard(s.Schedule); err != nil {
		t.Errorf("stream %s is due %q: %v", s.Name, s.Schedule, err)
	}
	for i, tier := range s.Restate {
		if tier.Last <= 0 || tier.Every <= 0 || i > 0 && tier.Last <= s.Restate[i-1].Last {
			t.Errorf("stream %s has the tiers %v", s.Name, s.Restate)
		}
	}
	for i, spec := range s.Outputs() {
		table, ok := schema.Lookup(spec.Table)
		if !ok {
			t.Fatalf("stream %s fills table %q", s.Name, spec.Table)
		}
		if _, err := normalize.Compile(spec); err != nil {
			t.Errorf("output %d of stream %s: %v", i, s.Name, err)
		}
		if w := s.Window; w != nil && i == 0 {
			if at := table.Index(w.By); at < 0 || table.Columns[at].Type != schema.Time && table.Columns[at].Type != schema.Date {
				t.Errorf("stream %s has windows by %q of table %s", s.Name, w.By, spec.Table)
			}
		}
	}
	if w := s.Window; w != nil && (w.Step == "" || w.MaxAge < 0 || w.Settle < 0 || len(s.Restate) == 0) {
		t.Errorf("stream %s has the window %+v and the tiers %v", s.Name, *w, s.Restate)
	}
	p := s.Paging
	if p.Kind != PagingNone && (p.Param == "" || len(p.Stop) == 0 || p.MaxPages < 0 || p.SizeParam != "" && p.Size <= 0 || p.Kind == PagingCursor && p.Cursor == "") {
		t.Errorf("stream %s pages by %+v: it may never end", s.Name, p)
	}
	var templates []string
	add := func(values map[string][]string) {
		for _, list := range values {
			templates = append(templates, list...)
		}
	}
	templates = append(templates, s.Request.Path)
	add(s.Request.Query)
	add(s.Request.Form)
	if s.Changes != nil {
		add(s.Changes.Query)
	}
	for _, text := range templates {
		parts, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("stream %s asks with %q: %v", s.Name, text, err)
		}
		for _, part := range parts {
			if name, ok := part.Placeholder.Credential(); ok {
				if _, known := n.Credentials[name]; !known {
					t.Errorf("stream %s asks with %q, and there is no credential %s", s.Name, text, name)
				}
			}
			if name, ok := part.Placeholder.Variable(); ok {
				if _, known := n.Variables[name]; !known {
					t.Errorf("stream %s asks with %q, and there is no variable %s", s.Name, text, name)
				}
			}
		}
	}
	if a := n.Allow; a != nil && s.Request.URLVariable == "" && s.Request.Path != "" {
		if values := s.Request.Query[a.Param]; len(values) != 1 || !slices.Contains(a.Values, values[0]) {
			t.Errorf("stream %s asks %v, which is not allowed", s.Name, s.Request.Query)
		}
	}
	if method := strings.ToUpper(string(s.Request.Method)); method != "" && method != "GET" && method != "POST" {
		t.Errorf("stream %s asks by %s", s.Name, method)
	}
}

// FuzzURL holds that an address that an account gives is one host's, with names for its
// parameters and placeholders that there are, and that no error quotes it.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://panel.example.com/api/status?key={credential.api_key}&ids={items.joined}", "http://h:8080/a%2Fb/{item}?a=%20&a=b&=c",
		"https://user@h/", "https://h/{item.1}/x?from={window.from_day}&z={variable.zone}", "https://h/../x?q={nothing}", "https://[::1]/?x={item",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const key = "K3YtHaTnObOdYsHaLlSeE"
		if u, err := ParseURL(text); err == nil {
			base, err := url.Parse(u.Base)
			if err != nil || base.Hostname() == "" || base.User != nil || base.Scheme != "https" && base.Scheme != "http" || base.Path != "" {
				t.Errorf("%q is at %q, %v", text, u.Base, err)
			}
			for _, p := range u.Query {
				if p.Name == "" || strings.ContainsAny(p.Name, "{}") {
					t.Errorf("%q has a parameter %q", text, p.Name)
				}
			}
			for _, p := range u.Placeholders() {
				if p == "" {
					t.Errorf("%q has an empty placeholder", text)
				}
			}
		}
		if _, err := ParseURL(text + key); err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%q: the error shows what may be a key: %v", text, err)
		}
		if path, err := ParseOwnPath(text); err == nil && !strings.HasPrefix(text, "/") {
			t.Errorf("%q is the path %v", text, path)
		}
	})
}

// FuzzLayout holds that a layout that is taken tells days, or seconds, apart.
func FuzzLayout(f *testing.F) {
	for _, seed := range []string{"2006-01-02", "200612", "02.01.06", "20060102150405", "Jan _2 2006 15:04:05", "2006-01-02T15:04:05Z07:00", "01/02", "002 2006"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, layout string) {
		checkApart(t, layout, CheckDayLayout(layout) == nil, 24*60*60)
		checkApart(t, layout, CheckTimeLayout(layout) == nil, 1)
	})
}

// checkApart looks at many times that are some seconds apart, none of which may look like
// another.
func checkApart(t *testing.T, layout string, taken bool, seconds int64) {
	t.Helper()
	if !taken {
		return
	}
	seen := map[string]int64{}
	for i := range int64(800) {
		unix := 1735689600 + i*seconds*([]int64{1, 5, 11}[i%3]) // from 2025 on, less than a century
		text := time.Unix(unix, 0).UTC().Format(layout)
		if other, ok := seen[text]; ok && other != unix {
			t.Fatalf("%q writes %v and %v as %q", layout, time.Unix(other, 0).UTC(), time.Unix(unix, 0).UTC(), text)
		}
		seen[text] = unix
	}
}
