package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// lineWidth is what plan keeps to: two terminals fit beside each other on a wide screen.
const lineWidth = 120

// grid is a table for people. Its last column wraps, and a row may have notes below it.
type grid struct {
	head []string
	// right has the column's own digit where its values stand right ("-1" for the second).
	right string
	rows  []gridRow
	// hidden is the column that is not printed, by its number from 1; 0 for none.
	hidden int
}

type gridRow struct {
	cells, notes []string
}

// hide leaves a column out if it says nothing. It comes before the first row.
func (g *grid) hide(head string, empty bool) {
	i := slices.Index(g.head, head)
	if !empty || i < 0 {
		return
	}
	g.hidden = i + 1
	g.head = slices.Delete(slices.Clone(g.head), i, i+1)
	g.right = g.right[:i] + g.right[min(i+1, len(g.right)):]
}

// add adds a row, with a cell for every column, hidden or not.
func (g *grid) add(cells ...string) {
	if g.hidden > 0 {
		cells = slices.Delete(cells, g.hidden-1, g.hidden)
	}
	g.rows = append(g.rows, gridRow{cells: cells})
}

// note puts a line under the last row.
func (g *grid) note(text string) {
	last := &g.rows[len(g.rows)-1]
	last.notes = append(last.notes, text)
}

func (g *grid) print(out *strings.Builder) {
	widths := make([]int, len(g.head))
	for _, r := range append([]gridRow{{cells: g.head}}, g.rows...) {
		for i, c := range r.cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	before := 2 // where the last column begins
	for _, w := range widths[:len(widths)-1] {
		before += w + 2
	}
	for _, r := range append([]gridRow{{cells: g.head}}, g.rows...) {
		var line strings.Builder
		line.WriteString("  ")
		for i, c := range r.cells[:len(r.cells)-1] {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i < len(g.right) && g.right[i] != '-' {
				line.WriteString(pad + c + "  ")
			} else {
				line.WriteString(c + pad + "  ")
			}
		}
		last := r.cells[len(r.cells)-1]
		if i := len(r.cells) - 1; i < len(g.right) && g.right[i] != '-' {
			last = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(last)) + last
			out.WriteString(line.String() + last + "\n")
		} else {
			lines := wrap(last, max(lineWidth-before, 16))
			for i, part := range lines {
				if i == 0 {
					out.WriteString(strings.TrimRight(line.String()+part, " ") + "\n")
				} else {
					out.WriteString(strings.Repeat(" ", before) + part + "\n")
				}
			}
		}
		for _, n := range r.notes {
			write(out, "    ", n)
		}
	}
}

// write writes a text in lines that fit, each behind an indent.
func write(out *strings.Builder, indent, text string) {
	for _, line := range wrap(text, lineWidth-len(indent)) {
		out.WriteString(indent + line + "\n")
	}
}

// wrap cuts a text between words into lines of a width; at least one.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
