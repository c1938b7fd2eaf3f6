package normalize

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Errors of files; what is wrong with single records are bad rows.
var (
	// ErrEmptyFile is for a file without even a header: no rows, and nothing wrong.
	ErrEmptyFile = errors.New("the file is empty")
	// ErrNotTable is for something else than a table: an error page, JSON, a workbook.
	ErrNotTable = errors.New("the file is not a table of text")
	// ErrTorn is for a file that ends inside of a quoted value: the rest is missing.
	ErrTorn = errors.New("the file ends inside of a quoted value")
	// ErrLongRecord is for a record longer than 16 MiB: mostly a quote that nothing
	// closes, which makes one value of the rest of the file.
	ErrLongRecord = errors.New("a record is too long")
)

const (
	// chunkSize is how much of a file is handed out at a time: some 1,800 clicks, less
	// than a block takes, and as much as a core's cache holds beside the block.
	chunkSize = 1 << 20
	// recordLimit bounds the memory for a record. Values of more than a few KiB do not
	// occur in the reports of networks.
	recordLimit = 16 << 20
)

// CSV reads a file of records with a header (RFC 4180, LF or CRLF) in chunks of whole
// records, which several Normalizers may read at the same time. It is not safe for
// concurrent use itself.
type CSV struct {
	r      io.Reader
	delim  byte
	header []string

	size, limit int    // chunkSize and recordLimit
	rest        []byte // the beginning of a record that is not whole yet
	line        int64  // of rest
	record      int64
	ended       bool  // r gives no more
	err         error // what Next gives from now on
}

// Chunk is a number of whole records. Its memory is used again by the next call of
// CSV.Next with it; a zero Chunk is ready to use.
type Chunk struct {
	// Data are the records as they stand in the file.
	Data []byte
	// Line is the line of the file that Data begins with, counted from 1.
	Line int64
	// Record is the number of the first record in the file, counted from 0 behind the
	// header.
	Record int64

	delim byte
	ends  []int // where each record ends in Data, with the end of its line
}

// Records is the number of records.
func (c *Chunk) Records() int { return len(c.ends) }

// OpenCSV reads the beginning of a file: whether it is compressed (gzip), its byte
// order mark and its header. The delimiter is one byte or "\t"; if it is empty, the one
// of comma, semicolon, tab and bar that the header has most of. The error is, or wraps,
// ErrEmptyFile for a file without a header and ErrNotTable for what is none.
func OpenCSV(r io.Reader, delimiter string) (*CSV, error) {
	return openCSV(r, delimiter, chunkSize, recordLimit)
}

func openCSV(r io.Reader, delimiter string, size, limit int) (*CSV, error) {
	f := &CSV{size: size, limit: limit, line: 1}
	if err := f.setDelimiter(delimiter); err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(r, 64<<10)
	f.r = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpacking the file: %w", err)
		}
		f.r = unzipped
	}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	return f, nil
}

// Header gives the names of the columns as the file has them, without the space around
// them.
func (f *CSV) Header() []string { return slices.Clone(f.header) }

func (f *CSV) setDelimiter(delimiter string) error {
	if delimiter == `\t` {
		delimiter = "\t"
	}
	if delimiter == "" {
		return nil
	}
	f.delim = delimiter[0]
	if len(delimiter) > 1 || f.delim >= 0x80 || strings.Contains("\"\r\n", delimiter) {
		return fmt.Errorf("delimiter %q is not one byte that can part values", delimiter)
	}
	return nil
}

// delimiters are those that are looked for, in the order in which equals win.
const delimiters = ",;\t|"

// detect gives the delimiter that a header has most of outside of quotes.
func detect(header []byte) byte {
	var counts [len(delimiters)]int
	quoted := false
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		} else if i := strings.IndexByte(delimiters, c); i >= 0 && !quoted {
			counts[i]++
		}
	}
	most := 0
	for i, n := range counts {
		if n > counts[most] {
			most = i
		}
	}
	return delimiters[most]
}

// readHeader reads up to the end of the first record that is not a blank line.
func (f *CSV) readHeader() error {
	var b []byte
	for {
		var err error
		if b, err = f.more(b); err != nil {
			return err
		}
		at, line, err := f.skipPreamble(b)
		if err != nil {
			return err
		}
		if at == len(b) {
			if f.ended {
				return ErrEmptyFile
			}
			continue
		}
		delim := f.delim
		if delim == 0 {
			// A newline inside of a quoted name would cut the header here; that only
			// changes which delimiters are counted.
			first, _, _ := bytes.Cut(b[at:], []byte("\n"))
			delim = detect(first)
		}
		end, open := recordEnd(b, at, delim)
		if end < 0 && !f.ended {
			continue
		}
		if open {
			return fmt.Errorf("the header on line %d: %w", line, ErrTorn)
		}
		if end < 0 {
			end = len(b)
		}
		f.delim = delim
		f.setHeader(b[at:end])
		f.line = line + int64(bytes.Count(b[at:end], []byte("\n")))
		f.rest = b[end:]
		return nil
	}
}

var byteOrderMark = []byte("\uFEFF")

// skipPreamble gives where the header begins, and its line; len(b) if b has nothing
// yet.
func (f *CSV) skipPreamble(b []byte) (at int, line int64, err error) {
	if len(b) < len(byteOrderMark) && !f.ended {
		return len(b), 1, nil
	}
	line = 1
	if bytes.HasPrefix(b, byteOrderMark) {
		at = len(byteOrderMark)
	}
	for at < len(b) && (isSpace(b[at]) && b[at] != f.delim && b[at] != '\t') {
		if b[at] == '\n' {
			line++
		}
		at++
	}
	if at == len(b) {
		return at, line, nil
	}
	switch c := b[at]; {
	case c == '<':
		return 0, 0, fmt.Errorf("%w: it begins with <, as HTML and XML do", ErrNotTable)
	case c == '{' || c == '[':
		return 0, 0, fmt.Errorf("%w: it begins with %c, as JSON does", ErrNotTable, c)
	case bytes.HasPrefix(b[at:], []byte("PK\x03\x04")):
		return 0, 0, fmt.Errorf("%w: it is a ZIP archive or a workbook", ErrNotTable)
	case bytes.HasPrefix(b[at:], []byte("\xff\xfe")) || bytes.HasPrefix(b[at:], []byte("\xfe\xff")):
		return 0, 0, fmt.Errorf("%w in UTF-8: it is UTF-16", ErrNotTable)
	}
	return at, line, nil
}

func (f *CSV) setHeader(record []byte) {
	record = bytes.ToValidUTF8(trimEnd(record), []byte("\uFFFD"))
	for i := 0; i <= len(record); {
		c := readCell(record, i, f.delim)
		name := c.raw
		if c.doubled {
			name = undouble(nil, name)
		}
		f.header = append(f.header, string(bytes.TrimSpace(name)))
		i = c.next
	}
}

// more reads once more into b, which it enlarges if it is full.
func (f *CSV) more(b []byte) ([]byte, error) {
	if len(b) == cap(b) {
		if len(b) >= f.limit {
			return b, fmt.Errorf("line %d: %w, more than %d bytes: most likely a quote that nothing closes", f.line, ErrLongRecord, f.limit)
		}
		b = slices.Grow(b, min(max(len(b), f.size), f.limit-len(b)))
		b = b[:len(b):min(cap(b), f.limit)]
	}
	for range 100 { // as in package bufio: a reader that gives nothing this often is broken
		n, err := f.r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			f.ended = true
			return b, nil
		}
		if err != nil {
			return b, fmt.Errorf("reading the file behind line %d: %w", f.line, err)
		}
		if n > 0 {
			return b, nil
		}
	}
	return b, fmt.Errorf("reading the file behind line %d: %w", f.line, io.ErrNoProgress)
}

// Next fills c with the next records, io.EOF behind the last. The error is, or wraps,
// ErrTorn or ErrLongRecord where the file does not go on as records; what was handed
// out before it is whole.
func (f *CSV) Next(c *Chunk) error {
	c.Data, c.ends = c.Data[:0], c.ends[:0]
	c.Line, c.Record, c.delim = f.line, f.record, f.delim
	if f.err != nil {
		return f.err
	}
	if cap(c.Data) < f.size {
		c.Data = make([]byte, 0, f.size)
	}
	b := append(c.Data, f.rest...)
	f.rest = f.rest[:0]
	at := 0 // the end of the last whole record
	open := false
	for {
		for len(b) < cap(b) && !f.ended {
			if b, f.err = f.more(b); f.err != nil {
				return f.err
			}
		}
		for at < len(b) {
			var end int
			if end, open = recordEnd(b, at, f.delim); end < 0 {
				break
			}
			if len(trimEnd(b[at:end])) > 0 { // else it is a blank line
				c.ends = append(c.ends, end)
			}
			at = end
		}
		if f.ended && at < len(b) && !open {
			// The last line has no end of its own.
			if len(trimEnd(b[at:])) > 0 {
				c.ends = append(c.ends, len(b))
			}
			at = len(b)
		}
		if len(c.ends) > 0 || f.ended {
			break
		}
		if at > 0 { // nothing but blank lines so far
			c.Line += int64(bytes.Count(b[:at], []byte("\n")))
			b = append(b[:0], b[at:]...)
			at = 0
			continue
		}
		if b, f.err = f.more(b); f.err != nil {
			return f.err
		}
	}
	c.Data = b[:at]
	f.rest = append(f.rest, b[at:]...)
	f.line = c.Line + int64(bytes.Count(c.Data, []byte("\n")))
	f.record += int64(len(c.ends))
	if len(c.ends) > 0 {
		return nil
	}
	if f.err = io.EOF; open && len(f.rest) > 0 {
		f.err = fmt.Errorf("line %d: %w: get it once more", f.line, ErrTorn)
	}
	return f.err
}
