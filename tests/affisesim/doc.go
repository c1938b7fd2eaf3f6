// Package affisesim simulates an Affise tenant: its read API with the truth
// inside. End-to-end tests compare the warehouse with that truth, benchmarks
// pull pages from it, and `syncd demo` shows it.
//
// A Network is generated from a seed; nothing in it is random beyond that. It
// holds clicks and conversions in a few bytes each and derives the rest of
// every row from its number, so three million rows fit in 200 MB and any of
// them is rendered in microseconds. Stats are computed from the rows, postback
// logs follow from them, and ids carry the epoch second of their creation as
// the platform's do.
//
//	n := affisesim.New(affisesim.Options{Seed: 7, Conversions: 500})
//	url, stop, err := n.Start("127.0.0.1:0")
//	...
//	n.Inject(affisesim.Fault{Kind: affisesim.TornJSON, Path: "/3.0/stats/conversions"})
//	rep := n.Restate(1, affisesim.Change{Statuses: 20, Late: 5, Removed: 3})
//	for c := range n.EachConversion() { ... }
//	if p := n.CallsWithin(time.Second); len(p) > 0 { ... }
//
// Where the documents leave a fact open the Network takes the reading that the
// evidence favours, and Switches has the other.
//
// It refuses to do two things: to take writes (every path is read only), and to
// import anything of syncd, so that a mistake in our reading of the API is not
// made twice.
package affisesim
