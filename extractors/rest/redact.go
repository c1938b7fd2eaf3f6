package rest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
	// names are the last keys of secrets and the ips; quoted are they the way JSON has them.
	names     [][]byte
	quoted    [][]byte
	ip, email Mode
	key       []byte
}

func newRedactor(n *manifest.Network, p PII, secrets map[string]string) *redactor {
	r := &redactor{secrets: map[string][][]string{}, ips: map[string]bool{}, ip: p.IP, email: p.Email, echoes: echoesOf(secrets)}
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
		r.names = append(r.names, []byte(key))
		r.quoted = append(r.quoted, []byte(`"`+string(jsonText(key))+`"`))
	}
	if p.Key != nil {
		r.key = []byte(p.Key.Reveal())
	}
	return r
}

// echoesOf gives the forms in which answers may repeat credentials.
func echoesOf(secrets map[string]string) [][]byte {
	var echoes [][]byte
	for _, form := range secretForms(secrets, echoShortest) {
		if strings.Trim(form, "0123456789") != "" || len(form) >= 2*echoShortest {
			echoes = append(echoes, []byte(form))
		}
	}
	return echoes
}

// with gives a redactor that knows other credentials.
func (r *redactor) with(secrets map[string]string) *redactor {
	other := *r
	other.echoes = echoesOf(secrets)
	return &other
}

// redact gives the body without what must not be stored, or the body itself if
// there is nothing of that in it, which costs one search of the body for each key.
// A body that has something of that and is not JSON comes back empty: nothing can
// be said about where in it the values end.
func (r *redactor) redact(body []byte) []byte {
	for _, echo := range r.echoes {
		if bytes.Contains(body, echo) {
			body = bytes.ReplaceAll(body, echo, maskOf(echo))
		}
	}
	if form(body) == formMarkup || isWide(body) {
		return r.redactXML(body)
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

// maskOf is what stands in the place of a credential that an answer repeats. One
// of digits alone may stand there as a number, which has to stay one.
func maskOf(echo []byte) []byte {
	if len(bytes.Trim(echo, "0123456789")) == 0 {
		return []byte("0")
	}
	return []byte(mask)
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
