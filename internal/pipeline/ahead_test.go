package pipeline

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/state"
)

// arriving is an engine whose pull's file comes in two pieces, the second when the test
// lets it.
type arriving struct {
	*loading
	engine *Engine
	// fetch is the n-th download, counted from 1; begun says when a slot began a batch.
	fetch func(ctx context.Context, n int, into *os.File) error
	begun chan struct{}
	// size is what the network announces of the n-th link.
	size func(n int) int64

	mu      sync.Mutex
	fetched int
	steps   []string
}

// begins is a warehouse that says when a batch begins.
type begins struct {
	*loaders.Warehouse
	a *arriving
}

func (b begins) Begin(ctx context.Context, slot int) (*loaders.Batch, error) {
	batch, err := b.Warehouse.Begin(ctx, slot)
	b.a.step("begun")
	select {
	case b.a.begun <- struct{}{}:
	default:
	}
	return batch, err
}

func (a *arriving) step(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name != "departed" && name != "answered" {
		a.steps = append(a.steps, name)
	}
}

func newArriving(t *testing.T, records int) *arriving {
	a := &arriving{loading: newLoading(t), begun: make(chan struct{}, 1), size: func(int) int64 { return 0 }}
	links := 0
	network := a.account.Source.(*fakeNetwork)
	network.machines = map[string]func(extractors.Work) (extractors.Call, extractors.Page){
		"conversions": func(extractors.Work) (extractors.Call, extractors.Page) {
			return extractors.Call{Describe: "sign"}, extractors.Page{Records: records, Done: true, File: &extractors.File{Name: "x-1", Size: a.size(links)}}
		},
	}
	network.fetch = func(ctx context.Context, _ extractors.File, path string) (int64, error) {
		a.mu.Lock()
		a.fetched++
		n := a.fetched
		links++
		a.mu.Unlock()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		if err := a.fetch(ctx, n, f); err != nil {
			return 0, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	a.begin()
	return a
}

// begin makes the engine anew, as the next daemon would.
func (a *arriving) begin() {
	a.t.Helper()
	o := Options{
		Store: a.store, Warehouse: begins{a.warehouse, a}, Accounts: []*Account{a.account}, Log: zaptest.NewLogger(a.t), Spool: a.spool,
		Linger: time.Millisecond, After: a.step,
	}
	if a.change != nil {
		a.change(&o)
	}
	var err error
	a.engine, err = New(a.t.Context(), o)
	a.ok(err)
}

// write writes to a file that comes; what is wrong with that fails the test.
func (a *arriving) write(into *os.File, text string) {
	_, err := into.WriteString(text)
	if err != nil {
		a.t.Error(err)
	}
}

// run works until nothing is left to do and gives the steps of it.
func (a *arriving) run() []string {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	done := make(chan error, 1)
	go func() { done <- a.engine.Run(ctx) }()
	drained := a.engine.Drain(a.t.Context(), time.Minute)
	cancel()
	a.ok(errors.Join(drained, <-done))
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.steps)
}

func (a *arriving) sees(steps []string, want string) {
	a.t.Helper()
	a.equal("steps", strings.Join(steps, " "), want)
}

const (
	firstRow  = "one,2026-03-01 10:00:00,approved,1,7\n"
	badRow    = "two,yesterday,approved,1,7\n"
	secondRow = "three,2026-03-02 10:00:00,pending,2,7\n"
	bothRows  = "one\tapproved\t1.0000000000\nthree\tpending\t2.0000000000"
	straight  = "begun downloaded received staged published checkpointed"
)

func TestAFileIsStagedWhileItComes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		announce int
		// second comes when a slot is at the first piece.
		second, steps, visible, failures string
		slots                            int
	}{
		{"it is what was announced", 3, secondRow, straight, bothRows, "", 2},
		{"it has fewer records than announced", 4, secondRow, "begun downloaded received", "", "has 3 records, the network announced 4", 2},
		{"it ends inside of a value, which the whole file shows", 3, `three,"2026`, "begun downloaded received begun", "", "inside of a quoted value", 2},
		{"with one slot nothing is staged ahead", 3, secondRow, "downloaded received begun staged published checkpointed", bothRows, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newArriving(t, tt.announce)
			from, to := daysFrom(2)
			p := a.create(state.Export, from, to)
			a.change = func(o *Options) { o.Slots = tt.slots }
			a.begin()
			a.fetch = func(_ context.Context, _ int, into *os.File) error {
				a.write(into, header+firstRow+badRow)
				if tt.slots > 1 {
					<-a.begun
				}
				a.write(into, tt.second)
				return nil
			}
			steps := a.run()
			a.sees(steps, tt.steps)
			a.equal("visible", a.ask(visible), tt.visible)
			if got := strings.Join(a.engine.Failures(), "\n"); !strings.Contains(got, tt.failures) || (got == "") != (tt.failures == "") {
				t.Errorf("got failures %q, want %q in it", got, tt.failures)
			}
			if tt.visible == "" {
				return
			}
			a.equal("versions", a.ask("SELECT count() FROM {store}.conversions WHERE _version = %d", p.FileVersion), "2")
			page := a.ask("SELECT pull_id, page_seq, toUnixTimestamp64Milli(received_at) FROM {store}.raw_pages")
			a.equal("quarantine", a.ask("SELECT pull_id, page_seq, toUnixTimestamp64Milli(received_at) FROM {store}.quarantine"), page)
			checkpoints, err := a.store.Checkpoints(t.Context(), "a", "conversions")
			a.ok(err)
			if len(checkpoints) != 1 || checkpoints[0].Rows != 2 || checkpoints[0].Quarantined != 1 {
				t.Errorf("got checkpoints %+v", checkpoints)
			}
		})
	}
}

func TestADownloadThatDoesNotEndWellLeavesNothing(t *testing.T) {
	wrong := "wrong,2026-03-01 10:00:00,approved,1,7\n" + badRow
	for _, tt := range []struct {
		name  string
		first func(ctx context.Context, a *arriving, into *os.File) error
		size  func(n int) int64
		// again says that the second download is staged ahead too.
		again bool
		steps string
		// unread are the steps if the slot reads nothing before the file is what it ends as:
		// what begins a batch reads some time afterwards.
		unread string
	}{
		{"it breaks off", func(_ context.Context, a *arriving, into *os.File) error {
			return errors.Join(apiError(extractors.RetryNow, 0, 0), into.Truncate(0))
		}, nil, true, "begun begun downloaded received staged published checkpointed", ""},
		{"it has another size than announced", func(context.Context, *arriving, *os.File) error { return nil },
			func(n int) int64 { return []int64{1 << 30, 0}[min(n, 1)] }, true, "begun begun downloaded received staged published checkpointed", ""},
		{"another file takes its place", func(_ context.Context, a *arriving, into *os.File) error {
			a.ok(os.Remove(into.Name()))
			return os.WriteFile(into.Name(), []byte(header+firstRow+secondRow), 0o600)
		}, nil, false, "begun downloaded received begun staged published checkpointed", ""},
		{"it is shortened", func(_ context.Context, a *arriving, into *os.File) error {
			a.ok(into.Truncate(0))
			a.write(into, header+firstRow+secondRow)
			return nil
		}, nil, false, "begun downloaded received begun staged published checkpointed", straight},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newArriving(t, 0)
			if tt.size != nil {
				a.size = tt.size
			}
			from, to := daysFrom(2)
			a.create(state.Export, from, to)
			a.begin()
			a.fetch = func(ctx context.Context, n int, into *os.File) error {
				if n == 1 {
					a.write(into, header+strings.Repeat(wrong, 100))
					<-a.begun
					return tt.first(ctx, a, into)
				}
				a.write(into, header+firstRow)
				if tt.again {
					<-a.begun
				}
				a.write(into, secondRow)
				return nil
			}
			if steps := a.run(); tt.unread == "" || strings.Join(steps, " ") != tt.unread {
				a.sees(steps, tt.steps)
			}
			a.equal("visible", a.ask(visible), bothRows)
			a.equal("quarantine", a.ask("SELECT count() FROM {store}.quarantine"), "0")
		})
	}
}

func TestAShutdownEndsAFileThatIsStagedAhead(t *testing.T) {
	a := newArriving(t, 2)
	from, to := daysFrom(2)
	a.create(state.Export, from, to)
	a.begin()
	ctx, cancel := context.WithCancel(t.Context())
	a.fetch = func(ctx context.Context, n int, into *os.File) error {
		if n == 1 {
			a.write(into, header+firstRow)
			<-a.begun
			cancel()
			<-ctx.Done()
			return context.Cause(ctx)
		}
		a.write(into, secondRow) // goes on behind what is there
		return nil
	}
	a.ok(a.engine.Run(ctx))
	a.equal("visible", a.ask(visible), "")
	a.begin()
	a.sees(a.run(), "begun downloaded received begun staged published checkpointed")
	a.equal("visible", a.ask(visible), bothRows)
}

func TestOtherPullsAreLoadedWhileAFileIsStagedAhead(t *testing.T) {
	a := newArriving(t, 2)
	from, to := daysFrom(2)
	a.create(state.Export, from, to)
	published := make(chan struct{}, 1)
	a.change = func(o *Options) {
		o.After = func(step string) {
			a.step(step)
			if step == "checkpointed" {
				select {
				case published <- struct{}{}:
				default:
				}
			}
		}
	}
	a.begin()
	a.fetch = func(ctx context.Context, _ int, into *os.File) error {
		a.write(into, header+firstRow)
		<-a.begun
		beside := a.create(state.Direct, to, to.AddDate(0, 0, 1))
		within := a.create(state.Direct, from, from.AddDate(0, 0, 1))
		packer, err := newPacker()
		a.ok(err)
		for _, p := range []state.Pull{beside, within} {
			body, release := packer.pack([]byte(`{"rows":[{"id":"` + p.From.Format("0102") + `","created":"` + p.From.Format(time.DateTime) + `","status":"approved","payout":"1","offer":"7"}]}`))
			a.receive(p, state.Receipt{Body: body, RawBytes: 100, Records: 1})
			release()
		}
		open, err := a.store.OpenPulls(t.Context(), "a")
		a.ok(err)
		a.engine.queue.add(slices.DeleteFunc(open, func(p state.Pull) bool { return p.Phase != state.Pulled }), time.Now())
		<-published
		a.equal("visible meanwhile", a.ask("SELECT conversion_id FROM {db}.conversions ORDER BY conversion_id"), "0303")
		a.write(into, secondRow)
		return nil
	}
	a.sees(a.run(), "begun begun staged published checkpointed downloaded received staged published checkpointed begun staged published checkpointed")
	a.equal("visible", a.ask("SELECT conversion_id FROM {db}.conversions ORDER BY conversion_id"), "0301\n0303\nthree")
}

func TestADownloadThatTakesTooLongIsNotWaitedFor(t *testing.T) {
	part, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	a := &ahead{part: part, ctx: t.Context(), over: make(chan struct{}), waited: aheadPatience}
	if n, err := a.Read(make([]byte, 1)); n != 0 || err == nil || !strings.Contains(err.Error(), "too slowly") {
		t.Errorf("read %d bytes and %v", n, err)
	}
}
