package schema

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// units is how many of the smallest amount make 1: 10^10.
var units = big.NewInt(1e10)

// fromBig is n of the smallest amounts, in two's complement of 128 bits.
func fromBig(n *big.Int) Int128 {
	m := new(big.Int).And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	return Int128{
		Low:  new(big.Int).And(m, new(big.Int).SetUint64(^uint64(0))).Uint64(),
		High: int64(new(big.Int).Rsh(m, 64).Uint64()),
	}
}

// amounts gives amounts of all lengths: random digits, runs of nines, powers of ten and
// of two and what lies beside them, and the ends of what Decimal(38, 10) holds.
func amounts(n int) []*big.Int {
	random := rand.New(rand.NewPCG(17, 4))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	var all []*big.Int
	add := func(v *big.Int) {
		for _, beside := range []int64{-1, 0, 1} {
			x := new(big.Int).Add(v, big.NewInt(beside))
			if new(big.Int).Abs(x).Cmp(limit) < 0 {
				all = append(all, x, new(big.Int).Neg(x))
			}
		}
	}
	for e := range int64(39) {
		add(new(big.Int).Exp(big.NewInt(10), big.NewInt(e), nil))
	}
	for e := range uint(127) {
		add(new(big.Int).Lsh(big.NewInt(1), e))
	}
	for range n {
		v := new(big.Int)
		for range 1 + random.IntN(38) {
			v.Mul(v, big.NewInt(10)).Add(v, big.NewInt(int64(random.IntN(10))))
		}
		add(v)
	}
	return all
}

// The text of an amount is the shortest that names it, the reference's number, and comes
// back as the same amount; so does every other way to write it.
func TestAmountsSurviveTextInAllItsForms(t *testing.T) {
	for _, n := range amounts(3000) {
		v := fromBig(n)
		if toBig(v).Cmp(n) != 0 {
			t.Fatalf("%v is %v in 128 bits", n, toBig(v))
		}
		text := v.String()
		want := new(big.Rat).SetFrac(n, units)
		got, ok := new(big.Rat).SetString(text)
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%v units are written %s, want %s", n, text, want.FloatString(10))
		}
		if strings.Contains(text, ".") && strings.HasSuffix(text, "0") || strings.HasSuffix(text, ".") || text == "-0" {
			t.Fatalf("%v units are written %s: not the shortest form", n, text)
		}
		digits := new(big.Int).Abs(n).String()
		sign := ""
		if n.Sign() < 0 {
			sign = "-"
		}
		for _, form := range []string{
			text,
			want.FloatString(10),
			want.FloatString(10) + "000",
			sign + "000" + strings.TrimPrefix(want.FloatString(10), "-"),
			sign + digits + "e-10",
			sign + digits + "000E-13",
			sign + "0." + digits + "e" + strconv.Itoa(len(digits)-10),
			sign + "." + digits + fmt.Sprintf("E%+03d", len(digits)-10),
		} {
			if again, err := ParseDecimal([]byte(form)); err != nil || again != v {
				t.Fatalf("%s reads as %v, %v, want %v units", form, again, err, n)
			}
			if sign == "" {
				if again, err := ParseDecimal([]byte("+" + form)); err != nil || again != v {
					t.Fatalf("+%s reads as %v, %v, want %v units", form, again, err, n)
				}
			}
		}
	}
}

// What lies beyond the tenth decimal is rounded half to even, whatever the amount and its
// sign, and a hair above or below the half goes to the nearer one. An amount that rounds
// up to 29 digits before the point is out of range.
func TestWhatLiesBeyondTheScaleIsRoundedHalfToEven(t *testing.T) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	for _, n := range amounts(2000) {
		whole := new(big.Rat).SetFrac(new(big.Int).Abs(n), units).FloatString(10)
		odd := int64(n.Bit(0))
		for _, tail := range []struct {
			digits string
			up     int64
		}{
			{"0", 0}, {"4", 0}, {"49999999999999999999999999999999999999999", 0}, {"5", odd}, {"50000000000000000000", odd},
			{"5" + strings.Repeat("0", 60), odd}, {"5" + strings.Repeat("0", 60) + "1", 1}, {"6", 1}, {"500000001", 1}, {"99999999999", 1},
		} {
			for _, sign := range []string{"", "-", "+"} {
				want := new(big.Int).Add(new(big.Int).Abs(n), big.NewInt(tail.up))
				text := sign + whole + tail.digits
				got, err := ParseDecimal([]byte(text))
				if want.Cmp(limit) >= 0 {
					if !errors.Is(err, ErrDecimalRange) {
						t.Fatalf("%s reads as %v, %v, want %v", text, got, err, ErrDecimalRange)
					}
					continue
				}
				if sign == "-" {
					want.Neg(want)
				}
				if err != nil || toBig(got).Cmp(want) != 0 {
					t.Fatalf("%s reads as %v, %v, want %v units", text, got, err, want)
				}
			}
		}
	}
}

// A greater number never reads as a smaller amount.
func TestRoundingKeepsTheOrderOfAmounts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 23))
	for range 20_000 {
		// Two numbers that differ in a late digit only.
		head := new(big.Int).SetUint64(random.Uint64())
		digits := []byte(head.String() + strings.Repeat("0", random.IntN(14)))
		other := []byte(string(digits))
		at := random.IntN(len(digits))
		if digits[at] == '9' {
			continue
		}
		other[at]++
		point := random.IntN(len(digits))
		a, errA := ParseDecimal([]byte(string(digits[:point]) + "." + string(digits[point:])))
		b, errB := ParseDecimal([]byte(string(other[:point]) + "." + string(other[point:])))
		if errA != nil || errB != nil {
			continue // out of range, which TestParseDecimalRefuses holds
		}
		if toBig(a).Cmp(toBig(b)) > 0 {
			t.Fatalf("%s reads as %v and %s as %v", digits, a, other, b)
		}
	}
}
