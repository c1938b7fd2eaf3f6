package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cellsOf gives the rows of a block by column, without what is empty.
func cellsOf(b *Block) []map[string]string {
	var rows []map[string]string
	for _, text := range b.Cells() {
		row := map[string]string{}
		for col, c := range b.Table().Columns {
			if v := text(col); v != "" {
				row[c.Name] = v
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCellsComeBackAsTheyWereSet(t *testing.T) {
	rows := []map[string]string{
		{"conversion_id": "7", "status": "approved", "payout": "12.5", "created_at": "1772366400123", "report_date": "20513", "is_test": "1", "_version": "18446744073709551615", "_window": "1772366400"},
		{},
		{"conversion_id": "8\x00\n\"ü", "status": "hold", "payout": "-0.0000000001", "click_id": "c"},
		{"status": "approved", "revenue": "9999999999999999999999999999.9999999999", "created_at": "-1"},
	}
	b := NewBlock(conversions)
	for _, row := range rows {
		for name, text := range row {
			if err := b.SetText(conversions.Index(name), text); err != nil {
				t.Fatal(err)
			}
		}
		b.EndRow()
	}
	if d := cmp.Diff(rows, cellsOf(b)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestCellsStopWhenNobodyReadsOn(t *testing.T) {
	b := NewBlock(conversions)
	for range 3 {
		b.EndRow()
	}
	n := 0
	for range b.Cells() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("read %d rows", n)
	}
}

func TestTextThatAColumnCannotHoldIsRefusedWithItsName(t *testing.T) {
	for _, tt := range []struct{ column, text, want string }{
		{"payout", "12,5", `column conversions.payout cannot be "12,5": not a decimal number`},
		{"created_at", "soon", `column conversions.created_at cannot be "soon": strconv.ParseInt: parsing "soon": invalid syntax`},
		{"report_date", "65536", `column conversions.report_date cannot be "65536": strconv.ParseUint: parsing "65536": value out of range`},
		{"is_test", "-1", `column conversions.is_test cannot be "-1": strconv.ParseUint: parsing "-1": invalid syntax`},
	} {
		t.Run(tt.column, func(t *testing.T) {
			b := NewBlock(conversions)
			err := b.SetText(conversions.Index(tt.column), tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			b.EndRow()
			if got := cellsOf(b); len(got) != 1 || len(got[0]) != 0 {
				t.Errorf("the row has %v", got)
			}
		})
	}
}

func TestAColumnThatIsSetKeepsItsValue(t *testing.T) {
	b := NewBlock(conversions)
	at := conversions.Index("status")
	for _, text := range []string{"hold", "approved", ""} {
		if err := b.SetText(at, text); err != nil {
			t.Fatal(err)
		}
	}
	b.EndRow()
	if got := cellsOf(b)[0]["status"]; got != "hold" {
		t.Errorf("got %q", got)
	}
}
