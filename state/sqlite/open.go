package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"syncd/state"
)

// The connections' settings. Sizes are measured in store_bench_test.go.
const (
	// pageSize fits an answer of 80 KB in 10 pages; a small change still costs only few.
	pageSize = 8192
	// writerCache and readerCache bound SQLite's page caches, in KiB. There are one
	// writer and up to readers readers.
	writerCache = 8192
	readerCache = 2048
	readers     = 4
	// autocheckpoint is the size of the WAL, in pages, at which a commit copies it back:
	// 16 MiB, some 200 answers.
	autocheckpoint = 2048
	// busyTimeout is how long to wait for another program's lock (a person with the sqlite3 shell).
	busyTimeout = 5 * time.Second
)

// Store is the state in one SQLite file. It implements state.Store.
type Store struct {
	read    *reader
	writer  *writer // nil when opened for reading
	packer  *packer
	leads   ledger
	inbound inbound
	lock    *os.File // nil when opened for reading

	closing sync.Once
	closed  error
}

var _ state.Store = (*Store)(nil)

// Open opens the store at path for this process alone, creating the file (mode
// 0600) and its directory (0700) where they are missing. The path may be written as
// the configuration's DSN, "sqlite:./data/state.db". The error is state.ErrLocked
// when the store is held already, state.ErrNewer when a newer program wrote it.
func Open(path string) (*Store, error) {
	path, err := location(path)
	if err != nil {
		return nil, fmt.Errorf("opening state: %w", err)
	}
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("opening state %s: %w", path, err)
	}
	return s, nil
}

// OpenReadOnly opens the store at path to look at, also while another process
// holds it. Methods that write return state.ErrReadOnly. The error wraps
// fs.ErrNotExist when there is no store yet.
func OpenReadOnly(path string) (*Store, error) {
	path, err := location(path)
	if err != nil {
		return nil, fmt.Errorf("opening state: %w", err)
	}
	s, err := openReadOnly(path)
	if err != nil {
		return nil, fmt.Errorf("opening state %s for reading: %w", path, err)
	}
	return s, nil
}

// location gives the absolute path, so that a later change of directory changes nothing.
func location(path string) (string, error) {
	path = strings.TrimPrefix(path, "sqlite:")
	if path == "" {
		return "", errors.New("no path; write sqlite:./data/state.db")
	}
	return filepath.Abs(path)
}

func open(path string) (_ *Store, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Before anything touches the file: SQLite's own locks are lost when this process
	// closes any other descriptor of it.
	held, err := lock(path)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: held}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := secure(path); err != nil {
		return nil, err
	}
	if s.packer, err = newPacker(); err != nil {
		return nil, err
	}
	if s.writer, err = newWriter(path); err != nil {
		return nil, err
	}
	if s.read, err = newReader(path); err != nil {
		return nil, err
	}
	if err := s.catchUp(context.Background(), ""); err != nil {
		return nil, err
	}
	return s, nil
}

func openReadOnly(path string) (_ *Store, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	s := &Store{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.packer, err = newPacker(); err != nil {
		return nil, err
	}
	if s.read, err = newReader(path); err != nil {
		return nil, err
	}
	scripts, err := migrations()
	if err != nil {
		return nil, err
	}
	version, err := schemaVersion(context.Background(), s.read.db, len(scripts))
	if err != nil {
		return nil, err
	}
	if version < len(scripts) {
		return nil, fmt.Errorf("its schema is version %d, this program reads %d: the daemon that holds it is older, or has not opened it yet", version, len(scripts))
	}
	return s, nil
}

// secure makes the file, or an existing file private. SQLite gives its own files the same mode.
func secure(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		return f.Close()
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return os.Chmod(path, 0o600)
}

// dsn names the file and the settings of its connections.
func dsn(path, mode string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": append([]string{
		"busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")",
	}, pragmas...)}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// Close waits for the writes in hand and gives the store up.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if err := s.release(); err != nil {
			s.closed = fmt.Errorf("closing state: %w", err)
		}
	})
	return s.closed
}

// release frees what was opened, the lock last: whoever takes it finds a store at rest.
func (s *Store) release() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.close())
	}
	if s.writer != nil {
		s.inbound.close()
		errs = append(errs, s.writer.close()) // the last connection: SQLite folds the WAL in
	}
	if s.packer != nil {
		s.packer.close()
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Truncate(0), s.lock.Close())
	}
	return errors.Join(errs...)
}

// reader asks through connections that cannot write.
type reader struct {
	db *sql.DB

	mu sync.Mutex // guards stmts and closed; held only to look up or prepare
	// stmts are the prepared statements by their text, of which there is a fixed number.
	stmts  map[string]*sql.Stmt
	closed bool
}

func newReader(path string) (*reader, error) {
	db, err := sql.Open("sqlite", dsn(path, "ro",
		"query_only(1)", "cache_size(-"+strconv.Itoa(readerCache)+")"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return &reader{db: db, stmts: make(map[string]*sql.Stmt)}, nil
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	for _, stmt := range r.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, r.db.Close())...)
}

func (r *reader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, state.ErrClosed
	}
	if stmt, ok := r.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.stmts[query] = stmt
	return stmt, nil
}

// query runs a statement and gives each row to scan. A read that began when the
// store was open may meet its closing: that too is ErrClosed.
func (r *reader) query(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	stmt, err := r.prepare(ctx, query)
	if err == nil {
		err = each(ctx, stmt, scan, args)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return state.ErrClosed
	}
	return classify(err)
}

func each(ctx context.Context, stmt *sql.Stmt, scan func(*sql.Rows) error, args []any) (err error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
