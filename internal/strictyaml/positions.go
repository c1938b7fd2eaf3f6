package strictyaml

import (
	"fmt"
	"strconv"
	"strings"
)

// Positions remembers where each value of a decoded file stands, so that later
// checks can point at a line. A nil *Positions knows no place.
type Positions struct {
	file  string
	at    map[string]place
	shown map[string]expansion
}

type place struct{ line, column int }

// expansion is a scalar whose text came from outside the file. The value sits
// behind a pointer so that formatting a Positions cannot print it.
type expansion struct {
	written string
	value   *string
}

// redactMin is the length from which the text of an expanded value is also
// removed from messages about other values; shorter ones occur by chance.
const redactMin = 4

// At gives the place of the value at path, or of its nearest ancestor that is in
// the file; 0, 0 if there is none.
func (p *Positions) At(path string) (line, column int) {
	if p == nil {
		return 0, 0
	}
	for {
		if at, ok := p.at[path]; ok {
			return at.line, at.column
		}
		if path == "" {
			return 0, 0
		}
		path = parent(path)
	}
}

// Has reports whether the file gives a value at path.
func (p *Positions) Has(path string) bool {
	if p == nil {
		return false
	}
	_, ok := p.at[path]
	return ok
}

// Written gives the text of the scalar at path as it stands in the file when it
// was expanded from something outside of it ("${NAME}"); false otherwise.
func (p *Positions) Written(path string) (string, bool) {
	if p == nil {
		return "", false
	}
	e, ok := p.shown[path]
	return e.written, ok
}

// Problem makes a problem at the place of path. Where an argument repeats a text
// that came from outside the file, the message has what is written in the file
// instead: environment values never appear in errors.
func (p *Positions) Problem(path, format string, args ...any) Problem {
	problem := Problem{Path: path}
	problem.Line, problem.Column = p.At(path)
	if p != nil {
		problem.File = p.file
		args = p.redact(path, args)
	}
	problem.Message = fmt.Sprintf(format, args...)
	return problem
}

func (p *Positions) redact(path string, args []any) []any {
	if len(p.shown) == 0 {
		return args
	}
	out := make([]any, len(args))
	for i, arg := range args {
		out[i] = arg
		var text string
		switch v := arg.(type) {
		case string:
			text = v
		case error:
			text = v.Error()
		case fmt.Stringer:
			text = v.String()
		default:
			continue
		}
		clean := text
		if own, ok := p.shown[path]; ok && *own.value != "" {
			clean = strings.ReplaceAll(clean, *own.value, own.written)
		}
		for _, e := range p.shown {
			if len(*e.value) >= redactMin {
				clean = strings.ReplaceAll(clean, *e.value, e.written)
			}
		}
		if clean != text {
			out[i] = clean
		}
	}
	return out
}

// Key gives the path of a key in the mapping at path.
func Key(path, key string) string {
	if !plainKey(key) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// Item gives the path of an item in the list at path, counted from 0.
func Item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func plainKey(key string) bool {
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-/@$", r):
		default:
			return false
		}
	}
	return key != ""
}

// parent cuts the last element of a path.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) {
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i]
		}
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
