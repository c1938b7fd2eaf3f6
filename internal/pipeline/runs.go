package pipeline

import (
	"context"
	"sync"
	"time"

	"syncd/state"
)

// runs keeps count of the runs under way: a run ends with its last pull.
type runs struct {
	store state.Store

	mu   sync.Mutex
	open map[string]*run
}

type run struct {
	state.Run
	pulls int // still open
}

func newRuns(store state.Store) *runs {
	return &runs{store: store, open: map[string]*run{}}
}

func (r *runs) start(ctx context.Context, id, account, stream string, pulls int) error {
	started := &run{Run: state.Run{ID: id, Account: account, Stream: stream, StartedAt: time.Now()}, pulls: pulls}
	r.mu.Lock()
	r.open[id] = started
	r.mu.Unlock()
	return r.store.SaveRun(ctx, started.Run)
}

// resume counts the pulls that an earlier daemon left open. What their runs had
// counted before it died is not known: calls and rows count from here.
func (r *runs) resume(pulls []state.Pull) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range pulls {
		if r.open[p.RunID] == nil {
			r.open[p.RunID] = &run{Run: state.Run{ID: p.RunID, Account: p.Account, Stream: p.Stream, StartedAt: p.CreatedAt}}
		}
		r.open[p.RunID].pulls++
	}
}

func (r *runs) called(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if run := r.open[id]; run != nil {
		run.Calls++
	}
}

// ended counts a pull that is published (failure empty) or given up. The run log is
// for people: a line that cannot be stored is not worth stopping for.
func (r *runs) ended(ctx context.Context, p state.Pull, rows int64, failure string) {
	r.mu.Lock()
	run := r.open[p.RunID]
	if run == nil {
		r.mu.Unlock()
		return
	}
	run.pulls--
	run.Rows += rows
	if failure != "" {
		run.Error = failure
	}
	done := run.pulls <= 0
	if done {
		run.FinishedAt = time.Now()
		delete(r.open, p.RunID)
	}
	copied := run.Run
	r.mu.Unlock()
	if done {
		_ = r.store.SaveRun(context.WithoutCancel(ctx), copied)
	}
}
