package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/internal/pipeline"
	"syncd/internal/plan"
	"syncd/schema"
	"syncd/state"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// knownStore is a store that was filled by hand; all that plan does not ask for panics.
type knownStore struct {
	state.Store
	published []state.Checkpoint
	open      []state.Pull
}

func (s *knownStore) Checkpoints(_ context.Context, account, stream string) (found []state.Checkpoint, err error) {
	for _, c := range s.published {
		if c.Account == account && c.Stream == stream {
			found = append(found, c)
		}
	}
	return found, nil
}

func (s *knownStore) OpenPulls(_ context.Context, account string) (found []state.Pull, err error) {
	for _, p := range s.open {
		if p.Account == account {
			found = append(found, p)
		}
	}
	return found, nil
}

func (s *knownStore) HeldWindows(context.Context, string) ([]state.HeldWindow, error) {
	return nil, nil
}

func (s *knownStore) FailedPulls(context.Context) ([]state.Pull, error) { return nil, nil }

// catalogueOnly is a source that is asked for nothing but its streams.
type catalogueOnly struct {
	extractors.Source
	streams []*extractors.Stream
}

func (s catalogueOnly) Streams() []*extractors.Stream { return s.streams }

const oneDay = 24 * time.Hour

// pricedBed is two accounts as platforms have them: one whose key has a call in five minutes,
// and one that writes ten files a day.
func pricedBed(t *testing.T, now time.Time) (accounts []*pipeline.Account, store *knownStore) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	into := func(tables ...string) (out []extractors.Output) {
		for _, name := range tables {
			table, ok := schema.Lookup(name)
			if !ok {
				t.Fatalf("no table is called %s", name)
			}
			out = append(out, extractors.Output{Table: table})
		}
		return out
	}
	days := func(name, schedule string, loc *time.Location, start time.Time, tiers ...extractors.TierRule) *extractors.Stream {
		return &extractors.Stream{
			Name: name, Schedule: schedule, Restate: tiers, Start: start, PageSize: 100,
			Window: &extractors.WindowRule{By: "created_at", Step: extractors.Day, Location: loc},
		}
	}
	slow := []*extractors.Stream{
		{Name: "offers", Schedule: "0 */6 * * *", PageSize: 1000, Outputs: into("offers", "offer_events", "landing_pages", "entities")},
		days("conversions", "*/10 * * * *", berlin, time.Date(2026, 5, 1, 0, 0, 0, 0, berlin),
			extractors.TierRule{Last: oneDay, Every: 10 * time.Minute}, extractors.TierRule{Last: 35 * oneDay, Every: oneDay}),
		days("subaffiliates", "20 * * * *", berlin, time.Date(2026, 5, 1, 0, 0, 0, 0, berlin), extractors.TierRule{Last: oneDay, Every: time.Hour}),
	}
	slow[1].Outputs, slow[2].Outputs = into("conversions"), into("stats")
	tiers := []extractors.TierRule{{Last: oneDay, Every: time.Hour}, {Last: 4 * oneDay, Every: oneDay}}
	files := []*extractors.Stream{
		{Name: "offers", Schedule: "@daily", PageSize: 100, Outputs: into("offers")},
		{Name: "offer_events", Schedule: "30 3 * * *", PageSize: 100, Outputs: into("offer_events"), ForEach: &extractors.ForEachRule{Stream: "offers", Columns: []string{"offer_id"}, Batch: 1}},
		days("clicks", "5 * * * *", time.UTC, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), tiers...),
		days("conversions", "10 * * * *", time.UTC, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), tiers...),
		days("postback_logs", "15 * * * *", time.UTC, time.Time{}, extractors.TierRule{Last: oneDay, Every: 4 * time.Hour}),
	}
	for _, s := range files[2:] {
		s.Outputs = into(s.Name)
		s.Export = &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000, Outputs: s.Outputs, Only: s.Name == "postback_logs"}
	}
	accounts = []*pipeline.Account{
		{Name: "perf-main", Network: "performcb", Source: catalogueOnly{streams: slow}, MinDelay: 5 * time.Minute, Parallel: 1, Location: berlin},
		{
			Name: "metrics", Network: "24metrics", Source: catalogueOnly{streams: files}, MinDelay: time.Second, Parallel: 1, Location: time.UTC,
			Budgets: map[string]state.Budget{"exports": {Name: "exports", Calls: 10, Per: oneDay}},
		},
	}
	store = &knownStore{}
	publish := func(account, stream string, from, to, pulled time.Time, rows int64) {
		kind := state.Windowed
		if from.IsZero() {
			kind = state.Snapshot
		}
		store.published = append(store.published, state.Checkpoint{Account: account, Stream: stream, Kind: kind, From: from, To: to, PulledAt: pulled, Rows: rows})
	}
	june := func(d int, loc *time.Location) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, loc) }
	publish("perf-main", "offers", time.Time{}, time.Time{}, now.Add(-time.Hour), 2600)
	for d := 1; d < 10; d++ {
		publish("perf-main", "conversions", june(d, berlin), june(d+1, berlin), now.Add(-3*time.Hour), 90)
	}
	publish("metrics", "offers", time.Time{}, time.Time{}, now.Add(-time.Hour), 140)
	publish("metrics", "clicks", june(1, time.UTC), june(8, time.UTC), now.Add(-30*time.Hour), 7*40_000)
	publish("metrics", "conversions", june(8, time.UTC), june(9, time.UTC), now.Add(-30*time.Hour), 15_000)
	store.open = []state.Pull{{Account: "metrics", Stream: "clicks", ID: 4, Kind: state.Windowed, Route: state.Export, Tier: state.Backfill, From: june(1, time.UTC).AddDate(0, 0, -30), To: june(1, time.UTC)}}
	return accounts, store
}

func TestThePricesOfTwoAccountsInWords(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 3, 0, 0, time.UTC)
	tests := []struct {
		name, golden, backfill string
		only                   []string
		empty                  bool
	}{
		{name: "what is due now", golden: "plan_due.golden"},
		{name: "a backfill", golden: "plan_backfill.golden", backfill: "2026-03-01..2026-05-31"},
		{name: "one stream of an account", golden: "plan_only.golden", backfill: "2026-05-01..2026-05-31", only: []string{"metrics/conversions"}},
		{name: "nothing was ever pulled", golden: "plan_empty.golden", only: []string{"metrics"}, empty: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			accounts, store := pricedBed(t, now)
			p := pricing{store: store, only: tt.only, now: now}
			if tt.empty {
				p.store = nil
			}
			if tt.backfill != "" {
				d, err := parseDays(tt.backfill)
				if err != nil {
					t.Fatal(err)
				}
				p.days = &d
			}
			all, err := p.price(t.Context(), accounts)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := printPrices(&out, all); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > lineWidth {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
			file := filepath.Join("testdata", tt.golden)
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), out.String()); d != "" {
				t.Errorf("plan (-want +got):\n%s", d)
			}
		})
	}
}

func TestMoreThanTheNetworkAllowsIsSaidWithWhatHelps(t *testing.T) {
	day := func(name string, calls, exports int) steady {
		return steady{Stream: name, Load: plan.Load{Calls: calls, Exports: exports}, CallShare: float64(calls) / 286, Budget: "exports"}
	}
	tests := []struct {
		name   string
		steady []steady
		says   []string // of each warning
	}{
		{"all that is allowed is not too much", []steady{day("offers", 100, 4), day("conversions", 186, 6)}, nil},
		{"too many calls", []steady{day("offers", 12, 0), day("conversions", 300, 0)}, []string{"312 calls a day are 109 % of the 286 that the pace allows: pulls will come ever later. Stream conversions takes most, 300 calls (105 % of the day)."}},
		{"too many files", []steady{day("clicks", 10, 3), day("logs", 20, 12)}, []string{"15 exports a day are 150 % of the 10 that the network grants (budget exports): files will come ever later. Stream logs takes most, 12 exports."}},
		{"too many of both", []steady{day("clicks", 290, 3), day("logs", 20, 8)}, []string{"Stream clicks takes most, 290 calls", "Stream logs takes most, 8 exports"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := accountPrice{CallsPerDay: 286.09, Steady: tt.steady, Exports: []budgetPrice{{Name: "exports", PerDay: 10}}}
			for _, s := range tt.steady {
				a.Day.Add(s.Load)
				a.Exports[0].Steady += s.Exports
			}
			got := a.warn()
			if len(got) != len(tt.says) {
				t.Fatalf("got %q", got)
			}
			for i, want := range tt.says {
				if !strings.Contains(got[i], want) || !strings.Contains(got[i], "slower schedule") {
					t.Errorf("got %q, want %q in it", got[i], want)
				}
			}
		})
	}
}

func TestThePricesAsJSONSayWhatTheWordsSay(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 3, 0, 0, time.UTC)
	accounts, store := pricedBed(t, now)
	p := pricing{store: store, now: now}
	all, err := p.price(t.Context(), accounts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	type load struct {
		Stream  string `json:"stream"`
		Calls   int    `json:"calls"`
		Exports int    `json:"exports"`
		AtLeast bool   `json:"at_least"`
		Runs    int    `json:"runs"`
	}
	var got struct {
		Accounts []struct {
			Account     string  `json:"account"`
			CallsPerDay float64 `json:"calls_per_day"`
			Work        []struct {
				load
				Rows   *int64 `json:"rows"`
				Routes []struct {
					Route, Why string
				} `json:"routes"`
			} `json:"work"`
			Steady   []load   `json:"steady_state"`
			Warnings []string `json:"warnings"`
		} `json:"accounts"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Accounts) != 2 || got.Accounts[0].Account != "perf-main" || len(got.Accounts[0].Warnings) != 1 {
		t.Fatalf("got %s", text)
	}
	if n := got.Accounts[0].CallsPerDay; n > 288 || n < 287 {
		t.Errorf("a call of a second in five minutes makes %v a day", n)
	}
	clicks := got.Accounts[1].Work[2]
	if clicks.Stream != "clicks" || clicks.Rows == nil || len(clicks.Routes) == 0 || clicks.Routes[0].Why == "" {
		t.Errorf("clicks: %+v", clicks)
	}
	if logs := got.Accounts[1].Work[4]; logs.Rows != nil || logs.Exports != 1 || !logs.AtLeast {
		t.Errorf("postback logs: %+v", logs)
	}
	if day := got.Accounts[1].Steady[4]; day.Runs != 24 || day.Exports != 6 {
		t.Errorf("postback logs a day: %+v", day)
	}
}

func TestTheCommandPricesAConfigurationWithoutAState(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	config := `data_dir: ` + dir + `
accounts:
  - name: first
    network: affise
    base_url: https://api.example.test
    credentials: {api_key: "0123456789"}
    role: admin
    streams: {conversions: {schedule: "@hourly"}}
  - name: second
    network: affise
    base_url: https://api.example.test
    credentials: {api_key: "9876543210"}
    role: admin
    pace: {min_delay: 5m}
`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		var out, logs bytes.Buffer
		root := newRoot(&out, &logs)
		root.SetArgs(append([]string{"plan", "--config", file}, args...))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%v: %s", err, logs.String())
		}
		return out.String()
	}
	both := run()
	for _, want := range []string{"first (affise)", "second (affise)", "conversions", "at least", "total", "WARNING", "5m00s between them"} {
		if !strings.Contains(both, want) {
			t.Errorf("%q is not in:\n%s", want, both)
		}
	}
	if one := run("--only", "first/conversions", "--backfill", "2026-01-01..2026-01-02"); strings.Contains(one, "second") ||
		!strings.Contains(one, "BACKFILL 2026-01-01..2026-01-02") || !strings.Contains(one, "at least 2") || !strings.Contains(one, "all other streams") {
		t.Errorf("got:\n%s", one)
	}
	var parsed struct {
		Accounts []struct{ Account string }
	}
	if err := json.Unmarshal([]byte(run("--json", "--only", "second")), &parsed); err != nil || len(parsed.Accounts) != 1 || parsed.Accounts[0].Account != "second" {
		t.Errorf("as JSON: %v, %+v", err, parsed)
	}
}

func TestAGridWrapsItsLastColumn(t *testing.T) {
	g := grid{head: []string{"NAME", "N", "WORDS"}, right: "-1"}
	g.add("a", "10", strings.Repeat("word ", 30))
	g.note("a note")
	g.add("bb", "9", "")
	var out strings.Builder
	g.print(&out)
	want := "  NAME   N  WORDS\n" +
		"  a     10  " + strings.TrimSpace(strings.Repeat("word ", 21)) + "\n" +
		"            " + strings.TrimSpace(strings.Repeat("word ", 9)) + "\n" +
		"    a note\n" +
		"  bb     9\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("grid (-want +got):\n%s", d)
	}
}
