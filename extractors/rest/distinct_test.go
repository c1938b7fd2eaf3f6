package rest

import (
	"errors"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
)

func TestPagesThatOverlap(t *testing.T) {
	for name, tt := range map[string]struct {
		records []string // the value at "conversions", a page each
		overlap bool     // on the last page
	}{
		"pages that follow one another do not":                  {[]string{`[{"id":1},{"id":2}]`, `[{"id":3},{"id":4}]`}, false},
		"the last record as the first of the next page does":    {[]string{`[{"id":1},{"id":2}]`, `[{"id":2},{"id":3}]`}, true},
		"the last record deep in the next page does":            {[]string{`[{"id":1},{"id":2},{"id":3}]`, `[{"id":2},{"id":3},{"id":4}]`}, true},
		"another record of the page before does not":            {[]string{`[{"id":1},{"id":2}]`, `[{"id":1},{"id":3}]`}, false},
		"records that are a map are compared too":               {[]string{`{"1":{"id":1},"2":{"id":2}}`, `{"2":{"id":2},"3":{"id":3}}`}, true},
		"only the page before counts":                           {[]string{`[{"id":1},{"id":2}]`, `[{"id":3}]`, `[{"id":2}]`}, false},
		"an empty page breaks no list":                          {[]string{`[{"id":1},{"id":2}]`, `[]`}, false},
		"a page that is the same is endless and not an overlap": {[]string{`[{"id":1},{"id":2}]`, `[{"id":1},{"id":2}]`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := network()
			n.Streams[0].Paging.Stop = []manifest.Stop{manifest.StopEmpty, manifest.StopRepeated}
			n.Streams[0].Paging.Distinct, n.Streams[0].Paging.DistinctAdvice = true, "set variables.paging to records"
			w := day(t, 2024, 3, 5)
			for i, records := range tt.records {
				s, st := setup(t, n, account(t), "conversions")
				page, err := s.Read(st, w, ok(`{"status":1,"conversions":`+records+`}`))
				if last := i == len(tt.records)-1; last && tt.overlap {
					e, isAPI := errors.AsType[*extractors.APIError](err)
					if _, is := errors.AsType[*OverlapError](err); !is || !isAPI || e.Outcome != extractors.StopStream || e.Advice != "set variables.paging to records" {
						t.Errorf("got %+v, %v, want pages that overlap", page, err)
					}
					return
				}
				if err != nil {
					t.Fatalf("page %d: %v", i+1, err)
				}
				w.Cursor = page.Next
			}
		})
	}
}

func TestAnOverlapIsToldInWords(t *testing.T) {
	n := network()
	n.Streams[0].Paging.Distinct, n.Streams[0].Paging.DistinctAdvice = true, "set variables.paging to records"
	s, st := setup(t, n, account(t), "conversions")
	w := day(t, 2024, 3, 5)
	page, err := s.Read(st, w, ok(answer{[]int{1, 2}, `"next_page":2`}.body("conversions")))
	if err != nil {
		t.Fatal(err)
	}
	w.Cursor = page.Next
	_, err = s.Read(st, w, ok(answer{[]int{2, 3}, `"next_page":3`}.body("conversions")))
	want := "Net gave an answer that cannot be used for account acme, stream conversions (200 page 2 has the last record of page 1 again), asked " +
		"/conversions?date_from=2024-03-05&date_to=2024-03-05&status[]=a&status[]=b%20c&timezone=Europe%2FBerlin&page=2&limit=100: set variables.paging to records"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The digest of a page's last record costs a pass over the records, so only the lists
// that ask for it have it.
func TestOtherListsHaveNoEdge(t *testing.T) {
	s, st := setup(t, network(), account(t), "conversions")
	page, err := s.Read(st, day(t, 2024, 3, 5), ok(answer{[]int{1, 2}, `"next_page":2`}.body("conversions")))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := parseCursor(page.Next); err != nil || c.Edge != 0 {
		t.Errorf("got %+v, %v, want no edge", c, err)
	}
}

func TestRecordsAreFoundWhereTheyAreCounted(t *testing.T) {
	for body, spec := range map[string]normalize.Spec{
		`{"data":{"data":[1]}}`:        {Records: normalize.Paths{"data.data"}},
		`{"data":[1]}`:                 {Records: normalize.Paths{"data.data", "data"}},
		`[1]`:                          {Records: normalize.Paths{"data"}},
		`{"data":{"a":1},"other":[2]}`: {Records: normalize.Paths{"data"}},
	} {
		d, err := parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := d.count(spec)
		var e envelope
		e.records = n
		e.readDistinct(&d, spec, cursor{})
		if err != nil || n != 1 || e.last == 0 {
			t.Errorf("%s: counted %d, %v, and saw %+v", body, n, err, e)
		}
	}
}
