package rest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/export"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// exporting is the network of the other tests with exports of clicks, of each country.
func exporting() *manifest.Network {
	n := network()
	n.Pace.Quotas = []manifest.Quota{{Name: "exports", Calls: 10, Per: 24 * time.Hour, For: manifest.QuotaExports}}
	maps.Copy(n.Variables, map[string]manifest.Variable{
		"method": {Help: "how"}, "export_path": {Help: "where", Default: "/exports/{export.id}"}, "reuse": {Help: "how old"},
		"rows": {Help: "how many"}, "kind": {Help: "the word for clicks.", Default: "click_logs"}, "when": {Help: "the name", Default: "from"},
	})
	n.Exports = &manifest.Exports{
		List: manifest.ExportList{
			Request: manifest.Request{Path: "/exports", Query: map[string][]string{"sort": {"-created_at"}, "type": {"{export.type}"}, "of": {"{item}"}}},
			Records: normalize.Paths{"data"},
			Paging:  manifest.Paging{Kind: manifest.PagingPage, Param: "page[number]", SizeParam: "page[size]", Size: 100, First: 1},
		},
		Get:  manifest.ExportGet{Request: manifest.Request{PathVariable: "export_path"}, At: "data"},
		Sign: manifest.ExportSign{Request: manifest.Request{Path: "/sign", Query: map[string][]string{"name": {"{export.artifact}"}}}, URL: "url"},
		Object: manifest.ExportObject{
			ID: normalize.Paths{"id"}, Status: normalize.Paths{"state"}, Artifact: normalize.Paths{"file.name"}, Size: normalize.Paths{"file.size"},
			Total: normalize.Paths{"rows"}, Created: normalize.Paths{"created_at"}, Error: normalize.Paths{"error"},
		},
		Same:   map[string]string{"{variable.when}": "{window.from_time}", "to": "{window.to_time}", "of": "{item}"},
		States: manifest.ExportStates{Done: []string{"DONE"}, Failed: []string{"ERROR"}},
		Poll:   manifest.ExportPoll{First: 10 * time.Second, Factor: 1.5, Max: 2 * time.Minute, Deadline: time.Hour},
		Reuse:  6 * time.Hour, ReuseVariable: "reuse", Budget: "exports", Separator: ",", CoolDown: time.Minute, MinRange: time.Hour,
	}
	for _, s := range n.Streams {
		if s.Name != "clicks" {
			continue
		}
		s.ForEach = &manifest.ForEach{Variable: "countries", Batch: 1}
		s.Output.Columns = map[string]normalize.Field{"click_id": {From: normalize.Paths{"id"}}, "created_at": {From: normalize.Paths{"time", "at.time"}}}
		s.Export = &manifest.Export{
			Create: manifest.Request{Path: "/exports/{item}/clicks", Query: map[string][]string{
				"from": {"{window.from_time}"}, "to": {"{window.to_time}"}, "fields": {"{export.fields}"}, "zone": {"{window.zone}"}, "delimiter": {"{export.delimiter}"},
			}},
			Method: "POST", MethodVariable: "method", Type: "{variable.kind}", Delimiter: ";", MaxRows: 5, MaxRowsVariable: "rows",
			Columns: map[string]normalize.Field{"click_id": {From: normalize.Paths{"tx"}}},
		}
	}
	return n
}

// exportWork is a day of clicks of two countries.
func exportWork() extractors.Work {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	return extractors.Work{
		Kind: state.Windowed, Route: state.Export, Begun: from.Add(48 * time.Hour), Items: []string{"DE", "U S"},
		Window: schema.Window{From: from, To: from.AddDate(0, 0, 1)},
	}
}

func withCountries(t *testing.T, variables map[string]string) Account {
	a := account(t)
	a.Variables = map[string]string{"countries": "DE,U S"}
	maps.Copy(a.Variables, variables)
	return a
}

// TestExportCalls follows a pull of two items through the life of two exports.
func TestExportCalls(t *testing.T) {
	s, st := setup(t, exporting(), withCountries(t, nil), "clicks")
	w := exportWork()
	for i, step := range []struct{ method, call, answer string }{
		{"GET", "/exports?of=DE&sort=-created_at&type=click_logs&page[number]=1&page[size]=100#item=DE", `{"status":1,"data":[]}`},
		{
			"POST", "/exports/DE/clicks?delimiter=%3B&fields=at%2Ctime%2Ctx&from=2026-06-01%2000%3A00%3A00&to=2026-06-01%2023%3A59%3A59&zone=UTC#item=DE",
			`{"status":1,"id":"e 1","state":"NEW"}`,
		},
		{"GET", "/exports/e%201#item=DE", `{"status":1,"data":{"id":"e 1","state":"DONE","rows":7,"file":{"name":"a/b","size":70}}}`},
		{"GET", "/sign?name=a%2Fb#item=DE", `{"status":1,"url":"https://storage.example/ab?secret"}`},
		{
			"GET", "/exports?of=U%20S&sort=-created_at&type=click_logs&page[number]=1&page[size]=100#item=U%20S",
			`{"status":1,"data":[{"id":"e2","state":"DONE","created_at":"2026-06-03T00:00:00Z","from":"2026-06-01 00:00:00","to":"2026-06-01 23:59:59","of":"U S"}]}`,
		},
		{"GET", "/exports/e2#item=U%20S", `{"status":1,"data":{"id":"e2","state":"DONE","rows":0}}`},
	} {
		call, err := s.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		if call.Method != step.method || call.Describe != step.call {
			t.Fatalf("call %d is\n%s %s, want\n%s %s", i, call.Method, call.Describe, step.method, step.call)
		}
		if u, err := url.Parse(call.URL); err != nil || u.Fragment != "" || u.Host != "api.example.com" || call.Header.Get("API-Key") != marker {
			t.Errorf("call %d goes to %s with %v", i, call.URL, call.Header)
		}
		creates := step.method == "POST"
		if call.Creates != creates || (call.Budget == "exports") != creates || (call.Unheard != "") != creates {
			t.Errorf("call %d: creates %v against budget %q, unheard %q", i, call.Creates, call.Budget, call.Unheard)
		}
		page, err := s.Read(st, w, ok(step.answer))
		if err != nil {
			t.Fatal(err)
		}
		if file := page.File; (file != nil) != (i == 3) || file != nil && (file.Size != 70 || page.Records != 7 || !strings.HasPrefix(file.Name, "DE-e_1-")) {
			t.Errorf("call %d gives %+v with %v", i, page, file)
		}
		if page.Done != (i == 5) {
			t.Errorf("call %d: done is %v", i, page.Done)
		}
		w.Cursor = page.Next
	}
}

func TestExportOfAStream(t *testing.T) {
	s, st := setup(t, exporting(), withCountries(t, map[string]string{"method": "get", "rows": "9", "reuse": "0s", "export_path": "/one/{export.id}", "kind": "c"}), "clicks")
	if st.Export == nil || st.Export.Only || st.Export.Budget != "exports" || st.Export.MaxRows != 9 {
		t.Fatalf("got %+v", st.Export)
	}
	spec := st.OutputsBy(state.Export)[0].Spec
	if spec.Format != normalize.FormatCSV || spec.Columns["click_id"].From[0] != "tx" || st.OutputsBy(state.Direct)[0].Spec.Columns["click_id"].From[0] != "id" {
		t.Errorf("files are read by %+v", spec)
	}
	e := s.exporters["clicks"]
	if e.machine.Method != http.MethodGet || e.machine.Reuse != 0 || e.machine.Plain {
		t.Errorf("got %+v", e.machine)
	}
	if call := e.Call(export.Ask{Step: export.Poll, Export: "x"}); call.Describe != "/one/x" {
		t.Errorf("got %s", call.Describe)
	}
}

func TestMistakesOfAnAccountWithExports(t *testing.T) {
	for name, tt := range map[string]struct{ variable, value string }{
		"a method that writes":                {"method", "DELETE"},
		"a number of rows that is none":       {"rows", "many"},
		"an age that is none":                 {"reuse", "soon"},
		"a path that leads elsewhere":         {"export_path", "/../{export.id}"},
		"no word for what is exported at all": {"kind", ""},
	} {
		_, err := New(exporting(), withCountries(t, map[string]string{tt.variable: tt.value}))
		mistakes, ok := err.(Mistakes)
		if !ok || len(mistakes) != 1 || mistakes[0].Path != "variables."+tt.variable {
			t.Errorf("%s: got %v, want one mistake at variables.%s", name, err, tt.variable)
		}
	}
}

func TestRoutes(t *testing.T) {
	n := exporting()
	s, st := setup(t, n, withCountries(t, nil), "clicks")
	direct := exportWork()
	direct.Route = state.Direct
	if call, err := s.Next(st, direct); err != nil || !strings.HasPrefix(call.Describe, "/clicks?") {
		t.Errorf("the direct route asks %v, %v", call, err)
	}
	empty := exportWork()
	empty.Items = nil
	if _, err := s.Next(st, empty); err == nil {
		t.Error("an export of each of nothing is asked for")
	}
	i := slices.IndexFunc(n.Streams, func(m *manifest.Stream) bool { return m.Name == "clicks" })
	n.Streams[i].Export.Only, n.Streams[i].Request = true, manifest.Request{}
	s, st = setup(t, n, withCountries(t, nil), "clicks")
	if !st.Export.Only {
		t.Error("the stream does not say that it is had by exports only")
	}
	if _, err := s.Next(st, direct); err == nil {
		t.Error("a stream that is had by exports only is asked for otherwise")
	}
	if _, err := s.Next(st, exportWork()); err != nil {
		t.Error(err)
	}
	s, st = setup(t, n, withCountries(t, nil), "conversions")
	other := day(t, 2026, 6, 1)
	other.Route = state.Export
	if _, err := s.Next(st, other); err == nil {
		t.Error("an export is asked for of a stream that has none")
	}
	if _, err := s.Read(st, other, ok(`{}`)); err == nil {
		t.Error("an answer about an export is read for a stream that has none")
	}
}

func TestExportAnswersAreClassifiedLikeAllOthers(t *testing.T) {
	s, st := setup(t, exporting(), withCountries(t, nil), "clicks")
	for name, tt := range map[string]struct {
		answer  extractors.Answer
		outcome extractors.Outcome
	}{
		"a refused key":      {extractors.Answer{Status: 403, Header: http.Header{}, Body: []byte(`{"message":"` + marker + `"}`)}, extractors.StopAccount},
		"a tired network":    {extractors.Answer{Status: 429, Header: http.Header{}}, extractors.Wait},
		"a page of a proxy":  {ok("<html>"), extractors.RetryNow},
		"a refusal in words": {ok(`{"status":0,"error":"no such thing"}`), extractors.StopStream},
	} {
		_, err := s.Read(st, exportWork(), tt.answer)
		api, ok := err.(*extractors.APIError)
		if !ok || api.Outcome != tt.outcome || api.PullOnly || api.Stream != "clicks" || strings.Contains(err.Error(), marker) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}
