package postback

import (
	"strings"

	"syncd/schema"
)

// amountOf reads an amount as people and panels write it, and the currency that stands
// beside it, if one does: "12.5", "1,50", "12.5 USD", "USD 12.5", "1.234,50". problem
// says in words why it could not be read.
//
// A comma with three digits behind it is a decimal comma in one country and marks
// thousands in another: such an amount is not guessed.
func amountOf(text string) (amount, currency, problem string) {
	number := strings.TrimSpace(text)
	if before, after, ok := cutLast(number); ok && isCurrency(after) {
		number, currency = before, strings.ToUpper(after)
	} else if before, after, ok := strings.Cut(number, " "); ok && isCurrency(before) {
		number, currency = strings.TrimSpace(after), strings.ToUpper(before)
	} else if cut := len(number) - 3; cut > 0 && isCurrency(number[cut:]) {
		number, currency = number[:cut], strings.ToUpper(number[cut:])
	}
	plain, problem := plainNumber(number)
	if problem != "" {
		return "", "", "the payout " + quoted(text) + " " + problem
	}
	value, err := schema.ParseDecimal([]byte(plain))
	if err != nil {
		return "", "", "the payout " + quoted(text) + " is not a number"
	}
	return value.String(), currency, ""
}

// cutLast cuts around the last space.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, "", false
	}
	return strings.TrimSpace(s[:i]), s[i+1:], true
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, c := range []byte(s) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

const (
	notANumber = "is not a number"
	ambiguous  = "may mean thousands or a fraction"
)

// plainNumber writes a number with a point before its decimals and nothing else between
// its digits.
func plainNumber(s string) (plain, problem string) {
	sign, digits := "", s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = strings.TrimPrefix(digits[:1], "+"), digits[1:]
	}
	if digits == "" || strings.Trim(digits, "0123456789.,") != "" || strings.Trim(digits, ".,") == "" {
		return "", notANumber
	}
	last := strings.LastIndexAny(digits, ".,")
	if last < 0 {
		return sign + digits, ""
	}
	mark, other := digits[last:last+1], "."
	if mark == "." {
		other = ","
	}
	whole, fraction := digits[:last], digits[last+1:]
	switch {
	case strings.Contains(whole, mark): // the last mark is one of many, so it parts thousands
		whole += mark + fraction
		if strings.Contains(whole, other) || !grouped(whole, mark) {
			return "", notANumber
		}
		return sign + strings.ReplaceAll(whole, mark, ""), ""
	case strings.Contains(whole, other):
		if !grouped(whole, other) {
			return "", notANumber
		}
		return sign + strings.ReplaceAll(whole, other, "") + "." + fraction, ""
	case mark == "," && len(fraction) == 3 && strings.Trim(whole, "0") != "":
		return "", ambiguous
	}
	return sign + whole + "." + fraction, ""
}

// grouped reports whether marks part the digits of s into groups of three.
func grouped(s, mark string) bool {
	for i, group := range strings.Split(s, mark) {
		if i > 0 && len(group) != 3 || i == 0 && (len(group) == 0 || len(group) > 3) {
			return false
		}
	}
	return true
}
