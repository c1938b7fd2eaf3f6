package export

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// begun is when the pulls of the tests were created.
var begun = time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)

// exported is an export at the simulated network. What is not set is as the network
// of a pull that nothing happens to would have it.
type exported struct {
	ID, Item, From, To, Fields, Type string
	Created                          time.Time
	// Polled counts the questions for it.
	Polled int
	// State and what follows are what the network says of it from now on.
	State, Error, Artifact string
	Rows                   int64
	Truncated, Gone        bool
}

// fakeNetwork is a network that writes exports. It is also the machine's engine: a
// call says what it asks for in its description.
type fakeNetwork struct {
	now     time.Time
	exports []*exported
	// created counts creations by item and range.
	created map[string]int
	// ready is the number of questions after which an export is written.
	ready int
	// rows gives the rows of a range; cap is what a file can have.
	rows func(from, to time.Time) int64
	cap  int64
	// onCreate, onPoll and onAnswer change what happens; nil for nothing.
	onCreate func(e *exported)
	onPoll   func(e *exported)
	onAnswer func(a Ask, answer *extractors.Answer)
	dateless bool
	// blind hides exports from the list.
	blind bool
	// bare gives single exports without a wrapper.
	bare bool
	// calls are the steps that were asked for.
	calls []Step
}

func newNetwork() *fakeNetwork {
	return &fakeNetwork{
		now: begun.Add(time.Minute), created: map[string]int{}, ready: 3, cap: 5_000_000,
		rows: func(from, to time.Time) int64 { return int64(to.Sub(from) / time.Second) },
	}
}

func (n *fakeNetwork) Call(a Ask) extractors.Call {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return extractors.Call{Method: http.MethodGet, Describe: string(text)}
}

func (n *fakeNetwork) Expand(a Ask, t manifest.Template) string {
	return t.Expand(func(p manifest.Placeholder) string {
		switch p {
		case manifest.WindowFromTime:
			return a.Range.From.Format(time.DateTime)
		case manifest.WindowToTime:
			return a.Range.To.Add(-time.Second).Format(time.DateTime)
		case manifest.Item:
			return a.Item
		case manifest.ExportType:
			return "click_logs"
		case manifest.ExportFields:
			return "id,time"
		}
		return ""
	})
}

func (n *fakeNetwork) Read(a Ask, answer extractors.Answer) ([]byte, error) {
	switch {
	case answer.Status == 401:
		return nil, n.Fail(a, answer, extractors.StopAccount, "")
	case answer.Status == 429:
		return nil, n.Fail(a, answer, extractors.Wait, "")
	case answer.Status >= 500 || !json.Valid(answer.Body):
		return nil, n.Fail(a, answer, extractors.RetryNow, "")
	case answer.Status >= 400:
		return nil, n.Fail(a, answer, extractors.StopStream, "")
	}
	return answer.Body, nil
}

func (n *fakeNetwork) Fail(a Ask, answer extractors.Answer, o extractors.Outcome, message string) *extractors.APIError {
	return &extractors.APIError{Network: "Net", Account: "acme", Stream: "clicks", Op: string(a.Step), Status: answer.Status, Message: message, Outcome: o}
}

func (n *fakeNetwork) Clean(words string) string { return words }

// answer does what a call asks for.
func (n *fakeNetwork) answer(call extractors.Call) extractors.Answer {
	var a Ask
	if err := json.Unmarshal([]byte(call.Describe), &a); err != nil {
		panic(err)
	}
	n.calls = append(n.calls, a.Step)
	answer := extractors.Answer{Status: 200, Header: http.Header{}}
	if !n.dateless {
		answer.Header.Set("Date", n.now.Format(http.TimeFormat))
	}
	switch a.Step {
	case Find:
		answer.Body = n.list(a)
	case Create:
		e := n.create(a)
		answer.Body = []byte(n.text(e))
	case Poll:
		answer.Status, answer.Body = n.get(a)
	case Sign:
		answer.Status, answer.Body = n.sign(a)
	}
	if n.onAnswer != nil {
		n.onAnswer(a, &answer)
	}
	return answer
}

func (n *fakeNetwork) create(a Ask) *exported {
	t := func(text string) string {
		template, _ := manifest.ParseTemplate(text)
		return n.Expand(a, template)
	}
	e := &exported{
		ID: fmt.Sprintf("e%d", len(n.exports)+1), Item: a.Item, From: t("{window.from_time}"), To: t("{window.to_time}"),
		Fields: "time,id", Type: "click_logs", Created: n.now, State: "PENDING",
	}
	n.created[e.Item+" "+e.From+" "+e.To]++
	n.exports = append(n.exports, e)
	if n.onCreate != nil {
		n.onCreate(e)
	}
	return e
}

func (n *fakeNetwork) list(a Ask) []byte {
	const page = 3
	var all []string
	if !n.blind {
		for _, e := range slices.Backward(n.exports) {
			all = append(all, n.text(e))
		}
	}
	from := min(a.Page*page, len(all))
	return fmt.Appendf(nil, `{"data":[%s]}`, strings.Join(all[from:min(from+page, len(all))], ","))
}

func (n *fakeNetwork) find(id string) *exported {
	for _, e := range n.exports {
		if e.ID == id && !e.Gone {
			return e
		}
	}
	return nil
}

func (n *fakeNetwork) get(a Ask) (int, []byte) {
	e := n.find(a.Export)
	if e == nil {
		return 404, []byte(`{}`)
	}
	e.Polled++
	if e.State == "PENDING" && e.Polled > n.ready {
		from, _ := time.Parse(time.DateTime, e.From)
		to, _ := time.Parse(time.DateTime, e.To)
		e.Rows = n.rows(from, to.Add(time.Second))
		e.State, e.Artifact = "COMPLETED", "file of "+e.ID
		if e.Truncated = e.Rows > n.cap; e.Truncated {
			e.Rows = n.cap
		}
		if e.Rows == 0 {
			e.Artifact = ""
		}
	}
	if n.onPoll != nil {
		n.onPoll(e)
	}
	if n.bare {
		return 200, []byte(n.text(e))
	}
	return 200, []byte(`{"data":` + n.text(e) + `}`)
}

func (n *fakeNetwork) sign(a Ask) (int, []byte) {
	e := n.find(a.Export)
	if e == nil || e.Artifact != a.Artifact {
		return 404, []byte(`{}`)
	}
	return 200, []byte(`{"url":"https://storage.example/` + e.ID + `?signature=abc"}`)
}

func (n *fakeNetwork) text(e *exported) string {
	artifact := "null"
	if e.Artifact != "" {
		artifact = fmt.Sprintf(`{"name":%q,"size":%d}`, e.Artifact, e.Rows*10)
	}
	fields, _ := json.Marshal(strings.Split(e.Fields, ","))
	return fmt.Sprintf(`{"id":%q,"type":%q,"status":%q,"error":%q,"artifact":%s,"integration":%q,"created_at":%q,
		"query":{"start":%q,"end":%q,"fields":%s},"meta":{"total":%d,"truncated":%v}}`,
		e.ID, e.Type, e.State, e.Error, artifact, e.Item, e.Created.Format(time.RFC3339), e.From, e.To, fields, e.Rows, e.Truncated)
}

// machine makes a machine for the network.
func machine(t testing.TB, n *fakeNetwork) *Machine {
	t.Helper()
	m := &Machine{Engine: n, Method: http.MethodPost, Reuse: 6 * time.Hour, Exports: &manifest.Exports{
		List:   manifest.ExportList{Records: normalize.Paths{"data"}, Paging: manifest.Paging{Kind: manifest.PagingPage, Size: 3}},
		Get:    manifest.ExportGet{At: "data"},
		Sign:   manifest.ExportSign{URL: "url"},
		Budget: "exports", Separator: ",", CoolDown: 10 * time.Minute, MinRange: time.Hour,
		Object: manifest.ExportObject{
			ID: normalize.Paths{"id"}, Status: normalize.Paths{"status"}, Error: normalize.Paths{"error"},
			Artifact: normalize.Paths{"artifact.name"}, Size: normalize.Paths{"artifact.size"},
			Total: normalize.Paths{"meta.total"}, Truncated: normalize.Paths{"meta.truncated"}, Created: normalize.Paths{"created_at"},
		},
		States: manifest.ExportStates{
			Open: []string{"UNKNOWN", "PENDING", "IN_PROGRESS"}, Done: []string{"COMPLETED", "DONE"},
			Failed: []string{"ERROR"}, Canceled: []string{"CANCELED", "CANCELLED"},
		},
		Poll: manifest.ExportPoll{First: 10 * time.Second, Factor: 1.5, Max: 2 * time.Minute, Deadline: time.Hour},
	}}
	for path, text := range map[string]string{
		"query.start": "{window.from_time}", "query.end": "{window.to_time}", "integration": "{item}",
		"type": "{export.type}", "query.fields": "{export.fields}",
	} {
		value, err := manifest.ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Same = append(m.Same, Same{Path: path, Value: value})
	}
	return m
}

// day is a pull of June 1st, of the given items.
func day(items ...string) extractors.Work {
	return extractors.Work{
		Kind: state.Windowed, Route: state.Export, Begun: begun, Items: items,
		Window: schema.Window{From: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)},
	}
}

// pulled is what a pull brought.
type pulled struct {
	pages []extractors.Page
	notes []string
	// waited is the sum of the pauses.
	waited time.Duration
	// steps counts calls.
	steps int
	err   error
}

// stepsMax is far above what a pull of the tests takes.
const stepsMax = 2000

// attemptsMax is the number of failures in a row after which the pipeline gives up.
const attemptsMax = 6

// pull drives a pull to its end as a lane does. crash, if it is given, is asked before
// each call: whether the program dies there, and whether the call is heard before.
func pull(t testing.TB, n *fakeNetwork, m *Machine, w extractors.Work, crash func(step int) (dies, heard bool)) pulled {
	t.Helper()
	var p pulled
	failures := 0
	for p.steps < stepsMax {
		call, err := m.Next(w)
		if err != nil {
			p.err = err
			return p
		}
		if call.Creates != (call.Unheard != "") || call.Creates != (call.Budget != "") {
			t.Fatalf("%v: a creation has a budget and a cursor for when it is not heard of, and no other call has", call)
		}
		p.steps++
		asked := w
		if call.Unheard != "" {
			w.Cursor = call.Unheard // what is stored while the call is under way
		}
		if crash != nil {
			if dies, heard := crash(p.steps); dies {
				if heard {
					n.answer(call)
				}
				n.now = n.now.Add(time.Minute)
				continue
			}
		}
		answer := n.answer(call)
		page, err := m.Read(asked, answer)
		n.now = n.now.Add(time.Second)
		if err != nil {
			api, ok := err.(*extractors.APIError)
			if !ok {
				t.Fatalf("got an error of type %T: %v", err, err)
			}
			failures++
			if !api.Retryable() || failures >= attemptsMax {
				p.err = err
				return p
			}
			if api.Cursor != "" {
				w.Cursor = api.Cursor
			}
			n.now, p.waited = n.now.Add(api.RetryAfter), p.waited+api.RetryAfter
			continue
		}
		failures = 0
		if page.Note != "" {
			p.notes = append(p.notes, page.Note)
		}
		if page.Control != (page.File == nil) {
			t.Fatalf("a page without a file is %+v", page)
		}
		if page.File != nil {
			p.pages = append(p.pages, page)
		}
		n.now, p.waited = n.now.Add(page.Pause), p.waited+page.Pause
		if page.Done {
			return p
		}
		w.Cursor = page.Next
	}
	t.Fatalf("the pull does not end; the last calls are %v", n.calls[len(n.calls)-10:])
	return p
}
