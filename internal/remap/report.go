package remap

import (
	"fmt"
	"time"

	"syncd/loaders"
)

// Stream is what is, or was, made anew of a stream.
type Stream struct {
	Account, Network, Stream string
	// Windows counts windows and snapshots, Lists lists of changes, Pages the pages of both
	// and Files those of them that are downloaded files.
	Windows, Lists, Pages, Files int
	Records                      int64
	// Oldest is when the oldest of the pages was received; zero for none.
	Oldest time.Time
	// Replaced counts pulls of which younger ones have everything.
	Replaced int
	// Left is what cannot be made anew.
	Left []Left

	// Rows and Quarantined count what was loaded, Refused is in words what was not.
	Rows, Quarantined int64
	Refused           []string
	// Restated is what that changed.
	Restated []loaders.Restated
}

// Streams gives what is made anew, and after Run what became of it.
func (m *Remap) Streams() []Stream {
	var all []Stream
	for _, g := range m.groups {
		for _, p := range g.parts {
			all = append(all, p.report(g))
		}
	}
	return all
}

func (p *part) report(g *group) Stream {
	s := Stream{
		Account: g.account.Name, Network: g.account.Network, Stream: p.stream.Name, Windows: len(p.whole), Pages: len(p.parts),
		Replaced: len(p.replaced), Left: p.left, Restated: p.restated,
	}
	seen := func(at time.Time) {
		if s.Oldest.IsZero() || at.Before(s.Oldest) {
			s.Oldest = at
		}
	}
	for _, x := range p.whole {
		s.Pages += len(x.Pages)
		s.Files += len(x.Files)
		s.Records += x.Records
		for _, ref := range x.Pages {
			seen(ref.ReceivedAt)
		}
	}
	lists := map[*pull]bool{}
	for _, x := range p.parts {
		if !lists[x.of] {
			lists[x.of] = true
			s.Records += x.of.Records
		}
		seen(x.ReceivedAt)
	}
	s.Lists = len(lists)
	for i, r := range p.replays {
		switch o := r.Outcome(); {
		case o.Published:
			s.Rows += o.Rows
			s.Quarantined += o.Quarantined
		default:
			what := "changes"
			if x := p.of[i]; x != nil && !x.From.IsZero() {
				what = fmt.Sprintf("window %s to %s UTC", x.From.UTC().Format("2006-01-02 15:04"), x.To.UTC().Format("2006-01-02 15:04"))
			} else if x != nil {
				what = "all of it"
			}
			why := o.Refused
			if why == "" {
				why = "the warehouse refuses it"
			}
			s.Refused = append(s.Refused, what+": "+why)
		}
	}
	if g.failed && len(p.whole) > 0 && p.started() == 0 {
		s.Refused = append(s.Refused, fmt.Sprintf("%d windows were not tried, because what changed since could not be made anew before them", len(p.whole)))
	}
	return s
}

// started counts the windows and snapshots that were given to the loader.
func (p *part) started() int {
	n := 0
	for _, x := range p.of {
		if x != nil {
			n++
		}
	}
	return n
}
