package tests

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/embedded"
	"syncd/tests/affisesim"
	"syncd/tests/cpasim"
	"syncd/tests/metricssim"
	"syncd/tests/offerslooksim"
	"syncd/tests/performcbsim"
	"syncd/tests/simserver"
)

// provenDays is how many report days before today the accounts of a seed begin.
const provenDays = 6

// provenPace is what the binary has to keep between two calls of the accounts whose
// networks tell when each call came and ended.
const provenPace = 4 * time.Millisecond

// oracle is one seed: an installation with an account at every simulated network, and
// what goes wrong with it.
type oracle struct {
	*bed
	seed  uint64
	dice  *rand.Rand
	tally *tally
	start time.Time // the first report day, as a date

	affise  *affisesim.Network
	perform *performcbsim.Network
	metrics *metricssim.Network
	look    *offerslooksim.Network
	kma     *cpaBed // its bed is the oracle's
	who     *cpaBed
	terra   *cpaBed
	// lookNow is the clock of OffersLook.
	lookNow atomic.Int64

	disk *disk
	// engine and wire are nil if the binary runs an engine of its own.
	engine *embedded.Engine
	wire   *wire
	listen string

	calls    calls
	kills    []time.Time
	harmless map[int]bool // epochs of Affise's log in which an answer may not have been kept
	told     map[int]cpasim.Lead
	sent     []cpasim.Postback
	logs     int
	started  time.Time
	running  *process
}

// calls counts the calls to all networks.
type calls struct {
	n  atomic.Int64
	mu sync.Mutex
	// at are closed when so many calls were made.
	at map[int64]chan struct{}
	// writes are calls that no client may make.
	writes []string
}

func (c *calls) count(name string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		post := r.Method == http.MethodPost && (name == "terra" || name == "track" && strings.Contains(r.URL.Path, "/download-center/integrations/"))
		n := c.n.Add(1)
		c.mu.Lock()
		if r.Method != http.MethodGet && !post {
			c.writes = append(c.writes, name+": "+r.Method+" "+r.URL.Path)
		}
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if reached := c.at[n]; reached != nil {
				close(reached)
				delete(c.at, n)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// after gives a channel that is closed once n more calls are over.
func (c *calls) after(n int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	reached := make(chan struct{})
	c.at = map[int64]chan struct{}{c.n.Load() + int64(n): reached}
	return reached
}

func newOracle(t *testing.T, seed uint64, y *tally) *oracle {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	o := &oracle{seed: seed, dice: rand.New(rand.NewPCG(seed, 0)), tally: y, told: map[int]cpasim.Lead{}, harmless: map[int]bool{}, started: now}
	o.start = now.AddDate(0, 0, -provenDays)
	o.bed = &bed{t: t, dir: t.TempDir(), binary: must(release())(t), began: now, dsn: "embedded", database: "proof"}
	o.disk = newDisk(t, filepath.Join(o.dir, "disk"))
	o.listen = freePort(t)

	o.affise = affisesim.New(affisesim.Options{
		Seed: o.dice.Uint64(), AdminKey: adminKey, Affiliates: map[int]string{affiliateID: affiliateKey}, Platform: zone(t, berlin),
		Offers: 12, Partners: 12, Advertisers: 4, Users: 3, Conversions: 200 + o.dice.IntN(300), Clicks: 200 + o.dice.IntN(300), From: o.start.AddDate(0, 0, -1),
	})
	o.bed.network = o.affise
	o.perform = performcbsim.New(performcbsim.Options{
		Seed: o.dice.Uint64(), Now: func() time.Time { return now }, MinInterval: -1, Offers: 12, ConversionsPerDay: 20 + o.dice.IntN(30),
		From: o.start.AddDate(0, 0, -1), Accounts: []performcbsim.Account{{UserID: performUser, APIKey: performKey}},
	})
	o.metrics = metricssim.New(metricssim.Options{
		Seed: o.dice.Uint64(), Key: metricsKeyText, OneHost: true,
		Integrations: integrations[:1], Offers: 5, Publishers: 4, Advertisers: 3, Users: 3,
		ConversionsPerDay: 20 + o.dice.IntN(40), ClicksPerDay: 30 + o.dice.IntN(40), ImpressionsPerDay: 20, From: o.start.AddDate(0, 0, -1),
	})
	o.lookNow.Store(now.Add(-60 * time.Hour).UnixNano())
	o.look = offerslooksim.New(offerslooksim.Options{
		Seed: o.dice.Uint64(), Now: func() time.Time { return time.Unix(0, o.lookNow.Load()).UTC() }, Key: lookKey, Affiliates: map[string]string{lookAffMail: lookAffKey},
		Offers: 10, People: 6, ConversionsPerDay: 20 + o.dice.IntN(20), From: o.start, Budget: lookCallsMax,
	})
	cpa := func(face cpasim.Face, leads int) *cpaBed {
		b := &cpaBed{bed: o.bed, now: now.Add(-72 * time.Hour)}
		b.sim = cpasim.New(cpasim.Options{Face: face, Seed: o.dice.Uint64(), Now: b.clock, Key: leadsKey, Leads: leads, From: o.start.AddDate(0, 0, 1), Decide: 40 * time.Hour, Reverse: 40 * time.Hour})
		return b
	}
	o.kma, o.who, o.terra = cpa(cpasim.KMA, 30+o.dice.IntN(30)), cpa(cpasim.WhoCPA, 30+o.dice.IntN(60)), cpa(cpasim.TerraLeads, 8)
	o.terra.csv("leads.csv", func(cpasim.Lead) bool { return true })
	t.Cleanup(func() {
		for _, err := range []error{o.affise.Close(), o.metrics.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	o.configure()
	if o.dice.IntN(2) == 0 {
		o.ownEngine()
	}
	return o
}

// serving starts a network behind the counter of calls.
func (o *oracle) serving(name string, h http.Handler) (base string) {
	o.t.Helper()
	base, stop, err := simserver.Start("127.0.0.1:0", o.calls.count(name, h))
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(stop)
	return base
}

// configure writes the configuration of all accounts.
func (o *oracle) configure() {
	o.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "warehouse: {dsn: \"${WAREHOUSE}\", database: %s}\ndata_dir: %q\nhttp: {listen: %q, postback_rate: 100000}\nlog: {format: json}\naccounts:\n", o.database, filepath.Join(o.disk.path, "data"), o.listen)
	account := func(name, platform, base, credentials, zoneName, more string) {
		fmt.Fprintf(&b, "  - name: %s\n    network: %s\n    base_url: %s\n    credentials: {%s}\n    timezone: %s\n    start: %s\n    pace: {min_delay: %s, allow_faster: true, parallel: 1}\n    timeout: 3s\n%s",
			name, platform, base, credentials, zoneName, o.start.Format(time.DateOnly), provenPace, more)
	}
	const york, leads = "America/New_York", `api_key: "${LEADS_KEY}"`
	account("main", "affise", o.serving("main", o.affise.Handler()), `api_key: "${ADMIN_KEY}"`, berlin, "    role: admin\n    variables: {page_size: \"25\"}\n")
	account("partner", "performcb", o.serving("partner", o.perform), `api_key: "${PERFORM_KEY}"`, performZone, performVariables("4", 5))
	account("track", "24metrics", o.serving("track", o.metrics), `api_key: "${METRICS_KEY}"`, berlin, fmt.Sprintf("    variables: {integrations: %s, currency: USD, page_size: \"20\"}\n", integrations[0]))
	account("look", "offerslook", o.serving("look", o.look), `user: samplenet, api_key: "${LOOK_KEY}"`, york, "    role: network\n    variables: {conversions_page: \"25\"}\n")
	receives := "    postback: {token: \"${POSTBACK_TOKEN}\"}\n    streams: {%s}\n"
	account("kma", "kma", o.serving("kma", o.kma.sim), leads, "UTC", fmt.Sprintf(receives, `statuses: {schedule: "@every 2s"}`))
	account("who", "whocpa", o.serving("who", o.who.sim), leads, "UTC", fmt.Sprintf(receives, `statuses: {schedule: "@every 3s"}`)+"    variables: {page_size: \"15\"}\n")
	account("terra", "terraleads", o.serving("terra", o.terra.sim), leads, "UTC", "    variables: {user: \"4217\"}\n    open_ids: {file: leads.csv}\n    streams: {offers: {enabled: false}}\n")
	o.write("config.yaml", b.String())
	o.env = []string{
		"ADMIN_KEY=" + adminKey, "PERFORM_KEY=" + performKey, "METRICS_KEY=" + metricsKeyText, "LOOK_KEY=" + lookKey, "LEADS_KEY=" + leadsKey, "POSTBACK_TOKEN=" + postbackToken,
	}
}

// ownEngine gives the seed a ClickHouse that outlives the binary, and a wire to it.
func (o *oracle) ownEngine() {
	o.t.Helper()
	engine, err := embedded.Start(o.t.Context(), embedded.Options{DataDir: filepath.Join(o.dir, "server"), Password: serverPassword, Database: o.database, MemoryLimit: 2 << 30})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { stopServer(o.t, engine) })
	o.engine, o.wire = engine, newWire(o.t, engine.NativeAddr())
	o.dsn = o.dsnWith(nil)
}

// serverPassword is spelt so that a search for it finds nothing else.
const serverPassword = "e2e-server-password"

// dsnWith is the warehouse behind the wire, with further settings.
func (o *oracle) dsnWith(settings map[string]string) string {
	o.t.Helper()
	u, err := url.Parse(o.engine.DSN())
	if err != nil {
		o.t.Fatal(err)
	}
	u.Host = o.wire.address()
	q := u.Query()
	for k, v := range settings {
		q.Set(k, v)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// The streams of a seed. Clicks of Affise come in windows of an hour, so they are pulled
// apart from the others and for fewer days.
var (
	provenWindows = []string{
		"main/conversions", "main/stats/by_offer", "partner/conversions", "partner/stats/by_subid", "track/conversions", "track/clicks", "track/impressions", "track/postback_logs",
		"look/conversions", "who/leads",
	}
	provenLists = []string{
		"main/offers", "main/publishers", "main/advertisers", "main/users", "partner/offers", "partner/campaigns",
		"track/users", "track/publishers", "track/advertisers", "track/offers", "track/offer_events", "track/landing_pages", "look/offers", "look/publishers",
	}
	provenLeads = []string{"kma", "who/statuses", "who/leads", "who/postbacks", "terra/statuses"}
)

// clicksFrom is the first instant of Affise's clicks that are compared.
func (o *oracle) clicksFrom() time.Time {
	at := o.started.In(zone(o.t, berlin))
	return time.Date(at.Year(), at.Month(), at.Day()-1, 0, 0, 0, 0, at.Location())
}

// only gives the words that select streams.
func only(streams ...string) (args []string) {
	for _, s := range streams {
		args = append(args, "--only", s)
	}
	return args
}

// backfill gives the words of a backfill of days back, both included and counted from today.
func (o *oracle) backfill(from, to int, streams ...string) []string {
	day := func(back int) string {
		return o.started.In(zone(o.t, berlin)).AddDate(0, 0, -back).Format(time.DateOnly)
	}
	return append([]string{"run", "--backfill", day(from) + ".." + day(to)}, only(streams...)...)
}

// some gives a part of a list, one at least.
func (o *oracle) some(list []string) []string {
	var picked []string
	for _, s := range list {
		if o.dice.IntN(2) == 0 {
			picked = append(picked, s)
		}
	}
	if len(picked) == 0 {
		picked = append(picked, list[o.dice.IntN(len(list))])
	}
	return picked
}

// launch starts the binary on the seed's disk.
func (o *oracle) launch(binary string, env []string, args ...string) *process {
	o.t.Helper()
	words := append(o.disk.inside(), "sh", "-c", `cd "$0" && exec "$@"`, o.dir, binary)
	over := *o.bed
	over.binary = words[0]
	o.tally.mu.Lock()
	o.tally.runs++
	o.tally.mu.Unlock()
	return over.startWith(env, append(words[1:], args...)...)
}

// ended looks at a run that is over: how it may have ended, and what it said.
func (o *oracle) over(p *process) result {
	o.t.Helper()
	r := p.wait()
	o.logs++
	name := filepath.Join(o.dir, fmt.Sprintf("run-%02d.log", o.logs))
	told := slices.DeleteFunc(slices.Clone(p.cmd.Env), func(e string) bool {
		return !strings.HasPrefix(e, "SYNCD_CLOCK=") && !strings.HasPrefix(e, "SYNCD_CRASH=")
	})
	text := fmt.Sprintf("%v %v\nexit %d %v, %s after the beginning\n%s\n%s", told, p.cmd.Args[11:], r.code, r.signal, time.Since(o.started), r.stdout, r.stderr)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	if strings.Contains(r.stderr, "goroutine ") || r.signal == 0 && r.code != 0 && r.code != 1 && r.code != 3 {
		o.t.Errorf("run %d ended with exit %d:\n%s", o.logs, r.code, tail(r.stderr))
	}
	o.exceptions(r.stderr)
	return r
}
