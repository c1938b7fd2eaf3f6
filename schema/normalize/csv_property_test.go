package normalize

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

// recordsSpec takes columns id, b, c and d of a file to columns of text.
func recordsSpec() Spec {
	return fileSpec(map[string]Field{"name": {From: Paths{"b"}}, "description": {From: Paths{"c"}}, "kind": {From: Paths{"d"}}})
}

// textRow is what a record of columns id, b, c, d becomes in a dump.
func textRow(record []string) string {
	var b strings.Builder
	for i, name := range []string{"id", "kind", "name", "description"} {
		value := record[[]int{0, 3, 1, 2}[i]]
		if value != "" {
			fmt.Fprintf(&b, "%s: %q\n", name, value)
		}
	}
	return b.String()
}

// loadedRows are the rows of a file in the form of textRow.
func loadedRows(t *testing.T, r io.Reader, delimiter string, size int) (rows, bad []string) {
	t.Helper()
	spec := recordsSpec()
	var row strings.Builder
	flush := func() {
		if row.Len() > 0 {
			rows = append(rows, row.String())
			row.Reset()
		}
	}
	for line := range strings.Lines(loadFile(t, spec, &Context{}, r, delimiter, size)) {
		line = strings.TrimSpace(line)
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "id":
			flush()
			row.WriteString(line + "\n")
		case "kind", "name", "description", "extra":
			row.WriteString(line + "\n")
		}
		if strings.HasPrefix(line, "bad record") {
			bad = append(bad, line)
		}
	}
	flush()
	return rows, bad
}

// A file loads as the same rows however it is written and however it arrives.
func TestFilesLoadHoweverTheyAreWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	pieces := []string{"a", "word", "é", "😀", " ", "\t", ",", ";", "|", "\"", "\"\"", "\n", "\n\n", "'", "\\", "x,y", "0", "{", "<", strings.Repeat("long ", 40)}
	value := func() string {
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	for round := range 400 {
		delimiter := string(delimiters[random.IntN(len(delimiters))])
		ends := []string{"\n", "\r\n"}[random.IntN(2)]
		var file strings.Builder
		if random.IntN(2) == 0 {
			file.WriteString("\uFEFF")
		}
		quoteAll := random.IntN(4)
		write := func(record []string) {
			for i, v := range record {
				if i > 0 {
					file.WriteString(delimiter)
				}
				// A value must be quoted if it could be taken for something else; others
				// may be.
				must := strings.HasPrefix(v, `"`) || strings.ContainsAny(v, delimiter+"\r\n")
				if must || quoteAll == 0 || quoteAll == 1 && random.IntN(2) == 0 {
					v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
				}
				file.WriteString(v)
			}
			file.WriteString(ends)
			if random.IntN(10) == 0 {
				file.WriteString(ends)
			}
		}
		write([]string{"id", "b", "c", "d"})
		var want []string
		for i := range random.IntN(30) {
			record := []string{fmt.Sprint(i), value(), value(), value()}
			write(record)
			want = append(want, textRow(record))
		}
		text := file.String()
		if random.IntN(3) == 0 {
			text = strings.TrimRight(text, "\r\n")
		}
		if random.IntN(4) == 0 {
			text = zipped(text)
		}
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(iotest.HalfReader(strings.NewReader(text)))} {
			for _, size := range []int{1, 1 + random.IntN(300), chunkSize} {
				given := delimiter
				if random.IntN(2) == 0 {
					given = "" // the header has no other
				}
				got, bad := loadedRows(t, r, given, size)
				if len(bad) > 0 {
					t.Fatalf("round %d, chunks of %d: %v of\n%q", round, size, bad, text)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("round %d, chunks of %d, rows of\n%q\n%s", round, size, text, diff)
				}
				if _, ok := r.(*strings.Reader); !ok {
					break // it has been read
				}
				_, _ = r.(*strings.Reader).Seek(0, io.SeekStart)
			}
		}
	}
}

// Whatever the standard library writes is read.
func TestWhatEncodingCSVWritesIsRead(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	for range 100 {
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.UseCRLF = random.IntN(2) == 0
		_ = w.Write([]string{"id", "b", "c", "d"})
		var want []string
		for i := range 20 {
			record := []string{fmt.Sprint(i), "", "", ""}
			for k := range 3 {
				for range random.IntN(6) {
					record[k+1] += string("ab,\"\n \\é\t"[random.IntN(8)])
				}
				record[k+1] = strings.ToValidUTF8(record[k+1], "")
			}
			_ = w.Write(record)
			if w.UseCRLF { // it makes CRLF of line ends in values too
				for k := range record {
					record[k] = strings.ReplaceAll(record[k], "\n", "\r\n")
				}
			}
			want = append(want, textRow(record))
		}
		w.Flush()
		got, bad := loadedRows(t, &file, "", 1+random.IntN(100))
		if diff := cmp.Diff(want, got); diff != "" || len(bad) > 0 {
			t.Fatal(diff, bad)
		}
	}
}

// Nothing panics, a file makes the same rows in chunks of any size, and where the
// standard library takes a file it has the same records. (That one makes LF of CRLF in
// quotes, and takes text behind a closing quote only if quotes are lax.)
func FuzzCSV(f *testing.F) {
	for _, file := range []string{
		"id,b,c,d\n1,2,3,4\n", "id;b;c;d\r\n1;\"x;\"\"y\"\r\n\r\n2;;;\r\n", "\uFEFFid,b,c,d\n\"1\n\",\"\",,\"\n", "id\n\xff\n\"a\"b\n\"",
		"id,b,c,d\n1,a\"b\"\"c,\"\"\"\",\r\r\n", "a,a,id\n1,2,3\n\"\"\"\"\"", "id\r\n\r\r\n\n1", zipped("id,b\n1,2\n"), "id,b,c,d\n1,,,\"\r",
	} {
		f.Add([]byte(file), uint8(16))
	}
	spec := recordsSpec()
	spec.Columns["id"] = Field{From: Paths{"id"}, Default: "?"}
	n := mustCompile(f, spec)
	f.Fuzz(func(t *testing.T, file []byte, size uint8) {
		load := func(size int) (dump string, records [][]string, err error) {
			file, err := openCSV(bytes.NewReader(file), ",", size, 1<<16)
			if err != nil {
				return "", nil, err
			}
			if err := n.Bind(file.Header()); err != nil {
				return "", nil, err
			}
			block := schema.NewBlock(n.Table())
			var c Chunk
			var out bytes.Buffer
			index := 0
			for {
				if err = file.Next(&c); err != nil {
					break
				}
				var counts Counts
				if block, counts, err = n.Chunk(&c, &Context{}, block, reuse, func(r BadRow) error {
					if r.Reason == "" || Valid(r.Record) != nil || r.Line < 2 || r.Index < index {
						t.Errorf("bad row %v %s", r, r.Record)
					}
					index = r.Index + 1
					fmt.Fprintf(&out, "%d %d %s %s\n", r.Index, r.Line, r.Reason, r.Record)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if counts.Rows+counts.Bad != c.Records() {
					t.Errorf("%v of %d records", counts, c.Records())
				}
				for start, i := 0, 0; i < len(c.ends); i++ {
					record := trimEnd(c.Data[skipBlankLines(c.Data, start):c.ends[i]])
					records = append(records, splitRecord(record))
					start = c.ends[i]
				}
			}
			checkExtra(t, block)
			if dumped := schema.Dump(&out, block); dumped != nil {
				t.Fatal(dumped)
			}
			if err == io.EOF {
				err = nil
			}
			return out.String(), records, err
		}
		whole, records, err := load(chunkSize)
		small, _, smallErr := load(int(size) + 1)
		if (err == nil) != (smallErr == nil) || err == nil && whole != small {
			t.Errorf("in chunks of %d bytes:\n%s%v\nas a whole:\n%s%v", int(size)+1, small, smallErr, whole, err)
		}
		if err != nil || len(file) == 0 || file[0] == 0x1f {
			return
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, byteOrderMark)))
		r.FieldsPerRecord = -1
		theirs, err := r.ReadAll()
		if err != nil || len(theirs) == 0 || strings.TrimSpace(strings.Join(theirs[0], ",")) == "" {
			return // a line of space is a header there, and nothing here
		}
		for _, record := range records {
			for i, v := range record {
				record[i] = strings.ReplaceAll(v, "\r\n", "\n")
			}
		}
		if !slices.EqualFunc(theirs[1:], records, slices.Equal) {
			t.Errorf("got %q, want %q", records, theirs[1:])
		}
	})
}

func splitRecord(record []byte) (values []string) {
	for i := 0; i <= len(record); {
		c := readCell(record, i, ',')
		i = c.next
		v := c.raw
		if c.doubled {
			v = undouble(nil, v)
		}
		values = append(values, string(v))
	}
	return values
}
