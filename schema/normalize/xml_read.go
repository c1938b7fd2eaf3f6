package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
)

const (
	// xmlDepth is how deep elements may nest; networks' reports nest five levels.
	xmlDepth = 100
	// xmlNodes is how many elements one record may have, or what stands around the
	// records: all of them are in memory together, 36 bytes each. The reports have some
	// twenty, an offer with its countries and links a few hundred.
	xmlNodes = 1 << 20
	// xmlNames is how many different names of elements a document may have.
	xmlNames = 1 << 16
	// xmlShown is how much of a record that is not well-formed is shown, in bytes. It may
	// reach far where the end of a record was lost; the answer itself is kept whole.
	xmlShown = 32 << 10
)

// xmlRecord is a record as it is found. Its memory is used again for the next.
type xmlRecord struct {
	index int
	line  int64 // in which it begins
	// json is the record, or if it is not well-formed its source as a text.
	json   []byte
	reason string // why it is not well-formed; empty if it is
}

// xmlReader reads documents, one record at a time.
//
// It scans by itself. encoding/xml's RawToken would do for documents that are
// well-formed, but not here: it ends for good at the first fault, so that the records
// behind one that is broken could not be read; it says in which line it is, but not what
// it has read, which a bad row has to show; and it makes some fifteen allocations an
// element, where a page has a million elements.
//
// What it forgives is what networks were seen to send: an end tag that closes nothing
// closes the element before it, if that has only text ("<campaign>274</campaign_id>" in
// Perform[cb]'s own sample). Where an end is missing a record is bad, because parts of
// it may be missing, too.
type xmlReader struct {
	envelope bool // keep what stands around the records, as json
	b        []byte
	at       int
	path     []string
	inner    []string
	each     func(xmlRecord) error

	open   []xmlOpen
	record int // where in open the record is; -1 outside of records
	closed bool
	// Of the record, or the last one: where it begins, in which line, and its name.
	start int
	line  int64
	name  []byte
	until []byte // "</" and the name
	total int
	// counted is up to where line counts; containers how many elements could hold
	// records, and foreign whether one holds something else.
	counted    int
	containers int
	foreign    bool

	comment, cdata, instruction xmlSection

	xmlTree
}

// xmlOpen is an element that is open.
type xmlOpen struct {
	name   []byte // with its prefix
	node   int32  // -1 if nobody asks for it
	led    int    // how many segments of the path lead to it; -1 if it is off the path
	parent bool   // it has an element in it
}

func newXMLReader() *xmlReader {
	return &xmlReader{
		comment:     xmlSection{open: []byte("<!--"), close: []byte("-->")},
		cdata:       xmlSection{open: []byte("<![CDATA["), close: []byte("]]>")},
		instruction: xmlSection{open: []byte("<?"), close: []byte("?>")},
		xmlTree:     newXMLTree(),
	}
}

// read goes through a document in UTF-8. An error of each ends it. The error about the
// document is an *XMLError, or ErrHTML; records before the fault have been given then.
func (r *xmlReader) read(b []byte, path, inner []string, each func(xmlRecord) error) (xmlPlace, error) {
	r.b, r.at, r.path, r.inner, r.each = b, 0, path, inner, each
	r.open, r.record, r.closed = r.open[:0], -1, false
	r.line, r.counted, r.total, r.containers, r.foreign = 1, 0, 0, 0, false
	r.comment.next, r.cdata.next, r.instruction.next = -1, -1, -1
	r.nodeMark, r.charMark = 0, 0
	r.release()
	if err := r.begins(); err != nil {
		return 0, err
	}
	for !r.closed {
		err := r.step()
		if err == nil {
			continue
		}
		fault, ok := errors.AsType[*xmlFault](err)
		switch {
		case !ok:
			return 0, err
		case r.record <= 0: // a record that is the root is the whole answer
			return 0, r.wrong(fault.at, fault.what)
		}
		if err := r.resume(fault); err != nil {
			return 0, err
		}
	}
	if err := r.ends(); err != nil {
		return 0, err
	}
	switch {
	case r.total > 0 || r.containers > 0 && !r.foreign:
		return placeEmpty, nil
	case r.containers > 0 && len(path) > 1:
		return placeForeign, nil
	}
	// The root is always there, and has the network's verdict in it.
	return placeMissing, nil
}

// begins looks at the first byte.
func (r *xmlReader) begins() error {
	i := space(r.b, 0)
	switch {
	case i == len(r.b):
		return errEmpty
	case len(r.b) > math.MaxInt32:
		return r.wrong(0, "it is too long")
	case r.b[i] == '{' || r.b[i] == '[':
		return r.wrong(i, "it is JSON, not XML")
	case r.b[i] != '<':
		return r.wrong(i, "it does not begin with a tag")
	}
	return nil
}

// ends looks at what stands behind the root: comments and instructions may.
func (r *xmlReader) ends() error {
	for {
		r.at = space(r.b, r.at)
		var section *xmlSection
		switch {
		case r.at == len(r.b):
			return nil
		case bytes.HasPrefix(r.b[r.at:], r.comment.open):
			section = &r.comment
		case bytes.HasPrefix(r.b[r.at:], r.instruction.open):
			section = &r.instruction
		default:
			return r.wrong(r.at, "it goes on behind its root")
		}
		_, to, err := section.find(r.b, r.at, nil)
		if err != nil {
			return r.wrong(r.at, err.Error())
		}
		r.at = to + len(section.close)
	}
}

func (r *xmlReader) wrong(at int, what string) error { return &XMLError{r.lineAt(at), what} }

// torn is the error of a document that was cut.
func (r *xmlReader) torn() error { return r.wrong(len(r.b), "it ends before its root is closed") }

// lineAt counts on to the line that b[at] is in.
func (r *xmlReader) lineAt(at int) int64 {
	if at = min(at, len(r.b)); at > r.counted {
		r.line += int64(bytes.Count(r.b[r.counted:at], []byte{'\n'}))
		r.counted = at
	}
	return r.line
}

// step reads the text up to the next tag, and the tag.
func (r *xmlReader) step() error {
	n := bytes.IndexByte(r.b[r.at:], '<')
	if n < 0 {
		return r.torn()
	}
	piece := r.b[r.at : r.at+n]
	r.at += n
	if n > 0 {
		if err := r.text(piece, false); err != nil {
			return err
		}
	}
	switch rest := r.b[r.at:]; {
	case len(rest) > 1 && rest[1] == '/':
		return r.endTag()
	case len(rest) > 1 && rest[1] == '?':
		return r.pass(&r.instruction)
	case len(rest) > 1 && rest[1] == '!':
		return r.declaration(rest)
	}
	return r.startTag()
}

// declaration reads what begins with <!.
func (r *xmlReader) declaration(rest []byte) error {
	const doctype = "<!DOCTYPE"
	switch {
	case bytes.HasPrefix(rest, r.comment.open):
		return r.pass(&r.comment)
	case bytes.HasPrefix(rest, r.cdata.open) && len(r.open) > 0:
		from, to, err := r.cdata.find(r.b, r.at, r.within())
		if err != nil {
			return err
		}
		r.at = to + len(r.cdata.close)
		return r.text(r.b[from:to], true)
	case len(rest) >= len(doctype) && strings.EqualFold(string(rest[:len(doctype)]), doctype) && len(r.open) == 0:
		i := space(r.b, r.at+len(doctype))
		if strings.EqualFold(string(r.b[i:xmlName(r.b, i)]), "html") {
			return ErrHTML
		}
		end, err := xmlDoctype(r.b, i)
		if err != nil {
			return err
		}
		r.at = end
		return nil
	}
	return &xmlFault{r.at + 1, "<! begins nothing that is known here"}
}

// pass goes behind a section.
func (r *xmlReader) pass(s *xmlSection) error {
	_, to, err := s.find(r.b, r.at, r.within())
	if err != nil {
		return err
	}
	r.at = to + len(s.close)
	return nil
}

// within is what no section of the record may have in it.
func (r *xmlReader) within() []byte {
	if r.record < 0 {
		return nil
	}
	return r.until
}

// text takes a piece of text; verbatim is that of CDATA.
func (r *xmlReader) text(piece []byte, verbatim bool) error {
	white := space(piece, 0) == len(piece)
	if len(r.open) == 0 {
		if white {
			return nil
		}
		return &xmlFault{r.at, "text stands outside of the root"}
	}
	top := &r.open[len(r.open)-1]
	if r.record < 0 && !white && top.led == len(r.path)-1 {
		r.foreign = true
	}
	if top.node < 0 || white && r.nodes[top.node].first >= 0 {
		return nil
	}
	if err := r.addText(top.node, piece, verbatim); err != nil {
		if fault, ok := errors.AsType[*xmlFault](err); ok {
			fault.at = r.at
		}
		return err
	}
	return nil
}

// lead gives how many segments of the path lead to a child of the innermost element.
func (r *xmlReader) lead(name []byte) int {
	if len(r.open) == 0 {
		return 0
	}
	led := r.open[len(r.open)-1].led
	if r.record >= 0 || led < 0 || led >= len(r.path) || string(localName(name)) != r.path[led] {
		return -1
	}
	return led + 1
}

func (r *xmlReader) startTag() error {
	from := r.at
	end := xmlName(r.b, from+1)
	if end == from+1 {
		return &xmlFault{from + 1, "a < begins no tag"}
	}
	name := r.b[from+1 : end]
	if len(r.open) == 0 && strings.EqualFold(string(name), "html") {
		return ErrHTML
	}
	if r.record >= 0 && len(r.path) > 0 && bytes.Equal(name, r.name) {
		// The next record; one with records of its own name in it is not known.
		return &xmlFault{from, fmt.Sprintf("<%s> is not closed before the next one", clipName(name))}
	}
	led := r.lead(name)
	if len(r.open) > 0 {
		top := &r.open[len(r.open)-1]
		top.parent = true
		if r.record < 0 && top.led == len(r.path)-1 && led < 0 {
			r.foreign = true
		}
	}
	if led == len(r.path) {
		r.beginRecord(from, name)
	} else if led >= 0 && led == len(r.path)-1 {
		r.containers++
	}
	behind, empty, err := xmlAttributes(r.b, end)
	if err != nil {
		return err
	}
	if len(r.open) == xmlDepth {
		return &xmlFault{behind, "elements are nested too deep"}
	}
	node := int32(-1)
	if r.record >= 0 || r.envelope {
		parent := int32(-1)
		if len(r.open) > 0 && r.record != len(r.open) {
			parent = r.open[len(r.open)-1].node
		}
		if node, err = r.addNode(parent, localName(name)); err != nil {
			return &xmlFault{behind, err.Error()}
		}
	}
	r.at = behind
	r.open = append(r.open, xmlOpen{name: name, node: node, led: led})
	if empty {
		return r.close()
	}
	return nil
}

func (r *xmlReader) endTag() error {
	from := r.at
	end := xmlName(r.b, from+2)
	name := r.b[from+2 : end]
	end = space(r.b, end)
	if len(name) == 0 || end >= len(r.b) || r.b[end] != '>' {
		return &xmlFault{min(from+2, len(r.b)), "an end tag is not well-formed"}
	}
	end++
	top := len(r.open) - 1
	closes := top
	for closes >= 0 && !bytes.Equal(r.open[closes].name, name) {
		closes--
	}
	switch {
	case closes == top && top >= 0 || closes < 0 && r.isLeaf(top):
		r.at = end
		return r.close()
	case closes < 0:
		return &xmlFault{end, fmt.Sprintf("</%s> closes nothing", clipName(name))}
	case closes <= r.record:
		// The record ends here, or the element around it: it is read again as such.
		end = from
	}
	return &xmlFault{end, fmt.Sprintf("<%s> is not closed before </%s>", clipName(r.open[top].name), clipName(name))}
}

// isLeaf reports whether an open element is one that a wrong end tag closes: one with
// nothing but text, and neither the root, nor a record, nor what holds records.
func (r *xmlReader) isLeaf(at int) bool {
	return at > 0 && at != r.record && !r.open[at].parent && r.open[at].led < 0
}

// close ends the innermost element.
func (r *xmlReader) close() error {
	top := len(r.open) - 1
	o := r.open[top]
	r.open = r.open[:top]
	if o.node >= 0 {
		r.nodes[o.node].object = o.parent
	}
	r.closed = top == 0
	if top == r.record {
		r.out = r.value(r.out[:0], o.node, r.inner)
		if r.closed && r.envelope {
			r.json = append(r.json[:0], r.out...)
		}
		return r.give(r.out, "")
	}
	if r.closed && r.envelope {
		r.json = r.value(r.json[:0], o.node, nil)
	}
	return nil
}

func (r *xmlReader) beginRecord(at int, name []byte) {
	r.record, r.start, r.name = len(r.open), at, name
	r.until = append(append(r.until[:0], "</"...), name...)
	r.lineAt(at)
	r.began = r.line
	r.mark()
}

// give passes the record on that was read.
func (r *xmlReader) give(json []byte, reason string) error {
	r.record = -1
	r.total++
	err := r.each(xmlRecord{index: r.total - 1, line: r.began, json: json, reason: reason})
	r.release()
	return err
}

// resume leaves the record in hand as a bad one and goes to where the next begins, or
// where the element ends that holds them. Where neither comes the document was cut.
func (r *xmlReader) resume(fault *xmlFault) error {
	reason := r.wrong(fault.at, fault.what).Error()
	parent := r.open[r.record-1].name
	at := fault.at
	for {
		n := bytes.IndexByte(r.b[min(at, len(r.b)):], '<')
		if n < 0 {
			return r.torn()
		}
		at += n
		if isXMLTag(r.b, at+1, r.name) && at > r.start {
			break
		}
		closing := at+1 < len(r.b) && r.b[at+1] == '/'
		if closing && isXMLTag(r.b, at+2, r.name) {
			n := bytes.IndexByte(r.b[at:], '>')
			if n < 0 {
				return r.torn()
			}
			at += n + 1
			break
		}
		if closing && isXMLTag(r.b, at+2, parent) {
			break
		}
		at++
	}
	r.at, r.open = at, r.open[:r.record]
	source := r.b[r.start:at]
	r.out = appendQuoted(r.out[:0], source[:min(len(source), xmlShown)])
	return r.give(r.out, reason)
}

// clipName makes a name fit for a message.
func clipName(name []byte) string {
	const longest = 60
	if len(name) > longest {
		return strings.ToValidUTF8(string(name[:longest]), "") + "..."
	}
	return string(name)
}
