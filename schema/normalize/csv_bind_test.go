package normalize

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

func TestFieldsOfFiles(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Location: newYork, Variables: map[string]string{"team": "blue"}}
	zero := Paths{"1970-01-01 00:00:00", "0001-01-01T00:00:00Z"}
	for _, test := range []struct {
		name    string
		columns map[string]Field
		drop    Paths
		header  string
		record  string
		want    string
	}{
		{"any order", map[string]Field{"name": {From: Paths{"n"}}}, nil, "n,id", "x,1", "id: \"1\"\nname: \"x\""},
		{"the first of two columns that has a value", map[string]Field{"name": {From: Paths{"b", "a"}}}, nil, "a,b,id", "x,,1", "id: \"1\"\nname: \"x\""},
		{"one column for two", map[string]Field{"name": {From: Paths{"a"}}, "kind": {From: Paths{"a"}, Upper: true}}, nil, "a,id", "x,1", "id: \"1\"\nkind: \"X\"\nname: \"x\""},
		{"two columns joined", map[string]Field{"name": {From: Paths{"a", "b"}, Join: " "}}, nil, "a,b,id", "x,\"y\"\"\",1", `id: "1"` + "\n" + `name: "x y\""`},
		{"a column that the file lacks has its default", map[string]Field{"name": {From: Paths{"a"}, Default: "none"}, "kind": {From: Paths{"b"}}}, nil, "id", "1", "id: \"1\"\nname: \"none\""},
		{"words, cases, variables and constants", map[string]Field{"kind": {From: Paths{"k"}, Lower: true, Map: map[string]string{"ok": "fine"}}, "name": {Variable: "team"}, "description": {Const: "c"}}, nil, "id,k", "1,OK", "id: \"1\"\nkind: \"fine\"\nname: \"blue\"\ndescription: \"c\""},
		{"a dot in a name", map[string]Field{"name": {From: Paths{`click\.ip`}}}, nil, "id,click.ip", "1,x", "id: \"1\"\nname: \"x\""},
		{"a path of an answer beside a name", map[string]Field{"name": {From: Paths{"click.ip", "ip"}}}, nil, "id,ip", "1,x", "id: \"1\"\nname: \"x\""},
		{"times in the account's zone", map[string]Field{"created_at": {From: Paths{"t"}, Zero: zero}}, nil, "id,t", "1,2024-07-01 12:00:00", "id: \"1\"\ncreated_at: 2024-07-01 16:00:00 UTC"},
		{"zero dates are no times", map[string]Field{"created_at": {From: Paths{"t"}, Zero: zero}, "updated_at": {From: Paths{"u"}, Zero: zero}}, nil, "id,t,u", "1,1970-01-01 00:00:00,0001-01-01T00:00:00Z", "id: \"1\""},
		{"dropped columns, all of the name", nil, Paths{"a"}, "a,id,b,a", "x,1,y,z", "id: \"1\"\nextra: \"{\\\"b\\\":\\\"y\\\"}\""},
		{"of columns with one name the first, the others in extra", map[string]Field{"name": {From: Paths{"a"}}}, nil, "id,a,a,b,b,", "1,x,y,z,w,v", `id: "1"` + "\n" + `name: "x"` + "\n" + `extra: "{\"a#3\":\"y\",\"b\":\"z\",\"b#5\":\"w\",\"#6\":\"v\"}"`},
		{"a name like one that was made up", nil, nil, "id,b,b,b#3", "1,x,y,z", `id: "1"` + "\n" + `extra: "{\"b\":\"x\",\"b#3\":\"y\",\"b#3#4\":\"z\"}"`},
		{"names are escaped in extra", nil, nil, "id,\"a\"\"b\\\"", "1,x", `id: "1"` + "\n" + `extra: "{\"a\\\"b\\\\\":\"x\"}"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := fileSpec(test.columns)
			spec.Drop = test.drop
			if diff := cmp.Diff(test.want, fileRows(t, spec, c, test.header+"\n"+test.record+"\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBlankDimensionsOfFilesAreKept(t *testing.T) {
	spec := Spec{Table: "stats", Format: FormatCSV, Columns: map[string]Field{"report_date": {From: Paths{"day"}}, "clicks": {From: Paths{"clicks"}}},
		Dimensions: map[string]Field{"country": {From: Paths{"country"}}, "sub1": {From: Paths{"s"}}}}
	got := fileRows(t, spec, &Context{Stream: "by_country"}, "day,country,clicks\n2024-03-05,US,3\n2024-03-05,,4\n")
	for _, want := range []string{"country: \"US\"", "dimension_key: \"country=\"", "clicks: 4"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}

func TestBindNamesTheColumnsThatNoRowCanDoWithout(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Spec)
		header string
		by     string
		want   string
	}{
		{"all there", nil, "click_id,created_at,sub1", "", ""},
		{"key and partition", nil, "sub1,sub2", "", "click_id (from click_id), report_date (from created_at)"},
		{"one of two paths is enough", func(s *Spec) { s.Columns["click_id"] = Field{From: Paths{"cid", "id"}} }, "id,created_at", "", ""},
		{"none of two paths", func(s *Spec) { s.Columns["click_id"] = Field{From: Paths{"cid", "id"}} }, "created_at", "", "click_id (from cid, id)"},
		{"a default is enough", func(s *Spec) { s.Columns["click_id"] = Field{From: Paths{"cid"}, Default: "none"} }, "created_at", "", ""},
		{"names are told apart by case", nil, "Click_id,created_at", "", "click_id (from click_id)"},
		{"the window's column", func(s *Spec) { s.Columns["report_date"] = Field{From: Paths{"day"}} }, "click_id,day", "created_at", "created_at (from created_at)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := clickSpec()
			if test.change != nil {
				test.change(&spec)
			}
			f, err := OpenCSV(strings.NewReader(test.header+"\nx\n"), "")
			if err != nil {
				t.Fatal(err)
			}
			n := mustCompile(t, spec)
			err = n.Bind(f.Header())
			if err == nil {
				c := clickContext()
				c.By = test.by
				_, _, err = n.Chunk(&Chunk{}, c, schema.NewBlock(n.Table()), reuse, nil)
			}
			switch {
			case test.want == "" && err == nil:
			case test.want == "" || !errors.Is(err, ErrMissingColumns) || !strings.HasSuffix(err.Error(), ": "+test.want):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	n := mustCompile(t, clickSpec())
	if _, _, err := n.Chunk(&Chunk{}, clickContext(), schema.NewBlock(n.Table()), reuse, nil); err == nil {
		t.Error("a chunk was read without its header")
	}
}

func TestNormalizerReadsFilesOfDifferentHeaders(t *testing.T) {
	n := mustCompile(t, fileSpec(map[string]Field{"name": {From: Paths{"a", "b"}}, "kind": {From: Paths{"b"}}}))
	var got bytes.Buffer
	for _, file := range []string{"id,a,b\n1,x,y\n", "b,id\ny,2\n", "id\n3\n"} {
		f, err := OpenCSV(strings.NewReader(file), ",")
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Bind(f.Header()); err != nil {
			t.Fatal(err)
		}
		var c Chunk
		if err := f.Next(&c); err != nil {
			t.Fatal(err)
		}
		block, _, err := n.Clone().Chunk(&c, &Context{}, schema.NewBlock(n.Table()), reuse, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Dump(&got, block); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for line := range strings.Lines(got.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "id:") || strings.HasPrefix(line, "name:") || strings.HasPrefix(line, "kind:") {
			lines = append(lines, line)
		}
	}
	want := []string{`id: "1"`, `kind: "y"`, `name: "x"`, `id: "2"`, `kind: "y"`, `name: "y"`, `id: "3"`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
