package tests

import (
	"os"
	"path/filepath"
	"strings"
)

// spooled gives the bytes of the files in the account's spool whose names end in suffix;
// with "" those of all that are whole.
func (k *tracked) spooled(suffix string) (bytes int64) {
	k.t.Helper()
	files, _ := os.ReadDir(filepath.Join(k.data("spool"), "track")) // none: nothing came yet
	for _, f := range files {
		if suffix == "" && strings.Contains(f.Name(), ".") || !strings.HasSuffix(f.Name(), suffix) {
			continue
		}
		if info, err := f.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}
