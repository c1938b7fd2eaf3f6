package tests

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd/internal/pipeline"
	"syncd/tests/affisesim"
)

// publicationSteps are those within the step "published", as loaders tells of them.
var publicationSteps = []string{"insert", "compare", "record", "attach", "bury"}

// crashDays is the length of the history that the crash tests pull.
const crashDays = 20

func newCrashBed(t *testing.T) (*bed, extent, []string) {
	t.Helper()
	b := newBed(t, affisesim.Options{Conversions: 4_000, Clicks: 8_000, Platform: zone(t, berlin)})
	x := recent(t, "main", berlin, crashDays-1)
	b.config(adminAccount("main", berlin, x.from, "    pace: {min_delay: 0s, allow_faster: true, parallel: 1}\n    timeout: 5s\n"))
	return b, x, []string{"run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()),
		"--only", "main/conversions", "--only", "main/clicks", "--only", "main/stats/by_offer", "--only", "main/offers"}
}

// inHand is how many calls of the one lane may be made again after a crash at a
// step: the one whose answer was on its way. After "departed" it had not left, and
// after "received" its answer was safe.
func inHand(step string) int {
	if step == "departed" || step == "received" {
		return 0
	}
	return 1
}

// repeatsOnlyInHand fails the test if a call was made again whose answer was safe.
// Each epoch of the log but the last ended in a crash; allowed gives how many of an
// epoch's last calls may be asked again.
func repeatsOnlyInHand(t *testing.T, calls []affisesim.Call, allowed func(epoch int) int) {
	t.Helper()
	last := map[int][]int{}
	for _, c := range calls {
		last[c.Epoch] = append(last[c.Epoch], c.Number)
	}
	told := 0
	for _, p := range affisesim.Repeated(calls, 0) {
		numbers := last[p.First.Epoch]
		tail := numbers[max(0, len(numbers)-allowed(p.First.Epoch)):]
		if p.First.Epoch == p.Second.Epoch || !slices.Contains(tail, p.First.Number) {
			if told++; told > 5 {
				continue
			}
			t.Errorf("call %d (run %d) was answered and made again as call %d (run %d): %s?%s",
				p.First.Number, p.First.Epoch, p.Second.Number, p.Second.Epoch, p.First.Path, p.First.Params)
		}
	}
	if told > 5 {
		t.Errorf("%d answered calls were made again in all", told)
	}
}

func TestACrashAtAnyStepLosesNothingAndRepeatsNoAnsweredCall(t *testing.T) {
	t.Parallel()
	type crash struct {
		step string
		n    []int
	}
	var crashes []crash
	for _, step := range pipeline.Steps {
		switch step {
		case "downloaded", "brought": // this network has no files and sends no postbacks
		case "departed", "answered", "received":
			crashes = append(crashes, crash{step, []int{1, 7, 90}})
		default:
			crashes = append(crashes, crash{step, []int{1, 2}})
		}
	}
	for _, step := range publicationSteps[:4] {
		crashes = append(crashes, crash{step, []int{1, 3}})
	}
	for _, c := range crashes {
		t.Run(c.step, func(t *testing.T) {
			t.Parallel()
			b, x, args := newCrashBed(t)
			b.onServer().binary = must(crashing())(t)
			crashed, done := 0, false
			for _, n := range c.n {
				r := b.startWith([]string{fmt.Sprintf("SYNCD_CRASH=%s:%d", c.step, n)}, args...).wait()
				b.network.Mark()
				if r.signal == syscall.SIGKILL {
					crashed++
					continue
				}
				r.ended(t, 0) // fewer such steps were left
				done = true
				break
			}
			if crashed == 0 {
				t.Fatalf("step %s was never reached: nothing crashed", c.step)
			}
			if !done {
				b.run(args...).ended(t, 0)
			}
			conn, _ := b.warehouse()
			b.conversionsEqual(conn, x)
			b.clicksEqual(conn, x)
			b.statsEqual(conn, x)
			repeatsOnlyInHand(t, b.network.Log(), func(int) int { return inHand(c.step) })
			b.countedOnce(conn)
		})
	}
}

// A publication that replaces rows has steps that the first one has not.
func TestACrashWhileHistoryIsRestatedLosesNothingAndCountsNothingTwice(t *testing.T) {
	t.Parallel()
	for _, step := range append(slices.Clone(publicationSteps), "staged", "published", "checkpointed") {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b, x, args := newCrashBed(t)
			b.onServer().binary = must(crashing())(t)
			b.run(args...).ended(t, 0)
			report := b.network.Restate(7, affisesim.Change{Statuses: 40, Amounts: 20, Late: 30, Removed: 25, Within: 15 * 24 * time.Hour})
			b.network.ResetLog()
			conn, _ := b.warehouse()
			before := one[int64](t, conn, serverNow)
			r := b.startWith([]string{"SYNCD_CRASH=" + step + ":1"}, args...).wait()
			if r.signal != syscall.SIGKILL {
				t.Fatalf("step %s was never reached:\n%s", step, tail(r.stderr))
			}
			b.network.Mark()
			b.run(args...).ended(t, 0)
			b.conversionsEqual(conn, x)
			b.clicksEqual(conn, x)
			b.statsEqual(conn, x)
			b.performanceEqual(conn, x)
			b.restated(conn, before, report)
			repeatsOnlyInHand(t, b.network.Log(), func(int) int { return inHand(step) })
		})
	}
}

func TestKillingItAtRandomMomentsLosesNothing(t *testing.T) {
	t.Parallel()
	dice := diced(t)(0)
	b, x, args := newCrashBed(t)
	killed := true
	for run := 0; run < 5 && killed; run++ {
		// After so many calls, which is a moment that can be had again.
		calls := b.after(1 + dice.IntN(80))
		p := b.start(args...)
		select {
		case <-calls:
		case <-p.done:
		}
		if hosts := children(p.cmd.Process.Pid); len(hosts) > 0 && dice.IntN(2) == 0 {
			// The engine goes first; the daemon starts it again and goes on, until it goes too.
			more := b.after(1 + dice.IntN(40))
			_ = syscall.Kill(hosts[0], syscall.SIGKILL)
			select {
			case <-more:
			case <-p.done:
			}
		}
		p.signal(syscall.SIGKILL)
		if r := p.wait(); r.signal != syscall.SIGKILL {
			r.ended(t, 0) // it was done before
			killed = false
		}
		b.network.Mark()
	}
	if killed {
		b.run(args...).ended(t, 0)
	}
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	b.clicksEqual(conn, x)
	b.statsEqual(conn, x)
	repeatsOnlyInHand(t, b.network.Log(), func(int) int { return 1 })
}

// after gives a channel that is closed when the network has answered n more calls.
func (b *bed) after(n int) <-chan struct{} {
	reached := make(chan struct{})
	var mu sync.Mutex
	b.network.OnCall(func(affisesim.Call) {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			close(reached)
		}
	})
	return reached
}
