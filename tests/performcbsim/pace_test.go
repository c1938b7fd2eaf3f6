package performcbsim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/tests/performcbsim"
)

func TestCallsKeepTheirDistance(t *testing.T) {
	const minute = time.Minute
	for name, c := range map[string]struct {
		second string        // what is called after a conversions report
		after  time.Duration // after the end of that
		fault  performcbsim.FaultKind
		early  bool
	}{
		"five minutes after":                         {conversionsCall, 5 * minute, "", false},
		"a second too early":                         {conversionsCall, 5*minute - time.Second, "", true},
		"the interval is of the account":             {offersCall, 4 * minute, "", true},
		"another account has an interval of its own": {strings.Replace(offersCall, "user_id=90017", "user_id=5", 1), minute, "", false},
		"a failed call counts":                       {conversionsCall, 4 * minute, performcbsim.ServerError, true},
		"five minutes after a failed call":           {conversionsCall, 5 * minute, performcbsim.ServerError, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			n := setup(t, func(o *performcbsim.Options) { o.Clock, o.MinInterval = func() time.Time { return now }, 0 })
			if c.fault != "" {
				n.Inject(performcbsim.Fault{Kind: c.fault})
			}
			call(n, conversionsCall+"&from_date=05-31-2026&to_date=05-31-2026")
			now = now.Add(c.after)
			_, _, body := call(n, c.second+"&from_date=05-31-2026&to_date=05-31-2026")
			if got := strings.Contains(body, "at least 5 minutes"); got != c.early {
				t.Errorf("the answer is %.300s", body)
			}
			if got := n.Violations(5 * minute); (len(got) > 0) != c.early {
				t.Errorf("the violations are %v", got)
			}
			log := n.Log()
			if len(log) != 2 || log[0].Get != "conversions" || log[1].Early != c.early || log[0].Ended != noon {
				t.Errorf("the log is %+v", log)
			}
		})
	}
}

func TestAnswersToACallThatIsTooEarly(t *testing.T) {
	for mode, want := range map[performcbsim.Violation]string{
		performcbsim.RefuseInside: "200", performcbsim.RefuseByStatus: "429", performcbsim.CloseConnection: "cut",
	} {
		t.Run(string(mode), func(t *testing.T) {
			n := setup(t, func(o *performcbsim.Options) { o.MinInterval, o.OnEarly = time.Hour, mode })
			url, stop, err := n.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			get(t, url+offersCall)
			if got := get(t, url+offersCall); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// get makes a call and gives its status, or "cut" for one without a whole answer.
func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return "cut"
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && !errors.Is(err, io.EOF) {
		return "cut"
	}
	return strings.Fields(resp.Status)[0]
}

func TestFaults(t *testing.T) {
	for kind, want := range map[performcbsim.FaultKind]string{
		performcbsim.ServerError: "502", performcbsim.TooMany: "429", performcbsim.HTMLPage: "200", performcbsim.Torn: "200",
		performcbsim.Reset: "cut", performcbsim.CutBody: "cut",
	} {
		t.Run(string(kind), func(t *testing.T) {
			n := setup(t, nil)
			url, stop, err := n.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			n.Inject(performcbsim.Fault{Kind: kind, Get: "findMyApprovedOffers", After: 1})
			if got := get(t, url+offersCall); got != "200" {
				t.Errorf("the first call got %s", got)
			}
			if got := get(t, url+offersCall); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := get(t, url+offersCall); got != "200" || len(n.PendingFaults()) > 0 {
				t.Errorf("the call after it got %s", got)
			}
			if log := n.Log(); log[1].Fault != string(kind) || log[1].Ended.IsZero() {
				t.Errorf("the log is %+v", log)
			}
		})
	}
}

// A client that gives up knows earlier than the network that its call is over.
func TestACallThatItsClientGaveUpIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := performcbsim.New(performcbsim.Options{Now: func() time.Time { return noon }})
		n.Inject(performcbsim.Fault{Kind: performcbsim.Hang})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		func() {
			defer func() { _ = recover() }() // the server's way to end a connection
			n.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", offersCall, nil))
		}()
		time.Sleep(5*time.Minute - 100*time.Millisecond)
		if _, _, body := call(n, offersCall); !strings.Contains(body, `"status":1`) {
			t.Errorf("got %.200s", body)
		}
		if log := n.Log(); !log[0].Lost || log[0].Ended.Sub(log[0].At) != 2*time.Minute || len(n.Violations(5*time.Minute)) != 0 {
			t.Errorf("the log is %+v", log)
		}
	})
}

func TestRandomFaultsFollowFromTheSeed(t *testing.T) {
	play := func(seed uint64) (statuses string) {
		n := setup(t, func(o *performcbsim.Options) {
			o.Seed, o.Faults = seed, performcbsim.Faults{Rate: 0.3, Kinds: []performcbsim.FaultKind{performcbsim.ServerError, performcbsim.TooMany}}
		})
		for range 60 {
			status, _, _ := call(n, offersCall+"&paginate_by=1")
			statuses += string(rune('0' + status/100))
		}
		return statuses
	}
	one := play(1)
	if one != play(1) || one == play(2) || !strings.Contains(one, "5") || !strings.Contains(one, "4") || !strings.Contains(one, "2") {
		t.Errorf("got %s", one)
	}
}

func TestRefusals(t *testing.T) {
	dates := "&from_date=05-31-2026&to_date=05-31-2026"
	for name, c := range map[string]struct {
		query string
		sw    performcbsim.Switches
		want  []string
	}{
		"a wrong key of a JSON call": {strings.Replace(offersCall, "performcbsim-key", "nobodys", 1), performcbsim.Switches{},
			[]string{`"status":-1`, `"data":""`, `"errors":[{"publicMessage":"Invalid API key or user id"}]`, `"api_key":"nobodys"`}},
		"errors as an object": {strings.Replace(offersCall, "performcbsim-key", "nobodys", 1), performcbsim.Switches{ErrorObject: true},
			[]string{`"response":{"errors":{"publicMessage":`, `"link":`}},
		"a wrong key of a report": {strings.Replace(conversionsCall, "performcbsim-key", "nobodys", 1) + dates, performcbsim.Switches{},
			[]string{"<conversions_response", "<success>false</success><message>Invalid API Key</message>"}},
		"a report without dates":     {conversionsCall, performcbsim.Switches{}, []string{"<success>false</success>", "_date"}},
		"a call that is not known":   {"/api/v2/cb_api?get=findStats&" + key, performcbsim.Switches{}, []string{"Unknown method"}},
		"the login page":             {conversionsCall + dates, performcbsim.Switches{LoginPage: true}, []string{"<!DOCTYPE html>", "Log in"}},
		"a masked echo":              {offersCall, performcbsim.Switches{MaskedEcho: true}, []string{`"api_key":"########"`}},
		"success in another word":    {conversionsCall + dates, performcbsim.Switches{Success: "true"}, []string{"<success>true</success>"}},
		"a report without rows":      {conversionsCall + "&from_date=05-31-2020&to_date=05-31-2020", performcbsim.Switches{}, []string{"<conversions/>"}},
		"ids as text":                {offersCall, performcbsim.Switches{TextIDs: true}, []string{`"Offer":{"id":"6`}},
		"empty maps as objects":      {offersCall + "&contain[]=Country", performcbsim.Switches{EmptyObjects: true}, []string{`"Country":{}`}},
		"an unknown size of a page":  {offersCall + "&paginate_by=x", performcbsim.Switches{}, []string{"paginate_by must be"}},
		"a day that is not on earth": {conversionsCall + "&from_date=2026-05-31&to_date=05-31-2026", performcbsim.Switches{}, []string{"is not MM"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := setup(t, func(o *performcbsim.Options) { o.Switches = c.sw })
			_, _, body := call(n, c.query)
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("there is no %s in %.400s", want, body)
				}
			}
		})
	}
}

func TestWritesAreTold(t *testing.T) {
	n := setup(t, nil)
	_, _, body := call(n, "/api/v2/cb_api?get=change_account_info&email=x@example.com&"+key)
	if !strings.Contains(body, "<change_account_info_response") {
		t.Errorf("got %s", body)
	}
	if got := n.Violations(0); len(got) != 1 || got[0].Call.Get != "change_account_info" || !got[0].Call.Write {
		t.Errorf("the violations are %+v", got)
	}
}
