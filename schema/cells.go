package schema

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Cells gives the finished rows of a block from front to back, each with a function
// for the text of a column: amounts as decimals ("12.5"), times as milliseconds since
// 1970 in UTC, days as days since 1970, everything else as it is. A column that has its
// type's default value gives "", and so does one of type Dimensions. The function is
// valid until the next row.
//
// It is for the few rows that are put together with what others said of the same
// thing before they go into the warehouse; [Block.SetText] is the way back.
func (b *Block) Cells() iter.Seq2[int, func(col int) string] {
	return func(yield func(int, func(int) string) bool) {
		b.complete()
		rest := make([][]byte, len(b.strings)) // what is left of each column of strings
		row := make([][]byte, len(b.strings))
		for i := range b.strings {
			rest[i] = b.strings[i].buf
		}
		for i := range b.rows {
			for c := range rest {
				row[c] = nextString(&rest[c])
			}
			text := func(col int) string { return b.cellText(row, col, i) }
			if !yield(i, text) {
				return
			}
		}
	}
}

func (b *Block) cellText(row [][]byte, col, i int) string {
	number := func(v int64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(v, 10)
	}
	switch c := b.cells[col]; slot(c.typ) {
	case String:
		return string(row[c.at])
	case Word:
		return string(b.lowCards[c.at].row(i))
	case Decimal:
		u := b.decimals[c.at].ColDecimal128[i]
		v := Int128{Low: u.Low, High: int64(u.High)}
		if v.IsZero() {
			return ""
		}
		return string(v.AppendDecimal(nil))
	case Time:
		return number(b.times[c.at].ColInt64[i])
	case Date:
		return number(int64(b.dates[c.at].ColUInt16[i]))
	case Count:
		if v := b.counts[c.at][i]; v != 0 {
			return strconv.FormatUint(v, 10)
		}
	case Flag:
		return number(int64(b.flags[c.at][i]))
	case WindowTime:
		return number(int64(b.windows[c.at].ColUInt32[i]))
	}
	return ""
}

// SetText sets a column of the row in hand from text in the form of [Block.Cells]. It
// does nothing if the text is empty or the column has its value.
func (b *Block) SetText(col int, text string) error {
	if text == "" || b.IsSet(col) {
		return nil
	}
	c := b.cells[col]
	wrong := func(err error) error {
		return fmt.Errorf("column %s.%s cannot be %q: %w", b.table.Name, b.table.Columns[col].Name, text, err)
	}
	switch slot(c.typ) {
	case String, Word:
		b.SetBytes(col, []byte(text))
	case Decimal:
		v, err := ParseDecimal([]byte(text))
		if err != nil {
			return wrong(err)
		}
		b.SetDecimal(col, v)
	case Time:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return wrong(err)
		}
		b.SetTime(col, v)
	case Date:
		v, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return wrong(err)
		}
		b.SetDate(col, uint16(v))
	case Count, Flag, WindowTime:
		bits := map[Type]int{Count: 64, Flag: 8, WindowTime: 32}[slot(c.typ)]
		v, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			return wrong(err)
		}
		b.SetUint(col, v)
	default:
		return wrong(fmt.Errorf("its type %s has no text", strings.ToLower(c.typ.ClickHouse())))
	}
	return nil
}
