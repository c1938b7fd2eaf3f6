package loaders

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
)

func TestErrorsAreSortedByCode(t *testing.T) {
	for _, c := range []struct {
		name      string
		err       error
		code      int
		retryable bool
	}{
		{"too many parts over the bulk connection", fmt.Errorf("x: %w", &ch.Exception{Code: 252, Name: "DB::Exception"}), 252, true},
		{"too many parts over the other", fmt.Errorf("x: %w", &clickhouse.Exception{Code: 252}), 252, true},
		{"out of memory", &ch.Exception{Code: proto.ErrMemoryLimitExceeded}, 241, true},
		{"a table that is read-only for now", &clickhouse.Exception{Code: 242}, 242, true},
		{"an ALTER under way", &clickhouse.Exception{Code: 517}, 517, true},
		{"Keeper", &clickhouse.Exception{Code: 999}, 999, true},
		{"a disk that is full", &clickhouse.Exception{Code: 243}, 243, true},
		{"a wrong password, which somebody mends", &clickhouse.Exception{Code: 516, Message: "connection reset by peer"}, 516, true},
		{"a syntax error", &clickhouse.Exception{Code: 62, Message: "timeout"}, 62, false},
		{"nobody listens", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 0, true},
		{"the server went away", fmt.Errorf("packet: %w", io.EOF), 0, true},
		{"a timeout", context.DeadlineExceeded, 0, true},
		{"a block that does not fit", errors.New("column count"), 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, ok := errors.AsType[*Error](wrap("doing", c.err))
			if !ok || e.Code != c.code || e.Retryable() != c.retryable {
				t.Errorf("got %+v, retryable %v; want code %d, %v", e, e.Retryable(), c.code, c.retryable)
			}
			if !errors.Is(e, c.err) && errors.Unwrap(e) != c.err {
				t.Error("the cause is lost")
			}
			if again := wrap("again", e); !errors.Is(again, e) {
				t.Errorf("wrapped twice: %v", again)
			}
		})
	}
	if err := wrap("doing", nil); err != nil {
		t.Errorf("no error: got %v", err)
	}
	if _, ok := errors.AsType[*Error](wrap("doing", fmt.Errorf("x: %w", context.Canceled))); ok {
		t.Error("a cancelled call is no failure of the warehouse")
	}
}

func TestNoErrorQuotesThePassword(t *testing.T) {
	const secret = "s3cr/t#p@ss:w0rd"
	for _, dsn := range []string{
		"clickhouse://user:" + secret + "@127.0.0.1:1/", "clickhouse://user:" + secret + "%zz@host/", "http://user:" + secret + "@host/",
		"user:" + secret, "clickhouse://user:s3cr%2Ft%23p%40ss%3Aw0rd@127.0.0.1:1/", "clickhouse://user:s3cr%2Ft%23p%40ss%3Aw0rd@127.0.0.1:1/?secure=maybe",
		"http://user:s3cr%2Ft%23p%40ss%3Aw0rd@127.0.0.1:1/", "https://user:s3cr%2Ft%23p%40ss%3Aw0rd@127.0.0.1:1/", "http://127.0.0.1:1/?username=u&password=s3cret&token=w0rd",
		"clickhouse://user:s3cr%2Ft%23p%40ss%3Aw0rd@127.0.0.1:1/?protocol=http", "http://127.0.0.1:1/?http_proxy=http%3A%2F%2Fu%3As3cret%40127.0.0.1%3A1",
		"http://host.invalid:1/?http_proxy=http%3A%2F%2Fu%3As3cret%40127.0.0.1%3A1", "http://host/?http_proxy=http%3A%2F%2Fu%3As3cr%2Ft%40h", "https://user:" + secret + "@host/?x=%zz",
	} {
		w, err := Open(t.Context(), Options{DSN: dsn})
		if err == nil {
			err = w.Ping(t.Context())
			if _, begun := w.startInsert(t.Context(), "t", nil); begun != nil {
				err = errors.Join(err, begun)
			}
			must(t, w.Close())
		}
		if err == nil {
			t.Fatalf("a server answered")
		}
		for _, part := range []string{"s3cr", "w0rd"} {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), part) {
				t.Errorf("the password shows: %v", err)
			}
		}
	}
}

func TestCompressionIsForNetworks(t *testing.T) {
	for _, c := range []struct {
		dsn   string
		force bool
		want  bool
	}{
		{"clickhouse://127.0.0.1:9000/", false, false},
		{"clickhouse://[::1]:9000/", false, false},
		{"clickhouse://localhost/", false, false},
		{"clickhouse://127.0.0.1:9000/", true, true},
		{"clickhouse://db.example.com:9440/?secure=true", false, true},
		{"clickhouse://127.0.0.1:9000,db.example.com:9000/", false, true},
	} {
		o, err := parseDSN(c.dsn, c.force)
		must(t, err)
		if got := o.Compression != nil; got != c.want {
			t.Errorf("%s: compressed %v, want %v", c.dsn, got, c.want)
		}
	}
}

func TestProbe(t *testing.T) {
	w := setup(t)
	s, err := w.Probe(t.Context())
	must(t, err)
	if len(s.Problems) > 0 || s.Version == "" || len(s.Notes) == 0 {
		t.Errorf("got %+v, want a version, notes and no problems", s)
	}
}

func TestVersionsThatNobodyTestedAreNamed(t *testing.T) {
	for _, c := range []struct {
		major, minor uint64
		says         string
	}{
		{testedMajor, testedMinor, ""},
		{testedMajor, testedMinor + 1, "newer"},
		{testedMajor + 1, 1, "newer"},
		{testedMajor, testedMinor - 1, "older"},
		{oldestMajor, oldestMinor, "older"},
		{oldestMajor, 12, "older"},
	} {
		if got := untested(c.major, c.minor); !strings.Contains(got, c.says) || (got == "") != (c.says == "") {
			t.Errorf("%d.%d: got %q, want it to say %q", c.major, c.minor, got, c.says)
		}
	}
	s, err := setup(t).Probe(t.Context())
	must(t, err)
	if s.Untested != "" || !strings.HasPrefix(s.Version, fmt.Sprintf("%d.%d.", testedMajor, testedMinor)) {
		t.Errorf("the tests run with %s, of which is said %q", s.Version, s.Untested)
	}
}

func TestProbeSaysWhatIsWrong(t *testing.T) {
	reader := open(t, engine.DSN(), "x")
	reader.driver.Settings["readonly"] = 1
	conn, err := clickhouse.Open(reader.driver)
	must(t, err)
	must(t, reader.conn.Close())
	reader.conn = conn
	s, err := reader.Probe(t.Context())
	must(t, err)
	if len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "may only read") {
		t.Errorf("got %+v, want the problem that the user may only read", s)
	}
}

func TestQueryFormats(t *testing.T) {
	w := setup(t)
	const sql = `SELECT 1 AS n, 'a	b' AS s, toDecimal128('12.50', 10) AS d, toDateTime64('2026-03-01 10:00:00.123', 3, 'UTC') AS t, toDate('2026-03-01') AS day,
		[1, 2] AS l, map('k', 'v''') AS m, CAST(NULL, 'Nullable(String)') AS missing, toUInt64(18446744073709551615) AS big, true AS yes, 0.1 AS f;`
	for _, c := range []struct{ format, want string }{
		{"table", lines(
			"┌───┬─────┬───────────────┬─────────────────────────┬────────────┬───────┬─────────────┬─────────┬──────────────────────┬──────┬─────┐",
			"│ n │ s   │             d │ t                       │ day        │ l     │ m           │ missing │                  big │ yes  │   f │",
			"├───┼─────┼───────────────┼─────────────────────────┼────────────┼───────┼─────────────┼─────────┼──────────────────────┼──────┼─────┤",
			"│ 1 │ a·b │ 12.5000000000 │ 2026-03-01 10:00:00.123 │ 2026-03-01 │ [1,2] │ {'k':'v\\''} │ NULL    │ 18446744073709551615 │ true │ 0.1 │",
			"└───┴─────┴───────────────┴─────────────────────────┴────────────┴───────┴─────────────┴─────────┴──────────────────────┴──────┴─────┘", "")},
		{"TabSeparatedWithNames", "n\ts\td\tt\tday\tl\tm\tmissing\tbig\tyes\tf\n1\ta\\tb\t12.5000000000\t2026-03-01 10:00:00.123\t2026-03-01\t[1,2]\t{'k':'v\\\\''}\t\\N\t18446744073709551615\ttrue\t0.1\n"},
		{"csv", "n,s,d,t,day,l,m,missing,big,yes,f\n1,a\tb,12.5000000000,2026-03-01 10:00:00.123,2026-03-01,\"[1,2]\",{'k':'v\\''},,18446744073709551615,true,0.1\n"},
		{"json", `{"n":1,"s":"a\tb","d":"12.5000000000","t":"2026-03-01 10:00:00.123","day":"2026-03-01","l":[1,2],"m":{"k":"v'"},"missing":null,"big":"18446744073709551615","yes":true,"f":0.1}` + "\n"},
	} {
		t.Run(c.format, func(t *testing.T) {
			var out bytes.Buffer
			must(t, w.Query(t.Context(), sql, c.format, &out))
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, statement := range []string{"SHOW TABLES FROM " + quote(w.Database()), "DESCRIBE " + quote(w.Database()) + ".offers", "EXPLAIN SELECT 1", "SYSTEM FLUSH LOGS", "SELECT 1 WHERE 0"} {
		for _, format := range Formats {
			if err := w.Query(t.Context(), statement, format, io.Discard); err != nil {
				t.Errorf("%s as %s: %v", statement, format, err)
			}
		}
	}
	if err := w.Query(t.Context(), "SELECT 1", "xml", io.Discard); err == nil {
		t.Error("an unknown format is no error")
	}
	if err := w.Query(t.Context(), "SELEC 1", "csv", io.Discard); err == nil {
		t.Error("a syntax error is no error")
	}
}

func TestColumnGivesLiveValues(t *testing.T) {
	w := setup(t)
	publish(t, w, []Unit{entityUnit(10)}, offers(t, 11, "1", "2", "3"))
	publish(t, w, []Unit{entityUnit(20)}, offers(t, 21, "3", "1"))
	got, err := w.Column(t.Context(), "offers", "main", map[string]string{"currency": "USD"}, []string{"offer_id"})
	must(t, err)
	if diff := cmp.Diff([]string{"1", "3"}, got); diff != "" {
		t.Error(diff)
	}
	for _, c := range [][2]string{{"offers", "no_such_column"}, {"no_such_table", "offer_id"}} {
		if _, err := w.Column(t.Context(), c[0], "main", nil, []string{c[1]}); err == nil {
			t.Errorf("%v is no error", c)
		}
	}
	if got, err := w.Column(t.Context(), "offers", "other", nil, []string{"offer_id"}); err != nil || len(got) > 0 {
		t.Errorf("another account: got %v, %v", got, err)
	}
}

// strangeReader is what the profile of a reader may have, and changes what joins give.
const strangeReader = " SETTINGS join_use_nulls = 1, aggregate_functions_null_for_empty = 1, prefer_column_name_to_alias = 1"

func TestDailyPerformanceCountsNoClickTwice(t *testing.T) {
	w := setup(t)
	clicks := blockOf(t, "clicks", func(add func(map[string]string)) {
		for i, offer := range []string{"1", "1", "1", "1", "2"} {
			add(map[string]string{"account": "main", "click_id": fmt.Sprint(i), "offer_id": offer, "country": "DE", "created_at": "2026-03-01 10:00:00", "report_date": "2026-03-01", "_version": "11"})
		}
		add(map[string]string{"account": "main", "click_id": "test", "offer_id": "1", "country": "DE", "created_at": "2026-03-01 10:00:00", "report_date": "2026-03-01", "is_test": "1", "_version": "11"})
	})
	rows := blockOf(t, "conversions", func(add func(map[string]string)) {
		for i, c := range [][3]string{{"USD", "approved", "1.1"}, {"USD", "pending", "2"}, {"EUR", "hold", "3"}, {"USD", "odd", "4"}} {
			add(map[string]string{"account": "main", "conversion_id": fmt.Sprint(i), "offer_id": "1", "country": "DE", "currency": c[0], "status": c[1], "payout": c[2], "revenue": c[2], "created_at": "2026-03-01 10:00:00", "report_date": "2026-03-01", "_version": "11"})
		}
	})
	publish(t, w, []Unit{dayUnit(8, "2026-03-01"), unitOf(9, "clicks", "created_at", "2026-03-01", "2026-03-02"), entityUnit(10)}, clicks, rows, offers(t, 11, "1", "2"))
	const question = "SELECT offer_id, offer_name, country, currency, clicks, conversions, approved, pending, hold, unknown, payout, open_payout, conversion_rate, epc FROM {db}.daily_performance WHERE day = '2026-03-01' ORDER BY ALL"
	want := lines(
		"1	Offer 1	DE	EUR	0	1	0	0	1	0	0.0000000000	3.0000000000	0.0000000000	0.0000000000",
		"1	Offer 1	DE	USD	4	3	1	1	0	1	1.1000000000	2.0000000000	0.7500000000	0.2750000000",
		"2	Offer 2	DE	USD	1	0	0	0	0	0	0.0000000000	0.0000000000	0.0000000000	0.0000000000",
	)
	equal(t, "daily_performance", ask(t, w, question), want)
	equal(t, "to a reader with another profile", ask(t, w, question+strangeReader), want)
}

func TestLedgersOfRunsAndStreams(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	run := RunRow{ID: "r1", Network: "affise", Account: "main", Stream: "clicks", StartedAt: at("2026-03-01 10:00:00"), Calls: 1}
	must(t, w.SaveRuns(ctx, []RunRow{run}))
	run.FinishedAt, run.Calls, run.Rows, run.Error = at("2026-03-01 10:05:00"), 7, 1000, "cut off"
	must(t, w.SaveRuns(ctx, []RunRow{run}))
	equal(t, "runs", ask(t, w, "SELECT run_id, finished_at, calls, rows, error FROM {db}.runs"), "r1	2026-03-01 10:05:00.000	7	1000	cut off")
	must(t, w.SaveStreams(ctx, nil))
	must(t, w.SaveStreams(ctx, []StreamRow{
		{Network: "affise", Account: "main", Stream: "clicks", State: "up to date", LastSuccess: at("2026-03-01 10:05:00"), Rows: 1000, At: at("2026-03-01 10:06:00")},
		{Network: "affise", Account: "main", Stream: "offers", State: "waiting", NextRun: at("2026-03-01 11:00:00"), At: at("2026-03-01 10:06:00")},
	}))
	equal(t, "freshness", ask(t, w, "SELECT stream, state, last_success, lag_seconds > 0, complete_to, next_run, rows FROM {db}.freshness ORDER BY stream"), lines(
		"clicks	up to date	2026-03-01 10:05:00.000	1	\\N	\\N	1000",
		"offers	waiting	\\N	\\N	\\N	2026-03-01 11:00:00.000	0"))
}
