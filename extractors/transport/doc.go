// Package transport makes HTTP calls to networks: one call, one answer, whole and
// in memory, or one typed error. Files, which are too large for that, it downloads to
// the disk.
//
// It is about HTTP and knows no network: it does not retry, does not wait for a
// pace, does not read what an answer means. What it guarantees is that a call
// ends in bounded time and memory, that it reads and does not write at the
// network, that it is sent once, and that no error it returns carries a query
// string, a path or a header value, because those may hold credentials.
package transport
