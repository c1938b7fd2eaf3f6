package rest

import (
	"cmp"
	"slices"
	"strings"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

// success is the test inside the answers of the stream; nil if there is none.
func (r *reading) success() *manifest.Success {
	return cmp.Or(r.plan.manifest.Success, r.source.network.Success)
}

// byWords looks into the network's own words for what a status or a test cannot say.
// Throttling comes first: there are networks that answer 403 to a call too many, and
// words about both a key and its rate.
func (r *reading) byWords(err *extractors.APIError) *extractors.APIError {
	test := r.success()
	if test == nil {
		return err
	}
	switch {
	case r.said(test.Throttled):
		err.Outcome, err.RetryAfter, err.Credentials = extractors.Wait, retryAfter(r.answer.Header), nil
	case err.Outcome == extractors.StopStream && r.said(test.Refused):
		err.Advice = "" // about the call, which is not to blame
		r.refuse(err)
	}
	return err
}

// said reports whether one of the words stands in one of the answer's errors.
func (r *reading) said(words []string) bool {
	if len(words) == 0 {
		return false
	}
	return slices.ContainsFunc(r.errors(), func(text string) bool {
		text = strings.ToLower(text)
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(w)) })
	})
}

// words are the network's own words about what went wrong; empty if it has none.
func (r *reading) words() string {
	if r.look() {
		return "an HTML page, not " + r.format()
	}
	for _, text := range r.errors() {
		if words := clip(r.scrub(text)); words != "" {
			return words
		}
	}
	return ""
}

// errors are the texts at the paths of errors, as they came.
func (r *reading) errors() []string {
	paths := r.plan.manifest.ErrorText
	if len(paths) == 0 {
		paths = r.source.network.ErrorText
	}
	if len(paths) == 0 {
		return nil
	}
	r.look()
	var texts []string
	for _, path := range paths {
		raw, ok := r.doc.lookup(path)
		if !ok || len(raw) == 0 || raw[0] != '"' && (raw[0] < '1' || raw[0] > '9') {
			continue // an object or a list is no sentence, and 0 is no error
		}
		if words := text(raw); words != "" {
			texts = append(texts, words)
		}
	}
	return texts
}
