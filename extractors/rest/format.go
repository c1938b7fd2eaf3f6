package rest

import (
	"errors"
	"fmt"

	"syncd/extractors"
	"syncd/schema/normalize"
)

// The formats of answers, in words.
const (
	inJSON = "JSON"
	inXML  = "XML"
)

// format is what the stream's answers are written in.
func (r *reading) format() string {
	if r.plan.manifest.Output.Format == normalize.FormatXML {
		return inXML
	}
	return inJSON
}

// open reads the body of an answer whose status is good into r.doc. The error says what
// it is instead of a whole answer in the stream's format: a network may send its errors
// in another one, and then its words count. The answer to the check has no format that
// is known before.
func (r *reading) open() error {
	wanted, is := r.format(), inJSON
	var err error
	switch form(r.answer.Body) {
	case formEmpty:
		return r.fail(extractors.RetryNow, "the answer is empty", nil)
	case formMarkup:
		is = inXML
		r.doc, err = parseXML(r.answer.Body, r.spec())
		if errors.Is(err, normalize.ErrHTML) || err != nil && wanted == inJSON {
			return r.fail(extractors.RetryNow, "the answer is an HTML page, not "+wanted, nil)
		}
	default:
		r.doc, err = parse(r.answer.Body)
	}
	switch {
	case err != nil:
		message := "the answer is not whole " + wanted
		if cut, ok := errors.AsType[*normalize.XMLError](err); ok {
			message = fmt.Sprintf("%s (line %d: %s)", message, cut.Line, cut.What)
		}
		return r.fail(extractors.RetryNow, r.scrub(clip(message)), nil)
	case is == wanted || r.stream == "":
		return nil
	}
	if words := r.words(); words != "" {
		return r.byWords(r.fail(extractors.StopStream, words, nil))
	}
	outcome := extractors.StopStream
	if is == inXML {
		outcome = extractors.RetryNow // a proxy's page need not look like HTML
	}
	return r.fail(outcome, fmt.Sprintf("the answer is %s, not %s", is, wanted), nil)
}

// spec says where the records are in an answer in XML. Where none is expected all of it
// is one.
func (r *reading) spec() normalize.Spec {
	if r.format() == inXML {
		return r.plan.manifest.Output
	}
	return normalize.Spec{}
}

// look reads the body of an answer whose status is not good for the words in it, in
// whatever format it is. It reports whether it is a page for people. What cannot be read
// has no words.
func (r *reading) look() (page bool) {
	if r.doc.body != nil {
		return false
	}
	var err error
	if form(r.answer.Body) != formMarkup {
		if r.doc, err = parse(r.answer.Body); err != nil {
			r.doc = document{}
		}
		return false
	}
	if r.doc, err = parseXML(r.answer.Body, r.spec()); err == nil {
		return false
	}
	r.doc = document{}
	return errors.Is(err, normalize.ErrHTML) || r.format() == inJSON
}
