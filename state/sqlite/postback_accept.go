package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"syncd/state"
)

// acceptMax bounds how many postbacks one operation of the writer stores, and so how large
// its transaction is: at their greatest (64 KiB) 16 MiB.
const acceptMax = 256

// inbound collects the postbacks that arrive while the last ones are being written. They
// become one block, one row and one share of a commit: a row, a savepoint and a hand-over
// for each would cost more than the writing.
type inbound struct {
	mu      sync.Mutex
	waiting []*arrival // not in the writer's hands yet; guarded by mu
	going   bool       // somebody is bringing them there; guarded by mu
	closed  bool       // guarded by mu
	wg      sync.WaitGroup
}

// arrival is a postback that waits for its commit.
type arrival struct {
	state.Postback
	seq  int64
	err  error
	done chan struct{} // closed when seq and err are final
}

// AcceptPostback implements state.Store.
func (s *Store) AcceptPostback(ctx context.Context, p state.Postback) (int64, error) {
	a := &arrival{Postback: p, done: make(chan struct{})}
	if err := s.accept(ctx, a); err != nil {
		return 0, fmt.Errorf("storing a postback of %s: %w", p.Account, err)
	}
	return a.seq, nil
}

func (s *Store) accept(ctx context.Context, a *arrival) error {
	if s.writer == nil {
		return state.ErrReadOnly
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	in := &s.inbound
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return state.ErrClosed
	}
	in.waiting = append(in.waiting, a)
	if !in.going {
		in.going = true
		in.wg.Go(s.writeArrivals)
	}
	in.mu.Unlock()

	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
	}
	in.mu.Lock()
	i := slices.Index(in.waiting, a)
	if i >= 0 {
		in.waiting = slices.Delete(in.waiting, i, i+1)
	}
	in.mu.Unlock()
	if i >= 0 {
		return context.Cause(ctx)
	}
	<-a.done // its transaction began: it is brought to its end
	return a.err
}

// take gives the postbacks that the next operation stores; none ends the bringing.
func (in *inbound) take() []*arrival {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := min(len(in.waiting), acceptMax)
	taken := slices.Clone(in.waiting[:n])
	in.waiting = slices.Delete(in.waiting, 0, n)
	return taken
}

// rest says that nothing waits, and ends the bringing if so.
func (in *inbound) rest() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.going = len(in.waiting) > 0
	return !in.going
}

func (in *inbound) close() {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	in.wg.Wait()
}

// writeArrivals brings what waits to the writer until nothing does.
func (s *Store) writeArrivals() {
	for !s.inbound.rest() {
		var batch []*arrival
		err := s.writer.do(context.Background(), func(t *tx) error {
			if batch == nil { // an operation may be run again
				batch = s.inbound.take()
			}
			return storeArrivals(t, batch)
		})
		if batch == nil { // the writer did not take it: the store is closed
			batch = s.inbound.take()
		}
		for _, a := range batch {
			switch {
			case err == nil || len(batch) == 1:
				a.err = err
			default: // one of them is the cause, perhaps; the others must not suffer for it
				a.err = s.writer.do(context.Background(), func(t *tx) error { return storeArrivals(t, []*arrival{a}) })
			}
			close(a.done)
		}
	}
}

// storeArrivals stores postbacks and gives each its seq. Those of an account keep their order.
func storeArrivals(t *tx, batch []*arrival) error {
	if len(batch) == 0 {
		return nil // whoever waited has left
	}
	slices.SortStableFunc(batch, func(a, b *arrival) int {
		switch {
		case a.Account < b.Account:
			return -1
		case a.Account > b.Account:
			return 1
		}
		return 0
	})
	var seq int64
	if err := t.row("UPDATE counters SET value = value + ? WHERE name = 'version' RETURNING value", []any{len(batch)}, &seq); err != nil {
		return err
	}
	seq -= int64(len(batch))
	for first := 0; first < len(batch); {
		var block []byte
		i := first
		for ; i < len(batch) && batch[i].Account == batch[first].Account; i++ {
			seq++
			batch[i].seq = seq
			block = appendPostback(block, batch[i].ReceivedAt, batch[i].Record)
		}
		err := t.exec("INSERT INTO postbacks (last, account, waiting, received_at, block) VALUES (?, ?, ?, ?, ?)",
			seq, batch[first].Account, i-first, ms(batch[first].ReceivedAt), block)
		if err != nil {
			return err
		}
		first = i
	}
	return nil
}

// A block is its postbacks one after the other: when each was received, how long its
// record is, the record.

func appendPostback(block []byte, at time.Time, record []byte) []byte {
	block = binary.AppendVarint(block, ms(at))
	block = binary.AppendUvarint(block, uint64(len(record)))
	return append(block, record...)
}

// postbacksOf reads a block, whose last postback has the given seq.
func postbacksOf(account string, last int64, block []byte) ([]state.Postback, error) {
	var all []state.Postback
	for len(block) > 0 {
		at, n := binary.Varint(block)
		if n <= 0 {
			return nil, damagedBlock(last)
		}
		size, k := binary.Uvarint(block[n:])
		if k <= 0 || size > uint64(len(block)-n-k) {
			return nil, damagedBlock(last)
		}
		record := block[n+k : n+k+int(size)]
		block = block[n+k+int(size):]
		all = append(all, state.Postback{Account: account, ReceivedAt: time.UnixMilli(at).UTC(), Record: record})
	}
	for i := range all {
		all[i].Seq = last - int64(len(all)-1-i)
	}
	return all, nil
}

func damagedBlock(last int64) error {
	return fmt.Errorf("%w: the block of postbacks up to %d is damaged", state.ErrIO, last)
}
