package remap

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"syncd/extractors"
	"syncd/internal/pipeline"
	"syncd/internal/plan"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// pull is a pull of which answers are kept, with what old versions of syncd did not write
// down put in.
type pull struct {
	loaders.RawPull
	kind    state.Kind
	version uint64
}

// page is a page of a pull.
type page struct {
	loaders.RawRef
	of *pull
}

// dated is the version by which a page stands to others. One that waited in the inbox while
// others were made anew was given a greater one than those have by which they are kept; its
// number says when it was received. A file is older than its receipt.
func dated(r loaders.RawRef) uint64 { return min(r.Version, uint64(r.Seq)) }

// through is the greatest version of the pull's pages.
func (p *pull) through() uint64 {
	return dated(slices.MaxFunc(p.Pages, func(a, b loaders.RawRef) int { return cmp.Compare(dated(a), dated(b)) }))
}

// first is the smallest version of the pull's pages.
func (p *pull) first() uint64 {
	return dated(slices.MinFunc(p.Pages, func(a, b loaders.RawRef) int { return cmp.Compare(dated(a), dated(b)) }))
}

// received is when the last page was received.
func (p *pull) received() time.Time {
	return slices.MaxFunc(p.Pages, func(a, b loaders.RawRef) int { return a.ReceivedAt.Compare(b.ReceivedAt) }).ReceivedAt
}

func (p *pull) has(seqs map[int64]bool) bool {
	return slices.ContainsFunc(p.Pages, func(r loaders.RawRef) bool { return seqs[r.Seq] })
}

func (p *pull) route() state.Route {
	if len(p.Files) > 0 {
		return state.Export
	}
	return state.Direct
}

// known is what is known of a stream beside its kept answers.
type known struct {
	account string
	stream  *extractors.Stream
	raw     []loaders.RawPull
	// published and held are the stream's.
	published []state.Checkpoint
	held      []state.HeldWindow
	// hasFile says whether a file is in the spool.
	hasFile func(name string) bool
}

// filter says which answers somebody wants to be read once more.
type filter struct {
	// since is the time before whose receipt nothing is wanted; zero for none.
	since time.Time
	// quarantined are the pages with records in the quarantine, if only those are wanted;
	// nil if all are.
	quarantined map[int64]bool
}

func (f filter) all() bool { return f.since.IsZero() && f.quarantined == nil }

// Left is what cannot be made anew, and why.
type Left struct {
	From, To time.Time // zero for a stream without windows
	Reason   string
}

// choice is what is loaded once more of a stream.
type choice struct {
	pulls []*pull
	// whole are the windows and snapshots, the youngest first.
	whole []*pull
	// parts are the pages of lists of changes, the oldest first.
	parts []page
	// by is the column of the windows, spans of which of time what pull has all rows, by the
	// versions that the pulls had.
	by    string
	spans []normalize.Span
	// replaced are pulls of which younger ones have everything.
	replaced []*pull
	left     []Left
}

// wanted gives the smallest version of a page that is loaded once more; MaxUint64 if none is.
func (c *choice) wanted() uint64 {
	cut := uint64(math.MaxUint64)
	for _, p := range c.whole {
		cut = min(cut, p.first())
	}
	for _, p := range c.parts {
		cut = min(cut, dated(p.RawRef))
	}
	return cut
}

// choose says what of a stream's kept answers is loaded once more.
func choose(k known, f filter) *choice {
	c := &choice{}
	for i := range k.raw {
		c.pulls = append(c.pulls, k.pull(k.raw[i]))
	}
	// The youngest first: those that are pulled later have the greater versions.
	youngest := slices.Clone(c.pulls)
	slices.SortStableFunc(youngest, func(a, b *pull) int { return cmp.Compare(b.version, a.version) })
	var snapshot *pull
	var taken times
	for _, p := range youngest {
		switch p.kind {
		case state.Snapshot:
			if snapshot != nil {
				c.replaced = append(c.replaced, p)
				continue
			}
			if why := k.gone(p); why != "" {
				c.left = append(c.left, Left{Reason: why})
				if k.isPublished(p) {
					snapshot = p
				}
				continue
			}
			snapshot = p
			c.whole = append(c.whole, p)
		case state.Windowed:
			k.window(c, p, &taken)
		}
	}
	c.whole = slices.DeleteFunc(c.whole, func(p *pull) bool {
		return p.received().Before(f.since) || f.quarantined != nil && !p.has(f.quarantined)
	})
	// Lists of changes that are younger than anything that gets a new version have to get
	// one too, wanted or not, or what they brought would lose.
	cut := c.wanted()
	var parts []page
	for _, p := range c.pulls {
		if p.kind != state.Changes {
			continue
		}
		for _, r := range p.Pages {
			if snapshot != nil && dated(r) < snapshot.version {
				continue
			}
			parts = append(parts, page{r, p})
			if !r.ReceivedAt.Before(f.since) && (f.quarantined == nil || f.quarantined[r.Seq]) {
				cut = min(cut, dated(r))
			}
		}
		if snapshot != nil && p.through() < snapshot.version {
			c.replaced = append(c.replaced, p)
		}
	}
	c.parts = slices.DeleteFunc(parts, func(p page) bool { return dated(p.RawRef) < cut })
	slices.SortFunc(c.parts, func(a, b page) int { return cmp.Compare(dated(a.RawRef), dated(b.RawRef)) })
	return c
}

// window takes a window in, unless younger ones have all of it.
func (k known) window(c *choice, p *pull, taken *times) {
	if taken.has(p.From, p.To) {
		c.replaced = append(c.replaced, p)
		return
	}
	left := func(why string) { c.left = append(c.left, Left{p.From, p.To, why}) }
	switch why := k.gone(p); {
	case k.isHeld(p):
		left("its last answer is held back")
		return
	case !k.isOf(p):
		left("the stream's windows or the account's time zone are others by now")
		return
	case why != "":
		left(why)
		if !k.isPublished(p) {
			return
		}
	default:
		c.whole = append(c.whole, p)
	}
	taken.add(p.From, p.To)
	c.by = k.stream.Window.By
	from, to := pipeline.Asked(k.stream, p.state(k.account, k.stream.Name))
	table := k.stream.OutputsBy(p.route())[0].Table
	if i := table.Index(c.by); i >= 0 && table.Columns[i].Type == schema.Date && to.Before(p.To) {
		return // a part of a day cannot be told from the rest of it
	}
	c.spans = append(c.spans, normalize.Span{From: from.UnixMilli(), To: to.UnixMilli(), Version: p.version})
}

// pull puts in what is not written down.
func (k known) pull(raw loaders.RawPull) *pull {
	p := &pull{RawPull: raw, kind: state.Kind(raw.Kind), version: raw.Version}
	if p.version == 0 || p.version > p.first() {
		p.version = p.first()
	}
	if p.PulledAt.IsZero() {
		p.PulledAt = p.Pages[0].ReceivedAt
	}
	if p.kind == "" {
		switch {
		case k.stream.Window != nil && !p.From.IsZero() && k.isOf(p):
			p.kind = state.Windowed
		case k.stream.Kind() == state.Snapshot && p.From.IsZero():
			p.kind = state.Snapshot
		default:
			p.kind = state.Changes
		}
	}
	return p
}

// isOf reports whether a pull's window is one of the stream's, or several of them.
func (k known) isOf(p *pull) bool {
	return k.stream.Window != nil && (p.route() == state.Direct || k.stream.Export != nil) && plan.Of(k.stream).Steps(schema.Window{From: p.From, To: p.To}) > 0
}

// gone says in words what is missing of a pull; empty if nothing is.
func (k known) gone(p *pull) string {
	if p.Announced > len(p.Pages) {
		return "answers of it are older than retention.raw_pages and gone"
	}
	for _, file := range p.Files {
		if !k.hasFile(file) {
			return "its file is no longer in the spool"
		}
	}
	return ""
}

// isPublished reports whether the rows of a pull, or of a younger one of at least its
// window, are visible.
func (k known) isPublished(p *pull) bool {
	return slices.ContainsFunc(k.published, func(c state.Checkpoint) bool {
		return c.Kind == p.kind && c.Version >= p.version && !c.From.After(p.From) && !c.To.Before(p.To)
	})
}

// isHeld reports whether a guard holds back what a pull brought.
func (k known) isHeld(p *pull) bool {
	return !k.isPublished(p) && slices.ContainsFunc(k.held, func(h state.HeldWindow) bool { return h.From.Equal(p.From) && h.To.Equal(p.To) })
}

// state gives the pull as it was.
func (p *pull) state(account, stream string) state.Pull {
	return state.Pull{
		Account: account, Stream: stream, Kind: p.kind, Route: p.route(), From: p.From, To: p.To, Version: p.version,
		Pages: len(p.Pages), Records: p.Records, Bytes: p.Bytes, CreatedAt: p.PulledAt, Phase: state.Pulled,
	}
}

// times are parts of time, apart from each other, oldest first.
type times []struct{ from, to time.Time }

// has reports whether all of a part is among them.
func (t times) has(from, to time.Time) bool {
	i, _ := slices.BinarySearchFunc(t, from, func(x struct{ from, to time.Time }, at time.Time) int {
		if !x.to.After(at) {
			return -1
		}
		return 1
	})
	return i < len(t) && !t[i].from.After(from) && !t[i].to.Before(to)
}

// add takes a part in; parts that touch become one.
func (t *times) add(from, to time.Time) {
	i, _ := slices.BinarySearchFunc(*t, from, func(x struct{ from, to time.Time }, at time.Time) int {
		if x.to.Before(at) {
			return -1
		}
		return 1
	})
	j := i
	for ; j < len(*t) && !(*t)[j].from.After(to); j++ {
		if (*t)[j].from.Before(from) {
			from = (*t)[j].from
		}
		if (*t)[j].to.After(to) {
			to = (*t)[j].to
		}
	}
	*t = slices.Replace(*t, i, j, struct{ from, to time.Time }{from, to})
}

// String tells what is left of a stream.
func (l Left) String() string {
	if l.From.IsZero() {
		return l.Reason
	}
	return fmt.Sprintf("window %s to %s UTC: %s", l.From.UTC().Format("2006-01-02 15:04"), l.To.UTC().Format("2006-01-02 15:04"), l.Reason)
}
