// Package metrics counts what the pipeline does, for Prometheus.
//
// It listens to the pipeline as an observer and reads stream states through the
// function it is given; labels are networks' words (accounts, streams, outcomes),
// never URLs or ids, so that nothing secret and nothing unbounded becomes a series.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"syncd/internal/status"
	"syncd/state"
)

// Metrics is an observer of the pipeline and a handler of /metrics.
type Metrics struct {
	registry    *prometheus.Registry
	calls       *prometheus.CounterVec
	callSeconds *prometheus.HistogramVec
	received    *prometheus.CounterVec
	records     *prometheus.CounterVec
	rows        *prometheus.CounterVec
	quarantined *prometheus.CounterVec
	failed      *prometheus.CounterVec
	warehouse   prometheus.Gauge
}

// Sources are asked at every scrape. Any may be nil.
type Sources struct {
	Streams func(ctx context.Context) ([]status.Line, error)
	Inbox   func(ctx context.Context) (state.InboxSize, error)
	// Leads and Backlogs are those of the state store.
	Leads    func(ctx context.Context, now time.Time) ([]state.LeadCount, error)
	Backlogs func(ctx context.Context) ([]state.Backlog, error)
}

// New makes the metrics and registers what sources give.
func New(version string, s Sources) *Metrics {
	stream := []string{"account", "stream"}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_calls_total", Help: "Calls to networks that ended, by outcome (ok, retry, wait, stop stream, stop account, cut).",
		}, []string{"account", "stream", "outcome"}),
		callSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "syncd_call_seconds", Help: "How long calls to networks took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"account"}),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_received_bytes_total", Help: "Bytes of answers, decompressed.",
		}, []string{"account"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_records_received_total", Help: "Records safe in the inbox.",
		}, stream),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_rows_published_total", Help: "Rows made visible in the warehouse.",
		}, stream),
		quarantined: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_records_quarantined_total", Help: "Records that could not be normalized.",
		}, stream),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncd_pulls_failed_total", Help: "Pulls given up or held back.",
		}, stream),
		warehouse: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "syncd_warehouse_up", Help: "1 if the warehouse took the last batch.",
		}),
	}
	m.warehouse.Set(1)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "syncd_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.callSeconds, m.received, m.records, m.rows, m.quarantined, m.failed, m.warehouse, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &scraped{sources: s})
	return m
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Register serves further metrics, of a part that counts for itself.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Called counts a call that ended.
func (m *Metrics) Called(account, stream, outcome string, took time.Duration, bytes int) {
	m.calls.WithLabelValues(account, stream, outcome).Inc()
	m.callSeconds.WithLabelValues(account).Observe(took.Seconds())
	m.received.WithLabelValues(account).Add(float64(bytes))
}

// Received counts records that are safe in the inbox.
func (m *Metrics) Received(p state.Pull, records int) {
	m.records.WithLabelValues(p.Account, p.Stream).Add(float64(records))
}

// Planned counts nothing: the number of open pulls is scraped.
func (m *Metrics) Planned(state.Pull) {}

// Published counts rows that became visible.
func (m *Metrics) Published(p state.Pull, rows, quarantined int64) {
	m.rows.WithLabelValues(p.Account, p.Stream).Add(float64(rows))
	m.quarantined.WithLabelValues(p.Account, p.Stream).Add(float64(quarantined))
}

// Failed counts a pull that was given up or held back.
func (m *Metrics) Failed(p state.Pull, _ string) {
	m.failed.WithLabelValues(p.Account, p.Stream).Inc()
}

// Warehouse records whether the warehouse takes what is loaded.
func (m *Metrics) Warehouse(err error) {
	if err != nil {
		m.warehouse.Set(0)
		return
	}
	m.warehouse.Set(1)
}

// scraped gives the gauges that are read from the state when Prometheus asks.
type scraped struct{ sources Sources }

var (
	lagDesc = prometheus.NewDesc("syncd_stream_lag_seconds", "Age of what is published last.", []string{"account", "stream"}, nil)
	// stateDesc has one series a stream and state, as Prometheus' enums do.
	stateDesc = prometheus.NewDesc("syncd_stream_state", "1 for the state in which the stream is.", []string{"account", "stream", "state"}, nil)
	openDesc  = prometheus.NewDesc("syncd_stream_windows_open", "Windows that wait for calls or for the warehouse.", []string{"account", "stream", "phase"}, nil)
	inboxDesc = prometheus.NewDesc("syncd_inbox_bytes", "Compressed size of the answers that wait for the warehouse.", nil, nil)
	pagesDesc = prometheus.NewDesc("syncd_inbox_pages", "Answers that wait for the warehouse.", nil, nil)

	leadsDesc    = prometheus.NewDesc("syncd_leads", "Leads that are known, those of them that are still asked for, and those of these whose time has come.", []string{"account", "which"}, nil)
	backlogDesc  = prometheus.NewDesc("syncd_postbacks_waiting", "Postbacks that were accepted and wait for their way into the warehouse.", []string{"account"}, nil)
	backlogSince = prometheus.NewDesc("syncd_postbacks_waiting_seconds", "How long the oldest of them has been waiting.", []string{"account"}, nil)
)

// scrapeDelay bounds one scrape: Prometheus gives up after 10 s by default.
const scrapeDelay = 5 * time.Second

func (s *scraped) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lagDesc, stateDesc, openDesc, inboxDesc, pagesDesc, leadsDesc, backlogDesc, backlogSince} {
		ch <- d
	}
}

func (s *scraped) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeDelay)
	defer cancel()
	if s.sources.Streams != nil {
		lines, err := s.sources.Streams(ctx)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(stateDesc, err)
			return
		}
		now := time.Now()
		for _, l := range lines {
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, 1, l.Account, l.Stream, string(l.State))
			ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(l.Pulling), l.Account, l.Stream, "pulling")
			ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(l.Loading), l.Account, l.Stream, "loading")
			if !l.PulledAt.IsZero() {
				ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, now.Sub(l.PulledAt).Seconds(), l.Account, l.Stream)
			}
		}
	}
	if s.sources.Inbox != nil {
		size, err := s.sources.Inbox(ctx)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(inboxDesc, err)
			return
		}
		ch <- prometheus.MustNewConstMetric(inboxDesc, prometheus.GaugeValue, float64(size.Bytes))
		ch <- prometheus.MustNewConstMetric(pagesDesc, prometheus.GaugeValue, float64(size.Pages))
	}
	s.leads(ctx, ch)
}

// leads gives what is known of leads and postbacks.
func (s *scraped) leads(ctx context.Context, ch chan<- prometheus.Metric) {
	now := time.Now()
	if s.sources.Leads != nil {
		counts, err := s.sources.Leads(ctx, now)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(leadsDesc, err)
			return
		}
		for _, c := range counts {
			for which, n := range map[string]int64{"known": c.Known, "open": c.Open, "due": c.Due} {
				ch <- prometheus.MustNewConstMetric(leadsDesc, prometheus.GaugeValue, float64(n), c.Account, which)
			}
		}
	}
	if s.sources.Backlogs != nil {
		backlogs, err := s.sources.Backlogs(ctx)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(backlogDesc, err)
			return
		}
		for _, b := range backlogs {
			ch <- prometheus.MustNewConstMetric(backlogDesc, prometheus.GaugeValue, float64(b.Waiting), b.Account)
			ch <- prometheus.MustNewConstMetric(backlogSince, prometheus.GaugeValue, max(now.Sub(b.Oldest), 0).Seconds(), b.Account)
		}
	}
}
