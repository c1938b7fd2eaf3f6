package loaders

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"syncd/internal/embedded"
	"syncd/schema"
)

// engine is the ClickHouse that the tests share; each has databases of its own.
var engine reached

// reached is an engine over one of the protocols.
type reached struct {
	*embedded.Engine
	overHTTP bool
}

// DSN is the loader's address over the protocol of the run.
func (r reached) DSN() string {
	if !r.overHTTP {
		return r.Engine.DSN()
	}
	u := url.URL{Scheme: "http", User: url.UserPassword("syncd", r.Password()), Host: r.HTTPAddr()}
	return u.String()
}

// Addr is where the engine listens for the protocol of the run.
func (r reached) Addr() string {
	if r.overHTTP {
		return r.HTTPAddr()
	}
	return r.NativeAddr()
}

var databases atomic.Int64

func TestMain(m *testing.M) {
	embedded.HostIfAsked()
	flag.Parse()
	os.Exit(withEngine(m))
}

// onceIsEnough are tests that take long and are about what the server does: they are not
// run again over HTTP.
const onceIsEnough = "^(TestAMillionRowsAreRestatedUnderTheEyesOfReaders|TestInsertsDoNotDependOnTheServersDefaults)$"

// withEngine runs the suite over the native protocol, and then over HTTP.
func withEngine(m *testing.M) int {
	dir, err := os.MkdirTemp("", "loaders")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a directory for ClickHouse:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	engine.Engine, err = embedded.Start(ctx, embedded.Options{DataDir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need a real ClickHouse:", err)
		return 1
	}
	code := m.Run()
	if code == 0 && flag.Lookup("test.list").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" {
		engine.overHTTP = true
		if testing.Verbose() {
			fmt.Println("# over HTTP")
		}
		skip := flag.Lookup("test.skip").Value
		both := []string{onceIsEnough}
		if s := skip.String(); s != "" {
			both = append(both, s)
		}
		if err := skip.Set(strings.Join(both, "|")); err != nil {
			fmt.Fprintln(os.Stderr, "choosing what to run over HTTP:", err)
			return 1
		}
		code = m.Run()
		if code != 0 {
			fmt.Println("# these were over HTTP; all pass over the native protocol")
		}
	}
	if err := engine.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stopping ClickHouse:", err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// setup gives a migrated warehouse in databases of its own.
func setup(t testing.TB) *Warehouse {
	t.Helper()
	w := open(t, engine.DSN(), fmt.Sprintf("test_%d", databases.Add(1)))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := w.exec(ctx, "cleaning up", "DROP DATABASE IF EXISTS "+quote(w.Database())+" SYNC", "DROP DATABASE IF EXISTS "+quote(w.Store())+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	must(t, w.Migrate(t.Context()))
	return w
}

// open gives a warehouse that is closed before what setup cleans up.
func open(t testing.TB, dsn, database string) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), Options{DSN: dsn, Database: database})
	must(t, err)
	t.Cleanup(func() { must(t, w.Close()) })
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask gives a query's answer as lines of tab separated values without the names.
func ask(t testing.TB, w *Warehouse, format string, args ...any) string {
	t.Helper()
	sql := strings.NewReplacer("{db}", quote(w.Database()), "{store}", quote(w.Store())).Replace(fmt.Sprintf(format, args...))
	var out bytes.Buffer
	must(t, w.Query(t.Context(), sql, "tsv", &out))
	_, rows, _ := strings.Cut(out.String(), "\n")
	return strings.TrimSuffix(rows, "\n")
}

func equal(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", what, got, want)
	}
}

func lines(s ...string) string { return strings.Join(s, "\n") }

// at reads a time of a test, "2026-03-01 10:00".
func at(s string) time.Time {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	panic("not a time: " + s)
}

// conv is a conversion of a test.
type conv struct {
	account, id, created, status, payout, revenue, currency string
	version                                                 uint64
	// window is the day of the window that brought the row; "" for none.
	window string
}

// blockOf puts rows into a block of a table.
func blockOf(t testing.TB, table string, fill func(add func(values map[string]string))) *schema.Block {
	t.Helper()
	st, ok := schema.Lookup(table)
	if !ok {
		t.Fatalf("there is no table %s", table)
	}
	b := schema.NewBlock(st)
	fill(func(values map[string]string) {
		for name, v := range values {
			set(t, b, st, name, v)
		}
		b.EndRow()
	})
	return b
}

func set(t testing.TB, b *schema.Block, st *schema.Table, name, v string) {
	t.Helper()
	i := st.Index(name)
	if i < 0 {
		t.Fatalf("%s has no column %s", st.Name, name)
	}
	switch st.Columns[i].Type {
	case schema.String, schema.Word:
		b.SetBytes(i, []byte(v))
	case schema.Decimal:
		d, err := schema.ParseDecimal([]byte(v))
		must(t, err)
		b.SetDecimal(i, d)
	case schema.Time:
		b.SetTime(i, at(v).UnixMilli())
	case schema.Date:
		b.SetDate(i, uint16(at(v).Unix()/86400))
	case schema.WindowTime:
		b.SetUint(i, uint64(at(v).Unix()))
	case schema.Dimensions:
		name, value, _ := strings.Cut(v, "=")
		b.AddDimension(i, []byte(name), []byte(value))
	default:
		var n uint64
		if _, err := fmt.Sscan(v, &n); err != nil {
			t.Fatal(err)
		}
		b.SetUint(i, n)
	}
}

func conversions(t testing.TB, rows ...conv) *schema.Block {
	t.Helper()
	return blockOf(t, "conversions", func(add func(map[string]string)) {
		for _, r := range rows {
			account := r.account
			if account == "" {
				account = "main"
			}
			add(map[string]string{
				"network": "affise", "account": account, "conversion_id": r.id, "status": r.status, "payout": r.payout, "revenue": r.revenue,
				"currency": r.currency, "created_at": r.created, "report_date": r.created[:10], "_version": fmt.Sprint(r.version), "_run_id": "run", "_window": cmp.Or(r.window, "1970-01-01"),
			})
		}
	})
}

// dayUnit is a complete pull of a day of conversions of the account main.
func dayUnit(version uint64, day string) Unit {
	return unitOf(version, "conversions", "created_at", day, at(day).AddDate(0, 0, 1).Format(time.DateOnly))
}

func unitOf(version uint64, table, by, from, to string) Unit {
	st, _ := schema.Lookup(table)
	return Unit{
		PullID: int64(version), Network: "affise", Account: "main", Stream: table, Tier: "hot", RunID: "run", Version: version, Complete: true,
		Outputs: []Scope{{Table: st, By: by, From: at(from), To: at(to), FromDay: at(from), ToDay: at(to)}},
	}
}

// publish stages blocks and publishes units in a batch of its own.
func publish(t testing.TB, w *Warehouse, units []Unit, blocks ...*schema.Block) Result {
	t.Helper()
	r, err := tryPublish(t.Context(), w, units, blocks...)
	must(t, err)
	return r
}

func tryPublish(ctx context.Context, w *Warehouse, units []Unit, blocks ...*schema.Block) (Result, error) {
	b, err := w.Begin(ctx, 0)
	if err != nil {
		return Result{}, err
	}
	defer b.Abort(ctx)
	for _, block := range blocks {
		if err := b.Write(ctx, block); err != nil {
			return Result{}, err
		}
	}
	return b.Publish(ctx, units)
}

const (
	visibleConversions  = "SELECT account, conversion_id, created_at, status, payout, currency FROM {db}.conversions ORDER BY ALL"
	visibleRestatements = "SELECT account, stream, window_from, pull_version, table_name, currency, added, changed, removed, payout_before, payout_after, revenue_before, revenue_after, tier FROM {db}.restatements ORDER BY ALL"
)
