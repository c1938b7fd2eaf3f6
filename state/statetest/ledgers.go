package statetest

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"syncd/state"
)

func testLedgers(t *testing.T, d Driver) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	each(t, d, []testCase{
		{"a stream never due has the zero time", func(f *fixture) {
			f.equal("due", must[time.Time](f)(f.s.Due(f.ctx, "acme", "offers")), time.Time{})
			f.publish(f.pulled(snapshot(), 1))
			f.equal("due", must[time.Time](f)(f.s.Due(f.ctx, "acme", "offers")), time.Time{})
		}},
		{"the due time is the one set last, also backwards, and is each stream's own", func(f *fixture) {
			f.no(f.s.SetDue(f.ctx, "acme", "offers", t0.Add(time.Hour)))
			f.no(f.s.SetDue(f.ctx, "acme", "clicks", t0.Add(2*time.Hour)))
			f.no(f.s.SetDue(f.ctx, "acme", "offers", t0))
			f.publish(f.pulled(snapshot(), 1))
			f.reopen()
			f.equal("due", must[time.Time](f)(f.s.Due(f.ctx, "acme", "offers")), t0)
			f.equal("due", must[time.Time](f)(f.s.Due(f.ctx, "acme", "clicks")), t0.Add(2*time.Hour))
			f.equal("number of last checkpoints", len(must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx))), 1)
		}},
		{"runs are listed newest first, at most as many as asked", func(f *fixture) {
			run := func(n int) state.Run {
				return state.Run{ID: fmt.Sprintf("r%d", n), Account: "acme", Stream: "offers", StartedAt: t0.Add(time.Duration(n) * time.Second), Calls: int64(n), Rows: 9}
			}
			for _, n := range []int{2, 4, 1, 3} {
				f.no(f.s.SaveRun(f.ctx, run(n)))
			}
			f.reopen()
			f.equal("runs", must[[]state.Run](f)(f.s.Runs(f.ctx, 3)), []state.Run{run(4), run(3), run(2)})
			f.equal("no runs", must[[]state.Run](f)(f.s.Runs(f.ctx, 0)), []state.Run(nil))
		}},
		{"a run saved again is updated in its place", func(f *fixture) {
			r := state.Run{ID: "r1", Account: "acme", Stream: "offers", StartedAt: t0}
			f.no(f.s.SaveRun(f.ctx, r))
			f.no(f.s.SaveRun(f.ctx, state.Run{ID: "r2", StartedAt: t0.Add(time.Second)}))
			r.FinishedAt, r.Calls, r.Rows, r.Error = t0.Add(time.Minute), 3, 1500, "503 from the network"
			f.no(f.s.SaveRun(f.ctx, r))
			f.equal("runs", must[[]state.Run](f)(f.s.Runs(f.ctx, 10)), []state.Run{{ID: "r2", StartedAt: t0.Add(time.Second)}, r})
		}},
		{"the same unfinished backfill is resumed", func(f *fixture) {
			b := must[state.BackfillRequest](f)(f.s.StartBackfill(f.ctx, day, day.AddDate(0, 3, 0), "acme/*", t0))
			f.equal("request", b, state.BackfillRequest{ID: b.ID, From: day, To: day.AddDate(0, 3, 0), Only: "acme/*", StartedAt: t0})
			f.reopen()
			f.equal("again", must[state.BackfillRequest](f)(f.s.StartBackfill(f.ctx, day, day.AddDate(0, 3, 0), "acme/*", t0.Add(time.Hour))), b)
		}},
		{"a backfill of another range or selection is another", func(f *fixture) {
			ids := map[int64]bool{}
			for _, c := range []struct {
				from, to time.Time
				only     string
			}{{day, day.AddDate(0, 3, 0), "acme/*"}, {day, day.AddDate(0, 3, 0), ""}, {day, day.AddDate(0, 2, 0), ""}, {day.AddDate(0, 1, 0), day.AddDate(0, 2, 0), ""}} {
				ids[must[state.BackfillRequest](f)(f.s.StartBackfill(f.ctx, c.from, c.to, c.only, t0)).ID] = true
			}
			f.equal("number of requests", len(ids), 4)
		}},
		{"a finished backfill asked again is a new one", func(f *fixture) {
			b := must[state.BackfillRequest](f)(f.s.StartBackfill(f.ctx, day, day.AddDate(0, 3, 0), "", t0))
			f.no(f.s.FinishBackfill(f.ctx, b.ID, t0.Add(time.Hour)))
			f.no(f.s.FinishBackfill(f.ctx, b.ID, t0.Add(2*time.Hour)))
			again := must[state.BackfillRequest](f)(f.s.StartBackfill(f.ctx, day, day.AddDate(0, 3, 0), "", t0.Add(3*time.Hour)))
			if again.ID == b.ID || !again.StartedAt.Equal(t0.Add(3*time.Hour)) {
				f.Fatalf("got %+v after %+v was finished", again, b)
			}
		}},
		{"a backfill that is not known cannot be finished", func(f *fixture) {
			if f.s.FinishBackfill(f.ctx, 4711, t0) == nil {
				f.Error("it was")
			}
		}},
		{"a secret is random, long, its own for each name, and kept", func(f *fixture) {
			engine := must[string](f)(f.s.Secret(f.ctx, "engine"))
			if raw, err := base64.RawURLEncoding.DecodeString(engine); err != nil || len(raw) != 32 {
				f.Errorf("got %d bytes (%v), want 32", len(raw), err)
			}
			if must[string](f)(f.s.Secret(f.ctx, "other")) == engine {
				f.Error("two names have the same secret")
			}
			f.reopen()
			if must[string](f)(f.s.Secret(f.ctx, "engine")) != engine {
				f.Error("it changed")
			}
		}},
	})
}
