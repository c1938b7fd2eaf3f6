package rest

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/state"
)

// FuzzSource takes a manifest of any text and an answer of any bytes. A manifest that
// passes its checks makes a source or mistakes in words, and whatever that is asked and
// answered: its calls read, go to the network's own host, show no credential, and every
// cursor that they lead to can be read.
func FuzzSource(f *testing.F) {
	files, err := filepath.Glob("../manifest/networks/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	answers := []string{
		`{"rows":[{"id":1}],"data":[{"id":"x","status":"DONE","file":{"name":"n"}}],"url":"https://s.example.com/x","next":2,"total":9}`,
		`[{"id":1},{"id":"2"}]`, `{"status":"error","error":"wrong key MARKER"}`, `<a><b>1</b></a>`, ``,
	}
	for i, file := range append(files, "../manifest/testdata/exports.yaml") {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(src) < 3000 {
			f.Add(src, []byte(answers[i%len(answers)]), uint16(200))
		}
	}
	f.Fuzz(func(t *testing.T, src, body []byte, status uint16) {
		n, problems := manifest.Parse("f.yaml", src)
		if len(problems) > 0 {
			return
		}
		for _, role := range n.Roles {
			s, err := New(n, accountOf(n, role))
			if err != nil {
				if strings.Contains(err.Error(), marker) || err.Error() == "" {
					t.Fatalf("mistakes of an account: %v", err)
				}
				continue
			}
			a := extractors.Answer{Status: int(status%600 + 100), Header: http.Header{}, Body: body}
			if call := s.Check(); call.URL != "" {
				checkCall(t, n, call)
				if _, err := s.Read(nil, extractors.Work{}, a); err != nil {
					checkShown(t, err.Error())
				}
			}
			for _, st := range s.Streams() {
				for _, w := range worksOf(st) {
					fuzzPull(t, n, s, st, w, a)
				}
			}
			_ = s.Redact(body)
		}
	})
}

// accountOf gives all that a network's accounts may set: every credential, and a value for
// each variable that has none and must not be empty.
func accountOf(n *manifest.Network, role string) Account {
	a := Account{
		Name: "acme", Role: role, BaseURL: cmp.Or(n.BaseURL, "https://api.example.com"), Credentials: map[string]Secret{}, Variables: map[string]string{},
	}
	for name := range n.Credentials {
		a.Credentials[name] = plain(marker)
	}
	values := map[manifest.VariableKind]string{
		manifest.VariableNumber: "3", manifest.VariableDuration: "1h", manifest.VariablePath: "/own/x", manifest.VariableLayout: time.DateOnly,
		manifest.VariableZone: "UTC", manifest.VariableURL: "https://own.example.com/status?ids={items.joined}", manifest.VariableList: "a,b",
	}
	for name, v := range n.Variables {
		switch {
		case v.Default != "":
		case len(v.Words) > 0:
			a.Variables[name] = v.Words[0]
		default:
			a.Variables[name] = cmp.Or(values[v.Kind], "word")
		}
	}
	if zone := n.ZoneVariable; zone != "" {
		a.Variables[zone] = "UTC" // the days of reports have to be the account's
	}
	return a
}

// worksOf gives one pull of every kind that a stream takes.
func worksOf(st *extractors.Stream) []extractors.Work {
	base := extractors.Work{Begun: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)}
	if st.ForEach != nil {
		base.Items = []string{"1", "two words", "3\tx"}
	}
	var works []extractors.Work
	if st.Window != nil {
		w := base
		w.Kind, w.Window = state.Windowed, schema.Window{From: time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)}
		works = append(works, w)
		if st.Export != nil {
			w.Route = state.Export
			works = append(works, w)
		}
	} else {
		w := base
		w.Kind = state.Snapshot
		works = append(works, w)
	}
	if st.Changes {
		w := base
		w.Kind, w.Since = state.Changes, base.Begun.Add(-time.Hour)
		works = append(works, w)
	}
	return works
}

// fuzzPull makes the first calls of a pull, each answered in the same way.
func fuzzPull(t *testing.T, n *manifest.Network, s *Source, st *extractors.Stream, w extractors.Work, a extractors.Answer) {
	t.Helper()
	for range 4 {
		call, err := s.Next(st, w)
		if err != nil {
			if w.Cursor != "" {
				t.Fatalf("stream %s: the cursor %s that it gave cannot be read: %v", st.Name, w.Cursor, err)
			}
			checkShown(t, err.Error())
			return // this kind of pull is not one of the stream's
		}
		checkCall(t, n, call)
		page, err := s.Read(st, w, a)
		if err != nil {
			checkShown(t, err.Error())
			return
		}
		checkShown(t, page.Note, string(page.Next))
		if page.Records < 0 || page.Total < 0 || page.Pause < 0 || page.File != nil && strings.Trim(page.File.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Fatalf("stream %s: an answer is read as %+v", st.Name, page)
		}
		if page.Done {
			return
		}
		w.Cursor = page.Next
	}
}

// checkCall holds that a call reads and goes where it should.
func checkCall(t *testing.T, n *manifest.Network, call extractors.Call) {
	t.Helper()
	checkShown(t, call.Describe, call.String())
	u, err := url.Parse(call.URL)
	if err != nil || u.User != nil || u.Scheme != "https" {
		t.Fatalf("a call to %q: %v", call.URL, err)
	}
	base, err := url.Parse(cmp.Or(n.BaseURL, "https://api.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if own := slices.ContainsFunc(n.Streams, func(s *manifest.Stream) bool { return s.Request.URLVariable != "" }); u.Host != base.Host && !own {
		t.Fatalf("a call to %s of a network at %s", call.URL, base)
	}
	if call.Method != http.MethodGet && (call.Method != http.MethodPost || call.Creates == call.Reads) {
		t.Fatalf("%s %s: creates %v, reads %v", call.Method, call.URL, call.Creates, call.Reads)
	}
}

// checkShown holds that what people and the state see has no credential in it.
func checkShown(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, marker) {
			t.Fatalf("a credential is shown: %s", text)
		}
	}
}
