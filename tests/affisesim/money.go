package affisesim

import (
	"fmt"
	"strconv"
	"strings"
)

// money is an amount in units of 10^-8: the most decimals the live captures
// show. It never passes through a float.
type money int64

const unit money = 100_000_000

func cents(c int) money { return money(c) * (unit / 100) }

// append writes the amount as the platform prints it: no decimals when there
// are none, and no trailing zeros.
func (m money) append(b []byte) []byte {
	if m < 0 {
		b = append(b, '-')
		m = -m
	}
	b = strconv.AppendInt(b, int64(m/unit), 10)
	frac := m % unit
	if frac == 0 {
		return b
	}
	b = append(b, '.')
	for scale := unit / 10; frac > 0; scale /= 10 {
		b = append(b, byte('0'+frac/scale))
		frac %= scale
	}
	return b
}

func (m money) String() string { return string(m.append(nil)) }

// percent returns p hundredths of a percent of m, cut at the last decimal.
func (m money) percent(p int) money { return m * money(p) / 10_000 }

// parseMoney reads a decimal of at most eight places.
func parseMoney(s string) (money, error) {
	t, negative := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(t, ".")
	if len(frac) > 8 || whole == "" {
		return 0, fmt.Errorf("reading the amount %q", s)
	}
	frac += strings.Repeat("0", 8-len(frac))
	w, err := strconv.ParseUint(whole, 10, 36)
	if err != nil {
		return 0, fmt.Errorf("reading the amount %q: %w", s, err)
	}
	f, err := strconv.ParseUint(frac, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("reading the amount %q: %w", s, err)
	}
	m := money(w)*unit + money(f)
	if negative {
		m = -m
	}
	return m, nil
}

// ratioText prints a/b with the given number of decimals, rounded down, as a
// JSON number; 0 when b is 0.
func ratioText(out []byte, a, b int64, decimals int) []byte {
	if b == 0 {
		return append(out, '0')
	}
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	q := a / b * scale
	q += a % b * scale / b
	return (money(q) * (unit / money(scale))).append(out)
}
