// Package embedded runs a whole ClickHouse inside the project, for users who
// have none of their own.
//
// The engine is a shared library (libchdb.so), loaded without cgo. It never
// runs in the daemon's own process: a crash of it, or its memory, must not be
// the daemon's. Instead the daemon runs its own executable again with the
// hidden word "engine-host" (see HostIfAsked); that child loads the library and
// serves the native and the HTTP protocol on loopback. Three rules tie the two
// together:
//
//   - The child serves until its standard input closes. The daemon holds the
//     other end and writes nothing, so the child ends with the daemon, however
//     the daemon ends.
//   - The daemon waits for the child and starts it again when it ends unasked,
//     on the same ports and over the same data.
//   - One flock is held by the daemon (a second one on the same data is
//     refused) and another by the child (a child that is started while its
//     predecessor still closes its tables waits for it).
//
// Everything lives in one directory, DataDir/clickhouse, readable by the
// daemon's user only:
//
//	config.xml    server settings, written anew at every start
//	users.xml     users and their password digests, likewise
//	bi.password   the read-only user's password, kept for BI tools
//	ports.json    the ports, kept for BI tools while they are free
//	daemon.lock   says who holds the directory
//	engine.lock   held by the child
//	log/          engine.log (ClickHouse's own), host.log (the child's output)
//	store/        the data
package embedded
