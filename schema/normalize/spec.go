package normalize

import "fmt"

// Spec says how the records of one answer become rows of one table.
type Spec struct {
	// Table is the name of the table.
	Table string `yaml:"table"`
	// Format is how the answer is written; FormatJSON if empty.
	Format Format `yaml:"format"`
	// Records is the path to the records in the answer ("conversions",
	// "response.data"); empty for the root. Of several the first that leads somewhere
	// counts, for networks that wrap the same list now once and now twice. An answer that
	// is an array has no envelope: then it is the records itself, whatever the path. A
	// path that leads to null is no records; that none leads anywhere is an error. A path
	// that is {variable.NAME} is what an account says; see Field.From.
	Records Paths `yaml:"records"`
	// Shape says what stands there; ShapeEither if empty.
	Shape Shape `yaml:"shape"`
	// Wrapped is the key under which each record is wrapped once more:
	// [{"order": {...}}].
	Wrapped string `yaml:"wrapped"`
	// Each is the dotted path of an array or map inside each record whose elements
	// become the rows. Paths of fields are then relative to the element, and those
	// that begin with "parent." to the record. A record without it gives no rows.
	Each string `yaml:"each"`
	// Columns says where each column's value comes from. Not to be named: network,
	// account, extra and the columns that begin with an underscore, which are filled
	// from the Context; stream of table entities and report of table stats get the
	// stream's name if they are not named.
	Columns map[string]Field `yaml:"columns"`
	// Dimensions of a stats row, by dimension name. A dimension that is "" in the
	// record is kept as such, one that is null or absent is left out.
	Dimensions map[string]Field `yaml:"dimensions"`
	// Plain keeps what nobody asked for in one form, whatever it was read from: in the
	// order of the names, values as text, lists as lists of text, times of UTC as
	// "2006-01-02 15:04:05", and nothing that is empty or a zero time. It is for records
	// that come in answers and in files, which extra would tell apart.
	Plain bool `yaml:"plain"`
	// Identity are columns of which a row needs at least one, in place of the columns of
	// its table's key, which may then have no fields and no values: the record is one of
	// several sources that a row is put together from. Not for files.
	Identity []string `yaml:"-"`
	// Drop lists dotted paths of the record (with Each: of the element) that are not
	// kept in extra.
	Drop Paths `yaml:"drop"`
}

// Format is how an answer, or a file, is written.
type Format string

// The formats.
const (
	FormatJSON Format = "json"
	// FormatXML is read as if it were JSON: an element is an object with its children by
	// name, an element that is repeated an array, one without children text.
	FormatXML Format = "xml"
	// FormatCSV is a file with a header; a record has its columns by name.
	FormatCSV Format = "csv"
)

// Paths are dotted paths into a record. In YAML one path may stand as a plain
// string, several as a list.
//
// A segment is a key of an object or, where an array stands, the position of an
// element, counted from 0. A backslash before a dot makes it part of the key. The
// path "$key" is the record's own key in a map, or its position in an array;
// "$value" is the record itself where it is not an object.
type Paths []string

// Field says where a column's value comes from and how it is written. Exactly one
// of From, Const, Variable, FromColumn and FromWindow is given.
//
// A value that is absent, null, "", an empty array or object is no value, and so is
// false for a column of text (PHP's way to say none), unless Map names it. A column
// without a value gets Default, else the zero of its type.
//
// Numbers may be given as strings and strings as numbers. A text column that is
// given an object or array keeps its JSON.
type Field struct {
	// From are the paths of the value: the first that has one counts. One that is
	// {variable.NAME} is what the account gives for it, and left out where that is empty.
	From Paths `yaml:"from"`
	// Join puts the values of all paths together with this text between, leaving out
	// those that have none. An array of plain values is joined in the same way.
	Join string `yaml:"join"`
	// Keys takes the keys of a map for its value: {"US": {...}, "DE": {...}} is "US,DE".
	// They are put together with Join, "," if it is empty, each after Lower, Upper and
	// Map. Where there is no map an array gives its plain values and anything else
	// itself, so that PHP's empty map, an empty array, is no value. Text columns only.
	Keys bool `yaml:"keys"`
	// Zero lists texts that are no value, beside those that never are: the zero dates of
	// a network, "0001-01-01T00:00:00Z". They are compared as they stand in the record,
	// without the space around them.
	Zero Paths `yaml:"zero"`
	// Layout of a time or date; LayoutDateTime if empty, LayoutDate for columns of
	// type Date.
	Layout Layout `yaml:"layout"`
	// Zone of times whose layout has no offset: "account" (also if empty), "utc" or
	// an IANA name.
	Zone string `yaml:"zone"`
	// Fold is the path of an ObjectId. Where a local time occurs twice, the one
	// that the id was made at counts; without it the earlier, and so too where the window
	// is by this time and has only that one.
	Fold string `yaml:"fold"`
	// Map translates words, after Lower or Upper. A word it does not name is kept
	// unless MapElse is given.
	Map map[string]string `yaml:"map"`
	// MapElse is the value for words that Map does not name.
	MapElse string `yaml:"map_else"`
	// Override changes the value by what else the record says, after Map: the first that
	// holds counts. For text columns.
	Override []Override `yaml:"override"`
	// Default is the value when there is none, written as the column's type asks.
	Default string `yaml:"default"`
	// Const is the same value for every row, written as the column's type asks.
	Const string `yaml:"const"`
	// Variable names the variable of the account that is the value.
	Variable string `yaml:"variable"`
	// FromColumn makes a date of a Time column of the same row: its day in the
	// account's zone.
	FromColumn string `yaml:"from_column"`
	// FromWindow makes a date of the day, in the account's zone, on which the pull's
	// window starts.
	FromWindow bool `yaml:"from_window"`
	// Lower and Upper change the case of text.
	Lower bool `yaml:"lower"`
	Upper bool `yaml:"upper"`
}

// Override is another value for a column, if a second value of the record says so: a
// flag that makes trash of a lead, a reason that tells it from a refusal.
type Override struct {
	// When is the value that the column would have; empty for any, none included.
	When string `yaml:"when"`
	// From are the paths of the second value: the first that has one counts.
	From Paths `yaml:"from"`
	// Equals are the texts of the second value for which the override holds; "" stands
	// for no value.
	Equals Paths `yaml:"equals"`
	// Value is the column's value then.
	Value string `yaml:"value"`
}

// Shape says what stands at the path of the records.
type Shape string

// The shapes.
const (
	// ShapeEither is an array or a map, whichever comes: PHP sends [] for an empty
	// map and a map for an array with gaps.
	ShapeEither Shape = "either"
	// ShapeArray is an array of records; an empty object will do for an empty array.
	ShapeArray Shape = "array"
	// ShapeMap is an object whose values are the records; an empty array will do for
	// an empty one.
	ShapeMap Shape = "map"
	// ShapeObject is one record.
	ShapeObject Shape = "object"
)

// UnmarshalText refuses words that are not shapes.
func (s *Shape) UnmarshalText(text []byte) error {
	switch v := Shape(text); v {
	case "", ShapeEither, ShapeArray, ShapeMap, ShapeObject:
		*s = v
		return nil
	}
	return fmt.Errorf("shape %q is not one of either, array, map, object", text)
}

// Layout is how a time or a date is written: one of the named layouts or a layout
// of Go's package time.
type Layout string

// The named layouts.
const (
	// LayoutDateTime is "2006-01-02 15:04:05", also with a T and with decimals of
	// the second. Without a clock time it is midnight.
	LayoutDateTime Layout = "datetime"
	// LayoutDate is "2006-01-02"; zeros may be left out, and a clock time may follow.
	LayoutDate Layout = "date"
	// LayoutRFC3339 has an offset: "2006-01-02T15:04:05Z07:00".
	LayoutRFC3339 Layout = "rfc3339"
	// LayoutUnix is seconds since the epoch, decimals allowed.
	LayoutUnix Layout = "unix"
	// LayoutUnixMilli is milliseconds since the epoch.
	LayoutUnixMilli Layout = "unix_ms"
	// LayoutObjectID is a MongoDB ObjectId, whose first eight digits are the second
	// it was made at.
	LayoutObjectID Layout = "objectid"
)
