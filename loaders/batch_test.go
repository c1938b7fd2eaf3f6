package loaders

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"syncd/schema"
)

func hour(n int) time.Duration { return time.Duration(n) * time.Hour }

// tableOf finds the table of a test.
func (b *Batch) tableOf(name string) *schema.Table {
	t, _ := schema.Lookup(name)
	return t
}

// countingConn counts the statements that pass through it.
type countingConn struct {
	driver.Conn
	n atomic.Int64
}

func (c *countingConn) Query(ctx context.Context, sql string, args ...any) (driver.Rows, error) {
	c.n.Add(1)
	return c.Conn.Query(ctx, sql, args...)
}

func (c *countingConn) QueryRow(ctx context.Context, sql string, args ...any) driver.Row {
	c.n.Add(1)
	return c.Conn.QueryRow(ctx, sql, args...)
}

func (c *countingConn) Exec(ctx context.Context, sql string, args ...any) error {
	c.n.Add(1)
	return c.Conn.Exec(ctx, sql, args...)
}

// proxy passes connections on to the engine until it is cut.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	wg       sync.WaitGroup
}

func newProxy(t *testing.T) (*proxy, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{listener: l}
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", engine.Addr())
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
				p.wg.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					pair[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() { l.Close(); p.cut(); p.wg.Wait() })
	u, err := url.Parse(engine.DSN())
	must(t, err)
	u.Host = l.Addr().String()
	return p, u.String()
}

// cut breaks all connections; new ones are served.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func TestABrokenConnectionIsWorthARetry(t *testing.T) {
	base := setup(t)
	p, dsn := newProxy(t)
	w := open(t, dsn, base.Database())
	ctx := t.Context()
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	b, err := w.Begin(ctx, 0)
	must(t, err)
	must(t, b.Write(ctx, rows))
	broken := b.inserts[lineTo{table: rows.Table()}].done
	for again := true; again; { // a connection that is about to be accepted is not cut yet
		p.cut()
		select {
		case <-broken:
			again = false
		case <-time.After(time.Millisecond):
		}
	}
	err = b.Write(ctx, rows)
	if e, ok := errors.AsType[*Error](err); !ok || !e.Retryable() {
		t.Errorf("writing: got %v, want a retryable *Error", err)
	}
	_, err = b.Publish(ctx, []Unit{dayUnit(10, "2026-03-01")})
	if e, ok := errors.AsType[*Error](err); !ok || !e.Retryable() {
		t.Errorf("publishing: got %v, want a retryable *Error", err)
	}
	b.Abort(ctx)
	if err := b.Write(ctx, rows); !errors.Is(err, errOver) {
		t.Errorf("writing to a batch that is over: got %v", err)
	}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, rows)
	equal(t, "visible rows", ask(t, w, "SELECT conversion_id FROM {db}.conversions"), "a")
}

func TestCompressedBlocksArrive(t *testing.T) {
	base := setup(t)
	w, err := Open(t.Context(), Options{DSN: engine.DSN(), Database: base.Database(), Compress: true})
	must(t, err)
	defer w.Close()
	row := conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1.25", revenue: "1", currency: "USD", version: 11}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, row))
	row.version, row.payout = 21, "1.5"
	publish(t, w, []Unit{dayUnit(20, "2026-03-01")}, conversions(t, row))
	equal(t, "restatements", ask(t, w, "SELECT changed, payout_before, payout_after FROM {db}.restatements"), "1	1.2500000000	1.5000000000")
}

func TestACancelledWriteGivesTheBlockBack(t *testing.T) {
	w := setup(t)
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	b, err := w.Begin(t.Context(), 0)
	must(t, err)
	must(t, b.Write(t.Context(), rows))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // whichever of the two select finds ready
		if err := b.Write(ctx, rows); err != nil {
			break
		}
	}
	rows.Reset()
	b.Abort(ctx)
	b.Abort(ctx)
}

func TestRowsOfOneTableGoOverSeveralConnectionsAtOnce(t *testing.T) {
	w := setup(t)
	b, err := w.Begin(t.Context(), 0)
	must(t, err)
	defer b.Abort(t.Context())
	must(t, b.Write(t.Context(), conversions(t, conv{id: "single", created: "2026-03-01 08:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})))
	var g errgroup.Group
	for connection := range 2 {
		g.Go(func() error {
			for n := range 20 {
				id := fmt.Sprintf("%d-%02d", connection, n)
				if err := b.WriteOn(t.Context(), connection, conversions(t, conv{id: id, created: "2026-03-01 09:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, g.Wait())
	if len(b.inserts) != 2 {
		t.Errorf("%d INSERTs were begun, want 2", len(b.inserts))
	}
	result, err := b.Publish(t.Context(), []Unit{dayUnit(10, "2026-03-01")})
	must(t, err)
	if rows := result.Units[0].Rows; rows != 41 {
		t.Errorf("published %d rows, want 41", rows)
	}
	equal(t, "visible", ask(t, w, "SELECT count(), uniqExact(conversion_id) FROM {db}.conversions"), "41\t41")
	// The next batch must not find what the connections of an aborted one left.
	b, err = w.Begin(t.Context(), 0)
	must(t, err)
	for connection := range 2 {
		must(t, b.WriteOn(t.Context(), connection, conversions(t, conv{id: "gone", created: "2026-03-01 09:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 21})))
	}
	b.Abort(t.Context())
	publish(t, w, []Unit{dayUnit(30, "2026-03-02")})
	equal(t, "visible", ask(t, w, "SELECT count() FROM {db}.conversions"), "41")
}

func TestAnAbortedBatchLeavesNothing(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	rows := conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	b, err := w.Begin(ctx, 0)
	must(t, err)
	must(t, b.Write(ctx, rows))
	b.Abort(ctx)
	if _, err := b.Publish(ctx, []Unit{dayUnit(10, "2026-03-01")}); !errors.Is(err, errOver) {
		t.Errorf("publishing an aborted batch: got %v", err)
	}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")})
	equal(t, "visible rows", ask(t, w, "SELECT count() FROM {db}.conversions"), "0")
}

func TestSlotsLoadBesideEachOther(t *testing.T) {
	w := setup(t)
	var g errgroup.Group
	for slot := range 4 {
		g.Go(func() error {
			account := fmt.Sprintf("account-%d", slot)
			for round := range 3 {
				version := uint64(round*100 + 10)
				b, err := w.Begin(t.Context(), slot)
				if err != nil {
					return err
				}
				defer b.Abort(t.Context())
				for i := range 10 {
					err := b.Write(t.Context(), conversions(t, conv{account: account, id: fmt.Sprint(i), created: "2026-03-01 10:00:00", status: "pending", payout: fmt.Sprint(round), revenue: "1", currency: "USD", version: version + 1}))
					if err != nil {
						return err
					}
				}
				u := dayUnit(version, "2026-03-01")
				u.Account = account
				if _, err := b.Publish(t.Context(), []Unit{u}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, g.Wait())
	equal(t, "rows by account", ask(t, w, "SELECT account, count(), sum(payout) FROM {db}.conversions GROUP BY account ORDER BY account"),
		lines("account-0	10	20.0000000000", "account-1	10	20.0000000000", "account-2	10	20.0000000000", "account-3	10	20.0000000000"))
}

func TestDaemonsOnTheSameDatabasesDoNotMeet(t *testing.T) {
	base := setup(t)
	daemon := func(instance string) *Warehouse {
		w, err := Open(t.Context(), Options{DSN: engine.DSN(), Database: base.Database(), Instance: instance})
		must(t, err)
		t.Cleanup(func() { must(t, w.Close()) })
		return w
	}
	one, other := daemon("k7"), daemon("K7f")
	row := func(account string) *schema.Block {
		return conversions(t, conv{account: account, id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})
	}
	begun, err := one.Begin(t.Context(), 0)
	must(t, err)
	defer begun.Abort(t.Context())
	must(t, begun.Write(t.Context(), row("main")))
	u := dayUnit(12, "2026-03-01")
	u.Account = "other"
	one.after = func(step string) error { // after the INSERT, and before each partition is attached
		publish(t, other, []Unit{u}, row("other"))
		return nil
	}
	publish(t, other, []Unit{u}, row("other")) // while the INSERT of one is under way
	_, err = begun.Publish(t.Context(), []Unit{dayUnit(10, "2026-03-01")})
	must(t, err)
	equal(t, "visible rows", ask(t, base, "SELECT account FROM {db}.conversions ORDER BY ALL"), lines("main", "other"))
	equal(t, "staging tables", ask(t, base, "SELECT name FROM system.tables WHERE database = '%s' AND startsWith(name, 'staging') ORDER BY name", base.Store()),
		lines("staging_K7f_0_conversions", "staging_k7_0_conversions"))
}

func TestAnInstanceIsLettersAndDigits(t *testing.T) {
	for name, want := range map[string]bool{"": true, "k7F2": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a_b": false, "a`b": false, "ä": false, "a b": false} {
		w, err := Open(t.Context(), Options{DSN: engine.DSN(), Instance: name})
		if (err == nil) != want {
			t.Errorf("%q: got %v, want accepted %v", name, err, want)
		}
		if err == nil {
			must(t, w.Close())
		}
	}
}

func TestRawPagesAndQuarantineAreThereOnce(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	for range 2 { // the second time as after a crash
		b, err := w.Begin(ctx, 0)
		must(t, err)
		for seq := range int64(3) {
			must(t, b.Raw(ctx, RawPage{Network: "affise", Account: "main", Stream: "conversions", PullID: 1, Seq: seq, Request: "GET /x", ReceivedAt: at("2026-03-01 10:00:00"), Version: 11, Records: 2, RawBytes: 3 << 20, Body: make([]byte, 3<<20)}))
		}
		must(t, b.Quarantine(ctx, QuarantineRow{Network: "affise", Account: "main", Stream: "conversions", Table: "conversions", PullID: 1, Seq: 1, Index: 7, Reason: "payout: not a number", Record: `{"payout":"x"}`, At: at("2026-03-01 10:00:00"), Version: 11}))
		_, err = b.Publish(ctx, []Unit{dayUnit(10, "2026-03-01")})
		must(t, err)
	}
	equal(t, "raw pages", ask(t, w, "SELECT page_seq, length(body), raw_bytes, window_from, received_at FROM {store}.raw_pages FINAL ORDER BY ALL"), lines(
		"0	3145728	3145728	1970-01-01 00:00:00.000	2026-03-01 10:00:00.000",
		"1	3145728	3145728	1970-01-01 00:00:00.000	2026-03-01 10:00:00.000",
		"2	3145728	3145728	1970-01-01 00:00:00.000	2026-03-01 10:00:00.000"))
	equal(t, "quarantine", ask(t, w, "SELECT page_seq, record_index, reason, record FROM {db}.quarantine"), `1	7	payout: not a number	{"payout":"x"}`)
}

func TestKeepMakesReceiptsDurableAndNothingElse(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	page := func(seq int64) RawPage {
		return RawPage{Network: "affise", Account: "main", Stream: "conversions", PullID: 1, Seq: seq, Request: "GET /x", ReceivedAt: at("2026-03-01 10:00:00"), Version: 11, Body: []byte("body")}
	}
	bad := func(index int) QuarantineRow {
		return QuarantineRow{Network: "affise", Account: "main", Stream: "conversions", Table: "conversions", PullID: 1, Seq: 1, Index: index, Reason: "payout: not a number", At: at("2026-03-01 10:00:00"), Version: 11}
	}
	for range 2 { // the second time as when the batch is done again without the pull
		b, err := w.Begin(ctx, 0)
		must(t, err)
		must(t, b.Write(ctx, conversions(t, conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11})))
		must(t, b.Keep(ctx)) // nothing to keep yet
		must(t, b.Raw(ctx, page(1)))
		must(t, b.Quarantine(ctx, bad(7)))
		must(t, b.Keep(ctx))
		must(t, b.Raw(ctx, page(2)))
		must(t, b.Quarantine(ctx, bad(8)))
		must(t, b.Keep(ctx))
		b.Abort(ctx)
		if err := b.Keep(ctx); !errors.Is(err, errOver) {
			t.Errorf("keeping of a batch that is over: got %v", err)
		}
		equal(t, "raw pages", ask(t, w, "SELECT page_seq, body FROM {store}.raw_pages FINAL ORDER BY ALL"), lines("1	body", "2	body"))
		equal(t, "quarantine", ask(t, w, "SELECT record_index FROM {db}.quarantine ORDER BY ALL"), lines("7", "8"))
	}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")})
	equal(t, "visible rows", ask(t, w, "SELECT count() FROM {db}.conversions"), "0")
}

// TestRawPagesDoNotPileUp sends the bodies of a large batch and looks, before it is
// published, at where they are.
func TestRawPagesDoNotPileUp(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	b, err := w.Begin(ctx, 0)
	must(t, err)
	defer b.Abort(ctx)
	const pages, size = 1000, 80 << 10
	body := make([]byte, size)
	var base, peak uint64
	for seq := range int64(pages) {
		must(t, b.Raw(ctx, RawPage{Network: "affise", Account: "main", Stream: "conversions", PullID: 1, Seq: seq, Request: "GET /x", ReceivedAt: at("2026-03-01 10:00:00"), Version: 11, Body: body}))
		if seq%100 == 99 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if base == 0 {
				base = m.HeapAlloc
			}
			peak = max(peak, m.HeapAlloc)
		}
	}
	if grown := int64(peak) - int64(base); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes over %d pages", grown, pages)
	}
	must(t, b.Keep(ctx))
	equal(t, "pages", ask(t, w, "SELECT count() FROM {store}.raw_pages"), fmt.Sprint(pages))
	// The server numbers the blocks that it stores, also those that it merged since: it
	// stored them as they came if there are about as many as parts of this size fit in.
	const parts = pages * size / ledgerPartBytes
	if enough := ask(t, w, "SELECT max(max_block_number) >= %d FROM system.parts WHERE database = '%s' AND table = 'raw_pages' AND active", parts/2, w.Store()); enough != "1" {
		t.Errorf("the server collected the pages before it stored them: %s blocks of %d bytes for %d bytes",
			ask(t, w, "SELECT max(max_block_number) FROM system.parts WHERE database = '%s' AND table = 'raw_pages' AND active", w.Store()), ledgerPartBytes, pages*size)
	}
}

func TestAMillionRowsDoNotGrowTheHeap(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	b, err := w.Begin(ctx, 0)
	must(t, err)
	defer b.Abort(ctx)
	const rows, each = 1 << 20, 8192
	block, _ := schema.Lookup("clicks")
	buffer := schema.NewBlock(block)
	var base, peak uint64
	for n := 0; n < rows; n += each {
		buffer.Reset()
		fillClicks(buffer, n, each, 11)
		must(t, b.Write(ctx, buffer))
		if n/each%16 == 15 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if base == 0 {
				base = m.HeapAlloc
			}
			peak = max(peak, m.HeapAlloc)
		}
	}
	if grown := int64(peak) - int64(base); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes over %d rows", grown, rows)
	}
	r, err := b.Publish(ctx, []Unit{unitOf(10, "clicks", "created_at", "2026-03-01", "2026-03-02")})
	must(t, err)
	if r.Units[0].Rows != rows {
		t.Errorf("got %d rows, want %d", r.Units[0].Rows, rows)
	}
}

// fillClicks appends n clicks of 2026-03-01, numbered from first.
func fillClicks(b *schema.Block, first, n int, version uint64) {
	t := b.Table()
	network, account, id, created, date := t.Index("network"), t.Index("account"), t.Index("click_id"), t.Index("created_at"), t.Index("report_date")
	country, agent, ip, offer, ver := t.Index("country"), t.Index("user_agent"), t.Index("ip"), t.Index("offer_id"), t.Index("_version")
	day := at("2026-03-01")
	countries := [][]byte{[]byte("DE"), []byte("FR"), []byte("US"), []byte("BR")}
	text := make([]byte, 0, 64)
	for i := first; i < first+n; i++ {
		b.SetBytes(network, []byte("affise"))
		b.SetBytes(account, []byte("main"))
		text = fmt.Appendf(text[:0], "65e1%020x", i)
		b.SetBytes(id, text)
		b.SetTime(created, day.UnixMilli()+int64(i%86_400_000))
		b.SetDate(date, uint16(day.Unix()/86400))
		b.SetBytes(country, countries[i%4])
		b.SetBytes(agent, []byte("Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"))
		text = fmt.Appendf(text[:0], "10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		b.SetBytes(ip, text)
		text = fmt.Appendf(text[:0], "%d", i%500)
		b.SetBytes(offer, text)
		b.SetUint(ver, version)
		b.EndRow()
	}
}

func BenchmarkWriteAndPublish(bench *testing.B) {
	w := setup(bench)
	ctx := bench.Context()
	const rows, each = 1 << 20, 8192
	st, _ := schema.Lookup("clicks")
	buffer := schema.NewBlock(st)
	var published time.Duration
	version := uint64(10)
	for bench.Loop() {
		b, err := w.Begin(ctx, 0)
		must(bench, err)
		for n := 0; n < rows; n += each {
			buffer.Reset()
			fillClicks(buffer, n, each, version+1)
			must(bench, b.Write(ctx, buffer))
		}
		_, _, err = b.finish(ctx)
		must(bench, err)
		began := time.Now()
		_, err = b.Publish(ctx, []Unit{unitOf(version, "clicks", "created_at", "2026-03-01", "2026-03-02")})
		must(bench, err)
		published += time.Since(began)
		version += 10
		bench.StopTimer()
		must(bench, w.exec(ctx, "emptying", w.ddl.truncate("clicks")))
		bench.StartTimer()
	}
	bench.ReportMetric(float64(rows*bench.N)/bench.Elapsed().Seconds(), "rows/s")
	bench.ReportMetric(published.Seconds()*1000/float64(bench.N), "ms/publish")
}

// BenchmarkPublish measures what a publication of 100,000 rows costs beyond their INSERT.
func BenchmarkPublish(bench *testing.B) {
	for _, c := range []struct {
		name  string
		fresh bool
	}{{"fresh window", true}, {"restated window", false}} {
		bench.Run(c.name, func(bench *testing.B) {
			w := setup(bench)
			ctx := bench.Context()
			st, _ := schema.Lookup("clicks")
			buffer := schema.NewBlock(st)
			var published time.Duration
			version := uint64(10)
			for bench.Loop() {
				b, err := w.Begin(ctx, 0)
				must(bench, err)
				for n := 0; n < 100_000; n += 8192 {
					buffer.Reset()
					fillClicks(buffer, n, min(8192, 100_000-n), version+1)
					must(bench, b.Write(ctx, buffer))
				}
				_, _, err = b.finish(ctx)
				must(bench, err)
				began := time.Now()
				_, err = b.Publish(ctx, []Unit{unitOf(version, "clicks", "created_at", "2026-03-01", "2026-03-02")})
				must(bench, err)
				published += time.Since(began)
				version += 10
				if c.fresh {
					must(bench, w.exec(ctx, "emptying", w.ddl.truncate("clicks")))
				}
			}
			bench.ReportMetric(published.Seconds()*1000/float64(bench.N), "ms/publish")
		})
	}
}

func TestStagingThatIsPackedOtherwiseIsMadeAnew(t *testing.T) {
	w := setup(t)
	row := conv{id: "a", created: "2026-03-01 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 11}
	publish(t, w, []Unit{dayUnit(10, "2026-03-01")}, conversions(t, row))
	const codecs = "SELECT compression_codec, count() FROM system.columns WHERE database = '%s' AND table = 'staging_0_conversions' GROUP BY compression_codec ORDER BY compression_codec"
	usual := ask(t, w, codecs, w.Store())
	must(t, w.exec(t.Context(), "altering", "ALTER TABLE "+w.Store()+".staging_0_conversions MODIFY COLUMN click_id CODEC(ZSTD(1))"))
	if ask(t, w, codecs, w.Store()) == usual {
		t.Fatal("the codec was not changed")
	}
	w.forgetStaging(0) // as another process has not looked at it yet
	publish(t, w, []Unit{dayUnit(20, "2026-03-02")}, conversions(t, conv{id: "b", created: "2026-03-02 00:00:00", status: "pending", payout: "1", revenue: "1", currency: "USD", version: 21}))
	equal(t, "codecs", ask(t, w, codecs, w.Store()), usual)
	equal(t, "visible", ask(t, w, "SELECT conversion_id FROM {db}.conversions ORDER BY conversion_id"), lines("a", "b"))
}
