package pipeline

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/klauspost/compress/zstd"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

const (
	// badShare is the share of a pull's records that may be bad before the pull
	// fails loudly: then it is the mapping or the time zone that is wrong, not a row.
	badShare = 0.2
	// badAlways is the number of bad records that never fails a pull.
	badAlways = 10
	// pagesAtOnce is how many pages are read from the inbox in one query.
	pagesAtOnce = 8
)

// load is one pull on its way through a slot.
type load struct {
	entry     *entry
	pull      state.Pull
	account   *Account
	stream    *extractors.Stream
	rows, bad int64
	firstBad  string
	// leadRows are those of rows that are put together from leads, and leadRecords the
	// records about leads that could be read: of a lead that is as it was there is no row.
	leadRows, leadRecords int64
	compressed            int64
	// rejected says why the pull cannot be published; empty if it can.
	rejected string
	// doubtful says what is wrong with records of a pull that is published all the same.
	doubtful string
	// files are the spool files of the pull; spoiled is the one that is to blame for
	// rejected, if its bytes are.
	files   []string
	spoiled string
	totals  totaling
	// rawAt is when the first page was received, digest tells the rows from those of other
	// pulls, and same says that they are visible already; see unchanged.go.
	rawAt  time.Time
	digest uint64
	same   bool
	result loaders.UnitResult
}

// normalizer turns the pages of pulls into staged rows. Its buffers live as long as
// the slot; blocks are filled across pages and pulls, so that small pages do not
// make small blocks.
type normalizer struct {
	engine  *Engine
	decoder *zstd.Decoder
	body    []byte
	blocks  map[*schema.Table]*schema.Block
	// scratch are blocks of rows that only show which records are bad.
	scratch map[*schema.Table]*schema.Block
	mapping map[mappingKey]*normalize.Normalizer
	// workers are those of files; nil until there is one.
	workers []*fileWorker
	// ahead is what was staged of a file before it was received; nil if nothing was.
	ahead *ahead
}

type mappingKey struct {
	account, stream string
	route           state.Route
	output          int
}

func newNormalizer(e *Engine) *normalizer {
	// One decoder a slot, no goroutines of its own: pages are decoded one at a time.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		panic(fmt.Sprintf("zstd refuses constant options: %v", err)) // cannot happen: the options do not depend on input
	}
	return &normalizer{engine: e, decoder: decoder, blocks: map[*schema.Table]*schema.Block{}, scratch: map[*schema.Table]*schema.Block{}, mapping: map[mappingKey]*normalize.Normalizer{}}
}

// stage sends the rows and raw pages of one pull to the batch. A pull whose rows
// cannot be published comes back with its reason.
func (n *normalizer) stage(ctx context.Context, batch *loaders.Batch, e *entry) (*load, error) {
	p := e.pull
	account := n.engine.lanes[p.Account].account
	l := &load{entry: e, pull: p, account: account, stream: account.stream(p.Stream)}
	if l.stream == nil {
		l.rejected = "the stream is no longer configured"
		return l, nil
	}
	l.digest = digestOf(account, l.stream, p)
	for after := int64(0); ; {
		pages, err := n.engine.store.Pages(ctx, p.ID, after, pagesAtOnce)
		if err != nil && e.replay != nil { // the warehouse did not give them, this time or any more
			return nil, fmt.Errorf("reading kept answers of account %s, stream %s: %w", p.Account, p.Stream, err)
		}
		if err != nil {
			return nil, &stateError{fmt.Errorf("reading the inbox of account %s, stream %s: %w", p.Account, p.Stream, err)}
		}
		for i := range pages {
			if l.rawAt.IsZero() {
				l.rawAt = pages[i].ReceivedAt
			}
			if err := n.page(ctx, batch, l, &pages[i]); err != nil {
				return nil, err
			}
			after = pages[i].Seq
		}
		if len(pages) == 0 {
			break
		}
	}
	read := l.rows - l.leadRows + l.leadRecords
	if l.rejected == "" && l.bad > badAlways && float64(l.bad) > badShare*float64(read+l.bad) {
		reason := fmt.Sprintf("%d of %d records cannot be normalized, the first: %s", l.bad, read+l.bad, l.firstBad)
		if leadsIn(l.stream.OutputsBy(p.Route)) < 0 {
			l.rejected = reason
		} else {
			// What the others told is part of the leads since it was received.
			l.doubtful = reason
		}
	}
	return l, nil
}

func (n *normalizer) page(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page) error {
	if l.entry.replay != nil {
		return n.answer(ctx, batch, l, page)
	}
	l.compressed += int64(len(page.Body))
	request := page.Request
	if page.File != "" {
		request += " (file " + page.File + ")" // where the body is, for as long as the spool keeps it
	}
	err := batch.Raw(ctx, loaders.RawPage{
		Network: l.account.Network, Account: l.pull.Account, Stream: l.pull.Stream, PullID: l.pull.ID,
		Seq: page.Seq, Request: request, ReceivedAt: page.ReceivedAt,
		WindowFrom: l.pull.From, WindowTo: l.pull.To, RunID: l.pull.RunID, Version: page.Version,
		Kind: string(l.pull.Kind), PullVersion: l.pull.Version, PulledAt: l.pull.CreatedAt, PullPages: l.pull.Pages, File: page.File,
		Records: page.Records, RawBytes: page.RawBytes, Body: page.Body,
	})
	if err != nil {
		return fmt.Errorf("staging a raw page: %w", err)
	}
	return n.answer(ctx, batch, l, page)
}

// answer sends the rows of a page to the batch.
func (n *normalizer) answer(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page) error {
	if page.File != "" {
		return n.file(ctx, batch, l, page)
	}
	if l.entry.replay != nil && len(page.Body) == 0 {
		for _, out := range l.stream.OutputsBy(l.pull.Route) {
			if !out.Leads {
				continue
			}
			if err := n.leads(ctx, batch, l, page, out); err != nil {
				return fmt.Errorf("staging account %s, stream %s: %w", l.pull.Account, l.pull.Stream, err)
			}
		}
		return nil
	}
	body, err := n.decoder.DecodeAll(page.Body, n.body[:0])
	if err != nil {
		l.rejected = fmt.Sprintf("page %d of the inbox cannot be decompressed: %v", page.Seq, err)
		return nil
	}
	n.body = body
	for i, out := range l.stream.OutputsBy(l.pull.Route) {
		if err := n.output(ctx, batch, l, page, body, i, out); err != nil {
			return err
		}
	}
	return nil
}

// output appends the rows that one page gives to one table.
func (n *normalizer) output(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page, body []byte, i int, out extractors.Output) error {
	if out.Leads {
		if err := n.leads(ctx, batch, l, page, out); err != nil {
			return fmt.Errorf("staging account %s, stream %s: %w", l.pull.Account, l.pull.Stream, err)
		}
		if len(out.Spec.Columns) == 0 {
			return nil
		}
		// Read once more for what of it is bad.
		out.Spec.Identity = leadIdentity
	}
	mapping, err := n.mappingOf(l, i, out)
	if err != nil {
		return err
	}
	c := contextOf(l, page)
	blocks, send := n.blocks, batch.Write
	if out.Leads {
		c.By = ""
		blocks, send = n.scratch, func(context.Context, *schema.Block) error { return nil }
	}
	var sending error        // what goes wrong on the way to the warehouse, not in the page
	var sums []schema.Int128 // of the page's rows, by the stream's totals
	first := 0
	add := func(b *schema.Block) {
		for i := range sums {
			sums[i] = sums[i].Add(b.Sum(out.Table.Index(l.stream.Totals[i].Column), first))
		}
		first = 0
	}
	full := func(b *schema.Block) (*schema.Block, error) {
		add(b)
		if sending = send(ctx, b); sending != nil {
			return nil, sending
		}
		b.Reset()
		return b, nil
	}
	var bad int64
	onBad := func(r normalize.BadRow) error {
		bad++
		reason := r.Reason
		if r.Line > 0 { // XML has lines, and JSON has none worth a word
			reason = fmt.Sprintf("line %d: %s", r.Line, reason)
		}
		if l.firstBad == "" {
			l.firstBad = reason
		}
		sending = batch.Quarantine(ctx, quarantined(l, page, out, r, reason))
		return sending
	}
	block := blocks[out.Table]
	if block == nil {
		block = schema.NewBlock(out.Table)
	}
	if i == 0 && !out.Leads && len(l.stream.Totals) > 0 {
		sums, first = make([]schema.Int128, len(l.stream.Totals)), block.Rows()
	}
	block, counts, err := mapping.Page(body, c, block, full, onBad)
	if block == nil {
		block = schema.NewBlock(out.Table)
	}
	blocks[out.Table] = block
	switch {
	case sending != nil:
		return fmt.Errorf("staging account %s, stream %s: %w", l.pull.Account, l.pull.Stream, sending)
	case err != nil:
		l.rejected = fmt.Sprintf("page %d cannot be read as %s: %v", page.Seq, out.Table.Name, err)
		return nil
	}
	l.bad += bad
	if out.Leads {
		block.Reset()
		l.leadRecords += int64(counts.Rows)
		return nil
	}
	l.rows += int64(counts.Rows)
	if sums != nil {
		add(block)
		l.totals.page(l.stream, body, sums)
	}
	return nil
}

func quarantined(l *load, page *state.Page, out extractors.Output, r normalize.BadRow, reason string) loaders.QuarantineRow {
	return loaders.QuarantineRow{
		Network: l.account.Network, Account: l.pull.Account, Stream: l.pull.Stream, Table: out.Table.Name,
		PullID: page.PullID, Seq: page.Seq, Index: r.Index, Reason: reason, Record: string(r.Record),
		RunID: l.pull.RunID, Version: page.Version, At: page.ReceivedAt,
	}
}

func (n *normalizer) mappingOf(l *load, i int, out extractors.Output) (*normalize.Normalizer, error) {
	key := mappingKey{l.pull.Account, l.pull.Stream, l.pull.Route, i}
	if m := n.mapping[key]; m != nil {
		return m, nil
	}
	m, err := normalize.Compile(out.Spec)
	if err != nil {
		return nil, fmt.Errorf("compiling the mapping of stream %s: %w", l.pull.Stream, err)
	}
	n.mapping[key] = m
	return m, nil
}

// flush sends what the blocks still hold.
func (n *normalizer) flush(ctx context.Context, batch *loaders.Batch) error {
	for _, b := range n.blocks {
		if b.Rows() == 0 {
			continue
		}
		if err := batch.Write(ctx, b); err != nil {
			return fmt.Errorf("staging rows: %w", err)
		}
		b.Reset()
	}
	return nil
}

// clear forgets rows of a batch that was given up.
func (n *normalizer) clear() {
	for _, b := range n.blocks {
		b.Reset()
	}
	for _, w := range n.workers {
		for _, b := range w.blocks {
			b.Reset()
		}
	}
}

func contextOf(l *load, page *state.Page) *normalize.Context {
	c := &normalize.Context{
		Network: l.account.Network, Account: l.pull.Account, RunID: l.pull.RunID, Stream: l.pull.Stream,
		Location: l.account.Location, Version: page.Version, SyncedAt: page.ReceivedAt,
	}
	if l.pull.Kind == state.Windowed {
		c.Window = asked(l)
		c.By = l.stream.Window.By
	}
	if l.entry != nil && l.entry.replay != nil && leadsIn(l.stream.OutputsBy(l.pull.Route)) < 0 {
		c.Younger = l.entry.replay.Younger
	}
	asked := extractors.Asked(page.Request)
	c.Variables = make(map[string]string, len(asked)+len(l.stream.Variables))
	maps.Copy(c.Variables, l.stream.Variables)
	maps.Copy(c.Variables, asked)
	return c
}
