package tests

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/pipeline"
	"syncd/state"
	"syncd/tests/performcbsim"
)

// interruption is a time without a daemon.
type interruption struct {
	from, to time.Time
	killed   bool
}

// A week of the daemon in a bubble, where time passes only while everyone sleeps: the
// real source, pipeline, schedule and state on disk, and the real ClickHouse, whose
// network IO holds the bubble's clock while it lasts. The network is called in process:
// its own waiting has to be seen as sleep.
func TestAWeekOfFiveMinutesBetweenCalls(t *testing.T) {
	t.Parallel()
	dice := diced(t)
	b := (&bed{t: t, dir: t.TempDir(), database: "e2e_performcb_week"}).onServer()
	loc := zone(t, performZone)
	// Clocks go forward on the fourth day. The history is longer than what a week can
	// bring beside the schedule, so that there is always something to ask for, and goes
	// back over the end of summer time.
	began := time.Date(2026, time.March, 5, 9, 30, 0, 0, loc)
	history := began.AddDate(0, 0, -430)
	frozen := began.AddDate(0, 0, 7)
	in := &installation{
		path: filepath.Join(b.dir, "state.db"), dsn: b.dsn, database: b.database, manifest: performManifest(t),
		account: performAccount(t, 6), callers: dice(1), killer: dice(2),
		// Publications are what takes real time here: they are fewer and larger than a
		// daemon's, which waits for half a second.
		linger: time.Hour,
	}
	in.account.Start = time.Date(history.Year(), history.Month(), history.Day(), 0, 0, 0, 0, loc)
	delay, timeout := in.manifest.Pace.MinDelay, in.manifest.Timeout
	if delay != 5*time.Minute || timeout != 2*time.Minute || in.manifest.Pace.Parallel != 1 {
		t.Fatalf("the manifest's pace is %s after calls of at most %s", delay, timeout)
	}

	var interruptions []interruption
	var left int // of the history
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began))
		in.network = performcbsim.New(performcbsim.Options{
			Seed: dice(3).Uint64(), Zone: loc, From: in.account.Start, ConversionsPerDay: 20, Restless: true,
			Accounts: []performcbsim.Account{{UserID: performUser, APIKey: performKey}},
			// Nothing happens at the network after the week: what is read later must be equal to it.
			Now: func() time.Time {
				if now := time.Now(); now.Before(frozen) {
					return now
				}
				return frozen
			},
			Faults: performcbsim.Faults{Rate: 0.05 - throttled, Kinds: []performcbsim.FaultKind{
				performcbsim.ServerError, performcbsim.Torn, performcbsim.CutBody, performcbsim.Reset, performcbsim.Hang, performcbsim.TooMany,
			}},
		})
		l := in.start(t, true)
		for i, killed := range in.fates() {
			// One in each of five days, at any time of the day.
			time.Sleep(time.Until(began.AddDate(0, 0, i+1).Add(time.Duration(in.killer.IntN(24*60)) * time.Minute)))
			if killed == "" {
				l.stop()
			} else {
				l.killAt(killed)
			}
			now, rest := time.Now(), 600
			if killed == calling {
				rest = 60 // the call that goes on must be what the next life waits for
			}
			time.Sleep(time.Duration(in.killer.IntN(rest)) * time.Second)
			interruptions = append(interruptions, interruption{now, time.Now(), killed != ""})
			t.Logf("life %d ended at %s by %q, the next began %s later", l.number, now.In(loc).Format("Jan 2 15:04:05"), killed, time.Since(now))
			l = in.start(t, true)
		}
		time.Sleep(time.Until(frozen))
		left = l.unread()
		l.stop()
		l = in.start(t, false)
		// What is older than the tiers reach had stopped to change before it was read.
		l.backfill(frozen.AddDate(0, 0, -98), frozen)
		l.stop()
	})

	calls := in.network.Log()
	noViolation(t, in.network, delay)
	in.usesItsTime(t, calls, interruptions, began, frozen)
	if left == 0 {
		t.Error("at the end of the week all of the history was read: there was not always something to ask for")
	}
	in.staysFresh(t, calls, frozen)
	in.asksNothingTwice(t)
	conn := b.connect()
	b.performEquals(conn, in.network, "partner", in.account.Start, frozen)
}

// fates are how lives end: killed at a step, or stopped (""). One is killed in the middle
// of a call, which is where the pace is easiest to lose.
func (in *installation) fates() []string {
	steps := []string{"insert", "compare", "record", "attach"}
	for _, s := range pipeline.Steps {
		if s != "downloaded" && s != "brought" { // this network has no files and sends no postbacks
			steps = append(steps, s)
		}
	}
	fates := []string{calling, steps[in.killer.IntN(len(steps))], steps[in.killer.IntN(len(steps))], "", ""}
	in.killer.Shuffle(len(fates), func(i, j int) { fates[i], fates[j] = fates[j], fates[i] })
	return fates
}

// unread is how many days of the history were not asked for yet.
func (l *life) unread() int {
	l.t.Helper()
	open, err := l.store.OpenPulls(l.t.Context(), l.in.account.Name)
	if err != nil {
		l.t.Fatal(err)
	}
	n := 0
	for _, p := range open {
		if p.Phase == state.Pulling && p.Tier == state.Backfill {
			n++
		}
	}
	return n
}

// backfill loads what was asked for before, and then asks for a range once more, as
// `syncd run --backfill` does, until it is loaded. A backfill takes over what is open when
// it begins, and the network may have said more since those windows were asked for.
func (l *life) backfill(from, to time.Time) {
	l.t.Helper()
	drain := func() {
		l.t.Helper()
		if err := l.engine.Drain(l.t.Context(), time.Minute); err != nil {
			l.t.Fatal(err)
		}
	}
	drain()
	time.Sleep(time.Second) // what was published before was not since
	since := time.Now()
	for _, s := range l.streams {
		if err := l.engine.Backfill(l.t.Context(), l.in.account.Name, s.Name, from, to, since, time.Now()); err != nil {
			l.t.Fatal(err)
		}
	}
	drain()
}

// usesItsTime fails the test unless more than 95 % of the calls were made that the
// network permitted in the week, while a daemon was there to make them.
func (in *installation) usesItsTime(t *testing.T, calls []performcbsim.Call, interruptions []interruption, began, ended time.Time) {
	t.Helper()
	delay, timeout := in.manifest.Pace.MinDelay, in.manifest.Timeout
	var idle, busy time.Duration // beyond the delay, and with it
	n, failed := 0, 0
	for k := 1; k < len(calls); k++ {
		before, c := calls[k-1], calls[k]
		if c.At.After(ended) {
			break
		}
		n++
		if before.Fault != "" {
			failed++
		}
		var least time.Time // when the call could have been made
		cut := false
		for _, i := range interruptions {
			if i.to.Before(before.At) || i.from.After(c.At) {
				continue
			}
			cut = true
			least = i.to
			if feared := i.from.Add(timeout + delay); i.killed && feared.After(least) {
				least = feared
			}
		}
		if free := before.Ended.Add(delay); free.After(least) {
			least = free
		}
		if cut {
			if late := c.At.Sub(least); late > time.Second {
				t.Errorf("after a restart call %d came %s later than it could have", c.Number, late)
			}
			continue
		}
		busy += before.Ended.Sub(before.At) + delay
		idle += c.At.Sub(least)
	}
	used := float64(busy) / float64(busy+idle)
	t.Logf("%d calls in the week, %d of them failed, %.2f %% of the permitted ones; %d after it", n, failed, 100*used, len(calls)-n)
	if used <= 0.95 {
		t.Errorf("%.2f %% of the permitted calls were made", 100*used)
	}
	if n < 1800 || failed < n/50 {
		t.Errorf("%d calls of which %d failed: the test shows little", n, failed)
	}
}

// staysFresh fails the test if the day that people look at waited for the history. It is
// asked for every half hour, and again when what was brought is loaded.
func (in *installation) staysFresh(t *testing.T, calls []performcbsim.Call, until time.Time) {
	t.Helper()
	var last, worst performcbsim.Call
	for _, c := range calls {
		today := c.At.In(in.account.Location).Format("01-02-2006")
		if c.At.After(until) || c.Get != "conversions" || c.Fault != "" || c.Status != 200 || !strings.Contains(c.Params, "from_date="+today) {
			continue
		}
		if last.Number > 0 && (worst.Number == 0 || c.At.Sub(last.At) > worst.Ended.Sub(worst.At)) {
			worst = performcbsim.Call{Number: last.Number, At: last.At, Ended: c.At}
		}
		last = c
	}
	stale := worst.Ended.Sub(worst.At)
	t.Logf("today's conversions were asked for after %s at most", stale)
	// What waits to be loaded begins to wait anew after a restart.
	if most := 2*in.linger + time.Hour; stale == 0 || stale > most {
		t.Errorf("after call %d at %s today's conversions were not asked for for %s", worst.Number, worst.At, stale)
	}
}

// asksNothingTwice fails the test if a call was made again for the same pull after it
// had been answered, but for the one that each kill may cost.
func (in *installation) asksNothingTwice(t *testing.T) {
	t.Helper()
	type question struct {
		pull int64
		what string
	}
	answered := map[question]asked{}
	again := map[int]int{} // by the life in which it was answered
	for i, a := range in.asked {
		q := question{a.pull, a.what}
		if first, twice := answered[q]; twice {
			again[first.life]++
			if again[first.life] > 1 || first.life == a.life {
				t.Errorf("call %d was made at %s in life %d for pull %d, and answered in life %d at %s: %s",
					i+1, a.at, a.life, a.pull, first.life, first.at, a.what)
			}
		}
		if a.answered {
			answered[q] = a
		}
	}
	if len(again) > 3 {
		t.Errorf("answered calls of %d lives were made again; 3 were killed", len(again))
	}
	if len(answered) < 1500 {
		t.Errorf("only %d calls were answered", len(answered))
	}
}
