package normalize

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"syncd/schema"
)

// FuzzDate holds of any text in any layout, in zones with clocks of all kinds: it is a
// time that a column holds, on the day that the zone's calendar says, or quarantine with a
// reason; what was read reads as itself; and of all windows exactly one takes it.
func FuzzDate(f *testing.F) {
	layouts := []Layout{
		LayoutDateTime, LayoutDate, LayoutRFC3339, LayoutUnix, LayoutUnixMilli, LayoutObjectID,
		"02.01.2006 15:04", "Jan 2, 2006 3:04 PM", "20060102150405", "2006-01-02 15:04:05 -0700", "Mon, 02 Jan 06",
	}
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Antarctica/Troll", "Africa/Casablanca", "America/Nuuk"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			f.Fatal(err)
		}
		zones = append(zones, loc)
	}
	for i, seed := range []string{
		"2026-03-29 02:30:00", "2026-10-25", "2026-04-05T01:45:00+11:00", "1774747800.5", "1774747800000", "69f0b0a80000000000000000",
		"29.03.2026 02:30", "Oct 25, 2026 2:30 AM", "20260329023000", "2026-03-29 02:30:00 +0200", "Sun, 29 Mar 26",
		"0000-00-00 00:00:00", " 2026-02-30", "1899-12-31 23:59:59", "2299-12-31 23:59:59.999", "2149-06-07", "9999999999999",
	} {
		f.Add(seed, uint8(i%len(layouts)), uint8(i))
	}
	normalizers := make([]*Normalizer, len(layouts))
	for i, layout := range layouts {
		normalizers[i] = mustCompile(f, Spec{Table: "conversions", Columns: map[string]Field{
			"conversion_id": {Const: "1"}, "created_at": {From: Paths{"v"}, Layout: layout}, "report_date": {FromColumn: "created_at"},
		}})
	}
	table := normalizers[0].Table()
	created, day := table.Index("created_at"), table.Index("report_date")
	block := schema.NewBlock(table)
	f.Fuzz(func(t *testing.T, text string, layout, zone uint8) {
		if !utf8.ValidString(text) || len(text) > 100 {
			return
		}
		n, loc := normalizers[int(layout)%len(layouts)], zones[int(zone)%len(zones)]
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		read := func(window schema.Window) (milli, onDay, reason string) {
			block.Reset()
			c := &Context{Location: loc, Window: window}
			if !window.IsZero() {
				c.By = "created_at"
			}
			_, counts, err := n.Page(fmt.Appendf(nil, `[{"v":%s}]`, quoted), c, block, reuse, func(r BadRow) error {
				reason = r.Reason
				return nil
			})
			if err != nil || counts.Rows+counts.Bad != 1 {
				t.Fatalf("%q: %v, %v, want one record", text, counts, err)
			}
			for _, cell := range block.Cells() {
				milli, onDay = cell(created), cell(day)
			}
			return milli, onDay, reason
		}
		stands, onDay, reason := read(schema.Window{})
		if reason != "" {
			if !strings.HasPrefix(reason, "created_at: ") && !strings.HasPrefix(reason, "report_date") || stands != "" {
				t.Fatalf("%s in %s: %q, and in quarantine because %s", quoted, layouts[int(layout)%len(layouts)], stands, reason)
			}
			return
		}
		if stands == "" {
			return // no time, or the first moment of 1970
		}
		milli, err := strconv.ParseInt(stands, 10, 64)
		if err != nil || schema.CheckTime(milli) != nil {
			t.Fatalf("%s is %q, which no column holds", quoted, stands)
		}
		at := time.UnixMilli(milli).In(loc)
		y, m, d := at.Date()
		if want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60); onDay != strconv.FormatInt(want, 10) && want != 0 {
			t.Fatalf("%s is %v, on day %s, want %d", quoted, at, onDay, want)
		}
		taken := 0
		edge := time.UnixMilli(milli).UTC()
		for _, w := range []schema.Window{
			{From: edge.Add(-time.Hour), To: edge}, {From: edge, To: edge.Add(time.Millisecond)}, {From: edge.Add(time.Millisecond), To: edge.Add(time.Hour)},
		} {
			switch again, _, reason := read(w); {
			case reason == "" && again == stands:
				taken++
			case reason == "" || !strings.Contains(reason, "outside of the window"):
				t.Fatalf("%s is %s in the window %v, %s, and %s without", quoted, again, w, reason, stands)
			}
		}
		if taken != 1 {
			t.Fatalf("%s, %v, lies in %d of three windows that touch", quoted, at, taken)
		}
	})
}
