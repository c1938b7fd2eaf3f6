// Package sqlite keeps the state in one SQLite file: the driver for a single
// machine, and the default.
//
// # Files
//
// state.db is the store (mode 0600: it holds a password), state.db-wal and
// state.db-shm are SQLite's, state.db.lock says who holds it. The lock is a flock
// on that side file, so it goes with the process that held it, however it ended.
// The file must be on a local disk: neither flock nor SQLite's WAL work over every
// network file system.
//
// # Writing
//
// One goroutine writes, through one connection. What several callers want written
// at the same time is executed in one transaction, each in a savepoint of its own,
// and committed with one fsync: that is what makes many small durable writes
// affordable. A caller is answered after the commit. If the batch as a whole fails
// (the disk is full), each of its operations is done again alone, so that a large
// one that does not fit takes none of the others with it.
//
// Reading goes through other connections, sees what was committed before it began,
// and waits for nobody.
//
// # Leads
//
// What an answer tells of leads is merged with what is known before its transaction
// begins, under a lock of the account's leads alone: other writers do not wait for it. The
// transaction stores the page, the rows of its leads, and the changes of the ledger; if
// these are many, as one blob, which is written into the table afterwards, a chunk a
// transaction, before the next merge of the account, or when the store is opened again.
// Whoever reads the ledger meanwhile sees some leads as they were before the page.
//
// Postbacks that arrive while others are being written become one block of their account.
//
// # Size
//
// Pages freed by a publish are used again; the file does not shrink. The WAL is
// copied back into the file as it grows and cut to nothing when the store is idle
// (see writer.checkpoint).
//
// The package refuses to know what an answer or a cursor means.
package sqlite
