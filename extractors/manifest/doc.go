// Package manifest holds the networks that are data: what a manifest can say, the
// manifests themselves (networks/*.yaml, embedded), and the check that no manifest
// says anything else.
//
// The vocabulary is closed. Every kind, stop rule, step and placeholder is a
// constant of this package; there are no expressions, and no hook into Go. A new
// word is added when two networks need it and its meaning fits one line: a new
// constant, the fields that go with it, its row in the checks, and its
// interpretation in package rest. A network that needs an "if" gets a package of
// its own.
//
// A manifest describes the network, not our opinion of it: retries, batch sizes,
// checkpoints and concurrency belong to the engine or to the user's configuration.
// The one exception is a stream's default schedule and restatement tiers, because
// how long a network rewrites its history is a property of the network.
package manifest
