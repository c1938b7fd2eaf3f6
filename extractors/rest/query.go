package rest

import (
	"net/url"
	"strings"
)

// params are the query parameters of a call, in the order in which they were
// added. A name may come several times: that is how lists are sent
// ("slice[]=day&slice[]=offer").
type params []param

type param struct {
	name, value string
	// hidden values are credentials.
	hidden bool
}

func (q *params) add(name, value string)       { *q = append(*q, param{name: name, value: value}) }
func (q *params) addHidden(name, value string) { *q = append(*q, param{name, value, true}) }

// encode gives the query as it is sent, brackets escaped, and as people may see
// it: brackets plain, credentials masked. Both begin with "?" unless empty.
func (q params) encode() (sent, shown string) {
	var a, b strings.Builder
	for i, p := range q {
		separator := byte('&')
		if i == 0 {
			separator = '?'
		}
		name, value := queryEscape(p.name), queryEscape(p.value)
		a.WriteByte(separator)
		a.WriteString(name + "=" + value)
		if p.hidden {
			value = mask
		}
		b.WriteByte(separator)
		b.WriteString(plainBrackets(name) + "=" + plainBrackets(value))
	}
	return a.String(), b.String()
}

// plainBrackets undoes the escaping of brackets, which a query may hold as they are.
func plainBrackets(escaped string) string {
	if !strings.Contains(escaped, "%5") {
		return escaped
	}
	return strings.ReplaceAll(strings.ReplaceAll(escaped, "%5B", "["), "%5D", "]")
}

// queryEscape escapes a text for a query. A space is %20: all servers read that, and
// some that are not written for forms take a + for itself.
func queryEscape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
