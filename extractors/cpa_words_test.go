package extractors_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
)

// statusWord is a line of testdata/status_words/*.txt: what a network's word means.
type statusWord struct {
	at      string // file and line
	network string
	// source is "postback", or the name of a stream, which stands for those below it too
	// ("statuses" for statuses/list); behind a role and a colon, of that role's stream alone.
	source string
	word   string
	// besides are further values of the record, by path: they decide together with the word.
	besides []beside
	status  string
}

type beside struct{ path, value string }

// besidePattern is the end of a word that another value of the record stands beside:
// "canceled [substatus=double]". A value may be empty.
var besidePattern = regexp.MustCompile(`\s*\[([^=\]]+)=([^\]]*)\]$`)

// columnGap parts the columns of a line; a single space is one of the word.
var columnGap = regexp.MustCompile(`\t+| {2,}`)

// readStatusWords reads all tables of words.
func readStatusWords(t *testing.T) []statusWord {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "status_words", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables of status words: %v", err)
	}
	var words []statusWord
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			w := statusWord{at: fmt.Sprintf("%s:%d", filepath.Base(file), number)}
			fields := columnGap.Split(line, -1)
			if len(fields) != 4 {
				t.Fatalf("%s: %q has %d columns in place of network, source, word and status", w.at, line, len(fields))
			}
			w.network, w.source, w.word, w.status = fields[0], fields[1], fields[2], fields[3]
			for {
				found := besidePattern.FindStringSubmatch(w.word)
				if found == nil {
					break
				}
				w.besides = append(w.besides, beside{found[1], found[2]})
				w.word = strings.TrimSuffix(w.word, found[0])
			}
			words = append(words, w)
		}
	}
	return words
}

// tells reports whether the line is about a stream.
func (w statusWord) tells(s *manifest.Stream) bool {
	name := w.source
	if role, rest, ok := strings.Cut(name, ":"); ok {
		if !slices.Contains(s.Roles, role) {
			return false
		}
		name = rest
	}
	return s.Name == name || strings.HasPrefix(s.Name, name+"/")
}

// statusFields gives the fields by which a stream makes the status of a lead or conversion.
func statusFields(s *manifest.Stream) []normalize.Field {
	var fields []normalize.Field
	for _, spec := range s.Outputs() {
		if f, ok := spec.Columns["status"]; ok && spec.Table == "conversions" {
			fields = append(fields, f)
		}
	}
	return fields
}

// TestEveryStatusWordOfACPANetworkMeansWhatItsTableSays sends every word of the tables
// through the mapping of its manifest.
func TestEveryStatusWordOfACPANetworkMeansWhatItsTableSays(t *testing.T) {
	networks := networksByName(t)
	for _, w := range readStatusWords(t) {
		n, ok := networks[w.network]
		if !ok {
			t.Errorf("%s: there is no network %s", w.at, w.network)
			continue
		}
		if w.source == "postback" {
			if n.Postback == nil {
				t.Errorf("%s: network %s sends no postbacks", w.at, n.Name)
			} else if got := n.Postback.Statuses[strings.ToLower(w.word)]; got != w.status {
				t.Errorf("%s: in a postback of %s %q is %q, want %q", w.at, n.Name, w.word, got, w.status)
			}
			continue
		}
		told := false
		for _, s := range n.Streams {
			if !w.tells(s) {
				continue
			}
			for _, field := range statusFields(s) {
				told = true
				for _, quoted := range writtenAs(w.word) {
					if got := statusOf(t, field, w, quoted); got != w.status {
						t.Errorf("%s: in stream %s of %s %s %v is %q, want %q", w.at, s.Name, n.Name, quoted, w.besides, got, w.status)
					}
				}
			}
		}
		if !told {
			t.Errorf("%s: network %s has no stream %s with a status", w.at, n.Name, w.source)
		}
	}
}

// TestEveryStatusWordOfACPANetworkIsInATable: a word that is added to a manifest has to
// say what it means in a table too.
func TestEveryStatusWordOfACPANetworkIsInATable(t *testing.T) {
	words := readStatusWords(t)
	for _, n := range networksByName(t) {
		lines := slices.DeleteFunc(slices.Clone(words), func(w statusWord) bool { return w.network != n.Name })
		if len(lines) == 0 && n.Postback == nil && n.Reach == manifest.ReachVerified {
			continue // no CPA network: its words are in golden rows
		}
		if n.Postback != nil {
			for word := range n.Postback.Statuses {
				if !slices.ContainsFunc(lines, func(w statusWord) bool { return w.source == "postback" && strings.ToLower(w.word) == word }) {
					t.Errorf("network %s: no table has its word %q of postbacks", n.Name, word)
				}
			}
		}
		for _, s := range n.Streams {
			about := slices.DeleteFunc(slices.Clone(lines), func(w statusWord) bool { return !w.tells(s) })
			for _, field := range statusFields(s) {
				for word := range field.Map {
					if !slices.ContainsFunc(about, func(w statusWord) bool { return strings.EqualFold(w.word, word) }) {
						t.Errorf("network %s: no table has the word %q of stream %s", n.Name, word, s.Name)
					}
				}
				for _, o := range field.Override {
					for _, value := range o.Equals {
						if !slices.ContainsFunc(about, func(w statusWord) bool {
							return slices.ContainsFunc(w.besides, func(b beside) bool { return slices.Contains(o.From, b.path) && b.value == value })
						}) {
							t.Errorf("network %s: no table has %s=%s of stream %s, which makes the status %s", n.Name, o.From[0], value, s.Name, o.Value)
						}
					}
				}
			}
		}
	}
}

func networksByName(t *testing.T) map[string]*manifest.Network {
	t.Helper()
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*manifest.Network{}
	for _, n := range networks {
		byName[n.Name] = n
	}
	return byName
}

// writtenAs gives the JSON in which a word may come: numbers come as such and as text.
func writtenAs(word string) []string {
	text, _ := json.Marshal(word) // a string always has one
	if _, err := strconv.Atoi(word); err == nil {
		return []string{string(text), word}
	}
	return []string{string(text)}
}

// statusOf normalizes a record that has the word where the field looks first.
func statusOf(t *testing.T, field normalize.Field, w statusWord, quoted string) string {
	t.Helper()
	spec := normalize.Spec{
		Table: "conversions", Shape: normalize.ShapeArray,
		Columns: map[string]normalize.Field{
			"conversion_id": {Const: "1"}, "report_date": {Const: "2024-03-05"}, "status": field,
		},
	}.Resolve(func(string) string { return "" })
	record := map[string]any{}
	from := spec.Columns["status"].From
	if len(from) == 0 {
		t.Fatalf("%s: the status is from no path of the record", w.at)
	}
	put(record, from[0], json.RawMessage(quoted))
	for _, b := range w.besides {
		put(record, b.path, b.value)
	}
	body, err := json.Marshal([]any{record})
	if err != nil {
		t.Fatal(err)
	}
	n, err := normalize.Compile(spec)
	if err != nil {
		t.Fatalf("%s: %v", w.at, err)
	}
	full := func(*schema.Block) (*schema.Block, error) { return nil, errors.New("one record fills a block") }
	bad := func(r normalize.BadRow) error { return fmt.Errorf("record %s: %s", body, r.Reason) }
	table, _ := schema.Lookup("conversions")
	at, zone := of(t, w.network)
	c := normalize.Context{Network: w.network, Account: "main", RunID: "run", Stream: w.source, Location: zone, Version: 1, SyncedAt: at}
	block, _, err := n.Page(body, &c, schema.NewBlock(table), full, bad)
	if err != nil {
		t.Fatalf("%s: %v", w.at, err)
	}
	return decode(t, block)[table.Index("status")](0)
}

// put sets the value at a dotted path, making objects on the way.
func put(record map[string]any, path string, value any) {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		record[first] = value
		return
	}
	below, ok := record[first].(map[string]any)
	if !ok {
		below = map[string]any{}
		record[first] = below
	}
	put(below, rest, value)
}
