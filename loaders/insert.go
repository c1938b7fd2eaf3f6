package loaders

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// insert is one long INSERT over a connection of its own. Blocks are handed over
// to a goroutine that sends them; a block is the caller's again when send returns.
type insert struct {
	client *ch.Client
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

// startInsert begins an INSERT into a table (a quoted, qualified name). The first
// block says which columns there are; it is not sent yet. Settings are of this INSERT,
// beyond insertSettings.
func (w *Warehouse) startInsert(ctx context.Context, into string, first proto.Input, settings ...ch.Setting) (*insert, error) {
	client, err := w.dialBulk(ctx)
	if err != nil {
		return nil, wrap("connecting to ClickHouse for an INSERT into "+into, err)
	}
	// The INSERT outlives the call that begins it: it ends with finish or abort.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	i := &insert{client: client, cancel: cancel, blocks: make(chan proto.Input), sent: make(chan struct{}), done: make(chan struct{})}
	names := make([]string, len(first))
	input := make(proto.Input, len(first))
	for n, c := range first {
		names[n] = c.Name
		// No rows yet: ch-go asks for the first block through OnInput.
		input[n] = proto.InputColumn{Name: c.Name, Data: empty{c.Data}}
	}
	query := ch.Query{
		Body:     fmt.Sprintf("INSERT INTO %s (%s) VALUES", into, quoteAll(names)),
		Input:    input,
		OnInput:  i.feed(input),
		Settings: settings,
	}
	go func() {
		defer close(i.done)
		defer cancel()
		i.err = client.Do(ctx, query)
		_ = client.Close() // a connection serves one batch; Do closed it already if it was cancelled
	}()
	return i, nil
}

// feed gives ch-go's callback. It is called when everything handed over before has
// left the process, and fills input, whose columns ch-go reads anew for each block.
func (i *insert) feed(input proto.Input) func(ctx context.Context) error {
	handed := false
	return func(ctx context.Context) error {
		if handed {
			handed = false
			select {
			case i.sent <- struct{}{}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		select {
		case block, ok := <-i.blocks:
			if !ok {
				for n := range input {
					input[n].Data = empty{input[n].Data} // or the last block would be sent again
				}
				return io.EOF
			}
			for n := range input {
				input[n].Data = block[n].Data
			}
			handed = true
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

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
	_ = i.client.Close()
	<-i.done
}

// ended says why the INSERT is over although nobody finished it.
func (i *insert) ended() error {
	if i.err == nil {
		return io.ErrUnexpectedEOF
	}
	return i.err
}
