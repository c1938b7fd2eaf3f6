package postback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The modes of PII.
const (
	Keep = "keep"
	Hash = "hash"
	Drop = "drop"
)

// PII says what happens to personal data of a call before it is stored, in the words of
// the configuration. Hashes are those of the rows that are pulled, so that equal
// addresses stay equal.
type PII struct {
	// IP is for the caller's address and for the parameters that carry a visitor's, Email
	// for every value that is an e-mail address: Keep (also if empty), Hash or Drop.
	IP, Email string
	// Key is the key of the hashes; needed for Hash only.
	Key []byte
	// Names are parameters that carry visitors' addresses, beside those that networks
	// usually call so.
	Names []string
}

// ipNames are usual names of parameters with a visitor's address.
var ipNames = []string{"ip", "ip_address", "user_ip", "visitor_ip", "client_ip", "uip"}

// cleaner takes out of the values of a call what must not be stored.
type cleaner struct {
	token     string
	ip, email string
	key       []byte
	ipNames   map[string]bool
}

func newCleaner(token string, p PII) *cleaner {
	c := &cleaner{token: token, ip: p.IP, email: p.Email, key: p.Key, ipNames: map[string]bool{}}
	for _, list := range [][]string{ipNames, p.Names} {
		for _, name := range list {
			c.ipNames[strings.ToLower(name)] = true
		}
	}
	return c
}

// masked stands in the place of a token.
const masked = "***"

// holds reports whether text has the token in it.
func (c *cleaner) holds(text string) bool { return c.token != "" && strings.Contains(text, c.token) }

// value gives what is stored of a parameter's value. The name is in lower case.
func (c *cleaner) value(name, value string) string {
	if c.holds(value) {
		value = strings.ReplaceAll(value, c.token, masked)
	}
	if altered(c.ip) && c.ipNames[name] {
		return c.personal(c.ip, value)
	}
	if altered(c.email) && strings.IndexByte(value, '@') >= 0 && isEmail(strings.TrimSpace(value)) {
		return c.personal(c.email, strings.TrimSpace(value))
	}
	return value
}

// address gives what is stored of a caller's address.
func (c *cleaner) address(ip string) string {
	if altered(c.ip) {
		return c.personal(c.ip, ip)
	}
	return ip
}

func altered(mode string) bool { return mode == Hash || mode == Drop }

func (c *cleaner) personal(mode, value string) string {
	if mode == Drop || value == "" {
		return ""
	}
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// isEmail reports whether the whole of s is one e-mail address, as extractors/rest has it.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(s) > 254 || len(local) > 64 || strings.ContainsAny(s, " \t\r\n,;<>()[]\\\"/:?&=") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.Contains(domain, "@") && !strings.Contains(domain, "..")
}
