package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheLibraryIsFound(t *testing.T) {
	inModules := filepath.Join("node_modules", "@chdb", libraryPackage(), libraryFile)
	for _, c := range []struct {
		name     string
		files    []string // relative to the root
		env      string   // likewise
		exe, dir string   // likewise: the folders of executable and work
		want     string   // likewise
	}{
		{"where the environment says", []string{"opt/x.so", "bin/libchdb.so"}, "opt/x.so", "bin", "", "opt/x.so"},
		{"beside the executable", []string{"bin/libchdb.so", inModules}, "", "bin", "", "bin/libchdb.so"},
		{"in the executable's project", []string{"p/" + inModules, "q/" + inModules}, "", "p/bin", "q", "p/" + inModules},
		{"in the working directory's project", []string{"q/" + inModules}, "", "usr/bin", "q/internal/embedded", "q/" + inModules},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for _, file := range c.files {
				path := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			env := c.env
			if env != "" {
				env = filepath.Join(root, env)
			}
			got, err := findLibrary(env, filepath.Join(root, c.exe), filepath.Join(root, c.dir))
			if err != nil || got != filepath.Join(root, c.want) {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestAMissingLibrarySaysWhatToDo(t *testing.T) {
	root := t.TempDir()
	_, err := findLibrary("", root, root)
	if !errors.Is(err, ErrNoLibrary) {
		t.Fatalf("got %v, want ErrNoLibrary", err)
	}
	for _, want := range []string{"npm ci --ignore-scripts", "SYNCD_LIBCHDB=/path/to/libchdb.so", "warehouse.dsn"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
