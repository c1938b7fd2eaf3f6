package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"syncd/state"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations gives the scripts in order: the one at index i brings a file from
// schema version i to i+1. A released script is never edited.
func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	scripts := make([]string, 0, len(names))
	for i, name := range names {
		var number int
		if _, err := fmt.Sscanf(name, "migrations/%04d_", &number); err != nil || number != i+1 {
			return nil, fmt.Errorf("migration %s is not number %d", name, i+1)
		}
		src, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(src))
	}
	return scripts, nil
}

// schemaVersion is the number of migrations that the file has had; SQLite keeps it
// in the file's header. A file with more than known is refused.
func schemaVersion(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, known int) (int, error) {
	var version int
	if err := q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", classify(err))
	}
	if version > known {
		return 0, fmt.Errorf("%w: its schema is version %d, this program knows up to %d", state.ErrNewer, version, known)
	}
	return version, nil
}

// migrate brings the file to the newest schema, all steps in one transaction. A
// file that is refused is left as it is, so the settings that are kept in the file
// come after the look at it.
func migrate(ctx context.Context, conn *sql.Conn) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn, len(scripts))
	if err != nil {
		return err
	}
	if version == 0 {
		if err := refuseForeign(ctx, conn); err != nil {
			return err
		}
	}
	// The page size only counts before the file has pages.
	for _, pragma := range []string{"page_size = " + strconv.Itoa(pageSize), "journal_mode = WAL"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return fmt.Errorf("setting %s: %w", pragma, classify(err))
		}
	}
	if version == len(scripts) {
		return nil
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrating: %w", classify(err))
	}
	defer func() { _ = tx.Rollback() }() // nothing to undo after the commit
	for i, script := range scripts[version:] {
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return fmt.Errorf("migrating to schema %d: %w", version+i+1, classify(err))
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(scripts))); err != nil {
		return fmt.Errorf("migrating: %w", classify(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("migrating: %w", classify(err))
	}
	return nil
}

// refuseForeign keeps a mistyped path from mixing our tables into somebody's database.
func refuseForeign(ctx context.Context, conn *sql.Conn) error {
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return fmt.Errorf("reading the schema: %w", classify(err))
	}
	if tables > 0 {
		return errors.New("it is a database, but not the state of syncd")
	}
	return nil
}
