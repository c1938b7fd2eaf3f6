package statetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"syncd/state"
)

// crashPlace names the environment variable that makes the test binary the process
// that will be killed; its value is the place of the store.
const crashPlace = "STATETEST_CRASH_PLACE"

// crashWork names the one that says what the process does; nothing for pulling.
const crashWork = "STATETEST_CRASH_WORK"

// Main is the TestMain of a driver's tests. It fails them when goroutines are left,
// and it is the body of the child process of the crash test.
func Main(m *testing.M, d Driver) {
	place := os.Getenv(crashPlace)
	if place == "" {
		goleak.VerifyTestMain(m)
		return
	}
	go func() { // the parent is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	work := workUntilKilled
	if os.Getenv(crashWork) == postbackWork {
		work = postbacksUntilKilled
	}
	fmt.Fprintln(os.Stderr, work(d, place))
	os.Exit(1)
}

// crashLanes is how many lanes the child works on at the same time.
const crashLanes = 3

// crashPull is what both processes know of a window without asking the store.
func crashPull(lane, n int) state.NewPull {
	p := window(n)
	p.Account = fmt.Sprintf("lane %d", lane)
	return p
}

func crashPages(windowFrom time.Time) int { return 1 + int(windowFrom.Unix()/3600)%7 }

// crashReceipt is the nth answer of a pull. Its body goes beyond one page of any store.
func crashReceipt(p state.Pull, n int, at time.Time) state.Receipt {
	r := receipt(p, n, n == crashPages(p.From))
	r.Body = bytes.Repeat(r.Body, 1+int(p.ID*31+int64(n)*17)%150)
	r.NextCall = at.Add(time.Second)
	return r
}

// workUntilKilled is the child. It says on standard output what was acknowledged,
// one line at a time, each written at once.
func workUntilKilled(d Driver, place string) error {
	s, err := d.Open(place)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for lane := range crashLanes {
		go func() { failed <- workLane(s, lane) }()
	}
	return <-failed
}

func workLane(s state.Store, lane int) error {
	ctx := context.Background()
	account := crashPull(lane, 0).Account
	open, err := s.OpenPulls(ctx, account)
	if err != nil {
		return err
	}
	done, err := s.Checkpoints(ctx, account, "conversions")
	if err != nil {
		return err
	}
	for n := len(done); ; n++ {
		var p state.Pull
		if len(open) > 0 { // what the last child left
			p, open = open[0], open[1:]
		} else {
			created, err := s.CreatePulls(ctx, []state.NewPull{crashPull(lane, n)})
			if err != nil {
				return err
			}
			p = created[0]
			fmt.Printf("created %d %d %d %d\n", lane, n, p.ID, p.Version)
		}
		if err := workPull(ctx, s, lane, p); err != nil {
			return err
		}
		if err := s.Publish(ctx, []state.Published{{PullID: p.ID, PublishedAt: t0, Rows: p.Records}}); err != nil {
			return err
		}
		fmt.Printf("published %d %d %d %d\n", lane, n, p.ID, p.Version)
	}
}

func workPull(ctx context.Context, s state.Store, lane int, p state.Pull) error {
	for p.Phase == state.Pulling {
		l, err := s.Lane(ctx, p.Account)
		if err != nil {
			return err
		}
		at := l.NextCall.Add(time.Second)
		n := p.Pages + 1
		feared := at.Add(time.Minute)
		if err := s.Depart(ctx, state.Departure{Account: p.Account, PullID: p.ID, At: at, NextCall: feared}); err != nil {
			return err
		}
		fmt.Printf("departed %d %d %d %d\n", lane, n, p.ID, feared.UnixMilli())
		if p, err = s.Receive(ctx, crashReceipt(p, n, at)); err != nil {
			return err
		}
		fmt.Printf("received %d %d %d %d\n", lane, n, p.ID, at.UnixMilli())
	}
	return nil
}

// acknowledged is what the children said, over all of their lives.
type acknowledged struct {
	created   map[int64]uint64  // pull: version
	windows   map[int64][2]int  // pull: lane and number of the window
	received  map[int64]int     // pull: pages
	published map[int64]bool    // pull
	lanes     [crashLanes]event // the last of each
	greatest  uint64            // version
}

type event struct {
	what   string
	n      int
	pull   int64
	number int64
}

func (a *acknowledged) note(line string) error {
	var e event
	var lane int
	if _, err := fmt.Sscanf(line, "%s %d %d %d %d", &e.what, &lane, &e.n, &e.pull, &e.number); err != nil {
		return fmt.Errorf("the child said %q: %w", line, err)
	}
	switch e.what {
	case "created":
		a.created[e.pull] = uint64(e.number)
		a.windows[e.pull] = [2]int{lane, e.n}
		a.greatest = max(a.greatest, uint64(e.number))
	case "received":
		a.received[e.pull] = e.n
	case "published":
		a.published[e.pull] = true
	}
	a.lanes[lane] = e
	return nil
}

// testCrash kills a working process again and again, at moments that differ from
// run to run, and looks after each time whether the store has all that was
// acknowledged, whole. The next child goes on where the last one was killed.
func testCrash(t *testing.T, d Driver) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	place := d.Place(t)
	a := &acknowledged{created: map[int64]uint64{}, windows: map[int64][2]int{}, received: map[int64]int{}, published: map[int64]bool{}}
	for round := 1; round <= 8; round++ {
		killAfter(t, place, "", 1+random.IntN(400), a.note)
		f := &fixture{T: t, d: d, place: place, ctx: t.Context()}
		f.open()
		inspect(f, a)
		f.no(f.s.Close())
	}
	if len(a.published) == 0 {
		t.Error("the children did nothing")
	}
}

// killAfter runs a child, kills it when it has said so many lines, and notes all
// that it said.
func killAfter(t *testing.T, place, work string, lines int, note func(line string) error) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), crashPlace+"="+place, crashWork+"="+work)
	var stderr bytes.Buffer
	child.Stderr = &stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = child.Process.Kill()
		_, _ = io.Copy(io.Discard, stdout)
		_ = child.Wait() // an error by design: it was killed
		_ = stdin.Close()
	})
	defer end()
	said := 0
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if err := note(scanner.Text()); err != nil {
			t.Fatal(err)
		}
		if said++; said == lines {
			_ = child.Process.Kill() // SIGKILL; what it said before is still in the pipe
		}
	}
	end()
	if said < lines {
		t.Fatalf("the child ended by itself after %d lines: %s", said, stderr.String())
	}
}

// inspect compares the store with what was acknowledged.
func inspect(f *fixture, a *acknowledged) {
	f.Helper()
	checkpoints := map[uint64]bool{} // by version
	for lane := range crashLanes {
		for _, c := range must[[]state.Checkpoint](f)(f.s.Checkpoints(f.ctx, crashPull(lane, 0).Account, "conversions")) {
			checkpoints[c.Version] = true
		}
	}
	var inbox state.InboxSize
	open := map[int64]state.Pull{}
	for _, p := range f.openPulls() {
		open[p.ID] = p
		inbox.Pages += int64(p.Pages)
		for _, page := range inspectPull(f, p) {
			inbox.Bytes += int64(len(page.Body))
			a.greatest = max(a.greatest, page.Version)
		}
		a.greatest = max(a.greatest, p.Version)
	}
	f.equal("inbox", f.inbox(), inbox)

	for id, version := range a.created {
		p, isOpen := open[id]
		switch {
		case isOpen == checkpoints[version]:
			f.Errorf("pull %d of version %d: open: %v, published: %v; want one of both", id, version, isOpen, !isOpen)
		case a.published[id] && isOpen:
			f.Errorf("pull %d was published, but is open", id)
		case isOpen && p.Pages < a.received[id]:
			f.Errorf("pull %d has %d pages, but %d were acknowledged", id, p.Pages, a.received[id])
		case isOpen && p.From != crashPull(a.windows[id][0], a.windows[id][1]).From:
			f.Errorf("pull %d is of another window: %s", id, p.From)
		}
	}
	for lane, e := range a.lanes {
		inspectLane(f, lane, e, open)
	}
	next := f.created(window(0)) // of an account that no lane has
	if next.Version <= a.greatest {
		f.Errorf("version %d came after %d", next.Version, a.greatest)
	}
	a.greatest = max(a.greatest, next.Version)
	f.no(f.s.DropPulls(f.ctx, []int64{next.ID}))
}

// inspectPull checks that a pull and its pages are of one piece.
func inspectPull(f *fixture, p state.Pull) []state.Page {
	f.Helper()
	pages := f.pages(p.ID)
	want := state.Pull{Phase: state.Pulling, Pages: len(pages), Records: sumRecords(len(pages))}
	if len(pages) > 0 {
		want.Cursor = state.Cursor("page=" + strconv.Itoa(len(pages)+1))
	}
	if len(pages) == crashPages(p.From) {
		want.Phase = state.Pulled
	}
	f.equal(fmt.Sprintf("pull %d beside its pages", p.ID), state.Pull{Phase: p.Phase, Pages: p.Pages, Records: p.Records, Cursor: p.Cursor}, want)
	last := p.Version
	for i, page := range pages {
		if !bytes.Equal(page.Body, crashReceipt(p, i+1, t0).Body) {
			f.Errorf("page %d of pull %d is damaged", i+1, p.ID)
		}
		if page.Version <= last {
			f.Errorf("page %d of pull %d has version %d, after %d", i+1, p.ID, page.Version, last)
		}
		last = page.Version
	}
	return pages
}

// inspectLane checks that a call that left holds the lane until its end is known.
func inspectLane(f *fixture, lane int, last event, open map[int64]state.Pull) {
	f.Helper()
	if last.what != "departed" {
		return
	}
	p, isOpen := open[last.pull]
	if !isOpen || p.Pages >= last.n {
		return // its answer was stored, the child had no time to say so
	}
	next := must[state.Lane](f)(f.s.Lane(f.ctx, crashPull(lane, 0).Account)).NextCall
	if next.UnixMilli() < last.number {
		f.Errorf("lane %d calls again at %d, but a call is in flight until %d", lane, next.UnixMilli(), last.number)
	}
}
