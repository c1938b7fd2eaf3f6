package normalize

import (
	"bytes"
	"errors"
)

// xmlTree is the elements of one record, or those around the records, in memory that is
// used again. They have to be known together before they are written: that an element
// is repeated, and thus an array, is known at the second, and other elements may stand
// between.
type xmlTree struct {
	nodes []xmlNode
	chars []byte // the text of all nodes
	// What was there when the record began.
	nodeMark, charMark int
	began              int64 // line of the record

	names map[string]int32
	// keys are the names as JSON keys with their colons, locals as they are.
	keys   [][]byte
	locals []string
	// By name: when it was last seen, and the last sibling of that name.
	seen  []uint32
	tail  []int32
	stamp uint32

	out  []byte // the record as JSON
	json []byte // what stands around the records as JSON
}

// xmlNode is an element, or a piece of text beside elements. Links are positions in
// xmlTree.nodes; -1 for none.
type xmlNode struct {
	name              int32
	first, last, next int32
	more              int32 // the next sibling of the same name
	from, to          int32 // its text in xmlTree.chars; an element's up to its first child
	object            bool  // it has elements in it, here or elsewhere
	further           bool  // it is not the first of its name
}

// xmlTextName is the name of text beside elements; no element can have it.
const xmlTextName = "#text"

var (
	errXMLNodes = errors.New("there are too many elements")
	errXMLNames = errors.New("there are too many names of elements")
)

func newXMLTree() xmlTree {
	t := xmlTree{names: map[string]int32{}}
	t.newName(xmlTextName)
	return t
}

func (t *xmlTree) newName(name string) int32 {
	id := int32(len(t.keys))
	t.names[name] = id
	t.keys = append(t.keys, append(appendQuoted(nil, []byte(name)), ':'))
	t.locals = append(t.locals, name)
	t.seen = append(t.seen, 0)
	t.tail = append(t.tail, -1)
	return id
}

func (t *xmlTree) mark() { t.nodeMark, t.charMark = len(t.nodes), len(t.chars) }

// release forgets what came since the mark.
func (t *xmlTree) release() {
	t.nodes, t.chars = t.nodes[:t.nodeMark], t.chars[:t.charMark]
	t.nodeMark, t.charMark = 0, 0
}

// addNode adds an element below a parent; -1 for none.
func (t *xmlTree) addNode(parent int32, name []byte) (int32, error) {
	id, ok := t.names[string(name)]
	if !ok {
		if len(t.keys) >= xmlNames {
			return -1, errXMLNames
		}
		id = t.newName(string(name))
	}
	if len(t.nodes)-t.nodeMark >= xmlNodes {
		return -1, errXMLNodes
	}
	if parent >= 0 {
		// The text before the first element becomes a node of its own, if it says anything.
		if p := &t.nodes[parent]; p.first < 0 && p.to > p.from {
			from, to := p.from, p.to
			p.to = p.from
			if space(t.chars[from:to], 0) < int(to-from) {
				t.link(parent, xmlNode{from: from, to: to})
			}
		}
	}
	at := int32(len(t.chars))
	return t.link(parent, xmlNode{name: id, from: at, to: at}), nil
}

func (t *xmlTree) link(parent int32, n xmlNode) int32 {
	n.first, n.last, n.next, n.more = -1, -1, -1, -1
	at := int32(len(t.nodes))
	t.nodes = append(t.nodes, n)
	if parent < 0 {
		return at
	}
	p := &t.nodes[parent]
	if p.first < 0 {
		p.first = at
	} else {
		t.nodes[p.last].next = at
	}
	p.last = at
	return at
}

// addText adds text to an element.
func (t *xmlTree) addText(at int32, piece []byte, verbatim bool) (err error) {
	if n := &t.nodes[at]; n.first >= 0 {
		// Beside elements; to the piece before, if nothing came between.
		last := n.last
		if t.nodes[last].name != 0 || int(t.nodes[last].to) != len(t.chars) {
			from := int32(len(t.chars))
			last = t.link(at, xmlNode{from: from, to: from})
		}
		at = last
	}
	if verbatim && bytes.IndexByte(piece, '\r') < 0 {
		t.chars = append(t.chars, piece...)
	} else if verbatim {
		t.chars = append(t.chars, bytes.ReplaceAll(bytes.ReplaceAll(piece, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))...)
	} else {
		t.chars, err = appendXMLText(t.chars, piece)
	}
	t.nodes[at].to = int32(len(t.chars))
	return err
}

// value appends a node as JSON. inner is the path from it to an element that is an
// array however often it stands there.
func (t *xmlTree) value(dst []byte, at int32, inner []string) []byte {
	n := &t.nodes[at]
	if n.first < 0 && !n.object {
		return appendQuoted(dst, trimLayout(t.chars[n.from:n.to]))
	}
	t.chain(n.first)
	dst = append(dst, '{')
	for c, comma := n.first, false; c >= 0; c = t.nodes[c].next {
		child := &t.nodes[c]
		if child.further {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = append(dst, t.keys[child.name]...)
		var below []string
		list := child.more >= 0
		if len(inner) > 0 && inner[0] == t.locals[child.name] {
			below = inner[1:]
			list = list || len(below) == 0
		}
		if !list {
			dst = t.value(dst, c, below)
			continue
		}
		dst = append(dst, '[')
		alone := child.more < 0 && child.first < 0 && !child.object && child.from == child.to
		for e := c; e >= 0 && !alone; e = t.nodes[e].more { // one that is empty is no element of a list
			if e != c {
				dst = append(dst, ',')
			}
			dst = t.value(dst, e, below)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// chain links the siblings of the same name from c on.
func (t *xmlTree) chain(c int32) {
	if t.stamp++; t.stamp == 0 {
		clear(t.seen)
		t.stamp = 1
	}
	for ; c >= 0; c = t.nodes[c].next {
		name := t.nodes[c].name
		if t.seen[name] == t.stamp {
			t.nodes[t.tail[name]].more = c
			t.nodes[c].further = true
		}
		t.seen[name], t.tail[name] = t.stamp, c
	}
}

// trimLayout drops white space at the ends of a text if there is a line break in it:
// that is the writer's layout. Other white space may be part of a value, and two values
// that differ in nothing else must not become one.
func trimLayout(b []byte) []byte {
	if i := space(b, 0); bytes.IndexByte(b[:i], '\n') >= 0 {
		b = b[i:]
	}
	i := len(b)
	for i > 0 && isSpace(b[i-1]) {
		i--
	}
	if bytes.IndexByte(b[i:], '\n') >= 0 {
		b = b[:i]
	}
	return b
}

// appendQuoted appends a text as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}
