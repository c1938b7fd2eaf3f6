package rest

import (
	"errors"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
)

// inXMLNetwork is the network with its conversions in XML.
func inXMLNetwork() *manifest.Network {
	n := network()
	n.Success = &manifest.Success{Path: "success", Equals: []string{"1", "true"}, Refused: []string{"invalid api key"}, Throttled: []string{"too soon"}}
	n.ErrorText = []string{"message", "response.errorMessage"}
	c := n.Streams[0]
	c.Output.Format = normalize.FormatXML
	c.Output.Records = normalize.Paths{"conversions.conversion"}
	c.Paging = manifest.Paging{Kind: manifest.PagingNone, Total: "number_of_rows"}
	return n
}

func TestAnswersInXML(t *testing.T) {
	const head, tail = `<?xml version="1.0"?><conversions_response xmlns:xsi="x">`, `</conversions_response>`
	for name, tt := range map[string]struct {
		body    string
		records int
		outcome extractors.Outcome
		message string // of the error; empty for none
	}{
		"two records":                           {head + `<success>1</success><conversions><conversion><a>1</a></conversion><conversion/></conversions>` + tail, 2, 0, ""},
		"one record":                            {head + `<success>true</success><conversions><conversion><a>1</a></conversion></conversions>` + tail, 1, 0, ""},
		"a byte order mark":                     {"\ufeff" + head + `<success>1</success><conversions/>` + tail, 0, 0, ""},
		"no records":                            {head + `<success>1</success><conversions/>` + tail, 0, 0, ""},
		"no element for records, but a success": {head + `<success>1</success><number_of_rows>0</number_of_rows>` + tail, 0, 0, ""},
		"a broken record is a record":           {head + `<success>1</success><conversions><conversion><a></conversion><conversion/></conversions>` + tail, 2, 0, ""},
		"no element for records, nor a verdict": {head + `<rows/>` + tail, 0, extractors.StopStream, "the answer has no conversions.conversion"},
		"something else in place of records":    {head + `<success>1</success><conversions><row/></conversions>` + tail, 0, extractors.StopStream, "what the answer has at conversions.conversion is not records"},
		"a failure in words":                    {head + `<success>false</success><message>No such report</message>` + tail, 0, extractors.StopStream, "No such report"},
		"a failure without words":               {head + `<success>0</success>` + tail, 0, extractors.StopStream, "success is 0"},
		"a refused key":                         {head + `<success>false</success><message>Invalid API Key</message>` + tail, 0, extractors.StopAccount, "Invalid API Key"},
		"a call too soon":                       {head + `<success>false</success><message>Too soon!</message>` + tail, 0, extractors.Wait, "Too soon!"},
		"an empty root":                         {`<conversions_response/>`, 0, extractors.StopStream, "the answer has no conversions.conversion"},
		"a cut document":                        {head + `<success>1</success><conversions><conversion>`, 0, extractors.RetryNow, "the answer is not whole XML (line 1: it ends before its root is closed)"},
		"a credential in a tag":                 {`<a></` + marker + `>`, 0, extractors.RetryNow, "the answer is not whole XML (line 1: </***> closes nothing)"},
		"an HTML page":                          {"\n<!DOCTYPE html><title>Login</title>", 0, extractors.RetryNow, "the answer is an HTML page, not XML"},
		"nothing":                               {" ", 0, extractors.RetryNow, "the answer is empty"},
		"text":                                  {"no", 0, extractors.RetryNow, "the answer is not whole XML"},
		"the network's error in JSON":           {`{"response":{"status":-1,"errorMessage":"Unknown call"}}`, 0, extractors.StopStream, "Unknown call"},
		"its refusal of the key in JSON":        {`{"response":{"status":-1,"errorMessage":"Invalid API key or user id"}}`, 0, extractors.StopAccount, "Invalid API key or user id"},
		"JSON without words":                    {`{"conversions":[]}`, 0, extractors.StopStream, "the answer is JSON, not XML"},
		"a cut error in JSON":                   {`{"response":`, 0, extractors.RetryNow, "the answer is not whole XML"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, inXMLNetwork(), account(t), "conversions")
			page, err := s.Read(st, day(t, 2024, 3, 5), ok(tt.body))
			if tt.message == "" {
				if err != nil || page.Records != tt.records || !page.Done || page.Control {
					t.Errorf("got %+v, %v, want %d records and the end", page, err, tt.records)
				}
				return
			}
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok || e.Outcome != tt.outcome || e.Message != tt.message {
				t.Errorf("got %+v, %v, want %v: %s", page, err, tt.outcome, tt.message)
			}
		})
	}
}

func TestErrorsInXMLHaveWords(t *testing.T) {
	for name, tt := range map[string]struct {
		stream, body string
		status       int
		message      string
	}{
		"of a status":                  {"conversions", `<r><message>No</message></r>`, 500, "No"},
		"of a page for people":         {"conversions", `<html>no</html>`, 502, "an HTML page, not XML"},
		"of a body that was cut":       {"conversions", `<r><message>No`, 500, ""},
		"of a status, of JSON in XML":  {"conversions", `{"message":"No"}`, 500, "No"},
		"of a status, of XML in JSON":  {"clicks", `<r><message>No</message></r>`, 500, "No"},
		"of an answer, of XML in JSON": {"clicks", `<r><message>No</message></r>`, 200, "No"},
		"of an answer without any":     {"clicks", `<r><no/></r>`, 200, "the answer is XML, not JSON"},
		"of markup that is not XML":    {"clicks", `<p>no`, 200, "the answer is an HTML page, not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, inXMLNetwork(), account(t), tt.stream)
			a := ok(tt.body)
			a.Status = tt.status
			_, err := s.Read(st, day(t, 2024, 3, 5), a)
			if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Message != tt.message {
				t.Errorf("got %v, want %s", err, tt.message)
			}
		})
	}
}

func TestACheckMayAnswerInXML(t *testing.T) {
	s, _ := setup(t, inXMLNetwork(), account(t), "news")
	for body, good := range map[string]bool{
		`<r><success>1</success></r>`: true, `{"success":1}`: true, `<r><success>0</success></r>`: false, `<r/>`: false, `<html/>`: false,
	} {
		if page, err := s.Read(nil, extractors.Work{}, ok(body)); (err == nil) != good || page.Done != good {
			t.Errorf("%s: got %+v, %v, want good %v", body, page, err, good)
		}
	}
}

func TestPagesOfXMLAreTold(t *testing.T) {
	n := inXMLNetwork()
	n.Streams[0].Paging = manifest.Paging{
		Kind: manifest.PagingOffset, Param: "start_row", SizeParam: "limit", Size: 2, Total: "number_of_rows",
		Stop: []manifest.Stop{manifest.StopShort, manifest.StopEmpty}, Distinct: true, DistinctAdvice: "ask without limits",
	}
	s, st := setup(t, n, account(t), "conversions")
	w := day(t, 2024, 3, 5)
	answer := func(ids ...string) extractors.Answer {
		return ok(`<r><success>1</success><number_of_rows>9</number_of_rows><conversions><conversion><id>` + strings.Join(ids, `</id></conversion><conversion><id>`) + `</id></conversion></conversions></r>`)
	}
	first, err := s.Read(st, w, answer("1", "2"))
	if err != nil || first.Done || first.Total != 9 {
		t.Fatalf("got %+v, %v, want another page of 9 records", first, err)
	}
	w.Cursor = first.Next
	if c, err := s.Next(st, w); err != nil || query(t, c).Get("start_row") != "2" || c.Header.Get("Accept") != "application/xml, text/xml" {
		t.Errorf("got %v, %v, %v", c, c.Header, err)
	}
	if last, err := s.Read(st, w, answer("3")); err != nil || !last.Done || last.Records != 1 {
		t.Errorf("got %+v, %v, want the end", last, err)
	}
	_, err = s.Read(st, w, answer("2", "3"))
	if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Advice != "ask without limits" {
		t.Errorf("a page with the last record of the one before: got %v", err)
	}
	if _, err := s.Read(st, w, answer("1", "2")); err == nil {
		t.Error("a page that repeats was taken")
	}
}
