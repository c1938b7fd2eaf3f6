package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"

	"syncd/schema"
)

// errOver is what a batch answers that was published or given up.
var errOver = errors.New("the batch is over")

// Batch stages rows in the tables of a slot and publishes them. Write, WriteOn, Raw and
// Quarantine are safe for concurrent use; blocks of one table go one after the other
// on each of its connections.
//
// A batch that is not published must be given up with Abort, which is also safe
// after Publish.
type Batch struct {
	w    *Warehouse
	slot int

	// mu guards what follows.
	mu      sync.Mutex
	over    bool
	inserts map[lineTo]*insert

	raw, bad *ledgerInsert
	// rawRows and badRows are the buffers of raw and bad, guarded by their mutexes.
	rawRows *rawColumns
	badRows *quarantineColumns
}

// lineTo is one of the connections over which rows go into a table.
type lineTo struct {
	table      *schema.Table
	connection int
}

// Begin starts a batch in a slot, whose staging tables it empties. A slot has one
// batch at a time; slots do not meet.
func (w *Warehouse) Begin(ctx context.Context, slot int) (*Batch, error) {
	if err := w.clearStaging(ctx, slot); err != nil {
		return nil, err
	}
	b := &Batch{w: w, slot: slot, inserts: map[lineTo]*insert{}, rawRows: newRawColumns(), badRows: newQuarantineColumns()}
	b.raw = &ledgerInsert{name: ledgerRawPages, columns: b.rawRows}
	b.bad = &ledgerInsert{name: ledgerQuarantine, columns: b.badRows}
	return b, nil
}

// Write sends the rows of a block to the staging table of the block's table. The
// block may be reused as soon as Write returned. An error of the server may
// surface only with a later Write or with Publish; the batch is lost then.
func (b *Batch) Write(ctx context.Context, block *schema.Block) error {
	return b.WriteOn(ctx, 0, block)
}

// WriteOn is Write over one of several connections, counted from 0, each with an INSERT
// of its own: the server reads, sorts and writes an INSERT on one core, so that who has
// blocks to give faster than that gives them over two.
func (b *Batch) WriteOn(ctx context.Context, connection int, block *schema.Block) error {
	if block.Rows() == 0 {
		return nil
	}
	t := block.Table()
	i, err := b.insertInto(ctx, lineTo{t, connection}, block)
	if err != nil {
		return err
	}
	if err := i.send(ctx, block.Input(), block.Rows()); err != nil {
		return wrap("staging rows of "+t.Name, err)
	}
	return nil
}

// insertInto gives the INSERT of a table over a connection, which the first block begins.
func (b *Batch) insertInto(ctx context.Context, line lineTo, block *schema.Block) (*insert, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return nil, errOver
	}
	if i := b.inserts[line]; i != nil {
		return i, nil
	}
	if err := b.w.ensureStaging(ctx, b.slot, line.table); err != nil {
		return nil, err
	}
	i, err := b.w.startInsert(ctx, b.w.ddl.staging(b.slot, line.table), block.Input())
	if err != nil {
		return nil, err
	}
	b.inserts[line] = i
	return i, nil
}

// Keep makes the raw pages and quarantined records that were given so far durable,
// and nothing else: staged rows are left to Publish or Abort. It is for a batch that
// will be given up because of what its pages hold, which somebody will want to see.
// Writing the same pages and records again in another batch changes nothing.
func (b *Batch) Keep(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return errOver
	}
	return errors.Join(b.raw.finish(ctx, b.w), b.bad.finish(ctx, b.w))
}

// Abort gives the batch up: nothing of it becomes visible. Raw pages and
// quarantined records that were sent may stay; sending them again changes nothing.
func (b *Batch) Abort(context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over = true
	for _, i := range b.inserts {
		i.abort()
	}
	// Somebody may have dropped or changed a table, staging or its target: the next
	// batch of the slot looks at them again.
	b.w.forgetStaging(b.slot)
	b.raw.abort()
	b.bad.abort()
}

// finish ends all INSERTs and gives the rows sent by table, in a stable order of tables.
func (b *Batch) finish(ctx context.Context) ([]*schema.Table, map[*schema.Table]int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return nil, nil, errOver
	}
	lines := slices.SortedFunc(maps.Keys(b.inserts), func(x, y lineTo) int {
		return cmp.Or(cmp.Compare(x.table.Name, y.table.Name), cmp.Compare(x.connection, y.connection))
	})
	var tables []*schema.Table
	sent := make(map[*schema.Table]int64, len(lines))
	var errs []error
	for _, line := range lines {
		t := line.table
		if n := len(tables); n == 0 || tables[n-1] != t {
			tables = append(tables, t)
		}
		rows, err := b.inserts[line].finish(ctx)
		if err != nil {
			errs = append(errs, wrap("ending the INSERT of "+t.Name, err))
		}
		sent[t] += rows
	}
	errs = append(errs, b.raw.finish(ctx, b.w), b.bad.finish(ctx, b.w))
	return tables, sent, errors.Join(errs...)
}

// close marks the batch published.
func (b *Batch) close() {
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
}

// clearStaging empties the staging tables of a slot that are not empty: a batch
// that was given up or a crash left rows there.
//
// An INSERT whose client went away may still be writing its last part. It is ended
// first, or its rows would turn up among those of the new batch.
func (w *Warehouse) clearStaging(ctx context.Context, slot int) error {
	if err := w.exec(ctx, "ending old INSERTs into staging", w.ddl.killInserts(slot)); err != nil {
		return err
	}
	var full []string
	err := w.query(ctx, "looking for rows left in staging",
		fmt.Sprintf("SELECT name FROM system.tables WHERE database = %s AND startsWith(name, %s) AND total_rows > 0",
			literal(w.ddl.store), literal(w.ddl.stagingPrefix(slot))),
		func(rows driver.Rows) error {
			var name string
			err := rows.Scan(&name)
			full = append(full, name)
			return err
		})
	if err != nil {
		return err
	}
	for _, name := range full {
		if err := w.exec(ctx, "emptying "+name, w.ddl.truncate(name)); err != nil {
			return err
		}
		w.log.Debug("staging table emptied", zap.String("table", name))
	}
	return nil
}

// ensureStaging makes the staging table of a slot, and makes it anew when its
// target has changed since: rows in staging are never worth keeping.
func (w *Warehouse) ensureStaging(ctx context.Context, slot int, t *schema.Table) error {
	name := w.ddl.stagingName(slot, t)
	w.mu.Lock()
	known := w.staged[name]
	w.mu.Unlock()
	if known {
		return nil
	}
	var same uint8
	err := w.conn.QueryRow(ctx, w.ddl.sameStructure(slot, t)).Scan(&same)
	if err != nil {
		return wrap("comparing "+name+" with its target", err)
	}
	if same == 0 {
		if err := w.exec(ctx, "removing the outdated "+name, w.ddl.dropStaging(slot, t)); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, "making "+name, w.ddl.createStaging(slot, t), w.ddl.hasten(slot, t)); err != nil {
		return err
	}
	w.mu.Lock()
	w.staged[name] = true
	w.mu.Unlock()
	return nil
}

// forgetStaging makes the next batch of the slot compare its staging tables with
// their targets.
func (w *Warehouse) forgetStaging(slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.staged, func(name string, _ bool) bool { return strings.HasPrefix(name, w.ddl.stagingPrefix(slot)) })
}
