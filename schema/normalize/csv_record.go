package normalize

import "bytes"

// What a record is: values parted by the delimiter, up to the end of a line. A value
// that begins with a quote goes on to the next single one, whatever stands between; two
// quotes are one. In a value that begins otherwise quotes mean nothing.

// recordEnd gives the position behind the record at b[i] and the end of its line; -1
// if b ends first, and whether it does so inside of quotes.
func recordEnd(b []byte, i int, delim byte) (end int, open bool) {
	line := lineEnd(b, i)
	for at := i; at < line; {
		q := bytes.IndexByte(b[at:line], '"')
		if q < 0 {
			break
		}
		q += at
		if at = q + 1; q > i && b[q-1] != delim {
			continue
		}
		if at = closing(b, at); at < 0 {
			return -1, true
		}
		if at > line {
			line = lineEnd(b, at)
		}
	}
	if line == len(b) {
		return -1, false
	}
	return line + 1, false
}

// lineEnd gives where the line that b[i] is in ends: at its newline, or with b.
func lineEnd(b []byte, i int) int {
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(b)
}

// closing gives the position behind the quote that closes a value whose text begins at
// b[i]; -1 if there is none.
func closing(b []byte, i int) int {
	for {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1
		}
		if i += q + 1; i == len(b) || b[i] != '"' {
			return i
		}
		i++
	}
}

// trimEnd cuts the end of its line off a record.
func trimEnd(record []byte) []byte {
	if n := len(record); n > 0 && record[n-1] == '\n' {
		record = record[:n-1]
	}
	if n := len(record); n > 0 && record[n-1] == '\r' {
		record = record[:n-1]
	}
	return record
}

// cell is a value of a record.
type cell struct {
	raw     []byte // without its quotes
	next    int    // where the next value begins; behind the end of the record if it is the last
	doubled bool   // quotes in raw stand twice
	junk    bool   // something stands between its closing quote and the delimiter
}

// readCell reads the value at r[i] of a record without the end of its line.
func readCell(r []byte, i int, delim byte) cell {
	if i == len(r) || r[i] != '"' {
		end := i + bytes.IndexByte(r[i:], delim)
		if end < i {
			end = len(r)
		}
		return cell{raw: r[i:end], next: end + 1}
	}
	end := closing(r, i+1)
	if end < 0 {
		return cell{raw: r[i+1:], next: len(r) + 1, junk: true}
	}
	c := cell{raw: r[i+1 : end-1], next: end + 1}
	c.doubled = bytes.IndexByte(c.raw, '"') >= 0
	if end < len(r) && r[end] != delim {
		rest := bytes.IndexByte(r[end:], delim)
		if rest < 0 {
			rest = len(r) - end
		}
		c.raw, c.doubled, c.junk = r[i:end+rest], false, true
		c.next = end + rest + 1
	}
	return c
}

// undouble appends a value whose quotes stand twice.
func undouble(dst, raw []byte) []byte {
	for {
		q := bytes.IndexByte(raw, '"')
		if q < 0 || q+1 >= len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:q+1]...)
		raw = raw[q+2:]
	}
}
