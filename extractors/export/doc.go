// Package export is the life of an export: a file of records that a network writes on
// demand. It is a machine without IO: a cursor gives the next call, an answer the next
// cursor, and all that has to be remembered in between is in the cursor.
//
//	find ──► create ──► poll ──► sign ──► the next range, the next item, done
//	  └───────────────────┘
//
// find lists the exports that there are and takes over one of the same item, range and
// columns; only if there is none is one created, because networks allow few a day. A
// creation that is not heard of leaves the pull at find. An export that brings more
// rows than the network allows, or fails again and again, is parted into two of half
// the range.
//
// It knows no network and builds no request: an [Engine] does both. It does not
// download: the page of a signed link says what is to be downloaded.
package export
