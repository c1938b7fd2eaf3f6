// Package tests drives the built binary against simulated networks and a real
// ClickHouse, and holds what the tree promises about itself.
package tests

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is the import table of ARCHITECTURE.md: what each package may import of
// ours. "all" is everything but what is for tests.
var allowed = map[string][]string{
	"schema":                              {},
	"schema/normalize":                    {"schema"},
	"state":                               {},
	"state/sqlite":                        {"state"},
	"state/statetest":                     {"state"},
	"extractors":                          {"schema", "schema/normalize", "state"},
	"extractors/transport":                {},
	"extractors/manifest":                 {"schema", "schema/normalize", "internal/strictyaml"},
	"extractors/export":                   {"extractors", "extractors/manifest", "schema", "schema/normalize", "state"},
	"extractors/rest":                     {"extractors", "extractors/export", "extractors/manifest", "internal/strictyaml", "schema", "schema/normalize", "state"},
	"extractors/extractorstest":           {"extractors", "extractors/transport", "schema", "schema/normalize", "state"},
	"loaders":                             {"schema"},
	"internal/strictyaml":                 {},
	"internal/config":                     {"internal/strictyaml", "internal/schedule"},
	"internal/schedule":                   {},
	"internal/plan":                       {"extractors", "schema", "state"},
	"internal/pipeline":                   {"extractors", "internal/plan", "internal/spool", "loaders", "schema", "schema/normalize", "state"},
	"internal/postback":                   {"extractors", "extractors/manifest", "schema", "schema/normalize", "state"},
	"internal/remap":                      {"extractors", "internal/pipeline", "internal/plan", "internal/spool", "loaders", "schema", "schema/normalize", "state"},
	"internal/spool":                      {},
	"internal/status":                     {"state"},
	"internal/metrics":                    {"internal/status", "state"},
	"internal/web":                        {"internal/status"},
	"internal/embedded":                   {},
	"cmd/syncd":                           {"all", "tests/affisesim", "tests/cpasim", "tests/metricssim", "tests/offerslooksim", "tests/performcbsim"},
	"tests/simserver":                     {},
	"tests/affisesim":                     {"tests/simserver"},
	"tests/offerslooksim":                 {"tests/simserver"},
	"tests/affisesim/cmd/affisesim":       {"tests/affisesim"},
	"tests/cpasim":                        {"tests/simserver"},
	"tests/cpasim/cmd/postbackstorm":      {},
	"tests/metricssim":                    {"tests/simserver"},
	"tests/performcbsim":                  {"tests/simserver"},
	"tests/performcbsim/cmd/performcbsim": {"tests/performcbsim"},
	"tests/bench":                         {"extractors", "extractors/manifest", "extractors/rest", "internal/embedded", "loaders", "schema", "schema/normalize", "state", "tests/affisesim", "tests/metricssim"},
}

// forTests are the packages that no production code may import. The simulator is
// not among them: `syncd demo` shows it.
var forTests = []string{"extractors/extractorstest", "state/statetest", "tests"}

const module = "syncd/"

// TestImports reads the sources itself: the go command's own list would come from
// a child process, and the test cache does not see what that reads.
func TestImports(t *testing.T) {
	root := ".."
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "testdata", "data":
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		seen[pkg] = true
		row, ok := allowed[pkg]
		if !ok {
			t.Errorf("%s: package %s has no row in the import table; add one here and in ARCHITECTURE.md", path, pkg)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if imported, ours := strings.CutPrefix(name, module); ours && !mayImport(row, imported) {
				t.Errorf("%s: package %s may not import %s", path, pkg, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range allowed {
		if !seen[pkg] {
			t.Errorf("the import table has a row for %s, which does not exist", pkg)
		}
	}
}

func mayImport(row []string, imported string) bool {
	if slices.Contains(row, imported) {
		return true
	}
	return slices.Contains(row, "all") && !slices.Contains(forTests, imported) && !strings.HasPrefix(imported, "tests/")
}
