package strictyaml

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one mistake in a file.
type Problem struct {
	File string
	// Line and Column start at 1; both are 0 where no place is known.
	Line, Column int
	// Path leads to the value, as in "accounts[0].pace.min_delay"; empty for the
	// whole file. A key that is not a plain word stands as ["a.b"].
	Path    string
	Message string
}

// String gives the problem on one line, in the form that editors can jump to:
// "config.yaml:12:7: accounts[0].pace.min_dely: unknown key; did you mean min_delay?".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column))
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Error makes a single Problem usable as an error.
func (p Problem) Error() string { return p.String() }

// Problems are the mistakes of one or more files. The empty list means that
// there are none; use Err to turn a list into an error, since a nil Problems in
// an error variable is not a nil error.
type Problems []Problem

// Error gives one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Err is p as an error, nil if there are no problems.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Sort orders the problems by file, line and column; those at one place keep
// their order.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
}
