package tests

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/klauspost/compress/zstd"

	"syncd/tests/affisesim"
	"syncd/tests/metricssim"
	"syncd/tests/offerslooksim"
	"syncd/tests/performcbsim"
)

// marked begins every secret of these tests, and linkMark is in every link to a file.
// What follows it in a key has to be escaped in addresses, in JSON and in XML; the
// beginning stands in all forms.
const (
	marked   = "e2e-MARKED-b94d07"
	linkMark = "e2e-LINK-5fa1c8"
)

// markedKey is a key of an account.
func markedKey(account string) string { return marked + "-" + account + "/+&<é" }

// lookUser is the user of OffersLook's basic auth, and no secret by itself.
const lookUser = "samplenet"

// marks are what is searched for: the beginning of all keys, the links, and what basic
// auth makes of a key.
var marks = []string{
	marked, linkMark, base64.StdEncoding.EncodeToString([]byte(lookUser + ":" + markedKey("look"))),
	base64.StdEncoding.EncodeToString([]byte(lookAff + ":" + markedKey("look-aff"))),
}

const lookAff = "aff12@example.test"

// searched looks for marks in text.
func searched(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, m := range marks {
		if i := bytes.Index(text, []byte(m)); i >= 0 {
			t.Errorf("%s has the secret %q: ...%q", where, m, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}

// echo stands before a simulated network and tells everybody's key to whoever asks: in
// headers, around records and in them, and in errors, of which it makes some.
type echo struct {
	network http.Handler
	// total counts the calls to all networks.
	total *atomic.Int64
	calls atomic.Int64
	// files counts what the storage was asked for.
	files atomic.Int64
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/storage/") {
		if e.files.Add(1) == 1 {
			// As storages do: the address as it came, signature and all.
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>%s</StringToSign></Error>", r.URL)
			return
		}
		e.network.ServeHTTP(w, r)
		return
	}
	n := e.calls.Add(1)
	e.total.Add(1)
	key := keyOf(r)
	quoted, _ := json.Marshal("your key is " + key + ", asked " + r.URL.String()) // a text
	w.Header().Set("X-Your-Key", key)
	w.Header().Set("Set-Cookie", "key="+key)
	fail := func(status int, body string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // who hung up misses it
	}
	words := fmt.Sprintf(`{"status":2,"code":1,"error":%[1]s,"message":%[1]s,"response":{"status":-1,"errorMessage":%[1]s}}`, quoted)
	switch n {
	case 3:
		fail(http.StatusInternalServerError, words)
		return
	case 5:
		fail(http.StatusOK, "<!DOCTYPE html><html><body>"+key+"</body></html>")
		return
	case 7:
		fail(http.StatusOK, words[:len(words)-9])
		return
	case 9:
		fail(http.StatusBadRequest, words)
		return
	case 11:
		fail(http.StatusOK, words)
		return
	}
	rec := httptest.NewRecorder()
	e.network.ServeHTTP(rec, r)
	header := rec.Header().Clone()
	header.Del("Content-Length")
	maps.Copy(w.Header(), header)
	body := quoting(rec.Body.Bytes(), quoted, key)
	if n == 13 {
		// Half of it, and the connection is gone.
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

// keyOf is the key that a call came with, wherever it was.
func keyOf(r *http.Request) string {
	_, password, _ := r.BasicAuth()
	for _, key := range []string{r.Header.Get("API-Key"), r.URL.Query().Get("api_key"), password} {
		if key != "" {
			return key
		}
	}
	return ""
}

// quoting puts the key into an answer: around the records, into the first one and, in a
// link to a file, a mark.
func quoting(body, quoted []byte, key string) []byte {
	text := strings.ReplaceAll(string(body), "?X-Goog-Expires=", "?X-Mark="+linkMark+"&X-Goog-Expires=")
	if strings.HasPrefix(text, `{"`) {
		text = `{"echo":{"text":` + string(quoted) + `,"api_key":` + string(quoted) + `},` + text[1:]
		text = strings.Replace(text, `[{"`, `[{"note":`+string(quoted)+`,"`, 1)
	}
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(key)) // a buffer takes everything
	return []byte(strings.Replace(text, "<conversion>", "<conversion><note>your key is "+escaped.String()+"</note>", 1))
}

// hasOffers answers with what is recorded of the platform, which says each key again.
type hasOffers struct{ recordings string }

func (h hasOffers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := map[string]string{
		"findMyApprovedOffers": "offers/map.json", "findMyOffers": "my_offers/list.json",
		"getConversions": "conversions/list.json", "getStats": "stats/custom/list.json",
	}[r.URL.Query().Get("Method")]
	body, err := os.ReadFile(filepath.Join(h.recordings, filepath.FromSlash(name)))
	if err != nil || name == "" {
		http.Error(w, "no such method", http.StatusNotFound)
		return
	}
	key, _ := json.Marshal(r.URL.Query().Get("api_key"))                // a text
	_, _ = w.Write(bytes.ReplaceAll(body, []byte(`"secret-key"`), key)) // who hung up misses it
}

// markedBed is an installation with accounts at all platforms, one of which has a wrong
// key, and with markers for all secrets.
func markedBed(t *testing.T) (b *bed, total *atomic.Int64, echoes map[string]*echo) {
	t.Helper()
	now := time.Now()
	total, echoes = &atomic.Int64{}, map[string]*echo{}
	b = newFolder(t).onServer()
	start := now.AddDate(0, 0, -2).Format(time.DateOnly)
	affise := affisesim.New(affisesim.Options{
		AdminKey: markedKey("affise"), Affiliates: map[int]string{affiliateID: markedKey("affise-partner")}, Conversions: 200, Clicks: 200,
	})
	metrics := metricssim.New(metricssim.Options{Key: markedKey("metrics"), OneHost: true, ConversionsPerDay: 30, ClicksPerDay: 40, ImpressionsPerDay: 20})
	look := offerslooksim.New(offerslooksim.Options{
		Name: lookUser, Key: markedKey("look"), Affiliates: map[string]string{lookAff: markedKey("look-aff")}, Budget: -1, Offers: 4, ConversionsPerDay: 20,
	})
	perform := performcbsim.New(performcbsim.Options{Accounts: []performcbsim.Account{{UserID: 7, APIKey: markedKey("perform")}}, MinInterval: -1, Offers: 10})
	t.Cleanup(func() {
		look.Close()
		for _, err := range []error{affise.Close(), metrics.Close(), perform.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	tenant, stop, err := affise.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	at, err := url.Parse(tenant)
	if err != nil {
		t.Fatal(err)
	}
	affiseAt := httputil.NewSingleHostReverseProxy(at)
	recordings, err := filepath.Abs("../extractors/testdata/hasoffers")
	if err != nil {
		t.Fatal(err)
	}
	var accounts strings.Builder
	add := func(name, platform string, network http.Handler, credentials, more string) {
		e := &echo{network: network, total: total}
		server := httptest.NewServer(e)
		t.Cleanup(server.Close)
		echoes[name] = e
		fmt.Fprintf(&accounts, "  - name: %s\n    network: %s\n    base_url: %s\n    credentials: {%s}\n    start: %s\n    pace: {min_delay: 0s, allow_faster: true}\n%s",
			name, platform, server.URL, credentials, start, more)
	}
	key := func(name string) string {
		variable := "KEY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		b.env = append(b.env, variable+"="+markedKey(name))
		return `api_key: "${` + variable + `}"`
	}
	york := "    timezone: America/New_York\n"
	add("wrong", "affise", affiseAt, fmt.Sprintf("api_key: %q", markedKey("wrong")), "    role: admin\n")
	add("affise", "affise", affiseAt, key("affise"), "    role: admin\n")
	add("affise-partner", "affise", affiseAt, key("affise-partner"), "    role: affiliate\n")
	add("perform", "performcb", perform, key("perform"), york+"    variables: {user_id: 7}\n    streams: {campaigns: {enabled: true}}\n")
	add("perform-wrong", "performcb", perform, key("perform-wrong"), york+"    variables: {user_id: 7}\n")
	add("hasoffers", "hasoffers", hasOffers{recordings}, key("hasoffers"), "")
	add("metrics", "24metrics", metrics, key("metrics"), "    variables: {integrations: "+strings.Join(metrics.Options().Integrations, ",")+"}\n")
	add("metrics-wrong", "24metrics", metrics, key("metrics-wrong"), "    variables: {integrations: x}\n")
	add("look", "offerslook", look, "user: "+lookUser+", "+key("look"), york+"    role: network\n")
	add("look-aff", "offerslook", look, "user: "+lookAff+", "+key("look-aff"), "    role: affiliate\n")
	b.env = append(b.env, "TOKEN="+markedKey("token"), "PII_KEY="+markedKey("pii"))
	b.config(accounts.String(), `log: {level: debug}`, `pii: {ip: hash, email: hash, key: "${PII_KEY}"}`)
	b.replace("http: {listen: 127.0.0.1:0}", `http: {listen: 127.0.0.1:0, token: "${TOKEN}"}`)
	b.replace("log: {format: json}\n", "")
	return b, total, echoes
}

// searchedFiles looks into every file of the data folder, and into the pages of the inbox.
func (b *bed) searchedFiles() (pages int) {
	b.t.Helper()
	b.files(func(name string, content []byte) {
		searched(b.t, name, content)
		for _, page := range frames(b.t, content) {
			searched(b.t, name+", a page of the inbox", page)
			pages++
		}
	})
	return pages
}

// frames gives what every zstd frame in a file holds, as far as it can be read.
func frames(t *testing.T, raw []byte) (held [][]byte) {
	t.Helper()
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.IgnoreChecksum(true))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	for {
		i := bytes.Index(raw, magic)
		if i < 0 {
			return held
		}
		if err := decoder.Reset(bytes.NewReader(raw[i:])); err == nil {
			var page bytes.Buffer
			_, _ = page.ReadFrom(decoder) // what follows the frame is no frame: as much as can be read counts
			if page.Len() > 0 {
				held = append(held, page.Bytes())
			}
		}
		raw = raw[i+len(magic):]
	}
}

// searchedTables looks into every column of every table of both databases, and into the
// raw pages as they were.
func (b *bed) searchedTables(conn driver.Conn) {
	b.t.Helper()
	t := b.t
	b.withoutWords(conn, marks)
	rows, err := conn.Query(context.Background(), "SELECT account, stream, body FROM "+b.database+"_store.raw_pages")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kept := map[string]int{}
	for rows.Next() {
		var account, stream, body string
		if err := rows.Scan(&account, &stream, &body); err != nil {
			t.Fatal(err)
		}
		for _, page := range frames(t, []byte(body)) {
			searched(t, "a raw page of "+account+"/"+stream, page)
			kept[account]++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{"affise", "affise-partner", "perform", "hasoffers", "metrics", "look", "look-aff"} {
		if kept[account] == 0 {
			t.Errorf("no raw page of %s was kept: the test shows nothing of it", account)
		}
	}
}

// Every platform tells every key to whoever asks, and things go wrong on the way: no
// key is found in what is said, logged or stored.
func TestMarkedSecretsOfAllPlatformsAppearNowhere(t *testing.T) {
	t.Parallel()
	b, total, echoes := markedBed(t)

	// Killed in the middle, the state still holds pages.
	p := b.start("run", "--once")
	eventually(t, "some calls to be made", func() bool { return total.Load() >= 60 })
	p.signal(syscall.SIGKILL)
	r := p.wait()
	searched(t, "the log of a run that was killed", []byte(r.stdout+r.stderr))
	if b.searchedFiles() == 0 {
		t.Error("no page was found in the state: the test shows nothing")
	}

	r = b.run("run", "--once").ended(t, 1) // of the wrong keys, and of the calls that were refused
	searched(t, "the log", []byte(r.stdout+r.stderr))
	says(t, r.stdout+r.stderr, "refused the key of account wrong", "refused the key of account metrics-wrong", "refused the key of account perform-wrong")
	for name, e := range echoes {
		if !strings.Contains(name, "wrong") && e.calls.Load() < 4 {
			t.Errorf("only %d calls were made for account %s", e.calls.Load(), name)
		}
	}
	if n := echoes["metrics"].files.Load(); n < 2 {
		t.Errorf("%d files were downloaded from 24metrics, want the second attempt at one at least", n)
	}
	for _, args := range [][]string{
		{"status"}, {"plan"}, {"plan", "--backfill", "2026-01-01..2026-01-03"}, {"check"}, {"check", "--offline"}, {"networks"},
		{"networks", "affise"}, {"networks", "performcb"}, {"networks", "24metrics"}, {"networks", "offerslook"}, {"networks", "hasoffers"},
	} {
		r := b.run(args...)
		if r.stdout == "" {
			t.Errorf("%v says nothing: %s", args, tail(r.stderr))
		}
		searched(t, strings.Join(args, " "), []byte(r.stdout+r.stderr))
	}
	b.searchedFiles()
	conn, _ := b.warehouse()
	b.searchedTables(conn)

	// A daemon says the same on its page.
	p = b.start("run")
	page := p.page()
	for _, path := range []string{"/", "/metrics", "/api/status"} {
		status, text := get(t, page+path, "Authorization", "Bearer "+markedKey("token"))
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
		searched(t, path, []byte(text))
	}
	p.signal(syscall.SIGTERM)
	r = p.wait()
	searched(t, "the log of a daemon", []byte(r.stdout+r.stderr))
	b.searchedFiles()
}

// A configuration that is wrong is quoted without what is secret in it.
func TestMistakesAreToldWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := newFolder(t)
	b.env = []string{"KEY=" + markedKey("x")}
	for name, accounts := range map[string]string{
		"a credential of another name":      "  - name: a\n    network: performcb\n    credentials: {api_kee: \"${KEY}\"}\n",
		"a key that is written out":         "  - name: a\n    network: performcb\n    credentials: {api_key: " + marked + ", api_key: " + marked + "2}\n",
		"a key in place of a credentials":   "  - name: a\n    network: affise\n    credentials: " + marked + "\n",
		"a key in the address":              "  - name: a\n    network: affise\n    base_url: \"https://u:${KEY}@api.example.com?api_key=${KEY}\"\n    credentials: {api_key: \"${KEY}\"}\n",
		"a key with a line break":           "  - name: a\n    network: affise\n    base_url: https://api.example.com\n    credentials: {api_key: \"${KEY}\\n\"}\n",
		"a network that gives no answer":    "  - name: a\n    network: performcb\n    base_url: http://127.0.0.1:1\n    pace: {min_delay: 0s, allow_faster: true}\n    credentials: {api_key: \"${KEY}\"}\n    variables: {user_id: 7}\n    timezone: America/New_York\n",
		"an address that leads nowhere":     "  - name: a\n    network: hasoffers\n    base_url: http://127.0.0.1:1/x\n    credentials: {api_key: \"${KEY}\"}\n",
		"basic auth at a closed port":       "  - name: a\n    network: offerslook\n    base_url: http://127.0.0.1:1\n    credentials: {user: " + lookUser + ", api_key: \"${KEY}\"}\n",
		"a key in place of a list":          "  - name: a\n    network: 24metrics\n    credentials: [" + marked + "]\n",
		"a key that is a list, written out": "  - name: a\n    network: 24metrics\n    credentials: {api_key: [" + marked + "]}\n",
	} {
		b.config(accounts)
		for _, command := range []string{"check"} {
			r := b.run(command)
			if r.code == 0 || r.stdout+r.stderr == "" {
				t.Errorf("%s: exit %d, and it says %s", name, r.code, tail(r.stdout+r.stderr))
			}
			searched(t, name, []byte(r.stdout+r.stderr))
		}
	}
}
