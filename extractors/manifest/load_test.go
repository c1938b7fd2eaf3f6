package manifest

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

const wantPrefix = "# want: "

func TestEmbeddedManifestsHoldNoMistake(t *testing.T) {
	loaded, err := Load()
	if err != nil {
		t.Fatalf("loading the embedded manifests:\n%v", err)
	}
	var names []string
	for _, n := range loaded {
		names = append(names, n.Name)
	}
	files, err := fs.Glob(networks, "networks/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		want = append(want, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	if !slices.Equal(names, want) || !slices.Contains(names, "affise") {
		t.Errorf("got networks %v, want one a file, by its name: %v", names, want)
	}
}

// TestBadManifests reads testdata/*.bad.yaml: every file breaks one rule, and its
// trailing "# want: " comments are the complete list of what has to be said of it.
func TestBadManifests(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("listing testdata: %d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".bad.yaml")
		t.Run(strings.ReplaceAll(name, "_", " "), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(src)) {
				if text, ok := strings.CutPrefix(strings.TrimSpace(line), wantPrefix); ok {
					want = append(want, text)
				}
			}
			_, problems := Parse("bad.yaml", src)
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if *update {
				rewrite(t, file, src, got)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mistakes found in %s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// rewrite puts what is said of a bad manifest at its end.
func rewrite(t *testing.T, file string, src []byte, said []string) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(string(src)) {
		if !strings.HasPrefix(line, wantPrefix) {
			b.WriteString(line)
		}
	}
	for _, s := range said {
		b.WriteString(wantPrefix + s + "\n")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// minimal is a manifest without mistakes.
const minimal = `
network: sample
title: Sample
evidence: documented
auth: {kind: header, name: X-Key, credential: key}
credentials: {key: {help: the key}}
roles: [admin, affiliate]
check: {path: /ping}
streams:
  - name: people
    doc: People.
    request: {path: /people}
    table: publishers
    records: rows
    columns: {publisher_id: {from: id}}
    schedule: "@daily"
`

func TestMinimalManifestHoldsNoMistakeAndGetsItsDefaults(t *testing.T) {
	n, problems := Parse("sample.yaml", []byte(minimal))
	if len(problems) > 0 {
		t.Fatalf("got %v, want no mistake", problems)
	}
	s := n.Streams[0]
	if got, want := s.Roles, []string{"admin", "affiliate"}; !slices.Equal(got, want) {
		t.Errorf("got roles %v, want %v", got, want)
	}
	if s.Evidence != Documented || s.Paging.Kind != PagingNone || n.Pace.Parallel != 1 {
		t.Errorf("got evidence %q, paging %q, parallel %d, want documented, none, 1", s.Evidence, s.Paging.Kind, n.Pace.Parallel)
	}
}

func TestAnnouncesMistakesOfAllManifestsAtOnce(t *testing.T) {
	broken := strings.Replace(minimal, "table: publishers", "table: publisher", 1)
	fsys := fstest.MapFS{
		"a.yaml":        {Data: []byte(broken)},
		"b.yaml":        {Data: []byte(strings.Replace(broken, "doc: People.", "#", 1) + "\n")},
		"b/01more.yaml": {Data: []byte("streems: []\n")},
	}
	_, err := LoadFS(fsys)
	if err == nil {
		t.Fatal("got no error, want one")
	}
	for _, want := range []string{"a.yaml:13:12: streams[0].table: ", `there is no table "publisher"; did you mean publishers?`, "b.yaml:10:5: streams[0]: stream people needs a doc sentence", "b/01more.yaml:1:1: streems: unknown key; did you mean streams?"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
}

func TestFurtherFilesAddTheirStreamsInOrder(t *testing.T) {
	more := func(name string) *fstest.MapFile {
		i := strings.Index(minimal, "streams:")
		r := strings.NewReplacer("name: people", "name: "+name, "publishers", "entities", "publisher_id", "id")
		return &fstest.MapFile{Data: []byte(r.Replace(minimal[i:]))}
	}
	loaded, err := LoadFS(fstest.MapFS{"sample.yaml": {Data: []byte(minimal)}, "sample/20.yaml": more("second"), "sample/10.yaml": more("first")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range loaded[0].Streams {
		got = append(got, s.Name)
	}
	if want := []string{"people", "first", "second"}; !slices.Equal(got, want) {
		t.Errorf("got streams %v, want %v", got, want)
	}
}

func TestMistakeInAFurtherFileIsShownThere(t *testing.T) {
	_, err := LoadFS(fstest.MapFS{
		"sample.yaml":    {Data: []byte(minimal)},
		"sample/10.yaml": {Data: []byte("streams:\n  - {name: other, doc: Other., request: {path: /x}, table: users, records: rows, columns: {user_id: {from: id}}}\n")},
	})
	if want := "sample/10.yaml:2:5: streams[0]: stream other needs a schedule"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryRoleReadsItsOwnStreams(t *testing.T) {
	loaded, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	affise := loaded[slices.IndexFunc(loaded, func(n *Network) bool { return n.Name == "affise" })]
	for _, c := range []struct {
		name, role, stream string
		path               string // empty: not readable
	}{
		{"an admin reads offers from the network's list", "admin", "offers", "/3.0/offers"},
		{"an affiliate reads offers from its own list", "affiliate", "offers", "/3.0/partner/offers"},
		{"an affiliate reads no clicks", "affiliate", "clicks", ""},
		{"an admin does not read an affiliate's balance", "admin", "balances", ""},
		{"a name below a template's is the template", "admin", "stats/custom/geo", "/3.0/stats/custom"},
		{"a name below another stream's is nothing", "admin", "offers/geo", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := affise.Stream(c.role, c.stream)
			if ok != (c.path != "") || ok && s.Request.Path != c.path {
				t.Errorf("got %v, %v, want path %q", s, ok, c.path)
			}
		})
	}
}

// TestAffiseCatalogueIsComplete holds the list of the documentation's read calls.
func TestAffiseCatalogueIsComplete(t *testing.T) {
	loaded, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]map[string]bool{"admin": {}, "affiliate": {}}
	for role, paths := range asked {
		for _, s := range loaded[slices.IndexFunc(loaded, func(n *Network) bool { return n.Name == "affise" })].For(role) {
			paths[s.Request.Path] = true
		}
	}
	both := []string{"admin", "affiliate"}
	admin, affiliate := both[:1], both[1:]
	for path, roles := range map[string][]string{
		"/3.0/stats/custom": both, "/3.0/stats/conversions": both, "/3.0/stats/clicks": admin,
		"/3.0/stats/getbydate": both, "/3.0/stats/getbyhour": both, "/3.0/stats/getbysub": affiliate, "/3.0/stats/getbyprogram": both,
		"/3.0/stats/getbyadvertiser": admin, "/3.0/stats/getbyaccountmanager": admin, "/3.0/stats/getbyaffiliatemanager": admin,
		"/3.0/stats/getbypartner": admin, "/3.0/stats/getbypartnerbydate": admin, "/3.0/stats/getbycountries": both,
		"/3.0/stats/getbybrowsers": both, "/3.0/stats/getbyos": both, "/3.0/stats/getbyversions": both, "/3.0/stats/getbygoal": both,
		"/3.0/stats/getbycities": both, "/3.0/stats/getbydevices": both, "/3.0/stats/getbydevicemodels": both,
		"/3.0/stats/find-subs": affiliate, "/3.0/stats/serverpostbacks": admin, "/3.0/stats/affiliatepostbacks": admin,
		"/{variable.caps_version}/stats/caps": both, "/3.0/stats/retentionrate": both,
		"/3.0/partner/offers": affiliate, "/3.0/partner/live-offers": affiliate, "/3.0/news": affiliate, "/3.0/news/{item}": affiliate,
		"/3.0/partner/pixels": affiliate, "/3.0/partner/pixels/{item}": admin, "/3.0/balance": affiliate,
		"/3.0/offers": admin, "/3.0/offer/{item}": both, "/3.0/offer/categories": both, "/3.0/admin/offer/sources": admin,
		"/3.0/admin/advertisers": admin, "/3.0/admin/advertiser-invoices": admin, "/3.0/admin/advertiser-invoice/{item}": admin,
		"/3.0/admin/partners": admin, "/3.0/admin/postbacks": admin, "/3.0/admin/users": admin, "/3.0/cities": admin,
		"/3.0/admin/currency": admin, "/3.0/admin/payment_systems": admin, "/3.0/admin/custom_fields": admin, "/3.0/admin/domains": admin,
		"/3.0/admin/tickets": admin, "/3.0/admin/smartlink/categories": admin, "/3.0/isp": both,
	} {
		for _, role := range roles {
			if !asked[role][path] {
				t.Errorf("role %s does not read %s", role, path)
			}
		}
	}
}

func TestDecodesDurationsAndSizes(t *testing.T) {
	src := minimal + "    window: {by: created_at, step: day, max_age: 7d}\n    restate: [{last: 1d12h, every: 30m}]\nmax_body: 64MiB\n"
	src = strings.Replace(src, "request: {path: /people}", `request: {path: /people, query: {from: "{window.from_day}"}}`, 1)
	src = strings.Replace(src, "columns: {", "columns: {created_at: {from: at}, ", 1)
	n, problems := Parse("sample.yaml", []byte(src))
	if len(problems) > 0 {
		t.Fatalf("got %v, want no mistake", problems)
	}
	if got := n.Streams[0].Window.MaxAge; got != 7*24*time.Hour {
		t.Errorf("got max_age %v, want 168h", got)
	}
	if got, want := n.Streams[0].Restate[0], (Tier{Last: 36 * time.Hour, Every: 30 * time.Minute}); got != want {
		t.Errorf("got tier %v, want %v", got, want)
	}
	if n.MaxBody != 64<<20 {
		t.Errorf("got max_body %d, want %d", n.MaxBody, 64<<20)
	}
}

func TestEmbeddedFilesAreAllRead(t *testing.T) {
	want := map[string]bool{}
	if err := fs.WalkDir(networks, "networks", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			want[path] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	read := recordingFS{networks, map[string]bool{}}
	dir, err := fs.Sub(read, "networks")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFS(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read.opened); diff != "" {
		t.Errorf("files of networks/ that Load reads (-there +read):\n%s", diff)
	}
}

// recordingFS remembers which files were opened.
type recordingFS struct {
	fs.FS
	opened map[string]bool
}

func (r recordingFS) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && !info.IsDir() {
		r.opened[name] = true
	}
	return f, nil
}
