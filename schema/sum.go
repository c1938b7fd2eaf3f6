package schema

import "math/bits"

// Sum adds up a Decimal or Count column over the rows from the given one on, the first
// being 0; the row in hand does not count. What is beyond 128 bits is lost.
func (b *Block) Sum(col, from int) Int128 {
	b.pad(col)
	var sum Int128
	switch c := b.cells[col]; c.typ {
	case Decimal:
		d := b.decimals[c.at].ColDecimal128
		for _, v := range d[min(from, b.rows):b.rows] {
			sum = sum.Add(Int128{Low: v.Low, High: int64(v.High)})
		}
	case Count:
		n := b.counts[c.at]
		for _, v := range n[min(from, b.rows):b.rows] {
			high, low := bits.Mul64(v, pow10[DecimalScale])
			sum = sum.Add(Int128{Low: low, High: int64(high)})
		}
	default:
		b.misuse("Sum", col)
	}
	return sum
}

// Add gives v + w.
func (v Int128) Add(w Int128) Int128 {
	low, carry := bits.Add64(v.Low, w.Low, 0)
	high, _ := bits.Add64(uint64(v.High), uint64(w.High), carry)
	return Int128{Low: low, High: int64(high)}
}

// Apart reports whether v and w differ by more than most, which is not negative.
func (v Int128) Apart(w, most Int128) bool {
	low, borrow := bits.Sub64(v.Low, w.Low, 0)
	high, _ := bits.Sub64(uint64(v.High), uint64(w.High), borrow)
	return most.magnitude().less(Int128{Low: low, High: int64(high)}.magnitude())
}
