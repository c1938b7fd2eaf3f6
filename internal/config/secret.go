package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const (
	redacted          = "***"
	fingerprintLength = 12
)

// Secret is a text that does not print: every way to format or encode it gives
// "***". The text is behind a pointer, because fmt prints the plain fields of a
// struct that holds a Secret in an unexported field.
type Secret struct{ v *string }

// NewSecret makes a secret of a text; the empty text gives the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal gives the text; empty for the zero Secret.
func (s Secret) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.v == nil || *s.v == "" }

// Fingerprint tells secrets apart without telling them: the first 12 hexadecimal
// digits of the SHA-256.
func (s Secret) Fingerprint() string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])[:fingerprintLength]
}

// String gives "***".
func (s Secret) String() string { return redacted }

// GoString gives "***".
func (s Secret) GoString() string { return redacted }

// Format writes "***" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalYAML gives "***".
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// HiddenInMessages keeps the text out of the messages about a file.
func (Secret) HiddenInMessages() {}

// Expected says how to write a secret.
func (Secret) Expected() string { return "a secret, best written as ${NAME} or ${file:/path}" }

// DSN is an address that may hold a password. It prints without it.
type DSN struct{ v *string }

// Embedded is the DSN of the warehouse that the daemon runs itself.
const Embedded = "embedded"

// NewDSN makes a DSN of a text.
func NewDSN(text string) DSN { return DSN{&text} }

// Reveal gives the whole address.
func (d DSN) Reveal() string {
	if d.v == nil {
		return ""
	}
	return *d.v
}

// IsZero reports whether there is no address.
func (d DSN) IsZero() bool { return d.Reveal() == "" }

// IsEmbedded reports whether the daemon runs the warehouse itself.
func (d DSN) IsEmbedded() bool { return d.Reveal() == Embedded }

// Redacted gives the address with "***" for passwords, and only the scheme of an
// address that cannot be read, or in which a password may have been taken for
// something else: one with an unescaped / ? or # in it ends the host there, and its @
// stands behind.
func (d DSN) Redacted() string {
	text := d.Reveal()
	u, err := url.Parse(text)
	if err == nil {
		u.RawQuery = redactQuery(u.RawQuery)
	}
	if err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		scheme, _, _ := strings.Cut(text, ":")
		if len(scheme) == len(text) {
			return redacted
		}
		return scheme + ":" + redacted
	}
	if _, ok := u.User.Password(); !ok {
		return u.String()
	}
	// url.URL would write the asterisks as %2A.
	return strings.Replace(u.Redacted(), ":xxxxx@", ":"+redacted+"@", 1)
}

// redactQuery removes the values of parameters that are secrets by their names, and of
// the proxy, whose address may have a password of its own.
func redactQuery(raw string) string {
	query := strings.Split(raw, "&")
	for i, pair := range query {
		name, _, _ := strings.Cut(pair, "=")
		spelled, err := url.QueryUnescape(name)
		if err != nil {
			spelled = name
		}
		for _, word := range []string{"pass", "secret", "token", "key", "proxy"} {
			if strings.Contains(strings.ToLower(spelled), word) {
				query[i] = name + "=" + redacted
			}
		}
	}
	return strings.Join(query, "&")
}

// String gives the address without passwords.
func (d DSN) String() string { return d.Redacted() }

// GoString gives the address without passwords.
func (d DSN) GoString() string { return d.Redacted() }

// Format writes the address without passwords for every verb.
func (d DSN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.Redacted()) }

// MarshalText gives the address without passwords.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.Redacted()), nil }

// UnmarshalText takes the address.
func (d *DSN) UnmarshalText(text []byte) error {
	*d = NewDSN(string(text))
	return nil
}

// HiddenInMessages keeps the address out of the messages about a file.
func (DSN) HiddenInMessages() {}

// Expected says what an address looks like.
func (DSN) Expected() string { return "an address" }
