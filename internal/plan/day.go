package plan

import (
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// Load is what a stream takes in a time.
type Load struct {
	// Runs is how often its schedule is due.
	Runs int `json:"runs"`
	// Pulls is how many pulls that makes, windows, files, snapshots and lists of changes.
	Pulls int `json:"pulls"`
	// Calls and Exports are what the pulls take; Least says that it is at least so much.
	Calls   int  `json:"calls"`
	Exports int  `json:"exports"`
	Least   bool `json:"at_least,omitempty"`
}

// Add adds another stream's load.
func (l *Load) Add(m Load) {
	l.Runs += m.Runs
	l.Pulls += m.Pulls
	l.Calls += m.Calls
	l.Exports += m.Exports
	l.Least = l.Least || m.Least
}

// Day is what a stream takes in the 24 hours from now once everything is published:
// its schedule, given by the first due time after another (zero: none), meets windows
// that became due. Pulls take no time here, so that an account that is asked for too
// much shows by how much.
func Day(s *extractors.Stream, v Volume, a Account, next func(after time.Time) time.Time, now time.Time) Load {
	var l Load
	var sim *simulation
	if s.Window != nil {
		sim = newSimulation(Of(s), next, now)
	}
	for at := next(now); !at.IsZero() && !at.After(now.Add(day)); at = next(at) {
		l.Runs++
		if sim != nil {
			for _, c := range sim.run(at, v, a) {
				l.Pulls++
				l.Calls += c.Calls
				l.Exports += c.Exports
				l.Least = l.Least || c.Least
			}
		} else if s.Kind() == state.Changes { // open leads
			l.pull(v, v.Changes)
		} else {
			l.pull(v, v.Snapshot)
		}
		if s.Changes {
			l.pull(v, v.Changes)
		}
	}
	return l
}

// pull counts a pull that is no window.
func (l *Load) pull(v Volume, rows int64) {
	calls, least := v.Calls(rows)
	l.Pulls++
	l.Calls += calls
	l.Least = l.Least || least
}

// simulation is a stream whose windows are all published, each as long ago as it is
// in the long run: first in its tier, then every Every. Windows leave a tier a day at
// a time, so that those of a weekly tier fall on all days of the week.
type simulation struct {
	stream  *Stream
	windows []schema.Window
	// pulled is when each window was last pulled; zero for never.
	pulled []time.Time
}

func newSimulation(s *Stream, next func(time.Time) time.Time, now time.Time) *simulation {
	sim := &simulation{stream: s}
	for w := range Windows(s.Step, s.Location, s.earliest(now), now.Add(day)) {
		sim.windows = append(sim.windows, w)
		sim.pulled = append(sim.pulled, s.lastPull(w, next, now))
	}
	return sim
}

// lastPull is when a window was last pulled before now if syncd has run for long; zero
// if it was not. It was at a due time of the schedule, and one that comes up now is
// still to come.
func (s *Stream) lastPull(w schema.Window, next func(time.Time) time.Time, now time.Time) time.Time {
	last := w.From.Add(s.Settle)
	if !last.Before(now) {
		return time.Time{}
	}
	covered, every := false, time.Duration(0)
	for _, t := range s.Restate {
		covered = covered || w.To.After(now.Add(-t.Last))
		// The last pull of a tier counts for the next one, which asks again Every later.
		if until := minTime(now, w.To.Add(t.Last)); t.Every > 0 && until.After(last) {
			last = last.Add((until.Sub(last) - 1) / t.Every * t.Every) // at until it has left the tier
			every = t.Every
		}
	}
	if settled := w.To.Add(s.Settle); !covered && last.Before(settled) {
		last = settled // out of all tiers it was asked once more when it had ended
	}
	switch due := next(last.Add(-1)); {
	case !due.IsZero() && !due.After(now):
		return due
	case !last.Add(-every).After(w.From):
		return time.Time{}
	}
	return last.Add(-every)
}

// run pulls what is due.
func (sim *simulation) run(now time.Time, v Volume, a Account) []Choice {
	s := sim.stream
	earliest, latest := s.earliest(now), now.Add(-s.Settle)
	var due []Due
	for i, w := range sim.windows {
		if !w.To.After(earliest) || !w.From.Before(latest) {
			continue
		}
		if tier, is := s.due(now, w, sim.pulled[i], !sim.pulled[i].IsZero()); is {
			due = append(due, Due{Window: w, Tier: tier, Pulled: sim.pulled[i]})
			sim.pulled[i] = now
		}
	}
	// What is published is known. Where it is not yet, the files are as few as they can be.
	r := router{stream: s, volume: v, account: a, now: now, unknown: longest}
	return r.routes(due, nil, nil)
}
