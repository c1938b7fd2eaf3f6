package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"syncd/internal/pipeline"
	"syncd/tests/affisesim"
	"syncd/tests/cpasim"
	"syncd/tests/metricssim"
	"syncd/tests/performcbsim"
)

// The oracle test: the real binary, the real ClickHouse and all simulated networks, which
// restate their history and go wrong in every way that they know, while the binary and the
// engine are killed. At the end every table has to equal the truth, row for row.
//
// It is asked for by `make prove`: SYNCD_PROVE is the number of seeds, or for how long
// there are to be more ("5m"); SYNCD_PROVE_FIRST is the first of them, 1 unless said, so that
// what CI runs is the same for every change; SYNCD_PROVE_SEED is the one seed to replay.
func TestProve(t *testing.T) {
	seeds, limit := seedsAsked(t)
	if seeds == 0 && limit == 0 {
		t.Skip("it is run by make prove")
	}
	deadline := time.Now().Add(limit)
	first, all := uint64(1), newTally()
	if n := seedAsked(t, "SYNCD_PROVE_FIRST"); n > 0 {
		first = n
	}
	if n := seedAsked(t, "SYNCD_PROVE_SEED"); n > 0 {
		first, seeds, limit = n, 1, 0
	}
	must(release())(t)
	must(proving())(t)
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range seedsAtOnce {
		workers.Go(func() {
			for {
				i := next.Add(1) - 1
				if limit > 0 && time.Now().After(deadline) || limit == 0 && i >= uint64(seeds) {
					return
				}
				seed := first + i
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { prove(t, seed, all) })
			}
		})
	}
	workers.Wait()
	t.Logf("%d seeds, %d of them failed; %d kills, %d faults, %d rows compared, %d differences",
		all.passed+len(all.failed), len(all.failed), all.killed(), total(all.faults), total(all.rows), all.differences)
	if file := os.Getenv("SYNCD_PROVE_REPORT"); file != "" {
		if err := all.write(file); err != nil {
			t.Error(err)
		}
	}
}

// seedsAtOnce is as much as two cores take without making calls time out: a seed waits
// half of its time, for paces, for links and for what was killed to end.
const seedsAtOnce = 3

// seedAsked is the number of a seed in the environment; 0 for none.
func seedAsked(t *testing.T, name string) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func seedsAsked(t *testing.T) (seeds int, limit time.Duration) {
	t.Helper()
	text := os.Getenv("SYNCD_PROVE")
	if text == "" {
		return 0, 0
	}
	seeds, err := strconv.Atoi(text)
	if err != nil {
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SYNCD_PROVE is neither a number of seeds nor a time: %s", text)
		}
	}
	return seeds, limit
}

// leastKills is how many kills a seed has at least.
const leastKills = 5

// prove runs one seed.
func prove(t *testing.T, seed uint64, all *tally) {
	y := newTally()
	tallies.Store(t, y)
	defer tallies.Delete(t)
	began := time.Now()
	o := newOracle(t, seed, y)
	defer func() {
		y.calls = int(o.calls.n.Load())
		all.add(seed, y, t.Failed())
		t.Logf("seed %d: %s, %d calls, %d runs, %d kills, %d faults, %d rows, %d differences",
			seed, time.Since(began).Round(100*time.Millisecond), y.calls, y.runs, y.killed(), total(y.faults), total(y.rows), y.differences)
		if t.Failed() {
			t.Errorf("replay it with: make prove SEED=%d (what its runs said is in %s)", seed, o.kept())
		}
	}()
	o.all() // there is a first state of things, mostly
	for phase := 0; phase < 3 || y.killed() < leastKills && phase < 12; phase++ {
		o.restate()
		switch o.dice.IntN(4) {
		case 0:
			o.daemon()
		case 1:
			o.campaign(append([]string{"run", "--once"}, only(append(o.some(provenLists), provenLeads...)...)...), false)
		case 2:
			o.campaign(o.backfill(1, 0, append([]string{"main/clicks"}, o.some(provenWindows)...)...), true)
		default:
			from := o.dice.IntN(provenDays)
			o.campaign(o.backfill(from, o.dice.IntN(from+1), o.some(provenWindows)...), true)
		}
	}
	o.daemon()
	o.settle()
	o.compare()
	o.behaved()
	o.struck()
	if y.killed() < leastKills {
		t.Errorf("only %d kills: the seed shows too little", y.killed())
	}
}

// kept moves what the runs said to where it outlives the test.
func (o *oracle) kept() string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("syncd-prove-%d", o.seed))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err.Error()
	}
	logs, _ := filepath.Glob(filepath.Join(o.dir, "run-*.log"))
	for _, name := range logs {
		if text, err := os.ReadFile(name); err == nil {
			_ = os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o600)
		}
	}
	return dir
}

// all pulls everything, with things going wrong.
func (o *oracle) all() {
	o.campaign(o.backfill(provenDays, 0, provenWindows...), true)
}

// restate has the networks change their history. What goes is less than what a guard
// would not believe.
func (o *oracle) restate() {
	within := time.Duration(1+o.dice.IntN(provenDays)) * 24 * time.Hour
	n := func() int { return o.dice.IntN(8) }
	o.affise.Restate(o.dice.Uint64(), affisesim.Change{Statuses: n(), Amounts: n(), Late: n(), Removed: n(), LateClicks: n(), RemovedClicks: n(), Offers: n() / 4, Within: within})
	o.perform.Restate(performUser, o.dice.Uint64(), performcbsim.Change{Dispositions: n(), Revenues: n(), Late: n(), Removed: n() / 2, Within: within})
	o.metrics.Restate(n(), within)
	o.metrics.Remove(n()/2, within)
	o.metrics.Late(pick(o, metricssim.Conversions, metricssim.Clicks, metricssim.Impressions), n(), o.started.AddDate(0, 0, -o.dice.IntN(3)))
	now := time.Now()
	if at := o.lookNow.Load() + int64(time.Duration(o.dice.IntN(12))*time.Hour); at < now.UnixNano() {
		o.lookNow.Store(at)
	}
	for _, c := range []*cpaBed{o.kma, o.who, o.terra} {
		if d := time.Duration(1+o.dice.IntN(14)) * time.Hour; c.clock().Add(d).Before(now) {
			c.pass(d)
		}
	}
	o.kma.sim.Make(o.dice.IntN(5))
	o.who.sim.Make(o.dice.IntN(5))
	o.dayPasses()
}

// longest is how long a run goes on that is not killed otherwise. It decides nothing of
// what has to hold.
const longest = 4 * time.Second

// campaign runs the same command again and again until it is done, or was killed often
// enough: what was answered in it is not asked again.
func (o *oracle) campaign(args []string, holds bool) {
	from := o.logged()
	for range 2 + o.dice.IntN(3) {
		o.arm()
		done, jumped := o.attempt(args)
		o.disarm()
		o.pausesEnd()
		holds = holds && !jumped
		if done {
			break // the same once more would be another campaign
		}
	}
	if holds {
		o.repeated(from)
	}
}

// attempt is one run, and how it ends: done if by itself, or nearly so.
func (o *oracle) attempt(args []string) (done, jumped bool) {
	binary, env := must(release())(o.t), []string(nil)
	trouble := o.trouble()
	step := ""
	switch o.dice.IntN(4) {
	case 0:
		steps := append(append([]string{}, pipeline.Steps...), publicationSteps...)
		step = pick(o, steps...)
		binary, env = must(proving())(o.t), append(env, fmt.Sprintf("SYNCD_CRASH=%s:%d", step, 1+o.dice.IntN(3)))
	case 1:
		jumped = true
		binary = must(proving())(o.t)
		env = append(env, fmt.Sprintf("SYNCD_CLOCK=%d:%d,%d:%d", o.dice.IntN(1000), o.dice.IntN(10800), 1000+o.dice.IntN(1500), o.dice.IntN(14400)-10800))
		o.tally.fault("clock: jumped twice", 1)
	}
	before, during := 1+o.dice.IntN(40), 1+o.dice.IntN(60)
	if step != "" {
		before, during = during, 300 // the step comes first
	}
	reached := o.calls.after(before)
	p := o.launch(binary, append(env, trouble.env...), args...)
	o.running = p
	end := time.NewTimer(longest)
	defer end.Stop()
	o.until(p, reached, end)
	trouble.strike()
	o.until(p, o.calls.after(during), end)
	select {
	case <-p.done: // at its step, or by itself
	default:
		step = ""
	}
	kill := o.dice.IntN(8) > 0
	if mended := o.dice.IntN(2) == 0; mended && kill {
		trouble.mend()
		o.until(p, o.calls.after(1+o.dice.IntN(30)), end)
	}
	if kill {
		p.signal(syscall.SIGKILL)
	} else {
		p.signal(syscall.SIGTERM)
		trouble.mend()
	}
	r := o.over(p)
	o.died(r, step, trouble.spoils)
	trouble.mend()
	// Who is killed on the way out has done all the same; to ask again is another request.
	late := r.signal == syscall.SIGKILL && strings.Contains(r.stderr, `"backfill ended"`)
	return late || r.signal == 0 && r.code != 3, jumped
}

// until waits for calls, or the end of a run or of its time. A run that makes no call for
// a while rests after failures, and has nothing more to show.
func (o *oracle) until(p *process, reached <-chan struct{}, end *time.Timer) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	before := o.calls.n.Load()
	calls, since := before, time.Now()
	for {
		select {
		case <-reached:
			return
		case <-p.done:
			return
		case <-end.C:
			end.Reset(0)
			return
		case <-tick.C:
			if n := o.calls.n.Load(); n != calls {
				calls, since = n, time.Now()
			}
			patient := 2 * silence // it is starting
			if calls > before {
				patient = silence / 2
			}
			if time.Since(since) > patient {
				return
			}
		}
	}
}

// died counts a run that was killed.
func (o *oracle) died(r result, step string, spoils bool) {
	switch {
	case r.signal != syscall.SIGKILL:
		if !spoils && r.signal == 0 {
			return
		}
	case step != "":
		o.tally.kill("daemon, SIGKILL after step " + step)
	default:
		o.tally.kill("daemon, SIGKILL at random")
	}
	o.kills = append(o.kills, time.Now())
	if epoch := o.affise.Mark() - 1; spoils {
		o.harmless[epoch] = true
	}
}

// daemon runs the daemon while postbacks are sent to it, and kills it.
func (o *oracle) daemon() {
	o.t.Helper()
	base := "http://" + o.listen
	type outcome struct {
		name string
		sent []cpasim.Postback
		err  error
	}
	outcomes := make(chan outcome, 2)
	deliver := func(name string, n *cpaBed, d cpasim.Delivery) {
		d.Address, d.Retry = n.receiver(base, name), 20*time.Millisecond
		go func() {
			sent, err := n.sim.Deliver(o.t.Context(), d)
			outcomes <- outcome{name, sent, err}
		}()
	}
	deliver("kma", o.kma, cpasim.Delivery{})
	deliver("who", o.who, cpasim.Delivery{Disorder: o.dice.Uint64(), Parallel: 3})
	args := append([]string{"run"}, only("kma", "who", "terra")...)
	for range 1 + o.dice.IntN(2) {
		o.arm()
		o.attempt(args)
		o.disarm()
		o.pausesEnd()
	}
	p := o.launch(must(release())(o.t), nil, args...)
	o.running = p
	deadline := time.After(patience)
	for range 2 {
		select {
		case v := <-outcomes:
			if v.err != nil {
				o.t.Fatalf("delivering postbacks to %s: %v", v.name, v.err)
			}
			o.sent = append(o.sent, v.sent...)
			for _, s := range v.sent {
				if v.name == "kma" {
					o.told[s.Lead.ID] = s.Lead
				}
			}
		case <-p.done:
			o.t.Fatalf("the daemon ended while postbacks were sent to it:\n%s", tail(o.over(p).stderr))
		case <-deadline:
			_, stderr, _ := p.output()
			o.t.Fatalf("postbacks were not taken within %s:\n%s", patience, tail(stderr))
		}
	}
	p.signal(pick(o, syscall.SIGKILL, syscall.SIGTERM))
	o.died(o.over(p), "", false)
}
