package schema

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"zero is zero", "0", "0"},
		{"minus zero is zero", "-0", "0"},
		{"ten decimals are kept", "1.1399999994", "1.1399999994"},
		{"a trailing zero changes nothing", "-0.10", "-0.1"},
		{"a leading plus is allowed", "+7.5", "7.5"},
		{"an exponent moves the point", "1e3", "1000"},
		{"a negative exponent moves the point", "25E-4", "0.0025"},
		{"a point may come first", ".5", "0.5"},
		{"a point may come last", "5.", "5"},
		{"2^53+1 is exact", "9007199254740993", "9007199254740993"},
		{"28 digits fit", "9999999999999999999999999999", "9999999999999999999999999999"},
		{"28 digits and ten decimals fit", "-1234567890123456789012345678.0123456789", "-1234567890123456789012345678.0123456789"},
		{"an eleventh decimal rounds", "191190.40796039123", "191190.4079603912"},
		{"half rounds down to even", "0.00000000005", "0"},
		{"half rounds up to even", "0.00000000015", "0.0000000002"},
		{"more than half rounds up", "0.000000000050000000000000000000000000000000000000001", "0.0000000001"},
		{"digits after 38 round too", "1234567890123456789012345678.01234567885", "1234567890123456789012345678.0123456788"},
		{"digits far after 38 break the tie", "1234567890123456789012345678.012345678850000001", "1234567890123456789012345678.0123456789"},
		{"many zeros and an exponent are a small number", "1" + strings.Repeat("0", 60) + "e-60", "1"},
		{"too small is zero", "1e-400", "0"},
		{"zero with a great exponent is zero", "0e999999999999", "0"},
		{"many leading zeros are allowed", strings.Repeat("0", 50) + "1.5", "1.5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseDecimal([]byte(test.text))
			if err != nil || got.String() != test.want {
				t.Errorf("ParseDecimal(%q): got %v, %v, want %s", test.text, got, err, test.want)
			}
		})
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", ErrDecimalSyntax},
		{"a lone sign", "-", ErrDecimalSyntax},
		{"a lone point", ".", ErrDecimalSyntax},
		{"a word", "NaN", ErrDecimalSyntax},
		{"a thousands comma", "1,234.50", ErrDecimalSyntax},
		{"two points", "1.2.3", ErrDecimalSyntax},
		{"an exponent without digits", "1e", ErrDecimalSyntax},
		{"an exponent with a lone sign", "1e+", ErrDecimalSyntax},
		{"a currency", "5 USD", ErrDecimalSyntax},
		{"hexadecimal", "0x10", ErrDecimalSyntax},
		{"29 digits", "10000000000000000000000000000", ErrDecimalRange},
		{"a great exponent", "1e28", ErrDecimalRange},
		{"an enormous exponent", "1e99999999999999999999", ErrDecimalRange},
		{"what rounds up to 29 digits", "9999999999999999999999999999.99999999996", ErrDecimalRange},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := ParseDecimal([]byte(test.text)); !errors.Is(err, test.want) {
				t.Errorf("ParseDecimal(%q): got %v, %v, want %v", test.text, got, err, test.want)
			}
		})
	}
}

// reference reads a decimal with math/big and rounds it half to even.
func reference(text string) (*big.Int, bool) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	r.Mul(r, new(big.Rat).SetInt64(1e10))
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	switch m.Lsh(m, 1).Cmp(r.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, new(big.Int).And(q, big.NewInt(1)))
	}
	return q, true
}

func toBig(v Int128) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(v.High), 64)
	return n.Add(n, new(big.Int).SetUint64(v.Low))
}

func checkAgainstReference(t *testing.T, text string) {
	t.Helper()
	got, err := ParseDecimal([]byte(text))
	want, ok := reference(text)
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	switch {
	case !ok && err == nil:
		t.Errorf("ParseDecimal(%q): got %v, want an error", text, got)
	case ok && new(big.Int).Abs(want).Cmp(limit) >= 0:
		if !errors.Is(err, ErrDecimalRange) {
			t.Errorf("ParseDecimal(%q): got %v, %v, want %v", text, got, err, ErrDecimalRange)
		}
	case ok && (err != nil || toBig(got).Cmp(want) != 0):
		t.Errorf("ParseDecimal(%q): got %v, %v, want %v units", text, got, err, want)
	}
	if err != nil {
		return
	}
	again, err := ParseDecimal(got.AppendDecimal(nil))
	if err != nil || again != got {
		t.Errorf("%q is formatted as %v, which parses as %v, %v", text, got, again, err)
	}
}

func TestParseDecimalAgreesWithBigRational(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789055550000999"[random.IntN(22)]
		}
		return string(b)
	}
	for range 100_000 {
		text := []string{"", "-", "+"}[random.IntN(3)] + digits(1+random.IntN(32))
		if random.IntN(3) > 0 {
			text += "." + digits(random.IntN(48))
		}
		if random.IntN(3) == 0 {
			text += "e" + []string{"", "-", "+"}[random.IntN(3)] + digits(1+random.IntN(2))
		}
		checkAgainstReference(t, text)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1.1399999994", "-0.10", "1e3", ".5", "1234567890123456789012345678.01234567885", "1e-38", "00.", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// big.Rat also reads fractions, bases, underscores, infinite exponents: only plain decimals are compared.
		if len(text) > 200 || strings.Trim(text, "0123456789.eE+-") != "" {
			return
		}
		if at := strings.IndexAny(text, "eE"); at >= 0 && len(text)-at > 5 {
			return
		}
		checkAgainstReference(t, text)
	})
}

func BenchmarkParseDecimal(b *testing.B) {
	for _, text := range []string{"6.8", "191190.40796039", "26.975718936208"} {
		b.Run(text, func(b *testing.B) {
			in := []byte(text)
			for b.Loop() {
				if _, err := ParseDecimal(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
