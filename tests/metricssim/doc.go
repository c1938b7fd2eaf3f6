// Package metricssim simulates the 24metrics platform: the read API of one
// organisation, its Download Center and the storage its files lie on, with the
// truth inside. End-to-end tests compare the warehouse with that truth.
//
// A Network follows from a seed and a clock. Days of clicks, impressions and
// conversions are derived from their date, so nothing is kept but what was changed
// later (Restate, Late, Remove), and traffic goes on as the clock does.
//
//	n := metricssim.New(metricssim.Options{Seed: 7, ConversionsPerDay: 300})
//	url, stop, err := n.Start("127.0.0.1:0")
//	...
//	n.Inject(metricssim.Fault{Kind: metricssim.CreateLost, Type: metricssim.Clicks})
//	changed := n.Restate(20, 30*24*time.Hour)
//	for c := range n.EachConversion() { ... }
//	if v := n.Violations(); len(v) > 0 { ... }
//
// Where the documents leave a fact open the Network takes the reading that the
// evidence favours, and Switches has the other. It imports nothing of syncd, so
// that a mistake in our reading of the API is not made twice.
package metricssim
