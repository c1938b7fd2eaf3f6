package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/strictyaml"
)

const (
	memoryLimitMin = Size(512 << 20) // below, the embedded engine fails on its first merge
	inboxMin       = Size(16 << 20)  // a few pages
	rawPagesMin    = 24 * time.Hour
	spoolMin       = time.Hour

	postbackRateMax = 1_000_000 // more than one machine can answer
)

var (
	identifier  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	clusterName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

	piiWords    = []string{PIIKeep, PIIHash, PIIDrop}
	levelWords  = []string{"debug", "info", "warn", "error"}
	formatWords = []string{"auto", "console", "json"}
)

// checker collects what is wrong with a configuration.
type checker struct {
	*Config
	now   time.Time
	found strictyaml.Problems
}

// check reports every mistake that can be seen without knowing the networks, and
// loads the accounts' zones. Defaults are filled in before.
func (c *Config) check(now time.Time) strictyaml.Problems {
	k := &checker{Config: c, now: now}
	k.warehouse()
	k.state()
	k.http()
	k.personal()
	k.word("log.level", c.Log.Level, levelWords)
	k.word("log.format", c.Log.Format, formatWords)
	k.atLeast("retention.raw_pages", c.Retention.RawPages, rawPagesMin)
	k.atLeast("retention.spool", c.Retention.Spool, spoolMin)
	if c.Inbox.MaxSize < inboxMin {
		k.report("inbox.max_size", "%v is too small; at least %v", c.Inbox.MaxSize, inboxMin)
	}
	k.accounts()
	return k.found
}

func (k *checker) report(path, format string, args ...any) {
	k.found = append(k.found, k.Problem(path, format, args...))
}

func (k *checker) word(path, word string, known []string) {
	if err := strictyaml.OneOf(word, known...); err != nil {
		k.report(path, "%v", err)
	}
}

func (k *checker) atLeast(path string, d, least time.Duration) {
	if d < least {
		k.report(path, "%s is too short; at least %s", span(d), span(least))
	}
}

// span writes a duration as people write it in the file.
func span(d time.Duration) string { return strictyaml.FormatDuration(d) }

func (k *checker) warehouse() {
	w := k.Warehouse
	switch {
	case w.DSN.IsEmbedded():
		if w.Cluster != "" {
			k.report("warehouse.cluster", "the embedded engine has no clusters; a cluster needs a clickhouse:// dsn")
		}
		if w.MemoryLimit < memoryLimitMin {
			k.report("warehouse.memory_limit", "%v is too small; at least %v", w.MemoryLimit, memoryLimitMin)
		}
	default:
		if !reachesClickHouse(w.DSN.Reveal()) {
			k.report("warehouse.dsn", "neither %s nor an address such as clickhouse://user:${CLICKHOUSE_PASSWORD}@host:9000/ or https://user:${CLICKHOUSE_PASSWORD}@host:8443/", Embedded)
		}
	}
	if w.Cluster != "" && !clusterName.MatchString(w.Cluster) {
		k.report("warehouse.cluster", "%q is not the name of a cluster", w.Cluster)
	}
	switch {
	case !identifier.MatchString(w.Database):
		k.report("warehouse.database", "%q is not the name of a database: letters, digits and _ only", w.Database)
	case strings.EqualFold(w.Database, "system") || strings.EqualFold(w.Database, "information_schema") || w.Database == "default":
		k.report("warehouse.database", "%q belongs to ClickHouse; a database of its own is needed", w.Database)
	}
}

// reachesClickHouse reports whether the address is one of a ClickHouse server, over the
// native protocol or HTTP.
func reachesClickHouse(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil || u.Hostname() == "" {
		return false
	}
	protocols := map[string][]string{"clickhouse": {"native", "http", "https"}, "http": {"http", "https"}, "https": {"http", "https"}}[u.Scheme]
	parameters := u.Query()
	return protocols != nil && (!parameters.Has("protocol") || slices.Contains(protocols, parameters.Get("protocol")))
}

func (k *checker) state() {
	text := k.State.DSN.Reveal()
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok && path != "" {
		return
	}
	if u, err := url.Parse(text); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && u.Hostname() != "" {
		return
	}
	k.report("state.dsn", "neither sqlite:PATH nor an address such as postgres://user:${POSTGRES_PASSWORD}@host/syncd")
}

func (k *checker) http() {
	k.baseURL("http.public_url", k.HTTP.PublicURL)
	if k.HTTP.PostbackRate < 1 || k.HTTP.PostbackRate > postbackRateMax {
		k.report("http.postback_rate", "%d is not between 1 and %d", k.HTTP.PostbackRate, postbackRateMax)
	}
	host, port, err := net.SplitHostPort(k.HTTP.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		k.report("http.listen", "%q is not host:port, as in %s", k.HTTP.Listen, listenDefault)
		return
	}
	if !loopback(host) && k.HTTP.Token.IsZero() {
		k.report("http.token", "missing; it is required because http.listen is not loopback")
	}
}

// loopback reports whether only this machine reaches the host; a name other than
// localhost may mean any address.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

func (k *checker) personal() {
	k.word("pii.ip", k.PII.IP, piiWords)
	k.word("pii.email", k.PII.Email, piiWords)
	if (k.PII.IP == PIIHash || k.PII.Email == PIIHash) && k.PII.Key.IsZero() {
		k.report("pii.key", "missing; without a key a hash of an address is undone by trying all of them")
	}
}
