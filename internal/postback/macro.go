package postback

import (
	"net/url"
	"strings"
)

// unfilled reports whether a value is a macro that the network left as it was: {status},
// [status] or {{status}}, also encoded once more. Braces around a name anywhere in the
// value are one too; brackets only around all of it, because ids may have them.
func unfilled(value string) bool {
	if strings.Contains(value, "%") {
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
	}
	if inner, ok := strings.CutPrefix(value, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && isName(inner)
	}
	for {
		_, rest, ok := strings.Cut(value, "{")
		if !ok {
			return false
		}
		rest = strings.TrimLeft(rest, "{ ")
		if name, _, closed := strings.Cut(rest, "}"); closed && isName(strings.TrimSpace(name)) {
			return true
		}
		value = rest
	}
}

// isName reports whether s may be the name of a macro: "sub_id_1", "get.subid", "lead.Sub1".
func isName(s string) bool {
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.ContainsRune("_.-: ", c):
		default:
			return false
		}
	}
	return s != ""
}
