package plan

import (
	"math"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// Volume is how much a stream brings, as far as what is published of it tells.
type Volume struct {
	// PerHour is the number of rows of an hour of the stream's time, if Known: the most
	// recent windows weigh most.
	PerHour float64
	Known   bool
	// Snapshot and Changes are the rows of the last pull of that kind; -1 if unknown.
	Snapshot, Changes int64
	// Items is the number of items that a for-each stream goes over, and Batches the
	// number of calls that they make at least; both 1 for all others. Unsure says that
	// the items are not known, and both only the least that there can be.
	Items, Batches int
	Unsure         bool
	// size is the number of records that one call brings at most; 0 if unknown.
	size int
}

// halfLife is how much older a window has to be than the newest one to weigh half.
// A week covers the difference between working days and the weekend, and still
// notices within days that an account has grown.
const halfLife = 7 * 24 * time.Hour

// VolumeOf reads what is published of a stream; parent is what is published of the
// stream whose rows it goes over, if it does.
func VolumeOf(s *extractors.Stream, checkpoints, parent []state.Checkpoint) Volume {
	v := Volume{Snapshot: -1, Changes: -1, Items: 1, Batches: 1, size: s.PageSize}
	var newest time.Time
	for _, c := range checkpoints {
		switch c.Kind {
		case state.Windowed:
			if c.To.After(newest) {
				newest = c.To
			}
		case state.Snapshot:
			v.Snapshot = c.Rows
		case state.Changes:
			v.Changes = c.Rows
		}
	}
	var rows, hours float64
	for _, c := range checkpoints {
		if c.Kind != state.Windowed {
			continue
		}
		// A window that had not ended brought the rows of the time until then.
		span := minTime(c.To, c.PulledAt).Sub(c.From).Hours()
		if span <= 0 {
			continue
		}
		weight := math.Exp2(-float64(newest.Sub(c.To)) / float64(halfLife))
		rows += weight * float64(c.Rows)
		hours += weight * span
	}
	if hours > 0 {
		v.PerHour, v.Known = rows/hours, true
	}
	if f := s.ForEach; f != nil {
		items := int64(len(f.Values))
		v.Unsure = f.OpenLeads != "" // how many are due is said by the leads themselves
		if f.Stream != "" {
			items = live(parent)
			v.Unsure = items < 0
		}
		v.Items = int(max(items, 1))
		v.Batches = int(ceil(int64(v.Items), int64(max(f.Batch, 1))))
	}
	return v
}

// live is about how many rows of a stream there are; -1 if unknown. Where windows
// overlap, rows are counted twice, which makes the estimate a careful one.
func live(checkpoints []state.Checkpoint) int64 {
	n := int64(-1)
	for _, c := range checkpoints {
		switch c.Kind {
		case state.Snapshot:
			return c.Rows
		case state.Windowed:
			n = max(n, 0) + c.Rows
		}
	}
	return n
}

// Rows is how many rows a window has at now; -1 if unknown.
func (v Volume) Rows(w schema.Window, now time.Time) int64 {
	if !v.Known {
		return -1
	}
	hours := minTime(w.To, now).Sub(w.From).Hours()
	return int64(math.Round(v.PerHour * max(hours, 0)))
}

// Calls is how many calls bring a number of rows (-1: unknown), and whether that is
// only the least that it can be.
func (v Volume) Calls(rows int64) (calls int, least bool) {
	batches := int64(max(v.Batches, 1))
	pages := int64(1)
	if rows > 0 && v.size > 0 {
		pages = max(1, ceil(ceil(rows, batches), int64(v.size)))
	}
	return int(batches * pages), v.Unsure || rows < 0
}

// Exports is how many exports bring a number of rows (-1: unknown) where one has a
// number of rows at most (0: any): one for each item, whose rows are taken to be
// alike. One that is cut off is asked for again in halves, and those in halves if
// they are.
func (v Volume) Exports(rows, most int64) (exports int, least bool) {
	items := int64(max(v.Items, 1))
	each := 1
	if rows = ceil(max(rows, 0), items); most > 0 && rows > most {
		halvings := int(math.Ceil(math.Log2(float64(rows) / float64(most))))
		each = 1<<min(halvings+1, 30) - 1
	}
	return int(items) * each, v.Unsure || !v.Known
}

func ceil(n, d int64) int64 { return (n + d - 1) / d }
