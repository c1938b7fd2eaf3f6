package embedded_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"syncd/internal/embedded"
)

// daemonWord makes the test binary a daemon that starts an engine over the
// directory in its second argument and then does nothing, to be killed.
const daemonWord = "test-daemon"

func TestMain(m *testing.M) {
	embedded.HostIfAsked()
	if len(os.Args) == 3 && os.Args[1] == daemonWord {
		runDaemon(os.Args[2])
	}
	goleak.VerifyTestMain(m)
}

// runDaemon says where its engine answers, in a line, and waits to be killed.
func runDaemon(dataDir string) {
	e, err := embedded.Start(context.Background(), embedded.Options{DataDir: dataDir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(e.DSN())
	select {}
}

// start starts an engine that ends with the test.
func start(t *testing.T, o embedded.Options) *embedded.Engine {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	if o.Log == nil {
		o.Log = zaptest.NewLogger(t)
	}
	e, err := embedded.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e) })
	return e
}

func stop(t *testing.T, e *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// open connects as the loader, or as another user if one is given.
func open(t *testing.T, dsn string, auth ...clickhouse.Auth) driver.Conn {
	t.Helper()
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range auth {
		o.Auth = a
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func exec(t *testing.T, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func count(t *testing.T, conn driver.Conn, query string) uint64 {
	t.Helper()
	var n uint64
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// logged returns a logger, and a channel that gets every message of it.
func logged(t *testing.T) (*zap.Logger, <-chan string) {
	messages := make(chan string, 100)
	return zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
		messages <- e.Message
		return nil
	}))), messages
}

// await returns when the message was logged.
func await(t *testing.T, messages <-chan string, message string) {
	t.Helper()
	for {
		select {
		case m := <-messages:
			if m == message {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("never logged: %s", message)
		}
	}
}
