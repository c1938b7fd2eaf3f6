package extractors

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAPIErrorSaysWhatHappenedAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name string
		err  APIError
		want string
	}{
		{
			"a refused key names the credential to check",
			APIError{Network: "Affise", Account: "affise-main", Stream: "offers", Op: "/3.0/offers?page=1", Status: 403, Message: "Auth Denied",
				Credentials: []string{"credentials.api_key"}, Outcome: StopAccount},
			"Affise refused the key of account affise-main (403 Auth Denied): check credentials.api_key",
		},
		{
			"a refused key without words shows the status's own",
			APIError{Network: "Affise", Account: "affise-main", Status: 401, Outcome: StopAccount},
			"Affise refused the key of account affise-main (401 Unauthorized): check its credentials",
		},
		{
			"a server error names account, stream and call, and goes on by itself",
			APIError{Network: "Affise", Account: "affise-main", Stream: "offers", Op: "/3.0/offers?page=2", Status: 502, Message: "HTML instead of JSON", Outcome: RetryNow},
			"Affise failed to answer for account affise-main, stream offers (502 HTML instead of JSON), asked /3.0/offers?page=2: it is tried again by itself",
		},
		{
			"a timeout has no status but its cause",
			APIError{Network: "Affise", Account: "affise-main", Stream: "offers", Op: "/3.0/offers", Outcome: RetryNow, Err: errors.New("no answer within 2m0s")},
			"Affise gave no answer for account affise-main, stream offers (no answer within 2m0s), asked /3.0/offers: it is tried again by itself",
		},
		{
			"a throttled call says how long",
			APIError{Network: "Affise", Account: "a", Stream: "offers", Status: 429, Outcome: Wait, RetryAfter: 90 * time.Second},
			"Affise asked to wait for account a, stream offers (429 Too Many Requests): it goes on by itself after 1m30s",
		},
		{
			"a stopped stream says that the others go on",
			APIError{Network: "Affise", Account: "a", Stream: "offers", Op: "/3.0/offers", Status: 200, Message: "page 3 is page 2 again", Outcome: StopStream},
			"Affise gave an answer that cannot be used for account a, stream offers (200 page 3 is page 2 again), asked /3.0/offers: the stream stops until its next run; its account's other streams go on",
		},
		{
			"advice of the manifest replaces the usual",
			APIError{Network: "Affise", Account: "a", Stream: "clicks", Status: 404, Message: "Page Not Found", Outcome: StopStream, Advice: "this tenant offers no clicks"},
			"Affise does not know this call for account a, stream clicks (404 Page Not Found): this tenant offers no clicks",
		},
		{
			"a check has no stream",
			APIError{Network: "Affise", Account: "a", Op: "/3.0/offers", Status: 400, Message: "Bad Request", Outcome: StopStream},
			"Affise refused a call for account a (400 Bad Request), asked /3.0/offers: the stream stops until its next run; its account's other streams go on",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAPIErrorAnswersQuestionsThroughWraps(t *testing.T) {
	cause := errors.New("reset")
	for outcome, want := range map[Outcome]bool{RetryNow: true, Wait: true, StopStream: false, StopAccount: false, StopDaemon: false} {
		err := fmt.Errorf("pulling: %w", &APIError{Outcome: outcome, Err: cause})
		r, ok := errors.AsType[interface {
			error
			Retryable() bool
		}](err)
		if !ok || r.Retryable() != want {
			t.Errorf("%v: got retryable %v, want %v", outcome, ok && r.Retryable(), want)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%v: the cause is not found in %v", outcome, err)
		}
		if strings.HasPrefix(outcome.String(), "outcome ") {
			t.Errorf("outcome %d has no name", int(outcome))
		}
	}
}
