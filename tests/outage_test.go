package tests

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd/internal/embedded"
	"syncd/tests/affisesim"
)

// ownServer gives the bed a ClickHouse of its own, which the test may stop.
func (b *bed) ownServer() *embedded.Engine {
	b.t.Helper()
	engine, err := embedded.Start(b.t.Context(), embedded.Options{DataDir: filepath.Join(b.dir, "server"), Password: "e2e-server-password", MemoryLimit: 2 << 30})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { stopServer(b.t, engine) })
	b.dsn = engine.DSN()
	return engine
}

func stopServer(t *testing.T, engine *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := engine.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// get reads an address of the daemon.
func get(t *testing.T, url string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// metric reads one value of the daemon's metrics, the sum over its labels.
func metric(t *testing.T, page, name string) float64 {
	t.Helper()
	_, text := get(t, page+"/metrics")
	sum := 0.0
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

func TestWhileClickHouseIsAwayPullingGoesOnAndLoadingResumesByItself(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 4_000, Clicks: 8_000, Platform: zone(t, berlin)})
	engine := b.ownServer()
	x := recent(t, "main", berlin, 9)
	b.config(adminAccount("main", berlin, x.from, unpaced))
	args := []string{"run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()), "--only", "main/conversions", "--only", "main/clicks", "--only", "main/stats/by_offer"}

	few := b.after(20)
	p := b.start(args...)
	<-few
	stopServer(t, engine)
	p.await("it stays in the inbox")
	// All that the network has comes in meanwhile.
	const calls = 10 + 10 + 24
	eventually(t, "pulling to go on", func() bool { return len(b.network.Log()) > calls })
	again, err := embedded.Start(t.Context(), embedded.Options{DataDir: filepath.Join(b.dir, "server"), Password: "e2e-server-password", MemoryLimit: 2 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, again) })
	if again.DSN() != engine.DSN() {
		t.Fatal("the server came back elsewhere: the test shows nothing")
	}
	p.wait().ended(t, 0)
	conn := b.connect()
	b.conversionsEqual(conn, x)
	b.clicksEqual(conn, x)
	b.statsEqual(conn, x)
	if twice := b.network.Repeated(0); len(twice) > 0 {
		t.Errorf("%d calls were made twice, first %s?%s", len(twice), twice[0].Second.Path, twice[0].Second.Params)
	}
}

func TestAHangingClickHouseLetsTheInboxGrowToItsCapAndNoFurther(t *testing.T) {
	t.Parallel()
	const conversions = 160_000 // 270 MB, some 20 MB of them compressed
	b := newBed(t, affisesim.Options{Conversions: conversions, Clicks: -1})
	engine := b.ownServer()
	x := recent(t, "main", "UTC", 29)
	b.config(adminAccount("main", "UTC", x.from, "    pace: {min_delay: 0s, allow_faster: true, parallel: 2}\n"), "inbox: {max_size: 16MiB}")
	p := b.start("run", "--only", "main/conversions")
	page := p.page()
	if err := syscall.Kill(engine.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(engine.PID(), syscall.SIGCONT) }
	t.Cleanup(resume)

	const limit = 16 << 20
	eventually(t, "the inbox to be full", func() bool { return metric(t, page, "syncd_inbox_bytes") >= limit })
	full := len(b.network.Log())
	if status, text := get(t, page+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d: %s", status, text)
	}
	if n := len(b.network.Log()); n > full+2 {
		t.Errorf("%d more calls were made after the inbox was full", n-full)
	}
	if size := metric(t, page, "syncd_inbox_bytes"); size > limit+2<<20 {
		t.Errorf("the inbox has %.0f bytes, more than its cap and the calls in hand", size)
	}
	resume()
	conn := b.connect()
	eventually(t, "all of it to be loaded", func() bool {
		return one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions") >= uint64(len(b.network.Conversions()))-conversions/29
	})
	p.signal(syscall.SIGINT)
	p.wait().ended(t, 0)
	b.run("run", "--once", "--only", "main/conversions").ended(t, 0)
	b.performanceEqual(conn, x)
	for _, twice := range b.network.Repeated(0) {
		if !strings.Contains(twice.First.Params, "update_from_date") {
			t.Errorf("a call was made twice: %s?%s", twice.Second.Path, twice.Second.Params)
		}
	}
}
