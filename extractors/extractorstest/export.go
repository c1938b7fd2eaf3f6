package extractorstest

import (
	"fmt"
	"net/http"
	"time"

	"syncd/extractors"
)

// LinkMarker is the secret in every link to a file. It may be in the link and nowhere else.
const LinkMarker = "MARKERa94d77e03cLINK"

// Exports is how a network speaks of exports.
type Exports struct {
	// Step tells what a call asks for, and of which export, or for a link of which file.
	Step func(s *extractors.Stream, c Seen) (step ExportStep, name string)
	// List, One and Link are the answers to what a step asks for; One also that to a creation.
	List func(s *extractors.Stream, all []Exported) []byte
	One  func(s *extractors.Stream, e Exported, created bool) []byte
	Link func(s *extractors.Stream, url string) []byte
}

// ExportStep is what a call about exports asks for.
type ExportStep string

// The steps of an export's life.
const (
	ListExports  ExportStep = "list"
	CreateExport ExportStep = "create"
	PollExport   ExportStep = "poll"
	SignExport   ExportStep = "sign"
)

var exportSteps = []ExportStep{ListExports, CreateExport, PollExport, SignExport}

// Exported is an export as the network has it.
type Exported struct {
	ID      string
	State   ExportState
	Created time.Time
	// Asked is the call that created it.
	Asked Seen
	// Artifact and Size are the name of its file and the bytes of it, once it is written;
	// Total is the number of rows, and Truncated that there would be more.
	Artifact    string
	Size, Total int64
	Truncated   bool
	// Words are what went wrong.
	Words string
}

// ExportState is the state of an export.
type ExportState int

// The states.
const (
	ExportOpen ExportState = iota
	ExportDone
	ExportFailed
	ExportCanceled
	// ExportUnknown is one that the network has a word for that nobody knows.
	ExportUnknown
)

// depot is a network that writes exports on demand, on a clock that pauses move on.
type depot struct {
	speak  *Exports
	stream *extractors.Stream
	now    time.Time
	all    []*Exported
	// polled counts the questions for an export, by id; it is written at the second.
	polled map[string]int
	// steps are those that were asked for, made counts creations by what they asked for.
	steps []ExportStep
	made  map[string]int
	// fate, if given, decides what becomes of the n-th export, and is asked at every
	// question from the second on.
	fate func(n int, e *Exported)
	// instead, if given, replaces the answer to a step; done says that the call was heard.
	instead func(step ExportStep, n int, good Reply) Reply
}

func newDepot(speak *Exports, s *extractors.Stream) *depot {
	return &depot{speak: speak, stream: s, now: begun.Add(time.Minute), polled: map[string]int{}, made: map[string]int{}}
}

// answer is the depot as a Script.
func (d *depot) answer(c Seen, n int) Reply {
	step, name := d.speak.Step(d.stream, c)
	d.steps = append(d.steps, step)
	reply := d.good(step, name, c)
	if d.instead != nil {
		reply = d.instead(step, n, reply)
	}
	if reply.Header == nil {
		reply.Header = http.Header{}
	}
	reply.Header.Set("Date", d.now.UTC().Format(http.TimeFormat))
	return reply
}

func (d *depot) good(step ExportStep, name string, c Seen) Reply {
	switch step {
	case ListExports:
		var list []Exported // the newest first
		for i := len(d.all) - 1; i >= 0; i-- {
			list = append(list, *d.all[i])
		}
		return Reply{Body: d.speak.List(d.stream, list)}
	case CreateExport:
		e := &Exported{ID: fmt.Sprintf("e-%d", len(d.all)+1), Created: d.now, Asked: c}
		d.all = append(d.all, e)
		d.made[c.Target]++
		return Reply{Body: d.speak.One(d.stream, *e, true)}
	case PollExport:
		for i, e := range d.all {
			if e.ID == name {
				d.work(i, e)
				return Reply{Body: d.speak.One(d.stream, *e, false)}
			}
		}
	case SignExport:
		for _, e := range d.all {
			if name != "" && (e.Artifact == name || e.ID == name) {
				return Reply{Body: d.speak.Link(d.stream, "http://storage.example/"+e.ID+"?signature="+LinkMarker)}
			}
		}
	}
	return Reply{Status: http.StatusNotFound}
}

// work goes on with writing an export.
func (d *depot) work(i int, e *Exported) {
	d.polled[e.ID]++
	if d.polled[e.ID] < 2 {
		return
	}
	if e.State == ExportOpen {
		e.State, e.Artifact, e.Size, e.Total = ExportDone, "file of "+e.ID, 700, 7
	}
	if d.fate != nil {
		d.fate(i, e)
	}
}

// creations is the number of exports that were created.
func (d *depot) creations() int { return len(d.all) }
