package plan

import (
	"cmp"
	"math"
	"time"

	"syncd/state"
)

// CallTime is how long a call takes where nothing is known of the network; a page
// of 500 records of a healthy platform is there in about a second.
const CallTime = time.Second

// day is the time over which calls and exports are compared.
const day = 24 * time.Hour

// exportCalls is about how many calls an export takes beside the download, which
// counts against nothing: one that looks for a fresh one, one that creates it, five
// that ask how far it is (10 s, growing to 120 s, make five minutes), one for the link.
const exportCalls = 8

// Account is how much a network lets an account ask.
type Account struct {
	// MinDelay is the least time from the end of a call to the start of the next one.
	MinDelay time.Duration
	// CallTime is how long a call takes about; zero means the constant of that name.
	CallTime time.Duration
	// Parallel is the number of calls that may be under way at once; 0 means 1.
	Parallel int
	// Quotas are budgets that every call counts against.
	Quotas []state.Budget
	// Budgets are those that only the calls count against that name them, by name.
	Budgets map[string]state.Budget
}

// PerCall is how much of the account's time one call takes. Calls that run side by
// side still leave one delay apart.
func (a Account) PerCall() time.Duration {
	call := cmp.Or(a.CallTime, CallTime)
	return max((a.MinDelay+call)/time.Duration(max(a.Parallel, 1)), a.MinDelay)
}

// CallsPerDay is how many calls the account can make a day, by its pace and its quotas.
func (a Account) CallsPerDay() float64 {
	most := float64(day) / float64(a.PerCall())
	for _, q := range a.Quotas {
		most = min(most, perDay(q))
	}
	return most
}

// PerDay is how many calls a day may name a budget; 0 means that it does not limit.
func (a Account) PerDay(budget string) float64 {
	if b, ok := a.Budgets[budget]; ok {
		return perDay(b)
	}
	return 0
}

func perDay(b state.Budget) float64 {
	if b.Calls <= 0 || b.Per <= 0 {
		return math.Inf(1)
	}
	return float64(b.Calls) * float64(day) / float64(b.Per)
}

// Takes is how long a number of calls takes if nothing else is called for.
func (a Account) Takes(calls int) time.Duration {
	takes := scale(a.PerCall(), calls)
	for _, q := range a.Quotas {
		if q.Calls > 0 && q.Per > 0 {
			// The first of them leave at once, as many as the quota allows.
			takes = max(takes, scale(q.Per, max(calls-1, 0)/q.Calls))
		}
	}
	return takes
}

// TakesExports is how long a number of exports takes if nothing else is exported;
// zero if their budget does not limit.
func (a Account) TakesExports(exports int, budget string) time.Duration {
	b := a.Budgets[budget]
	if b.Calls <= 0 || b.Per <= 0 {
		return 0
	}
	return scale(b.Per, max(exports-1, 0)/b.Calls)
}

// scale multiplies; what lasts longer than a Duration can say (292 years) stays there.
func scale(d time.Duration, n int) time.Duration {
	if float64(d)*float64(n) >= math.MaxInt64 {
		return math.MaxInt64
	}
	return d * time.Duration(n)
}

// direct is the share of the account's day that calls take.
func (a Account) direct(calls int) float64 { return float64(calls) / a.CallsPerDay() }

// export is the share of the account's day that exports take: of the budget that is
// scarcest for them, which is nearly always the number of exports.
func (a Account) export(exports int, budget string) float64 {
	share := a.direct(exports * exportCalls)
	if most := a.PerDay(budget); most > 0 {
		share = max(share, float64(exports)/most)
	}
	return share
}
