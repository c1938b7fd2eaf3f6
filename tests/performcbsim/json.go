package performcbsim

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// js appends JSON as a PHP server writes it: slashes and all that is not ASCII are
// escaped. It puts commas by looking at the last byte, so calls read as the document does.
type js struct{ b []byte }

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
	j.str(k)
	j.b = append(j.b, ':')
	return j
}

func (j *js) obj(fill func()) {
	j.raw("{")
	fill()
	j.b = append(j.b, '}')
}

func (j *js) arr(fill func()) {
	j.raw("[")
	fill()
	j.b = append(j.b, ']')
}

func (j *js) raw(s string) {
	j.comma()
	j.b = append(j.b, s...)
}

func (j *js) int(i int) { j.raw(strconv.Itoa(i)) }

func (j *js) strs(list []string) {
	j.arr(func() {
		for _, s := range list {
			j.str(s)
		}
	})
}

// strOrNull writes null for "".
func (j *js) strOrNull(s string) {
	if s == "" {
		j.raw("null")
		return
	}
	j.str(s)
}

func (j *js) str(s string) {
	j.comma()
	b := append(j.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '/':
			b = append(b, '\\', byte(r))
		case r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			b = appendUnit(appendUnit(b, uint16(high)), uint16(low))
		case r < 0x20 || r >= utf8.RuneSelf:
			b = appendUnit(b, uint16(r))
		default:
			b = append(b, byte(r))
		}
	}
	j.b = append(b, '"')
}

func appendUnit(b []byte, u uint16) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}
