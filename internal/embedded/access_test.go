package embedded_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"syncd/internal/embedded"
)

// Exception codes of the server, as its documentation names them.
const (
	codeUnknownTable   = 60
	codeReadOnly       = 164
	codeQuotaExceeded  = 201
	codeMemoryLimit    = 241
	codeAccessDenied   = 497
	codeAuthentication = 516
)

// code is the server's exception code, 0 if err is not one.
func code(err error) int32 {
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		return e.Code
	}
	return 0
}

func TestTheLoaderGetsInWithItsPasswordOnly(t *testing.T) {
	e := start(t, embedded.Options{Password: "open sesame"})

	conn := open(t, e.DSN())
	var version, zone string
	if err := conn.QueryRow(t.Context(), "SELECT version(), timezone()").Scan(&version, &zone); err != nil {
		t.Fatal(err)
	}
	if zone != "UTC" {
		t.Errorf("server %s has time zone %q, want UTC", version, zone)
	}
	for _, password := range []string{"", "wrong"} {
		stranger := open(t, e.DSN(), clickhouse.Auth{Username: "syncd", Password: password})
		if err := stranger.Ping(t.Context()); code(err) != codeAuthentication {
			t.Errorf("native protocol, password %q: got %v, want exception %d", password, err, codeAuthentication)
		}
	}

	if status, body := overHTTP(t, e, "syncd", e.Password(), "SELECT 6*7"); status != http.StatusOK || body != "42\n" {
		t.Errorf("HTTP protocol: got %d %q, want 200 and 42", status, body)
	}
	if status, body := overHTTP(t, e, "syncd", "wrong", "SELECT 6*7"); status != http.StatusForbidden && status != http.StatusUnauthorized {
		t.Errorf("HTTP protocol, wrong password: got %d %q, want it refused", status, body)
	}
}

func overHTTP(t *testing.T, e *embedded.Engine, user, password, query string) (int, string) {
	t.Helper()
	address := url.URL{Scheme: "http", Host: e.HTTPAddr(), Path: "/"}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address.String(), strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// The library fixes name and password of the user that its own main query runs as.
func TestTheEnginesOwnUserIsOfNoUseToAnybodyElse(t *testing.T) {
	e := start(t, embedded.Options{})
	loader := open(t, e.DSN())
	exec(t, loader, "CREATE DATABASE affiliate_store", "CREATE TABLE affiliate_store.t (x UInt8) ENGINE = MergeTree ORDER BY x")

	stranger := open(t, e.DSN(), clickhouse.Auth{Username: "default"})
	for _, statement := range []string{
		"SYSTEM STOP LISTEN TCP",
		"SELECT * FROM affiliate_store.t",
		"INSERT INTO affiliate_store.t VALUES (1)",
		"CREATE TABLE default.t (x UInt8) ENGINE = Memory",
		"SELECT * FROM file('" + e.BI().PasswordFile + "', LineAsString)",
		"SYSTEM STOP LISTEN HTTP",
	} {
		err := stranger.Exec(t.Context(), statement)
		if c := code(err); c != codeQuotaExceeded && c != codeAccessDenied {
			t.Errorf("%s: got %v, want it refused", statement, err)
		}
	}
	if err := open(t, e.DSN()).Ping(t.Context()); err != nil {
		t.Errorf("the engine does not answer any more: %v", err)
	}
}

func TestBIReadsViewsAndNothingElse(t *testing.T) {
	e := start(t, embedded.Options{Database: "shop"})
	loader := open(t, e.DSN())
	exec(t, loader,
		"CREATE DATABASE shop_store", "CREATE DATABASE shop",
		"CREATE TABLE shop_store.orders (id UInt64, _deleted UInt8) ENGINE = MergeTree ORDER BY id",
		"CREATE VIEW shop.orders DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT id FROM shop_store.orders WHERE _deleted = 0",
		"INSERT INTO shop_store.orders VALUES (1, 0), (2, 1), (3, 0)",
	)
	bi := e.BI()
	password, err := os.ReadFile(bi.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	auth := clickhouse.Auth{Username: bi.User, Password: strings.TrimSpace(string(password)), Database: bi.Database}
	conn := open(t, "clickhouse://"+bi.Native, auth)

	if n := count(t, conn, "SELECT count() FROM orders"); n != 2 {
		t.Errorf("the view has %d rows for BI, want 2", n)
	}
	if status, body := overHTTP(t, e, bi.User, auth.Password, "SELECT sum(id) FROM shop.orders"); status != http.StatusOK || body != "4\n" {
		t.Errorf("over HTTP: got %d %q, want 200 and 4", status, body)
	}
	// A tool lists what there is, and sets what it likes for its own query.
	if n := count(t, conn, "SELECT count() FROM information_schema.columns WHERE table_schema = 'shop'"); n == 0 {
		t.Error("BI sees no columns in information_schema")
	}
	if n := count(t, conn, "SELECT count() FROM system.tables WHERE database = 'shop_store'"); n != 0 {
		t.Errorf("BI sees %d tables of the store", n)
	}
	exec(t, conn, "SET max_threads = 1")

	for _, c := range []struct {
		statement string
		want      int32
	}{
		{"SELECT * FROM shop_store.orders", codeAccessDenied},
		{"INSERT INTO shop_store.orders VALUES (9, 0)", codeReadOnly},
		{"INSERT INTO shop.orders VALUES (9)", codeReadOnly},
		{"DROP VIEW shop.orders", codeReadOnly},
		{"CREATE TABLE shop.t (x UInt8) ENGINE = Memory", codeReadOnly},
		{"SET readonly = 0", codeReadOnly},
		{"SYSTEM STOP LISTEN TCP", codeAccessDenied},
		{"KILL QUERY WHERE 1", codeAccessDenied},
		{"SELECT * FROM file('" + bi.PasswordFile + "', LineAsString)", codeAccessDenied},
		{"SELECT * FROM url('http://" + bi.HTTP + "/', LineAsString)", codeAccessDenied},
	} {
		if err := conn.Exec(t.Context(), c.statement); code(err) != c.want && code(err) != codeReadOnly && code(err) != codeAccessDenied {
			t.Errorf("%s: got %v, want exception %d", c.statement, err, c.want)
		}
	}
}

func TestTheMemoryCapHolds(t *testing.T) {
	const limit = 768 << 20
	e := start(t, embedded.Options{MemoryLimit: limit})
	conn := open(t, e.DSN())

	if n := count(t, conn, "SELECT toUInt64(value) FROM system.server_settings WHERE name = 'max_server_memory_usage'"); n != limit {
		t.Errorf("the server's limit is %d, want %d", n, limit)
	}
	// One array of 3.2 GB cannot be put on disk instead; the query's own limit is lifted.
	greedy := "SELECT length(groupArray(number)) FROM numbers(400000000) SETTINGS max_memory_usage = 0"
	if err := conn.Exec(t.Context(), greedy); code(err) != codeMemoryLimit {
		t.Errorf("a query over the cap: got %v, want exception %d", err, codeMemoryLimit)
	}
	if n := count(t, conn, "SELECT count() FROM numbers(10)"); n != 10 || e.Restarts() != 0 {
		t.Errorf("after it the engine counts %d of 10, restarts %d", n, e.Restarts())
	}
}

func TestNoSecretIsWrittenDown(t *testing.T) {
	log, _ := logged(t)
	dir := t.TempDir()
	e := start(t, embedded.Options{DataDir: dir, Password: "marker-4711", Log: log})
	exec(t, open(t, e.DSN()), "SELECT 1")

	for _, text := range []string{fmt.Sprint(e), fmt.Sprintf("%v %+v %#v", e, e, e)} {
		if strings.Contains(text, "marker-4711") {
			t.Errorf("printing the engine shows its password: %s", text)
		}
	}
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID())); err == nil && strings.Contains(string(line), "marker-4711") {
		t.Errorf("the command line shows the password: %q", line)
	}
	stop(t, e)
	searchTree(t, dir, "marker-4711")
}
