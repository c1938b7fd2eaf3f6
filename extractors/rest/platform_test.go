package rest

import (
	"strings"
	"testing"
	"time"

	"syncd/extractors/manifest"
	"syncd/schema"
)

// affise gives the embedded manifest and an admin account with variables.
func affise(t *testing.T, variables map[string]string) (*Source, error) {
	t.Helper()
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		if n.Name == "affise" {
			return New(n, Account{
				Name: "a", BaseURL: "https://api.example.com", Role: "admin", Location: time.UTC,
				Credentials: map[string]Secret{"api_key": plain("a-key-of-an-account")}, Variables: variables,
			})
		}
	}
	t.Fatal("there is no manifest of Affise")
	return nil, nil
}

func TestThePlatformsZoneIsThatOfCallsWithoutAZone(t *testing.T) {
	s, err := affise(t, map[string]string{"platform_timezone": "Europe/Moscow"})
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range s.Streams() {
		for _, out := range st.Outputs {
			for name, f := range out.Spec.Columns {
				if out.Table.Columns[out.Table.Index(name)].Type != schema.Time || len(f.From) == 0 {
					continue
				}
				want := "Europe/Moscow"
				if st.Window != nil {
					want = "" // these calls name the account's zone
				}
				if f.Zone != want {
					t.Errorf("stream %s, column %s: got zone %q, want %q", st.Name, name, f.Zone, want)
				}
			}
		}
	}
}

func TestWhatATenantMayContradictIsSetWithoutANewBuild(t *testing.T) {
	tests := []struct {
		name, variable, value string
		age                   time.Duration
		wrong                 string
	}{
		{"by the documentation clicks reach a week back", "clicks_max_age", "7d", 7 * 24 * time.Hour, ""},
		{"a tenant may keep them longer", "clicks_max_age", "35d", 35 * 24 * time.Hour, ""},
		{"or for ever", "clicks_max_age", "0s", 0, ""},
		{"an age that is none is refused", "clicks_max_age", "long", 0, `"long" is not an age`},
		{"a zone that is none is refused", "platform_timezone", "Moscow", 0, `"Moscow" is not an IANA time zone`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := affise(t, map[string]string{tt.variable: tt.value})
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want %q in it", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range s.Streams() {
				if st.Name == "clicks" && st.Window.MaxAge != tt.age {
					t.Errorf("got %v, want %v", st.Window.MaxAge, tt.age)
				}
			}
		})
	}
}
