package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
	"unsafe"

	"syncd/schema"
)

// Errors of values; the reason of a bad row shows the field and the value with them.
var (
	errCount = errors.New("not a whole number from 0 on")
	errHour  = errors.New("not an hour from 0 to 23")
	errFlag  = errors.New("not a truth value")
)

// parse reads text as a column's type asks. zone is for times without an offset,
// objectID for those that occur twice.
func (f *field) parse(text []byte, zone *schema.Zone, objectID []byte) (c constant, err error) {
	switch f.typ {
	case schema.String, schema.Word, schema.Dimensions:
		c.text = text
	case schema.Decimal:
		c.decimal, err = schema.ParseDecimal(text)
	case schema.Time:
		c.milli, err = f.parseTime(text, zone, objectID)
		if err == nil {
			err = schema.CheckTime(c.milli)
		}
	case schema.Date:
		c.day, err = f.parseDate(text, zone)
	case schema.Count:
		c.number, err = parseCount(text)
	case schema.Hour:
		if c.number, err = parseCount(text); err != nil || c.number > 23 {
			err = errHour
		}
	case schema.Flag:
		c.number, err = parseFlag(text)
	}
	return c, err
}

func (f *field) parseTime(text []byte, zone *schema.Zone, objectID []byte) (int64, error) {
	var c schema.Civil
	switch f.layout {
	case LayoutDateTime, LayoutDate:
		civil, rest, err := schema.ParseCivil(text)
		if err != nil {
			return 0, err
		}
		if len(rest) > 0 {
			return schema.ParseRFC3339(text)
		}
		c = civil
	case LayoutRFC3339:
		return schema.ParseRFC3339(text)
	case LayoutUnix:
		return schema.ParseUnix(text)
	case LayoutUnixMilli:
		return schema.ParseUnixMilli(text)
	case LayoutObjectID:
		unix, ok := schema.ParseObjectID(text)
		if !ok {
			return 0, schema.ErrTimeSyntax
		}
		return unix * 1000, nil
	default:
		t, err := time.ParseInLocation(string(f.layout), view(text), time.UTC)
		if err != nil {
			return 0, schema.ErrTimeSyntax
		}
		if f.hasOffset {
			return t.UnixMilli(), nil
		}
		c = schema.Civil{Unix: t.Unix(), Milli: t.Nanosecond() / 1e6}
	}
	if zone == nil {
		zone = schema.NewZone(nil)
	}
	return zone.Instant(c.Unix, objectID)*1000 + int64(c.Milli), nil
}

// parseDate reads a day. A day that is written as such is taken as it stands; of an
// instant it is the day in the zone.
func (f *field) parseDate(text []byte, zone *schema.Zone) (uint16, error) {
	switch f.layout {
	case LayoutDateTime, LayoutDate:
		day, rest, err := schema.ParseDay(text)
		if err != nil {
			return 0, err
		}
		if len(rest) > 0 && rest[0] != ' ' && rest[0] != 'T' {
			return 0, schema.ErrTimeSyntax
		}
		return day, nil
	}
	calendar := zone
	if f.isCivil() || zone == nil {
		calendar = schema.NewZone(nil)
	}
	milli, err := f.parseTime(text, calendar, nil)
	if err != nil {
		return 0, err
	}
	return toDay(calendar.Day(milli))
}

// isCivil reports whether the layout is one of Go's without an offset.
func (f *field) isCivil() bool {
	switch f.layout {
	case LayoutRFC3339, LayoutUnix, LayoutUnixMilli, LayoutObjectID:
		return false
	}
	return !f.hasOffset
}

func toDay(day int) (uint16, error) {
	if day < 0 || day > 0xffff {
		return 0, schema.ErrTimeRange
	}
	return uint16(day), nil
}

// parseCount reads a whole number, also "12.0" and "1e3".
func parseCount(text []byte) (uint64, error) {
	if len(text) > 0 && len(text) < 19 {
		n := uint64(0)
		for _, c := range text {
			if c-'0' > 9 {
				return parseLongCount(text)
			}
			n = n*10 + uint64(c-'0')
		}
		return n, nil
	}
	return parseLongCount(text)
}

func parseLongCount(text []byte) (uint64, error) {
	switch string(text) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	v, err := schema.ParseDecimal(text)
	if err != nil {
		return 0, errCount
	}
	n, ok := v.Uint64()
	if !ok {
		return 0, errCount
	}
	return n, nil
}

func parseFlag(text []byte) (uint64, error) {
	switch string(text) {
	case "1", "true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "on":
		return 1, nil
	case "0", "false", "False", "FALSE", "no", "No", "NO", "n", "N", "off":
		return 0, nil
	}
	return 0, errFlag
}

// set sets the field's column of the row in hand.
func (f *field) set(b *schema.Block, c constant) {
	switch f.typ {
	case schema.String, schema.Word:
		if f.dimension != nil {
			b.AddDimension(f.column, f.dimension, c.text)
			return
		}
		b.SetBytes(f.column, c.text)
	case schema.Decimal:
		b.SetDecimal(f.column, c.decimal)
	case schema.Time:
		b.SetTime(f.column, c.milli)
	case schema.Date:
		b.SetDate(f.column, c.day)
	default:
		b.SetUint(f.column, c.number)
	}
}

// present gives the value of a slot in the record or element that is being read.
func (n *Normalizer) present(slot int) (value, bool) {
	v := n.values[slot]
	return v, v.kind != absent && (v.stamp == n.stamp || v.stamp == n.parent)
}

// counts reports whether a value is one, by the rules of Field.
func (f *field) counts(v value) bool {
	switch v.kind {
	case text:
		return len(v.raw) > 0
	case null:
		return false
	case falsehood:
		switch f.typ {
		case schema.Flag, schema.Count, schema.Hour:
			return true
		}
		_, named := f.words["false"]
		return named
	case array, object:
		return !v.isEmpty()
	}
	return true
}

// isText reports whether the field's column holds text.
func (f *field) isText() bool { return f.typ == schema.String || f.typ == schema.Word }

// evaluate sets the field's column of the row in hand, or gives the reason why it
// cannot be. It allocates only for reasons.
func (n *Normalizer) evaluate(f *field, b *schema.Block) error {
	switch f.source {
	case fromPaths:
	case fromColumn:
		return n.dayOf(f, b)
	default:
		if f.overrides != nil && n.overrideNothing(f, b) {
			return nil
		}
		if f.hasConstant {
			n.put(f, b, f.constant)
		}
		return nil
	}
	raw, ok := n.find(f)
	if !ok {
		if f.overrides != nil && n.overrideNothing(f, b) {
			return nil
		}
		if f.hasConstant {
			n.put(f, b, f.constant)
		} else if f.dimension != nil && n.isBlank(f) {
			b.AddDimension(f.column, f.dimension, nil)
		}
		return nil
	}
	if !f.keys { // they were translated one by one
		raw = n.translate(f, raw)
	}
	if f.overrides != nil {
		raw, _ = n.overridden(f, raw)
	}
	switch {
	case f.dimension != nil:
		b.AddDimension(f.column, f.dimension, raw)
		return nil
	case f.isText():
		b.SetBytes(f.column, raw)
		return nil
	}
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 || f.layout != "" && isZeroDate(trimmed) {
		if f.hasConstant {
			n.put(f, b, f.constant)
		}
		return nil
	}
	zone, id := orZone(f.zone, n.page.zone), n.objectID(f)
	c, err := f.parse(trimmed, zone, id)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", f.name, quote(raw), err)
	}
	if id != nil && n.isOutside(f, c) {
		// Where clocks go back by more than the rest of the hour (Troll, Chatham), a network
		// that is asked for an hour gives both of its occurrences, and only the first lies in
		// the window. The second would come with no other window, so it stands at the first.
		if first, err := f.parse(trimmed, zone, nil); err == nil && !n.isOutside(f, first) {
			c = first
		}
	}
	n.put(f, b, c)
	return nil
}

// isOutside reports whether the field is the time that the window is by, and outside of it.
func (n *Normalizer) isOutside(f *field, c constant) bool {
	p := &n.page
	return f.column == p.by && f.dimension == nil && f.typ == schema.Time && (c.milli < p.from || c.milli >= p.to)
}

// translate puts text into the field's case and words.
func (n *Normalizer) translate(f *field, raw []byte) []byte {
	if f.lower || f.upper {
		n.caseText = appendCase(n.caseText[:0], raw, f.upper)
		raw = n.caseText
	}
	if f.words == nil {
		return raw
	}
	if word, ok := f.words[string(raw)]; ok {
		return word
	}
	if f.other != nil {
		return f.other
	}
	return raw
}

func orZone(own, account *schema.Zone) *schema.Zone {
	if own != nil {
		return own
	}
	return account
}

// put sets the column and notes times and days, which other columns and the check
// of the window need.
func (n *Normalizer) put(f *field, b *schema.Block, c constant) {
	switch f.typ {
	case schema.Time:
		n.page.millis[f.column] = c.milli
	case schema.Date:
		n.page.millis[f.column] = int64(c.day)
	}
	f.set(b, c)
}

func (n *Normalizer) dayOf(f *field, b *schema.Block) error {
	if !b.IsSet(f.day) {
		if f.hasConstant {
			n.put(f, b, f.constant)
		}
		return nil
	}
	day, err := toDay(n.page.zone.Day(n.page.millis[f.day]))
	if err != nil {
		return fmt.Errorf("%s: the day of %s: %w", f.name, n.table.Columns[f.day].Name, err)
	}
	n.put(f, b, constant{day: day})
	return nil
}

// find gives the text of the first path that has a value, or of all joined.
func (n *Normalizer) find(f *field) ([]byte, bool) {
	if f.join != nil {
		return n.joined(f)
	}
	for _, slot := range f.slots {
		if v, ok := n.present(slot); ok && f.counts(v) {
			if raw := n.textOf(v); f.zero == nil || !f.isZero(raw) {
				return raw, true
			}
		}
	}
	return nil, false
}

// isBlank reports whether a path leads to an empty string.
func (n *Normalizer) isBlank(f *field) bool {
	for _, slot := range f.slots {
		if v, ok := n.present(slot); ok && v.kind == text && len(v.raw) == 0 {
			return true
		}
	}
	return false
}

func (n *Normalizer) textOf(v value) []byte {
	if v.kind != escaped {
		return v.raw
	}
	n.plainText = unescape(n.plainText[:0], v.raw)
	return n.plainText
}

// isZero reports whether text is one that the field has for no value.
func (f *field) isZero(text []byte) bool {
	text = bytes.TrimSpace(text)
	for _, zero := range f.zero {
		if bytes.Equal(text, zero) {
			return true
		}
	}
	return false
}

func (n *Normalizer) joined(f *field) ([]byte, bool) {
	n.joinText = n.joinText[:0]
	found := false
	add := func(v value) {
		raw := n.textOf(v)
		if f.isZero(raw) {
			return
		}
		if found {
			n.joinText = append(n.joinText, f.join...)
		}
		found = true
		if f.keys {
			raw = n.translate(f, raw)
		}
		n.joinText = append(n.joinText, raw...)
	}
	for _, slot := range f.slots {
		v, ok := n.present(slot)
		if !ok || !f.counts(v) {
			continue
		}
		keys := f.keys && v.kind == object
		if v.kind != array && !keys {
			add(v)
			continue
		}
		m := enter(v.raw, 0)
		for {
			at, ok, err := m.next()
			if err != nil || !ok {
				break
			}
			element, end := read(v.raw, at)
			if end < 0 {
				break
			}
			m.i = end
			if keys {
				element = value{raw: m.key, kind: text}
				if m.keyEscaped {
					element.kind = escaped
				}
			}
			if f.counts(element) {
				add(element)
			}
		}
	}
	return n.joinText, found
}

// objectID gives the field's ObjectId, nil if it has none.
func (n *Normalizer) objectID(f *field) []byte {
	if f.fold < 0 {
		return nil
	}
	v, ok := n.present(f.fold)
	if !ok || v.kind != text {
		return nil
	}
	return v.raw
}

// isZeroDate knows the ways in which MySQL and PHP write that there is no date.
func isZeroDate(text []byte) bool {
	return bytes.HasPrefix(text, []byte("0000-00-00")) || bytes.HasPrefix(text, []byte("-0001-11-30"))
}

func appendCase(dst, src []byte, upper bool) []byte {
	for i, c := range src {
		if c >= utf8.RuneSelf {
			if upper {
				return append(dst[:len(dst)-i], bytes.ToUpper(src)...)
			}
			return append(dst[:len(dst)-i], bytes.ToLower(src)...)
		}
		if upper && c-'a' < 26 || !upper && c-'A' < 26 {
			c ^= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// view shows bytes as a string without a copy, for calls that do not keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
