package rest

import (
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// owned is the network with a path variable for the streams news (without items), offer
// (with one) and pairs (with two).
func owned() *manifest.Network {
	n := network()
	n.Variables["path"] = manifest.Variable{Help: "the path."}
	for _, m := range n.Streams {
		if m.Name == "news" || m.Name == "offer" {
			m.Request.PathVariable = "path"
		}
	}
	n.Streams = append(n.Streams, &manifest.Stream{
		Name: "pairs", Roles: n.Roles, Request: manifest.Request{PathVariable: "path"}, Paging: manifest.Paging{Kind: manifest.PagingNone},
		ForEach: &manifest.ForEach{Stream: "news", Columns: []string{"id", "kind"}, Batch: 1}, Output: n.Streams[3].Output, Needs: []string{"path"},
	})
	return n
}

func TestPathsOfAnAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		stream, path string
		items        []string
		want         string // what is shown; what is sent is that up to its #
	}{
		"a path of its own replaces the manifest's":             {"news", "/v4/posts", nil, "/v4/posts?skip=0&limit=10"},
		"an empty one does not":                                 {"news", "", nil, "/news?skip=0&limit=10"},
		"a variable stands in it":                               {"news", "/{variable.layout}/x", nil, "/2006-01-02/x?skip=0&limit=10"},
		"an item stands in it, and is told behind the query":    {"offer", "/v4/{item}/offer", []string{"a/b", "2"}, "/v4/a%2Fb/offer#item=a%2Fb"},
		"an item is told though the path is the manifest's":     {"offer", "", []string{"a b"}, "/offer/a%20b#item=a%20b"},
		"an item of two columns stands in it in two places":     {"pairs", "/a/{item.2}/{item.1}", []string{"1\tx&y"}, "/a/x&y/1#item.1=1&item.2=x%26y"},
		"an item that lacks a column has nothing in that place": {"pairs", "/a/{item.1}/b{item.2}", []string{"1"}, "/a/1/b#item.1=1&item.2="},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t)
			a.Streams = map[string]Settings{tt.stream: {Variables: map[string]string{"path": tt.path}}}
			s, st := setup(t, owned(), a, tt.stream)
			call, err := s.Next(st, extractors.Work{Kind: state.Snapshot, Items: tt.items})
			if err != nil {
				t.Fatal(err)
			}
			sent, _, _ := strings.Cut(tt.want, "#")
			if call.Describe != tt.want || call.URL != "https://api.example.com"+sent {
				t.Errorf("got %s, shown as %s, want %s", call.URL, call.Describe, tt.want)
			}
		})
	}
}

func TestPathsThatAnAccountMayNotGive(t *testing.T) {
	for name, tt := range map[string]struct{ stream, path, want string }{
		"one without a slash":           {"news", "posts", `does not begin with a slash`},
		"another host's":                {"news", "//evil.example.com/", `begins with two slashes`},
		"one with parameters":           {"news", "/posts?all=1", `is more than a path`},
		"one with a fragment":           {"news", "/posts#item=2", `is more than a path`},
		"one with a step up":            {"news", "/posts/../users", `has a step in it, ".."`},
		"one with an escaped step":      {"news", "/posts/.%2e/users", `has a step in it, ".%2e"`},
		"one with a broken escape":      {"news", "/posts/%zz", `a percent sign that escapes nothing`},
		"one with a space":              {"news", "/my posts", `is more than a path`},
		"one with a line break":         {"news", "/posts\nX: y", `a line break`},
		"one with a key in it":          {"news", "/{credential.api_key}", `{credential.api_key} cannot stand in a path of an account`},
		"one with a window in it":       {"news", "/{window.from_day}", `{window.from_day} cannot stand in a path of an account`},
		"one with an unknown variable":  {"news", "/{variable.gaol}", `Net has no variable gaol; did you mean goal?`},
		"one with an unknown word":      {"news", "/{id}", `{id} is not a placeholder`},
		"an item where there is none":   {"news", "/posts/{item}", `the stream has no {item}`},
		"none where there is an item":   {"offer", "/offers", `{item} is missing, and so every call would ask for the same`},
		"a column where there are none": {"offer", "/offers/{item}/{item.2}", `the stream has no {item.2}`},
		"one column of two":             {"pairs", "/a/{item.1}", `{item.2} is missing`},
		"an item of two columns as one": {"pairs", "/a/{item.1}/{item.2}/{item}", `the stream has no {item}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t)
			a.Streams = map[string]Settings{tt.stream: {Variables: map[string]string{"path": tt.path}}}
			_, err := New(owned(), a)
			if err == nil || !strings.HasPrefix(err.Error(), "streams."+tt.stream+".variables.path: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	n := owned()
	n.Streams[len(n.Streams)-1].Needs = nil
	if _, err := New(n, account(t)); err == nil || err.Error() != "variables.path: it is empty, and there is no other path: the path" {
		t.Errorf("got %v for no path at all", err)
	}
}

func TestAnItemOfAnOwnPathThatIsGoneIsSkipped(t *testing.T) {
	a := account(t)
	a.Streams = map[string]Settings{"pairs": {Variables: map[string]string{"path": "/a/{item.1}/{item.2}"}}}
	s, st := setup(t, owned(), a, "pairs")
	w := extractors.Work{Kind: state.Snapshot, Items: []string{"1\ta", "2\tb"}}
	page, err := s.Read(st, w, extractors.Answer{Status: 404})
	if err != nil || page.Done {
		t.Fatalf("got %+v, %v, want to go on", page, err)
	}
	w.Cursor = page.Next
	if call, err := s.Next(st, w); err != nil || !strings.HasSuffix(call.URL, "/a/2/b") {
		t.Errorf("got %v, %v, want the second item", call, err)
	}
}

func TestTimesOfAWindow(t *testing.T) {
	berlinDay := day(t, 2024, 3, 31) // 23 hours
	from := berlinDay.Window.From
	for name, tt := range map[string]struct {
		change func(m *manifest.Stream)
		begun  time.Time
		want   string
	}{
		"times are of the window's zone, the end its last second": {nil, time.Time{}, "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2023%3A59%3A59&unix=1711922399&zone=Europe%2FBerlin"},
		"in UTC they are UTC": {
			func(m *manifest.Stream) { m.Window.Zone = manifest.ZoneUTC },
			time.Time{}, "from=2024-03-30%2023%3A00%3A00&to=2024-03-31%2021%3A59%3A59&unix=1711922399&zone=UTC",
		},
		"a layout of the network's is used": {
			func(m *manifest.Stream) { m.Request.TimeLayout = "20060102T150405Z07:00" },
			time.Time{}, "from=20240331T000000%2B01%3A00&to=20240331T235959%2B02%3A00&unix=1711922399&zone=Europe%2FBerlin",
		},
		"what has not settled is not asked for": {
			func(m *manifest.Stream) { m.Window.Settle = 10 * time.Minute },
			from.Add(2 * time.Hour), "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2001%3A49%3A59&unix=1711846199&zone=Europe%2FBerlin",
		},
		"an old window is asked for whole": {
			func(m *manifest.Stream) { m.Window.Settle = 10 * time.Minute },
			from.Add(48 * time.Hour), "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2023%3A59%3A59&unix=1711922399&zone=Europe%2FBerlin",
		},
		"the end is never before the beginning": {
			func(m *manifest.Stream) { m.Window.Settle = 10 * time.Minute },
			from.Add(5 * time.Minute), "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2000%3A00%3A00&unix=1711839600&zone=Europe%2FBerlin",
		},
		"a pull of no known beginning asks for all": {
			func(m *manifest.Stream) { m.Window.Settle = 10 * time.Minute },
			time.Time{}, "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2023%3A59%3A59&unix=1711922399&zone=Europe%2FBerlin",
		},
		"a variable says how long, if it is set": {
			func(m *manifest.Stream) { m.Window.Settle, m.Window.SettleVariable = time.Hour, "goal" },
			from.Add(2 * time.Hour), "from=2024-03-31%2000%3A00%3A00&to=2024-03-31%2001%3A44%3A59&unix=1711845899&zone=Europe%2FBerlin",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, a := network(), account(t)
			m := n.Streams[0]
			m.Paging, m.Changes = manifest.Paging{Kind: manifest.PagingNone}, nil
			m.Request.Query = map[string][]string{"from": {"{window.from_time}"}, "to": {"{window.to_time}"}, "unix": {"{window.to_unix}"}, "zone": {"{window.zone}"}}
			if tt.change != nil {
				tt.change(m)
			}
			a.Variables = map[string]string{"goal": "15m"}
			s, st := setup(t, n, a, "conversions")
			w := berlinDay
			w.Begun = tt.begun
			call, err := s.Next(st, w)
			if err != nil {
				t.Fatal(err)
			}
			if want := "https://api.example.com/conversions?" + tt.want; call.URL != want {
				t.Errorf("got  %s\nwant %s", call.URL, want)
			}
			if want := map[bool]time.Duration{true: 15 * time.Minute, false: m.Window.Settle}[m.Window.SettleVariable != ""]; st.Window.Settle != want {
				t.Errorf("the stream settles for %v, want %v", st.Window.Settle, want)
			}
		})
	}
}

func TestAZoneThatTheCallNamesIsThatOfTheAnswer(t *testing.T) {
	for zone, want := range map[manifest.Zone]string{manifest.ZoneUTC: "utc", manifest.ZoneAccount: ""} {
		n, a := network(), account(t)
		n.ZoneVariable = "goal"
		m := n.Streams[0]
		m.Window.Zone = zone
		m.Request.Query = map[string][]string{"from": {"{window.from_time}"}, "zone": {"{window.zone}"}}
		m.Output.Columns = timesOf("created_at")
		a.Variables = map[string]string{"goal": "Asia/Tokyo"}
		_, st := setup(t, n, a, "conversions")
		if got := st.Outputs[0].Spec.Columns["created_at"].Zone; got != want {
			t.Errorf("zone %s: got %q, want %q", zone, got, want)
		}
	}
}

func TestMistakesInLayoutsAndAges(t *testing.T) {
	n, a := network(), account(t)
	n.Streams[0].Request.TimeLayout = "{variable.countries}"
	n.Streams[0].Window.SettleVariable = "goal"
	a.Variables = map[string]string{"countries": "15:04", "goal": "soon"}
	want := `variables.countries: "15:04" is not a time's layout; write 15:04:05 on the second of January 2006 as the network does, like 2006-01-02 15:04:05
variables.goal: "soon" is not a time such as 10m, or 0s for none`
	if _, err := New(n, a); err == nil || strings.Join(sorted(err), "\n") != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStreamsSayTheirPageSize(t *testing.T) {
	a := account(t)
	a.Streams = map[string]Settings{"clicks": {Variables: map[string]string{"page_size": "7"}}}
	for stream, want := range map[string]int{"conversions": 100, "clicks": 7, "news": 10, "stats/custom": 0} {
		if _, st := setup(t, network(), a, stream); st.PageSize != want {
			t.Errorf("stream %s: got %d, want %d", stream, st.PageSize, want)
		}
	}
}
