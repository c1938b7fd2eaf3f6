package affisesim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a request as a PHP server reads them: brackets
// make lists, plain or percent-encoded, numbered or not; a bare name that
// comes twice keeps its last value.
type params struct {
	scalar map[string]string
	list   map[string][]string
}

func parseParams(raw string) params {
	p := params{scalar: map[string]string{}, list: map[string][]string{}}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k, err := url.QueryUnescape(k)
		if err != nil {
			continue
		}
		v, err = url.QueryUnescape(v)
		if err != nil {
			continue
		}
		name, isList := listName(k)
		if isList {
			p.list[name] = append(p.list[name], v)
		} else {
			p.scalar[name] = v
		}
	}
	return p
}

// listName takes the last bracket off "slice[]", "slice[3]" and
// "filter[country][]". "filter[country]" and "sort[id]" stay what they are.
func listName(k string) (string, bool) {
	open := strings.LastIndexByte(k, '[')
	if open <= 0 || !strings.HasSuffix(k, "]") {
		return k, false
	}
	inner := k[open+1 : len(k)-1]
	if inner == "" {
		return k[:open], true
	}
	if _, err := strconv.Atoi(inner); err == nil {
		return k[:open], true
	}
	return k, false
}

// get returns a scalar; a list given for a scalar counts with its last value.
func (p params) get(name string) string {
	if v, ok := p.scalar[name]; ok {
		return v
	}
	if l := p.list[name]; len(l) > 0 {
		return l[len(l)-1]
	}
	return ""
}

// all returns a list; a scalar given for a list counts as a list of one.
func (p params) all(name string) []string {
	if l := p.list[name]; len(l) > 0 {
		return l
	}
	if v, ok := p.scalar[name]; ok && v != "" {
		return []string{v}
	}
	return nil
}

// number returns a scalar as a number, or fallback when it is absent or is none.
func (p params) number(name string, fallback int) int {
	if i, err := strconv.Atoi(p.get(name)); err == nil {
		return i
	}
	return fallback
}

// names lists the parameters that were sent, sorted.
func (p params) names() []string {
	var out []string
	for k := range p.scalar {
		out = append(out, k)
	}
	for k := range p.list {
		if _, twice := p.scalar[k]; !twice {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// canonical prints the parameters in one way, whatever way they were sent:
// "date_from=2024-03-01&status[]=1&status[]=2". without names some to leave out.
func (p params) canonical(without ...string) string {
	var b strings.Builder
	add := func(k, v string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(k)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(v))
	}
	for _, k := range p.names() {
		if slices.Contains(without, k) {
			continue
		}
		if v, ok := p.scalar[k]; ok {
			add(k, v)
		}
		for _, v := range p.list[k] {
			add(k+"[]", v)
		}
	}
	return b.String()
}
