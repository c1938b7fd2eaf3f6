package postback

import (
	"bytes"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// tokenParam is the parameter with the account's token. It is never stored.
const tokenParam = "token"

// param is one parameter of a call.
type param struct {
	name  string // in lower case
	value string
	// nested says that it stood within an object of a JSON body.
	nested bool
	// broken says that bytes of the value were not UTF-8 and were replaced.
	broken bool
}

// call is a call in the making: what was read of it so far. It is reused.
type call struct {
	params []param
	// token is the first that was given.
	token    string
	hasToken bool
	// query and body are what is stored.
	query, body []byte
	json        jx.Encoder
	raw         []byte // the body as it came
	record      jx.Encoder
}

func (c *call) reset() {
	clear(c.params) // their texts would keep the last call's memory
	c.params, c.token, c.hasToken = c.params[:0], "", false
	c.query, c.body, c.raw = c.query[:0], c.body[:0], c.raw[:0]
}

// errBody is a body that cannot be read as what it begins as.
var errBody = errors.New("the body begins like JSON and is not one JSON object")

// readQuery reads the query of an address.
func (c *call) readQuery(raw string, clean *cleaner) { c.query = c.form(raw, clean, c.query[:0]) }

// readBody reads a body that is a JSON object or a form.
func (c *call) readBody(raw []byte, clean *cleaner) error {
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) == 0:
		return nil
	case trimmed[0] == '{' || trimmed[0] == '[':
		return c.object(trimmed, clean)
	}
	c.body = plainForm(c.form(string(trimmed), clean, c.body[:0]))
	return nil
}

// plainForm gives what is stored of a form so that it is read as one again, with the same
// names: without the parameters that were left out it may begin as JSON does, or with a
// space.
func plainForm(stored []byte) []byte {
	begin := bytes.TrimLeftFunc(stored, unicode.IsSpace)
	if len(begin) == 0 || len(begin) == len(stored) && begin[0] != '{' && begin[0] != '[' {
		return stored
	}
	return slices.Insert(stored, 0, '&')
}

// form reads parameters as they stand in a query and appends to out what is stored of
// them: the text as it came but for the token, for personal data and for bytes that are
// not UTF-8, which are escaped.
func (c *call) form(raw string, clean *cleaner, out []byte) []byte {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		nameText, _ := unescape(rawName)
		name := strings.ToLower(nameText)
		value, broken := unescape(rawValue)
		if name == tokenParam {
			c.setToken(value)
			continue
		}
		cleaned := clean.value(name, value)
		c.params = append(c.params, param{name: name, value: cleaned, broken: broken})
		if len(out) > 0 {
			out = append(out, '&')
		}
		if cleaned == value && !clean.holds(nameText) {
			out = appendUTF8(out, pair)
			continue
		}
		if clean.holds(nameText) {
			rawName = masked
		}
		out = append(appendUTF8(out, rawName), '=')
		out = append(out, url.QueryEscape(cleaned)...)
	}
	return out
}

func (c *call) setToken(value string) {
	if !c.hasToken {
		c.token, c.hasToken = value, true
	}
}

// unescape decodes a name or value of a query. An escape that is none stands for itself:
// networks put texts into addresses as they are. Bytes that are not UTF-8 are replaced,
// and told.
func unescape(s string) (text string, broken bool) {
	if strings.ContainsAny(s, "%+") {
		out := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '+':
				out = append(out, ' ')
			case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
				out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
				i += 2
			default:
				out = append(out, s[i])
			}
		}
		s = string(out)
	}
	if utf8.ValidString(s) {
		return s, false
	}
	return strings.ToValidUTF8(s, "\uFFFD"), true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// appendUTF8 appends text with escapes in the place of bytes that are not UTF-8.
func appendUTF8(out []byte, text string) []byte {
	if utf8.ValidString(text) {
		return append(out, text...)
	}
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			out = append(out, '%', digits[text[i]>>4], digits[text[i]&15])
		} else {
			out = append(out, text[i:i+size]...)
		}
		i += size
	}
	return out
}

// jsonDepth is how deep a JSON body may be nested; parameters stand at most two deep.
const jsonDepth = 32

// object reads a JSON object: its members are parameters, and so are those of objects
// within it. What is stored is the object without the token and without personal data.
func (c *call) object(raw []byte, clean *cleaner) error {
	if raw[0] != '{' || !jx.Valid(raw) {
		return errBody
	}
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(raw)
	c.json.Reset()
	if err := c.members(d, clean, "", 0); err != nil {
		return errBody
	}
	c.body = bytes.ToValidUTF8(c.json.Bytes(), []byte("\uFFFD"))
	return nil
}

// members copies an object to c.json; at depth 0 and 1 its members are parameters.
func (c *call) members(d *jx.Decoder, clean *cleaner, outer string, depth int) error {
	if depth > jsonDepth {
		return errBody
	}
	c.json.ObjStart()
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		name := strings.ToLower(strings.ToValidUTF8(string(key), "\uFFFD"))
		if depth == 0 && name == tokenParam {
			raw, err := d.Raw()
			if err != nil {
				return err
			}
			value, _ := scalar(raw)
			c.setToken(value)
			return nil
		}
		shown := string(key)
		if clean.holds(shown) {
			shown = masked
		}
		c.json.FieldStart(shown)
		return c.member(d, clean, outer, name, depth)
	})
	c.json.ObjEnd()
	return err
}

func (c *call) member(d *jx.Decoder, clean *cleaner, outer, name string, depth int) error {
	switch d.Next() {
	case jx.Object:
		return c.members(d, clean, name, depth+1)
	case jx.Array:
		return c.elements(d, clean, name, depth+1)
	}
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	value, isText := scalar(raw)
	if cleaned := clean.value(name, value); cleaned != value {
		value, isText = cleaned, true
		c.json.Str(cleaned)
	} else if isText {
		c.json.Str(value)
	} else {
		c.json.Raw(raw)
	}
	if depth > 1 || !isText && string(raw) == "null" {
		return nil
	}
	broken := !utf8.Valid(raw)
	if broken {
		value = strings.ToValidUTF8(value, "\uFFFD")
	}
	if depth == 1 {
		c.params = append(c.params, param{name: outer + "." + name, value: value, nested: true, broken: broken})
	}
	c.params = append(c.params, param{name: name, value: value, nested: depth == 1, broken: broken})
	return nil
}

// elements copies an array; what stands in it is no parameter.
func (c *call) elements(d *jx.Decoder, clean *cleaner, name string, depth int) error {
	if depth > jsonDepth {
		return errBody
	}
	c.json.ArrStart()
	err := d.Arr(func(d *jx.Decoder) error { return c.member(d, clean, "", name, max(depth, 2)) })
	c.json.ArrEnd()
	return err
}

// scalar gives a JSON value that is no object and no array as text.
func scalar(raw []byte) (text string, isText bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return string(raw), false
	}
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(raw)
	text, err := d.Str()
	if err != nil {
		return string(raw), false
	}
	return text, true
}
