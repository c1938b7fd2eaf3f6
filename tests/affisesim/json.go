package affisesim

import (
	"strconv"
	"unicode/utf8"
)

// js appends JSON. It puts commas by looking at the last byte, so calls read
// as the document does. php escapes slashes and all that is not ASCII, which
// is what a PHP server does by default.
type js struct {
	b   []byte
	php bool
}

func (j *js) comma() {
	if len(j.b) == 0 {
		return
	}
	switch j.b[len(j.b)-1] {
	case '{', '[', ':', ',':
	default:
		j.b = append(j.b, ',')
	}
}

func (j *js) key(k string) *js {
	j.comma()
	j.b = append(j.b, '"')
	j.b = append(j.b, k...)
	j.b = append(j.b, '"', ':')
	return j
}

func (j *js) open(c byte)  { j.comma(); j.b = append(j.b, c) }
func (j *js) close(c byte) { j.b = append(j.b, c) }

func (j *js) obj(fill func()) {
	j.open('{')
	fill()
	j.close('}')
}

func (j *js) arr(fill func()) {
	j.open('[')
	fill()
	j.close(']')
}

// raw appends JSON text: a value, or members of an object without the comma
// before them.
func (j *js) raw(s string)   { j.comma(); j.b = append(j.b, s...) }
func (j *js) bytes(s []byte) { j.comma(); j.b = append(j.b, s...) }
func (j *js) int(i int)      { j.comma(); j.b = strconv.AppendInt(j.b, int64(i), 10) }
func (j *js) bool(v bool)    { j.comma(); j.b = strconv.AppendBool(j.b, v) }
func (j *js) null()          { j.raw("null") }
func (j *js) money(m money)  { j.comma(); j.b = m.append(j.b) }
func (j *js) oid(o objectID) { j.comma(); j.b = append(o.append(append(j.b, '"')), '"') }
func (j *js) intText(i int64) {
	j.comma()
	j.b = append(strconv.AppendInt(append(j.b, '"'), i, 10), '"')
}
func (j *js) strs(list ...string) {
	j.arr(func() {
		for _, s := range list {
			j.str(s)
		}
	})
}

// strOrNull writes null for "".
func (j *js) strOrNull(s string) {
	if s == "" {
		j.null()
		return
	}
	j.str(s)
}

const hexDigits = "0123456789abcdef"

func (j *js) str(s string) {
	j.comma()
	b := append(j.b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' && (c != '/' || !j.php) {
			i++
			continue
		}
		if c >= utf8.RuneSelf && !j.php {
			i++
			continue
		}
		b = append(b, s[plain:i]...)
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = appendEscaped(b, r)
			i += size
		case c < 0x20:
			b = appendUnit(b, uint16(c))
			i++
		default:
			b = append(b, '\\', c)
			i++
		}
		plain = i
	}
	b = append(b, s[plain:]...)
	j.b = append(b, '"')
}

func appendEscaped(b []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		return appendUnit(appendUnit(b, uint16(0xd800+r>>10)), uint16(0xdc00+r&0x3ff))
	}
	return appendUnit(b, uint16(r))
}

func appendUnit(b []byte, u uint16) []byte {
	return append(b, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}
