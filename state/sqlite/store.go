package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"syncd/state"
)

// write has the writer run an operation; doing says in words what it does.
func (s *Store) write(ctx context.Context, doing string, run func(*tx) error) error {
	var err error
	if s.writer == nil {
		err = state.ErrReadOnly
	} else {
		err = s.writer.do(ctx, run)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// list reads rows, each into a value of its own.
func list[T any](ctx context.Context, s *Store, doing, query string, scan func(*sql.Rows, *T) error, args ...any) ([]T, error) {
	var all []T
	err := s.read.query(ctx, query, func(rows *sql.Rows) error {
		var one T
		if err := scan(rows, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return all, nil
}

// one reads a row that may be missing; then it is the zero value and found is false.
func one[T any](ctx context.Context, s *Store, doing, query string, scan func(*sql.Rows, *T) error, args ...any) (value T, found bool, err error) {
	all, err := list(ctx, s, doing, query, scan, args...)
	if err != nil || len(all) == 0 {
		return value, false, err
	}
	return all[0], true, nil
}
