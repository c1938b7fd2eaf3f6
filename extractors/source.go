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
	// Mask gives what has to be done to the values of a column of a file, by its header,
	// before they are stored anywhere but in the file; nil for nothing. The function
	// appends to dst.
	Mask(column string) func(dst, value []byte) []byte
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
	// Route is the way that was planned for the pull.
	Route state.Route
	// Begun is when the pull was created: what the network says of earlier times is
	// older than the pull.
	Begun time.Time
	// Known is when rows of the window were last published or held back; zero if they
	// never were. An export that was made before tells nothing that is not known.
	Known time.Time
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
	// Body is nil but for the creation of an export and for reads by POST.
	Body []byte
	// Describe is the path and the parameters without secrets, "/3.0/offers?page=2", and
	// behind a # the item of the call where they do not name it ("/offers/12#item=12").
	// It is logged, stored with the answer, and read back by Asked.
	Describe string
	// Creates says that the call creates an export, the one kind that is not a read.
	Creates bool
	// Reads says that a call with another method than GET only reads: some networks take
	// the ids that they are asked for in a body.
	Reads bool
	// Items are those of the stream's list that the call asks for; nil for all others.
	Items []string
	// Budget names the budget of the account that the call counts against, beside those
	// that all calls count against; empty for none.
	Budget string
	// Unheard is where the pull stands if no answer to the call is ever received; empty
	// leaves it where it stands, so that the call is made again. See state.Departure.
	Unheard state.Cursor
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
	// Control says that the answer holds no records: nothing of it is stored but Next.
	Control bool
	// Pause is how long the pull's next call has to wait, beside the account's pace.
	Pause time.Duration
	// Note says in words what the pull waits for, for people ("export 665bd8 is being
	// written"); empty for none.
	Note string
	// File is where the records are, if they are not in the answer: the answer is
	// stored when the file is, and asked for again when its link has expired.
	File *File
}

// File is a file of records that the network offers for download.
type File struct {
	// URL is the link, which is as good as a key for as long as it holds: it is neither
	// logged nor stored. It is fetched without the account's credentials.
	URL string
	// Name tells the file from all others of the account: letters, digits, dashes and
	// underscores. What is downloaded of it is kept under this name and resumed.
	Name string
	// Size is the file's size in bytes as the network announced it; 0 if it did not.
	Size int64
}

// String gives the file without its link.
func (f File) String() string { return "file " + f.Name }

// GoString is String.
func (f File) GoString() string { return f.String() }

// RequestPrefix begins the names under which the parameters of a page's own
// request are known to normalization, beside the account's variables: the record
// of an answer does not always repeat what was asked for.
const RequestPrefix = "request."

// Asked gives the parameters of a call back from its description, under their
// names with RequestPrefix: "/3.0/admin/postbacks?partner_id=12" gives
// "request.partner_id" = "12". The last element of the path is "request.path".
// Repeated parameters are joined with commas.
//
// What the call was about and its parameters do not say stands behind a # in the
// description: "/offers/12/events/7#item.1=12&item.2=7" gives "request.item.1" = "12".
func Asked(describe string) map[string]string {
	if _, target, ok := strings.Cut(describe, " "); ok {
		describe = target
	}
	describe, items, _ := strings.Cut(describe, "#")
	path, query, _ := strings.Cut(describe, "?")
	asked := map[string]string{}
	for _, text := range []string{query, items} {
		values, _ := url.ParseQuery(text) // what does not parse was not asked
		for name, v := range values {
			asked[RequestPrefix+name] = strings.Join(v, ",")
		}
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	if plain, err := url.PathUnescape(last); err == nil {
		last = plain
	}
	asked[RequestPrefix+"path"] = last
	return asked
}
