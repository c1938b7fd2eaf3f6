package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"syncd/internal/embedded"
)

// searchTree fails if a file under dir holds the text, or can be read by others.
func searchTree(t *testing.T, dir, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s holds the password", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Errorf("no files under %s", dir)
	}
	info, err := os.Stat(filepath.Join(dir, "clickhouse"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the engine's directory has mode %v, want 0700", info.Mode().Perm())
	}
}

func TestAStopAndAStartKeepDataPortsAndBIPassword(t *testing.T) {
	dir := t.TempDir()
	e := start(t, embedded.Options{DataDir: dir})
	exec(t, open(t, e.DSN()),
		"CREATE DATABASE affiliate", "CREATE TABLE affiliate.t (x UInt64) ENGINE = MergeTree ORDER BY x",
		"INSERT INTO affiliate.t SELECT number FROM numbers(1000)")
	pid, native, web := e.PID(), e.NativeAddr(), e.HTTPAddr()
	password, err := os.ReadFile(e.BI().PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, e)
	stop(t, e) // once more is no mistake
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the engine's process is still there: %v", err)
	}
	if e.PID() != 0 || e.Restarts() != 0 {
		t.Errorf("after a stop: pid %d, restarts %d, want none", e.PID(), e.Restarts())
	}

	again := start(t, embedded.Options{DataDir: dir})
	if n := count(t, open(t, again.DSN()), "SELECT count() FROM affiliate.t"); n != 1000 {
		t.Errorf("%d rows after the restart, want 1000", n)
	}
	if again.NativeAddr() != native || again.HTTPAddr() != web {
		t.Errorf("the ports changed: %s and %s, were %s and %s", again.NativeAddr(), again.HTTPAddr(), native, web)
	}
	if got, err := os.ReadFile(again.BI().PasswordFile); err != nil || !bytes.Equal(got, password) {
		t.Errorf("BI's password changed (%v)", err)
	}
	if again.DSN() == e.DSN() {
		t.Error("the loader's password is that of the start before")
	}
}

func TestAKilledEngineComesBackWithItsDataOnItsPorts(t *testing.T) {
	log, messages := logged(t)
	e := start(t, embedded.Options{Log: log})
	conn := open(t, e.DSN())
	exec(t, conn,
		"CREATE DATABASE affiliate", "CREATE TABLE affiliate.t (x UInt64) ENGINE = MergeTree ORDER BY x",
		"INSERT INTO affiliate.t SELECT number FROM numbers(100000)")
	pid, native := e.PID(), e.NativeAddr()

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, messages, "the embedded ClickHouse ended unasked, starting it again")
	await(t, messages, "the embedded ClickHouse runs again")

	if n := count(t, open(t, e.DSN()), "SELECT count() FROM affiliate.t"); n != 100000 {
		t.Errorf("%d rows after kill -9, want 100000", n)
	}
	if e.Restarts() != 1 || e.PID() == pid || e.PID() == 0 || e.NativeAddr() != native {
		t.Errorf("restarts %d, pid %d (was %d), at %s (was %s)", e.Restarts(), e.PID(), pid, e.NativeAddr(), native)
	}
}

// The oracle test found it: once the disk had been full, the engine never started again.
func TestATornDefinitionOfAStagingTableKeepsNoEngineFromStarting(t *testing.T) {
	dir := t.TempDir()
	e := start(t, embedded.Options{DataDir: dir})
	exec(t, open(t, e.DSN()), "CREATE DATABASE d",
		"CREATE TABLE d.staging_x_0_clicks (x UInt8) ENGINE = MergeTree ORDER BY x", "CREATE TABLE d.staging_x_1_clicks (x UInt8) ENGINE = MergeTree ORDER BY x",
		"CREATE TABLE d.clicks (x UInt8) ENGINE = MergeTree ORDER BY x", "INSERT INTO d.clicks VALUES (1), (2)", "INSERT INTO d.staging_x_1_clicks VALUES (3)")
	stop(t, e)
	torn, err := filepath.Glob(filepath.Join(dir, "clickhouse", "store", "store", "*", "*", "staging_x_0_clicks.sql"))
	if err != nil || len(torn) != 1 {
		t.Fatalf("its definition is in %v (%v)", torn, err)
	}
	if err := os.Truncate(torn[0], 0); err != nil {
		t.Fatal(err)
	}
	conn := open(t, start(t, embedded.Options{DataDir: dir}).DSN())
	if a, b := count(t, conn, "SELECT count() FROM d.clicks"), count(t, conn, "SELECT count() FROM d.staging_x_1_clicks"); a != 2 || b != 1 {
		t.Errorf("%d and %d rows are left of 2 and 1", a, b)
	}
	exec(t, conn, "CREATE TABLE d.staging_x_0_clicks (x UInt8) ENGINE = MergeTree ORDER BY x")
}

func TestAStopWhileTheEngineIsDownReturnsAtOnce(t *testing.T) {
	log, messages := logged(t)
	e := start(t, embedded.Options{Log: log})
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, messages, "the embedded ClickHouse ended unasked, starting it again")
	stop(t, e)
	if e.PID() != 0 {
		t.Errorf("process %d runs after the stop", e.PID())
	}
}

func TestAFrozenEngineIsKilledAtTheEndOfItsTime(t *testing.T) {
	dir := t.TempDir()
	e, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	pid := e.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Stop(impatient); err == nil || !strings.Contains(err.Error(), "had to be killed") {
		t.Errorf("got %v, want it said that force was needed", err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the engine's process is still there: %v", err)
	}
	start(t, embedded.Options{DataDir: dir}) // and the directory is free again
}

func TestTheEngineDiesWithAKilledDaemon(t *testing.T) {
	dir := t.TempDir()
	daemon := osexec.CommandContext(t.Context(), os.Args[0], daemonWord, dir)
	daemon.Stderr = os.Stderr
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill() })
	dsn, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the daemon did not say where its engine is: %v", err)
	}
	exec(t, open(t, strings.TrimSpace(dsn)),
		"CREATE DATABASE affiliate", "CREATE TABLE affiliate.t (x UInt64) ENGINE = MergeTree ORDER BY x",
		"INSERT INTO affiliate.t SELECT number FROM numbers(500)")

	// The engine holds this lock for as long as it lives.
	lock, err := os.OpenFile(filepath.Join(dir, "clickhouse", "engine.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Fatalf("the engine does not hold its lock: %v", err)
	}
	if err := daemon.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = daemon.Wait() // killed, as it says
	for {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}

	e := start(t, embedded.Options{DataDir: dir})
	if n := count(t, open(t, e.DSN()), "SELECT count() FROM affiliate.t"); n != 500 {
		t.Errorf("%d rows after the daemon was killed, want 500", n)
	}
}

func TestASecondEngineOverTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, embedded.Options{DataDir: dir})
	second, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir})
	if err == nil {
		stop(t, second)
	}
	held, ok := errors.AsType[*embedded.HeldError](err)
	if !ok {
		t.Fatalf("got %v, want a HeldError", err)
	}
	if held.PID != os.Getpid() || held.Since.IsZero() {
		t.Errorf("the holder is said to be process %d since %v, want %d", held.PID, held.Since, os.Getpid())
	}
}

func TestAStartThatCannotSucceedSaysWhy(t *testing.T) {
	notALibrary := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(notALibrary, []byte("not a library\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		library string
		options embedded.Options
		want    []string
	}{
		{"the library is not where the environment says", "/nowhere/libchdb.so", embedded.Options{}, []string{"not installed", "/nowhere/libchdb.so"}},
		{"the library is another file", notALibrary, embedded.Options{}, []string{"ended before it answered", "its last words", notALibrary, "logs are in"}},
		{"the data directory is a file", "", embedded.Options{DataDir: file}, []string{"making the data directory", file}},
		{"the memory is too small", "", embedded.Options{MemoryLimit: 1 << 20}, []string{"memory limit of 1048576 bytes"}},
		{"the database needs quoting", "", embedded.Options{Database: "a; DROP"}, []string{`database name "a; DROP"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.library != "" {
				t.Setenv("SYNCD_LIBCHDB", c.library)
			}
			if c.options.DataDir == "" {
				c.options.DataDir = t.TempDir()
			}
			e, err := embedded.Start(t.Context(), c.options)
			if err == nil {
				stop(t, e)
				t.Fatal("it started")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}
