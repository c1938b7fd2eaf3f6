package loaders

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// ledgerBytes is how much of raw pages (or quarantined records) is collected before
// it is sent.
const ledgerBytes = 512 << 10

// ledgerPartBytes is how much of them the server joins to a part. Left alone it would
// collect 256 MiB, which is all the bodies of a batch: its memory has no room for
// that, and none of it would be stored before the batch is published.
const ledgerPartBytes = 8 << 20

// ledgerInsert collects rows of a ledger and sends them in one INSERT, a block
// whenever there is enough of them. The ledgers replace rows with equal keys, so
// rows that are sent again after a crash change nothing.
type ledgerInsert struct {
	name string
	// mu guards what follows.
	mu      sync.Mutex
	columns ledgerColumns
	rows    int
	bytes   int
	stream  *insert
}

// ledgerColumns are the column buffers of a ledger's rows.
type ledgerColumns interface {
	input() proto.Input
	reset()
}

// flush sends what was collected. The caller holds mu.
func (l *ledgerInsert) flush(ctx context.Context, w *Warehouse) error {
	if l.rows == 0 {
		return nil
	}
	input := l.columns.input()
	if l.stream == nil {
		stream, err := w.startInsert(ctx, w.ddl.target(l.name), input,
			ch.Setting{Key: "min_insert_block_size_bytes", Value: strconv.Itoa(ledgerPartBytes)})
		if err != nil {
			return err
		}
		l.stream = stream
	}
	if err := l.stream.send(ctx, input, l.rows); err != nil {
		return wrap("writing "+l.name, err)
	}
	l.columns.reset()
	l.rows, l.bytes = 0, 0
	return nil
}

func (l *ledgerInsert) added(ctx context.Context, w *Warehouse, bytes int) error {
	l.rows++
	l.bytes += bytes
	if l.bytes < ledgerBytes {
		return nil
	}
	return l.flush(ctx, w)
}

// finish sends the rest and waits until the server has stored all of it. A row that
// comes later begins a new INSERT.
func (l *ledgerInsert) finish(ctx context.Context, w *Warehouse) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.flush(ctx, w); err != nil {
		return err
	}
	if l.stream == nil {
		return nil
	}
	if _, err := l.stream.finish(ctx); err != nil {
		return wrap("ending the INSERT of "+l.name, err)
	}
	l.stream = nil
	return nil
}

func (l *ledgerInsert) abort() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream != nil {
		l.stream.abort()
	}
}

// rawColumns are the buffers of raw_pages.
type rawColumns struct {
	network, account, stream, run, kind   *proto.ColLowCardinality[string]
	request, body, file                   proto.ColStr
	received, from, to, pulledAt          *proto.ColDateTime64
	seq, pull, records, rawBytes, version proto.ColUInt64
	pullVersion, pullPages                proto.ColUInt64
}

func newRawColumns() *rawColumns {
	return &rawColumns{
		network: words(), account: words(), stream: words(), run: words(), kind: words(),
		received: instants(), from: instants(), to: instants(), pulledAt: instants(),
	}
}

func (c *rawColumns) input() proto.Input {
	return proto.Input{
		{Name: "network", Data: c.network}, {Name: "account", Data: c.account}, {Name: "stream", Data: c.stream},
		{Name: "received_at", Data: c.received}, {Name: "page_seq", Data: &c.seq}, {Name: "pull_id", Data: &c.pull},
		{Name: "request", Data: &c.request}, {Name: "window_from", Data: c.from}, {Name: "window_to", Data: c.to},
		{Name: "pull_kind", Data: c.kind}, {Name: "pull_version", Data: &c.pullVersion}, {Name: "pulled_at", Data: c.pulledAt},
		{Name: "pull_pages", Data: &c.pullPages}, {Name: "file", Data: &c.file},
		{Name: "records", Data: &c.records}, {Name: "raw_bytes", Data: &c.rawBytes}, {Name: "body", Data: &c.body},
		{Name: "_version", Data: &c.version}, {Name: "_run_id", Data: c.run},
	}
}

func (c *rawColumns) reset() { resetAll(c.input()) }

// Raw keeps an answer as it was received in raw_pages. It is not staged: it is
// there for good as soon as it is sent, whatever becomes of the batch.
func (b *Batch) Raw(ctx context.Context, p RawPage) error {
	b.raw.mu.Lock()
	defer b.raw.mu.Unlock()
	c := b.rawRows
	c.network.Append(p.Network)
	c.account.Append(p.Account)
	c.stream.Append(p.Stream)
	c.received.Append(p.ReceivedAt)
	c.seq.Append(uint64(p.Seq))
	c.pull.Append(uint64(p.PullID))
	c.request.Append(p.Request)
	c.from.Append(orEpoch(p.WindowFrom))
	c.to.Append(orEpoch(p.WindowTo))
	c.kind.Append(p.Kind)
	c.pullVersion.Append(p.PullVersion)
	c.pulledAt.Append(orEpoch(p.PulledAt))
	c.pullPages.Append(uint64(p.PullPages))
	c.file.Append(p.File)
	c.records.Append(uint64(p.Records))
	c.rawBytes.Append(uint64(p.RawBytes))
	c.body.AppendBytes(p.Body)
	c.version.Append(p.Version)
	c.run.Append(p.RunID)
	return b.raw.added(ctx, b.w, len(p.Body)+len(p.Request))
}

// quarantineColumns are the buffers of quarantine.
type quarantineColumns struct {
	network, account, stream, table, run *proto.ColLowCardinality[string]
	reason, record                       proto.ColStr
	received                             *proto.ColDateTime64
	seq, index, pull, version            proto.ColUInt64
}

func newQuarantineColumns() *quarantineColumns {
	return &quarantineColumns{network: words(), account: words(), stream: words(), table: words(), run: words(), received: instants()}
}

func (c *quarantineColumns) input() proto.Input {
	return proto.Input{
		{Name: "network", Data: c.network}, {Name: "account", Data: c.account}, {Name: "stream", Data: c.stream},
		{Name: "received_at", Data: c.received}, {Name: "page_seq", Data: &c.seq}, {Name: "record_index", Data: &c.index},
		{Name: "table_name", Data: c.table}, {Name: "pull_id", Data: &c.pull}, {Name: "reason", Data: &c.reason},
		{Name: "record", Data: &c.record}, {Name: "_version", Data: &c.version}, {Name: "_run_id", Data: c.run},
	}
}

func (c *quarantineColumns) reset() { resetAll(c.input()) }

// Quarantine keeps a record that could not be normalized, with the reason. Like raw
// pages it is there for good as soon as it is sent.
func (b *Batch) Quarantine(ctx context.Context, r QuarantineRow) error {
	b.bad.mu.Lock()
	defer b.bad.mu.Unlock()
	c := b.badRows
	c.network.Append(r.Network)
	c.account.Append(r.Account)
	c.stream.Append(r.Stream)
	c.received.Append(r.At)
	c.seq.Append(uint64(r.Seq))
	c.index.Append(uint64(r.Index))
	c.table.Append(r.Table)
	c.pull.Append(uint64(r.PullID))
	c.reason.Append(r.Reason)
	c.record.Append(r.Record)
	c.version.Append(r.Version)
	c.run.Append(r.RunID)
	return b.bad.added(ctx, b.w, len(r.Record)+len(r.Reason))
}

func words() *proto.ColLowCardinality[string] { return new(proto.ColStr).LowCardinality() }

func instants() *proto.ColDateTime64 {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
}

// orEpoch gives the epoch for a zero time: year 1 is before what a DateTime64 holds.
func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return t
}

func resetAll(input proto.Input) {
	for _, c := range input {
		if r, ok := c.Data.(proto.Resettable); ok {
			r.Reset()
		}
	}
}
