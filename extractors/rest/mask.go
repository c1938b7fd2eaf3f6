package rest

import (
	"bytes"
	"slices"
	"strings"
)

// Mask gives what is done to the values of a file's column before they go anywhere; nil
// for nothing.
//
// Every column is searched for the account's own credentials, not only those that look
// like it: an address that a network was called at is a value like any other. It costs
// little, because a value that is shorter than the shortest credential cannot have one
// in it, and most are.
func (s *Source) Mask(column string) func(dst, value []byte) []byte {
	return s.redactor.mask(strings.TrimSpace(column))
}

func (r *redactor) mask(column string) func(dst, value []byte) []byte {
	switch {
	case r.isSecretColumn(column):
		return func(dst, _ []byte) []byte { return dst }
	case r.ips[column]:
		return func(dst, value []byte) []byte { return r.appendPersonal(dst, r.ip, value, bytes.TrimSpace(value)) }
	case !r.emails() && len(r.echoes) == 0:
		return nil
	}
	shortest := 0
	for _, echo := range r.echoes {
		if shortest == 0 || len(echo) < shortest {
			shortest = len(echo)
		}
	}
	emails := r.emails()
	return func(dst, value []byte) []byte {
		if emails && bytes.IndexByte(value, '@') > 0 {
			if address := strings.ToLower(string(bytes.TrimSpace(value))); isEmail(address) {
				return r.appendPersonal(dst, r.email, value, []byte(address))
			}
		}
		if shortest == 0 || len(value) < shortest {
			return append(dst, value...)
		}
		for _, echo := range r.echoes {
			if bytes.Contains(value, echo) {
				value = bytes.ReplaceAll(value, echo, maskOf(echo))
			}
		}
		return append(dst, value...)
	}
}

// isSecretColumn reports whether a column is a secret: a file has the path of one, if it
// is longer than a key, as the name with its dots.
func (r *redactor) isSecretColumn(column string) bool {
	last := column[strings.LastIndexByte(column, '.')+1:]
	return slices.ContainsFunc(r.secrets[last], func(path []string) bool { return strings.Join(path, ".") == column })
}

// appendPersonal appends what stands in the place of a personal value.
func (r *redactor) appendPersonal(dst []byte, mode Mode, value, plain []byte) []byte {
	if len(plain) == 0 {
		return append(dst, value...)
	}
	return append(dst, r.bare(mode, string(plain))...)
}
