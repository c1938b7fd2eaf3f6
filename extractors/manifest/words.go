package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Evidence says what a description rests on.
type Evidence string

// The kinds of evidence.
const (
	// Documented: stated by the network's documentation or seen in recorded answers.
	Documented Evidence = "documented"
	// Inferred: chosen by analogy; a variable lets an account say otherwise.
	Inferred Evidence = "inferred"
)

// UnmarshalText accepts the words above only.
func (e *Evidence) UnmarshalText(text []byte) error {
	return word(e, text, "evidence", Documented, Inferred)
}

// AuthKind is where the credential of a call goes.
type AuthKind string

// The kinds of auth. A signer or a token step would be one more.
const (
	// AuthHeader sends the credential as the header Auth.Name.
	AuthHeader AuthKind = "header"
	// AuthQuery sends the credential as the query parameter Auth.Name.
	AuthQuery AuthKind = "query"
	// AuthBearer sends "Authorization: Bearer <credential>".
	AuthBearer AuthKind = "bearer"
	// AuthBasic sends HTTP basic auth: Auth.User names the user's credential, Auth.Credential the password's.
	AuthBasic AuthKind = "basic"
)

// UnmarshalText accepts the words above only.
func (k *AuthKind) UnmarshalText(text []byte) error {
	return word(k, text, "auth kind", AuthHeader, AuthQuery, AuthBearer, AuthBasic)
}

// PagingKind is how the next page is asked for. It says where to go; Stop says
// when to end.
type PagingKind string

// The kinds of paging. A link in the answer would be one more.
const (
	// PagingNone: one call brings everything.
	PagingNone PagingKind = "none"
	// PagingPage: Param is a page number that counts up by one from First.
	PagingPage PagingKind = "page"
	// PagingOffset: Param is the number of records to skip; it counts up from First
	// by the number of records that came.
	PagingOffset PagingKind = "offset"
	// PagingCursor: Param is the text that stands at Paging.Cursor of the page before;
	// the first page is asked for without it.
	PagingCursor PagingKind = "cursor"
)

// UnmarshalText accepts the words above only.
func (k *PagingKind) UnmarshalText(text []byte) error {
	return word(k, text, "paging kind", PagingNone, PagingPage, PagingOffset, PagingCursor)
}

// Stop is a rule that ends the paging. The first rule that holds ends it.
type Stop string

// The stop rules.
const (
	// StopNoNext: the value at Paging.Next is absent, null, false, empty or zero.
	StopNoNext Stop = "no_next"
	// StopEmpty: the page has no records.
	StopEmpty Stop = "empty"
	// StopShort: the page has fewer records than its size (the size at
	// Paging.Served if the answer states it, else the size that was asked for).
	StopShort Stop = "short"
	// StopTotal: as many records as the value at Paging.Total were passed. A total
	// that is absent or zero says nothing: networks send 0 beside rows.
	StopTotal Stop = "total"
	// StopNoCursor: the value at Paging.Cursor is absent, null, false, empty or zero.
	StopNoCursor Stop = "no_cursor"
	// StopLastPage: as many pages as the value at Paging.Pages were read. A number of
	// pages that is absent, or zero beside records, says nothing.
	StopLastPage Stop = "last_page"
	// StopRepeated: the page has the same records as the one before, which otherwise is
	// an error. It is for networks that may ignore the page's parameter and then give
	// everything at once, every time.
	StopRepeated Stop = "repeated"
)

// UnmarshalText accepts the words above only.
func (s *Stop) UnmarshalText(text []byte) error {
	return word(s, text, "stop rule", StopNoNext, StopEmpty, StopShort, StopTotal, StopNoCursor, StopLastPage, StopRepeated)
}

// QuotaFor says which calls count against a budget.
type QuotaFor string

// QuotaExports: the creation of exports, and no other call. A budget for no calls in
// particular is for all.
const QuotaExports QuotaFor = "exports"

// UnmarshalText accepts the word above only.
func (q *QuotaFor) UnmarshalText(text []byte) error {
	return word(q, text, "kind of calls", QuotaExports)
}

// Step is the length of a window, a span of the calendar in the window's zone.
type Step string

// The steps.
const (
	StepHour  Step = "hour"
	StepDay   Step = "day"
	StepWeek  Step = "week"
	StepMonth Step = "month"
)

// UnmarshalText accepts the words above only.
func (s *Step) UnmarshalText(text []byte) error {
	return word(s, text, "step", StepHour, StepDay, StepWeek, StepMonth)
}

// Zone is whose calendar a window's steps follow.
type Zone string

// The zones.
const (
	// ZoneAccount is the time zone of the account's report days.
	ZoneAccount Zone = "account"
	// ZoneUTC is UTC, for networks that know no other.
	ZoneUTC Zone = "utc"
	// ZonePlatform is the zone in Network.ZoneVariable, for networks that cut reports by
	// their own days and take no zone. Report days are the account's, so an account whose
	// timezone is another is refused; where the variable is empty its word is taken.
	ZonePlatform Zone = "platform"
)

// UnmarshalText accepts the words above only.
func (z *Zone) UnmarshalText(text []byte) error {
	return word(z, text, "zone", ZoneAccount, ZoneUTC, ZonePlatform)
}

// Method is the method of a request.
type Method string

// The methods.
const (
	MethodGet Method = "get"
	// MethodPost is for reads that take what they are asked for in a body.
	MethodPost Method = "post"
)

// UnmarshalText accepts the words above only.
func (m *Method) UnmarshalText(text []byte) error {
	return word(m, text, "method", MethodGet, MethodPost)
}

// OpenLeads says by which of their ids open leads are asked for.
type OpenLeads string

// The ids.
const (
	OpenByNetworkID OpenLeads = "network"
	OpenByOwnID     OpenLeads = "own"
)

// UnmarshalText accepts the words above only.
func (o *OpenLeads) UnmarshalText(text []byte) error {
	return word(o, text, "kind of open leads", OpenByNetworkID, OpenByOwnID)
}

// SignerKind is how a call is signed.
type SignerKind string

// The signers. Signatures are in hexadecimal digits, lower case.
const (
	// SignBodyKey is sha1 over the bytes of the body and the secret behind them.
	SignBodyKey SignerKind = "sha1_body_key"
	// SignParams is sha1 over the parameters, sorted by name and encoded as they are
	// sent, and the secret behind them.
	SignParams SignerKind = "sha1_params_secret"
)

// UnmarshalText accepts the words above only.
func (k *SignerKind) UnmarshalText(text []byte) error {
	return word(k, text, "signer", SignBodyKey, SignParams)
}

// word sets w to text if it is one of the known words.
func word[W ~string](w *W, text []byte, what string, known ...W) error {
	if !slices.Contains(known, W(text)) {
		names := make([]string, len(known))
		for i, k := range known {
			names[i] = string(k)
		}
		return fmt.Errorf("%q is not a known %s; known are %s", text, what, strings.Join(names, ", "))
	}
	*w = W(text)
	return nil
}
