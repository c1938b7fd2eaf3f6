// Package spool keeps the files that networks write on demand from their download
// until they are loaded, and a while longer.
//
// The file of an account is DIR/<account>/<name>.part while it is downloaded and
// DIR/<account>/<name> when it is whole. Beside one whose bytes may not be on disk yet
// lies <name>.unsettled, so that a whole file is whole whatever happened: Open removes
// those that the machine may have lost. Files are named by "<account>/<name>" everywhere
// else, so that the directory may move.
package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// partSuffix ends the name of a file that is not whole. Names have no dots, so no
	// whole file ends in it.
	partSuffix = ".part"
	// markSuffix ends the name of what a download keeps beside a part, to know the file
	// again when it goes on (transport.DownloadRequest.Path).
	markSuffix = partSuffix + ".etag"
	// partsFor is how long a part waits for the rest of it. Networks keep their files
	// for some days; after a week there is nothing to go on with.
	partsFor = 7 * 24 * time.Hour
	// nameMost is the longest name of a file: file systems allow 255 bytes, and a part's
	// name is longer than the file's.
	nameMost = 200
)

// Spool is the directory. Its methods are safe for concurrent use; that one file is
// written by one at a time is up to the caller.
type Spool struct {
	dir string
	// boot names the machine's life; empty if it does not say, and then nothing is left
	// unsettled.
	boot string
}

// Open makes the directory if it is missing, and deals with what an earlier process
// left unsettled. Its files hold what networks tell about people, so it is the owner's
// alone. One process at a time has a directory open.
func Open(dir string) (*Spool, error) { return open(dir, bootID()) }

func open(dir, boot string) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the spool directory: %w", err)
	}
	s := &Spool{dir: dir, boot: boot}
	return s, s.settleAll()
}

// Name gives the name under which a file of an account is kept, "main/clicks-17". An
// error says that it cannot be the name of a file.
func Name(account, file string) (string, error) {
	for _, part := range []string{account, file} {
		if part == "" || len(part) > nameMost || strings.ContainsFunc(part, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
		}) {
			return "", fmt.Errorf("%.50q cannot name a file: it takes 1 to %d letters, digits, dashes and underscores", part, nameMost)
		}
	}
	return account + "/" + file, nil
}

// Path is where a whole file is, or would be.
func (s *Spool) Path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// Part gives where a file is downloaded to, in a directory that exists.
func (s *Spool) Part(name string) (string, error) {
	path := s.Path(name) + partSuffix
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", fmt.Errorf("making room for file %s: %w", name, err)
		}
		if err := syncDir(s.dir); err != nil {
			return "", fmt.Errorf("making room for file %s: %w", name, err)
		}
	}
	if err := s.unsettle(name); err != nil {
		return "", fmt.Errorf("making room for file %s: %w", name, err)
	}
	return path, nil
}

// Whole reports whether a file is there, and its size in bytes.
func (s *Spool) Whole(name string) (size int64, whole bool, err error) {
	info, err := os.Stat(s.Path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("looking for file %s: %w", name, err)
	}
	return info.Size(), true, nil
}

// Finish makes the part of a file the whole file, durably: after it returned nil the
// file is there with all its bytes, also after a crash of the machine.
func (s *Spool) Finish(name string) error {
	if err := s.Take(name); err != nil {
		return err
	}
	return s.Settle(name)
}

// Touch counts the age of a whole file from now on: its rows were published, or it is
// used again. A file that is not there is none to keep.
func (s *Spool) Touch(name string, now time.Time) error {
	if err := os.Chtimes(s.Path(name), now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dating file %s: %w", name, err)
	}
	return nil
}

// Remove removes a file, whole or not; one that is not there is gone already.
func (s *Spool) Remove(name string) error {
	for _, path := range []string{s.Path(name), s.Path(name) + partSuffix, s.Path(name) + markSuffix, s.Path(name) + unsettledSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing file %s: %w", name, err)
		}
	}
	return nil
}

// Forever is what Sweep's keep answers for a file that somebody needs.
const Forever time.Duration = -1

// Sweep removes the whole files that are older than keep says (Forever: not at all),
// and parts that nobody went on with for a week. It gives how many went. What cannot
// be removed does not keep the rest.
func (s *Spool) Sweep(now time.Time, keep func(name string) time.Duration) (removed int, err error) {
	accounts, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("sweeping the spool: %w", err)
	}
	var errs []error
	for _, account := range accounts {
		if !account.IsDir() {
			continue // nothing of ours
		}
		files, err := os.ReadDir(filepath.Join(s.dir, account.Name()))
		errs = append(errs, err)
		for _, file := range files {
			if strings.HasSuffix(file.Name(), unsettledSuffix) || strings.HasSuffix(file.Name(), markSuffix) {
				continue // it goes with its file: a part without its mark would begin anew
			}
			name, part := strings.CutSuffix(account.Name()+"/"+file.Name(), partSuffix)
			most := keep(name)
			if part && most != Forever {
				most = partsFor
			}
			info, err := file.Info()
			if err != nil || !info.Mode().IsRegular() || most == Forever || now.Sub(info.ModTime()) <= most {
				continue // an error says that it went by itself
			}
			if err := os.Remove(filepath.Join(s.dir, account.Name(), file.Name())); err != nil {
				errs = append(errs, err)
				continue
			}
			for _, beside := range []string{unsettledSuffix, markSuffix} {
				if err := os.Remove(s.Path(name) + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
					errs = append(errs, err)
				}
			}
			removed++
		}
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("sweeping the spool: %w", err)
	}
	return removed, nil
}

// syncFile waits until a file's bytes are on disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDir waits until the names in a directory are on disk.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
