package normalize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"

	"syncd/schema"
)

// Chunk appends the rows of a chunk to block, in the way and with the callbacks of Page.
// Bind must have been called with the file's header. Each record is a row; an empty
// value is none. A record that cannot be read, or does not have as many values as the
// header, is a bad row. The Context's Mask is asked once for each column of the header.
func (n *Normalizer) Chunk(chunk *Chunk, c *Context, block *schema.Block, full func(*schema.Block) (*schema.Block, error), bad func(BadRow) error) (*schema.Block, Counts, error) {
	switch {
	case block.Table() != n.table:
		return block, Counts{}, fmt.Errorf("normalizing into a block of %s: the rows are of %s", block.Table().Name, n.table.Name)
	case !n.csv.bound:
		return block, Counts{}, errors.New("normalizing a chunk of a file whose header is not bound")
	}
	if err := n.begin(c, block, full, bad); err != nil {
		return block, Counts{}, err
	}
	if n.page.by >= 0 {
		if err := n.lacking([]int{n.page.by}); err != nil {
			return block, Counts{}, err
		}
	}
	n.csv.masked = false
	for i, name := range n.csv.header {
		n.csv.columns[i].mask = nil
		if c.Mask != nil {
			n.csv.columns[i].mask = c.Mask(name)
		}
		n.csv.masked = n.csv.masked || n.csv.columns[i].mask != nil
	}
	n.csv.reading = true
	err := n.chunk(chunk)
	n.csv.reading = false
	block, counts := n.end()
	return block, counts, err
}

// chunk goes over the records.
func (n *Normalizer) chunk(c *Chunk) error {
	valid := utf8.Valid(c.Data)
	lines := lineCounter{data: c.Data, line: c.Line}
	start := 0
	for i, end := range c.ends {
		start = skipBlankLines(c.Data, start)
		record := trimEnd(c.Data[start:end])
		if !valid && !utf8.Valid(record) {
			n.csv.valid = appendValid(n.csv.valid[:0], record)
			record = n.csv.valid
		}
		n.nextStamp()
		n.parent = n.stamp
		reason := n.readRecord(record, c.delim)
		if reason == nil {
			reason = n.fill(n.page.block)
		} else {
			n.page.block.CancelRow()
		}
		if reason != nil {
			n.page.counts.Bad++
			row := BadRow{Index: int(c.Record) + i, Line: lines.at(start), Reason: reason.Error(), Record: n.showRecord(record, c.delim)}
			if err := n.page.bad(row); err != nil {
				return err
			}
		} else if n.page.block.Rows() == schema.BlockRows {
			if err := n.passOn(); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// readRecord puts the values that are asked for into their slots and what nobody asked
// for into n.extra. The error says why the record makes no row.
func (n *Normalizer) readRecord(record []byte, delim byte) error {
	columns := n.csv.columns
	n.csv.text = n.csv.text[:0]
	// Every member brings its comma; the first one's becomes the opening bracket.
	extra := n.extra[:0]
	var fault error
	block := n.page.block
	k := 0
	for i := 0; i <= len(record); k++ {
		if k >= len(columns) {
			i = readCell(record, i, delim).next
			continue
		}
		column := &columns[k]
		var raw []byte
		if i < len(record) && record[i] == '"' || column.mask != nil {
			c := readCell(record, i, delim)
			i = c.next
			raw = n.cellText(c, column)
			if c.junk {
				fault = fmt.Errorf("%s: %s: text follows the closing quote", n.csv.header[k], quote(raw))
			}
		} else {
			end := bytes.IndexByte(record[i:], delim)
			if end < 0 {
				end = len(record) - i
			}
			raw = record[i : i+end]
			i += end + 1
		}
		switch {
		case column.direct >= 0:
			if len(raw) > 0 {
				block.SetBytes(column.direct, raw)
			}
		case column.slot >= 0:
			n.values[column.slot] = value{raw: raw, kind: text, stamp: n.stamp}
		case !column.keep:
		case n.spec.Plain:
			n.csv.kept[column.rank] = raw
		case len(raw) > 0:
			extra = append(extra, column.label...)
			extra = appendJSON(extra, raw)
		}
	}
	if k != len(columns) {
		return fmt.Errorf("it has %d fields, the header has %d", k, len(columns))
	}
	if len(extra) > 0 {
		extra[0] = '{'
	}
	n.extra = extra
	if n.spec.Plain {
		n.plainRecord()
	}
	return fault
}

// cellText gives a value without its doubled quotes and masked. It is good until the
// next record.
func (n *Normalizer) cellText(c cell, column *csvColumn) []byte {
	if !c.doubled && column.mask == nil || len(c.raw) == 0 {
		return c.raw
	}
	start := len(n.csv.text)
	raw := c.raw
	if c.doubled {
		n.csv.text = undouble(n.csv.text, raw)
		raw = n.csv.text[start:]
	}
	if column.mask != nil {
		start = len(n.csv.text)
		n.csv.text = column.mask(n.csv.text, raw)
	}
	return n.csv.text[start:]
}

// showRecord gives a bad record as an object of its values by the names of their
// columns. Where columns are masked and the number of values is not that of the header
// nobody knows which values to mask: then it shows their lengths only.
func (n *Normalizer) showRecord(record []byte, delim byte) []byte {
	n.csv.text = n.csv.text[:0]
	shown := make([]byte, 0, 2*len(record)+2)
	var unnamed csvColumn
	shifted := n.csv.masked && countCells(record, delim) != len(n.csv.columns)
	for i, k := 0, 0; i <= len(record); k++ {
		c := readCell(record, i, delim)
		i = c.next
		column := &unnamed
		if k < len(n.csv.columns) {
			column = &n.csv.columns[k]
		} else {
			unnamed.label = fmt.Appendf(unnamed.label[:0], `,"#%d":`, k+1)
		}
		shown = append(shown, column.label...)
		if shifted {
			shown = appendInt(shown, len(c.raw))
			continue
		}
		shown = appendJSON(shown, n.cellText(c, column))
	}
	shown[0] = '{'
	return append(shown, '}')
}

func countCells(record []byte, delim byte) (n int) {
	for i := 0; i <= len(record); n++ {
		i = readCell(record, i, delim).next
	}
	return n
}

func skipBlankLines(b []byte, i int) int {
	for i < len(b) {
		switch {
		case b[i] == '\n':
			i++
		case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
			i += 2
		default:
			return i
		}
	}
	return i
}

// appendValid appends text with U+FFFD for what is not UTF-8, as bytes.ToValidUTF8
// gives it.
func appendValid(dst, text []byte) []byte {
	broken := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if bad := r == utf8.RuneError && size == 1; !bad {
			dst = append(dst, text[i:i+size]...)
			broken = false
		} else if !broken {
			dst = utf8.AppendRune(dst, utf8.RuneError)
			broken = true
		}
		i += size
	}
	return dst
}

// lineCounter counts lines up to positions that grow.
type lineCounter struct {
	data []byte
	upTo int
	line int64
}

func (l *lineCounter) at(i int) int64 {
	l.line += int64(bytes.Count(l.data[l.upTo:i], []byte("\n")))
	l.upTo = i
	return l.line
}

// plainJSON gives the number of bytes that a JSON string can begin with as they stand.
func plainJSON(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		q, s := w^quotes, w^slashes
		if m := ((q-ones)&^q | (s-ones)&^s | (w-0x20*ones)&^w) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(text) && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}
