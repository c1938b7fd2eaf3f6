package rest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

func TestRefusals(t *testing.T) {
	date := "Tue, 05 Mar 2024 12:00:00 GMT"
	for name, tt := range map[string]struct {
		status  int
		header  http.Header
		body    string
		outcome extractors.Outcome
		after   time.Duration
		message string
	}{
		"the network's error is quoted":                {400, nil, `{"status":2,"error":"Bad Request"}`, extractors.StopStream, 0, "Bad Request"},
		"its message is quoted where it has no error":  {400, nil, `{"status":2,"message":"Bad Request"}`, extractors.StopStream, 0, "Bad Request"},
		"error goes before message":                    {400, nil, `{"message":"m","error":"e"}`, extractors.StopStream, 0, "e"},
		"an object is no message":                      {400, nil, `{"error":{"a":1},"message":"m"}`, extractors.StopStream, 0, "m"},
		"a list is no message":                         {400, nil, `{"message":[1]}`, extractors.StopStream, 0, ""},
		"words are put on one line":                    {400, nil, `{"error":" a\n\tb\u0000c "}`, extractors.StopStream, 0, "a b c"},
		"words are cut":                                {400, nil, `{"error":"` + strings.Repeat("ä", 400) + `"}`, extractors.StopStream, 0, strings.Repeat("ä", 150) + "..."},
		"a credential in the words is masked":          {403, nil, `{"error":"key ` + marker + ` denied"}`, extractors.StopAccount, 0, "key *** denied"},
		"a wrong key stops the account":                {403, nil, `{"status":2,"message":"Auth Denied"}`, extractors.StopAccount, 0, "Auth Denied"},
		"a missing key stops the account":              {401, nil, `{"status":2,"message":"Token is necessary"}`, extractors.StopAccount, 0, "Token is necessary"},
		"an unrouted path stops the stream":            {404, nil, `{"status":2,"error":"Page Not Found"}`, extractors.StopStream, 0, "Page Not Found"},
		"a proxy's page is retried":                    {502, nil, "<html><h1>Bad Gateway</h1>", extractors.RetryNow, 0, "an HTML page, not JSON"},
		"a request timeout is retried":                 {408, nil, "", extractors.RetryNow, 0, ""},
		"seconds of patience are honoured":             {429, http.Header{"Retry-After": {" 30 "}}, "", extractors.Wait, 30 * time.Second, ""},
		"a date is compared with the answer's own":     {429, http.Header{"Retry-After": {"Tue, 05 Mar 2024 12:02:00 GMT"}, "Date": {date}}, "", extractors.Wait, 2 * time.Minute, ""},
		"a date without the answer's own says nothing": {429, http.Header{"Retry-After": {"Tue, 05 Mar 2024 12:02:00 GMT"}}, "", extractors.Wait, 0, ""},
		"a date that passed is no wait":                {429, http.Header{"Retry-After": {"Tue, 05 Mar 2024 11:00:00 GMT"}, "Date": {date}}, "", extractors.Wait, 0, ""},
		"nobody waits longer than a day":               {429, http.Header{"Retry-After": {"31536000"}}, "", extractors.Wait, 24 * time.Hour, ""},
		"a negative wait is none":                      {503, http.Header{"Retry-After": {"-5"}}, "", extractors.RetryNow, 0, ""},
		"status 2 inside 200 stops the stream":         {200, nil, `{"status":2,"error":"Wrong slice","conversions":[]}`, extractors.StopStream, 0, "Wrong slice"},
		"status 2 without words is named":              {200, nil, `{"status":2,"message":{"a":1},"conversions":[]}`, extractors.StopStream, 0, "status is 2"},
		"status null is no success":                    {200, nil, `{"status":null,"conversions":[]}`, extractors.StopStream, 0, "status is "},
		"words of error without a status are an error": {200, nil, `{"error":"no","conversions":[]}`, extractors.StopStream, 0, "no"},
		"a page of HTML inside 200 is retried":         {200, nil, " \n<!doctype html>", extractors.RetryNow, 0, "the answer is an HTML page, not JSON"},
		"nothing inside 200 is retried":                {200, nil, " \n", extractors.RetryNow, 0, "the answer is empty"},
		"nothing inside 204 is retried":                {204, nil, "", extractors.RetryNow, 0, "the answer is empty"},
		"a cut body is retried":                        {200, nil, `{"status":1,"conversions":[{"id":1}`, extractors.RetryNow, 0, "the answer is not whole JSON"},
		"a cut body with an error in it is retried":    {200, nil, `{"status":2,"error":"x"`, extractors.RetryNow, 0, "the answer is not whole JSON"},
		"a redirect that was not followed stops it":    {302, nil, "", extractors.StopStream, 0, ""},
		"records that are missing stop the stream":     {200, nil, `{"status":1}`, extractors.StopStream, 0, "the answer has no conversions"},
		"records that are a text stop the stream":      {200, nil, `{"status":1,"conversions":"none"}`, extractors.StopStream, 0, "what the answer has at conversions is not records"},
		"a credential in odd records is not quoted":    {200, nil, `{"status":1,"conversions":"` + marker + `"}`, extractors.StopStream, 0, "what the answer has at conversions is not records"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, network(), account(t), "conversions")
			header := tt.header
			if header == nil {
				header = http.Header{}
			}
			page, err := s.Read(st, day(t, 2024, 3, 5), extractors.Answer{Status: tt.status, Header: header, Body: []byte(tt.body)})
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok {
				t.Fatalf("got %+v, %v, want an *APIError", page, err)
			}
			if e.Outcome != tt.outcome || e.RetryAfter != tt.after || !strings.HasPrefix(e.Message, tt.message) || tt.message == "" && e.Message != "" {
				t.Errorf("got %v after %v, %q, want %v after %v, %q", e.Outcome, e.RetryAfter, e.Message, tt.outcome, tt.after, tt.message)
			}
			if e.Status != tt.status || e.Network != "Net" || e.Account != "acme" || e.Stream != "conversions" || !strings.HasPrefix(e.Op, "/conversions?") {
				t.Errorf("got %+v", e)
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("the error holds the credential: %v", err)
			}
		})
	}
}

func TestARefusedKeyIsNamed(t *testing.T) {
	s, st := setup(t, network(), account(t), "conversions")
	_, err := s.Read(st, day(t, 2024, 3, 5), extractors.Answer{Status: 403, Body: []byte(`{"status":2,"message":"Auth Denied"}`)})
	if want := "Net refused the key of account acme (403 Auth Denied): check credentials.api_key"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAMissingCallSaysWhyItMayBe(t *testing.T) {
	s, st := setup(t, network(), account(t), "clicks")
	hour := day(t, 2024, 3, 5)
	_, err := s.Read(st, hour, extractors.Answer{Status: 404})
	if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Advice != "this tenant has no clicks" {
		t.Errorf("got %v", err)
	}
}

// The documentation and recorded answers disagree on some envelopes; both are read.
func TestBothReadingsOfAnEnvelope(t *testing.T) {
	for name, tt := range map[string]struct {
		stream, body string
		records      int
	}{
		"a status that is a text":                 {"conversions", `{"status":"1","conversions":[{"id":1}]}`, 1},
		"an answer without a status":              {"conversions", `{"conversions":[{"id":1}]}`, 1},
		"an array without an envelope":            {"conversions", `[{"id":1},{"id":2}]`, 2},
		"records as a map":                        {"conversions", `{"status":1,"conversions":{"a":{"id":1},"b":{"id":2}}}`, 2},
		"an empty map written as an array":        {"conversions", `{"status":1,"conversions":[]}`, 0},
		"an extra status code":                    {"conversions", `{"statusCode":200,"conversions":[{"id":1}],"status":1}`, 1},
		"a message that is an object, on success": {"conversions", `{"status":1,"message":{"a":"b"},"conversions":[]}`, 0},
		"no total, no page, no envelope of pages": {"news", `{"status":1,"items":[]}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, network(), account(t), tt.stream)
			w := day(t, 2024, 3, 5)
			if st.Window == nil {
				w = extractors.Work{Kind: state.Snapshot}
			}
			page, err := s.Read(st, w, ok(tt.body))
			if err != nil || page.Records != tt.records || !page.Done {
				t.Errorf("got %+v, %v, want %d records and the end", page, err, tt.records)
			}
		})
	}
}

func TestTheCheckNeedsAVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		good bool
	}{
		"success":              {`{"status":1,"offers":[]}`, true},
		"an error in words":    {`{"status":2,"error":"no"}`, false},
		"an unknown answer":    {`{"hello":"world"}`, false},
		"a portal's HTML page": {`<html>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := setup(t, network(), account(t), "news")
			page, err := s.Read(nil, extractors.Work{}, ok(tt.body))
			if (err == nil) != tt.good || page.Done != tt.good {
				t.Errorf("got %+v, %v, want good %v", page, err, tt.good)
			}
		})
	}
	n := network()
	n.Success = nil
	s, _ := setup(t, n, account(t), "news")
	if _, err := s.Read(nil, extractors.Work{}, ok(`{}`)); err != nil {
		t.Errorf("a network without a success test: %v", err)
	}
}

func TestAnItemThatIsGoneIsSkipped(t *testing.T) {
	s, st := setup(t, network(), account(t), "offer")
	w := extractors.Work{Kind: state.Snapshot, Items: []string{"1", "2", "3"}}
	gone := extractors.Answer{Status: 404, Body: []byte(`{"status":2,"message":"Resource Not Found"}`)}
	page, err := s.Read(st, w, gone)
	if err != nil || page.Done || page.Records != 0 {
		t.Fatalf("the first: got %+v, %v, want to go on", page, err)
	}
	w.Cursor = page.Next
	if page, err = s.Read(st, w, gone); err != nil {
		t.Fatal(err)
	}
	w.Cursor = page.Next
	if last, err := s.Read(st, w, ok(`{"status":1,"offer":{"id":3}}`)); err != nil || !last.Done || last.Records != 1 {
		t.Errorf("the last: got %+v, %v, want one record and the end", last, err)
	}
	_, err = s.Read(st, w, gone)
	if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != extractors.StopStream {
		t.Errorf("none of the items is known: got %v, want the stream to stop", err)
	}
}

func TestANetworkWithoutSuccessTestIsReadByStatus(t *testing.T) {
	n := network()
	n.Success = nil
	n.Streams[0].Paging = manifest.Paging{Kind: manifest.PagingNone}
	s, st := setup(t, n, account(t), "conversions")
	if page, err := s.Read(st, day(t, 2024, 3, 5), ok(`{"status":2,"conversions":[1]}`)); err != nil || page.Records != 1 || !page.Done {
		t.Errorf("got %+v, %v", page, err)
	}
}
