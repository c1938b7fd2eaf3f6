package schema

import (
	"fmt"
	"math/bits"

	"github.com/ClickHouse/ch-go/proto"
)

// BlockRows is how many rows a block should have before it is sent. The server
// joins the blocks of one INSERT to parts of up to a million rows by itself, so
// larger blocks load no faster: 65,536 rows a block took the same time and four
// to five times the memory.
const BlockRows = 8192

// Block is a number of rows of one table, as native columns. Rows are filled one
// at a time: Set and Add methods, then EndRow or CancelRow. After Reset all memory
// is used again, so that a block that has reached its size allocates nothing.
//
// The column numbers are those of Table.Index. Setting a column with the method of
// another type is a mistake in the program and panics. A Block is not safe for
// concurrent use.
type Block struct {
	table *Table
	cells []cell
	input proto.Input
	rows  int

	// set has a bit for each column of the row in hand that has its value. What a
	// column lacks of earlier rows it gets when it is set again, or when the rows are read.
	set []uint64
	// fills are what rows get in columns that they have no value for, where that is a
	// number; filled are the columns for which it is not the default.
	fills  []uint64
	filled []int

	strings    []stringColumn
	lowCards   []wordColumn
	decimals   []decimalColumn
	times      []timeColumn
	dates      []dateColumn
	counts     []proto.ColUInt64
	flags      []proto.ColUInt8
	windows    []windowColumn
	dimensions *dimensionColumn

	dimensionCol, dimensionKeyCol int
	mirrors                       []mirror
}

// cell says in which slice of its Block a column is.
type cell struct {
	typ Type
	at  int
}

// mirror is a column that repeats the dimension of its name.
type mirror struct {
	col  int
	name string
}

// NewBlock makes an empty block for rows of t.
func NewBlock(t *Table) *Block {
	b := &Block{
		table:        t,
		cells:        make([]cell, len(t.Columns)),
		set:          make([]uint64, (len(t.Columns)+63)/64),
		fills:        make([]uint64, len(t.Columns)),
		dimensionCol: -1, dimensionKeyCol: -1,
	}
	var n [WindowTime + 1]int
	for i, c := range t.Columns {
		kind := slot(c.Type)
		b.cells[i] = cell{c.Type, n[kind]}
		n[kind]++
		if c.Type == Dimensions {
			b.dimensionCol, b.dimensions = i, &dimensionColumn{names: wordColumn{dict: newDictionary()}}
		}
	}
	b.strings = make([]stringColumn, n[String])
	b.lowCards = make([]wordColumn, n[Word])
	b.decimals = make([]decimalColumn, n[Decimal])
	b.times = make([]timeColumn, n[Time])
	b.dates = make([]dateColumn, n[Date])
	b.counts = make([]proto.ColUInt64, n[Count])
	b.flags = make([]proto.ColUInt8, n[Flag])
	b.windows = make([]windowColumn, n[WindowTime])
	for i := range b.lowCards {
		b.lowCards[i].dict = newDictionary()
	}
	for i, c := range t.Columns {
		b.input = append(b.input, proto.InputColumn{Name: c.Name, Data: b.column(i)})
		if b.dimensions == nil {
			continue
		}
		switch c.Name {
		case ColumnDimensionKey:
			b.dimensionKeyCol = i
		case "offer_id", "publisher_id", "country", "sub1":
			b.mirrors = append(b.mirrors, mirror{i, c.Name})
		}
	}
	return b
}

// slot gives the type whose slice a type's columns are kept in.
func slot(t Type) Type {
	switch t {
	case Version:
		return Count
	case Hour:
		return Flag
	}
	return t
}

func (b *Block) column(col int) proto.ColInput {
	c := b.cells[col]
	switch slot(c.typ) {
	case String:
		return &b.strings[c.at]
	case Word:
		return &b.lowCards[c.at]
	case Decimal:
		return &b.decimals[c.at]
	case Time:
		return &b.times[c.at]
	case Date:
		return &b.dates[c.at]
	case Count:
		return &b.counts[c.at]
	case Flag:
		return &b.flags[c.at]
	case Dimensions:
		return b.dimensions
	case WindowTime:
		return &b.windows[c.at]
	}
	panic(fmt.Sprintf("schema: column %s has no type", b.table.Columns[col].Name))
}

// Table gives the table whose rows b holds.
func (b *Block) Table() *Table { return b.table }

// Rows counts the finished rows.
func (b *Block) Rows() int { return b.rows }

// Bytes gives the approximate size of the rows on the wire.
func (b *Block) Bytes() int {
	n := 0
	for i := range b.strings {
		n += len(b.strings[i].buf)
	}
	for i := range b.lowCards {
		n += b.lowCards[i].size()
	}
	if b.dimensions != nil {
		n += 8*b.rows + b.dimensions.names.size() + len(b.dimensions.values.buf)
	}
	return n + b.rows*(16*len(b.decimals)+8*len(b.times)+2*len(b.dates)+8*len(b.counts)+len(b.flags)+4*len(b.windows))
}

// Reset forgets all rows, the one in hand too, and keeps the memory.
func (b *Block) Reset() {
	b.rows = 0
	clear(b.set)
	b.forgetFills()
	for i := range b.strings {
		b.strings[i].reset()
	}
	for i := range b.lowCards {
		b.lowCards[i].reset()
	}
	for i := range b.decimals {
		b.decimals[i].Reset()
	}
	for i := range b.times {
		b.times[i].Reset()
	}
	for i := range b.dates {
		b.dates[i].Reset()
	}
	for i := range b.counts {
		b.counts[i].Reset()
	}
	for i := range b.flags {
		b.flags[i].Reset()
	}
	for i := range b.windows {
		b.windows[i].Reset()
	}
	if b.dimensions != nil {
		b.dimensions.reset()
	}
}

// Input gives all finished rows as ch-go sends them. It shows the block itself:
// the block must not change until the rows have been written. There must be no row
// in hand.
func (b *Block) Input() proto.Input {
	b.complete()
	return b.input
}

// IsSet says whether the row in hand has a value for a column.
func (b *Block) IsSet(col int) bool { return b.set[col/64]&(1<<(col%64)) != 0 }

// mark notes that a column gets its value; false if it has one.
func (b *Block) mark(col int) bool {
	word, bit := &b.set[col/64], uint64(1)<<(col%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

func (b *Block) misuse(method string, col int) {
	c := b.table.Columns[col]
	panic(fmt.Sprintf("schema: %s on column %s.%s of type %s", method, b.table.Name, c.Name, c.Type.ClickHouse()))
}

// SetBytes sets a String or Word column of the row in hand to a copy of v, which
// should be valid UTF-8. A column that has its value keeps it: then SetBytes, like
// all Set methods, reports false.
func (b *Block) SetBytes(col int, v []byte) bool {
	if !b.mark(col) {
		return false
	}
	switch c := b.cells[col]; c.typ {
	case String:
		s := &b.strings[c.at]
		if s.rows < b.rows {
			s.pad(b.rows)
		}
		s.append(v)
	case Word:
		w := &b.lowCards[c.at]
		if w.rows < b.rows {
			w.pad(b.rows)
		}
		w.append(v)
	default:
		b.misuse("SetBytes", col)
	}
	return true
}

// SetDecimal sets a Decimal column of the row in hand.
func (b *Block) SetDecimal(col int, v Int128) bool {
	if !b.mark(col) {
		return false
	}
	c := b.cells[col]
	if c.typ != Decimal {
		b.misuse("SetDecimal", col)
	}
	d := &b.decimals[c.at].ColDecimal128
	if len(*d) < b.rows {
		b.pad(col)
	}
	*d = append(*d, proto.Decimal128{Low: v.Low, High: uint64(v.High)})
	return true
}

// SetTime sets a Time column of the row in hand, in milliseconds since the epoch.
func (b *Block) SetTime(col int, unixMilli int64) bool {
	if !b.mark(col) {
		return false
	}
	c := b.cells[col]
	if c.typ != Time {
		b.misuse("SetTime", col)
	}
	t := &b.times[c.at].ColInt64
	if len(*t) < b.rows {
		b.pad(col)
	}
	*t = append(*t, unixMilli)
	return true
}

// SetDate sets a Date column of the row in hand, in days since 1970-01-01.
func (b *Block) SetDate(col int, daysSinceEpoch uint16) bool {
	if !b.mark(col) {
		return false
	}
	c := b.cells[col]
	if c.typ != Date {
		b.misuse("SetDate", col)
	}
	d := &b.dates[c.at].ColUInt16
	if len(*d) < b.rows {
		b.pad(col)
	}
	*d = append(*d, daysSinceEpoch)
	return true
}

// SetUint sets a Count, Hour, Flag, Version or WindowTime (Unix seconds) column of
// the row in hand. Of v only what the type holds is kept.
func (b *Block) SetUint(col int, v uint64) bool {
	if !b.mark(col) {
		return false
	}
	b.pad(col)
	switch c := b.cells[col]; c.typ {
	case Count, Version:
		b.counts[c.at] = append(b.counts[c.at], v)
	case Hour, Flag:
		b.flags[c.at] = append(b.flags[c.at], uint8(v))
	case WindowTime:
		w := &b.windows[c.at].ColUInt32
		*w = append(*w, uint32(v))
	default:
		b.misuse("SetUint", col)
	}
	return true
}

// AddDimension gives the row in hand a named value. Of several values of one name
// the first counts. A dimension named as one of the common columns (offer_id,
// publisher_id, country, sub1) fills that column too, unless it is set.
func (b *Block) AddDimension(col int, name, value []byte) {
	if b.cells[col].typ != Dimensions {
		b.misuse("AddDimension", col)
	}
	b.dimensions.add(name, value)
}

// EndRow finishes the row in hand. Columns without a value get their default, or what
// they are filled with, and dimension_key the canonical text of the dimensions.
func (b *Block) EndRow() {
	if b.dimensions != nil {
		b.endDimensions()
	}
	clear(b.set)
	b.rows++
}

func (b *Block) endDimensions() {
	for _, m := range b.mirrors {
		if v, ok := b.dimensions.find(m.name); ok {
			b.SetBytes(m.col, v)
		}
	}
	if b.dimensionKeyCol >= 0 {
		b.SetBytes(b.dimensionKeyCol, b.dimensions.canonical())
	}
	b.mark(b.dimensionCol)
	b.dimensions.endRow()
}

// CancelRow forgets the row in hand: every column is as it was before it.
func (b *Block) CancelRow() {
	for i := range b.set {
		for set := b.set[i]; set != 0; set &= set - 1 {
			b.unset(i*64 + bits.TrailingZeros64(set))
		}
		b.set[i] = 0
	}
	if b.dimensions != nil {
		b.dimensions.cancelRow()
	}
}

func (b *Block) unset(col int) {
	switch c := b.cells[col]; slot(c.typ) {
	case String:
		b.strings[c.at].dropLast()
	case Word:
		b.lowCards[c.at].dropLast()
	case Decimal:
		d := &b.decimals[c.at].ColDecimal128
		*d = (*d)[:b.rows]
	case Time:
		t := &b.times[c.at].ColInt64
		*t = (*t)[:b.rows]
	case Date:
		d := &b.dates[c.at].ColUInt16
		*d = (*d)[:b.rows]
	case Count:
		b.counts[c.at] = b.counts[c.at][:b.rows]
	case Flag:
		b.flags[c.at] = b.flags[c.at][:b.rows]
	case WindowTime:
		w := &b.windows[c.at].ColUInt32
		*w = (*w)[:b.rows]
	}
}
