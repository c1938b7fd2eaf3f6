package schema

import (
	"errors"
	"math/bits"
)

// DecimalScale is how many decimals an amount has in the warehouse.
const DecimalScale = 10

// Int128 is a signed 128-bit integer in two's complement. As an amount it counts
// units of 10^-10, which is how ClickHouse keeps a Decimal(38, 10).
type Int128 struct {
	Low  uint64
	High int64
}

// Errors of ParseDecimal.
var (
	// ErrDecimalSyntax is for text that is not a decimal number.
	ErrDecimalSyntax = errors.New("not a decimal number")
	// ErrDecimalRange is for a number that has more than 28 digits before the point.
	ErrDecimalRange = errors.New("number is too large for Decimal(38, 10)")
)

// uint128 is the magnitude of an Int128.
type uint128 struct{ hi, lo uint64 }

// mantissaLimit is 10^38: the first magnitude that Decimal(38, 10) cannot hold.
var mantissaLimit = uint128{hi: 0x4b3b4ca85a86c47a, lo: 0x098a224000000000}

var pow10 = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// ParseDecimal reads a decimal number ("1.1399999994", "-0.10", "1e3", ".5") and
// scales it by 10^10. What lies beyond the tenth decimal is rounded half to even.
// The number never passes through a float.
func ParseDecimal(text []byte) (Int128, error) {
	i, negative := 0, false
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		negative = text[i] == '-'
		i++
	}
	// The common case: up to 18 digits in all, scaled they fit into 64 bits.
	var mantissa uint64
	digits, decimals := 0, 0
	start := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(text[i]-'0')
		digits++
	}
	if i < len(text) && text[i] == '.' {
		for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(text[i]-'0')
			digits++
			decimals++
		}
	}
	if digits == 0 {
		return Int128{}, ErrDecimalSyntax
	}
	if i < len(text) || digits > 18 || decimals > DecimalScale {
		return parseLongDecimal(text[start:], negative)
	}
	hi, lo := bits.Mul64(mantissa, pow10[DecimalScale-decimals])
	return uint128{hi, lo}.signed(negative), nil
}

// parseLongDecimal reads a number with an exponent or with many digits. text
// begins with a digit or a point and is known to have a digit.
func parseLongDecimal(text []byte, negative bool) (Int128, error) {
	var m uint128
	var cut cutDigits
	exponent := 0 // of the mantissa's last digit
	full := false // no more digits fit
	point := false
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c-'0' > 9 {
			break
		}
		if !full {
			if next, ok := m.mulAdd(10, uint64(c-'0')); ok && next.less(mantissaLimit) {
				m = next
				if point {
					exponent--
				}
				continue
			}
			full = true
		}
		cut.add(c - '0')
		if !point {
			exponent++
		}
	}
	if i < len(text) {
		e, ok := parseExponent(text[i:])
		if !ok {
			return Int128{}, ErrDecimalSyntax
		}
		exponent += e
	}
	scaled, ok := m.scale(exponent+DecimalScale, cut)
	if !ok {
		return Int128{}, ErrDecimalRange
	}
	return scaled.signed(negative), nil
}

// cutDigits says what the digits cut off after a full mantissa amount to.
type cutDigits struct {
	first   byte // the first of them
	any     bool // there are some
	nonZero bool // one after the first is not zero
}

func (c *cutDigits) add(digit byte) {
	if !c.any {
		c.first, c.any = digit, true
		return
	}
	c.nonZero = c.nonZero || digit != 0
}

// parseExponent reads "e3", "E-2". Exponents stop growing at a size that no number
// of digits in memory makes up for.
func parseExponent(text []byte) (int, bool) {
	if len(text) < 2 || text[0]|0x20 != 'e' {
		return 0, false
	}
	text = text[1:]
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	e := 0
	for _, c := range text {
		if c-'0' > 9 {
			return 0, false
		}
		e = min(e*10+int(c-'0'), exponentLimit)
	}
	if negative {
		e = -e
	}
	return e, true
}

const exponentLimit = 1 << 40

func (u uint128) less(v uint128) bool { return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo }
func (u uint128) isZero() bool        { return u.hi|u.lo == 0 }

// mulAdd gives u*m + a; false if that takes more than 128 bits.
func (u uint128) mulAdd(m, a uint64) (uint128, bool) {
	hi, lo := bits.Mul64(u.lo, m)
	over, top := bits.Mul64(u.hi, m)
	lo, carry := bits.Add64(lo, a, 0)
	hi, carry2 := bits.Add64(hi, top, carry)
	return uint128{hi, lo}, over == 0 && carry2 == 0
}

// divMod divides by d, which is not zero.
func (u uint128) divMod(d uint64) (uint128, uint64) {
	hi, rest := u.hi/d, u.hi%d
	lo, rest := bits.Div64(rest, u.lo, d)
	return uint128{hi, lo}, rest
}

// scale gives u * 10^exponent, rounded half to even, where u is followed by the
// digits that were cut off. False if the result reaches 10^38.
func (u uint128) scale(exponent int, cut cutDigits) (uint128, bool) {
	if u.isZero() {
		return u, true // digits are cut off only after one that is not zero
	}
	if exponent > 0 {
		if exponent > 38 {
			return u, false
		}
		for ; exponent > 0; exponent -= min(exponent, 19) {
			var ok bool
			if u, ok = u.mulAdd(pow10[min(exponent, 19)], 0); !ok {
				return u, false
			}
		}
		return u, u.less(mantissaLimit)
	}
	rest, sticky := uint64(cut.first), cut.nonZero
	if drop := -exponent; drop > 39 {
		return uint128{}, true
	} else if drop > 0 {
		sticky = sticky || cut.first != 0
		for ; drop > 1; drop -= min(drop-1, 19) {
			u, rest = u.divMod(pow10[min(drop-1, 19)])
			sticky = sticky || rest != 0
		}
		u, rest = u.divMod(10)
	}
	if rest > 5 || rest == 5 && (sticky || u.lo&1 == 1) {
		u, _ = u.mulAdd(1, 1)
	}
	return u, u.less(mantissaLimit)
}

func (u uint128) signed(negative bool) Int128 {
	if !negative {
		return Int128{Low: u.lo, High: int64(u.hi)}
	}
	lo, borrow := bits.Sub64(0, u.lo, 0)
	hi, _ := bits.Sub64(0, u.hi, borrow)
	return Int128{Low: lo, High: int64(hi)}
}

// IsZero reports whether v is 0.
func (v Int128) IsZero() bool { return v.Low == 0 && v.High == 0 }

func (v Int128) magnitude() uint128 {
	if v.High >= 0 {
		return uint128{uint64(v.High), v.Low}
	}
	n := uint128{uint64(v.High), v.Low}.signed(true)
	return uint128{uint64(n.High), n.Low}
}

// AppendDecimal appends v as a decimal number with scale 10, without trailing
// zeros after the point: "12.5", "-0.0000000001", "0".
func (v Int128) AppendDecimal(dst []byte) []byte {
	var digits [40]byte
	m := v.magnitude()
	at := len(digits)
	for !m.isZero() || at > len(digits)-DecimalScale-1 {
		var d uint64
		m, d = m.divMod(10)
		at--
		digits[at] = byte('0' + d)
	}
	if v.High < 0 {
		dst = append(dst, '-')
	}
	point := len(digits) - DecimalScale
	dst = append(dst, digits[at:point]...)
	end := len(digits)
	for end > point && digits[end-1] == '0' {
		end--
	}
	if end > point {
		dst = append(dst, '.')
		dst = append(dst, digits[point:end]...)
	}
	return dst
}

// String gives v as AppendDecimal does.
func (v Int128) String() string { return string(v.AppendDecimal(nil)) }

// Uint64 gives v as a whole number; false if it has decimals, is negative or too
// large.
func (v Int128) Uint64() (uint64, bool) {
	if v.High < 0 {
		return 0, false
	}
	q, rest := v.magnitude().divMod(pow10[DecimalScale])
	return q.lo, rest == 0 && q.hi == 0
}
