// Package remap makes rows anew of the answers that are kept as raw pages, by the mapping
// as it is now, without a call: what is visible afterwards is what a pull would have brought
// that asked for everything again and was answered as before.
//
// An answer that is loaded once more gets a new version, greater than all that were issued,
// or its rows would lose against those that it made first. So that it does not win over
// younger answers either, all that is kept of a stream gets new versions together, in the
// order of the old ones. Three things keep readers from ever seeing an older state than
// they saw, even if the process dies in the middle:
//
//   - Of every time only the youngest answer is loaded that has all rows of it; rows that a
//     list of changes, or a window that reaches further, has of that time are left out.
//   - Lists of changes go before windows: what changed after a window was pulled is there
//     in its new form before the window is.
//   - A window buries nothing of a time of which a younger one has all rows, loaded once
//     more or not.
//
// Leads are put together of everything that was ever told of them, so a second book of them
// is written from the kept answers first, of which nothing is visible; then the rows of all
// of them are published as they are in it, and it takes the first one's place.
package remap
