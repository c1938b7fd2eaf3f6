package main

import (
	"fmt"
	"math"
	"time"

	"syncd/internal/plan"
)

// beside is how long the work takes with what the daily load leaves of the day; zero
// if it leaves nothing.
func (a *accountPrice) beside() time.Duration {
	left := a.CallsPerDay - float64(a.Day.Calls)
	if left <= 0 && a.Total.Calls > 0 {
		return 0
	}
	days := 0.0
	if a.Total.Calls > 0 {
		days = float64(a.Total.Calls) / left
	}
	for _, b := range a.Exports {
		if b.Work == 0 {
			continue
		}
		left := b.PerDay - float64(b.Steady)
		if left <= 0 {
			return 0
		}
		days = max(days, float64(b.Work)/left)
	}
	return time.Duration(min(days*float64(24*time.Hour), math.MaxInt64/2))
}

// warn says what of the daily load is more than the network allows, which stream
// takes most of it, and what helps.
func (a *accountPrice) warn() []string {
	var all []string
	if share := float64(a.Day.Calls) / a.CallsPerDay; share > 1 {
		most := a.most(func(s steady) int { return s.Calls }, func(steady) bool { return true })
		all = append(all, fmt.Sprintf(
			"%s calls a day are %s of the %s that the pace allows: pulls will come ever later. Stream %s takes most, %s calls (%s of the day). "+
				"Give it a slower schedule, or restate it less often (a longer every, a shorter last), or disable streams that nobody reads.",
			atLeast(a.Day.Calls, a.Day.Least), plan.Percent(share), perDay(a.CallsPerDay), most.Stream, plan.Count(int64(most.Calls)), plan.Percent(most.CallShare)))
	}
	for _, b := range a.Exports {
		share := float64(b.Steady) / b.PerDay
		if share <= 1 {
			continue
		}
		most := a.most(func(s steady) int { return s.Exports }, func(s steady) bool { return s.Budget == b.Name })
		all = append(all, fmt.Sprintf(
			"%s exports a day are %s of the %s that the network grants (budget %s): files will come ever later. Stream %s takes most, %s exports. "+
				"Give it a slower schedule, or restate it less often (a longer every, a shorter last).",
			atLeast(b.Steady, b.AtLeast), plan.Percent(share), perDay(b.PerDay), b.Name, most.Stream, plan.Count(int64(most.Exports))))
	}
	return all
}

// most gives the stream that takes most of something.
func (a *accountPrice) most(of func(steady) int, among func(steady) bool) steady {
	var most steady
	for _, s := range a.Steady {
		if among(s) && (most.Stream == "" || of(s) > of(most)) {
			most = s
		}
	}
	return most
}

// perDay writes a budget: what does not fit whole into a day does not count.
func perDay(n float64) string {
	if n < 10 && n != math.Trunc(n) {
		return fmt.Sprintf("%.1f", n)
	}
	return plan.Count(int64(n))
}
