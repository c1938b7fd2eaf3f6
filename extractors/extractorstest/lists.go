package extractorstest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"syncd/extractors"
)

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
		if s.Method != http.MethodGet && (s.Method != http.MethodPost || !steps[i].call.Reads) {
			t.Errorf("call %d is a %s", i, s.Method)
		}
		if !p.Listing(p.stream).Anonymous && !carriesCredential(s) {
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

func carriesCredential(s Seen) bool {
	return strings.Contains(s.Target+s.Body+fmt.Sprint(s.Header), Marker) || strings.Contains(s.Target+fmt.Sprint(s.Header), TokenMarker) || s.Header.Get("Authorization") != ""
}

func targetsOf(seen []Seen) []string {
	targets := make([]string, len(seen))
	for i, s := range seen {
		targets[i] = s.asks()
	}
	return targets
}

func (r *run) empty(t *testing.T) {
	p := r.puller(t)
	body := p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 0})
	if body == nil {
		return // one record always: there is no empty list
	}
	for _, form := range []Form{AsDocumented, AsTexts} {
		r.network.Play(Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 1, Records: 0, As: form})}))
		steps, _, err := r.puller(t).pull(t.Context(), r.work, r.suite.MaxCalls)
		if want := lists(p.stream, r.work); err != nil || len(steps) != want {
			t.Errorf("form %d: got %d calls, %v, want %d", form, len(steps), err, want)
		}
		for i, s := range steps {
			if s.page.Records != 0 {
				t.Errorf("call %d: got %d records of an empty list", i, s.page.Records)
			}
		}
	}
}

func (r *run) endless(t *testing.T) {
	p := r.puller(t)
	if !p.Listing(p.stream).Pages {
		return
	}
	r.network.Play(func(_ Seen, n int) Reply {
		return Reply{Body: p.Body(p.stream, PageOf{Page: n + 1, Of: 1000, Records: 2})}
	})
	r.stopsStream(t, p)
}

func (r *run) repeated(t *testing.T) {
	p := r.puller(t)
	if !p.Listing(p.stream).Pages {
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
			most := 2
			if p.Listing(p.stream).RepeatEnds {
				most *= lists(p.stream, r.work)
				steps, _, err := r.puller(t).pull(t.Context(), r.work, r.suite.MaxCalls)
				must(t, err)
				if len(steps) != most || !steps[len(steps)-1].page.Done {
					t.Errorf("got %d calls, want %d: a page that repeats is the end", len(steps), most)
				}
			} else {
				r.stopsStream(t, r.puller(t))
			}
			if n := len(r.network.Seen()); n > most {
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

// forms gives the values around the records in types that they should not have. What
// can be read is read; what cannot must not end a list early.
func (r *run) forms(t *testing.T) {
	p := r.puller(t)
	if !p.Listing(p.stream).Pages {
		return
	}
	want := lists(p.stream, r.work) * r.pages(p)
	r.network.Play(r.book(p))
	_, _, err := p.pull(t.Context(), r.work, r.suite.MaxCalls)
	must(t, err)
	straight := targetsOf(r.network.Seen())
	for form := AsTexts; form <= AsZero; form++ {
		r.network.Play(r.bookAs(p, form))
		steps, _, err := r.puller(t).pull(t.Context(), r.work, r.suite.MaxCalls)
		ended := err == nil && len(steps) > 0 && steps[len(steps)-1].page.Done
		e, ok := errors.AsType[*extractors.APIError](err)
		switch {
		case form == AsTexts && (!ended || !slices.Equal(targetsOf(r.network.Seen()), straight)):
			t.Errorf("with texts for numbers: got calls %q, %v, want %q", targetsOf(r.network.Seen()), err, straight)
		case ended && len(steps) < want:
			t.Errorf("form %d: the pull ended after %d pages of %d", form, len(steps), want)
		case !ended && (!ok || e.Outcome != extractors.StopStream):
			t.Errorf("form %d: got %v after %d calls, want the end or an error that stops the stream", form, err, len(steps))
		}
	}
}

// cursors has the network give cursors that lead nowhere.
func (r *run) cursors(t *testing.T) {
	p := r.puller(t)
	if !p.Listing(p.stream).Cursor {
		return
	}
	for length := 1; length <= 5; length++ {
		for before := range 3 {
			// Every page has records of its own: only the cursors tell.
			r.network.Play(func(_ Seen, n int) Reply {
				cursor := fmt.Sprintf("before %d", n)
				if n >= before {
					cursor = fmt.Sprintf("circle %d", (n-before)%length)
				}
				return Reply{Body: p.Body(p.stream, PageOf{Page: n + 1, Of: 1000, Records: 2, Cursor: cursor})}
			})
			r.stopsStream(t, r.puller(t))
			if seen, most := len(r.network.Seen()), before+3*length+2; seen > most {
				t.Errorf("a circle of %d cursors after %d others was noticed after %d calls, want at most %d", length, before, seen, most)
			}
		}
	}
	r.network.Play(Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 3, Records: 0})}))
	r.stopsStream(t, r.puller(t))
	if n := len(r.network.Seen()); n != 1 {
		t.Errorf("an empty page that says there is more was noticed after %d calls", n)
	}
	// Cursors are stored.
	r.network.Play(Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 3, Records: 2, Cursor: "https://x.example/?api_key=" + Marker})}))
	r.stopsStream(t, r.puller(t))
	r.network.Play(Always(Reply{Body: p.Body(p.stream, PageOf{Page: 1, Of: 3, Records: 2, Cursor: strings.Repeat("x", 1<<20)[:r.suite.BodyCap-1024]})}))
	r.stopsStream(t, r.puller(t))
}
