package loaders

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// Error is a failure of the warehouse: an exception of the server, or a connection
// that broke. It says what was being done, and what to do where that is known.
type Error struct {
	// Doing is what was tried, as a gerund.
	Doing string
	// Code is the exception's code; 0 when no exception arrived (the connection failed).
	Code int
	// Name is the exception's class as the server gave it.
	Name string
	// Hint says what a person can do; empty when there is nothing to add.
	Hint string

	err error
}

// Error gives the whole story in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Doing, e.err)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap gives the driver's error.
func (e *Error) Unwrap() error { return e.err }

// Retryable reports whether the same call may succeed later with nothing changed:
// the connection broke, the server is short of something, or a replica lags.
func (e *Error) Retryable() bool {
	if e.Code == 0 {
		return broken(e.err)
	}
	return exceptions[e.Code].retry
}

// exception is what we know of an exception code.
type exception struct {
	retry bool
	hint  string
}

// exceptions are the codes with a meaning beyond their message. A code that is not
// here is not retried: it is a mistake in a statement. Mistakes in the set-up (a
// missing right, a changed password) are retried: they concern the warehouse and no
// pull, and somebody is going to mend them.
var exceptions = map[int]exception{
	32:  {retry: true}, // ATTEMPT_TO_READ_AFTER_EOF
	60:  {retry: true, hint: "the table is gone; `syncd check` says what is missing, and a restart makes it again"},
	81:  {retry: true, hint: "the database does not exist yet; `syncd run` makes it"},
	95:  {retry: true}, // CANNOT_READ_FROM_SOCKET
	96:  {retry: true}, // CANNOT_WRITE_TO_SOCKET
	115: {retry: true}, // UNKNOWN_SETTING: the server is of another version since; new connections find out
	159: {retry: true}, // TIMEOUT_EXCEEDED
	164: {retry: true, hint: "the user may only read; give syncd a user with readonly = 0"},
	173: {retry: true}, // CANNOT_ALLOCATE_MEMORY
	193: {retry: true, hint: "wrong user or password in warehouse.dsn"},
	198: {retry: true}, // DNS_ERROR
	202: {retry: true}, // TOO_MANY_SIMULTANEOUS_QUERIES
	203: {retry: true}, // NO_FREE_CONNECTION
	209: {retry: true}, // SOCKET_TIMEOUT
	210: {retry: true}, // NETWORK_ERROR
	225: {retry: true}, // NO_ZOOKEEPER
	236: {retry: true}, // ABORTED: merges or parts cancelled by a shutdown
	241: {retry: true, hint: "the server is out of memory; raise warehouse.memory_limit or the server's max_server_memory_usage"},
	242: {retry: true, hint: "the table is read-only for now: its replica lost its Keeper session or is starting"},
	243: {retry: true, hint: "the server's disk is full; free space and loading goes on by itself"},
	252: {retry: true, hint: "the table has too many parts; merges have to catch up"},
	279: {retry: true}, // ALL_CONNECTION_TRIES_FAILED
	285: {retry: true}, // TOO_FEW_LIVE_REPLICAS
	286: {retry: true}, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
	319: {retry: true}, // UNKNOWN_STATUS_OF_INSERT: repeating it is harmless here
	341: {retry: true}, // UNFINISHED
	394: {retry: true}, // QUERY_WAS_CANCELLED: the server shuts down or somebody killed it
	425: {retry: true}, // SYSTEM_ERROR
	439: {retry: true}, // CANNOT_SCHEDULE_TASK
	473: {retry: true}, // DEADLOCK_AVOIDED
	497: {retry: true, hint: "the user lacks a privilege; syncd has to create databases, tables and views, insert, select, alter and truncate in its two databases"},
	499: {retry: true}, // S3_ERROR
	516: {retry: true, hint: "wrong user or password in warehouse.dsn"},
	517: {retry: true}, // CANNOT_ASSIGN_ALTER: another ALTER is under way on a replica
	529: {retry: true}, // NOT_A_LEADER
	571: {retry: true}, // DATABASE_REPLICATION_FAILED
	999: {retry: true}, // KEEPER_EXCEPTION
}

// wrap makes an *Error of a driver's error, once. A nil error stays nil, and one
// that is the caller's own doing (a cancelled context) is only wrapped in words.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	e := &Error{Doing: doing, err: err}
	if x, ok := errors.AsType[*clickhouse.Exception](err); ok {
		e.Code, e.Name = int(x.Code), x.Name
	} else if x, ok := errors.AsType[*ch.Exception](err); ok {
		e.Code, e.Name = int(x.Code), x.Name
	}
	if x, ok := errors.AsType[*url.Error](err); ok {
		// The address has settings of the DSN in it, and says nothing.
		e.err = &net.OpError{Op: "post", Net: "http", Err: x.Err}
	}
	x, overHTTP := errors.AsType[*clickhouse.HTTPError](err)
	switch {
	case errors.Is(err, errFormat):
		e.err = errFormat
	case e.Code != 0:
		e.Hint = exceptions[e.Code].hint
	case overHTTP:
		e.err = &strangeAnswer{x}
		e.Hint = strangers[x.StatusCode]
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "is ClickHouse running at the address in warehouse.dsn? its ports are 9000 and, with TLS, 9440 for the native protocol, 8123 and 8443 for HTTP"
	}
	return e
}

// strangeAnswer is an HTTP answer that is no exception of the server: somebody between us
// and it gave it. It is about the way there and no statement, so it is always worth asking
// again.
type strangeAnswer struct{ *clickhouse.HTTPError }

// strangers are hints for what those between us and the server say.
var strangers = map[int]string{
	http.StatusBadRequest:            "is the port in warehouse.dsn the one of the HTTP protocol? it is 8123, or 8443 with TLS",
	http.StatusUnauthorized:          "a proxy before ClickHouse refuses the user in warehouse.dsn",
	http.StatusForbidden:             "a proxy before ClickHouse refuses the user in warehouse.dsn",
	http.StatusRequestEntityTooLarge: "a proxy before ClickHouse limits the size of a request; INSERTs have none",
	http.StatusRequestURITooLong:     "a proxy before ClickHouse limits the length of an address; statements need 8 KiB",
	http.StatusGatewayTimeout:        "a proxy before ClickHouse does not wait for the answer; statements may take 10 minutes",
}

// Error quotes no more of a page than its beginning.
func (s *strangeAnswer) Error() string {
	const most = 300
	text := s.HTTPError.Err.Error()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return fmt.Sprintf("HTTP status %d, not of ClickHouse: %s", s.StatusCode, text)
}

// Unwrap gives the driver's error.
func (s *strangeAnswer) Unwrap() error { return s.HTTPError }

// broken reports whether err is a connection that could not be made or was lost.
func broken(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*strangeAnswer](err); ok {
		return true
	}
	for _, lost := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, ch.ErrClosed,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, context.DeadlineExceeded,
		clickhouse.ErrAcquireConnTimeout, clickhouse.ErrConnectionClosed,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}
