package schema

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

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
	last int // where the newest value begins in buf
}

func (c *stringColumn) append(v []byte) {
	c.last = len(c.buf)
	c.buf = binary.AppendUvarint(c.buf, uint64(len(v)))
	c.buf = append(c.buf, v...)
	c.rows++
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
	dict    dictionary
	keys8   []byte
	keys16  proto.ColUInt16
	keys32  proto.ColUInt32
	width   proto.CardinalityKey
	lastKey uint32
	hasLast bool
}

func (c *wordColumn) append(v []byte) {
	if !c.hasLast || !bytes.Equal(c.dict.word(c.lastKey), v) {
		c.lastKey, c.hasLast = c.dict.key(v), true
	}
	c.appendKey(c.lastKey)
}

func (c *wordColumn) appendKey(key uint32) {
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
		c.keys8 = append(c.keys8, byte(key))
	case proto.KeyUInt16:
		c.keys16 = append(c.keys16, uint16(key))
	default:
		c.keys32 = append(c.keys32, key)
	}
}

// truncate takes back all but the first rows values and the words that only the
// later ones brought. The keys' width stays.
func (c *wordColumn) truncate(rows, words int) {
	switch c.width {
	case proto.KeyUInt8:
		c.keys8 = c.keys8[:rows]
	case proto.KeyUInt16:
		c.keys16 = c.keys16[:rows]
	default:
		c.keys32 = c.keys32[:rows]
	}
	c.dict.truncate(words)
	c.hasLast = false
}

func (c *wordColumn) reset() {
	c.dict.reset()
	c.keys8, c.keys16, c.keys32 = c.keys8[:0], c.keys16[:0], c.keys32[:0]
	c.width, c.hasLast = proto.KeyUInt8, false
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

func (c *wordColumn) Rows() int { return len(c.keys8) + len(c.keys16) + len(c.keys32) }

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

// dictionary numbers words in the order in which they come. It is an open
// addressing table of numbers into one text, so a word that was seen is found
// without an allocation and a reset keeps all memory.
type dictionary struct {
	text  []byte
	ends  []uint32 // where each word ends in text; it begins where the last ends
	slots []uint32 // number of a word + 1; 0 is free
	seed  maphash.Seed
}

const dictionarySlots = 64

func newDictionary() dictionary {
	return dictionary{slots: make([]uint32, dictionarySlots), seed: maphash.MakeSeed()}
}

func (d *dictionary) word(key uint32) []byte {
	start := uint32(0)
	if key > 0 {
		start = d.ends[key-1]
	}
	return d.text[start:d.ends[key]]
}

// key gives the number of v, a new one for a new word.
func (d *dictionary) key(v []byte) uint32 {
	mask := uint64(len(d.slots) - 1)
	at := maphash.Bytes(d.seed, v) & mask
	for d.slots[at] != 0 {
		key := d.slots[at] - 1
		if bytes.Equal(d.word(key), v) {
			return key
		}
		at = (at + 1) & mask
	}
	key := uint32(len(d.ends))
	d.text = append(d.text, v...)
	d.ends = append(d.ends, uint32(len(d.text)))
	d.slots[at] = key + 1
	if len(d.ends)*2 > len(d.slots) {
		d.grow()
	}
	return key
}

func (d *dictionary) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	for key := range d.ends {
		d.slots[d.freeSlot(uint32(key))] = uint32(key) + 1
	}
}

// freeSlot finds the first free slot on the path of a word.
func (d *dictionary) freeSlot(key uint32) uint64 {
	mask := uint64(len(d.slots) - 1)
	at := maphash.Bytes(d.seed, d.word(key)) & mask
	for d.slots[at] != 0 {
		at = (at + 1) & mask
	}
	return at
}

// truncate forgets all but the first words. Taking the newest out first keeps
// every older word reachable: no path of an older one leads over its slot.
func (d *dictionary) truncate(words int) {
	mask := uint64(len(d.slots) - 1)
	for n := len(d.ends); n > words; n-- {
		word := d.word(uint32(n - 1))
		at := maphash.Bytes(d.seed, word) & mask
		for d.slots[at] != uint32(n) {
			at = (at + 1) & mask
		}
		d.slots[at] = 0
		d.text = d.text[:len(d.text)-len(word)]
		d.ends = d.ends[:n-1]
	}
}

func (d *dictionary) reset() {
	clear(d.slots)
	d.text, d.ends = d.text[:0], d.ends[:0]
}
