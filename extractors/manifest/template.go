package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Placeholder is a value that a call is filled with. The list is closed.
type Placeholder string

// The placeholders. Days are written by Request.DayLayout and times by
// Request.TimeLayout in the zone of the window (of the account, for since), hours 0 to
// 23, unix times in seconds. The end of a window is never later than its Settle allows.
const (
	WindowFromDay Placeholder = "window.from_day"
	// WindowToDay is the last day of the window, inclusive.
	WindowToDay Placeholder = "window.to_day"
	// WindowHour is the hour of the window's start.
	WindowHour     Placeholder = "window.hour"
	WindowFromUnix Placeholder = "window.from_unix"
	// WindowToUnix is the last second of the window, inclusive.
	WindowToUnix   Placeholder = "window.to_unix"
	WindowFromTime Placeholder = "window.from_time"
	// WindowToTime is the last second of the window, inclusive.
	WindowToTime Placeholder = "window.to_time"
	// WindowZone is the IANA name of the window's zone, "UTC" for ZoneUTC.
	WindowZone Placeholder = "window.zone"
	SinceDay   Placeholder = "since.day"
	SinceHour  Placeholder = "since.hour"
	SinceUnix  Placeholder = "since.unix"
	// AccountTimezone is the IANA name of the account's zone.
	AccountTimezone Placeholder = "account.timezone"
	// Item is the one item of a for-each call, Items are all of a batch.
	Item  Placeholder = "item"
	Items Placeholder = "items"
	// ItemsJoined are all of a batch as one value, with commas between.
	ItemsJoined Placeholder = "items.joined"
	// SliceWords are the dimensions chosen for a report, the ones that are always sent included.
	SliceWords Placeholder = "slices"
	// ItemPrefix precedes the number of a column, counted from 1, of an item that is
	// made of several: {item.1} is of ForEach.Columns[0].
	ItemPrefix Placeholder = "item."
	// CredentialPrefix and VariablePrefix precede a name that the manifest declares.
	CredentialPrefix Placeholder = "credential."
	VariablePrefix   Placeholder = "variable."
)

// placeholders are all but the prefixes.
var placeholders = []Placeholder{
	WindowFromDay, WindowToDay, WindowHour, WindowFromUnix, WindowToUnix, WindowFromTime, WindowToTime, WindowZone,
	SinceDay, SinceHour, SinceUnix, AccountTimezone, Item, Items, ItemsJoined, SliceWords,
}

// Credential gives the name of the credential that p stands for.
func (p Placeholder) Credential() (string, bool) {
	return strings.CutPrefix(string(p), string(CredentialPrefix))
}

// Variable gives the name of the variable that p stands for.
func (p Placeholder) Variable() (string, bool) {
	return strings.CutPrefix(string(p), string(VariablePrefix))
}

// columnsMax is the number of columns that an item can have: as far as one digit counts.
const columnsMax = 9

// ItemColumn gives the placeholder of a column of ForEach.Columns, counted from 0.
func ItemColumn(i int) Placeholder { return ItemPrefix + Placeholder(strconv.Itoa(i+1)) }

// Column gives the place in ForEach.Columns, from 0, of the column that p stands for.
func (p Placeholder) Column() (int, bool) {
	digit, ok := strings.CutPrefix(string(p), string(ItemPrefix))
	if !ok || len(digit) != 1 || digit[0] < '1' || digit[0] > '9' {
		return 0, false
	}
	return int(digit[0] - '1'), true
}

// Part is a piece of a template: a placeholder, or literal text if it is empty.
type Part struct {
	Placeholder Placeholder
	Text        string
}

// Template is a text with placeholders in braces. There is no escape: no network
// wants a brace.
type Template []Part

// ParseTemplate reads a template. An unknown placeholder is an error.
func ParseTemplate(text string) (Template, error) {
	var t Template
	for rest := text; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			open = len(rest)
		}
		if literal := rest[:open]; literal != "" {
			if strings.Contains(literal, "}") {
				return nil, fmt.Errorf("%q has a closing brace too many", text)
			}
			t = append(t, Part{Text: literal})
		}
		if open == len(rest) {
			break
		}
		name, after, ok := strings.Cut(rest[open+1:], "}")
		if !ok {
			return nil, fmt.Errorf("%q has an open brace", text)
		}
		p := Placeholder(name)
		if !p.known() {
			return nil, fmt.Errorf("{%s} is not a placeholder; known are %s, {item.NUMBER}, {credential.NAME} and {variable.NAME}", name, placeholderList())
		}
		t = append(t, Part{Placeholder: p})
		rest = after
	}
	return t, nil
}

// Expand fills the placeholders with what value gives for them.
func (t Template) Expand(value func(Placeholder) string) string {
	if len(t) == 1 && t[0].Placeholder == "" {
		return t[0].Text
	}
	var b strings.Builder
	for _, p := range t {
		if p.Placeholder == "" {
			b.WriteString(p.Text)
			continue
		}
		b.WriteString(value(p.Placeholder))
	}
	return b.String()
}

// Uses reports whether a placeholder that the function tells stands in the template.
func (t Template) Uses(is func(Placeholder) bool) bool {
	return slices.ContainsFunc(t, func(p Part) bool { return p.Placeholder != "" && is(p.Placeholder) })
}

// List reports whether the template is nothing but a placeholder that stands for
// several values.
func (t Template) List() (Placeholder, bool) {
	if len(t) == 1 && (t[0].Placeholder == Items || t[0].Placeholder == SliceWords) {
		return t[0].Placeholder, true
	}
	return "", false
}

// known reports whether p is on the closed list; whether the name behind a prefix
// is declared is the check's business.
func (p Placeholder) known() bool {
	if name, ok := p.Credential(); ok {
		return name != ""
	}
	if name, ok := p.Variable(); ok {
		return name != ""
	}
	if _, ok := p.Column(); ok {
		return true
	}
	return slices.Contains(placeholders, p) || p.OfExport()
}

func placeholderList() string {
	names := make([]string, len(placeholders))
	for i, p := range placeholders {
		names[i] = "{" + string(p) + "}"
	}
	return strings.Join(names, " ")
}
