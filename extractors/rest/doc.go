// Package rest makes a manifest into a Source: it builds the calls that the
// manifest describes for one account, and reads the envelopes of the answers.
//
// It is pure. It performs no call, has no clock, and keeps nothing between calls:
// where a pull stands is in its cursor. What the records of an answer mean is not
// its business either; that is package normalize.
//
// Every list it pages through ends: at a stop rule of the manifest, or with a
// typed error when a page repeats, when the network points backwards, or when the
// cap on pages is reached. It never ends early without saying so.
package rest
