package rest

import (
	"net/url"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// The exact bytes that leave: what a server's language makes of a query differs, and
// these are the forms that all of them read alike.
func TestWireFormOfAQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		query map[string][]string
		want  string
	}{
		"brackets in a name are escaped":                {map[string][]string{"page[size]": {"100"}, "page[after]": {"01JZ"}}, "page%5Bafter%5D=01JZ&page%5Bsize%5D=100"},
		"nested brackets are escaped":                   {map[string][]string{"filters[aff_sub1][NOT_EQUAL_TO]": {"test"}}, "filters%5Baff_sub1%5D%5BNOT_EQUAL_TO%5D=test"},
		"several values of a name repeat it, in order":  {map[string][]string{"contain[]": {"TrackingLink", "OfferUrl", "Country"}}, "contain%5B%5D=TrackingLink&contain%5B%5D=OfferUrl&contain%5B%5D=Country"},
		"a plus is escaped, or it would be a space":     {map[string][]string{"sort": {"+id"}}, "sort=%2Bid"},
		"a space is %20":                                {map[string][]string{"type": {"Pay Per Call"}}, "type=Pay%20Per%20Call"},
		"a space in a name is too":                      {map[string][]string{"a b": {"c"}}, "a%20b=c"},
		"a percent sign is escaped":                     {map[string][]string{"q": {"%20"}}, "q=%2520"},
		"what parts a query is escaped":                 {map[string][]string{"a&b": {"c=d&e#f?g"}}, "a%26b=c%3Dd%26e%23f%3Fg"},
		"a value that is empty is left out":             {map[string][]string{"a": {""}, "b": {"{variable.goal}"}, "c": {"1"}}, "c=1"},
		"a variable stands in a name":                   {map[string][]string{"filters[{variable.layout}][GT]": {"5"}}, "filters%5B2006-01-02%5D%5BGT%5D=5"},
		"a name with an empty variable is left out":     {map[string][]string{"filters[{variable.goal}]": {"5"}, "b": {"1"}}, "b=1"},
		"letters of other alphabets are their UTF-8":    {map[string][]string{"q": {"é"}}, "q=%C3%A9"},
		"a comma is escaped, which every server undoes": {map[string][]string{"in": {"1,2"}}, "in=1%2C2"},
	} {
		t.Run(name, func(t *testing.T) {
			n := network()
			n.Streams[3].Request.Query, n.Streams[3].Paging = tt.query, manifest.Paging{Kind: manifest.PagingNone}
			s, st := setup(t, n, account(t), "news")
			call, err := s.Next(st, extractors.Work{Kind: state.Snapshot})
			if err != nil {
				t.Fatal(err)
			}
			if want := "https://api.example.com/news?" + tt.want; call.URL != want {
				t.Errorf("got  %s\nwant %s", call.URL, want)
			}
			if strings.Contains(call.Describe, "+") {
				t.Errorf("the description has a + in it: %s", call.Describe)
			}
			asked := extractors.Asked(call.Describe)
			for k, values := range query(t, call) {
				if got, want := asked[extractors.RequestPrefix+k], strings.Join(values, ","); got != want {
					t.Errorf("asked for %s: got %q, want %q", k, got, want)
				}
			}
		})
	}
}

func TestPagingParametersMayBeVariables(t *testing.T) {
	n, a := network(), account(t)
	n.Streams[0].Paging.Param, n.Streams[0].Paging.SizeParam = "page[{variable.goal}]", "{variable.countries}"
	a.Variables = map[string]string{"goal": "number"}
	s, st := setup(t, n, a, "conversions")
	call, err := s.Next(st, day(t, 2024, 3, 5))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(call.URL, "&page%5Bnumber%5D=1") {
		t.Errorf("got %s, want page[number] at its end and no size", call.URL)
	}
}

func TestMistakesInTheNamesOfParameters(t *testing.T) {
	for name, tt := range map[string]struct {
		change    func(n *manifest.Network)
		variables map[string]string
		want      string
	}{
		"a name that is sent already is one": {
			func(n *manifest.Network) { n.Streams[0].Request.Query["{variable.goal}"] = []string{"1"} },
			map[string]string{"goal": "date_to"}, "variables.goal: the parameter date_to is sent already",
		},
		"that of the page is sent too": {
			func(n *manifest.Network) { n.Streams[0].Request.Query["{variable.goal}"] = []string{"1"} },
			map[string]string{"goal": "page"}, "variables.goal: the parameter page is sent already",
		},
		"that of the key is sent too": {
			func(n *manifest.Network) {
				n.Auth = manifest.Auth{Kind: manifest.AuthQuery, Name: "key", Credential: "api_key"}
				n.Streams[0].Request.Query["{variable.goal}"] = []string{"1"}
			},
			map[string]string{"goal": "key"}, "variables.goal: the parameter key is sent already",
		},
		"a paging without a parameter is one": {
			func(n *manifest.Network) { n.Streams[0].Paging.Param = "{variable.goal}" },
			nil, "variables.goal: it is empty, and without it no second page can be asked for",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, a := network(), account(t)
			tt.change(n)
			a.Variables = tt.variables
			if _, err := New(n, a); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("page[size]", "+a b%20&c=d#e")
	f.Fuzz(func(t *testing.T, name, value string) {
		q := params{{name: name, value: value}}
		sent, shown := q.encode()
		for _, text := range []string{sent, shown} {
			back, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
			if err != nil || back.Get(name) != value || len(back) != 1 {
				t.Errorf("%q=%q is written %s, which reads as %v, %v", name, value, text, back, err)
			}
		}
	})
}

// A network may ask for a parameter that has nothing to say.
func TestParametersThatAreSentEmpty(t *testing.T) {
	n := network()
	n.Streams[3].Request.Query = map[string][]string{"a": {"{variable.goal}"}, "b": {"{variable.goal}"}}
	n.Streams[3].Request.Empty, n.Streams[3].Paging = []string{"a"}, manifest.Paging{Kind: manifest.PagingNone}
	s, st := setup(t, n, account(t), "news")
	call, err := s.Next(st, extractors.Work{Kind: state.Snapshot})
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://api.example.com/news?a="; call.URL != want {
		t.Errorf("got %s, want %s", call.URL, want)
	}
}
