package tests

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/cpasim"
)

// The secrets of the CPA tests, spelt so that a search for them finds nothing else.
const (
	leadsKey      = "e2e-LEADS-key-6d20f4"
	postbackToken = "e2e-POSTBACK-token-b81c37"
)

// cpaBed is an installation over a simulated CPA network whose clock the test moves.
type cpaBed struct {
	*bed
	sim *cpasim.Network

	mu  sync.Mutex
	now time.Time
}

// newCPA starts a simulated CPA network and an installation that knows its secrets. The
// network's clock stands still.
func newCPA(t *testing.T, o cpasim.Options) *cpaBed {
	t.Helper()
	b := &cpaBed{bed: newFolder(t), now: time.Now().UTC().Truncate(time.Second)}
	o.Now, o.Key = b.clock, leadsKey
	b.sim = cpasim.New(o)
	t.Cleanup(b.sim.Close)
	var err error
	if b.url, _, err = b.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.env = []string{"LEADS_KEY=" + leadsKey, "POSTBACK_TOKEN=" + postbackToken}
	return b
}

func (b *cpaBed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// pass moves the network's clock on.
func (b *cpaBed) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// cpaAccounts are an account's lines by the network's face, and its streams, asked for as
// soon as the daemon runs.
var cpaAccounts = map[cpasim.Face]struct{ lines, streams string }{
	cpasim.KMA: {`    network: kma
    credentials: {api_key: "${LEADS_KEY}"}
`, "statuses: {schedule: \"@every 1s\"}"},
	cpasim.WhoCPA: {`    network: whocpa
    credentials: {api_key: "${LEADS_KEY}"}
`, "leads: {schedule: \"@every 1s\"}, statuses: {schedule: \"@every 1s\"}"},
	cpasim.TrafficLight: {`    network: trafficlight
    credentials: {api_key: "${LEADS_KEY}"}
`, "leads: {schedule: \"@every 1s\"}, statuses: {schedule: \"@every 1s\"}"},
	cpasim.TerraLeads: {`    network: terraleads
    credentials: {api_key: "${LEADS_KEY}"}
    variables: {user: "4217"}
`, "statuses: {schedule: \"@every 1s\"}"},
}

// account gives the configuration of an account of the simulated network; more are its
// further lines.
func (b *cpaBed) account(name string, more ...string) string {
	return b.accountWith(name, cpaAccounts[b.sim.Options().Face].streams, more...)
}

// deaf is an account that is never pulled: it has postbacks alone.
func (b *cpaBed) deaf(name string) string {
	return b.accountWith(name, "leads: {enabled: false}, statuses: {enabled: false}")
}

func (b *cpaBed) accountWith(name, streams string, more ...string) string {
	if b.sim.Options().Face == cpasim.KMA || b.sim.Options().Face == cpasim.TerraLeads {
		streams = strings.ReplaceAll(streams, "leads: {enabled: false}, ", "") // they have no such stream
	}
	return fmt.Sprintf("  - name: %s\n    base_url: {url}\n%s    timezone: UTC\n    start: %s\n    pace: {min_delay: 0s, allow_faster: true}\n    postback: {token: \"${POSTBACK_TOKEN}\"}\n    streams: {%s}\n%s\n",
		name, cpaAccounts[b.sim.Options().Face].lines, b.sim.Options().From.Format(time.DateOnly), streams, strings.Join(more, "\n"))
}

// receiver gives the address that one would paste into the network's panel.
func (b *cpaBed) receiver(page, account string) string {
	return b.sim.Address(page + "/postback/" + account + "?token=" + postbackToken)
}

// deliver sends the network's postbacks to a daemon and returns when all are accepted.
func (b *cpaBed) deliver(page, account string, d cpasim.Delivery) []cpasim.Postback {
	b.t.Helper()
	d.Address, d.Retry = b.receiver(page, account), 20*time.Millisecond
	sent, err := b.sim.Deliver(b.t.Context(), d)
	if err != nil {
		b.t.Fatal(err)
	}
	return sent
}

// finish stops a daemon and brings what it had in hand to its end, so that the next run
// begins with what is due by then.
func (b *bed) finish(p *process) {
	b.t.Helper()
	p.signal(syscall.SIGTERM)
	p.wait().ended(b.t, 0)
	b.run("run", "--once").ended(b.t, 0)
}

// eventuallyRows waits until a view has n rows for which a condition holds.
func (b *bed) eventuallyRows(p *process, conn driver.Conn, view, where string, n int) {
	b.t.Helper()
	eventually(b.t, fmt.Sprintf("%d rows of %s where %s", n, view, where), func() bool {
		select {
		case <-p.done:
			b.t.Fatalf("the daemon ended:\n%s", tail(p.wait().stderr))
		default:
		}
		return one[uint64](b.t, conn, "SELECT count() FROM "+b.database+"."+view+" WHERE "+where) == uint64(n)
	})
}

// timePasses makes all that the state knows of leads so much older: what is to be asked
// for later is due then, and decisions stand for longer.
func (b *bed) timePasses(d time.Duration) {
	b.t.Helper()
	b.earlier(d, "UPDATE leads SET first_seen = first_seen - $1, status_at = status_at - $1, next_poll = next_poll - CASE WHEN next_poll > 0 THEN $1 ELSE 0 END")
}

// earlier makes checkpoints so much older, and with a statement of $1 milliseconds what
// the state knows of leads.
func (b *bed) earlier(d time.Duration, leads string) {
	b.t.Helper()
	db, err := sql.Open("sqlite", b.data("state.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{leads, "UPDATE checkpoints SET pulled_at = pulled_at - $1, published_at = published_at - $1"} {
		if _, err := db.Exec(s, d.Milliseconds()); err != nil {
			b.t.Fatalf("%s: %v", s, err)
		}
	}
}

// freePort gives an address that nobody listens at, for a daemon that has to come back
// at the same one.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ourWord is schema's word for where a lead stands, at a network that knows a hold.
var ourWord = map[cpasim.Status]string{
	cpasim.Waiting: "pending", cpasim.Held: "hold", cpasim.Approved: "approved", cpasim.Rejected: "rejected", cpasim.Trash: "trash",
}

// kmaLetter and kmaWord are KMA's, which knows none.
var (
	kmaLetter = map[cpasim.Status]string{cpasim.Waiting: "P", cpasim.Held: "P", cpasim.Approved: "A", cpasim.Rejected: "D", cpasim.Trash: "F"}
	kmaWord   = map[cpasim.Status]string{cpasim.Waiting: "pending", cpasim.Held: "pending", cpasim.Approved: "approved", cpasim.Rejected: "rejected", cpasim.Trash: "trash"}
)

// refusedNothing fails the test if the network refused a call or was asked to change something.
func (b *cpaBed) refusedNothing() {
	b.t.Helper()
	for _, c := range b.sim.Log() {
		if c.Refused != "" || c.Unsafe || c.Over {
			b.t.Errorf("%s %s?%s was answered %d: %s (over the budget: %v)", c.Method, c.Path, strings.ReplaceAll(c.Query, leadsKey, "KEY"), c.Status, c.Refused, c.Over)
		}
	}
}

// asked counts how often each lead was asked for by name.
func (b *cpaBed) asked() map[string]int {
	times := map[string]int{}
	for _, c := range b.sim.Log() {
		for _, id := range c.IDs {
			times[id]++
		}
	}
	return times
}

// call calls the receiver and gives what it answers.
func call(t *testing.T, method, target, contentType, body string) (status int, header http.Header, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(all)
}
