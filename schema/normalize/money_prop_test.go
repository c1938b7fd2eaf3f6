package normalize

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"syncd/schema"
)

// outcome is what became of a record with one amount: the amount as text ("" for none), or
// the reason for quarantine and the record that went there.
type outcome struct{ amount, reason, record string }

// routes are the ways on which an amount arrives, each with a record of it.
type routes struct {
	json, xml, csv *Normalizer
	block          *schema.Block
}

func newRoutes(t testing.TB) *routes {
	columns := map[string]Field{"amount": {From: Paths{"v"}}}
	asXML := entity(columns)
	asXML.Format, asXML.Records = FormatXML, Paths{"r"}
	r := &routes{json: mustCompile(t, entity(columns)), xml: mustCompile(t, asXML), csv: mustCompile(t, fileSpec(columns))}
	r.block = schema.NewBlock(r.json.Table())
	return r
}

// page reads one record of an answer.
func (r *routes) page(t *testing.T, n *Normalizer, body []byte) outcome {
	t.Helper()
	before := bytes.Clone(body)
	var o outcome
	r.block.Reset()
	_, counts, err := n.Page(body, &Context{}, r.block, reuse, o.bad)
	if err != nil || counts.Rows+counts.Bad != 1 {
		t.Fatalf("%q: %v, %v, want one record", body, counts, err)
	}
	if !bytes.Equal(before, body) {
		t.Fatalf("%q became %q while it was read: the raw page is not what the network said", before, body)
	}
	return r.seen(o)
}

// file reads a file of one record.
func (r *routes) file(t *testing.T, file string) outcome {
	t.Helper()
	var o outcome
	r.block.Reset()
	f, err := openCSV(strings.NewReader(file), ",", chunkSize, recordLimit)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.csv.Bind(f.Header()); err != nil {
		t.Fatal(err)
	}
	var chunk Chunk
	if err := f.Next(&chunk); err != nil {
		t.Fatalf("%q: %v", file, err)
	}
	_, counts, err := r.csv.Chunk(&chunk, &Context{}, r.block, reuse, o.bad)
	if err != nil || counts.Rows+counts.Bad != 1 {
		t.Fatalf("%q: %v, %v, want one record", file, counts, err)
	}
	return r.seen(o)
}

func (o *outcome) bad(r BadRow) error {
	o.reason, o.record = r.Reason, string(r.Record)
	return nil
}

func (r *routes) seen(o outcome) outcome {
	column := r.block.Table().Index("amount")
	for _, cell := range r.block.Cells() {
		o.amount = cell(column)
	}
	return o
}

// all gives what becomes of an amount on every route on which the text can travel. JSON
// has it as a string and, where it is one, as a number.
func (r *routes) all(t *testing.T, text string) map[string]outcome {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]outcome{"JSON string": r.page(t, r.json, fmt.Appendf(nil, `[{"id":"1","v":%s}]`, quoted))}
	if json.Valid([]byte(text)) && strings.Trim(text, "-0123456789.eE+") == "" {
		got["JSON number"] = r.page(t, r.json, fmt.Appendf(nil, `[{"id":"1","v":%s}]`, text))
	}
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
		t.Fatal(err)
	}
	got["XML"] = r.page(t, r.xml, fmt.Appendf(nil, `<a><r><id>1</id><v>%s</v></r></a>`, escaped.String()))
	got["CSV"] = r.file(t, "id,v\n1,\""+strings.ReplaceAll(text, `"`, `""`)+"\"\n")
	return got
}

// exactly gives the amount that a plain decimal number means, rounded half to even at
// the tenth decimal, by math/big; held says that a column holds it.
func exactly(text string) (amount string, held, ok bool) {
	rat, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false, false
	}
	rat.Mul(rat, new(big.Rat).SetInt64(1e10))
	q, m := new(big.Int).DivMod(rat.Num(), rat.Denom(), new(big.Int))
	switch m.Lsh(m, 1).Cmp(rat.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, new(big.Int).And(q, big.NewInt(1)))
	}
	held = new(big.Int).Abs(q).Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)) < 0
	if q.Sign() == 0 {
		return "", held, true // the column's default
	}
	text = new(big.Rat).SetFrac(q, big.NewInt(1e10)).FloatString(10)
	return strings.TrimRight(strings.TrimRight(text, "0"), "."), held, true
}

// checkAmount holds that every route reads a text as the same exact amount, or that every
// one puts the record into quarantine with what the network said and why.
func (r *routes) checkAmount(t *testing.T, text string) {
	t.Helper()
	trimmed := strings.TrimSpace(text)
	want, held, number := "", true, false
	if plain := strings.Trim(trimmed, "0123456789.eE+-") == ""; plain {
		want, held, number = exactly(trimmed)
	}
	for route, got := range r.all(t, text) {
		switch {
		case trimmed == "":
			if got != (outcome{}) {
				t.Errorf("%s %q: got %+v, want no amount", route, text, got)
			}
		case number && held:
			if got != (outcome{amount: want}) {
				t.Errorf("%s %q: got %+v, want %s", route, text, got, want)
			}
		default:
			why := schema.ErrDecimalSyntax
			if number {
				why = schema.ErrDecimalRange
			}
			if got.amount != "" || !strings.HasPrefix(got.reason, "amount: ") || !strings.HasSuffix(got.reason, why.Error()) {
				t.Errorf("%s %q: got %+v, want quarantine with: %v", route, text, got, why)
			}
			if said := valueOf(t, got.record); said != text && route != "JSON number" && !strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%s %q: quarantine has %q of it", route, text, said)
			}
		}
	}
}

// valueOf is the amount as the record in quarantine has it.
func valueOf(t *testing.T, record string) string {
	t.Helper()
	var fields struct {
		V any `json:"v"`
	}
	d := json.NewDecoder(strings.NewReader(record))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		t.Fatalf("the record %q in quarantine: %v", record, err)
	}
	return fmt.Sprint(fields.V)
}

func TestAmountsOnEveryRouteAreExactOrInQuarantine(t *testing.T) {
	r := newRoutes(t)
	for _, text := range []string{
		"0", "-0", "+0.00", "0.10", "-12.5", " 7 ", "9007199254740993", "1e3", "25E-4", "1E+2", ".5", "5.", "-.5e1",
		"0.00000000005", "0.00000000015", "-0.00000000025", "0.00000000004999", "191190.40796039123", "1234567890123456789012345678.01234567885",
		"9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
		"9999999999999999999999999999.99999999995", "10000000000000000000000000000", "-1e28", "1e400", "123456789e999999",
		"NaN", "nan", "Infinity", "-Infinity", "inf", "+Inf", "null", "None", "N/A", "-", "--5", "+-1", ".", "e5", "1e", "1.2.3",
		"1,50", "1,234.50", "1.234,50", "1 234", "1_000", "0x10", "12.5 USD", "$12", "€5", "१२", "１２", "5%", "1/3", "\"5\"", "[5]",
	} {
		r.checkAmount(t, text)
	}
	random := rand.New(rand.NewPCG(31, 7))
	for range 3000 {
		digits := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = "0123456789059"[random.IntN(13)]
			}
			return string(b)
		}
		text := []string{"", "", "-", "+"}[random.IntN(4)] + digits(1+random.IntN(30))
		if random.IntN(3) > 0 {
			text += "." + digits(random.IntN(25))
		}
		if random.IntN(4) == 0 {
			text += "e" + strconv.Itoa(random.IntN(60)-30)
		}
		r.checkAmount(t, text)
	}
}

// FuzzAmount holds the same of any text.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"12.50", "-0.00000000005", "1e28", "NaN", "1,5", " 7\t", "9999999999999999999999999999.99999999995", "\u00a05", "5 USD"} {
		f.Add(seed)
	}
	r := newRoutes(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0xfffd }) {
			return // XML has no way to write them
		}
		if at := strings.IndexAny(text, "eE"); at >= 0 && len(text)-at > 6 {
			return // math/big would write the number out
		}
		r.checkAmount(t, text)
	})
}
