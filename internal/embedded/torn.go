package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"
)

// disposable matches the definitions of tables that are made again when they are missed:
// those in which rows are staged. They are also the only ones that are made and altered
// while the daemon works.
const disposable = "staging_*.sql"

// dropTorn removes definitions of disposable tables that are not whole. When the disk
// is full, the engine may leave one that is empty, and then does not start any more,
// whatever room there is. What was in such a table was not published, and is loaded again.
func (l layout) dropTorn(log *zap.Logger) error {
	files, err := filepath.Glob(filepath.Join(l.store(), "store", "*", "*", disposable))
	if err != nil {
		return fmt.Errorf("looking for definitions of tables: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the definition of a table: %w", err)
		}
		if bytes.HasSuffix(text, []byte("\n")) { // its last byte
			continue
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing the torn definition of a table: %w", err)
		}
		log.Warn("the definition of a staging table was torn, it is made again", zap.String("file", filepath.Base(file)))
	}
	return nil
}
