package extractorstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"syncd/extractors"
	"syncd/schema"
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
	// Cursor is what the page gives as the cursor of the next one, in lists that are
	// paged so; empty for one that no other page gives.
	Cursor string
	// As is how the values around the records are written.
	As Form
	// Echo has every record quote Marker.
	Echo bool
}

// Form is a way to write the values around the records: what they count and where the
// next page is.
type Form int

// The forms.
const (
	// AsDocumented is as the network describes it.
	AsDocumented Form = iota
	// AsTexts has numbers and truth values as texts.
	AsTexts
	// AsObjects, AsLists, AsNegative and AsHuge have something in place of them that says nothing.
	AsObjects
	AsLists
	AsNegative
	AsHuge
	// AsZero has zero in place of counts, where only what is missing would be zero.
	AsZero
)

// Listing is what the suite has to know of a stream's lists.
type Listing struct {
	// Pages says that they have several pages, Cursor that a page gives the cursor of the next.
	Pages, Cursor bool
	// Anonymous says that a call carries no credential.
	Anonymous bool
	// Unchecked says that there is no call that could tell a refused credential from a refused
	// call: then the stream is stopped and not the account.
	Unchecked bool
	// Nothing says that an empty object is a list of no records, Anything that whatever object
	// the network answers is a record or a list of them.
	Nothing, Anything bool
	// RepeatEnds says that a page that repeats is the end, and no mistake.
	RepeatEnds bool
}

// Known is an answer whose meaning the description of the network gives.
type Known struct {
	// Status is 200 if zero.
	Status int
	Body   []byte
	// Outcome is 0 for an answer that is as good as any.
	Outcome extractors.Outcome
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
	// Listing describes a stream's lists.
	Listing func(s *extractors.Stream) Listing
	// Known gives answers to a call of the stream, each under a sentence that says what
	// they mean.
	Known func(s *extractors.Stream) map[string]Known
	// Asked gives the range that a call of a window asks for, half open, as the network
	// reads it; false where its parameters do not say.
	Asked func(s *extractors.Stream, c extractors.Call) (schema.Window, bool)
	// Exports is how the network speaks of exports; nil if it has none.
	Exports *Exports
	// Login answers calls that are no stream's; nil if there are none.
	Login func(Seen) (Reply, bool)
	// MaxCalls is the number of calls after which an endless list must have been given up.
	MaxCalls int
}

// retryable is how a transport's error says that the call may be made again.
type retryable interface {
	error
	Retryable() bool
}

// Run runs the suite over every stream of the Source, by every kind of work and every
// route.
func Run(t *testing.T, suite Suite) {
	network := NewNetwork(t)
	network.Aside(suite.Login)
	source, err := suite.New(network.URL)
	must(t, err)
	streams := source.Streams()
	if source.Check().URL != "" {
		t.Run("the check", func(t *testing.T) { suite.check(t, network) })
	}
	(&audit{t}).text("printed source", fmt.Sprintf("%v %+v %#v %v", source, source, source, source.Check()))
	for _, s := range streams {
		for name, w := range works(s) {
			t.Run(s.Name+" by "+name, func(t *testing.T) {
				(&run{suite: &suite, network: network, name: s.Name, work: w}).all(t)
			})
		}
		if s.Export != nil {
			t.Run(s.Name+" by export", func(t *testing.T) {
				(&exportRun{run{suite: &suite, network: network, name: s.Name, work: exportWork(s)}}).all(t)
			})
		}
	}
}

// all runs the parts of the suite.
func (r *run) all(t *testing.T) {
	t.Run("reads to the end and resumes from every page", r.resumes)
	t.Run("reads what is written in other types", r.forms)
	t.Run("accepts an empty list", r.empty)
	t.Run("ends an endless list", r.endless)
	t.Run("ends a list that repeats a page", r.repeated)
	t.Run("ends a list whose cursors lead nowhere", r.cursors)
	t.Run("asks for the window and nothing that has not settled", r.bounds)
	t.Run("says of what item a call is", r.items)
	t.Run("classifies what is no good answer", r.classifies)
	t.Run("knows the network's words", r.known)
	t.Run("retries an answer that is cut anywhere", r.torn)
	t.Run("stops when told", r.stops)
	t.Run("refuses a cursor that is not its own", r.foreignCursor)
	t.Run("lets no credential out", r.echo)
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
	if p.Listing(p.stream).Pages {
		return 3
	}
	return 1
}

// book is the network at rest: three pages a list, two records a page.
func (r *run) book(p *puller) Script { return r.bookAs(p, AsDocumented) }

func (r *run) bookAs(p *puller, form Form) Script {
	var replies []Reply
	for range lists(p.stream, r.work) {
		for page := range r.pages(p) {
			replies = append(replies, Reply{Body: p.Body(p.stream, PageOf{Page: page + 1, Of: r.pages(p), Records: 2, As: form})})
		}
	}
	return Book(replies...)
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

// check runs what holds for the check, which has no stream.
func (s *Suite) check(t *testing.T, network *Network) {
	source, err := s.New(network.URL)
	must(t, err)
	a := &audit{t}
	call := source.Check()
	a.text("description of the check", call.Describe)
	network.Aside(nil) // a login may be the check
	defer network.Aside(s.Login)
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
	if s.Login != nil {
		network.Aside(s.Login) // and has an answer of its own
	}
	direct := slices.IndexFunc(source.Streams(), func(s *extractors.Stream) bool { return s.Export == nil || !s.Export.Only })
	page := s.Body(source.Streams()[direct], PageOf{Page: 1, Of: 1, Records: 1})
	network.Play(Always(Reply{Body: page}))
	answer, err := s.Do(t.Context(), call)
	must(t, err)
	if p, err := source.Read(nil, extractors.Work{}, answer); err != nil || !p.Done {
		t.Errorf("a good answer: got %+v, %v", p, err)
	}
}
