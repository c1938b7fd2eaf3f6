package extractorstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// PageOf says which page of a list a body is wanted for.
type PageOf struct {
	// Page counts from 1; Of is the number of pages of the list, 1000 for one that
	// has no end.
	Page, Of int
	// Records is how many are on it, all different from those of other pages.
	Records int
	// Same asks for the records of page 1 with the envelope of this page.
	Same bool
}

// Suite is what the test of a Source gives.
type Suite struct {
	// New makes the Source for a network at baseURL, with Marker as the value of
	// every credential. It is called often; what it makes must not share anything.
	New func(baseURL string) (extractors.Source, error)
	// Do performs a call as production does. It accepts bodies of up to BodyCap bytes.
	Do      func(ctx context.Context, c extractors.Call) (extractors.Answer, error)
	BodyCap int
	// Body gives an answer of the network to a call of the stream.
	Body func(s *extractors.Stream, p PageOf) []byte
	// Pages reports whether a stream's lists have several pages.
	Pages func(s *extractors.Stream) bool
	// MaxCalls is the number of calls after which an endless list must have been given up.
	MaxCalls int
}

// retryable is how a transport's error says that the call may be made again.
type retryable interface {
	error
	Retryable() bool
}

// Run runs the suite over every stream of the Source.
func Run(t *testing.T, suite Suite) {
	network := NewNetwork(t)
	source, err := suite.New(network.URL)
	must(t, err)
	streams := source.Streams()
	if len(streams) == 0 {
		t.Fatal("the source has no streams")
	}
	t.Run("the check", func(t *testing.T) { suite.check(t, network) })
	for _, s := range streams {
		for name, w := range works(s) {
			t.Run(s.Name+" by "+name, func(t *testing.T) {
				r := run{suite: &suite, network: network, name: s.Name, work: w}
				t.Run("reads to the end and resumes from every page", r.resumes)
				t.Run("accepts an empty list", r.empty)
				t.Run("ends an endless list", r.endless)
				t.Run("ends a list that repeats a page", r.repeated)
				t.Run("classifies what is no good answer", r.classifies)
				t.Run("stops when told", r.stops)
				t.Run("refuses a cursor that is not its own", r.foreignCursor)
				t.Run("lets no credential out", r.echo)
			})
		}
	}
}

// run is the suite for one stream and one kind of work.
type run struct {
	suite   *Suite
	network *Network
	name    string
	work    extractors.Work
}

// puller makes a new Source and finds the stream in it, as a new process would.
func (r *run) puller(t *testing.T) *puller {
	t.Helper()
	source, err := r.suite.New(r.network.URL)
	must(t, err)
	i := slices.IndexFunc(source.Streams(), func(s *extractors.Stream) bool { return s.Name == r.name })
	if i < 0 {
		t.Fatalf("a new source has no stream %s", r.name)
	}
	return &puller{Suite: r.suite, source: source, stream: source.Streams()[i], audit: &audit{t}}
}

// pages is the number of pages that the suite gives each list.
func (r *run) pages(p *puller) int {
	if p.Pages(p.stream) {
		return 3
	}
	return 1
}

// book is the network at rest: three pages a list, two records a page.
func (r *run) book(p *puller) Script {
	var replies []Reply
	for range lists(p.stream, r.work) {
		for page := range r.pages(p) {
			replies = append(replies, Reply{Body: p.Body(p.stream, PageOf{Page: page + 1, Of: r.pages(p), Records: 2})})
		}
	}
	return Book(replies...)
}

func (r *run) resumes(t *testing.T) {
	p := r.puller(t)
	want := lists(p.stream, r.work) * r.pages(p)
	r.network.Play(r.book(p))
	steps, _, err := p.pull(t.Context(), r.work, r.suite.MaxCalls)
	must(t, err)
	straight := r.network.Seen()
	if len(steps) != want || !steps[len(steps)-1].page.Done {
		t.Fatalf("got %d calls, want %d", len(steps), want)
	}
	for i, s := range straight {
		if s.Method != http.MethodGet {
			t.Errorf("call %d is a %s", i, s.Method)
		}
		if !strings.Contains(s.Target+fmt.Sprint(s.Header), Marker) && s.Header.Get("Authorization") == "" {
			t.Errorf("call %d carries no credential", i)
		}
	}
	if targets := targetsOf(straight); len(slices.Compact(slices.Sorted(slices.Values(targets)))) != want {
		t.Errorf("a call was made twice: %q", targets)
	}

	for cut := 1; cut < want; cut++ {
		r.network.Play(r.book(p))
		_, cursor, err := r.puller(t).pull(t.Context(), r.work, cut)
		must(t, err)
		resumed := r.work
		resumed.Cursor = cursor
		_, _, err = r.puller(t).pull(t.Context(), resumed, r.suite.MaxCalls)
		must(t, err)
		if got := targetsOf(r.network.Seen()); !slices.Equal(got, targetsOf(straight)) {
			t.Errorf("resumed after call %d: got calls %q, want %q", cut, got, targetsOf(straight))
		}
	}
}

func targetsOf(seen []Seen) []string {
	targets := make([]string, len(seen))
	for i, s := range seen {
		targets[i] = s.Target
	}
	return targets
}

func (r *run) empty(t *testing.T) {
	p := r.puller(t)
	body := p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 0})
	if body == nil {
		return // one record always: there is no empty list
	}
	r.network.Play(Always(Reply{Body: body}))
	steps, _, err := p.pull(t.Context(), r.work, r.suite.MaxCalls)
	must(t, err)
	if want := lists(p.stream, r.work); len(steps) != want {
		t.Errorf("got %d calls, want %d", len(steps), want)
	}
	for i, s := range steps {
		if s.page.Records != 0 {
			t.Errorf("call %d: got %d records of an empty list", i, s.page.Records)
		}
	}
}

func (r *run) endless(t *testing.T) {
	p := r.puller(t)
	if !p.Pages(p.stream) {
		return
	}
	r.network.Play(func(_ Seen, n int) Reply {
		return Reply{Body: p.Body(p.stream, PageOf{Page: n + 1, Of: 1000, Records: 2})}
	})
	r.stopsStream(t, p)
}

func (r *run) repeated(t *testing.T) {
	p := r.puller(t)
	if !p.Pages(p.stream) {
		return
	}
	for name, script := range map[string]Script{
		"the same answer": Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 1000, Records: 2})}),
		"the same records under another page's number": func(_ Seen, n int) Reply {
			return Reply{Body: p.Body(p.stream, PageOf{Page: n + 1, Of: 1000, Records: 2, Same: true})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r.network.Play(script)
			r.stopsStream(t, r.puller(t))
			if n := len(r.network.Seen()); n > 2 {
				t.Errorf("a page that repeats was noticed after %d calls", n)
			}
		})
	}
}

// stopsStream expects a pull that would not end to fail as something that stops
// the stream, and never to end as if it were complete.
func (r *run) stopsStream(t *testing.T, p *puller) {
	t.Helper()
	steps, _, err := p.pull(t.Context(), r.work, r.suite.MaxCalls)
	if err == nil {
		t.Fatalf("no error after %d calls", len(steps))
	}
	if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != extractors.StopStream {
		t.Errorf("got %v, want an error that stops the stream", err)
	}
}

func (r *run) classifies(t *testing.T) {
	good := func(p *puller) []byte { return p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 2}) }
	date := time.Date(2024, time.March, 5, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		reply   Reply
		body    func(p *puller) []byte
		outcome extractors.Outcome
		after   time.Duration
	}{
		"401 stops the account":                               {reply: Reply{Status: 401}, outcome: extractors.StopAccount},
		"403 stops the account":                               {reply: Reply{Status: 403, Body: []byte(`{"message":"no"}`)}, outcome: extractors.StopAccount},
		"403 in HTML stops the account":                       {reply: Reply{Status: 403, Body: []byte(`<html>no</html>`)}, outcome: extractors.StopAccount},
		"429 waits":                                           {reply: Reply{Status: 429}, outcome: extractors.Wait},
		"429 with seconds waits so long":                      {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {"90"}}}, outcome: extractors.Wait, after: 90 * time.Second},
		"429 with a date waits until then":                    {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {date.Add(5 * time.Minute).Format(http.TimeFormat)}, "Date": {date.Format(http.TimeFormat)}}}, outcome: extractors.Wait, after: 5 * time.Minute},
		"429 with a date that passed waits":                   {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {date.Format(http.TimeFormat)}, "Date": {date.Add(time.Hour).Format(http.TimeFormat)}}}, outcome: extractors.Wait},
		"429 with nonsense waits":                             {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {"-1e9"}}}, outcome: extractors.Wait},
		"429 with a huge number waits a day":                  {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {"99999999999999999999"}}}, outcome: extractors.Wait, after: 24 * time.Hour},
		"500 is retried":                                      {reply: Reply{Status: 500, Body: []byte(`{}`)}, outcome: extractors.RetryNow},
		"502 in HTML is retried":                              {reply: Reply{Status: 502, Body: []byte("<html>Bad Gateway</html>")}, outcome: extractors.RetryNow},
		"503 with seconds is retried after them":              {reply: Reply{Status: 503, Header: http.Header{"Retry-After": {"7"}}}, outcome: extractors.RetryNow, after: 7 * time.Second},
		"400 stops the stream":                                {reply: Reply{Status: 400}, outcome: extractors.StopStream},
		"410 stops the stream":                                {reply: Reply{Status: 410}, outcome: extractors.StopStream},
		"304 stops the stream":                                {reply: Reply{Status: 304}, outcome: extractors.StopStream},
		"HTML in place of JSON is retried":                    {reply: Reply{Body: []byte("\n<!DOCTYPE html><html></html>")}, outcome: extractors.RetryNow},
		"nothing in place of JSON is retried":                 {reply: Reply{Body: nil}, outcome: extractors.RetryNow},
		"text in place of JSON is retried":                    {reply: Reply{Body: []byte("upstream error")}, outcome: extractors.RetryNow},
		"JSON that was cut is retried":                        {body: func(p *puller) []byte { b := good(p); return b[:len(b)-1] }, outcome: extractors.RetryNow},
		"JSON with more behind it is retried":                 {body: func(p *puller) []byte { return append(good(p), "}"...) }, outcome: extractors.RetryNow},
		"a number in place of records stops it":               {reply: Reply{Body: []byte(`42`)}, outcome: extractors.StopStream},
		"a text in place of records stops it":                 {reply: Reply{Body: []byte(`"no"`)}, outcome: extractors.StopStream},
		"null in place of records stops it":                   {reply: Reply{Body: []byte(`null`)}, outcome: extractors.StopStream},
		"an answer without records stops it":                  {reply: Reply{Body: []byte(`{}`)}, outcome: extractors.StopStream},
		"an answer of another shape stops it":                 {reply: Reply{Body: []byte(`{"a":{"b":[1,2]}}`)}, outcome: extractors.StopStream},
		"an answer nested without end stops it or is retried": {reply: Reply{Body: bytes.Repeat([]byte(`[`), 20_000)}, outcome: extractors.RetryNow},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.puller(t)
			reply := tt.reply
			if tt.body != nil {
				reply.Body = tt.body(p)
			}
			r.network.Play(Always(reply))
			_, err := p.step(t.Context(), r.work)
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok {
				t.Fatalf("got %v, want an *APIError", err)
			}
			if e.Outcome != tt.outcome || e.RetryAfter != tt.after {
				t.Errorf("got outcome %v after %v, want %v after %v (%v)", e.Outcome, e.RetryAfter, tt.outcome, tt.after, err)
			}
			if e.Account == "" || e.Network == "" || e.Stream != r.name || e.Op == "" {
				t.Errorf("the error does not say who asked what of whom: %+v", e)
			}
		})
	}
	t.Run("404 for all of the list stops the stream", func(t *testing.T) {
		p := r.puller(t)
		r.network.Play(Always(Reply{Status: 404}))
		r.stopsStream(t, p)
	})
	t.Run("a body cut on the way is retried", func(t *testing.T) {
		p := r.puller(t)
		r.network.Play(Always(Reply{Body: good(p), Torn: true}))
		_, err := p.step(t.Context(), r.work)
		if e, ok := errors.AsType[retryable](err); !ok || !e.Retryable() {
			t.Errorf("got %v, want an error that may be retried", err)
		}
	})
	t.Run("a body over the cap is not retried", func(t *testing.T) {
		p := r.puller(t)
		r.network.Play(Always(Reply{Body: append(good(p), bytes.Repeat([]byte(" "), r.suite.BodyCap)...)}))
		_, err := p.step(t.Context(), r.work)
		if e, ok := errors.AsType[retryable](err); !ok || e.Retryable() {
			t.Errorf("got %v, want an error that is not retried", err)
		}
	})
}

func (r *run) stops(t *testing.T) {
	p := r.puller(t)
	stop := errors.New("the suite stops the call")
	ctx, cancel := context.WithCancelCause(t.Context())
	r.network.Play(func(Seen, int) Reply { cancel(stop); return Reply{Hang: true} })
	_, _, err := p.pull(ctx, r.work, r.suite.MaxCalls)
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want the cause of the stop", err)
	}
	if n := len(r.network.Seen()); n != 1 {
		t.Errorf("got %d calls, want 1", n)
	}
}

func (r *run) foreignCursor(t *testing.T) {
	p := r.puller(t)
	for _, text := range []string{"x", "{}", "null", "[]", `{"v":999}`, `{"v":1,"page":2}`, `{"v":1,"a":-1}`, `{"v":1,"a":1,"i":99999}`} {
		w := r.work
		w.Cursor = state.Cursor(text)
		if call, err := p.source.Next(p.stream, w); err == nil {
			t.Errorf("cursor %s was read, as the call %v", text, call)
		} else {
			p.audit.err(err)
		}
	}
}

func (r *run) echo(t *testing.T) {
	p := r.puller(t)
	words := fmt.Sprintf(`{"status":2,"error":"key %[1]s refused","message":"key %[1]s refused","api_key":%[1]q,"deep":[{"api_key":%[1]q}]}`, Marker)
	header := http.Header{"X-Key": {Marker}, "Location": {"/?" + Marker}}
	for _, status := range []int{200, 302, 307, 400, 401, 403, 404, 429, 500} {
		r.network.Play(Always(Reply{Status: status, Header: header, Body: []byte(words)}))
		if _, err := p.step(t.Context(), r.work); err == nil && status != 404 {
			t.Errorf("status %d with an error in words was accepted", status)
		}
	}
	for _, body := range []string{words[:len(words)-3], "<html>" + Marker + "</html>", Marker, ""} {
		r.network.Play(Always(Reply{Body: []byte(body)}))
		if _, err := p.step(t.Context(), r.work); err == nil {
			t.Errorf("the body %.40q was accepted", body)
		}
	}
	p.audit.text("printed source", fmt.Sprintf("%v %+v %#v", p.source, p.source, p.source))
}

// check runs what holds for the check, which has no stream.
func (s *Suite) check(t *testing.T, network *Network) {
	source, err := s.New(network.URL)
	must(t, err)
	a := &audit{t}
	call := source.Check()
	a.text("description of the check", call.Describe)
	for status, want := range map[int]extractors.Outcome{401: extractors.StopAccount, 403: extractors.StopAccount, 429: extractors.Wait, 500: extractors.RetryNow, 404: extractors.StopStream} {
		network.Play(Always(Reply{Status: status, Body: []byte(`{"message":"` + Marker + `"}`)}))
		answer, err := s.Do(t.Context(), call)
		must(t, err)
		_, err = source.Read(nil, extractors.Work{}, answer)
		if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != want {
			t.Errorf("status %d: got %v, want outcome %v", status, err, want)
		}
		a.err(err)
	}
	page := s.Body(source.Streams()[0], PageOf{Page: 1, Of: 1, Records: 1})
	network.Play(Always(Reply{Body: page}))
	answer, err := s.Do(t.Context(), call)
	must(t, err)
	if p, err := source.Read(nil, extractors.Work{}, answer); err != nil || !p.Done {
		t.Errorf("a good answer: got %+v, %v", p, err)
	}
}
