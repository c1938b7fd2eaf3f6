package manifest

import (
	"os"
	"slices"
	"testing"
	"time"

	"syncd/schema/normalize"
)

// exporting reads the network with exports in testdata.
func exporting(t *testing.T) (*Network, *Stream) {
	t.Helper()
	src, err := os.ReadFile("testdata/exports.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n, problems := Parse("exports.yaml", src)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return n, n.Streams[0]
}

func TestExportsHaveDefaults(t *testing.T) {
	n, s := exporting(t)
	x := n.Exports
	if x.CoolDown != 10*time.Minute || x.MinRange != time.Hour || x.Reuse != 6*time.Hour || x.Separator != "," {
		t.Errorf("got defaults %+v", x)
	}
	if want := (ExportPoll{First: 10 * time.Second, Factor: 1.5, Max: 2 * time.Minute, Deadline: time.Hour}); x.Poll != want {
		t.Errorf("got pauses %+v, want %+v", x.Poll, want)
	}
	if s.Export.Method != "POST" || s.Export.Delimiter != "," {
		t.Errorf("got method %q and delimiter %q", s.Export.Method, s.Export.Delimiter)
	}
}

func TestExportFieldsFollowFromTheColumns(t *testing.T) {
	_, s := exporting(t)
	s.Output.Columns["sub1"] = normalize.Field{From: normalize.Paths{`extra_params\.keys`, "device.name", "device.id"}}
	s.Output.Columns["sub2"] = normalize.Field{Const: "x"}
	s.Output.Columns["sub3"] = normalize.Field{From: normalize.Paths{"$key"}}
	s.Output.Columns["sub4"] = normalize.Field{From: normalize.Paths{"only in answers"}}
	s.Output.Dimensions = map[string]normalize.Field{"goal": {From: normalize.Paths{"goal"}}}
	s.Also = []normalize.Spec{{Table: "entities", Columns: map[string]normalize.Field{"name": {From: normalize.Paths{"name"}, Fold: "oid"}}}}
	s.Export.Columns = map[string]normalize.Field{"sub4": {}, "created_at": {From: normalize.Paths{"time"}}}
	want := []string{"device", "extra_params.keys", "goal", "id", "name", "oid", "time"}
	if got := s.ExportFields(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Export.Fields = []string{"b", "a"}
	if got := s.ExportFields(); !slices.Equal(got, s.Export.Fields) {
		t.Errorf("got %q, want the fields as they are listed", got)
	}
}

func TestExportOutputsAreThoseOfTheStreamFromAFile(t *testing.T) {
	_, s := exporting(t)
	s.Also = []normalize.Spec{{Table: "entities", Records: normalize.Paths{"rows"}, Wrapped: "row"}}
	s.Export.Columns = map[string]normalize.Field{"conversion_id": {From: normalize.Paths{"number"}}}
	s.Export.Drop = normalize.Paths{"noise"}
	for i, spec := range s.ExportOutputs() {
		if spec.Format != normalize.FormatCSV || spec.Records != nil || spec.Wrapped != "" {
			t.Errorf("output %d is read as %+v", i, spec)
		}
	}
	main := s.ExportOutputs()[0]
	if main.Columns["conversion_id"].From[0] != "number" || main.Columns["created_at"].From[0] != "at" || !slices.Equal(main.Drop, s.Export.Drop) {
		t.Errorf("got columns %v and drop %v", main.Columns, main.Drop)
	}
	if s.Output.Columns["conversion_id"].From[0] != "id" || s.Output.Records == nil || s.Also[0].Wrapped == "" {
		t.Error("the stream's own outputs were changed")
	}
}
