package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/internal/embedded"
	"syncd/tests/cpasim"
)

// sender is the program that sends a storm of postbacks.
var sender = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "postbackstorm")
	if out, err := exec.Command("go", "build", "-o", file, "syncd/tests/cpasim/cmd/postbackstorm").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building postbackstorm: %w\n%s", err, out)
	}
	return file, nil
})

// stormWords are KMA's letters as the storm sends them in turn.
var stormWords = []string{"P", "A", "D", "F"}

// storm starts a storm of count postbacks from a process of its own.
func (b *cpaBed) storm(page, account string, count int, more ...string) *process {
	b.t.Helper()
	over := *b.bed
	over.binary = must(sender())(b.t)
	return over.start(append([]string{
		"-url", page + "/postback/" + account + "?token=" + postbackToken + "&oid=storm-{n}&eid={n}&status={word}&pay=12.5&cc=USD",
		"-words", strings.Join(stormWords, ","), "-n", fmt.Sprint(count), "-answered", filepath.Join(b.dir, "answered.txt"),
	}, more...)...)
}

// stormed reads what the storm has to say.
func (b *cpaBed) stormed(r result) (sent, ok, broken int, answered []string) {
	b.t.Helper()
	var v struct{ Sent, OK, Broken int }
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		b.t.Fatalf("%v in %s", err, r.stdout)
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "answered.txt"))
	if err != nil {
		b.t.Fatal(err)
	}
	answered = strings.Fields(string(text))
	if len(answered) != v.OK {
		b.t.Fatalf("%d postbacks were answered and %d are in the file", v.OK, len(answered))
	}
	return v.Sent, v.OK, v.Broken, answered
}

// arrivedOnce fails the test unless every postback that was answered is there once, as is
// its lead, and none is there twice.
func (b *cpaBed) arrivedOnce(conn driver.Conn, sent int, answered []string) {
	b.t.Helper()
	words := map[string]string{"P": "pending", "A": "approved", "D": "rejected", "F": "trash"}
	for _, view := range []string{"postbacks", "conversions"} {
		w := newTable("conversion_id click_id status payout currency")
		for _, n := range answered {
			var number int
			if _, err := fmt.Sscan(n, &number); err != nil {
				b.t.Fatal(err)
			}
			w.add(b.t, 1, n, "storm-"+n, words[stormWords[number%len(stormWords)]], "12.5", "USD")
		}
		got := w.read(b.t, conn, b.database+"."+view, 1, nil) // a key that comes twice fails
		// Those on their way when the daemon was killed may be there without an answer.
		if len(got.rows) > sent {
			b.t.Errorf("%d rows are in %s of %d that were sent", len(got.rows), view, sent)
		}
		for n := range got.rows {
			if w.rows[n] == nil {
				delete(got.rows, n)
			}
		}
		w.same(b.t, view, got)
		// Underneath there is one key for each as well: none is hidden behind a tombstone.
		key := map[string]string{"postbacks": "account, received_at, id", "conversions": "account, report_date, conversion_id"}[view]
		if n := one[uint64](b.t, conn, "SELECT count() FROM (SELECT conversion_id FROM "+b.database+"_store."+view+" GROUP BY conversion_id HAVING uniqExact("+key+") > 1)"); n > 0 {
			b.t.Errorf("%d postbacks have two keys in %s", n, view)
		}
	}
}

func TestNoPostbackThatWasAnsweredIsLostOrDoubledWhenTheDaemonIsKilledInAStorm(t *testing.T) {
	t.Parallel()
	const count = 20_000
	b := newCPA(t, cpasim.Options{Leads: -1})
	b.config(b.deaf("kma"))
	listen := freePort(t)
	b.replace("http: {listen: 127.0.0.1:0}", "http: {listen: \""+listen+"\", postback_rate: 1000000}")
	p := b.start("run")
	page := p.page()
	storm := b.storm(page, "kma", count, "-connections", "24", "-tell", "1000")
	for _, answered := range []string{"answered 5000\n", "answered 12000\n"} {
		storm.await(answered)
		p.signal(syscall.SIGKILL)
		if r := p.wait(); r.signal != syscall.SIGKILL {
			t.Fatalf("it ended by itself:\n%s", tail(r.stderr))
		}
		p = b.start("run")
	}
	sent, ok, broken, answered := b.stormed(storm.wait().ended(t, 0))
	p.page()
	p.signal(syscall.SIGTERM)
	p.wait().ended(t, 0)
	if sent != count || broken == 0 || ok+broken != count {
		t.Errorf("%d were sent, %d answered, %d on connections that broke: the test shows nothing", sent, ok, broken)
	}
	b.run("run", "--once").ended(t, 0) // brings what still waits
	conn, _ := b.warehouse()
	b.arrivedOnce(conn, sent, answered)
	b.noQuarantine(conn)
}

func TestPostbacksAreAcceptedWhileClickHouseIsAwayAndArriveWhenItIsBack(t *testing.T) {
	t.Parallel()
	const count = 3_000
	b := newCPA(t, cpasim.Options{Leads: -1})
	engine := b.ownServer()
	b.config(b.deaf("kma"))
	p := b.start("run")
	page := p.page()
	stopServer(t, engine)
	sent, ok, _, answered := b.stormed(b.storm(page, "kma", count).wait().ended(t, 0))
	if ok != count {
		t.Fatalf("%d of %d postbacks were accepted without ClickHouse", ok, count)
	}
	// Nor does it need one to begin.
	p.signal(syscall.SIGKILL)
	p.wait()
	again, err := embedded.Start(t.Context(), embedded.Options{DataDir: filepath.Join(b.dir, "server"), Password: "e2e-server-password", MemoryLimit: 2 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, again) })
	if again.DSN() != engine.DSN() {
		t.Fatal("the server came back elsewhere: the test shows nothing")
	}
	p = b.start("run")
	conn := b.connect()
	b.eventuallyRows(p, conn, "postbacks", "1", count)
	b.eventuallyRows(p, conn, "conversions", "1", count)
	p.signal(syscall.SIGTERM)
	p.wait().ended(t, 0)
	b.arrivedOnce(conn, sent, answered)
}
