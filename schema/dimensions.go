package schema

import (
	"bytes"

	"github.com/ClickHouse/ch-go/proto"
)

// dimensionColumn is a Map(LowCardinality(String), String) column. The pairs of
// the row in hand wait in pairs and text until the row ends, because they are
// written in the order of their names.
type dimensionColumn struct {
	offsets proto.ColUInt64
	names   wordColumn
	values  stringColumn

	pairs []dimensionPair
	text  []byte
	key   []byte
}

type dimensionPair struct{ start, mid, end int } // name is text[start:mid], value text[mid:end]

func (c *dimensionColumn) name(p dimensionPair) []byte  { return c.text[p.start:p.mid] }
func (c *dimensionColumn) value(p dimensionPair) []byte { return c.text[p.mid:p.end] }

// add puts a pair in its place by name; a name that is there already is ignored.
func (c *dimensionColumn) add(name, value []byte) {
	at := len(c.pairs)
	for at > 0 {
		order := bytes.Compare(c.name(c.pairs[at-1]), name)
		if order == 0 {
			return
		}
		if order < 0 {
			break
		}
		at--
	}
	p := dimensionPair{start: len(c.text)}
	c.text = append(c.text, name...)
	p.mid = len(c.text)
	c.text = append(c.text, value...)
	p.end = len(c.text)
	c.pairs = append(c.pairs, dimensionPair{})
	copy(c.pairs[at+1:], c.pairs[at:])
	c.pairs[at] = p
}

// find gives the value of a dimension of the row in hand.
func (c *dimensionColumn) find(name string) ([]byte, bool) {
	for _, p := range c.pairs {
		if string(c.name(p)) == name {
			return c.value(p), true
		}
	}
	return nil, false
}

// canonical gives the pairs of the row in hand as one text: name=value in the
// order of the names, parted by the byte 1f. A backslash stands before every
// backslash, before an equals sign in a name, and \s stands for the byte 1f, so
// that different dimensions never give the same text.
func (c *dimensionColumn) canonical() []byte {
	c.key = c.key[:0]
	for i, p := range c.pairs {
		if i > 0 {
			c.key = append(c.key, dimensionSeparator)
		}
		c.key = appendEscaped(c.key, c.name(p), true)
		c.key = append(c.key, '=')
		c.key = appendEscaped(c.key, c.value(p), false)
	}
	return c.key
}

const dimensionSeparator = 0x1f

func appendEscaped(dst, text []byte, isName bool) []byte {
	for _, b := range text {
		switch {
		case b == dimensionSeparator:
			dst = append(dst, `\s`...)
		case b == '\\' || isName && b == '=':
			dst = append(dst, '\\', b)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// endRow writes the pairs of the row in hand and forgets them.
func (c *dimensionColumn) endRow() {
	for _, p := range c.pairs {
		c.names.append(c.name(p))
		c.values.append(c.value(p))
	}
	c.offsets = append(c.offsets, uint64(c.values.rows))
	c.cancelRow()
}

func (c *dimensionColumn) cancelRow() {
	c.pairs, c.text = c.pairs[:0], c.text[:0]
}

func (c *dimensionColumn) reset() {
	c.cancelRow()
	c.offsets = c.offsets[:0]
	c.names.reset()
	c.values.reset()
}

func (*dimensionColumn) Type() proto.ColumnType { return "Map(LowCardinality(String), String)" }
func (c *dimensionColumn) Rows() int            { return len(c.offsets) }

// EncodeState writes the prefix of the names.
func (c *dimensionColumn) EncodeState(b *proto.Buffer) { c.names.EncodeState(b) }

func (c *dimensionColumn) EncodeColumn(b *proto.Buffer) {
	c.offsets.EncodeColumn(b)
	c.names.EncodeColumn(b)
	c.values.EncodeColumn(b)
}

func (c *dimensionColumn) WriteColumn(w *proto.Writer) {
	c.offsets.WriteColumn(w)
	c.names.WriteColumn(w)
	c.values.WriteColumn(w)
}
