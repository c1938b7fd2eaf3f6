package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/internal/plan"
	"syncd/internal/strictyaml"
	"syncd/state"
)

// dayAge is what restatement says of the windows of one report day that one tier covers.
// A day of hours may lie in two tiers; a window of weeks counts as the day that it begins on.
type dayAge struct {
	// Day is a report day in the stream's zone.
	Day string `json:"day"`
	// Tier is hot, warm or cold; empty for what is pulled once.
	Tier string `json:"tier,omitempty"`
	// Every is zero for what is pulled once.
	Every   seconds `json:"every_seconds,omitempty"`
	Windows int     `json:"windows"`
	// Due is how many of Windows are asked for now.
	Due int `json:"due"`
	// Pulled is when the first of them was last pulled; zero if one never was.
	Pulled time.Time `json:"pulled_at,omitzero"`
	// rule is the place of the tier in the stream's; -1 for what is pulled once.
	rule     int
	from, to time.Time
	zone     *time.Location
}

// dayAges gives what restatement says of each day of a stream.
func dayAges(s *extractors.Stream, published []state.Checkpoint, now time.Time) []dayAge {
	if s.Window == nil {
		return nil
	}
	var days []dayAge
	for _, a := range plan.Of(s).Ages(now, published) {
		day := a.Window.From.In(s.Window.Location).Format(time.DateOnly)
		if n := len(days); n == 0 || days[n-1].Day != day || days[n-1].rule != a.Rule {
			d := dayAge{Day: day, Every: seconds(a.Every), Pulled: a.Pulled, rule: a.Rule, from: a.Window.From, zone: s.Window.Location}
			if a.Rule >= 0 {
				d.Tier = a.Tier.String()
			}
			days = append(days, d)
		}
		d := &days[len(days)-1]
		d.to = a.Window.To
		d.Windows++
		if a.Due {
			d.Due++
		}
		d.Pulled = earlier(d.Pulled, a.Pulled)
	}
	return days
}

// mostDue is how many ranges of days that are due are printed for a tier; the rest is
// in the JSON.
const mostDue = 4

// printAges writes the tiers of the streams, the youngest first.
func (a *accountPrice) printAges(out *strings.Builder) {
	g := grid{head: []string{"STREAM", "TIER", "REPORT DAYS", "ASKED AGAIN", "DUE NOW"}}
	for _, p := range a.Work {
		name := p.Stream
		for i := len(p.Days); i > 0; {
			last := i
			for i > 0 && p.Days[i-1].rule == p.Days[last-1].rule {
				i--
			}
			tier := p.Days[i:last]
			word, every := tier[0].Tier, "every "+strictyaml.FormatDuration(time.Duration(tier[0].Every))
			if tier[0].rule < 0 {
				word, every = "older", "never"
			}
			zone := tier[0].zone
			covered := days(tier[0].from, tier[len(tier)-1].to, zone)
			if zone.String() != a.Location.String() {
				covered += " (" + zone.String() + ")"
			}
			g.add(name, word, covered, every, dueDays(tier, zone))
			name = ""
		}
	}
	if len(g.rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\nRESTATEMENT, report days of %s\n", a.Location)
	g.print(out)
}

// dueDays writes the days of which windows are due, the youngest first.
func dueDays(tier []dayAge, loc *time.Location) string {
	var parts []string
	left := 0
	for i := len(tier); i > 0; i-- {
		if tier[i-1].Due == 0 {
			continue
		}
		last := i
		for i > 1 && tier[i-2].Due > 0 {
			i--
		}
		if len(parts) == mostDue {
			left += last - i + 1
			continue
		}
		parts = append(parts, days(tier[i-1].from, tier[last-1].to, loc))
	}
	switch {
	case left > 0:
		parts = append(parts, fmt.Sprintf("and %d more %s", left, plan.Plural(left, "day")))
	case len(parts) == 0:
		return "none"
	}
	if slices.ContainsFunc(tier, func(d dayAge) bool { return d.Windows > 1 && d.Due > 0 && d.Due < d.Windows }) {
		return "hours of " + strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ")
}
