package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/transport"
	"syncd/state"
)

// gate is a network that gives a token for a login and answers only to that.
type gate struct {
	mu sync.Mutex // guards what follows
	// logins counts them; the token that holds is that of the last.
	logins int
	calls  []string
	// closed refuses every token, and keys every login.
	closed, keys bool
	// empty gives no token.
	empty bool
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := r.URL.Query()
	g.calls = append(g.calls, q.Get("method"))
	if q.Get("method") == "auth" {
		switch {
		case g.keys || q.Get("pass") != marker:
			_, _ = fmt.Fprint(w, `{"status":"0","error":"Wrong password `+q.Get("pass")+`"}`)
		case g.empty:
			_, _ = fmt.Fprint(w, `{"status":"1","authid":7,"authhash":null}`)
		default:
			g.logins++
			_, _ = fmt.Fprintf(w, `{"status":"1","authid":7,"authhash":"TOKEN-hash-%04d"}`, g.logins)
		}
		return
	}
	if g.closed || q.Get("authid") != "7" || q.Get("authhash") != fmt.Sprintf("TOKEN-hash-%04d", g.logins) {
		_, _ = fmt.Fprintf(w, `{"status":"0","error":"Access denied for %s"}`, q.Get("authhash"))
		return
	}
	_, _ = fmt.Fprintf(w, `{"status":"1","data":[{"id":%q,"note":%q}]}`, q.Get("id"), q.Get("authhash"))
}

// guarded is an account at a gate.
type guarded struct {
	source *Source
	stream *extractors.Stream
	tr     *transport.Transport
}

func guard(t *testing.T, g *gate) *guarded {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	n := posting(manifest.Request{Path: "/", Query: map[string][]string{"method": {"getstatuses"}, "id": {"{item}"}}}, 1)
	n.Success.Refused = []string{"access denied", "wrong password"}
	n.Auth = manifest.Auth{Login: &manifest.Login{
		Request: manifest.Request{Path: "/", Query: map[string][]string{"method": {"auth"}, "pass": {"{credential.api_key}"}}},
		Token:   map[string]string{"authid": "authid", "authhash": "authhash"},
	}}
	a := account(t)
	a.BaseURL = server.URL
	source, st := setup(t, n, a, "statuses")
	tr := transport.New(transport.Options{})
	t.Cleanup(tr.Close)
	return &guarded{source, st, tr}
}

// step makes one call for a lead as a lane does; the body is what would be stored.
func (g *guarded) step(t *testing.T, w *extractors.Work) (page extractors.Page, stored string, err error) {
	t.Helper()
	call, err := g.source.Next(g.stream, *w)
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %#v", call, call); strings.Contains(shown, "TOKEN") || strings.Contains(shown, marker) {
		t.Errorf("%s shows a secret", shown)
	}
	resp, err := g.tr.Do(t.Context(), transport.Request{Method: call.Method, URL: call.URL, Header: call.Header})
	if err != nil {
		t.Fatal(err)
	}
	page, err = g.source.Read(g.stream, *w, extractors.Answer{Status: resp.Status, Header: resp.Header, Body: resp.Body})
	if err != nil {
		if strings.Contains(err.Error(), "TOKEN") || strings.Contains(err.Error(), marker) {
			t.Errorf("the error shows a secret: %v", err)
		}
		return page, "", err
	}
	w.Cursor = page.Next
	if !page.Control {
		stored = string(g.source.Redact(resp.Body))
	}
	return page, stored, nil
}

func lead(id string) *extractors.Work {
	return &extractors.Work{Kind: state.Changes, Items: []string{id}, Begun: time0}
}

func outcomeOf(err error) extractors.Outcome {
	if api, ok := errors.AsType[*extractors.APIError](err); ok {
		return api.Outcome
	}
	return 0
}

func TestALoginComesFirstAndItsTokenServesAllCalls(t *testing.T) {
	network := &gate{}
	g := guard(t, network)
	w := lead("5")
	page, stored, err := g.step(t, w)
	if err != nil || !page.Control || page.Done || page.Records != 0 || stored != "" {
		t.Fatalf("got %+v, %v, want an answer of which nothing is stored", page, err)
	}
	page, stored, err = g.step(t, w)
	if err != nil || !page.Done || page.Records != 1 || strings.Contains(stored, "TOKEN") || !strings.Contains(stored, `"id":"5"`) {
		t.Fatalf("got %+v, %q, %v, want the record without the token that it quotes", page, stored, err)
	}
	if _, _, err := g.step(t, lead("6")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(network.calls, " "); got != "auth getstatuses getstatuses" {
		t.Errorf("got the calls %s, want one login", got)
	}
}

func TestATokenThatIsRefusedIsReplacedOnce(t *testing.T) {
	network := &gate{}
	g := guard(t, network)
	w := lead("5")
	for range 2 {
		if _, _, err := g.step(t, w); err != nil {
			t.Fatal(err)
		}
	}
	network.logins++ // the network forgets the token
	w = lead("6")
	if _, _, err := g.step(t, w); outcomeOf(err) != extractors.RetryNow {
		t.Fatalf("got %v, want a call that is made again", err)
	}
	for range 2 {
		if _, _, err := g.step(t, w); err != nil {
			t.Fatal(err)
		}
	}
	network.closed = true
	w = lead("7")
	if _, _, err := g.step(t, w); outcomeOf(err) != extractors.RetryNow {
		t.Fatalf("got %v, want a call that is made again", err)
	}
	if _, _, err := g.step(t, w); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.step(t, w); outcomeOf(err) != extractors.StopAccount {
		t.Errorf("got %v, want the account stopped: a token that is fresh is not refused for its age", err)
	}
}

func TestALoginThatIsRefusedStopsTheAccount(t *testing.T) {
	g := guard(t, &gate{keys: true})
	if _, _, err := g.step(t, lead("5")); outcomeOf(err) != extractors.StopAccount || !strings.Contains(err.Error(), "credentials.api_key") {
		t.Errorf("got %v, want the account stopped", err)
	}
	g = guard(t, &gate{empty: true})
	if _, _, err := g.step(t, lead("5")); outcomeOf(err) != extractors.StopStream || !strings.Contains(err.Error(), "authhash") {
		t.Errorf("got %v, want to hear what the login did not give", err)
	}
}

func TestTheLoginIsTheCheckAndGivesTheToken(t *testing.T) {
	network := &gate{}
	g := guard(t, network)
	call := g.source.Check()
	resp, err := g.tr.Do(t.Context(), transport.Request{Method: call.Method, URL: call.URL, Header: call.Header})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := g.source.Read(nil, extractors.Work{}, extractors.Answer{Status: resp.Status, Body: resp.Body}); err != nil || !page.Done {
		t.Fatalf("got %+v, %v, want a good check", page, err)
	}
	if page, _, err := g.step(t, lead("5")); err != nil || page.Control {
		t.Errorf("got %+v, %v, want a record without another login", page, err)
	}
}

// Two pulls whose calls cross: what is the answer to a login is known by the pull.
func TestPullsThatCrossEachReadTheirOwnAnswer(t *testing.T) {
	network := &gate{}
	g := guard(t, network)
	a, b := lead("5"), lead("6")
	b.Begun = b.Begun.Add(1)
	first, _ := g.source.Next(g.stream, *a) // both find that there is no token
	if _, _, err := g.step(t, b); err != nil {
		t.Fatal(err)
	}
	resp, err := g.tr.Do(t.Context(), transport.Request{Method: first.Method, URL: first.URL, Header: first.Header})
	if err != nil {
		t.Fatal(err)
	}
	page, err := g.source.Read(g.stream, *a, extractors.Answer{Status: resp.Status, Body: resp.Body})
	if err != nil || !page.Control {
		t.Fatalf("got %+v, %v, want the answer read as that of a login", page, err)
	}
	for _, w := range []*extractors.Work{a, b} {
		if page, _, err := g.step(t, w); err != nil || page.Records != 1 {
			t.Errorf("got %+v, %v, want a record", page, err)
		}
	}
}

func TestTokensGoWhereTheAuthSays(t *testing.T) {
	for kind, where := range map[manifest.AuthKind]func(extractors.Call) string{
		manifest.AuthBearer: func(c extractors.Call) string { return c.Header.Get("Authorization") },
		manifest.AuthHeader: func(c extractors.Call) string { return "Bearer " + c.Header.Get("token") },
	} {
		n := posting(manifest.Request{Path: "/s", Query: map[string][]string{"id": {"{item}"}}}, 1)
		n.Auth = manifest.Auth{Kind: kind, Login: &manifest.Login{Request: manifest.Request{Path: "/login", Query: map[string][]string{"pass": {"{credential.api_key}"}}}, Token: map[string]string{"token": "data.token"}}}
		source, st := setup(t, n, account(t), "statuses")
		w := lead("5")
		if _, err := source.Next(st, *w); err != nil {
			t.Fatal(err)
		}
		page, err := source.Read(st, *w, ok(`{"status":"1","data":{"token":"abc"}}`))
		if err != nil {
			t.Fatal(err)
		}
		w.Cursor = page.Next
		call, err := source.Next(st, *w)
		if err != nil || where(call) != "Bearer abc" || call.URL != "https://api.example.com/s?id=5" {
			t.Errorf("auth %s: got %s with %v, %v, want the token there", kind, call.URL, call.Header, err)
		}
	}
}

// Workers of an account share a source; the race detector looks on.
func TestWorkersShareAToken(t *testing.T) {
	network := &gate{}
	g := guard(t, network)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 5 {
				w := lead(fmt.Sprint(i, n))
				w.Begun = w.Begun.Add(time.Duration(10*i + n))
				// A login of another worker may outdate the token of this one's call.
				for tries, done := 0, false; !done; tries++ {
					page, _, err := g.step(t, w)
					if err != nil && outcomeOf(err) != extractors.RetryNow && outcomeOf(err) != extractors.StopAccount || tries > 50 {
						t.Errorf("got %v after %d tries, want a record in the end", err, tries)
						return
					}
					done = err == nil && page.Records == 1
				}
			}
		})
	}
	wg.Wait()
}
