package tests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/internal/embedded"
	"syncd/tests/affisesim"
)

func TestMain(m *testing.M) {
	embedded.HostIfAsked()
	code := m.Run()
	if err := tearDown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// What is made once for all tests of the package.
var (
	scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "syncd-e2e-") })
	// release is the binary as users have it, crashing the one that can be told to end
	// itself at a named step.
	release  = sync.OnceValues(func() (string, error) { return build("syncd") })
	crashing = sync.OnceValues(func() (string, error) { return build("syncd-crashing", "-tags", "crashtest") })
	// server is a ClickHouse that stands for a user's own.
	server = sync.OnceValues(startServer)
	// started is the server to be stopped at the end, if a test needed it.
	started *embedded.Engine
)

func tearDown() error {
	if started != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := started.Stop(ctx); err != nil {
			return fmt.Errorf("stopping the tests' ClickHouse: %w", err)
		}
	}
	dir, err := scratch()
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func build(name string, flags ...string) (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, name)
	args := append([]string{"build", "-o", file}, flags...)
	cmd := exec.Command("go", append(args, "syncd/cmd/syncd")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return file, nil
}

func startServer() (*embedded.Engine, error) {
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	engine, err := embedded.Start(context.Background(), embedded.Options{DataDir: filepath.Join(dir, "server"), MemoryLimit: 2 << 30})
	started = engine
	return engine, err
}

// bed is one user's installation: a folder with a configuration, a simulated
// network to pull from and a warehouse to load.
type bed struct {
	t       *testing.T
	dir     string
	network *affisesim.Network
	url     string
	binary  string
	env     []string

	// dsn is the address of the warehouse: embedded, or the tests' own server.
	dsn      string
	database string
	// began is when the bed was made: before any call.
	began time.Time
}

// The keys of the simulated network, spelt so that a search for them finds nothing else.
const (
	adminKey     = "e2e-ADMIN-key-4c1f9a"
	affiliateKey = "e2e-AFFILIATE-key-77b2d0"
	affiliateID  = 10
	berlin       = "Europe/Berlin"
)

// newBed makes an installation over a network with o. It loads the tests' own
// server, in a database of its own; see embed for the embedded engine.
func newBed(t *testing.T, o affisesim.Options) *bed {
	t.Helper()
	o.AdminKey = adminKey
	o.Affiliates = map[int]string{affiliateID: affiliateKey}
	b := newFolder(t)
	b.network = affisesim.New(o)
	b.url = b.serve("127.0.0.1:0")
	t.Cleanup(func() { b.network.Close() })
	b.env = []string{"ADMIN_KEY=" + adminKey, "AFFILIATE_KEY=" + affiliateKey}
	return b
}

// newFolder makes an installation without a network: tests of other platforms than
// Affise start their own and write its address into the configuration.
func newFolder(t *testing.T) *bed {
	t.Helper()
	return &bed{
		t: t, dir: t.TempDir(), binary: must(release())(t), began: time.Now(), dsn: "embedded",
		database: "e2e_" + strings.ToLower(strings.Map(letter, t.Name())),
	}
}

// serve starts the network's server.
func (b *bed) serve(addr string) string {
	b.t.Helper()
	url, stop, err := b.network.Start(addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(stop)
	return url
}

// onServer has the bed load the tests' own ClickHouse, which costs no start for
// each run of the binary.
func (b *bed) onServer() *bed {
	b.t.Helper()
	b.dsn = must(server())(b.t).DSN()
	b.t.Cleanup(func() {
		conn := b.connect()
		for _, name := range []string{b.database, b.database + "_store"} {
			if err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
				b.t.Error(err)
			}
		}
	})
	return b
}

func letter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

// must gives a value that a function of the package made once, or fails the test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// config writes the configuration: what every installation has, and accounts as
// they are written in the file.
func (b *bed) config(accounts string, more ...string) {
	b.t.Helper()
	text := fmt.Sprintf("warehouse: {dsn: \"${WAREHOUSE}\", database: %s}\ndata_dir: %q\nhttp: {listen: 127.0.0.1:0}\nlog: {format: json}\n%s\naccounts:\n%s\n",
		b.database, filepath.Join(b.dir, "data"), strings.Join(more, "\n"), strings.ReplaceAll(accounts, "{url}", b.url))
	b.write("config.yaml", text)
}

func (b *bed) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// data gives the path of something in the data folder.
func (b *bed) data(name string) string { return filepath.Join(b.dir, "data", name) }

// connect opens the warehouse that the bed loads, as the loader: the tests' own
// server, or the embedded engine of the process that runs now.
func (b *bed) connect() driver.Conn {
	b.t.Helper()
	o, err := clickhouse.ParseDSN(b.dsn)
	if err != nil {
		b.t.Fatal(err)
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	return conn
}

// warehouse gives a connection to what the bed loaded. For the embedded engine,
// which must not be running, it starts one over the same data that ends with the test
// or with done.
func (b *bed) warehouse() (conn driver.Conn, done func()) {
	b.t.Helper()
	if b.dsn != "embedded" {
		return b.connect(), func() {}
	}
	engine, err := embedded.Start(b.t.Context(), embedded.Options{DataDir: filepath.Join(b.dir, "data"), Database: b.database, MemoryLimit: 2 << 30})
	if err != nil {
		b.t.Fatal(err)
	}
	over := *b
	over.dsn = engine.DSN()
	done = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := engine.Stop(ctx); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(done)
	return over.connect(), done
}
