package rest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// answer is one page of a list: its records' ids, and what stands around them.
type answer struct {
	ids   []int
	pages string // the members of "pagination", or of the root for news
}

func (a answer) body(records string) string {
	items := make([]string, len(a.ids))
	for i, id := range a.ids {
		items[i] = fmt.Sprintf(`{"id":%d}`, id)
	}
	list := "[" + strings.Join(items, ",") + "]"
	if records == "items" {
		return fmt.Sprintf(`{"status":1,"items":%s,"x":0%s}`, list, a.pages)
	}
	return fmt.Sprintf(`{"status":1,%q:%s,"pagination":{%s}}`, records, list, a.pages)
}

func TestLists(t *testing.T) {
	stops := func(rules ...manifest.Stop) func(p *manifest.Paging) {
		return func(p *manifest.Paging) { p.Stop = rules }
	}
	for name, tt := range map[string]struct {
		stream  string // conversions (pages) unless given
		change  func(p *manifest.Paging)
		answers []answer
		at      []string // the values of page or skip that were asked for
		endless string   // the beginning of the error, empty for a good end
	}{
		"a list ends where no next page is named": {
			answers: []answer{{[]int{1, 2}, `"next_page":2`}, {[]int{3, 4}, `"next_page":3`}, {[]int{5}, ``}}, at: []string{"1", "2", "3"},
		},
		"a next page may be a text": {
			answers: []answer{{[]int{1}, `"next_page":"2"`}, {[]int{2}, `"next_page":""`}}, at: []string{"1", "2"},
		},
		"null names no next page": {
			answers: []answer{{[]int{1}, `"next_page":2`}, {[]int{2}, `"next_page":null`}}, at: []string{"1", "2"},
		},
		"false names no next page": {answers: []answer{{[]int{1}, `"next_page":false`}}, at: []string{"1"}},
		"zero names no next page":  {answers: []answer{{[]int{1}, `"next_page":0`}}, at: []string{"1"}},
		"a list ends at its total though a next page is named": {
			answers: []answer{{[]int{1, 2}, `"next_page":2,"total_count":3`}, {[]int{3}, `"next_page":3,"total_count":3`}}, at: []string{"1", "2"},
		},
		"a total of zero beside rows says nothing": {
			answers: []answer{{[]int{1, 2}, `"next_page":2,"total_count":0`}, {[]int{3}, `"total_count":0`}}, at: []string{"1", "2"},
		},
		"a page smaller than asked for is not the last one": {
			change:  stops(manifest.StopShort),
			answers: []answer{{[]int{1, 2}, `"per_page":2`}, {[]int{3, 4}, `"per_page":2`}, {[]int{5}, `"per_page":2`}}, at: []string{"1", "2", "3"},
		},
		"without a stated size a page shorter than asked for is the last": {
			change:  func(p *manifest.Paging) { p.Stop, p.Size = []manifest.Stop{manifest.StopShort}, 2 },
			answers: []answer{{[]int{1, 2}, ``}, {[]int{3}, ``}}, at: []string{"1", "2"},
		},
		"an answer with everything has the largest number as its size": {
			change:  stops(manifest.StopShort, manifest.StopEmpty),
			answers: []answer{{[]int{1, 2, 3}, `"per_page":2147483647`}}, at: []string{"1"},
		},
		"an empty page ends a list": {
			change:  stops(manifest.StopEmpty),
			answers: []answer{{[]int{1, 2}, ``}, {[]int{3}, ``}, {nil, ``}}, at: []string{"1", "2", "3"},
		},
		"an empty list ends at once": {
			answers: []answer{{nil, `"total_count":0`}}, at: []string{"1"},
		},
		"a total that contradicts a missing next page costs one call and loses nothing": {
			answers: []answer{{[]int{1, 2}, `"total_count":4`}, {[]int{3, 4}, `"total_count":4`}}, at: []string{"1", "2"},
		},
		"a total that was wrong ends at the empty page": {
			answers: []answer{{[]int{1, 2}, `"total_count":9`}, {nil, `"total_count":9`}}, at: []string{"1", "2"},
		},
		"a total that was wrong ends where the last page is given again": {
			answers: []answer{{[]int{1, 2}, `"total_count":9`}, {[]int{1, 2}, `"total_count":9`}}, at: []string{"1", "2"},
		},
		"a page that repeats is an error": {
			answers: []answer{{[]int{1, 2}, `"next_page":2`}, {[]int{1, 2}, `"next_page":3`}}, at: []string{"1", "2"}, endless: "endless paging: page 2 brought the same",
		},
		"a network that points at the same page is an error": {
			answers: []answer{{[]int{1, 2}, `"next_page":2`}, {[]int{3, 4}, `"next_page":2`}}, at: []string{"1", "2"}, endless: "endless paging: after 2 the network points to 2",
		},
		"a network that points backwards is an error": {
			answers: []answer{{[]int{1}, `"next_page":2`}, {[]int{2}, `"next_page":3`}, {[]int{3}, `"next_page":1`}}, at: []string{"1", "2", "3"}, endless: "endless paging: after 3 the network points to 1",
		},
		"more pages than the cap are an error": {
			change:  func(p *manifest.Paging) { p.MaxPages = 2 },
			answers: []answer{{[]int{1}, `"next_page":2`}, {[]int{2}, `"next_page":3`}}, at: []string{"1", "2"}, endless: "endless paging: there are more than 2 pages",
		},
		"as many pages as the cap are none": {
			change:  func(p *manifest.Paging) { p.MaxPages = 2 },
			answers: []answer{{[]int{1}, `"next_page":2`}, {[]int{2}, ``}}, at: []string{"1", "2"},
		},
		"empty pages without a rule for them are an error": {
			change:  stops(manifest.StopTotal),
			answers: []answer{{[]int{1}, `"total_count":5`}, {nil, `"total_count":5`}, {nil, `"total_count":5`}}, at: []string{"1", "2", "3"}, endless: "endless paging: page 3 is empty",
		},
		"a list ends at its last page though nothing else says so": {
			change:  stops(manifest.StopLastPage),
			answers: []answer{{[]int{1, 2}, `"pages":2`}, {[]int{3}, `"pages":2`}}, at: []string{"1", "2"},
		},
		"the number of pages may be a text": {
			change:  stops(manifest.StopLastPage),
			answers: []answer{{[]int{1, 2}, `"pages":"2"`}, {[]int{3}, `"pages":"2"`}}, at: []string{"1", "2"},
		},
		"pages are counted, whatever number the first has": {
			change:  func(p *manifest.Paging) { p.First, p.Stop = 0, []manifest.Stop{manifest.StopLastPage} },
			answers: []answer{{[]int{1, 2}, `"pages":2`}, {[]int{3}, `"pages":2`}}, at: []string{"0", "1"},
		},
		"no pages are the end of an empty list": {
			change:  stops(manifest.StopLastPage),
			answers: []answer{{nil, `"pages":0`}}, at: []string{"1"},
		},
		"no pages beside records say nothing": {
			change:  stops(manifest.StopLastPage, manifest.StopEmpty),
			answers: []answer{{[]int{1}, `"pages":0`}, {nil, `"pages":0`}}, at: []string{"1", "2"},
		},
		"a number of pages that is missing says nothing": {
			change:  stops(manifest.StopLastPage, manifest.StopEmpty),
			answers: []answer{{[]int{1}, ``}, {nil, ``}}, at: []string{"1", "2"},
		},
		"a number of pages that is no number says nothing": {
			change:  stops(manifest.StopLastPage, manifest.StopEmpty),
			answers: []answer{{[]int{1}, `"pages":-1`}, {nil, `"pages":"x"`}}, at: []string{"1", "2"},
		},
		"a total that says more than the last page costs one call": {
			change:  stops(manifest.StopLastPage, manifest.StopTotal),
			answers: []answer{{[]int{1, 2}, `"pages":1,"total_count":3`}, {[]int{3}, `"pages":1,"total_count":3`}}, at: []string{"1", "2"},
		},
		"where it is a rule, a page that repeats is the end": {
			change:  stops(manifest.StopEmpty, manifest.StopRepeated),
			answers: []answer{{[]int{1, 2}, ``}, {[]int{1, 2}, ``}}, at: []string{"1", "2"},
		},
		"with that rule other pages go on": {
			change:  stops(manifest.StopRepeated, manifest.StopEmpty),
			answers: []answer{{[]int{1, 2}, ``}, {[]int{3, 4}, ``}, {nil, ``}}, at: []string{"1", "2", "3"},
		},
		"an empty page after an empty one is no repeated page": {
			change:  stops(manifest.StopRepeated, manifest.StopTotal),
			answers: []answer{{nil, `"total_count":5`}, {nil, `"total_count":5`}}, at: []string{"1", "2"}, endless: "endless paging: page 2 is empty",
		},
		"an offset moves by what came": {
			stream:  "news",
			answers: []answer{{[]int{1, 2, 3}, `,"all_items":5`}, {[]int{4, 5}, `,"all_items":5`}}, at: []string{"0", "3"},
		},
		"an offset without a total ends at the empty page": {
			stream:  "news",
			answers: []answer{{[]int{1, 2, 3}, ``}, {nil, ``}}, at: []string{"0", "3"},
		},
		"an offset that does not move is an error": {
			stream: "news", change: stops(manifest.StopTotal),
			answers: []answer{{nil, `,"all_items":5`}}, at: []string{"0"}, endless: "endless paging: after an empty page the offset stays at 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			stream, param, records := "conversions", "page", "conversions"
			if tt.stream == "news" {
				stream, param, records = "news", "skip", "items"
			}
			n := network()
			for _, m := range n.Streams {
				m.Paging.Pages = "pagination.pages"
				if m.Name == stream && tt.change != nil {
					tt.change(&m.Paging)
				}
			}
			s, st := setup(t, n, account(t), stream)
			w := extractors.Work{Kind: state.Snapshot}
			if st.Window != nil {
				w = day(t, 2024, 3, 5)
			}
			for i, a := range tt.answers {
				call, err := s.Next(st, w)
				if err != nil {
					t.Fatal(err)
				}
				if got := query(t, call).Get(param); got != tt.at[i] {
					t.Fatalf("call %d asks for %s, want %s", i, got, tt.at[i])
				}
				page, err := s.Read(st, w, ok(a.body(records)))
				last := i == len(tt.answers)-1
				if tt.endless != "" && last {
					e, isEndless := errors.AsType[*EndlessError](err)
					api, isAPI := errors.AsType[*extractors.APIError](err)
					if !isEndless || !isAPI || api.Outcome != extractors.StopStream || !strings.HasPrefix(e.Error(), tt.endless) {
						t.Fatalf("got %+v, %v, want %q", page, err, tt.endless)
					}
					return
				}
				if err != nil {
					t.Fatalf("page %d: %v", i+1, err)
				}
				if page.Records != len(a.ids) || page.Done != last {
					t.Fatalf("page %d: got %+v, want %d records, done %v", i+1, page, len(a.ids), last)
				}
				w.Cursor = page.Next
			}
		})
	}
}

func TestAForEachGoesThroughAllPagesOfAllBatches(t *testing.T) {
	s, st := setup(t, network(), account(t), "caps")
	w := extractors.Work{Kind: state.Snapshot, Items: []string{"a", "b", "c"}}
	var asked []string
	for range 10 {
		call, err := s.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		q := query(t, call)
		asked = append(asked, strings.Join(q["id[]"], "+")+" "+q.Get("page"))
		next := ``
		if q.Get("page") == "1" {
			next = `"next_page":2`
		}
		// Two batches may well bring the same records: that is no repeated page.
		page, err := s.Read(st, w, ok(answer{[]int{len(next)}, next}.body("caps")))
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != 0 {
			t.Errorf("the total of one list is given as that of the pull: %+v", page)
		}
		if page.Done {
			break
		}
		w.Cursor = page.Next
	}
	if got, want := strings.Join(asked, ", "), "a+b 1, a+b 2, c 1, c 2"; got != want {
		t.Errorf("got calls %s, want %s", got, want)
	}
}

func TestTotalIsGivenForProgress(t *testing.T) {
	s, st := setup(t, network(), account(t), "conversions")
	for pages, want := range map[string]int64{`"total_count":2622`: 2622, `"total_count":"12"`: 12, `"total_count":-1`: 0, `"total_count":null`: 0, `"total_count":1e9`: 0, ``: 0} {
		page, err := s.Read(st, day(t, 2024, 3, 5), ok(answer{[]int{1}, pages}.body("conversions")))
		if err != nil || page.Total != want {
			t.Errorf("%s: got %+v, %v, want total %d", pages, page, err, want)
		}
	}
}

// Were the size to change half way, page 2 would hold other records.
func TestAPullKeepsThePageSizeItBeganWith(t *testing.T) {
	a := account(t)
	w := extractors.Work{Kind: state.Snapshot, Items: []string{"a", "b", "c"}}
	for i, want := range []string{"a+b 1 50", "a+b 2 50", "c 1 50"} {
		a.Variables = map[string]string{"page_size": strconv.Itoa(50 + i)} // the owner changes it between calls
		s, st := setup(t, network(), a, "caps")
		call, err := s.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		q := query(t, call)
		if got := strings.Join(q["id[]"], "+") + " " + q.Get("page") + " " + q.Get("limit"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		next := ``
		if i == 0 {
			next = `"next_page":2`
		}
		page, err := s.Read(st, w, ok(answer{[]int{i}, next}.body("caps")))
		if err != nil {
			t.Fatal(err)
		}
		w.Cursor = page.Next
	}
}

func TestAnAccountChoosesWhatOffsetsCount(t *testing.T) {
	n := network()
	n.Variables["means"] = manifest.Variable{Help: "what offsets count", Default: "page", Kind: manifest.VariableWord, Words: []string{"page", "offset"}}
	n.Streams[0].Paging.KindVariable = "means"
	n.Streams[0].Paging.Stop = []manifest.Stop{manifest.StopLastPage, manifest.StopEmpty}
	n.Streams[0].Paging.Pages = "pages"
	for word, want := range map[string]manifest.PagingKind{"page": manifest.PagingPage, "offset": manifest.PagingOffset} {
		a := account(t)
		a.Variables = map[string]string{"means": word}
		source, _ := setup(t, n, a, n.Streams[0].Name)
		paging := source.plans[n.Streams[0].Name].manifest.Paging
		if paging.Kind != want || slices.Contains(paging.Stop, manifest.StopLastPage) != (want == manifest.PagingPage) {
			t.Errorf("with %s the stream pages by %s and stops by %v", word, paging.Kind, paging.Stop)
		}
	}
}

func TestARoleMayHaveACheckOfItsOwn(t *testing.T) {
	n := network()
	n.Checks = map[string]manifest.Request{n.Roles[1]: {Path: "/own/check"}}
	for i, want := range []string{n.Check.Path, "/own/check"} {
		a := account(t)
		a.Role = n.Roles[i]
		source, err := New(n, a)
		if err != nil {
			t.Fatal(err)
		}
		if got := source.Check().Describe; !strings.HasPrefix(got, want) {
			t.Errorf("role %s is checked by %s, want %s", n.Roles[i], got, want)
		}
	}
}
