package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"syncd/schema/normalize"
)

func TestRedactXML(t *testing.T) {
	hash := func(value string) string { return string(redacting(t, PII{Key: plain("k")}, nil).bare(Hash, value)) }
	all := PII{IP: Hash, Email: Hash, Key: plain("k")}
	drop := PII{IP: Drop, Email: Drop}
	for name, tt := range map[string]struct {
		pii        PII
		body, want string
	}{
		"a secret is emptied":                         {PII{}, `<r><api_key>x</api_key><a>1</a></r>`, `<r><api_key></api_key><a>1</a></r>`},
		"a secret with elements in it":                {PII{}, `<r><api_key>x<a b="y">z</a> <c/>t</api_key><a b="y">z</a></r>`, `<r><api_key><a b=""></a> <c/></api_key><a b="y">z</a></r>`},
		"a secret in CDATA":                           {PII{}, `<r><api_key><![CDATA[x]]></api_key></r>`, `<r><api_key></api_key></r>`},
		"a secret with a prefix":                      {PII{}, `<r><n:api_key>x</n:api_key></r>`, `<r><n:api_key></n:api_key></r>`},
		"a secret in an attribute":                    {PII{}, `<r><a api_key="x" b='y'>1</a></r>`, `<r><a api_key="" b='y'>1</a></r>`},
		"a path holds where its elements follow":      {PII{}, `<r><systems><fields>1</fields></systems><fields>2</fields></r>`, `<r><systems><fields></fields></systems><fields>2</fields></r>`},
		"a name that is a value stays":                {PII{}, `<r><kind>api_key</kind></r>`, `<r><kind>api_key</kind></r>`},
		"line ends stay":                              {PII{}, "<r><api_key>\n x\n</api_key></r>", "<r><api_key>\n\n</api_key></r>"},
		"the account's own credential anywhere":       {PII{}, `<r a="` + marker + `">you sent ` + marker + `</r>`, `<r a="***">you sent ***</r>`},
		"an address is kept if it may":                {PII{IP: Keep, Email: Keep}, `<r><ip>10.0.0.1</ip><m>a@b.cc</m></r>`, `<r><ip>10.0.0.1</ip><m>a@b.cc</m></r>`},
		"an address is hashed as in JSON":             {all, `<r><ip> 10.0.0.1 </ip><ip/><ip></ip></r>`, `<r><ip>` + hash("10.0.0.1") + `</ip><ip/><ip></ip></r>`},
		"an address is dropped":                       {PII{IP: Drop}, `<r><ip>10.0.0.1</ip><a>10.0.0.1</a></r>`, `<r><ip></ip><a>10.0.0.1</a></r>`},
		"e-mail addresses are hashed wherever":        {all, `<r><login> Ann@Example.com</login><a m="ann@example.com"/></r>`, `<r><login>` + hash("ann@example.com") + `</login><a m="` + hash("ann@example.com") + `"/></r>`},
		"one written with an entity is seen":          {all, `<r><m>ann&#64;example.com</m><m>ann&#x40;example.com</m></r>`, `<r><m>` + hash("ann@example.com") + `</m><m>` + hash("ann@example.com") + `</m></r>`},
		"one in parts is seen":                        {all, `<r><m>ann<!-- x -->@<![CDATA[example.com]]></m></r>`, `<r><m>` + hash("ann@example.com") + `</m></r>`},
		"a text with an address in it is no address":  {all, `<r><m>write to a@b.cc</m></r>`, `<r><m>write to a@b.cc</m></r>`},
		"comments and instructions are emptied":       {drop, "<?xml version=\"1.0\"?><r><!-- ip\n1.2.3.4 --><?x ip?></r>", "<?xml version=\"1.0\"?><r><!--\n--><??></r>"},
		"a broken element beside an address":          {drop, `<r><c><a>1</b></c><ip>1</ip></r>`, `<r><c><a>1</b></c><ip></ip></r>`},
		"an address closed by another's name":         {drop, `<r><ip>1</ip_address><a>1</a></r>`, `<r><ip></ip_address><a>1</a></r>`},
		"a tag that does not end":                     {drop, `<r><ip 1.2.3.4</ip><a>1</a></r>`, `<r><ip </ip><a>1</a></r>`},
		"an attribute that does not end":              {drop, `<r><m a="x@y.cc>1</m><ip>1</ip></r>`, `<r><m </m><ip></ip></r>`},
		"CDATA that does not end":                     {drop, `<r><m><![CDATA[x@y.cc</m><ip>1</ip></r>`, `<r><m></m><ip></ip></r>`},
		"a comment that does not end":                 {drop, `<r><m><!-- x@y.cc</m><ip>1</ip></r>`, `<r><m></m><ip></ip></r>`},
		"sections without end":                        {drop, `<r><ip>1</ip>` + strings.Repeat("<!--", 1_000_000) + `</r>`, `<r><ip></ip>` + strings.Repeat("<!--", 1_000_000) + `</r>`},
		"a lonely less-than":                          {drop, `<r><m>1 < x@y.cc</m><ip>1</ip></r>`, `<r><m></m><ip></ip></r>`},
		"a document that was cut":                     {drop, `<r><m>1</m><ip>10.0.`, `<r><m>1</m><ip>`},
		"a secret's path where tags do not match":     {PII{}, `<r><a><b>1</a></b><fields>1</fields></r>`, `<r><a><b>1</a></b><fields></fields></r>`},
		"an element without an end leaves what comes": {PII{}, `<r><c><api_key>x</c><c><a>1</a></c></r>`, `<r><c><api_key></c><c><a>1</a></c></r>`},
		"HTML that may hold something":                {all, `<html><script>{"ip":"1"}</script>`, ``},
		"HTML behind a comment":                       {all, "\ufeff<?xml version=\"1.0\"?> <!-- x --><!DOCTYPE HTML><p ip='1'>", ``},
		"HTML in a value":                             {drop, `<r><a><![CDATA[<html>]]></a><ip>1</ip></r>`, `<r><a><![CDATA[<html>]]></a><ip></ip></r>`},
		"HTML that holds nothing":                     {all, `<html><p>no</p>`, `<html><p>no</p>`},
		"UTF-16":                                      {all, "\xff\xfe<\x00r\x00/\x00>\x00", ``},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(redacting(t, tt.pii, nil).redact([]byte(tt.body)))
			if got != tt.want {
				t.Errorf("got  %.500s\nwant %.500s", got, tt.want)
			}
		})
	}
}

func TestXMLWithNothingToRemoveIsNotCopied(t *testing.T) {
	body := []byte(`<r><a b="c">1 &amp; 2</a><!-- d --></r>`)
	for _, pii := range []PII{{}, {IP: Hash, Email: Hash, Key: plain("k")}} {
		if got := redacting(t, pii, nil).redact(body); unsafe.SliceData(got) != unsafe.SliceData(body) || len(got) != len(body) {
			t.Errorf("got %s, a copy", got)
		}
	}
}

func TestCredentialsAreMaskedInXML(t *testing.T) {
	r := redacting(t, PII{}, map[string]Secret{"extra": plain(`p"a<s's&word`)})
	for _, form := range []string{`p"a&lt;s's&amp;word`, `p&quot;a&lt;s&apos;s&amp;word`, `p&#34;a&lt;s&#39;s&amp;word`, `p&quot;a&lt;s&#039;s&amp;word`, `p&quot;a&lt;s's&amp;word`} {
		if got := string(r.redact([]byte(`<m>` + form + `!</m>`))); got != `<m>***!</m>` {
			t.Errorf("got %s from %s", got, form)
		}
	}
}

func TestMask(t *testing.T) {
	hash := func(value string) string { return string(redacting(t, PII{Key: plain("k")}, nil).bare(Hash, value)) }
	hashed := PII{IP: Hash, Email: Hash, Key: plain("k")}
	for name, tt := range map[string]struct {
		pii                 PII
		column, value, want string
	}{
		"a secret":                             {PII{}, "api_key", "x", ""},
		"a secret's path":                      {PII{}, "systems.fields", "x", ""},
		"the end of a secret's path":           {PII{}, "fields", "x", "x"},
		"an address that is hashed":            {hashed, " ip ", " 10.0.0.1", hash("10.0.0.1")},
		"an address that is dropped":           {PII{IP: Drop}, "ip", "10.0.0.1", ""},
		"an address that is kept":              {PII{}, "ip", "10.0.0.1", "10.0.0.1"},
		"no address":                           {hashed, "ip", "", ""},
		"an address in another column":         {hashed, "sub1", "10.0.0.1", "10.0.0.1"},
		"an e-mail address, wherever":          {hashed, "sub1", " Ann@Example.com", hash("ann@example.com")},
		"an e-mail address that is dropped":    {PII{Email: Drop}, "sub1", "a@b.cc", ""},
		"an e-mail address that is kept":       {PII{}, "sub1", "a@b.cc", "a@b.cc"},
		"a text with an e-mail address":        {hashed, "sub1", "to a@b.cc", "to a@b.cc"},
		"the account's credential":             {PII{}, "url", "https://x/?key=" + marker, "https://x/?key=***"},
		"the account's credential beside an @": {hashed, "url", "@" + marker, "@***"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Source{redactor: redacting(t, tt.pii, nil)}
			value := []byte(tt.value)
			mask := s.Mask(tt.column)
			if got := string(mask([]byte("before:"), value)); got != "before:"+tt.want || string(value) != tt.value {
				t.Errorf("got %s, want %s behind what was there, and the value as it was", got, tt.want)
			}
		})
	}
	bare := &Source{redactor: newRedactor(network(), PII{}, nil)}
	if bare.Mask("sub1") != nil || bare.Mask("ip") != nil {
		t.Error("a column in which there is nothing to look for is masked")
	}
}

func FuzzRedactXML(f *testing.F) {
	for _, seed := range []string{
		`<r><api_key>x</api_key><ip>1.2.3.4</ip><m a="b@c.dd">a@b.cc</m></r>`, `<r><systems><fields>1</fields></systems></r>`,
		`<r><l><i><ip>1</ip_address></i><i><ip>2<a></i><i><!-- <i --><ip><![CDATA[3]]></ip></i></l></r>`, `<ip>a<b/>c</ip>`, `<r><ip 1</ip>`,
	} {
		f.Add([]byte(seed))
	}
	r := redacting(f, PII{IP: Drop, Email: Drop}, nil)
	spec := normalize.Spec{Records: normalize.Paths{"l.i"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		original := bytes.Clone(body)
		got := r.redact(body)
		if !bytes.Equal(body, original) {
			t.Fatal("the body was changed in place")
		}
		before, err := normalize.FromXML(body, spec)
		if err != nil || form(body) != formMarkup || isHTML(body) || strings.Contains(string(body), "encoding") {
			return // it is not stored
		}
		after, err := normalize.FromXML(got, spec)
		if err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		// What was broken may break in another way; what was whole stays so.
		if after.Total-after.Bad < before.Total-before.Bad || before.Bad == 0 && after.Total != before.Total {
			t.Fatalf("%q became %q: %d records, %d bad, were %d, %d bad", body, got, after.Total, after.Bad, before.Total, before.Bad)
		}
		if after.Bad > 0 || bytes.Contains(got, []byte("***")) {
			return
		}
		records, _ := normalize.XMLRecords(got, spec)
		var root any
		if err := json.Unmarshal(fmt.Appendf(nil, `[%s,%s]`, after.Envelope, records), &root); err != nil {
			t.Fatal(err)
		}
		cleanXML(t, root, "")
	})
}

// cleanXML looks for what must have been removed.
func cleanXML(t *testing.T, v any, name string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if k == "#text" {
				k = name
			}
			cleanXML(t, inner, k)
		}
	case []any:
		for _, inner := range v {
			cleanXML(t, inner, name)
		}
	case string:
		v = strings.TrimSpace(v)
		if v != "" && (name == "ip" || name == "api_key") || isEmail(strings.ToLower(v)) {
			t.Errorf("%q is still there, in %s", v, name)
		}
	}
}

func BenchmarkRedactXML(b *testing.B) {
	record := `<conversion><conversion_id>q3ZxT0aLQk2Pz7nV1dYbRw</conversion_id><date>06-01-2026 13:05:09</date><offer_name>Harbor Coffee - iOS &amp; iPadOS</offer_name><ip>203.0.113.24</ip><revenue>2.45</revenue><subid_1>a</subid_1><subid_2/><disposition>Valid Conversion</disposition></conversion>`
	body := []byte("<r><conversions>" + strings.Repeat(record, 50_000) + "</conversions></r>")
	r := redacting(b, PII{IP: Hash, Email: Hash, Key: plain("k")}, nil)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.redact(body)
	}
}
