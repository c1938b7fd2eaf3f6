package rest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"syncd/extractors/manifest"
)

// Mode is what happens to personal data of one kind before anything is stored.
type Mode string

// The modes; the empty Mode is Keep.
const (
	// Keep stores it as it came.
	Keep Mode = "keep"
	// Hash stores a keyed digest of it, 32 hexadecimal digits: equal values stay
	// equal, and without the key none can be found by trying.
	Hash Mode = "hash"
	// Drop stores an empty text in its place.
	Drop Mode = "drop"
)

// PII says what happens to personal data.
type PII struct {
	// IP is for the values of the keys that the manifest names.
	IP Mode
	// Email is for every string in an answer that is an e-mail address.
	Email Mode
	// Key is the key of the digests; needed for Hash only.
	Key Secret
}

// echoShortest is the length below which a credential is not looked for in
// answers. A short one (a user id, a login) is there in its own right, as data.
const echoShortest = 8

// redactor takes secrets and personal data out of answers.
type redactor struct {
	// echoes are the account's own credentials, as an answer may repeat them.
	echoes [][]byte
	// secrets are paths by their last key: a path holds where the keys before it
	// follow one another, whatever stands above.
	secrets map[string][][]string
	ips     map[string]bool
	// quoted are the last keys of secrets and the ips, the way a body has them.
	quoted    [][]byte
	ip, email Mode
	key       []byte
}

func newRedactor(n *manifest.Network, p PII, secrets map[string]string) *redactor {
	r := &redactor{secrets: map[string][][]string{}, ips: map[string]bool{}, ip: p.IP, email: p.Email}
	for _, form := range secretForms(secrets, echoShortest) {
		if strings.Trim(form, "0123456789") != "" || len(form) >= 2*echoShortest {
			r.echoes = append(r.echoes, []byte(form))
		}
	}
	for _, path := range n.Secrets {
		keys := strings.Split(path, ".")
		last := keys[len(keys)-1]
		r.secrets[last] = append(r.secrets[last], keys)
	}
	if p.IP == Hash || p.IP == Drop {
		for _, key := range n.PII.IP {
			r.ips[key] = true
		}
	}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(r.secrets)), slices.Collect(maps.Keys(r.ips))) {
		r.quoted = append(r.quoted, []byte(`"`+string(jsonText(key))+`"`))
	}
	if p.Key != nil {
		r.key = []byte(p.Key.Reveal())
	}
	return r
}

// redact gives the body without what must not be stored, or the body itself if
// there is nothing of that in it, which costs one search of the body for each key.
// A body that has something of that and is not JSON comes back empty: nothing can
// be said about where in it the values end.
func (r *redactor) redact(body []byte) []byte {
	for _, echo := range r.echoes {
		if bytes.Contains(body, echo) {
			body = bytes.ReplaceAll(body, echo, []byte(mask))
		}
	}
	if !r.suspicious(body) {
		return body
	}
	e := editor{redactor: r, body: body}
	e.space()
	if !e.value(0, false) {
		return nil
	}
	if e.space(); e.at != len(body) {
		return nil
	}
	return e.edited()
}

// suspicious reports whether a body needs to be read.
func (r *redactor) suspicious(body []byte) bool {
	for _, key := range r.quoted {
		if bytes.Contains(body, key) {
			return true
		}
	}
	if r.email == Hash || r.email == Drop {
		if bytes.IndexByte(body, '@') >= 0 {
			return true
		}
	}
	// A key or an @ may be written with escapes ("api\u005fkey"). Escaped letters of
	// other alphabets, which PHP writes by default, are no reason to look.
	return (len(r.quoted) > 0 || r.email != "" && r.email != Keep) && escapesASCII(body)
}

func escapesASCII(body []byte) bool {
	for {
		i := bytes.Index(body, []byte(`\u00`))
		if i < 0 || i+4 >= len(body) {
			return false
		}
		if c := body[i+4]; c >= '2' && c <= '7' {
			return true
		}
		body = body[i+4:]
	}
}

// replacement is what stands in the place of a personal value, quotes included.
func (r *redactor) replacement(mode Mode, value string) []byte {
	if mode == Drop {
		return []byte(`""`)
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(value))
	out := make([]byte, 0, 34)
	out = append(out, '"')
	out = hex.AppendEncode(out, mac.Sum(nil)[:16])
	return append(out, '"')
}

// editor walks through a JSON document and notes what to cut out and replace. It
// reads the document's structure only as strictly as it needs for that.
type editor struct {
	*redactor
	body []byte
	at   int
	// keys are those of the objects around the cursor, outermost first.
	keys  [][]byte
	edits []edit
}

// edit replaces body[from:to].
type edit struct {
	from, to int
	with     []byte
}

// depthMax is how deep a document may nest; networks send up to ten levels.
const depthMax = 200

// value reads the value at the cursor. ip says that strings in it are IP
// addresses. It reports false if there is no JSON value.
func (e *editor) value(depth int, ip bool) bool {
	if e.at >= len(e.body) || depth > depthMax {
		return false
	}
	switch e.body[e.at] {
	case '{':
		return e.object(depth)
	case '[':
		return e.array(depth, ip)
	case '"':
		return e.text(ip)
	}
	return e.scalar()
}

// scalar reads a number, true, false or null.
func (e *editor) scalar() bool {
	from := e.at
	for e.at < len(e.body) {
		c := e.body[e.at]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E' {
			e.at++
			continue
		}
		break
	}
	return e.at > from
}

func (e *editor) space() {
	for e.at < len(e.body) {
		switch e.body[e.at] {
		case ' ', '\t', '\r', '\n':
			e.at++
		default:
			return
		}
	}
}

// take reads one byte of punctuation and the space after it.
func (e *editor) take(c byte) bool {
	if e.at >= len(e.body) || e.body[e.at] != c {
		return false
	}
	e.at++
	e.space()
	return true
}

func (e *editor) array(depth int, ip bool) bool {
	e.take('[')
	if e.take0(']') {
		return true
	}
	for {
		if !e.value(depth+1, ip) {
			return false
		}
		e.space()
		if e.take0(']') {
			return true
		}
		if !e.take(',') {
			return false
		}
	}
}

// take0 reads one closing byte, without the space after it.
func (e *editor) take0(c byte) bool {
	if e.at >= len(e.body) || e.body[e.at] != c {
		return false
	}
	e.at++
	return true
}

// object reads an object and cuts its secret members out, each with the comma that
// it leaves over: the one before it, or, if no member stays before it, the one after.
func (e *editor) object(depth int) bool {
	e.take('{')
	if e.take0('}') {
		return true
	}
	kept := false
	end := e.at // of the member before
	for {
		from := e.at
		key, ok := e.str()
		if !ok {
			return false
		}
		e.space()
		if !e.take(':') {
			return false
		}
		name := unquote(key)
		e.keys = append(e.keys, name)
		secret, edits := e.secret(name), len(e.edits)
		if !e.value(depth+1, e.ips[string(name)]) {
			return false
		}
		e.keys = e.keys[:len(e.keys)-1]
		memberEnd := e.at
		e.space()
		last := e.at < len(e.body) && e.body[e.at] == '}'
		if !last && !e.take(',') {
			return false
		}
		switch {
		case !secret:
			kept = true
		case kept:
			e.edits = append(e.edits[:edits], edit{from: end, to: memberEnd})
		default:
			e.edits = append(e.edits[:edits], edit{from: from, to: e.at})
		}
		end = memberEnd
		if last {
			e.at++
			return true
		}
	}
}

// secret reports whether the member at the cursor, of the given key, is a secret.
func (e *editor) secret(key []byte) bool {
	return slices.ContainsFunc(e.secrets[string(key)], func(path []string) bool {
		return len(path) <= len(e.keys) && slices.EqualFunc(path, e.keys[len(e.keys)-len(path):], func(want string, got []byte) bool {
			return want == string(got)
		})
	})
}

// str reads a string and gives it with its quotes.
func (e *editor) str() ([]byte, bool) {
	if e.at >= len(e.body) || e.body[e.at] != '"' {
		return nil, false
	}
	for i := e.at + 1; ; {
		n := bytes.IndexByte(e.body[i:], '"')
		if n < 0 {
			return nil, false
		}
		i += n + 1
		if !escaped(e.body[e.at+1 : i-1]) {
			raw := e.body[e.at:i]
			e.at = i
			return raw, true
		}
	}
}

// escaped reports whether the byte that follows is escaped: an odd number of
// backslashes stands before it.
func escaped(before []byte) bool {
	n := len(before)
	for n > 0 && before[n-1] == '\\' {
		n--
	}
	return (len(before)-n)%2 == 1
}

// text reads a string value and replaces it if it is personal.
func (e *editor) text(ip bool) bool {
	from := e.at
	raw, ok := e.str()
	if !ok {
		return false
	}
	if ip {
		if value := strings.TrimSpace(string(unquote(raw))); value != "" {
			e.edits = append(e.edits, edit{from, e.at, e.replacement(e.ip, value)})
		}
		return true
	}
	if e.email != Hash && e.email != Drop || bytes.IndexByte(raw, '@') < 0 && !escapesASCII(raw) {
		return true
	}
	// The same mailbox is written in many ways; its digest should be one.
	if value := strings.ToLower(strings.TrimSpace(string(unquote(raw)))); isEmail(value) {
		e.edits = append(e.edits, edit{from, e.at, e.replacement(e.email, value)})
	}
	return true
}

// edited gives the body with the edits made, which are in the order of their places.
func (e *editor) edited() []byte {
	if len(e.edits) == 0 {
		return e.body
	}
	out := make([]byte, 0, len(e.body)+16*len(e.edits))
	at := 0
	for _, d := range e.edits {
		out = append(out, e.body[at:d.from]...)
		out = append(out, d.with...)
		at = d.to
	}
	return append(out, e.body[at:]...)
}

// unquote gives the content of a JSON string; of a malformed one, its letters.
func unquote(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return inner
	}
	return []byte(s)
}

// isEmail reports whether the whole of s is one e-mail address: local part, @, and
// a domain with a dot. Quoted local parts and addresses with names are not met in
// the networks' fields.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(s) > 254 || len(local) > 64 || strings.ContainsAny(s, " \t\r\n,;<>()[]\\\"/:?&=") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.Contains(domain, "@") && !strings.Contains(domain, "..")
}
