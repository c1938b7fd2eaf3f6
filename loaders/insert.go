package loaders

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// insert is one long INSERT over a connection of its own. Blocks are handed over
// to a goroutine that sends them; a block is the caller's again when send returns.
type insert struct {
	wire   wire
	cancel context.CancelFunc
	// blocks carries blocks to the goroutine, sent says that the one before is on its way.
	blocks chan proto.Input
	sent   chan struct{}
	// done is closed when the INSERT ended, well or not; err is set before.
	done chan struct{}
	err  error

	// mu is held while a block is handed over, so that blocks do not overtake. It
	// guards rows and closed.
	mu     sync.Mutex
	rows   int64
	closed bool
}

// wire is the connection of one INSERT, in one of the protocols.
type wire interface {
	// stream sends what next gives, until that is io.EOF, and waits until the server has
	// stored it. It asks for the next block when the one before has left, or when idle
	// has fired before there was one.
	stream(ctx context.Context, next func(ctx context.Context, idle <-chan time.Time) (proto.Input, error)) error
	// sever breaks the connection, at any time and any number of times.
	sever()
}

// errIdle is what next gives instead of a block when idle has fired.
var errIdle = errors.New("there is no block yet")

// startInsert begins an INSERT into a table (a quoted, qualified name). The first
// block says which columns there are; it is not sent yet. Settings are of this INSERT,
// beyond insertSettings.
func (w *Warehouse) startInsert(ctx context.Context, into string, first proto.Input, settings ...ch.Setting) (*insert, error) {
	open := w.nativeWire
	if w.driver.Protocol == clickhouse.HTTP {
		open = w.httpWire
	}
	names := make([]string, len(first))
	for n, c := range first {
		names[n] = c.Name
	}
	wire, err := open(ctx, fmt.Sprintf("INSERT INTO %s (%s)", into, quoteAll(names)), first, settings)
	if err != nil {
		return nil, wrap("connecting to ClickHouse for an INSERT into "+into, err)
	}
	// The INSERT outlives the call that begins it: it ends with finish or abort.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	i := &insert{wire: wire, cancel: cancel, blocks: make(chan proto.Input), sent: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(i.done)
		defer cancel()
		i.err = wire.stream(ctx, i.feed())
		wire.sever() // a connection serves one batch
	}()
	return i, nil
}

// feed gives what the wire calls when everything handed over before has left the process.
func (i *insert) feed() func(ctx context.Context, idle <-chan time.Time) (proto.Input, error) {
	handed := false
	return func(ctx context.Context, idle <-chan time.Time) (proto.Input, error) {
		if handed {
			handed = false
			select {
			case i.sent <- struct{}{}:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		select {
		case block, ok := <-i.blocks:
			if !ok {
				return nil, io.EOF
			}
			handed = true
			return block, nil
		case <-idle:
			return nil, errIdle
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// nativeWire is an INSERT over the native protocol.
type nativeWire struct {
	client *ch.Client
	query  ch.Query
}

func (w *Warehouse) nativeWire(ctx context.Context, statement string, first proto.Input, settings []ch.Setting) (wire, error) {
	client, err := w.dialBulk(ctx)
	if err != nil {
		return nil, err
	}
	input := make(proto.Input, len(first))
	for n, c := range first {
		// No rows yet: ch-go asks for the first block through OnInput.
		input[n] = proto.InputColumn{Name: c.Name, Data: empty{c.Data}}
	}
	return &nativeWire{client, ch.Query{Body: statement + " VALUES", Input: input, Settings: settings}}, nil
}

// stream fills the query's input, whose columns ch-go reads anew for each block.
func (n *nativeWire) stream(ctx context.Context, next func(ctx context.Context, idle <-chan time.Time) (proto.Input, error)) error {
	input := n.query.Input
	n.query.OnInput = func(ctx context.Context) error {
		block, err := next(ctx, nil)
		if err != nil {
			for c := range input {
				input[c].Data = empty{input[c].Data} // or the last block would be sent again
			}
			return err
		}
		for c := range input {
			input[c].Data = block[c].Data
		}
		return nil
	}
	return n.client.Do(ctx, n.query)
}

// sever has nothing to do where Do closed the connection already because it was cancelled.
func (n *nativeWire) sever() { _ = n.client.Close() }

// empty is a column without rows that otherwise is the one inside.
type empty struct{ proto.ColInput }

// Rows is what tells ch-go that there is nothing to send.
func (empty) Rows() int { return 0 }

// send hands a block over and waits until its bytes have left.
func (i *insert) send(ctx context.Context, block proto.Input, rows int) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return ch.ErrClosed
	}
	select {
	case i.blocks <- block:
	case <-i.done:
		return i.ended()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-i.sent:
		i.rows += int64(rows)
		return nil
	case <-i.done:
		return i.ended()
	case <-ctx.Done():
		// The goroutine reads the block that is about to be the caller's again.
		i.stop()
		return context.Cause(ctx)
	}
}

// finish ends the INSERT and waits until the server has stored it.
func (i *insert) finish(ctx context.Context) (int64, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.closed = true
		close(i.blocks)
	}
	select {
	case <-i.done:
		return i.rows, i.err
	case <-ctx.Done():
		i.stop()
		return i.rows, context.Cause(ctx)
	}
}

// abort ends the INSERT at once. What the server stored already stays there.
func (i *insert) abort() {
	i.stop()
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
}

// stop breaks the connection, which ends the goroutine without waiting for the
// server, and waits for it.
func (i *insert) stop() {
	i.cancel()
	i.wire.sever()
	<-i.done
}

// ended says why the INSERT is over although nobody finished it.
func (i *insert) ended() error {
	if i.err == nil {
		return io.ErrUnexpectedEOF
	}
	return i.err
}
