package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/internal/pipeline"
	"syncd/internal/plan"
	"syncd/internal/schedule"
	"syncd/schema"
	"syncd/state"
)

// prices is what `plan` prints.
type prices struct {
	At time.Time `json:"at"`
	// Backfill is the range that was asked for; empty for what is due now.
	Backfill string         `json:"backfill,omitempty"`
	Accounts []accountPrice `json:"accounts"`
}

// accountPrice is what one account's streams take.
type accountPrice struct {
	Account  string         `json:"account"`
	Network  string         `json:"network"`
	Location *time.Location `json:"-"`
	// MinDelay and Parallel are the account's pace.
	MinDelay seconds `json:"min_delay_seconds"`
	Parallel int     `json:"parallel"`
	// CallsPerDay is how many calls the pace and the quotas allow.
	CallsPerDay float64 `json:"calls_per_day"`
	// Work is what is due, or the backfill, by stream; Total sums it up.
	Work  []price `json:"work"`
	Total price   `json:"total"`
	// Takes is how long Total takes if nothing else is asked for, Beside what is left
	// of the day when the streams' daily load is done; zero if nothing is left.
	Takes  seconds `json:"seconds"`
	Beside seconds `json:"seconds_beside_steady_state,omitempty"`
	// Steady is the daily load by stream, of all streams of the account.
	Steady []steady `json:"steady_state"`
	// Day sums it up, and Exports does so by budget.
	Day      plan.Load     `json:"steady_state_total"`
	Exports  []budgetPrice `json:"export_budgets,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
}

// seconds is a duration that is a number of seconds in JSON.
type seconds time.Duration

// MarshalJSON implements json.Marshaler.
func (s seconds) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.0f", time.Duration(s).Seconds()), nil
}

// price is what one stream's work takes.
type price struct {
	Stream  string `json:"stream,omitempty"`
	Windows int    `json:"windows"`
	Pulls   int    `json:"pulls"`
	// Open is how many pulls of the stream are under way already.
	Open int `json:"open,omitempty"`
	// From and To bound the windows; zero if there are none.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Calls is at least so much if AtLeast.
	Calls   int  `json:"calls"`
	AtLeast bool `json:"at_least,omitempty"`
	Exports int  `json:"exports"`
	// Takes is how long that takes if nothing else is asked for.
	Takes seconds `json:"seconds"`
	// Rows is nil if nothing is known.
	Rows   *int64   `json:"rows"`
	Tables []string `json:"tables,omitempty"`
	Routes []route  `json:"routes,omitempty"`
	// Days say how often each report day is asked again, oldest first; nil for a backfill
	// and for streams without windows.
	Days []dayAge `json:"days,omitempty"`
}

// route is a number of pulls that go one way for one reason.
type route struct {
	Route string    `json:"route"`
	Pulls int       `json:"pulls"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	// Why speaks of each of so many Groups of windows.
	Why    string `json:"why"`
	Groups int    `json:"groups"`
	// last is the group that was counted last.
	last schema.Window
}

// steady is what one stream takes a day.
type steady struct {
	Stream   string `json:"stream"`
	Schedule string `json:"schedule"`
	plan.Load
	// CallShare is the share of the calls that the account may make.
	CallShare float64 `json:"call_share"`
	// Budget is the one that the stream's exports count against.
	Budget string `json:"budget,omitempty"`
	// selected says that the command line did not leave the stream out.
	selected bool
}

// budgetPrice is what the daily load and the work take of a budget of exports.
type budgetPrice struct {
	Name string `json:"name"`
	// PerDay is how many the network grants, Steady how many the daily load takes and
	// Work how many the work does.
	PerDay float64 `json:"per_day"`
	Steady int     `json:"steady_state"`
	Work   int     `json:"work"`
	// AtLeast says that Steady is at least so much.
	AtLeast bool `json:"at_least,omitempty"`
}

// pricing is a question to price.
type pricing struct {
	store state.Store // nil if nothing was ever stored
	only  selection
	days  *dayRange // nil for what is due now
	now   time.Time
}

func (p *pricing) price(ctx context.Context, accounts []*pipeline.Account) (prices, error) {
	all := prices{At: p.now.UTC(), Accounts: []accountPrice{}}
	if p.days != nil {
		all.Backfill = p.days.String()
	}
	for _, a := range accounts {
		if !p.only.has(a.Name, "") {
			continue
		}
		one, err := p.account(ctx, a)
		if err != nil {
			return all, err
		}
		all.Accounts = append(all.Accounts, one)
	}
	return all, nil
}

func (p *pricing) account(ctx context.Context, a *pipeline.Account) (accountPrice, error) {
	costs := a.Costs()
	one := accountPrice{
		Account: a.Name, Network: a.Network, Location: a.Location,
		MinDelay: seconds(a.MinDelay), Parallel: max(a.Parallel, 1), CallsPerDay: costs.CallsPerDay(),
	}
	budgets := map[string]*budgetPrice{}
	for _, s := range a.Source.Streams() {
		known, err := p.know(ctx, a.Name, s)
		if err != nil {
			return one, fmt.Errorf("reading what is known of account %s, stream %s: %w", a.Name, s.Name, err)
		}
		volume := plan.VolumeOf(s, known.Published, known.Parent)
		when, err := schedule.Parse(s.Schedule, a.Location, a.Network+"/"+a.Name+"/"+s.Name)
		if err != nil {
			return one, fmt.Errorf("reading the schedule of account %s, stream %s: %w", a.Name, s.Name, err)
		}
		load := steady{Stream: s.Name, Schedule: s.Schedule, Load: plan.Day(s, volume, costs, when.Next, p.now), selected: p.only.has(a.Name, s.Name)}
		load.CallShare = float64(load.Calls) / one.CallsPerDay
		if s.Export != nil {
			load.Budget = s.Export.Budget
		}
		one.Steady = append(one.Steady, load)
		one.Day.Add(load.Load)
		budget := budgetOf(budgets, s, costs)
		budget.Steady += load.Exports
		budget.AtLeast = budget.AtLeast || load.Exports > 0 && load.Least
		if !load.selected {
			continue
		}
		work := p.stream(a, s, known, volume, costs)
		budget.Work += work.Exports
		one.Work = append(one.Work, work)
		one.Total.add(work)
	}
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		if name != "" {
			one.Exports = append(one.Exports, *budgets[name])
		}
	}
	one.Takes = seconds(costs.Takes(one.Total.Calls))
	for _, b := range one.Exports {
		one.Takes = max(one.Takes, seconds(costs.TakesExports(b.Work, b.Name)))
	}
	one.Total.Takes = one.Takes
	one.Beside = seconds(one.beside())
	one.Warnings = one.warn()
	return one, nil
}

// budgetOf gives the budget that the exports of a stream count against; one without
// a name for those that count against none.
func budgetOf(budgets map[string]*budgetPrice, s *extractors.Stream, costs plan.Account) *budgetPrice {
	name := ""
	if s.Export != nil && costs.PerDay(s.Export.Budget) > 0 {
		name = s.Export.Budget
	}
	if budgets[name] == nil {
		budgets[name] = &budgetPrice{Name: name, PerDay: costs.PerDay(name)}
	}
	return budgets[name]
}

func (p *pricing) know(ctx context.Context, account string, s *extractors.Stream) (pipeline.Known, error) {
	if p.store == nil {
		return pipeline.Known{}, nil
	}
	known, err := pipeline.Know(ctx, p.store, account, s)
	if err == nil && s.ForEach != nil && s.ForEach.Stream != "" && known.Parent == nil {
		known.Parent, err = p.store.Checkpoints(ctx, account, s.ForEach.Stream)
	}
	return known, err
}

// stream prices the work of one stream.
func (p *pricing) stream(a *pipeline.Account, s *extractors.Stream, known pipeline.Known, volume plan.Volume, costs plan.Account) price {
	one := price{Stream: s.Name, Open: len(known.Open)}
	for _, out := range s.Outputs {
		if !slices.Contains(one.Tables, out.Table.Name) {
			one.Tables = append(one.Tables, out.Table.Name)
		}
	}
	var planned []pipeline.Planned
	if p.days != nil {
		from, to := p.days.in(a.Location)
		planned = a.BackfillPulls(s, known, from, to, p.now, p.now)
	} else {
		planned = a.Pulls(s, known, p.now)
		one.Days = dayAges(s, known.Published, p.now)
	}
	for _, x := range planned {
		one.take(x, volume)
	}
	one.Takes = seconds(costs.Takes(one.Calls))
	if s.Export != nil {
		one.Takes = max(one.Takes, seconds(costs.TakesExports(one.Exports, s.Export.Budget)))
	}
	return one
}

// take adds a pull.
func (p *price) take(x pipeline.Planned, volume plan.Volume) {
	c := x.Choice
	switch x.Kind {
	case state.Snapshot:
		c.Rows = volume.Snapshot
		c.Calls, c.Least = volume.Calls(c.Rows)
	case state.Changes:
		c.Rows = volume.Changes
		c.Calls, c.Least = volume.Calls(c.Rows)
	case state.Windowed:
		p.span(x.From, x.To)
	}
	p.Pulls++
	p.Windows += c.Steps
	p.Calls += c.Calls
	p.Exports += c.Exports
	p.AtLeast = p.AtLeast || c.Least
	if c.Rows >= 0 {
		p.expect(c.Rows)
	}
	if c.Why == "" {
		return
	}
	name := "report"
	if x.Route == state.Export {
		name = "export"
	}
	i := slices.IndexFunc(p.Routes, func(r route) bool { return r.Route == name && r.Why == c.Why })
	if i < 0 {
		p.Routes = append(p.Routes, route{Route: name, Why: c.Why, From: x.From, To: x.To})
		i = len(p.Routes) - 1
	}
	r := &p.Routes[i]
	r.Pulls++
	if r.last != c.Group {
		r.last = c.Group
		r.Groups++
	}
	r.From, r.To = earlier(r.From, x.From), later(r.To, x.To)
}

// add adds another stream's work, but for what only a stream has.
func (p *price) add(q price) {
	p.Windows += q.Windows
	p.Pulls += q.Pulls
	p.Open += q.Open
	p.Calls += q.Calls
	p.Exports += q.Exports
	p.AtLeast = p.AtLeast || q.AtLeast
	if q.Rows != nil {
		p.expect(*q.Rows)
	}
	if !q.From.IsZero() {
		p.span(q.From, q.To)
	}
}

func (p *price) expect(rows int64) {
	if p.Rows == nil {
		p.Rows = new(int64)
	}
	*p.Rows += rows
}

func (p *price) span(from, to time.Time) {
	if p.From.IsZero() {
		p.From = from
	}
	p.From, p.To = earlier(p.From, from), later(p.To, to)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
