package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"syncd/extractors"
	"syncd/internal/embedded"
	"syncd/internal/spool"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
	"syncd/state/sqlite"
)

// clickhouse is the engine of the tests that load; each has databases of its own.
var (
	clickhouse *embedded.Engine
	databases  atomic.Int64
)

func TestMain(m *testing.M) {
	embedded.HostIfAsked()
	os.Exit(withClickHouse(m))
}

func withClickHouse(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pipeline")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a directory for ClickHouse:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	if clickhouse, err = embedded.Start(ctx, embedded.Options{DataDir: dir}); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need a real ClickHouse:", err)
		return 1
	}
	code := m.Run()
	if err := clickhouse.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stopping ClickHouse:", err)
		return 1
	}
	return code
}

// loading is an engine that only loads: its pulls are pulled already.
type loading struct {
	t         *testing.T
	store     state.Store
	warehouse *loaders.Warehouse
	spool     *spool.Spool
	account   *Account
	stream    *extractors.Stream
	// change is applied to the engine's options.
	change func(*Options)
}

var (
	firstDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	header   = "id,created,status,payout,offer\n"
)

func daysFrom(n int) (from, to time.Time) { return firstDay, firstDay.AddDate(0, 0, n) }

func newLoading(t *testing.T) *loading {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l := &loading{t: t, account: &Account{Name: "a", Network: "fake", Location: time.UTC}}
	var err error
	l.store, err = sqlite.Open(stateFile(t))
	ok(err)
	t.Cleanup(func() { ok(l.store.Close()) })
	l.spool, err = spool.Open(t.TempDir())
	ok(err)
	l.warehouse, err = loaders.Open(t.Context(), loaders.Options{DSN: clickhouse.DSN(), Database: fmt.Sprintf("test_%d", databases.Add(1))})
	ok(err)
	t.Cleanup(func() { ok(l.warehouse.Close()) })
	ok(l.warehouse.Migrate(t.Context()))
	table, _ := schema.Lookup("conversions")
	spec := normalize.Spec{Table: "conversions", Format: normalize.FormatCSV, Columns: map[string]normalize.Field{
		"conversion_id": {From: normalize.Paths{"id"}}, "created_at": {From: normalize.Paths{"created"}}, "report_date": {FromColumn: "created_at"},
		"status": {From: normalize.Paths{"status"}, Map: map[string]string{"approved": "approved", "pending": "pending"}, MapElse: "unknown"}, "payout": {From: normalize.Paths{"payout"}}, "offer_id": {From: normalize.Paths{"offer"}},
	}}
	paged := spec
	paged.Format, paged.Records = normalize.FormatJSON, normalize.Paths{"rows"}
	l.stream = windowed("conversions")
	l.stream.Outputs = []extractors.Output{{Table: table, Spec: paged}}
	l.stream.Export = &extractors.ExportRule{Outputs: []extractors.Output{{Table: table, Spec: spec}}}
	network := &fakeNetwork{streams: []*extractors.Stream{l.stream}}
	l.account.Source, l.account.Caller = network, network
	return l
}

func (l *loading) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// create makes a pull of the stream.
func (l *loading) create(route state.Route, from, to time.Time) state.Pull {
	l.t.Helper()
	pulls, err := l.store.CreatePulls(l.t.Context(), []state.NewPull{{
		Account: "a", Stream: "conversions", Kind: state.Windowed, Route: route, From: from, To: to, RunID: "run",
	}})
	l.ok(err)
	if len(pulls) != 1 {
		l.t.Fatalf("created %d pulls, want 1", len(pulls))
	}
	return pulls[0]
}

// file puts a file into the spool and receives the answer that named it.
func (l *loading) file(p state.Pull, name, content string, records int) {
	l.t.Helper()
	part, err := l.spool.Part("a/" + name)
	l.ok(err)
	l.ok(os.WriteFile(part, []byte(content), 0o600))
	l.ok(l.spool.Finish("a/" + name))
	l.receive(p, state.Receipt{File: "a/" + name, RawBytes: len(content), Records: records})
}

func (l *loading) receive(p state.Pull, r state.Receipt) {
	l.t.Helper()
	r.PullID, r.Request, r.Done, r.ReceivedAt = p.ID, "/download?id=7", true, time.Now()
	_, err := l.store.Receive(l.t.Context(), r)
	l.ok(err)
}

// load loads what is pulled and gives what went wrong with it.
func (l *loading) load() string {
	l.t.Helper()
	o := Options{Store: l.store, Warehouse: l.warehouse, Accounts: []*Account{l.account}, Log: zaptest.NewLogger(l.t), Spool: l.spool, Linger: time.Millisecond}
	if l.change != nil {
		l.change(&o)
	}
	e, err := New(l.t.Context(), o)
	l.ok(err)
	ctx, cancel := context.WithCancel(l.t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	drained := e.Drain(l.t.Context(), time.Minute)
	cancel()
	l.ok(errors.Join(drained, <-done))
	return strings.Join(e.Failures(), "\n")
}

// ask gives a query's answer as lines of tab separated values without the names.
func (l *loading) ask(format string, args ...any) string {
	l.t.Helper()
	var out bytes.Buffer
	sql := strings.ReplaceAll(fmt.Sprintf(format, args...), "{db}", l.warehouse.Database())
	sql = strings.ReplaceAll(sql, "{store}", l.warehouse.Store())
	l.ok(l.warehouse.Query(l.t.Context(), sql, "tsv", &out))
	_, rows, _ := strings.Cut(out.String(), "\n")
	return strings.TrimSuffix(rows, "\n")
}

func (l *loading) equal(what, got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("%s:\ngot\n%s\nwant\n%s", what, got, want)
	}
}

const visible = "SELECT conversion_id, status, payout FROM {db}.conversions ORDER BY conversion_id"

func TestTheRowsOfAFileBecomeVisible(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("the account drops files: %v", drop), func(t *testing.T) {
			l := newLoading(t)
			l.account.DropFiles = drop
			from, to := daysFrom(2)
			p := l.create(state.Export, from, to)
			l.file(p, "x-1", header+
				"one,2026-03-01 10:00:00,approved,1.25,7\n"+
				"two,2026-03-02 23:59:59,pending,2.5,7\n"+
				"three,2026-03-03 00:00:00,pending,2.5,7\n"+ // the day after the window
				"\"four, \"\"4\"\"\",2026-03-01 11:00:00,pending,3,8\n", 4)
			before := time.Now().Add(-time.Minute)
			if failures := l.load(); failures != "" {
				t.Fatal(failures)
			}
			l.equal("visible", l.ask(visible), "four, \"4\"\tpending\t3.0000000000\none\tapproved\t1.2500000000\ntwo\tpending\t2.5000000000")
			if got := l.ask("SELECT record_index, reason, record FROM {db}.quarantine"); !strings.HasPrefix(got, "2\tline 4: created_at: 2026-03-03") || !strings.Contains(got, "three") {
				t.Errorf("got quarantine %q", got)
			}
			l.equal("raw pages", l.ask("SELECT request, records, raw_bytes, length(body) FROM {store}.raw_pages"), "/download?id=7 (file a/x-1)\t4\t195\t0")
			checkpoints, err := l.store.Checkpoints(t.Context(), "a", "conversions")
			l.ok(err)
			if len(checkpoints) != 1 || checkpoints[0].Rows != 3 || checkpoints[0].Quarantined != 1 {
				t.Errorf("got checkpoints %+v", checkpoints)
			}
			info, err := os.Stat(l.spool.Path("a/x-1"))
			switch {
			case drop && err == nil:
				t.Error("the file is still there")
			case !drop && (err != nil || info.ModTime().Before(before)):
				t.Errorf("the file is dated %v (%v)", info, err)
			}
		})
	}
}

func TestAFileThatIsNotWhatWasAnnouncedIsNotPublished(t *testing.T) {
	row := "one,2026-03-01 10:00:00,approved,1.25,7\n"
	for _, tt := range []struct {
		name, content string
		records       int
		words         string
		removed       bool
	}{
		{"more records than announced", header + row, 0, "", false},
		{"fewer records than announced", header + row, 2, "has 1 records, the network announced 2", true},
		{"one more record than announced", header + row + row, 1, "has 2 records, the network announced 1", true},
		{"bad records are records too", header + row + "two,yesterday,approved,1,7\n", 2, "", false},
		{"a page of HTML", "<html><body>Sign in</body></html>", 1, "it begins with <", true},
		{"a file that ends inside of a value", header + row + "two,\"2026-03", 2, "inside of a quoted value", true},
		{"a file without the key's column", "created,status\n2026-03-01 10:00:00,approved\n", 1, "conversion_id (from id)", false},
		{"a file without the window's column", "id,status\none,approved\n", 1, "created", false},
		{"nothing but a header", header, 0, "", false},
		{"nothing but a header, where records were announced", header, 5, "has 0 records, the network announced 5", true},
		{"nothing", "", 0, "", false},
		{"nothing, where records were announced", "", 5, "has 0 records, the network announced 5", true},
		{
			"a file that is mostly bad", header + strings.Repeat(row, 5) + strings.Repeat("two,yesterday,approved,1,7\n", 30), 35,
			"30 of 35 records cannot be normalized, the first: line 7: ", false,
		},
		{
			"a long file that is mostly bad is not read to its end", header + strings.Repeat("two,yesterday,approved,1,7\n", 200_000), 200_000,
			"records cannot be normalized, the first: line 2: ", false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoading(t)
			from, to := daysFrom(1)
			p := l.create(state.Export, from, to)
			l.file(p, "x-1", tt.content, tt.records)
			failures := l.load()
			if !strings.Contains(failures, tt.words) || (tt.words == "") != (failures == "") {
				t.Errorf("got failures %q, want %q in it", failures, tt.words)
			}
			if _, whole, _ := l.spool.Whole("a/x-1"); whole == tt.removed {
				t.Errorf("the file is in the spool: %v", whole)
			}
			failed, err := l.store.FailedPulls(t.Context())
			l.ok(err)
			if (len(failed) == 1) != (tt.words != "") {
				t.Errorf("got failed pulls %+v", failed)
			}
			if rows := l.ask("SELECT count() FROM {db}.conversions"); tt.words != "" && rows != "0" {
				t.Errorf("%s rows are visible", rows)
			}
		})
	}
}

func TestAFileThatIsGoneIsSaidSo(t *testing.T) {
	l := newLoading(t)
	from, to := daysFrom(1)
	p := l.create(state.Export, from, to)
	l.file(p, "x-1", header, 0)
	l.ok(l.spool.Remove("a/x-1"))
	if failures := l.load(); !strings.Contains(failures, "file a/x-1 is no longer in the spool") {
		t.Errorf("got failures %q", failures)
	}
}

func TestARejectedFileDoesNotHoldItsNeighbours(t *testing.T) {
	l := newLoading(t)
	good, bad := l.create(state.Export, firstDay, firstDay.AddDate(0, 0, 1)), l.create(state.Export, firstDay.AddDate(0, 0, 1), firstDay.AddDate(0, 0, 2))
	l.file(bad, "bad", header+"one,2026-03-02 10:00:00,approved,1,7\n", 3)
	l.file(good, "good", header+"two,2026-03-01 10:00:00,approved,1,7\n", 1)
	if failures := l.load(); !strings.Contains(failures, "announced 3") {
		t.Errorf("got failures %q", failures)
	}
	l.equal("visible", l.ask(visible), "two\tapproved\t1.0000000000")
}

// manyRows is a file of n rows in the first two days.
func manyRows(n int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range n {
		at := firstDay.Add(time.Duration(i) * (48 * time.Hour / time.Duration(n)))
		fmt.Fprintf(&b, "c%08d,%s,approved,0.01,%d\n", i, at.Format(time.DateTime), i%97)
	}
	return b.String()
}

func TestAFileOfMillionsIsReadInLittleMemory(t *testing.T) {
	const rows = 400_000 // of which the rows in memory would take some 200 MB
	l := newLoading(t)
	from, to := daysFrom(2)
	p := l.create(state.Export, from, to)
	content := manyRows(rows)
	l.file(p, "x-1", content, rows)
	content = ""
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most := atomic.Uint64{}
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	failures := l.load()
	close(stop)
	<-watched
	if failures != "" {
		t.Fatal(failures)
	}
	l.equal("visible", l.ask("SELECT count(), sum(payout), uniqExact(conversion_id) FROM {db}.conversions"), "400000\t4000.0000000000\t400000")
	grown := int64(most.Load()) - int64(before.HeapInuse)
	t.Logf("the heap grew by %d MiB", grown>>20)
	if grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

func TestAnExportOfDaysAndTheDirectPullOfOneAgree(t *testing.T) {
	l := newLoading(t)
	from, to := daysFrom(3)
	export := l.create(state.Export, from, to)
	l.file(export, "x-1", header+
		"one,2026-03-01 10:00:00,approved,1,7\n"+
		"two,2026-03-02 10:00:00,pending,1,7\n"+
		"gone,2026-03-02 11:00:00,pending,1,7\n", 3)
	// Its rows are older than the pull of one of its days, which waits beside it.
	direct := l.create(state.Direct, firstDay.AddDate(0, 0, 1), firstDay.AddDate(0, 0, 2))
	packer, err := newPacker()
	l.ok(err)
	body, release := packer.pack([]byte(`{"rows":[{"id":"two","created":"2026-03-02 10:00:00","status":"approved","payout":"1","offer":"7"}]}`))
	defer release()
	l.receive(direct, state.Receipt{Body: body, RawBytes: 100, Records: 1})
	if failures := l.load(); failures != "" {
		t.Fatal(failures)
	}
	l.equal("visible", l.ask(visible), "one\tapproved\t1.0000000000\ntwo\tapproved\t1.0000000000")
	checkpoints, err := l.store.Checkpoints(t.Context(), "a", "conversions")
	l.ok(err)
	if len(checkpoints) != 2 {
		t.Errorf("got checkpoints %+v, want one of the export and one of the younger pull", checkpoints)
	}
}

func TestWhatWasNotAskedForHasNotVanished(t *testing.T) {
	l := newLoading(t)
	l.stream.Window.Settle = 10 * time.Minute
	now := time.Now().UTC()
	from := now.Truncate(24*time.Hour).AddDate(0, 0, -1)
	to := from.AddDate(0, 0, 2)
	line := func(id string, ago time.Duration) string {
		return fmt.Sprintf("%s,%s,approved,1,7\n", id, now.Add(-ago).Format(time.DateTime))
	}
	// A list of changes brought rows up to now.
	changes, err := l.store.CreatePulls(t.Context(), []state.NewPull{{Account: "a", Stream: "conversions", Kind: state.Changes, From: from, To: now, RunID: "run"}})
	l.ok(err)
	packer, err := newPacker()
	l.ok(err)
	row := func(id string, ago time.Duration) string {
		return fmt.Sprintf(`{"id":%q,"created":%q,"status":"approved","payout":"1"}`, id, now.Add(-ago).Format(time.DateTime))
	}
	body, release := packer.pack([]byte(`{"rows":[` + row("vanished", time.Hour) + "," + row("young", time.Minute) + "," + row("old", 2*time.Hour) + `]}`))
	defer release()
	l.receive(changes[0], state.Receipt{Body: body, RawBytes: 100, Records: 3})
	if failures := l.load(); failures != "" {
		t.Fatal(failures)
	}
	p := l.create(state.Export, from, to)
	l.file(p, "x-1", header+line("old", 2*time.Hour), 1)
	if failures := l.load(); failures != "" {
		t.Fatal(failures)
	}
	l.equal("visible", l.ask("SELECT conversion_id FROM {db}.conversions ORDER BY conversion_id"), "old\nyoung")
}
