package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// HeldError says that another process runs an engine over the same data.
type HeldError struct {
	Dir   string    // the engine's directory
	PID   int       // the holder's process; 0 if it is not known
	Since time.Time // when the holder took it
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("%s is in use by process %d since %s: stop it first, or give this one another data_dir",
		e.Dir, e.PID, e.Since.Format(time.RFC3339))
}

// holder is what the lock file says.
type holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// takeDirectory takes the engine's directory for this process, or returns a
// *HeldError at once. The kernel gives the lock up when the file is closed, so
// a dead holder holds nothing.
func takeDirectory(l layout) (*os.File, error) {
	f, err := os.OpenFile(l.daemonLock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := lockFile(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		held := &HeldError{Dir: l.dir}
		// Half a line, or none, only means that the holder is at it.
		if text, err := io.ReadAll(io.LimitReader(f, 4096)); err == nil {
			var h holder
			if json.Unmarshal(text, &h) == nil {
				held.PID, held.Since = h.PID, h.Since
			}
		}
		return nil, held
	}
	text, err := json.Marshal(holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(append(text, '\n'), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

// lockFile calls flock until it is not interrupted.
func lockFile(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
