package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/config"
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
			accounts, err := buildAccounts(cfg, known)
			if err != nil {
				t.Fatal(err)
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
		accounts, err := buildAccounts(cfg, known)
		if err != nil {
			t.Fatal(err)
		}
		if got := accounts[0].run.MinDelay; got != want {
			t.Errorf("pace %s: a call every %s, want %s", pace, got, want)
		}
	}
}
