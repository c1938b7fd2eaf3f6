package loaders

import (
	"strings"
	"time"
)

var (
	identifierEscapes = strings.NewReplacer("\\", "\\\\", "`", "\\`")
	literalEscapes    = strings.NewReplacer("\\", "\\\\", "'", "\\'")
)

// quote makes an identifier of a name. All identifiers in statements pass here.
func quote(name string) string {
	return "`" + identifierEscapes.Replace(name) + "`"
}

// quoteAll gives the identifiers of names as a list.
func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}

// literal makes a string literal of a value.
func literal(value string) string {
	return "'" + literalEscapes.Replace(value) + "'"
}

// literals makes a list of string literals.
func literals(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = literal(v)
	}
	return strings.Join(quoted, ", ")
}

// instant makes a DateTime64(3, 'UTC') literal of a time.
func instant(t time.Time) string {
	return "toDateTime64('" + t.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}

// day makes a Date literal of the UTC day of a time.
func day(t time.Time) string {
	return "toDate('" + t.UTC().Format(time.DateOnly) + "')"
}
