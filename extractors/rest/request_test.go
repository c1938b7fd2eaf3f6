package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/state"
)

func TestCalls(t *testing.T) {
	since := time.Date(2024, 3, 5, 23, 30, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		stream string
		change func(n *manifest.Network, a *Account)
		work   extractors.Work
		want   string
	}{
		"the last day of a window is inclusive, in the account's zone": {
			stream: "conversions", work: day(t, 2024, 3, 5),
			want: "/conversions?date_from=2024-03-05&date_to=2024-03-05&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=100",
		},
		"a day of 23 hours ends on itself": {
			stream: "conversions", work: day(t, 2024, 3, 31),
			want: "/conversions?date_from=2024-03-31&date_to=2024-03-31&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=100",
		},
		"a day of 25 hours ends on itself": {
			stream: "conversions", work: day(t, 2024, 10, 27),
			want: "/conversions?date_from=2024-10-27&date_to=2024-10-27&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=100",
		},
		"a tenant's layout of days is used": {
			stream: "conversions", work: day(t, 2024, 3, 5),
			change: func(_ *manifest.Network, a *Account) { a.Variables = map[string]string{"layout": "02-01-2006"} },
			want:   "/conversions?date_from=05-03-2024&date_to=05-03-2024&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=100",
		},
		"a page size of the stream's own is used": {
			stream: "conversions", work: day(t, 2024, 3, 5),
			change: func(_ *manifest.Network, a *Account) {
				a.Variables = map[string]string{"page_size": "7"}
				a.Streams = map[string]Settings{"conversions": {Variables: map[string]string{"page_size": "5000"}}}
			},
			want: "/conversions?date_from=2024-03-05&date_to=2024-03-05&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=5000",
		},
		"changes replace parameters and leave empty ones out": {
			stream: "conversions", work: extractors.Work{Kind: state.Changes, Since: since},
			want: "/conversions?date_from=2010-01-01&since=2024-03-06%200&since_unix=1709681400&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=1&limit=100",
		},
		"an hour is asked in the window's zone": {
			stream: "clicks", work: extractors.Work{Kind: state.Windowed, Window: schema.Window{From: since.Truncate(time.Hour), To: since.Truncate(time.Hour).Add(time.Hour)}},
			want: "/clicks?date_from=2024-03-05&from=1709679600&hour=23&to=1709683199&page=1&limit=100",
		},
		"slices are a list, the ones always sent first": {
			stream: "stats/custom", work: day(t, 2024, 3, 5),
			want: "/stats?date=2024-03-05&slice[]=day&slice[]=offer&slice[]=affiliate",
		},
		"a role goes without the default slices it may not read": {
			stream: "stats/custom", work: day(t, 2024, 3, 5), change: func(_ *manifest.Network, a *Account) { a.Role = "affiliate" },
			want: "/stats?date=2024-03-05&slice[]=day&slice[]=offer",
		},
		"chosen slices replace the default ones, none twice": {
			stream: "stats/custom/geo", work: day(t, 2024, 3, 5),
			change: func(_ *manifest.Network, a *Account) {
				a.Streams = map[string]Settings{"stats/custom/geo": {Slices: []string{"country", "day"}}}
			},
			want: "/stats?date=2024-03-05&slice[]=day&slice[]=country",
		},
		"an offset begins at the first": {
			stream: "news", work: extractors.Work{Kind: state.Snapshot}, want: "/news?skip=0&limit=10",
		},
		"an item in the path is one element of it": {
			stream: "offer", work: extractors.Work{Kind: state.Snapshot, Items: []string{"a/b?c"}}, want: "/offer/a%2Fb%3Fc",
		},
		"an item of dots is no step in the path": {
			stream: "offer", work: extractors.Work{Kind: state.Snapshot, Items: []string{".."}}, want: "/offer/%2E.",
		},
		"a batch is a list": {
			stream: "caps", work: extractors.Work{Kind: state.Snapshot, Items: []string{"1", "2", "3"}}, want: "/caps?id[]=1&id[]=2&page=1&limit=100",
		},
		"the last batch is what is left": {
			stream: "caps", work: extractors.Work{Kind: state.Snapshot, Items: []string{"1", "2", "3"}, Cursor: `{"v":1,"k":"page","i":2,"a":1,"s":50}`}, want: "/caps?id[]=3&page=1&limit=50",
		},
		"a pull goes on with the page size it began with": {
			stream: "news", work: extractors.Work{Kind: state.Snapshot, Cursor: `{"v":1,"k":"offset","a":40,"s":20}`}, want: "/news?skip=40&limit=20",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, a := network(), account(t)
			if tt.change != nil {
				tt.change(n, &a)
			}
			s, st := setup(t, n, a, tt.stream)
			call, err := s.Next(st, tt.work)
			if err != nil {
				t.Fatal(err)
			}
			if call.Describe != tt.want {
				t.Errorf("got  %s\nwant %s", call.Describe, tt.want)
			}
			brackets := strings.NewReplacer("[", "%5B", "]", "%5D")
			if want := "https://api.example.com" + brackets.Replace(tt.want); call.URL != want {
				t.Errorf("got URL %s, want %s", call.URL, want)
			}
			if call.Method != http.MethodGet || call.Body != nil || call.Header.Get("API-Key") != marker {
				t.Errorf("got %s with header %v and body %q", call.Method, call.Header, call.Body)
			}
		})
	}
}

func TestAuth(t *testing.T) {
	for name, tt := range map[string]struct {
		auth   manifest.Auth
		path   string
		header http.Header
		url    string
		shown  string
	}{
		"a header": {
			auth: manifest.Auth{Kind: manifest.AuthHeader, Name: "x-key", Credential: "api_key"}, path: "/c",
			header: http.Header{"X-Key": {marker}}, url: "/c", shown: "/c",
		},
		"a bearer": {
			auth: manifest.Auth{Kind: manifest.AuthBearer, Credential: "api_key"}, path: "/c",
			header: http.Header{"Authorization": {"Bearer " + marker}}, url: "/c", shown: "/c",
		},
		"basic": {
			auth: manifest.Auth{Kind: manifest.AuthBasic, User: "extra", Credential: "api_key"}, path: "/c",
			header: http.Header{"Authorization": {"Basic dXNlcjpNQVJLRVIta2V5LTlmM2M="}}, url: "/c", shown: "/c",
		},
		"a query parameter, not shown": {
			auth: manifest.Auth{Kind: manifest.AuthQuery, Name: "key", Credential: "api_key"}, path: "/c",
			header: http.Header{}, url: "/c?key=" + marker, shown: "/c?key=***",
		},
		"an element of the path, not shown": {
			auth: manifest.Auth{Kind: manifest.AuthHeader, Name: "x", Credential: "extra"}, path: "/{credential.api_key}/c",
			header: http.Header{"X": {"user"}}, url: "/" + marker + "/c", shown: "/***/c",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, a := network(), account(t)
			n.Auth, n.Check = tt.auth, manifest.Request{Path: tt.path}
			a.Credentials["extra"] = plain("user")
			s, err := New(n, a)
			if err != nil {
				t.Fatal(err)
			}
			call := s.Check()
			call.Header.Del("Accept")
			if d := cmp.Diff(tt.header, call.Header); d != "" {
				t.Error(d)
			}
			if call.URL != "https://api.example.com"+tt.url || call.Describe != tt.shown {
				t.Errorf("got %s shown as %s, want %s shown as %s", call.URL, call.Describe, tt.url, tt.shown)
			}
		})
	}
}

func TestACredentialInAParameterIsNotShown(t *testing.T) {
	n := network()
	n.Check.Query = map[string][]string{"sig": {"a{credential.api_key}b"}}
	s, err := New(n, account(t))
	if err != nil {
		t.Fatal(err)
	}
	if call := s.Check(); call.Describe != "/check?sig=***" || query(t, call).Get("sig") != "a"+marker+"b" {
		t.Errorf("got %q shown as %q", call.URL, call.Describe)
	}
}

func TestWorkThatAStreamCannotDo(t *testing.T) {
	for name, tt := range map[string]struct {
		stream string
		work   extractors.Work
		want   string
	}{
		"a window of what has none":      {"news", day(t, 2024, 3, 5), "a window is asked for"},
		"no window of what has them":     {"clicks", extractors.Work{Kind: state.Windowed}, "a window is asked for"},
		"a snapshot of what has windows": {"clicks", extractors.Work{Kind: state.Snapshot}, "a snapshot is asked for"},
		"changes of what has none":       {"clicks", extractors.Work{Kind: state.Changes, Since: time.Unix(1, 0)}, "changes are asked for"},
		"changes since never":            {"conversions", extractors.Work{Kind: state.Changes}, "changes are asked for"},
		"work of no kind":                {"news", extractors.Work{}, `work of kind ""`},
		"a list without items":           {"caps", extractors.Work{Kind: state.Snapshot}, "the list that the calls go over is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, network(), account(t), tt.stream)
			if call, err := s.Next(st, tt.work); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %q", call, err, tt.want)
			}
		})
	}
	s, _ := setup(t, network(), account(t), "news")
	if _, err := s.Next(&extractors.Stream{Name: "gone"}, extractors.Work{}); err == nil {
		t.Error("a stream that the account has not was accepted")
	}
}
