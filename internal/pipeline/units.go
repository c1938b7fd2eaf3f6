package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd/loaders"
	"syncd/schema"
	"syncd/state"
)

// units describes loads to the warehouse.
func (s *slot) units(ctx context.Context, loads []*load) ([]loaders.Unit, error) {
	held, err := s.engine.store.HeldWindows(ctx, "")
	if err != nil {
		return nil, &stateError{fmt.Errorf("reading what is held back: %w", err)}
	}
	units := make([]loaders.Unit, len(loads))
	for i, l := range loads {
		units[i] = unitOf(l)
		for _, h := range held {
			if h.Account == l.pull.Account && h.Stream == l.pull.Stream && h.From.Equal(l.pull.From) && h.To.Equal(l.pull.To) {
				units[i].HeldBefore, units[i].HeldRows = l.pull.CreatedAt.Sub(h.At) >= heldAgain/2, h.Rows
			}
		}
	}
	return units, nil
}

func unitOf(l *load) loaders.Unit {
	u := loaders.Unit{
		PullID: l.pull.ID, Network: l.account.Network, Account: l.pull.Account, Stream: l.pull.Stream,
		Tier: l.pull.Tier.String(), RunID: l.pull.RunID, Version: l.pull.Version, Complete: l.pull.Kind != state.Changes,
		// A record that could not be read has not vanished; and a list of leads says nothing
		// of those that are known by postback.
		NoTombstones: l.bad > 0 || l.pull.Kind == state.Snapshot && leadsIn(l.stream.OutputsBy(l.pull.Route)) >= 0,
		Shrink:       l.account.Shrink, Doubt: doubtOf(l), Accepted: l.pull.Accept,
	}
	if l.entry != nil && l.entry.replay != nil {
		u.Again, u.Tier = true, "remap"
	}
	for _, out := range l.stream.OutputsBy(l.pull.Route) {
		if i := slices.IndexFunc(u.Outputs, func(s loaders.Scope) bool { return s.Table == out.Table }); i >= 0 {
			// Two outputs in one table (an offer's rates and its personal rates) are one
			// scope: that of the constants that they share.
			u.Outputs[i].Loose = u.Outputs[i].Loose || out.Leads
			maps.DeleteFunc(u.Outputs[i].Equal, func(column, value string) bool { return out.Scope[column] != value })
			continue
		}
		scope := loaders.Scope{Table: out.Table, Equal: maps.Clone(out.Scope), Loose: out.Leads}
		if l.pull.Kind == state.Windowed {
			window := asked(l)
			scope.By, scope.From, scope.To = l.stream.Window.By, window.From, window.To
			scope.FromDay, scope.ToDay = days(l.pull.From, l.pull.To, l.stream.Window.Location)
			scope.Except = others(l, window)
			if c := out.Table.Index(scope.By); window.To.Before(l.pull.To) && c >= 0 && out.Table.Columns[c].Type == schema.Date {
				u.NoTombstones = true // a part of a day cannot be told from the rest of it
			}
		}
		u.Outputs = append(u.Outputs, scope)
	}
	return u
}

// asked gives the part of a pull's window that the network was asked for: what had not
// settled when the pull was created was not (WindowRule.Settle). Networks are asked up
// to a whole second, inclusive, so the part ends with one; of a window that is all too
// young they are asked for the first second.
func asked(l *load) schema.Window {
	w := schema.Window{From: l.pull.From, To: l.pull.To}
	settle := l.stream.Window.Settle
	if settle <= 0 {
		return w
	}
	settled := l.pull.CreatedAt.Add(-settle)
	if whole := settled.Truncate(time.Second); whole.Before(settled) {
		settled = whole.Add(time.Second)
	}
	if settled.Before(w.To) {
		w.To = settled
	}
	if first := w.From.Add(time.Second); w.To.Before(first) {
		w.To = first
	}
	return w
}

// others gives the parts of a window of which answers have all rows that are younger than
// a pull that is loaded once more.
func others(l *load, w schema.Window) []loaders.Part {
	if l.entry == nil || l.entry.replay == nil || l.entry.replay.Younger.By != l.stream.Window.By {
		return nil
	}
	var parts []loaders.Part
	for _, s := range l.entry.replay.Younger.Spans.Within(w.From.UnixMilli(), w.To.UnixMilli()) {
		if s.Version <= l.pull.Version {
			continue
		}
		p := loaders.Part{From: time.UnixMilli(s.From).UTC(), To: time.UnixMilli(s.To).UTC()}
		p.FromDay, p.ToDay = days(p.From, p.To, l.stream.Window.Location)
		parts = append(parts, p)
	}
	return parts
}

// days gives the report days that a window covers, the first and the one after the
// last, as midnights UTC.
func days(begin, end time.Time, loc *time.Location) (from, to time.Time) {
	a, b := begin.In(loc), end.Add(-time.Millisecond).In(loc)
	from = time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, time.UTC)
	to = time.Date(b.Year(), b.Month(), b.Day()+1, 0, 0, 0, 0, time.UTC)
	return from, to
}
