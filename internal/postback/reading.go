package postback

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"syncd/schema"
)

// refusal says why a call cannot be a postback. Its text is answered to the caller, so it
// names parameters and never a value.
type refusal string

// Error is the text.
func (r refusal) Error() string { return string(r) }

// idMax is the longest id that is taken, in bytes: networks' own limits are 255 and less.
const idMax = 1024

// reading is what a call says.
type reading struct {
	// text are the values as they were told; empty for what was not.
	text [fields]string
	// status is one of schema's words.
	status string
	// payout is a decimal and currency three capitals; empty for not told.
	payout, currency string
	// created is when the lead was made, in milliseconds since 1970; 0 for not told.
	created int64
	// problems say in words what of the call could not be used.
	problems []string
}

// choice is the parameter that fills a field, so far.
type choice struct {
	param *param
	rank  int
	// differs says that another parameter of the same name has another value.
	differs bool
}

// essential are the fields without which, or with the wrong one of which, a row would be
// wrong: what is doubtful about them is refused. The rest is ignored where it is doubtful.
func essential(f field) bool {
	switch f {
	case fieldOwnID, fieldNetworkID, fieldStatus, fieldPay, fieldCurrency:
		return true
	}
	return false
}

// read says what the parameters of a call mean. The error is a refusal. It depends on
// nothing but the account and its arguments, so that it finds the same when the call is
// read again from the store.
func (a *Account) read(params []param, receivedAt time.Time) (reading, error) {
	var chosen [fields]choice
	for i := range params {
		a.consider(&chosen, &params[i])
	}
	var r reading
	for f := range fields {
		text, err := taken(f, &chosen[f])
		if err != nil {
			return r, err
		}
		r.text[f] = text
	}
	switch {
	case r.text[fieldOwnID] == "" && r.text[fieldNetworkID] == "":
		return r, refusal("no id: oid (the id that the lead was sent with) or eid (the network's) is needed")
	case r.text[fieldStatus] == "":
		return r, refusal("no status: status=WORD is needed")
	}
	r.status = a.statusOf(&r.text)
	r.text[fieldCountry] = strings.ToUpper(r.text[fieldCountry])
	r.amount()
	r.time(receivedAt)
	return r, nil
}

// consider takes a parameter for the fields that it may fill.
func (a *Account) consider(chosen *[fields]choice, p *param) {
	for _, slot := range a.names[p.name] {
		rank := slot.rank
		if p.nested {
			rank += rankNested
		}
		c := &chosen[slot.field]
		switch {
		case strings.TrimSpace(p.value) == "":
		case c.param == nil || rank < c.rank:
			*c = choice{param: p, rank: rank}
		case rank == c.rank && strings.TrimSpace(p.value) != strings.TrimSpace(c.param.value):
			c.differs = true
		}
	}
}

// taken gives the value of a field, "" if there is none that can be used.
func taken(f field, c *choice) (string, error) {
	if c.param == nil {
		return "", nil
	}
	value := strings.TrimSpace(c.param.value)
	if !essential(f) {
		if unfilledWhole(value) {
			return "", nil
		}
		return value, nil
	}
	switch {
	case unfilled(value):
		return "", refusal(canonical[f] + " is a macro that the network did not fill; it does not know a macro of that name here")
	case c.differs:
		return "", refusal(canonical[f] + " is given twice with different values")
	case c.param.broken && f != fieldPay && f != fieldCurrency:
		return "", refusal(canonical[f] + " has bytes that are not UTF-8")
	case len(value) > idMax && f != fieldPay && f != fieldCurrency:
		return "", refusal(canonical[f] + " is longer than " + strconv.Itoa(idMax) + " bytes")
	}
	return value, nil
}

// unfilledWhole reports whether all of a value is an unfilled macro: a comment may speak
// of braces.
func unfilledWhole(value string) bool {
	if value == "" || !strings.ContainsAny(value[:1], "{[%") {
		return false
	}
	return unfilled(value) && !strings.ContainsAny(strings.Trim(value, "{}[] "), "{}[] ")
}

// amount reads payout and currency. What cannot be read leaves them as they were.
func (r *reading) amount() {
	if text := r.text[fieldPay]; text != "" {
		amount, currency, problem := amountOf(text)
		r.problem(problem)
		r.payout, r.currency = amount, currency
	}
	switch text := r.text[fieldCurrency]; {
	case text == "":
	case isCurrency(text):
		r.currency = strings.ToUpper(text)
	default:
		r.problem("the currency " + quoted(text) + " is not a code of three letters")
	}
}

// earliest is before the first affiliate network: an earlier time is no time.
var earliest = time.Date(1995, time.January, 1, 0, 0, 0, 0, time.UTC)

// future is how far ahead of ours a network's clock may be, and its idea of UTC.
const future = 26 * time.Hour

// time reads when the lead was made.
func (r *reading) time(receivedAt time.Time) {
	text := r.text[fieldTime]
	if text == "" {
		return
	}
	milli, ok := instant(text)
	if at := time.UnixMilli(milli); !ok || at.Before(earliest) || at.After(receivedAt.Add(future)) {
		r.problem("the time " + quoted(text) + " is neither Unix time nor a time with its offset, or not in the past")
		return
	}
	r.created = milli
}

// instant reads a time that says by itself when it is. A plus in an address is a space
// when it arrives.
func instant(text string) (milli int64, ok bool) {
	if digits, _, _ := strings.Cut(text, "."); strings.Trim(digits, "0123456789") == "" {
		parse := schema.ParseUnix
		if len(digits) > 11 { // seconds have ten digits until 2286
			parse = schema.ParseUnixMilli
		}
		milli, err := parse([]byte(text))
		return milli, err == nil
	}
	if i := len(text) - len(" 03:00"); i > 0 && text[i] == ' ' && strings.Contains(text[:i], ":") {
		text = text[:i] + "+" + text[i+1:]
	}
	milli, err := schema.ParseRFC3339([]byte(text))
	return milli, err == nil
}

func (r *reading) problem(text string) {
	if text != "" {
		r.problems = append(r.problems, text)
	}
}

// quotedMax is how much of a value is repeated in a message.
const quotedMax = 64

// quoted is a value for a message, cut where it is long.
func quoted(value string) string {
	if len(value) > quotedMax {
		cut := quotedMax
		for cut > 0 && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut] + "..."
	}
	return strconv.Quote(value)
}
