package loaders

import (
	"fmt"

	"syncd/schema"
)

// The guard holds a complete unit back when less than one in guardShare of the rows
// that were visible in a table would be left: a source's failure can look like "no
// rows". Windows of less than guardRows visible rows are let pass, they halve by
// chance; lists of changes vanish nothing and are not looked at.
//
// What is left are the rows that the unit brought and those of younger calls. Rows
// that stay because of [Unit.NoTombstones] do not count: that some records could
// not be read is no reason to trust the others.
//
// A held unit stays unpublished until a later pull of the same window says about
// the same. The caller decides which pull was early enough to count as another
// witness ([Unit.HeldBefore]); the guard compares the numbers of rows only, since
// the rows of a window that is still being written never stay the same. A unit that
// was let pass before a crash is not looked at again.
const (
	guardRows  = 20
	guardShare = 2
	// heldTolerance is the part of the rows, one in heldTolerance, by which two pulls
	// that say about the same may differ.
	heldTolerance = 10
)

// held says in words why the unit is held back, or nothing if it is not.
func (f *unitFindings) held(u *Unit, rows int64) string {
	if !u.Complete || f.recorded || u.HeldBefore && agree(u.HeldRows, rows) {
		return ""
	}
	for _, o := range u.Outputs {
		if reason := f.outputs[o.Table].suspicious(o.Table); reason != "" {
			return reason
		}
	}
	return ""
}

// agree reports whether two numbers of rows are about the same.
func agree(a, b int64) bool {
	a, b = min(a, b), max(a, b)
	return (b-a)*heldTolerance <= b
}

// suspicious says in words why the output looks like a failure of the source, or
// nothing if it does not.
func (o *outputFindings) suspicious(t *schema.Table) string {
	now := o.keys + o.kept
	if o.before < guardRows || now*guardShare >= o.before {
		return ""
	}
	return fmt.Sprintf("%d rows of %s were visible, now there are %d; a later pull that says about the same will be believed", o.before, t.Name, now)
}
