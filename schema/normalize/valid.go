package normalize

import (
	"encoding/binary"
	"errors"
)

// errEmpty is for an answer of nothing but white space.
var errEmpty = errors.New("the answer is empty")

// Valid reports what keeps an answer from being one complete, well-formed JSON value
// nested no deeper than 512 levels: a body that was cut, HTML, text after the end.
func Valid(body []byte) error {
	i := space(body, 0)
	if i == len(body) {
		return errEmpty
	}
	i, err := validValue(body, i)
	if err != nil {
		return err
	}
	if i = space(body, i); i < len(body) {
		return &syntaxError{i, "JSON goes on after its end"}
	}
	return nil
}

// validValue checks the value at b[i] and gives its end. The open brackets are bits:
// 1 for an object.
func validValue(b []byte, i int) (int, error) {
	var open [maxDepth / 64]uint64
	depth := 0
	for {
		// A value begins here.
		if i >= len(b) {
			return 0, malformed(b, i)
		}
		switch c := b[i]; c {
		case '{', '[':
			if depth == maxDepth {
				return 0, &syntaxError{i, "JSON is nested too deep"}
			}
			bit := uint64(1) << (depth % 64)
			if c == '{' {
				open[depth/64] |= bit
			} else {
				open[depth/64] &^= bit
			}
			depth++
			i = space(b, i+1)
			if c == '[' {
				if i < len(b) && b[i] == ']' {
					i++
					depth--
					break
				}
				continue
			}
			if i < len(b) && b[i] == '}' {
				i++
				depth--
				break
			}
			if i = validKey(b, i); i < 0 {
				return 0, malformed(b, -i-1)
			}
			continue
		case '"':
			end := validString(b, i+1)
			if end < 0 {
				return 0, malformed(b, -end-1)
			}
			i = end
		case 't', 'f', 'n':
			word := literals[truth]
			switch c {
			case 'f':
				word = literals[falsehood]
			case 'n':
				word = literals[null]
			}
			for k := range len(word) {
				if i+k >= len(b) || b[i+k] != word[k] {
					return 0, malformed(b, i+k)
				}
			}
			i += len(word)
		default:
			end := validNumber(b, i)
			if end < 0 {
				return 0, malformed(b, -end-1)
			}
			i = end
		}
		// A value has ended: close what ends with it, go to the next.
		for {
			if depth == 0 {
				return i, nil
			}
			if i < len(b) && isSpace(b[i]) {
				i = space(b, i)
			}
			if i >= len(b) {
				return 0, malformed(b, i)
			}
			inObject := open[(depth-1)/64]&(1<<((depth-1)%64)) != 0
			if b[i] == ',' {
				i = space(b, i+1)
				if inObject {
					if i = validKey(b, i); i < 0 {
						return 0, malformed(b, -i-1)
					}
				}
				break
			}
			if inObject && b[i] != '}' || !inObject && b[i] != ']' {
				return 0, malformed(b, i)
			}
			i++
			depth--
		}
	}
}

// validKey checks a key at b[i] and its colon and gives where the value begins. Like
// its siblings it gives -1-position where the fault is.
func validKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1 - i
	}
	if i = validString(b, i+1); i < 0 {
		return i
	}
	if i < len(b) && b[i] != ':' {
		i = space(b, i)
	}
	if i >= len(b) || b[i] != ':' {
		return -1 - i
	}
	i++
	if i < len(b) && b[i] > ' ' {
		return i
	}
	return space(b, i)
}

// validString checks a string whose first byte is b[i] and gives what is behind its
// closing quote.
func validString(b []byte, i int) int {
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q, s := w^quotes, w^slashes
			// Control characters are below 0x20.
			if ((q-ones)&^q|(s-ones)&^s|(w-0x20*ones)&^w)&highs != 0 {
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i >= len(b) || b[i] < 0x20 {
			return -1 - i
		}
		if b[i] == '"' {
			return i + 1
		}
		if i+1 >= len(b) {
			return -1 - len(b)
		}
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			if _, ok := hex4(b, i+2); !ok {
				return -1 - min(i+6, len(b))
			}
			i += 6
		default:
			return -1 - (i + 1)
		}
	}
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

func validNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	start := i
	i = digits(b, i)
	if i == start || b[start] == '0' && i > start+1 {
		return -1 - i
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = digits(b, start); i == start {
			return -1 - i
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start = i
		if i = digits(b, start); i == start {
			return -1 - i
		}
	}
	return i
}
