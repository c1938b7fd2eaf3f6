package rest

import (
	"encoding/json"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
	"syncd/state"
)

// posting is a network whose stream "statuses" asks for open leads by a request.
func posting(r manifest.Request, batch int) *manifest.Network {
	n := network()
	n.Variables["user"] = manifest.Variable{Help: "the user", Kind: manifest.VariableNumber, Default: "12"}
	n.Streams = append(n.Streams, &manifest.Stream{
		Name: "statuses", Roles: []string{"admin", "affiliate"}, Leads: true, Request: r, Paging: manifest.Paging{Kind: manifest.PagingNone},
		ForEach: &manifest.ForEach{OpenLeads: manifest.OpenByNetworkID, Batch: batch},
		Output: normalize.Spec{
			Table: "conversions", Records: normalize.Paths{"data"}, Identity: []string{"conversion_id", "click_id"},
			Columns: map[string]normalize.Field{"conversion_id": {From: normalize.Paths{"id"}}},
		},
		Restate: []manifest.Tier{{Last: 24 * time.Hour, Every: time.Hour}, {Last: 130 * 24 * time.Hour, Every: 24 * time.Hour}},
	})
	return n
}

// ask gives the call for some leads.
func ask(t *testing.T, n *manifest.Network, items ...string) extractors.Call {
	t.Helper()
	source, st := setup(t, n, account(t), "statuses")
	call, err := source.Next(st, extractors.Work{Kind: state.Changes, Items: items})
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func TestABodyIsFilledAsJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		body  string
		items []string
		want  string
	}{
		"a number without quotes":                {`{"user_id": {variable.user}, "data": {"id": {item}}}`, []string{"5"}, `{"user_id": 12, "data": {"id": 5}}`},
		"an id that is no number without quotes": {`{"id": {item}}`, []string{`a"b\c`}, `{"id": "a\"b\\c"}`},
		"an id with a leading zero":              {`{"id": {item}}`, []string{"007"}, `{"id": "007"}`},
		"an id in quotes":                        {`{"id": "{item}"}`, []string{`5"6`}, `{"id": "5\"6"}`},
		"an id inside a text":                    {`{"id": "lead \"{item}\" of {variable.user}"}`, []string{"x"}, `{"id": "lead \"x\" of 12"}`},
		"a list of numbers":                      {`{"ids": {items}, "x": []}`, []string{"1", "2", "c"}, `{"ids": [1,2,"c"], "x": []}`},
		"a list of texts":                        {`{"ids": "{items}"}`, []string{"1", "2"}, `{"ids": ["1","2"]}`},
		"a list in one text":                     {`{"ids": "{items.joined}"}`, []string{"1", "2"}, `{"ids": "1,2"}`},
	} {
		t.Run(name, func(t *testing.T) {
			call := ask(t, posting(manifest.Request{Method: manifest.MethodPost, Path: "/lead/status", Body: tt.body}, 10), tt.items...)
			if string(call.Body) != tt.want || !json.Valid(call.Body) {
				t.Errorf("got the body %s, want %s", call.Body, tt.want)
			}
			if call.Method != "POST" || !call.Reads || call.Creates || call.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %s, reads %v, header %v, want a POST of JSON that reads", call.Method, call.Reads, call.Header)
			}
		})
	}
}

func TestACallByPostSaysWhatItAsksFor(t *testing.T) {
	for name, tt := range map[string]struct {
		request manifest.Request
		batch   int
		items   []string
		want    string
	}{
		"one lead in a body":         {manifest.Request{Body: `{"id": {item}, "key": "{credential.api_key}"}`}, 1, []string{"a b"}, "/s#item=a%20b"},
		"several leads in a body":    {manifest.Request{Body: `{"ids": {items}}`}, 3, []string{"1", "2", "3"}, "/s#items=1%2C2%2C3"},
		"a form beside a query":      {manifest.Request{Query: map[string][]string{"q": {"1"}}, Form: map[string][]string{"ids": {"{items.joined}"}, "key": {"{credential.api_key}"}}}, 3, []string{"1", "2"}, "/s?q=1&ids=1%2C2&key=***"},
		"a form with each of a list": {manifest.Request{Form: map[string][]string{"id[]": {"{items}"}}}, 3, []string{"1", "2"}, "/s?id[]=1&id[]=2"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.request.Method, tt.request.Path = manifest.MethodPost, "/s"
			call := ask(t, posting(tt.request, tt.batch), tt.items...)
			if call.Describe != tt.want {
				t.Errorf("got %s, want %s", call.Describe, tt.want)
			}
			if len(call.Items) != len(tt.items) {
				t.Errorf("got the items %q, want %q", call.Items, tt.items)
			}
		})
	}
}

func TestAFormIsSentAsOne(t *testing.T) {
	call := ask(t, posting(manifest.Request{Method: manifest.MethodPost, Path: "/s", Form: map[string][]string{
		"login": {"{credential.api_key}"}, "ids[]": {"{items}"}, "note": {"a b&c"}, "none": {"{variable.goal}"},
	}}, 5), "1", "2")
	if want := "ids%5B%5D=1&ids%5B%5D=2&login=" + marker + "&note=a%20b%26c"; string(call.Body) != want {
		t.Errorf("got the form %s, want %s", call.Body, want)
	}
	if call.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || call.URL != "https://api.example.com/s" {
		t.Errorf("got %s with header %v, want a form at the path alone", call.URL, call.Header)
	}
}

func TestIDsGoIntoAQueryOrAPathJoined(t *testing.T) {
	for name, tt := range map[string]struct {
		request manifest.Request
		want    string
	}{
		"in a query": {manifest.Request{Path: "/s", Query: map[string][]string{"ids": {"{items.joined}"}}}, "https://api.example.com/s?ids=1%2Ca%2Fb"},
		"in a path":  {manifest.Request{Path: "/leads/{items.joined}/status"}, "https://api.example.com/leads/1,a%2Fb/status"},
		"each":       {manifest.Request{Path: "/s", Query: map[string][]string{"id[]": {"{items}"}}}, "https://api.example.com/s?id%5B%5D=1&id%5B%5D=a%2Fb"},
	} {
		t.Run(name, func(t *testing.T) {
			if call := ask(t, posting(tt.request, 5), "1", "a/b"); call.URL != tt.want || call.Method != "GET" || call.Reads || call.Body != nil {
				t.Errorf("got %s %s, want GET %s", call.Method, call.URL, tt.want)
			}
		})
	}
}
