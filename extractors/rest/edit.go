package rest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// editor walks through a JSON document and notes what to cut out and replace. It
// reads the document's structure only as strictly as it needs for that.
type editor struct {
	*redactor
	body []byte
	at   int
	// keys are those of the objects around the cursor, outermost first.
	keys  [][]byte
	edits []edit
}

// edit replaces body[from:to].
type edit struct {
	from, to int
	with     []byte
}

// depthMax is how deep a document may nest; networks send up to ten levels.
const depthMax = 200

// value reads the value at the cursor. ip says that strings in it are IP
// addresses. It reports false if there is no JSON value.
func (e *editor) value(depth int, ip bool) bool {
	if e.at >= len(e.body) || depth > depthMax {
		return false
	}
	switch e.body[e.at] {
	case '{':
		return e.object(depth)
	case '[':
		return e.array(depth, ip)
	case '"':
		return e.text(ip)
	}
	return e.scalar()
}

// scalar reads a number, true, false or null.
func (e *editor) scalar() bool {
	from := e.at
	for e.at < len(e.body) {
		c := e.body[e.at]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E' {
			e.at++
			continue
		}
		break
	}
	return e.at > from
}

func (e *editor) space() {
	for e.at < len(e.body) {
		switch e.body[e.at] {
		case ' ', '\t', '\r', '\n':
			e.at++
		default:
			return
		}
	}
}

// take reads one byte of punctuation and the space after it.
func (e *editor) take(c byte) bool {
	if e.at >= len(e.body) || e.body[e.at] != c {
		return false
	}
	e.at++
	e.space()
	return true
}

func (e *editor) array(depth int, ip bool) bool {
	e.take('[')
	if e.take0(']') {
		return true
	}
	for {
		if !e.value(depth+1, ip) {
			return false
		}
		e.space()
		if e.take0(']') {
			return true
		}
		if !e.take(',') {
			return false
		}
	}
}

// take0 reads one closing byte, without the space after it.
func (e *editor) take0(c byte) bool {
	if e.at >= len(e.body) || e.body[e.at] != c {
		return false
	}
	e.at++
	return true
}

// object reads an object and cuts its secret members out, each with the comma that
// it leaves over: the one before it, or, if no member stays before it, the one after.
func (e *editor) object(depth int) bool {
	e.take('{')
	if e.take0('}') {
		return true
	}
	kept := false
	end := e.at // of the member before
	for {
		from := e.at
		key, ok := e.str()
		if !ok {
			return false
		}
		e.space()
		if !e.take(':') {
			return false
		}
		name := unquote(key)
		e.keys = append(e.keys, name)
		secret, edits := e.secret(name), len(e.edits)
		if !e.value(depth+1, e.ips[string(name)]) {
			return false
		}
		e.keys = e.keys[:len(e.keys)-1]
		memberEnd := e.at
		e.space()
		last := e.at < len(e.body) && e.body[e.at] == '}'
		if !last && !e.take(',') {
			return false
		}
		switch {
		case !secret:
			kept = true
		case kept:
			e.edits = append(e.edits[:edits], edit{from: end, to: memberEnd})
		default:
			e.edits = append(e.edits[:edits], edit{from: from, to: e.at})
		}
		end = memberEnd
		if last {
			e.at++
			return true
		}
	}
}

// secret reports whether the member at the cursor, of the given key, is a secret.
func (e *editor) secret(key []byte) bool {
	return slices.ContainsFunc(e.secrets[string(key)], func(path []string) bool {
		return len(path) <= len(e.keys) && slices.EqualFunc(path, e.keys[len(e.keys)-len(path):], func(want string, got []byte) bool {
			return want == string(got)
		})
	})
}

// str reads a string and gives it with its quotes.
func (e *editor) str() ([]byte, bool) {
	if e.at >= len(e.body) || e.body[e.at] != '"' {
		return nil, false
	}
	for i := e.at + 1; ; {
		n := bytes.IndexByte(e.body[i:], '"')
		if n < 0 {
			return nil, false
		}
		i += n + 1
		if !escaped(e.body[e.at+1 : i-1]) {
			raw := e.body[e.at:i]
			e.at = i
			return raw, true
		}
	}
}

// escaped reports whether the byte that follows is escaped: an odd number of
// backslashes stands before it.
func escaped(before []byte) bool {
	n := len(before)
	for n > 0 && before[n-1] == '\\' {
		n--
	}
	return (len(before)-n)%2 == 1
}

// text reads a string value and replaces it if it is personal.
func (e *editor) text(ip bool) bool {
	from := e.at
	raw, ok := e.str()
	if !ok {
		return false
	}
	if ip {
		if value := strings.TrimSpace(string(unquote(raw))); value != "" {
			e.edits = append(e.edits, edit{from, e.at, e.replacement(e.ip, value)})
		}
		return true
	}
	if e.email != Hash && e.email != Drop || bytes.IndexByte(raw, '@') < 0 && !escapesASCII(raw) {
		return true
	}
	// The same mailbox is written in many ways; its digest should be one.
	if value := strings.ToLower(strings.TrimSpace(string(unquote(raw)))); isEmail(value) {
		e.edits = append(e.edits, edit{from, e.at, e.replacement(e.email, value)})
	}
	return true
}

// edited gives the body with the edits made, which are in the order of their places.
func (e *editor) edited() []byte {
	if len(e.edits) == 0 {
		return e.body
	}
	out := make([]byte, 0, len(e.body)+16*len(e.edits))
	at := 0
	for _, d := range e.edits {
		out = append(out, e.body[at:d.from]...)
		out = append(out, d.with...)
		at = d.to
	}
	return append(out, e.body[at:]...)
}

// unquote gives the content of a JSON string; of a malformed one, its letters.
func unquote(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return inner
	}
	return []byte(s)
}
