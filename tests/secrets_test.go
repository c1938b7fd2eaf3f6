package tests

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/klauspost/compress/zstd"

	"syncd/tests/affisesim"
)

// secrets are what must appear nowhere: the keys that are sent, the token, and what
// the network gives away about its users.
var secrets = []string{adminKey, affiliateKey, performKey, "e2e-WRONG-key-000", pageToken, affisesim.SecretMarker, leadsKey, postbackToken}

const pageToken = "e2e-page-token-91c3"

// clean fails the test if text has a secret.
func clean(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, s := range secrets {
		if i := bytes.Index(text, []byte(s)); i >= 0 {
			t.Errorf("%s has the secret %q: ...%q", where, s, text[max(0, i-60):min(len(text), i+60)])
		}
	}
}

// cleanPages looks into every zstd frame of a file: the pages of the inbox.
func cleanPages(t *testing.T, where string, raw []byte) (pages int) {
	t.Helper()
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.IgnoreChecksum(true))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	for rest := raw; ; {
		i := bytes.Index(rest, magic)
		if i < 0 {
			return pages
		}
		rest = rest[i:]
		if err := decoder.Reset(bytes.NewReader(rest)); err == nil {
			var page bytes.Buffer
			_, _ = page.ReadFrom(decoder) // what follows the frame is no frame: as much as can be read counts
			if page.Len() > 0 {
				pages++
				clean(t, where+", a page of the inbox", page.Bytes())
			}
		}
		rest = rest[len(magic):]
	}
}

func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 400, Clicks: 400, Platform: zone(t, berlin)}).onServer()
	x := recent(t, "main", "UTC", 3)
	b.env = append(b.env, "TOKEN="+pageToken)
	b.config(strings.Replace(wrongAccount, "%s", x.day(x.from), 1)+adminAccount("main", "UTC", x.from, unpaced)+affiliateAccount("partner", "UTC", x.from, unpaced), `log: {level: debug}`)
	b.replace("http: {listen: 127.0.0.1:0}", `http: {listen: 127.0.0.1:0, token: "${TOKEN}"}`)
	b.replace("log: {format: json}\n", "")
	// Failed calls are told of too, and must tell nothing.
	b.network.Inject(affisesim.Fault{Kind: affisesim.ServerError, After: 3}, affisesim.Fault{Kind: affisesim.Reset, After: 6}, affisesim.Fault{Kind: affisesim.HTMLPage, After: 9})

	// Killed in the middle, the state still holds pages.
	some := b.after(40)
	p := b.start("run")
	<-some
	p.signal(syscall.SIGKILL)
	r := p.wait()
	clean(t, "the log", []byte(r.stdout+r.stderr))
	pages := 0
	b.files(func(name string, content []byte) {
		clean(t, name, content)
		if strings.Contains(name, "state.db") {
			pages += cleanPages(t, name, content)
		}
	})
	if pages == 0 {
		t.Error("no page was found in the state: the test shows nothing")
	}

	p = b.start("run")
	page := p.page()
	conn, _ := b.warehouse()
	b.eventuallyPublished(p, conn, "users", "partner/offers")
	for _, path := range []string{"/", "/metrics", "/api/status"} {
		status, text := get(t, page+path, "Authorization", "Bearer "+pageToken)
		if status != 200 {
			t.Errorf("%s answers %d", path, status)
		}
		clean(t, path, []byte(text))
	}
	p.signal(syscall.SIGTERM)
	r = p.wait().ended(t, 0)
	clean(t, "the log", []byte(r.stdout+r.stderr))
	for _, args := range [][]string{{"status"}, {"plan"}, {"check"}, {"check", "--offline"}} {
		r := b.run(args...)
		clean(t, strings.Join(args, " "), []byte(r.stdout+r.stderr))
	}
	b.files(func(name string, content []byte) { clean(t, name, content) })
	b.cleanTables(conn)
}

// eventuallyPublished waits until the users of the admin account and the offers of the
// affiliate are visible.
func (b *bed) eventuallyPublished(p *process, conn driver.Conn, what ...string) {
	b.t.Helper()
	eventually(b.t, strings.Join(what, " and "), func() bool {
		select {
		case <-p.done:
			b.t.Fatalf("the daemon ended:\n%s", tail(p.wait().stderr))
		default:
		}
		return one[uint64](b.t, conn, "SELECT count() FROM "+b.database+".users") > 0 &&
			one[uint64](b.t, conn, "SELECT count() FROM "+b.database+".offers WHERE account = 'partner'") > 0 &&
			one[uint64](b.t, conn, "SELECT count() FROM "+b.database+".advertisers") > 0 &&
			one[uint64](b.t, conn, "SELECT count() FROM "+b.database+".publishers") > 0
	})
}

// replace changes the configuration's text.
func (b *bed) replace(old, new string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "config.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		b.t.Fatalf("the configuration has no %q", old)
	}
	b.write("config.yaml", strings.Replace(string(text), old, new, 1))
}

// files reads every file of the data folder.
func (b *bed) files(visit func(name string, content []byte)) {
	b.t.Helper()
	err := filepath.WalkDir(filepath.Join(b.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			visit(path, content)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// withoutWords fails the test if a word stands in any column of any table or view of
// both databases.
func (b *bed) withoutWords(conn driver.Conn, words []string) {
	b.t.Helper()
	names := one[[]string](b.t, conn, "SELECT groupArray(concat(database, '.', name)) FROM system.tables WHERE database IN ($1, $2)", b.database, b.database+"_store")
	if len(names) < 20 {
		b.t.Errorf("only %d tables and views were found: %v", len(names), names)
	}
	for _, name := range names {
		for _, word := range words {
			// Every column as text, so that none can be forgotten.
			if n := one[uint64](b.t, conn, "SELECT count() FROM "+name+" WHERE position(toString(tuple(*)), $1) > 0", word); n > 0 {
				b.t.Errorf("%s has %d rows with the secret %q", name, n, word)
			}
		}
	}
}

// cleanTables reads every row of every table of both databases, and what raw pages
// hold when they are decompressed.
func (b *bed) cleanTables(conn driver.Conn) {
	b.t.Helper()
	t := b.t
	b.withoutWords(conn, secrets)
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	rows, err := conn.Query(context.Background(), "SELECT stream, body FROM "+b.database+"_store.raw_pages")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	pages := 0
	for rows.Next() {
		var stream, body string
		if err := rows.Scan(&stream, &body); err != nil {
			t.Fatal(err)
		}
		page, err := decoder.DecodeAll([]byte(body), nil)
		if err != nil {
			t.Errorf("a raw page of %s cannot be read: %v", stream, err)
		}
		clean(t, "a raw page of "+stream, page)
		pages++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if pages == 0 {
		t.Error("no raw page was kept")
	}
}
