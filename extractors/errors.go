package extractors

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"syncd/state"
)

// Outcome is what a failed call means for the work around it. There are five and
// no sixth; the decision is made once, where the answer is read.
type Outcome int

const (
	// RetryNow means: the call may be made again after a backoff (5xx, a torn or HTML body, a reset, a timeout).
	RetryNow Outcome = iota + 1
	// Wait means: the network asks for patience (429); APIError.RetryAfter says how much, if it said so.
	Wait
	// StopStream means: this stream cannot go on until someone changes something (404, a
	// refused parameter, an answer of an unknown shape, an endless paging); the
	// account's other streams can.
	StopStream
	// StopAccount means: the credentials are refused (401, 403): no call of the account is made until they change.
	StopAccount
	// StopDaemon means: the daemon is set up in a way in which nothing can work.
	StopDaemon
)

// String names the outcome as logs and metrics show it.
func (o Outcome) String() string {
	switch o {
	case RetryNow:
		return "retry"
	case Wait:
		return "wait"
	case StopStream:
		return "stop stream"
	case StopAccount:
		return "stop account"
	case StopDaemon:
		return "stop daemon"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// APIError is a call that brought no usable answer, with all that a person needs
// to act on it. It holds no secret: who makes one puts redacted text in.
type APIError struct {
	// Network is the network's title for people, "Affise".
	Network string
	Account string
	// Stream is empty for a call outside a pull (a check).
	Stream string
	// Op is what was asked, without secrets: "/3.0/offers?page=2".
	Op string
	// Status is the HTTP status; 0 when no answer came.
	Status int
	// Message is the network's own words, or what is wrong with the answer; may be empty.
	Message string
	// Credentials are the configuration keys of what the network refused,
	// "credentials.api_key", for the advice of StopAccount.
	Credentials []string
	// Advice is what to do next; empty means the usual for the Outcome.
	Advice  string
	Outcome Outcome
	// RetryAfter is the network's own wish; zero if it stated none.
	RetryAfter time.Duration
	// PullOnly says that a Wait concerns this pull alone, as the daily number of exports
	// does: the account's other calls need not wait.
	PullOnly bool
	// Cursor is where the pull stands now, if that is elsewhere: a call that creates something
	// was refused, so that it created nothing and Call.Unheard no longer holds; or a page
	// failed and a smaller one is to be asked for. Empty leaves it where it stands.
	Cursor state.Cursor
	// Err is the cause when there is one beneath (a transport error).
	Err error
}

// Error says it in one line: who refused or failed what for whom, the network's
// own words, and what to do next.
func (e *APIError) Error() string {
	var b strings.Builder
	if e.Outcome == StopAccount {
		fmt.Fprintf(&b, "%s refused the key of account %s", e.Network, e.Account)
	} else {
		fmt.Fprintf(&b, "%s %s for account %s", e.Network, e.happened(), e.Account)
		if e.Stream != "" {
			fmt.Fprintf(&b, ", stream %s", e.Stream)
		}
	}
	if said := e.said(); said != "" {
		fmt.Fprintf(&b, " (%s)", said)
	}
	if e.Op != "" && e.Outcome != StopAccount {
		fmt.Fprintf(&b, ", asked %s", e.Op)
	}
	if advice := e.advice(); advice != "" {
		b.WriteString(": ")
		b.WriteString(advice)
	}
	return b.String()
}

// Unwrap gives the cause beneath, if there is one.
func (e *APIError) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later without anyone
// changing anything.
func (e *APIError) Retryable() bool { return e.Outcome == RetryNow || e.Outcome == Wait }

// happened is the verb of the sentence.
func (e *APIError) happened() string {
	switch {
	case e.Status == 0:
		return "gave no answer"
	case e.Outcome == Wait:
		return "asked to wait"
	case e.Status == http.StatusNotFound:
		return "does not know this call"
	case e.Status >= 500:
		return "failed to answer"
	case e.Status >= 400:
		return "refused a call"
	}
	return "gave an answer that cannot be used"
}

// said is the status and the network's own words.
func (e *APIError) said() string {
	words := e.Message
	if words == "" && e.Err != nil {
		words = e.Err.Error()
	}
	switch {
	case e.Status == 0:
		return words
	case words == "":
		return strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	}
	return fmt.Sprintf("%d %s", e.Status, words)
}

// advice is what to do next.
func (e *APIError) advice() string {
	if e.Advice != "" {
		return e.Advice
	}
	switch e.Outcome {
	case RetryNow:
		return "it is tried again by itself"
	case Wait:
		if e.RetryAfter > 0 {
			return "it goes on by itself after " + e.RetryAfter.Round(time.Second).String()
		}
		return "it goes on by itself after a pause"
	case StopStream:
		return "the stream stops until its next run; its account's other streams go on"
	case StopAccount:
		if len(e.Credentials) > 0 {
			return "check " + strings.Join(e.Credentials, " and ")
		}
		return "check its credentials"
	case StopDaemon:
		return "correct the configuration and start again"
	}
	return ""
}
