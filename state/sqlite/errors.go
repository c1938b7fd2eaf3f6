package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"syncd/state"
)

// classify gives SQLite's errors the meaning that callers branch on. The original
// stays in the chain.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE: // the second: no space for the WAL's index
		return fmt.Errorf("%w: %w", state.ErrFull, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: %w", state.ErrIO, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", state.ErrReadOnly, err)
	}
	return err
}
