package manifest

import (
	"slices"
	"testing"
)

func TestInferredOfExportNamesWhatFilesRestOn(t *testing.T) {
	networks, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	n := networks[slices.IndexFunc(networks, func(n *Network) bool { return n.Name == "24metrics" })]
	s, ok := n.Stream(n.Roles[0], "postback_logs")
	if !ok {
		t.Fatal("24metrics has no postback logs")
	}
	if got := n.InferredOfExport(s); !slices.Contains(got, "exports_path") || slices.Contains(got, "clicks_path") {
		t.Errorf("got %v, want exports_path among them and not clicks_path", got)
	}
	if offers, _ := n.Stream(n.Roles[0], "offers"); n.InferredOfExport(offers) != nil {
		t.Error("a stream without exports rests on something of exports")
	}
}

func TestInferredOfNamesWhatACallRestsOn(t *testing.T) {
	networks, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		network, stream string
		has, hasNot     []string
	}{
		{"24metrics", "offers", []string{"offers_path"}, []string{"publishers_path", "integrations"}},
		{"offerslook", "conversions", []string{"timezone_key", "offset_means"}, []string{"offers_contains", "conversions_page"}},
		{"offerslook", "offers", []string{"offers_contains", "offset_means"}, []string{"timezone_key"}},
		{"affise", "conversions", []string{}, []string{"api_key", "page_size"}},
	} {
		n := networks[slices.IndexFunc(networks, func(n *Network) bool { return n.Name == tt.network })]
		s, ok := n.Stream(n.Roles[0], tt.stream)
		if !ok {
			t.Fatalf("%s has no stream %s", tt.network, tt.stream)
		}
		got := n.InferredOf(s)
		for _, name := range tt.has {
			if !slices.Contains(got, name) {
				t.Errorf("%s/%s: got %v, want %s among them", tt.network, tt.stream, got, name)
			}
		}
		for _, name := range tt.hasNot {
			if slices.Contains(got, name) {
				t.Errorf("%s/%s: %s is not inferred, or not used", tt.network, tt.stream, name)
			}
		}
	}
}
