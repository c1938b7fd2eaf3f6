package normalize

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// xmlFault is a fault in the syntax. Inside of a record it makes the record bad,
// elsewhere it is the answer's.
type xmlFault struct {
	at   int // where reading can go on
	what string
}

func (f *xmlFault) Error() string { return f.what }

// endsName has the ASCII bytes that cannot be part of a name. All others beyond ASCII
// are taken for letters.
var endsName = func() (t [256]bool) {
	for c := range 0x80 {
		t[c] = (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' && c != ':'
	}
	return t
}()

// xmlName gives the end of the name that begins at b[i]; i if there is none.
func xmlName(b []byte, i int) int {
	if i < len(b) && (b[i] == '-' || b[i] == '.' || b[i]-'0' <= 9) {
		return i
	}
	for i < len(b) && !endsName[b[i]] {
		i++
	}
	return i
}

// localName is a name without the prefix of its namespace. Networks declare namespaces
// and give them no meaning.
func localName(name []byte) []byte {
	if i := bytes.IndexByte(name, ':'); i > 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

// isXMLTag reports whether the name at b[i] is name.
func isXMLTag(b []byte, i int, name []byte) bool {
	end := i + len(name)
	return end < len(b) && string(b[i:end]) == string(name) && endsName[b[end]]
}

// xmlAttributes passes over the attributes of a start tag, from behind its name, and
// gives its end. A value has no < in it, so that a quote that is never closed does not
// swallow what follows.
func xmlAttributes(b []byte, i int) (end int, empty bool, err error) {
	for {
		i = space(b, i)
		if i >= len(b) {
			return 0, false, &xmlFault{i, "a tag does not end"}
		}
		switch b[i] {
		case '>':
			return i + 1, false, nil
		case '/':
			if i+1 < len(b) && b[i+1] == '>' {
				return i + 2, true, nil
			}
		}
		name := i
		if i = xmlName(b, i); i == name {
			return 0, false, &xmlFault{i, "a tag is not well-formed"}
		}
		i = space(b, i)
		if i >= len(b) || b[i] != '=' {
			return 0, false, &xmlFault{i, "an attribute has no value"}
		}
		if i = space(b, i+1); i >= len(b) || b[i] != '"' && b[i] != '\'' {
			return 0, false, &xmlFault{i, "the value of an attribute is not quoted"}
		}
		n := bytes.IndexByte(b[i+1:], b[i])
		if n < 0 || bytes.IndexByte(b[i+1:i+1+n], '<') >= 0 {
			return 0, false, &xmlFault{i + 1, "the value of an attribute does not end"}
		}
		i += n + 2
	}
}

// xmlSection is a kind of what is passed over, or taken, as a whole: comments, CDATA and
// processing instructions.
type xmlSection struct {
	open, close []byte
	next        int // where the next closing mark is, if it is behind where one is looked for
}

// find gives where the content of the section that begins at b[i] ends. A section that
// another of its kind begins in, or in which the record ends, was not closed: it would
// swallow what follows, whole records even.
func (s *xmlSection) find(b []byte, i int, record []byte) (from, to int, err error) {
	from = i + len(s.open)
	if s.next < from {
		// Looked for once for all the sections before it: in a document of sections without
		// an end every one would be looked for to the end of the document.
		if n := bytes.Index(b[from:], s.close); n >= 0 {
			s.next = from + n
		} else {
			s.next = len(b)
		}
	}
	if s.next == len(b) || bytes.Contains(b[from:s.next], s.open) || len(record) > 0 && bytes.Contains(b[from:s.next], record) {
		return 0, 0, &xmlFault{from, string(s.open) + " is not closed"}
	}
	return from, s.next, nil
}

// xmlDoctype gives the end of a document type declaration from behind its <!DOCTYPE.
// One that declares entities is refused: they multiply ("billion laughs") or read files.
func xmlDoctype(b []byte, i int) (int, error) {
	quote, inner := byte(0), false
	for start := i; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[':
			inner = true
		case c == ']':
			inner = false
		case c == '>' && !inner:
			if bytes.Contains(b[start:i], []byte("<!ENTITY")) {
				return 0, &xmlFault{i, "it declares entities, which are not read"}
			}
			return i + 1, nil
		}
	}
	return 0, &xmlFault{i, "<!DOCTYPE does not end"}
}

// appendXMLText appends a piece of text with its references resolved and its line ends
// as line feeds. Only the five entities of XML itself exist. Characters that XML forbids,
// as control characters are, do no harm in JSON and are taken as they stand: sub ids
// come from strangers, and a conversion should not be lost for one.
func appendXMLText(dst, b []byte) ([]byte, error) {
	for {
		i := bytes.IndexAny(b, "&\r")
		if i < 0 {
			return append(dst, b...), nil
		}
		dst = append(dst, b[:i]...)
		if b = b[i:]; b[0] == '\r' {
			dst = append(dst, '\n')
			if b = b[1:]; len(b) > 0 && b[0] == '\n' {
				b = b[1:]
			}
			continue
		}
		// The longest reference is &#1114111; but zeros may stand before a number.
		end := bytes.IndexByte(b[:min(len(b), 32)], ';')
		if end < 0 {
			return dst, &xmlFault{what: "an & begins no entity"}
		}
		r, ok := xmlEntity(b[1:end])
		if !ok {
			return dst, &xmlFault{what: "an entity is not one of XML"}
		}
		dst = utf8.AppendRune(dst, r)
		b = b[end+1:]
	}
}

func xmlEntity(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return 0, false
	}
	return rune(n), true
}
