package schema

import (
	"bufio"
	"encoding/binary"
	"io"
	"strconv"
	"time"
)

// Dump writes the finished rows of a block as text for people and golden files: of
// each row the columns that have other than their default value, one a line.
func Dump(w io.Writer, b *Block) error {
	b.complete()
	out := bufio.NewWriter(w)
	d := dumper{block: b, strings: make([][]byte, len(b.strings))}
	for i := range b.strings {
		d.strings[i] = b.strings[i].buf
	}
	if b.dimensions != nil {
		d.values = b.dimensions.values.buf
	}
	var line []byte
	for i := range b.rows {
		line = append(line[:0], b.table.Name...)
		line = append(line, " row "...)
		line = strconv.AppendInt(line, int64(i), 10)
		line = append(line, '\n')
		for col, c := range b.table.Columns {
			start := len(line)
			line = append(line, "  "...)
			line = append(line, c.Name...)
			line = append(line, ": "...)
			text, isDefault := d.appendCell(line, col, i)
			if line = append(text, '\n'); isDefault {
				line = line[:start]
			}
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// dumper reads the columns of strings from front to back.
type dumper struct {
	block   *Block
	strings [][]byte // what is left of each
	values  []byte   // what is left of the dimensions' values
}

func nextString(rest *[]byte) []byte {
	length, n := binary.Uvarint(*rest)
	v := (*rest)[n : n+int(length)]
	*rest = (*rest)[n+int(length):]
	return v
}

// appendCell appends the value of a column of row i, which comes after row i-1, and
// reports whether it is the column's default.
func (d *dumper) appendCell(dst []byte, col, i int) (text []byte, isDefault bool) {
	b := d.block
	switch c := b.cells[col]; slot(c.typ) {
	case String:
		v := nextString(&d.strings[c.at])
		return strconv.AppendQuote(dst, string(v)), len(v) == 0
	case Word:
		v := b.lowCards[c.at].row(i)
		return strconv.AppendQuote(dst, string(v)), len(v) == 0
	case Decimal:
		u := b.decimals[c.at].ColDecimal128[i]
		v := Int128{Low: u.Low, High: int64(u.High)}
		return v.AppendDecimal(dst), v.IsZero()
	case Time:
		v := b.times[c.at].ColInt64[i]
		return time.UnixMilli(v).UTC().AppendFormat(dst, "2006-01-02 15:04:05.999 MST"), v == 0
	case Date:
		v := b.dates[c.at].ColUInt16[i]
		return time.Unix(int64(v)*daySeconds, 0).UTC().AppendFormat(dst, time.DateOnly), v == 0
	case Count:
		v := b.counts[c.at][i]
		return strconv.AppendUint(dst, v, 10), v == 0
	case Flag:
		v := b.flags[c.at][i]
		return strconv.AppendUint(dst, uint64(v), 10), v == 0
	case WindowTime:
		v := b.windows[c.at].ColUInt32[i]
		return time.Unix(int64(v), 0).UTC().AppendFormat(dst, "2006-01-02 15:04:05 MST"), v == 0
	}
	return d.appendDimensions(dst, i)
}

func (d *dumper) appendDimensions(dst []byte, i int) (text []byte, isDefault bool) {
	c := d.block.dimensions
	from, to := uint64(0), c.offsets[i]
	if i > 0 {
		from = c.offsets[i-1]
	}
	dst = append(dst, '{')
	for at := from; at < to; at++ {
		if at > from {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendQuote(dst, string(c.names.row(int(at))))
		dst = append(dst, ": "...)
		dst = strconv.AppendQuote(dst, string(nextString(&d.values)))
	}
	return append(dst, '}'), from == to
}
