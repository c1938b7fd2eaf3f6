package rest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"syncd/extractors"
	"syncd/extractors/manifest"
)

// fillParameters fills the templates of a query or a form.
func (f *filler) fillParameters(templates []parameter) params {
	var q params
	for _, p := range templates {
		for _, t := range p.values {
			f.add(&q, p, t)
		}
	}
	return q
}

// body fills the body of a request.
func (f *filler) body() []byte {
	return f.plan.body.Expand(func(part manifest.BodyPart) string {
		switch p := part.Placeholder; {
		case p == manifest.Items, p == manifest.SliceWords:
			list := f.items
			if p == manifest.SliceWords {
				list = f.plan.slices
			}
			values := make([]string, len(list))
			for i, v := range list {
				values[i] = bareJSON(v, part.Texts)
			}
			return "[" + strings.Join(values, ",") + "]"
		case part.Quoted:
			return string(jsonText(f.value(p)))
		}
		return bareJSON(f.value(part.Placeholder), false)
	})
}

// bareJSON writes a value without quotes where it is a number, and as a string where it
// is not, or where strings are asked for.
func bareJSON(value string, asText bool) string {
	// A number that JSON would write in another way ("007", "1e3") is an id, and a text.
	if !asText && value != "" && strings.Trim(value, "0123456789") == "" && json.Valid([]byte(value)) {
		return value
	}
	return `"` + string(jsonText(value)) + `"`
}

// content puts what a request sends beside its address into the call.
func (f *filler) content(c *extractors.Call, form params) {
	p := f.plan
	if p.manifest.Request.Method != manifest.MethodPost {
		return
	}
	c.Method, c.Reads = http.MethodPost, true
	switch {
	case p.body != nil:
		c.Body = f.body()
		c.Header.Set("Content-Type", "application/json")
	default:
		text, _ := form.encode()
		c.Body = []byte(strings.TrimPrefix(text, "?"))
		c.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}

// usesInBody reports whether a placeholder stands in the body.
func (p *plan) usesInBody(is manifest.Placeholder) bool {
	return slices.ContainsFunc(p.body, func(part manifest.BodyPart) bool { return part.Placeholder == is })
}
