package export

import (
	"fmt"
	"net/http"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/state"
)

// Step is a call in the life of an export.
type Step string

// The steps.
const (
	Find   Step = "find"
	Create Step = "create"
	Poll   Step = "poll"
	Sign   Step = "sign"
)

// Ask is what a call is made of.
type Ask struct {
	Step Step
	// Range is what the export is about, in whole seconds, half open.
	Range schema.Window
	// Item is the item of a for-each stream; empty for all others.
	Item string
	// Export and Artifact are the network's names of the export and of its file, where
	// they are known.
	Export, Artifact string
	// Page counts the pages of the list from 0.
	Page int
}

// Engine is what the machine needs of the source that it is a part of.
type Engine interface {
	// Call builds a call that reads; the machine makes the creation of it.
	Call(a Ask) extractors.Call
	// Expand fills a template as it is filled in the call that creates the export.
	Expand(a Ask, t manifest.Template) string
	// Read gives the JSON of an answer that is a success. The error is an
	// *extractors.APIError that says what the status or the words of it mean.
	Read(a Ask, answer extractors.Answer) ([]byte, error)
	// Fail makes the error about an answer. The message holds no secret.
	Fail(a Ask, answer extractors.Answer, outcome extractors.Outcome, message string) *extractors.APIError
	// Clean makes words of the network's fit for people: short, and without secrets.
	Clean(words string) string
}

// Machine makes the exports of one stream. It is safe for concurrent use if its engine is.
type Machine struct {
	Engine Engine
	// Exports is the network's description, its defaults filled in.
	Exports *manifest.Exports
	// Same is Exports.Same, by paths that are known, with templates that are read.
	Same []Same
	// Method is GET or POST, that of a creation.
	Method string
	// Reuse replaces Exports.Reuse.
	Reuse time.Duration
	// Settle is how old a record has to be before it is asked for.
	Settle time.Duration
	// Plain allows links that are not https, for a network that is not either.
	Plain bool
}

// Same is what two exports have alike that bring the same records.
type Same struct {
	Path  string
	Value manifest.Template
}

// Next gives the next call of a pull. The error is about the work: it has no range or
// its cursor cannot be read.
func (m *Machine) Next(w extractors.Work) (extractors.Call, error) {
	c, err := m.resume(w)
	if err != nil {
		return extractors.Call{}, err
	}
	call := m.Engine.Call(c.ask(w))
	if c.Phase == Create {
		call.Method, call.Creates, call.Budget = m.Method, true, m.Exports.Budget
		call.Unheard = c.unheard().text()
	}
	return call, nil
}

// Read reads the answer to the call that Next gave for the same work. The error is,
// or wraps, an *extractors.APIError, but for one about the work.
func (m *Machine) Read(w extractors.Work, a extractors.Answer) (extractors.Page, error) {
	c, err := m.resume(w)
	if err != nil {
		return extractors.Page{}, err
	}
	r := reading{machine: m, work: w, cursor: c, ask: c.ask(w), answer: a}
	if a.Status == http.StatusNotFound && (c.Phase == Poll || c.Phase == Sign) {
		return r.lost("the network no longer knows it")
	}
	if r.body, err = m.Engine.Read(r.ask, a); err != nil {
		if c.Phase == Create {
			err = r.capped(err)
		}
		return extractors.Page{}, err
	}
	switch c.Phase {
	case Find:
		return r.found()
	case Create:
		return r.created()
	case Poll:
		return r.polled()
	}
	return r.signed()
}

// reading is one answer while it is read.
type reading struct {
	machine *Machine
	work    extractors.Work
	cursor  cursor
	ask     Ask
	answer  extractors.Answer
	body    []byte
}

// fail makes an error about the answer.
func (r *reading) fail(outcome extractors.Outcome, format string, args ...any) *extractors.APIError {
	return r.machine.Engine.Fail(r.ask, r.answer, outcome, fmt.Sprintf(format, args...))
}

// stop makes an error that stops the stream, with what to do next.
func (r *reading) stop(advice, format string, args ...any) *extractors.APIError {
	err := r.fail(extractors.StopStream, format, args...)
	err.Advice = advice
	return err
}

// now is the network's time; zero if the answer does not say it. There is no clock here.
func (r *reading) now() time.Time {
	now, err := http.ParseTime(r.answer.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return now
}

// control is the page of an answer that only moves the pull on.
func (r *reading) control(next cursor, pause time.Duration, note string) extractors.Page {
	return extractors.Page{Control: true, Next: next.text(), Pause: pause, Note: note}
}

// advance goes on behind the range in hand: to the next range, to the next item, or to
// the end of the pull.
func (r *reading) advance(page extractors.Page) extractors.Page {
	next, more := r.machine.after(r.cursor, r.work)
	if !more {
		page.Done = true
		return page
	}
	page.Next = next.text()
	return page
}

// name names the export for people.
func (r *reading) name() string {
	return "export " + r.machine.Engine.Clean(r.cursor.Export)
}

// accepts says what is wrong with the work, beside its cursor.
func accepts(w extractors.Work) error {
	switch {
	case w.Kind != state.Windowed || w.Window.IsZero():
		return fmt.Errorf("an export is asked for, and the work has no window")
	case !w.Window.From.Before(w.Window.To):
		return fmt.Errorf("an export is asked for of a window that ends before it begins")
	}
	return nil
}
