package state

import "errors"

// The conditions that callers branch on, with errors.Is. The error that wraps one
// says what was being done and to what.
var (
	// ErrLocked is returned by a driver's Open when another holds the store: another
	// process, or this one already. The error that wraps it says who.
	ErrLocked = errors.New("state is held by another process")
	// ErrNewer is returned by a driver's Open when a newer program wrote the store.
	// It is left as it is.
	ErrNewer = errors.New("state was written by a newer version of syncd")
	// ErrClosed is returned by the methods of a store that was closed.
	ErrClosed = errors.New("state is closed")
	// ErrReadOnly is returned by the methods that write, of a store opened for reading.
	ErrReadOnly = errors.New("state is open for reading only")
	// ErrFull means that there was no space for the change: nothing of it was done, and
	// the same call succeeds once there is space.
	ErrFull = errors.New("no space for state")
	// ErrIO means that the store's medium refused to read or write, or that what it
	// gave back is damaged. A human is needed.
	ErrIO = errors.New("state cannot be read or written")
	// ErrNoPull means that there is no pull with the given ID in the phase that the
	// method asks for: it was dropped, replaced, published or given up, or the caller is wrong.
	ErrNoPull = errors.New("no such pull")
	// ErrPullOpen means that a stream has an open pull, and can have one only.
	ErrPullOpen = errors.New("the stream has an open pull")
	// ErrNoLead means that nothing is known of a lead.
	ErrNoLead = errors.New("no such lead")
)
