package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrMissingColumns is for a file without columns that no row can do without.
var ErrMissingColumns = errors.New("the file's header lacks columns that no row can do without")

// csvBinding says what becomes of the columns of a file.
type csvBinding struct {
	bound   bool
	header  []string
	columns []csvColumn
	masked  bool   // the Context masks some
	text    []byte // of the record in hand, where it is not as it stands in the file
	valid   []byte // the record in hand, where it was not UTF-8
	reading bool   // the record in hand is one of a file

	// order are the columns that are kept, in the order of their names, and kept their
	// values in the record in hand; for Spec.Plain.
	order []int
	kept  [][]byte
}

// csvColumn is what becomes of a column of a file.
type csvColumn struct {
	// direct is the column of the table that takes its values as they stand, slot where
	// they go for others to find; -1 for neither.
	direct, slot int
	// rank is its place in order.
	rank int
	// keep leaves them to extra.
	keep bool
	// label is what stands before its value in a JSON object: a comma, the name, a colon.
	label []byte
	// mask is what the Context says is done to its values.
	mask func(dst, value []byte) []byte
}

// Bind says which columns the next file has; to be called before its first Chunk. Names
// are compared with the Spec's paths of one segment, in any order. Of columns with one
// name the first counts; the others, and those that the Spec does not know, are left to
// extra. Columns that the Spec knows and the file lacks are absent from its records; the
// error, which wraps ErrMissingColumns, names those without which there is no key or
// no partition.
func (n *Normalizer) Bind(header []string) error {
	n.bind(header)
	return n.lacking(n.required)
}

func (n *Normalizer) bind(header []string) {
	n.csv.bound, n.csv.header = true, slices.Clone(header)
	n.csv.columns = make([]csvColumn, len(header))
	names, labels := map[string]bool{}, map[string]bool{}
	for i, name := range header {
		column := csvColumn{direct: -1, slot: -1, keep: true}
		if at, ok := n.element.index[name]; ok {
			child := n.element.children[at]
			column.keep = !child.drop
			if len(child.slots) > 0 && !names[name] {
				column.slot, column.keep = child.slots[0], false
			}
		}
		label := name
		for n := i + 1; label == "" || labels[label]; n++ { // an object's keys have to differ
			label = name + "#" + strconv.Itoa(n)
		}
		names[name], labels[label] = true, true
		column.label = append(appendJSON([]byte{','}, []byte(label)), ':')
		n.csv.columns[i] = column
	}
	n.bindFields()
	n.bindKept()
}

// bindKept puts the columns that extra gets into the order of Spec.Plain.
func (n *Normalizer) bindKept() {
	columns := n.csv.columns
	n.csv.order = n.csv.order[:0]
	for i := range columns {
		if columns[i].keep {
			n.csv.order = append(n.csv.order, i)
		}
	}
	slices.SortStableFunc(n.csv.order, func(a, b int) int { return bytes.Compare(columns[a].name(), columns[b].name()) })
	for rank, i := range n.csv.order {
		columns[i].rank = rank
	}
	n.csv.kept = make([][]byte, len(n.csv.order))
}

// name is the column's in a JSON object, as it is written there.
func (c *csvColumn) name() []byte { return c.label[len(`,"`) : len(c.label)-len(`":`)] }

// bindFields finds the fields that are one column's text as it stands, which is most:
// they need no way over a slot.
func (n *Normalizer) bindFields() {
	readers := make([]int, len(n.values)) // of each slot
	for i := range n.fields {
		for _, slot := range n.fields[i].slots {
			readers[slot]++
		}
		if fold := n.fields[i].fold; fold >= 0 {
			readers[fold]++
		}
	}
	for i := range n.fields {
		f := &n.fields[i]
		f.direct = false
		if f.source != fromPaths || !f.isText() || f.dimension != nil || f.hasConstant ||
			f.join != nil || f.zero != nil || f.words != nil || f.lower || f.upper {
			continue
		}
		filled := slices.DeleteFunc(slices.Clone(f.slots), func(slot int) bool { return !n.isBound(slot) })
		if len(filled) == 1 && readers[filled[0]] == 1 {
			at := slices.IndexFunc(n.csv.columns, func(c csvColumn) bool { return c.slot == filled[0] })
			n.csv.columns[at].direct, f.direct = f.column, true
		}
	}
}

// lacking refuses a file that cannot fill columns of the table.
func (n *Normalizer) lacking(columns []int) error {
	var missing []string
	for _, column := range columns {
		if paths, ok := n.fillable(column); !ok {
			missing = append(missing, fmt.Sprintf("%s (from %s)", n.table.Columns[column].Name, paths))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrMissingColumns, strings.Join(missing, ", "))
}

// fillable reports whether the file has a column for a field, and from what it is made.
func (n *Normalizer) fillable(column int) (paths string, ok bool) {
	for i := range n.fields {
		f := &n.fields[i]
		if f.column != column || f.dimension != nil {
			continue
		}
		if f.source == fromColumn && !f.hasConstant {
			return n.fillable(f.day)
		}
		return f.paths, f.source != fromPaths || f.hasConstant || slices.ContainsFunc(f.slots, n.isBound)
	}
	return "nothing", false
}

func (n *Normalizer) isBound(slot int) bool {
	return slices.ContainsFunc(n.csv.columns, func(c csvColumn) bool { return c.slot == slot })
}

// JSON text needs no more than these escapes: the rest of a file is UTF-8 by now.
var jsonEscapes = [0x60]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// appendJSON appends text as a JSON string.
func appendJSON(dst, text []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plainJSON(text)
		dst = append(dst, text[:n]...)
		if n == len(text) {
			return append(dst, '"')
		}
		c := text[n]
		if escape := jsonEscapes[c]; escape != "" {
			dst = append(dst, escape...)
		} else {
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		text = text[n+1:]
	}
}
