package extractors_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// TestFileRecordings reads files that networks write, testdata/<network>/<stream>/<case>.csv,
// as TestRecordings reads answers. The golden file begins with the call that the file
// is asked for with. Every stream that has files has to have one.
func TestFileRecordings(t *testing.T) {
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		played := map[string]bool{}
		src := source(t, n, n.Roles[0])
		dir := filepath.Join("testdata", n.Name)
		for _, file := range files(t, dir) {
			name := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), dir+string(filepath.Separator)))
			t.Run(strings.TrimPrefix(strings.TrimSuffix(file, ".csv"), "testdata"+string(filepath.Separator)), func(t *testing.T) {
				i := slices.IndexFunc(src.Streams(), func(s *extractors.Stream) bool { return s.Name == name && s.Export != nil })
				if i < 0 {
					t.Fatalf("network %s has no stream %s with files", n.Name, name)
				}
				got := playFile(t, n, src, src.Streams()[i], file)
				asGolden(t, file+".golden", got)
			})
			played[name] = true
		}
		for _, s := range src.Streams() {
			if s.Export != nil && !played[s.Name] {
				t.Errorf("stream %s of network %s has no recorded file", s.Name, n.Name)
			}
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".csv" {
			list = append(list, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return list
}

// playFile asks for a file as the daemon would and gives the recorded one's rows as text.
func playFile(t *testing.T, n *manifest.Network, src *rest.Source, s *extractors.Stream, file string) string {
	t.Helper()
	at, zone := of(t, n.Name)
	w := work(s, at)
	w.Route, w.Begun = state.Export, at.AddDate(0, 0, 2)
	call := creation(t, src, s, &w)
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", call.Method, call.Describe)
	values := extractors.Asked(call.Describe)
	maps.Copy(values, s.Variables)
	for i, out := range s.Export.Outputs {
		c := normalize.Context{
			Network: n.Name, Account: "main", RunID: "run", Stream: s.Name, Location: zone,
			Version: 1, SyncedAt: at, Variables: values, Mask: src.Mask,
		}
		if i == 0 && s.Window != nil {
			c.Window, c.By = w.Window, s.Window.By
		}
		writeFile(t, &b, out, body, &c)
	}
	return b.String()
}

// creation goes as far as the call that creates an export, at a network that has none.
func creation(t *testing.T, src *rest.Source, s *extractors.Stream, w *extractors.Work) extractors.Call {
	t.Helper()
	for range 5 {
		call, err := src.Next(s, *w)
		if err != nil {
			t.Fatal(err)
		}
		if call.Creates {
			return call
		}
		page, err := src.Read(s, *w, extractors.Answer{Status: 200, Header: http.Header{}, Body: []byte(`{"data":[]}`)})
		if err != nil {
			t.Fatal(err)
		}
		w.Cursor = page.Next
	}
	t.Fatal("no export is created")
	return extractors.Call{}
}

// writeFile normalizes a file for one table and writes what came out, like writeRows.
func writeFile(t *testing.T, b *strings.Builder, out extractors.Output, body []byte, c *normalize.Context) {
	t.Helper()
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		t.Fatal(err)
	}
	f, err := normalize.OpenCSV(bytes.NewReader(body), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Bind(f.Header()); err != nil {
		t.Fatal(err)
	}
	full := func(*schema.Block) (*schema.Block, error) {
		return nil, errors.New("a recording has more rows than a block")
	}
	bad := func(r normalize.BadRow) error {
		fmt.Fprintf(b, "\nbad record %d: %s\n", r.Index, r.Reason)
		return nil
	}
	block := schema.NewBlock(out.Table)
	var chunk normalize.Chunk
	for {
		if err := f.Next(&chunk); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if block, _, err = n.Chunk(&chunk, c, block, full, bad); err != nil {
			t.Fatal(err)
		}
	}
	writeBlock(t, b, out, block)
}
