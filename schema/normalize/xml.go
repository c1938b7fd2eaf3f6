package normalize

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// ErrHTML is for an HTML page where XML should be: a login form, a proxy's error.
var ErrHTML = errors.New("the answer is an HTML page, not XML")

// XMLError is an answer that is not one whole document in XML, or one that is not read:
// cut, in an unknown charset, with entities of its own. What is wrong inside of a record
// is a bad row instead.
type XMLError struct {
	// Line is where it was noticed, counted from 1.
	Line int64
	// What is wrong; it quotes the names of elements and nothing else of the answer.
	What string
}

// Error gives both.
func (e *XMLError) Error() string { return fmt.Sprintf("XML: line %d: %s", e.Line, e.What) }

// XML is an answer in XML as JSON.
//
// The name of the root is left out: its children are the members of the outermost
// object. An element with children is an object of them by name, without the prefix of
// a namespace; where siblings have the same name they are an array at the place of the
// first. An element without children is its text, "" if it has none. Attributes,
// comments and processing instructions are dropped, text beside children is the member
// "#text".
//
// Records are different: a path of Spec.Records leads to all elements that are named
// so, one after another at whatever place, and they are an array however many there are.
// An empty path is the root, as one record. The last segment of Spec.Each is an array,
// too.
type XML struct {
	// Envelope is the document without its records: an object, or a text if the root
	// has no children.
	Envelope []byte
	// Total is the number of records, Bad how many of them are not well-formed.
	Total, Bad int

	hash  uint64 // of the records
	names Paths  // of what is wrong with the records' place
	place xmlPlace
}

// xmlPlace is what stands where the records should be, when there are none.
type xmlPlace uint8

const (
	placeEmpty   xmlPlace = iota // an element that holds nothing else
	placeForeign                 // an element that holds something else
	placeMissing                 // not even the element that would hold them
)

// FromXML reads an answer in XML, of which Records, Wrapped and Each of the Spec say
// which elements are arrays. The error is an *XMLError, or ErrHTML, or that the answer
// is empty.
func FromXML(body []byte, spec Spec) (*XML, error) {
	return fromXML(body, spec, nil)
}

// XMLRecords gives the records of an answer in XML, as an array. In the place of one
// that is not well-formed stands the beginning of its source, as a text.
func XMLRecords(body []byte, spec Spec) ([]byte, error) {
	records := []byte{'['}
	_, err := fromXML(body, spec, func(record []byte) {
		if len(records) > 1 {
			records = append(records, ',')
		}
		records = append(records, record...)
	})
	return append(records, ']'), err
}

// fromXML gives each record to see, if that is not nil.
func fromXML(body []byte, spec Spec, see func(record []byte)) (*XML, error) {
	shape, err := newXMLShape(spec)
	if err != nil {
		return nil, err
	}
	text, err := xmlText(body)
	if err != nil {
		return nil, err
	}
	x := &XML{names: spec.Records, place: placeMissing}
	r := newXMLReader()
	r.envelope = true
	digest := xxhash.New()
	for _, path := range shape.paths {
		place, err := r.read(text, path, shape.inner, func(rec xmlRecord) error {
			x.Total++
			if rec.reason != "" {
				x.Bad++
			}
			_, _ = digest.Write(rec.json) // a digest takes everything
			_, _ = digest.WriteString("\n")
			if see != nil {
				see(rec.json)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if x.place = min(x.place, place); x.Total > 0 {
			break
		}
	}
	x.Envelope, x.hash = r.json, digest.Sum64()
	return x, nil
}

// Count gives the number of records and a digest of them, as Count does for JSON. The
// error is ErrNoRecords if not even the element is there that would hold them: some
// networks leave it out when there are none, so that only the rest of the answer can say
// whether it is an error. What stands there in place of records is another error.
func (x *XML) Count() (n int, hash uint64, err error) {
	if x.Total == 0 {
		err = x.place.check(x.names)
	}
	return x.Total, x.hash, err
}

func (p xmlPlace) check(records Paths) error {
	switch p {
	case placeForeign:
		return fmt.Errorf("the answer has something else where %s should be", records)
	case placeMissing:
		return fmt.Errorf("%w: it has no %s", ErrNoRecords, records)
	}
	return nil
}

// xmlShape is what a Spec says about the elements of a document.
type xmlShape struct {
	paths [][]string // to the records, at least one
	inner []string   // of the array inside of a record; nil for none
}

func newXMLShape(spec Spec) (xmlShape, error) {
	s := xmlShape{paths: [][]string{nil}}
	if len(spec.Records) > 0 {
		s.paths = nil
	}
	for _, p := range spec.Records {
		path, err := parsePath(p)
		if err != nil {
			return s, err
		}
		s.paths = append(s.paths, path)
	}
	if spec.Each == "" {
		return s, nil
	}
	each, err := parsePath(spec.Each)
	if err != nil {
		return s, err
	}
	if spec.Wrapped != "" {
		s.inner = append(s.inner, spec.Wrapped)
	}
	s.inner = append(s.inner, each...)
	return s, nil
}

// xmlPages is what a Normalizer keeps to read pages in XML; the zero value before the
// first.
type xmlPages struct {
	reader *xmlReader
	shape  xmlShape
}

// xmlAnswer goes over the records of a document, one at a time. An answer in which not
// even the element is there that would hold records has none: whoever took the answer
// for a success has looked at the rest of it.
func (n *Normalizer) xmlAnswer(body []byte) error {
	x := &n.xml
	if x.reader == nil {
		shape, err := newXMLShape(n.spec)
		if err != nil {
			return err
		}
		x.reader, x.shape = newXMLReader(), shape
	}
	text, err := xmlText(body)
	if err != nil {
		return err
	}
	best := placeMissing
	for _, path := range x.shape.paths {
		some := false
		place, err := x.reader.read(text, path, x.shape.inner, func(rec xmlRecord) error {
			some = true
			n.page.line = rec.line
			if rec.reason != "" {
				n.nextStamp() // its parts must not be taken for those of the record before
				return n.reject(rec.index, rec.json, rec.reason)
			}
			_, err := n.one(rec.json, 0, &members{n: rec.index + 1}, rec.index)
			return err
		})
		n.page.line = 0
		if err != nil || some {
			return err
		}
		best = min(best, place)
	}
	if best == placeForeign {
		return best.check(n.spec.Records)
	}
	return nil
}

// checkXML refuses what has no meaning for documents in XML.
func (c *compiler) checkXML() {
	if c.n.spec.Format == FormatXML && c.n.spec.Shape == ShapeMap {
		c.fail("format xml: shape map: the elements of a document have no keys; records is the path of the elements that repeat")
	}
}
