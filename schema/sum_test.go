package schema

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func amountOf(t *testing.T, text string) Int128 {
	t.Helper()
	v, err := ParseDecimal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSumsAreOfTheRowsThatAreFinished(t *testing.T) {
	table, _ := Lookup("stats")
	b := NewBlock(table)
	payout, clicks := table.Index("payout"), table.Index("clicks")
	for _, row := range []struct {
		payout string
		clicks uint64
	}{{"1.25", 3}, {"", 0}, {"-0.5", 1 << 63}, {"99999999999999999999.0000000001", 2}} {
		if row.payout != "" {
			b.SetDecimal(payout, amountOf(t, row.payout))
			b.SetUint(clicks, row.clicks)
		}
		b.EndRow()
	}
	b.SetDecimal(payout, amountOf(t, "7")) // of a row that is not finished
	for _, c := range []struct {
		col, from int
		want      string
	}{
		{payout, 0, "99999999999999999999.7500000001"}, {payout, 1, "99999999999999999998.5000000001"}, {payout, 4, "0"}, {payout, 9, "0"},
		{clicks, 0, "9223372036854775813"}, {clicks, 3, "2"},
	} {
		if got := b.Sum(c.col, c.from).String(); got != c.want {
			t.Errorf("sum of %s from row %d: got %s, want %s", table.Columns[c.col].Name, c.from, got, c.want)
		}
	}
}

func TestSumsAndDifferencesAgreeWithBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	amount := func() *big.Int {
		n := new(big.Int).Rsh(new(big.Int).SetUint64(r.Uint64()), uint(r.IntN(64)))
		n.Mul(n, new(big.Int).SetUint64(r.Uint64()>>r.IntN(64)))
		if n.Rsh(n, 3); r.IntN(2) == 0 { // three bits are left for sums and signs
			n.Neg(n)
		}
		return n
	}
	for range 20_000 {
		a, b, most := amount(), amount(), new(big.Int).Abs(amount())
		if got := toBig(fromBig(a).Add(fromBig(b))); got.Cmp(new(big.Int).Add(a, b)) != 0 {
			t.Fatalf("%v + %v: got %v", a, b, got)
		}
		want := new(big.Int).Abs(new(big.Int).Sub(a, b)).Cmp(most) > 0
		if got := fromBig(a).Apart(fromBig(b), fromBig(most)); got != want {
			t.Fatalf("%v and %v are more than %v apart: got %v", a, b, most, got)
		}
	}
}
