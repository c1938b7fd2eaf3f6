package metricssim

import (
	"cmp"
	"time"
)

// Options says what to simulate. The zero value of every field is its default, so
// Options{} is a small organisation with thirty days behind it.
type Options struct {
	Seed uint64
	// Now is the network's clock; nil is time.Now.
	Now func() time.Time
	// Key is the API key of everything, "sim-key" by default. DeniedKey is a key
	// without rights, which is answered 403; "sim-denied" by default.
	Key, DeniedKey string
	// Integrations are the ids of 10 letters and digits; one by default.
	Integrations []string
	// Offers (12), Publishers (9), Advertisers (5) and Users (4) are how many there are.
	Offers, Publishers, Advertisers, Users int
	// ConversionsPerDay (200), ClicksPerDay (500) and ImpressionsPerDay (as many as
	// clicks) are the rows of a UTC day over all integrations; negative is none.
	ConversionsPerDay, ClicksPerDay, ImpressionsPerDay int
	// SharedEvery makes every n-th conversion an event with the real_tx_id and the
	// second of the conversion before it; 0 is 10, negative is never.
	SharedEvery int
	// From is the first day of rows, cut to a UTC day; 30 days before the clock by default.
	From time.Time
	// Lag is the longest time from a row's own time until it can be read; 0 is none.
	Lag time.Duration
	// ExportsPerDay (10) is the cap of exports in a UTC day.
	ExportsPerDay int
	// ExportRows (5,000,000) is the cap of rows in a file: the newest are kept.
	ExportRows int
	// PendingFor and WorkFor are how long an export stands in PENDING and IN_PROGRESS;
	// 0 is not at all.
	PendingFor, WorkFor time.Duration
	// LinkTTL (15 minutes) is how long a signed link holds, Retention (90 days) how long a file is kept.
	LinkTTL, Retention time.Duration
	// Files are ready-made files, by export type, that stand in for what an export of
	// that type would bring: for benchmarks.
	Files map[string]File
	// OneHost has files under /storage of the API's own listener; otherwise Start
	// opens a second one for them, as the platform's files lie on another host.
	OneHost bool
	Switches
}

// File is a ready-made file. A name that ends in .gz is sent with Content-Encoding gzip.
type File struct {
	Path string
	Rows int
}

// Switches are the other readings of what the documents leave open, and the ways in
// which tenants may differ.
type Switches struct {
	// SuccessWord (COMPLETED) is the status of a finished export.
	SuccessWord string
	// QuotaStatus (429) answers an export beyond the day's cap; 402 is the other reading.
	QuotaStatus int
	// RefuseLargePages answers 400 to page[size] over 100, which is otherwise clamped.
	RefuseLargePages bool
	// ZeroLinks sends zero-valued links on the edge pages instead of null.
	ZeroLinks bool
	// UnknownCursorFirst answers an unknown cursor with the first page instead of 400.
	UnknownCursorFirst bool
	// CursorSkipsEqual has a cursor stand for the last of the rows with its
	// real_tx_id: others of them that follow on the next page are skipped. Otherwise
	// it stands for the first, and rows may come twice.
	CursorSkipsEqual bool
	// BorderPairs gives the rows 100 and 101 of each day's conversions, newest first,
	// one real_tx_id.
	BorderPairs bool
	// IgnoreUnknownFields leaves unknown names of an export's fields out instead of 400.
	IgnoreUnknownFields bool
	// RefuseEmptyExtra answers 400 to an extra_parameters that is sent but empty.
	RefuseEmptyExtra bool
	// PostOnly and GetOnly answer 405 to the other method of creating an export.
	PostOnly, GetOnly bool
	// BOM, CRLF and Semicolon change how files are written; Semicolon only where no delimiter is asked for.
	BOM, CRLF, Semicolon bool
	// Gzip sends files with Content-Encoding gzip to who accepts it; such are not resumed.
	Gzip bool
	// Arrays is how files write arrays: "clickhouse" (['a','b']), "comma" or "json".
	Arrays string
	// RFC3339 has times in files as the JSON has them.
	RFC3339 bool
	// NoData is what an export without rows brings: "header", "empty" (no bytes) or "none" (no artifact).
	NoData string
	// FloatNumbers writes whole numbers of the JSON with ".0".
	FloatNumbers bool
	// Nulls sends null for empty text and unset times in the JSON.
	Nulls bool
	// YearOne writes unset times as 0001-01-01 instead of 1970-01-01.
	YearOne bool
	// LowerStatus writes approved and rejected.
	LowerStatus bool
	// MaskIP hides the last number of addresses.
	MaskIP bool
}

func (o *Options) setDefaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Key, o.DeniedKey = cmp.Or(o.Key, "sim-key"), cmp.Or(o.DeniedKey, "sim-denied")
	if len(o.Integrations) == 0 {
		o.Integrations = []string{"dhk0demo01"}
	}
	o.Offers, o.Publishers = max(cmp.Or(o.Offers, 12), len(o.Integrations)), cmp.Or(o.Publishers, 9)
	o.Advertisers, o.Users = cmp.Or(o.Advertisers, 5), cmp.Or(o.Users, 4)
	o.ConversionsPerDay, o.ClicksPerDay = cmp.Or(o.ConversionsPerDay, 200), cmp.Or(o.ClicksPerDay, 500)
	o.ImpressionsPerDay, o.SharedEvery = cmp.Or(o.ImpressionsPerDay, o.ClicksPerDay), cmp.Or(o.SharedEvery, 10)
	if o.From.IsZero() {
		o.From = o.Now().Add(-30 * day)
	}
	o.From = o.From.UTC().Truncate(day)
	o.ExportsPerDay, o.ExportRows = cmp.Or(o.ExportsPerDay, 10), cmp.Or(o.ExportRows, 5_000_000)
	o.LinkTTL, o.Retention = cmp.Or(o.LinkTTL, 15*time.Minute), cmp.Or(o.Retention, 90*day)
	o.SuccessWord, o.QuotaStatus = cmp.Or(o.SuccessWord, "COMPLETED"), cmp.Or(o.QuotaStatus, 429)
	o.Arrays, o.NoData = cmp.Or(o.Arrays, "clickhouse"), cmp.Or(o.NoData, "header")
}

const day = 24 * time.Hour
