package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"syncd/state"
)

const (
	// batchMax bounds how many operations share a commit, and so how long the first of them waits.
	batchMax = 64
	// idleAfter is how long after the last write the WAL is cut to nothing.
	idleAfter = time.Second
	// idleAgain is when that is tried again, if it could not be done.
	idleAgain = 10 * time.Second
	// walMax is the size of the WAL, in bytes, at which the writer stops to cut it. SQLite
	// starts the file over only at a moment when nobody reads from it; with readers
	// always overlapping there may be none, and it would grow for ever. When an attempt
	// fails, the next is due after a quarter more.
	walMax = 64 << 20
	// walPatience is how long the writer then waits for the readers of the moment. Ours
	// take milliseconds; a person's open transaction is not waited for. When idle it can
	// as well try later.
	walPatience  = time.Second
	idlePatience = 50 * time.Millisecond
)

// op is one operation on its way to the writer.
type op struct {
	run  func(*tx) error // may be run again: it must set its results, not add to them
	err  error
	done chan struct{} // closed when err is final
}

// writer owns the one connection that writes, and the goroutine on it.
type writer struct {
	db   *sql.DB
	tx   *tx
	wal  string // the WAL's file name
	ops  chan *op
	quit chan struct{}
	wg   sync.WaitGroup

	batch   []*op // empty between batches; kept for its memory
	walMax  int64 // the constant, but for a test
	walNext int64 // size of the WAL at which it is cut next
}

func newWriter(path string) (_ *writer, err error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", dsn(path, "rw",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"cache_size(-"+strconv.Itoa(writerCache)+")",
		"wal_autocheckpoint("+strconv.Itoa(autocheckpoint)+")",
	))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, classify(err)
	}
	if err := migrate(ctx, conn); err != nil {
		return nil, err
	}
	w := &writer{
		db:      db,
		tx:      &tx{conn: conn, stmts: make(map[string]*sql.Stmt)},
		wal:     path + "-wal",
		ops:     make(chan *op),
		quit:    make(chan struct{}),
		walMax:  walMax,
		walNext: walMax,
	}
	if err := w.alone(func(t *tx) error { return takeOver(t, time.Now()) }); err != nil {
		return nil, errors.Join(fmt.Errorf("taking over: %w", classify(err)), w.tx.close())
	}
	w.wg.Go(w.loop)
	return w, nil
}

// takeOver settles what the last holder left: its calls in flight count as made, and
// the version counter does not fall behind the clock (see state.Pull.Version).
func takeOver(t *tx, now time.Time) error {
	if err := landDepartures(t); err != nil {
		return err
	}
	if err := turnBack(t, now); err != nil {
		return err
	}
	return t.exec("UPDATE counters SET value = max(value, ?) WHERE name = 'version'", now.UnixMicro())
}

// do has the writer run an operation and answers after its commit. The hand-over
// is where the context counts: what the writer has taken is brought to its end, so
// that the caller knows what became of it.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	o := &op{run: run, done: make(chan struct{})}
	select {
	case w.ops <- o:
	case <-w.quit:
		return state.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-o.done
	return classify(o.err)
}

// close lets the writer finish what it took.
func (w *writer) close() error {
	close(w.quit)
	w.wg.Wait()
	return errors.Join(w.tx.close(), w.db.Close())
}

func (w *writer) loop() {
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	for {
		select {
		case first := <-w.ops:
			w.serve(first)
			if w.walSize() > w.walNext {
				w.checkpoint(walPatience)
			}
			idle.Reset(idleAfter)
		case <-idle.C:
			if w.walSize() > 0 {
				w.checkpoint(idlePatience)
			}
			if w.walSize() > 0 { // somebody was reading
				idle.Reset(idleAgain)
			}
		case <-w.quit:
			return
		}
	}
}

// serve executes an operation, together with those that arrive meanwhile, and
// answers them all.
func (w *writer) serve(first *op) {
	batch, err := w.together(first)
	for i, o := range batch {
		switch {
		case err == nil: // each has its own result
		case len(batch) == 1:
			o.err = err
		default:
			// Nothing of the batch stands. One of them is the cause, perhaps; the others
			// must not suffer for it.
			o.err = w.alone(o.run)
		}
		close(o.done)
		batch[i] = nil
	}
	w.batch = batch[:0]
}

// together runs a batch in one transaction. When it returns an error, nothing of the
// batch stands; else each operation's own error says whether it does.
func (w *writer) together(first *op) (batch []*op, err error) {
	batch = append(w.batch, first)
	if err := w.tx.exec("BEGIN IMMEDIATE"); err != nil {
		return batch, err
	}
	for i := 0; i < len(batch); i++ {
		if err := w.tx.apart(batch[i]); err != nil {
			w.tx.rollback()
			return batch, err
		}
		if len(batch) == batchMax {
			continue
		}
		select {
		case next := <-w.ops:
			batch = append(batch, next)
		default:
		}
	}
	if err := w.tx.exec("COMMIT"); err != nil {
		w.tx.rollback()
		return batch, err
	}
	return batch, nil
}

// alone runs one operation in a transaction of its own.
func (w *writer) alone(run func(*tx) error) error {
	err := w.tx.exec("BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	if err = run(w.tx); err == nil {
		err = w.tx.exec("COMMIT")
	}
	if err != nil {
		w.tx.rollback()
	}
	return err
}

// checkpoint copies the WAL into the file and cuts it to nothing. Readers of the
// moment can prevent it, and so can a full disk; nothing is lost by that, the WAL
// stays and the next attempt does it. So there is no error to report: a medium that
// is broken shows in the next operation, to a caller who can act.
func (w *writer) checkpoint(patience time.Duration) {
	wait := func(d time.Duration) {
		_ = w.tx.exec("PRAGMA busy_timeout = " + strconv.FormatInt(d.Milliseconds(), 10))
	}
	wait(patience)
	_ = w.tx.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	wait(busyTimeout)
	w.walNext = max(w.walMax, w.walSize()+w.walMax/4)
}

func (w *writer) walSize() int64 {
	info, err := os.Stat(w.wal)
	if err != nil {
		return 0 // none yet
	}
	return info.Size()
}

// tx is the writer's connection as its operations see it, inside their transaction.
type tx struct {
	conn *sql.Conn
	// stmts are the prepared statements by their text, of which there is a fixed number.
	stmts map[string]*sql.Stmt
}

// apart runs an operation in a savepoint, so that its failure takes nothing else
// with it. The operation keeps its own error; the returned one means that the
// transaction is lost.
func (t *tx) apart(o *op) error {
	if err := t.exec("SAVEPOINT op"); err != nil {
		return err
	}
	o.err = o.run(t)
	if o.err == nil {
		return t.exec("RELEASE op")
	}
	// SQLite itself ends the transaction on some errors (no space, no memory, input and
	// output): then there is no savepoint to return to.
	if t.exec("ROLLBACK TO op") != nil || t.exec("RELEASE op") != nil {
		return o.err
	}
	return nil
}

// rollback leaves no transaction open; that none was is no error.
func (t *tx) rollback() { _ = t.exec("ROLLBACK") }

// The statements run without a context: an operation that began is brought to its end.

func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = stmt
	return stmt, nil
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.affect(query, args...)
	return err
}

// affect is exec for who asks how many rows were changed.
func (t *tx) affect(query string, args ...any) (int64, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row reads the first row into dest; none is sql.ErrNoRows.
func (t *tx) row(query string, args []any, dest ...any) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(context.Background(), args...).Scan(dest...)
}

func (t *tx) query(query string, scan func(*sql.Rows) error, args ...any) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	return each(context.Background(), stmt, scan, args)
}

// version issues the next version.
func (t *tx) version() (version int64, err error) {
	err = t.row("UPDATE counters SET value = value + 1 WHERE name = 'version' RETURNING value", nil, &version)
	return version, err
}

func (t *tx) close() error {
	var errs []error
	for _, stmt := range t.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}
