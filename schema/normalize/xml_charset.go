package normalize

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// windows1252 are the characters of the bytes 0x80 to 0x9f. What is declared as
// ISO-8859-1 is read in the same way, as browsers do: there these bytes are control
// characters, which nobody means.
var windows1252 = [32]rune{
	'€', '\u0081', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u008d', 'Ž', '\u008f',
	'\u0090', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u009d', 'ž', 'Ÿ',
}

// declarationBytes is how far into a document its declaration is looked for the end of.
const declarationBytes = 512

// xmlText gives a document as UTF-8, without a byte order mark. What is not UTF-8 and
// not declared as anything else has its wrong bytes replaced, as for JSON.
func xmlText(body []byte) ([]byte, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	charset := declaredCharset(body)
	if bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.IndexByte(body[:min(4, len(body))], 0) >= 0 {
		charset = "utf-16"
	}
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		if !utf8.Valid(body) {
			body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
		}
		return body, nil
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1", "windows-1252", "cp1252":
		return fromWindows1252(body), nil
	}
	return nil, &XMLError{1, fmt.Sprintf("the charset %.40q is not one that is read: utf-8, us-ascii, iso-8859-1, windows-1252", charset)}
}

// declaredCharset gives the encoding of the document's declaration in lower case; empty
// if it has none.
func declaredCharset(body []byte) string {
	head := body[:min(len(body), declarationBytes)]
	declaration, _, ok := bytes.Cut(head, []byte("?>"))
	if !ok || !bytes.HasPrefix(declaration, []byte("<?xml")) {
		return ""
	}
	_, value, ok := strings.Cut(string(declaration), "encoding")
	if !ok {
		return ""
	}
	value = strings.TrimLeft(value, " \t\r\n=")
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return ""
	}
	value, _, _ = strings.Cut(value[1:], value[:1])
	return strings.ToLower(strings.TrimSpace(value))
}

func fromWindows1252(body []byte) []byte {
	high := 0
	for _, c := range body {
		if c >= 0x80 {
			high++
		}
	}
	if high == 0 {
		return body
	}
	out := make([]byte, 0, len(body)+2*high)
	for _, c := range body {
		switch {
		case c < 0x80:
			out = append(out, c)
		case c < 0xa0:
			out = utf8.AppendRune(out, windows1252[c-0x80])
		default:
			out = utf8.AppendRune(out, rune(c))
		}
	}
	return out
}
