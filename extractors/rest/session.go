package rest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

// session is what a login gave. It is kept in memory alone: a token is as good as a key.
type session struct {
	mu sync.Mutex // guards what follows
	// token are the values by the names with which they are sent; nil if there are none.
	token map[string]string
	// number counts the tokens, so that a refusal of one does not drop the next.
	number int
	// proven says that a call with the token was not refused.
	proven bool
	// made says with which token the last call of each pull was made: 0 for the login.
	// An entry lives from Next to Read.
	made map[string]int
	// former are the values of the last tokens, this one's included: a call that left before
	// a login may be answered after it, and quote what it was made with.
	former []string
	// redactor and scrubber know the token beside the credentials.
	redactor *redactor
	scrubber *scrubber
}

// current gives the token.
func (v *session) current() map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.token
}

// leave notes with which token a pull's call is made, and reports whether it is the login.
func (v *session) leave(pull string) (login bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made == nil {
		v.made = map[string]int{}
	}
	if v.token == nil {
		v.made[pull] = 0
		return true
	}
	v.made[pull] = v.number
	return false
}

// arrive gives the token with which a pull's call was made, 0 for the login. A call that
// is not known of was made with the token there is.
func (v *session) arrive(pull string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	number, known := v.made[pull]
	delete(v.made, pull)
	if !known {
		return v.number
	}
	return number
}

// refuse drops a token that was refused. It reports whether another login may help: not
// if the token never was of use, because then it is not for its age that it is refused.
func (v *session) refuse(number int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if number != v.number || v.token == nil {
		return true // it was replaced meanwhile
	}
	v.token = nil
	return v.proven
}

// prove notes that a call with a token was not refused.
func (v *session) prove(number int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if number == v.number && v.token != nil {
		v.proven = true
	}
}

// pullKey tells a pull from all others of the account that are open.
func pullKey(stream string, w extractors.Work) string {
	return fmt.Sprint(stream, "\x00", w.Kind, w.Window.From.UnixNano(), w.Window.To.UnixNano(), w.Since.UnixNano(), w.Begun.UnixNano())
}

// loginFirst reports whether the next call of a pull is the login.
func (s *Source) loginFirst(p *plan, stream string, w extractors.Work) bool {
	return s.login != nil && !p.own && s.session.leave(pullKey(stream, w))
}

// loggedIn reads the answer to a login.
func (r *reading) loggedIn() error {
	if err := r.refused(); err != nil {
		return err
	}
	s := r.source
	token := map[string]string{}
	paths := s.network.Auth.Login.Token
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		raw, ok := r.doc.lookup(paths[name])
		value := text(raw)
		if !ok || nothing(raw) || strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") || strings.ContainsFunc(value, isControl) {
			return r.fail(extractors.StopStream, fmt.Sprintf("the login is answered without %s", paths[name]), nil)
		}
		token[name] = value
	}
	s.session.keep(s, token)
	return nil
}

// formerMax is the number of values of tokens that are kept for redaction: the calls under
// way of an account are a few, and a token has one value or two.
const formerMax = 64

// keep takes a token.
func (v *session) keep(s *Source, token map[string]string) {
	secrets := maps.Clone(s.secrets)
	maps.Copy(secrets, s.inClear)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(token)) {
		if !slices.Contains(v.former, token[name]) {
			v.former = append(v.former, token[name])
		}
	}
	v.former = slices.Delete(v.former, 0, max(len(v.former)-formerMax, 0))
	for i, value := range v.former {
		secrets["token "+strconv.Itoa(i)] = value
	}
	redactor, scrubber := s.redactor.with(secrets), newScrubber(secrets)
	v.number++
	v.token, v.proven = token, false
	v.redactor, v.scrubber = redactor, scrubber
}

// shield gives what takes secrets out of answers and of words: with the last token,
// which an answer may quote that comes after it was dropped.
func (s *Source) shield() (*redactor, *scrubber) {
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	if s.session.redactor == nil {
		return s.redactor, s.scrubber
	}
	return s.session.redactor, s.session.scrubber
}

// refresh says what a refused call means where there is a login: the token is dropped, and
// the call is made again with another.
func (r *reading) refresh(err *extractors.APIError) *extractors.APIError {
	if r.token > 0 && err.Outcome == extractors.StopAccount && r.source.session.refuse(r.token) {
		err.Outcome, err.Credentials = extractors.RetryNow, nil
		err.Advice = "the login is repeated by itself"
	}
	return err
}

// loginPlan is the plan of the login; nil if there is none.
func (b *builder) loginPlan() *plan {
	l := b.network.Auth.Login
	if l == nil {
		return nil
	}
	p := b.compile("", &manifest.Stream{Request: l.Request, Paging: manifest.Paging{Kind: manifest.PagingNone}}, b.variables)
	p.login = true
	return p
}
