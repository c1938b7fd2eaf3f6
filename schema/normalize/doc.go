// Package normalize turns the records of a network's answer, or of a file that it
// wrote, into rows of a table.
//
// A Spec, decoded from a manifest, says where each column's value stands and how
// it is written. Compile checks it and makes a Normalizer, which walks every
// record's bytes once and appends to the native columns of a schema.Block. The
// package also has the scans that a reader of answers needs before it normalizes
// them: Valid, Count and Lookup.
//
// A file of CSV is read by a CSV, which parts it into chunks of whole records; Clones
// of one Normalizer make rows of several chunks at the same time.
//
// It opens nothing, knows no network by name, and decides nothing about a whole answer
// but whether it is JSON of the expected shape: a record that makes no row is given
// back with its reason, and its neighbours become rows.
package normalize
