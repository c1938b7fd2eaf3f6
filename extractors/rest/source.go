package rest

import (
	"fmt"
	"net/url"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

var _ extractors.Source = (*Source)(nil)

// Source is one account at one network that a manifest describes. It is safe for
// concurrent use: nothing in it changes after New but what a login gives.
type Source struct {
	network  *manifest.Network
	account  string
	role     string
	location *time.Location
	base     string
	// secrets are the credentials in the clear, by name.
	secrets map[string]string
	// inClear are what looks like keys in addresses that the account gave, for redaction.
	inClear map[string]string
	// refused are the configuration keys that a refused call is about.
	refused  []string
	redactor *redactor
	scrubber *scrubber
	// check is nil where no call proves the credentials alone; with a login that is the check.
	check *plan
	// login is nil if there is none; session is what it gave.
	login   *plan
	session session
	streams []*extractors.Stream
	plans   map[string]*plan
	// exporters are those of the streams that can be had by exports.
	exporters map[string]*exporter
}

// New makes the Source of an account. The error is a Mistakes with everything that
// is wrong with the account.
func New(network *manifest.Network, account Account) (*Source, error) {
	b := newBuilder(network, account)
	b.build()
	if len(b.mistakes) > 0 {
		return nil, b.mistakes
	}
	return b.source, nil
}

// String names the source and nothing that it holds.
func (s *Source) String() string {
	return fmt.Sprintf("account %s at %s", s.account, s.network.Title)
}

// GoString is String, so that %#v does not print credentials.
func (s *Source) GoString() string { return s.String() }

// Role is the account's role: what its configuration says, or the network's first.
func (s *Source) Role() string { return s.role }

// Streams gives the streams that the role may read and the configuration leaves
// enabled, in the manifest's order; a report under further names follows its own.
func (s *Source) Streams() []*extractors.Stream { return s.streams }

// Check gives the cheapest call that proves the credentials; one without a URL where
// there is none: the network only sends postbacks, or the account lacks what it needs.
func (s *Source) Check() extractors.Call {
	if s.check == nil {
		return extractors.Call{}
	}
	return s.call(s.check, extractors.Work{}, s.check.begin())
}

// Next gives the next call of a pull. The error is about the work: it asks for
// what the stream does not have, or its cursor cannot be read.
func (s *Source) Next(st *extractors.Stream, w extractors.Work) (extractors.Call, error) {
	if e, err := s.exporter(st, w); err != nil {
		return extractors.Call{}, err
	} else if e != nil {
		return e.next(w)
	}
	p, c, err := s.stand(st, w)
	if err != nil {
		return extractors.Call{}, err
	}
	if s.loginFirst(p, st.Name, w) {
		return s.call(s.login, extractors.Work{}, s.login.begin()), nil
	}
	return s.call(p, w, c), nil
}

// Redact takes secrets and, as configured, personal data out of a body.
func (s *Source) Redact(body []byte) []byte {
	redactor, _ := s.shield()
	return redactor.redact(body)
}

// stand finds the plan of a stream and reads where a pull of it stands.
func (s *Source) stand(st *extractors.Stream, w extractors.Work) (*plan, cursor, error) {
	p, ok := s.plans[st.Name]
	if !ok {
		return nil, cursor{}, s.unusable(st.Name, "", "the account has no such stream", nil)
	}
	if err := p.accepts(w); err != nil {
		return nil, cursor{}, s.unusable(st.Name, "", "", err)
	}
	c, err := p.resume(w)
	if err != nil {
		return nil, cursor{}, s.unusable(st.Name, "", "", err)
	}
	return p, c, nil
}

// unusable is an error that stops the stream.
func (s *Source) unusable(stream, op, message string, err error) *extractors.APIError {
	return &extractors.APIError{
		Network: s.network.Title, Account: s.account, Stream: stream, Op: op,
		Message: message, Outcome: extractors.StopStream, Err: err,
	}
}

// pathEscape escapes a value as one element of a path.
func pathEscape(value string) string {
	switch value {
	case ".", "..":
		// A server would take them for steps in the tree.
		return "%2E" + value[1:]
	}
	return url.PathEscape(value)
}
