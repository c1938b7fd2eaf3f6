package pipeline

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// fileServer serves files that are all alike, a byte a second.
type fileServer struct {
	content string
	// fail gives the error of the n-th download, counted from 1, before its first byte.
	fail func(n int) error
	// slow is how long a failure takes.
	slow time.Duration
	// from are the offsets that downloads began at.
	from []int64
	// busy is how many downloads are under way, most how many ever were at once.
	busy, most int
	network    *fakeNetwork
}

func (s *fileServer) fetch(ctx context.Context, _ extractors.File, path string) (int64, error) {
	s.network.mu.Lock()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.network.mu.Unlock()
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		s.network.mu.Unlock()
		return 0, err
	}
	s.from = append(s.from, info.Size())
	s.busy++
	s.most = max(s.most, s.busy)
	if s.fail != nil {
		err = s.fail(len(s.from))
	}
	s.network.mu.Unlock()
	defer func() {
		s.network.mu.Lock()
		s.busy--
		s.network.mu.Unlock()
	}()
	if err != nil {
		time.Sleep(s.slow)
		return 0, err
	}
	for i := int(info.Size()); i < len(s.content); i++ {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		if _, err := f.WriteString(s.content[i : i+1]); err != nil {
			return 0, err
		}
	}
	return int64(len(s.content)), nil
}

const content = "id,amount\n1,1.50\n2,2.50\n3,3.50\n"

// withFiles gives a network with streams of exports, each of one file.
func withFiles(names ...string) (*fakeNetwork, *fileServer) {
	n := &fakeNetwork{took: time.Second, pages: map[string]int{"offers": 20}, machines: map[string]func(extractors.Work) (extractors.Call, extractors.Page){}}
	for _, name := range names {
		n.streams = append(n.streams, snapshot(name))
		n.machines[name] = exporting(1, &extractors.File{URL: "https://files.example.com/x?sig=1", Name: name + "-7", Size: int64(len(content))})
	}
	n.streams = append(n.streams, snapshot("offers"))
	s := &fileServer{content: content, network: n}
	n.fetch = s.fetch
	return n, s
}

func TestAFileIsDownloadedWhileTheLaneGoesOn(t *testing.T) {
	path := stateFile(t)
	dir, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("clicks")
		b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled)
		b.plan("clicks", "offers")
		time.Sleep(30*time.Second + 500*time.Millisecond)
		if got := b.engine.Waiting("a", "clicks"); !strings.HasPrefix(got, "downloading file clicks-7") {
			t.Errorf("the stream waits for %q", got)
		}
		if _, whole, _ := dir.Whole("a/clicks-7"); whole {
			t.Error("half a file is whole")
		}
		time.Sleep(30 * time.Second)
		pull := b.open()[0]
		if pull.Phase != state.Pulled || pull.Records != 3 || pull.Pages != 1 {
			t.Errorf("the pull stands at %+v", pull)
		}
		pages, err := b.store.Pages(t.Context(), pull.ID, 0, 10)
		if err != nil || len(pages) != 1 {
			t.Fatalf("got %d pages (%v)", len(pages), err)
		}
		page := pages[0]
		if page.File != "a/clicks-7" || page.RawBytes != len(content) || len(page.Body) != 0 || page.Request != "sign" || page.Records != 3 {
			t.Errorf("got page %+v", page)
		}
		stored, err := os.ReadFile(dir.Path(page.File))
		if err != nil || string(stored) != content {
			t.Errorf("the spool has %q (%v)", stored, err)
		}
		b.end()
		if calls := len(network.seen()); calls != 4+20 {
			t.Errorf("got %d calls, want 4 of the export and 20 of the other stream: %v", calls, network.seen())
		}
		if len(server.from) != 1 {
			t.Errorf("downloads began at %v, want one", server.from)
		}
	})
}

// countingFails counts the failures that a store is told of.
type countingFails struct {
	state.Store
	n atomic.Int64
}

func (s *countingFails) Fail(ctx context.Context, f state.Failure) error {
	s.n.Add(1)
	return s.Store.Fail(ctx, f)
}

func TestTwoFilesOfAnAccountAreDownloadedAtOnceAndNoneIsForgotten(t *testing.T) {
	path := stateFile(t)
	dir, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("s1", "s2", "s3", "s4", "s5")
		// A link holds for some seconds less than a file takes: what waited has to be signed again.
		server.content = strings.Repeat("x", 90)
		signed := map[string]time.Time{}
		for name := range network.machines {
			steps := exporting(1, &extractors.File{Name: name})
			network.machines[name] = func(w extractors.Work) (extractors.Call, extractors.Page) {
				call, page := steps(w)
				call.Describe += " " + name
				return call, page
			}
		}
		network.answer = func(_ int, what string) error { signed[what] = time.Now(); return nil }
		brings := network.fetch
		network.fetch = func(ctx context.Context, f extractors.File, path string) (int64, error) {
			network.mu.Lock()
			old := time.Since(signed["sign "+f.Name]) > 80*time.Second
			network.mu.Unlock()
			if old {
				return 0, errors.New("403: the link has expired")
			}
			return brings(ctx, f, path)
		}
		var fails *countingFails
		b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled, func(o *Options) {
			fails = &countingFails{Store: o.Store}
			o.Store = fails
		})
		b.plan("s1", "s2", "s3", "s4", "s5")
		time.Sleep(10 * time.Minute)
		for _, p := range b.open() {
			if p.Phase != state.Pulled || p.LastError != "" {
				t.Errorf("stream %s stands at %s, %q", p.Stream, p.Phase, p.LastError)
			}
			if _, whole, _ := dir.Whole("a/" + p.Stream); !whole {
				t.Errorf("stream %s has no file", p.Stream)
			}
		}
		if got := b.engine.Failures(); len(got) > 0 {
			t.Errorf("got failures %v", got)
		}
		b.end()
		if n := fails.n.Load(); n > 0 {
			t.Errorf("%d links that waited for other downloads were counted as failures", n)
		}
		if server.most != 2 {
			t.Errorf("%d files were downloaded at once, want 2", server.most)
		}
	})
}

func TestADownloadThatFailsIsTriedAgainWithANewLink(t *testing.T) {
	path := stateFile(t)
	_, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("clicks")
		server.fail = func(n int) error {
			if n < 3 {
				return &extractors.APIError{Network: "Fake", Account: "a", Status: 403, Outcome: extractors.StopAccount, RetryAfter: 0}
			}
			return nil
		}
		b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled)
		b.plan("clicks", "offers")
		time.Sleep(10 * time.Minute)
		if pull := b.open()[0]; pull.Phase != state.Pulled || pull.Attempts != 0 {
			t.Errorf("the pull stands at %+v", pull)
		}
		b.end()
		if signs, checks := len(network.times("sign")), len(network.times("check")); signs != 3 || checks != 0 {
			t.Errorf("got %d links and %d checks of the key, want 3 and none", signs, checks)
		}
	})
}

func TestADownloadThatFailsForEverIsGivenUpAndHoldsNobody(t *testing.T) {
	path := stateFile(t)
	_, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("clicks")
		server.fail = func(int) error { return errors.New("connection refused") }
		server.slow = 2500 * time.Millisecond // so that it ends between two calls
		b := setup(t, network, Account{MinDelay: time.Second, Budgets: exports(10, time.Hour)}, path, spooled)
		b.plan("clicks", "offers")
		time.Sleep(50 * time.Second)
		// Every call takes a second, and the pace is one more.
		if got := len(network.seen()); got != 25 {
			t.Errorf("got %d calls in 50 s, want 25: %v", got, network.seen())
		}
		time.Sleep(24 * time.Hour)
		failures := b.engine.Failures()
		b.end()
		if signs := len(network.times("sign")); signs != b.engine.attempts || len(failures) != 1 {
			t.Errorf("got %d links and failures %v, want %d links and one failure", signs, failures, b.engine.attempts)
		}
	})
}

func TestAShutdownCutsADownloadAtOnceAndTheNextDaemonGoesOnBehindIt(t *testing.T) {
	path := stateFile(t)
	dir, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("clicks")
		account := Account{Budgets: exports(10, time.Hour)}
		b := setup(t, network, account, path, spooled)
		b.plan("clicks")
		time.Sleep(30*time.Second + 500*time.Millisecond)
		began := time.Now()
		b.end()
		if took := time.Since(began); took > 0 {
			t.Errorf("the shutdown took %s", took)
		}
		b = setup(t, network, account, path, spooled)
		if pull := b.open()[0]; pull.Attempts != 0 || pull.LastError != "" {
			t.Errorf("the shutdown is counted as a failure: %+v", pull)
		}
		time.Sleep(time.Minute)
		if pull := b.open()[0]; pull.Phase != state.Pulled || pull.Attempts != 0 || pull.LastError != "" {
			t.Errorf("the pull stands at %+v", pull)
		}
		b.end()
		if len(server.from) != 2 || server.from[1] < 10 {
			t.Errorf("downloads began at %v, want a second one behind what came before", server.from)
		}
		if stored, err := os.ReadFile(dir.Path("a/clicks-7")); err != nil || string(stored) != content {
			t.Errorf("the spool has %q (%v)", stored, err)
		}
		if created := len(network.times("create")); created != 1 {
			t.Errorf("%d exports were created, want one", created)
		}
	})
}

func TestAFileThatIsThereIsNotDownloadedAgain(t *testing.T) {
	for _, tt := range []struct {
		name, there string
		announced   int64
		downloads   int
	}{
		{"it is whole", content, int64(len(content)), 0},
		{"its size was not announced", content, 0, 0},
		{"it has another size", "short", int64(len(content)), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := stateFile(t)
			dir, spooled := inSpool(t)
			part, err := dir.Part("a/clicks-7")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.WriteFile(part, []byte(tt.there), 0o600), dir.Finish("a/clicks-7")); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				network, server := withFiles("clicks")
				network.machines["clicks"] = exporting(1, &extractors.File{Name: "clicks-7", Size: tt.announced})
				b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled)
				b.plan("clicks")
				time.Sleep(2 * time.Minute)
				pull := b.open()[0]
				b.end()
				if pull.Phase != state.Pulled || pull.Bytes != int64(len(content)) {
					t.Errorf("the pull stands at %+v", pull)
				}
				if len(server.from) != tt.downloads {
					t.Errorf("downloads began at %v, want %d of them", server.from, tt.downloads)
				}
			})
		})
	}
}

func TestAFileOfAnotherSizeThanAnnouncedIsNotReceived(t *testing.T) {
	path := stateFile(t)
	dir, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, server := withFiles("clicks")
		server.content = content[:10]
		b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled)
		b.plan("clicks")
		time.Sleep(24 * time.Hour)
		failures := strings.Join(b.engine.Failures(), "\n")
		b.end()
		if !strings.Contains(failures, "file clicks-7 has 10 bytes, the network announced 31") {
			t.Errorf("got failures %q", failures)
		}
		if _, whole, _ := dir.Whole("a/clicks-7"); whole {
			t.Error("it is in the spool")
		}
		for _, from := range server.from {
			if from != 0 {
				t.Errorf("a download went on behind a wrong file, at %d", from)
			}
		}
	})
}

func TestAFileThatCannotBeKeptStopsTheStream(t *testing.T) {
	for name, tt := range map[string]struct {
		file  string
		spool bool
		words string
	}{
		"a name that leads elsewhere": {"../../x", true, "cannot name a file"},
		"no spool":                    {"clicks-7", false, "no spool directory"},
	} {
		t.Run(name, func(t *testing.T) {
			path := stateFile(t)
			_, spooled := inSpool(t)
			if !tt.spool {
				spooled = func(*Options) {}
			}
			synctest.Test(t, func(t *testing.T) {
				network, server := withFiles("clicks")
				network.machines["clicks"] = exporting(1, &extractors.File{Name: tt.file})
				b := setup(t, network, Account{Budgets: exports(10, time.Hour)}, path, spooled)
				b.plan("clicks")
				time.Sleep(time.Hour)
				failures := strings.Join(b.engine.Failures(), "\n")
				b.end()
				if !strings.Contains(failures, tt.words) || len(server.from) > 0 {
					t.Errorf("got %d downloads and failures %q", len(server.from), failures)
				}
			})
		})
	}
}

func TestTheSweepLeavesWhatTheInboxNeeds(t *testing.T) {
	path := stateFile(t)
	dir, spooled := inSpool(t)
	put := func(name string) {
		t.Helper()
		part, err := dir.Part(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(part, nil, 0o600), dir.Finish(name)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		network, _ := withFiles("clicks")
		put("a/old")
		put("b/old")
		now := time.Now()
		for _, name := range []string{"a/old", "b/old"} {
			if err := dir.Touch(name, now); err != nil {
				t.Fatal(err)
			}
		}
		there := func(name string) bool {
			_, whole, err := dir.Whole(name)
			return whole && err == nil
		}
		b := setup(t, network, Account{Budgets: exports(10, time.Hour), DropFiles: true}, path, spooled, func(o *Options) { o.SpoolRetention = 24 * time.Hour })
		b.plan("clicks")
		time.Sleep(10 * time.Minute)
		if err := dir.Touch("a/clicks-7", now); err != nil { // as old as the others
			t.Fatal(err)
		}
		time.Sleep(2*time.Hour + time.Minute)
		if there("a/old") || !there("b/old") {
			t.Errorf("after two hours: the personal file is there: %v, the other: %v; want the other alone", there("a/old"), there("b/old"))
		}
		time.Sleep(30 * time.Hour)
		if there("b/old") || !there("a/clicks-7") {
			t.Errorf("after a day: the old file is there: %v, the needed: %v; want the needed alone", there("b/old"), there("a/clicks-7"))
		}
		b.end()
	})
}

func TestAFileThatIsGoneEndsItsPullAlone(t *testing.T) {
	path := stateFile(t)
	_, spooled := inSpool(t)
	synctest.Test(t, func(t *testing.T) {
		network, _ := withFiles()
		network.streams = append(network.streams, windowed("clicks"))
		network.machines["clicks"] = func(w extractors.Work) (extractors.Call, extractors.Page) {
			day := w.Window.From.Format("0102")
			return extractors.Call{Describe: "sign " + day}, extractors.Page{Done: true, File: &extractors.File{Name: "clicks-" + day}}
		}
		brings := network.fetch
		network.fetch = func(ctx context.Context, f extractors.File, path string) (int64, error) {
			if f.Name == "clicks-0101" {
				return 0, apiError(extractors.StopStream, 410, 0)
			}
			return brings(ctx, f, path)
		}
		b := setup(t, network, Account{MinDelay: time.Minute}, path, spooled)
		time.Sleep(time.Hour) // the first day has to have begun
		b.plan("clicks")
		time.Sleep(5 * time.Minute)
		if failures := b.engine.Failures(); len(failures) != 1 {
			t.Errorf("got failures %v, want one", failures)
		}
		if open := b.open(); len(open) != 1 || open[0].Phase != state.Pulled || open[0].From.Day() != 31 {
			t.Errorf("got open pulls %+v, want the one of the day before, pulled", open)
		}
		b.end()
	})
}
