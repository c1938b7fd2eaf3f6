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

// wordy is a network that says in words what others say by a status, as HasOffers and
// its kin do.
func wordy() *manifest.Network {
	n := network()
	n.ErrorText = []string{"response.errorMessage", "response.errors.0.publicMessage", "response.errors.publicMessage"}
	n.Success = &manifest.Success{
		Path: "response.status", Equals: []string{"1"},
		Refused: []string{"invalid api key"}, Throttled: []string{"exceeded rate limit"},
	}
	return n
}

func TestWordsSayWhatAStatusDoesNot(t *testing.T) {
	for name, tt := range map[string]struct {
		status  int
		header  http.Header
		body    string
		outcome extractors.Outcome
		after   time.Duration
		message string
	}{
		"a refused key inside 200 stops the account": {200, nil,
			`{"response":{"status":-1,"errorMessage":"Invalid API Key or user id"}}`, extractors.StopAccount, 0, "Invalid API Key or user id"},
		"a call too many inside 200 waits": {200, http.Header{"Retry-After": {"7"}},
			`{"response":{"status":-1,"errorMessage":"API usage exceeded rate limit. Configured: 50/10s"}}`, extractors.Wait, 7 * time.Second, "API usage exceeded"},
		"words in a list are read": {200, nil,
			`{"response":{"status":-1,"errorMessage":null,"errors":[{"publicMessage":"INVALID API KEY"}]}}`, extractors.StopAccount, 0, "INVALID API KEY"},
		"words in an object are read, also without a verdict": {200, nil,
			`{"response":{"errors":{"publicMessage":"invalid api key"},"link":"x"}}`, extractors.StopAccount, 0, "invalid api key"},
		"words behind those that are shown count": {200, nil,
			`{"response":{"status":-1,"errorMessage":"Request failed","errors":[{"publicMessage":"exceeded rate limit"}]}}`, extractors.Wait, 0, "Request failed"},
		"other words stop the stream": {200, nil,
			`{"response":{"status":-1,"errorMessage":"Unknown filter"}}`, extractors.StopStream, 0, "Unknown filter"},
		"a refused key in a bad request stops the account": {400, nil,
			`{"response":{"errorMessage":"invalid api key"}}`, extractors.StopAccount, 0, "invalid api key"},
		"a refusal that is about the rate waits": {403, nil,
			`{"response":{"errorMessage":"You exceeded rate limit, invalid api key next"}}`, extractors.Wait, 0, "You exceeded"},
		"another refusal stops the account": {403, nil, `{"response":{"errorMessage":"no"}}`, extractors.StopAccount, 0, "no"},
		"words about a key in a failure are retried": {500, nil,
			`{"response":{"errorMessage":"invalid api key"}}`, extractors.RetryNow, 0, "invalid api key"},
		"words about the rate in a failure wait": {503, nil,
			`{"response":{"errorMessage":"exceeded rate limit"}}`, extractors.Wait, 0, "exceeded"},
		"a key that nobody knows the words for stops the stream": {200, nil,
			`{"response":{"status":-1,"data":"invalid api key"}}`, extractors.StopStream, 0, "response.status is -1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, wordy(), account(t), "conversions")
			header := tt.header
			if header == nil {
				header = http.Header{}
			}
			page, err := s.Read(st, day(t, 2024, 3, 5), extractors.Answer{Status: tt.status, Header: header, Body: []byte(tt.body)})
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok || e.Outcome != tt.outcome || e.RetryAfter != tt.after || !strings.HasPrefix(e.Message, tt.message) {
				t.Fatalf("got %+v, %+v, want %v after %v, %q", page, err, tt.outcome, tt.after, tt.message)
			}
			if named := len(e.Credentials) > 0; named != (tt.outcome == extractors.StopAccount) {
				t.Errorf("the credentials that are named: %v", e.Credentials)
			}
		})
	}
}

// Without words of its own a network is read as before.
func TestWordsAreTheManifests(t *testing.T) {
	n := wordy()
	n.Success.Refused, n.Success.Throttled = nil, nil
	s, st := setup(t, n, account(t), "conversions")
	_, err := s.Read(st, day(t, 2024, 3, 5), ok(`{"response":{"status":-1,"errorMessage":"invalid api key"}}`))
	if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != extractors.StopStream {
		t.Errorf("got %v, want the stream to stop", err)
	}
}

func TestAStreamMayHaveATestOfItsOwn(t *testing.T) {
	n := wordy()
	m := n.Streams[3]
	m.Success = &manifest.Success{Path: "result.success", Equals: []string{"1", "true"}, Refused: []string{"denied"}}
	m.ErrorText = []string{"result.message"}
	s, st := setup(t, n, account(t), "news")
	w := extractors.Work{Kind: state.Snapshot}
	for body, want := range map[string]extractors.Outcome{
		`{"result":{"success":"true"},"items":[],"response":{"status":-1}}`: 0,
		`{"result":{"success":"false","message":"Key DENIED"},"items":[]}`:  extractors.StopAccount,
		`{"result":{"success":"false"},"response":{"errorMessage":"x"}}`:    extractors.StopStream,
	} {
		_, err := s.Read(st, w, ok(body))
		e, _ := errors.AsType[*extractors.APIError](err)
		if want == 0 && err != nil || want != 0 && (e == nil || e.Outcome != want) {
			t.Errorf("%s: got %v, want outcome %v", body, err, want)
		}
	}
	// The other streams and the check have the network's.
	for _, name := range []string{"conversions", ""} {
		var of *extractors.Stream
		var w extractors.Work
		if name != "" {
			_, of = setup(t, n, account(t), name)
			w = day(t, 2024, 3, 5)
		}
		if _, err := s.Read(of, w, ok(`{"response":{"status":1},"conversions":[]}`)); err != nil {
			t.Errorf("stream %q: %v", name, err)
		}
		if _, err := s.Read(of, w, ok(`{"response":{"status":0,"errorMessage":"x"},"result":{"success":"1"},"conversions":[]}`)); err == nil {
			t.Errorf("stream %q took the answer of another stream's test", name)
		}
	}
}

func TestWordsThatEchoAKeyAreMasked(t *testing.T) {
	s, st := setup(t, wordy(), account(t), "conversions")
	_, err := s.Read(st, day(t, 2024, 3, 5), ok(`{"response":{"status":-1,"errorMessage":"Invalid API key `+marker+`"}}`))
	if err == nil || strings.Contains(err.Error(), marker) || !strings.Contains(err.Error(), "Invalid API key ***") {
		t.Errorf("got %v", err)
	}
}

func TestHeadersOfAManifest(t *testing.T) {
	n := network()
	n.Headers = map[string]string{"content-type": "application/json", "Accept": "application/vnd.api+json"}
	n.Streams[3].Output.Format = "xml"
	s, st := setup(t, n, account(t), "news")
	call, err := s.Next(st, extractors.Work{Kind: state.Snapshot})
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]http.Header{"a stream": call.Header, "the check": s.Check().Header} {
		if header.Get("Content-Type") != "application/json" || header.Get("Accept") != "application/vnd.api+json" || header.Get("API-Key") != marker {
			t.Errorf("%s: got %v", name, header)
		}
	}
	call.Header.Set("Content-Type", "changed")
	if got := s.Check().Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("calls share their headers: got %s", got)
	}
	n.Headers = nil
	if call, err = s.Next(st, extractors.Work{Kind: state.Snapshot}); err != nil || call.Header.Get("Accept") != "application/xml, text/xml" {
		t.Errorf("got %v, %v for a stream in XML", call.Header, err)
	}
}
