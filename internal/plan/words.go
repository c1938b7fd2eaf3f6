package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// compared says what the two routes take of the account's day and which one won.
// most is how many exports a day there are; 0 if any number.
func compared(pages, file Choice, direct, exported, most float64) string {
	won := "report"
	if exported < direct {
		won = "export"
	}
	calls := Count(int64(pages.Calls)) + " " + Plural(pages.Calls, "call")
	if pages.Least {
		calls = "at least " + calls
	}
	files := Count(int64(file.Exports)) + " " + Plural(file.Exports, "export")
	if most > 0 {
		files = Count(int64(file.Exports)) + " of " + number(most) + " exports"
	}
	return fmt.Sprintf("%s (%s of a day) against %s (%s): %s", calls, Percent(direct), files, Percent(exported), won)
}

// Count writes a number of things with its thousands parted: 9,000.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Percent writes a share with two digits at least where that is more than noise:
// 7 %, 0.3 %, 118 %.
func Percent(share float64) string {
	p := share * 100
	switch {
	case math.IsNaN(p) || math.IsInf(p, 0):
		return "any %"
	case p > 0 && p < 0.1:
		return "under 0.1 %"
	case p < 10:
		return strings.TrimSuffix(strconv.FormatFloat(p, 'f', 1, 64), ".0") + " %"
	}
	return Count(int64(math.Round(p))) + " %"
}

// number writes how many of something there are a day: whole, or with one digit.
func number(n float64) string {
	if n >= 10 || n == math.Trunc(n) {
		return Count(int64(math.Round(n)))
	}
	return strconv.FormatFloat(n, 'f', 1, 64)
}

// Plural is the word for n things, of which one is called one.
func Plural(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}
