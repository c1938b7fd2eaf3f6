package rest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

// byCursor is the network whose conversions are paged by cursor, as reports of 24metrics are.
func byCursor() *manifest.Network {
	n := network()
	n.Streams[0].Paging = manifest.Paging{
		Kind: manifest.PagingCursor, Param: "page[after]", SizeParam: "page[size]", Size: 100,
		Next: "data.pageInfo.hasNextPage", Cursor: "data.pageInfo.endCursor", Stop: []manifest.Stop{manifest.StopNoNext, manifest.StopNoCursor},
	}
	n.Streams[0].Output.Records = []string{"data.data"}
	return n
}

func cursorPage(ids, pageInfo string) string {
	return `{"status":1,"data":{"data":[` + ids + `],"pageInfo":{` + pageInfo + `}}}`
}

func TestListsByCursor(t *testing.T) {
	type reply struct{ ids, info string }
	for name, tt := range map[string]struct {
		stop    []manifest.Stop // no_next and no_cursor unless given
		answers []reply
		asked   []string // the values of page[after]
		endless string
	}{
		"a list ends where there is no next page, though a cursor is given": {
			answers: []reply{{"1,2", `"hasNextPage":true,"endCursor":"a/b="`}, {"3", `"hasNextPage":false,"endCursor":"z"`}}, asked: []string{"", "a/b="},
		},
		"a list ends where there is no cursor": {
			answers: []reply{{"1,2", `"hasNextPage":true,"endCursor":"a"`}, {"3", `"hasNextPage":true,"endCursor":""`}}, asked: []string{"", "a"},
		},
		"a null cursor is none":          {answers: []reply{{"1", `"hasNextPage":true,"endCursor":null`}}, asked: []string{""}},
		"an empty list ends":             {answers: []reply{{"", `"hasNextPage":false,"endCursor":""`}}, asked: []string{""}},
		"an empty list may say no more":  {answers: []reply{{"", ``}}, asked: []string{""}},
		"a cursor may be a number":       {answers: []reply{{"1", `"hasNextPage":true,"endCursor":9007199254740993`}, {"2", ``}}, asked: []string{"", "9007199254740993"}},
		"an empty page may end the list": {stop: []manifest.Stop{manifest.StopEmpty}, answers: []reply{{"1", `"endCursor":"a","hasNextPage":true`}, {"", ``}}, asked: []string{"", "a"}},
		"an empty page that says there is more is an error": {
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":"a"`}, {"", `"hasNextPage":true,"endCursor":"b"`}}, asked: []string{"", "a"},
			endless: "endless paging: page 2 is empty, and the network says that there is more",
		},
		"it is one though a rule ends at empty pages": {
			stop:    []manifest.Stop{manifest.StopEmpty},
			answers: []reply{{"", `"hasNextPage":true,"endCursor":"b"`}}, asked: []string{""},
			endless: "endless paging: page 1 is empty, and the network says that there is more",
		},
		"more without a cursor is an error": {
			stop:    []manifest.Stop{manifest.StopNoNext},
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":""`}}, asked: []string{""},
			endless: "endless paging: page 1 says that there is more and gives no cursor",
		},
		"a cursor that is an object is an error": {
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":{"a":1}`}}, asked: []string{""},
			endless: "endless paging: the cursor that page 1 gives is no text and no number",
		},
		"a cursor as long as a book is an error": {
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":"` + strings.Repeat("x", 4097) + `"`}}, asked: []string{""},
			endless: "endless paging: page 1 gives a cursor of 4097 bytes",
		},
		"a cursor that stays is an error": {
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":"a"`}, {"2", `"hasNextPage":true,"endCursor":"a"`}}, asked: []string{"", "a"},
			endless: "endless paging: page 2 gives the cursor of its own call again",
		},
		"two cursors in turn are an error": {
			answers: []reply{
				{"1", `"hasNextPage":true,"endCursor":"a"`}, {"2", `"hasNextPage":true,"endCursor":"b"`},
				{"3", `"hasNextPage":true,"endCursor":"a"`}, {"4", `"hasNextPage":true,"endCursor":"b"`},
			}, asked: []string{"", "a", "b", "a"},
			endless: "endless paging: page 4 gives a cursor that an earlier page gave",
		},
		"the same records behind another cursor are an error": {
			answers: []reply{{"1", `"hasNextPage":true,"endCursor":"a"`}, {"1", `"hasNextPage":true,"endCursor":"b"`}}, asked: []string{"", "a"},
			endless: "endless paging: page 2 brought the same records",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := byCursor()
			if tt.stop != nil {
				n.Streams[0].Paging.Stop = tt.stop
			}
			w := day(t, 2024, 3, 5)
			for i, a := range tt.answers {
				s, st := setup(t, n, account(t), "conversions") // a new process each time
				call, err := s.Next(st, w)
				if err != nil {
					t.Fatal(err)
				}
				q := query(t, call)
				if got := q.Get("page[after]"); got != tt.asked[i] || q.Has("page[after]") != (i > 0) || q.Get("page[size]") != "100" {
					t.Fatalf("call %d is %s, want it after %q", i, call.URL, tt.asked[i])
				}
				page, err := s.Read(st, w, ok(cursorPage(a.ids, a.info)))
				last := i == len(tt.answers)-1
				if tt.endless != "" && last {
					e, isEndless := errors.AsType[*EndlessError](err)
					if api, isAPI := errors.AsType[*extractors.APIError](err); !isEndless || !isAPI || api.Outcome != extractors.StopStream || !strings.HasPrefix(e.Error(), tt.endless) {
						t.Fatalf("got %+v, %v, want %q", page, err, tt.endless)
					}
					return
				}
				if err != nil || page.Done != last {
					t.Fatalf("page %d: got %+v, %v, want done %v", i+1, page, err, last)
				}
				w.Cursor = page.Next
			}
		})
	}
}

// A circle of any length, after a way into it of any length, is noticed in time, and
// cursors that never come again are left alone.
func TestCursorsThatGoRoundInACircleAreNoticed(t *testing.T) {
	for length := 1; length <= 40; length++ {
		for way := range 20 {
			var r round
			noticed := 0
			for i := 0; noticed == 0 && i < 1000; i++ {
				token := i
				if i >= way {
					token = way + (i-way)%length
				}
				if r.pass(fmt.Sprint(token)) {
					noticed = i + 1
				}
				if !r.valid() {
					t.Fatalf("%+v is not valid", r)
				}
			}
			if limit := 3*max(length, way) + 3; noticed == 0 || noticed > limit || noticed <= way+length-1 {
				t.Errorf("a circle of %d after %d cursors: noticed at %d, want between %d and %d", length, way, noticed, way+length, limit)
			}
		}
	}
	var r round
	for i := range 5000 {
		if r.pass(fmt.Sprint(i)) {
			t.Fatalf("cursor %d is new", i)
		}
	}
}

// A list of integrations, a day and a cursor: every list has its own cursors, which may
// be the same as another's.
func TestAListOfItemsInAWindowByCursor(t *testing.T) {
	n, a := byCursor(), account(t)
	m := n.Streams[0]
	m.ForEach, m.Changes = &manifest.ForEach{Variable: "countries", Batch: 1}, nil
	m.Request.Query["integration_id"] = []string{"{item}"}
	a.Variables = map[string]string{"countries": "7, 8,9"}
	w := day(t, 2024, 3, 5)
	var asked []string
	for range 10 {
		s, st := setup(t, n, a, "conversions")
		w.Items = st.ForEach.Values
		call, err := s.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		q := query(t, call)
		if q.Get("date_from") != "2024-03-05" {
			t.Fatalf("the call %s lacks the window", call.URL)
		}
		asked = append(asked, q.Get("integration_id")+q.Get("page[after]"))
		info := `"hasNextPage":false,"endCursor":"y"`
		if !q.Has("page[after]") && q.Get("integration_id") != "8" {
			info = `"hasNextPage":true,"endCursor":"x"`
		}
		page, err := s.Read(st, w, ok(cursorPage(strconv.Itoa(len(info)), info)))
		if err != nil {
			t.Fatal(err)
		}
		if page.Done {
			break
		}
		w.Cursor = page.Next
	}
	if got, want := strings.Join(asked, " "), "7 7x 8 9 9x"; got != want {
		t.Errorf("got calls %s, want %s", got, want)
	}
}

func TestCursorsOfAnotherPagingAreRefused(t *testing.T) {
	s, st := setup(t, byCursor(), account(t), "conversions")
	for _, text := range []string{
		`{"v":1,"k":"cursor","a":0,"p":2}`, `{"v":1,"k":"cursor","a":0,"t":"x"}`, `{"v":1,"k":"page","a":1}`,
		`{"v":1,"k":"cursor","a":0,"p":2,"t":"x","r":{"w":-1}}`, `{"v":1,"k":"cursor","a":0,"p":2,"t":"x","r":{"w":1,"x":2}}`,
		`{"v":1,"k":"cursor","a":0,"p":2,"t":"` + strings.Repeat("x", 5000) + `"}`,
	} {
		w := day(t, 2024, 3, 5)
		w.Cursor = state.Cursor(text)
		if call, err := s.Next(st, w); err == nil {
			t.Errorf("cursor %.80s was read, as %v", text, call)
		}
	}
	s, st = setup(t, network(), account(t), "conversions")
	w := day(t, 2024, 3, 5)
	w.Cursor = `{"v":1,"k":"page","a":2,"p":1,"t":"x"}`
	if call, err := s.Next(st, w); err == nil {
		t.Errorf("a page number with a cursor was read, as %v", call)
	}
}
