package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads the one document of a file and returns its root node.
func parse(file string, src []byte) (*yaml.Node, *Problem) {
	at := func(offset int, format string, args ...any) *Problem {
		line, column := lineColumn(src, offset)
		return &Problem{File: file, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
	}
	if len(src) > maxBytes {
		return nil, &Problem{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("%d bytes long; at most %d are read", len(src), maxBytes)}
	}
	// The parser gives no place for these two.
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, at(i, "not UTF-8 text")
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return nil, at(i, "control character %U", r)
		}
		i += size
	}
	first, second, err := documents(src)
	switch {
	case err != nil:
		return nil, at(errorOffset(src, err), "%s", explain(err))
	case first == nil:
		return nil, &Problem{File: file, Line: 1, Column: 1, Message: "the file is empty"}
	case second != nil:
		return nil, &Problem{File: file, Line: second.Line, Column: second.Column, Message: "a second document begins here; a file holds one"}
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, &Problem{File: file, Line: 1, Column: 1, Message: "the file is empty"}
	}
	return root, nil
}

// documents reads up to two documents; nil where there is none.
func documents(src []byte) (first, second *yaml.Node, err error) {
	// The parser panics with "internal error, please report" where it meets what its
	// authors thought impossible; a file must not be able to end the daemon.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var nodes [2]*yaml.Node
	for i := range nodes {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		nodes[i] = &n
	}
	return nodes[0], nodes[1], nil
}

// errorOffset finds where the parser met err. The parser itself tells a line at
// best, often that of the enclosing block, so the place is found as the end of
// the shortest beginning of the file that fails in the same way.
func errorOffset(src []byte, err error) int {
	end := sort.Search(len(src), func(n int) bool {
		for n < len(src) && !utf8.RuneStart(src[n]) {
			n++
		}
		_, _, e := documents(src[:n])
		return e != nil && e.Error() == err.Error()
	})
	return max(0, end-1)
}

var linePrefix = regexp.MustCompile(`^line \d+: `)

// explain puts a parser's message into words for people. It quotes nothing from
// the file but what the parser's fixed texts say: a secret may stand there.
func explain(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = linePrefix.ReplaceAllString(text, "")
	switch {
	case strings.HasPrefix(text, "unknown anchor"):
		return "an alias (*name) to an anchor that is not there; a text that begins with * needs quotes"
	case text == "mapping values are not allowed in this context":
		return "a second \": \" on the line, or wrong indentation; a text with \": \" in it needs quotes"
	case text == "found character that cannot start any token":
		return "a tab as indentation, or a text that begins with @, ` or %: indent with spaces, put the text in quotes"
	case text == "did not find expected key", text == "could not find expected ':'":
		return "not a \"key: value\" line here, or wrong indentation"
	case text == "did not find expected '-' indicator":
		return "not a \"- item\" line here, or wrong indentation"
	}
	return text
}

// lineColumn counts from 1; columns count characters.
func lineColumn(src []byte, offset int) (line, column int) {
	offset = min(offset, len(src))
	start := bytes.LastIndexByte(src[:offset], '\n') + 1
	return bytes.Count(src[:offset], []byte("\n")) + 1, utf8.RuneCount(src[start:offset]) + 1
}
