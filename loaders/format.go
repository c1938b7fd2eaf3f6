package loaders

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// tableRows is how many rows a table is laid out for at a time.
const tableRows = 5000

// tableWriter draws tables for people.
type tableWriter struct {
	out     *bufio.Writer
	names   []string
	numeric []bool
	rows    [][]string
	blocks  int
}

func (w *tableWriter) begin(names, kinds []string) error {
	w.names = names
	for _, k := range kinds {
		w.numeric = append(w.numeric, isNumeric(k))
	}
	return nil
}

func (w *tableWriter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = oneLine(text(v))
	}
	w.rows = append(w.rows, cells)
	if len(w.rows) < tableRows {
		return nil
	}
	return w.draw()
}

func (w *tableWriter) end() error {
	if len(w.names) == 0 || len(w.rows) == 0 && w.blocks > 0 {
		return nil
	}
	return w.draw()
}

// draw lays out the rows in hand.
func (w *tableWriter) draw() error {
	widths := make([]int, len(w.names))
	for i, n := range w.names {
		widths[i] = utf8.RuneCountInString(n)
	}
	for _, r := range w.rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	rule := func(left, middle, right string) {
		w.out.WriteString(left)
		for i, n := range widths {
			if i > 0 {
				w.out.WriteString(middle)
			}
			w.out.WriteString(strings.Repeat("─", n+2))
		}
		w.out.WriteString(right + "\n")
	}
	line := func(cells []string, numeric []bool) {
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if numeric[i] {
				w.out.WriteString("│ " + pad + c + " ")
				continue
			}
			w.out.WriteString("│ " + c + pad + " ")
		}
		w.out.WriteString("│\n")
	}
	rule("┌", "┬", "┐")
	line(w.names, w.numeric)
	rule("├", "┼", "┤")
	for _, r := range w.rows {
		line(r, w.numeric)
	}
	rule("└", "┴", "┘")
	w.rows = w.rows[:0]
	w.blocks++
	return w.out.Flush()
}

func isNumeric(kind string) bool {
	kind = strings.TrimSuffix(strings.TrimPrefix(kind, "Nullable("), ")")
	for _, prefix := range []string{"Int", "UInt", "Float", "Decimal"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// oneLine keeps a cell on its line, and what a network sent from steering a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, s)
}

// verticalWriter gives each value a line.
type verticalWriter struct {
	out   *bufio.Writer
	names []string
	width int
	n     int
}

func (w *verticalWriter) begin(names, _ []string) error {
	w.names = names
	for _, n := range names {
		w.width = max(w.width, utf8.RuneCountInString(n))
	}
	return nil
}

func (w *verticalWriter) row(values []any) error {
	w.n++
	fmt.Fprintf(w.out, "Row %d:\n", w.n)
	for i, v := range values {
		fmt.Fprintf(w.out, "%s: %s%s\n", w.names[i], strings.Repeat(" ", w.width-utf8.RuneCountInString(w.names[i])), oneLine(text(v)))
	}
	_, err := w.out.WriteString("\n")
	return err
}

func (w *verticalWriter) end() error { return nil }

// tsvWriter writes ClickHouse's TabSeparatedWithNames.
type tsvWriter struct {
	out     *bufio.Writer
	escapes *strings.Replacer
}

func (w *tsvWriter) begin(names, _ []string) error {
	w.escapes = strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\r", "\\r", "\x00", "\\0", "\b", "\\b", "\f", "\\f")
	return w.line(names)
}

func (w *tsvWriter) line(cells []string) error {
	for i, c := range cells {
		if i > 0 {
			w.out.WriteByte('\t')
		}
		w.escapes.WriteString(w.out, c)
	}
	if len(cells) == 0 {
		return nil
	}
	return w.out.WriteByte('\n')
}

func (w *tsvWriter) row(values []any) error {
	for i, v := range values {
		if i > 0 {
			w.out.WriteByte('\t')
		}
		if v == nil {
			w.out.WriteString("\\N")
			continue
		}
		w.escapes.WriteString(w.out, text(v))
	}
	return w.out.WriteByte('\n')
}

func (w *tsvWriter) end() error { return nil }

// csvWriter writes RFC 4180 with a line of names; NULL is an empty cell.
type csvWriter struct {
	out   io.Writer
	csv   *csv.Writer
	cells []string
}

func (w *csvWriter) begin(names, _ []string) error {
	w.csv = csv.NewWriter(w.out)
	if len(names) == 0 {
		return nil
	}
	return w.csv.Write(names)
}

func (w *csvWriter) row(values []any) error {
	w.cells = w.cells[:0]
	for _, v := range values {
		if v == nil {
			w.cells = append(w.cells, "")
			continue
		}
		w.cells = append(w.cells, text(v))
	}
	return w.csv.Write(w.cells)
}

func (w *csvWriter) end() error {
	w.csv.Flush()
	return w.csv.Error()
}

// jsonWriter writes an object a row, a row a line. Whole numbers above 2^53 and
// amounts are strings: readers that put numbers into floats would round them.
type jsonWriter struct {
	out   *bufio.Writer
	names [][]byte
}

func (w *jsonWriter) begin(names, _ []string) error {
	for _, n := range names {
		encoded, err := encodeJSON(n)
		if err != nil {
			return err
		}
		w.names = append(w.names, encoded)
	}
	return nil
}

func (w *jsonWriter) row(values []any) error {
	for i, v := range values {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		w.out.WriteByte(separator)
		w.out.Write(w.names[i])
		w.out.WriteByte(':')
		encoded, err := encodeJSON(jsonValue(v))
		if err != nil {
			return err
		}
		w.out.Write(encoded)
	}
	_, err := w.out.WriteString("}\n")
	return err
}

func (w *jsonWriter) end() error { return nil }

// encodeJSON encodes without the escapes that are for HTML.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
