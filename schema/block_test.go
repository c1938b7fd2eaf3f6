package schema

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"
)

// model is a row as plain text by column, and its dimensions.
type model struct {
	cells      map[string]string
	dimensions map[string]string
}

// fillRow sets some columns of the row in hand to random values and says what it did.
func fillRow(b *Block, random *rand.Rand) model {
	m := model{map[string]string{}, map[string]string{}}
	for i, c := range b.Table().Columns {
		if random.IntN(3) == 0 || c.Name == ColumnDimensionKey {
			continue
		}
		n := random.IntN(100_000)
		switch c.Type {
		case String, Word:
			v := strings.Repeat("x", random.IntN(200)) + fmt.Sprint(n%700)
			b.SetBytes(i, []byte(v))
			m.cells[c.Name] = v
		case Decimal:
			v, _ := ParseDecimal(fmt.Appendf(nil, "-%d.%d", n, n))
			b.SetDecimal(i, v)
			m.cells[c.Name] = v.String()
		case Time:
			b.SetTime(i, int64(n)-5000)
			m.cells[c.Name] = fmt.Sprint(n - 5000)
		case Date:
			b.SetDate(i, uint16(n))
			m.cells[c.Name] = fmt.Sprint(uint16(n))
		case Hour, Flag:
			b.SetUint(i, uint64(n%24))
			m.cells[c.Name] = fmt.Sprint(n % 24)
		case Count, Version, WindowTime:
			b.SetUint(i, uint64(n))
			m.cells[c.Name] = fmt.Sprint(n)
		case Dimensions:
			for range random.IntN(5) {
				name, v := fmt.Sprint("d", random.IntN(8)), fmt.Sprint(random.IntN(1000))
				b.AddDimension(i, []byte(name), []byte(v))
				if _, ok := m.dimensions[name]; !ok {
					m.dimensions[name] = v
				}
			}
		}
	}
	return m
}

// decode sends a block through ch-go's own encoder and reads it with ch-go's own
// columns, by each of its two ways to write.
func decode(t *testing.T, b *Block) []model {
	t.Helper()
	var encoded proto.Buffer
	block := proto.Block{Columns: len(b.Input()), Rows: b.Rows()}
	if err := block.EncodeRawBlock(&encoded, proto.Version, b.Input()); err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	w := proto.NewWriter(&written, new(proto.Buffer))
	if err := block.WriteBlock(w, 0, b.Input()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var plain proto.Buffer
	if err := block.EncodeRawBlock(&plain, 0, b.Input()); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(written.Bytes(), plain.Buf) {
		t.Fatal("the two ways to write a block differ")
	}

	rows := make([]model, b.Rows())
	for i := range rows {
		rows[i] = model{map[string]string{}, map[string]string{}}
	}
	var results proto.Results
	var read []func()
	for _, c := range b.Table().Columns {
		put := func(i int, v, zero string) {
			if v != zero {
				rows[i].cells[c.Name] = v
			}
		}
		var data proto.ColResult
		switch c.Type {
		case String:
			col := new(proto.ColStr)
			data = col
			read = append(read, func() {
				for i := range rows {
					put(i, col.Row(i), "")
				}
			})
		case Word:
			col := new(proto.ColStr).LowCardinality()
			data = col
			read = append(read, func() {
				for i := range rows {
					put(i, col.Row(i), "")
				}
			})
		case Decimal:
			col := new(proto.ColDecimal128)
			data = proto.Alias(col, "Decimal(38, 10)")
			read = append(read, func() {
				for i := range rows {
					v := col.Row(i)
					put(i, Int128{v.Low, int64(v.High)}.String(), "0")
				}
			})
		case Time:
			col := new(proto.ColInt64)
			data = proto.Alias(col, "DateTime64(3, 'UTC')")
			read = append(read, func() {
				for i := range rows {
					put(i, fmt.Sprint(col.Row(i)), "0")
				}
			})
		case Date:
			col := new(proto.ColUInt16)
			data = proto.Alias(col, "Date")
			read = append(read, func() {
				for i := range rows {
					put(i, fmt.Sprint(col.Row(i)), "0")
				}
			})
		case Count, Version:
			col := new(proto.ColUInt64)
			data = col
			read = append(read, func() {
				for i := range rows {
					put(i, fmt.Sprint(col.Row(i)), "0")
				}
			})
		case Hour, Flag:
			col := new(proto.ColUInt8)
			data = col
			read = append(read, func() {
				for i := range rows {
					put(i, fmt.Sprint(col.Row(i)), "0")
				}
			})
		case WindowTime:
			col := new(proto.ColUInt32)
			data = proto.Alias(col, "DateTime('UTC')")
			read = append(read, func() {
				for i := range rows {
					put(i, fmt.Sprint(col.Row(i)), "0")
				}
			})
		case Dimensions:
			col := proto.NewMap(new(proto.ColStr).LowCardinality(), new(proto.ColStr))
			data = col
			read = append(read, func() {
				for i := range rows {
					maps.Copy(rows[i].dimensions, col.Row(i))
				}
			})
		}
		results = append(results, proto.ResultColumn{Name: c.Name, Data: data})
	}
	var decoded proto.Block
	reader := proto.NewReader(bytes.NewReader(encoded.Buf))
	if err := decoded.DecodeRawBlock(reader, proto.Version, results); err != nil {
		t.Fatal(err)
	}
	for _, f := range read {
		f()
	}
	return rows
}

// withoutZeros drops what equals the default of its column, as decode does.
func (m model) withoutZeros(t *Table) model {
	out := model{map[string]string{}, m.dimensions}
	for _, c := range t.Columns {
		if v, ok := m.cells[c.Name]; ok && (c.Type == String || c.Type == Word || v != "0") {
			out.cells[c.Name] = v
		}
	}
	return out
}

func TestBlockSendsWhatWasSet(t *testing.T) {
	for _, table := range Tables() {
		t.Run(table.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, uint64(len(table.Columns))))
			b := NewBlock(table)
			for round := range 3 { // a block that is used again has nothing of before
				var want []model
				for range 500 + 300*round {
					m := fillRow(b, random)
					if random.IntN(4) == 0 {
						b.CancelRow()
						continue
					}
					b.EndRow()
					want = append(want, m.withoutZeros(table))
				}
				got := decode(t, b)
				for i := range got {
					delete(got[i].cells, ColumnDimensionKey)
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(model{})); diff != "" {
					t.Fatal(diff[:min(len(diff), 2000)])
				}
				b.Reset()
				if b.Rows() != 0 || b.Bytes() != 0 {
					t.Fatalf("after Reset: %d rows, %d bytes", b.Rows(), b.Bytes())
				}
			}
		})
	}
}

func TestCancelledRowLeavesNoTrace(t *testing.T) {
	for _, table := range Tables() {
		random := rand.New(rand.NewPCG(3, 4))
		with, without := NewBlock(table), NewBlock(table)
		replay := rand.New(rand.NewPCG(3, 4))
		for i := range 2000 {
			fillRow(with, random)
			if i%3 == 0 {
				with.CancelRow()
				// The other block never saw the row.
				scratch := NewBlock(table)
				fillRow(scratch, replay)
				continue
			}
			with.EndRow()
			fillRow(without, replay)
			without.EndRow()
		}
		var a, b proto.Buffer
		block := proto.Block{Columns: len(table.Columns), Rows: with.Rows()}
		if err := block.EncodeRawBlock(&a, 0, with.Input()); err != nil {
			t.Fatal(err)
		}
		if err := block.EncodeRawBlock(&b, 0, without.Input()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Buf, b.Buf) {
			t.Errorf("%s: a block in which rows were cancelled sends other bytes", table.Name)
		}
	}
}

func TestWordKeysGrowWithTheDictionary(t *testing.T) {
	table, _ := Lookup("clicks")
	b := NewBlock(table)
	country := table.Index("country")
	const rows = 70_000
	for i := range rows {
		b.SetBytes(country, fmt.Appendf(nil, "word %d", i))
		b.EndRow()
	}
	got := decode(t, b)
	for i := range rows {
		if want := fmt.Sprintf("word %d", i); got[i].cells["country"] != want {
			t.Fatalf("row %d: got %q, want %q", i, got[i].cells["country"], want)
		}
	}
}

func TestSecondValueOfAColumnIsIgnored(t *testing.T) {
	table, _ := Lookup("stats")
	b := NewBlock(table)
	name := table.Index("offer_id")
	if !b.SetBytes(name, []byte("first")) || b.SetBytes(name, []byte("second")) || !b.IsSet(name) {
		t.Error("the second value was taken")
	}
	b.AddDimension(table.Index(ColumnDimensions), []byte("country"), []byte("US"))
	b.AddDimension(table.Index(ColumnDimensions), []byte("country"), []byte("DE"))
	b.AddDimension(table.Index(ColumnDimensions), []byte("offer_id"), []byte("71"))
	b.EndRow()
	var got bytes.Buffer
	if err := Dump(&got, b); err != nil {
		t.Fatal(err)
	}
	want := `stats row 0
  dimension_key: "country=US\x1foffer_id=71"
  dimensions: {"country": "US", "offer_id": "71"}
  offer_id: "first"
  country: "US"
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func dimensionKey(pairs [][2]string) string {
	var c dimensionColumn
	for _, p := range pairs {
		c.add([]byte(p[0]), []byte(p[1]))
	}
	return string(c.canonical())
}

func TestDimensionKeyDoesNotDependOnOrder(t *testing.T) {
	pairs := [][2]string{{"b", "2"}, {"a", "1"}, {"c", ""}, {"ab", "x"}}
	want := "a=1\x1fab=x\x1fb=2\x1fc="
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		if got := dimensionKey(pairs); got != want {
			t.Fatalf("%v: got %q, want %q", pairs, got, want)
		}
	}
}

func FuzzDimensionKeyIsUnambiguous(f *testing.F) {
	f.Add("a", "1", "b", "2", "a", "1\x1fb=2", "a", "")
	f.Add("a=b", "c", "x", "", "a", "b=c", "x", "")
	f.Add(`a\`, "=", "", "", "a", `\=`, "", "")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2, m1, w1, m2, w2 string) {
		one, two := map[string]string{n2: v2}, map[string]string{m2: w2}
		one[n1], two[m1] = v1, w1
		key := func(m map[string]string) string {
			var pairs [][2]string
			for _, name := range slices.Sorted(maps.Keys(m)) {
				pairs = append(pairs, [2]string{name, m[name]})
			}
			return dimensionKey(pairs)
		}
		if maps.Equal(one, two) != (key(one) == key(two)) {
			t.Errorf("%q has key %q, %q has key %q", one, key(one), two, key(two))
		}
	})
}

func TestBlockThatHasItsSizeAllocatesNothing(t *testing.T) {
	for _, table := range Tables() {
		b := NewBlock(table)
		words := [][]byte{[]byte("one"), []byte("two"), []byte("three"), {}}
		fill := func() {
			b.Reset()
			for row := range 200 {
				for i, c := range table.Columns {
					word := words[(row+i)%len(words)]
					switch c.Type {
					case String, Word:
						b.SetBytes(i, word)
					case Decimal:
						b.SetDecimal(i, Int128{Low: 5})
					case Dimensions:
						b.AddDimension(i, word, word)
					}
				}
				if row%7 == 0 {
					b.CancelRow()
				} else {
					b.EndRow()
				}
			}
		}
		fill()
		if n := testing.AllocsPerRun(10, fill); n > 0 {
			t.Errorf("%s: %v allocations for 200 rows", table.Name, n)
		}
	}
}

func TestTablesAreConsistent(t *testing.T) {
	for _, table := range Tables() {
		if table.Key[0] != ColumnAccount {
			t.Errorf("%s: its key begins with %s", table.Name, table.Key[0])
		}
		seen := map[string]bool{}
		for _, c := range table.Columns {
			if seen[c.Name] {
				t.Errorf("%s has two columns %s", table.Name, c.Name)
			}
			seen[c.Name] = true
			if c.Doc == "" || c.Type.ClickHouse() == "" || !strings.HasSuffix(c.Doc, ".") {
				t.Errorf("%s.%s has no type or no sentence about it", table.Name, c.Name)
			}
		}
		for _, name := range append(slices.Clone(table.Key), table.Partition) {
			if name != "" && !seen[name] {
				t.Errorf("%s has no column %s, which its key or partition names", table.Name, name)
			}
		}
		for _, name := range table.Money {
			if i := table.Index(name); i < 0 || table.Columns[i].Type != Decimal {
				t.Errorf("%s: %s is no amount", table.Name, name)
			}
		}
	}
	for name, columns := range map[string]string{
		"conversions": "conversion_id click_id external_id event_id event_name offer_id offer_name publisher_id publisher_name advertiser_id advertiser_name status status_raw status_reason payout revenue profit sale_amount currency created_at click_at updated_at report_date country region city ip isp device_type device_model os os_version browser browser_version user_agent referer sub1 sub2 sub3 sub4 sub5 sub6 sub7 sub8 is_test network account _version _deleted _window _synced_at _run_id extra",
		"stats":       "report report_date report_hour dimensions dimension_key offer_id publisher_id country sub1 clicks unique_clicks impressions conversions approved_conversions approved_payout approved_revenue trash_conversions trash_payout trash_revenue",
	} {
		table, _ := Lookup(name)
		for column := range strings.FieldsSeq(columns) {
			if table.Index(column) < 0 {
				t.Errorf("%s has no column %s, which users build on", name, column)
			}
		}
	}
}
