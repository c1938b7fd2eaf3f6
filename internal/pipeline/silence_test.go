package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/extractors"
)

// nobody is the error of a call that found nobody.
type nobody struct{ error }

func (nobody) Unreached() bool { return true }

// snapshots are n streams, and their names.
func snapshots(prefix string, n int) (streams []*extractors.Stream, names []string) {
	for i := range n {
		name := fmt.Sprintf("%s-%02d", prefix, i)
		streams, names = append(streams, snapshot(name)), append(names, name)
	}
	return streams, names
}

func count(what []string, prefix string) (n int) {
	for _, w := range what {
		if strings.HasPrefix(w, prefix) {
			n++
		}
	}
	return n
}

func TestANetworkThatCannotBeReachedIsCalledForOnePullAtATime(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		const outage = time.Hour
		streams, names := snapshots("list", 60)
		network := &fakeNetwork{streams: streams, took: time.Second}
		answered := map[string]int{}
		network.answer = func(_ int, list string) error {
			if time.Since(network.began) < outage {
				return nobody{errors.New("connection refused")}
			}
			answered[list]++
			return nil
		}
		b := setup(t, network, Account{}, path)
		b.plan(names...)
		time.Sleep(outage)
		during := len(network.seen())
		words := 0
		for _, name := range names {
			words += strings.Count(b.engine.Waiting("a", name), "fake cannot be reached; it is called again at 0")
		}
		open := b.open()
		// No list waits longer than for the next call to the address, which may have left just
		// before, and for all the others.
		time.Sleep(2*silenceMost + time.Duration(len(names))*network.took)
		b.end()
		// Once a minute, but for the first few.
		if during > 80 {
			t.Errorf("the network was called %d times in an hour in which it could not be reached", during)
		}
		if words < len(names)-10 {
			t.Errorf("%d of %d streams say what they wait for", words, len(names))
		}
		for _, p := range open {
			if p.Attempts >= silentPulls {
				t.Errorf("%d attempts of list %s were for nobody", p.Attempts, p.Stream)
			}
		}
		for _, name := range names {
			if answered[name] != 1 {
				t.Errorf("list %s was answered %d times afterwards", name, answered[name])
			}
		}
	})
}

func TestAnAddressThatCannotBeReachedHoldsUpNoOther(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		gone, goneNames := snapshots("gone", 30)
		there, thereNames := snapshots("there", 30)
		network := &fakeNetwork{streams: append(gone, there...), took: time.Second, machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){}}
		for _, name := range goneNames {
			network.machines[name] = func(extractors.Work) (extractors.Call, extractors.Page) {
				return extractors.Call{URL: "https://gone.example/" + name, Describe: name}, extractors.Page{Done: true}
			}
		}
		network.answer = func(_ int, what string) error {
			if strings.HasPrefix(what, "gone") {
				return nobody{errors.New("no such host")}
			}
			return nil
		}
		b := setup(t, network, Account{}, path)
		b.plan(append(goneNames, thereNames...)...)
		time.Sleep(time.Minute)
		seen := network.seen()
		b.end()
		if n := count(seen, "there"); n != len(thereNames) {
			t.Errorf("%d of %d lists were asked for at the other address", n, len(thereNames))
		}
		if n := count(seen, "gone"); n < silentPulls+2 || n > 10 {
			t.Errorf("the address without anybody was called %d times in a minute", n)
		}
	})
}

func TestOtherFailuresHoldUpNobody(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		streams, names := snapshots("list", 30)
		network := &fakeNetwork{streams: streams, took: time.Second, answer: func(n int, _ string) error {
			if n <= 10 {
				return apiError(extractors.RetryNow, 504, 0)
			}
			return nil
		}}
		b := setup(t, network, Account{}, path)
		b.plan(names...)
		time.Sleep(45 * time.Second)
		seen := network.seen()
		b.end()
		if len(seen) != 10+len(names) {
			t.Errorf("%d calls in 45 seconds, want 10 that failed and %d", len(seen), len(names))
		}
	})
}

func TestAOneShotRunEndsWhereNobodyIsFound(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		streams, names := snapshots("list", 20)
		network := &fakeNetwork{streams: streams, took: time.Second, answer: func(int, string) error { return nobody{errors.New("connection refused")} }}
		b := setup(t, network, Account{}, path, func(o *Options) { o.OneShot = true })
		b.plan(names...)
		if err := b.engine.Drain(t.Context(), time.Hour); err != nil {
			t.Errorf("it did not end: %v", err)
		}
		failures := b.engine.Failures()
		b.end()
		if len(failures) != len(names) {
			t.Errorf("%d failures are told, want %d", len(failures), len(names))
		}
	})
}
