package schema

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFillsHoldForTheRowsThatFollow(t *testing.T) {
	b := NewBlock(clicks)
	account, id, version, window, synced, run := clicks.Index("account"), clicks.Index("click_id"), clicks.Index("_version"), clicks.Index("_window"), clicks.Index("_synced_at"), clicks.Index("_run_id")
	end := func(name string) {
		b.SetBytes(id, []byte(name))
		b.EndRow()
	}
	fill := func(text string, n uint64) {
		b.FillBytes(account, []byte(text))
		b.FillBytes(run, []byte(text))
		b.FillUint(version, n)
		b.FillUint(window, n)
		b.FillTime(synced, int64(n)*1000)
	}
	end("before")
	fill("one", 1)
	fill("one", 1) // again, as every page says it
	end("first")
	b.SetBytes(account, []byte("own"))
	b.SetUint(version, 7)
	end("second")
	b.SetBytes(account, []byte("nobody's"))
	b.CancelRow()
	fill("two", 2)
	end("third")
	b.EndFill()
	end("after")
	var rows []map[string]string
	for _, row := range cellsOf(b) {
		delete(row, "click_id")
		rows = append(rows, row)
	}
	one := map[string]string{"account": "one", "_run_id": "one", "_version": "1", "_window": "1", "_synced_at": "1000"}
	two := map[string]string{"account": "two", "_run_id": "two", "_version": "2", "_window": "2", "_synced_at": "2000"}
	second := map[string]string{"account": "own", "_run_id": "one", "_version": "7", "_window": "1", "_synced_at": "1000"}
	if d := cmp.Diff([]map[string]string{{}, one, second, two, {}}, rows); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	fill("three", 3)
	b.Reset()
	end("new")
	if d := cmp.Diff([]map[string]string{{"click_id": "new"}}, cellsOf(b)); d != "" {
		t.Errorf("after Reset (-want +got)\n%s", d)
	}
	for col, f := range map[string]func(col int){
		"payout": func(col int) { b.FillBytes(col, nil) }, "click_id": func(col int) { b.FillUint(col, 1) }, "_version": func(col int) { b.FillTime(col, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was filled with what it cannot hold", col)
				}
			}()
			f(clicks.Index(col))
		}()
	}
}

// likeWords are words that differ in little: in their size, in bytes of zero, in one
// place.
func likeWords(random *rand.Rand) []byte {
	w := bytes.Repeat([]byte{"\x00ab"[random.IntN(3)]}, random.IntN(40))
	if len(w) > 0 && random.IntN(2) == 0 {
		w[random.IntN(len(w))] = byte(random.IntN(256))
	}
	return w
}

func TestWordsAreNumberedAsTheyComeWhateverTheirSize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	d := newDictionary()
	for range 3 {
		var order []string
		known := map[string]uint32{}
		for range 20_000 {
			if len(order) > 3 && random.IntN(50) == 0 {
				n := len(order) - random.IntN(3)
				for _, w := range order[n:] {
					delete(known, w)
				}
				order = order[:n]
				d.truncate(n)
			}
			w := likeWords(random)
			want, seen := known[string(w)]
			if !seen {
				want = uint32(len(order))
				known[string(w)], order = want, append(order, string(w))
			}
			if got := d.key(w); got != want {
				t.Fatalf("%q has the number %d, want %d of %d", w, got, want, len(order))
			}
			if got := string(d.word(want)); got != string(w) {
				t.Fatalf("the word %d is %q, want %q", want, got, w)
			}
		}
		if got, want := string(d.text), strings.Join(order, ""); got != want {
			t.Fatal("the text of all words is not theirs")
		}
		d.reset()
	}
}
