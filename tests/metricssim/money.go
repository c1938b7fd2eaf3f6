package metricssim

import "strconv"

// Amount is money, or another decimal number, in ten-thousandths. It is written
// with as many decimals as it has: 2.45, 0.3, 185000000, -1.2.
type Amount int64

const one Amount = 10_000

// String is the amount as plain decimal text.
func (a Amount) String() string {
	b := []byte{}
	if a < 0 {
		b, a = append(b, '-'), -a
	}
	b = strconv.AppendInt(b, int64(a/one), 10)
	if frac := a % one; frac != 0 {
		digits := strconv.AppendInt(nil, int64(one+frac), 10)[1:]
		end := len(digits)
		for digits[end-1] == '0' {
			end--
		}
		b = append(append(b, '.'), digits[:end]...)
	}
	return string(b)
}

// MarshalJSON writes a number, never through a float.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// price is what a conversion of an offer earns: the sizes at which amounts go wrong
// in practice.
func price(d *draw, currency string) (payout, revenue Amount) {
	switch currency {
	case "JPY": // no decimals
		payout = Amount(100+d.below(900)) * one
	case "IDR": // many digits
		payout = Amount(185_000_000+d.below(9)*1_000_000) * one
	default:
		payout = pick(d, []Amount{24_500, 1_000, 2_000, 12_345, 99_900})
	}
	return payout, payout + payout/pick(d, []Amount{2, 4, 10})
}
