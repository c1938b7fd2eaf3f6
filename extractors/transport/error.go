package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"
)

// Kind says what kept a call from its answer.
type Kind int

// The kinds of errors. The zero Kind is no error.
const (
	// KindTimeout: the answer was not there, whole, within the call's time.
	KindTimeout Kind = iota + 1
	// KindRefused: nothing listens at the address.
	KindRefused
	// KindDNS: the host's name could not be resolved.
	KindDNS
	// KindTLS: the secure connection could not be made (certificate, protocol).
	KindTLS
	// KindConnection: the connection broke or could not be made for another reason.
	KindConnection
	// KindTorn: the body ended before its announced end.
	KindTorn
	// KindTooLarge: the body is larger than the cap; it was not read to its end.
	KindTooLarge
	// KindRedirect: a redirect was not followed.
	KindRedirect
	// KindInvalid: the call is not allowed or has no valid address; nothing was sent.
	KindInvalid
	// KindCanceled: the caller's context ended.
	KindCanceled
	// KindExpired: the link of a download is not taken any more; a fresh one may be.
	KindExpired
	// KindGone: the file of a download does not exist any more.
	KindGone
	// KindSize: the file of a download is longer than was announced.
	KindSize
)

// String gives the kind as one word, for metrics.
func (k Kind) String() string {
	switch k {
	case KindTimeout:
		return "timeout"
	case KindRefused:
		return "refused"
	case KindDNS:
		return "dns"
	case KindTLS:
		return "tls"
	case KindConnection:
		return "connection"
	case KindTorn:
		return "torn"
	case KindTooLarge:
		return "too_large"
	case KindRedirect:
		return "redirect"
	case KindInvalid:
		return "invalid"
	case KindCanceled:
		return "canceled"
	case KindExpired:
		return "expired"
	case KindGone:
		return "gone"
	case KindSize:
		return "size"
	}
	return "none"
}

// ErrTooLarge is wrapped by every error of KindTooLarge.
var ErrTooLarge = errors.New("the body is over the size cap")

// Error is why a call has no answer. It names method and host and nothing else of
// the call: paths, queries and headers may hold credentials.
type Error struct {
	Kind Kind
	// Method and Host are those of the call; Host is empty when the URL is not valid.
	Method, Host string
	// Err is the cause, reduced to what is safe to print.
	Err error
}

// Error names the call and the cause.
func (e *Error) Error() string {
	if e.Host == "" {
		return fmt.Sprintf("calling the network: %v", e.Err)
	}
	return fmt.Sprintf("calling %s: %v", e.Host, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the call ran out of time.
func (e *Error) Timeout() bool { return e.Kind == KindTimeout }

// Unreached reports whether nobody was found to call, so that the network knows nothing of
// the call.
func (e *Error) Unreached() bool {
	switch e.Kind {
	case KindRefused, KindDNS, KindTLS:
		return true
	case KindTimeout:
		return errors.Is(e.Err, errConnectTimeout)
	case KindConnection:
		return errors.Is(e.Err, syscall.EHOSTUNREACH) || errors.Is(e.Err, syscall.ENETUNREACH)
	}
	return false
}

// Retryable reports whether the same call may succeed when it is made again:
// the fault lies on the way or in the moment, not in the call or its answer. A
// download that is retryable may need a fresh link.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case KindTimeout, KindRefused, KindDNS, KindTLS, KindConnection, KindTorn, KindExpired:
		return true
	}
	return false
}

// timeoutError is the cause of a call's own deadline.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	// 120s, not 2m0s: people compare it with the timeout in their configuration.
	return fmt.Sprintf("no answer within %gs", e.after.Seconds())
}

func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// tooLargeError is a body over the cap.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%v of %d bytes", ErrTooLarge, e.limit)
}

func (e *tooLargeError) Unwrap() error { return ErrTooLarge }

// newError classifies err, which ended a call. parent is the caller's context and
// call the one with the call's own deadline.
func newError(parent, call context.Context, method, host string, err error) *Error {
	e := &Error{Method: method, Host: host}
	switch {
	case parent.Err() != nil:
		e.Kind, e.Err = KindCanceled, context.Cause(parent)
		return e
	case call.Err() != nil:
		e.Kind, e.Err = KindTimeout, context.Cause(call)
		return e
	}
	e.Kind, e.Err = classify(err)
	return e
}

// classify finds an error's kind and a cause that is safe to print. Only errors
// whose text is known to quote nothing of the call or of the answer are kept;
// of any other its type's name is. (A url.Error quotes the URL, a malformed
// answer is quoted in the error about it.)
func classify(err error) (Kind, error) {
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	if errors.Is(err, errMethod) {
		return KindInvalid, errMethod
	}
	if e, ok := errors.AsType[*redirectError](err); ok {
		return KindRedirect, e
	}
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return KindTooLarge, e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return KindTorn, fmt.Errorf("the answer is torn: %w", io.ErrUnexpectedEOF)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return KindDNS, fmt.Errorf("resolving the host: %s", dnsText(e))
	}
	if kind, cause := classifyTLS(err); kind != 0 {
		return kind, cause
	}
	if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
		return KindTimeout, errConnectTimeout
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if errno == syscall.ECONNREFUSED {
			return KindRefused, errno
		}
		return KindConnection, errno
	}
	if errors.Is(err, io.EOF) {
		return KindConnection, fmt.Errorf("the connection was closed without an answer: %w", io.EOF)
	}
	return KindConnection, fmt.Errorf("the exchange broke (%T)", innermost(err))
}

// errConnectTimeout is a connection that could not be made in time, which is
// shorter than the call's.
var errConnectTimeout = errors.New("no connection in time")

func classifyTLS(err error) (Kind, error) {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return KindTLS, fmt.Errorf("verifying the certificate: %w", e.Err)
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return KindTLS, e
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return KindTLS, e
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return KindTLS, errors.New("the other side does not speak TLS")
	}
	return 0, nil
}

func dnsText(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "no such host"
	case e.IsTimeout:
		return "no answer from the name server"
	}
	return "the name server has no answer"
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
