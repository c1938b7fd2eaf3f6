package pipeline

import (
	"context"
	"time"

	"syncd/extractors"
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
	Quotas   []Quota
	Location *time.Location
	// Fingerprint tells one set of credentials from another without revealing it.
	Fingerprint string
}

// Caller performs calls. An error means that no whole answer came.
type Caller interface {
	Do(ctx context.Context, c extractors.Call) (extractors.Answer, error)
}

// Quota is a budget of calls per period that the network allows the account.
type Quota struct {
	Name  string
	Calls int
	Per   time.Duration
}

// paced reports whether a departure has to be on record before a call leaves:
// without a delay or a quota there is nothing that a crash could break.
func (a *Account) paced() bool { return a.MinDelay > 0 }

// stream finds a stream by name; nil if the account has none of that name.
func (a *Account) stream(name string) *extractors.Stream {
	for _, s := range a.Source.Streams() {
		if s.Name == name {
			return s
		}
	}
	return nil
}
