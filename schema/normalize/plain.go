package normalize

import (
	"bytes"
	"slices"

	"syncd/schema"
)

// A network that gives the same record in an answer and in a file writes it in two
// ways: 3 and "3", ["a","b"] and ['a','b'], "" and nothing, two forms of a time. For
// Spec.Plain the members of extra are brought into one.

// plainForm is what a value's text is.
type plainForm int

const (
	plainNothing plainForm = iota
	plainString
	plainWritten
)

// plainMember is a member of extra in n.plainExtra: its comma, key and value.
type plainMember struct{ start, key, end int }

// makePlain writes n.extra, which is whole but for its closing bracket, in its one form.
func (n *Normalizer) makePlain() {
	n.extra = append(n.extra, '}')
	out, list := n.plainExtra[:0], n.plainMembers[:0]
	sorted := true
	m := enter(n.extra, 0)
	for {
		at, ok, err := m.next()
		if err != nil || !ok {
			break // extra is what we wrote ourselves
		}
		v, end := read(n.extra, at)
		if end < 0 {
			break
		}
		m.i = end
		text, form := n.plainValue(v)
		if form == plainNothing {
			continue
		}
		start := len(out)
		out = append(append(append(out, ',', '"'), m.key...), '"', ':')
		if form == plainWritten {
			out = append(out, text...)
		} else {
			out = appendJSON(out, text)
		}
		member := plainMember{start, start + 2 + len(m.key), len(out)}
		if k := len(list); k > 0 && bytes.Compare(list[k-1].name(out), member.name(out)) > 0 {
			sorted = false
		}
		list = append(list, member)
	}
	if !sorted {
		slices.SortStableFunc(list, func(a, b plainMember) int { return bytes.Compare(a.name(out), b.name(out)) })
	}
	n.extra = n.extra[:0]
	for _, member := range list {
		n.extra = append(n.extra, out[member.start:member.end]...)
	}
	if len(n.extra) > 0 {
		n.extra[0] = '{'
	}
	n.plainExtra, n.plainMembers = out, list
}

func (m plainMember) name(out []byte) []byte { return out[m.start+2 : m.key] }

// plainRecord writes n.extra for a record of a file in its one form: what is kept of it
// is text in n.csv.kept, in the order of the names already.
func (n *Normalizer) plainRecord() {
	extra := n.extra[:0]
	for i, text := range n.csv.kept {
		if len(text) == 0 {
			continue
		}
		text, form := n.plainOf(text)
		switch label := n.csv.columns[n.csv.order[i]].label; form {
		case plainString:
			extra = appendJSON(append(extra, label...), text)
		case plainWritten:
			extra = append(append(extra, label...), text...)
		}
	}
	if len(extra) > 0 {
		extra[0] = '{'
	}
	n.extra = extra
}

// plainValue gives a value's one form.
func (n *Normalizer) plainValue(v value) ([]byte, plainForm) {
	switch v.kind {
	case null:
		return nil, plainNothing
	case truth:
		n.joinText = append(n.joinText[:0], '1')
		return n.joinText, plainString
	case falsehood:
		n.joinText = append(n.joinText[:0], '0')
		return n.joinText, plainString
	case number:
		if bytes.IndexByte(v.raw, '.') > 0 && !bytes.ContainsAny(v.raw, "eE") {
			return bytes.TrimSuffix(bytes.TrimRight(v.raw, "0"), []byte(".")), plainString
		}
		return v.raw, plainString
	case object:
		if v.isEmpty() {
			return nil, plainNothing
		}
		return v.raw, plainWritten
	case array:
		if list, form := n.plainList(v.raw); form != plainString {
			return list, form
		}
		return v.raw, plainWritten // lists in lists, which no file has
	}
	return n.plainOf(n.textOf(v))
}

// plainOf gives the one form of text.
func (n *Normalizer) plainOf(text []byte) ([]byte, plainForm) {
	switch {
	case len(text) == 0:
		return nil, plainNothing
	case text[0] == '[' && text[len(text)-1] == ']':
		return n.plainList(text)
	}
	return n.plainTime(text)
}

// plainList writes a list as JSON has it, its elements as text. It is JSON, or
// ClickHouse's text with single quotes; anything else is text.
func (n *Normalizer) plainList(list []byte) ([]byte, plainForm) {
	out := append(n.joinText[:0], '[')
	i := space(list, 1)
	if i == len(list)-1 {
		return nil, plainNothing
	}
	for i < len(list)-1 {
		if len(out) > 1 {
			if list[i] != ',' {
				return list, plainString
			}
			i = space(list, i+1)
			out = append(out, ',')
		}
		switch c := list[i]; c {
		case '\'', '"':
			end := i + 1
			for end < len(list) && list[end] != c {
				if list[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(list)-1 {
				return list, plainString
			}
			n.plainElement = unquote(n.plainElement[:0], list[i+1:end])
			out = appendJSON(out, n.plainElement)
			i = end + 1
		case '[', '{':
			return list, plainString
		default:
			end := i + bytes.IndexAny(list[i:], ",]")
			out = appendJSON(out, bytes.TrimSpace(list[i:end]))
			i = end
		}
		i = space(list, i)
	}
	n.joinText = append(out, ']')
	return n.joinText, plainWritten
}

// plainTime writes a time of UTC as files do; other text stays as it is. The first
// instants of ClickHouse's and of Go's clock are how servers say none.
func (n *Normalizer) plainTime(text []byte) ([]byte, plainForm) {
	const length = len("2006-01-02 15:04:05")
	if len(text) < length || text[4] != '-' || text[7] != '-' || text[13] != ':' {
		return text, plainString
	}
	_, rest, err := schema.ParseCivil(text)
	if zone := string(rest); err != nil || zone != "" && zone != "Z" && zone != "+00:00" {
		return text, plainString
	}
	n.joinText = append(n.joinText[:0], text[:len(text)-len(rest)]...)
	n.joinText[10] = ' '
	switch string(n.joinText) {
	case "1970-01-01 00:00:00", "0001-01-01 00:00:00":
		return nil, plainNothing
	}
	return n.joinText, plainString
}

// unquote is unescape where a single quote may be escaped too.
func unquote(dst, raw []byte) []byte {
	for {
		i := bytes.Index(raw, []byte(`\'`))
		if i < 0 {
			return unescape(dst, raw)
		}
		dst = append(unescape(dst, raw[:i]), '\'')
		raw = raw[i+2:]
	}
}
