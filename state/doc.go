// Package state keeps what must survive kill -9: paces, quotas, the inbox of
// answered calls, cursors, checkpoints, the version counter, the schedule's due
// times and the run log.
//
// It gives one contract, Store, with drivers in subpackages (state/sqlite) and one
// test suite over all of them (state/statetest). A cursor is opaque text here, an
// answer is opaque bytes: this package knows no network and no warehouse.
package state
