package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is a secret as tests write it.
type plain string

func (p plain) Reveal() string { return string(p) }

const marker = "MARKER-key-9f3c"

// network is a network with one stream of each sort; tests change a copy.
func network() *manifest.Network {
	pages := manifest.Paging{
		Kind: manifest.PagingPage, Param: "page", SizeParam: "limit", Size: 100, SizeVariable: "page_size", First: 1,
		Next: "pagination.next_page", Total: "pagination.total_count", Served: "pagination.per_page",
		Stop: []manifest.Stop{manifest.StopNoNext, manifest.StopTotal, manifest.StopEmpty},
	}
	both := []string{"admin", "affiliate"}
	return &manifest.Network{
		Name: "net", Title: "Net", Evidence: manifest.Documented,
		Auth:        manifest.Auth{Kind: manifest.AuthHeader, Name: "API-Key", Credential: "api_key"},
		Credentials: map[string]manifest.Credential{"api_key": {Help: "the key."}, "extra": {Help: "x", Optional: true}},
		Variables: map[string]manifest.Variable{
			"page_size": {Help: "records a page"}, "layout": {Help: "days", Default: "2006-01-02"},
			"countries": {Help: "codes"}, "goal": {Help: "the goal."},
		},
		Roles:     both,
		Check:     manifest.Request{Path: "/check", Query: map[string][]string{"limit": {"1"}}},
		Success:   &manifest.Success{Path: "status", Equals: []string{"1"}},
		ErrorText: []string{"error", "message"},
		Secrets:   []string{"api_key", "systems.fields"},
		PII:       manifest.PII{IP: []string{"ip"}},
		Streams: []*manifest.Stream{
			{
				Name: "conversions", Roles: both, Paging: pages,
				Request: manifest.Request{Path: "/conversions", DayLayout: "{variable.layout}", Query: map[string][]string{
					"date_from": {"{window.from_day}"}, "date_to": {"{window.to_day}"}, "timezone": {"{account.timezone}"}, "status[]": {"a", "b c"},
				}},
				Window: &manifest.Window{By: "created_at", Step: manifest.StepDay, Zone: manifest.ZoneAccount},
				Changes: &manifest.Changes{Roles: []string{"admin"}, Overlap: time.Hour, Query: map[string][]string{
					"date_from": {"2010-01-01"}, "date_to": {""}, "since": {"{since.day} {since.hour}"}, "since_unix": {"{since.unix}"},
				}},
				Output:   normalize.Spec{Table: "conversions", Records: normalize.Paths{"conversions"}},
				Schedule: "@hourly", Restate: []manifest.Tier{{Last: 48 * time.Hour, Every: time.Hour}},
			},
			{
				Name: "clicks", Roles: []string{"admin"}, Paging: pages, Optional: "this tenant has no clicks",
				Request: manifest.Request{Path: "/clicks", Query: map[string][]string{
					"date_from": {"{window.from_day}"}, "hour": {"{window.hour}"}, "from": {"{window.from_unix}"}, "to": {"{window.to_unix}"},
				}},
				Window: &manifest.Window{By: "created_at", Step: manifest.StepHour, Zone: manifest.ZoneUTC, MaxAge: 7 * 24 * time.Hour},
				Output: normalize.Spec{Table: "clicks", Records: normalize.Paths{"clicks"}},
			},
			{
				Name: "stats/custom", Roles: both, Paging: manifest.Paging{Kind: manifest.PagingNone},
				Request: manifest.Request{Path: "/stats", Query: map[string][]string{"slice[]": {"{slices}"}, "date": {"{window.from_day}"}}},
				Window:  &manifest.Window{By: "report_date", Step: manifest.StepDay, Zone: manifest.ZoneAccount},
				Slices:  &manifest.Slices{Allowed: []string{"day", "offer", "country"}, AdminOnly: []string{"affiliate"}, Always: []string{"day"}, Default: []string{"offer", "affiliate"}},
				Output:  normalize.Spec{Table: "stats", Records: normalize.Paths{"stats"}},
			},
			{
				Name: "news", Roles: both, Request: manifest.Request{Path: "/news"}, Output: normalize.Spec{Table: "entities", Records: normalize.Paths{"items"}},
				Paging: manifest.Paging{Kind: manifest.PagingOffset, Param: "skip", SizeParam: "limit", Size: 10, Total: "all_items", Stop: []manifest.Stop{manifest.StopTotal, manifest.StopEmpty}},
			},
			{
				Name: "offer", Roles: both, Request: manifest.Request{Path: "/offer/{item}"}, Paging: manifest.Paging{Kind: manifest.PagingNone},
				ForEach: &manifest.ForEach{Stream: "news", Column: "id", Batch: 1}, Output: normalize.Spec{Table: "entities", Records: normalize.Paths{"offer"}, Shape: normalize.ShapeObject},
			},
			{
				Name: "caps", Roles: both, Request: manifest.Request{Path: "/caps", Query: map[string][]string{"id[]": {"{items}"}}}, Paging: pages,
				ForEach: &manifest.ForEach{Stream: "news", Column: "id", Batch: 2}, Output: normalize.Spec{Table: "entities", Records: normalize.Paths{"caps"}},
			},
			{
				Name: "cities", Roles: both, Request: manifest.Request{Path: "/cities", Query: map[string][]string{"country": {"{item}"}}}, Paging: manifest.Paging{Kind: manifest.PagingNone},
				ForEach: &manifest.ForEach{Variable: "countries", Batch: 1}, Output: normalize.Spec{Table: "entities", Records: normalize.Paths{"cities"}},
			},
			{
				Name: "goals", Roles: both, Disabled: true, Needs: []string{"goal"}, Request: manifest.Request{Path: "/goals/{variable.goal}"},
				Paging: manifest.Paging{Kind: manifest.PagingNone}, Output: normalize.Spec{Table: "entities", Records: nil},
			},
		},
	}
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	location, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func account(t testing.TB) Account {
	return Account{
		Name: "acme", BaseURL: "https://api.example.com/", Location: berlin(t),
		Credentials: map[string]Secret{"api_key": plain(marker)},
	}
}

// setup makes a source and finds a stream in it.
func setup(t testing.TB, n *manifest.Network, a Account, stream string) (*Source, *extractors.Stream) {
	t.Helper()
	s, err := New(n, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range s.Streams() {
		if st.Name == stream {
			return s, st
		}
	}
	t.Fatalf("the source has no stream %s", stream)
	return nil, nil
}

// day is a report day of Berlin as a window.
func day(t testing.TB, y int, m time.Month, d int) extractors.Work {
	from := time.Date(y, m, d, 0, 0, 0, 0, berlin(t))
	return extractors.Work{Kind: state.Windowed, Window: schema.Window{From: from.UTC(), To: from.AddDate(0, 0, 1).UTC()}}
}

func ok(body string) extractors.Answer {
	return extractors.Answer{Status: 200, Header: http.Header{}, Body: []byte(body)}
}

// query gives the decoded query of a call.
func query(t *testing.T, c extractors.Call) url.Values {
	t.Helper()
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// timesOf are columns of times, each filled from a key of its name.
func timesOf(columns ...string) map[string]normalize.Field {
	fields := map[string]normalize.Field{}
	for _, name := range columns {
		fields[name] = normalize.Field{From: normalize.Paths{name}}
	}
	return fields
}

// sorted are the lines of an error.
func sorted(err error) []string { return slices.Sorted(strings.SplitSeq(err.Error(), "\n")) }
