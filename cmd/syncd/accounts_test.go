package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/config"
	"syncd/internal/strictyaml"
	"syncd/state"
)

func TestAnAccountHasTheNetworksBudgetsAndKeepsNoFileThatItsRowsMayNotHave(t *testing.T) {
	known, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	text := `accounts:
  - name: main
    network: 24metrics
    credentials: {api_key: "0123456789"}
    variables: {integrations: abcdefghij}
`
	for pii, drop := range map[string]bool{
		"": false, "pii: {ip: keep, email: keep}\n": false, "pii: {ip: drop}\n": true, "pii: {email: hash, key: 0123456789abcdef0123456789abcdef}\n": true,
	} {
		t.Run(strings.TrimSpace(pii), func(t *testing.T) {
			cfg, err := config.Parse("config.yaml", []byte(pii+text), func(string) (string, bool) { return "", false }, "")
			if err != nil {
				t.Fatal(err)
			}
			accounts, problems := buildAccounts(cfg, known)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			run := accounts[0].run
			want := map[string]state.Budget{"exports": {Name: "exports", Calls: 10, Per: 24 * time.Hour}}
			if d := cmp.Diff(want, run.Budgets); d != "" {
				t.Errorf("budgets (-want +got):\n%s", d)
			}
			for _, q := range run.Quotas {
				if q.Name == "exports" {
					t.Error("every call counts as an export")
				}
			}
			if run.DropFiles != drop {
				t.Errorf("it drops its files: %v, want %v", run.DropFiles, drop)
			}
		})
	}
}

func TestAnAccountIsAsFastAsItSaysAndElseAsTheNetwork(t *testing.T) {
	known, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for pace, want := range map[string]time.Duration{
		"{}":                                    500 * time.Millisecond,
		"{min_delay: 3s}":                       3 * time.Second,
		"{min_delay: 0s}":                       500 * time.Millisecond,
		"{min_delay: 0s, allow_faster: true}":   0,
		"{min_delay: 20ms, allow_faster: true}": 20 * time.Millisecond,
		"{parallel: 4, allow_faster: true}":     500 * time.Millisecond,
	} {
		text := "accounts:\n  - name: main\n    network: 24metrics\n    credentials: {api_key: \"0123456789\"}\n    variables: {integrations: abcdefghij}\n    pace: " + pace + "\n"
		cfg, err := config.Parse("config.yaml", []byte(text), func(string) (string, bool) { return "", false }, "")
		if err != nil {
			t.Fatal(err)
		}
		accounts, problems := buildAccounts(cfg, known)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := accounts[0].run.MinDelay; got != want {
			t.Errorf("pace %s: a call every %s, want %s", pace, got, want)
		}
	}
}

// TestAllMistakesOfAFileAreToldAtOnce holds that what only the networks' manifests show is
// told beside what the file alone shows, and that no mistake is told twice.
func TestAllMistakesOfAFileAreToldAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := `state: {dsn: "postgres://localhost/x"}
accounts:
  - name: main
    network: afise
    timezone: Europe/Berln
    start: 2026-13-01
  - name: beside
    network: 24metrics
    credentials: {api_key: "${SYNCD_TEST_NOT_SET}"}
    variables: {integrations: abcdefghij}
    streams: {convresions: {enabled: true}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadApp(file, io.Discard)
	problems, ok := errors.AsType[strictyaml.Problems](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
	}
	want := []string{
		"state.dsn", "accounts[0].network", "accounts[0].timezone", "accounts[0].start",
		"accounts[1].credentials.api_key", "accounts[1].streams.convresions",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, problems)
	}
}
