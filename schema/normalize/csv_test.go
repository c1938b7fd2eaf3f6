package normalize

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

// fileSpec compiles a spec of files of table entities with columns over an id.
func fileSpec(columns map[string]Field) Spec {
	spec := entity(columns)
	spec.Format = FormatCSV
	return spec
}

// loadFile gives the rows of a file as rows gives those of an answer, bad rows as their
// line, number and reason. Chunks have size bytes, or one record.
func loadFile(t *testing.T, spec Spec, c *Context, r io.Reader, delimiter string, size int) string {
	t.Helper()
	var out bytes.Buffer
	n := mustCompile(t, spec)
	f, err := openCSV(r, delimiter, size, recordLimit)
	if err == nil {
		err = n.Bind(f.Header())
	}
	if err != nil {
		return err.Error()
	}
	block := schema.NewBlock(n.Table())
	var chunk Chunk
	for {
		if err := f.Next(&chunk); err != nil {
			if err != io.EOF {
				fmt.Fprintf(&out, "%v\n", err)
			}
			break
		}
		block, _, err = n.Chunk(&chunk, c, block, reuse, func(r BadRow) error {
			fmt.Fprintf(&out, "bad record %d on line %d: %s\n%s\n", r.Index, r.Line, r.Reason, r.Record)
			return nil
		})
		if err != nil {
			return err.Error()
		}
	}
	if err := schema.Dump(&out, block); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// fileRows is loadFile without the columns of the context.
func fileRows(t *testing.T, spec Spec, c *Context, file string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(loadFile(t, spec, c, strings.NewReader(file), ",", chunkSize)) {
		line = strings.TrimSpace(line)
		switch name, _, _ := strings.Cut(line, ":"); {
		case name == "network" || name == "account" || name == "stream" || strings.HasPrefix(name, "_"):
		case strings.Contains(line, " row ") || line == "":
		default:
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestOpenCSV(t *testing.T) {
	for _, test := range []struct {
		name, delimiter, file string
		want                  string // the header, its names parted by bars
		err                   error
	}{
		{"plain", ",", "a,b\n1,2\n", "a|b", nil},
		{"without a line end", "", "a,b", "a|b", nil},
		{"CRLF", "", "a,b\r\n", "a|b", nil},
		{"a byte order mark", "", "\uFEFFa,b\n", "a|b", nil},
		{"a byte order mark before quotes", "", "\uFEFF\"a\",b\n", "a|b", nil},
		{"blank lines before it", "", "\r\n\n a,b\n", "a|b", nil},
		{"space around names", "", " a , b \n", "a|b", nil},
		{"quoted names", "", "\"a,\"\"x\"\"\",b\n", `a,"x"|b`, nil},
		{"a name with a line end", "", "\"a\nx\",b\n", "a\nx|b", nil},
		{"a name of nothing at the end", "", "a,b,\n", "a|b|", nil},
		{"semicolons found", "", "a;b;c,d\n", "a|b|c,d", nil},
		{"tabs found", "", "a\tb\n", "a|b", nil},
		{"bars found", "", "x|y\n", "x|y", nil},
		{"commas in quotes are not counted", "", "\"a,b,c\";d\n", "a,b,c|d", nil},
		{"one column", "", "a\n", "a", nil},
		{"a delimiter given", ";", "a;b,c,d\n", "a|b,c,d", nil},
		{"a tab given by its letters", `\t`, "a\tb\n", "a|b", nil},
		{"a tab given, and nothing before it", "\t", "\tb\n", "|b", nil},
		{"gzip", "", zipped("a,b\n1,2\n"), "a|b", nil},
		{"not UTF-8", "", "a\xff,b\n", "a\uFFFD|b", nil},

		{"nothing", "", "", "", ErrEmptyFile},
		{"gzip of nothing", "", zipped(""), "", ErrEmptyFile},
		{"blank lines only", "", "\uFEFF\r\n\n", "", ErrEmptyFile},
		{"HTML", "", "<!DOCTYPE html>\n<html>", "", ErrNotTable},
		{"XML after space", ",", "\n <?xml version=\"1.0\"?>", "", ErrNotTable},
		{"gzip of HTML", "", zipped("<html>"), "", ErrNotTable},
		{"JSON", "", `{"error":"no such export"}`, "", ErrNotTable},
		{"a workbook", "", "PK\x03\x04\n", "", ErrNotTable},
		{"UTF-16", "", "\xff\xfea\x00", "", ErrNotTable},
		{"a quote that stays open", "", "\"a,b\nc\n", "", ErrTorn},
		{"gzip that is torn", "", zipped("a,b\n1,2\n")[:14], "", io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(test.file), iotest.OneByteReader(strings.NewReader(test.file)), iotest.DataErrReader(strings.NewReader(test.file))} {
				f, err := OpenCSV(r, test.delimiter)
				if !errors.Is(err, test.err) || err == nil && test.err != nil {
					t.Fatalf("got %v, want %v", err, test.err)
				}
				if err != nil {
					continue
				}
				if got := strings.Join(f.Header(), "|"); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
		})
	}
	for _, delimiter := range []string{",,", `"`, "\n", "é"} {
		if _, err := OpenCSV(strings.NewReader("a"), delimiter); err == nil || !strings.Contains(err.Error(), "is not one byte") {
			t.Errorf("delimiter %q: %v", delimiter, err)
		}
	}
}

func TestChunksHoldWholeRecordsAndTheirPlaces(t *testing.T) {
	file := "a,b\n1,x\n\n\r\n2,\"y\n\n\"\"y\"\n3,z\"\n4,\"long, longer, longest\"\n\n5,\n"
	type place struct {
		Data          string
		Line, Record  int64
		RecordsInside int
	}
	read := func(r io.Reader, size int) (places []place) {
		f, err := openCSV(r, ",", size, recordLimit)
		if err != nil {
			t.Fatal(err)
		}
		var c Chunk
		for {
			if err := f.Next(&c); err == io.EOF {
				return places
			} else if err != nil {
				t.Fatal(err)
			}
			data := strings.TrimLeft(string(c.Data), "\r\n")
			blank := strings.Count(string(c.Data), "\n") - strings.Count(data, "\n")
			places = append(places, place{data, c.Line + int64(blank), c.Record, c.Records()})
		}
	}
	whole := read(strings.NewReader(file), chunkSize)
	if diff := cmp.Diff([]place{{file[4:], 2, 0, 5}}, whole); diff != "" {
		t.Error(diff)
	}
	for size := 1; size < 60; size++ {
		for _, r := range []io.Reader{strings.NewReader(file), iotest.OneByteReader(strings.NewReader(file)), iotest.HalfReader(strings.NewReader(file))} {
			records := int64(0)
			for _, c := range read(r, size) {
				if c.Record != records {
					t.Errorf("size %d: a chunk begins with record %d, not %d", size, c.Record, records)
				}
				records += int64(c.RecordsInside)
				at := strings.Index(file, c.Data)
				if at < 0 || c.Line != 1+int64(strings.Count(file[:at], "\n")) {
					t.Errorf("size %d: chunk %q is said to be on line %d", size, c.Data, c.Line)
				}
			}
			if records != 5 {
				t.Errorf("size %d: %d records", size, records)
			}
		}
	}
}

func TestNextRefusesWhatIsNotWhole(t *testing.T) {
	boom := errors.New("connection reset")
	for _, test := range []struct {
		name    string
		r       io.Reader
		records int
		want    error
		says    string
	}{
		{"a quote that stays open", strings.NewReader("a,b\n1,2\n3,\"x\n4,5\n"), 1, ErrTorn, "line 3"},
		{"a quote that stays open in the first record", strings.NewReader("a,b\n1,\"2\n3,x\n"), 0, ErrTorn, "line 2"},
		{"a record that is too long", strings.NewReader("a,b\n1,2\n3,\"" + strings.Repeat("x,\n", 100)), 1, ErrLongRecord, "line 3"},
		{"a reader that fails", io.MultiReader(strings.NewReader("a,b\n1,2\n"), iotest.ErrReader(boom)), 0, boom, "behind line 2"},
		{"gzip that is torn", strings.NewReader(zipped("a,b\n" + strings.Repeat("1,2\n", 10))[:25]), 0, io.ErrUnexpectedEOF, ""},
		{"a reader that gives nothing", io.MultiReader(strings.NewReader("a,b\n"), nothing{}), 0, io.ErrNoProgress, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := openCSV(test.r, ",", 64, 128)
			records := 0
			var c Chunk
			for err == nil {
				if err = f.Next(&c); err == nil {
					records += c.Records()
				}
			}
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || records != test.records {
				t.Errorf("got %v after %d records, want %v (%s) after %d", err, records, test.want, test.says, test.records)
			}
			if f != nil {
				if again := f.Next(&c); again != err || c.Records() != 0 {
					t.Errorf("then %v and %d records", again, c.Records())
				}
			}
		})
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestRecords(t *testing.T) {
	spec := fileSpec(map[string]Field{"name": {From: Paths{"name"}}, "amount": {From: Paths{"amount"}}})
	for _, test := range []struct {
		name, file string // behind the header id,name,amount,other
		want       string
	}{
		{"values as they stand", "1, x ,2.50,y", "id: \"1\"\nname: \" x \"\namount: 2.5\nextra: \"{\\\"other\\\":\\\"y\\\"}\""},
		{"empty values are none", `1,"",,""`, `id: "1"`},
		{"blank lines are none", "\n\r\n1,,,\n\n\r\n2,,,\n", "id: \"1\"\nid: \"2\""},
		{"quotes protect delimiters, line ends and quotes", "1,\"a,\r\n\"\"b\"\"\",3,\"x\ny\"", "id: \"1\"\nname: \"a,\\r\\n\\\"b\\\"\"\namount: 3\nextra: \"{\\\"other\\\":\\\"x\\\\ny\\\"}\""},
		{"a quote inside of a value means nothing", "1,5\" screen \"big\",,", "id: \"1\"\nname: \"5\\\" screen \\\"big\\\"\""},
		{"a quote behind space means nothing", `1, "x" ,,`, `id: "1"` + "\n" + `name: " \"x\" "`},
		{"a lone carriage return is text", "1,a\rb,,", "id: \"1\"\nname: \"a\\rb\""},
		{"all that JSON escapes is escaped in extra", "1,,,\"\x00\t\"\"\\/é\x7f\"", `id: "1"` + "\n" + `extra: "{\"other\":\"\\u0000\\t\\\"\\\\/é` + "\\x7f" + `\"}"`},
		{"arrays are text", `1,"['a','b']",,"[""a""]"`, `id: "1"` + "\n" + `name: "['a','b']"` + "\n" + `extra: "{\"other\":\"[\\\"a\\\"]\"}"`},
		{"amounts are exact", "1,,1.1399999994,\n2,,185000000,\n3,,-3.5,\n4,,\" 1e3 \",", "id: \"1\"\namount: 1.1399999994\nid: \"2\"\namount: 185000000\nid: \"3\"\namount: -3.5\nid: \"4\"\namount: 1000"},
		{"what is not UTF-8 is replaced", "1,a\xff\xfeb,,\xc3\n2,é,,", "id: \"1\"\nname: \"a�b\"\nextra: \"{\\\"other\\\":\\\"�\\\"}\"\nid: \"2\"\nname: \"é\""},

		{"too few values are bad", "1,x\n2,,,", "bad record 0 on line 2: it has 2 fields, the header has 4\n{\"id\":\"1\",\"name\":\"x\"}\nid: \"2\""},
		{"too many values are bad", "1,x,2,y,z,\n2,,,", "bad record 0 on line 2: it has 6 fields, the header has 4\n{\"id\":\"1\",\"name\":\"x\",\"amount\":\"2\",\"other\":\"y\",\"#5\":\"z\",\"#6\":\"\"}\nid: \"2\""},
		{"text behind a closing quote is bad", "1,\"x\"y\"z,2,3\n2,,,", "bad record 0 on line 2: name: \"\\\"x\\\"y\\\"z\": text follows the closing quote\n{\"id\":\"1\",\"name\":\"\\\"x\\\"y\\\"z\",\"amount\":\"2\",\"other\":\"3\"}\nid: \"2\""},
		{"text behind the last closing quote is bad", "1,,,\"x\"y\n2,,,", "bad record 0 on line 2: other: \"\\\"x\\\"y\": text follows the closing quote\n{\"id\":\"1\",\"name\":\"\",\"amount\":\"\",\"other\":\"\\\"x\\\"y\"}\nid: \"2\""},
		{"an amount that is none is bad", "1,x,many,y\n2,,,", "bad record 0 on line 2: amount: \"many\": not a decimal number\n{\"id\":\"1\",\"name\":\"x\",\"amount\":\"many\",\"other\":\"y\"}\nid: \"2\""},
		{"a record without its key is bad", ",x,,\n2,,,", "bad record 0 on line 2: id has no value (from id)\n{\"id\":\"\",\"name\":\"x\",\"amount\":\"\",\"other\":\"\"}\nid: \"2\""},
		{"bad records have their own lines", "1,\"a\n\n\",,\n\n2\n3,,,\n4\n", "bad record 1 on line 6: it has 1 fields, the header has 4\n{\"id\":\"2\"}\nbad record 3 on line 8: it has 1 fields, the header has 4\n{\"id\":\"4\"}\nid: \"1\"\nname: \"a\\n\\n\"\nid: \"3\""},
		{"a quote that stays open ends the file", "1,,,\n2,\"x,,\n", "line 3: the file ends inside of a quoted value: get it once more\nid: \"1\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, fileRows(t, spec, &Context{}, "id,name,amount,other\n"+test.file)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMasksComeBeforeAnythingElse(t *testing.T) {
	spec := fileSpec(map[string]Field{"name": {From: Paths{"ip"}}, "kind": {From: Paths{"k"}, Map: map[string]string{"<K>": "masked"}}, "amount": {From: Paths{"n"}}})
	asked := map[string]int{}
	c := &Context{Mask: func(column string) func(dst, value []byte) []byte {
		asked[column]++
		if column == "id" {
			return nil
		}
		return func(dst, value []byte) []byte {
			return append(append(append(dst, '<'), bytes.ToUpper(value)...), '>')
		}
	}}
	got := fileRows(t, spec, c, "id,ip,k,n,mail,mail\n1,\"a\"\"b\",k,,x@y,\n2,,,7,,\n3,ip,,,mail,\"m\"x,too,many\n4,,,,,\"m\"x\n")
	want := `bad record 1 on line 3: amount: "<7>": not a decimal number
{"id":"2","ip":"","k":"","n":"<7>","mail":"","mail#6":""}
bad record 2 on line 4: it has 8 fields, the header has 6
{"id":1,"ip":2,"k":0,"n":0,"mail":4,"mail#6":4,"#7":3,"#8":4}
bad record 3 on line 5: mail: "<\"M\"X>": text follows the closing quote
{"id":"4","ip":"","k":"","n":"","mail":"","mail#6":"<\"M\"X>"}
id: "1"
kind: "masked"
name: "<A\"B>"
extra: "{\"mail\":\"<X@Y>\"}"`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"id": 1, "ip": 1, "k": 1, "n": 1, "mail": 2}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestFullBlocksOfFilesArePassedOn(t *testing.T) {
	file := clickFile(2*schema.BlockRows + 5)
	n := mustCompile(t, clickSpec())
	f, err := OpenCSV(bytes.NewReader(file), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Bind(f.Header()); err != nil {
		t.Fatal(err)
	}
	var passed []int
	var total Counts
	block, c := schema.NewBlock(n.Table()), Chunk{}
	for f.Next(&c) == nil {
		var counts Counts
		block, counts, err = n.Chunk(&c, clickContext(), block, func(b *schema.Block) (*schema.Block, error) {
			passed = append(passed, b.Rows())
			return reuse(b)
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		total.Rows += counts.Rows
	}
	if diff := cmp.Diff([]int{schema.BlockRows, schema.BlockRows}, passed); diff != "" || block.Rows() != 5 || total.Rows != 2*schema.BlockRows+5 {
		t.Errorf("%d rows in the last block of %d rows: %s", block.Rows(), total.Rows, diff)
	}
	stop := errors.New("quarantine is full")
	f, _ = OpenCSV(strings.NewReader(strings.Join(clickColumns, ",")+"\n1\n2\n"), "")
	_ = f.Next(&c)
	if _, counts, err := n.Chunk(&c, clickContext(), block, reuse, func(BadRow) error { return stop }); !errors.Is(err, stop) || counts.Bad != 1 {
		t.Errorf("got %v after %d bad rows", err, counts.Bad)
	}
}

func TestClonesReadAFileAtTheSameTime(t *testing.T) {
	const clicks = 12_000
	f, err := openCSV(strings.NewReader(zipped(string(clickFile(clicks)))), ",", 64<<10, recordLimit)
	if err != nil {
		t.Fatal(err)
	}
	n := mustCompile(t, clickSpec())
	if err := n.Bind(f.Header()); err != nil {
		t.Fatal(err)
	}
	full, empty := make(chan *Chunk, 3), make(chan *Chunk, 3)
	for range 3 {
		empty <- &Chunk{}
	}
	var rows atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		n := n.Clone()
		workers.Go(func() {
			block := schema.NewBlock(n.Table())
			for c := range full {
				var counts Counts
				var err error
				if block, counts, err = n.Chunk(c, clickContext(), block, reuse, nil); err != nil {
					t.Error(err)
				}
				rows.Add(int64(counts.Rows))
				empty <- c
			}
		})
	}
	for c := range empty {
		if err = f.Next(c); err != nil {
			break
		}
		full <- c
	}
	close(full)
	workers.Wait()
	if err != io.EOF || rows.Load() != clicks {
		t.Errorf("%d rows of %d, %v", rows.Load(), clicks, err)
	}
}

func TestChunkAllocatesNothingPerRecord(t *testing.T) {
	f, err := OpenCSV(bytes.NewReader(clickFile(1000)), ",")
	if err != nil {
		t.Fatal(err)
	}
	var c Chunk
	if err := f.Next(&c); err != nil {
		t.Fatal(err)
	}
	n := mustCompile(t, clickSpec())
	if err := n.Bind(f.Header()); err != nil {
		t.Fatal(err)
	}
	context, block := clickContext(), schema.NewBlock(n.Table())
	context.Mask = func(column string) func(dst, value []byte) []byte {
		if column != "ip" && column != "referer" {
			return nil
		}
		return func(dst, value []byte) []byte { return append(dst, value...) }
	}
	chunk := func() {
		if _, counts, err := n.Chunk(&c, context, block, reuse, nil); err != nil || counts.Rows != 1000 {
			t.Fatal(counts, err)
		}
	}
	for range 20 {
		chunk()
	}
	if allocations := testing.AllocsPerRun(20, chunk); allocations > 20 {
		t.Errorf("%v allocations for a chunk of 1000 records", allocations)
	}
}

func TestCompileOfFiles(t *testing.T) {
	_, err := Compile(Spec{Table: "entities", Format: FormatCSV, Records: Paths{"a"}, Columns: map[string]Field{
		"id": {From: Paths{"$key", "x"}}, "name": {From: Paths{"a.b", "c.d"}}, "kind": {From: Paths{`a\.b`}}}})
	want := `format csv: a file has no records, shape, wrapped or each: each of its lines is a record
column id: $key: a record of a file is nothing but its columns
column name: no path of a.b, c.d can be a column of a file; a dot in a column's name is written \.`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
