package loaders

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestTheProtocolIsInTheAddress(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"clickhouse://u:p@host:9000/db", "native plain host:9000 db"},
		{"clickhouse://u:p@host:9440/?secure=true", "native TLS host:9440 "},
		{"clickhouse://u:p@host:9000/?protocol=native", "native plain host:9000 "},
		{"tcp://host:9000", "native plain host:9000 "},
		{"http://u:p@host:8123/db", "http plain host:8123 db"},
		{"https://u:p@host:8443", "http TLS host:8443 "},
		{"https://u:p@host:8443/?secure=true&skip_verify=true", "http TLS host:8443 "},
		{"http://u:p@host:8443/?secure=true", "http TLS host:8443 "},
		{"http://u:p@host:8123/?secure=false", "http plain host:8123 "},
		{"clickhouse://u:p@host:8123/db?protocol=http", "http plain host:8123 db"},
		{"clickhouse://u:p@host:8443/?protocol=http&secure=true", "http TLS host:8443 "},
		{"clickhouse://u:p@host:8443/?protocol=https", "http TLS host:8443 "},
		{"http://u:p@one:8123,two:8123/", "http plain one:8123,two:8123 "},
		{"https://host/?secure=false", "refused"},
		{"http://host/?protocol=native", "refused"},
		{"clickhouse://host/?protocol=grpc", "refused"},
		{"mysql://host/", "refused"},
		{"host:9000", "refused"},
		{"http://", "refused"},
	} {
		got := "refused"
		if o, err := parseDSN(c.dsn, false); err == nil {
			got = fmt.Sprintf("%s %s %s %s", o.Protocol, map[bool]string{true: "TLS", false: "plain"}[o.TLS != nil], strings.Join(o.Addr, ","), o.Auth.Database)
			if p, ok := o.Settings["protocol"]; ok {
				t.Errorf("%s: the protocol %v is sent as a setting", c.dsn, p)
			}
		}
		equal(t, c.dsn, got, c.want)
	}
}

// through gives a warehouse behind a handler, which may ask the engine with next.
func through(t *testing.T, base *Warehouse, tls bool, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) *Warehouse {
	t.Helper()
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: engine.HTTPAddr()})
	next.FlushInterval = -1
	next.Transport = &http.Transport{DisableKeepAlives: true}
	next.ErrorLog = nil
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, next) }))
	query := ""
	if tls {
		s.StartTLS()
		query = "?skip_verify=true"
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	scheme, host, _ := strings.Cut(s.URL, "://")
	return open(t, fmt.Sprintf("%s://syncd:%s@%s/%s", scheme, engine.Password(), host, query), base.Database())
}

// isInsert tells a bulk INSERT from what else is asked.
func isInsert(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Query().Get("query"), "INSERT INTO")
}

func TestPublishingGoesThroughProxies(t *testing.T) {
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	for name, tls := range map[string]bool{"that encrypt": true, "that collect the body first": false} {
		t.Run(name, func(t *testing.T) {
			base := setup(t)
			inserts := 0
			w := through(t, base, tls, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if isInsert(r) {
					inserts++
					if _, password, _ := r.BasicAuth(); (password == "") != tls {
						t.Errorf("the password goes by Basic: %v", password != "")
					}
				}
				if !tls {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return // the client has broken off
					}
					r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
				}
				next.ServeHTTP(w, r)
			})
			publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, rows)
			equal(t, "visible rows", ask(t, base, "SELECT conversion_id FROM {db}.conversions"), "a")
			if inserts != 1 {
				t.Errorf("%d INSERTs", inserts)
			}
		})
	}
}

func TestAnswersToAnInsertAreUnderstood(t *testing.T) {
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	page := "<html>" + strings.Repeat("x", 100_000)
	for _, c := range []struct {
		name      string
		status    int
		header    string // of the exception's code
		body      string
		early     bool // before the body is read
		code      int
		retryable bool
		says      string // "" for success
	}{
		{name: "nothing is success", status: 200},
		{name: "an exception", status: 500, header: "241", body: "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)", code: 241, retryable: true, says: "raise warehouse.memory_limit"},
		{name: "an exception while the body is on its way", status: 500, header: "252", body: "Code: 252. DB::Exception: Too many parts.", early: true, code: 252, retryable: true, says: "merges have to catch up"},
		{name: "an exception without a header", status: 500, body: "Code: 62. DB::Exception: Syntax error", code: 62, says: "Syntax error"},
		{name: "an exception behind its answer's head", status: 200, body: "\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 243. DB::Exception: No space\n45 abcdefghijklmnop\r\n__exception__\r\n", code: 243, retryable: true, says: "disk is full"},
		{name: "a code without words", status: 500, header: "159", code: 159, retryable: true, says: "159"},
		{name: "success with a page", status: 200, body: page, retryable: true, says: "HTTP status 200, not of ClickHouse"},
		{name: "a proxy that cannot reach the server", status: 502, body: page, retryable: true, says: "HTTP status 502, not of ClickHouse"},
		{name: "a proxy that limits sizes", status: 413, early: true, retryable: true, says: "limits the size"},
		{name: "a proxy that sends elsewhere", status: 302, retryable: true, says: "HTTP status 302"},
		{name: "the port of the native protocol", status: 400, body: "Port 9000 is for clickhouse-client program", retryable: true, says: "is the port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := through(t, setup(t), false, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if !isInsert(r) {
					next.ServeHTTP(w, r)
					return
				}
				if !c.early {
					_, _ = io.Copy(io.Discard, r.Body)
				}
				if c.header != "" {
					w.Header().Set(exceptionCode, c.header)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			i, err := w.startInsert(t.Context(), w.ddl.target("conversions"), rows.Input())
			must(t, err)
			defer i.abort()
			if c.early {
				for err == nil { // until the answer is here
					err = i.send(t.Context(), rows.Input(), rows.Rows())
				}
			} else {
				must(t, i.send(t.Context(), rows.Input(), rows.Rows()))
				_, err = i.finish(t.Context())
			}
			if err = wrap("inserting", err); c.says == "" {
				must(t, err)
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != c.code || e.Retryable() != c.retryable || !strings.Contains(e.Error(), c.says) || len(e.Error()) > 1000 {
				t.Errorf("got %d %v %.1000v", e.Code, e.Retryable(), e)
			}
		})
	}
}

// Both protocols: what the server finds wrong ends the INSERT with its code.
func TestAnInsertThatTheServerRefusesSaysWhy(t *testing.T) {
	w := setup(t)
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	for _, c := range []struct {
		name, into string
		settings   []ch.Setting
		code       int
	}{
		{"a table that is gone", w.ddl.target("no_such_table"), nil, 60},
		{"memory that is too little", w.ddl.target("conversions"), []ch.Setting{{Key: "max_memory_usage", Value: "1000"}}, 241},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, err := w.startInsert(t.Context(), c.into, rows.Input(), c.settings...)
			must(t, err)
			defer i.abort()
			if err = i.send(t.Context(), rows.Input(), rows.Rows()); err == nil {
				_, err = i.finish(t.Context())
			}
			if e, ok := errors.AsType[*Error](wrap("inserting", err)); !ok || e.Code != c.code {
				t.Errorf("got %v, want code %d", err, c.code)
			}
		})
	}
}

func TestTheServerTakesBlocksWithoutRows(t *testing.T) {
	for _, compress := range []bool{false, true} {
		base := setup(t)
		w, err := Open(t.Context(), Options{DSN: engine.DSN(), Database: base.Database(), Compress: compress})
		must(t, err)
		w.alive = time.Microsecond // as often as there is nothing else
		b, err := w.Begin(t.Context(), 0)
		must(t, err)
		for n := range 5 {
			must(t, b.Write(t.Context(), conversions(t, conv{id: fmt.Sprint(n), created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})))
			_ = ask(t, base, "SELECT 1") // meanwhile some are sent
		}
		_, err = b.Publish(t.Context(), []Unit{dayUnit(10, "2026-03-01")})
		must(t, err)
		equal(t, "rows", ask(t, base, "SELECT count() FROM {db}.conversions"), "5")
		must(t, w.Close())
	}
}

func TestASilentInsertIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := conversions(t).Input()
		h := &httpWire{nothing: header(first, nativeRevision), alive: httpAlive}
		i := &insert{} // without blocks: one never comes
		var sent bytes.Buffer
		wire, far := io.Pipe()
		go func() { _, _ = io.Copy(&sent, wire) }()
		done := make(chan error, 1)
		ctx := t.Context()
		go func() { done <- h.write(ctx, far, i.feed()) }()
		time.Sleep(3*httpAlive + time.Second)
		synctest.Wait()
		if n := bytes.Count(sent.Bytes(), h.nothing); n != 3 || sent.Len() != 3*len(h.nothing) {
			t.Errorf("%d blocks without rows in %d bytes, want 3", n, sent.Len())
		}
		_ = wire.Close() // nobody reads on
		time.Sleep(httpAlive)
		if err := <-done; !errors.Is(err, errAnswered) {
			t.Errorf("writing to a closed pipe: %v", err)
		}
	})
}

func TestSettingsThatTheServerDoesNotKnowAreLeftOut(t *testing.T) {
	oldStoring, oldAsking := storing, asking
	t.Cleanup(func() { storing, asking = oldStoring, oldAsking })
	storing = append(storing[:len(storing):len(storing)], ch.Setting{Key: "no_such_setting_of_inserts", Value: "1"})
	asking = append(asking[:len(asking):len(asking)], ch.Setting{Key: "no_such_setting", Value: "1"})
	w := setup(t)
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11}))
	equal(t, "visible rows", ask(t, w, "SELECT conversion_id FROM {db}.conversions"), "a")
	must(t, w.SaveRuns(t.Context(), []RunRow{{ID: "r", StartedAt: at("2026-03-01")}}))
}

// A comparison that a limit of the profile cuts short would bury what it did not read.
func TestAComparisonIsNotCutShortInSilence(t *testing.T) {
	base := setup(t)
	rows := []conv{
		{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11},
		{id: "b", created: "2026-03-01 01:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11},
		{id: "c", created: "2026-03-01 02:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11},
	}
	publish(t, base, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, rows...))
	w := open(t, engine.DSN()+"/?max_rows_to_group_by=1&group_by_overflow_mode=any&max_block_size=1", base.Database())
	for i := range rows {
		rows[i].version = 21
	}
	_, err := tryPublish(t.Context(), w, []Unit{dayUnit(20, "2026-03-01")}, conversions(t, rows...))
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != 158 { // TOO_MANY_ROWS
		t.Errorf("got %v, want exception 158", err)
	}
	equal(t, "restatements", ask(t, base, visibleRestatements), "")
}

func TestAFormatClauseGivesNoGarbage(t *testing.T) {
	w := setup(t)
	var out bytes.Buffer
	err := w.Query(t.Context(), "SELECT 1 AS n FORMAT JSONEachRow", "tsv", &out)
	if w.driver.Protocol == clickhouse.HTTP {
		if !errors.Is(err, errFormat) {
			t.Errorf("got %q, %v; want %v", out.String(), err, errFormat)
		}
		return
	}
	must(t, err)
	equal(t, "answer", out.String(), "n\n1\n")
}
