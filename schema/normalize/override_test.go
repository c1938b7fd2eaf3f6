package normalize

import (
	"slices"
	"strings"
	"testing"
)

// A status may rest on more than its own word.
func TestASecondValueMayOverrideAStatus(t *testing.T) {
	// M1 Shop has a flag, MonsterLeads a reason, WhoCPA a lead that is not closed.
	m1 := Field{From: Paths{"status"}, Map: map[string]string{"0": "pending", "1": "approved", "2": "rejected"}, MapElse: "unknown",
		Override: []Override{{From: Paths{"trash", "flags.trash"}, Equals: Paths{"1", "true"}, Value: "trash"}}}
	monster := Field{From: Paths{"status"}, Map: map[string]string{"approved": "approved", "aborted": "rejected"}, MapElse: "pending",
		Override: []Override{{When: "rejected", From: Paths{"reason"}, Equals: Paths{"1", "5"}, Value: "trash"}}}
	who := Field{From: Paths{"status"}, Map: map[string]string{"0": "pending", "1": "approved"}, MapElse: "unknown",
		Override: []Override{
			{When: "approved", From: Paths{"is_closed"}, Equals: Paths{"", "0"}, Value: "hold"},
			{When: "approved", From: Paths{"is_closed"}, Equals: Paths{"0", "1"}, Value: "approved"},
		}}
	none := Field{From: Paths{"status"}, Default: "d", Override: []Override{{From: Paths{"trash"}, Equals: Paths{"1"}, Value: "gone"}}}
	constant := Field{Const: "c", Override: []Override{{When: "c", From: Paths{"trash"}, Equals: Paths{"1"}, Value: "gone"}}}
	for name, tt := range map[string]struct {
		field  Field
		record string
		want   string
	}{
		"no flag":                                 {m1, `"status":1`, "approved"},
		"a flag that is not set":                  {m1, `"status":1,"trash":0`, "approved"},
		"a flag":                                  {m1, `"status":2,"trash":1`, "trash"},
		"a flag as text":                          {m1, `"status":"2","trash":" 1 "`, "trash"},
		"a flag as a truth value":                 {m1, `"trash":true,"status":2`, "trash"},
		"a flag that is false":                    {m1, `"trash":false,"status":2`, "rejected"},
		"a flag elsewhere":                        {m1, `"status":0,"trash":null,"flags":{"trash":"1"}`, "trash"},
		"a flag beside a word that is not known":  {m1, `"status":9,"trash":1`, "trash"},
		"a flag beside no status":                 {m1, `"trash":1`, "trash"},
		"a reason of a refusal":                   {monster, `"status":"aborted","reason":5`, "trash"},
		"another reason":                          {monster, `"status":"aborted","reason":7`, "rejected"},
		"a reason that is written with escapes":   {monster, `"status":"aborted","reason":"\u0035"`, "trash"},
		"a reason of something else":              {monster, `"status":"approved","reason":5`, "approved"},
		"the first that holds counts":             {who, `"status":1,"is_closed":0`, "hold"},
		"no value where none is one of them":      {who, `"status":1`, "hold"},
		"a list in place of a value":              {who, `"status":1,"is_closed":[]`, "hold"},
		"another value":                           {who, `"status":1,"is_closed":1`, "approved"},
		"only with the value that it is said for": {who, `"status":0,"is_closed":0`, "pending"},
		"in place of a default":                   {none, `"trash":1`, "gone"},
		"a default that is not overridden":        {none, `"trash":2`, "d"},
		"in place of a constant":                  {constant, `"trash":1`, "gone"},
		"a constant that is not overridden":       {constant, `"x":1`, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := entity(map[string]Field{"name": tt.field})
			got := rows(t, spec, &Context{Network: "n", Account: "a", Stream: "things"}, `[{"id":1,`+tt.record+`}]`)
			if !strings.Contains(got, `name: "`+tt.want+`"`) {
				t.Errorf("got\n%s\nwant the name %q", got, tt.want)
			}
		})
	}
}

// What an override looks at was asked for: it does not stay in extra.
func TestTheSecondValueOfAnOverrideIsNotExtra(t *testing.T) {
	spec := entity(map[string]Field{"name": {From: Paths{"status"}, Override: []Override{{From: Paths{"trash"}, Equals: Paths{"1"}, Value: "x"}}}})
	if got := rows(t, spec, &Context{Network: "n", Account: "a"}, `[{"id":1,"status":"s","trash":1}]`); strings.Contains(got, "extra") {
		t.Errorf("got\n%s\nwant nothing in extra", got)
	}
}

func TestADimensionMayBeOverridden(t *testing.T) {
	spec := Spec{Table: "stats", Columns: map[string]Field{"report_date": {From: Paths{"d"}}, "report": {Const: "r"}},
		Dimensions: map[string]Field{"kind": {From: Paths{"k"}, Override: []Override{{From: Paths{"x"}, Equals: Paths{"1"}, Value: "other"}}}}}
	got := normalized(t, spec, &Context{Network: "n", Account: "a", Stream: "r"}, `[{"d":"2024-03-05","k":"a","x":1},{"d":"2024-03-05","x":1},{"d":"2024-03-05","k":"b"}]`)
	if strings.Count(got, `other`) < 2 || !strings.Contains(got, `"b"`) {
		t.Errorf("got\n%s\nwant the kinds other, other and b", got)
	}
}

func TestPathsThatAreVariablesAreResolvedBeforeASpecIsCompiled(t *testing.T) {
	spec := Spec{Table: "entities", Records: Paths{"{variable.rows}", "data"}, Columns: map[string]Field{
		"id":   {From: Paths{"{variable.id}", "id"}},
		"name": {From: Paths{"{variable.name}"}},
		"kind": {From: Paths{"{variable.name}"}, Default: "k", Override: []Override{{From: Paths{"{variable.flag}"}, Equals: Paths{"1"}, Value: "x"}}},
	}}
	if got, want := spec.Variables(), []string{"flag", "id", "name", "rows"}; !slices.Equal(got, want) {
		t.Errorf("got the variables %q, want %q", got, want)
	}
	if _, err := Compile(spec); err == nil || !strings.Contains(err.Error(), "the path is the variable id, which has to be resolved first") {
		t.Errorf("got %v, want the variable refused", err)
	}
	empty := spec.Resolve(func(string) string { return "" })
	if _, ok := empty.Columns["name"]; ok || len(empty.Columns["kind"].Override) > 0 || !slices.Equal(empty.Records, Paths{"data"}) {
		t.Errorf("got %+v, want what has no path left out", empty)
	}
	values := map[string]string{"rows": "a.b", "id": "number, id", "name": "n", "flag": "f"}
	full := spec.Resolve(func(name string) string { return values[name] })
	got := rows(t, full, &Context{Network: "n", Account: "a"}, `{"a":{"b":[{"number":7,"n":"x"}]}}`)
	if !slices.Equal(full.Columns["id"].From, Paths{"number", "id"}) || !strings.Contains(got, `id: "7"`) || !strings.Contains(got, `name: "x"`) {
		t.Errorf("got %+v and\n%s\nwant id 7 and name x", full, got)
	}
	if len(spec.Records) != 2 || len(spec.Columns["kind"].Override) != 1 {
		t.Errorf("the spec itself was changed: %+v", spec)
	}
}
