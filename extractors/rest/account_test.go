package rest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

func TestMistakesOfAnAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(n *manifest.Network, a *Account)
		want   []string // "path: beginning of the message"
	}{
		"an account that is right has none": {func(*manifest.Network, *Account) {}, nil},
		"a missing address is one": {func(_ *manifest.Network, a *Account) { a.BaseURL = "" },
			[]string{"base_url: Net has a host of its own"}},
		"an address that is no web address is one": {func(_ *manifest.Network, a *Account) { a.BaseURL = "api.example.com" },
			[]string{"base_url: it is not"}},
		"an address with a key in it is one": {func(_ *manifest.Network, a *Account) { a.BaseURL = "https://example.com/?k=" + marker },
			[]string{"base_url: give the address alone"}},
		"an unknown role is one": {func(_ *manifest.Network, a *Account) { a.Role = "boss" },
			[]string{`role: Net has no role "boss"; known are admin, affiliate`}},
		"a missing credential is one": {func(_ *manifest.Network, a *Account) { a.Credentials = nil },
			[]string{"credentials.api_key: it is missing: the key"}},
		"an empty credential is missing": {func(_ *manifest.Network, a *Account) { a.Credentials["api_key"] = plain("") },
			[]string{"credentials.api_key: it is missing"}},
		"a misspelt credential is one, with a suggestion": {func(_ *manifest.Network, a *Account) { a.Credentials["apikey"] = plain(marker) },
			[]string{"credentials.apikey: Net has no credential of this name; did you mean api_key?"}},
		"a credential with a line break is one": {func(_ *manifest.Network, a *Account) { a.Credentials["api_key"] = plain(marker + "\n") },
			[]string{"credentials.api_key: it has a line break"}},
		"an unknown variable is one": {func(_ *manifest.Network, a *Account) { a.Variables = map[string]string{"gaol": "x"} },
			[]string{"variables.gaol: Net has no variable of this name; did you mean goal?"}},
		"a missing required variable is one": {func(n *manifest.Network, _ *Account) {
			n.Variables["goal"] = manifest.Variable{Help: "the goal.", Required: true}
		}, []string{"variables.goal: it is missing: the goal"}},
		"a layout that loses the month is one": {func(_ *manifest.Network, a *Account) { a.Variables = map[string]string{"layout": "2006-02"} },
			[]string{`variables.layout: "2006-02" is not a day's layout`}},
		"a value that is no word of its variable is one": {func(n *manifest.Network, a *Account) {
			n.Variables["version"] = manifest.Variable{Help: "x", Default: "v2", Kind: manifest.VariableWord, Words: []string{"v2", "v3", "v4"}}
			a.Variables = map[string]string{"version": "v9"}
		}, []string{`variables.version: "v9" is not one of v2, v3, v4`}},
		"values that are not of their variable's kind are one each": {func(n *manifest.Network, a *Account) {
			a.Streams = map[string]Settings{"clicks": {Variables: map[string]string{}}}
			for kind, value := range map[manifest.VariableKind]string{
				manifest.VariableList: "7,,8", manifest.VariableNumber: "1e3", manifest.VariableDuration: "-5m", manifest.VariablePath: "https://evil.example.com/",
				manifest.VariableLayout: "15:04", manifest.VariableZone: "Local", manifest.VariableWord: "",
			} {
				n.Variables["v_"+string(kind)] = manifest.Variable{Help: "x", Kind: kind, Words: []string{"a"}}
				a.Streams["clicks"].Variables["v_"+string(kind)] = value
			}
		}, []string{
			`streams.clicks.variables.v_duration: "-5m" is not a time such as 10m or 7d`,
			`streams.clicks.variables.v_layout: "15:04" is not a day's layout`,
			`streams.clicks.variables.v_list: "7,,8" is not a list of values joined by commas`,
			`streams.clicks.variables.v_number: "1e3" is not a whole number`,
			`streams.clicks.variables.v_path: path "https://evil.example.com/" does not begin with a slash`,
			`streams.clicks.variables.v_zone: "Local" is not an IANA time zone`,
		}},
		"values of their variable's kind are none": {func(n *manifest.Network, a *Account) {
			a.Variables = map[string]string{}
			for kind, value := range map[manifest.VariableKind]string{
				manifest.VariableList: "7, 8", manifest.VariableNumber: "1000", manifest.VariableDuration: "1d12h", manifest.VariablePath: "/a/{item}",
				manifest.VariableLayout: time.RFC3339, manifest.VariableZone: "Asia/Tokyo", manifest.VariableWord: "a", "": "what ever",
			} {
				n.Variables["v_"+string(kind)] = manifest.Variable{Help: "x", Kind: kind, Words: []string{"a"}}
				a.Variables["v_"+string(kind)] = value
			}
		}, nil},
		"one mistake in a value is told once": {func(n *manifest.Network, a *Account) {
			n.Variables["page_size"] = manifest.Variable{Help: "x", Kind: manifest.VariableNumber}
			a.Variables = map[string]string{"page_size": "many"}
		}, []string{`variables.page_size: "many" is not a whole number`}},
		"an unknown stream is one": {func(_ *manifest.Network, a *Account) { a.Streams = map[string]Settings{"convesions": {}} },
			[]string{"streams.convesions: Net has no stream of this name; did you mean conversions?"}},
		"a stream of another role is one": {func(_ *manifest.Network, a *Account) {
			a.Role, a.Streams = "affiliate", map[string]Settings{"clicks": {}}
		}, []string{"streams.clicks: role affiliate does not read this stream, role admin does"}},
		"slices for a stream that takes none are one": {func(_ *manifest.Network, a *Account) {
			a.Streams = map[string]Settings{"clicks": {Slices: []string{"day"}}}
		}, []string{"streams.clicks.slices: the stream takes no slices"}},
		"wrong slices are one each": {func(_ *manifest.Network, a *Account) {
			a.Role = "affiliate"
			a.Streams = map[string]Settings{"stats/custom/x": {Slices: []string{"ofer", "affiliate", "country", "country"}}}
		}, []string{
			`streams.stats/custom/x.slices[0]: Net knows no slice "ofer"; did you mean offer?`,
			"streams.stats/custom/x.slices[1]: role affiliate may not slice by affiliate",
			"streams.stats/custom/x.slices[3]: slice country is listed twice",
		}},
		"restatement of what has no time axis is one": {func(_ *manifest.Network, a *Account) {
			a.Streams = map[string]Settings{"news": {Restate: []extractors.TierRule{{Last: time.Hour, Every: time.Hour}}}}
		}, []string{"streams.news.restate: the stream has no time axis"}},
		"a stream that is asked for without its variable is one": {func(_ *manifest.Network, a *Account) {
			a.Streams = map[string]Settings{"goals": {Enabled: new(true)}, "cities": {Enabled: new(true)}}
		}, []string{"streams.cities: the stream needs the variable countries: codes", "streams.goals: the stream needs the variable goal: the goal"}},
		"a page size that is no number is one": {func(_ *manifest.Network, a *Account) {
			a.Streams = map[string]Settings{"clicks": {Variables: map[string]string{"page_size": "many"}}}
		}, []string{`streams.clicks.variables.page_size: "many" is not a number`}},
		"hashing without a key is one": {func(_ *manifest.Network, a *Account) { a.PII = PII{IP: Hash, Email: "hide"} },
			[]string{"pii.key: pii.ip: hash needs a key", `pii.email: "hide" is not known`}},
		"all are reported at once": {func(_ *manifest.Network, a *Account) {
			*a = Account{Role: "boss", Variables: map[string]string{"q": ""}}
		},
			[]string{"base_url: ", "role: ", "credentials.api_key: ", "variables.q: "}},
	} {
		t.Run(name, func(t *testing.T) {
			n, a := network(), account(t)
			tt.change(n, &a)
			_, err := New(n, a)
			mistakes, _ := errors.AsType[Mistakes](err)
			if err != nil && mistakes == nil {
				t.Fatalf("got %T, want Mistakes", err)
			}
			if len(mistakes) != len(tt.want) {
				t.Fatalf("got %d mistakes, want %d:\n%v", len(mistakes), len(tt.want), err)
			}
			for i, m := range mistakes {
				if got := m.Path + ": " + m.Message; !strings.HasPrefix(got, tt.want[i]) {
					t.Errorf("got %q, want %q", got, tt.want[i])
				}
				if strings.Contains(fmt.Sprintf("%#v", m), marker) {
					t.Errorf("a mistake quotes a credential: %v", m)
				}
			}
		})
	}
}

func names(s *Source) []string {
	var names []string
	for _, st := range s.Streams() {
		names = append(names, st.Name)
	}
	return names
}

func TestStreamsOfAnAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(a *Account)
		want   []string
	}{
		"the first role is the default; what is disabled or lacks its variable is off": {func(a *Account) {},
			[]string{"conversions", "clicks", "stats/custom", "news", "offer", "caps"}},
		"a role reads its own streams only": {func(a *Account) { a.Role = "affiliate" },
			[]string{"conversions", "stats/custom", "news", "offer", "caps"}},
		"a stream can be switched off": {func(a *Account) { a.Streams = map[string]Settings{"clicks": {Enabled: new(false)}} },
			[]string{"conversions", "stats/custom", "news", "offer", "caps"}},
		"a disabled stream can be switched on where its variable is set": {func(a *Account) {
			a.Variables = map[string]string{"goal": "sale"}
			a.Streams = map[string]Settings{"goals": {Enabled: new(true)}}
		}, []string{"conversions", "clicks", "stats/custom", "news", "offer", "caps", "goals"}},
		"a list in a variable switches its stream on": {func(a *Account) { a.Variables = map[string]string{"countries": "DE, US,,DE"} },
			[]string{"conversions", "clicks", "stats/custom", "news", "offer", "caps", "cities"}},
		"a report can be had under more names": {func(a *Account) {
			a.Streams = map[string]Settings{"stats/custom/geo": {Slices: []string{"country"}}, "stats/custom": {Enabled: new(false)}}
		}, []string{"conversions", "clicks", "stats/custom/geo", "news", "offer", "caps"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t)
			tt.change(&a)
			s, err := New(network(), a)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(s); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAStreamCarriesManifestAndSettings(t *testing.T) {
	a := account(t)
	a.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, st := setup(t, network(), a, "conversions")
	want := &extractors.WindowRule{By: "created_at", Step: extractors.Day, Location: berlin(t)}
	if d := cmp.Diff(want, st.Window, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); d != "" {
		t.Error(d)
	}
	if !st.Changes || st.ChangesOverlap != time.Hour || st.Schedule != "@hourly" || len(st.Restate) != 1 || !st.Start.Equal(a.Start) {
		t.Errorf("got %+v", st)
	}
	a.Role = "affiliate"
	if _, st = setup(t, network(), a, "conversions"); st.Changes {
		t.Error("a role that may not ask for changes is offered them")
	}
	later := a.Start.AddDate(0, 1, 0)
	tier := []extractors.TierRule{{Last: time.Hour, Every: time.Minute}}
	a.Streams = map[string]Settings{"conversions": {Schedule: "@daily", Restate: tier, Start: later}}
	if _, st = setup(t, network(), a, "conversions"); st.Schedule != "@daily" || !slices.Equal(st.Restate, tier) || !st.Start.Equal(later) {
		t.Errorf("settings are not applied: %+v", st)
	}
	_, clicks := setup(t, network(), account(t), "clicks")
	if clicks.Window.Location != time.UTC || clicks.Window.MaxAge != 7*24*time.Hour {
		t.Errorf("got %+v", clicks.Window)
	}
}

func TestScopesTellStreamsOfOneTableApart(t *testing.T) {
	a := account(t)
	a.Streams = map[string]Settings{"stats/custom/geo": {Slices: []string{"country"}}}
	for stream, want := range map[string]map[string]string{
		"conversions":      {},
		"news":             {"stream": "news"},
		"stats/custom":     {"report": "stats/custom"},
		"stats/custom/geo": {"report": "stats/custom/geo"},
	} {
		_, st := setup(t, network(), a, stream)
		out := st.Outputs[0]
		if d := cmp.Diff(want, out.Scope); d != "" {
			t.Errorf("%s: %s", stream, d)
		}
		if report, has := want["report"]; has && out.Spec.Columns["report"].Const != report {
			t.Errorf("%s: rows get the report %q", stream, out.Spec.Columns["report"].Const)
		}
	}
}

func TestASourcePrintsNoCredential(t *testing.T) {
	s, _ := setup(t, network(), account(t), "news")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, marker) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
