package normalize

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested. PHP, which many networks
// run on, refuses to write more than 512 levels.
const maxDepth = 512

// syntaxError is JSON that is not well-formed or ends too early.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.what, e.offset) }

func malformed(b []byte, i int) error {
	if i >= len(b) {
		return &syntaxError{len(b), "JSON ends too early"}
	}
	return &syntaxError{i, "malformed JSON"}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// space gives the position of the first byte from i on that is not white space.
func space(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// Patterns to look at eight bytes at a time: a byte of (x - ones) &^ x & highs is
// not zero where x has a zero byte, exactly so for the lowest such byte.
const (
	ones    = 0x0101010101010101
	highs   = 0x8080808080808080
	quotes  = '"' * ones
	slashes = '\\' * ones
)

// closingQuote finds the end of a string whose first byte is b[i]: the position of
// its closing quote, or len(b) if it has none.
func closingQuote(b []byte, i int) (end int, escaped bool) {
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q, s := w^quotes, w^slashes
			if m := ((q-ones)&^q | (s-ones)&^s) & highs; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' {
			i++
		}
		if i >= len(b) || b[i] == '"' {
			return min(i, len(b)), escaped
		}
		escaped = true
		i += 2
	}
}

// skip gives the end of the value that begins at b[i], which is not white space. It
// trusts that the value is well-formed and looks at no more than its brackets and
// strings; -1 if the value has no end.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		end, _ := closingQuote(b, i+1)
		if end >= len(b) {
			return -1
		}
		return end + 1
	case '{', '[':
		return skipNested(b, i)
	}
	start := i
	for i < len(b) && !endsScalar[b[i]] {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i, _ = closingQuote(b, i+1)
		case '{', '[':
			if depth++; depth > maxDepth {
				return -1
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// endsScalar has the bytes that end a number or a literal.
var endsScalar = [256]bool{' ': true, '\n': true, '\r': true, '\t': true, ',': true, '}': true, ']': true, '"': true, '{': true, '[': true, ':': true}

// kind is what a value is.
type kind uint8

const (
	absent kind = iota
	null
	falsehood
	truth
	number
	text    // a string without escapes
	escaped // a string with escapes
	object
	array
)

// value is a value in an answer: for a string what stands between its quotes, else
// all its bytes.
type value struct {
	raw   []byte
	kind  kind
	stamp uint32 // of the record that it is from
}

// read gives the value that begins at b[i], which is not white space, and its end;
// -1 if it is not one.
func read(b []byte, i int) (v value, end int) {
	if i >= len(b) {
		return v, -1
	}
	switch c := b[i]; c {
	case '"':
		end, esc := closingQuote(b, i+1)
		if end >= len(b) {
			return v, -1
		}
		v.raw, v.kind = b[i+1:end], text
		if esc {
			v.kind = escaped
		}
		return v, end + 1
	case '{', '[':
		end = skipNested(b, i)
		v.kind = object
		if c == '[' {
			v.kind = array
		}
	default:
		end = skip(b, i)
		v.kind = number
		switch c {
		case 'n':
			v.kind = null
		case 'f':
			v.kind = falsehood
		case 't':
			v.kind = truth
		}
	}
	if end < 0 {
		return v, -1
	}
	v.raw = b[i:end]
	if (v.kind == null || v.kind == falsehood || v.kind == truth) && string(v.raw) != literals[v.kind] {
		return v, -1
	}
	return v, end
}

var literals = [...]string{null: "null", falsehood: "false", truth: "true"}

// isEmpty reports whether v is an array or object without elements.
func (v value) isEmpty() bool {
	if v.kind != array && v.kind != object {
		return false
	}
	return space(v.raw, 1) == len(v.raw)-1
}

// members walks over the elements of an array or the members of an object.
type members struct {
	b       []byte
	i       int  // where the next element begins, or its key
	close   byte // what ends it
	object  bool
	started bool
	n       int // elements given

	key        []byte // between its quotes
	keyEscaped bool
}

// enter begins a walk over the array or object at b[i].
func enter(b []byte, i int) members {
	m := members{b: b, i: i + 1, close: ']'}
	if b[i] == '{' {
		m.close, m.object = '}', true
	}
	return m
}

// next moves to the next element and gives where its value begins; false at the end,
// after which m.i is behind the closing bracket. The caller sets m.i to the end of
// the value before the next call.
func (m *members) next() (at int, ok bool, err error) {
	i := space(m.b, m.i)
	if i < len(m.b) && m.b[i] == m.close {
		m.i = i + 1
		return 0, false, nil
	}
	if m.started {
		if i >= len(m.b) || m.b[i] != ',' {
			return 0, false, malformed(m.b, i)
		}
		i = space(m.b, i+1)
	}
	m.started = true
	m.n++
	if !m.object {
		if i >= len(m.b) {
			return 0, false, malformed(m.b, i)
		}
		return i, true, nil
	}
	if i >= len(m.b) || m.b[i] != '"' {
		return 0, false, malformed(m.b, i)
	}
	end, esc := closingQuote(m.b, i+1)
	if end >= len(m.b) {
		return 0, false, malformed(m.b, end)
	}
	m.key, m.keyEscaped = m.b[i+1:end], esc
	i = end + 1
	if i < len(m.b) && m.b[i] != ':' {
		i = space(m.b, i)
	}
	if i >= len(m.b) || m.b[i] != ':' {
		return 0, false, malformed(m.b, i)
	}
	if i = space(m.b, i+1); i >= len(m.b) {
		return 0, false, malformed(m.b, i)
	}
	return i, true, nil
}

// is reports whether the key of the element is name, which for an element of an
// array is its position.
func (m *members) is(name string) bool {
	if !m.object {
		return strconv.Itoa(m.n-1) == name
	}
	if !m.keyEscaped {
		return string(m.key) == name
	}
	return string(unescape(nil, m.key)) == name
}

// unescape appends the text of a JSON string. Halves of surrogate pairs that stand
// alone, and escapes that are none, become U+FFFD.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		if i+1 >= len(raw) {
			return utf8.AppendRune(dst, utf8.RuneError)
		}
		i += 2
		switch c := raw[i-1]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(raw, i)
			if !ok {
				dst = utf8.AppendRune(dst, utf8.RuneError)
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) {
				r, i = surrogate(raw, i, r)
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
	}
	return dst
}

// surrogate joins a half of a pair with the half that is escaped at raw[i].
func surrogate(raw []byte, i int, high rune) (rune, int) {
	if i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
		if low, ok := hex4(raw, i+2); ok {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				return r, i + 6
			}
		}
	}
	return utf8.RuneError, i
}

func hex4(raw []byte, i int) (rune, bool) {
	if i+4 > len(raw) {
		return 0, false
	}
	var r rune
	for _, c := range raw[i : i+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
