package export

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/schema/normalize"
)

// status is what the state of an export means.
type status int

const (
	open status = iota
	done
	failed
	canceled
)

// object is an export as the network describes it.
type object struct {
	raw []byte
	// id and word are its name and the network's word for its state, each empty if it
	// is not stated.
	id, word string
	status   status
	// message is what went wrong, in the network's words.
	message  string
	artifact string
	size     int64
	// total is the number of rows; -1 if it is not stated.
	total     int64
	truncated bool
	// created is zero if it is not stated, or not in a form that is known.
	created time.Time
}

// object reads an export.
func (m *Machine) object(raw []byte) object {
	at := m.Exports.Object
	o := object{
		raw: raw, id: word(raw, at.ID), word: word(raw, at.Status), message: word(raw, at.Error),
		artifact: word(raw, at.Artifact), created: instant(word(raw, at.Created)),
	}
	o.size = max(number(word(raw, at.Size)), 0)
	o.total = number(word(raw, at.Total))
	switch strings.ToLower(word(raw, at.Truncated)) {
	case "", "false", "0", "no":
	default:
		o.truncated = true
	}
	o.status = m.status(o)
	return o
}

// status gives the meaning of an export's state. A word that is not known is judged by
// whether there is a file. One that is written but has no file, and not no rows, is not
// written yet: networks set the one before the other.
func (m *Machine) status(o object) status {
	is := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, o.word) })
	}
	states := m.Exports.States
	switch {
	case is(states.Failed):
		return failed
	case is(states.Canceled):
		return canceled
	case is(states.Open), !is(states.Done) && o.artifact == "":
		return open
	case o.artifact == "" && o.total != 0 && len(m.Exports.Object.Artifact) > 0:
		return open
	}
	return done
}

// same reports whether the export is one of what is asked for.
func (m *Machine) same(a Ask, o object) bool {
	for _, s := range m.Same {
		want := m.parts(m.Engine.Expand(a, s.Value))
		raw, ok, err := normalize.Lookup(o.raw, s.Path)
		if err != nil {
			return false
		}
		var got []string
		if ok {
			got = m.values(raw)
		}
		if !slices.Equal(want, got) {
			return false
		}
	}
	return true
}

// parts gives the words of a list that is written as one text, in order of the alphabet.
func (m *Machine) parts(text string) []string {
	var parts []string
	for p := range strings.SplitSeq(text, m.Exports.Separator) {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// values gives the words of a value, which may be a list, in order of the alphabet.
func (m *Machine) values(raw []byte) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return m.parts(plain(raw))
	}
	var values []string
	for _, v := range list {
		if text := plain(v); text != "" {
			values = append(values, text)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// word gives the value at the first path that leads somewhere, as text.
func word(raw []byte, paths normalize.Paths) string {
	for _, path := range paths {
		if value, ok, err := normalize.Lookup(raw, path); ok && err == nil {
			return plain(value)
		}
	}
	return ""
}

// plain gives a string's content, the letters of a number or of true, and nothing for
// null, an object or a list.
func plain(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	var text string
	switch {
	case len(raw) == 0, raw[0] == 'n', raw[0] == '{', raw[0] == '[':
		return ""
	case raw[0] != '"':
		return string(raw)
	case json.Unmarshal(raw, &text) != nil:
		return ""
	}
	return strings.TrimSpace(text)
}

// number reads a count; -1 if there is none.
func number(text string) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n
	}
	// Some servers write whole numbers as floats.
	whole, zeros, _ := strings.Cut(text, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && n >= 0 && strings.Trim(zeros, "0") == "" {
		return n
	}
	return -1
}

// instant reads when an export was created; zero if it is written in none of the known forms.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	if seconds := number(text); seconds > 0 {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}

// find gives what stands at the first path that leads somewhere, or the value itself if
// there are no paths.
func find(body []byte, paths normalize.Paths) ([]byte, bool) {
	if len(paths) == 0 {
		return body, true
	}
	for _, path := range paths {
		if raw, ok, err := normalize.Lookup(body, path); ok && err == nil {
			return bytes.TrimSpace(raw), true
		}
	}
	return nil, false
}

// inside gives the export in an answer, which may be the answer itself.
func inside(body []byte, at string) []byte {
	if at != "" {
		if raw, ok, err := normalize.Lookup(body, at); ok && err == nil && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			return bytes.TrimSpace(raw)
		}
	}
	return body
}
