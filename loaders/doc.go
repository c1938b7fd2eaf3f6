// Package loaders keeps the warehouse: it makes ClickHouse's databases, tables and
// views, stages rows and publishes them, and answers questions about them.
//
// Two databases belong to it. The BI database ("affiliate") holds views only; the
// store database ("affiliate_store") holds the tables behind them, the ledgers and
// the staging tables.
//
// # How rows become visible
//
// A [Batch] belongs to a slot, and every slot has staging tables of its own with the
// structure, engine, key and partition of their targets. [Batch.Write] sends blocks
// into one long INSERT for each table. [Batch.Publish] then
//
//  1. ends the INSERTs and counts what arrived;
//  2. compares each unit (one pull) with what is visible in its scope, and holds
//     everything back when a unit suddenly shrinks;
//  3. writes what was added, changed and removed, and the money moved, to the ledger
//     restatements;
//  4. stages a tombstone for every visible row that a complete unit did not bring;
//  5. attaches the staged partitions to the target, a metadata operation that makes
//     all of a partition visible at once;
//  6. empties the staging tables.
//
// Every step can be repeated. Rows carry a version from the caller and the greatest
// version of a key counts, so staging and attaching the same rows again changes
// nothing; restatements are keyed by the pull's version and are not compared again
// once they are there.
//
// # What it refuses to do
//
// It issues no versions, knows no network and keeps no checkpoints. It drops and
// narrows nothing: [Warehouse.Migrate] adds what is missing and lists what it would
// have had to destroy. It never matches on the text of an error, only on codes.
package loaders
