package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/config"
	"syncd/internal/strictyaml"
)

var update = flag.Bool("update", false, "rewrite the expected messages and the JSON Schema")

// marker is the value of an environment variable that must never be shown.
const marker = "hunter2-marker"

// environment is what the files in testdata and the example refer to.
var environment = map[string]string{
	"SYNCD_TOKEN":         marker + "-token",
	"SYNCD_PII_KEY":       marker + "-pii",
	"AFFISE_API_KEY":      marker + "-admin",
	"AFFISE_PARTNER_KEY":  marker + "-partner",
	"PERFORMCB_API_KEY":   marker + "-performcb",
	"METRICS_API_KEY":     marker + "-24metrics",
	"OFFERSLOOK_API_KEY":  marker + "-offerslook",
	"HASOFFERS_API_KEY":   marker + "-hasoffers",
	"KMA_API_KEY":         marker + "-kma",
	"KMA_POSTBACK_TOKEN":  marker + "-kma-postback",
	"CLICKHOUSE_PASSWORD": marker + "-clickhouse",
	"MARKER":              marker,
	"EMPTY":               "",
	"MINUTES":             "5m",
	"DOLLARS":             "$$ ${AFFISE_API_KEY}",
}

func env(name string) (string, bool) {
	v, ok := environment[name]
	return v, ok
}

func parseFile(t *testing.T, file string) (*config.Config, error) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse(filepath.Base(file), src, env, "testdata")
}

func parse(src string) (*config.Config, error) {
	return config.Parse("config.yaml", []byte(src), env, "testdata")
}

// TestBadFiles holds one rule per file; the text beside it has the expected messages.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			_, err := parseFile(t, file)
			problems, ok := errors.AsType[strictyaml.Problems](err)
			if !ok {
				t.Fatalf("got %v, want problems", err)
			}
			got := problems.Error() + "\n"
			if strings.Contains(got, marker) {
				t.Errorf("a value of the environment is shown:\n%s", got)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoodFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".good.yaml"), func(t *testing.T) {
			if _, err := parseFile(t, file); err != nil {
				t.Errorf("got:\n%v", err)
			}
		})
	}
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// equal compares configurations; secrets by what they hide.
var equal = cmp.Options{
	cmpopts.IgnoreUnexported(config.Config{}),
	cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b config.DSN) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
}

func TestTheLeastFileGetsTheDefaults(t *testing.T) {
	got, err := parse("accounts: [{name: a, network: affise}]")
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Warehouse: config.Warehouse{DSN: config.NewDSN("embedded"), Database: "affiliate", MemoryLimit: 2 << 30},
		State:     config.State{DSN: config.NewDSN("sqlite:data/state.db")},
		DataDir:   "./data",
		HTTP:      config.HTTP{Listen: "127.0.0.1:8080", PostbackRate: 10_000},
		Retention: config.Retention{RawPages: 90 * 24 * time.Hour, Spool: 7 * 24 * time.Hour},
		Inbox:     config.Inbox{MaxSize: 4 << 30},
		PII:       config.PII{IP: "keep", Email: "keep"},
		Log:       config.Log{Level: "info", Format: "auto"},
		Accounts:  []config.Account{{Name: "a", Network: "affise", Timezone: "UTC", Location: time.UTC}},
	}
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOpenIDsAreReadEveryQuarterOfAnHour(t *testing.T) {
	got, err := parse("accounts: [{name: a, network: kma, open_ids: {file: leads.csv}}, {name: b, network: kma}]")
	if err != nil {
		t.Fatal(err)
	}
	if want := (config.OpenIDs{File: "leads.csv", Every: 15 * time.Minute}); got.Accounts[0].OpenIDs != want || !got.Accounts[1].OpenIDs.IsZero() {
		t.Errorf("got %+v", got.Accounts)
	}
}

func TestTheStateFollowsTheDataDirectory(t *testing.T) {
	got, err := parse("{data_dir: /var/lib/syncd, accounts: [{name: a, network: affise}]}")
	if err != nil || got.State.DSN.Reveal() != "sqlite:/var/lib/syncd/state.db" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTheExampleDecodes(t *testing.T) {
	got, err := parseFile(t, "../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	off, day := false, 24*time.Hour
	want := &config.Config{
		Warehouse: config.Warehouse{DSN: config.NewDSN("embedded"), Database: "affiliate", MemoryLimit: 2 << 30},
		State:     config.State{DSN: config.NewDSN("sqlite:./data/state.db")},
		DataDir:   "./data",
		HTTP: config.HTTP{
			Listen: "127.0.0.1:8080", Token: config.NewSecret(marker + "-token"),
			PublicURL: "https://syncd.example.com", PostbackRate: 10_000,
		},
		Retention: config.Retention{RawPages: 90 * day, Spool: 7 * day},
		Inbox:     config.Inbox{MaxSize: 4 << 30},
		PII:       config.PII{IP: "keep", Email: "hash", Key: config.NewSecret(marker + "-pii")},
		Log:       config.Log{Level: "info", Format: "auto"},
		Accounts: []config.Account{
			{
				Name: "affise-main", Network: "affise", BaseURL: "https://api-acme.affise.com", Role: "admin",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-admin")},
				Timezone:    "Europe/Berlin", Location: location(t, "Europe/Berlin"),
				Pace: config.Pace{MinDelay: time.Second}, Timeout: 2 * time.Minute,
				Start: config.Day{Year: 2026, Month: time.January, Day: 1},
				Streams: map[string]config.Stream{
					"conversions": {Schedule: "*/15 * * * *", Restate: []config.Tier{
						{Last: 2 * day, Every: 15 * time.Minute}, {Last: 30 * day, Every: day}, {Last: 90 * day, Every: 7 * day},
					}},
					"clicks":         {Schedule: "@hourly"},
					"stats/by_offer": {Schedule: "5 * * * *"},
					"stats/custom":   {Schedule: "20 * * * *", Slices: []string{"offer", "affiliate", "country", "sub1"}},
					"offers":         {Schedule: "0 */6 * * *"},
					"tickets":        {Enabled: &off},
				},
			},
			{
				Name: "affise-partner", Network: "affise", BaseURL: "https://api-other.affise.com", Role: "affiliate",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-partner")},
				Timezone:    "UTC", Location: time.UTC,
				Start: config.Day{Year: 2026, Month: time.January, Day: 1},
				Streams: map[string]config.Stream{
					"conversions": {Schedule: "*/30 * * * *"},
					"news":        {Enabled: &off},
				},
			},
			{
				Name: "performcb-main", Network: "performcb",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-performcb")},
				Variables:   map[string]string{"user_id": "90017"},
				Timezone:    "America/New_York", Location: location(t, "America/New_York"),
				Start:   config.Day{Year: 2026, Month: time.May, Day: 1},
				Streams: map[string]config.Stream{"stats/by_subid": {Restate: []config.Tier{{Last: day, Every: 6 * time.Hour}, {Last: 35 * day, Every: 7 * day}}}},
			},
			{
				Name: "metrics-main", Network: "24metrics",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-24metrics")},
				Variables:   map[string]string{"integrations": "dhk0demo01", "currency": "USD"},
				Timezone:    "Europe/Berlin", Location: location(t, "Europe/Berlin"),
				Start: config.Day{Year: 2026, Month: time.April, Day: 1},
				Streams: map[string]config.Stream{
					"clicks":      {Restate: []config.Tier{{Last: 3 * time.Hour, Every: 3 * time.Hour}, {Last: 3 * day, Every: day}}},
					"impressions": {Enabled: &off},
				},
			},
			{
				Name: "offerslook-main", Network: "offerslook", BaseURL: "https://acme.api.offerslook.com", Role: "network",
				Credentials: map[string]config.Secret{"user": config.NewSecret("acme"), "api_key": config.NewSecret(marker + "-offerslook")},
				Timezone:    "Asia/Hong_Kong", Location: location(t, "Asia/Hong_Kong"),
				Start: config.Day{Year: 2026, Month: time.January, Day: 1},
			},
			{
				Name: "hasoffers-main", Network: "hasoffers", BaseURL: "https://acme.api.hasoffers.com",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-hasoffers")},
				Timezone:    "America/New_York", Location: location(t, "America/New_York"),
				Start:   config.Day{Year: 2026, Month: time.January, Day: 1},
				Streams: map[string]config.Stream{"stats/custom": {Slices: []string{"Stat.offer_id", "Stat.country_code"}}},
			},
			{
				Name: "kma-main", Network: "kma",
				Credentials: map[string]config.Secret{"api_key": config.NewSecret(marker + "-kma")},
				Timezone:    "Europe/Berlin", Location: location(t, "Europe/Berlin"),
				Postback: config.Postback{
					Token: config.NewSecret(marker + "-kma-postback"), Statuses: map[string]string{"T": "trash"}, Currency: "EUR",
				},
				OpenIDs: config.OpenIDs{Query: "SELECT lead_id, own_id, created_at FROM crm.leads WHERE network = 'kma'", Every: 15 * time.Minute},
			},
		},
	}
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhatTheExampleCommentsOutDecodes puts in each line of YAML that the example
// has in a comment.
func TestWhatTheExampleCommentsOutDecodes(t *testing.T) {
	src, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	tried := 0
	for i, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		comment, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "# ")
		key, _, isKey := strings.Cut(comment, ": ")
		if !ok || !isKey || strings.ContainsAny(key, " ,./-") || key != strings.ToLower(key) || key == "level" || key == "embedded" {
			continue
		}
		tried++
		// Alone in its mapping: the same key may stand there already.
		switch len(indent) {
		case 0:
			_, err = parse(comment + "\naccounts: [{name: a, network: affise}]\n")
		case 2:
			_, err = parse("warehouse:\n  " + comment + "\naccounts: [{name: a, network: affise}]\n")
		case 4:
			_, err = parse("accounts:\n- name: a\n  network: affise\n  " + comment + "\n")
		default:
			_, err = parse("accounts:\n- name: a\n  network: affise\n  streams:\n    x:\n      " + comment + "\n")
		}
		if err != nil {
			t.Errorf("line %d, %s: %v", i+1, comment, err)
		}
	}
	if tried < 6 {
		t.Errorf("found %d lines of YAML in comments, want at least 6", tried)
	}
}

func TestReferences(t *testing.T) {
	config1 := func(value string) string {
		return `accounts: [{name: a, network: affise, variables: {v: ` + value + `}}]`
	}
	tests := []struct{ name, value, want string }{
		{"a variable of the environment", `"${MARKER}"`, marker},
		{"within a text", `"a ${MARKER} b ${MINUTES}"`, "a " + marker + " b 5m"},
		{"without quotes", `${MARKER}`, marker},
		{"a variable that is set and empty", `"${EMPTY}"`, ""},
		{"a file without its line break", `"${file:secret}"`, "from-a-file"},
		{"of several line breaks only the last is cut", `"${file:lines}"`, "one\ntwo\n"},
		{"a dollar sign", `"$$"`, "$"},
		{"two dollar signs before a brace are one", `"$${MARKER}"`, "${MARKER}"},
		{"a dollar sign before something else", `"a$b$"`, "a$b$"},
		{"what is put in is not expanded again", `"${DOLLARS}"`, "$$ ${AFFISE_API_KEY}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(config1(tt.value))
			if err != nil {
				t.Fatal(err)
			}
			if v := got.Accounts[0].Variables["v"]; v != tt.want {
				t.Errorf("%s gives %q, want %q", tt.value, v, tt.want)
			}
		})
	}
}

func TestAReferenceDecodesIntoAnyKindOfValue(t *testing.T) {
	environment := map[string]string{"D": "5m", "N": "3", "B": "true", "S": "1GiB", "DAY": "2025-05-05"}
	got, err := config.Parse("c", []byte(`
inbox: {max_size: "${S}"}
accounts: [{name: a, network: affise, timeout: "${D}", start: "${DAY}", pace: {parallel: "${N}", allow_faster: "${B}"}}]
`), func(name string) (string, bool) { v, ok := environment[name]; return v, ok }, "")
	if err != nil {
		t.Fatal(err)
	}
	a := got.Accounts[0]
	if a.Timeout != 5*time.Minute || a.Start.String() != "2025-05-05" || a.Pace.Parallel != 3 || !a.Pace.AllowFaster || got.Inbox.MaxSize != 1<<30 {
		t.Errorf("got %+v", got)
	}
}

// TestReferencesNeedNoQuotesInBraces decodes what is not YAML by the letter and
// what everybody writes.
func TestReferencesNeedNoQuotesInBraces(t *testing.T) {
	got, err := parse(`
pii: {ip: keep, email: hash, key: ${SYNCD_PII_KEY}}
accounts:
  - name: affise-main                # the key of all its rows
    network: affise
    credentials: {api_key: ${AFFISE_API_KEY}, other: ${file:secret}}
`)
	if err != nil {
		t.Fatal(err)
	}
	a := got.Accounts[0]
	if got.PII.Key.Reveal() != marker+"-pii" || a.Credentials["api_key"].Reveal() != marker+"-admin" || a.Credentials["other"].Reveal() != "from-a-file" {
		t.Errorf("got %q, %q, %q", got.PII.Key.Reveal(), a.Credentials["api_key"].Reveal(), a.Credentials["other"].Reveal())
	}
}

func TestReferencesInKeysAreLeftAlone(t *testing.T) {
	got, err := parse(`accounts: [{name: a, network: affise, variables: {"${MARKER}": x}}]`)
	if err != nil || got.Accounts[0].Variables["${MARKER}"] != "x" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestProblemsOfTheCallerPointIntoTheFile(t *testing.T) {
	c, err := parse("accounts:\n- name: a\n  network: ${MARKER}\n  streams:\n    stats/by_ofer: {}\n")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		got  strictyaml.Problem
		want string
	}{
		{"a stream's name", c.Problem(strictyaml.Key("accounts[0].streams", "stats/by_ofer"), "no such stream"),
			"config.yaml:5:20: accounts[0].streams.stats/by_ofer: no such stream"},
		{"an environment value in an argument", c.Problem("accounts[0].network", "no network %q", c.Accounts[0].Network),
			`config.yaml:3:12: accounts[0].network: no network "${MARKER}"`},
		{"an absent key", c.Problem("accounts[0].credentials.api_key", "missing"),
			"config.yaml:2:3: accounts[0].credentials.api_key: missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got.String() != tt.want {
				t.Errorf("got %s, want %s", tt.got, tt.want)
			}
		})
	}
	if got := (&config.Config{}).Problem("a", "b").String(); got != ": a: b" {
		t.Errorf("a configuration without a file gives %q", got)
	}
}

func TestLoadReadsTheEnvironmentOfTheProcess(t *testing.T) {
	t.Setenv("SYNCD_TEST_KEY", marker)
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(`accounts: [{name: a, network: affise, credentials: {api_key: "${SYNCD_TEST_KEY}"}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(file)
	if err != nil || got.Accounts[0].Credentials["api_key"].Reveal() != marker {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := config.Load(file + ".missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want it to say that the file does not exist", err)
	}
}

// FuzzParse holds that no file makes Parse panic, and that no error shows a value
// of the environment.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := config.Parse("f.yaml", src, func(string) (string, bool) { return marker, true }, t.TempDir())
		if err != nil && strings.Contains(err.Error(), marker) && !strings.Contains(string(src), marker) {
			t.Errorf("a value of the environment is shown: %v", err)
		}
	})
}
