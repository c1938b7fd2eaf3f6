package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

const (
	// fileWorkers read a file side by side, each with an INSERT of its own: cutting it into
	// records takes a third of a core, making rows of them and the server's part a core
	// each. The two slots together then use four.
	fileWorkers = 2
	// fileChunks is how many chunks of a file, of 1 MiB each, are in memory: one for each
	// worker, one that is being read, and one so that nobody waits.
	fileChunks = fileWorkers + 2
	// badMost is the number of bad records behind which a file that is mostly bad is read
	// no further: millions of them in the quarantine would say no more.
	badMost = 10_000
)

// fileWorker makes rows of chunks. While a block of them is on its way it fills another:
// the server takes none while it sorts and writes what it has, for up to a second.
type fileWorker struct {
	connection int
	blocks     map[*schema.Table]*schema.Block

	// leaving is the block on its way, nil if there is none, and left says how it went.
	leaving *schema.Block
	left    chan error
	// spare are empty blocks.
	spare map[*schema.Table]*schema.Block
}

func newFileWorker(connection int) *fileWorker {
	return &fileWorker{connection: connection, blocks: map[*schema.Table]*schema.Block{}, left: make(chan error, 1), spare: map[*schema.Table]*schema.Block{}}
}

// send sends a block behind the one before, and gives an empty one in its place.
func (w *fileWorker) send(ctx context.Context, batch *loaders.Batch, b *schema.Block) (*schema.Block, error) {
	if err := w.wait(); err != nil {
		return nil, err
	}
	w.leaving = b
	go func() { w.left <- batch.WriteOn(ctx, w.connection, b) }() // waited for by wait
	t := b.Table()
	empty := w.spare[t]
	delete(w.spare, t)
	if empty == nil {
		empty = schema.NewBlock(t)
	}
	return empty, nil
}

// wait waits until the block that is on its way has left.
func (w *fileWorker) wait() error {
	if w.leaving == nil {
		return nil
	}
	err := <-w.left
	w.leaving.Reset()
	w.spare[w.leaving.Table()], w.leaving = w.leaving, nil
	return err
}

// fileLoad is one file on its way through the workers.
type fileLoad struct {
	n     *normalizer
	batch *loaders.Batch
	load  *load
	page  *state.Page
	// context is what all records have in common.
	context *normalize.Context
	outputs []extractors.Output
	// hold takes the bad records of a file that is not received yet; nil if it is.
	hold func(loaders.QuarantineRow) error
	free chan *normalize.Chunk
	full chan *normalize.Chunk

	// stop says that the pull is rejected: what is left of the file is not worth reading.
	stop      atomic.Bool
	rows, bad atomic.Int64

	mu       sync.Mutex
	refused  string
	badLine  int64 // of firstBad
	firstBad string
}

// file sends the records of a page that is a file to the batch. Its memory does not
// depend on the file's size.
func (n *normalizer) file(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page) error {
	if l.rejected != "" {
		return nil // a file takes too long to be read for nothing
	}
	l.files = append(l.files, page.File)
	if n.ahead != nil {
		return n.ahead.count(ctx, batch, l, page)
	}
	spoiled := func(format string, args ...any) error {
		l.rejected, l.spoiled = fmt.Sprintf(format, args...), page.File
		return nil
	}
	if n.engine.files.spool == nil {
		return errNoSpool
	}
	opened, err := os.Open(n.engine.files.spool.Path(page.File))
	if errors.Is(err, fs.ErrNotExist) {
		l.rejected = fmt.Sprintf("file %s is no longer in the spool: it is downloaded again when the stream is due", page.File)
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening file %s: %w", page.File, err)
	}
	defer opened.Close()
	var records int64
	csv, err := normalize.OpenCSV(opened, "")
	switch {
	case errors.Is(err, normalize.ErrEmptyFile):
	case err != nil:
		return spoiled("file %s cannot be read: %v", page.File, err)
	default:
		if records, err = n.records(ctx, batch, l, page, csv, nil); err != nil || l.rejected != "" {
			return err
		}
	}
	l.announced(page, records)
	return nil
}

// announced rejects a pull whose file has not as many records as the network announced.
func (l *load) announced(page *state.Page, records int64) {
	if announced := int64(page.Records); announced > 0 && records != announced {
		l.rejected, l.spoiled = fmt.Sprintf("file %s has %d records, the network announced %d", page.File, records, announced), page.File
	}
}

// records makes rows of all records of a file and gives their number. hold is that of
// fileLoad.
func (n *normalizer) records(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page, csv *normalize.CSV, hold func(loaders.QuarantineRow) error) (records int64, err error) {
	f := &fileLoad{
		n: n, batch: batch, load: l, page: page, hold: hold, context: contextOf(l, page), outputs: l.stream.OutputsBy(l.pull.Route),
		free: make(chan *normalize.Chunk, fileChunks), full: make(chan *normalize.Chunk),
	}
	f.context.Mask = l.account.Source.Mask
	mappings, err := f.mappings(csv.Header())
	if err != nil || l.rejected != "" {
		return 0, err
	}
	for range fileChunks {
		f.free <- new(normalize.Chunk)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(f.full)
		var err error
		records, err = f.read(ctx, csv)
		return err
	})
	for i, w := range n.fileWorkers() {
		g.Go(func() error { return f.work(ctx, w, mappings[i]) })
	}
	err = g.Wait()
	l.rows += f.rows.Load()
	l.bad += f.bad.Load()
	if l.firstBad == "" {
		l.firstBad = f.firstBad
	}
	l.rejected = f.refused
	return records, err
}

// mappings gives each worker's own for every output, bound to the file's columns.
func (f *fileLoad) mappings(header []string) ([][]*normalize.Normalizer, error) {
	all := make([][]*normalize.Normalizer, fileWorkers)
	for i, out := range f.outputs {
		m, err := f.n.mappingOf(f.load, i, out)
		if err != nil {
			return nil, err
		}
		if err := m.Bind(header); err != nil {
			f.load.rejected = fmt.Sprintf("file %s cannot be read as %s: %v", f.page.File, out.Table.Name, err)
			return nil, nil
		}
		for w := range all {
			all[w] = append(all[w], m.Clone())
		}
	}
	return all, nil
}

func (n *normalizer) fileWorkers() []*fileWorker {
	for len(n.workers) < fileWorkers {
		n.workers = append(n.workers, newFileWorker(len(n.workers)))
	}
	return n.workers
}

// refuse rejects the pull; the first reason counts. The work in hand is not cut: what
// is on its way to the quarantine should arrive there.
func (f *fileLoad) refuse(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused == "" {
		f.refused = fmt.Sprintf(format, args...)
	}
	f.stop.Store(true)
}

// read cuts the file into chunks and gives the number of its records.
func (f *fileLoad) read(ctx context.Context, csv *normalize.CSV) (records int64, err error) {
	for !f.stop.Load() {
		var chunk *normalize.Chunk
		select {
		case chunk = <-f.free:
		case <-ctx.Done():
			return records, context.Cause(ctx)
		}
		switch err := csv.Next(chunk); {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			f.load.spoiled = f.page.File
			f.refuse("file %s: %v", f.page.File, err)
			return records, nil
		}
		records += int64(chunk.Records())
		select {
		case f.full <- chunk:
		case <-ctx.Done():
			return records, context.Cause(ctx)
		}
	}
	return records, nil
}

// work makes rows of chunks until there are no more, and sends what is left of them.
func (f *fileLoad) work(ctx context.Context, w *fileWorker, mappings []*normalize.Normalizer) (err error) {
	defer func() {
		if left := w.wait(); err == nil && left != nil {
			err = f.sending(left)
		}
	}()
	for chunk := range f.full {
		for i, out := range f.outputs {
			if f.stop.Load() {
				break
			}
			if err := f.chunk(ctx, w, chunk, out, mappings[i]); err != nil {
				return err
			}
		}
		f.free <- chunk // never waits: there is room for all
	}
	if f.stop.Load() {
		return nil
	}
	for t, b := range w.blocks {
		empty, err := w.send(ctx, f.batch, b)
		if err != nil {
			return f.sending(err)
		}
		w.blocks[t] = empty
	}
	return nil
}

// chunk appends the rows of a chunk to the worker's block of an output's table.
func (f *fileLoad) chunk(ctx context.Context, w *fileWorker, chunk *normalize.Chunk, out extractors.Output, mapping *normalize.Normalizer) error {
	var sending error // what goes wrong on the way to the warehouse, not in the file
	full := func(b *schema.Block) (*schema.Block, error) {
		var empty *schema.Block
		empty, sending = w.send(ctx, f.batch, b)
		return empty, sending
	}
	onBad := func(r normalize.BadRow) error {
		reason := fmt.Sprintf("line %d: %s", r.Line, r.Reason)
		f.mu.Lock()
		if f.firstBad == "" || r.Line < f.badLine {
			f.badLine, f.firstBad = r.Line, reason
		}
		f.mu.Unlock()
		row := quarantined(f.load, f.page, out, r, reason)
		if f.hold != nil {
			sending = f.hold(row)
		} else {
			sending = f.batch.Quarantine(ctx, row)
		}
		return sending
	}
	block := w.blocks[out.Table]
	if block == nil {
		block = schema.NewBlock(out.Table)
	}
	block, counts, err := mapping.Chunk(chunk, f.context, block, full, onBad)
	if block == nil {
		block = schema.NewBlock(out.Table)
	}
	w.blocks[out.Table] = block
	rows, bad := f.rows.Add(int64(counts.Rows)), f.bad.Add(int64(counts.Bad))
	switch {
	case sending != nil:
		return f.sending(sending)
	case err != nil:
		f.refuse("file %s cannot be read as %s: %v", f.page.File, out.Table.Name, err)
	case bad > badMost && bad > rows:
		f.mu.Lock()
		first := f.firstBad
		f.mu.Unlock()
		f.refuse("%d of the first %d records cannot be normalized, the first: %s", bad, rows+bad, first)
	}
	return nil
}

func (f *fileLoad) sending(err error) error {
	return fmt.Errorf("staging account %s, stream %s: %w", f.load.pull.Account, f.load.pull.Stream, err)
}
