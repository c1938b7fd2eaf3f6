// Package performcbsim simulates Perform[cb] as one partner account sees it: the
// JSON calls for offers and campaigns, the XML reports, the five minutes between
// calls, and the truth behind them all.
//
// A Network is a pure function of a seed and a clock. A conversion is derived from
// its account, its report day and its number in the day; whether it has arrived,
// what it pays and how it was disposed of follow from the time at which it is asked
// for. So a test may let a week pass in a moment, ask for the truth of any instant
// and find the same as every other test with the seed.
//
//	n := performcbsim.New(performcbsim.Options{Seed: 7, Restless: true})
//	url, stop, err := n.Start("127.0.0.1:0")
//	...
//	n.Inject(performcbsim.Fault{Kind: performcbsim.Torn, Get: "conversions"})
//	report := n.Restate(1, performcbsim.Change{Dispositions: 20, Late: 5, Removed: 3})
//	for c := range n.Conversions(90017) { ... }
//	if v := n.Violations(5 * time.Minute); len(v) > 0 { ... }
//
// Where the documents leave a fact open the Network takes the reading that the
// evidence favours, and Switches has the other.
//
// It refuses to do two things: to change anything for a caller (the one write that
// the platform takes by GET is answered and told as a violation), and to import
// anything of syncd, so that a mistake in our reading of the API is not made twice.
package performcbsim
