package extractorstest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"syncd/extractors"
)

// otherShape is an answer that has nothing to do with any stream's.
const otherShape = `{"a":{"b":[1,2]}}`

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
		"an answer of another shape stops it":                 {reply: Reply{Body: []byte(otherShape)}, outcome: extractors.StopStream},
		"an answer nested without end stops it or is retried": {reply: Reply{Body: bytes.Repeat([]byte(`[`), 20_000)}, outcome: extractors.RetryNow},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.puller(t)
			reply, outcome := tt.reply, tt.outcome
			switch listing := p.Listing(p.stream); {
			case outcome == extractors.StopAccount && listing.Unchecked:
				outcome = extractors.StopStream
			case listing.Nothing && string(reply.Body) == `{}`, listing.Anything && string(reply.Body) == otherShape:
				return
			}
			if tt.body != nil {
				reply.Body = tt.body(p)
			}
			r.network.Play(Always(reply))
			_, err := p.step(t.Context(), r.work)
			e, ok := errors.AsType[*extractors.APIError](err)
			if !ok {
				t.Fatalf("got %v, want an *APIError", err)
			}
			if e.Outcome != outcome || e.RetryAfter != tt.after {
				t.Errorf("got outcome %v after %v, want %v after %v (%v)", e.Outcome, e.RetryAfter, outcome, tt.after, err)
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

// known plays the answers whose meaning the network's description gives.
func (r *run) known(t *testing.T) {
	p := r.puller(t)
	for name, k := range p.Known(p.stream) {
		t.Run(name, func(t *testing.T) {
			r.network.Play(Always(Reply{Status: k.Status, Body: k.Body}))
			p := r.puller(t)
			_, err := p.step(t.Context(), r.work)
			e, ok := errors.AsType[*extractors.APIError](err)
			if k.Outcome == 0 && err != nil || k.Outcome != 0 && (!ok || e.Outcome != k.Outcome) {
				t.Errorf("got %v, want outcome %v, of %.300s", err, k.Outcome, k.Body)
			}
		})
	}
}

// tears is in how many places an answer is cut.
const tears = 12

func (r *run) torn(t *testing.T) {
	p := r.puller(t)
	good := p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 2})
	for i := range tears {
		at := i * (len(good) - 1) / (tears - 1)
		r.network.Play(Always(Reply{Body: good[:at]}))
		_, err := p.step(t.Context(), r.work)
		if e, ok := errors.AsType[*extractors.APIError](err); !ok || e.Outcome != extractors.RetryNow {
			t.Errorf("cut after %d of %d bytes: got %v, want a retry", at, len(good), err)
		}
	}
}

func (r *run) echo(t *testing.T) {
	p := r.puller(t)
	r.network.Play(Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 2, Echo: true})}))
	if _, err := p.step(t.Context(), r.work); err != nil {
		t.Errorf("records that quote the key were refused: %v", err)
	}
	words := fmt.Sprintf(`{"status":2,"error":"key %[1]s refused","message":"key %[1]s refused","api_key":%[1]q,"deep":[{"api_key":%[1]q}]}`, Marker)
	header := http.Header{"X-Key": {Marker}, "Location": {"/?" + Marker}}
	markup := fmt.Sprintf(`<?xml version="1.0"?><a key=%[1]q><success>0</success><status>2</status><error>key %[1]s refused</error><message>%[1]s</message><api_key>%[1]s</api_key></a>`, Marker)
	for _, status := range []int{200, 302, 307, 400, 401, 403, 404, 429, 500} {
		for _, body := range []string{words, markup} {
			r.network.Play(Always(Reply{Status: status, Header: header, Body: []byte(body)}))
			anything := status == 200 && body == words && p.Listing(p.stream).Anything
			if _, err := p.step(t.Context(), r.work); err == nil && status != 404 && !anything {
				t.Errorf("status %d with an error in words was accepted: %s", status, body)
			}
		}
	}
	for _, body := range []string{words[:len(words)-3], markup[:len(markup)-3], "<html>" + Marker + "</html>", Marker, ""} {
		r.network.Play(Always(Reply{Body: []byte(body)}))
		if _, err := p.step(t.Context(), r.work); err == nil {
			t.Errorf("the body %.40q was accepted", body)
		}
	}
	p.audit.text("printed source", fmt.Sprintf("%v %+v %#v", p.source, p.source, p.source))
}
