package postback

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"syncd/schema"
)

// outcome is how a call ended, as a label of the metrics.
type outcome int

// The outcomes.
const (
	outcomeAccepted outcome = iota
	outcomeRefused          // it cannot be meant: no id, no status, a macro that was not filled
	outcomeToken            // no or a wrong token, or no such account
	outcomeSize             // more than SizeMax
	outcomeRate             // too many from one source
	outcomeMethod           // neither GET nor POST, or no account
	outcomeStore            // it could not be stored
	outcomes
)

var outcomeNames = [outcomes]string{"accepted", "refused", "token", "size", "rate", "method", "store"}

// counts are the metrics of a receiver. Calls whose account is not proved have the empty
// account, so that callers cannot make series.
type counts struct {
	calls   *prometheus.CounterVec
	unknown *prometheus.CounterVec
	odd     *prometheus.CounterVec
	// byAccount are the counters of calls; "" has those of no account.
	byAccount map[string]*[outcomes]prometheus.Counter
}

func newCounts(accounts []*Account) *counts {
	c := &counts{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_postbacks_total", Help: "Calls to the receiver of postbacks, by outcome; the account is empty where no token proved one.",
		}, []string{"account", "outcome"}),
		unknown: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_postback_unknown_statuses_total", Help: "Postbacks stored with a status that nobody knows.",
		}, []string{"account"}),
		odd: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_postback_problems_total", Help: "Postbacks stored of which a value could not be used.",
		}, []string{"account"}),
		byAccount: map[string]*[outcomes]prometheus.Counter{},
	}
	names := []string{""}
	for _, a := range accounts {
		names = append(names, a.Name)
		c.unknown.WithLabelValues(a.Name)
		c.odd.WithLabelValues(a.Name)
	}
	for _, name := range names {
		all := &[outcomes]prometheus.Counter{}
		for o, label := range outcomeNames {
			all[o] = c.calls.WithLabelValues(name, label)
		}
		c.byAccount[name] = all
	}
	return c
}

func (c *counts) count(a *Account, o outcome) {
	name := ""
	if a != nil {
		name = a.Name
	}
	c.byAccount[name][o].Inc()
}

// Describe implements prometheus.Collector.
func (r *Receiver) Describe(to chan<- *prometheus.Desc) {
	r.counts.calls.Describe(to)
	r.counts.unknown.Describe(to)
	r.counts.odd.Describe(to)
}

// Collect implements prometheus.Collector.
func (r *Receiver) Collect(to chan<- prometheus.Metric) {
	r.counts.calls.Collect(to)
	r.counts.unknown.Collect(to)
	r.counts.odd.Collect(to)
}

// reportEvery is how often the same is said again: networks send by the thousand.
const reportEvery = time.Hour

// reportsMax is how many different reports an hour are kept apart. Beyond it no more is
// said until the hour is over: what is sent decides how many there are.
const reportsMax = 1000

// reports are what the log is told, each once an hour.
type reports struct {
	log *zap.Logger

	mu    sync.Mutex
	said  map[report]struct{}
	since time.Time
}

// report is what was said: of which account, what kind, about which word.
type report struct{ account, kind, word string }

func newReports(log *zap.Logger) *reports { return &reports{log: log, said: map[report]struct{}{}} }

// first reports whether something is said for the first time in the hour.
func (r *reports) first(what report, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.since) >= reportEvery {
		clear(r.said)
		r.since = now
	}
	if _, done := r.said[what]; done || len(r.said) >= reportsMax {
		return false
	}
	r.said[what] = struct{}{}
	return true
}

// odd tells of what was stored and not understood.
func (r *reports) odd(a *Account, said *reading, now time.Time, c *counts) {
	if said.status == schema.StatusUnknown {
		c.unknown.WithLabelValues(a.Name).Inc()
		word := quoted(said.text[fieldStatus])
		if r.first(report{a.Name, "status", word}, now) {
			r.log.Warn("postback with a status that nobody knows; name it under postback.statuses of the account",
				zap.String("account", a.Name), zap.String("word", word))
		}
	}
	if len(said.problems) == 0 {
		return
	}
	c.odd.WithLabelValues(a.Name).Inc()
	// One example an hour: the values differ from call to call.
	if r.first(report{account: a.Name, kind: "problem"}, now) {
		r.log.Warn("postback stored without what could not be read", zap.String("account", a.Name), zap.Strings("problems", said.problems))
	}
}

// refused tells of a call that was not taken. The reason names no value.
func (r *reports) refused(a *Account, status int, reason string, now time.Time) {
	name := ""
	if a != nil {
		name = a.Name
	}
	if r.first(report{name, "refused", reason}, now) {
		r.log.Warn("postback refused", zap.String("account", name), zap.Int("status", status), zap.String("reason", reason))
	}
}

// failed tells of a postback that could not be stored.
func (r *reports) failed(account string, err error, now time.Time) {
	if r.first(report{account, "store", err.Error()}, now) {
		r.log.Error("postback not stored", zap.String("account", account), zap.Error(err))
	}
}
