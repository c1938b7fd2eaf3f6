package rest

import (
	"bytes"
	"html"
	"slices"
	"strings"
)

// redactXML is redact for a body in XML. It goes from tag to tag and does not care
// whether the document is well-formed: one with a broken record is stored, and the
// values in it have to be found too. What is cut or replaced are values; elements stay,
// and line ends, so that a bad row's line is that of the answer as it came.
//
// A page in HTML and a text that is not bytes of ASCII and more come back empty if they
// may hold anything: where in them values end is not known.
func (r *redactor) redactXML(body []byte) []byte {
	if isWide(body) && (len(r.names) > 0 || r.emails()) {
		return nil
	}
	if !r.suspiciousXML(body) {
		return body
	}
	if isHTML(body) {
		return nil
	}
	e := xmlEditor{editor: editor{redactor: r, body: body}, next: map[string]int{}}
	e.document()
	return e.edited()
}

func (r *redactor) emails() bool { return r.email == Hash || r.email == Drop }

// suspiciousXML reports whether a body needs to be read. Names cannot be written with
// escapes in XML, an @ can.
func (r *redactor) suspiciousXML(body []byte) bool {
	for _, name := range r.names {
		if bytes.Contains(body, name) {
			return true
		}
	}
	return r.emails() && (bytes.IndexByte(body, '@') >= 0 || bytes.Contains(body, []byte("&#")) || bytes.Contains(body, []byte("&commat;")))
}

// isWide reports whether a body seems to be UTF-16.
func isWide(body []byte) bool {
	return bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.IndexByte(body[:min(4, len(body))], 0) >= 0
}

// isHTML reports whether what a body begins with, behind comments and instructions, is HTML.
func isHTML(body []byte) bool {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	for {
		body = bytes.TrimLeft(body, " \t\r\n")
		end := ""
		switch {
		case bytes.HasPrefix(body, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(body, []byte("<!--")):
			end = "-->"
		default:
			head := strings.ToLower(string(body[:min(len(body), len("<!doctype html"))]))
			return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
		}
		_, behind, ok := bytes.Cut(body, []byte(end))
		if !ok {
			return false
		}
		body = behind
	}
}

// xmlEditor notes what to replace in a document in XML. The text between two tags is
// looked at as one value; it belongs to the element that is innermost there.
type xmlEditor struct {
	editor
	// name is the element that the text at the cursor belongs to, and leaf that nothing
	// but text has been seen in it.
	name []byte
	leaf bool
	// secrets says for each of keys whether it is, or stands in, a secret.
	secrets []bool
	// lost says that tags did not match: the elements around the cursor may be others.
	lost bool
	// next is where the next end of each kind of section is; the body's length for none.
	next map[string]int

	from   int    // where the text at the cursor begins
	marked int    // how many edits there were then
	text   []byte // it, without comments and CDATA's marks
	broken bool   // a part of it is markup that was not understood
}

func (e *xmlEditor) document() {
	for e.at < len(e.body) {
		n := bytes.IndexByte(e.body[e.at:], '<')
		if n < 0 {
			n = len(e.body) - e.at
		}
		e.text = appendUnescaped(e.text, e.body[e.at:e.at+n])
		if e.at += n; e.at == len(e.body) {
			break
		}
		e.markup()
	}
	e.flush()
}

// appendUnescaped appends a text with its entities resolved: more of them than XML has,
// since a broken record may hold any.
func appendUnescaped(dst, text []byte) []byte {
	if bytes.IndexByte(text, '&') < 0 {
		return append(dst, text...)
	}
	return append(dst, html.UnescapeString(string(text))...)
}

// markup reads what begins with the < at the cursor.
func (e *xmlEditor) markup() {
	switch rest := e.body[e.at:]; {
	case bytes.HasPrefix(rest, []byte("<!--")):
		e.hidden("<!--", "-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if from, to, ok := e.section("<![CDATA[", "]]>"); ok {
			e.text = append(e.text, e.body[from:to]...)
			e.at = to + len("]]>")
		}
	case bytes.HasPrefix(rest, []byte("<?xml ")) && len(e.keys) == 0: // it says the charset
		if _, to, ok := e.section("<?", "?>"); ok {
			e.at = to + len("?>")
		}
	case bytes.HasPrefix(rest, []byte("<?")):
		e.hidden("<?", "?>")
	case bytes.HasPrefix(rest, []byte("</")):
		e.endTag()
	default:
		e.startTag()
	}
}

// section gives where the content of a section is. One that is not closed, or in which
// another begins, is taken for text, as normalization takes it for broken.
func (e *xmlEditor) section(open, end string) (from, to int, ok bool) {
	from = e.at + len(open)
	to, looked := e.next[end]
	if !looked || to < from {
		// Looked for once for all the sections before it, see normalize.
		if to = len(e.body); from < to {
			if n := bytes.Index(e.body[from:], []byte(end)); n >= 0 {
				to = from + n
			}
		}
		e.next[end] = to
	}
	if to == len(e.body) || bytes.Contains(e.body[from:to], []byte(open)) {
		e.stray(len(open))
		return 0, 0, false
	}
	return from, to, true
}

// hidden blanks a section that nobody reads, whatever is in it.
func (e *xmlEditor) hidden(open, end string) {
	from, to, ok := e.section(open, end)
	if !ok {
		return
	}
	e.edits = append(e.edits, edit{from, to, lineEnds(e.body[from:to])})
	e.at = to + len(end)
}

// stray takes bytes of markup for text.
func (e *xmlEditor) stray(n int) {
	e.text = append(e.text, e.body[e.at:e.at+n]...)
	e.at += n
	e.broken = true
}

func (e *xmlEditor) endTag() {
	end := e.at + 2
	for end < len(e.body) && !endsTagName(e.body[end]) {
		end++
	}
	name := localTag(e.body[e.at+2 : end])
	e.flush()
	end += tagEnd(e.body[end:])
	at := len(e.keys) - 1
	for at >= 0 && !bytes.Equal(e.keys[at], name) {
		at--
	}
	switch {
	case at >= 0:
		e.lost = e.lost || at < len(e.keys)-1
		e.cut(at)
	case e.leaf && len(e.keys) > 0:
		e.cut(len(e.keys) - 1)
	default:
		e.lost = true
	}
	e.leaf = false
	e.begin(end)
}

// cut leaves the elements from the one at a depth on.
func (e *xmlEditor) cut(depth int) {
	e.keys, e.secrets = e.keys[:depth], e.secrets[:depth]
	e.name = nil
	if depth > 0 {
		e.name = e.keys[depth-1]
	}
}

func (e *xmlEditor) startTag() {
	end := e.at + 1
	for end < len(e.body) && !endsTagName(e.body[end]) {
		end++
	}
	if end == e.at+1 {
		e.stray(1)
		return
	}
	name := localTag(e.body[e.at+1 : end])
	e.flush()
	within := len(e.secrets) > 0 && e.secrets[len(e.secrets)-1]
	e.name, e.leaf = name, true
	entered := len(e.keys) < depthMax
	if entered {
		e.keys = append(e.keys, name)
		e.secrets = append(e.secrets, within || e.isSecret(name))
	} else {
		e.lost = true
	}
	behind, empty, ok := e.attributes(end)
	e.begin(behind)
	if !ok {
		e.broken = true
		return
	}
	if empty && entered {
		e.cut(len(e.keys) - 1)
	}
	e.leaf = !empty
}

// isSecret is secret, where the elements around the cursor are sure; where they are not
// the name is enough.
func (e *xmlEditor) isSecret(name []byte) bool {
	return e.secret(name) || e.lost && len(e.redactor.secrets[string(name)]) > 0
}

// attributes looks at those of a tag and gives where the tag ends; false if it is not
// well-formed from there on. Nobody reads their values, but the answer is kept.
func (e *xmlEditor) attributes(i int) (end int, empty, ok bool) {
	b := e.body
	for {
		for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
			i++
		}
		switch {
		case i == len(b):
			return i, false, false
		case b[i] == '>':
			return i + 1, false, true
		case bytes.HasPrefix(b[i:], []byte("/>")):
			return i + 2, true, true
		}
		start := i
		for i < len(b) && !endsTagName(b[i]) && b[i] != '=' {
			i++
		}
		name := localTag(b[start:i])
		if i == start || i+1 >= len(b) || b[i] != '=' || b[i+1] != '"' && b[i+1] != '\'' {
			return start, false, false
		}
		n := bytes.IndexByte(b[i+2:], b[i+1])
		if n < 0 || bytes.IndexByte(b[i+2:i+2+n], '<') >= 0 {
			return start, false, false
		}
		if with, ok := e.replaced(name, appendUnescaped(nil, b[i+2:i+2+n]), e.inSecret() || len(e.redactor.secrets[string(name)]) > 0, false); ok {
			e.edits = append(e.edits, edit{i + 2, i + 2 + n, append(with, lineEnds(b[i+2:i+2+n])...)})
		}
		i += n + 3
	}
}

func (e *xmlEditor) inSecret() bool {
	return len(e.secrets) > 0 && e.secrets[len(e.secrets)-1] || len(e.keys) >= depthMax && len(e.redactor.secrets[string(e.name)]) > 0
}

// begin begins a text.
func (e *xmlEditor) begin(at int) {
	e.at, e.from, e.marked, e.text, e.broken = at, at, len(e.edits), e.text[:0], false
}

// flush looks at the text that ends at the cursor.
func (e *xmlEditor) flush() {
	if with, ok := e.replaced(e.name, e.text, e.inSecret(), e.broken); ok {
		source := e.body[e.from:e.at]
		e.edits = append(e.edits[:e.marked], edit{e.from, e.at, append(with, lineEnds(source)...)})
	}
}

// replaced gives what stands in the place of a value; false if it may stay. Of a broken
// one it is not known what is the value in it.
func (e *xmlEditor) replaced(name, value []byte, secret, broken bool) ([]byte, bool) {
	ip := e.ips[string(name)]
	email := e.emails() && bytes.IndexByte(value, '@') >= 0
	if !secret && !ip && !email {
		return nil, false
	}
	plain := string(bytes.TrimSpace(value))
	switch {
	case plain == "":
		return nil, false
	case secret:
		return nil, true
	case ip:
		return e.bare(e.ip, plain), true
	case broken:
		return nil, true
	}
	if plain = strings.ToLower(plain); !isEmail(plain) {
		return nil, false
	}
	return e.bare(e.email, plain), true
}

// bare is replacement without quotes.
func (r *redactor) bare(mode Mode, value string) []byte {
	quoted := r.replacement(mode, value)
	return slices.Clip(quoted[1 : len(quoted)-1])
}

// lineEnds are the line feeds of a text.
func lineEnds(b []byte) []byte { return bytes.Repeat([]byte{'\n'}, bytes.Count(b, []byte{'\n'})) }

func endsTagName(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '/', '>', '<', '=', '"', '\'', '&', '!', '?':
		return true
	}
	return false
}

// localTag is a name without the prefix of its namespace.
func localTag(name []byte) []byte {
	if i := bytes.IndexByte(name, ':'); i > 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

// tagEnd gives the length of what is left of a tag: up to its >, or the next <.
func tagEnd(b []byte) int {
	i := bytes.IndexAny(b, "<>")
	switch {
	case i < 0:
		return len(b)
	case b[i] == '>':
		return i + 1
	}
	return i
}

// xmlForms gives the forms that a text has in XML where they differ from it. Which of
// the quotes are written as entities, and how, is the writer's choice.
func xmlForms(text string) []string {
	least := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return []string{
		least, html.EscapeString(text), strings.ReplaceAll(least, `"`, "&quot;"),
		strings.NewReplacer(`"`, "&quot;", "'", "&apos;").Replace(least),
		strings.NewReplacer(`"`, "&quot;", "'", "&#039;").Replace(least), // PHP
	}
}
