// Package extractors is the contract of a network connector: what a Source is
// asked, what it answers, and what its errors mean.
//
// A Source is pure. It says which call comes next and reads the answer to it; it
// never performs a call, never waits and keeps nothing between calls. Whoever owns
// the account's lane performs the calls, so that pace, durability and retries are
// written once. Connectors that are data come from package rest, which interprets
// the manifests; a connector that needs an "if" has a package of its own.
package extractors
