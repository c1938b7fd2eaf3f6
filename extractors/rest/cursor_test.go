package rest

import (
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/state"
)

func TestCursorsSurviveTheirText(t *testing.T) {
	for _, c := range []cursor{
		{Version: 1, Kind: manifest.PagingPage, At: 1},
		{Version: 1, Kind: manifest.PagingOffset, Item: 7, At: 500, Size: 100, Pages: 5, Passed: 500, Last: 100, Hash: 1<<64 - 1, Doubt: true, Gone: 3, Edge: 5},
		{Version: 1, Kind: manifest.PagingCursor, Pages: 3, Passed: 300, Last: 100, Hash: 1, Token: "a\n/b=\"é", Round: round{Mark: 7, Span: 4, Gone: 1}},
	} {
		got, err := parseCursor(c.text())
		if err != nil || got != c {
			t.Errorf("got %+v, %v from %s, want %+v", got, err, c.text(), c)
		}
	}
}

func TestCursorsThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ cursor, want string }{
		"a foreign text":               {"page 2", "not one of this program's"},
		"an unknown field":             {`{"v":1,"k":"page","a":1,"z":1}`, "not one of this program's"},
		"two cursors":                  {`{"v":1,"k":"page","a":1}{"v":1}`, "more after its end"},
		"another version":              {`{"v":2,"k":"page","a":1}`, "version 2"},
		"no kind of paging":            {`{"v":1,"a":1}`, "does not say what it pages by"},
		"another kind of paging":       {`{"v":1,"k":"offset","a":1}`, "it pages by offset and the stream by page"},
		"a page before the first":      {`{"v":1,"k":"page","a":0}`, "before the first page"},
		"a negative page":              {`{"v":1,"k":"page","a":-1}`, "out of range"},
		"a page beyond all":            {`{"v":1,"k":"page","a":9007199254740993}`, "out of range"},
		"an item of a stream of none":  {`{"v":1,"k":"page","a":1,"i":1}`, "outside of the list"},
		"more on a page than in total": {`{"v":1,"k":"page","a":1,"l":5,"n":4}`, "out of range"},
		"a digest that is none":        {`{"v":1,"k":"page","a":1,"h":"xyz"}`, "not one of this program's"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st := setup(t, network(), account(t), "conversions")
			w := day(t, 2024, 3, 5)
			w.Cursor = state.Cursor(tt.cursor)
			_, err := s.Next(st, w)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Next: got %v, want %q", err, tt.want)
			}
			if _, err := s.Read(st, w, ok(`{"status":1,"conversions":[]}`)); err == nil {
				t.Error("Read took it")
			}
		})
	}
	s, st := setup(t, network(), account(t), "caps")
	w := extractors.Work{Kind: state.Snapshot, Items: []string{"1"}, Cursor: `{"v":1,"k":"page","a":1,"i":1}`}
	if _, err := s.Next(st, w); err == nil {
		t.Error("an item behind the end of the list was taken")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(`{"v":1,"k":"page","a":1}`)
	f.Add(`{"v":1,"k":"offset","i":7,"a":500,"s":100,"p":5,"n":500,"l":100,"h":"ffffffffffffffff","d":true,"g":3}`)
	f.Add(`{"v":1,"k":"page","a":1,"h":"0"} `)
	f.Add(`{"v":1,"k":"cursor","a":0,"p":3,"t":"x","r":{"m":"7","w":4,"x":1}}`)
	f.Add(`null`)
	f.Add(`{"v":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(state.Cursor(text))
		if err != nil {
			return
		}
		again, err := parseCursor(c.text())
		if err != nil || again != c {
			t.Errorf("%q reads as %+v, and that as %+v, %v", text, c, again, err)
		}
	})
}

// A pull that a former program left half done goes on: what was added since is left
// out where it means nothing.
func TestCursorsKeepTheirFirstForm(t *testing.T) {
	for text, want := range map[string]cursor{
		`{"v":1,"k":"page","a":3,"s":500,"p":2,"n":1000,"l":500,"h":"ff"}`: {Version: 1, Kind: manifest.PagingPage, At: 3, Size: 500, Pages: 2, Passed: 1000, Last: 500, Hash: 255},
		`{"v":1,"k":"none","i":4,"a":0,"g":1}`:                             {Version: 1, Kind: manifest.PagingNone, Item: 4, Gone: 1},
	} {
		c, err := parseCursor(state.Cursor(text))
		if err != nil || c != want || string(c.text()) != text {
			t.Errorf("%s reads as %+v, %v and is written %s", text, c, err, c.text())
		}
	}
}

// Whatever the answers of a network are, a list ends, and every cursor on the way
// can be read.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"status":1,"conversions":[{"id":1}],"pagination":{"next_page":2,"total_count":5,"per_page":1}}`), []byte(`{"status":1,"conversions":[{"id":2}]}`))
	f.Add([]byte(`[{}]`), []byte(`{"status":1,"conversions":{"a":1},"pagination":{"next_page":-9223372036854775808,"total_count":1e400}}`))
	f.Add([]byte(`{"status":1,"conversions":[],"pagination":[]}`), []byte(`{"status":"1","conversions":null}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		fuzzList(t, network(), a, b)
		n := network()
		n.Streams[0].Paging.Distinct = true
		fuzzList(t, n, a, b)
		n = byCursor()
		n.Streams[0].Output.Records = []string{"conversions"}
		n.Streams[0].Paging.Cursor = "pagination.next_page"
		fuzzList(t, n, a, b)
	})
}

func fuzzList(t *testing.T, n *manifest.Network, a, b []byte) {
	n.Streams[0].Paging.MaxPages = 20
	s, st := setup(t, n, account(t), "conversions")
	w := day(t, 2024, 3, 5)
	for i := range 25 {
		if _, err := s.Next(st, w); err != nil {
			t.Fatalf("after %d pages: %v", i, err)
		}
		body := a
		if i%2 == 1 {
			body = b
		}
		page, err := s.Read(st, w, extractors.Answer{Status: 200, Body: body})
		if err != nil || page.Done {
			return
		}
		w.Cursor = page.Next
	}
	t.Error("a list did not end")
}
