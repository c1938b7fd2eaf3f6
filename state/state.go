package state

import (
	"context"
	"fmt"
	"time"
)

// Cursor says where in a pull the next call reads. Only the extractor that made
// it can read it. Empty at the beginning of a pull.
type Cursor string

// Kind says how complete a pull is, and so whether keys that it did not bring
// have vanished at the network.
type Kind string

// The kinds of pull.
const (
	// Windowed pulls bring all rows of a time window.
	Windowed Kind = "window"
	// Snapshot pulls bring all rows of a stream without a time axis.
	Snapshot Kind = "snapshot"
	// Changes pulls bring what changed since a time; rows absent from them say nothing.
	Changes Kind = "changes"
)

// Route is the way in which a pull brings its rows, where a network offers several.
type Route string

// The routes.
const (
	// Direct asks for the records themselves, a page a call.
	Direct Route = ""
	// Export has the network write a file of all of them, and downloads that.
	Export Route = "export"
)

// Tier is the urgency of a pull; a lane takes the lowest number first.
type Tier int

// The tiers, most urgent first.
const (
	Hot Tier = iota
	Warm
	Cold
	Backfill
)

// String gives the tier's name in lower case.
func (t Tier) String() string {
	switch t {
	case Hot:
		return "hot"
	case Warm:
		return "warm"
	case Cold:
		return "cold"
	case Backfill:
		return "backfill"
	}
	return fmt.Sprintf("tier %d", int(t))
}

// Phase is where a pull stands.
type Phase string

// The phases of a pull. A published pull is no longer stored: its checkpoint is.
const (
	// Pulling: calls are still to be made.
	Pulling Phase = "pulling"
	// Pulled: every page is in the inbox; the warehouse has to take it.
	Pulled Phase = "pulled"
	// Failed: given up until the stream is due again. Its inbox pages are gone, unless it is parked.
	Failed Phase = "failed"
)

// ParkedFor is how long the pages of a parked pull (see Failure.Park) wait for its
// stream to be due again, counted from the last of them. Networks page by number over
// rows that come, go and move meanwhile: pages that lie further apart than this may
// have missed rows between them, so the pull begins anew.
const ParkedFor = 6 * time.Hour

// Pull is the work of bringing one window (or snapshot, or list of changes) of
// one stream into the warehouse. It is created before its first call and lives until
// its rows are published, or it is dropped or, once Failed, replaced.
type Pull struct {
	ID      int64
	Account string
	Stream  string
	Kind    Kind
	// Route is the way that was planned for the pull; its cursor is of this route.
	Route Route
	Tier  Tier
	// From and To bound the window in UTC, half open; both zero for a snapshot. For
	// changes, From is the instant since which changes are asked and To when the pull was planned.
	From, To time.Time
	// Version is issued when the pull is created: every row the pull brings has a
	// greater version, every tombstone has exactly this one. Versions never come twice,
	// whatever was dropped or rolled back; a store that is opened issues none smaller
	// than the clock's microseconds since 1970, so that one which lost its file, or got
	// an old copy back, still issues greater ones than the warehouse has seen.
	Version uint64
	// FileVersion is that of the rows of a file that the pull will bring, issued when the
	// call left that created the file; 0 if there was none.
	FileVersion uint64
	RunID       string
	// Items is the frozen list of a for-each stream (ids of another stream); nil
	// otherwise, until SetItems stored it, and when the list that it stored is empty.
	Items  []string
	Phase  Phase
	Cursor Cursor
	// Pages, Records and Bytes count what is in the inbox for this pull; Bytes is uncompressed.
	// A Failed pull has pages if and only if it is parked, or was made by Bring.
	Pages   int
	Records int64
	Bytes   int64
	// Digest tells what its pages brought from what another pull's did; see Digested. 0 if
	// that is not known: there are none, one is a file, or one came without a hash.
	Digest uint64
	// Total is the number of records that the network stated last, 0 if it stated none.
	Total int64
	// Reload and Accept are as they were asked for; see NewPull.
	Reload, Accept bool
	// Attempts counts the calls that failed since the last one that succeeded.
	Attempts int
	// NotBefore is the earliest time of the pull's next call, after a failure; zero means now.
	NotBefore time.Time
	// LastError is the last failure in words, for people; empty after a success.
	LastError string
	CreatedAt time.Time
}

// NewPull is what a planner asks for. See Pull for the fields.
type NewPull struct {
	Account, Stream string
	Kind            Kind
	Route           Route
	Tier            Tier
	From, To        time.Time
	RunID           string
	// Reload says that what the pull brings is loaded even if it is what was published
	// before: somebody asked, who may know that the warehouse has lost it.
	Reload bool
	// Accept says that no guard holds back what the pull brings: somebody asked to
	// believe the network.
	Accept bool
}

// Lane is what is known of one account's line of calls.
type Lane struct {
	Account string
	// NextCall is the earliest time of the next call by the account's pace; zero means now.
	NextCall time.Time
	// Stopped says in words why the account makes no calls (a refused key); empty when it does.
	Stopped string
}

// Budget is a number of calls that a network allows an account in a time.
type Budget struct {
	// Name tells the account's budgets apart.
	Name string
	// Calls is how many may leave in any Per. Both are positive; Per is counted in whole milliseconds.
	Calls int
	Per   time.Duration
}

// Departure is recorded before a call leaves.
type Departure struct {
	Account string
	PullID  int64 // 0 for a call outside a pull (a check)
	At      time.Time
	// NextCall is the earliest time of the call after this one if nothing more is
	// ever heard of this one (the daemon dies): At + timeout + minimum delay.
	NextCall time.Time
	// Unheard is where the pull stands from now on, until an answer to this call is
	// received: a call that creates something at the network must not be made again
	// before it is known whether it was heard. Empty leaves the pull where it stands.
	Unheard Cursor
}

// Receipt is an answer, committed in one transaction with everything that follows
// from it. There is no way to store an answer without its cursor.
type Receipt struct {
	PullID int64
	// Body is the compressed answer, exactly as it will be read back.
	Body []byte
	// Request describes the call for people, without secrets.
	Request string
	// Records is the number of records on the page; RawBytes its uncompressed size.
	Records  int
	RawBytes int
	// Hash is a digest of the page's records, to recognise a repeated page.
	Hash uint64
	// Total is the number of records of the whole pull as the network states it on this
	// page; 0 if it does not.
	Total int64
	// Next is where the following call reads; Done says that there is none.
	Next Cursor
	Done bool
	// NextCall is the earliest time of the account's next call.
	NextCall time.Time
	// NotBefore is the earliest time of the pull's own next call (an export that is
	// asked for its progress); zero means now.
	NotBefore  time.Time
	ReceivedAt time.Time
	// Control says that the answer holds no records: only the cursor that follows from
	// it is stored, and no page.
	Control bool
	// File names the spool file that holds the records, relative to the spool
	// directory; Body is empty then and RawBytes the size of the file. Empty for all others.
	File string
	// Told is nil unless the answer tells of leads; see Lead. It is merged with what is
	// known of them, and Page.Leads are what came of it.
	Told *Told
}

// Failure is a call that brought no usable answer.
type Failure struct {
	Account string
	PullID  int64 // 0 for a call outside a pull
	At      time.Time
	// NextCall is the earliest time of the account's next call (pace, Retry-After).
	NextCall time.Time
	// NotBefore is the earliest time of the pull's next call (backoff).
	NotBefore time.Time
	// Cursor is where the pull stands now, if the call was refused before it did anything:
	// Departure.Unheard no longer holds. Empty leaves the pull where it stands.
	Cursor Cursor
	// Error says what happened, for people, without secrets.
	Error string
	// Blameless leaves the pull's attempts as they are: what happened says nothing about it.
	Blameless bool
	// GiveUp ends the pull: it becomes Failed and its inbox pages are dropped.
	GiveUp bool
	// Park keeps the pages of a pull that is given up, with its cursor, items and
	// version: CreatePulls goes on with it if its stream is due again within ParkedFor.
	// It is for causes that say nothing about the answers (a network that is down). A
	// pull without pages has nothing to keep: it is given up like any other. Park means
	// nothing without GiveUp.
	Park bool
}

// Page is one answer in the inbox.
type Page struct {
	Seq    int64 // increasing over the whole store, never used twice
	PullID int64
	// Version is greater than that of every page received before it and of every pull
	// created before it. That of a File is as old as the file's contents: it was issued
	// when the call left that created it (Departure.Unheard), or with the pull.
	Version uint64
	Body    []byte
	// File is the spool file that holds the records, as it was received; empty if Body does.
	File       string
	Request    string
	Records    int
	RawBytes   int
	Hash       uint64
	ReceivedAt time.Time
	// Leads are the rows of the leads that the page told of, as it left them, each lead
	// once; nil for pages that told of none.
	Leads []LeadRow
}

// Checkpoint is what is known to be published of one window of one stream.
type Checkpoint struct {
	Account, Stream string
	Kind            Kind
	From, To        time.Time
	Version         uint64
	// PulledAt is when the pull was created: the network was asked after this time.
	PulledAt    time.Time
	PublishedAt time.Time
	Rows        int64
	// Quarantined counts the records that could not be normalized.
	Quarantined int64
	// Digest is that of Published, and RawAt when the answers that the rows were made of
	// were kept as raw pages: earlier than PublishedAt if later answers were the same.
	Digest uint64
	RawAt  time.Time
	// Mapping is that of Published.
	Mapping string
}

// Published says that a pull's rows are visible in the warehouse.
type Published struct {
	PullID      int64
	PublishedAt time.Time
	Rows        int64
	Quarantined int64
	// Digest and RawAt are for the Checkpoint.
	Digest uint64
	RawAt  time.Time
	// Mapping tells how rows were made of the answers from how others made theirs; the
	// store only compares it. Empty if that is not known.
	Mapping string
}

// Held says that a guard kept a pull's rows from being published.
type Held struct {
	PullID int64
	At     time.Time
	// Reason is for people.
	Reason string
	// Rows and Hash describe what was held: a later pull of the same window that
	// agrees with both is believed.
	Rows int64
	Hash uint64
}

// HeldWindow is the standing memory of a Held, until the window is published.
type HeldWindow struct {
	Account, Stream string
	From, To        time.Time
	At              time.Time
	Reason          string
	Rows            int64
	Hash            uint64
}

// Run is one stream brought up to date once, for the run log.
type Run struct {
	ID              string
	Account, Stream string
	StartedAt       time.Time
	FinishedAt      time.Time // zero while it goes on
	Calls, Rows     int64
	// Error is empty for success.
	Error string
}

// BackfillRequest is a backfill asked on the command line; it is resumed when the
// same one is asked again before it finished.
type BackfillRequest struct {
	ID        int64
	From, To  time.Time // report days at midnight UTC, To exclusive
	Only      string    // canonical text of the selection
	StartedAt time.Time
	// FinishedAt is zero until every window of it is published.
	FinishedAt time.Time
}

// InboxSize is how much waits in the inbox.
type InboxSize struct {
	Pages int64
	// Bytes is the compressed size, rows of leads included.
	Bytes int64
}

// RunsKept is how many of the newest runs a store keeps at least.
const RunsKept = 10_000

// Store is the contract that a driver fulfils. All times are UTC with millisecond
// precision (finer digits are cut off); a zero time is stored and comes back as
// zero. Methods are safe for concurrent use, and each is one transaction: after it
// returned nil, the change survives kill -9 of the process and of the machine;
// after it returned an error, nothing of it was done. A method whose context ends
// before its transaction began returns the context's cause; one that began is
// brought to its end. The errors that callers branch on are in errors.go.
//
// The interface is large on purpose and not meant to be implemented outside the
// subpackages of state.
type Store interface {
	Leads
	Replays

	// Close waits for the writes in hand, then gives the store up for others to
	// open. Every method called later returns ErrClosed; a second Close does nothing.
	Close() error

	// CreatePulls creates those of the given pulls that have no open (pulling or
	// pulled) pull with the same account, stream, kind and window, in the given
	// order, and returns the created ones. An open one that is less urgent than the new one
	// takes the new one's tier, and whatever is open or revived takes Reload and Accept. For Changes and Snapshot kinds, at most one pull per
	// account, stream and kind is stored, whatever its times.
	//
	// A Failed one is replaced, by a pull with a new ID, unless it is parked: that one is
	// revived, and returned among the created ones. It is Pulling again, with the tier
	// and run of the new request and its failures forgotten; everything else is as it
	// was parked, the times of Changes included. Parked pulls whose last page was
	// received ParkedFor ago or longer, by the store's clock, lose their pages first,
	// also those that the request does not name: they are Failed pulls like any other.
	CreatePulls(ctx context.Context, pulls []NewPull) ([]Pull, error)
	// OpenPulls gives the pulls of an account (all accounts if empty) that are
	// pulling or pulled, oldest first.
	OpenPulls(ctx context.Context, account string) ([]Pull, error)
	// FailedPulls gives the pulls that were given up and neither replaced nor revived
	// since, the parked ones among them, oldest first.
	FailedPulls(ctx context.Context) ([]Pull, error)
	// SetItems stores the frozen list of a for-each pull before its first call.
	// With done the pull has nothing to ask and becomes Pulled. An item may not hold a
	// line break. ErrNoPull unless the pull is Pulling.
	SetItems(ctx context.Context, pullID int64, items []string, done bool) error
	// DropPulls forgets pulls, open or Failed, and their inbox pages: their stream is no
	// longer configured. Pulls that are not known are passed over. The calls that were in
	// flight for them keep counting for the pace. What their pages told of leads comes again
	// with the account's next page that tells of some (also of pages that Fail, Hold, Reject
	// or ParkedFor drops); pulls that Bring made are set down instead, see there.
	DropPulls(ctx context.Context, pullIDs []int64) error

	// Lane gives an account's lane; a lane never seen is returned zero but for its name.
	Lane(ctx context.Context, account string) (Lane, error)
	// Lanes gives all lanes ever seen, by account.
	Lanes(ctx context.Context) ([]Lane, error)
	// StopLane records that an account makes no calls, and why; an empty reason lets it
	// go on. The store only remembers: Depart does not refuse.
	StopLane(ctx context.Context, account, reason string) error

	// Depart, Receive, Fail and Ended keep the pace by one rule, which also holds for
	// several workers on one account. A lane has a base and its calls in flight:
	// Depart puts a call in flight with its NextCall; the end of that call (Receive,
	// Fail or Ended) takes it out and raises the base to its own NextCall, never lowers
	// it. Lane.NextCall is the latest of the base and of all that is in flight: so the
	// end of a call replaces what its departure feared, and says nothing about the other
	// calls. A pull has one call in flight at a time, and so have the calls outside pulls:
	// a second departure takes the place of the first, but not what that feared. What was
	// in flight when the process died goes into the base when the store is opened again.

	// Depart records that a call leaves. ErrNoPull unless the pull is Pulling (or PullID is 0).
	Depart(ctx context.Context, d Departure) error
	// Receive commits an answer and returns the pull as it now stands: the pull is
	// Pulled if the answer was the last, and its failures are forgotten. ErrNoPull
	// unless it is Pulling.
	Receive(ctx context.Context, r Receipt) (Pull, error)
	// Fail records a call without a usable answer, in the pull (unless PullID is 0)
	// and in the account's lane. ErrNoPull unless the pull is Pulling.
	Fail(ctx context.Context, f Failure) error
	// Ended records that a call ended at some time which brought no answer and is nobody's
	// failure: a check (pullID 0), or a call for a pull that a shutdown cut. Only the pace
	// moves; the pull need not be known any more.
	Ended(ctx context.Context, account string, pullID int64, at, nextCall time.Time) error

	// Quotas counts a call at now against all of the given budgets, or against none: if
	// one is used up, free is the time from which all have room again (if no other call
	// takes it), else it is zero. It is an error if two have the same name, or one
	// allows nothing; no budgets allow everything.
	//
	// The windows slide: there are never more than Calls in any (now-Per, now]. A
	// sequence that keeps this also keeps every fixed window of the same length,
	// wherever the network lets its windows begin, so one rule serves both kinds of network.
	Quotas(ctx context.Context, account string, budgets []Budget, now time.Time) (free time.Time, err error)

	// Inbox gives how much waits in the inbox, for pulls of all phases (parked ones
	// too); cheap enough to ask after every page.
	Inbox(ctx context.Context) (InboxSize, error)
	// Pages gives the pages of a pull in the order they were received, after the
	// given Seq, at most limit of them and at least one if there is any. What a body
	// holds is not looked at: one that nobody can read any more comes back as it is stored.
	Pages(ctx context.Context, pullID, after int64, limit int) ([]Page, error)

	// Files gives the spool files that pages of the inbox refer to, each once.
	Files(ctx context.Context) ([]string, error)

	// Publish turns Pulled pulls into checkpoints and removes their inbox pages, the
	// held memory of their windows, and the checkpoints of windows that lie within
	// theirs, which the new one stands for. A pull that is not known was published before a
	// crash and is passed over, so doing it twice changes nothing; one that is not Pulled
	// is ErrNoPull, and then none of the list is published.
	Publish(ctx context.Context, done []Published) error
	// Hold ends Pulled pulls without publishing them: they become Failed with the
	// reason, their inbox pages go, and the memory of what was held stays (the latest,
	// if a window is held again). ErrNoPull unless all are Pulled; then none is held.
	Hold(ctx context.Context, held []Held) error
	// HeldWindows gives what is held back, oldest first; all accounts if account is empty.
	HeldWindows(ctx context.Context, account string) ([]HeldWindow, error)
	// Reject makes a Pulled pull Failed with a reason, and drops its pages: they cannot
	// be normalized (too many bad rows). ErrNoPull unless the pull is Pulled.
	Reject(ctx context.Context, pullID int64, reason string) error

	// Checkpoints gives what is published of a stream, oldest window first: one for
	// each window, and one, the latest, for its Snapshot and for its Changes pulls,
	// each of which covers the ones before it.
	Checkpoints(ctx context.Context, account, stream string) ([]Checkpoint, error)
	// Untouched gives the checkpoint of exactly the window of a Pulled pull, if all that is
	// visible of the window is what that checkpoint's pull brought. False if there is none,
	// or if anything else of the stream that was published since the checkpoint's pull was
	// created may have changed it: a list of changes that had rows, a file, or an
	// overlapping window of another shape. It may be false where nothing was changed.
	Untouched(ctx context.Context, pullID int64) (c Checkpoint, ok bool, err error)
	// LastCheckpoints gives, per account and stream, the most recently published one,
	// by account and stream.
	LastCheckpoints(ctx context.Context) ([]Checkpoint, error)

	// Due gives when a stream was last found due by its schedule; zero if never.
	Due(ctx context.Context, account, stream string) (time.Time, error)
	// SetDue records when a stream was found due.
	SetDue(ctx context.Context, account, stream string, at time.Time) error

	// SaveRun inserts or updates a run by its id. The newest RunsKept are kept, and all
	// that go on.
	SaveRun(ctx context.Context, r Run) error
	// Runs gives the newest runs first (by StartedAt), at most limit.
	Runs(ctx context.Context, limit int) ([]Run, error)

	// StartBackfill finds the unfinished request with the same range and selection, or creates it.
	StartBackfill(ctx context.Context, from, to time.Time, only string, now time.Time) (BackfillRequest, error)
	// FinishBackfill ends a request; one that is finished stays as it is. A request that
	// is not known is an error.
	FinishBackfill(ctx context.Context, id int64, now time.Time) error

	// Secret gives a named random value that is created on first use and kept (the
	// embedded engine's password); it never appears in logs.
	Secret(ctx context.Context, name string) (string, error)
}
