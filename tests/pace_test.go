package tests

import (
	"syscall"
	"testing"
	"time"

	"syncd/tests/affisesim"
)

func TestTheDelayBetweenCallsHoldsAcrossRestartsAndFailedCalls(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	b := newBed(t, affisesim.Options{Conversions: 500, Clicks: -1, Faults: affisesim.Faults{
		Script: []affisesim.Fault{{Kind: affisesim.ServerError, After: 5, Times: 2}, {Kind: affisesim.Reset, After: 9}, {Kind: affisesim.Slow, After: 12, Delay: 200 * time.Millisecond}},
	}}).onServer()
	x := recent(t, "main", "UTC", 9)
	b.config(adminAccount("main", "UTC", x.from, "    pace: {min_delay: 60ms, allow_faster: true, parallel: 1}\n    timeout: 2s\n"))
	args := []string{"run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()), "--only", "main/conversions", "--only", "main/stats/by_offer"}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGKILL} {
		few := b.after(3)
		p := b.start(args...)
		<-few
		p.signal(signal)
		r := p.wait()
		if signal == syscall.SIGINT {
			says(t, r.ended(t, 3).stderr, "interrupted")
		}
		b.network.Mark()
	}
	b.run(args...).ended(t, 0)
	if n := len(b.network.Log()); n < 20 {
		t.Errorf("only %d calls were made", n)
	}
	for _, p := range b.network.CallsWithin(delay) {
		t.Errorf("call %d (run %d) left %s after the end of call %d (run %d); the delay is %s",
			p.Second.Number, p.Second.Epoch, p.Gap(), p.First.Number, p.First.Epoch, delay)
	}
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"3", "date:4"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, affisesim.Options{Conversions: 100, Clicks: -1}).onServer()
			b.network.Inject(affisesim.Fault{Kind: affisesim.TooManyRequests, After: 2, RetryAfter: form})
			x := recent(t, "main", "UTC", 4)
			b.config(adminAccount("main", "UTC", x.from, "    pace: {min_delay: 0s, allow_faster: true, parallel: 1}\n"))
			b.run("run", "--backfill", x.day(x.from)+".."+x.day(time.Now()), "--only", "main/conversions").ended(t, 0)
			calls := b.network.Log()
			for i, c := range calls {
				if c.Status != 429 {
					continue
				}
				if i+1 == len(calls) {
					t.Fatal("no call came after the refused one")
				}
				if gap := calls[i+1].At.Sub(c.Ended); gap < 3*time.Second {
					t.Errorf("the next call left after %s; the network asked for 3 s at least", gap)
				}
			}
			conn, _ := b.warehouse()
			b.conversionsEqual(conn, x)
		})
	}
}

// With a delay that is longer than a start of the program takes, only what was
// recorded before it was killed can hold the next call back.
func TestTheDelayHoldsWhenItIsKilledDuringAndAfterACall(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	b := newBed(t, affisesim.Options{Conversions: 300, Clicks: -1}).onServer()
	b.network.Inject(affisesim.Fault{Kind: affisesim.Hang})
	x := recent(t, "main", "UTC", 1)
	b.config(adminAccount("main", "UTC", x.from, "    pace: {min_delay: 3s, parallel: 1}\n    timeout: 2s\n"))
	args := []string{"run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()), "--only", "main/conversions"}

	p := b.start(args...)
	eventually(t, "a call to be under way", func() bool { return len(b.network.Log()) == 1 })
	p.signal(syscall.SIGKILL)
	p.wait()

	b.binary = must(crashing())(t)
	if r := b.startWith([]string{"SYNCD_CRASH=received:1"}, args...).wait(); r.signal != syscall.SIGKILL {
		t.Fatalf("it did not crash:\n%s", tail(r.stderr))
	}

	b.run(args...).ended(t, 0)
	if n := len(b.network.Log()); n < 3 {
		t.Errorf("only %d calls were made", n)
	}
	for _, p := range b.network.CallsWithin(delay) {
		t.Errorf("call %d left %s after the end of call %d; the delay is %s", p.Second.Number, p.Gap(), p.First.Number, delay)
	}
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
}

// Workers wake together; what one of them takes of the pace the other has not.
func TestTwoCallsAtOnceDoNotStartTogether(t *testing.T) {
	t.Parallel()
	const delay = 200 * time.Millisecond
	b := newBed(t, affisesim.Options{Conversions: 300, Clicks: -1}).onServer()
	x := recent(t, "main", "UTC", 5)
	b.config(adminAccount("main", "UTC", x.from, "    pace: {min_delay: 200ms, parallel: 2}\n"))
	b.run("run", "--backfill", x.day(x.from)+".."+x.day(time.Now()), "--only", "main/conversions").ended(t, 0)
	calls := b.network.Log()
	if len(calls) < 6 {
		t.Errorf("only %d calls were made", len(calls))
	}
	for i, c := range calls[1:] {
		// The clock is read on arrival, which a busy machine may delay for the first of two.
		if apart := c.At.Sub(calls[i].At); apart < delay/2 {
			t.Errorf("call %d started %s after call %d; the delay is %s", c.Number, apart, calls[i].Number, delay)
		}
	}
}
