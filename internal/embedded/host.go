package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// hostWord is the hidden first argument that makes the executable the engine's
// host.
const hostWord = "engine-host"

// orphanGrace is how long the engine may go on after its standard input closed.
// It is longer than what the daemon allows by default, so it counts only when
// there is no daemon any more.
const orphanGrace = 30 * time.Second

// serveQuery opens the listeners and then reads a file that has no end: ours,
// until the daemon closes it. Reading through INFILE needs no right to read files.
const serveQuery = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; INSERT INTO FUNCTION null('line String') FROM INFILE '%s' FORMAT LineAsString"

// HostIfAsked makes this process the engine's host, and never returns, if it
// was started as one by Start. It is called first thing in main, and in
// TestMain of every package whose tests start an engine, because Start runs the
// same executable again.
func HostIfAsked() {
	if len(os.Args) < 2 || os.Args[1] != hostWord {
		return
	}
	if err := Host(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "engine host:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// hostArgs is what the daemon tells the child. None of it is secret: a command
// line can be read by every user of the machine.
type hostArgs struct {
	library string
	files   layout
	ports   ports
}

func (a hostArgs) words() []string {
	return []string{hostWord, a.library, a.files.dir, strconv.Itoa(a.ports.Native), strconv.Itoa(a.ports.HTTP)}
}

func parseHostArgs(args []string) (hostArgs, error) {
	if len(args) != 4 {
		return hostArgs{}, fmt.Errorf("expected library, directory and two ports, got %d arguments", len(args))
	}
	native, err := strconv.Atoi(args[2])
	if err != nil {
		return hostArgs{}, fmt.Errorf("reading the native port: %w", err)
	}
	web, err := strconv.Atoi(args[3])
	if err != nil {
		return hostArgs{}, fmt.Errorf("reading the HTTP port: %w", err)
	}
	return hostArgs{library: args[0], files: layout{dir: args[1]}, ports: ports{Native: native, HTTP: web}}, nil
}

// Host loads the engine's library and serves until standard input closes. It
// is what the child does; args are those after the hidden word.
func Host(args []string) error {
	a, err := parseHostArgs(args)
	if err != nil {
		return err
	}
	// An interrupt typed at the terminal is for the daemon, which still has
	// rows to write before the engine may go.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	in, err := standIn()
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine host: without a terminal a failed login ends the engine:", err)
	}
	go endWhenOrphaned(in)

	lock, err := os.OpenFile(a.files.engineLock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the engine's lock: %w", err)
	}
	defer lock.Close() // and with it the lock
	if err := lockFile(lock, unix.LOCK_EX); err != nil {
		return fmt.Errorf("waiting for the previous engine to end: %w", err)
	}
	return runEngine(a.library, []string{
		"clickhouse-local",
		"--interactive",
		"--progress", "off", "--progress-table", "off", "--enable-progress-table-toggle", "false",
		"--config-file", a.files.config(),
		"--path", a.files.store(),
		"--listen_host", loopback,
		"--tcp_port", strconv.Itoa(a.ports.Native),
		"--http_port", strconv.Itoa(a.ports.HTTP),
		"--query", fmt.Sprintf(serveQuery, in.path),
	})
}

// input is the pipe from the daemon, as the host sees it.
type input struct {
	fd   int    // the pipe
	path string // the same, as a file's name
	// hangUp ends the terminal that took the pipe's place as standard input, if any.
	hangUp func()
}

// endWhenOrphaned waits for the daemon to close its end of the pipe. The engine
// then ends by itself; the process ends some time later, should the engine hang
// on the way down (or on the way up, where it does not read yet). Poll sees the
// hang-up without taking anything from the engine.
func endWhenOrphaned(in input) {
	for {
		fds := []unix.PollFd{{Fd: int32(in.fd)}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
			break
		}
	}
	in.hangUp()
	time.Sleep(orphanGrace)
	fmt.Fprintf(os.Stderr, "engine host: still here %s after standard input closed, giving up\n", orphanGrace)
	os.Exit(1)
}

// runEngine runs the engine with a command line and returns when it ends.
func runEngine(library string, argv []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("loading %s: %w", library, err)
	}
	var (
		setSignalHandlers func(enabled int32)
		queryCmdline      func(argc int32, argv unsafe.Pointer) uintptr
		resultError       func(result uintptr) string
	)
	for name, fn := range map[string]any{
		"chdb_set_signal_handlers_enabled": &setSignalHandlers,
		"chdb_query_cmdline":               &queryCmdline,
		"chdb_result_error":                &resultError,
	} {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return fmt.Errorf("%s is not a library that we know: %w", library, err)
		}
		purego.RegisterFunc(fn, symbol)
	}

	// argv as C has it: pointers to zero-terminated strings, and a nil. The
	// engine keeps them for as long as it runs.
	var pin runtime.Pinner
	defer pin.Unpin()
	words := make([]*byte, len(argv)+1)
	for i, arg := range argv {
		text := append([]byte(arg), 0)
		pin.Pin(&text[0])
		words[i] = &text[0]
	}
	pin.Pin(&words[0])

	// Its handlers would take the signals that the Go runtime lives by.
	setSignalHandlers(0)
	result := queryCmdline(int32(len(argv)), unsafe.Pointer(&words[0]))
	if result == 0 {
		return errors.New("the engine ended without a result")
	}
	if text := resultError(result); text != "" {
		return fmt.Errorf("running the engine: %s", text)
	}
	return nil
}
