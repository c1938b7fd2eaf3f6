package tests

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/internal/pipeline"
	"syncd/internal/schedule"
	"syncd/loaders"
	"syncd/state"
	"syncd/state/sqlite"
	"syncd/tests/performcbsim"
)

// The partner of the simulated Perform[cb]. The key is spelt so that a search for it
// finds nothing else.
const (
	performUser = 90017
	performKey  = "e2e-PERFORM-key-9d27e4"
	performZone = "America/New_York"
)

// installation is what outlives a daemon: its state file, its warehouse, the network
// and what was asked of it. It wires the parts as cmd/syncd does, which cannot be
// imported, for a bubble whose clock moves only when nobody has anything to do.
type installation struct {
	network         *performcbsim.Network
	path            string // of the state
	dsn, database   string
	account         rest.Account
	manifest        *manifest.Network
	linger          time.Duration
	lives           int
	callers, killer *rand.Rand

	mu    sync.Mutex
	asked []asked
}

// asked is a call as its client saw it.
type asked struct {
	pull     int64
	what     string
	life     int
	at       time.Time
	answered bool // whole, and as the network meant it
}

// performManifest reads the embedded manifest.
func performManifest(t *testing.T) *manifest.Network {
	t.Helper()
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return networks[slices.IndexFunc(networks, func(n *manifest.Network) bool { return n.Name == "performcb" })]
}

// plain is a credential of the tests.
type plain string

func (p plain) Reveal() string { return string(p) }

// life is one run of the daemon over an installation.
type life struct {
	t       *testing.T
	in      *installation
	number  int
	engine  *pipeline.Engine
	store   *mortal
	cancel  context.CancelFunc
	warm    *loaders.Warehouse
	group   *errgroup.Group
	streams []*extractors.Stream

	// killed is closed when the life ends without grace; at names the step where it will.
	killed chan struct{}
	die    func()
	mu     sync.Mutex
	at     string
}

// start begins a life; scheduled ones plan what is due, as `syncd run` does, and the
// others have to be told.
func (in *installation) start(t *testing.T, scheduled bool) *life {
	t.Helper()
	in.lives++
	l := &life{t: t, in: in, number: in.lives, killed: make(chan struct{})}
	store, err := sqlite.Open(in.path)
	if err != nil {
		t.Fatal(err)
	}
	l.store = &mortal{Store: store}
	ctx, cancel := context.WithCancel(t.Context())
	l.cancel = cancel
	l.die = sync.OnceFunc(func() {
		l.store.dead.Store(true)
		close(l.killed)
		cancel()
	})
	if l.warm, err = loaders.Open(ctx, loaders.Options{DSN: in.dsn, Database: in.database, Instance: "week", After: l.reached}); err != nil {
		t.Fatal(err)
	}
	if err := l.warm.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	source, err := rest.New(in.manifest, in.account)
	if err != nil {
		t.Fatal(err)
	}
	l.streams = source.Streams()
	account := &pipeline.Account{
		Name: in.account.Name, Network: in.manifest.Name, Source: source, Caller: l,
		MinDelay: in.manifest.Pace.MinDelay, Timeout: in.manifest.Timeout, Parallel: in.manifest.Pace.Parallel,
		Location: in.account.Location,
	}
	l.engine, err = pipeline.New(ctx, pipeline.Options{
		Store: l.store, Warehouse: l.warm, Accounts: []*pipeline.Account{account}, Log: zap.NewNop(),
		After: l.reached, Linger: in.linger, OneShot: !scheduled,
	})
	if err != nil {
		t.Fatal(err)
	}
	var running context.Context
	l.group, running = errgroup.WithContext(ctx)
	l.group.Go(func() error { return l.engine.Run(running) })
	if scheduled {
		entries := l.entries(account)
		l.group.Go(func() error { return (&schedule.Loop{}).Run(running, entries) })
	}
	return l
}

// entries is the schedule of the account, as the daemon has it.
func (l *life) entries(a *pipeline.Account) []schedule.Entry {
	l.t.Helper()
	var entries []schedule.Entry
	for _, s := range l.streams {
		when, err := schedule.Parse(s.Schedule, a.Location, a.Network+"/"+a.Name+"/"+s.Name)
		if err != nil {
			l.t.Fatal(err)
		}
		last, err := l.store.Due(l.t.Context(), a.Name, s.Name)
		if err != nil {
			l.t.Fatal(err)
		}
		entries = append(entries, schedule.Entry{Key: s.Name, Schedule: when, Last: last, Fire: func(ctx context.Context, due time.Time) {
			err := l.engine.Plan(ctx, a.Name, s.Name, time.Now())
			if err == nil {
				err = l.store.SetDue(ctx, a.Name, s.Name, due)
			}
			if err != nil && ctx.Err() == nil {
				l.t.Errorf("stream %s not planned: %v", s.Name, err)
			}
		}})
	}
	return entries
}

// stop ends the life as SIGTERM does.
func (l *life) stop() {
	l.t.Helper()
	l.cancel()
	if err := l.end(); err != nil && !errors.Is(err, context.Canceled) {
		l.t.Errorf("life %d ended with %v", l.number, err)
	}
}

// killAt ends the life as SIGKILL does, at the next step of a name.
func (l *life) killAt(step string) {
	l.mu.Lock()
	l.at = step
	l.mu.Unlock()
	<-l.killed
	_ = l.end() // says that the store is dead, or nothing
}

func (l *life) end() error {
	l.t.Helper()
	err := l.group.Wait()
	if failures := l.engine.Failures(); len(failures) > 0 {
		l.t.Errorf("life %d gave up: %s", l.number, strings.Join(failures, "\n"))
	}
	if err := errors.Join(l.warm.Close(), l.store.Close()); err != nil {
		l.t.Errorf("life %d: %v", l.number, err)
	}
	return err
}

// reached is told of every step of pipeline and loader.
func (l *life) reached(step string) {
	l.mu.Lock()
	now := l.at == step
	l.mu.Unlock()
	if now {
		l.die()
	}
}

// calling is the step of killAt in the middle of a call.
const calling = "calling"

// throttled is the share of calls that are answered with a refusal inside of 200: the
// simulator itself says so only of calls that come too early.
const throttled = 0.008

// Do makes a call of the simulated network as cmd/syncd does over the line: within the
// account's timeout, and what brings no whole answer is an APIError.
func (l *life) Do(ctx context.Context, c extractors.Call) (extractors.Answer, error) {
	broken := func(why string) (extractors.Answer, error) {
		return extractors.Answer{}, &extractors.APIError{Network: l.in.manifest.Title, Op: c.Describe, Outcome: extractors.RetryNow, Err: errors.New(why)}
	}
	u, err := url.Parse(c.URL)
	if err != nil || c.Method != http.MethodGet || c.Creates {
		return broken("not a read")
	}
	if l.store.dead.Load() {
		return broken("killed") // before it left
	}
	l.in.mu.Lock()
	number := len(l.in.asked)
	l.in.asked = append(l.in.asked, asked{pull: l.store.departed.Load(), what: c.Describe, life: l.number, at: time.Now()})
	took := time.Duration(1+l.in.callers.IntN(9)) * time.Second
	refused := l.in.callers.Float64() < throttled
	l.in.mu.Unlock()
	l.in.network.Set(func(s *performcbsim.Switches) { s.Slow = took })
	// The call is the network's until it is over or its client closes the connection.
	connected, hangUp := context.WithTimeout(context.WithoutCancel(ctx), l.in.manifest.Timeout)
	rec := httptest.NewRecorder()
	cut, ended := false, make(chan struct{})
	go func() {
		defer hangUp()
		defer close(ended)
		cut = !served(l.in.network, rec, httptest.NewRequestWithContext(connected, c.Method, u.RequestURI(), nil))
	}()
	middle := time.NewTimer(took / 2)
	defer middle.Stop()
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		case <-middle.C:
			l.reached(calling)
		case <-l.killed:
			// The network does not hear of it and goes on, which is what a daemon that is
			// started again has to fear.
			return broken("killed")
		case <-ctx.Done():
			hangUp()
			<-ended
			return broken("cut")
		}
	}
	if cut {
		return broken("the connection broke, or no answer came in time")
	}
	a := extractors.Answer{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}
	if refused {
		const words = "Please set a delay between API calls of at least 5 minutes"
		if strings.HasPrefix(a.Header.Get("Content-Type"), "text/xml") {
			a.Body = []byte("<response><success>false</success><message>" + words + "</message></response>")
		} else {
			a.Body = []byte(`{"response":{"status":-1,"httpStatus":200,"data":"","errorMessage":"` + words + `"}}`)
		}
		return a, nil
	}
	if log := l.in.network.Log(); log[len(log)-1].Fault == "" {
		l.in.mu.Lock()
		l.in.asked[number].answered = true
		l.in.mu.Unlock()
	}
	return a, nil
}

// served lets a handler answer; false if it cut the connection or its client was gone.
func served(h http.Handler, w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the very value, as net/http compares it
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return r.Context().Err() == nil
}

// Fetch is not needed: Perform[cb] has no files.
func (l *life) Fetch(context.Context, extractors.File, string) (int64, error) {
	return 0, errors.New("Perform[cb] has no files")
}

// mortal is a state store that takes nothing any more once it is dead, as that of a
// process which was killed. What it took before stays.
type mortal struct {
	state.Store
	dead atomic.Bool
	// departed is the pull of the last call that left.
	departed atomic.Int64
}

var errKilled = errors.New("the process was killed")

// write does what f does unless the process is dead.
func (m *mortal) write(f func() error) error {
	if m.dead.Load() {
		return errKilled
	}
	return f()
}

func (m *mortal) CreatePulls(ctx context.Context, p []state.NewPull) (created []state.Pull, err error) {
	err = m.write(func() error { created, err = m.Store.CreatePulls(ctx, p); return err })
	return created, err
}

func (m *mortal) SetItems(ctx context.Context, pull int64, items []string, done bool) error {
	return m.write(func() error { return m.Store.SetItems(ctx, pull, items, done) })
}

func (m *mortal) DropPulls(ctx context.Context, pulls []int64) error {
	return m.write(func() error { return m.Store.DropPulls(ctx, pulls) })
}

func (m *mortal) StopLane(ctx context.Context, account, reason string) error {
	return m.write(func() error { return m.Store.StopLane(ctx, account, reason) })
}

func (m *mortal) Depart(ctx context.Context, d state.Departure) error {
	m.departed.Store(d.PullID)
	return m.write(func() error { return m.Store.Depart(ctx, d) })
}

func (m *mortal) Receive(ctx context.Context, r state.Receipt) (p state.Pull, err error) {
	err = m.write(func() error { p, err = m.Store.Receive(ctx, r); return err })
	return p, err
}

func (m *mortal) Fail(ctx context.Context, f state.Failure) error {
	return m.write(func() error { return m.Store.Fail(ctx, f) })
}

func (m *mortal) Ended(ctx context.Context, account string, pull int64, at, next time.Time) error {
	return m.write(func() error { return m.Store.Ended(ctx, account, pull, at, next) })
}

func (m *mortal) Publish(ctx context.Context, done []state.Published) error {
	return m.write(func() error { return m.Store.Publish(ctx, done) })
}

func (m *mortal) Hold(ctx context.Context, held []state.Held) error {
	return m.write(func() error { return m.Store.Hold(ctx, held) })
}

func (m *mortal) Reject(ctx context.Context, pull int64, reason string) error {
	return m.write(func() error { return m.Store.Reject(ctx, pull, reason) })
}

func (m *mortal) SetDue(ctx context.Context, account, stream string, at time.Time) error {
	return m.write(func() error { return m.Store.SetDue(ctx, account, stream, at) })
}

func (m *mortal) SaveRun(ctx context.Context, r state.Run) error {
	return m.write(func() error { return m.Store.SaveRun(ctx, r) })
}

// performAccount is the account of the tests, with all streams and without its start.
func performAccount(t *testing.T, pageSize int) rest.Account {
	on := true
	return rest.Account{
		Name: "partner", Location: zone(t, performZone),
		Credentials: map[string]rest.Secret{"api_key": plain(performKey)},
		Variables:   map[string]string{"user_id": strconv.Itoa(performUser), "page_size": strconv.Itoa(pageSize), "traffic_type": "App Installs"},
		Streams:     map[string]rest.Settings{"campaigns": {Enabled: &on}},
	}
}
