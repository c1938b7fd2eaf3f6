package normalize

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// ErrNoRecords is for an answer in which no path of the records leads anywhere.
var ErrNoRecords = errors.New("the answer has no records")

// Count gives the number of records in an answer and a digest of their bytes, by
// which a page that repeats the last one is known. The paths and shape are those of a
// Spec. The body should have passed Valid: Count looks at no more than it must.
func Count(body []byte, records Paths, shape Shape) (n int, hash uint64, err error) {
	paths := make([][]string, len(records))
	for i, p := range records {
		if paths[i], err = parsePath(p); err != nil {
			return 0, 0, err
		}
	}
	at, err := findRecords(body, paths)
	if err != nil {
		return 0, 0, err
	}
	some, err := shape.check(body, at)
	if err != nil {
		return 0, 0, err
	}
	if !some || shape == ShapeObject {
		end := skip(body, at)
		if end < 0 {
			return 0, 0, malformed(body, len(body))
		}
		if some {
			n = 1
		}
		return n, xxhash.Sum64(body[at:end]), nil
	}
	m := enter(body, at)
	for {
		next, ok, err := m.next()
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			return m.n, xxhash.Sum64(body[at:m.i]), nil
		}
		if m.i = skip(body, next); m.i < 0 {
			return 0, 0, malformed(body, len(body))
		}
	}
}

// check refuses a value at b[at] that is not the shape. It reports whether the value
// is something to go into, which null is not.
func (s Shape) check(b []byte, at int) (some bool, err error) {
	ok := b[at] == '{' || b[at] == '['
	want := "an array or a map of records"
	switch other := byte('{'); s {
	case ShapeArray:
		ok, want = b[at] == '[' || isEmptyAt(b, at, other), "an array of records"
	case ShapeMap:
		other = '['
		ok, want = b[at] == '{' || isEmptyAt(b, at, other), "a map of records"
	case ShapeObject:
		other = '['
		ok, want = b[at] == '{' || isEmptyAt(b, at, other), "a record"
	}
	if ok {
		return true, nil
	}
	v, end := read(b, at)
	if end < 0 {
		return false, malformed(b, at)
	}
	if v.kind == null {
		return false, nil
	}
	return false, fmt.Errorf("the answer has %s where %s should be", quote(v.raw), want)
}

// isEmptyAt reports whether an array or object without elements begins at b[at] with
// the bracket open.
func isEmptyAt(b []byte, at int, open byte) bool {
	if b[at] != open {
		return false
	}
	at = space(b, at+1)
	return at < len(b) && b[at] == open+2 // the closing brackets are two further in ASCII
}

// findRecords gives where the value of the records begins.
func findRecords(body []byte, paths [][]string) (int, error) {
	root := space(body, 0)
	if root < len(body) && body[root] == '[' {
		return root, nil
	}
	if len(paths) == 0 {
		return find(body, root, nil)
	}
	for _, path := range paths {
		if at, err := find(body, root, path); err != nil || at >= 0 {
			return at, err
		}
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.Join(path, ".")
	}
	return 0, fmt.Errorf("%w: it has no %s", ErrNoRecords, strings.Join(names, " or "))
}

// Lookup gives the JSON of the value at a dotted path of an answer, which for the
// empty path is the answer itself. A key that stands twice counts where it stands
// first.
func Lookup(body []byte, path string) (raw []byte, ok bool, err error) {
	segments, err := parsePath(path)
	if err != nil {
		return nil, false, err
	}
	at, err := find(body, space(body, 0), segments)
	if err != nil || at < 0 {
		return nil, false, err
	}
	end := skip(body, at)
	if end < 0 {
		return nil, false, malformed(body, len(body))
	}
	return body[at:end], true, nil
}

// find gives where the value at a path below the value at b[at] begins; -1 if it has
// none.
func find(b []byte, at int, path []string) (int, error) {
	for _, name := range path {
		if at >= len(b) {
			return 0, malformed(b, at)
		}
		if b[at] != '{' && b[at] != '[' {
			return -1, nil
		}
		m := enter(b, at)
		for {
			next, ok, err := m.next()
			if err != nil {
				return 0, err
			}
			if !ok {
				return -1, nil
			}
			if m.is(name) {
				at = next
				break
			}
			if m.i = skip(b, next); m.i < 0 {
				return 0, malformed(b, len(b))
			}
		}
	}
	if at >= len(b) {
		return 0, malformed(b, at)
	}
	return at, nil
}

// parsePath parts a dotted path at its dots. A backslash takes the next byte as it
// stands.
func parsePath(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	var segments []string
	var segment strings.Builder
	for i := 0; i <= len(path); i++ {
		switch {
		case i == len(path) || path[i] == '.':
			if segment.Len() == 0 {
				return nil, fmt.Errorf("path %q has an empty part", path)
			}
			segments = append(segments, segment.String())
			segment.Reset()
		case path[i] == '\\' && i+1 < len(path):
			i++
			segment.WriteByte(path[i])
		default:
			segment.WriteByte(path[i])
		}
	}
	return segments, nil
}

// quotedBytes is how much of a value a message shows.
const quotedBytes = 80

// quote shows a value in a message.
func quote(raw []byte) string {
	if len(raw) > quotedBytes {
		return fmt.Sprintf("%q...", strings.ToValidUTF8(string(raw[:quotedBytes]), ""))
	}
	return fmt.Sprintf("%q", raw)
}
