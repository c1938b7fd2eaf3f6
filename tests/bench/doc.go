// Command bench measures what syncd promises about speed and memory, each figure
// beside its reference in the same run:
//
//	normalize   pages of conversions and clicks into native columns, beside encoding/json
//	backfill    the built binary against a simulated network, beside ready-made blocks
//	export      a file of clicks from the network into the warehouse, beside ClickHouse alone and ready-made blocks
//	publish     a window of 100,000 rows in tables of two sizes
//	final       a daily total through a view, of 50 million conversions, beside a plain table
//	postbacks   the daemon's receiver under a storm, from the call to the warehouse
//	idle        the memory of a daemon that has nothing to do
//
// It is run from the root of the repository after `make build`, as
//
//	go run ./tests/bench [-only PART] [-rounds N] [-scale F] [-json] [-profile DIR]
//
// and prints the medians of the rounds. Rows a second are those of the machine it
// runs on, and of what else runs there: goals that are to hold anywhere are the
// ratios. A full run takes some twenty minutes of two idle cores, half of them the
// export, which needs 10 GB of disk and as much memory; -rounds 1 or -scale 0.2 shorten
// it. A figure that misses its goal is marked and fails nothing; wrong results
// (rows that are not in the warehouse) end the program with 1.
package main
