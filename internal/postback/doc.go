// Package postback receives what networks call on their own: /postback/{account}, by GET
// and by POST.
//
// A call is answered 200 when it is on disk and not before. What it says is found twice
// by the same pure code: on arrival, to refuse what cannot be meant (no id, no status, a
// macro that the network did not fill), and when the pipeline brings the stored calls to
// the warehouse. Between the two lies the state store, so ClickHouse may be away for hours.
//
// Nobody reads the answer of a postback, so little is refused: only what would make a
// wrong row, or none. Everything else is kept as it came, with a word on what was odd.
package postback
