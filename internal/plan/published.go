package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"syncd/schema"
	"syncd/state"
)

// published tells when windows were last pulled. A window is pulled with every
// published one that contains it, because an export brings many steps at once; the
// newest of them counts. It is asked about windows in ascending order, so that each
// checkpoint is looked at once: a stream with hourly windows has 100,000 of them
// after eleven years.
type published struct {
	// ahead are the windowed checkpoints that begin later than what was asked so far,
	// by From.
	ahead []state.Checkpoint
	// behind are those that do not, the newest pull on top. What ends too early for a
	// window ends too early for all that follow, and leaves when it comes to the top.
	behind newestFirst
}

func newPublished(checkpoints []state.Checkpoint) *published {
	p := &published{ahead: make([]state.Checkpoint, 0, len(checkpoints))}
	for _, c := range checkpoints {
		if c.Kind == state.Windowed {
			p.ahead = append(p.ahead, c)
		}
	}
	// The store gives them in this order; sorting what is sorted costs one pass.
	slices.SortStableFunc(p.ahead, func(a, b state.Checkpoint) int { return cmp.Compare(a.From.UnixMilli(), b.From.UnixMilli()) })
	return p
}

// byPublication gives checkpoints as if they had been pulled when they were published,
// which is later unless the clock was set back in between.
func byPublication(checkpoints []state.Checkpoint) []state.Checkpoint {
	all := slices.Clone(checkpoints)
	for i, c := range all {
		if c.PublishedAt.After(c.PulledAt) {
			all[i].PulledAt = c.PublishedAt
		}
	}
	return all
}

// pulled gives when w was last pulled, and whether it ever was. Neither end of w may
// be earlier than that of the window asked before.
func (p *published) pulled(w schema.Window) (at time.Time, before bool) {
	for len(p.ahead) > 0 && !p.ahead[0].From.After(w.From) {
		if !p.ahead[0].To.Before(w.To) {
			heap.Push(&p.behind, p.ahead[0])
		}
		p.ahead = p.ahead[1:]
	}
	for len(p.behind) > 0 && p.behind[0].To.Before(w.To) {
		heap.Pop(&p.behind)
	}
	if len(p.behind) == 0 {
		return time.Time{}, false
	}
	return p.behind[0].PulledAt, true
}

// newestFirst is a heap of checkpoints with the newest pull on top.
type newestFirst []state.Checkpoint

func (h newestFirst) Len() int           { return len(h) }
func (h newestFirst) Less(i, j int) bool { return h[i].PulledAt.After(h[j].PulledAt) }
func (h newestFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *newestFirst) Push(x any) { *h = append(*h, x.(state.Checkpoint)) }

// Pop implements heap.Interface.
func (h *newestFirst) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
