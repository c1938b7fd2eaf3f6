package loaders

import (
	"cmp"
	"fmt"

	"syncd/schema"
)

// The guard holds a complete unit back when more than a share of the rows that were
// visible in a table would vanish ([Unit.Shrink]): a source's failure can look like
// "no rows". It also holds back what the caller doubts ([Unit.Doubt]). Windows of less than guardRows visible rows are let pass, they halve by
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
// was let pass before a crash is not looked at again, nor is one that somebody asked to
// believe ([Unit.Accepted]).
const (
	guardRows = 20
	// ShrinkDefault is Unit.Shrink where it is 0: restated windows lose a tenth of their
	// rows at times, but no network was seen to take half of them back.
	ShrinkDefault = 0.5
	// heldTolerance is the part of the rows, one in heldTolerance, by which two pulls
	// that say about the same may differ.
	heldTolerance = 10
)

// held says in words why the unit is held back, or nothing if it is not.
func (f *unitFindings) held(u *Unit, rows int64) string {
	if f.recorded || u.Accepted || u.HeldBefore && agree(u.HeldRows, rows) {
		return ""
	}
	if u.Doubt != "" {
		return u.Doubt + believed
	}
	if !u.Complete {
		return ""
	}
	shrink := cmp.Or(u.Shrink, ShrinkDefault)
	for _, o := range u.Outputs {
		if reason := f.outputs[o.Table].suspicious(o.Table, shrink); reason != "" {
			return reason
		}
	}
	return ""
}

const believed = "; a later pull that says about the same will be believed, and so will syncd run --accept"

// agree reports whether two numbers of rows are about the same.
func agree(a, b int64) bool {
	a, b = min(a, b), max(a, b)
	return (b-a)*heldTolerance <= b
}

// suspicious says in words why the output looks like a failure of the source, or
// nothing if it does not.
func (o *outputFindings) suspicious(t *schema.Table, shrink float64) string {
	now := o.keys + o.kept
	if o.before < guardRows || float64(o.before-now) <= float64(o.before)*shrink {
		return ""
	}
	return fmt.Sprintf("%d rows of %s were visible, now there are %d%s", o.before, t.Name, now, believed)
}
