// Package cpasim is a simulated CPA network with the truth inside: leads that are made,
// put on hold, decided and now and then reversed weeks later. It has four faces, each that
// of a real network as far as public sources tell of it:
//
//	KMA           answers for the ids that one names, fifty at a time, with a status and nothing else
//	WhoCPA        lists leads by the time of their making, in pages
//	TrafficLight  does both in one call
//	TerraLeads    answers for one id a call, if the call is signed
//
// and sends each network's postbacks, with its own macros and words: again until they are
// answered 200, and out of order or twice where a test asks for it.
//
// It follows the collected contracts of the networks and not syncd, of which it imports
// nothing. What no public source tells is an option. Everything that is generated is a
// function of the seed and of the clock; what a test changes by hand stays changed.
package cpasim
