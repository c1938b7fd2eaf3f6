package manifest

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// ParsePath reads the template of a path, which begins with a slash and holds no
// parameters, no fragment and no step upwards.
func ParsePath(text string) (Template, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("path %q does not begin with a slash", text)
	}
	if strings.ContainsAny(text, `?#\`) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil, fmt.Errorf("path %q is more than a path: no ? or #, no backslash and no space may stand in it", text)
	}
	if _, err := url.PathUnescape(text); err != nil {
		return nil, fmt.Errorf("path %q has a percent sign that escapes nothing", text)
	}
	if strings.HasPrefix(text, "//") {
		return nil, fmt.Errorf("path %q begins with two slashes", text)
	}
	for element := range strings.SplitSeq(text, "/") {
		// The elements as a server may read them: %2e is a dot.
		if e := strings.ReplaceAll(strings.ToLower(element), "%2e", "."); e == "." || e == ".." {
			return nil, fmt.Errorf("path %q has a step in it, %q", text, element)
		}
	}
	return ParseTemplate(text)
}

// ParseOwnPath reads a path that an account gives, the value of Request.PathVariable.
// Nothing may stand in it that only a manifest knows the meaning of: it has the
// placeholders of items and variables, and of exports in a call about one.
func ParseOwnPath(text string) (Template, error) {
	t, err := ParsePath(text)
	if err != nil {
		return nil, err
	}
	for _, part := range t {
		p := part.Placeholder
		_, variable := p.Variable()
		_, column := p.Column()
		if p != "" && p != Item && !variable && !column && !p.OfExport() {
			return nil, fmt.Errorf("path %q: {%s} cannot stand in a path of an account; {item}, {item.NUMBER} and {variable.NAME} can", text, p)
		}
	}
	return t, nil
}
