package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/internal/spool"
	"syncd/state"
)

// errNoSpool says that the engine was made without a place for files.
var errNoSpool = errors.New("there is no spool directory to download files to")

// files are what is downloaded, from the first byte until it may be forgotten.
type files struct {
	spool *spool.Spool
	// keep is how long a file is kept once its rows are published.
	keep time.Duration

	mu sync.Mutex
	// busy are the files that are being downloaded, or are whole and not yet in the
	// inbox, by name.
	busy map[string]bool
}

func newFiles(s *spool.Spool, keep time.Duration) *files {
	if keep <= 0 {
		keep = 7 * 24 * time.Hour
	}
	return &files{spool: s, keep: keep, busy: map[string]bool{}}
}

// settle waits until a file is on disk, or until ctx ends: then the kernel goes on
// with it, and the next daemon sees to it.
func (f *files) settle(ctx context.Context, name string) error {
	settled := make(chan error, 1)
	go func() { settled <- f.spool.Settle(name) }() // waiting for a disk cannot be cut short
	select {
	case err := <-settled:
		return err
	case <-ctx.Done():
		return nil
	}
}

// hold keeps a file from being swept, and from being downloaded twice at once, until
// it is let go. It reports false if another holds it.
func (f *files) hold(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[name] {
		return false
	}
	f.busy[name] = true
	return true
}

func (f *files) letGo(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, name)
}

// bring downloads a file unless it is there already, from before a crash or for a pull
// that was given up, and gives its size. begin, if set, is told of a download from the
// first byte, with the part to be read beside it, which it has to close: what came of an
// earlier download may turn out to be of another file, and be dropped.
func (f *files) bring(ctx context.Context, caller Caller, file extractors.File, name string, begin func(*os.File)) (int64, error) {
	size, whole, err := f.spool.Whole(name)
	if err != nil {
		return 0, err
	}
	if whole && (file.Size == 0 || size == file.Size) {
		return size, f.spool.Touch(name, time.Now()) // it may have been about to be swept
	}
	part, err := f.spool.Part(name)
	if err != nil {
		return 0, err
	}
	if begin != nil {
		if err := fromFirst(part, begin); err != nil {
			return 0, err
		}
	}
	if size, err = caller.Fetch(ctx, file, part); err != nil {
		return 0, err
	}
	if file.Size > 0 && size != file.Size {
		// Going on behind it would not mend it.
		return 0, errors.Join(fmt.Errorf("file %s has %d bytes, the network announced %d", file.Name, size, file.Size), f.spool.Remove(name))
	}
	return size, f.spool.Take(name)
}

// fromFirst makes a part and gives it to begin if there is nothing of it yet.
func fromFirst(part string, begin func(*os.File)) error {
	opened, err := os.OpenFile(part, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening a part to be read while it comes: %w", err)
	}
	if info, err := opened.Stat(); err != nil || info.Size() > 0 {
		return errors.Join(err, opened.Close())
	}
	begin(opened)
	return nil
}

// linkPatience is how long a link may have waited for a download to begin and still be
// blamed on nobody but itself: networks sign links for minutes.
const linkPatience = time.Minute

// handOver ends a call that was answered with a link. The file is downloaded beside the
// lane, which goes on with its other pulls; only then is the answer received.
func (l *lane) handOver(ctx context.Context, e *entry, p state.Pull, r state.Receipt, file extractors.File) error {
	l.ended(r.NextCall)
	if err := l.engine.store.Ended(context.WithoutCancel(ctx), p.Account, p.ID, r.ReceivedAt, r.NextCall); err != nil {
		l.engine.queue.giveBack(e)
		return fmt.Errorf("recording a call of account %s: %w", p.Account, err)
	}
	// What follows is not at the account's pace.
	r.NextCall = time.Time{}
	err := errNoSpool
	if l.engine.files.spool != nil {
		r.File, err = spool.Name(p.Account, file.Name)
	}
	if err != nil {
		return l.notDownloaded(ctx, e, p, time.Now(), &extractors.APIError{
			Network: l.account.Network, Account: p.Account, Stream: p.Stream, Op: r.Request,
			Message: err.Error(), Outcome: extractors.StopStream, Err: err,
		})
	}
	l.engine.queue.say(e, "downloading "+file.String()+ofSize(file.Size))
	l.engine.spawn(func() error { return l.download(ctx, e, p, r, file) })
	return nil
}

func ofSize(bytes int64) string {
	if bytes <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f MiB)", float64(bytes)/(1<<20))
}

// download brings a file and then receives the answer that named it. A shutdown cuts
// it at once: what came stays, and the next daemon goes on behind it.
func (l *lane) download(ctx context.Context, e *entry, p state.Pull, r state.Receipt, file extractors.File) error {
	asked := time.Now()
	select {
	case l.downloads <- struct{}{}:
		defer func() { <-l.downloads }()
	case <-ctx.Done():
		l.engine.queue.giveBack(e)
		return nil
	}
	began := time.Now()
	if !l.engine.files.hold(r.File) {
		l.engine.queue.postpone(e, began.Add(linkPatience), "waiting for another pull's download of "+file.String())
		return nil
	}
	defer l.engine.files.letGo(r.File)
	a, begin := l.offering(e, p, r)
	size, err := l.engine.files.bring(ctx, l.account.Caller, file, r.File, begin)
	a.came(size, err)
	ended := time.Now()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		l.engine.queue.giveBack(e)
		return nil
	case began.Sub(asked) >= linkPatience:
		// The link got old while others were downloaded. A new one costs a call, and now
		// it is this file's turn.
		l.log.Debug("link asked for again, it waited for other downloads", zap.String("stream", p.Stream), zap.Stringer("file", file), zap.Error(err))
		l.engine.queue.giveBack(e)
		return nil
	default:
		return l.notDownloaded(ctx, e, p, ended, err)
	}
	l.engine.after("downloaded")
	l.log.Info("file downloaded", zap.String("stream", p.Stream), zap.String("file", r.File), zap.Int64("bytes", size), zap.Duration("took", ended.Sub(began).Round(time.Millisecond)))
	l.engine.spawn(func() error {
		if err := l.engine.files.settle(ctx, r.File); err != nil {
			// What was read of it is as good as it was. What is not loaded when the machine
			// goes down is asked for again.
			l.log.Warn("file is not on disk", zap.String("stream", p.Stream), zap.String("file", r.File), zap.Error(err))
		}
		return nil
	})
	r.RawBytes, r.ReceivedAt = int(size), ended
	err = l.receive(ctx, e, r, "", ended.Sub(began))
	a.received(err)
	return err
}

// notDownloaded deals with a file that did not come as with a call that failed, but
// that it says nothing about the account's pace and its key, for files are kept
// elsewhere, and nothing about other pulls of the stream, which have other files.
func (l *lane) notDownloaded(ctx context.Context, e *entry, p state.Pull, ended time.Time, cause error) error {
	api := *asAPIError(l.account, p, cause)
	if api.Outcome == extractors.StopAccount {
		api.Outcome = extractors.RetryNow
	}
	f := l.failure(p, ended, &api, api.Error())
	f.NextCall = time.Time{}
	return l.carryOut(context.WithoutCancel(ctx), e, p, f, false)
}

const (
	// sweepEvery is how often files are looked through that nobody needs any more.
	sweepEvery = time.Hour
	// droppedFor is how long a file of personal data may lie that no pull refers to: a
	// crash left it, or its pull was rejected. A whole file whose answer was not received
	// yet is such a one too, and is not worth downloading twice.
	droppedFor = time.Hour
)

// sweep removes old files until ctx ends. A file that cannot be removed is no reason to
// stop: it is said again an hour later.
func (e *Engine) sweep(ctx context.Context) error {
	for {
		removed, err := e.sweepOnce(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			e.log.Warn("spool not swept", zap.Error(err))
		case removed > 0:
			e.log.Info("old files removed", zap.Int("files", removed))
		}
		if sleep(ctx, sweepEvery, nil) != nil {
			return nil
		}
	}
}

func (e *Engine) sweepOnce(ctx context.Context, now time.Time) (removed int, err error) {
	needed := map[string]bool{}
	// First what is on its way to the inbox, then what is in it: one that moves meanwhile
	// is found in one of them.
	e.files.mu.Lock()
	for name := range e.files.busy {
		needed[name] = true
	}
	e.files.mu.Unlock()
	inbox, err := e.store.Files(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading which files are needed: %w", err)
	}
	for _, name := range inbox {
		needed[name] = true
	}
	return e.files.spool.Sweep(now, func(name string) time.Duration {
		account, _, _ := strings.Cut(name, "/")
		switch l := e.lanes[account]; {
		case needed[name]:
			return spool.Forever
		case l != nil && l.account.DropFiles:
			return min(droppedFor, e.files.keep)
		}
		return e.files.keep
	})
}

// loaded deals with the files of a pull whose rows are visible now.
func (e *Engine) loaded(a *Account, names []string) {
	for _, name := range names {
		var err error
		if a.DropFiles {
			err = e.files.spool.Remove(name)
		} else {
			err = e.files.spool.Touch(name, time.Now())
		}
		if err != nil {
			e.log.Warn("file left to the sweep", zap.String("account", a.Name), zap.Error(err))
		}
	}
}
