package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A disk takes some hundred megabytes a second, and an export of millions of rows would
// wait longer for it than for its rows to be loaded. So a file is taken as whole as soon
// as all of it came, and settled, which is to say written to disk, while it is loaded.
//
// Meanwhile the kernel holds it, and does so when the process dies. Only when the machine
// goes down may the file have its name and not its bytes. The note that lies beside it
// says in which life of the machine the file came.

// unsettledSuffix ends the name of that note. Like partSuffix it is the end of no file's
// name.
const unsettledSuffix = ".unsettled"

// bootID names this life of the machine; empty where the system does not tell.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// unsettle lays the note beside a file that is about to come. It is on disk itself
// before there is a byte of the file, when that costs next to nothing.
func (s *Spool) unsettle(name string) error {
	if s.boot == "" {
		return nil
	}
	path := s.Path(name) + unsettledSuffix
	if err := os.WriteFile(path, []byte(s.boot), 0o600); err != nil {
		return err
	}
	if err := syncFile(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Take makes the part of a file the whole file. It is safe from the end of the process
// at once, and from the end of the machine after Settle: without that a file that went
// with the machine is as if it had not come.
func (s *Spool) Take(name string) error {
	path := s.Path(name)
	if s.boot == "" {
		if err := syncFile(path + partSuffix); err != nil {
			return fmt.Errorf("writing file %s to disk: %w", name, err)
		}
	}
	if err := os.Rename(path+partSuffix, path); err != nil {
		return fmt.Errorf("naming file %s: %w", name, err)
	}
	if s.boot != "" {
		return nil
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("naming file %s: %w", name, err)
	}
	return nil
}

// Settle waits until a whole file is on disk. It may be read meanwhile, and removed.
func (s *Spool) Settle(name string) error {
	if s.boot == "" {
		return nil // Take waited for it
	}
	path := s.Path(name)
	err := syncFile(path)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing file %s to disk: %w", name, err)
	}
	if err := os.Remove(path + unsettledSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing file %s to disk: %w", name, err)
	}
	return nil
}

// settleAll settles whole files that came in this life of the machine and removes those
// of another. Parts are left alone.
func (s *Spool) settleAll() error {
	notes, err := filepath.Glob(filepath.Join(escapeGlob(s.dir), "*", "*"+unsettledSuffix))
	if err != nil {
		return fmt.Errorf("looking through the spool: %w", err)
	}
	for _, note := range notes {
		path := strings.TrimSuffix(note, unsettledSuffix)
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		boot, err := os.ReadFile(note)
		if err != nil {
			return fmt.Errorf("looking through the spool: %w", err)
		}
		if s.boot != "" && string(boot) == s.boot {
			err = s.Settle(name)
		} else if err = os.Remove(path); err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(note)
		}
		if err != nil {
			return fmt.Errorf("looking through the spool: %w", err)
		}
	}
	return nil
}

// escapeGlob makes a pattern that matches a path and nothing else.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
