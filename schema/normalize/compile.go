package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/schema"
)

// Normalizer turns pages into rows as one Spec says. It remembers the order of keys
// and zones' offsets from record to record and is not safe for concurrent use; Clone
// gives another.
type Normalizer struct {
	spec    Spec
	table   *schema.Table
	records [][]string
	fields  []field // in the order of evaluation

	record  *node // what is asked of a record
	element *node // what is asked of an element of Each; record if there is none
	each    int   // slot of Each, -1 if there is none
	// Slots of the record's key, of the element's key and of a plain value; -1 if
	// they are not asked for.
	parentKey, key, plain int

	common   commonColumns
	required []int // columns without which there is no row
	identity []int // columns without all of which there is no row; empty asks for none

	page   page
	values []value
	stamp  uint32 // of the record or element that is being read
	parent uint32 // of the record whose elements are being read
	extra  []byte
	// plainExtra, plainMembers and plainElement are room for makePlain.
	plainExtra   []byte
	plainElement []byte
	plainMembers []plainMember
	csv          csvBinding
	xml          xmlPages

	// Memory that is used again: for text without its escapes, joined text, text in
	// another case, keys, the positions of elements.
	plainText, joinText, caseText, keyText, indexText, parentIndexText []byte
}

// commonColumns are the positions of the columns that the Context fills; -1 where a
// table has no such column or the Spec fills it.
type commonColumns struct {
	network, account, extra, window, version, syncedAt, runID, stream int
}

type source uint8

const (
	fromPaths source = iota
	fromConstant
	fromVariable
	fromColumn
	fromWindow
)

// field is a compiled Field.
type field struct {
	name   string // of the column or dimension
	column int
	typ    schema.Type
	source source

	slots []int
	paths string // for messages
	join  []byte
	keys  bool
	zero  [][]byte
	// words and other are Map and MapElse; other is nil if it is not given.
	words        map[string][]byte
	other        []byte
	lower, upper bool
	overrides    []override

	layout    Layout
	hasOffset bool // a Go layout with an offset
	zone      *schema.Zone
	fold      int // slot of the ObjectId, -1 if there is none

	// constant is the value of a constant, variable, window or default; it is given
	// if hasConstant.
	constant    constant
	hasConstant bool

	variable string
	day      int // for fromColumn: the Time column
	// direct says that a column of the file that is bound fills it without evaluate.
	direct bool
	// dimension is the name as bytes if the field is a dimension.
	dimension []byte
}

// constant is a value that has been parsed.
type constant struct {
	text    []byte
	decimal schema.Int128
	milli   int64
	day     uint16
	number  uint64
}

// compiler collects mistakes.
type compiler struct {
	n    *Normalizer
	errs []error
}

func (c *compiler) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// Compile checks a Spec and makes its Normalizer. The error lists every mistake.
func Compile(spec Spec) (*Normalizer, error) {
	c := &compiler{n: &Normalizer{spec: spec, each: -1, parentKey: -1, key: -1, plain: -1}}
	n := c.n
	table, ok := schema.Lookup(spec.Table)
	if !ok {
		return nil, fmt.Errorf("table %q is not a table of the warehouse", spec.Table)
	}
	n.table = table
	var shape Shape
	if err := shape.UnmarshalText([]byte(spec.Shape)); err != nil {
		c.errs = append(c.errs, err)
	}
	for _, p := range spec.Records {
		n.records = append(n.records, c.path("records", p))
	}
	n.record = &node{}
	n.element = n.record
	if spec.Each != "" {
		n.element = &node{}
		n.each = c.slot(n.record.at(c.path("each", spec.Each)))
	}
	if spec.Wrapped != "" && spec.Each == "" && spec.Shape == ShapeObject {
		c.fail("wrapped: a single record needs no wrapping, its path can go through")
	}
	if spec.Format == FormatCSV && (len(spec.Records) > 0 || spec.Shape != "" || spec.Wrapped != "" || spec.Each != "") {
		c.fail("format csv: a file has no records, shape, wrapped or each: each of its lines is a record")
	}
	c.checkXML()
	c.columns()
	c.dimensions()
	for _, p := range spec.Drop {
		if path := c.path("drop", p); path != nil {
			n.element.at(path).drop = true
		}
	}
	c.commonColumns()
	c.requireKey()
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return n, nil
}

// Clone gives another Normalizer of the same Spec, for use at the same time.
func (n *Normalizer) Clone() *Normalizer {
	other, err := Compile(n.spec)
	if err != nil {
		panic(fmt.Sprintf("normalize: a spec that compiled once does not again: %v", err))
	}
	if n.csv.bound {
		other.bind(n.csv.header)
	}
	return other
}

// Table is the table that the rows are of.
func (n *Normalizer) Table() *schema.Table { return n.table }

func (c *compiler) path(what, text string) []string {
	path, err := parsePath(text)
	if name, ok := variablePath(text); ok {
		err = fmt.Errorf("the path is the variable %s, which has to be resolved first", name)
	}
	if err != nil {
		c.fail("%s: %w", what, err)
	}
	return path
}

// slot makes a place for the value of a node.
func (c *compiler) slot(at *node) int {
	if len(at.slots) == 0 {
		at.slots = append(at.slots, c.newSlot())
	}
	return at.slots[0]
}

func (c *compiler) newSlot() int {
	c.n.values = append(c.n.values, value{})
	return len(c.n.values) - 1
}

// special gives the slot behind *slot, which is made when it is first asked for.
func (c *compiler) special(slot *int) int {
	if *slot < 0 {
		*slot = c.newSlot()
	}
	return *slot
}

// headerNames refuses paths of which none can be a column of a file. Longer ones are
// let be: a field may be shared with a stream's answers.
func (c *compiler) headerNames(what string, paths Paths) {
	if c.n.spec.Format != FormatCSV {
		return
	}
	for _, p := range paths {
		if path, err := parsePath(p); err != nil || len(path) == 1 {
			return
		}
	}
	c.fail("%s: no path of %s can be a column of a file; a dot in a column's name is written \\.", what, strings.Join(paths, ", "))
}

// from gives the slot of a path of a field.
func (c *compiler) from(what, text string) int {
	switch {
	case c.n.spec.Format == FormatCSV && (text == "$key" || text == "$value"):
		c.fail("%s: %s: a record of a file is nothing but its columns", what, text)
		return 0
	case text == "$key":
		return c.special(&c.n.key)
	case text == "$value":
		return c.special(&c.n.plain)
	case c.n.each >= 0 && text == "parent.$key":
		return c.special(&c.n.parentKey)
	}
	tree := c.n.element
	if rest, ok := strings.CutPrefix(text, "parent."); ok && c.n.each >= 0 {
		tree, text = c.n.record, rest
	}
	path := c.path(what, text)
	if len(path) == 0 {
		if text == "" {
			c.fail("%s: the path is empty", what)
		}
		return 0
	}
	return c.slot(tree.at(path))
}

// columns compiles the fields of the columns in the order of the table, those that
// are made of other columns last.
func (c *compiler) columns() {
	n := c.n
	for _, name := range slices.Sorted(maps.Keys(n.spec.Columns)) {
		switch {
		case name == schema.ColumnDimensions || name == schema.ColumnDimensionKey:
			c.fail("column %s is filled from the dimensions", name)
		case isCommon(name):
			c.fail("column %s is filled by itself", name)
		case n.table.Index(name) < 0:
			c.fail("table %s has no column %s", n.table.Name, name)
		}
	}
	var last []field
	for i, column := range n.table.Columns {
		spec, ok := n.spec.Columns[column.Name]
		if !ok || isCommon(column.Name) || column.Type == schema.Dimensions {
			continue
		}
		f := c.field("column "+column.Name, spec, column)
		f.name, f.column = column.Name, i
		if f.source == fromColumn {
			last = append(last, f)
			continue
		}
		n.fields = append(n.fields, f)
	}
	n.fields = append(n.fields, last...)
}

func isCommon(name string) bool {
	switch name {
	case schema.ColumnNetwork, schema.ColumnAccount, schema.ColumnExtra:
		return true
	}
	return strings.HasPrefix(name, "_")
}

func (c *compiler) dimensions() {
	at := c.n.table.Index(schema.ColumnDimensions)
	if at < 0 && len(c.n.spec.Dimensions) > 0 {
		c.fail("table %s has no dimensions", c.n.table.Name)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.n.spec.Dimensions)) {
		f := c.field("dimension "+name, c.n.spec.Dimensions[name], schema.Column{Name: name, Type: schema.String})
		if f.source == fromColumn || f.source == fromWindow {
			c.fail("dimension %s: from_column and from_window are for dates", name)
		}
		if name == "" {
			c.fail("a dimension has no name")
		}
		f.name, f.column, f.dimension = name, at, []byte(name)
		c.n.fields = append(c.n.fields, f)
	}
}

// field compiles one field; what names it in messages.
func (c *compiler) field(what string, spec Field, column schema.Column) field {
	f := field{typ: column.Type, fold: -1, lower: spec.Lower, upper: spec.Upper, layout: spec.Layout}
	c.source(what, spec, &f)
	c.layout(what, spec, &f)
	c.words(what, spec, column, &f)
	c.overrides(what, spec, column, &f)
	literal := spec.Default
	if spec.Const != "" {
		literal = spec.Const
	}
	if literal != "" {
		if _, err := schema.ParseRFC3339([]byte(literal)); err != nil && f.typ == schema.Time && f.zone == nil && f.isCivil() {
			c.fail("%s: a constant time needs a zone of its own or an offset", what)
		}
		parsed, err := f.parse([]byte(literal), f.zone, nil)
		if err != nil {
			c.fail("%s: %q: %w", what, literal, err)
		}
		f.constant, f.hasConstant = parsed, true
	}
	return f
}

func (c *compiler) source(what string, spec Field, f *field) {
	given := 0
	if len(spec.From) > 0 {
		given++
		f.paths = strings.Join(spec.From, ", ")
		for _, p := range spec.From {
			f.slots = append(f.slots, c.from(what, p))
		}
		c.headerNames(what, spec.From)
	}
	if spec.Const != "" {
		given++
		f.source = fromConstant
	}
	if spec.Variable != "" {
		given++
		f.source, f.variable = fromVariable, spec.Variable
	}
	if spec.FromColumn != "" {
		given++
		f.source, f.day = fromColumn, c.n.table.Index(spec.FromColumn)
		if f.day < 0 || c.n.table.Columns[f.day].Type != schema.Time {
			c.fail("%s: from_column: table %s has no column %s of times", what, c.n.table.Name, spec.FromColumn)
		} else if _, ok := c.n.spec.Columns[spec.FromColumn]; !ok {
			c.fail("%s: from_column: column %s has no field itself", what, spec.FromColumn)
		}
	}
	if spec.FromWindow {
		given++
		f.source = fromWindow
	}
	if (f.source == fromColumn || f.source == fromWindow) && f.typ != schema.Date {
		c.fail("%s: from_column and from_window are for dates", what)
	}
	switch {
	case given == 0 && spec.Default != "":
		f.source = fromConstant
	case given == 0:
		c.fail("%s: it says not where its value is from: from, const, variable, from_column or from_window", what)
	case given > 1:
		c.fail("%s: only one of from, const, variable, from_column and from_window can be given", what)
	}
	if spec.Const != "" && spec.Default != "" {
		c.fail("%s: a constant needs no default", what)
	}
	if spec.Join != "" {
		f.join = []byte(spec.Join)
	}
	if f.keys = spec.Keys; f.keys {
		f.join = []byte(cmp.Or(spec.Join, ","))
		if !f.isText() || f.source != fromPaths {
			c.fail("%s: keys are text, from a path of the record", what)
		}
	}
	for _, zero := range spec.Zero {
		if strings.TrimSpace(zero) != zero || zero == "" {
			c.fail("%s: zero: %q is empty or has space around it, which is not compared", what, zero)
		}
		f.zero = append(f.zero, []byte(zero))
	}
	if len(f.zero) > 0 && f.source != fromPaths {
		c.fail("%s: zero is for values from a path of the record", what)
	}
}

func (c *compiler) layout(what string, spec Field, f *field) {
	if f.typ != schema.Time && f.typ != schema.Date {
		if spec.Layout != "" || spec.Zone != "" || spec.Fold != "" {
			c.fail("%s: layout, zone and fold are for times and dates", what)
		}
		return
	}
	switch f.layout {
	case "":
		f.layout = LayoutDateTime
		if f.typ == schema.Date {
			f.layout = LayoutDate
		}
	case LayoutDateTime, LayoutDate, LayoutRFC3339, LayoutUnix, LayoutUnixMilli, LayoutObjectID:
	default:
		layout := string(f.layout)
		f.hasOffset = strings.Contains(layout, "Z07") || strings.Contains(layout, "-07")
		switch {
		case !strings.Contains(layout, "06"):
			c.fail("%s: layout %q is not one of datetime, date, rfc3339, unix, unix_ms, objectid, nor a layout of Go, which shows the year 2006", what, layout)
		case strings.Contains(layout, "MST"):
			c.fail("%s: layout %q: the same letters name several zones", what, layout)
		}
	}
	switch spec.Zone {
	case "", "account":
	case "utc", "UTC":
		f.zone = schema.NewZone(time.UTC)
	default:
		location, err := time.LoadLocation(spec.Zone)
		if err != nil || spec.Zone == "Local" {
			c.fail("%s: zone %q is not account, utc or an IANA name", what, spec.Zone)
			break
		}
		f.zone = schema.NewZone(location)
	}
	if spec.Fold != "" {
		f.fold = c.from(what, spec.Fold)
	}
}

func (c *compiler) words(what string, spec Field, column schema.Column, f *field) {
	if spec.Lower && spec.Upper {
		c.fail("%s: it cannot be both lower and upper", what)
	}
	if len(spec.Map) > 0 {
		f.words = make(map[string][]byte, len(spec.Map))
		for _, word := range slices.Sorted(maps.Keys(spec.Map)) {
			if word == "" {
				c.fail("%s: map: the empty word is no value; use default", what)
			}
			if spec.Lower && strings.ToLower(word) != word || spec.Upper && strings.ToUpper(word) != word {
				c.fail("%s: map: %q cannot occur in this case", what, word)
			}
			f.words[word] = []byte(spec.Map[word])
		}
	}
	if spec.MapElse != "" {
		f.other = []byte(spec.MapElse)
		if len(spec.Map) == 0 {
			c.fail("%s: map_else without map", what)
		}
	}
	if column.Words == nil {
		return
	}
	given := slices.Sorted(maps.Values(spec.Map))
	for _, word := range append(slices.Compact(given), spec.MapElse, spec.Default, spec.Const) {
		if word != "" && !slices.Contains(column.Words, word) {
			c.fail("%s: %q is not one of %s", what, word, strings.Join(column.Words, ", "))
		}
	}
	if spec.Const == "" && spec.MapElse == "" {
		c.fail("%s: its words are %s: map_else must say which one stands for words that map does not know", what, strings.Join(column.Words, ", "))
	}
}

func (c *compiler) commonColumns() {
	t := c.n.table
	c.n.common = commonColumns{
		network:  t.Index(schema.ColumnNetwork),
		account:  t.Index(schema.ColumnAccount),
		extra:    t.Index(schema.ColumnExtra),
		window:   t.Index(schema.ColumnWindow),
		version:  t.Index(schema.ColumnVersion),
		syncedAt: t.Index(schema.ColumnSyncedAt),
		runID:    t.Index(schema.ColumnRunID),
		stream:   -1,
	}
	for _, name := range [...]string{"stream", "report"} {
		if _, ok := c.n.spec.Columns[name]; !ok && t.Index(name) >= 0 {
			c.n.common.stream = t.Index(name)
		}
	}
}

// requireKey notes the columns without which a row cannot be told from others or
// has no partition.
func (c *compiler) requireKey() {
	n := c.n
	for _, name := range n.spec.Identity {
		if _, ok := n.spec.Columns[name]; ok {
			n.identity = append(n.identity, n.table.Index(name))
		}
	}
	if len(n.spec.Identity) > 0 {
		if len(n.identity) == 0 {
			c.fail("none of the columns %s has a field: it could not be said what a record is about", strings.Join(n.spec.Identity, ", "))
		}
		return
	}
	needed := append(slices.Clone(n.table.Key), n.table.Partition)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(needed))) {
		at := n.table.Index(name)
		switch {
		case at < 0 || name == schema.ColumnAccount || name == schema.ColumnDimensionKey || at == n.common.stream:
			continue
		case n.table.Columns[at].Type == schema.Hour:
			continue // 0 where a report is by day
		}
		if _, ok := n.spec.Columns[name]; !ok {
			c.fail("column %s is part of the key of table %s and has no field", name, n.table.Name)
			continue
		}
		n.required = append(n.required, at)
	}
}
