package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"syncd/schema"
)

// page is what holds for the page in hand.
type page struct {
	context *Context
	block   *schema.Block
	full    func(*schema.Block) (*schema.Block, error)
	bad     func(BadRow) error
	counts  Counts

	zone *schema.Zone // the account's
	// millis are the times of the row in hand by column, and the days of its dates.
	millis []int64

	network, account, runID, stream []byte
	window                          uint64
	syncedAt                        int64

	// line is the line in which the record in hand begins; 0 where lines mean nothing.
	line int64

	// by is the column that the window is by, -1 for none. A time must be at least
	// from and less than to, a day at least from and at most to.
	by       int
	from, to int64
	// younger is the column of Context.Younger, -1 for none.
	younger int
}

// Page appends the rows of one answer to block and gives the block in hand at the
// end. When block has schema.BlockRows rows full is called, which must leave it
// Reset or give another one. bad is called for each record that makes no row; then
// the block is as it was before the record. An error of full or bad ends the page.
//
// The body should have passed Valid. Page does not panic whatever it is, but it
// finds only those faults that are in its way, after some rows perhaps.
func (n *Normalizer) Page(body []byte, c *Context, block *schema.Block, full func(*schema.Block) (*schema.Block, error), bad func(BadRow) error) (*schema.Block, Counts, error) {
	if block.Table() != n.table {
		return block, Counts{}, fmt.Errorf("normalizing into a block of %s: the rows are of %s", block.Table().Name, n.table.Name)
	}
	if err := n.begin(c, block, full, bad); err != nil {
		return block, Counts{}, err
	}
	if n.spec.Format == FormatXML {
		err := n.xmlAnswer(body)
		block, counts := n.end()
		return block, counts, err
	}
	if !utf8.Valid(body) {
		// No byte that matters to JSON changes: only what is not UTF-8 is replaced.
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	err := n.answer(body)
	block, counts := n.end()
	return block, counts, err
}

// begin reads the Context.
func (n *Normalizer) begin(c *Context, block *schema.Block, full func(*schema.Block) (*schema.Block, error), bad func(BadRow) error) error {
	location := c.Location
	if location == nil {
		location = time.UTC
	}
	p := page{
		context: c, block: block, full: full, bad: bad,
		zone: n.page.zone, millis: n.page.millis, by: -1,
		network: []byte(c.Network), account: []byte(c.Account), runID: []byte(c.RunID), stream: []byte(c.Stream),
		syncedAt: c.SyncedAt.UnixMilli(),
	}
	if p.millis == nil {
		p.millis = make([]int64, len(n.table.Columns))
	}
	if p.zone == nil || p.zone.Location() != location {
		p.zone = schema.NewZone(location)
	}
	if !c.Window.From.IsZero() {
		p.window = uint64(max(c.Window.From.Unix(), 0))
	}
	if c.SyncedAt.IsZero() {
		p.syncedAt = 0
	}
	n.page = p
	if err := n.beginWindow(c); err != nil {
		return err
	}
	n.beginYounger(c)
	if err := n.beginFields(c); err != nil {
		return err
	}
	n.fillCommon()
	return nil
}

// end gives the block in hand and the counts.
func (n *Normalizer) end() (*schema.Block, Counts) {
	if n.page.block != nil { // else its owner failed to give another one
		n.page.block.EndFill()
	}
	return n.page.block, n.page.counts
}

// beginWindow makes the bounds of the By column.
func (n *Normalizer) beginWindow(c *Context) error {
	if c.By == "" || c.Window.IsZero() {
		return nil
	}
	p := &n.page
	if p.by = n.table.Index(c.By); p.by < 0 {
		return fmt.Errorf("the window is by %s, which table %s does not have", c.By, n.table.Name)
	}
	switch n.table.Columns[p.by].Type {
	case schema.Time:
		p.from, p.to = c.Window.From.UnixMilli(), c.Window.To.UnixMilli()
	case schema.Date:
		p.from = int64(p.zone.Day(c.Window.From.UnixMilli()))
		p.to = int64(p.zone.Day(c.Window.To.UnixMilli() - 1))
	default:
		return fmt.Errorf("the window is by %s, which is neither a time nor a date", c.By)
	}
	return nil
}

// beginFields makes the values of fields that are the same for the whole page.
func (n *Normalizer) beginFields(c *Context) error {
	for i := range n.fields {
		f := &n.fields[i]
		switch f.source {
		case fromVariable:
			value, ok := c.Variables[f.variable]
			if !ok || value == "" {
				value = n.fieldDefault(f)
			}
			f.hasConstant = value != ""
			if !f.hasConstant {
				continue
			}
			parsed, err := f.parse([]byte(value), orZone(f.zone, n.page.zone), nil)
			if err != nil {
				return fmt.Errorf("variable %s for column %s: %s: %w", f.variable, f.name, quote([]byte(value)), err)
			}
			f.constant = parsed
		case fromWindow:
			if c.Window.From.IsZero() {
				return fmt.Errorf("column %s is the window's day, but the pull has no window", f.name)
			}
			day, err := toDay(n.page.zone.Day(c.Window.From.UnixMilli()))
			if err != nil {
				return fmt.Errorf("column %s: the day of the window: %w", f.name, err)
			}
			f.constant, f.hasConstant = constant{day: day}, true
		}
	}
	return nil
}

func (n *Normalizer) fieldDefault(f *field) string {
	if f.dimension != nil {
		return n.spec.Dimensions[f.name].Default
	}
	return n.spec.Columns[f.name].Default
}

// answer goes over the records.
func (n *Normalizer) answer(body []byte) error {
	at, err := findRecords(body, n.records)
	if err != nil {
		return err
	}
	some, err := n.spec.Shape.check(body, at)
	if err != nil || !some {
		return err
	}
	if n.spec.Shape == ShapeObject {
		_, err := n.one(body, at, nil, 0)
		return err
	}
	m := enter(body, at)
	for {
		at, ok, err := m.next()
		if err != nil || !ok {
			return err
		}
		if m.i, err = n.one(body, at, &m, m.n-1); err != nil {
			return err
		}
	}
}

// one reads the record at body[at] and gives its end.
func (n *Normalizer) one(body []byte, at int, m *members, index int) (end int, err error) {
	n.nextStamp()
	n.parent = n.stamp
	if n.spec.Wrapped == "" && n.each < 0 {
		n.setKey(n.key, m, &n.indexText)
		return n.row(body, at, index, nil)
	}
	if end = skip(body, at); end < 0 {
		return 0, malformed(body, len(body))
	}
	record := body[at:end]
	if n.spec.Wrapped != "" {
		inner, err := find(record, 0, []string{n.spec.Wrapped})
		if err != nil {
			return 0, err
		}
		if inner < 0 {
			return end, n.reject(index, record, n.spec.Wrapped+" is missing, under which the record should be")
		}
		at += inner
	}
	if n.each >= 0 {
		return end, n.elements(body[:end], at, record, m, index)
	}
	n.setKey(n.key, m, &n.indexText)
	_, err = n.row(body[:end], at, index, record)
	return end, err
}

// elements makes rows of the elements of the record at b[at].
func (n *Normalizer) elements(b []byte, at int, whole []byte, m *members, index int) error {
	if b[at] == '[' {
		if v, _ := read(b, at); v.isEmpty() {
			return nil
		}
	}
	if b[at] != '{' {
		return n.reject(index, whole, quote(b[at:])+" is not a record")
	}
	n.setKey(n.parentKey, m, &n.parentIndexText)
	if _, err := n.walk(b, at, n.record, false); err != nil {
		return err
	}
	v, ok := n.present(n.each)
	if !ok || v.kind == null || v.kind == falsehood || v.kind == text && len(v.raw) == 0 {
		return nil
	}
	if v.kind != array && v.kind != object {
		return n.reject(index, whole, n.spec.Each+": "+quote(v.raw)+" is neither an array nor a map")
	}
	inner := enter(v.raw, 0)
	for {
		at, ok, err := inner.next()
		if err != nil || !ok {
			return err
		}
		n.nextStamp()
		n.setKey(n.key, &inner, &n.indexText)
		if inner.i, err = n.row(v.raw, at, index, nil); err != nil {
			return err
		}
	}
}

// nextStamp makes the values of the last record, or element, those of none.
func (n *Normalizer) nextStamp() {
	if n.stamp++; n.stamp == 0 {
		clear(n.values)
		n.stamp = 1
	}
}

// setKey puts the key of an element into its slot, which for an element of an array
// is its position.
func (n *Normalizer) setKey(slot int, m *members, position *[]byte) {
	if slot < 0 || m == nil {
		return
	}
	v := value{stamp: n.stamp, kind: text, raw: m.key}
	switch {
	case !m.object:
		*position = appendInt((*position)[:0], m.n-1)
		v.raw = *position
	case m.keyEscaped:
		v.kind = escaped
	}
	n.values[slot] = v
}

// row makes one row of the record, or the element of one, at b[at] and gives its
// end. A bad row shows whole, if that is not nil.
func (n *Normalizer) row(b []byte, at, index int, whole []byte) (end int, err error) {
	block := n.page.block
	n.extra = append(n.extra[:0], '{')
	if b[at] == '{' {
		end, err = n.walk(b, at, n.element, true)
		if err != nil {
			return 0, err
		}
	} else {
		var v value
		if v, end = read(b, at); end < 0 {
			return 0, malformed(b, at)
		}
		switch {
		case v.kind == array && v.isEmpty(): // PHP's empty map: a record without fields
		case n.plain >= 0 && v.kind != array:
			v.stamp = n.stamp
			n.values[n.plain] = v
		default:
			return end, n.reject(index, orRecord(whole, b[at:end]), quote(b[at:end])+" is not a record")
		}
	}
	if err := n.fill(block); err != nil {
		return end, n.reject(index, orRecord(whole, b[at:end]), err.Error())
	}
	if block.Rows() < schema.BlockRows {
		return end, nil
	}
	return end, n.passOn()
}

// fill makes a row of the values that have been read, or gives the reason why it
// cannot be one; then the block is as it was before the row.
func (n *Normalizer) fill(block *schema.Block) error {
	for i := range n.fields {
		if n.fields[i].direct {
			continue
		}
		if err := n.evaluate(&n.fields[i], block); err != nil {
			block.CancelRow()
			return err
		}
	}
	if err := n.check(); err != nil {
		block.CancelRow()
		return err
	}
	if n.isYoungers() {
		block.CancelRow()
		return nil
	}
	n.fillExtra()
	block.EndRow()
	n.page.counts.Rows++
	return nil
}

func orRecord(whole, record []byte) []byte {
	if whole != nil {
		return whole
	}
	return record
}

// passOn gives the full block away.
func (n *Normalizer) passOn() error {
	block, err := n.page.full(n.page.block)
	if err != nil {
		return err
	}
	if n.page.block = block; block.Rows() > 0 || block.Table() != n.table {
		return errors.New("the block after a full one is not an empty block of the same table")
	}
	n.fillCommon()
	return nil
}

// check refuses a row without its key and one outside of its window.
func (n *Normalizer) check() error {
	p := &n.page
	for _, column := range n.required {
		if !p.block.IsSet(column) {
			return n.missing(column)
		}
	}
	if len(n.identity) > 0 && !slices.ContainsFunc(n.identity, p.block.IsSet) {
		return n.missing(n.identity[0])
	}
	if p.by < 0 {
		return nil
	}
	if !p.block.IsSet(p.by) {
		return n.missing(p.by)
	}
	at := p.millis[p.by]
	name := n.table.Columns[p.by].Name
	if n.table.Columns[p.by].Type == schema.Date {
		if at < p.from || at > p.to {
			return fmt.Errorf("%s: %s is outside of the window from %s to %s", name,
				formatDay(at), formatDay(p.from), formatDay(p.to))
		}
		return nil
	}
	if at < p.from || at >= p.to {
		return fmt.Errorf("%s: %s is outside of the window from %s to before %s", name,
			formatMilli(at), formatMilli(p.from), formatMilli(p.to))
	}
	return nil
}

func formatDay(day int64) string     { return time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly) }
func formatMilli(milli int64) string { return time.UnixMilli(milli).UTC().Format(time.RFC3339Nano) }

func (n *Normalizer) missing(column int) error {
	name := n.table.Columns[column].Name
	for i := range n.fields {
		f := &n.fields[i]
		if f.dimension == nil && f.column == column && f.paths != "" {
			return fmt.Errorf("%s has no value (from %s)", name, f.paths)
		}
		if f.dimension == nil && f.column == column && f.source == fromColumn {
			return fmt.Errorf("%s has no value: %s has none", name, n.table.Columns[f.day].Name)
		}
	}
	return fmt.Errorf("%s has no value", name)
}

// fillCommon has the block give its rows what the Context says of all of them.
func (n *Normalizer) fillCommon() {
	p, c := &n.page, &n.common
	p.block.FillBytes(c.network, p.network)
	p.block.FillBytes(c.account, p.account)
	p.block.FillBytes(c.runID, p.runID)
	p.block.FillUint(c.version, p.context.Version)
	p.block.FillUint(c.window, p.window)
	p.block.FillTime(c.syncedAt, p.syncedAt)
	if c.stream >= 0 {
		p.block.FillBytes(c.stream, p.stream)
	}
}

// fillExtra sets what the network sent beyond the Spec's columns.
func (n *Normalizer) fillExtra() {
	p, c := &n.page, &n.common
	if n.spec.Plain && len(n.extra) > 1 && !n.csv.reading {
		n.makePlain()
	}
	if len(n.extra) > 1 {
		n.extra = append(n.extra, '}')
		p.block.SetBytes(c.extra, n.extra)
	}
}

// reject gives a bad row to whoever keeps them.
func (n *Normalizer) reject(index int, record []byte, reason string) error {
	n.page.counts.Bad++
	return n.page.bad(BadRow{Index: index, Line: n.page.line, Reason: reason, Record: record})
}

func appendInt(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(i), 10) }
