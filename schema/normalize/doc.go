// Package normalize turns the records of a network's JSON answer into rows of a
// table.
//
// A Spec, decoded from a manifest, says where each column's value stands and how
// it is written. Compile checks it and makes a Normalizer, which walks every
// record's bytes once and appends to the native columns of a schema.Block. The
// package also has the scans that a reader of answers needs before it normalizes
// them: Valid, Count and Lookup.
//
// It does no IO, knows no network by name, and decides nothing about a whole answer
// but whether it is JSON of the expected shape: a record that makes no row is given
// back with its reason, and its neighbours become rows.
package normalize
