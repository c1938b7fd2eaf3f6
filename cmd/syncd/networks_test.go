package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// catalogued runs the command as a user does.
func catalogued(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := newNetworksCommand()
	c.SetArgs(append([]string{}, args...)) // nil would be those of the process
	c.SetOut(&out)
	c.SilenceUsage = true
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestTheCatalogueInWords compares with testdata/networks*.golden; -update rewrites
// them, when a manifest says something else.
func TestTheCatalogueInWords(t *testing.T) {
	for name, args := range map[string][]string{
		"networks": nil, "networks_24metrics": {"24metrics"}, "networks_hasoffers": {"hasoffers"},
		"networks_offerslook": {"offerslook"}, "networks_performcb": {"performcb"},
	} {
		t.Run(name, func(t *testing.T) {
			got := catalogued(t, args...)
			golden := filepath.Join("testdata", name+".golden")
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
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheCatalogueSaysAllThatAnAccountCanSet(t *testing.T) {
	known, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range known {
		text := catalogued(t, name)
		for _, wanted := range slices.Concat(sortedKeys(n.Credentials), sortedKeys(n.Variables)) {
			if !strings.Contains(text, "\n  "+wanted+": ") {
				t.Errorf("%s: nothing is said of %s", name, wanted)
			}
		}
		for _, s := range n.Streams {
			if !strings.Contains(text, "\n"+s.Name+" ") || !strings.Contains(text, s.Doc) {
				t.Errorf("%s: nothing is said of stream %s", name, s.Name)
			}
		}
	}
}

func TestTheCatalogueAsJSON(t *testing.T) {
	var all []networkEntry
	if err := json.Unmarshal([]byte(catalogued(t, "--json")), &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string]networkEntry{}
	for _, n := range all {
		byName[n.Name] = n
	}
	stream := func(network, name string) streamEntry {
		t.Helper()
		for _, s := range byName[network].Streams {
			if s.Name == name {
				return s
			}
		}
		t.Fatalf("%s has no stream %s", network, name)
		return streamEntry{}
	}
	if got := byName["24metrics"].Quotas; !cmp.Equal(got, []quotaEntry{{Name: "exports", Calls: 10, Per: "1d", For: "exports"}}) {
		t.Errorf("24metrics has the quotas %+v", got)
	}
	for _, tt := range []struct {
		network, stream string
		routes          []string
	}{
		{"24metrics", "conversions", []string{"report", "export"}},
		{"24metrics", "postback_logs", []string{"export"}},
		{"24metrics", "offers", []string{"report"}},
		{"performcb", "conversions", []string{"report"}},
	} {
		if got := stream(tt.network, tt.stream).Routes; !cmp.Equal(got, tt.routes) {
			t.Errorf("%s of %s comes by %v, want %v", tt.stream, tt.network, got, tt.routes)
		}
	}
	if s := stream("24metrics", "clicks"); s.MaxRows != 2_000_000 || s.Settle != "10m" || s.Zone != "utc" ||
		!slices.Contains(s.Inferred, "clicks_path") || slices.Contains(s.Inferred, "click_export_path") || !slices.Contains(s.InferredExport, "click_export_path") {
		t.Errorf("clicks of 24metrics: %+v", s)
	}
	if s := stream("24metrics", "postback_logs"); s.Inferred != nil || !slices.Contains(s.InferredExport, "postback_export_path") {
		t.Errorf("postback logs rest on %v, and as files on %v", s.Inferred, s.InferredExport)
	}
	for name, own := range map[string]bool{"performcb": true, "hasoffers": true, "affise": false, "24metrics": false, "offerslook": false} {
		if byName[name].OwnZone != own {
			t.Errorf("%s needs the platform's zone: %t, want %t", name, byName[name].OwnZone, own)
		}
	}
}
