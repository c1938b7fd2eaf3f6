package schema

import (
	"bytes"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// Most columns of a table have no value in any row of a stream, and others the same in
// all rows of a page. So a row that ends does not touch the columns it did not set: what
// they lack is appended for many rows at once, when a later row sets them or when the
// rows are read.

// FillBytes gives the rows from the next one on a value in a String or Word column,
// unless they set another. There must be no row in hand. It holds until EndFill or Reset.
func (b *Block) FillBytes(col int, v []byte) {
	switch c := b.cells[col]; c.typ {
	case String:
		if !bytes.Equal(b.strings[c.at].fill, v) {
			b.beginFill(col)
			b.strings[c.at].fill = append(b.strings[c.at].fill[:0], v...)
		}
	case Word:
		if !bytes.Equal(b.lowCards[c.at].fill, v) {
			b.beginFill(col)
			b.lowCards[c.at].fill = append(b.lowCards[c.at].fill[:0], v...)
		}
	default:
		b.misuse("FillBytes", col)
	}
}

// FillTime is FillBytes for a Time column, in milliseconds since the epoch.
func (b *Block) FillTime(col int, unixMilli int64) {
	if b.cells[col].typ != Time {
		b.misuse("FillTime", col)
	}
	b.fillNumber(col, uint64(unixMilli))
}

// FillUint is FillBytes for a column that SetUint sets.
func (b *Block) FillUint(col int, v uint64) {
	switch b.cells[col].typ {
	case Count, Version, Hour, Flag, WindowTime:
		b.fillNumber(col, v)
	default:
		b.misuse("FillUint", col)
	}
}

func (b *Block) fillNumber(col int, v uint64) {
	if b.fills[col] != v {
		b.beginFill(col)
		b.fills[col] = v
	}
}

// beginFill gives the rows so far what they were to get.
func (b *Block) beginFill(col int) {
	b.pad(col)
	if !slices.Contains(b.filled, col) {
		b.filled = append(b.filled, col)
	}
}

// EndFill has rows from the next one on get the default again in the columns that they
// do not set. There must be no row in hand.
func (b *Block) EndFill() {
	for _, col := range b.filled {
		b.pad(col)
	}
	b.forgetFills()
}

func (b *Block) forgetFills() {
	for _, col := range b.filled {
		b.fills[col] = 0
		switch c := b.cells[col]; c.typ {
		case String:
			b.strings[c.at].fill = b.strings[c.at].fill[:0]
		case Word:
			b.lowCards[c.at].fill = b.lowCards[c.at].fill[:0]
		}
	}
	b.filled = b.filled[:0]
}

// complete gives all columns as many values as there are rows.
func (b *Block) complete() {
	for col := range b.cells {
		b.pad(col)
	}
}

// pad appends to a column what the finished rows lack.
func (b *Block) pad(col int) {
	switch c := b.cells[col]; slot(c.typ) {
	case String:
		if s := &b.strings[c.at]; s.rows < b.rows {
			s.pad(b.rows)
		}
	case Word:
		if w := &b.lowCards[c.at]; w.rows < b.rows {
			w.pad(b.rows)
		}
	case Decimal:
		d := &b.decimals[c.at].ColDecimal128
		*d = padTo(*d, b.rows, proto.Decimal128{})
	case Time:
		t := &b.times[c.at].ColInt64
		*t = padTo(*t, b.rows, int64(b.fills[col]))
	case Date:
		d := &b.dates[c.at].ColUInt16
		*d = padTo(*d, b.rows, 0)
	case Count:
		b.counts[c.at] = padTo(b.counts[c.at], b.rows, b.fills[col])
	case Flag:
		b.flags[c.at] = padTo(b.flags[c.at], b.rows, uint8(b.fills[col]))
	case WindowTime:
		w := &b.windows[c.at].ColUInt32
		*w = padTo(*w, b.rows, uint32(b.fills[col]))
	}
}

// padTo appends a value up to a number of rows.
func padTo[S ~[]T, T any](s S, rows int, v T) S {
	if len(s) >= rows {
		return s
	}
	return appendTimes(s, v, rows-len(s))
}

// appendTimes appends a value a number of times.
func appendTimes[S ~[]T, T any](s S, v T, times int) S {
	if times == 1 {
		return append(s, v)
	}
	start := len(s)
	s = slices.Grow(s, times)[:start+times]
	for i := range s[start:] {
		s[start+i] = v
	}
	return s
}
