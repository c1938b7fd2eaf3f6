package extractorstest

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"syncd/extractors"
)

func (r *exportRun) classifies(t *testing.T) {
	for name, tt := range map[string]struct {
		reply   Reply
		outcome extractors.Outcome
		after   time.Duration
		// create is the outcome of a creation if it is another; gone says that exports and
		// files may be gone, which is no failure of their steps.
		create extractors.Outcome
		gone   bool
	}{
		"401 stops the account":          {reply: Reply{Status: 401}, outcome: extractors.StopAccount},
		"403 in HTML stops the account":  {reply: Reply{Status: 403, Body: []byte("<html>no</html>")}, outcome: extractors.StopAccount},
		"429 waits":                      {reply: Reply{Status: 429}, outcome: extractors.Wait},
		"429 with seconds waits so long": {reply: Reply{Status: 429, Header: http.Header{"Retry-After": {"90"}}}, outcome: extractors.Wait, after: 90 * time.Second},
		"402 is the day's number for a creation": {
			reply: Reply{Status: 402}, outcome: extractors.StopStream, create: extractors.Wait,
		},
		"500 is retried":                   {reply: Reply{Status: 500, Body: []byte(`{}`)}, outcome: extractors.RetryNow},
		"502 in HTML is retried":           {reply: Reply{Status: 502, Body: []byte("<html>Bad Gateway</html>")}, outcome: extractors.RetryNow},
		"503 is retried after its seconds": {reply: Reply{Status: 503, Header: http.Header{"Retry-After": {"7"}}}, outcome: extractors.RetryNow, after: 7 * time.Second},
		"400 stops the stream":             {reply: Reply{Status: 400}, outcome: extractors.StopStream},
		"405 stops the stream":             {reply: Reply{Status: 405}, outcome: extractors.StopStream},
		"404 stops the stream":             {reply: Reply{Status: 404}, outcome: extractors.StopStream, gone: true},
		"HTML is retried":                  {reply: Reply{Body: []byte("<!DOCTYPE html><html></html>")}, outcome: extractors.RetryNow},
		"nothing is retried":               {reply: Reply{}, outcome: extractors.RetryNow},
		"text is retried":                  {reply: Reply{Body: []byte("upstream error")}, outcome: extractors.RetryNow},
		"half an object is retried":        {reply: Reply{Body: []byte(`{"data":{"id":"e-1","status":"COMPL`)}, outcome: extractors.RetryNow},
	} {
		t.Run(name, func(t *testing.T) {
			d, works := r.at(t)
			for _, step := range exportSteps {
				r.network.Play(func(Seen, int) Reply { return withDate(tt.reply, d.now) })
				page, err := r.puller(t).step(t.Context(), works[step])
				if tt.gone && (step == PollExport || step == SignExport) {
					if err != nil || !page.page.Control || page.page.Done {
						t.Errorf("%s: got %+v, %v; what is gone is made once more", step, page.page, err)
					}
					continue
				}
				want := tt.outcome
				if step == CreateExport && tt.create != 0 {
					want = tt.create
				}
				e, ok := errors.AsType[*extractors.APIError](err)
				if !ok || e.Outcome != want {
					t.Errorf("%s: got %v, want outcome %v", step, err, want)
					continue
				}
				if tt.after > 0 && e.RetryAfter != tt.after {
					t.Errorf("%s: waits %v, want %v", step, e.RetryAfter, tt.after)
				}
				if creationWaits := step == CreateExport && want == extractors.Wait; e.PullOnly != creationWaits || creationWaits && e.RetryAfter <= 0 {
					t.Errorf("%s: waits %v, for this pull alone: %v", step, e.RetryAfter, e.PullOnly)
				}
				if e.Account == "" || e.Network == "" || e.Stream != r.name || e.Op == "" {
					t.Errorf("%s: the error does not say who asked what of whom: %+v", step, e)
				}
			}
		})
	}
}

func withDate(reply Reply, now time.Time) Reply {
	header := reply.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Date", now.UTC().Format(http.TimeFormat))
	reply.Header = header
	return reply
}

// nonsense is whole JSON that says nothing about exports. It is no reason to create one,
// nor does anything come of it.
func (r *exportRun) nonsense(t *testing.T) {
	_, works := r.at(t)
	for _, body := range []string{`42`, `"no"`, `true`, `null`, `{}`, `{"a":1}`, `{"data":42}`, `{"data":"no"}`, `{"data":{"a":[]}}`, `{"url":{}}`, `{"url":17}`, `{"url":null}`} {
		for _, step := range exportSteps {
			r.network.Play(Always(Reply{Body: []byte(body)}))
			s, err := r.puller(t).step(t.Context(), works[step])
			if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != extractors.StopStream && e.Outcome != extractors.RetryNow {
				t.Errorf("%s answered by %s: got %+v, %v, want an error about the answer", step, body, s.page, err)
			}
		}
	}
}

func (r *exportRun) echo(t *testing.T) {
	_, works := r.at(t)
	words := fmt.Sprintf(`{"status":2,"error":{"message":"key %[1]s refused"},"message":"key %[1]s refused","url":"ftp://%[2]s/","data":{"id":%[1]q}}`, Marker, LinkMarker)
	links := []string{
		"ftp://storage.example/" + LinkMarker, "http://user:" + LinkMarker + "@storage.example/", "http://[::1%" + LinkMarker, "//" + LinkMarker,
		"http:///" + LinkMarker, LinkMarker, "https://storage.example:" + LinkMarker + "/",
	}
	p := r.puller(t)
	for _, step := range exportSteps {
		for _, status := range []int{200, 302, 400, 401, 402, 403, 404, 429, 500} {
			r.network.Play(Always(Reply{Status: status, Header: http.Header{"X-Key": {Marker}, "Location": {"/?" + Marker}}, Body: []byte(words)}))
			_, _ = p.step(t.Context(), works[step]) // what it means is tested above; here the audit listens
		}
		r.network.Play(Always(Reply{Body: []byte(words[:len(words)-3])}))
		if _, err := p.step(t.Context(), works[step]); err == nil {
			t.Errorf("%s: half an answer was accepted", step)
		}
	}
	for _, link := range links {
		r.network.Play(Always(Reply{Body: p.Exports.Link(p.stream, link)}))
		if _, err := p.step(t.Context(), works[SignExport]); err == nil {
			t.Errorf("the link %s was accepted", link)
		}
	}
}
