package normalize

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// RedactRules says what Redact takes out of a document.
type RedactRules struct {
	// Drop are names of keys that are removed with their values, at any depth.
	Drop []string
	// Values rewrites the strings under these keys, at any depth; also those of an
	// array under such a key. The function appends to dst what stands in the place of
	// the text.
	Values map[string]func(dst, text []byte) []byte
	// Email rewrites, under any other key, strings that are an e-mail address and
	// nothing else; nil leaves them.
	Email func(dst, text []byte) []byte
}

// Redact rewrites a JSON document by rules. A document that they do not apply to is
// given back itself, without an allocation; otherwise the result is appended to dst.
//
// Of a body that is not well-formed the result ends, as JSON that was cut, where the
// fault is: what cannot be read cannot be searched for secrets.
func Redact(dst, body []byte, rules RedactRules) []byte {
	if !rules.mayApply(body) {
		return body
	}
	r := redactor{rules: rules, b: body, dst: dst}
	end := r.value(space(body, 0), nil, 0)
	if end >= 0 && space(body, end) < len(body) {
		end = -1
	}
	if end >= 0 && !r.changed {
		return body
	}
	return r.dst
}

// mayApply looks for the rules' keys in the bytes. A key may also be written with
// escapes, which only for characters of \u00.. spell one of ours in another way.
func (r *RedactRules) mayApply(body []byte) bool {
	if len(r.Drop) == 0 && len(r.Values) == 0 && r.Email == nil {
		return false
	}
	if r.Email != nil && bytes.IndexByte(body, '@') >= 0 {
		return true
	}
	for _, key := range r.Drop {
		if containsKey(body, key) {
			return true
		}
	}
	for key := range r.Values {
		if containsKey(body, key) {
			return true
		}
	}
	return bytes.Contains(body, []byte(`\u00`))
}

func containsKey(body []byte, key string) bool {
	var quoted [64]byte
	b := append(quoted[:0], '"')
	b = append(b, key...)
	return bytes.Contains(body, append(b, '"'))
}

type redactor struct {
	rules   RedactRules
	b, dst  []byte
	changed bool
	name    []byte // text of a key that has escapes
	text    []byte // text of a string before its rewriting, then after it
}

// value copies the value at b[i], the strings in it rewritten by rewrite if that is
// not nil, and gives its end; -1 if it is not well-formed.
func (r *redactor) value(i int, rewrite func(dst, text []byte) []byte, depth int) int {
	if i >= len(r.b) || depth > maxDepth {
		return -1
	}
	switch r.b[i] {
	case '{':
		return r.object(i, depth)
	case '[':
		return r.array(i, rewrite, depth)
	case '"':
		return r.string(i, rewrite)
	}
	v, end := read(r.b, i)
	if end < 0 {
		return -1
	}
	r.dst = append(r.dst, v.raw...)
	return end
}

func (r *redactor) object(i, depth int) int {
	r.dst = append(r.dst, '{')
	m := enter(r.b, i)
	first := true
	for {
		at, ok, err := m.next()
		if err != nil {
			return -1
		}
		if !ok {
			r.dst = append(r.dst, '}')
			return m.i
		}
		name := m.key
		if m.keyEscaped {
			r.name = unescape(r.name[:0], m.key)
			name = r.name
		}
		if slices.Contains(r.rules.Drop, string(name)) {
			r.changed = true
			if m.i = skip(r.b, at); m.i < 0 {
				return -1
			}
			continue
		}
		if !first {
			r.dst = append(r.dst, ',')
		}
		first = false
		r.dst = append(r.dst, '"')
		r.dst = append(r.dst, m.key...)
		r.dst = append(r.dst, '"', ':')
		if m.i = r.value(at, r.rules.Values[string(name)], depth+1); m.i < 0 {
			return -1
		}
	}
}

func (r *redactor) array(i int, rewrite func(dst, text []byte) []byte, depth int) int {
	r.dst = append(r.dst, '[')
	m := enter(r.b, i)
	for {
		at, ok, err := m.next()
		if err != nil {
			return -1
		}
		if !ok {
			r.dst = append(r.dst, ']')
			return m.i
		}
		if m.n > 1 {
			r.dst = append(r.dst, ',')
		}
		if m.i = r.value(at, rewrite, depth+1); m.i < 0 {
			return -1
		}
	}
}

func (r *redactor) string(i int, rewrite func(dst, text []byte) []byte) int {
	v, end := read(r.b, i)
	if end < 0 {
		return -1
	}
	content := v.raw
	if v.kind == escaped {
		r.text = unescape(r.text[:0], v.raw)
		content = r.text
	}
	if rewrite == nil && r.rules.Email != nil && isEmail(content) {
		rewrite = r.rules.Email
	}
	if rewrite == nil || len(content) == 0 {
		r.dst = append(r.dst, r.b[i:end]...)
		return end
	}
	r.changed = true
	start := len(r.text)
	if v.kind != escaped {
		start = 0
	}
	r.text = rewrite(r.text[:start], content)
	r.dst = append(r.dst, '"')
	r.dst = appendQuoted(r.dst, r.text[start:])
	r.dst = append(r.dst, '"')
	return end
}

// isEmail reports whether text is an e-mail address and nothing else, white space
// around it aside.
func isEmail(content []byte) bool {
	content = bytes.TrimSpace(content)
	at := bytes.IndexByte(content, '@')
	if at < 1 || len(content) > 320 {
		return false
	}
	domain := content[at+1:]
	dot := bytes.LastIndexByte(domain, '.')
	if dot < 1 || dot == len(domain)-1 {
		return false
	}
	for _, c := range content[:at] {
		if c <= ' ' || bytes.IndexByte([]byte(`"(),:;<>[\]`), c) >= 0 {
			return false
		}
	}
	for _, c := range domain {
		if c < utf8.RuneSelf && c != '.' && c != '-' && c-'0' > 9 && c|0x20-'a' > 25 {
			return false
		}
	}
	return true
}

// appendQuoted appends text as the inside of a JSON string.
func appendQuoted(dst, content []byte) []byte {
	if !utf8.Valid(content) {
		content = bytes.ToValidUTF8(content, []byte("\uFFFD"))
	}
	const hex = "0123456789abcdef"
	for _, c := range content {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
