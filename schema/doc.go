// Package schema says what the warehouse holds: the tables, their columns and
// keys, and Block, the column buffers in which rows travel to ClickHouse.
//
// It knows nothing of networks, HTTP or SQL text. How a network's record becomes
// a row of a table is in the subpackage normalize; how a block reaches the server
// is in package loaders.
package schema
