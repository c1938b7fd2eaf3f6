package pipeline

import (
	"maps"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/schema/normalize"
)

func TestAMappingIsToldFromAnother(t *testing.T) {
	t.Parallel()
	table, _ := schema.Lookup("conversions")
	describe := func() (*Account, *extractors.Stream) {
		columns := map[string]normalize.Field{
			"conversion_id": {From: normalize.Paths{"id"}},
			"status":        {From: normalize.Paths{"status"}, Map: map[string]string{"1": "approved", "2": "pending"}},
			"currency":      {Variable: "currency"},
			"created_at":    {From: normalize.Paths{"{variable.time_field}"}},
		}
		return &Account{Name: "main", Location: time.UTC}, &extractors.Stream{
			Name: "conversions", Window: &extractors.WindowRule{By: "created_at"},
			Outputs:   []extractors.Output{{Table: table, Spec: normalize.Spec{Table: "conversions", Columns: columns}}},
			Export:    &extractors.ExportRule{Outputs: []extractors.Output{{Table: table, Spec: normalize.Spec{Table: "conversions", Format: normalize.FormatCSV, Columns: maps.Clone(columns)}}}},
			Variables: map[string]string{"currency": "USD", "time_field": "at", "page_size": "20"},
		}
	}
	a, s := describe()
	mapping := a.Mapping(s)
	for range 20 {
		if a, s := describe(); a.Mapping(s) != mapping {
			t.Fatal("the same mapping is told from itself")
		}
	}
	for name, test := range map[string]struct {
		change func(a *Account, s *extractors.Stream)
		same   bool
	}{
		"a word for a status": {func(_ *Account, s *extractors.Stream) { s.Outputs[0].Spec.Columns["status"].Map["2"] = "hold" }, false},
		"a column of files": {func(_ *Account, s *extractors.Stream) {
			s.Export.Outputs[0].Spec.Columns["payout"] = normalize.Field{Const: "1"}
		}, false},
		"what the value of a column is": {func(_ *Account, s *extractors.Stream) { s.Variables["currency"] = "EUR" }, false},
		"a variable that is a path":     {func(_ *Account, s *extractors.Stream) { s.Variables["time_field"] = "made" }, false},
		"a variable of the request":     {func(_ *Account, s *extractors.Stream) { s.Variables["page_size"] = "50" }, true},
		"how often it is pulled":        {func(_ *Account, s *extractors.Stream) { s.Schedule = "@hourly" }, true},
		"the account's zone":            {func(a *Account, _ *extractors.Stream) { a.Location = time.FixedZone("X", 3600) }, false},
		"that it is about leads":        {func(_ *Account, s *extractors.Stream) { s.Outputs[0].Leads = true }, false},
		"the account's name":            {func(a *Account, _ *extractors.Stream) { a.Name = "other" }, true},
	} {
		a, s := describe()
		test.change(a, s)
		if same := a.Mapping(s) == mapping; same != test.same {
			t.Errorf("%s: the mapping is the same: %v, want %v", name, same, test.same)
		}
	}
}
