package tests

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"syncd/tests/affisesim"
	"syncd/tests/cpasim"
)

func TestTheDaemonAnswersOverHTTPAndStopsCleanly(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 200, Clicks: 200})
	x := recent(t, "main", "UTC", 2)
	b.env = append(b.env, "TOKEN="+pageToken)
	b.config(adminAccount("main", "UTC", x.from, unpaced))
	b.replace("http: {listen: 127.0.0.1:0}", `http: {listen: 127.0.0.1:0, token: "${TOKEN}"}`)
	p := b.start("run")
	page := p.page()

	for _, path := range []string{"/healthz", "/readyz"} { // supervisors have no token
		if status, text := get(t, page+path); status != http.StatusOK {
			t.Errorf("%s answers %d: %s", path, status, text)
		}
	}
	for _, path := range []string{"/", "/metrics", "/api/status"} {
		if status, _ := get(t, page+path); status != http.StatusUnauthorized {
			t.Errorf("%s answers %d without the token, want 401", path, status)
		}
		if status, _ := get(t, page+path, "Authorization", "Bearer wrong"); status != http.StatusUnauthorized {
			t.Errorf("%s answers %d with a wrong token, want 401", path, status)
		}
		if status, _ := get(t, page+path, "Authorization", "Bearer "+pageToken); status != http.StatusOK {
			t.Errorf("%s answers %d with the token", path, status)
		}
	}
	_, text := get(t, page+"/", "Authorization", "Bearer "+pageToken)
	says(t, text, "main", "conversions", "ClickHouse")
	_, text = get(t, page+"/metrics", "Authorization", "Bearer "+pageToken)
	says(t, text, "syncd_calls_total", "syncd_inbox_bytes", "syncd_warehouse_up")

	// A second one on the same state refuses, and says who holds it.
	second := b.run("run").ended(t, 1)
	says(t, second.stderr, "held by", "process")
	if strings.Contains(second.stderr, "goroutine") {
		t.Errorf("it panicked:\n%s", tail(second.stderr))
	}
	// Beside it the state and the warehouse can be read.
	says(t, b.run("status").ended(t, 0).stdout, "conversions")
	if got := strings.TrimSpace(b.run("query", "--format", "JSONEachRow", "SELECT 6 * 7 AS answer").ended(t, 0).stdout); got != `{"answer":42}` {
		t.Errorf("query beside the daemon says %q", got)
	}

	hosts := children(p.cmd.Process.Pid)
	if len(hosts) != 1 {
		t.Errorf("the daemon has %d children, want the engine alone", len(hosts))
	}
	// An engine that dies is started again, and the daemon stays up.
	for _, pid := range hosts {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		gone(t, pid)
	}
	eventually(t, "the engine to be back", func() bool {
		hosts = children(p.cmd.Process.Pid)
		status, _ := get(t, page+"/readyz")
		return len(hosts) == 1 && status == http.StatusOK
	})
	p.signal(syscall.SIGINT)
	says(t, p.wait().ended(t, 0).stderr, "syncd stopped")
	for _, pid := range hosts {
		gone(t, pid)
	}
	// Without the daemon the engine is started for the question.
	if got := strings.TrimSpace(b.run("query", "--format", "JSONEachRow", "SELECT count() >= 0 AS read FROM offers").ended(t, 0).stdout); got != `{"read":1}` {
		t.Errorf("query without a daemon says %q", got)
	}
}

// A signal may come while the daemon reads what it knows of its streams.
func TestADaemonThatIsStoppedAtOnceEndsWell(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Face: cpasim.WhoCPA, Leads: 20})
	b.onServer()
	b.warehouse()
	b.config(b.account("who"))
	for range 4 {
		p := b.start("run")
		p.page()
		b.finish(p)
	}
}

func TestTheDemoShowsAllPlatformsATableAndTheAddressesAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := newFolder(t)
	temporary := t.TempDir()
	p := b.startWith([]string{"TMPDIR=" + temporary}, "demo")
	p.await("Ctrl-C ends it all")
	stdout, _, _ := p.output()
	says(t, stdout, "where the real one asks for five minutes", "the first rows", "yesterday's performance by offer", "offer_id", "status page: http://127.0.0.1:", "ClickHouse native: 127.0.0.1:", "ClickHouse HTTP: http://127.0.0.1:")
	accounts := []string{"24metrics-demo", "affise-demo", "offerslook-demo", "performcb-demo"}
	_, table, _ := strings.Cut(stdout, "yesterday's performance by offer")
	says(t, table, accounts...)
	address := between(stdout, "status page: ", "\n")
	status, text := get(t, address)
	if status != http.StatusOK {
		t.Errorf("the status page answers %d", status)
	}
	says(t, text, accounts...)

	// What the table was made of can be asked for as it says.
	password, err := os.ReadFile(between(stdout, "password in ", "\n"))
	if err != nil {
		t.Fatal(err)
	}
	question := between(stdout, "ClickHouse HTTP: ", ",") + "&" + url.Values{
		"password": {strings.TrimSpace(string(password))},
		"query":    {"SELECT DISTINCT account FROM conversions ORDER BY account"},
	}.Encode()
	// KMA tells of its leads by postback, when it likes.
	want := strings.Join([]string{"24metrics-demo", "affise-demo", "kma-demo", "offerslook-demo", "performcb-demo", ""}, "\n")
	eventually(t, "conversions of all accounts", func() bool {
		_, text = get(t, question)
		return text == want
	})

	// The days before yesterday come as files from the platform that writes such.
	p.until(func(stdout, _ string) bool {
		return exported.MatchString(stdout)
	}, "conversions by an export")
	p.until(func(stdout, _ string) bool {
		return strings.Contains(stdout, "postbacks and their leads")
	}, "postbacks that arrive")
	stdout, _, _ = p.output()
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, "failed:") || strings.Contains(line, "in quarantine") {
			t.Errorf("the demo said: %s", line)
		}
	}
	hosts := children(p.cmd.Process.Pid)
	p.signal(syscall.SIGINT)
	p.wait().ended(t, 0)
	for _, pid := range hosts {
		gone(t, pid)
	}
	leftBehind(t, temporary)
}

// exported is the demo's line about conversions that came as files.
var exported = regexp.MustCompile(`24metrics-demo/conversions .* rows by (an export|\d+ exports)`)

// between gives what stands behind one text and before the next one.
func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}
