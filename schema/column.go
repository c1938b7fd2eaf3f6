package schema

import (
	"encoding/binary"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// The columns of a Block. Those of fixed width borrow ch-go's encoding and give
// their full type's name; strings and words are our own: a string column holds its
// values as they go over the wire, so that sending copies nothing, and a word
// column builds its dictionary without an allocation for a word it has seen.

type decimalColumn struct{ proto.ColDecimal128 }

// Type names scale too: the server refuses a bare Decimal128 in a block.
func (*decimalColumn) Type() proto.ColumnType { return "Decimal(38, 10)" }

type timeColumn struct{ proto.ColInt64 }

func (*timeColumn) Type() proto.ColumnType { return "DateTime64(3, 'UTC')" }

type dateColumn struct{ proto.ColUInt16 }

func (*dateColumn) Type() proto.ColumnType { return "Date" }

type windowColumn struct{ proto.ColUInt32 }

func (*windowColumn) Type() proto.ColumnType { return "DateTime('UTC')" }

// stringColumn is a String column in its wire form: each value's length as a
// varint, then its bytes.
type stringColumn struct {
	buf  []byte
	rows int
	last int    // where the newest value begins in buf
	fill []byte // what pad appends
}

func (c *stringColumn) append(v []byte) {
	c.last = len(c.buf)
	if len(v) < 0x80 {
		c.buf = append(c.buf, byte(len(v)))
	} else {
		c.buf = binary.AppendUvarint(c.buf, uint64(len(v)))
	}
	c.buf = append(c.buf, v...)
	c.rows++
}

// pad appends the fill up to a number of rows.
func (c *stringColumn) pad(rows int) {
	if len(c.fill) == 0 {
		start := len(c.buf)
		c.buf = slices.Grow(c.buf, rows-c.rows)[:start+rows-c.rows]
		clear(c.buf[start:])
		c.rows = rows
		return
	}
	for c.rows < rows {
		c.append(c.fill)
	}
}

// dropLast takes back the newest value; once after each append.
func (c *stringColumn) dropLast() {
	c.buf = c.buf[:c.last]
	c.rows--
}

func (c *stringColumn) reset() {
	c.buf, c.rows, c.last = c.buf[:0], 0, 0
}

func (*stringColumn) Type() proto.ColumnType         { return proto.ColumnTypeString }
func (c *stringColumn) Rows() int                    { return c.rows }
func (c *stringColumn) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.buf) }
func (c *stringColumn) WriteColumn(w *proto.Writer)  { w.ChainWrite(c.buf) }

// wordColumn is a LowCardinality(String) column. Keys grow from one byte to two
// and to four as the dictionary does.
type wordColumn struct {
	dict   dictionary
	keys8  []byte
	keys16 proto.ColUInt16
	keys32 proto.ColUInt32
	width  proto.CardinalityKey
	rows   int
	words  int    // in the dictionary before the newest value
	fill   []byte // what pad appends
}

func (c *wordColumn) append(v []byte) {
	c.words = len(c.dict.ends)
	c.appendKey(c.dict.key(v), 1)
}

// appendKey appends a key a number of times.
func (c *wordColumn) appendKey(key uint32, times int) {
	c.rows += times
	switch {
	case c.width == proto.KeyUInt8 && key > 0xff:
		for _, k := range c.keys8 {
			c.keys16 = append(c.keys16, uint16(k))
		}
		c.keys8, c.width = c.keys8[:0], proto.KeyUInt16
	case c.width == proto.KeyUInt16 && key > 0xffff:
		for _, k := range c.keys16 {
			c.keys32 = append(c.keys32, uint32(k))
		}
		c.keys16, c.width = c.keys16[:0], proto.KeyUInt32
	}
	switch c.width {
	case proto.KeyUInt8:
		c.keys8 = appendTimes(c.keys8, byte(key), times)
	case proto.KeyUInt16:
		c.keys16 = appendTimes(c.keys16, uint16(key), times)
	default:
		c.keys32 = appendTimes(c.keys32, key, times)
	}
}

// pad appends the fill up to a number of rows.
func (c *wordColumn) pad(rows int) { c.appendKey(c.dict.key(c.fill), rows-c.rows) }

// dropLast takes back the newest value, and its word if it brought that; once after
// each append. The keys' width stays.
func (c *wordColumn) dropLast() {
	c.rows--
	switch c.width {
	case proto.KeyUInt8:
		c.keys8 = c.keys8[:c.rows]
	case proto.KeyUInt16:
		c.keys16 = c.keys16[:c.rows]
	default:
		c.keys32 = c.keys32[:c.rows]
	}
	c.dict.truncate(c.words)
}

func (c *wordColumn) reset() {
	c.dict.reset()
	c.keys8, c.keys16, c.keys32 = c.keys8[:0], c.keys16[:0], c.keys32[:0]
	c.width, c.rows, c.words = proto.KeyUInt8, 0, 0
}

// row gives the word of row i.
func (c *wordColumn) row(i int) []byte {
	switch c.width {
	case proto.KeyUInt8:
		return c.dict.word(uint32(c.keys8[i]))
	case proto.KeyUInt16:
		return c.dict.word(uint32(c.keys16[i]))
	default:
		return c.dict.word(c.keys32[i])
	}
}

func (*wordColumn) Type() proto.ColumnType { return "LowCardinality(String)" }

func (c *wordColumn) Rows() int { return c.rows }

func (c *wordColumn) size() int {
	return len(c.dict.text) + len(c.keys8) + 2*len(c.keys16) + 4*len(c.keys32)
}

// Numbers of ClickHouse's LowCardinality encoding: the version of the keys'
// serialization, and the flags saying that a block brings its own dictionary.
const (
	keysVersion      = 1
	hasOwnDictionary = 1<<9 | 1<<10
)

// EncodeState writes the prefix of the column.
func (*wordColumn) EncodeState(b *proto.Buffer) { b.PutInt64(keysVersion) }

func (c *wordColumn) encodeDictionary(b *proto.Buffer) {
	b.PutInt64(hasOwnDictionary | int64(c.width))
	b.PutInt64(int64(len(c.dict.ends)))
	start := uint32(0)
	for _, end := range c.dict.ends {
		b.PutUVarInt(uint64(end - start))
		b.PutRaw(c.dict.text[start:end])
		start = end
	}
	b.PutInt64(int64(c.Rows()))
}

func (c *wordColumn) EncodeColumn(b *proto.Buffer) {
	if c.Rows() == 0 {
		return
	}
	c.encodeDictionary(b)
	switch c.width {
	case proto.KeyUInt8:
		b.PutRaw(c.keys8)
	case proto.KeyUInt16:
		c.keys16.EncodeColumn(b)
	default:
		c.keys32.EncodeColumn(b)
	}
}

func (c *wordColumn) WriteColumn(w *proto.Writer) {
	if c.Rows() == 0 {
		return
	}
	w.ChainBuffer(c.encodeDictionary)
	switch c.width {
	case proto.KeyUInt8:
		w.ChainWrite(c.keys8)
	case proto.KeyUInt16:
		c.keys16.WriteColumn(w)
	default:
		c.keys32.WriteColumn(w)
	}
}
