package rest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
)

// retryAfterMax bounds how long a network can make an account wait by a header:
// beyond a day it is a mistake, and asking once a day does no harm.
const retryAfterMax = 24 * time.Hour

// Read classifies an answer and reads its envelope. A nil stream stands for the
// check. The error is an *extractors.APIError; one about a paging that would not
// end wraps an *EndlessError.
func (s *Source) Read(st *extractors.Stream, w extractors.Work, a extractors.Answer) (extractors.Page, error) {
	r := reading{source: s, plan: s.check, answer: a}
	if st == nil {
		if s.check == nil {
			return extractors.Page{}, s.unusable("", "", "there is no call that proves the credentials", nil)
		}
		r.cursor = s.check.begin()
		if s.login != nil {
			return extractors.Page{Done: true}, r.loggedIn()
		}
		if err := r.refused(); err != nil {
			return extractors.Page{}, err
		}
		return extractors.Page{Done: true}, nil
	}
	if e, err := s.exporter(st, w); err != nil {
		return extractors.Page{}, err
	} else if e != nil {
		page, err := e.machine.Read(w, a)
		return s.storable(st, w, page, err)
	}
	p, c, err := s.stand(st, w)
	if err != nil {
		return extractors.Page{}, err
	}
	r.stream, r.plan, r.work, r.cursor = st.Name, p, w, c
	if s.login != nil && !p.own {
		if r.token = s.session.arrive(pullKey(st.Name, w)); r.token == 0 {
			r.plan, r.work, r.cursor = s.login, extractors.Work{}, s.login.begin()
			return extractors.Page{Control: true, Next: c.text()}, r.loggedIn()
		}
	}
	if r.itemGone() {
		return r.skipItem()
	}
	if err := r.refused(); err != nil {
		if r.adaptive() {
			err = r.shrink(err)
		}
		return extractors.Page{}, err
	}
	s.session.prove(r.token)
	page, err := r.page()
	return s.storable(st, w, page, err)
}

// reading is one answer while it is read.
type reading struct {
	source *Source
	stream string
	plan   *plan
	work   extractors.Work
	cursor cursor
	answer extractors.Answer
	// doc is the answer's body, once it is known to be whole.
	doc document
	// token is the one with which the call was made, if there is a login; see session.
	token int
	// verdict says that the answer itself says that it is a success.
	verdict bool
}

// fail makes the error for this answer. What was asked is built again: errors are rare.
func (r *reading) fail(outcome extractors.Outcome, message string, err error) *extractors.APIError {
	s := r.source
	return &extractors.APIError{
		Network: s.network.Title, Account: s.account, Stream: r.stream,
		Op:     s.call(r.plan, r.work, r.cursor).Describe,
		Status: r.answer.Status, Message: message, Outcome: outcome, Err: err,
	}
}

// refused is the error of an answer that is no success: by its status, by its
// form, or by the success test inside.
//
//	401, 403            stop the account: the credentials are refused
//	429                 wait, as long as Retry-After says
//	408, 425, 5xx       retry; Retry-After is honoured too
//	other 3xx, 4xx      stop the stream: the call itself is wrong
//	2xx, not whole      retry: a proxy's page, a cut body
//	2xx, another format stop the stream; markup without words is retried
//	2xx, test failed    stop the stream: the network refused in words
//
// Words that the manifest knows say more than a status that stops the stream, and
// more than a test: that the network asks for patience, or that it refuses the key.
func (r *reading) refused() error {
	status := r.answer.Status
	if status >= 200 && status < 300 {
		return r.refusedInside()
	}
	err := r.fail(extractors.StopStream, r.words(), nil)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		r.refuse(err)
	case status == http.StatusTooManyRequests:
		err.Outcome, err.RetryAfter = extractors.Wait, retryAfter(r.answer.Header)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		err.Outcome, err.RetryAfter = extractors.RetryNow, retryAfter(r.answer.Header)
	case status == http.StatusNotFound:
		err.Advice = r.plan.manifest.Optional
	}
	return r.refresh(r.byWords(err))
}

// refuse says that the credentials of the call are refused. Where no other call could tell
// whether it is them or the call, the account's other streams go on.
func (r *reading) refuse(err *extractors.APIError) {
	err.Outcome, err.Credentials = extractors.StopAccount, r.source.refused
	if r.plan.own || r.source.check == nil {
		err.Outcome, err.Credentials = extractors.StopStream, nil
		err.Advice = "check the account's credentials, and that it may make this call"
		if r.plan.own {
			err.Advice = "check the address in variables." + r.plan.manifest.Request.URLVariable + ", and the credential in it"
		}
	}
}

// scrub takes credentials out of words for people.
func (r *reading) scrub(text string) string {
	_, scrubber := r.source.shield()
	return scrubber.scrub(text)
}

// refusedInside looks into an answer whose status is good.
func (r *reading) refusedInside() error {
	if err := r.open(); err != nil {
		return err
	}
	test := r.success()
	if test == nil || !r.doc.object {
		return nil
	}
	raw, ok := r.doc.lookup(test.Path)
	if ok && slices.Contains(test.Equals, text(raw)) {
		r.verdict = true
		return nil
	}
	words := r.words()
	if !ok && words == "" {
		// Without a verdict the records decide; the check has none to decide by.
		if r.stream != "" {
			return nil
		}
		words = fmt.Sprintf("the answer says nothing at %q", test.Path)
	}
	if words == "" {
		words = fmt.Sprintf("%s is %s", test.Path, clip(text(raw)))
	}
	return r.refresh(r.byWords(r.fail(extractors.StopStream, r.scrub(words), nil)))
}

// page reads the envelope of a good answer.
func (r *reading) page() (extractors.Page, error) {
	e := readEnvelope(&r.doc, r.plan.manifest.Paging)
	var err error
	e.records, e.hash, err = r.doc.count(r.plan.manifest.Output)
	if r.verdict && r.doc.xml != nil && errors.Is(err, normalize.ErrNoRecords) {
		err = nil // some leave the element out that would hold records when there are none
	}
	if err != nil {
		return extractors.Page{}, r.fail(extractors.StopStream, r.misplaced(err), nil)
	}
	if r.plan.manifest.Paging.Distinct {
		e.readDistinct(&r.doc, r.plan.manifest.Output, r.cursor)
	}
	page, err := r.plan.advance(r.work, r.cursor, e)
	if err != nil {
		failed := r.fail(extractors.StopStream, "", err)
		failed.Advice = r.plan.advice(err)
		return extractors.Page{}, failed
	}
	return page, nil
}

// misplaced says what is wrong with the records. It does not pass on what err
// quotes of them: records hold personal data, and may echo credentials.
func (r *reading) misplaced(err error) string {
	records := strings.Join(r.plan.manifest.Output.Records, " or ")
	switch {
	case records == "":
		return "the answer is not records"
	case errors.Is(err, normalize.ErrNoRecords):
		return fmt.Sprintf("the answer has no %s", records)
	}
	return fmt.Sprintf("what the answer has at %s is not records", records)
}

// itemGone reports an answer that says that the one item of the call does not
// exist: it was removed since the list was made.
func (r *reading) itemGone() bool {
	if r.answer.Status != http.StatusNotFound || r.plan.manifest.ForEach == nil {
		return false
	}
	return r.plan.path.Uses(func(p manifest.Placeholder) bool {
		_, column := p.Column()
		return column || p == manifest.Item
	})
}

// skipItem goes on with the next item. If the network knows none of the items, it
// is the call that it does not know.
func (r *reading) skipItem() (extractors.Page, error) {
	c := r.cursor
	c.Gone++
	if c.Gone == len(r.work.Items) {
		return extractors.Page{}, r.refused()
	}
	return r.plan.afterList(extractors.Page{}, r.work, c), nil
}

// retryAfter reads the header of this name: seconds, or a date. There is no clock
// here, and the network's may be wrong, so a date is compared with the date of the
// answer itself.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(retryAfterMax/time.Second))) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), retryAfterMax)
}
