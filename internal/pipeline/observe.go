package pipeline

import (
	"time"

	"syncd/state"
)

// Observer is told what happens, for metrics and progress. Its methods are called
// from many goroutines and must not block.
type Observer interface {
	// Called is told of every call that ended. outcome is "ok" or an extractors.Outcome in words.
	Called(account, stream, outcome string, took time.Duration, bytes int)
	// Received is told of every answer that is safe in the inbox.
	Received(p state.Pull, records int)
	// Planned is told of every pull that was created.
	Planned(p state.Pull)
	// Published is told of every pull whose rows are visible.
	Published(p state.Pull, rows, quarantined int64)
	// Failed is told of every pull that was given up or held back.
	Failed(p state.Pull, reason string)
	// Warehouse is told the result of each attempt to load; nil means it went well.
	Warehouse(err error)
}

// observers passes everything on to each of its members.
type observers []Observer

func (o observers) Called(account, stream, outcome string, took time.Duration, bytes int) {
	for _, x := range o {
		x.Called(account, stream, outcome, took, bytes)
	}
}

func (o observers) Received(p state.Pull, records int) {
	for _, x := range o {
		x.Received(p, records)
	}
}

func (o observers) Planned(p state.Pull) {
	for _, x := range o {
		x.Planned(p)
	}
}

func (o observers) Published(p state.Pull, rows, quarantined int64) {
	for _, x := range o {
		x.Published(p, rows, quarantined)
	}
}

func (o observers) Failed(p state.Pull, reason string) {
	for _, x := range o {
		x.Failed(p, reason)
	}
}

func (o observers) Warehouse(err error) {
	for _, x := range o {
		x.Warehouse(err)
	}
}
