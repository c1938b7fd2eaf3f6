package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/internal/embedded"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// references are what a file's load is compared with.
type references struct {
	url    string // of the file
	rows   int
	blocks []readyBlock
	server *http.Server
}

// newReferences serves the file to ClickHouse and makes blocks of all its rows.
func newReferences(file string, day time.Time, rows int) (*references, error) {
	r := &references{rows: rows}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.url = "http://" + l.Addr().String() + "/clicks.csv"
	r.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { http.ServeFile(w, q, file) })}
	go func() { _ = r.server.Serve(l) }() // ends with ErrServerClosed
	if err := r.makeBlocks(file, day); err != nil {
		r.stop()
		return nil, fmt.Errorf("making blocks of the file: %w", err)
	}
	return r, nil
}

func (r *references) stop() { _ = r.server.Close() }

// makeBlocks makes of the file what syncd makes of it.
func (r *references) makeBlocks(file string, day time.Time) error {
	source, err := metricsSource()
	if err != nil {
		return err
	}
	stream := streamOf(source, "clicks")
	out := stream.OutputsBy(state.Export)[0]
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	csv, err := normalize.OpenCSV(f, "")
	if err != nil {
		return err
	}
	if err := n.Bind(csv.Header()); err != nil {
		return err
	}
	c := &normalize.Context{
		Network: "24metrics", Account: account, RunID: "bench", Stream: stream.Name, Location: time.UTC,
		Version: 2, SyncedAt: time.Now(), Window: schema.Window{From: day, To: day.AddDate(0, 0, 1)}, By: stream.Window.By, Variables: stream.Variables,
	}
	full := func(b *schema.Block) (*schema.Block, error) {
		r.blocks = append(r.blocks, newReadyBlock(b))
		b.Reset()
		return b, nil
	}
	bad := func(b normalize.BadRow) error { return fmt.Errorf("line %d: %s", b.Line, b.Reason) }
	var chunk normalize.Chunk
	block := schema.NewBlock(out.Table)
	for {
		err := csv.Next(&chunk)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if block, _, err = n.Chunk(&chunk, c, block, full, bad); err != nil {
			return err
		}
	}
	_, err = full(block)
	return err
}

func metricsSource() (extractors.Source, error) {
	networks, err := manifest.Load()
	if err != nil {
		return nil, err
	}
	for _, n := range networks {
		if n.Name == "24metrics" {
			return rest.New(n, rest.Account{
				Name: account, BaseURL: "http://127.0.0.1", Location: time.UTC,
				Credentials: map[string]rest.Secret{"api_key": key("sim-key")},
				Variables:   map[string]string{"integrations": "dhk0demo01"},
			})
		}
	}
	return nil, fmt.Errorf("there is no manifest of 24metrics")
}

// readyBlock is a block as it goes over the wire.
type readyBlock struct {
	rows    int
	columns []readyColumn
}

// readyColumn is an encoded column. It goes on as it is.
type readyColumn struct {
	name        string
	typ         proto.ColumnType
	rows        int
	state, data []byte
}

func newReadyBlock(b *schema.Block) readyBlock {
	made := readyBlock{rows: b.Rows()}
	for _, c := range b.Input() {
		one := readyColumn{name: c.Name, typ: c.Data.Type(), rows: b.Rows()}
		var buffer proto.Buffer
		if s, ok := c.Data.(proto.StateEncoder); ok {
			s.EncodeState(&buffer)
			one.state = append([]byte(nil), buffer.Buf...)
			buffer.Reset()
		}
		c.Data.EncodeColumn(&buffer)
		one.data = append([]byte(nil), buffer.Buf...)
		made.columns = append(made.columns, one)
	}
	return made
}

func (c *readyColumn) Type() proto.ColumnType       { return c.typ }
func (c *readyColumn) Rows() int                    { return c.rows }
func (c *readyColumn) EncodeState(b *proto.Buffer)  { b.PutRaw(c.state) }
func (c *readyColumn) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.data) }
func (c *readyColumn) WriteColumn(w *proto.Writer)  { w.ChainWrite(c.data) }

// alone is what ClickHouse needs for the rows by itself, round by round: rows a second,
// and microseconds of CPU a row, in which some merging is that is not waited for.
type alone struct{ speed, cpu []float64 }

// measure starts an engine as syncd does, and has it take the rows in all ways.
func (r *references) measure(ctx context.Context, b *bench, dir string, e *exportFigures) (err error) {
	engine, err := embedded.Start(ctx, embedded.Options{DataDir: dir})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := engine.Stop(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
		if !b.keep {
			_ = os.RemoveAll(dir)
		}
	}()
	ways := []struct {
		name string
		load func(ctx context.Context, engine *embedded.Engine, table string) error
		into *alone
	}{
		{"ready-made blocks, two connections", r.ready, &e.ready},
		{"url(), strings and casts", r.inSQL(castsQuery), &e.casts},
		{"url(), strings and casts, two threads of inserting", r.inSQL(castsQuery + ", max_insert_threads = 2"), &e.casts2},
		{"url(), typed columns", r.inSQL(typedQuery), &e.typed},
	}
	for n, way := range ways {
		database := fmt.Sprintf("way%d", n)
		before, err := readUsage(engine.PID())
		if err != nil {
			return err
		}
		seconds, err := r.into(ctx, engine, database, way.load)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		after, err := readUsage(engine.PID())
		if err != nil {
			return err
		}
		cpu := float64((after.cpu - before.cpu).Microseconds()) / float64(r.rows)
		b.note("%s: %.1f s, %.0f rows/s, engine %.1f us/row", way.name, seconds, perSecond(r.rows, seconds), cpu)
		way.into.speed, way.into.cpu = append(way.into.speed, perSecond(r.rows, seconds)), append(way.into.cpu, cpu)
	}
	return nil
}

// into makes the tables of a database, loads the rows into its clicks, gives the
// seconds, and removes everything.
func (r *references) into(ctx context.Context, engine *embedded.Engine, database string, load func(context.Context, *embedded.Engine, string) error) (float64, error) {
	w, err := loaders.Open(ctx, loaders.Options{DSN: engine.DSN(), Database: database})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	if err := w.Migrate(ctx); err != nil {
		return 0, err
	}
	o, err := clickhouse.ParseDSN(engine.DSN())
	if err != nil {
		return 0, err
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	table := w.Store() + ".clicks"
	began := time.Now()
	if err := load(ctx, engine, table); err != nil {
		return 0, err
	}
	seconds := time.Since(began).Seconds()
	var rows uint64
	if err := conn.QueryRow(ctx, "SELECT sum(rows) FROM system.parts WHERE active AND database = '"+w.Store()+"' AND table = 'clicks'").Scan(&rows); err != nil {
		return 0, err
	}
	if rows != uint64(r.rows) { // without optimize_on_insert; merges drop no row, for no key comes twice
		return 0, fmt.Errorf("%s has %d rows, the file %d", table, rows, r.rows)
	}
	for _, name := range []string{w.Database(), w.Store()} {
		if err := conn.Exec(ctx, "DROP DATABASE "+name+" SYNC"); err != nil {
			return 0, err
		}
	}
	return seconds, nil
}

// dial makes a connection of the native protocol, uncompressed as syncd's own on
// loopback.
func dial(ctx context.Context, engine *embedded.Engine) (*ch.Client, error) {
	o, err := clickhouse.ParseDSN(engine.DSN())
	if err != nil {
		return nil, err
	}
	return ch.Dial(ctx, ch.Options{Address: engine.NativeAddr(), User: o.Auth.Username, Password: o.Auth.Password, ReadTimeout: 10 * time.Minute})
}

// insertSetting is what all ways of inserting have in common.
var insertSetting = []ch.Setting{{Key: "optimize_on_insert", Value: "0"}, {Key: "async_insert", Value: "0"}}

// ready sends the blocks over two connections, an INSERT each.
func (r *references) ready(ctx context.Context, engine *embedded.Engine, table string) error {
	g, ctx := errgroup.WithContext(ctx)
	for connection := range slots {
		g.Go(func() error {
			client, err := dial(ctx, engine)
			if err != nil {
				return err
			}
			defer client.Close()
			var names []string
			input := make(proto.Input, len(r.blocks[0].columns))
			show := func(b *readyBlock) {
				for i := range b.columns {
					input[i] = proto.InputColumn{Name: b.columns[i].name, Data: &b.columns[i]}
				}
			}
			next := connection
			show(&r.blocks[next])
			for _, c := range input {
				names = append(names, "`"+c.Name+"`")
			}
			return client.Do(ctx, ch.Query{
				Body: fmt.Sprintf("INSERT INTO %s (%s) VALUES", table, strings.Join(names, ", ")), Input: input,
				// 2 GiB are too little for two INSERTs that gather blocks of a million rows.
				Settings: append([]ch.Setting{{Key: "min_insert_block_size_rows", Value: "262144"}}, insertSetting...),
				OnInput: func(context.Context) error {
					if next += slots; next >= len(r.blocks) {
						for i := range input {
							input[i].Data = &readyColumn{typ: input[i].Data.Type()}
						}
						return io.EOF
					}
					show(&r.blocks[next])
					return nil
				},
			})
		})
	}
	return g.Wait()
}

// inSQL has ClickHouse read the file by itself.
func (r *references) inSQL(query string) func(context.Context, *embedded.Engine, string) error {
	return func(ctx context.Context, engine *embedded.Engine, table string) error {
		client, err := dial(ctx, engine)
		if err != nil {
			return err
		}
		defer client.Close()
		return client.Do(ctx, ch.Query{Body: strings.NewReplacer("{table}", table, "{url}", r.url).Replace(query), Settings: insertSetting})
	}
}
