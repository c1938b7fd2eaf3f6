// Package pipeline brings accounts up to date: it plans the pulls of due streams,
// makes their calls one at a time in each account's lane, keeps the answers in the
// state store's inbox, and takes complete pulls from there into the warehouse.
//
//	schedule ─► plan ─► lane ─► call ─► inbox ─► normalize ─► stage ─► publish ─► checkpoint
//	            (Plan)  (lane)  (step)  (state)  └────────── loader ──────────┘   (state)
//
// The two halves meet only in the inbox. Lanes go on while the warehouse is down,
// until the inbox is full; loading goes on while a network is down.
//
// Where the records are in a file, the answer holds only its link: the file is downloaded
// beside the lane (files.go), and the answer is received when the file is whole. The
// loader reads it in chunks (file_load.go), and while it still comes if it has nothing else
// to do (ahead.go).
//
// What makes a crash harmless:
//
//   - A pull is stored before its first call, and an answer is stored with the
//     cursor that follows from it in one transaction (state.Store.Receive). From
//     there on the answer is never asked again.
//   - A call that creates something at the network moves its pull, before it leaves, to
//     where the pull goes on if nothing more is heard of the call: it is looked for and
//     not made twice.
//   - A file has its name only when all of it came, and is settled on disk while it is
//     loaded; one that the machine took with it counts as not received (internal/spool).
//     What came of it before a crash is gone on with behind a new link.
//   - Rows carry the version of the page that brought them, so loading a page
//     twice changes nothing.
//   - What an answer tells of leads is merged in the transaction that stores it, and a
//     postback leaves the store in the one that makes a page of it (postbacks.go): its row
//     comes from the page, however often that is loaded.
//   - A pull leaves the store in the same transaction that writes its checkpoint
//     (state.Store.Publish), after its rows are visible. A crash in between loads
//     it once more, with the same result.
//
// The package owns the order of things and every goroutine it needs; it knows no
// network, no SQL and no storage format.
package pipeline
