// Package extractorstest is the suite that every Source passes, and a fake network
// to run it against.
//
// The suite walks through a pull the way a lane does: it asks the Source for the
// next call, performs it over real HTTP, redacts the answer and reads it. It knows
// no network's dialect; whoever tests a Source gives it the bodies of pages and, where
// records come as files, what the network says about exports.
// Production code does not import it.
package extractorstest
