package state

import (
	"context"
	"time"
)

// A replay makes the rows of answers anew that were loaded before, by a mapping that has
// changed since. The answers come from where they are kept; what a store adds is the order:
// versions in which rows that are made anew stand to each other as the first ones did, the
// checkpoints, and a second book of leads in which all that was told is told once more.

// PullVersions are the versions of a pull that is not published yet, and of its pages.
type PullVersions struct {
	PullID          int64
	Account, Stream string
	Version         uint64
	// FileVersion is that of the rows of a file that the pull will bring; 0 if it brings none.
	FileVersion uint64
	// Pages are those in the inbox, in their order.
	Pages []PageVersion
}

// PageVersion is the version of a page in the inbox.
type PageVersion struct {
	Seq     int64
	Version uint64
}

// Replayed says that the rows of a pull that was published, or refused, before were made
// anew and are visible.
type Replayed struct {
	Account, Stream string
	Kind            Kind
	From, To        time.Time
	// Version and PulledAt are the pull's own, not those of what was made of it now.
	Version     uint64
	PulledAt    time.Time
	PublishedAt time.Time
	// Rows is negative where only a part of the pull's rows were made anew; it stays as it was.
	Rows        int64
	Quarantined int64
	Mapping     string
}

// MappingCount is how many checkpoints of a stream have a mapping.
type MappingCount struct {
	Account, Stream string
	Mapping         string
	Checkpoints     int64
	// From is the beginning of the oldest window; zero if the stream has none.
	From time.Time
}

// Replays is the part of a Store for replays. They are for a process in which no calls are
// made: nothing of an account may be received between the methods that are about it.
type Replays interface {
	// Mappings counts the checkpoints by account, stream and mapping, in this order.
	Mappings(ctx context.Context) ([]MappingCount, error)
	// IssueVersions issues n versions that follow one another, and gives the first.
	IssueVersions(ctx context.Context, n int) (first uint64, err error)
	// OpenVersions gives the versions of an account's pulls that are open, or Failed and have
	// pages, by pull.
	OpenVersions(ctx context.Context, account string) ([]PullVersions, error)
	// SetVersions gives pulls and their pages other versions. What is not known any more is
	// passed over.
	SetVersions(ctx context.Context, pulls []PullVersions) error
	// Replayed puts the mapping, and the counts, of rows that were made anew into the
	// checkpoint of exactly that window or snapshot, and of the stream's last changes. When
	// the stream was last successful does not move. A window or snapshot whose pull is
	// younger than its checkpoint was refused before, and gets a checkpoint now, unless a
	// younger pull of a wider window has one; its Failed pull and the memory of what was held go.
	Replayed(ctx context.Context, done []Replayed) error

	// BeginRetelling opens a second book of an account's leads, empty but for the leads
	// of which something was known before a time, or that is not known (Lead.Heard). A
	// book that an earlier retelling left is thrown away.
	BeginRetelling(ctx context.Context, account string, since time.Time) error
	// Retell merges what an answer told into the second book, as the answer of the given
	// version that was received at a time.
	Retell(ctx context.Context, account string, version uint64, at time.Time, told Told) error
	// RetoldAbout gives the leads of the second book that facts are about, each once.
	RetoldAbout(ctx context.Context, account string, facts []LeadFact) ([]Lead, error)
	// Retold gives leads of the second book of which an answer of version from or later
	// told something new, by ID, with an ID greater than after, at most limit.
	Retold(ctx context.Context, account string, from uint64, after int64, limit int) ([]Lead, error)
	// Outgrown gives keys under which the account's leads have rows by the first book and
	// have none by the second, of leads with an ID greater than after, at most limit of
	// which are looked at. The last ID that was looked at is through; 0 says that there were none.
	Outgrown(ctx context.Context, account string, after int64, limit int) (keys []LeadKey, through int64, err error)
	// EndRetelling puts the second book in the place of the first. Of leads that both know
	// when they were first seen and how they are polled is as the first has it.
	EndRetelling(ctx context.Context, account string) error
}

// Row gives the fields of the lead's row, which are not to be changed.
func (l *Lead) Row() LeadFields { return l.row() }

// Key gives where the lead's row stands.
func (l *Lead) Key() LeadKey { return l.key() }
