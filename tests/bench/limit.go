package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/extractors"
	"syncd/internal/embedded"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
)

// sampleRows is about how many rows are loaded for the limit, held in memory as
// pages and as blocks.
const sampleRows = 300_000

// slots is the number of batches that load at once, as in the pipeline.
const slots = 2

// sample is the answers of some days, and where their rows go.
type sample struct {
	streams []*extractors.Stream
	// days are the pages by slot, day after day.
	days [slots][]day
	rows int
}

// day is a window of a day of every stream.
type day struct {
	window schema.Window
	// pages are by stream.
	pages [][][]byte
}

// fetchSample asks the simulator for whole days until there are enough rows.
func fetchSample(ctx context.Context, sim *simulator, from time.Time, atLeast int) (*sample, error) {
	source, err := affiseSource(sim.url)
	if err != nil {
		return nil, err
	}
	s := &sample{streams: []*extractors.Stream{streamOf(source, "conversions"), streamOf(source, "clicks")}}
	for n := 0; s.rows < atLeast && n < backfillDays; n++ {
		d := day{window: schema.Window{From: from.AddDate(0, 0, n), To: from.AddDate(0, 0, n+1)}}
		text := d.window.From.Format(time.DateOnly)
		question := fmt.Sprintf("date_from=%s&date_to=%s&timezone=UTC&limit=%d", text, text, pageSize)
		pages, err := s.fetch(ctx, sim, "/3.0/stats/conversions?"+question, "conversions")
		if err != nil {
			return nil, err
		}
		d.pages = append(d.pages, pages)
		var clicks [][]byte
		for hour := range 24 {
			pages, err := s.fetch(ctx, sim, fmt.Sprintf("/3.0/stats/clicks?%s&hour=%d", question, hour), "clicks")
			if err != nil {
				return nil, err
			}
			clicks = append(clicks, pages...)
		}
		d.pages = append(d.pages, clicks)
		s.days[n%slots] = append(s.days[n%slots], d)
	}
	return s, nil
}

// fetch reads all pages of a window.
func (s *sample) fetch(ctx context.Context, sim *simulator, path, records string) ([][]byte, error) {
	var pages [][]byte
	for {
		var body []byte
		if err := sim.request(ctx, http.MethodGet, fmt.Sprintf("%s&page=%d", path, len(pages)+1), &body); err != nil {
			return nil, err
		}
		n, _, err := normalize.Count(body, normalize.Paths{records}, normalize.ShapeEither)
		if err != nil {
			return nil, err
		}
		pages = append(pages, body)
		s.rows += n
		if n < pageSize {
			return pages, nil
		}
	}
}

// limit is how fast rows load without network and state, in rows a second.
type limit struct {
	// ready is from blocks made beforehand, normalized from pages in memory. Both
	// include the publication.
	ready, normalized float64
}

func measureLimit(ctx context.Context, dir string, s *sample) (l limit, err error) {
	engine, err := embedded.Start(ctx, embedded.Options{DataDir: dir})
	if err != nil {
		return l, err
	}
	defer func() {
		if stopped := engine.Stop(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
	}()
	for _, m := range []struct {
		database string
		ready    bool
		into     *float64
	}{
		{"warm", true, new(float64)}, // the engine's first INSERTs find cold caches
		{"ready", true, &l.ready}, {"normalized", false, &l.normalized},
	} {
		w, err := loaders.Open(ctx, loaders.Options{DSN: engine.DSN(), Database: m.database})
		if err != nil {
			return l, err
		}
		seconds, err := s.load(ctx, w, m.ready)
		if err != nil {
			return l, err
		}
		if err := w.Close(); err != nil {
			return l, err
		}
		*m.into = perSecond(s.rows, seconds)
	}
	return l, nil
}

// load brings the sample into the warehouse, one batch a slot, and gives the seconds.
func (s *sample) load(ctx context.Context, w *loaders.Warehouse, ready bool) (float64, error) {
	if err := w.Migrate(ctx); err != nil {
		return 0, err
	}
	var made [slots][]*schema.Block
	if ready {
		for slot := range slots {
			err := s.blocks(slot, func(b *schema.Block) (*schema.Block, error) {
				made[slot] = append(made[slot], b)
				return schema.NewBlock(b.Table()), nil
			})
			if err != nil {
				return 0, err
			}
		}
	}
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for slot := range slots {
		g.Go(func() error { return s.loadSlot(ctx, w, slot, ready, made[slot]) })
	}
	err := g.Wait()
	return time.Since(began).Seconds(), err
}

func (s *sample) loadSlot(ctx context.Context, w *loaders.Warehouse, slot int, ready bool, made []*schema.Block) error {
	batch, err := w.Begin(ctx, slot)
	if err != nil {
		return err
	}
	defer batch.Abort(context.WithoutCancel(ctx))
	if ready {
		for _, b := range made {
			if err := batch.Write(ctx, b); err != nil {
				return err
			}
		}
	} else {
		err := s.blocks(slot, func(b *schema.Block) (*schema.Block, error) {
			err := batch.Write(ctx, b)
			b.Reset()
			return b, err
		})
		if err != nil {
			return err
		}
	}
	var units []loaders.Unit
	for n, d := range s.days[slot] {
		for i, stream := range s.streams {
			out := stream.Outputs[0]
			units = append(units, loaders.Unit{
				PullID: int64(2*n + i), Network: "affise", Account: account, Stream: stream.Name, RunID: "bench",
				Version: 1, Complete: true, Tier: "backfill",
				Outputs: []loaders.Scope{{
					Table: out.Table, By: stream.Window.By, From: d.window.From, To: d.window.To,
					FromDay: d.window.From, ToDay: d.window.To, Equal: out.Scope,
				}},
			})
		}
	}
	_, err = batch.Publish(ctx, units)
	return err
}

// blocks normalizes a slot's pages and gives full blocks, and the rest at the end,
// to done, which gives the block to go on with.
func (s *sample) blocks(slot int, done func(*schema.Block) (*schema.Block, error)) error {
	for i, stream := range s.streams {
		out := stream.Outputs[0]
		n, err := normalize.Compile(out.Spec)
		if err != nil {
			return err
		}
		block := schema.NewBlock(out.Table)
		bad := func(r normalize.BadRow) error { return fmt.Errorf("record %d: %s", r.Index, r.Reason) }
		for _, d := range s.days[slot] {
			c := &normalize.Context{
				Network: "affise", Account: account, RunID: "bench", Stream: stream.Name, Location: time.UTC,
				Version: 2, SyncedAt: time.Now(), Window: d.window, By: stream.Window.By, Variables: stream.Variables,
			}
			for _, body := range d.pages[i] {
				if block, _, err = n.Page(body, c, block, done, bad); err != nil {
					return err
				}
			}
		}
		if block.Rows() > 0 {
			if _, err := done(block); err != nil {
				return err
			}
		}
	}
	return nil
}
