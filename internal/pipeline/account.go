package pipeline

import (
	"context"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// Account is one account as the pipeline drives it.
type Account struct {
	Name string
	// Network is the network's name, the value of the rows' network column.
	Network string
	Source  extractors.Source
	Caller  Caller
	// MinDelay is the least time from the end of a call to the start of the next one.
	MinDelay time.Duration
	// Timeout bounds a call; it also bounds how long a call of a daemon that died
	// may still be going on at the network.
	Timeout time.Duration
	// Parallel is the number of calls that may be under way at once, at least 1.
	Parallel int
	// Quotas are the budgets that every call of the account counts against.
	Quotas []state.Budget
	// Budgets are those that only calls which name them count against (Call.Budget),
	// beside Quotas. One that is used up holds up only the pulls that need it.
	Budgets  map[string]state.Budget
	Location *time.Location
	// DropFiles says that a downloaded file goes as soon as its rows are published: it
	// holds personal data that the account does not keep, and cannot be had without.
	DropFiles bool
	// Shrink is the share of a window's rows that may vanish at once; 0 means
	// loaders.ShrinkDefault. IgnoreTotals says that no total that the network states is
	// compared with what it gave.
	Shrink       float64
	IgnoreTotals bool
	// Reading names what else rows are made by than their stream's mapping (the program,
	// what becomes of personal data): where it is another, equal answers give other rows.
	Reading string
	// Receiver reads the postbacks that arrived for the account; nil if it receives none.
	Receiver Receiver
	// OpenIDs gives leads that somebody else knows, to be asked for, when OpenIDsEvery has
	// passed since it gave some; nil if there is nobody.
	OpenIDs      func(ctx context.Context) ([]state.LeadFact, error)
	OpenIDsEvery time.Duration
}

// Receiver reads the postbacks of an account.
type Receiver interface {
	// Stream is the stream as which postbacks are brought; its first output are the
	// postbacks themselves, its second the leads that they tell of.
	Stream() *extractors.Stream
	// Read gives the body of a page that holds postbacks, an array with a record for each,
	// and what they tell of leads. It is pure: the same postbacks give the same.
	Read(list []state.Postback) (body []byte, told state.Told, err error)
}

// Caller performs calls. An error means that no whole answer came.
type Caller interface {
	Do(ctx context.Context, c extractors.Call) (extractors.Answer, error)
	// Fetch downloads a file to path, going on behind what is there of it already, and
	// gives its size. When it fails, what came stays there for the next attempt.
	// A download from the first byte only appends: the file is read while it grows.
	Fetch(ctx context.Context, f extractors.File, path string) (size int64, err error)
}

// stream finds a stream by name; nil if the account has none of that name.
func (a *Account) stream(name string) *extractors.Stream {
	if a.Receiver != nil && a.Receiver.Stream().Name == name {
		return a.Receiver.Stream()
	}
	for _, s := range a.Source.Streams() {
		if s.Name == name {
			return s
		}
	}
	return nil
}
