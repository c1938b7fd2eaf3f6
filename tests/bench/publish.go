package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"syncd/internal/embedded"
	"syncd/loaders"
	"syncd/schema"
)

const (
	publishRows = 100_000 // of the window, which is a day
	// smallTable and largeTable are the sizes, in days, of what is published into.
	smallTable, largeTable = 10, 50
)

// benchPublish measures the publication of a window of 100,000 staged rows into
// tables of two sizes: of a new day, and of a day that was pulled before.
//
// Publish ends the INSERT first. The end of an INSERT of the same blocks into a
// table like the staging table is measured beside it and subtracted.
func benchPublish(ctx context.Context, b *bench) (err error) {
	engine, err := embedded.Start(ctx, embedded.Options{DataDir: filepath.Join(b.dir, "publish")})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := engine.Stop(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
	}()
	table, ok := schema.Lookup("conversions")
	if !ok {
		return errors.New("there is no table of conversions")
	}
	p := &publishing{table: table, rows: b.scaled(publishRows), version: 10}
	if p.warehouse, err = loaders.Open(ctx, loaders.Options{DSN: engine.DSN()}); err != nil {
		return err
	}
	defer p.warehouse.Close()
	if err := p.warehouse.Migrate(ctx); err != nil {
		return err
	}
	if p.dsn, err = clickhouse.ParseDSN(engine.DSN()); err != nil {
		return err
	}
	filled := 0
	for _, size := range []int{smallTable, largeTable} {
		for ; filled < size; filled++ {
			if _, err := p.day(ctx, filled); err != nil {
				return err
			}
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
		var ends, fresh, again []float64
		for range b.rounds {
			for _, m := range []struct {
				into *[]float64
				f    func(context.Context, int) (time.Duration, error)
				day  int
			}{{&ends, p.insertEnd, filled}, {&fresh, p.day, filled}, {&again, p.day, 1}} {
				took, err := m.f(ctx, m.day)
				if err != nil {
					return err
				}
				*m.into = append(*m.into, float64(took.Microseconds())/1000)
			}
			filled++
		}
		without := func(all []float64) []float64 {
			return pick(all, func(v float64) float64 { return max(v-median(ends), 0) })
		}
		name := fmt.Sprintf("%s rows into %s", number(float64(p.rows)), number(float64(size*p.rows)))
		r := &b.report
		r.add("publish", name+": end of the INSERT", "ms", ends, nil, nil)
		r.add("publish", name+": a new day, without it", "ms", without(fresh), nil, atMost(50))
		r.add("publish", name+": a day pulled before, without it", "ms", without(again), nil, nil)
	}
	return nil
}

// publishing is what the rounds share.
type publishing struct {
	warehouse *loaders.Warehouse
	dsn       *clickhouse.Options
	table     *schema.Table
	rows      int
	version   uint64
	blocks    []*schema.Block
}

// settle waits until the server has merged what filling the table left behind:
// that work is not the publication's. It gives up after a minute.
func (p *publishing) settle(ctx context.Context) error {
	for range 300 {
		var out bytes.Buffer
		if err := p.warehouse.Query(ctx, "SELECT count() FROM system.merges", "TSV", &out); err != nil {
			return err
		}
		if lines := strings.Fields(out.String()); len(lines) > 0 && lines[len(lines)-1] == "0" {
			return nil
		}
		if !wait(ctx, 200*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

func dayOf(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }

// day pulls and publishes a day's window; the time is that of Publish.
func (p *publishing) day(ctx context.Context, n int) (time.Duration, error) {
	p.version += 10
	p.fill(n)
	batch, err := p.warehouse.Begin(ctx, 0)
	if err != nil {
		return 0, err
	}
	defer batch.Abort(context.WithoutCancel(ctx))
	for _, b := range p.blocks {
		if err := batch.Write(ctx, b); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	_, err = batch.Publish(ctx, []loaders.Unit{{
		PullID: int64(n), Network: "affise", Account: account, Stream: "conversions", Tier: "hot", RunID: "bench",
		Version: p.version, Complete: true,
		Outputs: []loaders.Scope{{
			Table: p.table, By: "created_at", From: dayOf(n), To: dayOf(n + 1), FromDay: dayOf(n), ToDay: dayOf(n + 1),
		}},
	}})
	return time.Since(began), err
}

// fill makes the blocks of a day. One conversion in ten has another status than in
// the version before.
func (p *publishing) fill(day int) {
	column := func(name string) int { return p.table.Index(name) }
	var (
		id, click, status, payout = column("conversion_id"), column("click_id"), column("status"), column("payout")
		created, date, offer      = column("created_at"), column("report_date"), column("offer_id")
		name, ip, agent           = column("account"), column("ip"), column("user_agent")
		version                   = column(schema.ColumnVersion)
	)
	p.blocks = p.blocks[:0]
	var text []byte
	var b *schema.Block
	for i := range p.rows {
		if i%schema.BlockRows == 0 {
			b = schema.NewBlock(p.table)
			p.blocks = append(p.blocks, b)
		}
		text = fmt.Appendf(text[:0], "%024x", uint64(day)<<32|uint64(i)*2654435761%(1<<32))
		b.SetBytes(name, []byte(account))
		b.SetBytes(id, text)
		b.SetBytes(click, text)
		b.SetBytes(offer, fmt.Appendf(nil, "%d", i%200))
		b.SetBytes(status, []byte(schema.StatusApproved))
		if i%10 == int(p.version/10)%10 {
			b.SetBytes(status, []byte(schema.StatusRejected))
		}
		b.SetDecimal(payout, schema.Int128{Low: uint64(i%5000) * 100_000_000})
		b.SetTime(created, dayOf(day).UnixMilli()+int64(i)*int64(24*time.Hour/time.Millisecond)/int64(p.rows))
		b.SetDate(date, uint16(dayOf(day).Unix()/86400))
		b.SetBytes(ip, fmt.Appendf(nil, "10.%d.%d.%d", i>>16&255, i>>8&255, i&255))
		b.SetBytes(agent, []byte("Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"))
		b.SetUint(version, p.version+1)
		b.EndRow()
	}
}

// insertEnd stores a day in a table like the staging table; the time is the one
// from when all blocks are handed over to the end.
func (p *publishing) insertEnd(ctx context.Context, day int) (took time.Duration, err error) {
	p.fill(day)
	client, err := ch.Dial(ctx, ch.Options{
		Address: p.dsn.Addr[0], User: p.dsn.Auth.Username, Password: p.dsn.Auth.Password,
		Settings: []ch.Setting{
			{Key: "optimize_on_insert", Value: "0"}, {Key: "async_insert", Value: "0"}, {Key: "insert_deduplicate", Value: "0"},
			{Key: "min_insert_block_size_rows", Value: "262144"},
		},
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	const like = "affiliate_store.insert_end"
	for _, q := range []string{
		"DROP TABLE IF EXISTS " + like + " SYNC",
		"CREATE TABLE " + like + " AS affiliate_store.staging_0_conversions",
	} {
		if err := client.Do(ctx, ch.Query{Body: q}); err != nil {
			return 0, err
		}
	}
	input := append(proto.Input(nil), p.blocks[0].Input()...)
	names := make([]string, len(input))
	for i, c := range input {
		names[i] = c.Name
	}
	next := 1
	var handedOver time.Time
	err = client.Do(ctx, ch.Query{
		Body:  "INSERT INTO " + like + " (" + strings.Join(names, ", ") + ") VALUES",
		Input: input,
		OnInput: func(context.Context) error {
			if next == len(p.blocks) {
				handedOver = time.Now()
				for i := range input {
					input[i].Data = none{input[i].Data}
				}
				return io.EOF
			}
			for i, column := range p.blocks[next].Input() {
				input[i].Data = column.Data
			}
			next++
			return nil
		},
	})
	return time.Since(handedOver), err
}

// none is a column without rows, for the end of an INSERT.
type none struct{ proto.ColInput }

func (none) Rows() int { return 0 }
