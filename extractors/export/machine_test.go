package export

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// rowsOf gives the rows of all files.
func (p pulled) rows() (rows int) {
	for _, page := range p.pages {
		rows += page.Records
	}
	return rows
}

func creations(n *fakeNetwork) (made int) {
	for _, c := range n.created {
		made += c
	}
	return made
}

const secondsOfDay = 24 * 60 * 60

// TestFailures has a case for every row of the network's failure matrix.
func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(n *fakeNetwork, m *Machine)
		items  []string
		// files, made and rows are what the pull takes and brings.
		files, made, rows int
		outcome           extractors.Outcome
		// text is in the error or in a note.
		text string
		// least is what it waits at least.
		least time.Duration
	}{
		"a pull that nothing happens to takes one export": {files: 1, made: 1, rows: secondsOfDay, least: 30 * time.Second, text: "is being written (PENDING)"},
		"every item of a list is an export of its own":    {items: []string{"a", "b", "c"}, files: 3, made: 3, rows: 3 * secondsOfDay},
		"single exports may stand bare as well":           {change: func(n *fakeNetwork, _ *Machine) { n.bare = true }, files: 1, made: 1, rows: secondsOfDay},
		"a network that does not say what time it is":     {change: func(n *fakeNetwork, _ *Machine) { n.dateless = true }, files: 1, made: 1, rows: secondsOfDay},
		"a bad parameter stops the stream": {
			change: answering(Create, 1, 400, `{}`), made: 1, outcome: extractors.StopStream,
		},
		"a refused key stops the account": {change: answering(Find, 1, 401, `{}`), outcome: extractors.StopAccount},
		"the daily number waits until the next day": {
			change: refusing(429, 1), files: 1, made: 1, rows: secondsOfDay, least: 13 * time.Hour,
		},
		"the daily number may be said with 402": {
			change: refusing(402, 1), files: 1, made: 1, rows: secondsOfDay, least: 13 * time.Hour,
		},
		"days on which others used it up are waited out": {
			change: refusing(429, 8), files: 1, made: 1, rows: secondsOfDay, least: 7 * 24 * time.Hour,
		},
		"without a date the daily number is tried each hour": {
			change: func(n *fakeNetwork, m *Machine) { n.dateless = true; refusing(429, 2)(n, m) },
			files:  1, made: 1, rows: secondsOfDay, least: 2 * time.Hour,
		},
		"an export that fails is made once more after a while": {
			change: states("ERROR", 1), files: 1, made: 2, rows: secondsOfDay, least: 10 * time.Minute, text: "e1 failed (query timed out)",
		},
		"an export that fails twice is parted": {
			change: states("ERROR", 2), files: 2, made: 4, rows: secondsOfDay, text: "its export failed twice (query timed out), its range is parted",
		},
		"an export that fails however small it is stops the stream": {
			change: states("ERROR", 99), made: 10, outcome: extractors.StopStream, text: "its range of 1h30m0s is too short",
		},
		"a canceled export is made once more":         {change: states("CANCELED", 1), files: 1, made: 2, rows: secondsOfDay, text: "it was canceled"},
		"canceled may have two ls and small letters":  {change: states("cancelled", 1), files: 1, made: 2, rows: secondsOfDay, text: "it was canceled"},
		"an export that is always canceled stops":     {change: states("CANCELED", 99), made: 2, outcome: extractors.StopStream, text: "like the one before it"},
		"a stuck export is made once more":            {change: states("IN_PROGRESS", 1), files: 1, made: 2, rows: secondsOfDay, least: time.Hour, text: "not written within 1h0m0s"},
		"a stuck export without a clock is seen, too": {change: both(func(n *fakeNetwork, _ *Machine) { n.dateless = true }, states("UNKNOWN", 1)), files: 1, made: 2, rows: secondsOfDay, least: time.Hour},
		"an export that is always stuck stops":        {change: states("IN_PROGRESS", 99), made: 2, outcome: extractors.StopStream, least: 2 * time.Hour, text: "like the one before it"},
		"a word that nobody knows is done when there is a file": {
			change: func(n *fakeNetwork, _ *Machine) {
				n.onPoll = func(e *exported) {
					if e.Artifact != "" {
						e.State = "ARCHIVED"
					}
				}
			}, files: 1, made: 1, rows: secondsOfDay,
		},
		"a word that nobody knows is not done without one":        {change: states("STARTING", 1), files: 1, made: 2, rows: secondsOfDay, text: "not written within"},
		"a done export whose file has no name yet is waited for":  {change: nameless(2), files: 1, made: 1, rows: secondsOfDay},
		"a done export whose file never gets a name is stuck":     {change: nameless(10_000), made: 2, outcome: extractors.StopStream},
		"a file with too many rows is parted until it has not":    {change: capped(30_000), files: 4, made: 1 + 2 + 4, rows: secondsOfDay, text: "more rows than the network writes"},
		"a busy hour that cannot be parted stops the stream":      {change: capped(3_000), made: 5, outcome: extractors.StopStream, text: "halves shorter than 1h0m0s"},
		"a range without rows and without a file is whole":        {change: rows(0), made: 1},
		"a range without rows may have a file nevertheless":       {change: emptyFile, files: 1, made: 1},
		"an export that vanishes while it is written is repeated": {change: gone(Poll, 1), files: 1, made: 2, rows: secondsOfDay, text: "no longer knows it"},
		"a file that vanishes before it is signed is repeated":    {change: gone(Sign, 1), files: 1, made: 2, rows: secondsOfDay, text: "no longer knows it"},
		"files that always vanish stop the stream":                {change: gone(Sign, 99), made: 2, outcome: extractors.StopStream},
		"a torn answer to a creation costs nothing":               {change: answering(Create, 1, 200, `{"id":`), files: 1, made: 1, rows: secondsOfDay},
		"an answer to a creation without a name costs nothing":    {change: answering(Create, 1, 201, `{}`), files: 1, made: 1, rows: secondsOfDay},
		"a gateway that fails after the creation costs nothing":   {change: answering(Create, 1, 504, `{}`), files: 1, made: 1, rows: secondsOfDay},
		"creations that are never heard of end": {
			change: func(n *fakeNetwork, m *Machine) { n.blind = true; answering(Create, 99, 500, `{}`)(n, m) },
			made:   len(madePause), outcome: extractors.StopStream, least: 71 * time.Minute, text: "neither the answer nor the list",
		},
		"an answer about another export is not taken": {
			change: answering(Poll, 1, 200, `{"data":{"id":"other","status":"DONE"}}`), made: 1, outcome: extractors.StopStream, text: "another export",
		},
		"an answer without an export is asked for again": {change: answering(Poll, 2, 200, `{"data":null}`), files: 1, made: 1, rows: secondsOfDay},
		"an answer without a link is asked for again":    {change: answering(Sign, 2, 200, `{"url":""}`), files: 1, made: 1, rows: secondsOfDay},
		"a link that is not https stops the stream": {
			change: answering(Sign, 1, 200, `{"url":"http://storage.example/x?secret"}`), made: 1, outcome: extractors.StopStream, text: "not https",
		},
		"a link to an address stops the stream": {
			change: answering(Sign, 1, 200, `{"url":"https://169.254.169.254/x"}`), made: 1, outcome: extractors.StopStream, text: "address",
		},
		"a list of another shape stops the stream": {change: answering(Find, 1, 200, `{"data":{}}`), outcome: extractors.StopStream, text: "no list"},
		"a list that is null has no exports":       {change: answering(Find, 1, 200, `{"data":null}`), files: 1, made: 1, rows: secondsOfDay},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			m := machine(t, n)
			if tt.change != nil {
				tt.change(n, m)
			}
			p := pull(t, n, m, day(tt.items...), nil)
			if tt.outcome == 0 && p.err != nil {
				t.Fatalf("got error %v", p.err)
			}
			if api, ok := errors.AsType[*extractors.APIError](p.err); tt.outcome != 0 && (!ok || api.Outcome != tt.outcome) {
				t.Fatalf("got error %v, want outcome %v", p.err, tt.outcome)
			}
			if len(p.pages) != tt.files || creations(n) != tt.made || tt.outcome == 0 && p.rows() != tt.rows {
				t.Errorf("got %d files with %d rows of %d exports, want %d with %d of %d (%v)", len(p.pages), p.rows(), creations(n), tt.files, tt.rows, tt.made, n.calls)
			}
			if p.waited < tt.least {
				t.Errorf("waited %v, want %v at least", p.waited, tt.least)
			}
			if said := fmt.Sprint(p.notes, p.err); !strings.Contains(said, tt.text) || strings.Contains(said, "secret") || strings.Contains(said, "signature") {
				t.Errorf("said %s, want %q in it and nothing of a link", said, tt.text)
			}
		})
	}
}

// change is what a case does to the network.
type change = func(*fakeNetwork, *Machine)

func both(a, b change) change {
	return func(n *fakeNetwork, m *Machine) { a(n, m); b(n, m) }
}

// answering answers the first calls of a step otherwise, after they had their effect.
func answering(s Step, times, status int, body string) change {
	return func(n *fakeNetwork, _ *Machine) {
		n.onAnswer = func(a Ask, answer *extractors.Answer) {
			if a.Step == s && times > 0 {
				times--
				answer.Status, answer.Body = status, []byte(body)
			}
		}
	}
}

// refusing refuses the first creations.
func refusing(status, times int) change {
	return func(n *fakeNetwork, _ *Machine) {
		n.onAnswer = func(a Ask, answer *extractors.Answer) {
			if a.Step == Create && times > 0 {
				times--
				e := n.exports[len(n.exports)-1]
				n.exports = n.exports[:len(n.exports)-1]
				delete(n.created, e.Item+" "+e.From+" "+e.To)
				answer.Status, answer.Body = status, []byte(`{}`)
			}
		}
	}
}

// states gives the first exports a state that they keep.
func states(word string, times int) change {
	return func(n *fakeNetwork, _ *Machine) {
		n.onCreate = func(e *exported) {
			if times > 0 {
				times--
				e.State, e.Error = word, "query timed out"
			}
		}
	}
}

// nameless keeps the name of the file back for some questions.
func nameless(times int) change {
	return func(n *fakeNetwork, _ *Machine) {
		n.onPoll = func(e *exported) {
			if e.State != "COMPLETED" {
				return
			}
			e.Artifact = "late"
			if times > 0 {
				times--
				e.Artifact = ""
			}
		}
	}
}

func capped(rows int64) change { return func(n *fakeNetwork, _ *Machine) { n.cap = rows } }

func rows(count int64) change {
	return func(n *fakeNetwork, _ *Machine) { n.rows = func(_, _ time.Time) int64 { return count } }
}

func emptyFile(n *fakeNetwork, m *Machine) {
	rows(0)(n, m)
	n.onPoll = func(e *exported) {
		if e.State == "COMPLETED" {
			e.Artifact = "header only"
		}
	}
}

// gone makes the first exports vanish before a step.
func gone(s Step, times int) change {
	return func(n *fakeNetwork, _ *Machine) {
		n.onAnswer = func(a Ask, answer *extractors.Answer) {
			if a.Step == s && times > 0 {
				times--
				n.find(a.Export).Gone = true
				answer.Status, answer.Body = 404, []byte(`{}`)
			}
		}
	}
}

// TestCapConcernsThePullAlone: the lane goes on with what needs no export.
func TestCapConcernsThePullAlone(t *testing.T) {
	for _, status := range []int{429, 402} {
		n := newNetwork()
		m := machine(t, n)
		answering(Create, 1, status, `{}`)(n, m)
		w := day()
		w.Cursor = m.begin(w, 0).text()
		c, err := m.resume(w)
		if err != nil {
			t.Fatal(err)
		}
		c.Phase = Create
		w.Cursor = c.text()
		call, err := m.Next(w)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Read(w, n.answer(call))
		api, ok := errors.AsType[*extractors.APIError](err)
		if want := 13*time.Hour + 59*time.Minute; !ok || api.Outcome != extractors.Wait || !api.PullOnly || api.RetryAfter != want {
			t.Errorf("status %d: got %+v, want a wait of the pull alone for %v", status, api, want)
		}
	}
}

func TestTakingOver(t *testing.T) {
	fits := func(change func(e *exported)) *exported {
		e := &exported{
			ID: "old", From: "2026-06-01 00:00:00", To: "2026-06-01 23:59:59", Fields: "id,time", Type: "click_logs",
			Created: begun.Add(-2 * time.Hour), State: "COMPLETED", Artifact: "old file", Rows: 7,
		}
		if change != nil {
			change(e)
		}
		return e
	}
	for name, tt := range map[string]struct {
		there []*exported
		made  int
		rows  int
		reuse time.Duration
		known time.Time
	}{
		"a young export of the same is taken over":    {there: []*exported{fits(nil)}, rows: 7},
		"the newest of several is":                    {there: []*exported{fits(func(e *exported) { e.ID, e.Rows, e.Created = "older", 6, e.Created.Add(-time.Hour) }), fits(nil)}, rows: 7},
		"the newest is, also in a list without order": {there: []*exported{fits(nil), fits(func(e *exported) { e.ID, e.Rows, e.Created = "older", 6, e.Created.Add(-time.Hour) })}, rows: 7},
		"one that is being written is, too":           {there: []*exported{fits(func(e *exported) { e.State, e.Artifact, e.Created = "PENDING", "", begun.Add(-time.Minute) })}, rows: secondsOfDay},
		"one that is being written for hours is not":  {there: []*exported{fits(func(e *exported) { e.State, e.Artifact = "PENDING", "" })}, made: 1, rows: secondsOfDay},
		"one of yesterday is not":                     {there: []*exported{fits(func(e *exported) { e.Created = begun.Add(-7 * time.Hour) })}, made: 1, rows: secondsOfDay},
		"one that was made before its range was over": {there: []*exported{fits(func(e *exported) { e.Created = time.Date(2026, 6, 1, 23, 0, 0, 0, time.UTC) })}, reuse: 99 * time.Hour, made: 1, rows: secondsOfDay},
		"one that is younger than what is known":      {there: []*exported{fits(nil)}, known: begun.Add(-3 * time.Hour), rows: 7},
		"one that is what is known is not":            {there: []*exported{fits(nil)}, known: begun.Add(-2*time.Hour + 5*time.Minute), made: 1, rows: secondsOfDay},
		"none is where an account wants none":         {there: []*exported{fits(nil)}, reuse: -1, made: 1, rows: secondsOfDay},
		"one that failed is not":                      {there: []*exported{fits(func(e *exported) { e.State = "ERROR" })}, made: 1, rows: secondsOfDay},
		"one of another range is not":                 {there: []*exported{fits(func(e *exported) { e.To = "2026-06-01 23:59:58" })}, made: 1, rows: secondsOfDay},
		"one of other columns is not":                 {there: []*exported{fits(func(e *exported) { e.Fields = "id" })}, made: 1, rows: secondsOfDay},
		"one of another kind is not":                  {there: []*exported{fits(func(e *exported) { e.Type = "conversion_logs" })}, made: 1, rows: secondsOfDay},
		"one of another item is not":                  {there: []*exported{fits(func(e *exported) { e.Item = "other" })}, made: 1, rows: secondsOfDay},
		"one on the third page of the list is": {
			there: append([]*exported{fits(nil)}, others(7)...), rows: 7,
		},
		"one that has too many rows is parted at once": {there: []*exported{fits(func(e *exported) { e.Truncated = true })}, made: 2, rows: secondsOfDay},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.exports = tt.there
			m := machine(t, n)
			if tt.reuse != 0 {
				m.Reuse = max(tt.reuse, 0)
			}
			w := day()
			w.Known = tt.known
			p := pull(t, n, m, w, nil)
			if p.err != nil || creations(n) != tt.made || p.rows() != tt.rows {
				t.Errorf("got %d rows of %d new exports (%v), want %d of %d", p.rows(), creations(n), p.err, tt.rows, tt.made)
			}
		})
	}
}

// others are young exports of another kind.
func others(count int) []*exported {
	var list []*exported
	for i := range count {
		list = append(list, &exported{ID: fmt.Sprintf("x%d", i), Type: "other", Created: begun, State: "DONE"})
	}
	return list
}

// TestOwnFailuresAreCountedOnce: what failed while the program was down is an attempt.
func TestOwnFailuresAreCountedOnce(t *testing.T) {
	n := newNetwork()
	m := machine(t, n)
	failed := 0
	n.onCreate = func(e *exported) {
		if failed < 2 {
			failed++
			e.State = "ERROR"
		}
	}
	// The answers to the first two creations are lost: both exports fail unseen.
	lost := 0
	p := pull(t, n, m, day(), func(int) (bool, bool) {
		dies := lost < 2 && len(n.calls) > 0 && n.calls[len(n.calls)-1] == Find && creations(n) == lost
		if dies {
			lost++
		}
		return dies, true
	})
	if p.err != nil || len(p.pages) != 2 || creations(n) != 4 || p.rows() != secondsOfDay {
		t.Errorf("got %d files with %d rows of %d exports, %v; want the halves of a range that failed twice", len(p.pages), p.rows(), creations(n), p.err)
	}
	if p.waited < 10*time.Minute {
		t.Errorf("waited %v, want the pause after a failure", p.waited)
	}
}

// TestCrashes lets the program die at every call, before the network hears of it and
// after: no range is ever exported twice, and the same files are brought.
func TestCrashes(t *testing.T) {
	for name, change := range map[string]change{
		"of a simple pull":       nil,
		"of a pull that parts":   capped(30_000),
		"of a pull without rows": rows(0),
		"at a network whose clock is an hour behind": func(n *fakeNetwork, _ *Machine) {
			n.onCreate = func(e *exported) { e.Created = e.Created.Add(-time.Hour) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole := newNetwork()
			m := machine(t, whole)
			if change != nil {
				change(whole, m)
			}
			want := pull(t, whole, m, day("a", "b"), nil)
			if want.err != nil {
				t.Fatal(want.err)
			}
			for step := 1; step <= want.steps; step++ {
				for _, heard := range []bool{false, true} {
					n := newNetwork()
					m := machine(t, n)
					if change != nil {
						change(n, m)
					}
					got := pull(t, n, m, day("a", "b"), func(s int) (bool, bool) { return s == step, heard })
					if got.err != nil || len(got.pages) != len(want.pages) || got.rows() != want.rows() {
						t.Fatalf("died at call %d (heard: %v): got %d files with %d rows, %v; want %d with %d", step, heard, len(got.pages), got.rows(), got.err, len(want.pages), want.rows())
					}
					if !maps.Equal(n.created, whole.created) {
						t.Fatalf("died at call %d (heard: %v): created %v, want %v", step, heard, n.created, whole.created)
					}
				}
			}
		})
	}
}

// TestEveryPullEnds lets a network do anything at all.
func TestEveryPullEnds(t *testing.T) {
	words := []string{"PENDING", "IN_PROGRESS", "COMPLETED", "DONE", "ERROR", "CANCELED", "WHAT", ""}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := newNetwork()
		n.dateless, n.blind, n.bare = r.IntN(2) == 0, r.IntN(4) == 0, r.IntN(2) == 0
		n.cap = []int64{0, 1000, 40_000, 5_000_000}[r.IntN(4)]
		odd := []int{2, 5, 50}[r.IntN(3)]
		n.onCreate = func(e *exported) {
			if r.IntN(odd) == 0 {
				e.State = words[r.IntN(len(words))]
			}
		}
		n.onPoll = func(e *exported) {
			if r.IntN(odd) == 0 {
				e.Gone, e.Truncated = r.IntN(4) == 0, r.IntN(4) == 0
			}
		}
		bodies := []string{`{}`, `[]`, `null`, `{"data":null}`, `{"data":[]}`, `{"id":"e1"}`, `{"data":{"status":"DONE"}}`, `{"url":1}`, `{`, ``}
		n.onAnswer = func(_ Ask, a *extractors.Answer) {
			if r.IntN(odd) == 0 {
				a.Status, a.Body = []int{200, 200, 200, 404, 429, 402, 500}[r.IntN(7)], []byte(bodies[r.IntN(len(bodies))])
			}
		}
		m := machine(t, n)
		w := day("a", "b", "c")
		c := m.begin(w, r.IntN(3))
		if r.IntN(2) == 0 {
			c.Phase, c.Export = []Step{Poll, Sign}[r.IntN(2)], "nobody knows it"
		} else if r.IntN(2) == 0 {
			c.Phase = Create
		}
		c.Made, c.Failed, c.Lost, c.Polls, c.Waited = r.IntN(9), r.IntN(9), r.IntN(9), r.IntN(1000), r.Int64N(5000)
		w.Cursor = c.text()
		pull(t, n, m, w, func(int) (bool, bool) { return r.IntN(20) == 0, r.IntN(2) == 0 })
	}
}

// TestDowntimeCountsTowardsTheDeadline: an export that was not written while the program
// was down for hours is stuck, however few questions were asked.
func TestDowntimeCountsTowardsTheDeadline(t *testing.T) {
	n := newNetwork()
	m := machine(t, n)
	states("IN_PROGRESS", 1)(n, m)
	p := pull(t, n, m, day(), func(step int) (bool, bool) {
		if step == 4 {
			n.now = n.now.Add(3 * time.Hour)
		}
		return false, false
	})
	if p.err != nil || creations(n) != 2 || p.waited > 10*time.Minute {
		t.Errorf("made %d exports and waited %v, %v; want a second one without another hour", creations(n), p.waited, p.err)
	}
}

// TestSettledEnd: what has not settled is not asked for, and each half neither.
func TestSettledEnd(t *testing.T) {
	n := newNetwork()
	m := machine(t, n)
	m.Settle = 10 * time.Minute
	w := day()
	w.Window.From, w.Window.To = w.Window.From.AddDate(0, 0, 2), w.Window.To.AddDate(0, 0, 2)
	n.cap = 20_000
	p := pull(t, n, m, w, nil)
	if p.err != nil || p.rows() != int((9*time.Hour+50*time.Minute)/time.Second) {
		t.Errorf("got %d rows, %v, want those until ten minutes before the pull began", p.rows(), p.err)
	}
	if last := n.exports[len(n.exports)-1].To; last != "2026-06-03 09:49:59" {
		t.Errorf("the last export ends at %s", last)
	}
}

func TestTotalIsThatOfTheWholePull(t *testing.T) {
	n := newNetwork()
	m := machine(t, n)
	if p := pull(t, n, m, day(), nil); p.pages[0].Total != secondsOfDay {
		t.Errorf("got a total of %d for the one file of a pull, want %d", p.pages[0].Total, secondsOfDay)
	}
	n = newNetwork()
	n.cap = 50_000
	for _, page := range pull(t, n, machine(t, n), day(), nil).pages {
		if page.Total != 0 {
			t.Errorf("got a total of %d for a part of a pull, want none", page.Total)
		}
	}
}

func TestWhatIsWrittenAtOnceIsNotWaitedFor(t *testing.T) {
	n := newNetwork()
	n.ready = 0
	n.onCreate = func(e *exported) { e.State, e.Artifact, e.Rows = "COMPLETED", "file of "+e.ID, 5 }
	p := pull(t, n, machine(t, n), day(), nil)
	if p.err != nil || p.rows() != 5 || p.waited != 0 || p.steps != 4 {
		t.Errorf("got %d rows by %d calls that waited %s, %v; want 5 by 4 without a pause", p.rows(), p.steps, p.waited, p.err)
	}
}

func TestNamesOfFiles(t *testing.T) {
	names := map[string]bool{}
	for _, parts := range [][3]string{
		{"", "e1", "a"}, {"", "e1", "b"}, {"i", "e1", "a"}, {"i/", "e1", "a"}, {"i\\", "e1", "a"}, {"", "../../etc", "a"},
		{"", strings.Repeat("é", 600), "a"}, {strings.Repeat("x", 900), "e1", "a"}, {"", "-", ""}, {"-rf", "e", ""},
	} {
		name := fileName(parts[0], parts[1], parts[2])
		if names[name] || len(name) > 120 || name[0] == '-' && parts[1] != "-" || strings.ContainsFunc(name, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", r)
		}) {
			t.Errorf("%q is not a name for the file of %q", name, parts)
		}
		names[name] = true
	}
}

func TestCursorsThatAreNotOursAreRefused(t *testing.T) {
	m := machine(t, newNetwork())
	good := m.begin(day("a"), 0)
	change := func(f func(c *cursor)) state.Cursor {
		c := good
		c.Ranges = slices.Clone(c.Ranges)
		f(&c)
		return c.text()
	}
	for name, text := range map[string]state.Cursor{
		"of the pages of another route":   `{"v":1,"k":"page","a":1}`,
		"of a later version":              change(func(c *cursor) { c.Version = 2 }),
		"with an unknown phase":           change(func(c *cursor) { c.Phase = "rest" }),
		"without ranges":                  change(func(c *cursor) { c.Ranges = nil }),
		"with a range that is backwards":  change(func(c *cursor) { c.Ranges[0] = span{good.Ranges[0][1], good.Ranges[0][0]} }),
		"with a range before the window":  change(func(c *cursor) { c.Ranges[0][0]-- }),
		"with an end before the window's": change(func(c *cursor) { c.Ranges[0][1]-- }),
		"with a gap between ranges": change(func(c *cursor) {
			r := c.Ranges[0]
			c.Ranges = []span{{r[0], r[0] + 10}, {r[0] + 11, r[1]}}
		}),
		"with an item beyond the list":    change(func(c *cursor) { c.Item = 1 }),
		"that polls nothing":              change(func(c *cursor) { c.Phase = Poll }),
		"that finds and has an export":    change(func(c *cursor) { c.Export = "e" }),
		"with a number below zero":        change(func(c *cursor) { c.Made = -1 }),
		"with something behind":           good.text() + "x",
		"that is no text of this program": "page 3",
	} {
		w := day("a")
		w.Cursor = text
		if call, err := m.Next(w); err == nil {
			t.Errorf("a cursor %s gives %v", name, call)
		}
	}
}

func FuzzCursor(f *testing.F) {
	n := newNetwork()
	m := machine(f, n)
	for _, c := range []cursor{m.begin(day("a"), 0), {Version: 1, Phase: Poll, Export: "e", Ranges: []span{{0, 1}, {1, 2}}, Spent: []string{"x"}}} {
		f.Add(string(c.text()))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(state.Cursor(text))
		if err != nil {
			return
		}
		again, err := parseCursor(c.text())
		if err != nil || string(again.text()) != string(c.text()) {
			t.Errorf("%s is read and not written again: %v", text, err)
		}
		w := day("a")
		w.Cursor = c.text()
		if call, err := m.Next(w); err == nil {
			_, _ = m.Read(w, n.answer(call)) // must not panic
		}
	})
}
