package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

// entity compiles a spec of table entities with the columns given over an id.
func entity(columns map[string]Field) Spec {
	spec := Spec{Table: "entities", Columns: map[string]Field{"id": {From: Paths{"id"}}}}
	maps.Copy(spec.Columns, columns)
	return spec
}

// rows gives the rows of body as text without the columns of the context, and bad
// rows as their reasons.
func rows(t *testing.T, spec Spec, c *Context, body string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(normalized(t, spec, c, body)) {
		line = strings.TrimSpace(line)
		switch name, _, _ := strings.Cut(line, ":"); {
		case name == "network" || name == "account" || name == "stream" || strings.HasPrefix(name, "_"):
		case strings.HasSuffix(line, " bad") || strings.Contains(line, " row "):
		default:
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func TestValues(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Network: "n", Account: "a", Stream: "things", Location: newYork, Variables: map[string]string{"team": "blue", "empty": ""}}
	from := func(paths ...string) Field { return Field{From: paths} }
	field := func(name string, f Field) map[string]Field { return map[string]Field{name: f} }
	for _, test := range []struct {
		name    string
		columns map[string]Field
		record  string
		want    string // after the id, which is 1
	}{
		{"a number is text as it stands", field("name", from("v")), `"v":9007199254740993`, `name: "9007199254740993"`},
		{"a number in a string is an amount", field("amount", from("v")), `"v":"0.10"`, `amount: 0.1`},
		{"2^53+1 is exact as an amount", field("amount", from("v")), `"v":9007199254740993`, `amount: 9007199254740993`},
		{"space around an amount is ignored", field("amount", from("v")), `"v":" 12.5\n"`, `amount: 12.5`},
		{"null, empty text, false, [] and {} are no amount", field("amount", Field{From: Paths{"a", "b", "c", "d", "e"}, Default: "7"}), `"a":null,"b":"","c":false,"d":[],"e":{}`, `amount: 7`},
		{"blank text is no amount", field("amount", Field{From: Paths{"v"}, Default: "7"}), `"v":"  "`, `amount: 7`},
		{"true is not an amount", field("amount", from("v")), `"v":true`, `bad record 0: amount: "true": not a decimal number`},
		{"an amount too large is bad", field("amount", from("v")), `"v":1e30`, `bad record 0: amount: "1e30": number is too large for Decimal(38, 10)`},
		{"a long value is cut in the reason", field("amount", from("v")), `"v":"` + strings.Repeat("é", 100) + `"`, `bad record 0: amount: "` + strings.Repeat("é", 40) + `"...: not a decimal number`},

		{"escapes are undone", field("name", from("v")), `"v":"a\"\\\/\b\f\n\r\tz"`, `name: "a\"\\/\b\f\n\r\tz"`},
		{"unicode escapes are undone", field("name", from("v")), `"v":"\u043d\u0435\u0442 \u00e9"`, `name: "нет é"`},
		{"a surrogate pair is one character", field("name", from("v")), `"v":"\ud83d\ude00!"`, `name: "😀!"`},
		{"half a surrogate pair is replaced", field("name", from("v")), `"v":"\ud83d x \ude00\ud83d"`, `name: "� x ��"`},
		{"a high half before another character is replaced alone", field("name", from("v")), `"v":"\ud83d\u0041"`, `name: "�A"`},
		{"bytes that are not UTF-8 are replaced", field("name", from("v")), "\"v\":\"a\xffb\"", `name: "a�b"`},
		{"keys are compared without their escapes", field("name", from("v")), `"\u0076":"x"`, `name: "x"`},

		{"the first path with a value counts", field("name", from("a", "b", "c")), `"a":null,"c":"third","b":""`, `name: "third"`},
		{"the order of paths counts, not that of keys", field("name", from("a", "b")), `"b":"second","a":"first"`, `name: "first"`},
		{"of a key that stands twice the last counts", field("name", from("a")), `"a":"first","a":"last"`, `name: "last"`},
		{"false is no text", field("name", from("a", "b")), `"a":false,"b":0`, `name: "0"`},
		{"false is a word if map names it", field("kind", Field{From: Paths{"a"}, Map: map[string]string{"false": "no", "true": "yes"}}), `"a":false`, `kind: "no"`},
		{"an object is text as its JSON", field("description", from("a")), `"a":{"x": [1, "]"]}`, `description: "{\"x\": [1, \"]\"]}"`},
		{"an element of an array has its position for a key, and the array stays in extra", field("name", from("a.1.x")), `"a":[{"x":1},{"x":2,"y":3}]`, "name: \"2\"\nextra: \"{\\\"a\\\":[{\\\"x\\\":1},{\\\"x\\\":2,\\\"y\\\":3}]}\""},
		{"a dot in a key is written with a backslash", field("name", from(`a\.b`)), `"a.b":"x"`, `name: "x"`},

		{"several paths are joined", field("name", Field{From: Paths{"a", "b", "c"}, Join: " "}), `"c":"Sample","a":"Dana","b":""`, `name: "Dana Sample"`},
		{"an array is joined", field("name", Field{From: Paths{"a"}, Join: ", "}), `"a":["x\u0041",2,null,"",false,[3]]`, `name: "xA, 2, [3]"`},
		{"the keys of a map are joined", field("name", Field{From: Paths{"a"}, Keys: true}), `"a":{"US":{"id":1},"D\u0045":null,"":3,"FR":[{"x":1}]}`, `name: "US,DE,FR"`},
		{"keys are translated one by one", field("name", Field{From: Paths{"a"}, Keys: true, Join: " / ", Upper: true, Map: map[string]string{"1": "one", "X": "ten"}}), `"a":{"1":{},"x":0,"y":""}`, `name: "one / ten / Y"`},
		{"unknown keys become map_else", field("name", Field{From: Paths{"a"}, Keys: true, Map: map[string]string{"1": "one"}, MapElse: "other"}), `"a":{"1":{},"2":{}}`, `name: "one,other"`},
		{"an empty array has no keys", field("name", Field{From: Paths{"a"}, Keys: true, Default: "none"}), `"a":[]`, `name: "none"`},
		{"an empty map has no keys", field("name", Field{From: Paths{"a"}, Keys: true, Default: "none"}), `"a":{}`, `name: "none"`},
		{"an array gives its values for keys", field("name", Field{From: Paths{"a"}, Keys: true, Map: map[string]string{"1": "one"}}), `"a":[1,"US"]`, `name: "one,US"`},
		{"text is its own key", field("name", Field{From: Paths{"a"}, Keys: true}), `"a":"US"`, `name: "US"`},
		{"a zero date of the network is no time", field("created_at", Field{From: Paths{"v", "w"}, Zero: Paths{"1970-01-01 00:00:00", "0001-01-01T00:00:00Z"}}), `"v":" 0001-01-01T00:00:00Z","w":"2024-07-01 12:00:00"`, `created_at: 2024-07-01 16:00:00 UTC`},
		{"a zero number is no value", field("name", Field{From: Paths{"v"}, Zero: Paths{"0", "a/b"}, Default: "none"}), `"v":0`, `name: "none"`},
		{"a zero is compared without escapes", field("name", Field{From: Paths{"v"}, Zero: Paths{"0", "a/b"}, Default: "none"}), `"v":"a\/b"`, `name: "none"`},
		{"zeros are not joined", field("name", Field{From: Paths{"v", "w"}, Zero: Paths{"0"}, Join: "-"}), `"v":[1,0,2],"w":"0"`, `name: "1-2"`},
		{"nothing to join is no value", field("name", Field{From: Paths{"a", "b"}, Join: "-", Default: "none"}), `"a":null`, `name: "none"`},

		{"words are translated", field("kind", Field{From: Paths{"v"}, Map: map[string]string{"1": "one"}}), `"v":1`, `kind: "one"`},
		{"an unknown word is kept", field("kind", Field{From: Paths{"v"}, Map: map[string]string{"1": "one"}}), `"v":2`, `kind: "2"`},
		{"an unknown word becomes map_else", field("kind", Field{From: Paths{"v"}, Map: map[string]string{"1": "one"}, MapElse: "many"}), `"v":2`, `kind: "many"`},
		{"no word is not an unknown word", field("kind", Field{From: Paths{"v"}, Map: map[string]string{"1": "one"}, MapElse: "many"}), `"v":null`, ``},
		{"lower comes before map", field("kind", Field{From: Paths{"v"}, Lower: true, Map: map[string]string{"ok": "fine"}}), `"v":"OK"`, `kind: "fine"`},
		{"upper knows other alphabets", field("kind", Field{From: Paths{"v"}, Upper: true}), `"v":"usd ж"`, `kind: "USD Ж"`},
		{"a constant is the same for all", field("kind", Field{Const: "cap"}), ``, `kind: "cap"`},
		{"a variable is the account's", field("kind", Field{Variable: "team"}), ``, `kind: "blue"`},
		{"an empty variable has its default", field("kind", Field{Variable: "empty", Default: "red"}), ``, `kind: "red"`},

		{"a time is in the account's zone", field("created_at", from("v")), `"v":"2024-07-01 12:00:00"`, `created_at: 2024-07-01 16:00:00 UTC`},
		{"a time is in the zone of the field", field("created_at", Field{From: Paths{"v"}, Zone: "Europe/Moscow"}), `"v":"2024-07-01 12:00:00"`, `created_at: 2024-07-01 09:00:00 UTC`},
		{"a time is in UTC", field("created_at", Field{From: Paths{"v"}, Zone: "utc"}), `"v":"2024-07-01 12:00:00.250"`, `created_at: 2024-07-01 12:00:00.25 UTC`},
		{"an offset in the text counts over the zone", field("created_at", from("v")), `"v":"2024-07-01T12:00:00+02:00"`, `created_at: 2024-07-01 10:00:00 UTC`},
		{"a skipped time is shifted forward", field("created_at", from("v")), `"v":"2024-03-10 02:30:00"`, `created_at: 2024-03-10 07:30:00 UTC`},
		{"a repeated time is the earlier", field("created_at", from("v")), `"v":"2024-11-03 01:30:00"`, `created_at: 2024-11-03 05:30:00 UTC`},
		{"a repeated time is the one its ObjectId was made at", field("created_at", Field{From: Paths{"v"}, Fold: "oid"}), `"v":"2024-11-03 01:30:00","oid":"67271898134ed093008b4578"`, `created_at: 2024-11-03 06:30:00 UTC`},
		{"an id that is no ObjectId decides nothing", field("created_at", Field{From: Paths{"v"}, Fold: "oid"}), `"v":"2024-11-03 01:30:00","oid":71`, `created_at: 2024-11-03 05:30:00 UTC`},
		{"MySQL's zero date is no time", field("created_at", from("v")), `"v":"0000-00-00 00:00:00"`, ``},
		{"PHP's year -1 is no time", field("created_at", from("v")), `"v":"-0001-11-30 00:00:00"`, ``},
		{"the epoch in another zone is the epoch", field("updated_at", Field{From: Paths{"v"}, Zone: "Europe/Moscow"}), `"v":"1970-01-01 03:00:00"`, ``},
		{"Unix seconds", field("created_at", Field{From: Paths{"v.sec"}, Layout: LayoutUnix}), `"v":{"sec":1511859343}`, `created_at: 2017-11-28 08:55:43 UTC`},
		{"Unix milliseconds", field("created_at", Field{From: Paths{"v"}, Layout: LayoutUnixMilli}), `"v":"1511859343662"`, `created_at: 2017-11-28 08:55:43.662 UTC`},
		{"a layout of Go", field("created_at", Field{From: Paths{"v"}, Layout: "Jan 2, 2006 15:04"}), `"v":"Jul 1, 2024 12:00"`, `created_at: 2024-07-01 16:00:00 UTC`},
		{"a layout of Go with an offset", field("created_at", Field{From: Paths{"v"}, Layout: "Jan 2, 2006 15:04 -0700"}), `"v":"Jul 1, 2024 12:00 +0100"`, `created_at: 2024-07-01 11:00:00 UTC`},
		{"a time far away is bad", field("created_at", from("v")), `"v":"9999-12-31 00:00:00"`, `bad record 0: created_at: "9999-12-31 00:00:00": time is out of range`},

		{"what nobody names is left to extra", field("name", from("a.b")), `"x":null,"a":{"b":1,"c":{"d":[]}},"y":[1,2],"z":""`, "name: \"1\"\nextra: \"{\\\"x\\\":null,\\\"a\\\":{\\\"c\\\":{\\\"d\\\":[]}},\\\"y\\\":[1,2],\\\"z\\\":\\\"\\\"}\""},
		{"an object that is wanted whole and in part is not left to extra", map[string]Field{"description": from("a"), "name": from("a.b")}, `"a":{"b":1,"c":2}`, "name: \"1\"\ndescription: \"{\\\"b\\\":1,\\\"c\\\":2}\""},
		{"an empty array for an object is nothing", field("name", from("a.b")), `"a":[]`, ``},
		{"text for an object is left to extra", field("name", from("a.b")), `"a":"odd"`, `extra: "{\"a\":\"odd\"}"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := `[{"id":1` + strings.TrimSuffix(","+test.record, ",") + `}]`
			want := test.want
			if !strings.HasPrefix(want, "bad") {
				want = strings.TrimSpace("id: \"1\"\n" + want)
			}
			got := rows(t, entity(test.columns), c, body)
			if strings.HasPrefix(want, "bad") {
				got, _, _ = strings.Cut(got, "\n")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCountsAndFlags(t *testing.T) {
	spec := Spec{Table: "stats", Columns: map[string]Field{
		"report_date": {From: Paths{"d"}}, "clicks": {From: Paths{"n"}}, "report_hour": {From: Paths{"h"}}}}
	test := Spec{Table: "clicks", Columns: map[string]Field{
		"click_id": {Const: "1"}, "report_date": {Const: "2024-01-01"}, "is_test": {From: Paths{"f"}}}}
	for _, c := range []struct {
		name   string
		spec   Spec
		record string
		want   string
	}{
		{"a count in a string", spec, `"n":"1840"`, "clicks: 1840"},
		{"a count with decimals of zero", spec, `"n":12.0`, "clicks: 12"},
		{"a count in scientific notation", spec, `"n":1e3`, "clicks: 1000"},
		{"a count of 20 digits", spec, `"n":18446744073709551615`, "clicks: 18446744073709551615"},
		{"a count that is true is one", spec, `"n":true`, "clicks: 1"},
		{"a broken count is bad", spec, `"n":1.5`, `bad record 0: clicks: "1.5": not a whole number from 0 on`},
		{"an hour", spec, `"h":"07"`, "report_hour: 7"},
		{"an hour of 24 is bad", spec, `"h":24`, `bad record 0: report_hour: "24": not an hour from 0 to 23`},
		{"a date with a clock time", spec, `"d":"2024-01-02 03:04:05"`, "report_date: 2024-01-02"},
		{"a date before the epoch is bad", spec, `"d":"1969-12-31"`, `bad record 0: report_date: "1969-12-31": time is out of range`},
		{"a date with something after it is bad", spec, `"d":"2024-01-02x"`, `bad record 0: report_date: "2024-01-02x": not a time in the expected layout`},
		{"a flag that is true", test, `"f":true`, "is_test: 1"},
		{"a flag that is 1 in a string", test, `"f":"1"`, "is_test: 1"},
		{"a flag that is yes", test, `"f":"yes"`, "is_test: 1"},
		{"a flag that is false", test, `"f":false`, ""},
		{"a flag that is another word is bad", test, `"f":"maybe"`, `bad record 0: is_test: "maybe": not a truth value`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := `[{"x":{},` + c.record + `}]`
			if !strings.Contains(c.record, `"d"`) {
				body = `[{"d":"2024-01-02",` + c.record + `}]`
			}
			got := rows(t, c.spec, &Context{Stream: "s"}, body)
			if !strings.Contains("\n"+got+"\n", "\n"+c.want+"\n") && c.want != "" || c.want == "" && strings.Contains(got, "is_test") {
				t.Errorf("got\n%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestKeyOrderDoesNotMatter(t *testing.T) {
	spec := entity(map[string]Field{"name": {From: Paths{"a.x"}}, "amount": {From: Paths{"b"}}, "kind": {From: Paths{"a.y"}}})
	body := `[{"id":1,"a":{"x":"p","y":"q"},"b":2},{"b":2,"a":{"y":"q","x":"p"},"id":1},{"a":{"y":"q","x":"p"},"id":1,"b":2},{"b":2,"id":1,"a":{"x":"p","y":"q"}}]`
	one := "id: \"1\"\nkind: \"q\"\nname: \"p\"\namount: 2"
	if diff := cmp.Diff(strings.Repeat(one+"\n", 4), rows(t, spec, &Context{}, body)+"\n"); diff != "" {
		t.Error(diff)
	}
}

func TestShapes(t *testing.T) {
	paths := func(records ...string) Spec {
		return Spec{Table: "entities", Records: records, Columns: map[string]Field{"id": {From: Paths{"$key"}}, "name": {From: Paths{"n"}}}}
	}
	spec := func(records string, shape Shape) Spec {
		return Spec{Table: "entities", Records: Paths{records}, Shape: shape, Columns: map[string]Field{"id": {From: Paths{"$key"}}, "name": {From: Paths{"n"}}}}
	}
	for _, test := range []struct {
		name string
		spec Spec
		body string
		want string // ids, or the error
	}{
		{"an array", spec("a.b", ShapeArray), `{"x":[{"n":9}],"a":{"b":[{"n":1},{"n":2}]}}`, `"0" "1"`},
		{"a map", spec("a", ShapeMap), `{"a":{"k":{"n":1},"l\u0041":{"n":2}}}`, `"k" "lA"`},
		{"either as a map", spec("a", ShapeEither), `{"a":{"k":{"n":1}}}`, `"k"`},
		{"either as an array", spec("a", ""), `{"a":[{"n":1}]}`, `"0"`},
		{"an empty array for a map", spec("a", ShapeMap), `{"a":[ ]}`, ``},
		{"an empty map for an array", spec("a", ShapeArray), `{"a":{}}`, ``},
		{"null is no records", spec("a", ShapeArray), `{"a":null}`, ``},
		{"the root", spec("", ""), ` [ {"n":1} ] `, `"0"`},
		{"an array without its envelope", spec("a", ShapeArray), `[{"n":1}]`, `"0"`},
		{"no such path", spec("a.b", ShapeArray), `{"a":{"c":[]}}`, `the answer has no records: it has no a.b`},
		{"text for records", spec("a", ""), `{"a":"Auth Denied"}`, `the answer has "Auth Denied" where an array or a map of records should be`},
		{"a map for an array", spec("a", ShapeArray), `{"a":{"k":1}}`, `the answer has "{\"k\":1}" where an array of records should be`},
		{"the first of two paths that leads somewhere", paths("r.d.d", "r.d"), `{"r":{"d":{"d":[{"n":1}]}}}`, `"0"`},
		{"the second where the first leads nowhere", paths("r.d.d", "r.d"), `{"r":{"x":1,"d":{"k":{"n":1}}}}`, `"k"`},
		{"the second where the first meets an array", paths("r.d.d", "r.d"), `{"r":{"d":[{"n":1},{"n":2}]}}`, `"0" "1"`},
		{"null at the first path is no records", paths("r.d.d", "r.d"), `{"r":{"d":{"d":null}}}`, ``},
		{"neither path", paths("r.d.d", "r.d"), `{"r":{}}`, `the answer has no records: it has no r.d.d or r.d`},
		{"a path cut short is an error, not a reason to try the next", paths("r.d.d", "r.d"), `{"r":{"d":{"x`, `JSON ends too early at byte 13`},
		{"HTML", spec("a", ""), `<html>`, `the answer has no records: it has no a`},
		{"a cut body", spec("a", ""), `{"a":[{"n":1},{"n"`, `JSON ends too early at byte 18`},
		{"nothing", spec("a", ""), ``, `JSON ends too early at byte 0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := mustCompile(t, test.spec)
			block, counts, err := n.Page([]byte(test.body), &Context{}, schema.NewBlock(n.Table()), reuse, func(r BadRow) error { return errors.New(r.Reason) })
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				var dump bytes.Buffer
				if err := schema.Dump(&dump, block); err != nil {
					t.Fatal(err)
				}
				var ids []string
				for line := range strings.Lines(dump.String()) {
					if id, ok := strings.CutPrefix(line, "  id: "); ok {
						ids = append(ids, strings.TrimSpace(id))
					}
				}
				got = strings.Join(ids, " ")
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			count, _, countErr := Count([]byte(test.body), test.spec.Records, test.spec.Shape)
			if countErr != nil != (err != nil) || err == nil && count != counts.Rows {
				t.Errorf("Count: got %d, %v; Page made %d rows, %v", count, countErr, counts.Rows, err)
			}
		})
	}
}

func TestSingleObject(t *testing.T) {
	spec := Spec{Table: "entities", Records: Paths{"invoice"}, Shape: ShapeObject, Columns: map[string]Field{"id": {From: Paths{"number"}}}}
	body := `{"status":1,"invoice":{"number":7}}`
	if got := rows(t, spec, &Context{}, body); got != `id: "7"` {
		t.Error(got)
	}
	if n, _, err := Count([]byte(body), Paths{"invoice"}, ShapeObject); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func TestEachElementHasTheRecordAsParent(t *testing.T) {
	spec := Spec{Table: "entities", Records: Paths{"stats"}, Each: "caps.list", Columns: map[string]Field{
		"id": {From: Paths{"parent.$key", "parent.offer_id", "$key"}, Join: ":"}, "parent_id": {From: Paths{"parent.offer_id"}},
		"amount": {From: Paths{"value", "$value"}}, "kind": {From: Paths{"kind"}}, "name": {From: Paths{"parent.title"}}}}
	body := `{"stats":{"x":{"title":"T","offer_id":71,"caps":{"list":[{"value":1,"kind":"day"},{"value":2,"left":true},3]}},
		"y":{"offer_id":72,"caps":{"list":{"a":{"value":4}}}},"z":{"offer_id":73,"caps":{}},"w":{"caps":{"list":null}},"v":[]}}`
	want := `id: "x:71:0"
parent_id: "71"
kind: "day"
name: "T"
amount: 1
id: "x:71:1"
parent_id: "71"
name: "T"
amount: 2
extra: "{\"left\":true}"
id: "x:71:2"
parent_id: "71"
name: "T"
amount: 3
id: "y:72:a"
parent_id: "72"
amount: 4`
	if diff := cmp.Diff(want, rows(t, spec, &Context{}, body)); diff != "" {
		t.Error(diff)
	}
}

func TestReportDayIsTheAccountsDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Table: "postback_logs", Columns: map[string]Field{
		"id": {From: Paths{"id"}}, "sent_at": {From: Paths{"at"}, Zone: "utc"}, "report_date": {FromColumn: "sent_at"}}}
	c := &Context{Location: berlin, By: "report_date", Window: schema.Window{
		From: time.Date(2024, 3, 30, 23, 0, 0, 0, time.UTC), To: time.Date(2024, 3, 31, 22, 0, 0, 0, time.UTC)}} // a day of 23 hours
	body := `[{"id":1,"at":"2024-03-30 23:00:00"},{"id":2,"at":"2024-03-31 21:59:59"},{"id":3,"at":"2024-03-31 22:00:00"},{"id":4,"at":"2024-03-30 22:59:59"},{"id":5}]`
	var got []string
	for line := range strings.Lines(rows(t, spec, c, body)) {
		if strings.HasPrefix(line, "id") || strings.HasPrefix(line, "report_date") || strings.HasPrefix(line, "bad") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		"bad record 2: report_date: 2024-04-01 is outside of the window from 2024-03-31 to 2024-03-31",
		"bad record 3: report_date: 2024-03-30 is outside of the window from 2024-03-31 to 2024-03-31",
		"bad record 4: report_date has no value: sent_at has none",
		`id: "1"`, "report_date: 2024-03-31", `id: "2"`, "report_date: 2024-03-31",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	spec.Columns["report_date"] = Field{FromWindow: true}
	if got := rows(t, spec, c, `[{"id":1}]`); got != "id: \"1\"\nreport_date: 2024-03-31" {
		t.Error(got)
	}
	n := mustCompile(t, spec)
	if _, _, err := n.Page([]byte(`[]`), &Context{}, schema.NewBlock(n.Table()), reuse, nil); err == nil {
		t.Error("a pull without a window gave a day of its window")
	}
}

func TestFullBlocksArePassedOn(t *testing.T) {
	var body strings.Builder
	body.WriteString("[0")
	for i := 1; i <= 3*schema.BlockRows; i++ {
		fmt.Fprintf(&body, ",%d", i)
	}
	body.WriteString("]")
	n := mustCompile(t, Spec{Table: "entities", Columns: map[string]Field{"id": {From: Paths{"$value"}}}})
	blocks := []int{}
	other := schema.NewBlock(n.Table())
	last, counts, err := n.Page([]byte(body.String()), &Context{}, schema.NewBlock(n.Table()), func(b *schema.Block) (*schema.Block, error) {
		blocks = append(blocks, b.Rows())
		other, b = b, other
		b.Reset()
		return b, nil
	}, nil)
	if err != nil || counts.Rows != 3*schema.BlockRows+1 || last.Rows() != 1 {
		t.Errorf("%d rows, %d in the last block, %v", counts.Rows, last.Rows(), err)
	}
	if diff := cmp.Diff([]int{schema.BlockRows, schema.BlockRows, schema.BlockRows}, blocks); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("the loader is gone")
	if _, _, err := n.Page([]byte(body.String()), &Context{}, schema.NewBlock(n.Table()), func(b *schema.Block) (*schema.Block, error) { return b, stop }, nil); !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
}

func TestPageAllocatesNothingPerRecord(t *testing.T) {
	body := affisePage(500, 9)
	n := mustCompile(t, affiseConversions())
	c, block := affiseContext(t), schema.NewBlock(mustCompile(t, affiseConversions()).Table())
	page := func() {
		if _, counts, err := n.Page(body, c, block, reuse, nil); err != nil || counts.Rows != 500 {
			t.Fatal(counts, err)
		}
	}
	for range 40 {
		page()
	}
	if allocations := testing.AllocsPerRun(20, page); allocations > 20 {
		t.Errorf("%v allocations for a page of 500 records", allocations)
	}
}

func TestCloneGivesTheSameRows(t *testing.T) {
	body := affisePage(20, 3)
	one := mustCompile(t, affiseConversions())
	two := one.Clone()
	var dumps [2]bytes.Buffer
	for i, n := range []*Normalizer{one, two} {
		block, _, err := n.Page(body, affiseContext(t), schema.NewBlock(n.Table()), reuse, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Dump(&dumps[i], block); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(dumps[0].String(), dumps[1].String()); diff != "" {
		t.Error(diff)
	}
}

func TestCompileListsEveryMistake(t *testing.T) {
	from := Paths{"x"}
	_, err := Compile(Spec{
		Table: "conversions", Shape: "list", Records: Paths{"a..b"},
		Columns: map[string]Field{
			"conversion_id": {From: from, Layout: "date"},
			"colour":        {From: from},
			"_version":      {From: from},
			"network":       {Const: "x"},
			"offer_id":      {},
			"offer_name":    {From: from, Const: "y"},
			"payout":        {Const: "much"},
			"status":        {From: from, Map: map[string]string{"OK": "fine", "": "none"}, Lower: true},
			"status_raw":    {From: from, Lower: true, Upper: true, MapElse: "x"},
			"created_at":    {From: from, Layout: "whenever", Zone: "Mars/Olympus"},
			"updated_at":    {From: from, Layout: "2006-01-02 MST"},
			"click_at":      {Const: "2024-01-01 00:00:00"},
			"report_date":   {FromColumn: "hold_until"},
			"is_test":       {FromWindow: true},
			"revenue":       {From: from, Keys: true},
			"sub1":          {From: from, Zero: Paths{"", " x"}},
			"sub2":          {Const: "c", Zero: Paths{"c"}},
		},
		Dimensions: map[string]Field{"a": {From: from}},
		Drop:       Paths{"."},
	})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`shape "list" is not one of either, array, map, object`,
		`records: path "a..b" has an empty part`,
		`column _version is filled by itself`,
		`table conversions has no column colour`,
		`column network is filled by itself`,
		`column conversion_id: layout, zone and fold are for times and dates`,
		`column offer_id: it says not where its value is from: from, const, variable, from_column or from_window`,
		`column offer_name: only one of from, const, variable, from_column and from_window can be given`,
		`column status: map: the empty word is no value; use default`,
		`column status: map: "OK" cannot occur in this case`,
		`column status: "fine" is not one of approved, pending, hold, rejected, trash, unknown`,
		`column status: "none" is not one of approved, pending, hold, rejected, trash, unknown`,
		`column status: its words are approved, pending, hold, rejected, trash, unknown: map_else must say which one stands for words that map does not know`,
		`column status_raw: it cannot be both lower and upper`,
		`column status_raw: map_else without map`,
		`column payout: "much": not a decimal number`,
		`column revenue: keys are text, from a path of the record`,
		`column created_at: layout "whenever" is not one of datetime, date, rfc3339, unix, unix_ms, objectid, nor a layout of Go, which shows the year 2006`,
		`column created_at: zone "Mars/Olympus" is not account, utc or an IANA name`,
		`column click_at: a constant time needs a zone of its own or an offset`,
		`column updated_at: layout "2006-01-02 MST": the same letters name several zones`,
		`column report_date: from_column: column hold_until has no field itself`,
		`column sub1: zero: "" is empty or has space around it, which is not compared`,
		`column sub1: zero: " x" is empty or has space around it, which is not compared`,
		`column sub2: zero is for values from a path of the record`,
		`column is_test: from_column and from_window are for dates`,
		`table conversions has no dimensions`,
		`drop: path "." has an empty part`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	if _, err := Compile(Spec{Table: "things"}); err == nil || !strings.Contains(err.Error(), `"things" is not a table`) {
		t.Errorf("got %v", err)
	}
	if _, err := Compile(Spec{Table: "offers", Columns: map[string]Field{"name": {From: from}}}); err == nil || err.Error() != "column offer_id is part of the key of table offers and has no field" {
		t.Errorf("got %v", err)
	}
}
