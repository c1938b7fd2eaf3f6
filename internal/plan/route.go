package plan

import (
	"cmp"
	"slices"
	"time"

	"syncd/schema"
	"syncd/state"
)

// Choice is one pull of a windowed stream, and why it goes the way it goes.
type Choice struct {
	Window schema.Window
	Tier   state.Tier
	Route  state.Route
	// Group is the time that the route was chosen for: Why speaks of all of it.
	Group schema.Window
	// Steps is the number of the stream's windows that Window is made of, at least 1.
	Steps int
	// Rows is how many rows are expected; -1 if nothing is known.
	Rows int64
	// Calls and Exports are what the pull takes by its route; Least says that it is at
	// least so much. The calls that an export needs are among Calls.
	Calls, Exports int
	Least          bool
	// Why says in words why the route was taken; empty where there is only the direct one.
	Why string
}

// Standing is a window that was asked in one shape and has to be asked in the same
// again: a guard believes only a second answer to the same question, and an export
// that was given up is found again at the network by its range.
type Standing struct {
	Window schema.Window
	// Export says that it has to be an export; otherwise the cheaper route is taken.
	Export bool
	// Ask says that it is asked for even if nothing in it is due.
	Ask bool
}

const (
	// fill is the share of an export's rows that a group of windows is expected to
	// have at most. A file that is cut off costs two more exports, and a day with twice
	// the usual rows is no rarity.
	fill = 0.5
	// longest is how many days an export covers at most: the networks' own pages offer a
	// month, and a range that fails has to be asked for again as a whole.
	longest = 31
	// longestUnknown is that number while nothing is known of the rows. A week of an
	// account with 100,000 clicks a day is a third of the smallest export that a
	// network documents (2,000,000 rows); a month would be cut off, and three exports be
	// spent instead of one. The first one that is published tells the rest.
	longestUnknown = 7
)

// Routes turns due windows into pulls, most urgent first, then the newest first. due
// is in any order; open are the stream's open pulls.
//
// Where a network also writes files, windows that touch are put together into groups
// that fit into one export, and each group goes by the route that takes the smaller
// share of the account's day: calls of all that the pace allows, or exports of those
// that the network grants. Hot windows are never put into a file unless there is no
// other way: their new rows are few and wanted now.
//
// What an open pull covers already is not asked for again; if it has become more
// urgent, the pull is given once more with the new tier. A hot window inside an open
// export is an exception, because exports may take a day: it is asked for directly.
func (s *Stream) Routes(due []Due, open []state.Pull, standing []Standing, v Volume, a Account, now time.Time) []Choice {
	r := router{stream: s, volume: v, account: a, now: now, unknown: longestUnknown}
	return r.routes(due, open, standing)
}

func (r *router) routes(due []Due, open []state.Pull, standing []Standing) []Choice {
	s := r.stream
	due = slices.Clone(due)
	slices.SortFunc(due, func(a, b Due) int { return a.Window.From.Compare(b.Window.From) })
	if s.Export == nil {
		for _, d := range due {
			r.direct(d, d.Window, "")
		}
	} else {
		due = r.covered(due, open)
		due = r.again(due, open, standing)
		r.groups(due)
	}
	for _, x := range standing {
		if x.Ask && !x.Export && s.Export == nil && !slices.ContainsFunc(due, func(d Due) bool { return same(d.Window, x.Window) }) {
			r.direct(Due{Window: x.Window, Tier: state.Warm}, x.Window, "")
		}
	}
	slices.SortStableFunc(r.choices, func(a, b Choice) int { return order(a.Tier, b.Tier, a.Window, b.Window) })
	return r.choices
}

// router gathers the choices of one stream.
type router struct {
	stream  *Stream
	volume  Volume
	account Account
	now     time.Time
	// unknown is how many days a file covers whose rows are not known.
	unknown int
	choices []Choice
}

const whyHot = "hot: asked for directly, so that new rows do not wait for a file"

// hot says that a window is asked for directly whatever it costs.
func (r *router) hot(d Due) bool { return d.Tier == state.Hot && !r.stream.Export.Only }

// covered takes those windows out that an open pull brings already.
func (r *router) covered(due []Due, open []state.Pull) []Due {
	ahead := slices.DeleteFunc(slices.Clone(open), func(p state.Pull) bool { return p.Kind != state.Windowed })
	slices.SortStableFunc(ahead, func(a, b state.Pull) int { return a.From.Compare(b.From) })
	// begun are those that begin before the window in hand and may end behind it; a
	// backfill has thousands of open pulls, but few that overlap.
	var begun []state.Pull
	raised := map[int64]*Choice{}
	rest := due[:0]
	for _, d := range due {
		for len(ahead) > 0 && !ahead[0].From.After(d.Window.From) {
			begun, ahead = append(begun, ahead[0]), ahead[1:]
		}
		begun = slices.DeleteFunc(begun, func(p state.Pull) bool { return p.To.Before(d.Window.To) })
		i := slices.IndexFunc(begun, func(p state.Pull) bool { return !(r.hot(d) && p.Route == state.Export) })
		if i < 0 {
			rest = append(rest, d)
			continue
		}
		p := begun[i]
		if d.Tier >= p.Tier {
			continue
		}
		if c := raised[p.ID]; c != nil {
			c.Tier = min(c.Tier, d.Tier)
			continue
		}
		c := r.cost(window(p), p.Route, max(r.stream.Steps(window(p)), 1))
		c.Tier, c.Why = d.Tier, "under way already, and wanted sooner now"
		raised[p.ID] = &c
	}
	for _, p := range open {
		if c := raised[p.ID]; c != nil {
			r.choices = append(r.choices, *c)
		}
	}
	return rest
}

// again takes those windows out that have to be asked for in a shape of their own,
// and asks for those shapes. One that an open pull meets waits until that is done.
func (r *router) again(due []Due, open []state.Pull, standing []Standing) []Due {
	for _, x := range standing {
		ask, tier := x.Ask, state.Warm
		rest := make([]Due, 0, len(due))
		for _, d := range due {
			if !contains(x.Window, d.Window) || x.Export && r.hot(d) {
				rest = append(rest, d)
				continue
			}
			if !ask {
				tier = d.Tier
			}
			ask, tier = true, min(tier, d.Tier)
		}
		due = rest
		if !ask || slices.ContainsFunc(open, func(p state.Pull) bool { return p.Kind == state.Windowed && meet(window(p), x.Window) }) ||
			slices.ContainsFunc(r.choices, func(c Choice) bool { return meet(c.Window, x.Window) }) {
			continue
		}
		one := Due{Window: x.Window, Tier: tier}
		switch {
		case x.Export:
			c := r.cost(x.Window, state.Export, max(r.stream.Steps(x.Window), 1))
			c.Tier, c.Why = tier, "asked for as a file before: asked again in the same shape"
			r.choices = append(r.choices, c)
		case r.hot(one):
			r.direct(one, x.Window, whyHot)
		default:
			r.cheaper([]Due{one})
		}
	}
	return due
}

// groups puts windows that touch together, the oldest first, so that a group that
// failed comes out the same the next day, and gives each to the cheaper route.
func (r *router) groups(due []Due) {
	var group []Due
	flush := func() {
		if len(group) > 0 {
			r.cheaper(group)
			group = nil
		}
	}
	for _, d := range due {
		if r.hot(d) {
			r.direct(d, d.Window, whyHot)
			continue
		}
		if len(group) > 0 && (!group[len(group)-1].Window.To.Equal(d.Window.From) || !r.fits(schema.Window{From: group[0].Window.From, To: d.Window.To})) {
			flush()
		}
		group = append(group, d)
	}
	flush()
}

// fits says whether one export is expected to hold a window.
func (r *router) fits(w schema.Window) bool {
	days := longest
	rows := r.volume.Rows(w, r.now)
	most := r.stream.Export.MaxRows
	if most > 0 {
		if rows < 0 {
			days = r.unknown
		} else if float64(rows) > fill*float64(most)*float64(max(r.volume.Items, 1)) {
			return false
		}
	}
	local := w.From.In(r.stream.Location)
	return !w.To.After(DayStart(local.Year(), local.Month(), local.Day()+days, r.stream.Location))
}

// cheaper gives a group to the route that takes less of the account's day.
func (r *router) cheaper(group []Due) {
	whole := schema.Window{From: group[0].Window.From, To: group[len(group)-1].Window.To}
	file := r.cost(whole, state.Export, len(group))
	file.Tier = state.Backfill
	var pages Choice
	for _, d := range group {
		file.Tier = min(file.Tier, d.Tier)
		c := r.cost(d.Window, state.Direct, 1)
		pages.Calls += c.Calls
		pages.Least = pages.Least || c.Least
	}
	why, export := r.compare(pages, file)
	if export {
		file.Why = why
		r.choices = append(r.choices, file)
		return
	}
	for _, d := range group {
		r.direct(d, whole, why)
	}
}

func (r *router) compare(pages, file Choice) (why string, export bool) {
	rule := r.stream.Export
	switch {
	case rule.Only:
		return "the network gives these rows as a file only", true
	case file.Rows < 0 && file.Tier == state.Hot:
		return "rows not known yet, and hot: asked for directly", false
	case file.Rows < 0:
		return "rows not known yet: a file, because pages could be any number", true
	}
	direct, exported := r.account.direct(pages.Calls), r.account.export(file.Exports, rule.Budget)
	return compared(pages, file, direct, exported, r.account.PerDay(rule.Budget)), exported < direct
}

// direct asks for one window of a group page by page.
func (r *router) direct(d Due, group schema.Window, why string) {
	c := r.cost(d.Window, state.Direct, 1)
	c.Tier, c.Group, c.Why = d.Tier, group, why
	r.choices = append(r.choices, c)
}

// cost is what a window takes by a route.
func (r *router) cost(w schema.Window, route state.Route, steps int) Choice {
	c := Choice{Window: w, Group: w, Route: route, Steps: steps, Rows: r.volume.Rows(w, r.now)}
	if route == state.Export {
		most := int64(0)
		if r.stream.Export != nil {
			most = r.stream.Export.MaxRows
		}
		c.Exports, c.Least = r.volume.Exports(c.Rows, most)
		c.Calls = c.Exports * exportCalls
		return c
	}
	c.Calls, c.Least = r.volume.Calls(c.Rows)
	return c
}

func window(p state.Pull) schema.Window { return schema.Window{From: p.From, To: p.To} }

func contains(w, within schema.Window) bool {
	return !w.From.After(within.From) && !w.To.Before(within.To)
}

func meet(v, w schema.Window) bool { return v.From.Before(w.To) && w.From.Before(v.To) }

func same(v, w schema.Window) bool {
	return cmp.Or(v.From.Compare(w.From), v.To.Compare(w.To)) == 0
}
