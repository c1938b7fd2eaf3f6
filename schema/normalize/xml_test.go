package normalize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

func from(paths ...string) Field { return Field{From: paths} }

// xmlConversions is a mapping of Perform[cb]'s conversions.
func xmlConversions() Spec {
	spec := Spec{
		Table: "conversions", Format: FormatXML, Records: Paths{"conversions.conversion"},
		Columns: map[string]Field{
			"conversion_id": from("conversion_id"),
			"created_at":    {From: Paths{"date"}, Layout: "01-02-2006 15:04:05", Zone: "America/New_York"},
			"report_date":   {From: Paths{"date"}, Layout: "01-02-2006 15:04:05", Zone: "America/New_York"},
			"offer_id":      from("offer_id"),
			"offer_name":    from("offer_name"),
			"ip":            from("ip_address"),
			"payout":        from("revenue"),
			"currency":      {From: Paths{"currency_symbol"}, Map: map[string]string{"$": "USD"}},
			"status":        {From: Paths{"disposition"}, Map: map[string]string{"Valid Conversion": "approved"}, MapElse: "unknown"},
			"status_raw":    from("disposition"),
			"event_id":      from("campaign_id", "campaign"),
		},
	}
	for i := range 5 {
		spec.Columns[fmt.Sprintf("sub%d", i+1)] = from(fmt.Sprintf("subid_%d", i+1))
	}
	return spec
}

// xmlSubids is a mapping of Perform[cb]'s report by sub id.
func xmlSubids() Spec {
	return Spec{
		Table: "stats", Format: FormatXML,
		Records: Paths{"subid_reports.subid_report.subid_report", "subid_reports.subid_report"},
		Columns: map[string]Field{
			"report": {Const: "by_subid"}, "report_date": {FromWindow: true},
			"clicks": from("clicks"), "conversions": from("conversions"), "payout": from("revenue"),
		},
		Dimensions: map[string]Field{"sub1": from("sub_id")},
	}
}

func newYork(t testing.TB) *Context {
	t.Helper()
	location, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 6, 1, 0, 0, 0, 0, location)
	return &Context{
		Network: "performcb", Account: "main", Stream: "conversions", Location: location,
		Window: schema.Window{From: day.UTC(), To: day.AddDate(0, 0, 1).UTC()}, Version: 7, SyncedAt: day.UTC(),
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "xml", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The published examples of both reports, as they stand in the documentation.
func TestXMLGolden(t *testing.T) {
	for name, spec := range map[string]Spec{"conversions": xmlConversions(), "subaffiliate": xmlSubids()} {
		t.Run(name, func(t *testing.T) {
			got := normalized(t, spec, newYork(t), readFile(t, name+".xml"))
			path := filepath.Join("testdata", "xml", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readFile(t, name+".txt"), got); diff != "" {
				t.Errorf("rows (-golden +got):\n%s", diff)
			}
		})
	}
}

// answerOf puts conversions into an answer.
func answerOf(conversions ...string) string {
	return "<conversions_response>\n<success>1</success>\n<conversions>\n" + strings.Join(conversions, "\n") + "\n</conversions>\n</conversions_response>\n"
}

// conversionOf is a conversion with more elements behind its own.
func conversionOf(id, more string) string {
	return "<conversion><conversion_id>" + id + "</conversion_id><date>06-01-2026 13:05:09</date>" + more + "</conversion>"
}

// xmlRow gives the columns of a row that the tests look at.
func xmlRow(t *testing.T, more string) string {
	t.Helper()
	got := rows(t, xmlConversions(), newYork(t), answerOf(conversionOf("c1", more)))
	var kept []string
	for line := range strings.Lines(got) {
		line = strings.TrimSpace(line)
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "conversion_id", "created_at", "report_date", "status":
		default:
			if name, value, ok := strings.Cut(line, ": "); ok {
				if plain, err := strconv.Unquote(value); err == nil {
					line = name + ": " + plain
				}
			}
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestXMLValues(t *testing.T) {
	for name, tt := range map[string]struct{ more, want string }{
		"one spelling of the campaign":                 {`<campaign_id>7741</campaign_id>`, `event_id: 7741`},
		"the other spelling of the campaign":           {`<campaign>7741</campaign>`, `event_id: 7741`},
		"the published sample, which is not closed":    {`<campaign>274</campaign_id><subid_1>a</subid_1>`, "event_id: 274\nsub1: a"},
		"thousandths of a dollar":                      {`<revenue>0.025</revenue>`, `payout: 0.025`},
		"the noise of floats":                          {`<revenue>1.1399999994</revenue>`, `payout: 1.1399999994`},
		"the entities of XML":                          {`<subid_1>&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;</subid_1>`, `sub1: <a> & "b" 'c'`},
		"characters by number":                         {`<subid_1>&#65;&#x42;&#X43;&#0068;&#128512;</subid_1>`, "sub1: ABCD\U0001F600"},
		"an entity is resolved once":                   {`<subid_1>&amp;lt;</subid_1>`, `sub1: &lt;`},
		"CDATA is taken as it stands":                  {`<subid_1><![CDATA[<b>&amp;</b>]]></subid_1>`, `sub1: <b>&amp;</b>`},
		"CDATA beside text":                            {`<subid_1>a<![CDATA[<]]>b<![CDATA[]]>c</subid_1>`, `sub1: a<bc`},
		"a comment parts no text":                      {`<subid_1>a<!-- x <y> -->b</subid_1>`, `sub1: ab`},
		"an instruction parts no text":                 {`<subid_1>a<?php x > ?>b</subid_1>`, `sub1: ab`},
		"an empty element is no value":                 {`<subid_1/><subid_2></subid_2><subid_3 />`, ``},
		"attributes are dropped":                       {`<subid_1 xsi:nil="a>b" x='"'>a</subid_1 >`, `sub1: a`},
		"a namespace's prefix is dropped":              {`<n:subid_1>a</n:subid_1>`, `sub1: a`},
		"layout around a value is dropped":             {"<subid_1>\n    a\n  </subid_1>", `sub1: a`},
		"a blank at the end of a sub id is part of it": {`<subid_1>a </subid_1>`, `sub1: a `},
		"quotes and backslashes":                       {`<subid_1>"\u0041\</subid_1>`, `sub1: "\u0041\`},
		"what no column asks for is kept":              {`<x>1</x><y><z>2</z></y>`, `extra: {"x":"1","y":{"z":"2"}}`},
		"repeated elements are an array":               {`<x>1</x><y>2</y><x>3</x>`, `extra: {"x":["1","3"],"y":"2"}`},
		"repeated elements with elements in them":      {`<x><a>1</a><a>2</a></x><x/>`, `extra: {"x":[{"a":["1","2"]},""]}`},
		"text beside elements is kept":                 {`<x>a<b>c</b>d<b/>e</x>`, `extra: {"x":{"#text":["a","d","e"],"b":["c",""]}}`},
		"an array in a column of text":                 {`<subid_1>a</subid_1><subid_1>b</subid_1>`, `sub1: ["a","b"]`},
		"an unknown disposition is not approved":       {`<disposition>Scrubbed</disposition>`, `status_raw: Scrubbed`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := xmlRow(t, tt.more); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// bads are the bad rows of a page.
type bads []BadRow

// xmlPage reads a page and gives its rows, its bad rows and its error.
func xmlPage(t testing.TB, spec Spec, body string) (Counts, bads, error) {
	t.Helper()
	var found bads
	n := mustCompile(t, spec)
	_, counts, err := n.Page([]byte(body), newYork(t), schema.NewBlock(n.Table()), reuse, func(r BadRow) error {
		if !json.Valid(r.Record) {
			t.Errorf("bad record %d is not JSON: %q", r.Index, r.Record)
		}
		r.Record = bytes.Clone(r.Record)
		found = append(found, r)
		return nil
	})
	return counts, found, err
}

// In each body the second of three conversions cannot be read, which begins in line 5.
func TestABrokenRecordLeavesItsNeighbours(t *testing.T) {
	for name, tt := range map[string]struct{ record, reason string }{
		"an element that is not closed":         {`<conversion><conversion_id>x<date>1</date></conversion>`, "XML: line 5: <conversion_id> is not closed before </conversion>"},
		"an element closed by an outer one":     {`<conversion><a><b>x</a></conversion>`, "XML: line 5: <b> is not closed before </a>"},
		"an end without a beginning":            {`<conversion><a>1</a></b></conversion>`, "XML: line 5: </b> closes nothing"},
		"a record that is not closed":           {`<conversion><a>1</a>`, "XML: line 6: <conversion> is not closed before the next one"},
		"a tag in a tag":                        {"<conversion><a\n<b>1</b></conversion>", "XML: line 6: a tag is not well-formed"},
		"a quote that is not closed":            {`<conversion><a b="1>2</a></conversion>`, "XML: line 5: the value of an attribute does not end"},
		"an attribute without quotes":           {`<conversion a=b><c>1</c></conversion>`, "XML: line 5: the value of an attribute is not quoted"},
		"an ampersand that is none":             {`<conversion><a>AT&T</a></conversion>`, "XML: line 5: an & begins no entity"},
		"an entity of HTML":                     {`<conversion><a>&nbsp;</a></conversion>`, "XML: line 5: an entity is not one of XML"},
		"half a pair by number":                 {`<conversion><a>&#xd800;</a></conversion>`, "XML: line 5: an entity is not one of XML"},
		"a number beyond Unicode":               {`<conversion><a>&#4294967361;</a></conversion>`, "XML: line 5: an entity is not one of XML"},
		"CDATA that is not closed":              {`<conversion><a><![CDATA[1</a></conversion>`, "XML: line 5: <![CDATA[ is not closed"},
		"CDATA that ends in the next element":   {`<conversion><a><![CDATA[1</a><b><![CDATA[2]]></b></conversion>`, "XML: line 5: <![CDATA[ is not closed"},
		"a comment that is not closed":          {`<conversion><!-- 1 <a>1</a></conversion>`, "XML: line 5: <!-- is not closed"},
		"a declaration inside":                  {`<conversion><!ELEMENT a></conversion>`, "XML: line 5: <! begins nothing that is known here"},
		"a lonely less-than":                    {`<conversion><a>1 < 2</a></conversion>`, "XML: line 5: a < begins no tag"},
		"an end tag that does not end":          {"<conversion><a>1</a\n</conversion>", "XML: line 5: an end tag is not well-formed"},
		"one nested too deep":                   {`<conversion>` + strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200) + `</conversion>`, "XML: line 5: elements are nested too deep"},
		"a record that is well-formed is named": {conversionOf("c2", "<revenue>1.2.3</revenue>"), `payout: "1.2.3": not a decimal number`},
		"a record that breaks off":              {`<conversion><a>1`, "XML: line 6: <conversion> is not closed before the next one"},
		"an empty record":                       {`<conversion/>`, `"\"\"" is not a record`},
	} {
		t.Run(name, func(t *testing.T) {
			body := answerOf(conversionOf("c1", ""), tt.record, conversionOf("c3", "<a><![CDATA[]]><!----></a>"))
			counts, bad, err := xmlPage(t, xmlConversions(), body)
			if err != nil || counts != (Counts{Rows: 2, Bad: 1}) || len(bad) != 1 {
				t.Fatalf("got %+v, %v, %+v, want two rows and a bad one", counts, err, bad)
			}
			if b := bad[0]; b.Index != 1 || b.Line != 5 || !strings.HasPrefix(b.Reason, tt.reason) {
				t.Errorf("got record %d in line %d: %s, want record 1 in line 5: %s", b.Index, b.Line, b.Reason, tt.reason)
			}
			x, err := FromXML([]byte(body), xmlConversions())
			if err != nil || x.Total != 3 {
				t.Errorf("got %+v, %v, want 3 records", x, err)
			}
		})
	}
}

func TestABadRecordShowsItsSource(t *testing.T) {
	source := `<conversion><conversion_id>"x"</date></conversion>`
	_, bad, err := xmlPage(t, xmlConversions(), answerOf(source[:40]+`<a></conversion>`))
	if err != nil || len(bad) != 1 {
		t.Fatalf("got %v, %v", bad, err)
	}
	var text string
	if err := json.Unmarshal(bad[0].Record, &text); err != nil || !strings.HasPrefix(text, source[:40]) || !strings.HasSuffix(text, "</conversion>") {
		t.Errorf("got %s, %v", text, err)
	}
}

// What a record leaves open does not reach into the next, nor past the last.
func TestABrokenRecordEndsWhereTheNextBegins(t *testing.T) {
	for name, tt := range map[string]struct {
		records []string
		want    Counts
	}{
		"the last, which is not closed":         {[]string{conversionOf("c1", ""), "<conversion><a>1</a>"}, Counts{Rows: 1, Bad: 1}},
		"the last, with an element open":        {[]string{conversionOf("c1", ""), "<conversion><a>1"}, Counts{Rows: 1, Bad: 1}},
		"CDATA whose end is in the next record": {[]string{"<conversion><a><![CDATA[1</a></conversion>", conversionOf("c2", "<a>]]></a>")}, Counts{Rows: 1, Bad: 1}},
		"all of them":                           {[]string{"<conversion><a></conversion>", "<conversion></a></conversion>"}, Counts{Bad: 2}},
	} {
		if counts, _, err := xmlPage(t, xmlConversions(), answerOf(tt.records...)); err != nil || counts != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, counts, err, tt.want)
		}
	}
}

func TestXMLRecords(t *testing.T) {
	one := Paths{"list.item"}
	for name, tt := range map[string]struct {
		body, records, envelope string
		spec                    Spec
		err                     string
	}{
		"two records":                        {`<r><list><item><a>1</a></item><item><a>2</a></item></list></r>`, `[{"a":"1"},{"a":"2"}]`, `{"list":{}}`, Spec{Records: one}, ""},
		"one record":                         {`<r><list><item><a>1</a></item></list></r>`, `[{"a":"1"}]`, `{"list":{}}`, Spec{Records: one}, ""},
		"no records":                         {`<r><n>0</n><list/></r>`, `[]`, `{"n":"0","list":""}`, Spec{Records: one}, ""},
		"no records, with space between":     {"<r><list>\n</list></r>", `[]`, `{"list":""}`, Spec{Records: one}, ""},
		"nothing that would hold them":       {`<r><n>0</n></r>`, `[]`, `{"n":"0"}`, Spec{Records: one}, "the answer has no records: it has no [list.item]"},
		"something else instead":             {`<r><list><row/></list></r>`, `[]`, `{"list":{"row":""}}`, Spec{Records: one}, "the answer has something else where [list.item] should be"},
		"a text instead":                     {`<r><list>No data</list></r>`, `[]`, `{"list":"No data"}`, Spec{Records: one}, "the answer has something else where [list.item] should be"},
		"records beside other elements":      {`<r><list><total>1</total><item><a>1</a></item></list></r>`, `[{"a":"1"}]`, `{"list":{"total":"1"}}`, Spec{Records: one}, ""},
		"records in several places":          {`<r><list><item>1</item></list><list><item>2</item></list></r>`, `["1","2"]`, `{"list":[{},{}]}`, Spec{Records: one}, ""},
		"records right below the root":       {`<r><item><a/></item></r>`, `[{"a":""}]`, `{}`, Spec{Records: Paths{"item"}}, ""},
		"none right below an empty root":     {`<r/>`, `[]`, `""`, Spec{Records: Paths{"item"}}, ""},
		"none right below a root with words": {`<r><e>1</e></r>`, `[]`, `{"e":"1"}`, Spec{Records: Paths{"item"}}, "the answer has no records: it has no [item]"},
		"the root as the record":             {`<r><a>1</a></r>`, `[{"a":"1"}]`, `{"a":"1"}`, Spec{}, ""},
		"the second path":                    {`<r><list><item>1</item></list></r>`, `["1"]`, `{"list":{}}`, Spec{Records: Paths{"rows.row", "list.item"}}, ""},
		"nested elements of one name":        {`<r><x><x><a>1</a></x><x><a>2</a></x></x></r>`, `[{"a":"1"},{"a":"2"}]`, `{"x":{}}`, Spec{Records: Paths{"x.x", "x"}}, ""},
		"the outer one where nothing nests":  {`<r><x><a>1</a></x><x><a>2</a></x></r>`, `[{"a":"1"},{"a":"2"}]`, `{}`, Spec{Records: Paths{"x.x", "x"}}, ""},
		"a part of a record is a list":       {`<r><list><item><p><e><a>1</a></e></p></item></list></r>`, `[{"p":{"e":[{"a":"1"}]}}]`, `{"list":{}}`, Spec{Records: one, Each: "p.e"}, ""},
		"a list in a record that is empty":   {`<r><list><item><p><e/></p></item></list></r>`, `[{"p":{"e":[]}}]`, `{"list":{}}`, Spec{Records: one, Each: "p.e"}, ""},
		"a list in a wrapped record":         {`<r><list><item><w><e>1</e></w></item></list></r>`, `[{"w":{"e":["1"]}}]`, `{"list":{}}`, Spec{Records: one, Wrapped: "w", Each: "e"}, ""},
		"a dot in a name":                    {`<r><a.b><c>1</c></a.b></r>`, `["1"]`, `{"a.b":{}}`, Spec{Records: Paths{`a\.b.c`}}, ""},
		"a declaration and a document type":  {"\ufeff<?xml version=\"1.0\"?>\n<!DOCTYPE r SYSTEM \"x>y\" [<!ELEMENT r ANY>]>\n<!-- c --><r><item/></r>\n<!-- d --><?e f?>\n", `[""]`, `{}`, Spec{Records: Paths{"item"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := FromXML([]byte(tt.body), tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			records, err := XMLRecords([]byte(tt.body), tt.spec)
			if err != nil || string(records) != tt.records || string(x.Envelope) != tt.envelope {
				t.Errorf("got %s and %s, %v, want %s and %s", records, x.Envelope, err, tt.records, tt.envelope)
			}
			n, _, err := x.Count()
			if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") || n != x.Total {
				t.Errorf("got %d records, %v, want %d, %s", n, err, x.Total, tt.err)
			}
		})
	}
}

func TestXMLThatIsNone(t *testing.T) {
	whole := answerOf(conversionOf("c1", ""))
	laughs := `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><r>&b;</r>`
	for name, tt := range map[string]struct{ body, want string }{
		"nothing":                                 {" \n", "the answer is empty"},
		"JSON":                                    {`{"response":{"status":-1}}`, "XML: line 1: it is JSON, not XML"},
		"text":                                    {`no`, "XML: line 1: it does not begin with a tag"},
		"an HTML page by its type":                {"<!doctype HTML>\n<p>", "the answer is an HTML page, not XML"},
		"an HTML page by its root":                {"<!-- x --><HTML lang=en>", "the answer is an HTML page, not XML"},
		"entities of its own":                     {laughs, "XML: line 1: it declares entities, which are not read"},
		"a document type that does not end":       {`<!DOCTYPE r [`, "XML: line 1: <!DOCTYPE does not end"},
		"a charset that is not read":              {`<?xml version="1.0" encoding="KOI8-R"?><r/>`, `XML: line 1: the charset "koi8-r" is not one that is read: utf-8, us-ascii, iso-8859-1, windows-1252`},
		"UTF-16":                                  {"\xff\xfe<\x00r\x00/\x00>\x00", `XML: line 1: the charset "utf-16" is not one that is read: utf-8, us-ascii, iso-8859-1, windows-1252`},
		"more behind the root":                    {whole + "<x/>", "XML: line 7: it goes on behind its root"},
		"a fault around the records":              {"<r>\n<success>1</r>", "XML: line 2: <success> is not closed before </r>"},
		"a fault between the records":             {answerOf(conversionOf("c1", ""), "</x>"), "XML: line 5: </x> closes nothing"},
		"a record whose beginning is lost":        {answerOf("<conversio><a>1</a></conversion>"), "XML: line 4: </conversion> closes nothing"},
		"text before the root":                    {"<?a b?>x<r/>", "XML: line 1: text stands outside of the root"},
		"a record that is the root and is broken": {"<r><a>&x;</a></r>", "XML: line 1: an entity is not one of XML"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := xmlConversions()
			if strings.Contains(name, "is the root") {
				spec.Records = nil
			}
			_, err := FromXML([]byte(tt.body), spec)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if _, _, err := xmlPage(t, spec, tt.body); err == nil || err.Error() != tt.want {
				t.Errorf("as a page: got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestXMLCharsets(t *testing.T) {
	for name, tt := range map[string]struct{ declaration, text, want string }{
		"UTF-8":                            {`<?xml version="1.0" encoding="UTF-8"?>`, "Zürich €", "Zürich €"},
		"no declaration":                   {``, "Zürich €", "Zürich €"},
		"Latin 1":                          {`<?xml version='1.0' encoding='ISO-8859-1' standalone="yes"?>`, "Z\xfcrich", "Zürich"},
		"Windows, which is taken for it":   {`<?xml version="1.0" encoding="iso-8859-1"?>`, "\x80 \x96 \x93q\x94", "€ – “q”"},
		"Windows by its name":              {`<?xml version="1.0" encoding="windows-1252"?>`, "\x80", "€"},
		"ASCII":                            {`<?xml version="1.0" encoding="US-ASCII"?>`, "abc", "abc"},
		"bytes that are not what they say": {`<?xml version="1.0" encoding="utf-8"?>`, "Z\xfcrich", "Z\uFFFDrich"},
		"a control character":              {``, "a\x01b&#2;", "a\x01b\x02"},
		"line ends of Windows":             {``, "a\r\nb\rc", "a\nb\nc"},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := FromXML([]byte(tt.declaration+"<r><a>"+tt.text+"</a></r>"), Spec{})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ A string }
			if err := json.Unmarshal(x.Envelope, &got); err != nil || got.A != tt.want {
				t.Errorf("got %q, %v, want %q", got.A, err, tt.want)
			}
		})
	}
}

// Wherever an answer is cut, either all of it is there or it is an error: never fewer
// records than it has.
func TestACutAnswerIsNeverTakenForWhole(t *testing.T) {
	broken := answerOf(conversionOf("c1", ""), `<conversion><a>&x;</a><![CDATA[</conversion>`, conversionOf("c3", "<a><![CDATA[x]]></a>"))
	for _, tt := range []struct {
		body string
		spec Spec
	}{
		{readFile(t, "conversions.xml"), xmlConversions()}, {readFile(t, "subaffiliate.xml"), xmlSubids()}, {broken, xmlConversions()},
	} {
		whole, err := XMLRecords([]byte(tt.body), tt.spec)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(tt.body) {
			records, err := XMLRecords([]byte(tt.body[:cut]), tt.spec)
			if err == nil && !bytes.Equal(records, whole) {
				t.Fatalf("cut at byte %d of %d: got %s without an error", cut, len(tt.body), records)
			}
			if _, _, err2 := xmlPage(t, tt.spec, tt.body[:cut]); (err == nil) != (err2 == nil) {
				t.Fatalf("cut at byte %d: got %v for the document and %v for the page", cut, err, err2)
			}
		}
	}
}

// In spring an hour of New York is not there, in autumn one is there twice.
func TestXMLTimesOnTheDaysOfChange(t *testing.T) {
	n := mustCompile(t, xmlConversions())
	for local, want := range map[string]string{
		"03-08-2026 01:59:59": "2026-03-08T06:59:59", "03-08-2026 03:00:00": "2026-03-08T07:00:00",
		"11-01-2026 00:59:59": "2026-11-01T04:59:59", "11-01-2026 01:30:00": "2026-11-01T05:30:00", "11-01-2026 02:00:00": "2026-11-01T07:00:00",
		"07-04-2026 23:59:58": "2026-07-05T03:59:58", "01-18-2016 01:44:41": "2016-01-18T06:44:41",
	} {
		body := answerOf("<conversion><conversion_id>c</conversion_id><date>" + local + "</date></conversion>")
		var dump bytes.Buffer
		block, _, err := n.Page([]byte(body), newYork(t), schema.NewBlock(n.Table()), reuse, func(r BadRow) error { return errors.New(r.Reason) })
		if err == nil {
			err = schema.Dump(&dump, block)
		}
		day := local[6:10] + "-" + local[:5]
		if at := strings.Replace(want, "T", " ", 1); err != nil || !strings.Contains(dump.String(), "created_at: "+at) || !strings.Contains(dump.String(), "report_date: "+day) {
			t.Errorf("%s: got %s, %v, want %s on %s", local, dump.String(), err, at, day)
		}
	}
}

func TestAMapInXMLIsRefused(t *testing.T) {
	spec := xmlConversions()
	spec.Shape = ShapeMap
	if _, err := Compile(spec); err == nil || !strings.Contains(err.Error(), "the elements of a document have no keys") {
		t.Errorf("got %v", err)
	}
}

// The bounds on what a document may make of its size.
func TestXMLBounds(t *testing.T) {
	var names strings.Builder
	for i := range xmlNames {
		fmt.Fprintf(&names, "<n%d/>", i)
	}
	for name, tt := range map[string]struct{ body, want string }{
		"names":                {"<r>" + names.String() + "</r>", "XML: line 1: there are too many names of elements"},
		"elements":             {"<r>" + strings.Repeat("<a/>", xmlNodes+1) + "</r>", "XML: line 1: there are too many elements"},
		"sections without end": {"<r><list>" + strings.Repeat("<item><![CDATA[", 100_000) + "</list></r>", ""},
		"elements of one name": {"<r><list><item>" + strings.Repeat("<a/>", 100_000) + "</item></list></r>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromXML([]byte(tt.body), Spec{Records: Paths{"list.item"}})
			if got := fmt.Sprint(err); got != tt.want && (tt.want != "" || err != nil) {
				t.Errorf("got %.200s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzXML(f *testing.F) {
	for _, name := range []string{"conversions.xml", "subaffiliate.xml", "refused.xml"} {
		f.Add([]byte(readFile(f, name)))
	}
	for _, seed := range []string{
		answerOf(`<conversion><campaign>274</campaign_id></conversion>`, `<conversion><a>&#x41;<![CDATA[<]]></b></conversion>`),
		`<?xml version="1.0" encoding="latin1"?><!DOCTYPE r [<!ELEMENT r ANY>]><r a="b">t<c/>u</r>`,
		"<r><conversions><conversion <conversion></conversions></r>", "<a><b></a></b>", "\xff\xfe<", "<r>\r\n<x/>\x00\x1f</r>",
	} {
		f.Add([]byte(seed))
	}
	specs := []Spec{xmlConversions(), xmlSubids(), {Table: "conversions", Format: FormatXML, Each: "a.b", Columns: xmlConversions().Columns}}
	c := newYork(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, spec := range specs {
			x, err := FromXML(body, spec)
			total := 0
			if err == nil {
				records, err := XMLRecords(body, spec)
				if err != nil || Valid(x.Envelope) != nil || Valid(records) != nil || !json.Valid(x.Envelope) || !json.Valid(records) {
					t.Fatalf("got %s and %s, %v, want JSON", x.Envelope, records, err)
				}
				n, _, err := Count(records, nil, ShapeArray)
				if err != nil || n != x.Total || x.Bad > n {
					t.Fatalf("got %d records, %v, want %d", n, err, x.Total)
				}
				total = n
			}
			if spec.Each != "" {
				continue
			}
			n, err2 := Compile(spec)
			if err2 != nil {
				t.Fatal(err2)
			}
			bad := 0
			_, counts, err2 := n.Page(body, c, schema.NewBlock(n.Table()), reuse, func(BadRow) error { bad++; return nil })
			if err == nil && err2 == nil && (counts.Rows+counts.Bad != total || counts.Bad != bad || counts.Bad < x.Bad) {
				t.Fatalf("got %+v of %d records", counts, total)
			}
		}
	})
}

func BenchmarkXML(b *testing.B) {
	source := readFile(b, "conversions.xml")
	from, to := strings.Index(source, "    <conversion>"), strings.Index(source, "  </conversions>")
	const records = 50_000
	body := []byte(source[:from] + strings.Repeat(source[from:to], records/2) + source[to:])
	b.Run("envelope and records", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if x, err := FromXML(body, xmlConversions()); err != nil || x.Total != records {
				b.Fatal(x, err)
			}
		}
	})
	b.Run("page", func(b *testing.B) {
		n := mustCompile(b, xmlConversions())
		block, c := schema.NewBlock(n.Table()), newYork(b)
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			_, counts, err := n.Page(body, c, block, reuse, func(r BadRow) error { return errors.New(r.Reason) })
			if err != nil || counts.Rows != records {
				b.Fatal(counts, err)
			}
			block.Reset()
		}
	})
}
