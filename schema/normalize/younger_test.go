package normalize_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"syncd/schema"
	"syncd/schema/normalize"
)

func TestOfEachInstantTheYoungestSpanCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ given, want []normalize.Span }{
		"none":                          {nil, nil},
		"an empty one is none":          {[]normalize.Span{{5, 5, 1}}, nil},
		"those that touch stay apart":   {[]normalize.Span{{5, 9, 2}, {0, 5, 1}}, []normalize.Span{{0, 5, 1}, {5, 9, 2}}},
		"a day within a month":          {[]normalize.Span{{0, 30, 1}, {10, 11, 2}}, []normalize.Span{{0, 10, 1}, {10, 11, 2}, {11, 30, 1}}},
		"an older day within a month":   {[]normalize.Span{{10, 11, 1}, {0, 30, 2}}, []normalize.Span{{0, 30, 2}}},
		"the second pull of a window":   {[]normalize.Span{{0, 5, 1}, {0, 5, 7}}, []normalize.Span{{0, 5, 7}}},
		"three that reach over another": {[]normalize.Span{{0, 4, 3}, {2, 6, 2}, {5, 9, 1}}, []normalize.Span{{0, 4, 3}, {4, 6, 2}, {6, 9, 1}}},
		"of two neighbours of one pull": {[]normalize.Span{{0, 4, 3}, {4, 6, 3}}, []normalize.Span{{0, 6, 3}}},
		"with a hole between":           {[]normalize.Span{{0, 4, 3}, {6, 8, 3}}, []normalize.Span{{0, 4, 3}, {6, 8, 3}}},
	} {
		if got := normalize.NewSpans(test.given); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	spans := normalize.NewSpans([]normalize.Span{{10, 20, 7}, {30, 40, 8}})
	for part, want := range map[[2]int64]int{{0, 10}: 0, {0, 11}: 1, {15, 35}: 2, {20, 30}: 0, {39, 50}: 1, {40, 50}: 0} {
		if got := spans.Within(part[0], part[1]); len(got) != want {
			t.Errorf("within %v: %v, want %d", part, got, want)
		}
	}
	for at, want := range map[int64]uint64{9: 0, 10: 7, 19: 7, 20: 0, 30: 8, 39: 8, 40: 0} {
		if got := spans.At(at); got != want {
			t.Errorf("at %d: version %d, want %d", at, got, want)
		}
	}
}

func TestRowsOfYoungerAnswersAreLeftOut(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	m, err := normalize.Compile(normalize.Spec{Table: "conversions", Columns: map[string]normalize.Field{
		"conversion_id": {From: normalize.Paths{"id"}},
		"created_at":    {From: normalize.Paths{"at"}},
		"report_date":   {FromColumn: "created_at"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) int64 { return time.Date(2026, 5, d, 0, 0, 0, 0, berlin).UnixMilli() }
	body := `[{"id":"a","at":"2026-05-01 23:59:59"},{"id":"b","at":"2026-05-02 00:00:00"},{"id":"c","at":"2026-05-03 12:00:00"},{"id":"d","at":"2026-05-04 00:30:00"},{"at":"2026-05-03 12:00:00"}]`
	for _, by := range []string{"created_at", "report_date"} {
		for version, want := range map[uint64]int{4: 2, 5: 3, 9: 4} {
			t.Run(fmt.Sprintf("by %s at version %d", by, version), func(t *testing.T) {
				c := &normalize.Context{Location: berlin, Version: version, SyncedAt: time.Now(), Younger: normalize.Younger{
					By: by, Spans: normalize.NewSpans([]normalize.Span{{day(2), day(3), 5}, {day(3), day(4), 9}}),
				}}
				bad := 0
				block, counts, err := m.Page([]byte(body), c, schema.NewBlock(m.Table()), nil, func(normalize.BadRow) error { bad++; return nil })
				if err != nil {
					t.Fatal(err)
				}
				if block.Rows() != want || counts.Rows != want || counts.Bad != 1 || bad != 1 {
					t.Errorf("%d rows (counted %d), %d bad, want %d and the one without an id", block.Rows(), counts.Rows, bad, want)
				}
			})
		}
	}
}
