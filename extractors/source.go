package extractors

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"syncd/schema"
	"syncd/state"
)

// Source is one account at one network. Its methods are safe for concurrent use
// and never block: they perform no IO.
type Source interface {
	// Streams gives the streams that the account's role may read and its
	// configuration leaves enabled, in the order of the network's catalogue.
	Streams() []*Stream
	// Check gives the cheapest call that proves the credentials. Its answer is read
	// with Read and a nil Stream.
	Check() Call
	// Next gives the next call of a pull; w.Cursor says where it stands.
	Next(s *Stream, w Work) (Call, error)
	// Read classifies an answer to the call that Next gave for the same work and
	// reads its envelope. The error is, or wraps, an *APIError.
	Read(s *Stream, w Work, a Answer) (Page, error)
	// Redact returns the body without secrets and, as the account is configured,
	// without personal data. It is called before anything is stored, and returns
	// body itself when there is nothing to remove.
	Redact(body []byte) []byte
}

// Work is what one pull asks for, and where it stands.
type Work struct {
	Kind state.Kind
	// Window is the range of a Windowed pull, in UTC; zero for the other kinds.
	Window schema.Window
	// Since is the instant since which a Changes pull asks, the stream's overlap
	// already subtracted; zero for the other kinds.
	Since time.Time
	// Items is the frozen list of a for-each stream; empty for all others.
	Items []string
	// Cursor is empty before the first call of the pull.
	Cursor state.Cursor
}

// Call is one HTTP request, complete with its credentials.
type Call struct {
	Method string
	URL    string
	Header http.Header
	// Body is nil for all calls but the creation of an export.
	Body []byte
	// Describe is the path and the parameters without secrets, "/3.0/offers?page=2".
	// It is logged, stored with the answer, and read back by Asked.
	Describe string
}

// String gives Describe, so that a call that is printed by mistake shows no secret.
func (c Call) String() string { return c.Method + " " + c.Describe }

// GoString is String, for the same reason.
func (c Call) GoString() string { return c.String() }

// Answer is what the network sent back, whole. A call that brought no answer
// (timeout, reset, refused connection) is an error of the transport instead.
type Answer struct {
	Status int
	Header http.Header
	// Body is decompressed and complete as far as HTTP can tell.
	Body []byte
	// Release gives the memory of Body back for the next call; nil where there is
	// nothing to give back. It may be left out, and after it Body must not be used.
	Release func()
}

// Page is the envelope of an answer.
type Page struct {
	// Records is the number of records on the page.
	Records int
	// Hash is a digest of the records' bytes: two pages with equal hashes brought the same.
	Hash uint64
	// Next is where the following call reads; meaningless when Done.
	Next state.Cursor
	// Done says that no call follows.
	Done bool
	// Total is the number of records of the whole pull, as the network states it;
	// 0 if it does not. It is a hint for progress bars, never a stop rule.
	Total int64
}

// RequestPrefix begins the names under which the parameters of a page's own
// request are known to normalization, beside the account's variables: the record
// of an answer does not always repeat what was asked for.
const RequestPrefix = "request."

// Asked gives the parameters of a call back from its description, under their
// names with RequestPrefix: "/3.0/admin/postbacks?partner_id=12" gives
// "request.partner_id" = "12". The last element of the path is "request.path".
// Repeated parameters are joined with commas.
func Asked(describe string) map[string]string {
	if _, target, ok := strings.Cut(describe, " "); ok {
		describe = target
	}
	path, query, _ := strings.Cut(describe, "?")
	values, _ := url.ParseQuery(query) // what does not parse was not asked
	asked := make(map[string]string, len(values)+1)
	for name, v := range values {
		asked[RequestPrefix+name] = strings.Join(v, ",")
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	if plain, err := url.PathUnescape(last); err == nil {
		last = plain
	}
	asked[RequestPrefix+"path"] = last
	return asked
}
